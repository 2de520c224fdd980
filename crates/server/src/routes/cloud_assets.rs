//! Assets that connectors bring: clusters, registries and subscriptions.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use seareeve_api::{
    CloudAsset, CloudAssetDetail, CloudAssetList, ErrorBody, PartOf, PostureReport, posture_report,
};
use seareeve_posture as judge;
use seareeve_store::assets::{self, Asset, Facts};
use seareeve_store::users::Role;
use seareeve_store::{AssetId, clusters, connectors};

use super::hosts::recommended;
use super::query::counts;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::{self, Said, judging};
use crate::state::App;

/// All assets that connectors brought.
#[utoipa::path(get, operation_id = "list_cloud_assets", path = "/api/v1/cloud-assets", tag = "connectors",
    responses((status = 200, body = CloudAssetList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<CloudAssetList>> {
    let mut brought = brought(&app).await?;
    let parts = parts(&app).await?;
    let all = assets::all(&app.store, "").await?;
    let known: BTreeMap<AssetId, &Asset> = all.iter().map(|asset| (asset.id, asset)).collect();
    let mut shown: Vec<CloudAsset> = all
        .iter()
        .filter_map(|asset| {
            let whole = parts.get(&asset.id).and_then(|id| known.get(id));
            let by = brought.remove(&asset.id)?;
            Some(summary(asset, by, whole.copied()))
        })
        .collect();
    let order = |state: &str| match state {
        "unhealthy" => 0,
        "unknown" => 1,
        "healthy" => 2,
        _ => 3,
    };
    shown.sort_by(|a, b| {
        let failed = |one: &CloudAsset| {
            let failed = one.failed;
            Reverse((failed.critical, failed.high, failed.medium, failed.low))
        };
        order(&a.state)
            .cmp(&order(&b.state))
            .then_with(|| failed(a).cmp(&failed(b)))
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(Json(CloudAssetList { assets: shown }))
}

/// One of them, with what recommendations say of it.
#[utoipa::path(get, operation_id = "get_cloud_asset", path = "/api/v1/cloud-assets/{id}", tag = "connectors",
    params(("id" = i64, Path, description = "The asset")),
    responses((status = 200, body = CloudAssetDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<CloudAssetDetail>> {
    let (asset, by, facts) = found(&app, id).await?;
    let whole = match parts(&app).await?.get(&asset.id) {
        Some(whole) => assets::get(&app.store, *whole).await?,
        None => None,
    };
    let judged = whole.as_ref().unwrap_or(&asset);
    Ok(Json(CloudAssetDetail {
        recommendations: recommended(&app, judged.id).await?,
        collected_at: facts.collected_at,
        judged_at: judged.judged,
        summary: summary(&asset, by, whole.as_ref()),
    }))
}

/// What benchmarks say of it: for clusters, as `seareeve azure --benchmark cis-aks --format json` prints it.
#[utoipa::path(get, operation_id = "get_cloud_asset_report", path = "/api/v1/cloud-assets/{id}/report", tag = "connectors",
    params(("id" = i64, Path, description = "The asset")),
    responses((status = 200, body = PostureReport), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<PostureReport>> {
    let (asset, _, facts) = found(&app, id).await?;
    let said = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let (content, now) = (app.content(), app.now());
    let work = move || {
        let snapshot = posture::unpack(&facts.content)?;
        let statements = said.statements(asset.id);
        let library = &content.library;
        let newest = library.benchmarks().filter(|benchmark| {
            library.benchmark(&benchmark.id, None) == Some(benchmark)
                && judging::concerns(library, benchmark, &snapshot)
        });
        let assessments = judge::assess_all(library, newest, &snapshot, &statements, now);
        anyhow::Ok(posture_report(library, &snapshot, &assessments))
    };
    let report = tokio::task::spawn_blocking(work).await;
    let report = report.map_err(ApiError::internal)?;
    Ok(Json(report.map_err(ApiError::from_any)?))
}

/// Its facts, as they were collected (`seareeve.facts/1`). For operators: they tell who may do what, more than anybody
/// needs who reads what is wrong.
#[utoipa::path(get, operation_id = "get_cloud_asset_facts", path = "/api/v1/cloud-assets/{id}/facts", tag = "connectors",
    params(("id" = i64, Path, description = "The asset")),
    responses((status = 200, body = Object, content_type = "application/json"), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Response> {
    caller.require(Role::Operator)?;
    let (_, _, facts) = found(&app, id).await?;
    let snapshot = posture::unpack(&facts.content).map_err(ApiError::from_any)?;
    let text = serde_json::to_string_pretty(&snapshot).map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Names of the connectors that brought each asset.
async fn brought(app: &App) -> ApiResult<BTreeMap<AssetId, Vec<String>>> {
    let all = connectors::list(&app.store).await?;
    let mut brought: BTreeMap<AssetId, Vec<String>> = BTreeMap::new();
    for (connector, asset) in connectors::assets(&app.store).await? {
        if let Some(connector) = all.iter().find(|one| one.id == connector) {
            brought
                .entry(asset)
                .or_default()
                .push(connector.name.clone());
        }
    }
    Ok(brought)
}

async fn found(app: &App, id: i64) -> ApiResult<(Asset, Vec<String>, Facts)> {
    let id = AssetId(id);
    let by = brought(app).await?.remove(&id);
    let asset = assets::get(&app.store, id).await?;
    let facts = assets::facts(&app.store, id).await?;
    match (asset, by, facts) {
        (Some(asset), Some(by), Some(facts)) => Ok((asset, by, facts)),
        _ => Err(ApiError::not_found("asset of a cloud")),
    }
}

/// Which assets are judged as parts of which clusters.
async fn parts(app: &App) -> ApiResult<BTreeMap<AssetId, AssetId>> {
    let sides = clusters::sides(&app.store).await?.into_iter();
    Ok(sides
        .filter_map(|side| Some((side.cloud?, side.cluster)))
        .collect())
}

/// `whole`: the cluster that it is judged as a part of, of which all is said.
fn summary(asset: &Asset, connectors: Vec<String>, whole: Option<&Asset>) -> CloudAsset {
    let judged = whole.unwrap_or(asset);
    CloudAsset {
        id: asset.id.0,
        kind: asset.kind.clone(),
        cloud_id: asset.external_id.clone(),
        name: asset.name.clone(),
        connectors,
        part_of: whole.map(|whole| PartOf {
            id: whole.id.0,
            name: whole.name.clone(),
        }),
        state: judged.state.as_str().to_owned(),
        reason: judged.reason.clone(),
        failed: counts(judged.failed),
        first_seen: asset.first_seen,
        last_seen: asset.last_seen,
    }
}
