//! Benchmarks over all assets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use seareeve_api::{
    Compliance, ComplianceAsset, ComplianceControl, ComplianceSection, ControlCounts, ErrorBody,
};
use seareeve_posture::{Benchmark, Mark, Outcome};
use seareeve_store::assets::{self, BenchmarkControl};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Which edition.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EditionQuery {
    /// Such as `1.8.0`; the newest, if absent.
    version: Option<String>,
}

/// What a benchmark says of all assets: section, control, asset.
#[utoipa::path(get, operation_id = "get_compliance", path = "/api/v1/compliance/{benchmark}", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), EditionQuery),
    responses((status = 200, body = Compliance), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(benchmark): Path<String>,
    Query(query): Query<EditionQuery>,
) -> ApiResult<Json<Compliance>> {
    Ok(Json(
        compliance(&app, &benchmark, query.version.as_deref()).await?,
    ))
}

/// The same as CSV, one line for each control and asset.
#[utoipa::path(get, operation_id = "get_compliance_csv", path = "/api/v1/compliance/{benchmark}/csv", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), EditionQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn csv(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(benchmark): Path<String>,
    Query(query): Query<EditionQuery>,
) -> ApiResult<Response> {
    let compliance = compliance(&app, &benchmark, query.version.as_deref()).await?;
    let mut text =
        String::from("benchmark,version,section,control,level,title,asset,status,since,reason\r\n");
    for section in &compliance.sections {
        for control in &section.controls {
            for asset in &control.assets {
                // Writing to a String cannot fail.
                let _ = write!(
                    text,
                    "{},{},{},{},{},{},{},{},{},{}\r\n",
                    field(&compliance.benchmark),
                    field(&compliance.version),
                    field(&section.title),
                    field(&control.id),
                    control.level,
                    field(&control.title),
                    field(&asset.name),
                    field(&asset.status),
                    asset.since,
                    field(asset.reason.as_deref().unwrap_or_default()),
                );
            }
        }
    }
    let name = format!(
        "attachment; filename=\"{}-{}.csv\"",
        compliance.benchmark, compliance.version
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

/// A field of a CSV file (RFC 4180). Names of hosts are foreign: what a spreadsheet would take for a formula gets an
/// apostrophe.
fn field(text: &str) -> String {
    let guard = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => "'",
        false => "",
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

async fn compliance(app: &App, id: &str, version: Option<&str>) -> ApiResult<Compliance> {
    let library = &app.content.library;
    let benchmark = library.benchmark(id, version);
    let benchmark = benchmark.ok_or_else(|| ApiError::not_found("benchmark"))?;
    let stored = assets::controls(&app.store, &benchmark.id, &benchmark.version).await?;
    let mut by_control: BTreeMap<String, Vec<BenchmarkControl>> = BTreeMap::new();
    for verdict in stored {
        let control = verdict.verdict.row.control.clone();
        by_control.entry(control).or_default().push(verdict);
    }
    let assets = by_control.values().map(Vec::len).max().unwrap_or_default();
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
        let mut shown = ComplianceControl {
            id: control.id.clone(),
            title: control.title.clone(),
            level: control.level,
            assessment: match control.assessment {
                Mark::Automated => "automated",
                Mark::Manual => "manual",
            }
            .to_owned(),
            counts: ControlCounts::default(),
            assets: Vec::new(),
        };
        for verdict in by_control.remove(&control.id).unwrap_or_default() {
            if let Some(outcome) = Outcome::parse(&verdict.verdict.row.outcome) {
                shown.counts.note(outcome);
                section.counts.note(outcome);
                counts.note(outcome);
            }
            shown.assets.push(ComplianceAsset {
                id: verdict.asset.0,
                name: verdict.asset_name,
                status: verdict.verdict.row.outcome,
                reason: verdict.verdict.row.reason,
                since: verdict.verdict.since,
            });
        }
        section.controls.push(shown);
    }
    let mut versions: Vec<String> = library
        .benchmarks()
        .filter(|one| one.id == benchmark.id)
        .map(|one: &Benchmark| one.version.clone())
        .collect();
    versions.reverse();
    Ok(Compliance {
        benchmark: benchmark.id.clone(),
        version: benchmark.version.clone(),
        versions,
        title: benchmark.title.clone(),
        assets: u32::try_from(assets).unwrap_or(u32::MAX),
        counts,
        sections,
    })
}
