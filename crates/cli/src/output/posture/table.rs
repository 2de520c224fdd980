//! For people at a terminal: what fails first by section, then what could not be told, then counts.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use seareeve_api::{PostureReport, ReportControl};

use super::{deciding, said};
use crate::output::safe;
use crate::output::words::spaced;

/// Objects that are named for each control.
const MOST_OBJECTS: usize = 8;

pub(super) fn report(report: &PostureReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}  {}  {}",
        safe(&report.asset.name),
        spaced(&report.asset.kind.replace('-', " ")),
        report.collected_at
    );
    for benchmark in &report.benchmarks {
        let _ = writeln!(text, "\n{} {}", safe(&benchmark.title), benchmark.version);
        let mut section = "";
        let of_it = |control: &&ReportControl| {
            control.benchmark == benchmark.id && control.version == benchmark.version
        };
        for control in report.controls.iter().filter(of_it) {
            if control.section != section {
                section = &control.section;
                let bold = Style::new().bold();
                let _ = writeln!(text, "\n{bold}{}{bold:#}", safe(section));
            }
            line(&mut text, control);
        }
        let counts = &benchmark.counts;
        let parts: Vec<String> = [
            (counts.fail, "failed"),
            (counts.error, "could not be evaluated"),
            (counts.not_collected, "not collected"),
            (counts.needs_review, "to review"),
            (counts.excepted, "excepted"),
            (counts.pass, "passed"),
            (counts.not_applicable, "not applicable"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let _ = writeln!(text, "\n{}", parts.join(", "));
    }
    if !report.gaps.is_empty() {
        let _ = writeln!(text, "\nNot collected");
        for gap in &report.gaps {
            let _ = writeln!(
                text,
                "  {} from {}: {} ({})",
                safe(&gap.kind),
                safe(&gap.source),
                safe(&gap.detail),
                gap.status
            );
        }
    }
    text
}

fn line(text: &mut String, control: &ReportControl) {
    let style = style_of(&control.status);
    let word = word_of(&control.status);
    let severity = match (&control.severity, control.status.as_str()) {
        (Some(severity), "fail") => format!(" [{severity}]"),
        _ => String::new(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "  {style}{word:<8}{style:#} {:<7} {}{severity}",
        control.id,
        safe(&control.title)
    );
    if matches!(control.status.as_str(), "pass" | "not_applicable") {
        return;
    }
    if let Some(reason) = &control.reason {
        let _ = writeln!(text, "                   {}", safe(reason));
    }
    let objects: Vec<_> = deciding(control).collect();
    for object in objects.iter().take(MOST_OBJECTS) {
        let _ = writeln!(
            text,
            "                   {}: {}",
            safe(&object.name),
            safe(&said(object))
        );
    }
    if let Some(more) = objects
        .len()
        .checked_sub(MOST_OBJECTS)
        .filter(|more| *more > 0)
    {
        let _ = writeln!(text, "                   and {more} more");
    }
    if control.status == "fail"
        && let Some(remedy) = &control.remedy
    {
        let dim = Style::new().dimmed();
        let _ = writeln!(
            text,
            "                   {dim}→ {}{dim:#}",
            safe(&remedy.text)
        );
    }
}

/// Short, so that titles stand below each other.
fn word_of(status: &str) -> &str {
    match status {
        "fail" => "FAIL",
        "error" => "ERROR",
        "not_collected" => "UNKNOWN",
        "needs_review" => "REVIEW",
        "excepted" => "EXCEPTED",
        "pass" => "pass",
        _ => "n/a",
    }
}

fn style_of(status: &str) -> Style {
    match status {
        "fail" => AnsiColor::Red.on_default().bold(),
        "error" | "not_collected" => AnsiColor::Yellow.on_default().bold(),
        "needs_review" | "excepted" => AnsiColor::Cyan.on_default(),
        "pass" => AnsiColor::Green.on_default(),
        _ => Style::new().dimmed(),
    }
}
