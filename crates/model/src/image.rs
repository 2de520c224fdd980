//! An image as its manifest and configuration describe it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Digest;

/// One image for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The names under which it was asked for or tagged, and those of the indexes that led to it, sorted. Not part of its
    /// identity.
    pub references: Vec<String>,
    /// Digest of the manifest, by which registries and runtimes know the image. A `docker save`
    /// archive has no manifest: then this is the configuration's digest, as the engine shows it.
    pub digest: Digest,
    /// Digest of the configuration (Docker's "image id").
    pub config_digest: Digest,
    /// Operating system of the configuration, such as `linux`.
    pub os: String,
    /// Architecture of the configuration, such as `amd64` or `arm64`.
    pub architecture: String,
    /// When the image says it was made.
    pub created: Option<Timestamp>,
    /// Lowest first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Sum of the layers' unpacked sizes in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| layer.size_bytes)
            .fold(0, u64::saturating_add)
    }
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the unpacked tar, by which equal layers of different images are recognised.
    pub diff_id: Digest,
    /// Digest of the packed blob, where the source has one.
    pub digest: Option<Digest>,
    /// Unpacked bytes read.
    pub size_bytes: u64,
    /// The command that made it, from the image's history; empty when unknown.
    pub created_by: String,
}

/// How long the makers of a distribution look after one of its releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSupport {
    /// The last day of the usual support.
    pub standard: Date,
    /// A longer one that costs nothing, such as Debian's LTS.
    pub extended: Option<ExtendedSupport>,
    /// A longer one for customers, such as Ubuntu Pro.
    pub paid: Option<ExtendedSupport>,
}

/// Support after the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedSupport {
    /// What its makers call it.
    pub name: String,
    /// Its last day.
    pub until: Date,
}

impl ReleaseSupport {
    /// The last day on which fixes are published for everyone.
    #[must_use]
    pub fn ends(&self) -> Date {
        let extended = self.extended.as_ref().map(|extended| extended.until);
        extended.map_or(self.standard, |until| until.max(self.standard))
    }

    /// Whether that day lies before `today`.
    #[must_use]
    pub fn is_over(&self, today: Date) -> bool {
        self.ends() < today
    }
}

/// The distribution that an image says it is (`os-release(5)`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Distro {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12` or `3.19.1`; empty for rolling releases.
    pub version: String,
    /// `PRETTY_NAME`, for people.
    pub name: String,
}
