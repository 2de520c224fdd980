//! Checks and benchmarks that people bring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A check or benchmark that somebody brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnCheck {
    /// A check's id, or a benchmark's id and edition.
    pub name: String,
    /// `check` or `benchmark`.
    pub kind: String,
    /// For people.
    pub title: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Who brought it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it became what it is.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
    /// Why it cannot be used although it is enabled: a newer program may have one of its name.
    pub problem: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnCheckList {
    /// By name.
    pub checks: Vec<OwnCheck>,
    /// Whether assets are being judged by what changed last.
    pub judging: bool,
}

/// Something that keeps a check or benchmark from being used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnFault {
    /// What it is about: a check's or benchmark's name, or the number of its document.
    pub name: String,
    /// The example that does not come out as it says.
    pub example: Option<String>,
    /// What is wrong.
    pub fault: String,
}

/// What came of reading checks and benchmarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnTested {
    /// Those that can be used.
    pub checks: Vec<String>,
    /// How many examples were run.
    pub examples: u32,
    /// What is wrong. With any fault, nothing is kept.
    pub faults: Vec<OwnFault>,
    /// Whether they were kept.
    pub saved: bool,
}

/// Whether a check or benchmark is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSwitch {
    /// Whether it is.
    pub enabled: bool,
}
