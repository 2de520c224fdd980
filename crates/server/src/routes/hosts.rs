//! Hosts with container engines, and what is said of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use seareeve_api::{
    ControlChange, ErrorBody, Event, HostDetail, HostEngine, HostHistory, HostPage,
    HostRecommendation, HostSummary, PostureReport, posture_report,
};
use seareeve_model::Snapshot;
use seareeve_posture as judge;
use seareeve_store::AssetId;
use seareeve_store::assets::{self, Asset, AssetFilter, AssetSort, Facts, HealthState};
use seareeve_store::users::Role;
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{counts, cursor, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::scoring::{self, Differ};
use crate::posture::{self, Said, images, listed};
use crate::state::App;

/// The kind of asset that these routes are about.
const KIND: &str = "docker-host";

/// Which hosts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HostQuery {
    /// Part of a name, a machine id or an engine's version.
    q: Option<String>,
    /// `healthy`, `unhealthy`, `not_applicable` or `unknown`.
    status: Option<String>,
    /// With an engine of this product: `docker` or `podman`.
    engine: Option<String>,
    /// `severity` (worst first) or `name`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Which benchmark.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// Such as `cis-docker`, or with its edition `cis-docker@1.8.0`; the newest of each that is about hosts, if absent.
    pub(super) benchmark: Option<String>,
}

/// Which part of a history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
    /// Rows, up to 200.
    pub(super) limit: Option<u32>,
}

