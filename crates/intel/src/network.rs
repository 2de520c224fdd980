//! Networks of addresses, as lists write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Of addresses of version 4, networks with fewer bits hold a good part of the world.
const LEAST_BITS_4: u8 = 8;
/// The same of version 6: what providers are given.
const LEAST_BITS_6: u8 = 19;
/// Networks of private addresses that are larger stand in lists of what is not routed, not of what is bad.
const LEAST_BITS_PRIVATE: u8 = 24;
/// Networks that a range of addresses is written as, at most.
const MOST_OF_RANGE: usize = 64;

/// A network; a single address has all of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// Why a network is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// It holds so much that half of all requests would come from it.
    #[error("a network that is too large")]
    Wide,
    /// Nobody attacks from there: loopback, link-local, multicast, or nothing at all.
    #[error("an address that nobody sends from")]
    Nowhere,
    /// A large network of private addresses.
    #[error("a large network of private addresses")]
    Private,
}

impl Network {
    /// Reads `1.2.3.4`, `1.2.3.0/24` or the same of version 6. Bits behind the network are cut.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            None => (text.parse::<IpAddr>().ok()?, None),
            Some((address, bits)) => {
                let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
                let bits = is_number.then(|| bits.parse::<u8>().ok()).flatten()?;
                (address.parse::<IpAddr>().ok()?, Some(bits))
            }
        };
        // An address of version 4 in the clothes of version 6 arrives as what it is.
        let (address, bits) = match (address, bits) {
            (IpAddr::V6(six), None) => (six.to_canonical(), None),
            other => other,
        };
        let bits = bits.unwrap_or_else(|| width(address));
        (bits <= width(address)).then(|| Self::new(address, bits))
    }

    /// Reads a range `1.2.3.0-1.2.3.255` as the networks that it is made of; `None` when it is none, or of too many.
    pub(crate) fn parse_range(text: &str) -> Option<Vec<Self>> {
        let (first, last) = text.split_once('-')?;
        let first = first.trim().parse::<IpAddr>().ok()?;
        let last = last.trim().parse::<IpAddr>().ok()?;
        if first.is_ipv4() != last.is_ipv4() || first > last {
            return None;
        }
        let (mut at, end, width) = (number(first), number(last), u32::from(width(first)));
        let mut networks = Vec::new();
        loop {
            let size = if at == 0 {
                width
            } else {
                at.trailing_zeros().min(width)
            };
            // The largest network that begins here and does not end behind the range.
            let spare = (0..=size)
                .rev()
                .find(|spare| at.checked_add(mask(*spare)).is_some_and(|last| last <= end))?;
            let bits = u8::try_from(width.saturating_sub(spare)).ok()?;
            networks.push(Self::new(address(at, first.is_ipv4()), bits));
            if networks.len() > MOST_OF_RANGE {
                return None;
            }
            match at
                .checked_add(mask(spare))
                .and_then(|last| last.checked_add(1))
            {
                Some(next) if next <= end => at = next,
                _ => return Some(networks),
            }
        }
    }

    fn new(address: IpAddr, bits: u8) -> Self {
        let spare = u32::from(width(address).saturating_sub(bits));
        let base = number(address) & !mask(spare);
        Self {
            base: self::address(base, address.is_ipv4()),
            bits,
        }
    }

    /// Whether it is worth a look in a list of bad addresses.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(self) -> Result<(), NetworkFault> {
        let (least, least_private) = match self.base {
            IpAddr::V4(_) => (LEAST_BITS_4, LEAST_BITS_PRIVATE),
            IpAddr::V6(_) => (LEAST_BITS_6, 64),
        };
        let (is_nowhere, is_private) = match self.base {
            IpAddr::V4(four) => (is_nowhere_4(four), is_private_4(four)),
            IpAddr::V6(six) => (is_nowhere_6(six), six.is_unique_local()),
        };
        if is_nowhere {
            Err(NetworkFault::Nowhere)
        } else if self.bits < least {
            Err(NetworkFault::Wide)
        } else if is_private && self.bits < least_private {
            Err(NetworkFault::Private)
        } else {
            Ok(())
        }
    }

    /// The first and the last address, as numbers of their version.
    pub(crate) fn span(self) -> (bool, u128, u128) {
        let first = number(self.base);
        let spare = u32::from(width(self.base).saturating_sub(self.bits));
        (self.base.is_ipv4(), first, first | mask(spare))
    }
}

