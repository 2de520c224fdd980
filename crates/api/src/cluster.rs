//! Kubernetes clusters, and what is said of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{HostRecommendation, ReportBenchmark, ReportGap, ReportObject, SeverityCounts};

/// A cluster in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterSummary {
    /// In addresses.
    pub id: i64,
    /// The uid of its namespace `kube-system`, by which it is known again; the cloud's own id of one that is seen by its
    /// cloud alone.
    pub uid: String,
    /// For people.
    pub name: String,
    /// Of its API server; absent where that is not known, as for the following.
    pub version: Option<String>,
    /// Who made it what it is: `aks`, `eks`, `gke`, `kind`, …
    pub provider: Option<String>,
    /// How many nodes it has.
    pub nodes: Option<u64>,
    /// How many namespaces.
    pub namespaces: Option<u64>,
    /// How many workloads.
    pub workloads: Option<u64>,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Its failed controls of the newest editions, by severity; `unknown` are those that a person says fail.
    pub failed: SeverityCounts,
    /// How it is watched.
    pub watch: ClusterWatch,
    /// What its cloud knows it as; absent where no connector tells of it.
    pub cloud: Option<ClusterCloud>,
    /// When its facts came first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When it was heard of last, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// How a cluster is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterWatch {
    /// `sensor` (one runs in it, or beside it), `server` (this server, as its settings say) or `cloud` (nobody sees it
    /// from within: it stands under `/cloud-assets`).
    pub by: String,
    /// `watching`, `partial` (something may not be read), `reading` (its facts are on their way), `unreachable`
    /// (what is said of it is as it was last) or `cloud`.
    pub state: String,
    /// Why it is not `watching`.
    pub reason: Option<String>,
    /// Since when it is `unreachable`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// The side of a cluster that its cloud knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterCloud {
    /// What connectors know it as, under `/cloud-assets`; absent where somebody said that it is none of them.
    pub asset: Option<i64>,
    /// Its name there.
    pub name: Option<String>,
    /// The cloud's own id.
    pub cloud_id: Option<String>,
    /// Why both are one: `nodes` (a node lies where the cloud keeps its nodes), `address` (the API server is asked by a
    /// name that the cloud gave it), `label` (of the nodes) or `chosen`.
    pub how: String,
    /// Who chose it.
    pub author: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// Which asset of a cloud a cluster is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseCloud {
    /// Its number, as `/cloud-assets` lists it; `null`: it is none of them, whatever looks like it.
    pub asset: Option<i64>,
}

/// A page of clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterPage {
    /// The rows.
    pub clusters: Vec<ClusterSummary>,
    /// To be sent as `cursor` for the next page; absent at the end.
    pub next: Option<String>,
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterDetail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: ClusterSummary,
    /// The address of its API.
    pub endpoint: Option<String>,
    /// `linux/amd64`.
    pub platform: Option<String>,
    /// The program that collects its facts.
    pub collector: String,
    /// Of when its facts are.
    #[schema(value_type = String, format = DateTime)]
    pub collected_at: Timestamp,
    /// When what is said of it changed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub judged_at: Option<Timestamp>,
    /// Its nodes, by name.
    pub node_list: Vec<ClusterNode>,
    /// The newest editions of the benchmarks that are about it.
    pub benchmarks: Vec<ReportBenchmark>,
    /// What recommendations say of it.
    pub recommendations: Vec<HostRecommendation>,
    /// What could not be collected, and why.
    pub gaps: Vec<ReportGap>,
    /// Its audit events, where they are or could be judged.
    #[serde(default)]
    pub audit: Vec<ClusterAudit>,
}

/// Whether a cluster's audit events are judged, and what they raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterAudit {
    /// By which alerts name the cluster (`/api/v1/audit/clusters/{name}`).
    pub name: String,
    /// How it is known that it is the same: `person`, `uid` or `name`.
    pub known_by: String,
    /// Since when its events raise alerts. Absent while that is off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub on_since: Option<Timestamp>,
    /// When the newest event happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event: Option<Timestamp>,
    /// What is wrong with its events.
    pub problem: Option<String>,
    /// Alerts that somebody has to deal with, by severity: `high`, `medium`, `low`, `informational`.
    pub open_alerts: std::collections::BTreeMap<String, u64>,
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// Of its kubelet.
    pub version: Option<String>,
    /// The operating system's name.
    pub os_image: Option<String>,
    /// The container runtime and its version.
    pub runtime: Option<String>,
    /// `control-plane`, `worker`, …
    pub roles: Vec<String>,
    /// Whether it says that it is ready; absent where that is not known.
    pub ready: Option<bool>,
    /// The host whose sensor tells of it; absent where none does.
    pub host: Option<i64>,
}

