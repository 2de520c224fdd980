//! What a statement is about, and whether that is in an image.

use packageurl::PackageUrl;
use seareeve_model::{ImageReference, InstalledPackage, Inventory, Package, PackageKind};

use crate::ecosystems::is_lock_file;
use crate::pattern::PurlPattern;

/// A product of a statement. Each identity is another name of the same thing: one that fits is enough.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) product: Vec<Identity>,
    /// When there are any: only these packages of the product are meant.
    pub(super) parts: Vec<Identity>,
}

/// A name of a product or a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Identity {
    Purl(PurlPattern),
    /// `sha256:…`, of an image.
    Digest(String),
    /// An operating system by its CPE: `os-release`'s `ID` and the version.
    System {
        id: &'static str,
        version: String,
    },
}

/// CPE's names of operating systems, and those of `os-release`.
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("alpinelinux", "alpine_linux", "alpine"),
    ("canonical", "ubuntu_linux", "ubuntu"),
    ("debian", "debian_linux", "debian"),
    ("redhat", "enterprise_linux", "rhel"),
];

impl Identity {
    /// A package URL; `None` when it is none.
    pub(super) fn purl(text: &str) -> Option<Self> {
        PurlPattern::parse(text).map(Self::Purl)
    }

    /// A hash of an image, by the algorithm's name in any spelling (`sha-256`, `SHA256`).
    pub(super) fn hash(algorithm: &str, value: &str) -> Option<Self> {
        let algorithm = algorithm.to_ascii_lowercase().replace(['-', '_'], "");
        let is_sha256 = algorithm == "sha256" && value.len() == 64;
        let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_sha256 && is_hex)
            .then(|| Self::Digest(format!("sha256:{}", value.to_ascii_lowercase())))
    }

    /// An operating system's CPE, in either spelling: `cpe:/o:redhat:enterprise_linux:9`, `cpe:2.3:o:…`. Red Hat
    /// writes its repositories with `a`.
    pub(super) fn cpe(text: &str) -> Option<Self> {
        let name = text
            .strip_prefix("cpe:/")
            .or_else(|| text.strip_prefix("cpe:2.3:"))?;
        let mut parts = name.split(':');
        let (part, vendor, product) = (parts.next()?, parts.next()?, parts.next()?);
        let version = parts
            .next()
            .filter(|version| !["*", "-", ""].contains(version))?;
        let known = SYSTEMS
            .iter()
            .find(|(v, p, _)| (vendor, product) == (*v, *p));
        let (_, _, id) = known.filter(|_| part == "o" || part == "a")?;
        Some(Self::System {
            id,
            version: version.to_owned(),
        })
    }
}

/// An image and its packages, as statements may call them.
pub(super) struct Images<'a> {
    inventory: &'a Inventory,
    digests: Vec<String>,
    names: Vec<ImageReference>,
}