/// As detections read it: a single address without its bits.
impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.bits == width(self.base) {
            self.base.fmt(f)
        } else {
            write!(f, "{}/{}", self.base, self.bits)
        }
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(u32::from(four)),
        IpAddr::V6(six) => u128::from(six),
    }
}

fn address(number: u128, is_4: bool) -> IpAddr {
    if is_4 {
        IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into())
    } else {
        IpAddr::V6(number.into())
    }
}

/// So many bits at the end.
fn mask(bits: u32) -> u128 {
    1_u128
        .checked_shl(bits)
        .map_or(u128::MAX, |over| over.saturating_sub(1))
}

fn is_nowhere_4(four: Ipv4Addr) -> bool {
    let [first, ..] = four.octets();
    first == 0 || first >= 224 || four.is_loopback() || four.is_link_local()
}

fn is_nowhere_6(six: Ipv6Addr) -> bool {
    six.is_unspecified() || six.is_loopback() || six.is_multicast() || six.is_unicast_link_local()
}

/// RFC 1918, and what providers share among customers (RFC 6598).
fn is_private_4(four: Ipv4Addr) -> bool {
    let [first, second, ..] = four.octets();
    four.is_private() || (first == 100 && (64..128).contains(&second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Network::parse(text).map(|network| network.to_string())
    }

    #[test]
    fn networks_are_read_as_they_are_written() {
        for (text, expected) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.7/32", Some("192.0.2.7")),
            ("192.0.2.7/24", Some("192.0.2.0/24")),
            ("2001:DB8::1/48", Some("2001:db8::/48")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("192.0.2.7/33", None),
            ("192.0.2.7/+8", None),
            ("192.0.2.7/", None),
            ("192.0.2", None),
            ("", None),
        ] {
            assert_eq!(shown(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ranges_become_networks() {
        let of = |text| {
            let networks = Network::parse_range(text)?;
            Some(networks.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            of("192.0.2.1 - 192.0.2.4").unwrap(),
            ["192.0.2.1", "192.0.2.2/31", "192.0.2.4"]
        );
        assert_eq!(of("192.0.2.0-192.0.3.255").unwrap(), ["192.0.2.0/23"]);
        assert_eq!(of("0.0.0.0-255.255.255.255").unwrap(), ["0.0.0.0/0"]);
        assert_eq!(
            of("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").unwrap(),
            ["::/0"]
        );
        assert_eq!(of("192.0.2.4-192.0.2.1"), None);
        assert_eq!(of("192.0.2.4-::1"), None);
        // Two networks for nearly each bit.
        assert_eq!(of("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), None);
    }

    #[test]
    fn what_would_fit_everybody_is_refused() {
        let check = |text| Network::parse(text).unwrap().check();
        for good in [
            "192.0.2.0/24",
            "203.0.113.9",
            "10.1.2.3",
            "10.1.2.0/24",
            "2001:db8::/32",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("64.0.0.0/4"), Err(NetworkFault::Wide));
        assert_eq!(check("2000::/3"), Err(NetworkFault::Wide));
        for nowhere in [
            "0.0.0.0/0",
            "127.0.0.1",
            "169.254.169.254",
            "255.255.255.255",
            "::1",
            "fe80::1",
        ] {
            assert_eq!(check(nowhere), Err(NetworkFault::Nowhere), "{nowhere}");
        }
        for private in ["10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"] {
            let refused = check(private);
            assert!(refused.is_err(), "{private}");
        }
    }
}
