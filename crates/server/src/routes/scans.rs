//! Asking for scans, and watching them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use seareeve_api::{
    ErrorBody, ImageReport, MAX_PAGE, Sbom, Scan, ScanPage, ScanRequest, ScanSource, ScanState,
};
use seareeve_model::{ImageReference, Inventory};
use seareeve_scan::Examined;
use seareeve_store::users::Role;
use seareeve_store::{Cursor, ScanId, scans};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::auth::secret::Secret;
use crate::error::{ApiError, ApiResult};
use crate::jobs::{self, Note, Saved, ScanJob};
use crate::state::App;

/// Which page of scans.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// The name of an upload.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// The archive's file name, to recognise it by.
    name: String,
}

/// All scans, newest first.
#[utoipa::path(get, operation_id = "list_scans", path = "/api/v1/scans", tag = "scans", params(PageQuery),
    responses((status = 200, body = ScanPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<ScanPage>> {
    let cursor = super::query::cursor(page.cursor);
    let found = scans::list(&app.store, cursor.as_ref(), limit(page.limit)).await?;
    Ok(Json(ScanPage {
        scans: found
            .items
            .into_iter()
            .map(|scan| wire(&app, scan))
            .collect(),
        next: found.next.as_ref().map(Cursor::to_string),
    }))
}

/// Scan an image in a registry. For operators.
#[utoipa::path(post, operation_id = "scan_reference", path = "/api/v1/scans", tag = "scans", request_body = ScanRequest,
    responses((status = 202, body = Scan), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<ScanRequest>,
) -> ApiResult<(StatusCode, Json<Scan>)> {
    caller.require(Role::Operator)?;
    let reference: ImageReference = request.reference.trim().parse().map_err(
        |error: seareeve_model::ImageReferenceError| ApiError::bad_request(error.to_string()),
    )?;
    enqueue(
        &app,
        &caller,
        scans::ScanSource::Reference(reference.to_string()),
        None,
    )
    .await
}

/// Scan an uploaded archive (`docker save`, or an OCI layout as tar): the body is the archive. For operators.
#[utoipa::path(post, operation_id = "scan_upload", path = "/api/v1/scans/upload", tag = "scans", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/x-tar"),
    responses((status = 202, body = Scan), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> ApiResult<(StatusCode, Json<Scan>)> {
    caller.require(Role::Operator)?;
    // Only for showing: the file itself gets a name of ours.
    let name: String = query
        .name
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    let file = Secret::generate("")?.text;
    let path = app.upload_folder().join(&file);
    let limit = app
        .config
        .server
        .upload_limit_mib
        .saturating_mul(1024 * 1024);
    let written = write(body, path.as_std_path(), limit).await;
    let asked = match written {
        Ok(size_bytes) => {
            enqueue(
                &app,
                &caller,
                scans::ScanSource::Upload { name, size_bytes },
                Some(file),
            )
            .await
        }
        Err(error) => Err(error),
    };
    if asked.is_err() {
        // What is left of it would be swept tomorrow; there is no reason to keep it until then.
        let _ = tokio::fs::remove_file(&path).await;
    }
    asked
}

/// One scan.
#[utoipa::path(get, operation_id = "get_scan", path = "/api/v1/scans/{id}", tag = "scans", params(("id" = i64, Path, description = "The scan")),
    responses((status = 200, body = Scan), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<Scan>> {
    let scan = scans::get(&app.store, ScanId(id))
        .await?
        .ok_or_else(|| ApiError::not_found("scan"))?;
    Ok(Json(wire(&app, scan)))
}

/// Stop a scan that waits or runs. For operators.
#[utoipa::path(delete, operation_id = "cancel_scan", path = "/api/v1/scans/{id}", tag = "scans", params(("id" = i64, Path, description = "The scan")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    if scans::get(&app.store, ScanId(id)).await?.is_none() {
        return Err(ApiError::not_found("scan"));
    }
    // Written first, so that it holds even if the process dies now; whoever runs it sees that it has ended.
    let mut tx = app.store.begin().await?;
    let cancelled = scans::cancel(&mut tx, ScanId(id), app.now()).await?;
    tx.commit().await?;
    if !cancelled {
        return Err(ApiError::conflict("the scan has ended already"));
    }
    app.running.stop(id);
    jobs::announce(&app, ScanId(id)).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Match and keep an SBOM that `seareeve image --server` sends. For operators.
#[utoipa::path(post, operation_id = "send_sbom", path = "/api/v1/sboms", tag = "scans", request_body = Sbom,
    responses((status = 200, body = ImageReport), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn sbom(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(sbom): Json<Sbom>,
) -> ApiResult<Json<ImageReport>> {
    caller.require(Role::Operator)?;
    let inventory =
        Inventory::try_from(sbom).map_err(|error| ApiError::bad_request(error.to_string()))?;
    let name = inventory
        .image
        .references
        .first()
        .cloned()
        .unwrap_or_else(|| inventory.image.digest.to_string());
    let note = Note::SbomTaken {
        name: &name,
        user: caller.user.id,
    };
    // A list of packages says nothing of secrets.
    let examined = Examined {
        inventory,
        secrets: None,
        raising: None,
    };
    let saved = jobs::save(&app, examined, note)
        .await
        .map_err(ApiError::from_any)?;
    let Saved::Stored(stored) = saved else {
        return Err(ApiError::internal(anyhow::anyhow!(
            "a scan that began in this transaction had ended"
        )));
    };
    let mut report = seareeve_api::report(
        &stored.inventory,
        &stored.findings,
        &[],
        stored.database.into(),
    );
    let today = super::images::today(&app);
    super::reports::add_support(&mut report, stored.inventory.distro.as_ref(), today);
    Ok(Json(report))
}

async fn enqueue(
    app: &Arc<App>,
    caller: &Caller,
    source: scans::ScanSource,
    upload: Option<String>,
) -> ApiResult<(StatusCode, Json<Scan>)> {
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let id = scans::create(&mut tx, &source, Some(caller.user.id), now).await?;
    ScanJob::enqueue(&mut tx, id, upload, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    jobs::announce(app, id).await;
    let scan = scans::get(&app.store, id)
        .await?
        .ok_or_else(|| ApiError::not_found("scan"))?;
    Ok((StatusCode::ACCEPTED, Json(wire(app, scan))))
}

/// Writes a body to a new private file; the bytes written.
async fn write(body: Body, path: &std::path::Path, limit: u64) -> ApiResult<u64> {
    let internal = |error: std::io::Error| {
        ApiError::internal(anyhow::Error::from(error).context("failed to store an upload"))
    };
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .await
        .map_err(internal)?;
    let mut stream = body.into_data_stream();
    let mut size = 0_u64;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|error| ApiError::bad_request(format!("the upload broke off: {error}")))?;
        size = size.saturating_add(chunk.len() as u64);
        if size > limit {
            return Err(ApiError::too_large(format!(
                "the archive is larger than {limit} bytes (setting server.upload_limit_mib)"
            )));
        }
        file.write_all(&chunk).await.map_err(internal)?;
    }
    // The scan's row says that the archive is there: it must be so after a power cut, too.
    file.sync_all().await.map_err(internal)?;
    if size == 0 {
        return Err(ApiError::bad_request("the body is empty: send the archive"));
    }
    Ok(size)
}

pub(super) fn limit(given: Option<u32>) -> usize {
    usize::try_from(given.unwrap_or(50).clamp(1, MAX_PAGE)).unwrap_or(50)
}

/// The wire form, with the progress of a scan that runs here.
pub(crate) fn wire(app: &App, scan: scans::Scan) -> Scan {
    let (state, image, problems, error) = match scan.state {
        scans::ScanState::Queued => (ScanState::Queued, None, 0, None),
        scans::ScanState::Running => (ScanState::Running, None, 0, None),
        scans::ScanState::Done { image, problems } => (
            ScanState::Done,
            image.map(|digest| digest.to_string()),
            problems,
            None,
        ),
        scans::ScanState::Failed { error } => (ScanState::Failed, None, 0, Some(error)),
        scans::ScanState::Cancelled => (ScanState::Cancelled, None, 0, None),
    };
    Scan {
        id: scan.id.0,
        source: match scan.source {
            scans::ScanSource::Reference(reference) => ScanSource::Reference { reference },
            scans::ScanSource::Upload { name, size_bytes } => {
                ScanSource::Upload { name, size_bytes }
            }
            scans::ScanSource::Sbom(name) => ScanSource::Sbom { name },
        },
        progress: (state == ScanState::Running)
            .then(|| app.running.progress(scan.id.0))
            .flatten(),
        state,
        image,
        error,
        problems,
        requested_by: scan.requested_by.unwrap_or_default(),
        created: scan.created,
        finished: scan.finished,
    }
}
