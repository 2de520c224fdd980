//! Stored images.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seareeve_api::{
    self as api, ErrorBody, ImageDetail, ImagePage, ImageSummary, LayerDetail, ReleaseSupport,
    ReportLayer,
};
use seareeve_model::{Digest, Distro, Severity};
use seareeve_scan::releases;
use seareeve_store::users::Role;
use seareeve_store::{ImageId, images};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{counts, cursor, next, word};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::state::App;

/// Which images.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImageQuery {
    /// Part of a name, the digest or the distribution.
    q: Option<String>,
    /// With a finding at least this severe.
    severity: Option<String>,
    /// With a finding that an upgrade mends.
    #[serde(default)]
    fixable: bool,
    /// With a finding that is known to be exploited.
    #[serde(default)]
    exploited: bool,
    /// `severity` (worst first), `newest` or `name`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// All images.
#[utoipa::path(get, operation_id = "list_images", path = "/api/v1/images", tag = "images", params(ImageQuery),
    responses((status = 200, body = ImagePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ImageQuery>,
) -> ApiResult<Json<ImagePage>> {
    let filter = images::ImageFilter {
        query: query.q.unwrap_or_default(),
        min_severity: query
            .severity
            .as_deref()
            .map(word::<Severity>)
            .transpose()?,
        fixable_only: query.fixable,
        exploited_only: query.exploited,
    };
    let sort = match query.sort.as_deref() {
        None | Some("severity") => images::ImageSort::Severity,
        Some("newest") => images::ImageSort::Newest,
        Some("name") => images::ImageSort::Name,
        Some(_) => return Err(ApiError::bad_request("sort by severity, newest or name")),
    };
    let cursor = cursor(query.cursor);
    let today = today(&app);
    let page = images::list(
        &app.store,
        &filter,
        sort,
        cursor.as_ref(),
        limit(query.limit),
    )
    .await?;
    Ok(Json(ImagePage {
        images: page
            .items
            .into_iter()
            .map(|image| summary(image, today))
            .collect(),
        next: next(page.next),
    }))
}

/// One image with its layers.
#[utoipa::path(get, operation_id = "get_image", path = "/api/v1/images/{digest}", tag = "images", params(("digest" = String, Path, description = "The image")),
    responses((status = 200, body = ImageDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
) -> ApiResult<Json<ImageDetail>> {
    let id = image(&app, &digest).await?;
    let detail = images::get(&app.store, id)
        .await?
        .ok_or_else(|| ApiError::not_found("image"))?;
    let layer = |(index, detail): (usize, images::LayerDetail)| {
        let layer = ReportLayer::from(&detail.layer);
        LayerDetail {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            diff_id: layer.diff_id,
            digest: layer.digest,
            size_bytes: layer.size_bytes,
            created_by: layer.created_by,
            packages: detail.packages,
            findings: counts(detail.findings),
        }
    };
    let distro = detail.summary.distro.as_ref();
    let today = today(&app);
    let support = |distro: &Distro| {
        let support = releases::support(distro)?;
        let notice = releases::notice(distro, today);
        Some(ReleaseSupport::new(&support, notice.as_ref(), today))
    };
    Ok(Json(ImageDetail {
        config_digest: detail.config_digest.to_string(),
        created: detail.created,
        distribution: distro.map(api::SbomDistro::from),
        support: distro.and_then(support),
        summary: summary(detail.summary, today),
        layers: detail.layers.into_iter().enumerate().map(layer).collect(),
        unread: detail
            .problems
            .iter()
            .map(api::ReportProblem::from)
            .collect(),
    }))
}

/// Forget an image. For operators.
#[utoipa::path(delete, operation_id = "delete_image", path = "/api/v1/images/{digest}", tag = "images", params(("digest" = String, Path, description = "The image")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(digest): Path<String>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let id = image(&app, &digest).await?;
    let mut tx = app.store.begin().await?;
    images::delete(&mut tx, id).await?;
    jobs::enqueue_assess_images(&mut tx, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(api::Event::Images);
    Ok(StatusCode::NO_CONTENT)
}

/// The image that a path names.
pub(super) async fn image(app: &App, digest: &str) -> ApiResult<ImageId> {
    let digest: Digest = digest
        .parse()
        .map_err(|_not_one: seareeve_model::DigestError| ApiError::not_found("image"))?;
    images::id_by_digest(&app.store, &digest)
        .await?
        .ok_or_else(|| ApiError::not_found("image"))
}

/// The day by which ends of life are judged.
pub(super) fn today(app: &App) -> Date {
    app.now().to_zoned(TimeZone::UTC).date()
}

fn summary(image: images::ImageSummary, today: Date) -> ImageSummary {
    let support = image.distro.as_ref().and_then(releases::support);
    ImageSummary {
        is_end_of_life: support.map(|support| support.is_over(today)),
        exploited: image.exploited,
        digest: image.digest.to_string(),
        references: image.references,
        distro: image.distro.map(|distro| distro.name),
        os: image.os,
        architecture: image.architecture,
        size_bytes: image.size_bytes,
        first_seen: image.first_seen,
        findings: counts(image.findings),
        fixable: image.fixable,
        packages: image.packages,
        secrets: image.secrets,
        problems: image.problems,
    }
}
