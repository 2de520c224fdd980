//! The catalogue of detections: what there is, what is changed about it, and how it is tried.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// All detections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectionList {
    /// By title.
    pub detections: Vec<DetectionSummary>,
    /// Clusters whose events are judged, by name: those that `coverage` speaks of.
    pub clusters: Vec<String>,
    /// What keeps something that people brought or changed from being used.
    pub problems: Vec<DetectionFault>,
}

/// A detection, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectionSummary {
    /// Its id; made of the name for rules of Falco's.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// `built_in`, or the name of the file that somebody brought.
    pub origin: String,
    /// What others call it.
    pub aliases: Vec<String>,
    /// How much its alerts weigh.
    pub severity: String,
    /// How much they weigh if nobody changes it.
    pub given_severity: String,
    /// ATT&CK's tactics.
    pub tactics: Vec<String>,
    /// ATT&CK's techniques.
    pub techniques: Vec<String>,
    /// `single` (one event is enough), `correlation` or `baseline`.
    pub kind: String,
    /// Whether it raises alerts in all clusters that say nothing else.
    pub is_on: bool,
    /// Whether it would if nobody changed it.
    pub is_given_on: bool,
    /// Clusters in which it is otherwise.
    pub differs_in: Vec<String>,
    /// Whether anything is changed about it or about lists that it names, for any cluster.
    pub is_tuned: bool,
    /// The worst of its clusters: `blind`, `partial`, `unknown` or `sees`; `unknown` without clusters.
    pub coverage: String,
    /// Clusters in which it lacks something it needs.
    pub blind_in: Vec<String>,
    /// What it raised.
    pub noise: DetectionNoise,
}

/// What a detection raised in the last 30 days. Samples do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionNoise {
    /// Alerts whose last event was in the last 7 days.
    pub alerts_7_days: u64,
    /// Alerts whose last event was in the last 30 days.
    pub alerts_30_days: u64,
    /// Of those of 30 days, dismissed by people.
    pub dismissed: u64,
    /// Of those of 30 days, dismissed by suppression rules.
    pub suppressed: u64,
    /// Of those of 30 days, resolved.
    pub resolved: u64,
    /// Alerts by the day of their first event, the last 30 days up to today.
    pub days: Vec<u64>,
    /// When it last raised something, as far as alerts are kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last: Option<Timestamp>,
}

/// A detection with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectionDetail {
    /// In short.
    #[serde(flatten)]
    pub summary: DetectionSummary,
    /// What it means, with the names of fields.
    pub description: String,
    /// What to do about its alerts.
    pub remediation: Vec<String>,
    /// Who does this for good reasons.
    pub false_positives: Vec<String>,
    /// Addresses with more about it.
    pub references: Vec<String>,
    /// How others rate it, by edition.
    pub severities: BTreeMap<String, String>,
    /// As Falco rates it.
    pub priority: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it matches, with everything that is excepted from it.
    pub condition: String,
    /// What its alerts say.
    pub output: String,
    /// The fields that its condition reads.
    pub fields: Vec<String>,
    /// The lists that it names, itself or through macros.
    pub lists: Vec<String>,
    /// The file that it stands in.
    pub file: String,
    /// The line at which it begins.
    pub line: u64,
    /// What it has to see, as its file says it.
    pub needs: Vec<DetectionNeed>,
    /// What it sees, cluster by cluster.
    pub coverage_by_cluster: Vec<DetectionSight>,
    /// What it says of made-up events.
    pub examples: Vec<DetectionExample>,
    /// What is changed about it and about lists that it names.
    pub tunings: Vec<Tuning>,
    /// What was ever changed about it, about its lists and its file, the last first.
    pub history: Vec<DetectionChange>,
    /// Nanoseconds per event that it took at the last back-test of it alone, if there was one.
    pub cost_ns: Option<u64>,
}

/// Requests that a detection has to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionNeed {
    /// `Metadata`, `Request` or `RequestResponse`.
    pub level: String,
    /// `*` stands for all.
    pub verbs: Vec<String>,
    /// `*` stands for all.
    pub resources: Vec<String>,
    /// Whose: `people`, `accounts`, `anonymous`, `nodes` or `controllers`.
    #[serde(default = "people")]
    pub users: String,
}

fn people() -> String {
    "people".to_owned()
}

/// What a detection sees in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionSight {
    /// The cluster.
    pub cluster: String,
    /// Whether its plan is on.
    pub is_on: bool,
    /// `sees`, `partial`, `blind` or `unknown`.
    pub status: String,
    /// What it lacks.
    pub lacks: Vec<String>,
    /// What nothing shows either way.
    pub unknown: Vec<String>,
    /// Whether a policy was given, and is asked where nothing arrived.
    pub has_policy: bool,
}

