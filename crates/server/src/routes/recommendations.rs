//! Recommendations: what assets should be, and which of them are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use seareeve_api::{
    ErrorBody, GroupedRecommendation, Recommendation, RecommendationAsset, RecommendationAssetPage,
    RecommendationDetail, RecommendationGroup, RecommendationList,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, HealthEntry, HealthState, StandingFilter};
use seareeve_store::{health_counts, image_uses};
use serde::Deserialize;
use utoipa::IntoParams;

use super::csv::Csv;
use super::image_uses::tally;
use super::query::{cursor, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::Content;
use crate::posture::scoring::{GroupSums, Sums};
use crate::state::App;

/// Assets that a recommendation itself shows.
const SHOWN: usize = 200;

/// Where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScopeQuery {
    /// Only assets of this environment; of all, if absent.
    environment: Option<String>,
}

/// Which assets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AssetsQuery {
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`; all, if absent.
    health: Option<String>,
    /// Only assets of this environment; of all, if absent.
    environment: Option<String>,
    /// Part of a name.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// All recommendations, with how many assets need them.
#[utoipa::path(get, operation_id = "list_recommendations", path = "/api/v1/recommendations", tag = "recommendations", params(ScopeQuery),
    responses((status = 200, body = RecommendationList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<RecommendationList>> {
    let content = app.content();
    let sums = sums(&app, &content, query.environment.as_deref()).await?;
    let recommendations = all(&content, &sums);
    Ok(Json(RecommendationList {
        groups: grouped(&content, &sums, &recommendations),
        recommendations,
    }))
}

/// The same as CSV.
#[utoipa::path(get, operation_id = "list_recommendations_csv", path = "/api/v1/recommendations/csv", tag = "recommendations", params(ScopeQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 401, body = ErrorBody)))]
pub(super) async fn csv(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Response> {
    let mut file = Csv::new(&[
        "recommendation",
        "title",
        "severity",
        "asset",
        "score_groups",
        "preview",
        "unhealthy",
        "healthy",
        "not_applicable",
        "unknown",
        "potential",
    ]);
    let content = app.content();
    let sums = sums(&app, &content, query.environment.as_deref()).await?;
    for one in all(&content, &sums) {
        file.row(&[
            &one.id,
            &one.title,
            &one.severity,
            &one.asset,
            &one.score_groups.join(" "),
            if one.preview { "yes" } else { "no" },
            &one.unhealthy.to_string(),
            &one.healthy.to_string(),
            &one.not_applicable.to_string(),
            &one.unknown.to_string(),
            &format!("{:.2}", one.potential),
        ]);
    }
    Ok(file.answer("recommendations"))
}

/// A recommendation, and what it says of its first assets.
#[utoipa::path(get, operation_id = "get_recommendation", path = "/api/v1/recommendations/{id}", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation"), ScopeQuery),
    responses((status = 200, body = RecommendationDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<RecommendationDetail>> {
    let content = app.content();
    let recommendation = known(&content, &id)?;
    let environment = query.environment.unwrap_or_default();
    let sums = Sums::of(
        &content,
        &health_counts::counts(&app.store, &environment).await?,
    );
    let points = sums.potentials();
    let potential = points.get(id.as_str()).copied().unwrap_or_default();
    let summary = wire(recommendation, sums.said.get(&id), potential);
    let filter = StandingFilter {
        environment,
        ..StandingFilter::default()
    };
    let first = assets::standing(&app.store, &id, &filter, None, SHOWN).await?;
    Ok(Json(RecommendationDetail {
        summary,
        why: recommendation.why.clone(),
        steps: recommendation.steps.clone(),
        benchmark: recommendation.benchmark.clone(),
        findings: recommendation.findings.clone(),
        quick_fix_text: recommendation.quick_fix.clone(),
        assets: shown(&app, recommendation, first.items).await?,
    }))
}

/// What a recommendation says of assets, a page at a time.
#[utoipa::path(get, operation_id = "list_recommendation_assets", path = "/api/v1/recommendations/{id}/assets", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation"), AssetsQuery),
    responses((status = 200, body = RecommendationAssetPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn assets_of(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<AssetsQuery>,
) -> ApiResult<Json<RecommendationAssetPage>> {
    let content = app.content();
    let recommendation = known(&content, &id)?;
    let filter = filter(&query)?;
    let after = cursor(query.cursor);
    let rows = limit(query.limit);
    let page = assets::standing(&app.store, &id, &filter, after.as_ref(), rows).await?;
    Ok(Json(RecommendationAssetPage {
        assets: shown(&app, recommendation, page.items).await?,
        next: next(page.next),
    }))
}

/// The same as CSV, all pages of it.
#[utoipa::path(get, operation_id = "list_recommendation_assets_csv", path = "/api/v1/recommendations/{id}/csv", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation"), AssetsQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn assets_csv(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<AssetsQuery>,
) -> ApiResult<Response> {
    known(&app.content(), &id)?;
    let filter = filter(&query)?;
    let mut file = Csv::new(&[
        "recommendation",
        "asset",
        "kind",
        "environment",
        "health",
        "reason",
        "since",
        "exempt",
    ]);
    let mut after = cursor(query.cursor);
    loop {
        let page = assets::standing(&app.store, &id, &filter, after.as_ref(), 1_000).await?;
        for one in page.items {
            file.row(&[
                &id,
                &one.asset_name,
                &one.asset_kind,
                &one.environment,
                one.health.state.as_str(),
                one.health.reason.as_deref().unwrap_or_default(),
                &one.since.to_string(),
                if one.health.exemption.is_some() {
                    "yes"
                } else {
                    "no"
                },
            ]);
        }
        after = page.next;
        if after.is_none() {
            return Ok(file.answer(&id));
        }
    }
}

fn filter(query: &AssetsQuery) -> ApiResult<StandingFilter> {
    Ok(StandingFilter {
        environment: query.environment.clone().unwrap_or_default(),
        query: query.q.clone().unwrap_or_default(),
        state: state(query.health.as_deref())?,
    })
}

/// A word for what recommendations say.
pub(super) fn state(word: Option<&str>) -> ApiResult<Option<HealthState>> {
    let state = |word| {
        HealthState::parse(word).ok_or_else(|| {
            ApiError::bad_request("it is healthy, unhealthy, not_applicable or unknown")
        })
    };
    word.map(state).transpose()
}

fn known<'c>(content: &'c Content, id: &str) -> ApiResult<&'c judge::Recommendation> {
    let known = content.catalogue.recommendation(id);
    known.ok_or_else(|| ApiError::not_found("recommendation"))
}

async fn sums(app: &App, content: &Content, environment: Option<&str>) -> ApiResult<Sums> {
    let counts = health_counts::counts(&app.store, environment.unwrap_or_default()).await?;
    Ok(Sums::of(content, &counts))
}

fn all(content: &Content, sums: &Sums) -> Vec<Recommendation> {
    let points = sums.potentials();
    let shown = |one: &judge::Recommendation| {
        let id = one.id.as_str();
        let potential = points.get(id).copied().unwrap_or_default();
        (one.severity, wire(one, sums.said.get(id), potential))
    };
    let mut all: Vec<_> = content.catalogue.recommendations().map(shown).collect();
    all.sort_by(|(severe, one), (severe_other, other)| {
        let points = other.potential.total_cmp(&one.potential);
        points
            .then(other.unhealthy.cmp(&one.unhealthy))
            .then(severe_other.cmp(severe))
            .then(one.title.cmp(&other.title))
    });
    all.into_iter().map(|(_, one)| one).collect()
}

/// Score groups with their recommendations; one that is in several groups stands in each.
fn grouped(content: &Content, sums: &Sums, all: &[Recommendation]) -> Vec<RecommendationGroup> {
    let group = |group: &judge::ScoreGroup| {
        let none = GroupSums::default();
        let part = sums.groups.get(&group.id).unwrap_or(&none);
        let gains: BTreeMap<&str, f64> = part.gains().collect();
        let members = all
            .iter()
            .filter(|one| one.score_groups.contains(&group.id));
        let mut members: Vec<GroupedRecommendation> = members
            .map(|one| GroupedRecommendation {
                id: one.id.clone(),
                potential: gains.get(one.id.as_str()).copied().unwrap_or_default(),
            })
            .collect();
        members.sort_by(|one, other| other.potential.total_cmp(&one.potential));
        RecommendationGroup {
            id: group.id.clone(),
            title: group.title.clone(),
            max: group.points,
            current: part.current(),
            potential: part.potential(),
            healthy: part.healthy,
            unhealthy: part.unhealthy,
            unknown: part.unknown,
            recommendations: members,
        }
    };
    let mut groups: Vec<_> = content.catalogue.groups().iter().map(group).collect();
    groups.retain(|group| !group.recommendations.is_empty());
    groups.sort_by(|one, other| {
        let points = other.potential.total_cmp(&one.potential);
        points.then(other.unhealthy.cmp(&one.unhealthy))
    });
    groups
}

/// Assets by what is said of them: healthy, unhealthy, not applicable, unknown.
type Counts = [u32; 4];

/// Assets of a recommendation as they are shown: with what was found in their images, where it is about these.
async fn shown(
    app: &App,
    recommendation: &judge::Recommendation,
    entries: Vec<HealthEntry>,
) -> ApiResult<Vec<RecommendationAsset>> {
    let mut tallies = BTreeMap::new();
    if recommendation.findings.is_some() {
        let ids = entries.iter().map(|entry| entry.asset);
        let holders = image_uses::holders(&app.store, ids).await?.into_iter();
        tallies = holders
            .map(|holder| (holder.asset, tally(&holder.tally)))
            .collect();
    }
    let assets = entries.into_iter().map(|entry| RecommendationAsset {
        images: tallies.get(&entry.asset).copied(),
        ..asset(entry)
    });
    Ok(assets.collect())
}

fn wire(one: &judge::Recommendation, counts: Option<&Counts>, potential: f64) -> Recommendation {
    let [healthy, unhealthy, not_applicable, unknown] = counts.copied().unwrap_or_default();
    Recommendation {
        id: one.id.clone(),
        title: one.title.clone(),
        severity: one.severity.as_str().to_owned(),
        asset: one.asset.clone(),
        score_groups: one.score_groups.clone(),
        preview: one.preview,
        quick_fix: one.quick_fix.is_some(),
        deny: one.deny,
        healthy,
        unhealthy,
        not_applicable,
        unknown,
        potential,
    }
}

fn asset(entry: HealthEntry) -> RecommendationAsset {
    RecommendationAsset {
        id: entry.asset.0,
        name: entry.asset_name,
        kind: entry.asset_kind,
        environment: entry.environment,
        health: entry.health.state.as_str().to_owned(),
        reason: entry.health.reason,
        since: entry.since,
        images: None,
        exemption: entry.health.exemption.map(|id| id.0),
    }
}
