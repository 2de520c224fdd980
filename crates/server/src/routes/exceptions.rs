//! Exceptions: checks that may fail.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{ErrorBody, Exception, ExceptionList, NewException};
use seareeve_store::users::Role;
use seareeve_store::{ExceptionId, exceptions};

use super::statements;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// All exceptions, those that have ended included.
#[utoipa::path(get, operation_id = "list_exceptions", path = "/api/v1/exceptions", tag = "statements",
    responses((status = 200, body = ExceptionList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<ExceptionList>> {
    let exceptions = exceptions::list(&app.store).await?;
    Ok(Json(ExceptionList {
        exceptions: exceptions.into_iter().map(wire).collect(),
    }))
}

/// Make an exception. All hosts are judged anew. For security admins.
#[utoipa::path(post, operation_id = "create_exception", path = "/api/v1/exceptions", tag = "statements", request_body = NewException,
    responses((status = 201, body = Exception), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewException>,
) -> ApiResult<(StatusCode, Json<Exception>)> {
    let now = statements::may_say(&app, &caller, &given.reason, given.expires)?;
    let content = app.content();
    let library = &content.library;
    if library.check(&given.check).is_none() {
        return Err(ApiError::bad_request("no check has this id"));
    }
    if let Some(id) = given.benchmark.as_deref()
        && library.benchmark(id, None).is_none()
    {
        return Err(ApiError::bad_request("no benchmark has this id"));
    }
    for pattern in [&given.asset, &given.object].into_iter().flatten() {
        if pattern.is_empty() || pattern.chars().count() > 255 {
            return Err(ApiError::bad_request(
                "a name in an exception has 1 to 255 characters, or is left out",
            ));
        }
    }
    let said = exceptions::NewException {
        check_id: given.check.clone(),
        benchmark: given.benchmark.clone(),
        asset: given.asset.clone(),
        object: given.object.clone(),
        reason: given.reason.trim().to_owned(),
        expires: given.expires,
    };
    let mut tx = app.store.begin().await?;
    let id = exceptions::create(&mut tx, &said, &caller.user.name, now).await?;
    statements::judge_again(&app, tx, None, now).await?;
    let exception = exceptions::Exception {
        id,
        said,
        author: caller.user.name,
        created: now,
    };
    Ok((StatusCode::CREATED, Json(wire(exception))))
}

/// Take an exception back. All hosts are judged anew. For security admins.
#[utoipa::path(delete, operation_id = "delete_exception", path = "/api/v1/exceptions/{id}", tag = "statements",
    params(("id" = i64, Path, description = "The exception")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    let was_there = exceptions::delete(&mut tx, ExceptionId(id)).await?;
    if !was_there {
        return Err(ApiError::not_found("exception"));
    }
    statements::judge_again(&app, tx, None, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire(exception: exceptions::Exception) -> Exception {
    let said = exception.said;
    Exception {
        id: exception.id.0,
        said: NewException {
            check: said.check_id,
            benchmark: said.benchmark,
            asset: said.asset,
            object: said.object,
            reason: said.reason,
            expires: said.expires,
        },
        author: exception.author,
        created: exception.created,
    }
}
