//! What rules compare with, read as the type of the field.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use foldhash::fast::RandomState;

use crate::language::Literal;
use crate::source::{Kind, Value};

/// A constant of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Constant {
    Text(Box<[u8]>),
    Unsigned(u64),
    Signed(i64),
    /// The bits of a double: those of rules are never NaN.
    Double(u64),
    Bool(bool),
    Address(IpAddr),
    Network(IpAddr, u8),
}

impl Constant {
    /// Reads text as a constant of a kind.
    pub(crate) fn read(literal: &Literal, kind: Kind) -> Result<Self, String> {
        let text = || std::str::from_utf8(&literal.0).unwrap_or_default();
        let wrong = |what: &str| format!("'{}' is not {what}", literal.lossy());
        match kind {
            Kind::Text | Kind::Path => Ok(Self::Text(literal.0.clone())),
            Kind::Unsigned | Kind::Time | Kind::Duration => {
                let number = hexadecimal(text()).or_else(|| text().parse().ok());
                number
                    .map(Self::Unsigned)
                    .ok_or_else(|| wrong("an unsigned number"))
            }
            Kind::Signed => {
                let hexadecimal = hexadecimal(text()).and_then(|number| i64::try_from(number).ok());
                let number = hexadecimal.or_else(|| text().parse().ok());
                number.map(Self::Signed).ok_or_else(|| wrong("a number"))
            }
            Kind::Double => match text().parse::<f64>() {
                // Both zeros are one.
                Ok(number) if !number.is_nan() => Ok(Self::Double((number + 0.0).to_bits())),
                _ => Err(wrong("a number")),
            },
            Kind::Bool => match text() {
                "true" => Ok(Self::Bool(true)),
                "false" => Ok(Self::Bool(false)),
                _ => Err(wrong("true or false")),
            },
            Kind::Address => match text().parse() {
                Ok(address) => Ok(Self::Address(address)),
                Err(_) => Err(wrong("an address")),
            },
            Kind::Network => network(text()).ok_or_else(|| wrong("an address or a network")),
        }
    }

    /// Whether a value is this one.
    pub(crate) fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(own), Value::Text(other)) => **own == **other,
            (Self::Unsigned(own), Value::Unsigned(other)) => own == other,
            (Self::Signed(own), Value::Signed(other)) => own == other,
            (Self::Double(own), Value::Double(other)) => f64::from_bits(*own) == *other,
            (Self::Bool(own), Value::Bool(other)) => own == other,
            (Self::Address(own), Value::Address(other)) => own == other,
            (Self::Network(own, bits), Value::Address(other)) => {
                masked(*own, *bits).is_some_and(|own| masked(*other, *bits) == Some(own))
            }
            _ => false,
        }
    }

    /// How lists write what a value is equal to: itself, and the networks that an address is in.
    pub(crate) fn spellings(value: &Value<'_>) -> Vec<Literal> {
        match value {
            Value::Text(text) => vec![Literal(text.to_vec().into())],
            Value::Address(address) => {
                let networks = (0..=width(*address)).rev().filter_map(|bits| {
                    let base = masked(*address, bits)?;
                    Some(Literal::text(&format!("{base}/{bits}")))
                });
                let itself = Literal::text(&address.to_string());
                std::iter::once(itself).chain(networks).collect()
            }
            Value::Unsigned(_) | Value::Signed(_) | Value::Double(_) | Value::Bool(_) => Vec::new(),
        }
    }

    /// How a value compares with this one; nothing when they are of different types.
    pub(crate) fn order(&self, value: &Value<'_>) -> Option<std::cmp::Ordering> {
        match (self, value) {
            (Self::Text(own), Value::Text(other)) => Some((**other).cmp(own)),
            (Self::Unsigned(own), Value::Unsigned(other)) => Some(other.cmp(own)),
            (Self::Signed(own), Value::Signed(other)) => Some(other.cmp(own)),
            (Self::Double(own), Value::Double(other)) => other.partial_cmp(&f64::from_bits(*own)),
            _ => None,
        }
    }

    /// The constant that a value is looked up by; nothing for those that equal by more than their bits.
    pub(crate) fn number(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Unsigned(number) => Some(Self::Unsigned(*number)),
            Value::Signed(number) => Some(Self::Signed(*number)),
            Value::Bool(flag) => Some(Self::Bool(*flag)),
            Value::Address(address) => Some(Self::Address(*address)),
            Value::Double(number) => Some(Self::Double((number + 0.0).to_bits())),
            Value::Text(_) => None,
        }
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

fn network(text: &str) -> Option<Constant> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?),
        None => {
            let address = text.parse::<IpAddr>().ok()?;
            (address, width(address))
        }
    };
    let base = masked(address, bits)?;
    Some(Constant::Network(base, bits))
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The network of an address; nothing when an address has fewer bits.
fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    let spare = u32::from(width(address).checked_sub(bits)?);
    Some(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(spare).unwrap_or_default();
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(spare).unwrap_or_default();
            IpAddr::V6((u128::from(address) & mask).into())
        }
    })
}

/// Networks and what they are for: one look-up per length of prefix, however many there are.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    lengths: BTreeMap<(bool, u8), HashMap<IpAddr, Vec<u32>, RandomState>>,
}

impl Networks {
    pub(crate) fn add(&mut self, base: IpAddr, bits: u8, number: u32) {
        let length = self.lengths.entry((base.is_ipv6(), bits)).or_default();
        length.entry(base).or_default().push(number);
    }

    /// Calls `hit` with what each network is for that an address is in.
    pub(crate) fn find(&self, address: IpAddr, hit: &mut impl FnMut(u32)) {
        let is_6 = address.is_ipv6();
        for ((_, bits), networks) in self.lengths.range((is_6, 0)..=(is_6, u8::MAX)) {
            let base = masked(address, *bits);
            if let Some(numbers) = base.and_then(|base| networks.get(&base)) {
                numbers.iter().for_each(|number| hit(*number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_the_field_has_them() {
        let read = |text: &str, kind| Constant::read(&Literal::text(text), kind);
        assert_eq!(read("0x1F", Kind::Unsigned), Ok(Constant::Unsigned(31)));
        assert_eq!(read("-3", Kind::Signed), Ok(Constant::Signed(-3)));
        assert!(read("-3", Kind::Unsigned).is_err());
        assert!(read("1.5", Kind::Signed).is_err());
        assert!(read("yes", Kind::Bool).is_err());
        assert!(read("10.0.0.0/8", Kind::Address).is_err());
        assert!(read("10.0.0.0/33", Kind::Network).is_err());
    }

    #[test]
    fn networks_hold_addresses_of_their_version() {
        let mut networks = Networks::default();
        for (number, text) in (0_u32..).zip(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0"]) {
            let Ok(Constant::Network(base, bits)) =
                Constant::read(&Literal::text(text), Kind::Network)
            else {
                panic!("{text}");
            };
            networks.add(base, bits, number);
        }
        let found = |text: &str| {
            let mut found = Vec::new();
            networks.find(text.parse().unwrap(), &mut |number| found.push(number));
            found
        };
        assert_eq!(found("10.1.2.3"), [2, 0, 1]);
        assert_eq!(found("11.1.2.3"), [2]);
        assert_eq!(found("::1"), [3]);
    }
}
