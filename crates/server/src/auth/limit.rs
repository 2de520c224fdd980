//! The limit on guessing: a bucket per user name and one per address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

/// Attempts per minute on one user name.
const PER_NAME: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");
/// Attempts per minute from one address, over all names.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(30).expect("30 is not zero");

/// Counts attempts to sign in.
pub(crate) struct Limiter {
    names: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self {
            names: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            addresses: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
        }
    }

    /// Counts an attempt with a password; when it is one too many, the seconds to wait.
    pub(crate) fn check(&self, name: &str, address: IpAddr) -> Result<(), u64> {
        self.check_address(address)?;
        // As the store folds names, so that no spelling has a bucket of its own.
        let name = name.trim().to_lowercase().chars().take(200).collect();
        self.names.check_key(&name).map_err(|until| wait(&until))
    }

    /// Counts an attempt with a link, whose secret cannot be guessed: only the flood is held back.
    pub(crate) fn check_address(&self, address: IpAddr) -> Result<(), u64> {
        self.addresses
            .check_key(&network(address))
            .map_err(|until| wait(&until))
    }

    /// Forgets names and addresses that have been quiet, so that guesses do not fill the memory.
    pub(crate) fn sweep(&self) {
        self.names.retain_recent();
        self.addresses.retain_recent();
        self.names.shrink_to_fit();
        self.addresses.shrink_to_fit();
    }
}

fn wait(until: &NotUntil<<DefaultClock as Clock>::Instant>) -> u64 {
    until
        .wait_time_from(DefaultClock::default().now())
        .as_secs()
        + 1
}

/// Whoever has one IPv6 address has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_counted_apart() {
        let limiter = Limiter::new();
        let (a, b) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        for _ in 0..10 {
            assert!(limiter.check("Admin", a).is_ok());
        }
        assert!(
            limiter.check("admin", b).is_err(),
            "the name's bucket is empty, whatever its case or the address"
        );
        assert!(
            limiter.check(" ADMIN\t", b).is_err(),
            "no spelling has a bucket of its own"
        );
        assert!(limiter.check("other", b).is_ok());
        let v6 = |text: &str| text.parse::<IpAddr>().map(network);
        assert_eq!(v6("2001:db8::1"), v6("2001:db8::ffff"));
        assert_ne!(v6("2001:db8::1"), v6("2001:db8:0:1::1"));
        assert_eq!(v6("::ffff:10.0.0.1"), "10.0.0.1".parse());
    }
}
