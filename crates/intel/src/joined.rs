//! All lists together: what each named list of the detections is extended by, and where an entry comes from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use seareeve_model::Alert;

use crate::entry::{Entry, Kind};
use crate::network::Network;

/// Entries that all lists add to one named list at most.
const MOST_OF_NAMED: usize = 100_000;
/// The same of texts, which are looked for within others: each is a comparison of its own.
const MOST_WITHIN: usize = 20_000;
/// Sentences about lists that an alert has at most.
const MOST_SAID: usize = 8;
/// Bytes of these: conditions become as long.
const MOST_BYTES: usize = 3 << 20;

/// A named list of the detections that others may extend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As conditions name it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it takes.
    pub takes: Vec<Kind>,
    /// Its own items, with their reasons.
    pub own: Vec<(String, String)>,
}

/// Where entries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The list, as people call it.
    pub name: String,
    /// From where: an address, or the name of a file.
    pub from: String,
    /// When it was fetched or handed in; nothing of what is built in.
    pub at: Option<Timestamp>,
}

/// An entry that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'j> {
    /// The entry as the list has it.
    pub entry: &'j str,
    /// Where it comes from.
    pub source: &'j Source,
    /// Of what is built in: why it is there.
    pub reason: Option<&'j str>,
}

impl Listed<'_> {
    /// Says so, about a value that was seen.
    #[must_use]
    pub fn sentence(&self, seen: &str) -> String {
        let entry = if self.entry == seen {
            String::new()
        } else {
            format!("entry {}, ", self.entry)
        };
        let Source { name, from, at } = self.source;
        let when = match (at, self.reason) {
            (Some(at), _) => format!("from {from}, fetched at {at:.0}"),
            (None, Some(reason)) => format!("{reason}; {from}"),
            (None, None) => from.clone(),
        };
        format!("{seen} is on the list {name} ({entry}{when})")
    }
}

/// The place of a source, and the reason that it gives for an entry.
type Origin = (usize, Option<Box<str>>);

/// All lists together.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// By named list, what it is extended by.
    added: BTreeMap<String, Vec<String>>,
    /// By entry, its sources.
    from: HashMap<Box<str>, Vec<Origin>>,
    sources: Vec<Source>,
    /// By source, what could not be used of it, and why.
    left_out: BTreeMap<String, BTreeMap<&'static str, u64>>,
    next_change: Option<Timestamp>,
}

/// Joins lists.
pub struct Joiner {
    now: Timestamp,
    named: Vec<Named>,
    added: BTreeMap<String, (BTreeSet<Box<str>>, usize)>,
    excluded: Excluded,
    joined: Joined,
}

#[derive(Default)]
struct Excluded {
    texts: BTreeSet<Box<str>>,
    /// By version, the first and last address of each, sorted; with the last of all before.
    spans: Vec<(bool, u128, u128)>,
}

impl Joiner {
    /// Joins lists as they are at this time. What stands in one of `excluded` is never taken.
    #[must_use]
    pub fn new<'e>(
        now: Timestamp,
        named: Vec<Named>,
        excluded: impl IntoIterator<Item = &'e Entry>,
    ) -> Self {
        let mut joined = Joined::default();
        for list in &named {
            let number = joined.sources.len();
            joined.sources.push(Source {
                name: list.name.clone(),
                from: "built in".to_owned(),
                at: None,
            });
            for (item, reason) in &list.own {
                let sources = joined.from.entry(item.as_str().into()).or_default();
                sources.push((number, Some(reason.as_str().into())));
            }
        }
        let mut all = Excluded::default();
        for entry in excluded {
            match Network::parse(&entry.value).filter(|_| entry.kind == Kind::Address) {
                Some(network) => all.spans.push(network.span()),
                None => {
                    all.texts.insert(entry.value.clone());
                }
            }
        }
        all.finish();
        Self {
            now,
            named,
            added: BTreeMap::new(),
            excluded: all,
            joined,
        }
    }

    /// Adds a list to the named lists `into`, each of which takes what it is for.
    pub fn add(&mut self, source: Source, entries: &[Entry], into: &[String]) {
        let number = self.joined.sources.len();
        let mut left_out: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut leave = |why| {
            let count = left_out.entry(why).or_insert(0);
            *count = count.saturating_add(1);
        };
        let named: Vec<&Named> = self
            .named
            .iter()
            .filter(|named| into.contains(&named.name))
            .collect();
        for entry in entries {
            for change in [entry.from, entry.until].into_iter().flatten() {
                if change > self.now {
                    let next = self
                        .joined
                        .next_change
                        .map_or(change, |next| next.min(change));
                    self.joined.next_change = Some(next);
                }
            }
            if !entry.holds_at(self.now) {
                leave("not valid now");
                continue;
            }
            if self.excluded.holds(entry) {
                leave("on a list of exclusions");
                continue;
            }
            let takes = named
                .iter()
                .filter(|named| named.takes.contains(&entry.kind));
            let mut is_taken = false;
            let mut is_full = false;
            for list in takes {
                let most = if list.takes.contains(&Kind::Text) {
                    MOST_WITHIN
                } else {
                    MOST_OF_NAMED
                };
                let (added, bytes) = self.added.entry(list.name.clone()).or_default();
                let length = bytes.saturating_add(entry.value.len()).saturating_add(4);
                if added.contains(&entry.value) {
                    is_taken = true;
                } else if added.len() < most && length <= MOST_BYTES {
                    added.insert(entry.value.clone());
                    *bytes = length;
                    is_taken = true;
                } else {
                    is_full = true;
                }
            }
            if is_taken {
                let sources = self.joined.from.entry(entry.value.clone()).or_default();
                sources.push((number, None));
            } else if is_full {
                leave("the named list is full");
            } else {
                leave("no named list takes such");
            }
        }
        if !left_out.is_empty() {
            self.joined.left_out.insert(source.name.clone(), left_out);
        }
        self.joined.sources.push(source);
    }

    /// What they come to.
    #[must_use]
    pub fn finish(mut self) -> Joined {
        let added = self.added.into_iter().map(|(name, (entries, _))| {
            let entries = entries.into_iter().map(String::from);
            (name, entries.collect())
        });
        self.joined.added = added.collect();
        self.joined
    }
}

