//! Recommendations: what assets should be, and which of them are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use seareeve_api::{
    ErrorBody, Recommendation, RecommendationAsset, RecommendationDetail, RecommendationList,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, HealthEntry, HealthState};

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::scoring::{mended, score_of};
use crate::state::App;

/// All recommendations, with how many assets need them.
#[utoipa::path(get, operation_id = "list_recommendations", path = "/api/v1/recommendations", tag = "recommendations",
    responses((status = 200, body = RecommendationList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<RecommendationList>> {
    let entries = assets::health(&app.store, "").await?;
    let all = app.content.catalogue.recommendations();
    let mut recommendations: Vec<(judge::Recommendation, Recommendation)> = all
        .map(|one| (one.clone(), wire(&app, one, &entries)))
        .collect();
    recommendations.sort_by(|(a, shown_a), (b, shown_b)| {
        let points = shown_b.potential.total_cmp(&shown_a.potential);
        let unhealthy = shown_b.unhealthy.cmp(&shown_a.unhealthy);
        points
            .then(unhealthy)
            .then(b.severity.cmp(&a.severity))
            .then(a.title.cmp(&b.title))
    });
    let recommendations = recommendations.into_iter().map(|(_, shown)| shown);
    Ok(Json(RecommendationList {
        recommendations: recommendations.collect(),
    }))
}

/// A recommendation, and what it says of each asset.
#[utoipa::path(get, operation_id = "get_recommendation", path = "/api/v1/recommendations/{id}", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation")),
    responses((status = 200, body = RecommendationDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<RecommendationDetail>> {
    let recommendation = app.content.catalogue.recommendation(&id);
    let recommendation = recommendation.ok_or_else(|| ApiError::not_found("recommendation"))?;
    let entries = assets::health(&app.store, "").await?;
    let summary = wire(&app, recommendation, &entries);
    let about = entries
        .into_iter()
        .filter(|entry| entry.health.recommendation == id);
    let assets = about.map(|entry| RecommendationAsset {
        id: entry.asset.0,
        name: entry.asset_name,
        health: entry.health.state.as_str().to_owned(),
        reason: entry.health.reason,
        since: entry.since,
        exemption: entry.health.exemption.map(|id| id.0),
    });
    Ok(Json(RecommendationDetail {
        summary,
        why: recommendation.why.clone(),
        steps: recommendation.steps.clone(),
        benchmark: recommendation.benchmark.clone(),
        quick_fix_text: recommendation.quick_fix.clone(),
        assets: assets.collect(),
    }))
}

fn wire(app: &App, one: &judge::Recommendation, entries: &[HealthEntry]) -> Recommendation {
    let count = |state: HealthState| {
        let about = entries
            .iter()
            .filter(|entry| entry.health.recommendation == one.id);
        let count = about.filter(|entry| entry.health.state == state).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let unhealthy = count(HealthState::Unhealthy);
    let potential = if unhealthy == 0 {
        0.0
    } else {
        let after = mended(entries, Some(&one.id), None);
        score_of(&app.content, &after).current() - score_of(&app.content, entries).current()
    };
    Recommendation {
        id: one.id.clone(),
        title: one.title.clone(),
        severity: one.severity.as_str().to_owned(),
        asset: one.asset.clone(),
        score_groups: one.score_groups.clone(),
        preview: one.preview,
        quick_fix: one.quick_fix.is_some(),
        deny: one.deny,
        healthy: count(HealthState::Healthy),
        unhealthy,
        not_applicable: count(HealthState::NotApplicable),
        unknown: count(HealthState::Unknown),
        potential,
    }
}
