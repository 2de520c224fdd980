//! All constants that one slot is compared with, arranged so that a value is looked at once for all of them.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::fast::RandomState;
use regex::RegexSet;

use super::constant::{Constant, Networks};
use super::program::PredicateId;
use crate::pattern::{GlobError, Paths, Prefixes};
use crate::source::Value;

/// Which ways of looking at a value there are. Each runs at most once per event.
#[derive(Debug)]
pub(crate) struct Groups;

impl Groups {
    pub(crate) const EQUAL: u8 = 1;
    pub(crate) const STARTS: u8 = 2;
    pub(crate) const ENDS: u8 = 4;
    pub(crate) const CONTAINS: u8 = 8;
    pub(crate) const ICONTAINS: u8 = 16;
    pub(crate) const PATHS: u8 = 32;
    pub(crate) const REGEX: u8 = 64;
}

/// What a slot is compared with.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    texts: HashMap<Box<[u8]>, Box<[PredicateId]>, RandomState>,
    others: HashMap<Constant, Box<[PredicateId]>, RandomState>,
    networks: Networks,
    starts: Option<Prefixes>,
    ends: Option<Prefixes>,
    contains: Option<Substrings>,
    icontains: Option<Substrings>,
    paths: Paths,
    expressions: Vec<Expressions>,
}

/// Regular expressions that are looked for in one pass.
#[derive(Debug)]
struct Expressions {
    set: RegexSet,
    /// By expression.
    numbers: Box<[PredicateId]>,
}

/// Substrings and what they are for.
#[derive(Debug)]
struct Substrings {
    automaton: AhoCorasick,
    /// By pattern.
    numbers: Box<[Box<[PredicateId]>]>,
    /// What the empty text is for, which every value contains.
    empty: Box<[PredicateId]>,
}

/// What a matcher is made of.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(super) equal: Vec<(Constant, PredicateId)>,
    pub(super) starts: Vec<(Vec<u8>, PredicateId)>,
    pub(super) ends: Vec<(Vec<u8>, PredicateId)>,
    pub(super) contains: Vec<(Vec<u8>, PredicateId)>,
    pub(super) icontains: Vec<(Vec<u8>, PredicateId)>,
    pub(super) paths: Vec<(Vec<u8>, PredicateId)>,
    pub(super) expressions: Vec<(RegexSet, Vec<PredicateId>)>,
}