/// All hosts that sent facts.
#[utoipa::path(get, operation_id = "list_hosts", path = "/api/v1/hosts", tag = "hosts", params(HostQuery),
    responses((status = 200, body = HostPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<HostQuery>,
) -> ApiResult<Json<HostPage>> {
    let state = query.status.as_deref().map(|word| {
        HealthState::parse(word).ok_or_else(|| {
            ApiError::bad_request("a status is healthy, unhealthy, not_applicable or unknown")
        })
    });
    let filter = AssetFilter {
        kind: KIND.to_owned(),
        query: query.q.unwrap_or_default(),
        state: state.transpose()?,
        engine: query.engine.unwrap_or_default(),
    };
    let sort = match query.sort.as_deref() {
        None | Some("severity") => AssetSort::Severity,
        Some("name") => AssetSort::Name,
        Some(_) => return Err(ApiError::bad_request("sort by severity or name")),
    };
    let after = cursor(query.cursor);
    let page = assets::list(
        &app.store,
        &filter,
        sort,
        after.as_ref(),
        limit(query.limit),
    )
    .await?;
    Ok(Json(HostPage {
        hosts: page.items.into_iter().map(summary).collect(),
        next: next(page.next),
    }))
}

/// One host with its engines and containers.
#[utoipa::path(get, operation_id = "get_host", path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = i64, Path, description = "The host")),
    responses((status = 200, body = HostDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<HostDetail>> {
    let (asset, facts) = host(&app, id).await?;
    let mut failed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for verdict in assets::objects_of(&app.store, asset.id).await? {
        let row = verdict.row;
        if row.kind == "docker.container" && row.outcome == judge::Outcome::Fail.as_str() {
            failed.entry(row.object).or_default().insert(row.check_id);
        }
    }
    let recommendations = recommended(&app, asset.id).await?;
    let collected_at = facts.collected_at;
    let (snapshot, containers) = blocking(move || {
        let snapshot = posture::unpack(&facts.content)?;
        let count = |id: &str| failed.get(id).map_or(0, BTreeSet::len);
        let containers =
            listed::containers(&snapshot, |id| u32::try_from(count(id)).unwrap_or(u32::MAX));
        Ok((snapshot, containers))
    })
    .await?;
    Ok(Json(HostDetail {
        kind: host_kind(&snapshot).to_owned(),
        os: listed::host_text(&snapshot, "/os/pretty_name"),
        kernel: listed::host_text(&snapshot, "/kernel"),
        architecture: listed::host_text(&snapshot, "/architecture"),
        collector: asset.collector.clone(),
        collected_at,
        judged_at: asset.judged,
        container_list: containers,
        recommendations,
        summary: summary(asset),
    }))
}

/// What a benchmark says of a host, as `seareeve docker --format json` prints it there.
#[utoipa::path(get, operation_id = "get_host_report", path = "/api/v1/hosts/{id}/report", tag = "hosts",
    params(("id" = i64, Path, description = "The host"), ReportQuery),
    responses((status = 200, body = PostureReport), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<PostureReport>> {
    let (asset, facts) = host(&app, id).await?;
    let benchmarks = wanted(&app, KIND, query.benchmark.as_deref())?;
    let said = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let (content, now) = (app.content(), app.now());
    let mut snapshot = blocking(move || posture::unpack(&facts.content)).await?;
    let told = images::add_scans(&app, asset.id, &mut snapshot, now).await;
    told.map_err(ApiError::from_any)?;
    let report = blocking(move || {
        // Benchmarks are not about what is listed as not applicable.
        let benchmarks = match judge::not_concerned(&snapshot) {
            Some(_) => Vec::new(),
            None => benchmarks,
        };
        let statements = said.statements(asset.id);
        let library = &content.library;
        let benchmarks = benchmarks
            .iter()
            .filter_map(|(id, version)| library.benchmark(id, Some(version)));
        let assessments = judge::assess_all(library, benchmarks, &snapshot, &statements, now);
        Ok(posture_report(library, &snapshot, &assessments))
    })
    .await?;
    Ok(Json(report))
}

/// The facts of a host, as they were collected (`seareeve.facts/1`). For operators: they tell of users, processes and
/// files, more than anybody needs who reads what is wrong.
#[utoipa::path(get, operation_id = "get_host_facts", path = "/api/v1/hosts/{id}/facts", tag = "hosts", params(("id" = i64, Path, description = "The host")),
    responses((status = 200, body = Object, content_type = "application/json"), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Response> {
    caller.require(Role::Operator)?;
    let (_, facts) = host(&app, id).await?;
    let text = blocking(move || {
        let snapshot: Snapshot = posture::unpack(&facts.content)?;
        Ok(serde_json::to_string_pretty(&snapshot)?)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// How the controls of a host changed.
#[utoipa::path(get, operation_id = "get_host_history", path = "/api/v1/hosts/{id}/history", tag = "hosts",
    params(("id" = i64, Path, description = "The host"), HistoryQuery),
    responses((status = 200, body = HostHistory), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<HostHistory>> {
    let (asset, _) = host(&app, id).await?;
    changes(&app, asset.id, query).await
}

/// A page of an asset's history.
pub(super) async fn changes(
    app: &App,
    asset: AssetId,
    query: HistoryQuery,
) -> ApiResult<Json<HostHistory>> {
    let after = cursor(query.cursor);
    let page = assets::history(&app.store, asset, after.as_ref(), limit(query.limit)).await?;
    let content = app.content();
    let library = &content.library;
    let change = |change: assets::ControlChange| {
        let benchmark = library.benchmark(&change.benchmark, Some(&change.version));
        let control = benchmark.and_then(|benchmark| benchmark.control(&change.control));
        ControlChange {
            at: change.at,
            title: control
                .map(|control| control.title.clone())
                .unwrap_or_default(),
            benchmark: change.benchmark,
            version: change.version,
            control: change.control,
            was: change.was,
            status: change.outcome,
        }
    };
    Ok(Json(HostHistory {
        changes: page.items.into_iter().map(change).collect(),
        next: next(page.next),
    }))
}

/// Forget a host. Its sensors' tokens end. For operators.
#[utoipa::path(delete, operation_id = "delete_host", path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = i64, Path, description = "The host")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let (asset, _) = host(&app, id).await?;
    forget(&app, &asset, "host").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets an asset, and notes what that does to the score.
pub(super) async fn forget(app: &App, asset: &Asset, noun: &str) -> ApiResult<()> {
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let causes = posture::forget(app, &mut tx, asset.id, now).await?;
    let causes = causes.ok_or_else(|| ApiError::not_found(noun))?;
    scoring::note(&mut tx, &app.content(), Differ::Any, causes, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    Ok(())
}

/// What recommendations say of an asset.
pub(super) async fn recommended(app: &App, asset: AssetId) -> ApiResult<Vec<HostRecommendation>> {
    let entries = assets::health_of(&app.store, asset).await?;
    let content = app.content();
    let wire = |entry: assets::HealthEntry| {
        let id = entry.health.recommendation;
        let known = content.catalogue.recommendation(&id);
        HostRecommendation {
            title: known.map(|one| one.title.clone()).unwrap_or_default(),
            severity: known.map_or("", |one| one.severity.as_str()).to_owned(),
            health: entry.health.state.as_str().to_owned(),
            reason: entry.health.reason,
            since: entry.since,
            exemption: entry.health.exemption.map(|id| id.0),
            id,
        }
    };
    Ok(entries.into_iter().map(wire).collect())
}

/// The host of this number, and its facts.
async fn host(app: &App, id: i64) -> ApiResult<(Asset, Facts)> {
    let asset = assets::get(&app.store, AssetId(id)).await?;
    let facts = assets::facts(&app.store, AssetId(id)).await?;
    match asset.filter(|asset| asset.kind == KIND).zip(facts) {
        Some(found) => Ok(found),
        None => Err(ApiError::not_found("host")),
    }
}

/// Whose a machine is to harden. Nodes that a provider looks after have an engine that no benchmark is about.
fn host_kind(snapshot: &Snapshot) -> &'static str {
    match (judge::managed(snapshot), judge::not_concerned(snapshot)) {
        (Some(_), _) => "managed",
        (None, Some(_)) => "none",
        (None, None) => "unmanaged",
    }
}

/// Ids and editions of the benchmarks about a kind of asset that are asked for.
pub(super) fn wanted(
    app: &App,
    kind: &str,
    asked: Option<&str>,
) -> ApiResult<Vec<(String, String)>> {
    let content = app.content();
    let library = &content.library;
    let key = |benchmark: &judge::Benchmark| (benchmark.id.clone(), benchmark.version.clone());
    let Some(asked) = asked else {
        let about_it = library.benchmarks().filter(|one| one.asset == kind);
        let ids: BTreeSet<&str> = about_it.map(|one| one.id.as_str()).collect();
        let newest = ids.into_iter().filter_map(|id| library.benchmark(id, None));
        return Ok(newest.map(key).collect());
    };
    let (id, version) = match asked.split_once('@') {
        Some((id, version)) => (id, Some(version)),
        None => (asked, None),
    };
    let benchmark = library.benchmark(id, version);
    let benchmark = benchmark.filter(|one| one.asset == kind);
    let benchmark = benchmark
        .ok_or_else(|| ApiError::bad_request("no benchmark about these has this name and edition"));
    Ok(vec![key(benchmark?)])
}

/// Unpacking and judging take a while.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> ApiResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(ApiError::internal)?
        .map_err(ApiError::from_any)
}

fn summary(asset: Asset) -> HostSummary {
    let engine = |engine: assets::Engine| HostEngine {
        product: engine.product,
        version: engine.version,
        endpoint: engine.endpoint,
        rootless: engine.rootless,
    };
    HostSummary {
        id: asset.id.0,
        machine_id: asset.external_id,
        name: asset.name,
        engines: asset.engines.into_iter().map(engine).collect(),
        containers: asset.containers,
        running: asset.running,
        images: asset.images,
        state: asset.state.as_str().to_owned(),
        reason: asset.reason,
        failed: counts(asset.failed),
        first_seen: asset.first_seen,
        last_seen: asset.last_seen,
    }
}
