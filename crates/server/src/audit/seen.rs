//! Which events came already: an API server that was not answered in time sends a whole batch again.

use std::collections::HashSet;

/// Events that are remembered, in two halves: when the younger one is full the older one is forgotten. Twice this many
/// at most, which is 10 minutes of a cluster with 4,000 nodes.
const HALF: usize = 200_000;

/// See the module.
#[derive(Default)]
pub(crate) struct Seen {
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl Seen {
    /// Remembers an event; says whether it is new.
    pub(crate) fn add(&mut self, key: u128) -> bool {
        if self.old.contains(&key) || !self.young.insert(key) {
            return false;
        }
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_the_last_ones_and_no_more() {
        let mut seen = Seen::default();
        let most = u128::try_from(HALF).unwrap();
        for key in 0..3 * most {
            assert!(seen.add(key));
        }
        assert!(!seen.add(3 * most - 1) && !seen.add(2 * most + 1));
        assert!(seen.add(0), "forgotten");
        assert!(seen.young.len() + seen.old.len() <= 2 * HALF);
    }
}
