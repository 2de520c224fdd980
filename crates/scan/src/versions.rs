//! Version orders: which of two versions is older, exactly as each ecosystem's own tools decide it.
//!
//! One file per order. An order says `None` where its ecosystem's tools refuse a version; nothing is
//! guessed, the caller makes a problem of it. OSV's special `"0"` (before everything) belongs to the
//! evaluation of ranges, not here.

mod apk;
mod digits;
mod dpkg;
mod pep440;
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
    /// Semantic Versioning 2.0.0, read as npm reads it.
    Semver,
    /// Python's version specifiers (PEP 440).
    Pep440,
}

impl Order {
    /// The order of an OSV ecosystem without its release (`Debian`, `npm`); `None` for ecosystems whose
    /// order we do not have yet. The list is in `advisories/ecosystem.rs`.
    #[must_use]
    pub fn for_ecosystem(base: &str) -> Option<Self> {
        ecosystem::known(base).and_then(|known| known.order)
    }

    /// Compares two versions; `None` when either is not a version in this order.
    #[must_use]
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Dpkg => dpkg::compare(a, b),
            Self::Apk => apk::compare(a, b),
            Self::Semver => semver::compare(a, b),
            Self::Pep440 => pep440::compare(a, b),
        }
    }

    /// Whether `version` is a version in this order.
    #[must_use]
    pub fn reads(self, version: &str) -> bool {
        self.compare(version, version).is_some()
    }
}
