//! The manifest report: what `seareeve k8s --format json` prints.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ReportProblem;

/// What checks say of Kubernetes' objects, from files or a cluster. The same objects and checks give the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ManifestReport {
    /// Version of this schema: 1.
    pub schema_version: u32,
    /// The standard that objects were compared with, such as `pss-restricted@1.30`; `null` without one.
    pub standard: Option<String>,
    /// In the order of files and documents.
    pub objects: Vec<ManifestObject>,
    /// What could not be read. When it is not empty, the result is partial.
    pub problems: Vec<ReportProblem>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ManifestObject {
    /// The file that it stands in; empty for those of a cluster.
    pub file: String,
    /// Which document of the file, from 0; the items of a `List` count as one each.
    pub index: u64,
    /// The line on which it begins, from 1; 0 for those of a cluster.
    pub line: u64,
    /// Such as `Deployment`.
    pub kind: String,
    /// Empty where it says none.
    pub namespace: String,
    /// Its name, or what its name begins with.
    pub name: String,
    /// What checks say of it: one for each thing found fault with, and one for a check that found nothing. Empty for
    /// objects that no check is about.
    pub results: Vec<ManifestResult>,
    /// `pass` or `fail` by the standard; `null` without one.
    pub verdict: Option<String>,
}

/// What a check says of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManifestResult {
    /// The check.
    pub check: String,
    /// How bad it is when it fails.
    pub severity: String,
    /// `pass`, `fail`, `not_applicable`, `not_collected`, `error`, `needs_review` or `excepted`.
    pub status: String,
    /// What is wrong, or why it could not be told; empty when all is well.
    pub message: String,
    /// Where in the object, such as `spec.template.spec.containers[0]`.
    pub path: String,
}
