//! Alerts: what was seen that may be an attack, and what people make of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An alert as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertSummary {
    /// Stays the same for ever.
    pub id: String,
    /// What was detected.
    pub title: String,
    /// `high`, `medium`, `low` or `informational`.
    pub severity: String,
    /// `new`, `active`, `in_progress`, `resolved` or `dismissed`.
    pub state: String,
    /// Who deals with it.
    pub owner: Option<String>,
    /// The cluster's name.
    pub cluster: String,
    /// The detection that raised it.
    pub rule: String,
    /// ATT&CK's tactics, such as `Execution`.
    pub tactics: Vec<String>,
    /// ATT&CK's techniques, such as `T1609`.
    pub techniques: Vec<String>,
    /// What was attacked.
    pub compromised_entity: String,
    /// How many events it stands for.
    pub seen: u64,
    /// When the first one happened.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When the last one happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// The incident that it belongs to.
    pub incident: Option<String>,
    /// The suppression rule that dismissed it as it was raised.
    pub suppressed_by: Option<i64>,
    /// Made up, for a demonstration or to try out what is done with alerts.
    pub is_sample: bool,
}

/// Something that an alert is about, or was done by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct AlertEntity {
    /// `user`, `ip`, `pod`, `namespace`, `image` and the like.
    pub kind: String,
    /// Its name, with its namespace before it where it has one.
    pub name: String,
    /// What tells it from others of its kind, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// An alert with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertDetail {
    /// As lists show it.
    #[serde(flatten)]
    pub summary: AlertSummary,
    /// Who says so.
    pub vendor: String,
    /// With which program.
    pub product: String,
    /// What happened, in sentences.
    pub description: String,
    /// What to do, step by step.
    pub remediation_steps: Vec<String>,
    /// When it may be benign.
    pub false_positives: Vec<String>,
    /// What it is about, and who did it.
    pub entities: Vec<AlertEntity>,
    /// What else is known of the first event, by name.
    pub extended_properties: BTreeMap<String, Value>,
    /// The names by which others know such alerts.
    pub aliases: Vec<String>,
    /// One line about the first event.
    pub output: String,
    /// As Falco rates it.
    pub priority: String,
    /// The detection's tags.
    pub tags: Vec<String>,
    /// What equal alerts have in common.
    pub correlation_key: String,
    /// Why the detection matched: `content` (the digest of the detection), `matched`, `reasons`, `correlated`.
    #[schema(value_type = Object)]
    pub evidence: Value,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    pub raised: Timestamp,
    /// When it or what people say of it changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
    /// The first events that it stands for.
    pub events: Vec<AlertEvent>,
    /// What people did with it, in order.
    pub history: Vec<AlertHistory>,
    /// The cluster whose configuration is judged, if it is known to be the same (`/api/v1/clusters/{id}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<i64>,
    /// The workloads of that cluster that the alert is about, as their configuration is judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<AlertWorkload>,
}

/// A workload that an alert is about, as its configuration is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertWorkload {
    /// By which `/api/v1/clusters/{id}/workloads` knows it.
    pub id: String,
    /// Its kind: `Deployment`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An event that raised an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The event, without its secrets. Absent for all but the first ones of an alert.
    pub event: Option<Value>,
}

/// A line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertHistory {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// `state`, `owner` or `note`.
    pub what: String,
    /// What was there before.
    pub was: Option<String>,
    /// What is there since; for a note, its text.
    pub value: Option<String>,
}

/// A page of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<AlertSummary>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
}

/// How many alerts have one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertFacet {
    /// The value, as lists are asked for it.
    pub value: String,
    /// For people.
    pub title: String,
    /// How many alerts have it.
    pub alerts: u64,
    /// How many of them somebody still has to deal with.
    pub open: u64,
}

/// How many alerts there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertFacets {
    /// By state.
    pub states: Vec<AlertFacet>,
    /// By severity.
    pub severities: Vec<AlertFacet>,
    /// By cluster.
    pub clusters: Vec<AlertFacet>,
    /// By detection.
    pub rules: Vec<AlertFacet>,
}

/// What to do with alerts. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertChange {
    /// The alerts, 1 to 1,000.
    pub ids: Vec<String>,
    /// `new`, `active`, `in_progress`, `resolved` or `dismissed`.
    #[serde(default)]
    pub state: Option<String>,
    /// Who deals with them; empty for nobody.
    #[serde(default)]
    pub owner: Option<String>,
    /// What you have to say, up to 4,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertsChanged {
    /// How many of the alerts there are.
    pub alerts: u64,
}

