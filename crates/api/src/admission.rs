//! What may enter clusters: policies, what the webhooks decided, and what a policy would decide.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A policy of a cluster, or of all clusters that have none of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPolicy {
    /// The cluster's name, as its webhook calls it; absent for all that have none of their own.
    pub cluster: Option<String>,
    /// In the form of the policy file, `seareeve.admission/1`.
    #[schema(value_type = Object)]
    pub policy: Map<String, Value>,
    /// Of the policy: say it when you put another in its place.
    pub digest: String,
    /// Who changed it last; absent for the built-in one.
    pub author: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed: Option<Timestamp>,
}

/// The policies there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPolicyList {
    /// The one for all clusters first.
    pub policies: Vec<AdmissionPolicy>,
}

/// A policy to put in place of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewAdmissionPolicy {
    /// See [`AdmissionPolicy::cluster`].
    #[serde(default)]
    pub cluster: Option<String>,
    /// See [`AdmissionPolicy::policy`].
    #[schema(value_type = Object)]
    pub policy: Map<String, Value>,
    /// The digest of the policy that it takes the place of: if that is another by now, nothing is changed. Whatever
    /// is there, if absent.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// The recommendations that admission can enforce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionRuleList {
    /// By id.
    pub rules: Vec<AdmissionRule>,
}

/// A recommendation that admission can enforce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionRule {
    /// The recommendation's id.
    pub id: String,
    /// What should be so.
    pub title: String,
    /// How bad it is when it is not.
    pub severity: String,
    /// Why it matters.
    pub why: String,
    /// What can be set: `default`, `title`, and `required` where its own value says nothing.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Namespaces that it leaves out by itself.
    pub excluded_namespaces: Vec<String>,
    /// Whether it is about what scans of images found.
    pub about_scans: bool,
    /// Whether it is off until a policy names its mode, or gives it parameters.
    pub waits: bool,
    /// Why it cannot be exported as a policy of Kubernetes; absent if it can.
    pub not_exported: Option<String>,
}

/// What a webhook tells the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionReport {
    /// Names the report: sent twice, it counts once.
    pub id: String,
    /// The cluster's name.
    pub cluster: String,
    /// The webhook's, such as its pod's.
    pub gate: String,
    /// The program's version.
    pub version: String,
    /// Digest of the policy that it has from the server; empty for one of its own.
    pub policy: String,
    /// Reviews since the last report.
    pub reviews: u64,
    /// How its certificate is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<AdmissionCertificate>,
    /// Decisions since the last report.
    pub counts: Vec<AdmissionCount>,
    /// Some of them.
    pub samples: Vec<AdmissionSample>,
}

/// How the certificate is that a webhook shows to the API server. While that does not trust it, everything is let in, and
/// the API server tells nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionCertificate {
    /// Until when it holds; absent where that cannot be read, or is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// From when on it is late: another should have taken its place. Absent where none could, since its authority ends
    /// with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub late_from: Option<Timestamp>,
    /// Until when the authority holds that signed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub authority_until: Option<Timestamp>,
    /// From when on it is late to tell the API server of another.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub authority_late_from: Option<Timestamp>,
    /// Why it could not be renewed, or read again, or what was lost of it.
    pub problem: Option<String>,
    /// Who would not take it in the last day, and has not asked for a review since: the last ones first.
    #[serde(default)]
    pub refusals: Vec<AdmissionRefusal>,
}

/// Somebody does not trust a webhook's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionRefusal {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The address from which it came.
    pub by: String,
    /// In the words of TLS.
    pub why: String,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionReportTaken {
    /// Whether it was new.
    pub new: bool,
}

/// How often something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionCount {
    /// The recommendation's id.
    pub recommendation: String,
    /// The namespace.
    pub namespace: String,
    /// `denied`, `warned`, `audited` (let in, and recorded) or `unchecked` (let in, because it could not be judged).
    pub effect: String,
    /// How often.
    pub count: u64,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionSample {
    /// The recommendation's id.
    pub recommendation: String,
    /// The namespace.
    pub namespace: String,
    /// See [`AdmissionCount::effect`].
    pub effect: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `create` or `update`.
    pub operation: String,
    /// The object's kind.
    pub kind: String,
    /// The object's name, or what its name begins with.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// What is wrong.
    pub message: String,
}

