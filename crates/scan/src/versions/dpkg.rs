//! The order of Debian and Ubuntu: `[epoch:]upstream[-revision]`, Debian Policy 5.6.12.
//!
//! Own code: the order is forty lines, and the crates that have it read far more than versions.

use std::cmp::Ordering;

use super::digits;

/// `None` when either text is empty, holds white space, or has an epoch that is not a number.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    Some(
        digits::compare(a.epoch, b.epoch)
            .then_with(|| compare_part(a.upstream, b.upstream))
            .then_with(|| compare_part(a.revision, b.revision)),
    )
}

/// Whether `text` is a version: an image has thousands of packages, for each of which Debian knows dozens of versions.
pub(super) fn reads(text: &str) -> bool {
    Version::parse(text).is_some()
}

struct Version<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Version<'a> {
    /// The epoch ends at the first colon, the revision starts after the last hyphen; both may be absent,
    /// and an absent revision equals `0`. Letters outside Policy's set are compared, as dpkg does.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let epoch_is_number = !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit());
        if !epoch_is_number || rest.is_empty() || has_white_space(rest) {
            return None;
        }
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Some(Self {
            epoch: epoch.as_bytes(),
            upstream: upstream.as_bytes(),
            revision: revision.as_bytes(),
        })
    }
}

/// Nearly all versions are ASCII, whose white space is told without decoding.
fn has_white_space(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes()
            .any(|byte| matches!(byte, b'\t'..=b'\r' | b' '))
    } else {
        text.contains(char::is_whitespace)
    }
}

/// Compares by turns a run without digits (letters before other characters, `~` before the end) and a
/// run of digits (by value).
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = digits::split(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = digits::split(b, |byte| !byte.is_ascii_digit());
        let (number_a, rest_a) = digits::split(rest_a, |byte| byte.is_ascii_digit());
        let (number_b, rest_b) = digits::split(rest_b, |byte| byte.is_ascii_digit());
        let order = compare_text(text_a, text_b).then_with(|| digits::compare(number_a, number_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let longest = a.len().max(b.len());
    let weights = |text: &[u8], at: usize| text.get(at).map_or(0, |byte| weight(*byte));
    (0..longest)
        .map(|at| weights(a, at).cmp(&weights(b, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `~` sorts before the end of the part (0), letters after it, everything else after the letters.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        letter if letter.is_ascii_alphabetic() => i32::from(letter),
        other => i32::from(other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::rises;

    #[test]
    fn follows_policy() {
        // Policy's own example: ~~, ~~a, ~, the empty part, a.
        let rising = [
            "1~~", "1~~a", "1~", "1", "1a", "1+", "1.0~rc1", "1.0", "1.0-1", "1.10", "1:0.1",
        ];
        rises(compare, &rising);
        for (a, b) in [
            ("1.0", "1.0-0"),
            ("0:1", "1"),
            ("1.01", "1.1"),
            ("1.2.", "1.2.0"),
            ("00:1-00", "1"),
        ] {
            assert_eq!(compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
        let security = compare("3.0.15-1~deb12u1", "3.0.15-1");
        assert_eq!(security, Some(Ordering::Less));
        let long = compare("1.99999999999999999999999", "1.100000000000000000000000");
        assert_eq!(long, Some(Ordering::Less));
    }

    #[test]
    fn refuses_what_is_no_version() {
        for bad in ["", " ", "x:1", ":1", "1:", "1 2"] {
            assert_eq!(compare(bad, "1"), None, "{bad:?}");
        }
    }
}
