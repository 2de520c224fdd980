//! Secrets in the report of an image.

use anstyle::Style;
use seareeve_api::{ImageReport, ReportSecret};

use super::image::start;
use super::{columns, severity_style};
use crate::output::safe;
use crate::output::words::{by, counted, index_of, place_of};

/// Nothing where nobody looked for secrets.
pub(super) fn section(report: &ImageReport, show_suppressed: bool) -> String {
    let Some(secrets) = &report.secrets else {
        return String::new();
    };
    let suppressed = &report.suppressed_secrets;
    let mut text = String::from("\n");
    if !secrets.is_empty() {
        text.push_str(&list(report, secrets));
        text.push('\n');
    }
    text.push_str(&counted(secrets.len(), "secret"));
    if !suppressed.is_empty() {
        let count = suppressed.len();
        text.push_str(&format!(" · not counted: {count} by ignore file"));
        if !show_suppressed {
            text.push_str(" (--show-suppressed lists them)");
        }
    }
    text.push('\n');
    if show_suppressed && !suppressed.is_empty() {
        text.push('\n');
        text.push_str(&suppressed_list(suppressed));
    }
    text
}

fn list(report: &ImageReport, secrets: &[ReportSecret]) -> String {
    let row = |secret: &ReportSecret| {
        let layer = secret.layer.as_ref();
        [
            safe(&secret.severity).to_uppercase(),
            safe(&secret.rule),
            safe(&secret.title),
            layer.map_or_else(String::new, |layer| index_of(report, layer)),
            secret.line.to_string(),
            safe(&place_of(secret)),
        ]
    };
    let rows: Vec<[String; 6]> = secrets.iter().map(row).collect();
    let titles = ["SEVERITY", "RULE", "SECRET", "LAYER", "LINE", "PLACE"];
    columns(titles, &rows, |column, cell| match column {
        0 => severity_style(cell),
        _ => Style::new(),
    })
}

fn suppressed_list(secrets: &[ReportSecret]) -> String {
    let row = |secret: &ReportSecret| {
        let why = secret.suppression.as_ref();
        [
            safe(&secret.severity).to_uppercase(),
            safe(&secret.rule),
            safe(&place_of(secret)),
            why.map_or_else(String::new, |why| safe(&by(&why.by))),
            why.map_or_else(String::new, |why| safe(&why.source)),
            why.map_or_else(String::new, |why| start(&why.reason)),
        ]
    };
    let rows: Vec<[String; 6]> = secrets.iter().map(row).collect();
    let titles = ["NOT COUNTED", "RULE", "PLACE", "BY", "SOURCE", "REASON"];
    columns(titles, &rows, |_, _| Style::new().dimmed())
}
