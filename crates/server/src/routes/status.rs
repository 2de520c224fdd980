//! How the server is, what it holds, and its advisory database.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seareeve_api::{ErrorBody, Overview, Status};
use seareeve_store::users::Role;
use seareeve_store::{settings, summary};

use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::jobs;
use crate::state::App;

/// How the server is.
#[utoipa::path(get, operation_id = "get_status", path = "/api/v1/status", tag = "status",
    responses((status = 200, body = Status), (status = 401, body = ErrorBody)))]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<Status>> {
    let info = app.advisories.get().await.info();
    let matched = settings::get(&app.store, jobs::MATCHED_WITH).await?;
    let counts = seareeve_store::jobs::counts(&app.store).await?;
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        updating: app.update_waiting().await?,
        update_problem: settings::get(&app.store, jobs::UPDATE_PROBLEM)
            .await?
            .filter(|text| !text.is_empty()),
        rematching: matched.as_deref() != Some(info.digest.as_str()),
        database: info.into(),
        scans_pending: seareeve_store::scans::pending(&app.store).await?,
        jobs_dead: counts.dead,
    }))
}

/// Numbers over all images.
#[utoipa::path(get, operation_id = "get_overview", path = "/api/v1/overview", tag = "status",
    responses((status = 200, body = Overview), (status = 401, body = ErrorBody)))]
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<Overview>> {
    let totals = summary::totals(&app.store).await?;
    Ok(Json(Overview {
        images: totals.images,
        images_critical: totals.images_with_critical,
        images_affected: totals.images_with_findings,
        images_exploited: totals.images_with_exploited,
        images_partial: totals.images_with_problems,
        packages: totals.packages,
        findings: super::query::counts(totals.findings),
        fixable: totals.fixable,
    }))
}

/// Fetch advisories and match all stored packages again. For operators.
#[utoipa::path(post, operation_id = "update_database", path = "/api/v1/database/update", tag = "status",
    responses((status = 202), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(super) async fn update_database(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    jobs::enqueue_update(&app).await?;
    app.events.publish(seareeve_api::Event::Database);
    Ok(StatusCode::ACCEPTED)
}
