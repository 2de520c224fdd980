//! A check as it stands in its file.

use std::collections::BTreeMap;

use seareeve_model::FactKind;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One file of `content/checks`, or of a user's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckFile {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: String,
    pub(super) on: FactKind,
    #[serde(default)]
    pub(super) needs: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) of: Option<String>,
    #[serde(default)]
    pub(super) when: Option<String>,
    #[serde(default)]
    pub(super) unless: Option<String>,
    #[serde(default)]
    pub(super) untold: Option<String>,
    #[serde(default)]
    pub(super) takes: Option<String>,
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    #[serde(default)]
    pub(super) wants_params: bool,
    #[serde(default)]
    pub(super) standards_only: bool,
    #[serde(default, rename = "let")]
    pub(super) parts: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) fail_for: Option<String>,
    #[serde(default)]
    pub(super) fail_if: Option<String>,
    #[serde(default)]
    pub(super) review_for: Option<String>,
    #[serde(default)]
    pub(super) review_if: Option<String>,
    #[serde(default)]
    pub(super) absent: Absent,
    pub(super) message: String,
    #[serde(default)]
    pub(super) actual: Option<String>,
    pub(super) expected: String,
    pub(super) why: String,
    pub(super) fix: Fix,
    #[serde(default)]
    pub(super) refs: Vec<String>,
    #[serde(default)]
    pub(super) techniques: Vec<String>,
    pub(super) examples: Vec<Example>,
}

/// The verdict where there is no object of the kind at all.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Absent {
    #[default]
    NotApplicable,
    Fail,
    Pass,
}

/// How what a check finds is mended.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// What to do, in words.
    pub text: String,
    /// Shell lines for a person to copy. May hold expressions.
    #[serde(default)]
    pub command: Option<String>,
    /// Keys and values for `daemon.json`.
    #[serde(default)]
    pub daemon: Map<String, Value>,
    /// The mode that a file gets, in octal. May hold expressions.
    #[serde(default)]
    pub mode: Option<String>,
    /// The owner and group that a file gets: `root:root`. May hold expressions.
    #[serde(default)]
    pub owner: Option<String>,
    /// What may break.
    #[serde(default)]
    pub impact: Option<String>,
}

/// What a check says of a made-up object: a test, and for readers an explanation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) name: String,
    /// The fact's data.
    pub(super) it: Value,
    /// What `needs` are given: a document, or a list of them for `kind[]`. What is left out was not collected.
    #[serde(default)]
    pub(super) needs: BTreeMap<String, Value>,
    /// Beside the defaults.
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    /// When it is; 2026-01-01 where it does not matter.
    #[serde(default)]
    pub(super) now: Option<jiff::Timestamp>,
    pub(super) expect: String,
    #[serde(default)]
    pub(super) items: Option<usize>,
    /// The first item's message, word for word.
    #[serde(default)]
    pub(super) message: Option<String>,
}
