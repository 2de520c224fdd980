//! Which vulnerability a record speaks of.
//!
//! `aliases` are symmetric and transitive: ids that are aliases make one class, which is one
//! vulnerability. `upstream` is directed: a class without a CVE that names upstream ids speaks of those,
//! one by one, and never merges them. `related` merges nothing; a distribution's record that names
//! neither aliases nor upstream speaks of the CVEs that it calls related (ELA, ALSA, PHSA).
//!
//! No two CVEs are one vulnerability, whatever says so. A record with several CVEs for aliases (RUSTSEC and Go have
//! them) speaks of those one by one, as if they were upstream of it, and is nobody's alias. Were they one finding, a
//! VEX statement on one of them would hide the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::held::{Held, is_cve};

/// All ids that occur, grouped by alias.
pub(super) struct Classes<'a> {
    records: &'a [(&'a str, &'a Held)],
    numbers: HashMap<&'a str, usize>,
    parents: Vec<usize>,
    members: BTreeMap<usize, Vec<&'a str>>,
    by_id: HashMap<&'a str, usize>,
}

/// A class, named by the number of its root.
pub(super) type Class = usize;

impl<'a> Classes<'a> {
    /// `records` are those that were not withdrawn, sorted by id: a withdrawn record connects nothing.
    pub(super) fn new(records: &'a [(&'a str, &'a Held)]) -> Self {
        let mut classes = Self {
            records,
            numbers: HashMap::new(),
            parents: Vec::new(),
            members: BTreeMap::new(),
            by_id: records
                .iter()
                .enumerate()
                .map(|(at, (id, _))| (*id, at))
                .collect(),
        };
        for (id, record) in records {
            let own = classes.number(id);
            for alias in &record.aliases {
                let other = classes.number(alias);
                if !record.is_collective() && !classes.is_collective(alias) {
                    classes.join(own, other);
                }
            }
            for id in record.upstream.iter().chain(&record.fixes) {
                classes.number(id);
            }
        }
        let ids: Vec<(&str, usize)> = classes.numbers.iter().map(|(id, at)| (*id, *at)).collect();
        for (id, number) in ids {
            let root = classes.root(number);
            classes.members.entry(root).or_default().push(id);
        }
        for members in classes.members.values_mut() {
            members.sort_unstable();
        }
        classes
    }

    fn is_collective(&self, id: &str) -> bool {
        let record = self.by_id.get(id).and_then(|at| self.records.get(*at));
        record.is_some_and(|(_, held)| held.is_collective())
    }

    fn number(&mut self, id: &'a str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&self, mut number: usize) -> Class {
        while let Some(parent) = self.parents.get(number).filter(|parent| **parent != number) {
            number = *parent;
        }
        number
    }

    /// As [`Classes::root`], halving the way for those who come after.
    fn shortened_root(&mut self, mut number: usize) -> Class {
        loop {
            let parent = self.parents.get(number).copied().unwrap_or(number);
            if parent == number {
                return number;
            }
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(number) {
                *slot = above;
            }
            number = above;
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.shortened_root(a), self.shortened_root(b));
        if let Some(parent) = self.parents.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }

    fn class(&self, id: &str) -> Option<Class> {
        self.numbers.get(id).map(|number| self.root(*number))
    }

    /// The ids of a class, sorted.
    pub(super) fn members(&self, class: Class) -> &[&'a str] {
        self.members.get(&class).map_or(&[], Vec::as_slice)
    }

    /// Positions in `records` of the class's own records.
    pub(super) fn records(&self, class: Class) -> impl Iterator<Item = usize> {
        let members = self.members(class).iter();
        members.filter_map(|id| self.by_id.get(id).copied())
    }

    /// The id by which people know the class: a CVE, then a GHSA, then a record of ours.
    pub(super) fn display_id(&self, class: Class) -> &'a str {
        let rank = |id: &str| match id {
            cve if is_cve(cve) => 0,
            ghsa if ghsa.starts_with("GHSA-") => 1,
            record if self.by_id.contains_key(record) => 2,
            _ => 3,
        };
        let best = self.members(class).iter().min_by_key(|id| (rank(id), **id));
        best.copied().unwrap_or_default()
    }

    /// The vulnerabilities that a record speaks of, sorted; at least one. Upstream of upstream is followed
    /// (a USN names UBUNTU-CVE-…, which names the CVE).
    pub(super) fn spoken_of(&self, id: &str) -> Vec<Class> {
        let Some(own) = self.class(id) else {
            return Vec::new();
        };
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::from([own]);
        let mut open = vec![own];
        while let Some(class) = open.pop() {
            let named = self.named_by(class);
            if named.is_empty() {
                found.insert(class);
            }
            open.extend(named.into_iter().filter(|other| seen.insert(*other)));
        }
        if found.is_empty() {
            // Records that are upstream of each other in a circle.
            found.insert(own);
        }
        found.into_iter().collect()
    }

    /// The classes that `class` speaks of instead of itself.
    fn named_by(&self, class: Class) -> BTreeSet<Class> {
        if self.members(class).iter().any(|id| is_cve(id)) {
            return BTreeSet::new();
        }
        let own = || self.records(class).filter_map(|at| self.records.get(at));
        let named = |id: &String| self.class(id).filter(|other| *other != class);
        let directed = |held: &'a Held| {
            let aliases = held
                .aliases
                .iter()
                .filter(|alias| match held.is_collective() {
                    true => is_cve(alias),
                    false => self.is_collective(alias),
                });
            held.upstream.iter().chain(aliases)
        };
        let upstream: BTreeSet<Class> = own()
            .flat_map(|(_, held)| directed(held))
            .filter_map(named)
            .collect();
        if upstream.is_empty() {
            let fixes = own().flat_map(|(_, held)| &held.fixes);
            fixes.filter_map(named).collect()
        } else {
            upstream
        }
    }
}
