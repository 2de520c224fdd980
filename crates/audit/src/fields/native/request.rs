//! Fields of the request itself: where it came from, and what its address says.

use std::borrow::Cow;
use std::collections::BTreeSet;

use seareeve_detect::{Argument, Presence, Value, Values};

use super::{always, flag, some};
use crate::addresses::address_class;
use crate::destination::destinations;
use crate::event::AuditEvent;
use crate::fields::present_if;
use crate::portrait::Aspect;
use crate::uri;
use crate::user::product;

pub(super) fn source<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let mut is_there = false;
    for address in event.record.source_addresses() {
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
    let classes = event.record.source_addresses().map(address_class);
    let farthest = classes.max_by_key(|class| match *class {
        "loopback" => 0,
        "private" => 1,
        _ => 2,
    });
    some(farthest.map(Cow::Borrowed), out)
}

pub(super) fn peer<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let peer = event.record.source_addresses().last();
    peer.into_iter()
        .for_each(|address| out.push(Value::Address(address)));
    present_if(peer.is_some())
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
    some(command_of(event).map(Cow::Owned), out)
}

fn command_of(event: &AuditEvent<'_>) -> Option<String> {
    let part = event.record.target.and_then(|target| target.subresource);
    if !part.is_some_and(|part| part.is("exec")) {
        return None;
    }
    let uri = event.record.uri.decode();
    let words: Vec<_> = uri::parameters(&uri, "command").collect();
    Some(words.join(" "))
}

/// What of an object leads somewhere.
const LEADING: [Aspect; 4] = [
    Aspect::Command,
    Aspect::Setting,
    Aspect::Endpoint,
    Aspect::EndpointHost,
];

pub(super) fn destination<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let mut found = BTreeSet::new();
    if let Some(command) = command_of(event) {
        destinations(&command, &mut found);
    }
    for (aspect, text) in event.added() {
        if LEADING.contains(aspect) {
            destinations(text, &mut found);
        }
    }
    let is_there = !found.is_empty();
    found.into_iter().for_each(|one| out.owned(one));
    present_if(is_there)
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
