//! The lists below the findings, folded: what does not count, the layers, all packages.

use seareeve_api::ImageReport;

use super::{class_of, glyph};
use crate::output::markup::escape;
use crate::output::words::{by, counted, index_of, place_of};

/// Open, because whoever has the image has them.
pub(super) fn secrets(report: &ImageReport) -> String {
    let secrets = report.secrets.as_deref().unwrap_or_default();
    let rows = secrets.iter().map(|secret| {
        let layer = secret.layer.as_ref();
        format!(
            "<tr class=\"{}\"><td class=\"severity\">{}{}</td><td>{}</td><td class=\"mono\">{}</td><td>{}</td>\
             <td>{}</td><td>{}</td></tr>\n",
            class_of(&secret.severity),
            glyph(&secret.severity),
            escape(&secret.severity),
            escape(&secret.title),
            escape(&place_of(secret)),
            secret.line,
            layer.map_or_else(String::new, |layer| index_of(report, layer)),
            escape(&secret.remediation),
        )
    });
    let titles = ["Severity", "Secret", "Place", "Line", "Layer", "Remedy"];
    let title = counted(secrets.len(), "secret");
    section(&title, &titles, rows).replacen("<details ", "<details open ", 1)
}

pub(super) fn suppressed(report: &ImageReport) -> String {
    let rows = report.suppressed.iter().map(|finding| {
        let why = finding.suppression.as_ref();
        let until = why.and_then(|why| why.expires);
        format!(
            "<tr class=\"{}\"><td class=\"severity\">{}{}</td><td class=\"id mono\">{}</td><td>{}</td>\
             <td class=\"mono\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            class_of(&finding.severity),
            glyph(&finding.severity),
            escape(&finding.severity),
            escape(&finding.id),
            escape(&finding.package.name),
            escape(&finding.package.version),
            escape(&why.map_or_else(String::new, |why| by(&why.by))),
            escape(why.map_or("", |why| &why.reason)),
            escape(why.map_or("", |why| &why.source)),
            escape(&until.map_or_else(String::new, |until| until.to_string())),
        )
    });
    let secrets = report.suppressed_secrets.iter().map(|secret| {
        let why = secret.suppression.as_ref();
        let until = why.and_then(|why| why.expires);
        format!(
            "<tr class=\"{}\"><td class=\"severity\">{}{}</td><td class=\"id mono\">{}</td><td colspan=\"2\">{}</td>\
             <td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            class_of(&secret.severity),
            glyph(&secret.severity),
            escape(&secret.severity),
            escape(&secret.rule),
            escape(&place_of(secret)),
            escape(&why.map_or_else(String::new, |why| by(&why.by))),
            escape(why.map_or("", |why| &why.reason)),
            escape(why.map_or("", |why| &why.source)),
            escape(&until.map_or_else(String::new, |until| until.to_string())),
        )
    });
    let titles = [
        "Severity",
        "Vulnerability",
        "Package",
        "Installed",
        "By",
        "Reason",
        "Source",
        "Until",
    ];
    let count = report.suppressed.len() + report.suppressed_secrets.len();
    section(
        &format!("{count} not counted"),
        &titles,
        rows.chain(secrets),
    )
}

pub(super) fn layers(report: &ImageReport) -> String {
    let rows = report.image.layers.iter().enumerate().map(|(at, layer)| {
        let of_layer = |finding: &&seareeve_api::ReportFinding| finding.layer == layer.diff_id;
        let findings = report.findings.iter().filter(of_layer).count();
        format!(
            "<tr><td>{at}</td><td>{findings}</td><td class=\"mono\">{}</td><td class=\"mono\">{}</td><td>{}</td></tr>\n",
            escape(&layer.created_by),
            escape(&layer.diff_id),
            layer.size_bytes,
        )
    });
    let titles = ["Layer", "Findings", "Made by", "Digest", "Bytes"];
    let title = counted(report.image.layers.len(), "layer");
    section(&title, &titles, rows)
}

pub(super) fn packages(report: &ImageReport) -> String {
    let rows = report.packages.iter().map(|package| {
        format!(
            "<tr><td>{}</td><td>{}</td><td class=\"mono\">{}</td><td class=\"mono\">{}</td></tr>\n",
            escape(&package.kind),
            escape(&package.name),
            escape(&package.version),
            escape(&package.path),
        )
    });
    let titles = ["Type", "Package", "Version", "File"];
    let title = counted(report.packages.len(), "package");
    section(&title, &titles, rows)
}

/// Nothing where there are no rows, which must be markup already.
fn section(title: &str, titles: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let titles: String = titles
        .iter()
        .map(|title| format!("<th scope=\"col\">{title}</th>"))
        .collect();
    format!(
        "<details class=\"section\"><summary>{title}</summary>\n<div class=\"scroll\"><table>\n\
         <thead><tr>{titles}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div></details>\n"
    )
}