impl<'a> Images<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        let image = &inventory.image;
        let names: Vec<ImageReference> = image
            .references
            .iter()
            .filter_map(|reference| reference.parse().ok())
            .collect();
        let asked = names.iter().filter_map(ImageReference::digest);
        let digests = [&image.digest, &image.config_digest]
            .into_iter()
            .chain(asked);
        Self {
            inventory,
            digests: digests.map(ToString::to_string).collect(),
            names,
        }
    }

    /// Whether `target` means the package that is installed.
    pub(super) fn contain(&self, target: &Target, installed: &InstalledPackage) -> bool {
        let Target { product, parts } = target;
        let is = |identity: &Identity| names_package(identity, &installed.package);
        if parts.is_empty() {
            return product
                .iter()
                .any(|identity| self.are(identity, installed) || is(identity));
        }
        // A part of the image, or of another package that the same file holds: a module of a program, a library
        // in an archive.
        parts.iter().any(is)
            && product.iter().any(|identity| {
                self.are(identity, installed) || self.holds_beside(identity, installed)
            })
    }

    fn holds_beside(&self, identity: &Identity, installed: &InstalledPackage) -> bool {
        // One database has all packages of a system, and one lock file those of a project: there, what stands in
        // the same file is no part of one another. The root stands for a place that a foreign SBOM does not say.
        if !is_built_of_parts(installed.package.kind)
            || installed.path.is_root()
            || is_lock_file(&installed.path)
        {
            return false;
        }
        let own = installed.path.as_bytes();
        self.inventory.packages.iter().any(|other| {
            let path = other.path.as_bytes();
            let inside = own.strip_prefix(path);
            inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
                && names_package(identity, &other.package)
        })
    }

    /// Whether `identity` means the image itself, or the system in it that brought the package.
    fn are(&self, identity: &Identity, installed: &InstalledPackage) -> bool {
        match identity {
            Identity::Digest(digest) => self.digests.contains(digest),
            Identity::Purl(purl) => match purl.kind() {
                "oci" => self.are_oci(purl.get()),
                "docker" => self.are_docker(purl.get()),
                _ => false,
            },
            // A system answers for its own packages, not for what was put beside them.
            Identity::System { .. } if !installed.package.kind.is_operating_system() => false,
            Identity::System { id, version } => {
                self.inventory.distro.as_ref().is_some_and(|distro| {
                    let minor = distro.version.strip_prefix(version.as_str());
                    distro.id == *id
                        && minor.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
            }
        }
    }

    /// `pkg:oci/debian@sha256:…?repository_url=docker.io/library/debian&tag=12`: a digest settles it, otherwise
    /// the name has to fit, and whatever else is given.
    fn are_oci(&self, purl: &PackageUrl<'_>) -> bool {
        if let Some(digest) = purl.version() {
            return self.digests.iter().any(|known| known == digest);
        }
        let qualifier = |key: &str| purl.qualifiers().get(key).map(AsRef::as_ref);
        let repository = qualifier("repository_url").map(without_scheme);
        let wanted = repository.map(|name| name.parse::<ImageReference>());
        self.names.iter().any(|name| {
            let last = name.repository().rsplit('/').next().unwrap_or_default();
            let is_repository = match &wanted {
                None => true,
                Some(Ok(wanted)) => {
                    (wanted.registry(), wanted.repository()) == (name.registry(), name.repository())
                }
                Some(Err(_)) => false,
            };
            let is_tag = qualifier("tag").is_none_or(|tag| name.tag() == Some(tag));
            last == purl.name() && is_repository && is_tag
        })
    }

    /// `pkg:docker/library/debian@12?repository_url=…`, whose version is a tag or a digest.
    fn are_docker(&self, purl: &PackageUrl<'_>) -> bool {
        let version = purl.version();
        if let Some(digest) = version.filter(|version| version.contains(':')) {
            return self.digests.iter().any(|known| known == digest);
        }
        let path = match purl.namespace() {
            Some(namespace) => format!("{namespace}/{}", purl.name()),
            None => purl.name().to_owned(),
        };
        let registry = purl.qualifiers().get("repository_url");
        let full = match registry {
            Some(registry) => format!("{}/{path}", without_scheme(registry)),
            None => path,
        };
        let Ok(wanted) = full.parse::<ImageReference>() else {
            return false;
        };
        self.names.iter().any(|name| {
            (wanted.registry(), wanted.repository()) == (name.registry(), name.repository())
                && version.is_none_or(|tag| name.tag() == Some(tag))
        })
    }
}

/// Whether packages of this kind are found in programs and archives, which hold several of them.
fn is_built_of_parts(kind: PackageKind) -> bool {
    match kind {
        PackageKind::Maven | PackageKind::Golang | PackageKind::Cargo => true,
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Rpm
        | PackageKind::Pypi
        | PackageKind::Npm
        | PackageKind::Gem
        | PackageKind::Composer
        | PackageKind::Nuget => false,
    }
}

fn without_scheme(address: &str) -> &str {
    let name = address.split_once("://").map_or(address, |(_, name)| name);
    name.trim_end_matches('/')
}

fn names_package(identity: &Identity, package: &Package) -> bool {
    match identity {
        Identity::Purl(purl) => purl.fits(package),
        Identity::Digest(_) | Identity::System { .. } => false,
    }
}
