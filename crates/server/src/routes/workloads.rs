//! The workloads of a cluster, and what is said of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{
    ClusterWorkload, ClusterWorkloadDetail, ClusterWorkloadFacets, ClusterWorkloadPage, ErrorBody,
    SeverityCounts, WorkloadFacet, WorkloadResult, report_object,
};
use seareeve_model::{FactKind, Severity};
use seareeve_posture::{Library, Outcome, StandingObject, Use};
use seareeve_store::image_uses as stored;
use serde::Deserialize;
use utoipa::IntoParams;

use super::clusters::{cluster, facts, model};
use super::image_uses::wire as image_wire;
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::clusters::Model;
use crate::error::{ApiError, ApiResult};
use crate::posture::Said;
use crate::state::App;

const KIND: &str = "kubernetes.workload";
/// Images of one workload that are shown.
const MOST_IMAGES: usize = 200;

/// Which workloads.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WorkloadQuery {
    /// Part of a name.
    q: Option<String>,
    /// In this namespace.
    namespace: Option<String>,
    /// Of this kind: `Deployment`, `Pod`, …
    kind: Option<String>,
    /// On which this check fails.
    check: Option<String>,
    /// `severity` (worst first) or `name`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Which workload.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OneQuery {
    /// `Deployment/shop/web`.
    id: String,
}