impl Excluded {
    fn finish(&mut self) {
        self.spans.sort_unstable();
        // Networks lie within each other or apart, so the largest of each are enough.
        let mut kept: Vec<(bool, u128, u128)> = Vec::with_capacity(self.spans.len());
        for span in &self.spans {
            let is_within = kept
                .last()
                .is_some_and(|last| last.0 == span.0 && last.1 <= span.1 && span.2 <= last.2);
            if !is_within {
                kept.push(*span);
            }
        }
        self.spans = kept;
    }

    /// Whether an entry is excluded; a network is when all of it is.
    fn holds(&self, entry: &Entry) -> bool {
        if entry.kind == Kind::Address
            && let Some(network) = Network::parse(&entry.value)
        {
            let (is_4, first, last) = network.span();
            let at = self
                .spans
                .partition_point(|span| (span.0, span.1) <= (is_4, first));
            let before = at.checked_sub(1).and_then(|at| self.spans.get(at));
            return before.is_some_and(|span| span.0 == is_4 && span.1 <= first && last <= span.2);
        }
        self.texts.contains(&entry.value)
    }
}

/// Whether a value that was seen is an entry, or an address of its network.
fn is_of(entry: &str, seen: &str) -> bool {
    if entry == seen {
        return true;
    }
    let (Some(network), Some(address)) = (Network::parse(entry), Network::parse(seen)) else {
        return false;
    };
    let ((is_4, first, last), (is_also_4, at, _)) = (network.span(), address.span());
    is_4 == is_also_4 && (first..=last).contains(&at)
}

impl Joined {
    /// By named list, what it is extended by.
    pub fn added(&self) -> impl Iterator<Item = (&str, &[String])> {
        let added = self.added.iter();
        added.map(|(name, entries)| (name.as_str(), entries.as_slice()))
    }

    /// Which lists have an entry: those that were added, then what is built in.
    pub fn listed(&self, entry: &str) -> impl Iterator<Item = Listed<'_>> {
        let found = self.from.get_key_value(entry).into_iter();
        found.flat_map(move |(entry, sources)| {
            let listed = sources.iter().rev().filter_map(move |(number, reason)| {
                Some(Listed {
                    entry,
                    source: self.sources.get(*number)?,
                    reason: reason.as_deref(),
                })
            });
            listed.collect::<Vec<_>>()
        })
    }

    /// Tells an alert which lists it rests on, by what its rule compared with.
    pub fn explain(&self, alert: &mut Alert) {
        let mut said = Vec::new();
        for matched in alert
            .evidence
            .matched
            .iter()
            .filter(|matched| matched.holds)
        {
            for wanted in &matched.wanted {
                let seen = matched.seen.iter().find(|seen| is_of(wanted, seen));
                let seen = seen.unwrap_or(wanted);
                for listed in self.listed(wanted) {
                    let sentence = listed.sentence(seen);
                    if said.len() < MOST_SAID && !said.contains(&sentence) {
                        said.push(sentence);
                    }
                }
            }
        }
        alert.evidence.reasons.extend(said);
    }

    /// What could not be used of a list, and why.
    #[must_use]
    pub fn left_out(&self, source: &str) -> Vec<(&'static str, u64)> {
        let found = self.left_out.get(source).into_iter().flatten();
        found.map(|(why, count)| (*why, *count)).collect()
    }

    /// When an entry begins or ends to hold next.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        self.next_change
    }
}
