//! The order of Python: PEP 440, by `pep440_rs`, the implementation of uv.
//!
//! Texts from before PEP 440 (`2004d`, `1.0-acme`) are no versions. setuptools once ordered them, as a block
//! before all others, and OSV's server still does; `packaging` 22 and pip 24.1 refuse them. We do too: in that
//! block a vendor's `2.3.0-acme` would be older than 0.1 and have every vulnerability since. Versions that an
//! advisory lists verbatim match all the same, and for the rest it is said that they could not be compared.

use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

/// `None` when either text is not a PEP 440 version (legacy versions such as `2004d`).
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp(&parse(b)?))
}

fn parse(text: &str) -> Option<Version> {
    Version::from_str(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::rises;

    #[test]
    fn follows_the_specification() {
        // PEP 440, "Summary of permitted suffixes and relative ordering".
        let rising = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ];
        rises(compare, &rising);
    }

    #[test]
    fn normalises_and_refuses() {
        for (a, b) in [
            ("1.0", "1"),
            ("v1.0", "1.0"),
            ("1.0-alpha.1", "1.0a1"),
            ("1.0-1", "1.0.post1"),
            (" 1.0 ", "1.0.0"),
        ] {
            assert_eq!(compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
        for bad in ["", "2004d", "1.0-foo", "latest", "1..0"] {
            assert_eq!(compare(bad, "1"), None, "{bad:?}");
        }
    }
}
