//! Finds the keywords of all rules in one pass: the hot loop of the detector.
//!
//! Of each keyword a fragment of at most five bytes is looked for. Wherever it begins, two neighbouring pairs of
//! its bytes lie on even offsets, so only every second pair of the text is looked at: a table says for each pair
//! in which groups of fragments it is the first and in which it is the second, and a place is of interest where
//! a pair and the next one share a group. That is one load for two bytes, none of which waits for another. What
//! remains is looked up by its first bytes and compared with the whole keyword.
//!
//! Not the `aho-corasick` crate: its vectorised searcher takes 64 patterns and we have some 300; its automata
//! need a dependent load for every byte. `benches/secrets.rs` measures them beside this search.

use std::ops::Range;

/// Bytes that the table of fragments is asked by, so the least that a keyword may have.
pub(super) const SHORTEST: usize = 3;

/// The most bytes of a fragment: with five, there are two whole pairs at even and at odd offsets.
const FRAGMENT: usize = 5;
/// Slots of the fragments' hash table; a power of two, many times the number of fragments.
const SLOTS: usize = 1 << 12;
/// The end of a slot's chain.
const NONE: u16 = u16::MAX;
/// Groups are the bits of a byte: the lower byte of a pair's mark says of which it begins a fragment, the upper
/// of which it goes on with one. Short fragments leave a part of the second pair open, so they have their own.
const GROUPS: u32 = 8;
const GROUPS_OF_LONG: usize = 6;
const GROUP_OF_FOUR: u16 = 1 << 6;
const GROUP_OF_THREE: u16 = 1 << 7;

/// A keyword of a rule.
#[derive(Clone, Copy)]
pub(super) struct Keyword<'a> {
    /// Not shorter than [`SHORTEST`].
    pub(super) text: &'a [u8],
    /// Whether ASCII letters match in either case.
    pub(super) ignores_case: bool,
    /// Index of the rule.
    pub(super) rule: u16,
}

/// The keywords of a set of rules, ready to be searched for.
pub(super) struct Keywords {
    /// The mark of each pair of bytes, of which the first is the lower byte of the index.
    pairs: Box<[u16; 1 << 16]>,
    slots: Box<[u16; SLOTS]>,
    entries: Vec<Entry>,
}

struct Entry {
    text: Box<[u8]>,
    ignores_case: bool,
    rule: u16,
    /// Where in the keyword the fragment begins.
    offset: usize,
    /// The next entry of the same slot.
    next: u16,
}