/// What the webhooks decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionActivity {
    /// The webhooks.
    pub gates: Vec<AdmissionGate>,
    /// By recommendation, cluster, namespace and effect.
    pub counts: Vec<AdmissionTotal>,
    /// The last ones first.
    pub samples: Vec<AdmissionEvent>,
}

/// A webhook that answers for a cluster. Those that were not heard of for minutes are left out once another one of the
/// same cluster was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionGate {
    /// The cluster's name.
    pub cluster: String,
    /// Its own.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// Whether it has the policy that the server has for its cluster; absent for one with a policy of its own.
    pub current: Option<bool>,
    /// Reviews that it answered, since `first_seen`.
    pub reviews: u64,
    /// Whether nothing was heard of it for minutes, nor of any other webhook of its cluster. If they answer nobody, the
    /// cluster lets everything in; if they only do not reach the server, they go on by the last policy.
    pub away: bool,
    /// How its certificate is; absent where it did not say.
    pub certificate: Option<AdmissionCertificate>,
    /// When it told something first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When it told something last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// Decisions of one kind, summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionTotal {
    /// The cluster's name.
    pub cluster: String,
    /// What was decided, and how often.
    #[serde(flatten)]
    pub counted: AdmissionCount,
    /// When it was first.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When it was last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// A decision of a cluster's webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionEvent {
    /// The cluster's name.
    pub cluster: String,
    /// What was decided.
    #[serde(flatten)]
    pub sample: AdmissionSample,
}

/// What a policy would make of a cluster's objects is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPreviewRequest {
    /// The cluster, by its number.
    pub asset: i64,
    /// The policy; the one in force for all clusters, if absent.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub policy: Option<Map<String, Value>>,
}

/// What a policy would make of a cluster's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPreview {
    /// Objects that any rule is about.
    pub objects: u64,
    /// By recommendation.
    pub rules: Vec<AdmissionPreviewRule>,
    /// Objects that something would be said of, at most 2,000.
    pub hits: Vec<AdmissionPreviewHit>,
    /// How many more there are.
    pub more: u64,
    /// What could not be seen of the cluster, and is not judged.
    pub gaps: Vec<String>,
}

/// What would become of objects by one recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPreviewRule {
    /// The recommendation's id.
    pub recommendation: String,
    /// The recommendation's title.
    pub title: String,
    /// Objects that would be refused.
    pub denied: u64,
    /// Objects that would be warned of.
    pub warned: u64,
    /// Objects that would be recorded.
    pub audited: u64,
    /// Objects that could not be judged.
    pub unchecked: u64,
}

/// An object that something would be said of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmissionPreviewHit {
    /// The recommendation's id.
    pub recommendation: String,
    /// See [`AdmissionCount::effect`].
    pub effect: String,
    /// The object's kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub messages: Vec<String>,
}

/// Images whose findings are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageCountsRequest {
    /// References or digests, at most 1,000.
    pub images: Vec<String>,
    /// Ids of findings that do not count.
    #[serde(default)]
    pub without: Vec<String>,
}

/// What scans found in images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageCountsList {
    /// In the order in which they were asked for.
    pub images: Vec<ImageCounts>,
}

/// What scans found in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageCounts {
    /// As it was asked for.
    pub image: String,
    /// The digest of the scanned image; absent if none was scanned under that name.
    pub digest: Option<String>,
    /// Critical findings.
    pub critical: FixableCounts,
    /// High ones.
    pub high: FixableCounts,
    /// Medium ones.
    pub medium: FixableCounts,
    /// Low ones.
    pub low: FixableCounts,
    /// Those whose severity nobody says.
    pub unknown: FixableCounts,
}

/// Findings of one severity that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FixableCounts {
    /// Those that a newer version of the package mends.
    pub fixable: u64,
    /// The others.
    pub unfixable: u64,
}
