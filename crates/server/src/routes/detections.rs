//! The catalogue of detections, and what people change about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use seareeve_api::{
    BacktestResult, DetectionDetail, DetectionFault, DetectionHistory, DetectionList,
    DetectionNamedLists, ErrorBody, NewBacktest, NewTuning, Tuning, TuningList,
};
use seareeve_store::backtests::{self, BacktestState};
use seareeve_store::users::Role;
use seareeve_store::{TuningId, audit_clusters, detections};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::catalogue::{self, Catalogue, DAYS, LATELY, since};
use crate::audit::content::{Content, own_name};
use crate::audit::{coverage, tuning};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Lines of the history that are told of one detection, and of all.
const MOST_LINES: usize = 50;
const MOST_HISTORY: usize = 500;
/// Back-tests that are looked through for the cost of a detection.
const LOOKED_AT: usize = 100;

/// All detections, with what they see, what is changed about them and what they raise.
#[utoipa::path(get, operation_id = "list_detections", path = "/api/v1/detections", tag = "detections",
    responses((status = 200, body = DetectionList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<DetectionList>> {
    let content = app.audit.content();
    let clusters = audit_clusters::list(&app.store).await?;
    let catalogue = catalogue(&app, &content, &clusters).await?;
    Ok(Json(DetectionList {
        detections: catalogue.all(),
        clusters: clusters.iter().map(|one| one.name.clone()).collect(),
        problems: problems(&content),
    }))
}

async fn catalogue<'c>(
    app: &App,
    content: &'c Content,
    clusters: &'c [audit_clusters::AuditCluster],
) -> ApiResult<Catalogue<'c>> {
    let now = app.now();
    let (month, week) = (since(now, DAYS), since(now, LATELY));
    let noise = detections::noise(&app.store, month, week).await?;
    let policies = coverage::policies(&app.store).await?;
    Ok(Catalogue::new(
        &app.audit, content, clusters, &policies, noise, now,
    ))
}

/// What keeps something from being used.
fn problems(content: &Content) -> Vec<DetectionFault> {
    let faults = content.faults.iter().filter(|fault| fault.is_error);
    let changes = content.given.tunings.iter().filter_map(|one| {
        let why = content.unusable.get(&one.id.0)?;
        Some(DetectionFault {
            file: String::new(),
            line: 0,
            column: 0,
            code: "TUNING".to_owned(),
            item: one.said.target.clone(),
            message: why.clone(),
            is_error: true,
        })
    });
    faults.cloned().chain(changes).collect()
}

/// One detection with all that is known of it.
#[utoipa::path(get, operation_id = "get_detection", path = "/api/v1/detections/{id}", tag = "detections",
    params(("id" = String, Path, description = "The detection")),
    responses((status = 200, body = DetectionDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<DetectionDetail>> {
    let content = app.audit.content();
    let rule = content
        .rules()
        .find(|rule| rule.id == id || rule.aliases.contains(&id))
        .ok_or_else(|| ApiError::not_found("detection"))?;
    let clusters = audit_clusters::list(&app.store).await?;
    let mut detail = catalogue(&app, &content, &clusters).await?.detail(rule);
    let is_about = |one: &&detections::Tuning| match one.said.kind {
        detections::TuningKind::List => rule.lists.contains(&one.said.target),
        _ => one.said.target == rule.id,
    };
    let tunings = content.given.tunings.iter().filter(is_about);
    detail.tunings = tunings
        .filter_map(|one| tuning::wire(&content, one))
        .collect();
    let mut targets: Vec<&str> = vec![&rule.id];
    targets.extend(rule.lists.iter().map(String::as_str));
    targets.extend(own_name(&rule.file));
    let history = detections::history(&app.store, &targets, MOST_LINES).await?;
    detail.history = history.into_iter().map(tuning::told).collect();
    detail.cost_ns = cost(&app, &rule.id).await?;
    Ok(Json(detail))
}

/// What a detection cost when it was last tried alone.
async fn cost(app: &App, id: &str) -> ApiResult<Option<u64>> {
    let is_it = |one: &backtests::Backtest| {
        let asked = serde_json::from_str::<NewBacktest>(&one.asked).ok();
        one.state == BacktestState::Done
            && asked.is_some_and(|asked| asked.detection.as_deref() == Some(id))
    };
    let tried = backtests::list(&app.store, LOOKED_AT).await?;
    let Some(last) = tried.into_iter().find(is_it) else {
        return Ok(None);
    };
    let result = backtests::result(&app.store, last.id).await?;
    let result = result.and_then(|text| serde_json::from_str::<BacktestResult>(&text).ok());
    Ok(result
        .filter(|result| result.span.events > 0)
        .map(|result| result.cost_ns))
}

/// All named lists, with what is changed about them.
#[utoipa::path(get, operation_id = "list_detection_lists", path = "/api/v1/detection-lists", tag = "detections",
    responses((status = 200, body = DetectionNamedLists), (status = 401, body = ErrorBody)))]
pub(super) async fn lists(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<DetectionNamedLists>> {
    Ok(Json(DetectionNamedLists {
        lists: catalogue::lists(&app.audit.content()),
    }))
}

/// What is changed about detections and lists.
#[utoipa::path(get, operation_id = "list_tunings", path = "/api/v1/detection-tunings", tag = "detections",
    responses((status = 200, body = TuningList), (status = 401, body = ErrorBody)))]
pub(super) async fn tunings(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<TuningList>> {
    let content = app.audit.content();
    let tunings = content.given.tunings.iter();
    Ok(Json(TuningList {
        tunings: tunings
            .filter_map(|one| tuning::wire(&content, one))
            .collect(),
    }))
}

/// Change a detection or a list, for all clusters or one. It counts from the next events on, without a restart. For
/// security admins.
#[utoipa::path(post, operation_id = "create_tuning", path = "/api/v1/detection-tunings", tag = "detections",
    request_body = NewTuning,
    responses((status = 201, body = Tuning), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn tune(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewTuning>,
) -> ApiResult<(StatusCode, Json<Tuning>)> {
    caller.require(Role::SecurityAdmin)?;
    let turn = app.audit.changing.lock().await;
    let now = app.now();
    let checked = tuning::check(&app, given, now).await?;
    let made = tuning::make(&app, checked, &caller.user.name, now).await?;
    drop(turn);
    let told = tuning::wire(&app.audit.content(), &made).ok_or_else(|| {
        ApiError::internal(anyhow::anyhow!("a change that was made cannot be read"))
    })?;
    Ok((StatusCode::CREATED, Json(told)))
}

/// Take a change back. For security admins.
#[utoipa::path(delete, operation_id = "delete_tuning", path = "/api/v1/detection-tunings/{id}", tag = "detections",
    params(("id" = i64, Path, description = "The change")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn untune(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let turn = app.audit.changing.lock().await;
    tuning::take_back(&app, TuningId(id), &caller.user.name).await?;
    drop(turn);
    Ok(StatusCode::NO_CONTENT)
}

/// About what the history is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// A detection, list or file.
    target: Option<String>,
}

/// What was ever changed about detections, lists and rule files, the last first.
#[utoipa::path(get, operation_id = "detection_history", path = "/api/v1/detection-history", tag = "detections",
    params(HistoryQuery),
    responses((status = 200, body = DetectionHistory), (status = 401, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<DetectionHistory>> {
    let targets: Vec<&str> = query.target.iter().map(String::as_str).collect();
    let changes = detections::history(&app.store, &targets, MOST_HISTORY).await?;
    Ok(Json(DetectionHistory {
        changes: changes.into_iter().map(tuning::told).collect(),
    }))
}
