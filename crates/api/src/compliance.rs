//! Benchmarks over all assets: counted, and looked into down to the object.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ControlCounts;

/// A benchmark with its editions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BenchmarkEntry {
    /// Such as `cis-docker`.
    pub id: String,
    /// For people: that of the newest edition.
    pub title: String,
    /// The kind of asset that it is about, such as `docker-host`.
    pub asset: String,
    /// Whether it came with the program; the others are people's own.
    pub built_in: bool,
    /// Its editions, the newest first.
    pub editions: Vec<BenchmarkEdition>,
}

/// An edition of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BenchmarkEdition {
    /// Such as `1.8.0`.
    pub version: String,
    /// How many controls it has.
    pub controls: u32,
    /// How many assets were compared with it.
    pub assets: u64,
    /// Verdicts over all controls and assets; only of the newest edition.
    pub counts: Option<ControlCounts>,
}

/// All benchmarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BenchmarkList {
    /// By id.
    pub benchmarks: Vec<BenchmarkEntry>,
}

/// A benchmark over assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compliance {
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// All editions, the newest first.
    pub versions: Vec<String>,
    /// For people.
    pub title: String,
    /// The kind of asset that it is about.
    pub asset: String,
    /// Assets that were compared with it.
    pub assets: u64,
    /// The time of the newest facts or verdict; absent when no asset was compared.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dated: Option<Timestamp>,
    /// The version and digest of the checks and benchmarks that are judged by.
    pub content: String,
    /// Verdicts over all controls and assets.
    pub counts: ControlCounts,
    /// In its order.
    pub sections: Vec<ComplianceSection>,
}

/// A section of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceSection {
    /// Its number.
    pub id: String,
    /// In our own words.
    pub title: String,
    /// Verdicts over its controls and all assets.
    pub counts: ControlCounts,
    /// In its order.
    pub controls: Vec<ComplianceControl>,
}

/// A control over assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceControl {
    /// Its number.
    pub id: String,
    /// In our own words.
    pub title: String,
    /// 1 or 2.
    pub level: u8,
    /// How the benchmark's makers mark it: `automated` or `manual`.
    pub assessment: String,
    /// The check that decides it; absent for one that only a person can answer.
    pub check: Option<String>,
    /// What a person is asked.
    pub ask: Option<String>,
    /// How many days a person's answer holds.
    pub max_age_days: Option<u16>,
    /// Verdicts over all assets.
    pub counts: ControlCounts,
}

/// What a control says of some assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceAssetPage {
    /// By name.
    pub assets: Vec<ComplianceAsset>,
    /// To ask for the next page with; absent at the end.
    pub next: Option<String>,
}

/// What a control says of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceAsset {
    /// The asset.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// As for controls of a report.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// What a control's checks say of the objects of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceObjects {
    /// Failed ones first: at most 200 of each check.
    pub objects: Vec<ComplianceObject>,
    /// How many fail, those that are not shown included.
    pub failed: u64,
}

/// What a check says of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComplianceObject {
    /// The check.
    pub check: String,
    /// The kind of fact.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// As for controls of a report.
    pub status: String,
    /// What was found.
    pub actual: String,
    /// What is wanted.
    pub expected: String,
    /// Why it is not applicable, not collected or excepted.
    pub reason: Option<String>,
}
