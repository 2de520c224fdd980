//! The order of npm: Semantic Versioning 2.0.0 precedence, section 11. Build metadata does not count.
//!
//! Reads like node's `semver.compare`: white space around and a leading `v` or `=` are dropped, anything
//! else that is not exactly three numbers with their tags is no version.

use std::cmp::Ordering;

/// `None` when either text is not a semantic version.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp_precedence(&parse(b)?))
}

fn parse(text: &str) -> Option<semver::Version> {
    let bare = text.trim().trim_start_matches(['v', 'V', '=', ' ', '\t']);
    semver::Version::parse(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::rises;

    #[test]
    fn follows_section_11() {
        let rising = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "2.10.0",
        ];
        rises(compare, &rising);
    }

    #[test]
    fn reads_as_node_does() {
        for same in ["v1.2.3", " 1.2.3\n", "=1.2.3", "1.2.3+build.5"] {
            assert_eq!(compare(same, "1.2.3"), Some(Ordering::Equal), "{same:?}");
        }
        for bad in [
            "", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.x", "latest",
        ] {
            assert_eq!(compare(bad, "1.2.3"), None, "{bad:?}");
        }
    }
}