/// A keyword that stands in the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Found {
    pub(super) rule: u16,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Keywords {
    /// Takes microseconds. Keywords that are too short are left out; the reader of rules refuses them.
    pub(super) fn new<'a>(keywords: impl Iterator<Item = Keyword<'a>>) -> Self {
        let mut this = Self {
            pairs: vec![0; 1 << 16]
                .try_into()
                .unwrap_or_else(|_| unreachable!("of this length")),
            slots: Box::new([NONE; SLOTS]),
            entries: Vec::new(),
        };
        for keyword in keywords {
            this.add(keyword);
        }
        this
    }

    fn add(&mut self, keyword: Keyword<'_>) {
        let length = keyword.text.len().min(FRAGMENT);
        let fragments = keyword.text.windows(length.max(SHORTEST)).enumerate();
        let Some((offset, fragment)) = fragments.min_by_key(|(_, fragment)| cost(fragment)) else {
            return;
        };
        let group = match fragment.len() {
            SHORTEST => GROUP_OF_THREE,
            FRAGMENT => 1 << (self.entries.len() % GROUPS_OF_LONG),
            _ => GROUP_OF_FOUR,
        };
        let byte = |at: usize| fragment.get(at).copied();
        for first in [0, 1] {
            self.mark(byte(first), byte(first + 1), group, keyword.ignores_case);
            let second = group << GROUPS;
            self.mark(
                byte(first + 2),
                byte(first + 3),
                second,
                keyword.ignores_case,
            );
        }
        let index = u16::try_from(self.entries.len());
        let slot = fragment
            .first_chunk()
            .and_then(|head| self.slots.get_mut(slot(*head)));
        let (Ok(index), Some(slot)) = (index, slot) else {
            return;
        };
        self.entries.push(Entry {
            text: keyword.text.into(),
            ignores_case: keyword.ignores_case,
            rule: keyword.rule,
            offset,
            next: std::mem::replace(slot, index),
        });
    }

    /// Marks a pair; a byte that the fragment does not have may be any.
    fn mark(&mut self, x: Option<u8>, y: Option<u8>, mark: u16, ignores_case: bool) {
        // Short keywords let every pair follow: once is enough, and there is no keyword of bytes 0xff.
        let everything = self.pairs.get(pair(0xff, 0xff)).copied().unwrap_or(0);
        if x.is_none() && y.is_none() && everything & mark == mark {
            return;
        }
        let all = |byte: Option<u8>| match byte {
            Some(byte) => cases(byte, ignores_case),
            None => (0..=u8::MAX).collect(),
        };
        let seconds = all(y);
        for x in all(x) {
            for y in &seconds {
                if let Some(known) = self.pairs.get_mut(pair(x, *y)) {
                    *known |= mark;
                }
            }
        }
    }

    /// Calls `found` for every keyword whose fragment begins in `range` of `text`, roughly in order. What stands
    /// around that range is looked at, so a text may be searched in ranges that follow each other; a keyword
    /// that begins before the text or reaches over its end is not found.
    pub(super) fn search(&self, text: &[u8], range: Range<usize>, mut found: impl FnMut(Found)) {
        const BLOCK: usize = 32;
        // A fragment that begins at an odd offset has its first whole pair one byte later.
        let end = range.end.saturating_add(2).min(text.len());
        let Some(area) = text.get(range.start..end) else {
            return;
        };
        let mut look = Look {
            keywords: self,
            text,
            range: range.clone(),
            found: &mut found,
        };
        let (blocks, rest) = area.as_chunks::<BLOCK>();
        let mut at = range.start;
        // The mark of the pair before `at`.
        let mut last = 0;
        for block in blocks {
            let (pairs, _) = block.as_chunks::<2>();
            let before = last;
            let mut shared = 0;
            for [x, y] in pairs {
                let mark = self.of(*x, *y);
                shared |= last & (mark >> GROUPS);
                last = mark;
            }
            if shared != 0 {
                look.pairs(at, pairs, before);
            }
            at += BLOCK;
        }
        let (pairs, _) = rest.as_chunks::<2>();
        look.pairs(at, pairs, last);
        // The last pair has no next one that could speak for it.
        if let Some(last) = (at + 2 * pairs.len()).checked_sub(2) {
            look.place(last);
        }
    }

    /// The mark of a pair. The table has all of them, so this compiles to one load.
    #[inline]
    fn of(&self, x: u8, y: u8) -> u16 {
        self.pairs.get(pair(x, y)).copied().unwrap_or(0)
    }
}

/// The closer look at places of interest.
struct Look<'a, F> {
    keywords: &'a Keywords,
    text: &'a [u8],
    range: Range<usize>,
    found: &'a mut F,
}

impl<F: FnMut(Found)> Look<'_, F> {
    /// Looks at the pairs that begin at `at`; the one before them has the mark `last`.
    #[cold]
    fn pairs(&mut self, at: usize, pairs: &[[u8; 2]], mut last: u16) {
        for (index, [x, y]) in pairs.iter().enumerate() {
            let mark = self.keywords.of(*x, *y);
            if last & (mark >> GROUPS) != 0 {
                self.place((at + 2 * index).saturating_sub(2));
            }
            last = mark;
        }
    }

    /// Looks for fragments whose first whole pair is at `at`.
    fn place(&mut self, at: usize) {
        if let Some(before) = at.checked_sub(1) {
            self.compare(before);
        }
        self.compare(at);
    }

    /// Reports the keywords whose fragment is at `at`.
    fn compare(&mut self, at: usize) {
        if !self.range.contains(&at) {
            return;
        }
        let Some(head) = self.text.get(at..).and_then(|rest| rest.first_chunk()) else {
            return;
        };
        let mut next = self
            .keywords
            .slots
            .get(slot(*head))
            .copied()
            .unwrap_or(NONE);
        while let Some(entry) = self.keywords.entries.get(usize::from(next)) {
            next = entry.next;
            let Some(start) = at.checked_sub(entry.offset) else {
                continue;
            };
            let end = start.saturating_add(entry.text.len());
            let equal = self.text.get(start..end).is_some_and(|candidate| {
                if entry.ignores_case {
                    candidate.eq_ignore_ascii_case(&entry.text)
                } else {
                    candidate == &*entry.text
                }
            });
            if equal {
                let rule = entry.rule;
                (self.found)(Found { rule, start, end });
            }
        }
    }
}

