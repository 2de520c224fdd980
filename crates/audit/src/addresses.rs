//! Which addresses many speak from: those of nodes, gateways and proxies. Such an address says nothing of who it was.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;

use crate::record::Record;
use crate::user::UserKind;

/// Accounts of an address that only somebody has; with one more it is an address that many share.
const FEW: usize = 8;
/// Addresses that are remembered, in two halves: when the younger one is full, or a day old, the older is forgotten.
const HALF: usize = 10_000;
/// Nanoseconds of a day: addresses change hands.
const DAY: u64 = 24 * 3_600 * 1_000_000_000;

/// See the module. Of one cluster, since others have other nodes and gateways.
#[derive(Debug, Default)]
pub struct Addresses {
    young: HashMap<IpAddr, Speakers>,
    old: HashMap<IpAddr, Speakers>,
    since: u64,
}

/// Who speaks from an address, by the hash of the name.
#[derive(Debug)]
enum Speakers {
    Few(Vec<u64>),
    Many,
}

impl Addresses {
    /// Takes notice of who sent a request, and from where.
    pub fn see(&mut self, record: &Record<'_>) {
        let is_of_cluster = match UserKind::of(&record.user) {
            // Whoever says nothing may be anybody.
            UserKind::None | UserKind::Anonymous => return,
            UserKind::Node | UserKind::Controller | UserKind::System => true,
            UserKind::ServiceAccount | UserKind::Human => false,
        };
        let at = record.time();
        let mut hash = DefaultHasher::new();
        record.user.name.decode().hash(&mut hash);
        let speaker = hash.finish();
        for address in record.source_addresses() {
            if self.young.len() >= HALF || at.saturating_sub(self.since) > DAY {
                self.old = std::mem::take(&mut self.young);
                self.since = at;
            }
            let speakers = self.young.entry(address);
            let speakers = speakers.or_insert_with(|| Speakers::Few(Vec::new()));
            // A node's credentials may be used from outside, too: then the address is whoever stole them.
            speakers.add(speaker, is_of_cluster && address_class(address) != PUBLIC);
        }
    }

    /// Whether many speak from an address: a node or a part of the control plane does, or more than a few accounts.
    #[must_use]
    pub fn is_shared(&self, address: IpAddr) -> bool {
        let found = [&self.young, &self.old];
        let mut found = found.iter().filter_map(|half| half.get(&address));
        found.any(|speakers| matches!(speakers, Speakers::Many))
    }
}

impl Speakers {
    fn add(&mut self, speaker: u64, is_of_cluster: bool) {
        let Self::Few(few) = self else {
            return;
        };
        if !few.contains(&speaker) {
            few.push(speaker);
        }
        if is_of_cluster || few.len() > FEW {
            *self = Self::Many;
        }
    }
}

/// What everybody else's addresses are.
const PUBLIC: &str = "public";

/// What an address is: `loopback`, `private` or `public`. What is not public means another machine elsewhere.
#[must_use]
pub fn address_class(address: IpAddr) -> &'static str {
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
        PUBLIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(addresses: &mut Addresses, user: &str, from: &str, day: u32) {
        let event = format!(
            r#"{{"auditID":"a","stage":"ResponseComplete","verb":"get","user":{{"username":"{user}"}},
            "sourceIPs":["{from}"],"requestReceivedTimestamp":"2026-01-{day:02}T00:00:00Z"}}"#
        );
        addresses.see(&Record::read(event.as_bytes()).unwrap());
    }

    fn is_shared(addresses: &Addresses, address: &str) -> bool {
        addresses.is_shared(address.parse().unwrap())
    }

    #[test]
    fn nodes_and_gateways_are_shared_and_peoples_addresses_are_not() {
        let mut addresses = Addresses::default();
        see(&mut addresses, "system:node:n1", "10.0.0.5", 1);
        see(
            &mut addresses,
            "system:kube-scheduler",
            "::ffff:10.0.0.6",
            1,
        );
        see(&mut addresses, "system:node:n1", "203.0.113.9", 1);
        assert!(is_shared(&addresses, "10.0.0.5") && is_shared(&addresses, "10.0.0.6"));
        assert!(!is_shared(&addresses, "203.0.113.9"));
        for number in 0..FEW {
            let account = format!("system:serviceaccount:shop:a{number}");
            for _ in 0..3 {
                see(&mut addresses, &account, "203.0.113.7", 1);
            }
        }
        see(&mut addresses, "system:anonymous", "203.0.113.7", 1);
        assert!(!is_shared(&addresses, "203.0.113.7"));
        see(&mut addresses, "eve", "203.0.113.7", 1);
        assert!(is_shared(&addresses, "203.0.113.7"));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_ends() {
        let mut addresses = Addresses::default();
        see(&mut addresses, "system:node:n1", "10.0.0.5", 1);
        see(&mut addresses, "eve", "10.0.0.6", 3);
        assert!(is_shared(&addresses, "10.0.0.5"), "it is a day old");
        see(&mut addresses, "eve", "10.0.0.6", 5);
        assert!(!is_shared(&addresses, "10.0.0.5"));
        for number in 0..3 * HALF {
            let from = format!("10.1.{}.{}", number / 256, number % 256);
            see(&mut addresses, "eve", &from, 5);
        }
        assert!(addresses.young.len() + addresses.old.len() <= 2 * HALF);
    }
}
