//! Stored images, their packages and findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seareeve_api::{
    self as api, Epss, ErrorBody, FacetCount, Finding, FindingFacets, FindingLocation, FindingPage,
    FindingView, ImageDetail, ImagePage, ImageReport, ImageSummary, KnownExploited, LayerDetail,
    PackagePage, PackageView, ReleaseSupport, ReportLayer, ReportPackage, Suppression, VexVerdict,
};
use seareeve_model::{Digest, Distro, FindingStatus, Layer, PackageKind, Probability, Severity};
use seareeve_scan::{releases, sbom};
use seareeve_store::users::Role;
use seareeve_store::{Cursor, ImageId, PackageId, SeverityCounts, images};
use serde::Deserialize;
use utoipa::IntoParams;

use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;
use crate::vex;

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

/// Which findings of an image.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FindingQuery {
    /// Part of an id, a title or a package's name.
    q: Option<String>,
    /// Severities, separated by commas.
    severity: Option<String>,
    /// Index of the layer that brought the package.
    layer: Option<u32>,
    /// Package type, such as `deb`.
    kind: Option<String>,
    /// Statuses, separated by commas.
    status: Option<String>,
    /// Id of the package.
    package: Option<i64>,
    /// Only those that are known to be exploited.
    #[serde(default)]
    exploited: bool,
    /// Only those with at least this EPSS score, 0 to 1.
    epss_min: Option<f64>,
    /// Those that do not count, instead of those that do.
    #[serde(default)]
    suppressed: bool,
    /// `severity` (worst first) or `epss` (most probably exploited first).
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

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

/// Which package a finding is in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OneFindingQuery {
    /// Id of the package.
    package: i64,
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
    tx.commit().await?;
    app.events.publish(api::Event::Images);
    Ok(StatusCode::NO_CONTENT)
}

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