/// What the one who raised an alert did before and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelatedRequests {
    /// Whose requests these are.
    pub user: String,
    /// In the order in which they happened.
    pub requests: Vec<RelatedRequest>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
    /// Since when events are kept; nothing before can be listed. Absent if none are.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub kept_since: Option<Timestamp>,
}

/// A request to a cluster's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelatedRequest {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Its id in the audit log.
    pub audit_id: String,
    /// `get`, `create` and so on.
    pub verb: String,
    /// What it is about, such as `pods/exec`; for others than resources, the path.
    pub resource: String,
    /// Where that is.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The answer's HTTP status.
    pub code: Option<u16>,
    /// Where it came from.
    pub source_ip: Option<String>,
    /// What it came from.
    pub user_agent: Option<String>,
}

/// Sample alerts that were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SampleAlerts {
    /// Their ids.
    pub alerts: Vec<String>,
}

/// An incident as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentSummary {
    /// Stays the same for ever.
    pub id: String,
    /// What it is.
    pub title: String,
    /// As of alerts: that of its gravest one.
    pub severity: String,
    /// As of alerts.
    pub state: String,
    /// Who deals with it.
    pub owner: Option<String>,
    /// What its alerts have in common.
    pub shared: Vec<AlertEntity>,
    /// How many alerts it has.
    pub alerts: u64,
    /// When its first event happened.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When the last one did.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// An incident with its alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentDetail {
    /// As lists show it.
    #[serde(flatten)]
    pub summary: IncidentSummary,
    /// The clusters of its alerts.
    pub clusters: Vec<String>,
    /// The tactics of its alerts, in the order of the kill chain.
    pub tactics: Vec<String>,
    /// Its alerts, in the order in which they began.
    pub timeline: Vec<AlertSummary>,
}

/// A page of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentPage {
    /// The incidents.
    pub incidents: Vec<IncidentSummary>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
}

/// What to do with an incident and, with it, all of its alerts. What is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentChange {
    /// As of alerts.
    #[serde(default)]
    pub state: Option<String>,
    /// Who deals with it; empty for nobody.
    #[serde(default)]
    pub owner: Option<String>,
    /// What you have to say; it is noted with each alert.
    #[serde(default)]
    pub note: Option<String>,
}

/// A suppression rule: alerts that fit it are dismissed as they are raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionRule {
    /// To change or delete it by.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewSuppressionRule,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// How many alerts it has dismissed.
    pub alerts: u64,
    /// Whether it works now: it is on, and has not ended.
    pub is_in_force: bool,
}

/// A suppression rule to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppressionRule {
    /// 2 to 50 letters, digits, `-` and `_`; the first is a letter or digit.
    pub name: String,
    /// Whether it works.
    #[serde(default = "yes")]
    pub is_on: bool,
    /// Only alerts of this detection; absent for any.
    #[serde(default)]
    pub rule: Option<String>,
    /// Only alerts that name such things; all have to hold. Without any, and without `rule`, it would fit everything
    /// and is refused.
    #[serde(default)]
    pub criteria: Vec<SuppressionCriterion>,
    /// `false_positive`, `noise`, `accepted` or `other`.
    pub reason: String,
    /// Why, in sentences; up to 2,000 characters.
    #[serde(default)]
    pub comment: String,
    /// Until when, at most 6 months ahead; without an end, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

/// What an alert has to name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionCriterion {
    /// The kind of entity (`user`, `ip`, `pod`, …), `cluster`, or `property.NAME` for an extended property.
    pub kind: String,
    /// Names, in which `*` stands for anything; one of them has to fit.
    pub names: Vec<String>,
}

/// All suppression rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionRules {
    /// In the order in which they count: the first that fits dismisses.
    pub rules: Vec<SuppressionRule>,
}

/// What a suppression rule would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuppressionTrial {
    /// How many of the stored alerts it fits.
    pub alerts: u64,
    /// How many events these stand for.
    pub events: u64,
    /// How many alerts were looked at: the last ones.
    pub looked_at: u64,
    /// Some of those that it fits.
    pub examples: Vec<AlertSummary>,
}
