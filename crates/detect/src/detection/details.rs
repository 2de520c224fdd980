//! What a detection says beyond a rule.

use std::collections::BTreeMap;

use seareeve_model::AlertSeverity;
use serde_json::Value;

use crate::rules::Located;

/// The keys of a detection that a rule does not have, not yet compiled.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) id: String,
    pub(crate) severity: AlertSeverity,
    pub(crate) severities: BTreeMap<String, AlertSeverity>,
    pub(crate) aliases: Vec<String>,
    pub(crate) tactics: Vec<String>,
    pub(crate) techniques: Vec<String>,
    pub(crate) description: Located,
    pub(crate) remediation: Vec<Located>,
    pub(crate) entities: Vec<EntityText>,
    pub(crate) properties: Vec<(String, Located)>,
    pub(crate) aggregate_by: Option<Vec<Located>>,
    pub(crate) false_positives: Vec<String>,
    pub(crate) references: Vec<String>,
    pub(crate) coverage: Value,
    pub(crate) correlation: Option<CorrelationText>,
    pub(crate) baseline: Option<BaselineText>,
    pub(crate) examples: Vec<Example>,
    /// Of the file's text.
    pub(crate) digest: [u8; 32],
}

#[derive(Clone, Debug)]
pub(crate) struct EntityText {
    pub(crate) kind: String,
    pub(crate) fields: Vec<(String, Located)>,
}

/// What a detection says of made-up events: a test, and for readers an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// Whether it raises an alert.
    pub fires: bool,
    /// What happens, as the source reads it.
    pub events: Vec<Value>,
    /// How many alerts, where it matters.
    pub alerts: Option<usize>,
    /// The first alert's output, where it matters.
    pub output: Option<String>,
}

/// Several events make one alert.
#[derive(Clone, Debug)]
pub(crate) struct CorrelationText {
    pub(crate) counting: Counting,
    pub(crate) group_by: Vec<Located>,
    pub(crate) timespan: u64,
    pub(crate) steps: Vec<StepText>,
}

/// What of the events of a group has to come together.
#[derive(Clone, Debug)]
pub(crate) enum Counting {
    Events(u64),
    Values(u64, Located),
    Steps { is_ordered: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct StepText {
    pub(crate) name: String,
    /// A condition of its own, or another detection's id.
    pub(crate) condition: Result<Located, (String, Located)>,
    pub(crate) group_by: Option<Vec<Located>>,
}

/// Only what is new or rare is an alert.
#[derive(Clone, Debug)]
pub(crate) struct BaselineText {
    pub(crate) habit: Habit,
    pub(crate) group_by: Vec<Located>,
    pub(crate) fields: Vec<Located>,
}

/// How habits are learned. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Habit {
    /// Below which share something is rare; nothing when only what is new counts.
    pub(crate) share: Option<f64>,
    pub(crate) learning: u64,
    pub(crate) learning_events: u64,
    pub(crate) forget: u64,
    pub(crate) alerts_on_new_groups: bool,
}
