//! Fields of the request itself: where it came from, and what its address says.

use std::borrow::Cow;
use std::net::IpAddr;

use seareeve_detect::{Argument, Presence, Value, Values};

use super::{always, flag, some};
use crate::event::AuditEvent;
use crate::fields::present_if;
use crate::uri;
use crate::user::product;

fn addresses(event: &AuditEvent<'_>) -> impl Iterator<Item = IpAddr> {
    event
        .record
        .addresses
        .iter()
        .filter_map(|text| text.decode().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
}

pub(super) fn source<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let mut is_there = false;
    for address in addresses(event) {
        out.push(Value::Address(address));
        is_there = true;
    }
    present_if(is_there)
}

pub(super) fn source_class<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    // The farthest of them: whoever asks may put any before the address that the server sees, but not take that away.
    let classes = addresses(event).map(class);
    let farthest = classes.max_by_key(|class| match *class {
        "loopback" => 0,
        "private" => 1,
        _ => 2,
    });
    some(farthest.map(Cow::Borrowed), out)
}

pub(super) fn peer<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let peer = addresses(event).last();
    peer.into_iter()
        .for_each(|address| out.push(Value::Address(address)));
    present_if(peer.is_some())
}

fn class(address: IpAddr) -> &'static str {
    let is_private = match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_link_local()
                // Addresses behind a provider's translation (RFC 6598).
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    };
    if address.is_loopback() {
        "loopback"
    } else if is_private {
        "private"
    } else {
        "public"
    }
}

pub(super) fn agent<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let product = match event.record.agent.unwrap_or_default().decode() {
        Cow::Borrowed(agent) => product(agent),
        Cow::Owned(agent) => Cow::Owned(product(&agent).into_owned()),
    };
    if product.is_empty() {
        return always(Cow::Borrowed("unnamed"), out);
    }
    always(product, out)
}

pub(super) fn command<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let part = event.record.target.and_then(|target| target.subresource);
    if !part.is_some_and(|part| part.is("exec")) {
        return Presence::Absent;
    }
    let uri = event.record.uri.decode();
    let words: Vec<_> = uri::parameters(&uri, "command").collect();
    out.owned(words.join(" "));
    Presence::Present
}

fn uri_parameter(event: &AuditEvent<'_>, name: &str) -> Option<String> {
    let uri = event.record.uri.decode();
    uri::parameters(&uri, name).next().map(Cow::into_owned)
}

pub(super) fn container<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    some(uri_parameter(event, "container").map(Cow::Owned), out)
}

pub(super) fn tty<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let tty = uri_parameter(event, "tty");
    flag(tty.is_some_and(|tty| tty == "true" || tty == "1"), out)
}

pub(super) fn behind_proxy<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let part = event.record.target.and_then(|target| target.subresource);
    if !part.is_some_and(|part| part.is("proxy")) {
        return Presence::Absent;
    }
    let uri = event.record.uri.decode();
    let behind = uri::behind_proxy(&uri).map(Cow::into_owned);
    some(behind.map(Cow::Owned), out)
}
