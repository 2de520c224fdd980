//! Alerts: what a rule says of an event, with what makes it believable.
//!
//! An alert leaves the engine as JSON, is stored and sent to others, so its form is agreed: fields are added, never
//! renamed. What people do with it (state, owner, notes) is not part of it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;

/// A rule matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// The detection's id: kebab-case, stable over versions. Made of the name for rules that have none.
    pub id: String,
    /// When the event happened; of a correlation, the one that completed it.
    pub time: Timestamp,
    /// As Falco rates it.
    pub priority: Priority,
    /// As people sort it.
    pub severity: AlertSeverity,
    /// ATT&CK tactics: `privilege-escalation`.
    pub tactics: Vec<String>,
    /// ATT&CK techniques: `T1610`, `T1552.007`.
    pub techniques: Vec<String>,
    /// One line about what happened, made of the rule's template.
    pub output: String,
    /// The fields that the template, the description and the entities name, as JSON of their type; null where the event
    /// has none.
    pub output_fields: BTreeMap<String, Value>,
    /// Which source the event came from: `k8s_audit`, `syscall`.
    pub source: String,
    /// A short title without values.
    pub title: String,
    /// What happened and what it means, in sentences, with values.
    pub description: String,
    /// What to do, step by step.
    pub remediation: Vec<String>,
    /// The rule's tags.
    pub tags: Vec<String>,
    /// Whom and what it concerns, in the rule's order: the first is what is compromised.
    pub entities: Vec<Entity>,
    /// Equal for alerts that tell of the same: a digest of the detection's id and what the rule aggregates by.
    pub key: String,
    /// Why the rule matched.
    pub evidence: Evidence,
}

/// Something that an alert concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// What it is: `pod`, `account`, `ip`, `host`, `process`, `file`, `image`, `namespace`, `workload`, …
    pub kind: String,
    /// What tells it from others of its kind, by name: `{"namespace": "a", "name": "b"}`.
    pub fields: BTreeMap<String, String>,
}

/// Why a rule matched: what the engine compared, and the content that it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of the rule with everything that it is made of: lists, macros, exceptions, parameters.
    pub content: Digest,
    /// The comparisons that decided, in the condition's order.
    pub matched: Vec<Matched>,
    /// What a correlation or a baseline found, in sentences; the strongest reason first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Of a correlation: the events that it is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlated: Option<Correlated>,
}

/// A comparison that holds, or one under `not` that does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The field, with brackets and transformers as the rule has them.
    pub field: String,
    /// `=`, `in`, `startswith`, …
    pub operator: String,
    /// What the rule compares with; of many values, those that were met.
    pub wanted: Vec<String>,
    /// The event's values; none when it has no such field.
    pub seen: Vec<String>,
    /// False where the rule wants it not to hold.
    pub holds: bool,
}

/// The events that a correlation joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correlated {
    /// By which values they belong together.
    pub group: BTreeMap<String, String>,
    /// How many there were.
    pub events: u64,
    /// When the first of them happened.
    pub first: Timestamp,
    /// When the last of them happened.
    pub last: Timestamp,
    /// Some of them, the last at the end: what they did.
    pub samples: Vec<Sample>,
}

/// One event of a correlation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it happened.
    pub time: Timestamp,
    /// The rule that it matched.
    pub rule: String,
    /// What that rule says of it.
    pub output: String,
}

/// Falco's priorities, the most urgent first as Falco has them; `<=` reads as "at least as urgent".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// The system cannot be used.
    Emergency,
    /// Act at once.
    Alert,
    /// A critical condition.
    Critical,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Normal, but of note.
    Notice,
    /// For information.
    Informational,
    /// For those who write rules.
    Debug,
}

/// How sure we are that harm is meant, and how much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    /// Of interest only inside an incident.
    Informational,
    /// May be benign, or was blocked.
    Low,
    /// Suspicious.
    Medium,
    /// Harm is meant and done, with high confidence.
    High,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// As Falco writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    /// The priority called `text` in any case. `INFO` is short for `INFORMATIONAL`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("info") {
            return Some(Self::Informational);
        }
        let mut all = Self::ALL.into_iter();
        all.find(|priority| priority.as_str().eq_ignore_ascii_case(text))
    }

    /// The severity of rules that name none.
    #[must_use]
    pub fn severity(self) -> AlertSeverity {
        match self {
            Self::Emergency | Self::Alert | Self::Critical => AlertSeverity::High,
            Self::Error | Self::Warning => AlertSeverity::Medium,
            Self::Notice => AlertSeverity::Low,
            Self::Informational | Self::Debug => AlertSeverity::Informational,
        }
    }
}

impl AlertSeverity {
    /// All of them, the lowest first.
    pub const ALL: [Self; 4] = [Self::Informational, Self::Low, Self::Medium, Self::High];

    /// The lower-case name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The severity called `text` in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|severity| severity.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for AlertSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
