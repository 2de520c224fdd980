//! The secure score: what it is, what it was, and what it would be.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::SignedDuration;
use seareeve_api::{
    ErrorBody, Score, ScoreAsset, ScoreCause, ScoreGroup, ScoreGroupDetail, ScoreHistory,
    ScorePoint,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, HealthEntry};
use seareeve_store::{AssetId, scores};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::Content;
use crate::posture::scoring::{WhatIf, score_of, within};
use crate::state::App;

/// Points of a history at most.
const MOST_POINTS: usize = 2_000;
/// Assets that the score itself names in each group.
const SHOWN: usize = 100;
/// Assets of one kind that a group names.
const MOST_ASSETS: usize = 1_000;

/// Where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScopeQuery {
    /// The score of this environment; of all together, if absent.
    environment: Option<String>,
}

/// What if.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhatIfQuery {
    /// Only by this recommendation; by all, if absent.
    recommendation: Option<String>,
    /// Only these assets, joined by commas; all of them, if absent.
    asset: Option<String>,
    /// The score of this environment, and only assets of it; all together, if absent.
    environment: Option<String>,
    /// Only assets of this environment, in the score of all together.
    of: Option<String>,
    /// What becomes of them: `healthy` (the default), or `exempt`.
    then: Option<String>,
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many days back, 1 to 3,650; 30, if absent.
    days: Option<u32>,
    /// The score of this environment; of all together, if absent.
    environment: Option<String>,
}

/// The secure score, and which assets cost how much of it.
#[utoipa::path(get, operation_id = "get_score", path = "/api/v1/score", tag = "recommendations", params(ScopeQuery),
    responses((status = 200, body = Score), (status = 401, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<Score>> {
    let entries = assets::health(&app.store, "").await?;
    let entries = within(entries, query.environment.as_deref());
    Ok(Json(wire(&app.content(), &entries)))
}

/// A score group with its assets: each of its points comes from one of them.
#[utoipa::path(get, operation_id = "get_score_group", path = "/api/v1/score/groups/{id}", tag = "recommendations",
    params(("id" = String, Path, description = "The group"), ScopeQuery),
    responses((status = 200, body = ScoreGroupDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn group(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ScopeQuery>,
) -> ApiResult<Json<ScoreGroupDetail>> {
    let entries = assets::health(&app.store, "").await?;
    let entries = within(entries, query.environment.as_deref());
    let content = app.content();
    let score = score_of(&content, &entries);
    let (part, group) = score
        .groups
        .get(&id)
        .zip(
            content
                .catalogue
                .groups()
                .iter()
                .find(|group| group.id == id),
        )
        .ok_or_else(|| ApiError::not_found("score group with assets"))?;
    let names = names(&entries);
    let without = |ids: &std::collections::BTreeSet<String>| {
        let assets = ids.iter().filter_map(|id| asset(&names, id, Vec::new()));
        assets.take(MOST_ASSETS).collect()
    };
    Ok(Json(ScoreGroupDetail {
        group: group_wire(&content, group, part, &names),
        healthy_assets: without(&part.healthy),
        unhealthy_assets: unhealthy(part, &names, MOST_ASSETS),
        unknown_assets: without(&part.unknown),
    }))
}

/// The secure score as it would be if unhealthy assets were mended, or exempt.
#[utoipa::path(get, operation_id = "get_score_if", path = "/api/v1/score/what-if", tag = "recommendations", params(WhatIfQuery),
    responses((status = 200, body = Score), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn what_if(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<WhatIfQuery>,
) -> ApiResult<Json<Score>> {
    let number = |text: &str| {
        let id = text.trim().parse().map(AssetId);
        id.map_err(|_no_number: std::num::ParseIntError| {
            ApiError::bad_request("assets are numbers, joined by commas")
        })
    };
    let asked = query.asset.as_deref().unwrap_or_default().split(',');
    let assets = asked.filter(|text| !text.is_empty()).map(number);
    let what_if = WhatIf {
        recommendation: query.recommendation,
        assets: assets.collect::<ApiResult<_>>()?,
        environment: query.of,
        is_exempt: match query.then.as_deref() {
            None | Some("healthy") => false,
            Some("exempt") => true,
            Some(_) => return Err(ApiError::bad_request("then is healthy or exempt")),
        },
    };
    let entries = assets::health(&app.store, "").await?;
    let entries = within(entries, query.environment.as_deref());
    Ok(Json(wire(&app.content(), &what_if.of(&entries))))
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
    let environment = query.environment.unwrap_or_default();
    let points = scores::list(&app.store, &environment, since, MOST_POINTS).await?;
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

/// Assets by the text that stands for them in a score.
type Names<'e> = BTreeMap<String, &'e HealthEntry>;

fn names(entries: &[HealthEntry]) -> Names<'_> {
    let pairs = entries.iter().map(|entry| (entry.asset.to_string(), entry));
    pairs.collect()
}

fn asset(names: &Names<'_>, id: &str, recommendations: Vec<String>) -> Option<ScoreAsset> {
    let entry = names.get(id)?;
    Some(ScoreAsset {
        id: entry.asset.0,
        name: entry.asset_name.clone(),
        kind: entry.asset_kind.clone(),
        recommendations,
    })
}

fn unhealthy(part: &judge::GroupScore, names: &Names<'_>, most: usize) -> Vec<ScoreAsset> {
    let assets = part
        .unhealthy
        .iter()
        .filter_map(|(id, needs)| asset(names, id, needs.iter().cloned().collect()));
    assets.take(most).collect()
}

fn wire(content: &Content, entries: &[HealthEntry]) -> Score {
    let score = score_of(content, entries);
    let names = names(entries);
    let group = |group: &judge::ScoreGroup| {
        let part = score.groups.get(&group.id)?;
        Some(group_wire(content, group, part, &names))
    };
    let groups = content.catalogue.groups();
    let mut groups: Vec<ScoreGroup> = groups.iter().filter_map(group).collect();
    groups.sort_by(|a, b| b.potential.total_cmp(&a.potential));
    Score {
        points: score.current(),
        max: score.max(),
        share: score.share(),
        groups,
    }
}

fn group_wire(
    content: &Content,
    group: &judge::ScoreGroup,
    part: &judge::GroupScore,
    names: &Names<'_>,
) -> ScoreGroup {
    let all = content.catalogue.recommendations();
    ScoreGroup {
        id: group.id.clone(),
        title: group.title.clone(),
        max: part.max,
        current: part.current,
        potential: part.potential(),
        per_asset: part.per_asset(),
        healthy: count(part.healthy.len()),
        unhealthy: unhealthy(part, names, SHOWN),
        unhealthy_count: count(part.unhealthy.len()),
        unknown: count(part.unknown.len()),
        recommendations: all
            .filter(|one| one.score_groups.contains(&group.id))
            .map(|one| one.id.clone())
            .collect(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
