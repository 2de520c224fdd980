//! Benchmarks over assets: counted, looked into down to the object, and as files.

mod files;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{
    BenchmarkEdition, BenchmarkEntry, BenchmarkList, Compliance, ComplianceAsset,
    ComplianceAssetPage, ComplianceControl, ComplianceObject, ComplianceObjects, ComplianceSection,
    ControlCounts, ErrorBody,
};
use seareeve_posture::{Benchmark, Control, Library, Mark, Outcome, Use};
use seareeve_store::AssetId;
use seareeve_store::assets::{self, BenchmarkControl, ControlFilter, ObjectVerdict, Scope};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{cursor, next};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::Content;
use crate::state::App;

pub(super) use files::{__path_csv, __path_pdf, csv, pdf};

/// Objects of each check that are shown.
const OBJECTS: usize = 200;

/// Which edition, and which assets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EditionQuery {
    /// Such as `1.8.0`; the newest, if absent.
    version: Option<String>,
    /// Only assets of this environment; of all, if absent.
    environment: Option<String>,
    /// Only this asset; all, if absent.
    asset: Option<i64>,
}

/// Which assets of a control.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ControlQuery {
    /// Such as `1.8.0`; the newest, if absent.
    version: Option<String>,
    /// Only assets of this environment; of all, if absent.
    environment: Option<String>,
    /// Only this asset; all, if absent.
    asset: Option<i64>,
    /// With this status, such as `fail`; with any, if absent.
    status: Option<String>,
    /// Part of a name.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Which objects.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ObjectsQuery {
    /// Such as `1.8.0`; the newest, if absent.
    version: Option<String>,
    /// Of this asset.
    asset: i64,
}

impl EditionQuery {
    fn scope(&self) -> Scope {
        Scope {
            environment: self.environment.clone().unwrap_or_default(),
            asset: self.asset.map(AssetId),
        }
    }
}

/// All benchmarks with their editions, and how assets do.
#[utoipa::path(get, operation_id = "list_benchmarks", path = "/api/v1/benchmarks", tag = "recommendations",
    responses((status = 200, body = BenchmarkList), (status = 401, body = ErrorBody)))]
