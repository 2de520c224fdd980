//! Scans: asking for one and watching it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A scan to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanRequest {
    /// An image in a registry, such as `alpine:3.19` or `registry.example/team/app@sha256:…`.
    pub reference: String,
}

/// One scan of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scan {
    /// To ask for it again.
    pub id: i64,
    /// Where the image comes from.
    pub source: ScanSource,
    /// How far it is.
    pub state: ScanState,
    /// While it runs.
    pub progress: Option<ScanProgress>,
    /// The image's digest, once it is done.
    pub image: Option<String>,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// What could not be read; see the image's problems.
    pub problems: u64,
    /// Who asked for it.
    pub requested_by: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished: Option<Timestamp>,
}

/// Where a scanned image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScanSource {
    /// A registry.
    Reference {
        /// The reference as asked for.
        reference: String,
    },
    /// An uploaded archive.
    Upload {
        /// The file's name.
        name: String,
        /// Its bytes.
        size_bytes: u64,
    },
    /// An SBOM that a command line sent.
    Sbom {
        /// The image's name or digest.
        name: String,
    },
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// Waits for a worker.
    Queued,
    /// Is being read.
    Running,
    /// Its image and findings are stored.
    Done,
    /// Ended with an error.
    Failed,
    /// Was stopped by a user.
    Cancelled,
}

/// What a running scan does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanProgress {
    /// The layer being read, from 1.
    pub layer: u32,
    /// All layers.
    pub layers: u32,
    /// Bytes read so far, packed.
    pub bytes_read: u64,
    /// All bytes, packed, where the source says so.
    pub bytes_total: Option<u64>,
}

/// Scans, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanPage {
    /// The scans.
    pub scans: Vec<Scan>,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}