/// A workload in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterWorkload {
    /// `Deployment/shop/web`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Deployment`, `Pod`, …
    pub kind: String,
    /// Where it lies.
    pub namespace: String,
    /// Checks that fail on it, by severity.
    pub failed: SeverityCounts,
    /// Checks that could not be told.
    pub untold: u32,
}

/// A page of workloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterWorkloadPage {
    /// Those with the gravest failures first.
    pub workloads: Vec<ClusterWorkload>,
    /// How many there are on all pages.
    pub total: u64,
    /// To be sent as `cursor` for the next page; absent at the end.
    pub next: Option<String>,
}

/// What workloads can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterWorkloadFacets {
    /// Namespaces, by name.
    pub namespaces: Vec<WorkloadFacet>,
    /// Kinds, by name.
    pub kinds: Vec<WorkloadFacet>,
    /// Checks that fail on any, those that fail on most first.
    pub checks: Vec<WorkloadFacet>,
}

/// A value to filter by, and how many workloads have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadFacet {
    /// The value.
    pub value: String,
    /// For people.
    pub title: String,
    /// How many workloads have it.
    pub count: u64,
}

/// A workload and what is said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterWorkloadDetail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: ClusterWorkload,
    /// What each check says of it, failures first, then the gravest.
    pub results: Vec<WorkloadResult>,
    /// The images that it uses, at most 200, with what scans found in them.
    pub images: Vec<crate::AssetImage>,
    /// What was seen of it.
    #[schema(value_type = Object)]
    pub fact: serde_json::Value,
}

/// What a check says of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadResult {
    /// What holds when it passes.
    pub title: String,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// Why it matters.
    pub why: String,
    /// How it is mended.
    pub fix: String,
    /// The check, its status and what was found.
    #[serde(flatten)]
    pub object: ReportObject,
}

/// What a recommendation says of a cluster, object by object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterRecommendation {
    /// What it says.
    #[serde(flatten)]
    pub said: HostRecommendation,
    /// Objects that fail, by name; the first 200.
    pub unhealthy: Vec<ReportObject>,
    /// How many fail.
    pub unhealthy_count: u64,
    /// How many pass, or may fail.
    pub healthy_count: u64,
    /// How many it does not concern.
    pub not_applicable_count: u64,
    /// How many could not be judged.
    pub unknown_count: u64,
    /// Namespaces that are left out.
    pub excluded_namespaces: Vec<String>,
}

/// What people set for a recommendation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecommendationSettings {
    /// Parameters by name; its own for the rest.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Namespaces that are left out; its own, if absent.
    #[serde(default)]
    pub excluded_namespaces: Option<Vec<String>>,
    /// Whether it is judged; as it says itself, if absent.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What is set for a recommendation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationSettings {
    /// The recommendation.
    pub recommendation: String,
    /// What was set.
    #[serde(flatten)]
    pub set: NewRecommendationSettings,
    /// Who set it; absent when nobody did.
    pub author: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed: Option<Timestamp>,
    /// Its own parameters: `default`, `title`, and whether one is `required`.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// Its own excluded namespaces.
    pub own_excluded_namespaces: Vec<String>,
    /// Whether it is judged before somebody says so.
    pub own_enabled: bool,
}

/// What was set for a recommendation, change by change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationSettingsHistory {
    /// The last first, at most 100.
    pub changes: Vec<RecommendationSettingsChange>,
}

/// A change of what is set for a recommendation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationSettingsChange {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What was set; absent where it was taken back.
    pub set: Option<NewRecommendationSettings>,
}

/// What settings of a recommendation would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationPreview {
    /// Points of the score now.
    pub points: f64,
    /// Points that there would be.
    pub points_after: f64,
    /// Each cluster that it is about, by name.
    pub clusters: Vec<ClusterPreview>,
}

/// What settings of a recommendation would change for a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterPreview {
    /// The cluster.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is said of it: `healthy`, `unhealthy`, `not_applicable` or `unknown`; absent where it is not judged.
    pub health: Option<String>,
    /// What would be said.
    pub health_after: Option<String>,
    /// Objects that fail.
    pub failing: u64,
    /// Objects that would fail.
    pub failing_after: u64,
    /// Objects that would fail, and do not: how many, and the first of them by name.
    pub begin_count: u64,
    /// The first of them.
    pub begin: Vec<String>,
    /// Objects that fail, and would not.
    pub end_count: u64,
    /// The first of them.
    pub end: Vec<String>,
}

/// What became of a list of facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactsIndexed {
    /// The asset that they are of.
    pub asset: i64,
    /// To be named by what is sent next.
    pub revision: String,
    /// Ids of the facts that are to be sent, by kind.
    #[schema(value_type = Object)]
    pub wanted: std::collections::BTreeMap<String, std::collections::BTreeSet<String>>,
}

/// What became of changed facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactsChanged {
    /// To be named by what is sent next.
    pub revision: String,
}