pub(super) async fn benchmarks(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<BenchmarkList>> {
    let content = app.content();
    let all = Scope::default();
    let mut entries: BTreeMap<&str, BenchmarkEntry> = BTreeMap::new();
    for benchmark in content.library.benchmarks() {
        let (id, version) = (&benchmark.id, &benchmark.version);
        let is_newest = content.library.benchmark(id, None) == Some(benchmark);
        let counts = match is_newest {
            true => Some(counts_of(&app, id, version).await?),
            false => None,
        };
        let edition = BenchmarkEdition {
            version: version.clone(),
            controls: number(benchmark.controls.len() as u64),
            assets: assets::assets_in(&app.store, id, version, &all).await?,
            counts,
        };
        let entry = entries.entry(id).or_insert_with(|| BenchmarkEntry {
            id: id.clone(),
            title: String::new(),
            asset: benchmark.asset.clone(),
            built_in: content.builtin_benchmarks.contains(id),
            editions: Vec::new(),
        });
        // They come oldest first.
        entry.title.clone_from(&benchmark.title);
        entry.editions.insert(0, edition);
    }
    Ok(Json(BenchmarkList {
        benchmarks: entries.into_values().collect(),
    }))
}

async fn counts_of(app: &App, id: &str, version: &str) -> ApiResult<ControlCounts> {
    let mut counts = ControlCounts::default();
    for tally in assets::tally(&app.store, id, version, &Scope::default()).await? {
        add(&mut counts, &tally.outcome, tally.assets);
    }
    Ok(counts)
}

/// What a benchmark says of assets: section by section, control by control.
#[utoipa::path(get, operation_id = "get_compliance", path = "/api/v1/compliance/{benchmark}", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), EditionQuery),
    responses((status = 200, body = Compliance), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(benchmark): Path<String>,
    Query(query): Query<EditionQuery>,
) -> ApiResult<Json<Compliance>> {
    let content = app.content();
    let benchmark = edition(&content.library, &benchmark, query.version.as_deref())?;
    Ok(Json(
        compliance(&app, &content, benchmark, &query.scope()).await?,
    ))
}

/// What a control says of assets, by name, a page at a time.
#[utoipa::path(get, operation_id = "list_compliance_assets", path = "/api/v1/compliance/{benchmark}/controls/{control}", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), ("control" = String, Path, description = "Such as `5.4`"),
        ControlQuery),
    responses((status = 200, body = ComplianceAssetPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn control(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path((benchmark, control)): Path<(String, String)>,
    Query(query): Query<ControlQuery>,
) -> ApiResult<Json<ComplianceAssetPage>> {
    let content = app.content();
    let benchmark = edition(&content.library, &benchmark, query.version.as_deref())?;
    let control = found(benchmark, &control)?;
    if let Some(status) = &query.status
        && Outcome::parse(status).is_none()
    {
        return Err(ApiError::bad_request("no control has this status"));
    }
    let filter = ControlFilter {
        scope: Scope {
            environment: query.environment.unwrap_or_default(),
            asset: query.asset.map(AssetId),
        },
        outcome: query.status.unwrap_or_default(),
        query: query.q.unwrap_or_default(),
    };
    let after = cursor(query.cursor);
    let key = (
        benchmark.id.as_str(),
        benchmark.version.as_str(),
        control.id.as_str(),
    );
    let rows = limit(query.limit);
    let page = assets::control_in(&app.store, key, &filter, after.as_ref(), rows).await?;
    Ok(Json(ComplianceAssetPage {
        assets: page.items.into_iter().map(asset).collect(),
        next: next(page.next),
    }))
}

/// What a control's checks say of the objects of an asset.
#[utoipa::path(get, operation_id = "list_compliance_objects", path = "/api/v1/compliance/{benchmark}/controls/{control}/objects",
    tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), ("control" = String, Path, description = "Such as `5.4`"),
        ObjectsQuery),
    responses((status = 200, body = ComplianceObjects), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn objects(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path((benchmark, control)): Path<(String, String)>,
    Query(query): Query<ObjectsQuery>,
) -> ApiResult<Json<ComplianceObjects>> {
    let content = app.content();
    let benchmark = edition(&content.library, &benchmark, query.version.as_deref())?;
    let control = found(benchmark, &control)?;
    let asset = AssetId(query.asset);
    if assets::get(&app.store, asset).await?.is_none() {
        return Err(ApiError::not_found("asset"));
    }
    let mut shown = ComplianceObjects {
        objects: Vec::new(),
        failed: 0,
    };
    for used in control.checks.iter().chain(&control.evidence) {
        let (found, failed) = objects_of(&app, asset, used, OBJECTS).await?;
        shown.objects.extend(found.into_iter().map(object));
        shown.failed += failed;
    }
    Ok(Json(shown))
}

/// The first objects that a check judges, and on how many it fails.
async fn objects_of(
    app: &App,
    asset: AssetId,
    used: &Use,
    most: usize,
) -> ApiResult<(Vec<ObjectVerdict>, u64)> {
    let params = serde_json::Value::Object(used.params()).to_string();
    let (store, check) = (&app.store, used.check.as_str());
    let found = assets::objects_of_check(store, asset, check, &params, most).await?;
    let failed = assets::failed_objects(store, asset, check, &params).await?;
    Ok((found, failed))
}

fn edition<'l>(library: &'l Library, id: &str, version: Option<&str>) -> ApiResult<&'l Benchmark> {
    let benchmark = library.benchmark(id, version);
    benchmark.ok_or_else(|| ApiError::not_found("benchmark"))
}

fn found<'b>(benchmark: &'b Benchmark, id: &str) -> ApiResult<&'b Control> {
    let control = benchmark.control(id);
    control.ok_or_else(|| ApiError::not_found("control"))
}

