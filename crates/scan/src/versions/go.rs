//! The order of Go modules, as `golang.org/x/mod/semver` decides it, and of Go itself.
//!
//! Semantic versions with a leading `v`, which may be missing here as OSV leaves it out. `v1` and `v1.2` stand
//! for `v1.0.0` and `v1.2.0`. Pseudo-versions (`v0.0.0-20191109021931-daa7c04131f5`) are pre-releases made so
//! that they sort by time, and `+incompatible` is build metadata, which does not count.
//!
//! Go names its own releases `go1.20` and `go1.21rc2` (what a binary says it was built with); the Go
//! vulnerability database names them `1.20.0` and `1.21.0-rc.2`. Both are read, and what a vendor or an
//! experiment appends (`go1.22.1-vendor`, `go1.22.1 X:boringcrypto`) does not count, as for the `go` command.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::semver::{Parts, Version, are_identifiers, has_leading_zero, is_number, is_pre_release};

/// `None` when either text is no version of a module (`(devel)`) nor of Go.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (semantic(a)?, semantic(b)?);
    Some(parse(&a)?.precedence(&parse(&b)?))
}

fn parse(text: &str) -> Option<Version<'_>> {
    let parts = Parts::split(text);
    let mut numbers = ["0"; 3];
    let mut count = 0;
    for number in parts.core.split('.') {
        *numbers.get_mut(count)? = number;
        count += 1;
    }
    let is_short = count < numbers.len();
    let is_version = numbers
        .into_iter()
        .all(|number| is_number(number) && !has_leading_zero(number))
        && parts.pre.is_none_or(|pre| !is_short && is_pre_release(pre))
        && parts
            .build
            .is_none_or(|build| !is_short && are_identifiers(build));
    is_version.then_some(Version {
        numbers,
        pre: parts.pre,
    })
}

/// The version without `v`, or the release of Go in the form of a module's version.
fn semantic(text: &str) -> Option<Cow<'_, str>> {
    let Some(release) = text.strip_prefix("go") else {
        return Some(Cow::Borrowed(text.strip_prefix('v').unwrap_or(text)));
    };
    let release = release.split(['-', ' ', '\t']).next()?;
    let end = release.find(|letter: char| letter != '.' && !letter.is_ascii_digit());
    let (numbers, stage) = release.split_at_checked(end.unwrap_or(release.len()))?;
    let points = numbers.matches('.').count();
    let missing = ".0".repeat(2_usize.checked_sub(points)?);
    if stage.is_empty() {
        return Some(Cow::Owned(format!("{numbers}{missing}")));
    }
    let word = ["beta", "rc"]
        .into_iter()
        .find(|word| stage.starts_with(word))?;
    let number = stage
        .strip_prefix(word)
        .filter(|number| is_number(number))?;
    Some(Cow::Owned(format!("{numbers}{missing}-{word}.{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn orders_modules() {
        let rising = [
            "v0.0.0-20191109021931-daa7c04131f5",
            "v0.0.0-20200101000000-000000000000",
            "0.0.0",
            "v1.2.3-pre.0.20191109021931-daa7c04131f5",
            "1.2.3",
            "v1.2.4-0.20191109021931-daa7c04131f5",
            "1.2.4",
            "v2.0.0+incompatible",
            "10.0.0",
        ];
        rises(compare, &rising);
        let pairs = [
            ("v1", "1.0.0"),
            ("v1.2", "1.2.0"),
            ("v2.0.0+incompatible", "2.0.0"),
            ("1.0.0+a", "v1.0.0+b"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn orders_releases_of_go() {
        let rising = [
            "go1",
            "go1.4.1",
            "1.21.0-0",
            "go1.21beta1",
            "go1.21rc2",
            "1.21.0-rc.3",
            "go1.21",
            "go1.21.1",
        ];
        rises(compare, &rising);
        let pairs = [
            ("go1.20", "1.20.0"),
            ("go1.20rc1", "1.20.0-rc.1"),
            ("go1.22.1-vendor", "go1.22.1"),
            ("go1.22.1 X:boringcrypto", "v1.22.1"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn refuses_what_go_refuses() {
        let bad = [
            "",
            "v",
            "go",
            "(devel)",
            "go1.2.3.4",
            "go1.20alpha1",
            "go1.20rc",
            "go01.2",
            "go1..2",
            "1.2.3.4",
            "v01.2.3",
            "vv1.2.3",
            "1.2-pre",
            "v1+meta",
            "1.2.3-01",
            "1.2.3+",
            " 1.2.3",
        ];
        refuses(compare, &bad);
    }
}
