//! Rule files that people bring.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use seareeve_api::{
    DetectionFault, DetectionFile, DetectionFileList, DetectionFileTested, ErrorBody,
};
use seareeve_store::detections::{self, Entry, HistoryKind, OwnFile};
use seareeve_store::users::Role;
use serde::Deserialize;
use tracing::info;
use utoipa::IntoParams;

use super::yaml;
use crate::audit::content::Content;
use crate::audit::{self, files, refresh};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The largest body: a file, or one in JSON to be tried.
pub(super) const LIMIT: usize = 3 * files::MOST_BYTES;
/// Faults that a refusal names.
const NAMED: usize = 20;

/// What to do with a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FileQuery {
    /// Only say what is wrong, and keep nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The rule files that people brought.
#[utoipa::path(get, operation_id = "list_detection_files", path = "/api/v1/detection-files", tag = "detections",
    responses((status = 200, body = DetectionFileList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<DetectionFileList>> {
    let content = app.audit.content();
    let files = content.given.files.iter();
    Ok(Json(DetectionFileList {
        files: files.map(|file| wire(&content, file)).collect(),
    }))
}

fn wire(content: &Content, file: &OwnFile) -> DetectionFile {
    DetectionFile {
        name: file.name.clone(),
        detections: files::detections_of(content, &file.name),
        author: file.author.clone(),
        created: file.created,
        changed: file.changed,
        faults: content
            .faults
            .iter()
            .filter(|fault| fault.file == file.name)
            .cloned()
            .collect(),
    }
}

/// A rule file as it was brought.
#[utoipa::path(get, operation_id = "get_detection_file", path = "/api/v1/detection-files/{name}", tag = "detections",
    params(("name" = String, Path, description = "The file")),
    responses((status = 200, body = String, content_type = "application/yaml"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<Response> {
    let files = detections::files(&app.store).await?;
    let file = files.into_iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| ApiError::not_found("file"))?;
    Ok(yaml::download(&file.name, file.content))
}

/// Bring a rule file, in place of the one of its name: detections of ours, one in a file that is called by its id, or
/// rules of Falco's. It is tried beside everything else, its examples are run, and it is kept whole or not at all. For
/// security admins.
#[utoipa::path(put, operation_id = "put_detection_file", path = "/api/v1/detection-files/{name}", tag = "detections",
    params(("name" = String, Path, description = "The file: letters, digits, ., - and _, and .yaml"), FileQuery),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = DetectionFileTested), (status = 201, body = DetectionFileTested), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<FileQuery>,
    body: String,
) -> ApiResult<(StatusCode, Json<DetectionFileTested>)> {
    caller.require(Role::SecurityAdmin)?;
    if !files::is_name(&name) {
        return Err(ApiError::bad_request(
            "a file's name has letters, digits, ., - and _, and ends in .yaml or .yml",
        ));
    }
    let turn = app.audit.changing.lock().await;
    let given = audit::given(&app).await?;
    let now = app.now();
    let (file, text) = (name.clone(), body.clone());
    let trying = tokio::task::spawn_blocking(move || files::try_out(&given, &file, &text, now));
    let tried = trying.await.map_err(ApiError::internal)?;
    let has_errors = tried.has_errors();
    let mut tested = DetectionFileTested {
        detections: tried.detections,
        examples: tried.examples,
        faults: tried.faults,
        saved: false,
    };
    if query.dry_run {
        return Ok((StatusCode::OK, Json(tested)));
    }
    if has_errors {
        return Err(ApiError::bad_request(told(&tested.faults)));
    }
    let author = &caller.user.name;
    let mut tx = app.store.begin().await?;
    detections::put_file(&mut tx, &name, &body, author, now).await?;
    let entry = Entry {
        at: now,
        author: author.clone(),
        what: HistoryKind::FileSaved,
        target: name.clone(),
        cluster: None,
        value: digest(&body),
        reason: String::new(),
    };
    detections::note(&mut tx, &entry).await?;
    tx.commit().await?;
    refresh(&app).await.map_err(ApiError::from_any)?;
    drop(turn);
    info!(by = %author, file = name, "a rule file was brought");
    tested.saved = true;
    Ok((StatusCode::CREATED, Json(tested)))
}

/// Forget a rule file. What is changed about its detections stays, for when it comes again. For security admins.
#[utoipa::path(delete, operation_id = "delete_detection_file", path = "/api/v1/detection-files/{name}", tag = "detections",
    params(("name" = String, Path, description = "The file")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let turn = app.audit.changing.lock().await;
    let given = audit::given(&app).await?;
    let Some(old) = given.files.iter().find(|file| file.name == name).cloned() else {
        return Err(ApiError::not_found("file"));
    };
    let gone = name.clone();
    let looking = tokio::task::spawn_blocking(move || files::broken_without(&given, &gone));
    if let Some(fault) = looking.await.map_err(ApiError::internal)? {
        let why = told(&[fault]);
        return Err(ApiError::conflict(format!(
            "other files cannot do without {name}: {why}"
        )));
    }
    let mut tx = app.store.begin().await?;
    detections::delete_file(&mut tx, &name).await?;
    let entry = Entry {
        at: app.now(),
        author: caller.user.name.clone(),
        what: HistoryKind::FileDeleted,
        target: name.clone(),
        cluster: None,
        value: digest(&old.content),
        reason: String::new(),
    };
    detections::note(&mut tx, &entry).await?;
    tx.commit().await?;
    refresh(&app).await.map_err(ApiError::from_any)?;
    drop(turn);
    info!(by = %caller.user.name, file = name, "a rule file was forgotten");
    Ok(StatusCode::NO_CONTENT)
}

fn digest(text: &str) -> String {
    use sha2::Digest as _;
    let digest: [u8; 32] = sha2::Sha256::digest(text).into();
    seareeve_model::Digest::sha256(&digest).to_string()
}

/// Faults as lines, errors first.
fn told(faults: &[DetectionFault]) -> String {
    let errors = faults.iter().filter(|fault| fault.is_error);
    let lines = errors.take(NAMED).map(|fault| {
        let mut line = fault.file.clone();
        if fault.line > 0 {
            line.push_str(&format!(":{}", fault.line));
        }
        if fault.column > 0 {
            line.push_str(&format!(":{}", fault.column));
        }
        if !fault.item.is_empty() {
            line.push_str(&format!(": {}", fault.item));
        }
        format!("{line}: {} [{}]", fault.message, fault.code)
    });
    lines.collect::<Vec<_>>().join("\n")
}
