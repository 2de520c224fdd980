//! What scans found in many images at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use seareeve_admission::{Counts, Scanned, Severities};
use seareeve_api::{ErrorBody, FixableCounts, ImageCounts, ImageCountsList, ImageCountsRequest};
use seareeve_model::Severity;
use seareeve_store::admission::{self, Found, ScannedImage};

use super::GateCaller;
use crate::error::{ApiError, ApiResult};
use crate::posture::images::names::spellings;
use crate::state::App;

/// Images and ids of one request at most.
const MOST: usize = 1_000;
/// Characters of a reference or id at most.
const MOST_NAME: usize = 1_200;

/// What scans found in images, by severity, and whether it can be fixed. For webhooks, too.
#[utoipa::path(post, operation_id = "count_image_findings", path = "/api/v1/images/counts", tag = "images",
    security(("session" = []), ("token" = []), ("sensor" = [])), request_body = ImageCountsRequest,
    responses((status = 200, body = ImageCountsList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(in crate::routes) async fn counts(
    State(app): State<Arc<App>>,
    _caller: GateCaller,
    Json(given): Json<ImageCountsRequest>,
) -> ApiResult<Json<ImageCountsList>> {
    let all = given.images.iter().chain(&given.without);
    let is_long = all.clone().any(|name| name.len() > MOST_NAME);
    if given.images.len() > MOST || given.without.len() > MOST || is_long {
        return Err(ApiError::bad_request(
            "at most 1,000 images and 1,000 ids of findings are asked for at once",
        ));
    }
    let found = find(&app, &given.images, &given.without).await?;
    let images = given.images.into_iter().map(|image| {
        let scanned = found.get(&image);
        let of = |severity| {
            let found = scanned.and_then(|scanned| scanned.findings.get(&severity));
            let Found { fixable, unfixable } = found.copied().unwrap_or_default();
            FixableCounts { fixable, unfixable }
        };
        ImageCounts {
            digest: scanned.map(|scanned| scanned.digest.clone()),
            critical: of(Severity::Critical),
            high: of(Severity::High),
            medium: of(Severity::Medium),
            low: of(Severity::Low),
            unknown: of(Severity::Unknown),
            image,
        }
    });
    Ok(Json(ImageCountsList {
        images: images.collect(),
    }))
}

/// The same as the gate wants it, by full name.
pub(super) async fn scanned(
    app: &App,
    names: &[String],
    without: &[String],
) -> ApiResult<BTreeMap<String, Scanned>> {
    let mut all = BTreeMap::new();
    for names in names.chunks(MOST) {
        let found = find(app, names, without).await?;
        all.extend(found.into_iter().map(|(name, image)| {
            let of = |severity| {
                let found = image.findings.get(&severity).copied().unwrap_or_default();
                Counts {
                    fixable: found.fixable,
                    unfixable: found.unfixable,
                }
            };
            let findings = Severities {
                critical: of(Severity::Critical),
                high: of(Severity::High),
                medium: of(Severity::Medium),
                low: of(Severity::Low),
            };
            (name, Scanned { findings })
        }));
    }
    Ok(all)
}

/// Scanned images by the names that they were asked for by.
async fn find(
    app: &App,
    names: &[String],
    without: &[String],
) -> ApiResult<BTreeMap<String, ScannedImage>> {
    let spelt: Vec<(&String, Vec<String>)> =
        names.iter().map(|name| (name, spellings(name))).collect();
    let wanted: BTreeSet<String> = spelt.iter().flat_map(|(_, all)| all.clone()).collect();
    let found = admission::scanned(&app.store, &wanted, without).await?;
    let by_name = spelt.into_iter().filter_map(|(name, all)| {
        let image = all.iter().find_map(|spelling| found.get(spelling))?;
        Some((name.clone(), image.clone()))
    });
    Ok(by_name.collect())
}
