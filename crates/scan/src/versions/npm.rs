//! The order of npm: semantic versions as npm itself reads them, which is loosely (`semver`'s `loose` option,
//! set by its installer and by `npm audit`). White space, `v` and `=` may stand in front, zeros may lead
//! numbers, and the hyphen before a pre-release may be missing: `v01.2.3rc1` is `1.2.3-rc1`. What the
//! specification allows is ordered as the specification says.
//!
//! Two accidents of the original are left out: its pattern reads `1.2.34.5` as `1.2.3-4.5`, and numbers in
//! pre-releases lose their last digits from 2^53 on.

use std::cmp::Ordering;

use super::digits;
use super::semver::{Version, are_identifiers};

/// Longer texts are refused.
const MAX_LENGTH: usize = 256;
/// JavaScript's `Number.MAX_SAFE_INTEGER`; larger numbers are refused.
const MAX_NUMBER: &[u8] = b"9007199254740991";

/// `None` when npm would not take either text for a version.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.precedence(&parse(b)?))
}

fn parse(text: &str) -> Option<Version<'_>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let is_in_front = |letter: char| letter == 'v' || letter == '=' || letter.is_whitespace();
    let text = text.trim_start_matches(is_in_front).trim_end();
    let (version, build) = match text.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (text, None),
    };
    let (major, rest) = number(version)?;
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    let (patch, rest) = number(rest.strip_prefix('.')?)?;
    let without_hyphen = rest.strip_prefix('-').filter(|pre| are_identifiers(pre));
    let pre = match without_hyphen {
        None if rest.is_empty() => None,
        // `1.2.3-` is the pre-release `-`.
        None => Some(rest).filter(|pre| are_identifiers(pre)).map(Some)?,
        pre => pre,
    };
    build.is_none_or(are_identifiers).then_some(Version {
        numbers: [major, minor, patch],
        pre,
    })
}

fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(end)?;
    let is_safe = digits::compare(number.as_bytes(), MAX_NUMBER).is_le();
    (!number.is_empty() && is_safe).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn reads_as_npm_does() {
        let rising = [
            "1.0.0alpha",
            "1.0.0-alpha.1",
            "v1.0.0-beta",
            "1.0.0",
            "01.0.1",
            "=1.2.0",
        ];
        rises(compare, &rising);
        let pairs = [
            ("v1.2.3", "1.2.3"),
            (" = v1.2.3\n", "1.2.3"),
            ("1.2.3+build.5", "1.2.3"),
            ("1.2.3-beta.01", "1.2.3-beta.1"),
            ("1.2.3beta+1", "1.2.3-beta"),
            ("1.2.3-", "1.2.3--"),
            ("1.2.3--.a", "1.2.3-.a"),
            ("9007199254740991.0.0", "v9007199254740991.0.0"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn refuses_what_npm_refuses() {
        let long = format!("1.2.3-{}", "a".repeat(251));
        let bad = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.34.5",
            "1.2.x",
            "V1.2.3",
            "1.2.3 4",
            "1.2.3_4",
            "1.2.3-a..b",
            "1.2.3+",
            "9007199254740992.0.0",
            "latest",
            &long,
        ];
        refuses(compare, &bad);
        assert!(compare(&long, &long).is_none());
    }
}
