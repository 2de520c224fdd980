//! The order of Pub, Dart's packages, as `pub_semver` decides it: semantic versions whose numbers may have
//! leading zeros and whose build metadata counts. `1.0.0+2` comes after `1.0.0+1`, and both after `1.0.0`.

use std::cmp::Ordering;

use super::semver::{Parts, are_identifiers, compare_lists, compare_pre_releases, three_numbers};

/// `None` when either text is not three numbers, of 64 bits, with their tags.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    Some(
        a.numbers
            .cmp(&b.numbers)
            .then_with(|| compare_pre_releases(a.pre, b.pre, compare_identifiers))
            .then_with(|| compare_builds(a.build, b.build)),
    )
}

/// A build stands after the version without.
fn compare_builds(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare_lists(a.split('.'), b.split('.'), compare_identifiers),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

struct Version<'a> {
    numbers: [i64; 3],
    pre: Option<&'a str>,
    build: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let Parts { core, pre, build } = Parts::split(text);
        let [major, minor, patch] = three_numbers(core)?.map(|number| number.parse().ok());
        let is_version = pre.is_none_or(are_identifiers) && build.is_none_or(are_identifiers);
        let numbers = [major?, minor?, patch?];
        is_version.then_some(Self {
            numbers,
            pre,
            build,
        })
    }
}

/// Dart takes for a number what fits into its integers, and `-1` is one: numbers by value and before words.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Err(_), Err(_)) => a.cmp(b),
        (a, b) => b.is_ok().cmp(&a.is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_pub() {
        let rising = [
            "1.0.0--1",
            "1.0.0-0",
            "1.0.0-alpha",
            "1.0.0-alpha+1",
            "1.0.0-alpha.1",
            "1.0.0-dev.2",
            "1.0.0-dev.11",
            "1.0.0",
            "1.0.0+0",
            "1.0.0+1",
            "1.0.0+1.1",
            "1.0.0+2",
            "1.0.0+11",
            "1.0.0+build",
            "1.0.1",
            "1.10.0",
        ];
        rises(compare, &rising);
        same(
            compare,
            &[
                ("01.02.3", "1.2.03"),
                ("1.0.0-01", "1.0.0-1"),
                ("1.0.0+01", "1.0.0+1"),
            ],
        );
        let bad = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            " 1.2.3",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-a..b",
            "1.2.3+a+b",
            "1.2.99999999999999999999",
        ];
        refuses(compare, &bad);
    }
}
