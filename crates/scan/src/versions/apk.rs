//! The order of Alpine: `number{.number}…{letter}{_suffix{number}}…{~hash}{-rN}`, as apk-tools 3 reads it
//! (`apk-version(5)`).
//!
//! Own code, because the crates for it are young. A version that apk would call invalid is none here.

use std::cmp::Ordering;

use super::digits::{self, number};

/// `None` when either text is not a valid version.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    let longest = a.len().max(b.len());
    let order = (0..longest)
        .map(|at| compare_parts(a.get(at), b.get(at)))
        .find(|order| order.is_ne());
    Some(order.unwrap_or(Ordering::Equal))
}

/// One part of a version. Parts follow each other in this order, but numbers and suffixes may repeat.
enum Part<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(Suffix),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
}

/// Suffixes, lowest first. Those before `Cvs` name versions before the release itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    P,
}

impl Suffix {
    fn parse(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alpha" => Self::Alpha,
            b"beta" => Self::Beta,
            b"pre" => Self::Pre,
            b"rc" => Self::Rc,
            b"cvs" => Self::Cvs,
            b"svn" => Self::Svn,
            b"git" => Self::Git,
            b"hg" => Self::Hg,
            b"p" => Self::P,
            _ => return None,
        })
    }

    fn is_before_release(self) -> bool {
        self < Self::Cvs
    }
}

impl Part<'_> {
    /// Where versions part that were equal so far, the one whose next part ranks higher is newer. The
    /// end of a version ranks 1: only a suffix from before the release stands below it.
    fn rank(&self) -> u8 {
        match self {
            Self::First(_) => 8,
            Self::Number(_) => 7,
            Self::Letter(_) => 6,
            Self::Suffix(suffix) if suffix.is_before_release() => 0,
            Self::Suffix(_) => 5,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 3,
            Self::Revision(_) => 2,
        }
    }
}

fn compare_parts(a: Option<&Part<'_>>, b: Option<&Part<'_>>) -> Ordering {
    match (a, b) {
        (Some(Part::Number(a)), Some(Part::Number(b))) => compare_numbers(a, b),
        (Some(Part::First(a)), Some(Part::First(b)))
        | (Some(Part::SuffixNumber(a)), Some(Part::SuffixNumber(b)))
        | (Some(Part::Revision(a)), Some(Part::Revision(b))) => digits::compare(a, b),
        (Some(Part::Letter(a)), Some(Part::Letter(b))) => a.cmp(b),
        (Some(Part::Suffix(a)), Some(Part::Suffix(b))) => a.cmp(b),
        (Some(Part::Hash(a)), Some(Part::Hash(b))) => a.cmp(b),
        _ => a.map_or(1, Part::rank).cmp(&b.map_or(1, Part::rank)),
    }
}

/// Numbers after the first are compared as text when either starts with a zero, which makes them
/// fractions (`1.05` is older than `1.1`); Gentoo's rule, which apk keeps.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    if a.first() == Some(&b'0') || b.first() == Some(&b'0') {
        a.cmp(b)
    } else {
        digits::compare(a, b)
    }
}

fn parse(text: &str) -> Option<Vec<Part<'_>>> {
    let (first, mut rest) = number(text.as_bytes())?;
    let mut parts = vec![Part::First(first)];
    while let Some((lead, after)) = rest.split_first() {
        let last = parts.last()?;
        let in_numbers = matches!(last, Part::First(_) | Part::Number(_));
        let in_suffixes = in_numbers
            || matches!(
                last,
                Part::Letter(_) | Part::Suffix(_) | Part::SuffixNumber(_)
            );
        let (part, remaining) = match lead {
            b'.' if in_numbers => {
                let (digits, remaining) = number(after)?;
                (Part::Number(digits), remaining)
            }
            b'a'..=b'z' if in_numbers => (Part::Letter(*lead), after),
            b'_' if in_suffixes => {
                let (name, remaining) = digits::split(after, |byte| byte.is_ascii_lowercase());
                (Part::Suffix(Suffix::parse(name)?), remaining)
            }
            // apk-tools 2 reads it so, and Alpine ships `1.9.5p2-r0`.
            b'0'..=b'9' if matches!(last, Part::Letter(_)) => {
                let (digits, remaining) = number(rest)?;
                (Part::Number(digits), remaining)
            }
            b'0'..=b'9' if matches!(last, Part::Suffix(_)) => {
                let (digits, remaining) = number(rest)?;
                (Part::SuffixNumber(digits), remaining)
            }
            b'~' if in_suffixes => {
                let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let (hash, remaining) = digits::split(after, is_hex);
                if hash.is_empty() {
                    return None;
                }
                (Part::Hash(hash), remaining)
            }
            b'-' if in_suffixes || matches!(last, Part::Hash(_)) => {
                let (digits, remaining) = number(after.strip_prefix(b"r")?)?;
                (Part::Revision(digits), remaining)
            }
            _ => return None,
        };
        parts.push(part);
        rest = remaining;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::rises;

    #[test]
    fn follows_apk() {
        let rising = [
            "1.0_alpha",
            "1.0_alpha2",
            "1.0_beta",
            "1.0_pre1",
            "1.0_rc1",
            "1.0_rc1-r1",
            "1.0",
            "1.0-r0",
            "1.0-r9",
            "1.0-r10",
            "1.0~ab12",
            "1.0~ab12-r1",
            "1.0_cvs1",
            "1.0_svn",
            "1.0_git20200101",
            "1.0_hg1",
            "1.0_p1",
            "1.0_p1-r1",
            "1.0_p2",
            "1.0a",
            "1.0a2",
            "1.0b-r1",
            "1.0.0",
            "1.0.01",
            "1.0.1",
            "1.05",
            "1.1",
            "1.10",
            "2",
            "10",
        ];
        rises(compare, &rising);
        assert_eq!(compare("01.2", "1.2"), Some(Ordering::Equal));
        assert_eq!(compare("1.1.20-r4", "1.1.20-r4"), Some(Ordering::Equal));
    }

    #[test]
    fn refuses_what_apk_calls_invalid() {
        for bad in [
            "",
            "a1",
            "1.",
            "1..2",
            "1.0bc",
            "1.0_foo",
            "1.0_",
            "1a.2",
            "1a2_",
            "1-1",
            "1-r",
            "1-r1_p1",
            "1~",
            "1~xyz",
            "1 ",
            "1_alpha.1",
        ] {
            assert_eq!(compare(bad, "1"), None, "{bad:?}");
        }
    }
}
