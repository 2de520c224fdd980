//! The order of NuGet: one to four numbers, then the tags of Semantic Versioning 2.0.0, as `NuGetVersion` reads
//! and `VersionComparer.Default` compares them.
//!
//! Missing numbers are 0, leading zeros and white space around numbers do not count. Pre-releases are compared
//! without regard to case, and what is a number among their labels is decided by .NET's 32-bit `int`: `-1` is
//! one, `3000000000` is not.

use std::cmp::Ordering;

use super::semver::{Parts, are_identifiers, compare_pre_releases, is_number, is_pre_release};

/// `None` when NuGet does not take either text for a version.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((a, a_labels), (b, b_labels)) = (parse(a)?, parse(b)?);
    Some(
        a.cmp(&b)
            .then_with(|| compare_pre_releases(a_labels, b_labels, compare_labels)),
    )
}

fn parse(text: &str) -> Option<([i32; 4], Option<&str>)> {
    let Parts { core, pre, build } = Parts::split(text.trim());
    let mut numbers = [0; 4];
    for (at, number) in core.split('.').map(str::trim).enumerate() {
        let place = numbers.get_mut(at)?;
        *place = number.parse().ok().filter(|_| is_number(number))?;
    }
    let is_version = pre.is_none_or(is_pre_release) && build.is_none_or(are_identifiers);
    is_version.then_some((numbers, pre))
}

fn compare_labels(a: &str, b: &str) -> Ordering {
    match (a.parse::<i32>(), b.parse::<i32>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Err(_), Err(_)) => {
            let (a, b) = (a.bytes(), b.bytes());
            let upper = |byte: u8| byte.to_ascii_uppercase();
            a.map(upper).cmp(b.map(upper))
        }
        (a, b) => b.is_ok().cmp(&a.is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_nuget() {
        let rising = [
            "1.0.0--1",
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-11",
            "1.0.0-3000000000",
            "1.0.0-alpha",
            "1.0.0-ALPHA.1",
            "1.0.0-alpha.2",
            "1.0.0-Beta",
            "1.0.0-rc.1",
            "1",
            "1.0.0.1-a",
            "1.0.0.1",
            "1.0.1",
            "1.1",
            "1.10",
            "2147483647",
        ];
        rises(compare, &rising);
        let pairs = [
            ("1", "1.0.0.0"),
            ("01.002", "1.2"),
            (" 1 . 2 -a", "1.2-A"),
            ("1.0.0+a", "1.0+B"),
            ("1.0.0-0", "1.0.0--0"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn refuses_what_nuget_refuses() {
        let bad = [
            "",
            " ",
            "v1.0",
            "1.",
            "1..2",
            ".1",
            "1.2.3.4.5",
            "1.0-",
            "1.0+",
            "1.0-a..b",
            "1.0-01",
            "1.0-a_b",
            "2147483648",
            "1.-1",
            "1. ",
            "1 2.0",
            "latest",
        ];
        refuses(compare, &bad);
    }
}
