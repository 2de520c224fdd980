//! Searches a text with the rules of a detector, also when it comes in pieces.

use std::ops::Range;

use super::Detector;
use super::checks::Candidate;
use super::keywords::Keywords;
use super::rule::{MOST_AFTER, MOST_BEFORE, Rule};

/// Secrets told one by one for one text.
const MOST_HITS: usize = 100;
/// Matches of expressions that are looked at in one text: it bounds the time that a hostile text takes.
const MOST_CANDIDATES: usize = 10_000;
/// Bytes before a candidate that a check may look at.
const LEAD: usize = 64;
/// Bytes that are searched at once, so that they are still in the cache when a keyword is looked at closer.
const BLOCK: usize = 64 * 1024;

/// A secret, by rule and place. Holds nothing of it.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) rule: u16,
    pub(super) line: u32,
    pub(super) column: u32,
    /// Where it lies in the text, to see whether two rules found the same.
    start: u64,
    end: u64,
}

/// What a search found.
#[derive(Default)]
pub(super) struct Hits {
    pub(super) hits: Vec<Hit>,
    /// Secrets beyond the limit, and matches that were not looked at.
    pub(super) more: u32,
}

/// A search in progress. Has no `Debug`, because it holds a part of the text.
pub(super) struct Search<'d> {
    detector: &'d Detector,
    keywords: &'d Keywords,
    /// Rules that search all of the text, because of the file's name.
    whole: Vec<u16>,
    /// The end of the text so far, of which the beginning was searched.
    buffer: Vec<u8>,
    /// Up to where in `buffer` keywords were looked for.
    searched: usize,
    before: Before,
    windows: Vec<(u16, Range<usize>)>,
    candidates: usize,
    found: Hits,
}

/// What lies before the buffer.
#[derive(Clone, Copy, Default)]
struct Before {
    bytes: u64,
    line_ends: u64,
    /// Where the line begins that reaches into the buffer.
    line: u64,
}

impl<'d> Search<'d> {
    pub(super) fn new(detector: &'d Detector, keywords: &'d Keywords, whole: Vec<u16>) -> Self {
        Self {
            detector,
            keywords,
            whole,
            buffer: Vec::new(),
            searched: 0,
            before: Before::default(),
            windows: Vec::new(),
            candidates: 0,
            found: Hits::default(),
        }
    }

    /// Searches a text that is all there.
    pub(super) fn text(mut self, text: &[u8]) -> Hits {
        let mut from = 0;
        while from < text.len() {
            let to = from.saturating_add(BLOCK).min(text.len());
            self.block(text, from..to);
            from = to;
        }
        self.found
    }

