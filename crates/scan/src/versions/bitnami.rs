//! The order of Bitnami's components: `MAJOR.MINOR.PATCH[-REVISION]`, as `bitnami/go-version` decides it.
//!
//! It looks like a semantic version, but what follows the hyphen counts builds of the same release:
//! `1.2.3-4` comes after `1.2.3`. Bitnami's records call their ranges `SEMVER` all the same; read as such, each
//! component that was rebuilt (`1.2.3-4`) would stand before the release that fixed it (`1.2.3`).
//!
//! Here departs on purpose: a version without revision is the first build, `-0`, not something before it,
//! because Bitnami's records of Go say `introduced: 1.21.0-0` and mean 1.21.0 too. And leading zeros are read,
//! as the records name versions such as `2023.03.13`.

use std::cmp::Ordering;

use super::semver::{
    Parts, are_identifiers, compare_identifiers, compare_lists, compare_numbers, three_numbers,
};

/// `None` when either text is not three numbers with their tags.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((a, a_revision), (b, b_revision)) = (parse(a)?, parse(b)?);
    Some(compare_numbers(&a, &b).then_with(|| {
        compare_lists(
            a_revision.split('.'),
            b_revision.split('.'),
            compare_identifiers,
        )
    }))
}

fn parse(text: &str) -> Option<([&str; 3], &str)> {
    let Parts { core, pre, build } = Parts::split(text);
    let revision = pre.unwrap_or("0");
    let is_version = are_identifiers(revision) && build.is_none_or(are_identifiers);
    Some((three_numbers(core)?, revision)).filter(|_| is_version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_bitnami() {
        let rising = [
            "1.2.2-9",
            "1.2.3",
            "1.2.3-1",
            "1.2.3-2",
            "1.2.3-10",
            "1.2.3-10.1",
            "1.2.3-rc1",
            "1.2.4-0",
            "1.10.0",
            "2023.03.13",
            "2023.4.1",
        ];
        rises(compare, &rising);
        let pairs = [
            ("1.2.3", "1.2.3-0"),
            ("1.2.3-1+a", "1.2.3-1"),
            ("2023.03.13", "2023.3.13"),
        ];
        same(compare, &pairs);
        let bad = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1.2.3-",
            "1.2.3+",
            "nightly.2026",
        ];
        refuses(compare, &bad);
    }
}
