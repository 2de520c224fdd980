//! Rules that are tried on kept events: what they raise now, and what they would raise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::NewTuning;

/// What to try on kept events: exactly one of `detection`, `tuning` and `file`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBacktest {
    /// A detection as it is, as if it were on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<String>,
    /// A change, before it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<NewTuning>,
    /// A rule file, before it is brought, in place of the one of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<BacktestFile>,
    /// Only on events of these clusters; of all of them, if there are none.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Only on events since then; on all that are kept, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// A rule file to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestFile {
    /// Its name.
    pub name: String,
    /// Its YAML.
    pub content: String,
}

/// A back-test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backtest {
    /// To ask for it by.
    pub id: i64,
    /// What is tried.
    pub title: String,
    /// The detection or file that it is about.
    pub target: Option<String>,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// Events that it has gone through.
    pub seen: u64,
    /// Events that there are, about.
    pub total: u64,
    /// Why it failed.
    pub problem: Option<String>,
    /// Who asked for it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// What came of it; absent in lists, and until it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<BacktestResult>,
}

/// The last back-tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BacktestList {
    /// The last first.
    pub backtests: Vec<Backtest>,
}

/// What came of a back-test: what the rules raise now, and what they would raise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BacktestResult {
    /// The events that it ran on.
    pub span: BacktestSpan,
    /// Of all rules together.
    pub counts: BacktestCounts,
    /// By rule.
    pub rules: Vec<BacktestGroup>,
    /// By cluster.
    pub clusters: Vec<BacktestGroup>,
    /// By who did it, those with the most first.
    pub users: Vec<BacktestGroup>,
    /// By hour, or by day for a longer span; those with nothing are left out.
    pub times: Vec<BacktestTime>,
    /// `hour` or `day`.
    pub step: String,
    /// Some events that would raise something that nothing raises now.
    pub added: Vec<BacktestSample>,
    /// Some events that raise something now, and would no more.
    pub gone: Vec<BacktestSample>,
    /// Some events of which nothing changes.
    pub same: Vec<BacktestSample>,
    /// Fields that a rule reads and of which something was taken out before events were kept.
    pub redacted: Vec<BacktestRedacted>,
    /// What has to be known to believe it, in sentences.
    pub notes: Vec<String>,
    /// Nanoseconds per event that the tried rules took.
    pub cost_ns: u64,
}

/// The events that a back-test ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestSpan {
    /// Since when was asked for; absent for all that is kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked_since: Option<Timestamp>,
    /// When the first event happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first: Option<Timestamp>,
    /// When the last one did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last: Option<Timestamp>,
    /// How many there were.
    pub events: u64,
    /// How many could not be read.
    pub unreadable: u64,
    /// How many were kept without their bodies, being too long.
    pub without_bodies: u64,
    /// How many have something taken out of them.
    pub redacted: u64,
}

/// How much is raised, and would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestCounts {
    /// Events that raise something now.
    pub now: u64,
    /// Events that would.
    pub then: u64,
    /// Events that would and do not.
    pub added: u64,
    /// Events that do and would not.
    pub gone: u64,
    /// Alerts that are made of the events of now: the same again within a day is one.
    pub alerts_now: u64,
    /// Alerts that would be.
    pub alerts_then: u64,
    /// Events of `then` whose alerts suppression rules dismiss.
    pub suppressed: u64,
}

/// The same of one rule, cluster or user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestGroup {
    /// Its id or name.
    pub name: String,
    /// Events that raise something now.
    pub now: u64,
    /// Events that would.
    pub then: u64,
    /// Events that would and do not.
    pub added: u64,
    /// Events that do and would not.
    pub gone: u64,
}

/// The same of one hour or day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestTime {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Events that raise something now.
    pub now: u64,
    /// Events that would.
    pub then: u64,
}

/// An event that raises something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BacktestSample {
    /// The rule.
    pub rule: String,
    /// The cluster.
    pub cluster: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it.
    pub user: String,
    /// What the rule says of it.
    pub output: String,
    /// How much it would weigh.
    pub severity: String,
    /// Which comparisons decided, with the values that were compared.
    #[schema(value_type = Object)]
    pub evidence: Value,
    /// The event without its secrets; absent where there was no more room.
    #[schema(value_type = Option<Object>)]
    pub event: Option<Value>,
}

/// A field that a rule reads and of which something was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestRedacted {
    /// The rule.
    pub rule: String,
    /// The field.
    pub field: String,
    /// In how many events, of those that were looked at for it.
    pub events: u64,
}
