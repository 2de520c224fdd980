//! Benchmarks over assets as files: CSV for machines, PDF for people who want it on paper.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use seareeve_api::{Compliance, ControlCounts, ErrorBody};
use seareeve_posture::{Benchmark, Control};
use seareeve_store::assets::{self, ControlFilter, Scope};
use seareeve_store::{AssetId, Cursor};

use super::{EditionQuery, compliance, edition, objects_of};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::pdf::{BODY, Cell, Document, HEADING, SOFT, STRONG, TITLE, WIDTH};
use crate::posture::Content;
use crate::routes::csv::{self as table, Csv};
use crate::state::App;

/// Rows of a CSV file that are read at a time.
const ROWS: usize = 1_000;
/// Assets of a failed control that a report names.
const ASSETS: usize = 20;
/// Objects of an asset that it names.
const OBJECTS: usize = 8;

/// The same as CSV, one line for each control and asset.
#[utoipa::path(get, operation_id = "get_compliance_csv", path = "/api/v1/compliance/{benchmark}/csv", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), EditionQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn csv(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(benchmark): Path<String>,
    Query(query): Query<EditionQuery>,
) -> ApiResult<Response> {
    let content = app.content();
    let found = edition(&content.library, &benchmark, query.version.as_deref())?;
    let name = format!("{}-{}", found.id, found.version);
    let version = found.version.clone();
    let rows = Rows {
        at: 0,
        after: None,
        version,
        scope: query.scope(),
        benchmark,
        content,
        app,
    };
    // As it is read: a large estate has a million lines.
    let parts = stream::try_unfold(rows, Rows::next);
    Ok((table::headers(&name), Body::from_stream(parts)).into_response())
}

/// A CSV file that is being written.
struct Rows {
    app: Arc<App>,
    content: Arc<Content>,
    benchmark: String,
    version: String,
    scope: Scope,
    /// Controls that are done.
    at: usize,
    /// Within the next one.
    after: Option<Cursor>,
}

impl Rows {
    async fn next(mut self) -> Result<Option<(String, Self)>, seareeve_store::StoreError> {
        let content = Arc::clone(&self.content);
        let library = &content.library;
        let found = library.benchmark(&self.benchmark, Some(&self.version));
        let Some((benchmark, control)) =
            found.and_then(|benchmark| Some((benchmark, benchmark.controls.get(self.at)?)))
        else {
            return Ok(None);
        };
        let mut file = if self.at == 0 && self.after.is_none() {
            Csv::new(&[
                "benchmark",
                "version",
                "section",
                "control",
                "level",
                "title",
                "asset",
                "status",
                "since",
                "reason",
                "id",
            ])
        } else {
            Csv::default()
        };
        let filter = ControlFilter {
            scope: self.scope.clone(),
            ..ControlFilter::default()
        };
        let key = (
            benchmark.id.as_str(),
            benchmark.version.as_str(),
            control.id.as_str(),
        );
        let page =
            assets::control_in(&self.app.store, key, &filter, self.after.as_ref(), ROWS).await?;
        let section = benchmark.section(control);
        // A spreadsheet takes 5.10 for the number 5.1, and 1.1.1 for a day in January.
        let id = format!("{} {}", benchmark.id, control.id);
        for one in page.items {
            let row = one.verdict.row;
            file.row(&[
                &benchmark.id,
                &benchmark.version,
                section.map_or("", |section| &section.title),
                &control.id,
                &control.level.to_string(),
                &control.title,
                &one.asset_name,
                &row.outcome,
                &one.verdict.since.to_string(),
                row.reason.as_deref().unwrap_or_default(),
                &id,
            ]);
        }
        self.after = page.next;
        if self.after.is_none() {
            let controls = benchmark.controls.iter().enumerate();
            // A standard may say one control for several versions; its verdicts stand once.
            let is_new = |at: usize, control: &Control| {
                let mut before = benchmark.controls.iter().take(at);
                !before.any(|said| said.id == control.id)
            };
            let next = controls
                .skip(self.at.saturating_add(1))
                .find(|(at, control)| is_new(*at, control));
            self.at = next.map_or(usize::MAX, |(at, _)| at);
        }
        Ok(Some((file.take(), self)))
    }
}

