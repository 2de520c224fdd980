//! The order of Maven, as `ComparableVersion` of Maven 3 decides it (3.8 and 3.9 are the same).
//!
//! Nearly every text is a version: numbers and words by turns, where a hyphen, and each change between digits
//! and letters, opens a list inside the list before. `alpha`, `beta`, `milestone`, `rc`, `snapshot`, the
//! release itself and `sp` come in this order, before all other words. Zeros and words for the release
//! (`ga`, `final`, `release`) do not count at the end of a list.
//!
//! This is not quite an order: Maven itself says `1` < `1.x.2` < `1.0.rc.1` < `1`. Such texts are compared as
//! Maven compares them. Maven 4 reads a word and its number as one (`rc-1`, `rc1`), which turns around a few
//! pairs (`1.0.0-beta11` and `1.0.0-beta.6`); its rules are still changing, so we follow the released ones.
//! Outside ASCII, and for a zero of ten digits or more, Maven has further accidents that are not followed.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::digits;

/// `None` only when either text is blank.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (lower_case(a)?, lower_case(b)?);
    let (a, b) = (parse(&a), parse(&b));
    let longest = a.len().max(b.len());
    let order = (0..longest)
        .map(|at| compare_tokens(a.get(at), b.get(at)))
        .find(|order| order.is_ne());
    Some(order.unwrap_or(Ordering::Equal))
}

fn lower_case(text: &str) -> Option<Cow<'_, str>> {
    if text.trim().is_empty() {
        return None;
    }
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    Some(if text.bytes().all(is_lower) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    })
}

/// Lists only ever end with a list, so that the lists in lists are one row of tokens.
#[derive(Clone, Copy)]
enum Token<'a> {
    Number(&'a [u8]),
    Word(Rank, &'a [u8]),
    /// What follows is a list in the list.
    List,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Alpha,
    Beta,
    Milestone,
    Rc,
    Snapshot,
    Release,
    Sp,
    Other,
}

impl<'a> Token<'a> {
    fn word(text: &'a [u8], is_before_digit: bool) -> Self {
        let rank = match text {
            b"alpha" => Rank::Alpha,
            b"beta" => Rank::Beta,
            b"milestone" => Rank::Milestone,
            b"rc" | b"cr" => Rank::Rc,
            b"snapshot" => Rank::Snapshot,
            b"" | b"ga" | b"final" | b"release" => Rank::Release,
            b"sp" => Rank::Sp,
            b"a" if is_before_digit => Rank::Alpha,
            b"b" if is_before_digit => Rank::Beta,
            b"m" if is_before_digit => Rank::Milestone,
            other => return Self::Word(Rank::Other, other),
        };
        Self::Word(rank, b"")
    }

    /// Against the place where a version has ended. A list is decided by what it holds.
    fn compare_with_nothing(self) -> Ordering {
        match self {
            Self::Number(number) => digits::compare(number, b"0"),
            Self::Word(rank, _) => rank.cmp(&Rank::Release),
            Self::List => Ordering::Equal,
        }
    }

    fn kind(self) -> u8 {
        match self {
            Self::Word(..) => 0,
            Self::List => 1,
            Self::Number(_) => 2,
        }
    }
}

fn compare_tokens(a: Option<&Token<'_>>, b: Option<&Token<'_>>) -> Ordering {
    match (a, b) {
        (Some(Token::Number(a)), Some(Token::Number(b))) => digits::compare(a, b),
        (Some(Token::Word(a, a_text)), Some(Token::Word(b, b_text))) => {
            a.cmp(b).then_with(|| a_text.cmp(b_text))
        }
        (Some(a), Some(b)) => a.kind().cmp(&b.kind()),
        (Some(a), None) => a.compare_with_nothing(),
        (None, Some(b)) => b.compare_with_nothing().reverse(),
        (None, None) => Ordering::Equal,
    }
}

/// The tokens that count, in their order.
fn parse(text: &str) -> Vec<Token<'_>> {
    let mut tokens = tokens(text.as_bytes());
    // From the end: what does not count is dropped up to the first thing that does, in each list.
    let mut kept = tokens.len();
    let (mut at_end, mut is_empty) = (true, true);
    for at in (0..tokens.len()).rev() {
        let Some(token) = tokens.get(at).copied() else {
            continue;
        };
        let counts = match token {
            Token::List => {
                at_end = true;
                !is_empty
            }
            Token::Number(_) | Token::Word(..) => !at_end || token.compare_with_nothing().is_ne(),
        };
        if counts {
            at_end = at_end && matches!(token, Token::List);
            is_empty = false;
            kept -= 1;
            if let Some(place) = tokens.get_mut(kept) {
                *place = token;
            }
        }
    }
    tokens.drain(..kept);
    tokens
}

fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(16);
    let mut start = 0;
    let mut in_number = false;
    for (at, byte) in text.iter().enumerate() {
        let before = text.get(start..at).unwrap_or_default();
        match byte {
            b'.' | b'-' => {
                tokens.push(token(before, in_number));
                start = at + 1;
                if *byte == b'-' {
                    tokens.push(Token::List);
                }
            }
            b'0'..=b'9' => {
                if !in_number && !before.is_empty() {
                    open_list(&mut tokens);
                    tokens.push(Token::word(before, true));
                    tokens.push(Token::List);
                    start = at;
                }
                in_number = true;
            }
            _ => {
                if in_number && !before.is_empty() {
                    tokens.push(Token::Number(before));
                    tokens.push(Token::List);
                    start = at;
                }
                in_number = false;
            }
        }
    }
    let last = text.get(start..).unwrap_or_default();
    if !last.is_empty() {
        if !in_number {
            open_list(&mut tokens);
        }
        tokens.push(token(last, in_number));
    }
    tokens
}

/// Words begin a list of their own, unless one has just begun.
fn open_list(tokens: &mut Vec<Token<'_>>) {
    if !matches!(tokens.last(), None | Some(Token::List)) {
        tokens.push(Token::List);
    }
}

/// Nothing between two separators is 0.
fn token(text: &[u8], is_number: bool) -> Token<'_> {
    if text.is_empty() {
        Token::Number(b"0")
    } else if is_number {
        Token::Number(text)
    } else {
        Token::word(text, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_maven() {
        let rising = [
            "1-alpha",
            "1-a1",
            "1-alpha-2",
            "1.0-beta1",
            "1-b10",
            "1-milestone",
            "1-M2",
            "1-rc",
            "1.0.0.CR2",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-abc",
            "1.0.0.jre8",
            "1-xyz",
            "1-1",
            "1-2-alpha",
            "1-2",
            "1.0.1",
            "1.1",
            "1.10",
            "1.20240101000000000000000001",
        ];
        rises(compare, &rising);
        let pairs = [
            ("1", "1.0.0"),
            ("1", "1.0.0-ga"),
            ("1.0.0.Final", "1.0.RELEASE"),
            ("1-cr1", "1-RC-1"),
            ("1.0-0.0.rc", "1--rc"),
            ("1a1", "1-alpha-1"),
            ("1.2-m3", "1.2.milestone3"),
            ("1x", "1.0.0-x"),
            ("01.2", "1.02.0"),
            ("1..1", "1.0.1"),
        ];
        same(compare, &pairs);
        refuses(compare, &["", " "]);
    }

    #[test]
    fn keeps_the_circle_of_the_original() {
        rises(compare, &["1", "1.x.2", "1.0.rc.1", "1"]);
    }
}
