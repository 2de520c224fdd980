//! Assets of all kinds by what they need, and the environments that they belong to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use seareeve_api::{
    AssetDetail, AssetPage, AssetRecommendation, AssetSummary, Environment, EnvironmentList,
    ErrorBody, Event, MoveAsset,
};
use seareeve_store::assets::{self, AssetNeeds, HealthEntry, NeedsFilter};
use seareeve_store::users::Role;
use seareeve_store::{AssetId, environments as stored, health_counts};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{cursor, next};
use super::recommendations::state;
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::placing;
use crate::posture::scoring::Sums;
use crate::state::App;

/// Which assets.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AssetQuery {
    /// Of this kind, such as `docker-host`; of all, if absent.
    kind: Option<String>,
    /// Of this environment; of all, if absent.
    environment: Option<String>,
    /// Part of a name.
    q: Option<String>,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`; all, if absent.
    status: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Assets of all kinds, those that need most first.
#[utoipa::path(get, operation_id = "list_assets", path = "/api/v1/assets", tag = "recommendations", params(AssetQuery),
    responses((status = 200, body = AssetPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<AssetQuery>,
) -> ApiResult<Json<AssetPage>> {
    let filter = NeedsFilter {
        kind: query.kind.unwrap_or_default(),
        environment: query.environment.unwrap_or_default(),
        query: query.q.unwrap_or_default(),
        state: state(query.status.as_deref())?,
    };
    let after = cursor(query.cursor);
    let page = assets::needs(&app.store, &filter, after.as_ref(), limit(query.limit)).await?;
    Ok(Json(AssetPage {
        assets: page.items.into_iter().map(wire).collect(),
        next: next(page.next),
    }))
}

/// An asset, and what each recommendation says of it.
#[utoipa::path(get, operation_id = "get_asset", path = "/api/v1/assets/{id}", tag = "recommendations",
    params(("id" = i64, Path, description = "The asset")),
    responses((status = 200, body = AssetDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<AssetDetail>> {
    let asset = assets::needs_of(&app.store, AssetId(id)).await?;
    let asset = asset.ok_or_else(|| ApiError::not_found("asset"))?;
    let content = app.content();
    let entries = assets::health_of(&app.store, asset.id).await?;
    let sums = Sums::of(&content, &health_counts::counts(&app.store, "").await?);
    let (all, each) = sums.potentials_of(&content.catalogue, &entries);
    let said = |entry: &HealthEntry| {
        let id = entry.health.recommendation.clone();
        let known = content.catalogue.recommendation(&id);
        AssetRecommendation {
            title: known.map(|one| one.title.clone()).unwrap_or_default(),
            severity: known.map_or("", |one| one.severity.as_str()).to_owned(),
            health: entry.health.state.as_str().to_owned(),
            reason: entry.health.reason.clone(),
            since: entry.since,
            exemption: entry.health.exemption.map(|id| id.0),
            potential: each.get(id.as_str()).copied().unwrap_or_default(),
            id,
        }
    };
    let mut recommendations: Vec<AssetRecommendation> = entries.iter().map(said).collect();
    recommendations.sort_by(|one, other| {
        let points = other.potential.total_cmp(&one.potential);
        points.then_with(|| one.title.cmp(&other.title))
    });
    Ok(Json(AssetDetail {
        potential: all,
        recommendations,
        summary: wire(asset),
    }))
}

/// Move an asset to an environment. Its points move with it. For operators.
#[utoipa::path(put, operation_id = "move_asset", path = "/api/v1/assets/{id}/environment", tag = "recommendations",
    params(("id" = i64, Path, description = "The asset")), request_body = MoveAsset,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn move_to(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(given): Json<MoveAsset>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    environment_name(&given.environment)?;
    let asset = assets::needs_of(&app.store, AssetId(id)).await?;
    let asset = asset.ok_or_else(|| ApiError::not_found("asset"))?;
    if asset.environment == given.environment {
        return Ok(StatusCode::NO_CONTENT);
    }
    let now = app.now();
    let mut tx = app.store.begin().await?;
    placing::put(&app, &mut tx, asset.id, &given.environment, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    Ok(StatusCode::NO_CONTENT)
}

/// All environments that have assets, with their scores.
#[utoipa::path(get, operation_id = "list_environments", path = "/api/v1/environments", tag = "recommendations",
    responses((status = 200, body = EnvironmentList), (status = 401, body = ErrorBody)))]
pub(super) async fn environments(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<EnvironmentList>> {
    let content = app.content();
    let mut environments = Vec::new();
    for one in stored::list(&app.store).await? {
        let counts = health_counts::counts(&app.store, &one.name).await?;
        let sums = Sums::of(&content, &counts);
        environments.push(Environment {
            points: sums.current(),
            max: sums.max(),
            share: sums.share(),
            assets: one.assets,
            name: one.name,
        });
    }
    Ok(Json(EnvironmentList { environments }))
}

/// Refuses a name that does not fit into addresses and lists.
pub(super) fn environment_name(name: &str) -> ApiResult<()> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if (1..=60).contains(&name.len()) && name.bytes().all(is_fine) {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "an environment has a name of 1 to 60 letters, digits, points, hyphens and underscores",
    ))
}

fn wire(asset: AssetNeeds) -> AssetSummary {
    AssetSummary {
        id: asset.id.0,
        kind: asset.kind,
        name: asset.name,
        environment: asset.environment,
        state: asset.state.as_str().to_owned(),
        reason: asset.reason,
        last_seen: asset.last_seen,
        unhealthy: asset.unhealthy,
        healthy: asset.healthy,
        not_applicable: asset.not_applicable,
        unknown: asset.unknown,
        within: asset.is_within,
        part_of: asset.part_of.map(|cluster| cluster.0),
    }
}
