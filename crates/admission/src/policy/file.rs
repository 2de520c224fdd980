//! A policy as it is written: a YAML file, or what the server keeps.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What becomes of violations.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nobody looks.
    Off,
    /// They are let in and recorded.
    #[default]
    Audit,
    /// They are let in, and whoever asked is told.
    Warn,
    /// They are refused.
    Deny,
}

impl Mode {
    /// All modes, the mildest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Audit, Self::Warn, Self::Deny];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which violations of an object that is changed can be refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Updates {
    /// Those that the object did not have before: what is there already can still be scaled, labelled and ended. The
    /// others are warned of.
    #[default]
    Introduced,
    /// All that the new object has.
    All,
}

/// What becomes of objects that could not be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unchecked {
    /// They are let in with a warning, and counted.
    #[default]
    Admit,
    /// They are refused where the recommendation's mode is deny.
    Deny,
}

/// A policy of admission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// [`PolicyFile::SCHEMA`].
    pub schema: String,
    /// The mode of recommendations that are not named below, where these do not need parameters first.
    #[serde(default)]
    pub mode: Mode,
    /// How changes of objects are judged.
    #[serde(default)]
    pub updates: Updates,
    /// What becomes of what could not be judged.
    #[serde(default)]
    pub unchecked: Unchecked,
    /// Namespaces that are left out, beside those of each recommendation. `*` stands for anything, here and below.
    #[serde(default)]
    pub excluded_namespaces: Vec<String>,
    /// Containers of these names are not judged.
    #[serde(default)]
    pub excluded_containers: Vec<String>,
    /// Containers with these images are not judged.
    #[serde(default)]
    pub excluded_images: Vec<String>,
    /// By the recommendation's id.
    #[serde(default)]
    pub recommendations: BTreeMap<String, RuleFile>,
}

/// What a policy says of one recommendation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleFile {
    /// What becomes of violations; the policy's own mode, if absent.
    pub mode: Option<Mode>,
    /// Modes that differ, by namespace. The longest name that fits counts.
    pub namespaces: BTreeMap<String, Mode>,
    /// Namespaces that are left out, instead of those that the recommendation itself leaves out.
    pub excluded_namespaces: Option<Vec<String>>,
    /// Containers of these names are not judged by it.
    pub excluded_containers: Vec<String>,
    /// Containers with these images are not judged by it.
    pub excluded_images: Vec<String>,
    /// Those that differ from the recommendation's own.
    pub parameters: Map<String, Value>,
    /// What becomes of images that were not scanned; for recommendations about findings.
    pub unscanned: Option<Mode>,
}

impl PolicyFile {
    /// The version of the format.
    pub const SCHEMA: &'static str = "seareeve.admission/1";
}

impl Default for PolicyFile {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            mode: Mode::default(),
            updates: Updates::default(),
            unchecked: Unchecked::default(),
            excluded_namespaces: Vec::new(),
            excluded_containers: Vec::new(),
            excluded_images: Vec::new(),
            recommendations: BTreeMap::new(),
        }
    }
}
