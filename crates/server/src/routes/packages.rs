//! Packages of an image.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{ErrorBody, PackagePage, PackageView, ReportPackage};
use seareeve_store::images;
use serde::Deserialize;
use utoipa::IntoParams;

use super::images::image;
use super::query::{counts, cursor, kind, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::ApiResult;
use crate::state::App;

/// Which packages of an image.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PackageQuery {
    /// Part of a name or a path.
    q: Option<String>,
    /// Package type, such as `deb`.
    kind: Option<String>,
    /// Index of the layer that brought it.
    layer: Option<u32>,
    /// Only those with findings.
    #[serde(default)]
    vulnerable: bool,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Packages of an image.
#[utoipa::path(get, operation_id = "list_packages", path = "/api/v1/images/{digest}/packages", tag = "images",
    params(("digest" = String, Path, description = "The image"), PackageQuery),
    responses((status = 200, body = PackagePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<PackageQuery>,
) -> ApiResult<Json<PackagePage>> {
    let id = image(&app, &digest).await?;
    let filter = images::PackageFilter {
        query: query.q.unwrap_or_default(),
        kind: query.kind.as_deref().map(kind).transpose()?,
        layer: query.layer,
        vulnerable_only: query.vulnerable,
    };
    let cursor = cursor(query.cursor);
    let page =
        images::packages(&app.store, id, &filter, cursor.as_ref(), limit(query.limit)).await?;
    let layers = images::layers(&app.store, id).await?;
    let view = |row: images::PackageRow| PackageView {
        id: row.id.0,
        package: ReportPackage::new(&row.installed, &layers),
        layer_index: row.installed.layer,
        findings: counts(row.findings),
    };
    Ok(Json(PackagePage {
        packages: page.items.into_iter().map(view).collect(),
        next: next(page.next),
    }))
}
