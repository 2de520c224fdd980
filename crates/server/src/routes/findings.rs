//! Findings of an image.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{
    self as api, Epss, ErrorBody, FacetCount, Finding, FindingFacets, FindingLocation, FindingPage,
    FindingView, KnownExploited, ReportPackage, Suppression, VexVerdict,
};
use seareeve_model::{FindingStatus, Layer, Probability, Severity};
use seareeve_store::{PackageId, images};
use serde::Deserialize;
use utoipa::IntoParams;

use super::images::image;
use super::query::{cursor, kind, listed, next, word};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

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

/// Which package a finding is in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OneFindingQuery {
    /// Id of the package.
    package: i64,
}

/// Findings of an image, worst first unless sorted otherwise.
#[utoipa::path(get, operation_id = "list_findings", path = "/api/v1/images/{digest}/findings", tag = "images",
    params(("digest" = String, Path, description = "The image"), FindingQuery),
    responses((status = 200, body = FindingPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn list(
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
pub(super) async fn get(
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

fn probability(number: f64) -> ApiResult<Probability> {
    Probability::new(number)
        .ok_or_else(|| ApiError::bad_request(format!("{number} is no probability from 0 to 1")))
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
