//! Checks and benchmarks that people bring.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use seareeve_api::{ErrorBody, Event, OwnCheck, OwnCheckList, OwnFault, OwnSwitch, OwnTested};
use seareeve_store::own_content::{self, OwnContent};
use seareeve_store::users::Role;
use seareeve_store::{Tx, jobs as stored_jobs};
use serde::Deserialize;
use tracing::info;
use utoipa::IntoParams;

use super::yaml;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::posture::{Content, own};
use crate::state::App;

/// The largest upload, in bytes.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;
/// Bytes that all of them together may take.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Faults that a refusal names.
const NAMED: usize = 20;

/// What to do with an upload.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// Take the place of what has the same name; without it, that is a conflict.
    #[serde(default)]
    replace: bool,
    /// Only say what is wrong, and keep nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The checks and benchmarks that people brought.
#[utoipa::path(get, operation_id = "list_own_checks", path = "/api/v1/checks", tag = "checks",
    responses((status = 200, body = OwnCheckList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<OwnCheckList>> {
    let content = app.content();
    let own = own_content::list(&app.store).await?;
    Ok(Json(OwnCheckList {
        checks: own.into_iter().map(|one| wire(&content, one)).collect(),
        judging: stored_jobs::any_pending(&app.store, &[jobs::ASSESS]).await?,
    }))
}

/// Bring checks and benchmarks: the body is YAML, several documents divided by lines of `---`. They are tried as
/// `seareeve check test` tries them, their examples included, and kept all together or not at all. All assets are
/// judged anew. A name that is built in cannot be taken. For security admins.
#[utoipa::path(post, operation_id = "create_own_checks", path = "/api/v1/checks", tag = "checks", params(UploadQuery),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = OwnTested), (status = 201, body = OwnTested), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<OwnTested>)> {
    caller.require(Role::SecurityAdmin)?;
    let Ok(text) = String::from_utf8(body.to_vec()) else {
        return Err(ApiError::bad_request("the upload is not UTF-8"));
    };
    let turn = app.trying_checks.lock().await;
    let known = own_content::list(&app.store).await?;
    let (trying, in_use) = (known.clone(), app.content());
    let tried = tokio::task::spawn_blocking(move || own::try_out(&text, &trying, &in_use));
    let tried = tried.await.map_err(ApiError::internal)?;
    let names: Vec<String> = tried.brought.iter().map(|one| one.name.clone()).collect();
    let mut tested = OwnTested {
        checks: names.clone(),
        examples: tried.examples,
        faults: tried.faults,
        saved: false,
    };
    if query.dry_run {
        return Ok((StatusCode::OK, Json(tested)));
    }
    if !tested.faults.is_empty() {
        return Err(ApiError::bad_request(told(&tested.faults)));
    }
    let taken = known.iter().find(|one| names.contains(&one.name));
    if let Some(taken) = taken.filter(|_| !query.replace) {
        return Err(ApiError::conflict(format!(
            "there is {} already: say that it is to be replaced, or choose another name",
            taken.name
        )));
    }
    let others = known.iter().filter(|one| !names.contains(&one.name));
    let new = tried.brought.iter().map(|one| one.content.len());
    let bytes: usize = others.map(|one| one.content.len()).chain(new).sum();
    if bytes > MOST_BYTES {
        return Err(ApiError::too_large(format!(
            "all checks and benchmarks together may take {} MiB",
            MOST_BYTES >> 20
        )));
    }
    let mut tx = app.store.begin().await?;
    own::keep(&mut tx, tried.brought, &known, &caller.user.name, app.now()).await?;
    use_them(&app, tx).await?;
    drop(turn);
    info!(by = %caller.user.name, names = names.join(" "), "checks brought");
    tested.saved = true;
    Ok((StatusCode::CREATED, Json(tested)))
}

/// A check or benchmark as it was brought.
#[utoipa::path(get, operation_id = "get_own_check", path = "/api/v1/checks/{name}", tag = "checks",
    params(("name" = String, Path, description = "A check's id, or a benchmark's id and edition")),
    responses((status = 200, body = String, content_type = "application/yaml"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<Response> {
    let own = found(&own_content::list(&app.store).await?, &name)?;
    Ok(yaml::download(&format!("{}.yaml", own.name), own.content))
}

/// Switch a check or benchmark on or off. All assets are judged anew. For security admins.
#[utoipa::path(patch, operation_id = "switch_own_check", path = "/api/v1/checks/{name}", tag = "checks",
    params(("name" = String, Path, description = "A check's id, or a benchmark's id and edition")), request_body = OwnSwitch,
    responses((status = 200, body = OwnCheck), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn switch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(given): Json<OwnSwitch>,
) -> ApiResult<Json<OwnCheck>> {
    caller.require(Role::SecurityAdmin)?;
    let turn = app.trying_checks.lock().await;
    let mut known = own_content::list(&app.store).await?;
    let mut own = found(&known, &name)?;
    if own.enabled != given.enabled {
        own.enabled = given.enabled;
        own.changed = app.now();
        if given.enabled {
            known.retain(|one| one.name != name);
            known.push(own.clone());
            usable(known, &name).await?;
        } else {
            unneeded(known, &name).await?;
        }
        let mut tx = app.store.begin().await?;
        own_content::put(&mut tx, &own).await?;
        use_them(&app, tx).await?;
    }
    drop(turn);
    Ok(Json(wire(&app.content(), own)))
}

/// Forget a check or benchmark. All assets are judged anew. For security admins.
#[utoipa::path(delete, operation_id = "delete_own_check", path = "/api/v1/checks/{name}", tag = "checks",
    params(("name" = String, Path, description = "A check's id, or a benchmark's id and edition")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let turn = app.trying_checks.lock().await;
    let known = own_content::list(&app.store).await?;
    found(&known, &name)?;
    unneeded(known, &name).await?;
    let mut tx = app.store.begin().await?;
    own_content::delete(&mut tx, &name).await?;
    use_them(&app, tx).await?;
    drop(turn);
    info!(by = %caller.user.name, name, "check forgotten");
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the transaction, so that all assets are judged by what is there then.
async fn use_them(app: &Arc<App>, mut tx: Tx) -> ApiResult<()> {
    jobs::enqueue_assess(&mut tx, None, app.now()).await?;
    tx.commit().await?;
    own::refresh(app).await.map_err(ApiError::from_any)?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    Ok(())
}

fn found(known: &[OwnContent], name: &str) -> ApiResult<OwnContent> {
    let found = known.iter().find(|one| one.name == name).cloned();
    found.ok_or_else(|| ApiError::not_found("check"))
}

/// Refuses to switch on what cannot be used.
async fn usable(known: Vec<OwnContent>, name: &str) -> ApiResult<()> {
    let made = tokio::task::spawn_blocking(move || own::content(&known));
    let made = made.await.map_err(ApiError::internal)?;
    match made.problems.get(name) {
        Some(why) => Err(ApiError::conflict(format!("{name} cannot be used: {why}"))),
        None => Ok(()),
    }
}

/// Refuses to take away what something else needs: that would silently be judged no more.
async fn unneeded(known: Vec<OwnContent>, name: &str) -> ApiResult<()> {
    let without = name.to_owned();
    let broken = tokio::task::spawn_blocking(move || own::broken_without(&known, &without));
    let broken = broken.await.map_err(ApiError::internal)?;
    let names: Vec<&str> = broken.keys().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(ApiError::conflict(format!(
        "{} cannot do without {name}: switch that off first",
        names.join(", ")
    )))
}

fn told(faults: &[OwnFault]) -> String {
    let line = |fault: &OwnFault| match &fault.example {
        Some(example) => format!("{}: {example}: {}", fault.name, fault.fault),
        None => format!("{}: {}", fault.name, fault.fault),
    };
    let mut lines: Vec<String> = faults.iter().take(NAMED).map(line).collect();
    if let Some(more) = faults.len().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn wire(content: &Content, own: OwnContent) -> OwnCheck {
    OwnCheck {
        problem: content.problems.get(&own.name).cloned(),
        kind: own.kind.as_str().to_owned(),
        name: own.name,
        title: own.title,
        enabled: own.enabled,
        author: own.author,
        created: own.created,
        changed: own.changed,
    }
}