/// Why a matcher cannot be made. The fault of who wrote the rules.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MatcherError {
    #[error(transparent)]
    Glob(#[from] GlobError),
    #[error("the texts to look for are too many")]
    Substrings(#[from] aho_corasick::BuildError),
}

impl Matcher {
    pub(super) fn new(patterns: Patterns) -> Result<Self, MatcherError> {
        let mut matcher = Self::default();
        let mut texts: HashMap<Box<[u8]>, Vec<PredicateId>, RandomState> = HashMap::default();
        let mut others: HashMap<Constant, Vec<PredicateId>, RandomState> = HashMap::default();
        for (constant, number) in patterns.equal {
            match constant {
                Constant::Text(text) => texts.entry(text).or_default().push(number),
                Constant::Network(base, bits) => matcher.networks.add(base, bits, number),
                other => others.entry(other).or_default().push(number),
            }
        }
        matcher.texts = texts
            .into_iter()
            .map(|(key, ids)| (key, ids.into()))
            .collect();
        matcher.others = others
            .into_iter()
            .map(|(key, ids)| (key, ids.into()))
            .collect();
        let trie = |texts: &[(Vec<u8>, PredicateId)], is_backward| {
            (!texts.is_empty()).then(|| Prefixes::new(texts, is_backward))
        };
        matcher.starts = trie(&patterns.starts, false);
        matcher.ends = trie(&patterns.ends, true);
        matcher.contains = Substrings::new(patterns.contains, false)?;
        matcher.icontains = Substrings::new(patterns.icontains, true)?;
        for (path, number) in patterns.paths {
            matcher.paths.add(&path, number)?;
        }
        for (set, numbers) in patterns.expressions {
            let numbers = numbers.into();
            matcher.expressions.push(Expressions { set, numbers });
        }
        Ok(matcher)
    }

    /// Calls `hit` with every predicate of the groups that a value fulfils, some of them more than once.
    pub(crate) fn find(&self, value: &Value<'_>, groups: u8, hit: &mut impl FnMut(PredicateId)) {
        let Value::Text(text) = value else {
            if groups & Groups::EQUAL > 0 {
                let found = Constant::number(value).and_then(|key| self.others.get(&key));
                found.into_iter().flatten().for_each(|number| hit(*number));
                if let Value::Address(address) = value {
                    self.networks.find(*address, hit);
                }
            }
            return;
        };
        let text: &[u8] = text;
        if groups & Groups::EQUAL > 0 {
            let found = self.texts.get(text);
            found.into_iter().flatten().for_each(|number| hit(*number));
        }
        if let Some(starts) = self.starts.as_ref().filter(|_| groups & Groups::STARTS > 0) {
            starts.find(text, hit);
        }
        if let Some(ends) = self.ends.as_ref().filter(|_| groups & Groups::ENDS > 0) {
            ends.find(text, hit);
        }
        if let Some(found) = self
            .contains
            .as_ref()
            .filter(|_| groups & Groups::CONTAINS > 0)
        {
            found.find(text, hit);
        }
        if let Some(found) = self
            .icontains
            .as_ref()
            .filter(|_| groups & Groups::ICONTAINS > 0)
        {
            found.find(text, hit);
        }
        if groups & Groups::PATHS > 0 && !self.paths.is_empty() {
            self.paths.find(text, hit);
        }
        if groups & Groups::REGEX > 0 && !self.expressions.is_empty() {
            let text = String::from_utf8_lossy(text);
            for expressions in &self.expressions {
                expressions.find(&text, hit);
            }
        }
    }
}

impl Expressions {
    fn find(&self, text: &str, hit: &mut impl FnMut(PredicateId)) {
        // Which of them match is asked only when one does: that needs memory.
        if self.set.is_match(text) {
            let found = self.set.matches(text);
            let numbers = found.iter().filter_map(|index| self.numbers.get(index));
            numbers.for_each(|number| hit(*number));
        }
    }
}

impl Substrings {
    fn new(
        patterns: Vec<(Vec<u8>, PredicateId)>,
        folds_case: bool,
    ) -> Result<Option<Self>, MatcherError> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let mut by_text: std::collections::BTreeMap<Vec<u8>, Vec<PredicateId>> =
            std::collections::BTreeMap::new();
        for (mut text, number) in patterns {
            if folds_case {
                text.make_ascii_lowercase();
            }
            by_text.entry(text).or_default().push(number);
        }
        let empty = by_text.remove(&Vec::new()).unwrap_or_default();
        let texts: Vec<Vec<u8>> = by_text.keys().cloned().collect();
        let mut builder = AhoCorasick::builder();
        builder
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(folds_case);
        // A table of all states is fastest, and too large for more than some hundred texts.
        if texts.iter().map(Vec::len).sum::<usize>() > 8 << 10 {
            builder.kind(Some(AhoCorasickKind::ContiguousNFA));
        }
        Ok(Some(Self {
            automaton: builder.build(&texts)?,
            numbers: by_text.into_values().map(Into::into).collect(),
            empty: empty.into(),
        }))
    }

    fn find(&self, text: &[u8], hit: &mut impl FnMut(PredicateId)) {
        self.empty.iter().for_each(|number| hit(*number));
        for found in self.automaton.find_overlapping_iter(text) {
            let numbers = self.numbers.get(found.pattern().as_usize());
            numbers
                .into_iter()
                .flatten()
                .for_each(|number| hit(*number));
        }
    }
}
