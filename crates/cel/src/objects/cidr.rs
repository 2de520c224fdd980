//! Addresses and blocks of them, read as Kubernetes reads them: no zones, no IPv4 written within IPv6.

use std::net::{IpAddr, Ipv6Addr};

/// A block of addresses. The address may have bits behind the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u8,
}

/// Reads an address, or says why it is none. `::ffff:c0a8:1` is the IPv4 address that it stands for.
pub(crate) fn address(text: &str) -> Result<IpAddr, &'static str> {
    // The longest address of either kind has 45 characters.
    if text.len() > 64 {
        return Err("not an IP address");
    }
    if text.contains('%') {
        return Err("IP address with a zone");
    }
    let address: IpAddr = text.parse().map_err(|_| "not an IP address")?;
    match address {
        IpAddr::V6(six) if is_mapped(six) && text.contains('.') => {
            Err("IPv4 address within an IPv6 address")
        }
        address => Ok(address.to_canonical()),
    }
}

fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

impl Cidr {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "not a block of IP addresses";
        let (text, prefix) = text.split_once('/').ok_or(NONE)?;
        let six: Option<Ipv6Addr> = text.parse().ok();
        if six.is_some_and(is_mapped) {
            return Err("IPv4 address within an IPv6 address");
        }
        let address = address(text)?;
        let is_number = prefix == "0"
            || (prefix.bytes().all(|b| b.is_ascii_digit()) && !prefix.starts_with('0'));
        let prefix = prefix.parse().ok().filter(|_| is_number).ok_or(NONE)?;
        if prefix > width(address) {
            return Err(NONE);
        }
        Ok(Self { address, prefix })
    }

    /// With the bits behind the prefix cleared.
    pub(crate) fn masked(self) -> Self {
        let keep = |bits: u128, width: u8| match width - self.prefix {
            128 => 0,
            clear => bits >> clear << clear,
        };
        let address = match self.address {
            IpAddr::V4(four) => {
                // Cleared within 32 bits, so that nothing is cut off.
                let bits = keep(four.to_bits().into(), 32);
                IpAddr::V4((bits as u32).into())
            }
            IpAddr::V6(six) => IpAddr::V6(keep(six.to_bits(), 128).into()),
        };
        Self { address, ..self }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let other = Self { address, ..self };
        self.address.is_ipv4() == address.is_ipv4() && self.masked() == other.masked()
    }

    pub(crate) fn contains_block(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
