//! Recommendations, and the secure score that they make.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A recommendation with how many assets it finds healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recommendation {
    /// In addresses.
    pub id: String,
    /// What should be so.
    pub title: String,
    /// `high`, `medium` or `low`.
    pub severity: String,
    /// The kind of asset that it is about.
    pub asset: String,
    /// The score groups in which it counts.
    pub score_groups: Vec<String>,
    /// Judged, but not counted in the score.
    pub preview: bool,
    /// Whether one click mends it.
    pub quick_fix: bool,
    /// Whether it can be made a rule of admission.
    pub deny: bool,
    /// Assets that need nothing.
    pub healthy: u32,
    /// Assets that need it.
    pub unhealthy: u32,
    /// Assets that it does not concern, or that are exempt.
    pub not_applicable: u32,
    /// Assets of which it could not be told.
    pub unknown: u32,
    /// Points that come back when no asset needs it any more, as far as other recommendations do not hold them.
    pub potential: f64,
}

/// All recommendations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationList {
    /// Those that bring the most points first, then the most severe.
    pub recommendations: Vec<Recommendation>,
    /// The same by score group, groups that could bring the most first. Also those of which no asset was judged.
    #[serde(default)]
    #[schema(required = true)]
    pub groups: Vec<RecommendationGroup>,
}

/// A score group and what is recommended in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationGroup {
    /// The group.
    pub id: String,
    /// For people.
    pub title: String,
    /// Its points. They count in the whole when any asset was judged.
    pub max: f64,
    /// Those that are there.
    pub current: f64,
    /// Those to be had.
    pub potential: f64,
    /// Assets that are healthy for all of its recommendations.
    pub healthy: u32,
    /// Assets that are not.
    pub unhealthy: u32,
    /// Assets of which it could not be told: they count neither way.
    pub unknown: u32,
    /// Its recommendations, in the order of the list but for what they bring in this group.
    pub recommendations: Vec<GroupedRecommendation>,
}

/// A recommendation in one of its score groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupedRecommendation {
    /// The recommendation.
    pub id: String,
    /// Points that come back in this group when no asset needs it any more.
    pub potential: f64,
}

/// A recommendation and its assets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationDetail {
    /// As in the list.
    #[serde(flatten)]
    pub summary: Recommendation,
    /// Why it matters.
    pub why: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// The benchmark whose failed controls it gathers.
    pub benchmark: Option<String>,
    /// The findings that it gathers: `registry-images` or `running-images`.
    pub findings: Option<String>,
    /// What one click does.
    pub quick_fix_text: Option<String>,
    /// Its first assets by name, at most 200; all of them are listed under `/assets`.
    pub assets: Vec<RecommendationAsset>,
}

/// Some of a recommendation's assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationAssetPage {
    /// By name.
    pub assets: Vec<RecommendationAsset>,
    /// To ask for the next page with; absent at the end.
    pub next: Option<String>,
}

/// What a recommendation says of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationAsset {
    /// The asset.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its kind, such as `docker-host`.
    pub kind: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    pub health: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What was found in its images, where the recommendation is about these.
    pub images: Option<crate::ImageTally>,
    /// The exemption that takes it out.
    pub exemption: Option<i64>,
}

/// The secure score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// The points that are there.
    pub points: f64,
    /// Those that there could be.
    pub max: f64,
    /// The first as a share of the second, 0 to 1; absent when nothing was judged.
    pub share: Option<f64>,
    /// Groups of which any asset was judged, those that could bring the most first.
    pub groups: Vec<ScoreGroup>,
}

/// A group's part of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreGroup {
    /// The group.
    pub id: String,
    /// For people.
    pub title: String,
    /// Its points.
    pub max: f64,
    /// Those that are there.
    pub current: f64,
    /// Those to be had.
    pub potential: f64,
    /// What one asset is worth.
    pub per_asset: f64,
    /// Assets that are healthy for all of its recommendations.
    pub healthy: u32,
    /// Assets that are not, with the recommendations that say so: at most 100 of them, by id.
    pub unhealthy: Vec<ScoreAsset>,
    /// How many assets are not.
    pub unhealthy_count: u32,
    /// Assets of which it could not be told: they count neither way.
    pub unknown: u32,
    /// Its recommendations.
    pub recommendations: Vec<String>,
}

/// All assets of a score group: each of its points comes from one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreGroupDetail {
    /// As in the score.
    #[serde(flatten)]
    pub group: ScoreGroup,
    /// Those that bring points, at most 1,000, by id.
    pub healthy_assets: Vec<ScoreAsset>,
    /// Those that cost points, at most 1,000, by id.
    pub unhealthy_assets: Vec<ScoreAsset>,
    /// Those of which it could not be told, at most 1,000, by id.
    pub unknown_assets: Vec<ScoreAsset>,
}

/// An asset that brings or costs points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScoreAsset {
    /// The asset.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its kind, such as `docker-host`.
    pub kind: String,
    /// What it needs.
    pub recommendations: Vec<String>,
}

/// The score as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreHistory {
    /// The last first.
    pub points: Vec<ScorePoint>,
}

/// The score from a time on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScorePoint {
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The points that were there.
    pub points: f64,
    /// Those that there could be.
    pub max: f64,
    /// What changed it.
    pub causes: Vec<ScoreCause>,
}

/// One reason of a change of the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScoreCause {
    /// The recommendation; empty for an asset that was moved from one environment to another.
    pub recommendation: String,
    /// The asset, which may be gone.
    pub asset: i64,
    /// Its name then.
    pub asset_name: String,
    /// What it was before; absent for a new asset.
    pub was: Option<String>,
    /// What it is since; absent for an asset that is gone.
    pub health: Option<String>,
}
