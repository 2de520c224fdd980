//! For people at a terminal: each object with what is wrong with it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use seareeve_api::{ManifestReport, ManifestResult};

use super::{counted, name_of, place_of, told};
use crate::output::safe;
use crate::output::words::spaced;

pub(super) fn report(report: &ManifestReport) -> String {
    let mut text = String::new();
    for object in &report.objects {
        let results: Vec<&ManifestResult> = told(object).collect();
        if results.is_empty() && object.verdict.is_none() {
            continue;
        }
        let bold = Style::new().bold();
        let verdict = match &object.verdict {
            Some(verdict) => format!("  {verdict}"),
            None => String::new(),
        };
        let place = match place_of(object) {
            Some(place) => format!("  {}", safe(&place)),
            None => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{bold}{}{bold:#}{place}{verdict}",
            safe(&name_of(object)),
        );
        for result in results {
            let style = style_of(result);
            let word = match result.status.as_str() {
                "fail" => result.severity.to_uppercase(),
                status => spaced(status).to_uppercase(),
            };
            let _ = writeln!(
                text,
                "  {style}{word:<8}{style:#}  {}  {}",
                safe(&result.message),
                safe(&result.path)
            );
            let dim = Style::new().dimmed();
            let _ = writeln!(text, "            {dim}{}{dim:#}", safe(&result.check));
        }
    }
    for problem in &report.problems {
        let _ = writeln!(
            text,
            "not read: {}: {}",
            safe(&problem.place),
            safe(&problem.message)
        );
    }
    let _ = writeln!(text, "{}", counted(report));
    text
}

fn style_of(result: &ManifestResult) -> Style {
    match (result.status.as_str(), result.severity.as_str()) {
        ("fail", "critical") => AnsiColor::Red.on_default().bold(),
        ("fail", "high") => AnsiColor::Red.on_default(),
        ("fail", "low") => AnsiColor::Blue.on_default(),
        ("fail" | "error" | "not_collected", _) => AnsiColor::Yellow.on_default(),
        _ => AnsiColor::Cyan.on_default(),
    }
}
