//! What comes of reading a list: what can be used of it, and what cannot, by reason.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Kind, classify, of_kind};

/// Bytes of a list at most.
pub const MOST_BYTES: usize = 64 << 20;
/// Entries of a list that are used at most.
pub const MOST_ENTRIES: usize = 100_000;
/// Reasons that are told apart; more are told as one.
const MOST_REASONS: usize = 40;
/// Characters of an example.
const MOST_EXAMPLE: usize = 120;

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What can be used, each value once, in order.
    pub entries: Vec<Entry>,
    /// What cannot, by reason.
    pub unused: BTreeMap<String, Unused>,
}

/// What could not be used for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub example: String,
}

/// From when and until when an entry holds.
type Lasting = (Option<Timestamp>, Option<Timestamp>);

/// Collects what is found in a list.
pub(crate) struct Collector<'k> {
    wanted: &'k [Kind],
    entries: BTreeMap<(Box<str>, Kind), Lasting>,
    unused: BTreeMap<String, Unused>,
}

/// From when and until when an entry holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl<'k> Collector<'k> {
    /// Collects what is of these kinds.
    pub(crate) fn new(wanted: &'k [Kind]) -> Self {
        Self {
            wanted,
            entries: BTreeMap::new(),
            unused: BTreeMap::new(),
        }
    }

    /// A word that may be anything.
    pub(crate) fn word(&mut self, word: &str) {
        match classify(word, self.wanted) {
            Ok(found) => self.add(found, Span::default(), word),
            Err(why) => self.unused(why, word),
        }
    }

    /// A word of a kind that its source names.
    pub(crate) fn of_kind(&mut self, word: &str, kind: Kind, span: Span) {
        match of_kind(word, kind, self.wanted) {
            Ok(found) => self.add(found, span, word),
            Err(why) => self.unused(why, word),
        }
    }

    /// Something that is of no use.
    pub(crate) fn unused(&mut self, why: &str, example: &str) {
        let why: String = why.chars().filter(|c| !c.is_control()).take(80).collect();
        let is_new = !self.unused.contains_key(&why);
        let why = if is_new && self.unused.len() >= MOST_REASONS {
            "something else".to_owned()
        } else {
            why
        };
        let entry = self.unused.entry(why).or_insert_with(|| Unused {
            count: 0,
            example: shortened(example),
        });
        entry.count = entry.count.saturating_add(1);
    }

    fn leave(&mut self, why: &str, more: Unused) {
        let unused = self.unused.entry(why.to_owned()).or_default();
        if unused.example.is_empty() {
            unused.example = more.example;
        }
        unused.count = unused.count.saturating_add(more.count);
    }

    fn add(&mut self, found: Vec<(Kind, String)>, span: Span, word: &str) {
        for (kind, value) in found {
            let key = (value.into_boxed_str(), kind);
            if let Some((from, until)) = self.entries.get_mut(&key) {
                // Whoever says so longest counts.
                *from = from.zip(span.from).map(|(one, other)| one.min(other));
                *until = until.zip(span.until).map(|(one, other)| one.max(other));
            } else if self.entries.len() < MOST_ENTRIES {
                self.entries.insert(key, (span.from, span.until));
            } else {
                self.unused("too many for one list", word);
            }
        }
    }

    pub(crate) fn finish(self) -> Reading {
        let entries = self.entries.into_iter();
        let entries = entries.map(|((value, kind), (from, until))| Entry {
            value,
            kind,
            until,
            from,
        });
        Reading {
            entries: entries.collect(),
            unused: self.unused,
        }
    }
}

impl Reading {
    /// What several files of the same list say together.
    #[must_use]
    pub fn all(readings: Vec<Self>) -> Self {
        let mut collector = Collector::new(&[]);
        for reading in readings {
            for (why, more) in reading.unused {
                collector.leave(&why, more);
            }
            for entry in reading.entries {
                let span = Span {
                    from: entry.from,
                    until: entry.until,
                };
                let value = entry.value.to_string();
                collector.add(vec![(entry.kind, value)], span, &entry.value);
            }
        }
        collector.finish()
    }

    /// Counts what was not even read.
    pub fn leave(&mut self, why: &str, count: usize) {
        if count > 0 {
            let unused = self.unused.entry(why.to_owned()).or_default();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            unused.count = unused.count.saturating_add(count);
        }
    }

    /// Everything that could not be used.
    #[must_use]
    pub fn unused_count(&self) -> u64 {
        self.unused
            .values()
            .fold(0, |sum, unused| sum.saturating_add(unused.count))
    }
}

fn shortened(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control());
    clean.take(MOST_EXAMPLE).collect()
}
