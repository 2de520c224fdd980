//! What we know of OSV's ecosystems: their version order, how they write names, what a release means.
//!
//! Records of ecosystems that are not listed are kept, but nothing matches them until they have an order.

mod editions;

use std::borrow::Cow;

use seareeve_model::Package;

use crate::versions::Order;

/// One ecosystem, without release.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// `None` until we can compare its versions.
    pub(crate) order: Option<Order>,
    /// A distribution publishes fixes of others' vulnerabilities: ids that its records merely call
    /// related are what they fix when they name nothing better.
    pub(crate) is_distribution: bool,
    /// Whether a record without release speaks of all releases (OSV schema, "Defined ecosystems").
    bare_means_all: bool,
}

const fn distribution(name: &'static str, order: Option<Order>) -> Known {
    Known {
        name,
        order,
        is_distribution: true,
        bare_means_all: false,
    }
}

const fn language(name: &'static str, order: Order) -> Known {
    Known {
        name,
        order: Some(order),
        is_distribution: false,
        bare_means_all: false,
    }
}

/// All ecosystems we know something of, sorted by name. An ecosystem gets its order here.
static KNOWN: &[Known] = &[
    distribution("AlmaLinux", None),
    // The schema requires the release (`Alpine:v3.19`). Records with a bare `Alpine` exist all the same
    // (CleanStart's fixes): they name no release of Alpine, so they match none.
    distribution("Alpine", Some(Order::Apk)),
    distribution("Azure Linux", None),
    distribution("Chainguard", None),
    // The schema: without a release, all releases of Debian are meant.
    Known {
        bare_means_all: true,
        ..distribution("Debian", Some(Order::Dpkg))
    },
    distribution("Mageia", None),
    distribution("MinimOS", None),
    distribution("Photon OS", None),
    language("PyPI", Order::Pep440),
    distribution("Red Hat", None),
    distribution("Rocky Linux", None),
    distribution("SUSE", None),
    // As Alpine: the release is required (`Ubuntu:22.04:LTS`), and `Ubuntu:Pro:…` is another ecosystem,
    // whose fixes only count where Pro is attached.
    distribution("Ubuntu", Some(Order::Dpkg)),
    distribution("Wolfi", None),
    language("npm", Order::Semver),
    distribution("openEuler", None),
    distribution("openSUSE", None),
];

/// What we know of the ecosystem `base` (without release).
pub(crate) fn known(base: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == base)
}

/// The ecosystem without its release: `Debian` of `Debian:12`.
#[must_use]
pub fn base(ecosystem: &str) -> &str {
    ecosystem
        .split_once(':')
        .map_or(ecosystem, |(base, _)| base)
}

/// The ecosystem under which the index of a [`super::Database`] has the packages of `ecosystem`.
#[must_use]
pub(crate) fn indexed_ecosystem(ecosystem: &str) -> Cow<'_, str> {
    editions::folded(ecosystem)
}

/// The name of a package as the index of a [`super::Database`] spells it.
#[must_use]
pub fn indexed_name<'a>(ecosystem: &str, name: &'a str) -> Cow<'a, str> {
    match base(ecosystem) {
        "PyPI" => Cow::Owned(pep503(name)),
        _ => Cow::Borrowed(name),
    }
}

/// The keys, (ecosystem, name), under which advisories for `package` stand. The same pairs come out of
/// [`super::changed_names`].
#[must_use]
pub fn keys_of(package: &Package) -> Vec<(String, String)> {
    let ecosystem = &*indexed_ecosystem(&package.ecosystem);
    let name = indexed_name(ecosystem, package.advisory_name()).into_owned();
    let bare = base(ecosystem);
    let mut keys = vec![(ecosystem.to_owned(), name.clone())];
    if bare != ecosystem && known(bare).is_some_and(|known| known.bare_means_all) {
        keys.push((bare.to_owned(), name));
    }
    keys
}

/// PEP 503: runs of `-`, `_` and `.` are one `-`, and case does not matter.
fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use seareeve_model::{PackageKind, Purl};

    use super::*;

    #[test]
    fn the_list_is_sorted_and_without_doubles() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn names_are_spelled_as_the_ecosystem_does() {
        assert_eq!(indexed_name("PyPI", "Zope_.Interface"), "zope-interface");
        assert_eq!(indexed_name("npm", "@Types/Node"), "@Types/Node");
        assert_eq!(indexed_name("Debian:12", "libX11"), "libX11");
    }

    #[test]
    fn only_debian_may_leave_the_release_out() {
        let keys = |ecosystem: &str| -> Vec<String> {
            let package = Package {
                kind: PackageKind::Deb,
                name: "a".to_owned(),
                version: "1".to_owned(),
                source: None,
                ecosystem: ecosystem.to_owned(),
                purl: Purl::new("deb", "", "a", "1", &[]).unwrap(),
            };
            keys_of(&package)
                .into_iter()
                .map(|(ecosystem, _)| ecosystem)
                .collect()
        };
        assert_eq!(keys("Debian:12"), ["Debian:12", "Debian"]);
        assert_eq!(keys("Alpine:v3.19"), ["Alpine:v3.19"]);
        assert_eq!(keys("Ubuntu:22.04:LTS"), ["Ubuntu:22.04:LTS"]);
        assert_eq!(keys("PyPI"), ["PyPI"]);
    }
}