    /// Takes the next bytes of a text. Keeps as many as the largest window needs.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (block, rest) = bytes.split_at(bytes.len().min(BLOCK));
            bytes = rest;
            self.forget();
            self.buffer.extend_from_slice(block);
            let to = self.buffer.len().saturating_sub(MOST_AFTER);
            self.advance(to);
        }
    }

    /// The text ends here.
    pub(super) fn finish(mut self) -> Hits {
        self.advance(self.buffer.len());
        self.found
    }

    fn advance(&mut self, to: usize) {
        if to <= self.searched {
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.block(&buffer, self.searched..to);
        self.buffer = buffer;
        self.searched = to;
    }

    /// Drops what no window will reach back to, and counts its lines.
    fn forget(&mut self) {
        let count = self.searched.saturating_sub(MOST_BEFORE);
        let gone = self.buffer.get(..count).unwrap_or_default();
        self.before = self.before.advanced(gone);
        self.buffer.drain(..count);
        self.searched -= count;
    }

    /// Looks for keywords that begin in `range` of `text`, then applies the rules around them.
    fn block(&mut self, text: &[u8], range: Range<usize>) {
        let rules = &self.detector.rules;
        let windows = &mut self.windows;
        windows.clear();
        // A keyword reaches back from its fragment and is found with it.
        self.keywords.search(text, range.clone(), |keyword| {
            let Some(rule) = rules.get(usize::from(keyword.rule)) else {
                return;
            };
            let start = keyword.start.saturating_sub(rule.before);
            let end = keyword.end.saturating_add(rule.after).min(text.len());
            match windows.last_mut() {
                Some((last, window))
                    if *last == keyword.rule && (window.start..=window.end).contains(&start) =>
                {
                    window.end = window.end.max(end);
                }
                _ => windows.push((keyword.rule, start..end)),
            }
        });
        for rule in &self.whole {
            windows.push((
                *rule,
                range.start..range.end.saturating_add(MOST_AFTER).min(text.len()),
            ));
        }
        if windows.is_empty() {
            return;
        }
        windows.sort_unstable_by_key(|(rule, window)| (*rule, window.start));
        let mut windows = std::mem::take(&mut self.windows);
        windows.dedup_by(|(rule, window), (last_rule, last)| {
            let joins = rule == last_rule && window.start <= last.end;
            if joins {
                last.end = last.end.max(window.end);
            }
            joins
        });
        for (number, window) in &windows {
            if let Some(rule) = rules.get(usize::from(*number)) {
                self.apply(*number, rule, text, window.clone());
            }
        }
        self.windows = windows;
    }

    /// Applies a rule to a window of `text`.
    fn apply(&mut self, number: u16, rule: &Rule, text: &[u8], window: Range<usize>) {
        let Some(compiled) = rule.compiled() else {
            return;
        };
        // What stands before the window is context for `\b` and `^`; what stands after it is not needed.
        let Some(haystack) = text.get(..window.end) else {
            return;
        };
        let mut locations = compiled.regex.capture_locations();
        let mut at = window.start;
        while at <= haystack.len()
            && let Some(whole) = compiled
                .regex
                .captures_read_at(&mut locations, haystack, at)
        {
            at = whole.end().max(at + 1);
            self.candidates += 1;
            if self.candidates > MOST_CANDIDATES {
                self.found.more = self.found.more.saturating_add(1);
                return;
            }
            let Some((start, end)) = locations.get(compiled.secret) else {
                continue;
            };
            let candidate = Candidate {
                secret: haystack.get(start..end).unwrap_or_default(),
                lead: text
                    .get(start.saturating_sub(LEAD)..start)
                    .unwrap_or_default(),
                after: text.get(end).copied(),
            };
            if rule.accepts(candidate, &self.detector.placeholders) {
                self.hit(number, text, start..end);
            }
        }
    }

    /// Notes a secret, unless a rule that is at least as sure has noted it.
    fn hit(&mut self, number: u16, text: &[u8], secret: Range<usize>) {
        let absolute = |at: usize| self.before.bytes.saturating_add(at as u64);
        let (start, end) = (absolute(secret.start), absolute(secret.end));
        let sure = |rule: u16| {
            self.detector
                .rules
                .get(usize::from(rule))
                .map(|rule| rule.confidence)
        };
        let mut known = false;
        self.found.hits.retain(|hit| {
            let overlaps = hit.start < end && start < hit.end;
            let stays = !overlaps || sure(hit.rule) >= sure(number);
            known |= overlaps && stays;
            stays
        });
        if known {
            return;
        }
        if self.found.hits.len() >= MOST_HITS {
            self.found.more = self.found.more.saturating_add(1);
            return;
        }
        let here = self
            .before
            .advanced(text.get(..secret.start).unwrap_or_default());
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        self.found.hits.push(Hit {
            rule: number,
            line: count(here.line_ends),
            column: count(here.bytes.saturating_sub(here.line)),
            start,
            end,
        });
    }
}

impl Before {
    /// What lies before the byte after `bytes`.
    fn advanced(self, bytes: &[u8]) -> Self {
        let line_ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let line = match memchr::memrchr(b'\n', bytes) {
            Some(at) => self.bytes.saturating_add(at as u64).saturating_add(1),
            None => self.line,
        };
        Self {
            bytes: self.bytes.saturating_add(bytes.len() as u64),
            line_ends: self.line_ends.saturating_add(line_ends),
            line,
        }
    }
}