/// Packages of an image.
#[utoipa::path(get, operation_id = "list_packages", path = "/api/v1/images/{digest}/packages", tag = "images",
    params(("digest" = String, Path, description = "The image"), PackageQuery),
    responses((status = 200, body = PackagePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn packages(
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

/// Findings of an image, worst first unless sorted otherwise.
#[utoipa::path(get, operation_id = "list_findings", path = "/api/v1/images/{digest}/findings", tag = "images",
    params(("digest" = String, Path, description = "The image"), FindingQuery),
    responses((status = 200, body = FindingPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn findings(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<FindingQuery>,
) -> ApiResult<Json<FindingPage>> {
    let id = image(&app, &digest).await?;
    let (cursor, limit) = (cursor(query.cursor.clone()), limit(query.limit));
    let sort = match query.sort.as_deref() {
        None | Some("severity") => images::FindingSort::Severity,
        Some("epss") => images::FindingSort::Epss,
        Some(_) => return Err(ApiError::bad_request("sort by severity or epss")),
    };
    let filter = filter(query)?;
    let page = images::findings(&app.store, id, &filter, sort, cursor.as_ref(), limit).await?;
    let layers = images::layers(&app.store, id).await?;
    Ok(Json(FindingPage {
        findings: page
            .items
            .into_iter()
            .map(|row| view(row, &layers))
            .collect(),
        next: next(page.next),
    }))
}

/// What the findings of an image can be filtered by, with numbers.
#[utoipa::path(get, operation_id = "count_findings", path = "/api/v1/images/{digest}/facets", tag = "images",
    params(("digest" = String, Path, description = "The image"), FindingQuery),
    responses((status = 200, body = FindingFacets), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn facets(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<FindingQuery>,
) -> ApiResult<Json<FindingFacets>> {
    let id = image(&app, &digest).await?;
    let facets = images::finding_facets(&app.store, id, &filter(query)?).await?;
    let count = |value: String, count: u64| FacetCount { value, count };
    Ok(Json(FindingFacets {
        total: facets.total,
        severity: Severity::ALL
            .into_iter()
            .rev()
            .map(|severity| {
                count(
                    severity.as_str().to_owned(),
                    facets.severities.get(severity),
                )
            })
            .filter(|facet| facet.count > 0)
            .collect(),
        layer: facets
            .layers
            .into_iter()
            .map(|(layer, n)| count(layer.to_string(), n))
            .collect(),
        kind: facets
            .kinds
            .into_iter()
            .map(|(kind, n)| count(kind.as_str().to_owned(), n))
            .collect(),
        status: facets
            .statuses
            .into_iter()
            .map(|(status, n)| count(status.as_str().to_owned(), n))
            .collect(),
        exploited: facets.exploited,
        epss: images::EPSS_STEPS
            .into_iter()
            .zip(facets.epss)
            .map(|(step, n)| count((f64::from(step) / 1e6).to_string(), n))
            .collect(),
        counted: facets.counted,
        suppressed: facets.suppressed,
    }))
}

/// One finding with all that is known about it.
#[utoipa::path(get, operation_id = "get_finding", path = "/api/v1/images/{digest}/findings/{id}", tag = "images",
    params(("digest" = String, Path, description = "The image"), ("id" = String, Path, description = "The vulnerability"), OneFindingQuery),
    responses((status = 200, body = Finding), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn finding(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path((digest, vulnerability)): Path<(String, String)>,
    Query(query): Query<OneFindingQuery>,
) -> ApiResult<Json<Finding>> {
    let id = image(&app, &digest).await?;
    let package = PackageId(query.package);
    let detail = images::finding(&app.store, id, package, &vulnerability).await?;
    let detail = detail.ok_or_else(|| ApiError::not_found("finding"))?;
    let layers = images::layers(&app.store, id).await?;
    let images = images::count_holding(&app.store, package).await?;
    let (row, finding) = (&detail.row, &detail.row.finding);
    let place = |place: &images::Place| FindingLocation {
        path: place.path.to_string(),
        layer: place.layer,
        diff_id: usize::try_from(place.layer)
            .ok()
            .and_then(|index| layers.get(index))
            .map(|layer| layer.diff_id.to_string())
            .unwrap_or_default(),
    };
    let known = &finding.vulnerability;
    Ok(Json(Finding {
        id: known.id.clone(),
        aliases: finding.aliases().into_iter().map(str::to_owned).collect(),
        title: known.title.clone(),
        description: known.description.clone(),
        severity: finding.severity.as_str().to_owned(),
        severity_source: finding.severity_source.as_str().to_owned(),
        cvss: known.cvss.iter().map(api::Cvss::from).collect(),
        status: finding.status.as_str().to_owned(),
        fixed_versions: finding.fixed_versions.clone(),
        remediation: finding.remediation.clone(),
        published: known.published,
        modified: known.modified,
        references: known.references.iter().map(api::Reference::from).collect(),
        advisories: finding
            .advisories
            .iter()
            .map(api::AdvisoryMatch::from)
            .collect(),
        known_exploited: known.known_exploited.as_ref().map(KnownExploited::from),
        epss: known.epss.as_ref().map(Epss::from),
        vex: finding.vex.as_ref().map(VexVerdict::from),
        suppression: finding.suppressed.as_ref().map(Suppression::from),
        package: ReportPackage::new(&row.installed, &layers),
        locations: detail.places.iter().map(place).collect(),
        images,
        first_seen: row.first_seen,
    }))
}

pub(super) async fn image(app: &App, digest: &str) -> ApiResult<ImageId> {
    let digest: Digest = digest
        .parse()
        .map_err(|_not_one: seareeve_model::DigestError| ApiError::not_found("image"))?;
    images::id_by_digest(&app.store, &digest)
        .await?
        .ok_or_else(|| ApiError::not_found("image"))
}

fn filter(query: FindingQuery) -> ApiResult<images::FindingFilter> {
    let status = |text: &String| {
        FindingStatus::parse(text)
            .ok_or_else(|| ApiError::bad_request(format!("{text:?} is no status of a finding")))
    };
    Ok(images::FindingFilter {
        query: query.q.unwrap_or_default(),
        severities: listed(query.severity)
            .iter()
            .map(|text| word(text))
            .collect::<ApiResult<BTreeSet<Severity>>>()?,
        layer: query.layer,
        package: query.package.map(PackageId),
        kind: query.kind.as_deref().map(kind).transpose()?,
        fixable_only: false,
        statuses: listed(query.status)
            .iter()
            .map(status)
            .collect::<ApiResult<_>>()?,
        exploited_only: query.exploited,
        min_epss: query.epss_min.map(probability).transpose()?,
        counting: if query.suppressed {
            images::Counting::Suppressed
        } else {
            images::Counting::Counted
        },
    })
}

/// A list that is separated by commas.
pub(super) fn listed(text: Option<String>) -> Vec<String> {
    text.iter()
        .flat_map(|text| text.split(','))
        .map(str::to_owned)
        .filter(|item| !item.is_empty())
        .collect()
}

pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> ApiResult<T> {
    text.parse()
        .map_err(|error: T::Err| ApiError::bad_request(error.to_string()))
}

fn probability(number: f64) -> ApiResult<Probability> {
    Probability::new(number)
        .ok_or_else(|| ApiError::bad_request(format!("{number} is no probability from 0 to 1")))
}

fn kind(text: &str) -> ApiResult<PackageKind> {
    PackageKind::parse(text)
        .ok_or_else(|| ApiError::bad_request(format!("{text:?} is no package type")))
}

/// Any text is taken; the list refuses what it did not make.
pub(super) fn cursor(text: Option<String>) -> Option<Cursor> {
    text.map(|text| match text.parse() {
        Ok(cursor) => cursor,
        Err(never) => match never {},
    })
}

pub(super) fn next(cursor: Option<Cursor>) -> Option<String> {
    cursor.as_ref().map(Cursor::to_string)
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

fn view(row: images::FindingRow, layers: &[Layer]) -> FindingView {
    let vulnerability = &row.finding.vulnerability;
    FindingView {
        id: vulnerability.id.clone(),
        title: vulnerability.title.clone(),
        severity: row.finding.severity.as_str().to_owned(),
        score: vulnerability.cvss.first().map(|cvss| cvss.score),
        status: row.finding.status.as_str().to_owned(),
        fixed_versions: row.finding.fixed_versions.clone(),
        package_id: row.package.0,
        package: ReportPackage::new(&row.installed, layers),
        layer: row.installed.layer,
        known_exploited: vulnerability
            .known_exploited
            .as_ref()
            .map(KnownExploited::from),
        epss: vulnerability.epss.as_ref().map(Epss::from),
        suppression: row.finding.suppressed.as_ref().map(Suppression::from),
    }
}

pub(super) fn counts(counts: SeverityCounts) -> api::SeverityCounts {
    api::SeverityCounts {
        critical: counts.critical,
        high: counts.high,
        medium: counts.medium,
        low: counts.low,
        unknown: counts.unknown,
    }
}
