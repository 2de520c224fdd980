//! Which images assets use, and where images run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api as api;
use seareeve_api::{AssetImagePage, ErrorBody, ImageHeld, ImageTally, ImageUse, ImageUsePage};
use seareeve_model::ImageReference;
use seareeve_store::image_uses::{self, AssetImage, AssetImageFilter};
use seareeve_store::{AssetId, assets};
use serde::Deserialize;
use utoipa::IntoParams;

use super::images::image;
use super::query::{counts, cursor, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::images::names::pinned;
use crate::state::App;

/// Registries that are named as holders of one image.
const MOST_HELD: usize = 100;

/// Which uses.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UseQuery {
    /// Only what runs now.
    #[serde(default)]
    running: bool,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Which images.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AssetImageQuery {
    /// Part of a name.
    q: Option<String>,
    /// Only those that something runs.
    #[serde(default)]
    running: bool,
    /// `affected` (with findings that count) or `unscanned`; all, if absent.
    only: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Where an image is used: clusters with their workloads, hosts with their containers, and registries.
#[utoipa::path(get, operation_id = "list_image_uses", path = "/api/v1/images/{digest}/uses", tag = "images",
    params(("digest" = String, Path, description = "The image"), UseQuery),
    responses((status = 200, body = ImageUsePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn of_image(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<UseQuery>,
) -> ApiResult<Json<ImageUsePage>> {
    let id = image(&app, &digest).await?;
    let after = cursor(query.cursor);
    let rows = limit(query.limit);
    let held = match after {
        None => image_uses::held_in(&app.store, id, MOST_HELD).await?,
        Some(_) => Vec::new(),
    };
    let page = image_uses::uses_of(&app.store, id, query.running, after.as_ref(), rows).await?;
    let used = |used: image_uses::ImageUse| ImageUse {
        asset: used.asset.0,
        asset_name: used.asset_name,
        asset_kind: used.asset_kind,
        environment: used.environment,
        kind: used.kind,
        id: used.object,
        name: used.name,
        sort: used.sort,
        namespace: used.namespace,
        image_name: used.image_name,
        running: used.is_running,
    };
    let held = held.into_iter().map(|held| ImageHeld {
        asset: held.asset.0,
        asset_name: held.asset_name,
        reference: held.reference,
    });
    Ok(Json(ImageUsePage {
        uses: page.items.into_iter().map(used).collect(),
        held_in: held.collect(),
        next: next(page.next),
    }))
}

/// The images that an asset uses, or that a registry holds.
#[utoipa::path(get, operation_id = "list_asset_images", path = "/api/v1/assets/{id}/images", tag = "images",
    params(("id" = i64, Path, description = "The asset"), AssetImageQuery),
    responses((status = 200, body = AssetImagePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn of_asset(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<AssetImageQuery>,
) -> ApiResult<Json<AssetImagePage>> {
    let asset = AssetId(id);
    if assets::get(&app.store, asset).await?.is_none() {
        return Err(ApiError::not_found("asset"));
    }
    let mut filter = AssetImageFilter {
        query: query.q.unwrap_or_default(),
        running_only: query.running,
        ..AssetImageFilter::default()
    };
    match query.only.as_deref() {
        None => {}
        Some("affected") => filter.affected_only = true,
        Some("unscanned") => filter.unscanned_only = true,
        Some(_) => return Err(ApiError::bad_request("only affected or unscanned")),
    }
    let after = cursor(query.cursor);
    let rows = limit(query.limit);
    let holder = image_uses::holder(&app.store, asset).await?;
    let page =
        image_uses::images_of_asset(&app.store, asset, &filter, after.as_ref(), rows).await?;
    Ok(Json(AssetImagePage {
        images: page.items.into_iter().map(wire).collect(),
        tally: holder.map(|holder| tally(&holder.tally)),
        next: next(page.next),
    }))
}

/// An image of an asset as it is shown.
pub(super) fn wire(image: AssetImage) -> api::AssetImage {
    let reference = match &image.digest {
        Some(digest) => pinned(&image.name, digest),
        None => {
            let reference = image.name.parse::<ImageReference>().ok();
            reference.map(|reference| reference.to_string())
        }
    };
    api::AssetImage {
        name: image.name,
        reference,
        image: image.image.map(|digest| digest.to_string()),
        findings: counts(image.findings),
        fixable: image.fixable,
        problems: image.problems,
        scanned: image.scanned,
        asked: image.asked,
        uses: image.uses,
        running: image.running,
    }
}

/// What was found in all images of an asset as it is shown.
pub(super) fn tally(tally: &image_uses::ImageTally) -> ImageTally {
    ImageTally {
        images: tally.images,
        unscanned: tally.unscanned,
        incomplete: tally.incomplete,
        affected: tally.affected,
        findings: counts(tally.findings),
        fixable: tally.fixable,
    }
}
