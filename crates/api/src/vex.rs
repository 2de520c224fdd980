//! VEX documents that hold for all images of the server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A document without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VexEntry {
    /// To delete it by.
    pub id: i64,
    /// What its sender calls it.
    pub name: String,
    /// How suppressed findings name it: the name, and its author.
    pub source: String,
    /// How many statements it makes.
    pub statements: u64,
    /// Bytes.
    pub size_bytes: u64,
    /// How many findings of all images it speaks of, as far as they are judged.
    pub findings: u64,
    /// Who sent it; absent when they are gone.
    pub sent_by: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// All documents, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VexList {
    /// The documents.
    pub documents: Vec<VexEntry>,
    /// Whether findings are being judged anew, so that lists and counts may still change.
    pub judging: bool,
}
