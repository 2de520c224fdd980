//! The groups of one rule, as many as may be, and how much they take.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;

/// Groups of one rule at most.
pub(super) const MOST_GROUPS: usize = 20_000;
/// Bytes of a group beside its name, which is kept twice, and what it remembers.
const GROUP: usize = 250;

/// What a group remembers.
pub(super) trait Remembers: Default {
    /// Bytes of it, about.
    fn bytes(&self) -> usize;
}

/// What the groups of a rule remember.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "V: Serialize + for<'v> Deserialize<'v> + Default")]
pub(super) struct Groups<V> {
    values: Bounded<V>,
    bytes: usize,
    dropped: u64,
}

impl<V> Default for Groups<V> {
    fn default() -> Self {
        Self {
            values: Bounded::default(),
            bytes: 0,
            dropped: 0,
        }
    }
}

impl<V: Remembers> Groups<V> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some()
    }

    /// Changes what a group remembers. `change` says what came of it, and how many things had to go for it.
    pub(super) fn change<T>(&mut self, name: &str, change: impl FnOnce(&mut V) -> (T, u64)) -> T {
        if !self.has(name) {
            self.bytes = self.bytes.saturating_add(own_bytes(name));
        }
        let group = self.values.touch(name);
        let before = group.bytes();
        let (outcome, lost) = change(group);
        let after = group.bytes();
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        self.dropped = self.dropped.saturating_add(lost);
        while self.len() > MOST_GROUPS {
            self.drop_oldest();
        }
        outcome
    }

    /// Forgets the group that was not changed for longest. Says how many bytes that gives back.
    pub(super) fn drop_oldest(&mut self) -> usize {
        let Some((name, group)) = self.values.pop_oldest() else {
            return 0;
        };
        let bytes = group.bytes().saturating_add(own_bytes(&name));
        self.bytes = self.bytes.saturating_sub(bytes);
        self.dropped = self.dropped.saturating_add(1);
        bytes
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Bytes of all of them, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What went at a bound since the beginning.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

fn own_bytes(name: &str) -> usize {
    name.len().saturating_mul(2).saturating_add(GROUP)
}
