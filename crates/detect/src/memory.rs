//! What correlations and baselines remember between events: bounded, and saved so that it survives restarts.
//!
//! At a bound what was not seen for longest goes, and is counted: an alert may then be missing (a correlation), or be
//! raised once more (a baseline). Nothing here has a clock; time is that of events.

mod bounded;
mod groups;
mod habits;
mod window;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::habits::{Habits, Surprise};
pub(crate) use self::window::{Completed, Entry, Goal, Windows};

/// What begins a saved memory.
const MAGIC: &[u8; 4] = b"SRVM";
/// The form of what follows.
const VERSION: u32 = 2;
/// Bytes of all that is remembered at most, about.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of a saved memory at most.
const MOST_SAVED: usize = 512 << 20;

/// What all rules remember.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// By the detection's id.
    rules: BTreeMap<String, Remembered>,
}

/// What one rule remembers, and of which text of it. A rule has one of the two.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    digest: [u8; 32],
    windows: Windows,
    habits: Habits,
}

/// Why a saved memory cannot be used. What was learned is then learned anew.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It is of another version, or no memory at all.
    #[error("it is no memory of this version")]
    Version,
    /// It is larger than any that is saved.
    #[error("{0} bytes, of which {MOST_SAVED} are read")]
    Large(usize),
    /// It is damaged.
    #[error("the memory is damaged")]
    Damaged(#[source] postcard::Error),
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Groups of events.
    pub groups: usize,
    /// Bytes, about.
    pub bytes: usize,
    /// What went at a bound since the beginning: above zero, an alert may be missing or be raised twice.
    pub dropped: u64,
}

impl Memory {
    /// The windows of a correlation.
    pub(crate) fn windows(&mut self, id: &str, digest: &[u8; 32]) -> &mut Windows {
        &mut self.of(id, digest).windows
    }

    /// The habits of a baseline.
    pub(crate) fn habits(&mut self, id: &str, digest: &[u8; 32]) -> &mut Habits {
        &mut self.of(id, digest).habits
    }

    /// What a rule remembers; nothing yet, when its text has changed.
    fn of(&mut self, id: &str, digest: &[u8; 32]) -> &mut Remembered {
        let known = self.rules.entry(id.to_owned()).or_default();
        if known.digest != *digest {
            *known = Remembered {
                digest: *digest,
                ..Remembered::default()
            };
        }
        known
    }

    /// Keeps what is remembered within its bounds: the largest rule gives up groups first.
    pub(crate) fn shrink(&mut self) {
        let mut total: usize = self.rules.values().map(|rule| rule.bytes()).sum();
        while total > MOST_BYTES {
            let largest = self.rules.values_mut().max_by_key(|rule| rule.bytes());
            let Some(largest) = largest else {
                return;
            };
            let freed = largest.drop_oldest();
            if freed == 0 {
                return;
            }
            total = total.saturating_sub(freed);
        }
    }

    /// Forgets rules that are no longer there.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.rules.retain(|id, _| is_known(id));
    }

    /// As bytes that [`Memory::load`] reads.
    pub(crate) fn save(&self) -> Result<Vec<u8>, MemoryError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_be_bytes());
        postcard::to_extend(self, bytes).map_err(MemoryError::Damaged)
    }

    pub(crate) fn load(bytes: &[u8]) -> Result<Self, MemoryError> {
        if bytes.len() > MOST_SAVED {
            return Err(MemoryError::Large(bytes.len()));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(MemoryError::Version)?;
        let rest = rest
            .strip_prefix(&VERSION.to_be_bytes())
            .ok_or(MemoryError::Version)?;
        postcard::from_bytes(rest).map_err(MemoryError::Damaged)
    }

    pub(crate) fn usage(&self) -> MemoryUse {
        let mut usage = MemoryUse::default();
        for rule in self.rules.values() {
            let (windows, habits) = (&rule.windows.groups, &rule.habits.groups);
            let groups = windows.len().saturating_add(habits.len());
            let dropped = windows.dropped().saturating_add(habits.dropped());
            usage.groups = usage.groups.saturating_add(groups);
            usage.dropped = usage.dropped.saturating_add(dropped);
            usage.bytes = usage.bytes.saturating_add(rule.bytes());
        }
        usage
    }
}

impl Remembered {
    fn bytes(&self) -> usize {
        let windows = self.windows.groups.bytes();
        windows.saturating_add(self.habits.groups.bytes())
    }

    fn drop_oldest(&mut self) -> usize {
        match self.windows.groups.drop_oldest() {
            0 => self.habits.groups.drop_oldest(),
            freed => freed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_together_have_one_bound() {
        let mut memory = Memory::default();
        let value = "v".repeat(500);
        for number in 0..60_000_u64 {
            let rule = format!("rule {}", number % 5);
            let group = format!("{number} {value}");
            let entry = Entry {
                time: number,
                step: 0,
                value: Some(format!("{number}{value}")),
                sample: (rule.clone(), value.clone()),
            };
            let windows = memory.windows(&rule, &[0; 32]);
            windows.add(&group, entry, Goal::Values(3), 1_000_000);
            memory.shrink();
            assert!(memory.usage().bytes <= MOST_BYTES);
        }
        let usage = memory.usage();
        assert!(usage.dropped > 0 && usage.groups > 1_000, "{usage:?}");
        // What is told is no less than what there is.
        let saved = memory.save().unwrap().len();
        assert!(saved <= usage.bytes, "{saved} {}", usage.bytes);
    }
}
