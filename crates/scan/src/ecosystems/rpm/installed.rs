//! One installed package, from its header or a line of a list to what advisories are compared with.

use std::collections::HashMap;

use seareeve_model::{Package, PackageKind, SourcePackage};

use super::super::found::{Found, Limited};
use super::super::os_release::OsRelease;
use super::header::{Header, Tag};
use super::release::{self, Naming};

/// What rpm says of a package. Texts that nothing is compared with are empty when they are missing or too long.
pub(super) struct Installed {
    pub(super) name: String,
    /// Version and release: `5.1.8-6.el9`.
    pub(super) version: String,
    pub(super) epoch: u32,
    pub(super) architecture: String,
    /// File name of the source package: `bash-5.1.8-6.el9.src.rpm`.
    pub(super) source: String,
    /// Module, stream, build and context: `nodejs:18:8090020230825081033:a75119d5`.
    pub(super) module: String,
}

/// Longest text of those that nothing is compared with, in bytes. Each package carries them.
const LONGEST: usize = 255;

/// The text, or nothing if it is too long or what rpm prints for nothing.
pub(super) fn optional(text: Option<&[u8]>) -> String {
    match text {
        Some(text) if text.len() <= LONGEST && text != b"(none)" => {
            String::from_utf8_lossy(text).into_owned()
        }
        Some(_) | None => String::new(),
    }
}

impl Installed {
    /// `None` for what is no package: keys that rpm trusts stand among the packages, and what has no name or
    /// version, which is a problem.
    pub(super) fn new(header: &Header<'_>, found: &mut Found<'_>) -> Option<Self> {
        let name = found.text("package name", header.text(Tag::Name))?;
        if name == "gpg-pubkey" {
            return None;
        }
        let what = format!("version of package {name}");
        let version = found.text(&what, header.text(Tag::Version))?;
        let what = format!("release of package {name}");
        let release = found.text(&what, header.text(Tag::Release))?;
        Some(Self {
            name,
            version: format!("{version}-{release}"),
            epoch: header.number(Tag::Epoch).unwrap_or_default(),
            architecture: optional(header.text(Tag::Arch)),
            source: optional(header.text(Tag::SourceRpm)),
            module: optional(header.text(Tag::ModularityLabel)),
        })
    }

    fn source(&self) -> Option<(&str, &str)> {
        release::source_file(&self.source)
    }

    fn package(
        self,
        os: Option<&OsRelease>,
        epochs: &Epochs,
        found: &mut Found<'_>,
    ) -> Option<Package> {
        let ecosystem = os.and_then(release::osv_release).unwrap_or_default();
        let version = with_epoch(self.epoch, &self.version);
        let source = match release::naming(&ecosystem) {
            Naming::Binary => None,
            Naming::Source => {
                let (name, version) = self.source().unwrap_or((&self.name, &self.version));
                let epoch = epochs.of(&self);
                Some((name.to_owned(), with_epoch(epoch, version)))
            }
            Naming::SourceWithoutEpoch => {
                let (name, version) = self.source().unwrap_or((&self.name, &self.version));
                Some((name.to_owned(), version.to_owned()))
            }
        };
        let epoch = match self.epoch {
            0 => String::new(),
            epoch => epoch.to_string(),
        };
        let purl = found.purl(
            "rpm",
            &os.map(vendor).unwrap_or_default(),
            &self.name,
            &self.version,
            &[
                ("arch", &self.architecture),
                (
                    "distro",
                    &os.map(OsRelease::purl_distro).unwrap_or_default(),
                ),
                ("epoch", &epoch),
                ("modularitylabel", &self.module),
                ("upstream", &self.source),
            ],
        )?;
        Some(Package {
            kind: PackageKind::Rpm,
            name: self.name,
            version,
            source: source.map(|(name, version)| SourcePackage { name, version }),
            ecosystem,
            purl,
        })
    }
}

/// Adds the packages of one database, whose sources are understood from all of them together.
pub(super) fn put(
    packages: Vec<Installed>,
    os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    let epochs = Epochs::new(&packages);
    for package in packages {
        if let Some(package) = package.package(os, &epochs, found) {
            found.package(package)?;
        }
    }
    Ok(())
}

/// A version as OSV's records write it: without the epoch when that is zero.
fn with_epoch(epoch: u32, version: &str) -> String {
    match epoch {
        0 => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    }
}

/// The namespace that other scanners give (purl-spec, "rpm": the vendor, in lower case).
fn vendor(os: &OsRelease) -> String {
    match os.id.as_str() {
        "rhel" => "redhat".to_owned(),
        id if id.starts_with("opensuse") => "opensuse".to_owned(),
        id if id.starts_with("sle") => "suse".to_owned(),
        id => id.to_ascii_lowercase(),
    }
}

/// The epochs of source packages, by file name. The name does not say it, and a package may have another epoch
/// than its source: of perl's source with the epoch 4 come packages with other versions and no epoch. One that has
/// the source's version has its epoch too.
struct Epochs(HashMap<String, u32>);

impl Epochs {
    fn new(packages: &[Installed]) -> Self {
        let mut epochs = HashMap::new();
        for package in packages {
            match package.source() {
                Some((name, version)) if version == package.version => {
                    let known = epochs.entry(package.source.clone());
                    let epoch = known.or_insert(package.epoch);
                    if name == package.name {
                        *epoch = package.epoch;
                    }
                }
                Some(_) | None => {}
            }
        }
        Self(epochs)
    }

    fn of(&self, package: &Installed) -> u32 {
        let known = self.0.get(&package.source);
        known.copied().unwrap_or(package.epoch)
    }
}
