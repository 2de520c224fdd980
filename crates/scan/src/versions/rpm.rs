//! The order of rpm: `[epoch:]version[-release]`, as `rpmverParse` and `rpmverCmp` of rpm 4.16 and later decide
//! it, including `~` (before) and `^` (after, but before anything longer).
//!
//! A missing epoch is 0. A missing release stands before every release, so an advisory's `fixed: 1.2` is
//! reached by `1.2-1`; only a `last_affected` without release would not hold its builds, and rpm's advisories
//! name none. (In dependencies rpm takes a missing release for any release, which is no order.)

use std::cmp::Ordering;

use super::digits;

/// `None` when either text is empty or holds white space, which no part of a version can.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Evr::parse(a)?, Evr::parse(b)?);
    let releases = || match (a.release, b.release) {
        (Some(a), Some(b)) => compare_part(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    Some(
        digits::compare(a.epoch, b.epoch)
            .then_with(|| compare_part(a.version, b.version))
            .then_with(releases),
    )
}

struct Evr<'a> {
    epoch: &'a [u8],
    version: &'a [u8],
    release: Option<&'a [u8]>,
}

impl<'a> Evr<'a> {
    /// The epoch is what stands before a colon if it is only digits, the release what follows the last hyphen.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.contains(char::is_whitespace) {
            return None;
        }
        let (epoch, rest) = text
            .split_once(':')
            .filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit()))
            .unwrap_or(("0", text));
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release.as_bytes())),
            None => (rest, None),
        };
        Some(Self {
            epoch: epoch.as_bytes(),
            version: version.as_bytes(),
            release,
        })
    }
}

/// `rpmvercmp`: runs of digits and runs of letters by turns; all else only separates.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        (a, b) = (after_separators(a), after_separators(b));
        let (first_a, first_b) = (a.first().copied(), b.first().copied());
        let order = match (first_a, first_b) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (
                    a.get(1..).unwrap_or_default(),
                    b.get(1..).unwrap_or_default(),
                );
                Ordering::Equal
            }
            (Some(b'~'), _) => Ordering::Less,
            (_, Some(b'~')) => Ordering::Greater,
            (None, None) => return Ordering::Equal,
            // The end stands before `^`, and `^` before everything that goes on.
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(b'^'), Some(_)) => Ordering::Less,
            (Some(_), Some(b'^')) => Ordering::Greater,
            (Some(first_a), Some(first_b)) => {
                match (first_a.is_ascii_digit(), first_b.is_ascii_digit()) {
                    (true, true) => {
                        let (number_a, rest_a) = digits::split(a, |byte| byte.is_ascii_digit());
                        let (number_b, rest_b) = digits::split(b, |byte| byte.is_ascii_digit());
                        (a, b) = (rest_a, rest_b);
                        digits::compare(number_a, number_b)
                    }
                    (false, false) => {
                        let (word_a, rest_a) = digits::split(a, |byte| byte.is_ascii_alphabetic());
                        let (word_b, rest_b) = digits::split(b, |byte| byte.is_ascii_alphabetic());
                        (a, b) = (rest_a, rest_b);
                        word_a.cmp(word_b)
                    }
                    // Numbers are newer than words.
                    (a_is_number, b_is_number) => a_is_number.cmp(&b_is_number),
                }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn after_separators(text: &[u8]) -> &[u8] {
    let separates = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^';
    digits::split(text, separates).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_rpm() {
        let rising = [
            "1.0~~",
            "1.0~alpha",
            "1.0~rc1^git1",
            "1.0~rc1.1",
            "1.0",
            "1.0-0~1",
            "1.0-1.el9_4",
            "1.0-1.el9_10",
            "1.0-1.el10",
            "1.0-2.module+el8.9.0+1",
            "1.0^",
            "1.0^20240101git1",
            "1.0^20240501git1-3",
            "1.0a",
            "1.0b",
            "1.0.1",
            "1.10",
            "1.20240101000000000000000001",
            "1:0.1",
            "10:0",
        ];
        rises(compare, &rising);
        let pairs = [
            ("0:1.0-1", "1.0-1"),
            (":1.0", "1.0"),
            ("1.0a", "1.0.a"),
            ("1_0", "1.0."),
            ("1.05", "1.5"),
            ("a:1", "a.1"),
            ("1.0-1é", "1.0-1"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn refuses_what_is_no_version() {
        refuses(compare, &["", " ", "1 2"]);
    }
}
