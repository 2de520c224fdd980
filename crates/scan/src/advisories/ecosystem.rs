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
    pub(crate) order: Order,
    /// A distribution publishes fixes of others' vulnerabilities: ids that its records merely call
    /// related are what they fix when they name nothing better.
    pub(crate) is_distribution: bool,
    /// Whether a record without release speaks of all releases (OSV schema, "Defined ecosystems").
    bare_means_all: bool,
    names: Names,
}

/// What does not count in the names of an ecosystem's packages.
#[derive(Clone, Copy)]
enum Names {
    Exact,
    /// Case.
    AnyCase,
    /// Case, and which of `-`, `_` and `.` separates (PEP 503).
    Pep503,
}

/// A distribution whose records name the release.
const fn distribution(name: &'static str, order: Order) -> Known {
    Known {
        name,
        order,
        is_distribution: true,
        bare_means_all: false,
        names: Names::Exact,
    }
}

/// A distribution whose records need not name the release, or that has none.
const fn across_releases(name: &'static str, order: Order) -> Known {
    Known {
        bare_means_all: true,
        ..distribution(name, order)
    }
}

const fn language(name: &'static str, order: Order) -> Known {
    Known {
        is_distribution: false,
        ..distribution(name, order)
    }
}

/// All ecosystems we know something of, sorted by name. An ecosystem gets its order here.
static KNOWN: &[Known] = &[
    across_releases("AlmaLinux", Order::Rpm),
    distribution("Alpaquita", Order::Apk),
    // The schema requires the release (`Alpine:v3.19`). Records with a bare `Alpine` exist all the same
    // (CleanStart's fixes): they name no release of Alpine, so they match none.
    distribution("Alpine", Order::Apk),
    distribution("Azure Linux", Order::Rpm),
    distribution("BellSoft Hardened Containers", Order::Apk),
    language("Bitnami", Order::Bitnami),
    across_releases("Chainguard", Order::Apk),
    across_releases("CleanStart", Order::Apk),
    // The schema: without a release, all releases of Debian are meant.
    across_releases("Debian", Order::Dpkg),
    language("Go", Order::Go),
    language("Hex", Order::Semver),
    distribution("Mageia", Order::Rpm),
    Known {
        ..language("Maven", Order::Maven)
    },
    across_releases("MinimOS", Order::Apk),
    Known {
        names: Names::AnyCase,
        ..language("NuGet", Order::Nuget)
    },
    Known {
        names: Names::AnyCase,
        ..language("Packagist", Order::Composer)
    },
    distribution("Photon OS", Order::Rpm),
    language("Pub", Order::Pub),
    Known {
        names: Names::Pep503,
        ..language("PyPI", Order::Pep440)
    },
    distribution("Red Hat", Order::Rpm),
    across_releases("Rocky Linux", Order::Rpm),
    language("RubyGems", Order::Gem),
    distribution("SUSE", Order::Rpm),
    // As Alpine: the release is required (`Ubuntu:22.04:LTS`), and `Ubuntu:Pro:…` is another ecosystem,
    // whose fixes only count where Pro is attached.
    distribution("Ubuntu", Order::Dpkg),
    across_releases("Wolfi", Order::Apk),
    language("crates.io", Order::Semver),
    language("npm", Order::Npm),
    distribution("openEuler", Order::Rpm),
    distribution("openSUSE", Order::Rpm),
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
    match known(base(ecosystem)).map_or(Names::Exact, |known| known.names) {
        Names::Exact => Cow::Borrowed(name),
        Names::AnyCase => Cow::Owned(name.to_lowercase()),
        Names::Pep503 => Cow::Owned(pep503(name)),
    }
}

/// The keys, (ecosystem, name), under which advisories for `package` stand. Records of a repository besides the
/// ecosystem's own (`Maven:https://maven.example.org`) speak of other packages, even of the same name. The same pairs come out of
/// [`super::changed_names`].
#[must_use]
pub fn keys_of(package: &Package) -> Vec<(String, String)> {
    let ecosystem = &*indexed_ecosystem(&package.ecosystem);
    let name = indexed_name(ecosystem, package.advisory_name()).into_owned();
    let bare = base(ecosystem);
    let known = known(bare);
    let mut keys = vec![(ecosystem.to_owned(), name.clone())];
    if bare != ecosystem && known.is_some_and(|known| known.bare_means_all) {
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
        assert_eq!(indexed_name("NuGet", "Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(indexed_name("Packagist", "Drupal/Core"), "drupal/core");
        let drupal = "Packagist:https://packages.example.org/8";
        assert_eq!(indexed_name(drupal, "drupal/Views"), "drupal/views");
        for (ecosystem, name) in [
            ("npm", "@Types/Node"),
            ("Debian:12", "libX11"),
            ("Go", "github.com/BurntSushi/toml"),
            ("Maven", "org.Example:A"),
            ("crates.io", "Inflector"),
            ("RubyGems", "RedCloth"),
            ("AlmaLinux:9", "NetworkManager"),
        ] {
            assert_eq!(indexed_name(ecosystem, name), name, "{ecosystem}");
        }
    }

    #[test]
    fn advisories_without_release_or_repository_speak_where_the_schema_says_so() {
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
        for (ecosystem, also) in [
            ("Debian:12", "Debian"),
            ("AlmaLinux:9", "AlmaLinux"),
            ("Rocky Linux:8", "Rocky Linux"),
        ] {
            assert_eq!(keys(ecosystem), [ecosystem, also]);
        }
        for alone in [
            "Alpine:v3.19",
            "Ubuntu:22.04:LTS",
            "Red Hat:enterprise_linux:9",
            "SUSE:Linux Enterprise 15 SP6",
            "Photon OS:5.0",
            "Wolfi",
            "PyPI",
            "Maven:https://maven.example.org",
            "Packagist:https://packages.example.org/8",
        ] {
            assert_eq!(keys(alone), [alone]);
        }
    }
}
