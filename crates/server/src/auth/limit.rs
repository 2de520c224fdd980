//! The limit on guessing: a bucket per user name and one per address.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

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

    /// Counts one attempt; when it is one too many, the seconds to wait.
    pub(crate) fn check(&self, name: &str, address: IpAddr) -> Result<(), u64> {
        let wait = |not_until: governor::NotUntil<_>| {
            not_until
                .wait_time_from(DefaultClock::default().now())
                .as_secs()
                + 1
        };
        self.addresses.check_key(&address).map_err(wait)?;
        self.names.check_key(&name.to_lowercase()).map_err(wait)
    }

    /// Forgets names and addresses that have been quiet, so that guesses do not fill the memory.
    pub(crate) fn sweep(&self) {
        self.names.retain_recent();
        self.addresses.retain_recent();
        self.names.shrink_to_fit();
        self.addresses.shrink_to_fit();
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
        assert!(limiter.check("other", b).is_ok());
    }
}
