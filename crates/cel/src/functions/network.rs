//! IP addresses and blocks of them, as in Kubernetes.

use std::net::IpAddr;

use super::{Builtin, Call, global, member};
use crate::error::{Reason, cut};
use crate::objects::cidr::{Cidr, address};
use crate::objects::{Kind, Object};
use crate::value::Value;

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("ip", 1, 1, ip),
    global("isIP", 1, 1, is_ip),
    global("ip.isCanonical", 1, 1, is_canonical),
    global("cidr", 1, 1, cidr),
    global("isCIDR", 1, 1, is_cidr),
    member("family", 1, 1, |call| {
        let is_four = address_of(call)?.is_ipv4();
        Ok(Value::Int(if is_four { 4 } else { 6 }))
    }),
    member("isUnspecified", 1, 1, |call| {
        test(call, |address| address.is_unspecified())
    }),
    member("isLoopback", 1, 1, |call| {
        test(call, |address| address.is_loopback())
    }),
    member("isLinkLocalMulticast", 1, 1, |call| {
        test(call, is_link_local_multicast)
    }),
    member("isLinkLocalUnicast", 1, 1, |call| {
        test(call, is_link_local_unicast)
    }),
    member("isGlobalUnicast", 1, 1, |call| {
        test(call, is_global_unicast)
    }),
    member("containsIP", 2, 2, contains_ip),
    member("containsCIDR", 2, 2, contains_cidr),
    member("ip", 1, 1, |call| Ok(address_value(cidr_of(call)?.address))),
    member("masked", 1, 1, |call| {
        Ok(cidr_value(cidr_of(call)?.masked()))
    }),
    member("prefixLength", 1, 1, |call| {
        Ok(Value::Int(cidr_of(call)?.prefix.into()))
    }),
];

fn address_value(address: IpAddr) -> Value<'static> {
    Value::Object(Object::new(Kind::Ip(address)))
}

fn cidr_value(cidr: Cidr) -> Value<'static> {
    Value::Object(Object::new(Kind::Cidr(cidr)))
}

/// The address that a value is.
fn as_address(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Object(object) => match object.kind() {
            Kind::Ip(address) => Some(*address),
            _ => None,
        },
        _ => None,
    }
}

fn as_cidr(value: &Value<'_>) -> Option<Cidr> {
    match value {
        Value::Object(object) => match object.kind() {
            Kind::Cidr(cidr) => Some(*cidr),
            _ => None,
        },
        _ => None,
    }
}

fn address_of(call: &Call<'_, '_>) -> std::result::Result<IpAddr, Reason> {
    let address = call.arguments.first().and_then(as_address);
    address.ok_or_else(|| call.mismatch())
}

fn cidr_of(call: &Call<'_, '_>) -> std::result::Result<Cidr, Reason> {
    let cidr = call.arguments.first().and_then(as_cidr);
    cidr.ok_or_else(|| call.mismatch())
}

fn read_address(text: &str) -> std::result::Result<IpAddr, Reason> {
    address(text).map_err(|why| Reason::invalid(format!("{why}: {}", cut(text))))
}

fn read_cidr(text: &str) -> std::result::Result<Cidr, Reason> {
    Cidr::parse(text).map_err(|why| Reason::invalid(format!("{why}: {}", cut(text))))
}

fn ip<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => read_address(text).map(address_value),
        _ => Err(call.mismatch()),
    }
}

fn is_ip<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => Ok(Value::Bool(address(text).is_ok())),
        _ => Err(call.mismatch()),
    }
}

fn is_canonical<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => {
            let written = read_address(text)?.to_string();
            Ok(Value::Bool(*written == **text))
        }
        _ => Err(call.mismatch()),
    }
}

fn cidr<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => read_cidr(text).map(cidr_value),
        _ => Err(call.mismatch()),
    }
}

fn is_cidr<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => Ok(Value::Bool(Cidr::parse(text).is_ok())),
        _ => Err(call.mismatch()),
    }
}

fn test<'a>(call: &mut Call<'_, 'a>, test: fn(IpAddr) -> bool) -> Result<'a> {
    address_of(call).map(|address| Value::Bool(test(address)))
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(six) => six.octets().first() == Some(&0xff) && six.octets()[1] & 0x0f == 2,
    }
}

fn is_link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    }
}

/// As Go has it: private addresses are global, too.
fn is_global_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(four) if four.is_broadcast());
    !(is_broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local_unicast(address))
}

fn contains_ip<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let cidr = cidr_of(call)?;
    let address = match call.arguments {
        [_, Value::String(text)] => read_address(text)?,
        [_, value] => as_address(value).ok_or_else(|| call.mismatch())?,
        _ => return Err(call.mismatch()),
    };
    Ok(Value::Bool(cidr.contains(address)))
}

fn contains_cidr<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let cidr = cidr_of(call)?;
    let other = match call.arguments {
        [_, Value::String(text)] => read_cidr(text)?,
        [_, value] => as_cidr(value).ok_or_else(|| call.mismatch())?,
        _ => return Err(call.mismatch()),
    };
    Ok(Value::Bool(cidr.contains_block(other)))
}
