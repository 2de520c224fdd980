//! Assets of all kinds by what they need, and the environments that they belong to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An asset with what recommendations say of it, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetSummary {
    /// In addresses.
    pub id: i64,
    /// Such as `docker-host`.
    pub kind: String,
    /// For people.
    pub name: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// `unhealthy`, `unknown`, `healthy` or `not_applicable`: the worst that any recommendation says.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// When facts of it came last.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// Recommendations that it needs.
    pub unhealthy: u64,
    /// Those that it fulfils.
    pub healthy: u64,
    /// Those that do not concern it, or that it is exempt from.
    pub not_applicable: u64,
    /// Those that could not be told.
    pub unknown: u64,
    /// Of a cluster: whether it is seen from within, rather than by its cloud alone.
    pub within: bool,
    /// The cluster that it is judged as a part of: nothing is said of it here.
    pub part_of: Option<i64>,
}

/// Some assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetPage {
    /// Those that need most first.
    pub assets: Vec<AssetSummary>,
    /// To ask for the next page with; absent at the end.
    pub next: Option<String>,
}

/// An asset and what each recommendation says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetDetail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: AssetSummary,
    /// Points that come back when it needs nothing more.
    pub potential: f64,
    /// All that are about such assets.
    pub recommendations: Vec<AssetRecommendation>,
}

/// What a recommendation says of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssetRecommendation {
    /// The recommendation.
    pub id: String,
    /// What should be so.
    pub title: String,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub health: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The exemption that takes the asset out.
    pub exemption: Option<i64>,
    /// Points that come back when the asset does what is recommended.
    pub potential: f64,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// How many assets belong to it.
    pub assets: u64,
    /// Its points.
    pub points: f64,
    /// Those that there could be.
    pub max: f64,
    /// The first as a share of the second, 0 to 1; absent when nothing was judged.
    pub share: Option<f64>,
}

/// All environments that have assets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentList {
    /// By name.
    pub environments: Vec<Environment>,
}

/// Where an asset belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAsset {
    /// The environment: 1 to 60 letters, digits, points, hyphens and underscores. One that has no assets yet is made.
    pub environment: String,
}
