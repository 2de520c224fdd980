//! The secure score: what it is, what it was, and what it would be.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::SignedDuration;
use seareeve_api::{
    ErrorBody, Score, ScoreAsset, ScoreCause, ScoreGroup, ScoreHistory, ScorePoint,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, HealthEntry};
use seareeve_store::{AssetId, scores};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::scoring::{mended, score_of};
use crate::state::App;

/// Points of a history at most.
const MOST_POINTS: usize = 2_000;

/// What if.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhatIfQuery {
    /// Only this recommendation's assets; those of all, if absent.
    recommendation: Option<String>,
    /// Only this asset; all of them, if absent.
    asset: Option<i64>,
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many days back, 1 to 3,650; 30, if absent.
    days: Option<u32>,
}

/// The secure score, and which assets cost how much of it.
#[utoipa::path(get, operation_id = "get_score", path = "/api/v1/score", tag = "recommendations",
    responses((status = 200, body = Score), (status = 401, body = ErrorBody)))]
pub(super) async fn get(State(app): State<Arc<App>>, _caller: Caller) -> ApiResult<Json<Score>> {
    let entries = assets::health(&app.store, "").await?;
    Ok(Json(wire(&app, &entries)))
}

/// The secure score as it would be if unhealthy assets were mended.
#[utoipa::path(get, operation_id = "get_score_if", path = "/api/v1/score/what-if", tag = "recommendations", params(WhatIfQuery),
    responses((status = 200, body = Score), (status = 401, body = ErrorBody)))]
pub(super) async fn what_if(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<WhatIfQuery>,
) -> ApiResult<Json<Score>> {
    let entries = assets::health(&app.store, "").await?;
    let recommendation = query.recommendation.as_deref();
    let after = mended(&entries, recommendation, query.asset.map(AssetId));
    Ok(Json(wire(&app, &after)))
}

/// The secure score as it was, and what changed it.
#[utoipa::path(get, operation_id = "get_score_history", path = "/api/v1/score/history", tag = "recommendations", params(HistoryQuery),
    responses((status = 200, body = ScoreHistory), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<ScoreHistory>> {
    let days = query.days.unwrap_or(30);
    if !(1..=3_650).contains(&days) {
        return Err(ApiError::bad_request("ask for 1 to 3,650 days"));
    }
    let since = app.now() - SignedDuration::from_hours(24 * i64::from(days));
    let points = scores::list(&app.store, since, MOST_POINTS).await?;
    let cause = |cause: scores::Cause| ScoreCause {
        recommendation: cause.recommendation,
        asset: cause.asset.0,
        asset_name: cause.asset_name,
        was: cause.was,
        health: cause.health,
    };
    let points = points.into_iter().map(|point| ScorePoint {
        at: point.at,
        points: point.points,
        max: point.most,
        causes: point.causes.into_iter().map(cause).collect(),
    });
    Ok(Json(ScoreHistory {
        points: points.collect(),
    }))
}

fn wire(app: &App, entries: &[HealthEntry]) -> Score {
    let score = score_of(&app.content, entries);
    let names = |id: &str| {
        let entry = entries.iter().find(|entry| entry.asset.to_string() == id);
        entry.map(|entry| (entry.asset.0, entry.asset_name.clone()))
    };
    let asset = |(id, needs): (&String, &std::collections::BTreeSet<String>)| {
        let (id, name) = names(id)?;
        Some(ScoreAsset {
            id,
            name,
            recommendations: needs.iter().cloned().collect(),
        })
    };
    let group = |group: &judge::ScoreGroup| {
        let part = score.groups.get(&group.id)?;
        let all = app.content.catalogue.recommendations();
        Some(ScoreGroup {
            id: group.id.clone(),
            title: group.title.clone(),
            max: part.max,
            current: part.current,
            potential: part.potential(),
            per_asset: part.per_asset(),
            healthy: count(part.healthy.len()),
            unhealthy: part.unhealthy.iter().filter_map(asset).collect(),
            unknown: count(part.unknown.len()),
            recommendations: all
                .filter(|one| one.score_groups.contains(&group.id))
                .map(|one| one.id.clone())
                .collect(),
        })
    };
    let groups = app.content.catalogue.groups();
    let mut groups: Vec<ScoreGroup> = groups.iter().filter_map(group).collect();
    groups.sort_by(|a, b| b.potential.total_cmp(&a.potential));
    Score {
        points: score.current(),
        max: score.max(),
        share: score.share(),
        groups,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