#[inline]
fn pair(x: u8, y: u8) -> usize {
    usize::from(u16::from_le_bytes([x, y]))
}

/// The slot of a fragment, the same for both cases of a letter.
fn slot([a, b, c]: [u8; SHORTEST]) -> usize {
    let folded = u32::from_le_bytes([a | 0x20, b | 0x20, c | 0x20, 0]);
    // The upper 12 bits of a multiplicative hash.
    (folded.wrapping_mul(0x9e37_79b1) >> 20) as usize % SLOTS
}

fn cases(byte: u8, ignores_case: bool) -> Vec<u8> {
    if ignores_case && byte.is_ascii_alphabetic() {
        vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
    } else {
        vec![byte]
    }
}

/// How often a fragment will be of interest without being there: where its first two pairs meet, or the two
/// that are one byte further.
fn cost(fragment: &[u8]) -> u32 {
    const ANY: u32 = 20;
    let [a, b, c, d, e] =
        [0, 1, 2, 3, 4].map(|at| fragment.get(at).map_or(ANY, |byte| commonness(*byte)));
    (a * b) * (c * d) + (b * c) * (d * e)
}

/// How often a byte stands in configuration and source text, from 1 to 9. An estimate; it decides speed only.
fn commonness(byte: u8) -> u32 {
    match byte {
        b' ' | b'e' | b't' => 9,
        b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 8,
        b'l' | b'c' | b'd' | b'u' | b'p' | b'm' | b'_' => 6,
        b'-' | b'=' | b'/' | b'*' | b'#' | b'f' | b'h' | b'g' | b'"' | b'\n' => 5,
        b'b' | b'y' | b'v' | b'k' | b'w' | b'x' | b'.' | b':' | b'0'..=b'9' | b'\'' | b',' => 4,
        b'j' | b'q' | b'z' | b'(' | b')' => 3,
        b'A' | b'C' | b'D' | b'E' | b'I' | b'N' | b'O' | b'R' | b'S' | b'T' | b'L' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: &[(&str, bool)] = &[
        ("ghp_", false),
        ("SG.", false),
        (":AA", false),
        ("password", true),
        ("api_key", true),
        ("-----BEGIN", false),
        ("aaa", false),
        ("aaaa", true),
    ];

    fn keywords() -> Keywords {
        Keywords::new(
            WORDS
                .iter()
                .zip(0..)
                .map(|((text, ignores_case), rule)| Keyword {
                    text: text.as_bytes(),
                    ignores_case: *ignores_case,
                    rule,
                }),
        )
    }

    fn slowly(text: &[u8]) -> Vec<Found> {
        let mut all = Vec::new();
        for ((word, ignores_case), rule) in WORDS.iter().zip(0..) {
            for (start, window) in text.windows(word.len()).enumerate() {
                let equal = if *ignores_case {
                    window.eq_ignore_ascii_case(word.as_bytes())
                } else {
                    window == word.as_bytes()
                };
                if equal {
                    let end = start + word.len();
                    all.push(Found { rule, start, end });
                }
            }
        }
        all.sort_unstable();
        all
    }

    proptest! {
        #[test]
        fn finds_what_a_slow_search_finds(
            parts in prop::collection::vec(prop_oneof![
                prop::sample::select(WORDS).prop_map(|(word, _)| word.to_owned()),
                prop::sample::select(WORDS).prop_map(|(word, _)| word.to_uppercase()),
                "[aA-]{0,3}", ".{0,40}",
            ], 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let text = parts.concat().into_bytes();
            let keywords = keywords();
            let mut found = Vec::new();
            // Two ranges that follow each other are as good as one.
            let cut = cut.index(text.len() + 1);
            keywords.search(&text, 0..cut, |one| found.push(one));
            keywords.search(&text, cut..text.len(), |one| found.push(one));
            found.sort_unstable();
            prop_assert_eq!(found, slowly(&text));
        }
    }
}