async fn compliance(
    app: &App,
    content: &Content,
    benchmark: &Benchmark,
    scope: &Scope,
) -> ApiResult<Compliance> {
    let (id, version) = (&benchmark.id, &benchmark.version);
    // Before what is counted: an asset that is judged in between is not said to be counted when it is not.
    let number_of_assets = assets::assets_in(&app.store, id, version, scope).await?;
    let mut by_control: BTreeMap<String, ControlCounts> = BTreeMap::new();
    for tally in assets::tally(&app.store, id, version, scope).await? {
        let counts = by_control.entry(tally.control).or_default();
        add(counts, &tally.outcome, tally.assets);
    }
    let mut counts = ControlCounts::default();
    let mut sections: Vec<ComplianceSection> = Vec::new();
    for control in &benchmark.controls {
        let (number, title) = benchmark
            .section(control)
            .map(|section| (section.id.clone(), section.title.clone()))
            .unwrap_or_default();
        if sections.last().is_none_or(|section| section.id != number) {
            sections.push(ComplianceSection {
                id: number,
                title,
                counts: ControlCounts::default(),
                controls: Vec::new(),
            });
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        // A standard may say one control for several versions of what it is about; its verdicts stand once.
        let of_it = by_control.remove(&control.id);
        let Some(of_it) = of_it.or_else(|| first_of(section, control)) else {
            continue;
        };
        join(&mut section.counts, &of_it);
        join(&mut counts, &of_it);
        section.controls.push(control_wire(control, of_it));
    }
    let mut versions: Vec<String> = content
        .library
        .benchmarks()
        .filter(|one| one.id == benchmark.id)
        .map(|one: &Benchmark| one.version.clone())
        .collect();
    versions.reverse();
    Ok(Compliance {
        benchmark: id.clone(),
        version: version.clone(),
        versions,
        title: benchmark.title.clone(),
        asset: benchmark.asset.clone(),
        assets: number_of_assets,
        dated: assets::dated(&app.store, id, version, scope).await?,
        content: content.version(),
        counts,
        sections,
    })
}

/// A control without verdicts is listed, but once.
fn first_of(section: &ComplianceSection, control: &Control) -> Option<ControlCounts> {
    let is_listed = section
        .controls
        .iter()
        .any(|listed| listed.id == control.id);
    (!is_listed).then(ControlCounts::default)
}

fn control_wire(control: &Control, counts: ControlCounts) -> ComplianceControl {
    ComplianceControl {
        id: control.id.clone(),
        title: control.title.clone(),
        level: control.level,
        assessment: match control.assessment {
            Mark::Automated => "automated",
            Mark::Manual => "manual",
        }
        .to_owned(),
        check: control.checks.first().map(|used| used.check.clone()),
        ask: control.ask.clone(),
        max_age_days: control.max_age_days,
        counts,
    }
}

fn add(counts: &mut ControlCounts, outcome: &str, assets: u64) {
    let Some(outcome) = Outcome::parse(outcome) else {
        return;
    };
    let count = match outcome {
        Outcome::Pass => &mut counts.pass,
        Outcome::Fail => &mut counts.fail,
        Outcome::NotApplicable => &mut counts.not_applicable,
        Outcome::NotCollected => &mut counts.not_collected,
        Outcome::Error => &mut counts.error,
        Outcome::NeedsReview => &mut counts.needs_review,
        Outcome::Excepted => &mut counts.excepted,
    };
    *count = count.saturating_add(number(assets));
}

fn join(sum: &mut ControlCounts, part: &ControlCounts) {
    for (sum, part) in [
        (&mut sum.pass, part.pass),
        (&mut sum.fail, part.fail),
        (&mut sum.not_applicable, part.not_applicable),
        (&mut sum.not_collected, part.not_collected),
        (&mut sum.error, part.error),
        (&mut sum.needs_review, part.needs_review),
        (&mut sum.excepted, part.excepted),
    ] {
        *sum = sum.saturating_add(part);
    }
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn asset(verdict: BenchmarkControl) -> ComplianceAsset {
    ComplianceAsset {
        id: verdict.asset.0,
        name: verdict.asset_name,
        status: verdict.verdict.row.outcome,
        reason: verdict.verdict.row.reason,
        since: verdict.verdict.since,
    }
}

fn object(verdict: ObjectVerdict) -> ComplianceObject {
    let row = verdict.row;
    ComplianceObject {
        check: row.check_id,
        kind: row.kind,
        name: row.name,
        status: row.outcome,
        actual: row.actual,
        expected: row.expected,
        reason: row.reason,
    }
}
