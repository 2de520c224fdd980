//! Clusters whose audit events are judged, and where these come from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A cluster whose audit events are, or could be, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditCluster {
    /// By which it is known: letters, digits and hyphens.
    pub name: String,
    /// The same cluster where its configuration is judged (`/api/v1/clusters/{id}`). Absent while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<AuditSameCluster>,
    /// Since when its events raise alerts. Absent while that is off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub on_since: Option<Timestamp>,
    /// Who last consented to its events being read, which may hold sensitive data.
    pub consent_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub consent_at: Option<Timestamp>,
    /// Where its events come from.
    pub sources: Vec<AuditSource>,
    /// Events that were judged.
    pub events: u64,
    /// Events from before it was switched on, which raise nothing.
    pub early_events: u64,
    /// Events that came more than once and were counted once.
    pub repeated_events: u64,
    /// What came and could not be read as an event, or not be judged in full.
    pub broken_events: u64,
    /// The same by what is wrong with it.
    pub broken: Vec<BrokenEvents>,
    /// When the newest event happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event: Option<Timestamp>,
    /// What is or was wrong with its events.
    pub problem: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub problem_at: Option<Timestamp>,
    /// Bytes that were received and wait to be judged.
    pub backlog_bytes: u64,
    /// Recent events that are kept, without their secrets.
    pub kept_events: u64,
    /// Since when. Absent if none are.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub kept_since: Option<Timestamp>,
}

/// What came and could not be read as an event, or not be judged in full, of one sort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrokenEvents {
    /// What is wrong: `no-json`, `no-audit-id`, `event-too-large`, `no-time` and so on.
    pub kind: String,
    /// How many there were.
    pub events: u64,
    /// When the last of them was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
}

/// All clusters whose audit events are, or could be, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditClusterList {
    /// By name.
    pub clusters: Vec<AuditCluster>,
    /// What has to be known before one is switched on.
    pub warning: String,
}

/// The cluster whose configuration is judged, and how it is known that it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSameCluster {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `person` (somebody said so), `uid` (events show the uid of its namespace `kube-system`) or `name`.
    pub known_by: String,
}

/// Which cluster whose configuration is judged it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditJoin {
    /// This one.
    Cluster {
        /// Its number.
        id: i64,
    },
    /// None of those that are known.
    None,
    /// Found out by uid and name.
    FoundOut,
}

/// A cluster to make known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuditCluster {
    /// 1 to 63 lower-case letters, digits and hyphens, as a label of DNS. It cannot be changed.
    pub name: String,
    /// The cluster whose configuration is judged that it is; found out by uid and name, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<i64>,
}

/// Whether a cluster's events raise alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditPlan {
    /// On or off.
    pub is_on: bool,
    /// That the warning was read, and that reading the cluster's events is consented to. Needed to switch it on.
    #[serde(default)]
    pub consent: bool,
}

/// Where audit events come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSource {
    /// To delete it by.
    pub id: i64,
    /// How to read it.
    #[serde(flatten)]
    pub settings: AuditSourceSettings,
    /// When it was heard of last, within 10 s.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub received: Option<Timestamp>,
    /// What is wrong with it; absent while it works.
    pub problem: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// Who did.
    pub author: String,
}

/// How to read a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditSourceSettings {
    /// The API server sends its events (`--audit-webhook-config-file`).
    Webhook,
    /// A file on the server's machine that is written to: events, one on a line, or exports of EKS or GKE.
    File {
        /// The file.
        path: String,
        /// Read what is in it already, instead of only what comes.
        #[serde(default)]
        from_start: bool,
    },
    /// A topic of a broker that speaks Kafka's protocol, such as Azure Event Hubs.
    Kafka {
        /// Brokers, such as `NAME.servicebus.windows.net:9093`.
        brokers: Vec<String>,
        /// The topic; for Event Hubs the hub's name.
        topic: String,
        /// Whether to speak TLS.
        #[serde(default = "yes")]
        tls: bool,
        /// The user of SASL; for Event Hubs `$ConnectionString`. Absent for a broker that asks nobody.
        #[serde(default)]
        username: Option<String>,
        /// How the broker is shown the password: `plain` (if absent, and for Event Hubs), `scram-sha-256` or
        /// `scram-sha-512`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mechanism: Option<String>,
        /// A file in the server's folder of credentials (`connectors.credentials_dir`) with the password; for Event Hubs
        /// with the connection string.
        #[serde(default)]
        password_file: Option<String>,
        /// A file on the server's machine with certificates (PEM) of authorities that are trusted for these brokers besides
        /// the usual ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<String>,
        /// Read what is in it already, instead of only what comes.
        #[serde(default)]
        from_start: bool,
    },
}

fn yes() -> bool {
    true
}

impl AuditSourceSettings {
    /// The word of `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::File { .. } => "file",
            Self::Kafka { .. } => "kafka",
        }
    }
}

/// A source that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSourceCreated {
    /// The source.
    pub source: AuditSource,
    /// What the API server needs to send its events here. For a webhook only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<AuditWebhook>,
}

/// What an API server needs to send its events here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditWebhook {
    /// The path behind this server's address.
    pub path: String,
    /// The address as this server believes it to be.
    pub address: String,
    /// The token, shown once.
    pub token: String,
    /// The certificate (PEM) of the authority that signed this server's; absent where the server has none of its own.
    pub ca_certificate: Option<String>,
    /// The file for `--audit-webhook-config-file`, with all of this.
    pub kubeconfig: String,
}

/// Without the token.
impl std::fmt::Debug for AuditWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditWebhook")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Whether what arrives of a cluster is what the detections need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditCoverage {
    /// Events that this is judged by.
    pub events: u64,
    /// Whether a policy was given, and is asked where nothing arrived.
    #[serde(default)]
    pub has_policy: bool,
    /// All detections.
    pub detections: Vec<DetectionCoverage>,
}

/// Whether a detection sees what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionCoverage {
    /// The detection.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// `sees` (something of what it needs is logged as it needs it, and nothing shows that it lacks anything),
    /// `partial` (of some requests too little is logged), `blind` (of all that is known of) or `unknown` (nothing shows
    /// it either way).
    pub status: String,
    /// What it lacks, such as `create deployments.apps is logged at Metadata, Request is needed`.
    pub reasons: Vec<String>,
    /// What nothing shows either way, such as `create deployments.apps at Request`.
    #[serde(default)]
    pub unknown: Vec<String>,
}
