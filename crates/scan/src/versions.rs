//! Version orders: which of two versions is older, exactly as each ecosystem's own tools decide it.
//!
//! One file per order. An order says `None` where its ecosystem's tools refuse a version; nothing is
//! guessed, the caller makes a problem of it. OSV's special `"0"` (before everything) belongs to the
//! evaluation of ranges, not here.

mod apk;
mod bitnami;
mod composer;
mod dart;
mod digits;
mod dpkg;
mod gem;
mod go;
mod maven;
mod npm;
mod nuget;
mod pep440;
mod rpm;
mod semver;

#[cfg(test)]
mod laws;

use std::cmp::Ordering;

use crate::advisories::ecosystem;

/// How the versions of an ecosystem are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Debian Policy 5.6.12.
    Dpkg,
    /// apk-tools 3.
    Apk,
    /// rpm's `[epoch:]version[-release]`.
    Rpm,
    /// Semantic Versioning 2.0.0, strictly: crates.io, Hex.
    Semver,
    /// Semantic versions, read as npm reads them.
    Npm,
    /// Versions of Go modules and of Go.
    Go,
    /// Semantic versions whose build metadata counts: Pub.
    Pub,
    /// Bitnami's three numbers with a revision.
    Bitnami,
    /// NuGet's one to four numbers with the tags of semantic versions.
    Nuget,
    /// Maven's `ComparableVersion`.
    Maven,
    /// RubyGems' `Gem::Version`.
    Gem,
    /// Composer's versions: Packagist.
    Composer,
    /// Python's version specifiers (PEP 440).
    Pep440,
}

impl Order {
    /// All orders.
    pub const ALL: [Self; 13] = [
        Self::Dpkg,
        Self::Apk,
        Self::Rpm,
        Self::Semver,
        Self::Npm,
        Self::Go,
        Self::Pub,
        Self::Bitnami,
        Self::Nuget,
        Self::Maven,
        Self::Gem,
        Self::Composer,
        Self::Pep440,
    ];

    /// The order of an OSV ecosystem without its release (`Debian`, `npm`); `None` for ecosystems whose
    /// order we do not have yet. The list is in `advisories/ecosystem.rs`.
    #[must_use]
    pub fn for_ecosystem(base: &str) -> Option<Self> {
        ecosystem::known(base).map(|known| known.order)
    }

    /// The order of OSV's `SEMVER` ranges in an ecosystem of this order.
    ///
    /// Such ranges are in Semantic Versioning, whatever the ecosystem. Orders that agree with it on every
    /// semantic version stay: they also read how versions are spelled where they are installed (`go1.21rc2`,
    /// `v1.2.3`). Bitnami's stays because its records say `SEMVER` and mean their own.
    #[must_use]
    pub fn of_semver_ranges(self) -> Self {
        match self {
            Self::Semver | Self::Npm | Self::Go | Self::Bitnami => self,
            Self::Dpkg
            | Self::Apk
            | Self::Rpm
            | Self::Pub
            | Self::Nuget
            | Self::Maven
            | Self::Gem
            | Self::Composer
            | Self::Pep440 => Self::Semver,
        }
    }

    /// Compares two versions; `None` when either is not a version in this order.
    #[must_use]
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Dpkg => dpkg::compare(a, b),
            Self::Apk => apk::compare(a, b),
            Self::Rpm => rpm::compare(a, b),
            Self::Semver => semver::compare(a, b),
            Self::Npm => npm::compare(a, b),
            Self::Go => go::compare(a, b),
            Self::Pub => dart::compare(a, b),
            Self::Bitnami => bitnami::compare(a, b),
            Self::Nuget => nuget::compare(a, b),
            Self::Maven => maven::compare(a, b),
            Self::Gem => gem::compare(a, b),
            Self::Composer => composer::compare(a, b),
            Self::Pep440 => pep440::compare(a, b),
        }
    }

    /// Whether `version` is a version in this order.
    #[must_use]
    pub fn reads(self, version: &str) -> bool {
        match self {
            Self::Dpkg => dpkg::reads(version),
            Self::Apk
            | Self::Rpm
            | Self::Semver
            | Self::Npm
            | Self::Go
            | Self::Pub
            | Self::Bitnami
            | Self::Nuget
            | Self::Maven
            | Self::Gem
            | Self::Composer
            | Self::Pep440 => self.compare(version, version).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semver_ranges_read_what_is_installed() {
        let reads = |ecosystem: &str, installed: &str| {
            let order = Order::for_ecosystem(ecosystem).unwrap();
            order.of_semver_ranges().compare(installed, "1.21.3")
        };
        for (ecosystem, installed) in [
            ("Go", "go1.21.3"),
            ("Go", "v1.21.3+incompatible"),
            ("npm", "v1.21.3"),
            ("crates.io", "1.21.3"),
            ("Bitnami", "1.21.3-0"),
            ("Pub", "1.21.3+4"),
            ("NuGet", "1.21.3"),
        ] {
            let order = reads(ecosystem, installed);
            assert_eq!(order, Some(Ordering::Equal), "{ecosystem} {installed}");
        }
        assert_eq!(reads("Bitnami", "1.21.3-4"), Some(Ordering::Greater));
        assert_eq!(reads("crates.io", "1.21.3-4"), Some(Ordering::Less));
        assert_eq!(reads("NuGet", "1.21.3.0"), None);
    }
}
