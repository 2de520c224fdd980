//! Calls about what assets need: recommendations, the score, benchmarks, and checks that people bring.

use super::hosts::{Answer, encoded};
use super::{Client, read, read_bytes, read_text};
use crate::{
    AssetDetail, AssetPage, BenchmarkList, Compliance, ComplianceAssetPage, ComplianceObjects,
    EnvironmentList, MoveAsset, OwnCheck, OwnCheckList, OwnSwitch, OwnTested,
    RecommendationAssetPage, RecommendationDetail, RecommendationList, Score, ScoreGroupDetail,
    ScoreHistory,
};

/// Which assets a benchmark is asked about. The default is all, by the newest edition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComplianceScope {
    /// The edition.
    pub version: Option<String>,
    /// Only assets of this environment.
    pub environment: Option<String>,
    /// Only this asset.
    pub asset: Option<i64>,
}

/// What becomes of which assets, to ask what the score would be. The default is that all are mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScoreIf {
    /// Only by this recommendation.
    pub recommendation: Option<String>,
    /// Only these assets; all, if there are none.
    pub assets: Vec<i64>,
    /// The score of this environment, rather than of all together.
    pub environment: Option<String>,
    /// Exempt, rather than mended.
    pub exempt: bool,
}

/// Each fails as [`crate::ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// A page of assets of all kinds, those that need most first.
    pub fn assets(&self, cursor: Option<&str>) -> Answer<AssetPage> {
        self.get(&format!("/api/v1/assets?limit=200{}", after(cursor)))
    }

    /// An asset, and what each recommendation says of it.
    pub fn asset(&self, id: i64) -> Answer<AssetDetail> {
        self.get(&format!("/api/v1/assets/{id}"))
    }

    /// Moves an asset to an environment.
    pub fn move_asset(&self, id: i64, environment: &str) -> Answer<()> {
        let body = MoveAsset {
            environment: environment.to_owned(),
        };
        self.put_only(&format!("/api/v1/assets/{id}/environment"), &body)
    }

    /// All environments, with their scores.
    pub fn environments(&self) -> Answer<EnvironmentList> {
        self.get("/api/v1/environments")
    }

    /// All recommendations.
    pub fn recommendations(&self) -> Answer<RecommendationList> {
        self.get("/api/v1/recommendations")
    }

    /// One, with its first assets.
    pub fn recommendation(&self, id: &str) -> Answer<RecommendationDetail> {
        self.get(&format!("/api/v1/recommendations/{}", encoded(id)))
    }

    /// A page of its assets.
    pub fn recommendation_assets(
        &self,
        id: &str,
        cursor: Option<&str>,
    ) -> Answer<RecommendationAssetPage> {
        let id = encoded(id);
        let path = format!(
            "/api/v1/recommendations/{id}/assets?limit=200{}",
            after(cursor)
        );
        self.get(&path)
    }

    /// All recommendations as CSV, or the assets of one.
    pub fn recommendations_csv(&self, id: Option<&str>) -> Answer<String> {
        match id {
            None => self.text("/api/v1/recommendations/csv"),
            Some(id) => self.text(&format!("/api/v1/recommendations/{}/csv", encoded(id))),
        }
    }

    /// The secure score of all environments together.
    pub fn score(&self) -> Answer<Score> {
        self.get("/api/v1/score")
    }

    /// The secure score of an environment.
    pub fn score_of(&self, environment: &str) -> Answer<Score> {
        self.get(&format!(
            "/api/v1/score?environment={}",
            encoded(environment)
        ))
    }

    /// A score group with its assets.
    pub fn score_group(&self, id: &str) -> Answer<ScoreGroupDetail> {
        self.get(&format!("/api/v1/score/groups/{}", encoded(id)))
    }

    /// The score as it would be.
    pub fn score_if(&self, what: &ScoreIf) -> Answer<Score> {
        let assets: Vec<String> = what.assets.iter().map(i64::to_string).collect();
        let query = query(&[
            ("recommendation", what.recommendation.clone()),
            (
                "asset",
                Some(assets.join(",")).filter(|assets| !assets.is_empty()),
            ),
            ("environment", what.environment.clone()),
            ("then", what.exempt.then(|| "exempt".to_owned())),
        ]);
        self.get(&format!("/api/v1/score/what-if{query}"))
    }

    /// The score of an environment, or of all together, as it was in the last days.
    pub fn score_history(&self, days: u32, environment: Option<&str>) -> Answer<ScoreHistory> {
        let query = query(&[
            ("days", Some(days.to_string())),
            ("environment", environment.map(str::to_owned)),
        ]);
        self.get(&format!("/api/v1/score/history{query}"))
    }

    /// All benchmarks.
    pub fn benchmarks(&self) -> Answer<BenchmarkList> {
        self.get("/api/v1/benchmarks")
    }

    /// A benchmark over assets.
    pub fn compliance(&self, benchmark: &str, scope: &ComplianceScope) -> Answer<Compliance> {
        self.get(&compliance(benchmark, "", scope))
    }

    /// What one of its controls says of assets, a page at a time.
    pub fn compliance_control(
        &self,
        benchmark: &str,
        control: &str,
        scope: &ComplianceScope,
        cursor: Option<&str>,
    ) -> Answer<ComplianceAssetPage> {
        let path = compliance(benchmark, &format!("/controls/{}", encoded(control)), scope);
        let sign = if path.contains('?') { '&' } else { '?' };
        self.get(&format!("{path}{sign}limit=200{}", after(cursor)))
    }

    /// What its checks say of the objects of an asset.
    pub fn compliance_objects(
        &self,
        benchmark: &str,
        control: &str,
        asset: i64,
    ) -> Answer<ComplianceObjects> {
        let scope = ComplianceScope {
            asset: Some(asset),
            ..ComplianceScope::default()
        };
        let rest = format!("/controls/{}/objects", encoded(control));
        self.get(&compliance(benchmark, &rest, &scope))
    }

    /// A benchmark over assets as CSV.
    pub fn compliance_csv(&self, benchmark: &str, scope: &ComplianceScope) -> Answer<String> {
        self.text(&compliance(benchmark, "/csv", scope))
    }

    /// The same as PDF.
    pub fn compliance_pdf(&self, benchmark: &str, scope: &ComplianceScope) -> Answer<Vec<u8>> {
        let url = format!("{}{}", self.base, compliance(benchmark, "/pdf", scope));
        let answer = self
            .agent
            .get(&url)
            .header("authorization", &self.authorization)
            .call();
        read_bytes(url, answer).map(|(.., bytes)| bytes)
    }

    /// The checks and benchmarks that people brought.
    pub fn own_checks(&self) -> Answer<OwnCheckList> {
        self.get("/api/v1/checks")
    }

    /// Brings checks and benchmarks, as YAML documents divided by lines of `---`.
    pub fn bring_checks(&self, yaml: &str, replace: bool, dry_run: bool) -> Answer<OwnTested> {
        let query = query(&[
            ("replace", replace.then(|| "true".to_owned())),
            ("dry_run", dry_run.then(|| "true".to_owned())),
        ]);
        let url = format!("{}/api/v1/checks{query}", self.base);
        let answer = self
            .agent
            .post(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/yaml")
            .send(yaml);
        read(url, answer)
    }

    /// A check or benchmark as it was brought.
    pub fn own_check(&self, name: &str) -> Answer<String> {
        self.text(&format!("/api/v1/checks/{}", encoded(name)))
    }

    /// Switches one on or off.
    pub fn switch_own_check(&self, name: &str, enabled: bool) -> Answer<OwnCheck> {
        let path = format!("/api/v1/checks/{}", encoded(name));
        self.patch(&path, &OwnSwitch { enabled })
    }

    /// Forgets one.
    pub fn delete_own_check(&self, name: &str) -> Answer<()> {
        self.delete(&format!("/api/v1/checks/{}", encoded(name)))
    }

    pub(super) fn text(&self, path: &str) -> Answer<String> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .agent
            .get(&url)
            .header("authorization", &self.authorization)
            .call();
        read_text(url, answer)
    }
}

fn compliance(benchmark: &str, rest: &str, scope: &ComplianceScope) -> String {
    let query = query(&[
        ("version", scope.version.clone()),
        ("environment", scope.environment.clone()),
        ("asset", scope.asset.map(|id| id.to_string())),
    ]);
    format!("/api/v1/compliance/{}{rest}{query}", encoded(benchmark))
}

fn after(cursor: Option<&str>) -> String {
    let query = |cursor| format!("&cursor={}", encoded(cursor));
    cursor.map(query).unwrap_or_default()
}

/// What is given, behind a question mark; empty without any.
fn query(given: &[(&str, Option<String>)]) -> String {
    let given = given.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("{name}={}", encoded(value)))
    });
    let given: Vec<String> = given.collect();
    match given.is_empty() {
        true => String::new(),
        false => format!("?{}", given.join("&")),
    }
}
