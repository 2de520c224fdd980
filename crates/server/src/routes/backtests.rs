//! Rules tried on kept events.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{Backtest, BacktestList, ErrorBody, Event, NewBacktest};
use seareeve_store::backtests::{self, Ending};
use seareeve_store::users::Role;
use seareeve_store::{BacktestId, audit_clusters};

use crate::audit::{self, files, tuning};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::state::App;

/// Back-tests that are listed.
const LISTED: usize = 50;
/// Back-tests that wait or run at a time.
const MOST_PENDING: u64 = 10;

/// The last back-tests, without their results.
#[utoipa::path(get, operation_id = "list_backtests", path = "/api/v1/backtests", tag = "detections",
    responses((status = 200, body = BacktestList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<BacktestList>> {
    let backtests = backtests::list(&app.store, LISTED).await?;
    Ok(Json(BacktestList {
        backtests: backtests.into_iter().map(wire).collect(),
    }))
}

/// Try a detection, a change or a rule file on kept events, before it is in force. For operators.
#[utoipa::path(post, operation_id = "create_backtest", path = "/api/v1/backtests", tag = "detections",
    request_body = NewBacktest,
    responses((status = 202, body = Backtest), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(asked): Json<NewBacktest>,
) -> ApiResult<(StatusCode, Json<Backtest>)> {
    caller.require(Role::Operator)?;
    let (title, target) = check(&app, &asked).await?;
    let clusters = audit_clusters::list(&app.store).await?;
    let is_known = |name: &String| clusters.iter().any(|cluster| cluster.name == *name);
    if !asked.clusters.iter().all(is_known) {
        return Err(ApiError::not_found("cluster"));
    }
    if backtests::pending(&app.store).await? >= MOST_PENDING {
        return Err(ApiError::conflict(format!(
            "{MOST_PENDING} back-tests wait already: let them end, or stop some"
        )));
    }
    let text = serde_json::to_string(&asked).map_err(ApiError::internal)?;
    let (author, now) = (&caller.user.name, app.now());
    let mut tx = app.store.begin().await?;
    let id = backtests::create(&mut tx, &title, Some(&target), &text, author, now).await?;
    jobs::enqueue_backtest(&mut tx, id, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Backtests);
    let made = backtests::get(&app.store, id).await?;
    let made = made.ok_or_else(|| ApiError::not_found("back-test"))?;
    Ok((StatusCode::ACCEPTED, Json(wire(made))))
}

/// What is tried, for people, and what it is about.
async fn check(app: &Arc<App>, asked: &NewBacktest) -> ApiResult<(String, String)> {
    match (&asked.detection, &asked.tuning, &asked.file) {
        (Some(id), None, None) => {
            let content = app.audit.content();
            let rule = content.rule(id);
            let rule = rule.ok_or_else(|| ApiError::not_found("detection"))?;
            Ok((rule.name.clone(), rule.id.clone()))
        }
        (None, Some(new), None) => {
            let checked = tuning::check(app, new.clone(), app.now()).await?;
            let content = app.audit.content();
            let rule = content.rule(&new.target);
            let name = rule.map_or(new.target.as_str(), |rule| rule.name.as_str());
            let words: String = tuning::words(&checked.change).chars().take(200).collect();
            Ok((format!("{name}: {words}"), new.target.clone()))
        }
        (None, None, Some(file)) => {
            if !files::is_name(&file.name) {
                return Err(ApiError::bad_request(
                    "a file's name has letters, digits, ., - and _, and ends in .yaml or .yml",
                ));
            }
            let given = audit::given(app).await?;
            let (name, text, now) = (file.name.clone(), file.content.clone(), app.now());
            let trying =
                tokio::task::spawn_blocking(move || files::try_out(&given, &name, &text, now));
            let tried = trying.await.map_err(ApiError::internal)?;
            if let Some(fault) = tried.faults.iter().find(|fault| fault.is_error) {
                return Err(ApiError::bad_request(format!(
                    "{}:{}:{}: {} {}",
                    fault.file, fault.line, fault.column, fault.item, fault.message
                )));
            }
            Ok((format!("File {}", file.name), file.name.clone()))
        }
        _ => Err(ApiError::bad_request(
            "name exactly one of detection, tuning and file",
        )),
    }
}

/// A back-test, with its result once it is done.
#[utoipa::path(get, operation_id = "get_backtest", path = "/api/v1/backtests/{id}", tag = "detections",
    params(("id" = i64, Path, description = "The back-test")),
    responses((status = 200, body = Backtest), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<Backtest>> {
    let found = backtests::get(&app.store, BacktestId(id)).await?;
    let mut told = wire(found.ok_or_else(|| ApiError::not_found("back-test"))?);
    if let Some(text) = backtests::result(&app.store, BacktestId(id)).await? {
        told.result = Some(serde_json::from_str(&text).map_err(ApiError::internal)?);
    }
    Ok(Json(told))
}

/// Stop a back-test. For operators.
#[utoipa::path(delete, operation_id = "cancel_backtest", path = "/api/v1/backtests/{id}", tag = "detections",
    params(("id" = i64, Path, description = "The back-test")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let found = backtests::get(&app.store, BacktestId(id)).await?;
    found.ok_or_else(|| ApiError::not_found("back-test"))?;
    let mut tx = app.store.begin().await?;
    let is_stopped = backtests::end(&mut tx, BacktestId(id), Ending::Cancelled, app.now()).await?;
    tx.commit().await?;
    app.events.publish(Event::Backtests);
    if !is_stopped {
        return Err(ApiError::conflict("it has ended already"));
    }
    Ok(StatusCode::NO_CONTENT)
}

fn wire(one: backtests::Backtest) -> Backtest {
    Backtest {
        id: one.id.0,
        title: one.title,
        target: one.target,
        state: one.state.as_str().to_owned(),
        seen: one.seen,
        total: one.total,
        problem: one.problem,
        author: one.author,
        created: one.created,
        ended: one.ended,
        result: None,
    }
}
