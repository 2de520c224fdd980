//! What people say of assets beside their facts: exceptions, attestations, exemptions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An exception: a check that may fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exception {
    /// To delete it by.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewException,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// An exception to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewException {
    /// The check that may fail.
    pub check: String,
    /// Only where this benchmark wants it.
    #[serde(default)]
    pub benchmark: Option<String>,
    /// Only on hosts with such a name, in which `*` stands for anything.
    #[serde(default)]
    pub asset: Option<String>,
    /// Only on objects (containers, files, …) with such a name.
    #[serde(default)]
    pub object: Option<String>,
    /// Why it may.
    pub reason: String,
    /// Until when; without an end, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// All exceptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionList {
    /// In the order in which they count.
    pub exceptions: Vec<Exception>,
}

/// An attestation: a person's answer to what no check can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attestation {
    /// To delete it by.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewAttestation,
    /// The host's name.
    pub host_name: String,
    /// The name of the text that it rests on, which is under `/evidence`.
    pub evidence_name: Option<String>,
    /// Who says so.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// Until when it holds, where its control says how long.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// An attestation to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewAttestation {
    /// The host.
    pub host: i64,
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// `pass`, `fail` or `not_applicable`.
    pub status: String,
    /// Why, or where the evidence lies.
    pub reason: String,
    /// Until when it holds, if sooner than its control says.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// A text that it rests on. Lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<NewEvidence>,
}

/// A text to keep with an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvidence {
    /// Its name, such as a file's: 1 to 200 characters.
    pub name: String,
    /// The text: up to 65,536 bytes.
    pub text: String,
}

/// Attestations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttestationList {
    /// In the order in which they were made; the last one on a control counts.
    pub attestations: Vec<Attestation>,
}

/// An exemption: an asset that a recommendation does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exemption {
    /// To delete it by.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewExemption,
    /// The host's name.
    pub asset_name: Option<String>,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// An exemption to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewExemption {
    /// The recommendation.
    pub recommendation: String,
    /// The asset; absent for more than one.
    #[serde(default)]
    pub asset: Option<i64>,
    /// All assets of this environment; absent for one asset, or for all of all environments.
    #[serde(default)]
    pub environment: Option<String>,
    /// `mitigated` (something else makes up for it) or `waiver` (the risk is accepted).
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Until when; without an end, if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
}

/// All exemptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExemptionList {
    /// In the order in which they were made.
    pub exemptions: Vec<Exemption>,
}
