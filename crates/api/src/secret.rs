//! Secrets of an image: their kind and place. Nothing of a secret itself is on the wire, because the server does not
//! know it either.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SeverityCounts;

/// A credential that an image carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// The rule that found it, such as `github-token`.
    pub rule: String,
    /// What it is, in a few words.
    pub title: String,
    /// Who issued it.
    pub provider: String,
    /// What its loss would mean: `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// How sure the rule can be: `high`, `medium` or `low`.
    pub confidence: String,
    /// `file`, or `configuration` for a field of the image's configuration.
    pub kind: String,
    /// The file, or the field.
    pub path: String,
    /// Index of the layer that holds the file; absent in the configuration.
    pub layer: Option<u32>,
    /// Whether a higher layer replaced or removed the file. Whoever has the image still has the secret.
    pub is_hidden: bool,
    /// Line of the file or the field's text, from 1.
    pub line: u32,
    /// Byte of that line at which it begins, from 1.
    pub column: u32,
    /// What to do. Absent when the rule is not known any more.
    pub remediation: Option<String>,
}

/// Secrets of an image, worst first, a page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretPage {
    /// The secrets.
    pub secrets: Vec<SecretView>,
    /// How many there are of each severity, with all filters applied but that of the severity.
    pub counts: SeverityCounts,
    /// Whether the image was looked through for secrets: a list of packages that was sent says nothing of them.
    pub looked: bool,
    /// To be sent as `cursor` for the next page.
    pub next: Option<String>,
}
