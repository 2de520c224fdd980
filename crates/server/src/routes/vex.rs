//! VEX documents: what the makers of images and packages say of vulnerabilities in them. They hold for all images.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use seareeve_api::{ErrorBody, VexEntry, VexList};
use seareeve_store::users::Role;
use seareeve_store::vex_documents::{self, NewVex, PutVex};
use seareeve_store::{VexId, jobs as stored_jobs};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::state::App;

/// What all documents together may take: they are kept in memory, parsed.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The name of a document.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NameQuery {
    /// To recognise it by, such as its file name. A document of the same name is replaced.
    name: String,
}

/// The VEX documents in force.
#[utoipa::path(get, operation_id = "list_vex", path = "/api/v1/vex", tag = "vex",
    responses((status = 200, body = VexList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(State(app): State<Arc<App>>, _caller: Caller) -> ApiResult<Json<VexList>> {
    let documents = vex_documents::list(&app.store).await?;
    Ok(Json(VexList {
        documents: documents.into_iter().map(wire).collect(),
        judging: stored_jobs::any_pending(&app.store, jobs::DATABASE_JOBS).await?,
    }))
}

/// Add or replace a VEX document (OpenVEX, CSAF 2.0 or CycloneDX, as JSON): the body is the document. What it says
/// is not affected or fixed counts no more, in any image, until the document is deleted. For operators.
#[utoipa::path(post, operation_id = "put_vex", path = "/api/v1/vex", tag = "vex", params(NameQuery),
    request_body(content = Vec<u8>, content_type = "application/json"),
    responses((status = 200, body = VexEntry), (status = 201, body = VexEntry), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<NameQuery>,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<VexEntry>)> {
    caller.require(Role::Operator)?;
    let name: String = query.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(ApiError::bad_request(
            "a document has a name of 1 to 200 characters",
        ));
    }
    let known = vex_documents::list(&app.store).await?;
    let others = known.iter().filter(|document| document.name != name);
    let taken: u64 = others.map(|document| document.size_bytes).sum();
    if taken.saturating_add(body.len() as u64) > MOST_BYTES {
        return Err(ApiError::too_large(format!(
            "all VEX documents together may take {} MiB",
            MOST_BYTES >> 20
        )));
    }
    let parsing = (name.clone(), body.clone());
    let parsed = tokio::task::spawn_blocking(move || {
        let (name, body) = parsing;
        seareeve_scan::vex::parse(&name, &body)
    });
    let document = match parsed.await.map_err(ApiError::internal)? {
        Ok(document) => document,
        Err(error) => {
            let why = format!("{:#}", anyhow::Error::from(error));
            return Err(ApiError::bad_request(why));
        }
    };
    let content = std::str::from_utf8(&body)
        .context("JSON that was read is UTF-8")
        .map_err(ApiError::from_any)?;
    let new = NewVex {
        name: &name,
        source: document.source(),
        content,
        statements: document.len(),
    };
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let put = vex_documents::put(&mut tx, new, caller.user.id, now).await?;
    let (status, id) = match put {
        PutVex::Created(id) => (StatusCode::CREATED, id),
        PutVex::Replaced(id) | PutVex::Same(id) => (StatusCode::OK, id),
    };
    if !matches!(put, PutVex::Same(_)) {
        jobs::enqueue_judge(&mut tx, now).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    let entry = vex_documents::list(&app.store)
        .await?
        .into_iter()
        .find(|document| document.id == id)
        .ok_or_else(|| ApiError::not_found("document"))?;
    Ok((status, Json(wire(entry))))
}

/// Delete a VEX document. What it took out of the counts comes back. For operators.
#[utoipa::path(delete, operation_id = "delete_vex", path = "/api/v1/vex/{id}", tag = "vex",
    params(("id" = i64, Path, description = "The document")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let mut tx = app.store.begin().await?;
    if !vex_documents::delete(&mut tx, VexId(id)).await? {
        return Err(ApiError::not_found("document"));
    }
    jobs::enqueue_judge(&mut tx, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

fn wire(document: vex_documents::VexEntry) -> VexEntry {
    VexEntry {
        id: document.id.0,
        name: document.name,
        source: document.source,
        statements: document.statements,
        size_bytes: document.size_bytes,
        findings: document.findings,
        sent_by: document.sent_by,
        created: document.created,
    }
}
