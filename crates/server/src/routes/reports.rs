//! All of an image at once: its report, and SBOMs for other programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use seareeve_api::{self as api, ErrorBody, ImageReport};
use seareeve_model::Distro;
use seareeve_scan::{releases, sbom};
use seareeve_store::images;
use serde::Deserialize;
use utoipa::IntoParams;

use super::images::{image, today};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;
use crate::vex;

/// The report of an image, as `seareeve image --format json` prints it.
#[utoipa::path(get, operation_id = "get_image_report", path = "/api/v1/images/{digest}/report", tag = "images", params(("digest" = String, Path, description = "The image")),
    responses((status = 200, body = ImageReport), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
) -> ApiResult<Json<ImageReport>> {
    let id = image(&app, &digest).await?;
    let inventory = images::inventory(&app.store, id).await?;
    // Matched anew, not read from the store: it takes a millisecond, and names the database it was made with.
    let (database, documents) = (app.advisories.get().await, app.vex.get().await);
    let today = today(&app);
    let report = tokio::task::spawn_blocking(move || {
        let mut matches = seareeve_scan::match_inventory(&database, &inventory);
        vex::apply(&documents, &inventory, &mut matches);
        let mut report = api::report(
            &inventory,
            &matches.findings,
            &matches.problems,
            database.info().into(),
        );
        add_support(&mut report, inventory.distro.as_ref(), today);
        report.add_notices(&matches.notices);
        report
    });
    Ok(Json(report.await.map_err(ApiError::internal)?))
}

/// In which format an inventory is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FormatQuery {
    /// `cyclonedx` (1.6, with findings) or `spdx` (2.3).
    format: Option<String>,
}

/// What an image holds, as an SBOM for other programs.
#[utoipa::path(get, operation_id = "export_sbom", path = "/api/v1/images/{digest}/sbom", tag = "images",
    params(("digest" = String, Path, description = "The image"), FormatQuery),
    responses((status = 200, content((Vec<u8> = "application/vnd.cyclonedx+json"), (Vec<u8> = "application/spdx+json"))),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn sbom(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<FormatQuery>,
) -> ApiResult<Response> {
    let (format, kind) = match query.format.as_deref() {
        None | Some("cyclonedx") => (sbom::Format::CycloneDx, "application/vnd.cyclonedx+json"),
        Some("spdx") => (sbom::Format::Spdx, "application/spdx+json"),
        Some(_) => return Err(ApiError::bad_request("the format is cyclonedx or spdx")),
    };
    let id = image(&app, &digest).await?;
    let inventory = images::inventory(&app.store, id).await?;
    let (database, documents) = (app.advisories.get().await, app.vex.get().await);
    let written = tokio::task::spawn_blocking(move || {
        let mut matches = seareeve_scan::match_inventory(&database, &inventory);
        vex::apply(&documents, &inventory, &mut matches);
        let mut text = Vec::new();
        let time = sbom::time_of(&inventory);
        sbom::write(format, &inventory, Some(&matches.findings), time, &mut text).map(|()| text)
    });
    let text = written
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Says in a report how long the distribution's release is looked after.
pub(super) fn add_support(report: &mut ImageReport, distro: Option<&Distro>, today: Date) {
    if let Some(distro) = distro {
        report.set_support(releases::support(distro).as_ref(), today);
        report.add_notices(releases::notice(distro, today).as_slice());
    }
}
