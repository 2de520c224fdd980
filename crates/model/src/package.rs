//! Packages, where they were found, and the list of all that an image holds.

use std::fmt;

use crate::{Distro, Image, ImagePath, Problem, Purl};

/// The package formats that we read. Each has one file in `seareeve-scan`'s `ecosystems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageKind {
    /// Debian and Ubuntu packages, from dpkg's status database.
    Deb,
    /// Alpine packages, from apk's installed database.
    Apk,
    /// Packages of Red Hat's family, SUSE and others, from rpm's database.
    Rpm,
    /// Python distributions, installed or locked.
    Pypi,
    /// Node packages, installed or locked.
    Npm,
    /// Java archives.
    Maven,
    /// Go modules, from binaries or `go.mod`.
    Golang,
    /// Rust crates, from auditable binaries or `Cargo.lock`.
    Cargo,
    /// Ruby gems, installed or locked.
    Gem,
    /// PHP packages, installed or locked.
    Composer,
    /// .NET packages, installed or locked.
    Nuget,
}

impl PackageKind {
    /// All kinds, in the order in which they are listed to people.
    pub const ALL: [Self; 11] = [
        Self::Deb,
        Self::Apk,
        Self::Rpm,
        Self::Pypi,
        Self::Npm,
        Self::Maven,
        Self::Golang,
        Self::Cargo,
        Self::Gem,
        Self::Composer,
        Self::Nuget,
    ];

    /// The package URL type, which also serves on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Maven => "maven",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
        }
    }

    /// The kind with the package URL type `text`, if we read it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the packages belong to the operating system, so that its release decides which advisories apply.
    #[must_use]
    pub fn is_operating_system(self) -> bool {
        match self {
            Self::Deb | Self::Apk | Self::Rpm => true,
            Self::Pypi
            | Self::Npm
            | Self::Maven
            | Self::Golang
            | Self::Cargo
            | Self::Gem
            | Self::Composer
            | Self::Nuget => false,
        }
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The source package that a binary package was built from, where advisories name sources: Debian's, Ubuntu's,
/// Alpine's and those of most distributions with rpm, but not AlmaLinux's and Red Hat's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourcePackage {
    /// Name as the distribution spells it.
    pub name: String,
    /// Version of the source, which differs from the binary's after a binary-only rebuild.
    pub version: String,
}

/// What a package is, wherever it is installed. Two images that hold equal packages share one row in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Package {
    /// The format.
    pub kind: PackageKind,
    /// Name as the package itself spells it.
    pub name: String,
    /// Version as the package itself spells it.
    pub version: String,
    /// The source package; `None` for languages, and where advisories name the package itself.
    pub source: Option<SourcePackage>,
    /// The OSV ecosystem whose advisories apply, with its release: `Debian:12`, `Alpine:v3.19`, `PyPI`.
    /// Empty when the operating system is not known to us.
    pub ecosystem: String,
    /// The canonical package URL.
    pub purl: Purl,
}

impl Package {
    /// Name by which advisories of the ecosystem call this package (the source package where there is one).
    #[must_use]
    pub fn advisory_name(&self) -> &str {
        self.source
            .as_ref()
            .map_or(&self.name, |source| &source.name)
    }

    /// Version that advisories of the ecosystem are compared with.
    #[must_use]
    pub fn advisory_version(&self) -> &str {
        self.source
            .as_ref()
            .map_or(&self.version, |source| &source.version)
    }
}

/// A package at the place where it was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstalledPackage {
    /// What was found.
    pub package: Package,
    /// The file that says so (`var/lib/dpkg/status`, `…/METADATA`, `…/package.json`).
    pub path: ImagePath,
    /// Index of the layer that brought this package, from 0 at the bottom.
    pub layer: u32,
}

/// Everything that one image holds: our normal form of an SBOM. It can be matched again at any time
/// without the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// The image itself.
    pub image: Image,
    /// The distribution, when the image says one.
    pub distro: Option<Distro>,
    /// Sorted and without doubles.
    pub packages: Vec<InstalledPackage>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}