/// The same as a PDF for people: counts, sections, controls, and what fails where. Equal data gives equal bytes.
#[utoipa::path(get, operation_id = "get_compliance_pdf", path = "/api/v1/compliance/{benchmark}/pdf", tag = "recommendations",
    params(("benchmark" = String, Path, description = "Such as `cis-docker`"), EditionQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn pdf(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(benchmark): Path<String>,
    Query(query): Query<EditionQuery>,
) -> ApiResult<Response> {
    let content = app.content();
    let benchmark = edition(&content.library, &benchmark, query.version.as_deref())?;
    let scope = query.scope();
    let report = compliance(&app, &content, benchmark, &scope).await?;
    let over = match (scope.asset, scope.environment.as_str()) {
        (Some(asset), _) => {
            let asset = assets::get(&app.store, asset).await?;
            asset.ok_or_else(|| ApiError::not_found("asset"))?.name
        }
        (None, "") => "all assets".to_owned(),
        (None, name) => format!("environment {name}"),
    };
    let failures = failures(&app, benchmark, &scope, &report).await?;
    let name = format!("{}-{}.pdf", benchmark.id, benchmark.version);
    let made = tokio::task::spawn_blocking(move || written(&report, &over, &failures));
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, made.await.map_err(ApiError::internal)?).into_response())
}

/// A control that fails somewhere.
struct Failure {
    control: String,
    /// Those that the report names, by name.
    assets: Vec<FailedAsset>,
}

struct FailedAsset {
    name: String,
    since: Timestamp,
    /// What was found, and what is wanted.
    objects: Vec<(String, String, String)>,
    /// All objects that fail.
    failed: u64,
}

async fn failures(
    app: &App,
    benchmark: &Benchmark,
    scope: &Scope,
    report: &Compliance,
) -> ApiResult<Vec<Failure>> {
    let failing = report
        .sections
        .iter()
        .flat_map(|section| &section.controls)
        .filter(|control| control.counts.fail > 0);
    let mut failures = Vec::new();
    for shown in failing {
        let Some(control) = benchmark.control(&shown.id) else {
            continue;
        };
        let filter = ControlFilter {
            scope: scope.clone(),
            outcome: "fail".to_owned(),
            query: String::new(),
        };
        let key = (
            benchmark.id.as_str(),
            benchmark.version.as_str(),
            control.id.as_str(),
        );
        let page = assets::control_in(&app.store, key, &filter, None, ASSETS).await?;
        let mut failed = Vec::new();
        for one in page.items {
            failed.push(
                failed_asset(app, one.asset, one.asset_name, one.verdict.since, control).await?,
            );
        }
        failures.push(Failure {
            control: control.id.clone(),
            assets: failed,
        });
    }
    Ok(failures)
}

async fn failed_asset(
    app: &App,
    asset: AssetId,
    name: String,
    since: Timestamp,
    control: &Control,
) -> ApiResult<FailedAsset> {
    let mut shown = FailedAsset {
        name,
        since,
        objects: Vec::new(),
        failed: 0,
    };
    for used in &control.checks {
        let (objects, failed) = objects_of(app, asset, used, OBJECTS).await?;
        shown.failed += failed;
        let objects = objects.into_iter().map(|object| object.row);
        let failing = objects.filter(|row| row.outcome == "fail");
        let told = failing.map(|row| (row.name, row.actual, row.expected));
        shown.objects.extend(told);
    }
    shown.objects.truncate(OBJECTS);
    Ok(shown)
}

