//! The order of RubyGems, as `Gem::Version` of RubyGems 3.5 and later decides it: numbers and words by turns.
//!
//! A word makes a pre-release, which stands before everything with a number or nothing in its place; a hyphen
//! is read as `.pre.`. Missing numbers are 0, and so are numbers before the first word (`1.0.a` is `1.a`).
//! An empty text, which RubyGems reads as 0, is no version here.

use std::cmp::Ordering;

use super::digits;

/// `None` when RubyGems calls either text malformed.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (mut a, mut b) = (Segments::new(a)?, Segments::new(b)?);
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Some(Ordering::Equal),
            (a, b) => compare_segments(a.unwrap_or(ZERO), b.unwrap_or(ZERO)),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Number(&'a [u8]),
    Word(&'a [u8]),
}

/// What stands where a version has ended.
const ZERO: Segment<'static> = Segment::Number(b"0");

fn compare_segments(a: Segment<'_>, b: Segment<'_>) -> Ordering {
    match (a, b) {
        (Segment::Number(a), Segment::Number(b)) => digits::compare(a, b),
        (Segment::Word(a), Segment::Word(b)) => a.cmp(b),
        (Segment::Number(_), Segment::Word(_)) => Ordering::Greater,
        (Segment::Word(_), Segment::Number(_)) => Ordering::Less,
    }
}

/// The segments of a version, less the zeros that do not count.
struct Segments<'a> {
    rest: &'a [u8],
    /// How many bytes are left of `rest` where the zeros before a word begin and end.
    zeros: (usize, usize),
}

impl<'a> Segments<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii().as_bytes();
        is_version(text).then(|| Self {
            rest: text,
            zeros: zeros_before_word(text).unwrap_or_default(),
        })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            if self.rest.len() == self.zeros.0 {
                let end = self.rest.len().saturating_sub(self.zeros.1);
                self.rest = self.rest.get(end..)?;
            }
            let (first, after) = self.rest.split_first()?;
            return Some(match first {
                b'.' => {
                    self.rest = after;
                    continue;
                }
                b'-' => {
                    self.rest = after;
                    Segment::Word(b"pre")
                }
                b'0'..=b'9' => {
                    let (number, rest) = digits::split(self.rest, |byte| byte.is_ascii_digit());
                    self.rest = rest;
                    Segment::Number(number)
                }
                _ => {
                    let (word, rest) = digits::split(self.rest, |byte| byte.is_ascii_alphabetic());
                    self.rest = rest;
                    // A byte that is neither would stop here; `is_version` has refused it.
                    (!word.is_empty()).then_some(Segment::Word(word))?
                }
            });
        }
    }
}

/// `NUMBER{.NUMBER_OR_WORD}…[-ANYTHING{.ANYTHING}…]`
fn is_version(text: &[u8]) -> bool {
    let hyphen = text.iter().position(|byte| *byte == b'-');
    let (release, pre) = match hyphen {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at.saturating_add(1)..),
        ),
        None => (text, None),
    };
    let parts = |text: &[u8], belongs: fn(u8) -> bool| {
        text.split(|byte| *byte == b'.')
            .all(|part| !part.is_empty() && part.iter().all(|byte| belongs(*byte)))
    };
    let (first, _) = digits::split(release, |byte| byte != b'.');
    first.iter().all(u8::is_ascii_digit)
        && parts(release, |byte| byte.is_ascii_alphanumeric())
        && pre.is_none_or(|pre| parts(pre, |byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// The first zeros that fill the place between a dot and a word, as the bytes from their begin and from their
/// end to the end of the text. RubyGems removes them with a pattern, once; that they usually stand before the
/// first word follows from where zeros are found.
fn zeros_before_word(text: &[u8]) -> Option<(usize, usize)> {
    let mut rest = text;
    loop {
        let (zeros, word) = digits::split(rest, |byte| matches!(byte, b'0' | b'.'));
        let is_before_word = match word.first() {
            // A hyphen becomes `.pre.`, so that its own dot is what is removed.
            Some(b'-') => true,
            Some(byte) => !zeros.is_empty() && byte.is_ascii_alphabetic(),
            None => false,
        };
        if is_before_word {
            return Some((rest.len(), word.len()));
        }
        let next = rest.iter().position(|byte| matches!(byte, b'.' | b'-'))?;
        rest = rest.get(next.saturating_add(1)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_rubygems() {
        let rising = [
            "1.A",
            "1.a",
            "1.a.1",
            "1.a.2",
            "1.a10",
            "1.b1",
            "1.0.0-1",
            "1.0.0.pre.2",
            "1.0.0.rc1",
            "1",
            "1.0.0.1",
            "1.0.1.a",
            "1.0.1",
            "1.9",
            "1.10",
            "1.20240101000000000000000001",
            "2.0.a",
        ];
        rises(compare, &rising);
        let pairs = [
            ("1.0", "1"),
            ("1.0.a", "1.a"),
            ("1.a.0", "1.a"),
            ("1.a0", "1.a"),
            ("01.1", "1.01"),
            ("1-2", "1.pre.2"),
            ("0-1", "0.0.pre1"),
            ("1--a", "1.pre.pre.a"),
            (" 1.2\n", "1.2"),
            // Once: the pattern has no zeros to remove before `b`.
            ("1.b.0c", "1.b.c"),
        ];
        same(compare, &pairs);
        rises(compare, &["1.b.c", "1.0.b.0c"]);
    }

    #[test]
    fn refuses_what_rubygems_calls_malformed() {
        let bad = [
            "", " ", "a", "v1", ".1", "1.", "1..2", "1.2_3", "1-", "1-a..b", "1+2", "1 2", "1.é",
        ];
        refuses(compare, &bad);
    }
}