/// The workloads of a cluster.
#[utoipa::path(get, operation_id = "list_workloads", path = "/api/v1/clusters/{id}/workloads", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster"), WorkloadQuery),
    responses((status = 200, body = ClusterWorkloadPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<WorkloadQuery>,
) -> ApiResult<Json<ClusterWorkloadPage>> {
    let by_name = match query.sort.as_deref() {
        None | Some("severity") => false,
        Some("name") => true,
        Some(_) => return Err(ApiError::bad_request("sort by severity or name")),
    };
    // The list lies in memory, so a place in it is a number; one that moved meanwhile is seen twice or not.
    let from: usize = match &query.cursor {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .map_err(|_not_ours| ApiError::bad_request("this cursor was not made by this list"))?,
    };
    let most = limit(query.limit);
    let (asset, _) = cluster(&app, id).await?;
    let Some(model) = model(&app, asset.id).await? else {
        return Ok(Json(ClusterWorkloadPage {
            workloads: Vec::new(),
            total: 0,
            next: None,
        }));
    };
    let wanted = query.q.unwrap_or_default().trim().to_lowercase();
    let library = &app.content().library;
    let mut found: Vec<ClusterWorkload> = Vec::new();
    for (object, said) in model.standing.objects(&kind()) {
        let is = |filter: &Option<String>, text: &str| {
            filter.as_ref().is_none_or(|filter| filter == text)
        };
        let fails = |check: &String| {
            let mut said = said.iter();
            said.any(|(used, outcome)| used.check == *check && *outcome == Outcome::Fail)
        };
        let matches = is(&query.namespace, &object.namespace)
            && is(&query.kind, &object.sort)
            && query.check.as_ref().is_none_or(fails)
            && (wanted.is_empty() || object.name.to_lowercase().contains(&wanted));
        if matches {
            found.push(row(library, object, &said));
        }
    }
    let name = |row: &ClusterWorkload| (row.namespace.clone(), row.name.clone(), row.id.clone());
    if by_name {
        found.sort_by_cached_key(name);
    } else {
        found.sort_by_cached_key(|row| {
            let failed = row.failed;
            let gravest = [failed.critical, failed.high, failed.medium, failed.low];
            (Reverse(gravest), name(row))
        });
    }
    let total = found.len();
    let workloads: Vec<ClusterWorkload> = found.into_iter().skip(from).take(most).collect();
    let end = from.saturating_add(workloads.len());
    Ok(Json(ClusterWorkloadPage {
        next: (end < total && !workloads.is_empty()).then(|| end.to_string()),
        workloads,
        total: total as u64,
    }))
}

/// What the workloads of a cluster can be filtered by.
#[utoipa::path(get, operation_id = "list_workload_facets", path = "/api/v1/clusters/{id}/workloads/facets", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster")),
    responses((status = 200, body = ClusterWorkloadFacets), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn facets(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<ClusterWorkloadFacets>> {
    let (asset, _) = cluster(&app, id).await?;
    let Some(model) = model(&app, asset.id).await? else {
        return Ok(Json(ClusterWorkloadFacets::default()));
    };
    let mut namespaces: BTreeMap<&str, u64> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut checks: BTreeMap<&str, u64> = BTreeMap::new();
    let all: Vec<_> = model.standing.objects(&kind()).collect();
    for (object, said) in &all {
        *namespaces.entry(&object.namespace).or_default() += 1;
        *kinds.entry(&object.sort).or_default() += 1;
        for check in failing(said) {
            *checks.entry(check).or_default() += 1;
        }
    }
    let library = &app.content().library;
    let plain = |(value, count): (&str, u64)| WorkloadFacet {
        value: value.to_owned(),
        title: value.to_owned(),
        count,
    };
    let mut checks: Vec<WorkloadFacet> = checks
        .into_iter()
        .map(|(id, count)| WorkloadFacet {
            title: library
                .check(id)
                .map_or(id, |check| check.title())
                .to_owned(),
            value: id.to_owned(),
            count,
        })
        .collect();
    checks.sort_by(|a, b| b.count.cmp(&a.count).then(a.title.cmp(&b.title)));
    Ok(Json(ClusterWorkloadFacets {
        namespaces: namespaces.into_iter().map(plain).collect(),
        kinds: kinds.into_iter().map(plain).collect(),
        checks,
    }))
}

/// One workload, and what each check says of it.
#[utoipa::path(get, operation_id = "get_workload", path = "/api/v1/clusters/{id}/workloads/one", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster"), OneQuery),
    responses((status = 200, body = ClusterWorkloadDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
    Query(query): Query<OneQuery>,
) -> ApiResult<Json<ClusterWorkloadDetail>> {
    let (asset, _) = cluster(&app, id).await?;
    let missing = || ApiError::not_found("workload");
    let model = model(&app, asset.id).await?.ok_or_else(missing)?;
    let ids = [query.id];
    let found = facts(&app, &model, asset.id, &kind(), &ids).await?;
    let fact = found.into_iter().next().ok_or_else(missing)?;
    let mut objects = model.standing.objects(&kind());
    let (object, said) = objects
        .find(|(object, _)| object.id == fact.id)
        .ok_or_else(missing)?;
    let images = stored::images_of_object(&app.store, asset.id, KIND, &fact.id, MOST_IMAGES);
    let images = images.await?;
    let people = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let statements = people.statements(asset.id);
    let library = &app.content().library;
    let mut results: Vec<(Outcome, Severity, WorkloadResult)> = Vec::new();
    for used in uses(&model) {
        let Some(check) = library.check(&used.check) else {
            continue;
        };
        let Some(mut verdict) = model.standing.look(library, used, &fact, app.now()) else {
            continue;
        };
        statements
            .exceptions
            .mark(&used.check, &model.name, &mut verdict, app.now());
        let result = WorkloadResult {
            title: check.title().to_owned(),
            severity: check.severity().as_str().to_owned(),
            why: check.why().to_owned(),
            fix: check.fix().text.clone(),
            object: report_object(&used.check, &verdict),
        };
        results.push((verdict.outcome, check.severity(), result));
    }
    results.sort_by(|a, b| (a.0, Reverse(a.1), &a.2.title).cmp(&(b.0, Reverse(b.1), &b.2.title)));
    // One check with several parameters that says the same is shown once.
    let mut seen = BTreeSet::new();
    results.retain(|(outcome, _, result)| {
        let object = &result.object;
        seen.insert((*outcome, object.check.clone(), object.actual.clone()))
    });
    Ok(Json(ClusterWorkloadDetail {
        summary: row(library, object, &said),
        results: results.into_iter().map(|(_, _, result)| result).collect(),
        images: images.into_iter().map(image_wire).collect(),
        fact: fact.data,
    }))
}

fn kind() -> FactKind {
    FactKind::new(KIND).expect("it is a constant of that form")
}

/// The checks on workloads by which the cluster is judged.
fn uses(model: &Model) -> impl Iterator<Item = &Use> {
    model.standing.uses(&kind())
}

/// The checks that fail, each once.
fn failing<'s>(said: &[(&'s Use, Outcome)]) -> BTreeSet<&'s str> {
    let failing = said.iter().filter(|(_, outcome)| *outcome == Outcome::Fail);
    failing.map(|(used, _)| used.check.as_str()).collect()
}

fn row(library: &Library, object: &StandingObject, said: &[(&Use, Outcome)]) -> ClusterWorkload {
    let mut failed = SeverityCounts::default();
    for check in failing(said) {
        let severity = library.check(check).map(|check| check.severity());
        let count = match severity.unwrap_or(Severity::Unknown) {
            Severity::Critical => &mut failed.critical,
            Severity::High => &mut failed.high,
            Severity::Medium => &mut failed.medium,
            Severity::Low => &mut failed.low,
            Severity::Unknown => &mut failed.unknown,
        };
        *count += 1;
    }
    let untold: BTreeSet<&str> = said
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Error | Outcome::NotCollected))
        .map(|(used, _)| used.check.as_str())
        .collect();
    ClusterWorkload {
        id: object.id.clone(),
        name: object.name.clone(),
        kind: object.sort.to_string(),
        namespace: object.namespace.to_string(),
        failed,
        untold: u32::try_from(untold.len()).unwrap_or(u32::MAX),
    }
}