/// What a detection says of made-up events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectionExample {
    /// What it shows.
    pub name: String,
    /// Whether it raises an alert.
    pub fires: bool,
    /// What happens.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Value>,
}

/// A change to make about a detection or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTuning {
    /// A detection's id; for a list its name.
    pub target: String,
    /// What is changed.
    pub change: TuningChange,
    /// Only for this cluster.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Why: 1 to 2,000 characters.
    pub reason: String,
    /// When it ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TuningChange {
    /// The detection is on or off.
    Switch {
        /// On or off.
        is_on: bool,
    },
    /// Its alerts weigh as much.
    Severity {
        /// `high`, `medium`, `low` or `informational`.
        severity: String,
    },
    /// It does not match events that fit one of the rows, although its condition holds: an exception as Falco has them.
    Exception {
        /// The fields that are compared.
        fields: Vec<String>,
        /// How: one operator for each field, such as `=`, `startswith` or `in`; `=` for all when there are none.
        #[serde(default)]
        comps: Vec<String>,
        /// Rows with one value for each field.
        values: Vec<Vec<TuningValue>>,
    },
    /// The list has more or fewer items.
    List {
        /// Items that are there, too.
        #[serde(default)]
        add: Vec<String>,
        /// Items that are not.
        #[serde(default)]
        remove: Vec<String>,
    },
}

impl TuningChange {
    /// The word of `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Switch { .. } => "switch",
            Self::Severity { .. } => "severity",
            Self::Exception { .. } => "exception",
            Self::List { .. } => "list",
        }
    }
}

/// What a field of an exception is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TuningValue {
    /// A text, or the name of a list.
    One(String),
    /// Several, for operators that take a list.
    Many(Vec<String>),
}

/// A change that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tuning {
    /// To take it back by.
    pub id: i64,
    /// A detection's id, or a list's name.
    pub target: String,
    /// What is changed.
    pub change: TuningChange,
    /// The cluster for which it is; all of them, if absent.
    pub cluster: Option<String>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// Why it cannot be used: what it is about may be another one by now.
    pub problem: Option<String>,
}

/// All changes in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TuningList {
    /// In the order in which they were made.
    pub tunings: Vec<Tuning>,
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionChange {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who; `seareeve` for what ended by itself.
    pub author: String,
    /// `tuned`, `taken_back`, `ended`, `file_saved` or `file_deleted`.
    pub what: String,
    /// The detection, list or file.
    pub target: String,
    /// The cluster for which it was; all of them, if absent.
    pub cluster: Option<String>,
    /// What it was, in words.
    pub text: String,
    /// Why.
    pub reason: String,
}

/// What was ever changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionHistory {
    /// The last first.
    pub changes: Vec<DetectionChange>,
}

/// A named list that conditions compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionNamedList {
    /// By which conditions name it.
    pub name: String,
    /// `built_in`, or the name of the file that somebody brought.
    pub origin: String,
    /// Its items with what was added for all clusters.
    pub items: Vec<String>,
    /// Items that are taken out for all clusters.
    pub removed: Vec<String>,
    /// The detections that name it.
    pub detections: Vec<String>,
    /// What is changed about it, for all clusters or one.
    pub tunings: Vec<Tuning>,
}

/// All named lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionNamedLists {
    /// By name.
    pub lists: Vec<DetectionNamedList>,
}

/// A rule file that somebody brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionFile {
    /// Its name.
    pub name: String,
    /// The detections that stand in it.
    pub detections: Vec<String>,
    /// Who brought it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it became what it is.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
    /// What is wrong or odd with it by now.
    pub faults: Vec<DetectionFault>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionFileList {
    /// By name, in which order they are loaded.
    pub files: Vec<DetectionFile>,
}

/// Something that is wrong or odd with a rule file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionFault {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: u64,
    /// The column, from 1; 0 when it is about the whole line.
    pub column: u64,
    /// A stable word, Falco's where it has one: `LOAD_ERR_COMPILE_CONDITION`.
    pub code: String,
    /// What it is about: `rule 'x'`.
    pub item: String,
    /// What is wrong.
    pub message: String,
    /// Whether it keeps the file from being taken; otherwise it is a warning.
    pub is_error: bool,
}

/// What came of reading a rule file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionFileTested {
    /// The detections that stand in it and can be used.
    pub detections: Vec<String>,
    /// How many examples were run.
    pub examples: u32,
    /// What is wrong or odd. With any error nothing is kept.
    pub faults: Vec<DetectionFault>,
    /// Whether it was kept.
    pub saved: bool,
}

/// The audit policy that is said to be in force in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPolicyText {
    /// Its YAML.
    pub content: String,
    /// Who gave it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
}