/// The columns of counts: the word at their head, and the number.
fn columns(counts: &ControlCounts) -> [(&'static str, u32); 6] {
    [
        ("Passed", counts.pass),
        ("Failed", counts.fail),
        ("Review", counts.needs_review),
        ("Missing", counts.not_collected.saturating_add(counts.error)),
        ("N/A", counts.not_applicable),
        ("Excepted", counts.excepted),
    ]
}

const NUMBER: f32 = 47.0;

/// A row that says something and ends in counts.
fn counted(
    document: &mut Document,
    id: &str,
    title: &str,
    numbers: &[String],
    style: crate::pdf::Style,
) {
    let begin = WIDTH - NUMBER * numbers.len() as f32;
    let mut cells = vec![
        Cell {
            text: id,
            at: 0.0,
            width: 36.0,
            is_end: false,
        },
        Cell {
            text: title,
            at: 38.0,
            width: begin - 44.0,
            is_end: false,
        },
    ];
    let places = numbers.iter().zip(0_u16..);
    cells.extend(places.map(|(text, at)| Cell {
        text,
        at: begin + NUMBER * f32::from(at),
        width: NUMBER,
        is_end: true,
    }));
    document.row(&cells, style);
}

fn heads() -> Vec<String> {
    let heads = columns(&ControlCounts::default());
    heads.iter().map(|(head, _)| (*head).to_owned()).collect()
}

fn numbers(counts: &ControlCounts) -> Vec<String> {
    let columns = columns(counts);
    columns
        .iter()
        .map(|(_, number)| number.to_string())
        .collect()
}

fn written(report: &Compliance, over: &str, failures: &[Failure]) -> Vec<u8> {
    let mut document = Document::new();
    let title = format!("{} {}", report.title, report.version);
    document.line(&title, TITLE, 0.0);
    document.space(4.0);
    let dated = report
        .dated
        .map(day)
        .unwrap_or_else(|| "no facts".to_owned());
    for (name, value) in [
        ("Compliance of", over),
        ("Assets compared", &report.assets.to_string()),
        ("Facts and verdicts of", &dated),
        ("Judged by", &report.content),
    ] {
        let cells = [
            Cell {
                text: name,
                at: 0.0,
                width: 120.0,
                is_end: false,
            },
            Cell {
                text: value,
                at: 124.0,
                width: WIDTH - 124.0,
                is_end: false,
            },
        ];
        document.row(&cells, BODY);
    }
    document.space(10.0);
    document.line("Summary", HEADING, 0.0);
    document.line(
        "Counts are verdicts: one for each control and asset. Review is what a person has to answer; missing is what could not \
         be collected or evaluated, and is never counted as passed.",
        SOFT,
        0.0,
    );
    document.space(4.0);
    counted(&mut document, "", "Section", &heads(), STRONG);
    document.rule();
    for section in &report.sections {
        counted(
            &mut document,
            &section.id,
            &section.title,
            &numbers(&section.counts),
            BODY,
        );
    }
    document.rule();
    counted(&mut document, "", "All", &numbers(&report.counts), STRONG);
    document.space(12.0);
    document.keep(80.0);
    document.line("Failed controls", HEADING, 0.0);
    if failures.is_empty() {
        document.line("No control fails.", BODY, 0.0);
    }
    let controls = || report.sections.iter().flat_map(|section| &section.controls);
    for failure in failures {
        let Some(control) = controls().find(|control| control.id == failure.control) else {
            continue;
        };
        document.space(6.0);
        document.keep(48.0);
        document.line(&format!("{}  {}", control.id, control.title), STRONG, 0.0);
        let on = match control.counts.fail {
            1 => "fails on 1 asset".to_owned(),
            many => format!("fails on {many} assets"),
        };
        document.line(&format!("Level {}, {on}", control.level), SOFT, 10.0);
        for asset in &failure.assets {
            let since = format!("{}, since {}", asset.name, day(asset.since));
            // With the first of its objects.
            document.keep(26.0);
            document.line(&since, BODY, 10.0);
            for (name, actual, expected) in &asset.objects {
                let found = match (actual.is_empty(), expected.is_empty()) {
                    (true, _) => name.clone(),
                    (false, true) => format!("{name}: {actual}"),
                    (false, false) => format!("{name}: {actual} (wanted: {expected})"),
                };
                document.line(&found, SOFT, 20.0);
            }
            let left = asset.failed.saturating_sub(asset.objects.len() as u64);
            if left > 0 {
                document.line(&format!("and {left} more objects"), SOFT, 20.0);
            }
        }
        let left = u64::from(control.counts.fail).saturating_sub(failure.assets.len() as u64);
        if left > 0 {
            document.line(
                &format!("and {left} more assets: the CSV file has all"),
                SOFT,
                10.0,
            );
        }
    }
    document.space(12.0);
    document.keep(80.0);
    document.line("All controls", HEADING, 0.0);
    document.space(2.0);
    counted(&mut document, "", "Control", &heads(), STRONG);
    document.rule();
    for control in controls() {
        counted(
            &mut document,
            &control.id,
            &control.title,
            &numbers(&control.counts),
            BODY,
        );
    }
    let footer = format!("Seareeve: {title}, {over}, {dated}");
    document.finish(&title, &footer, report.dated.and_then(date))
}

fn day(at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn date(at: Timestamp) -> Option<pdf_writer::Date> {
    let at = at.to_zoned(TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).ok();
    let date = pdf_writer::Date::new(u16::try_from(at.year()).ok()?);
    let date = date.month(small(at.month())?).day(small(at.day())?);
    let date = date.hour(small(at.hour())?).minute(small(at.minute())?);
    Some(
        date.second(small(at.second())?)
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}
