//! One page for people that needs nothing else: no script, no other file, no network. It is made to be kept, sent and
//! printed. Every text in it is escaped, and a policy in its head forbids whatever would slip through.

mod finding;
mod lists;

use seareeve_api::{ImageReport, ReportNotice};

use super::markup::escape;
use super::words::{SEVERITIES, count_of, counted, name_of, said};

/// Looks.
const STYLE: &str = include_str!("html/page.css");

/// What a browser may load for this page: nothing but the style in it (Content Security Policy level 3).
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page of one image; `name` is what the user calls it.
pub(super) fn page(report: &ImageReport, name: &str) -> String {
    let name = escape(name_of(report, name));
    [
        head(&name),
        header(report, &name),
        "<main>\n".to_owned(),
        banners(report),
        counts(report),
        finding::table(report),
        lists::secrets(report),
        lists::suppressed(report),
        lists::layers(report),
        lists::packages(report),
        "</main>\n".to_owned(),
        footer(report),
        "</body>\n</html>\n".to_owned(),
    ]
    .concat()
}

/// All that stands before a page's own content. `title` must be escaped already.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title} · Seareeve</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    )
}

/// `name` must be escaped already.
fn header(report: &ImageReport, name: &str) -> String {
    let image = &report.image;
    let distro = match &report.distro {
        Some(distro) => distro.name.as_str(),
        None => "no distribution",
    };
    let platform = format!("{}/{}", image.os, image.architecture);
    let made = image.created.map(|time| time.to_string());
    let others = image.references.get(1..).unwrap_or_default().join(", ");
    let facts = [
        ("also", others.as_str()),
        ("system", distro),
        ("platform", &platform),
        ("made", made.as_deref().unwrap_or_default()),
        ("layers", &image.layers.len().to_string()),
        ("packages", &report.packages.len().to_string()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| {
        let value = escape(value);
        format!("<div><dt>{name}</dt><dd>{value}</dd></div>")
    })
    .collect::<String>();
    format!(
        "<header><div>\n<h1>{name}</h1>\n<div class=\"soft mono\">{}</div>\n<dl class=\"facts\">{facts}</dl>\n</div></header>\n",
        escape(&image.digest)
    )
}

/// What a reader has to know before the numbers.
fn banners(report: &ImageReport) -> String {
    let mut text = String::new();
    let mut banner = |class: &str, title: &str, lines: &[String]| {
        let lines: String = lines
            .iter()
            .map(|line| format!("<li>{}</li>", escape(line)))
            .collect();
        text.push_str(&format!(
            "<div class=\"{class}\" role=\"note\"><strong>{title}</strong><ul>{lines}</ul></div>\n"
        ));
    };
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.place, problem.message))
        .collect();
    if !problems.is_empty() {
        let title = "Incomplete: not everything could be read or judged";
        banner("banner", title, &problems);
    }
    let is_end = |notice: &&ReportNotice| notice.code == "end_of_life";
    let (ends, others): (Vec<_>, Vec<_>) = report.notices.iter().partition(is_end);
    if !ends.is_empty() {
        let lines: Vec<String> = ends.into_iter().map(said).collect();
        banner("banner", "End of life", &lines);
    }
    if report.database.kind == "starter" {
        let line = format!(
            "the built-in starter set of {} advisories: what it finds is true, but it knows little",
            report.database.advisories
        );
        banner("banner", "Not all advisories were asked", &[line]);
    }
    if !others.is_empty() {
        let lines: Vec<String> = others.into_iter().map(said).collect();
        banner("banner plain", "Worth knowing", &lines);
    }
    text
}

/// How many of which severity; each is a switch for the table below.
fn counts(report: &ImageReport) -> String {
    let findings = &report.findings;
    if findings.is_empty() {
        let text = match report.problems.is_empty() {
            true => "No known vulnerabilities that count.",
            false => "No known vulnerabilities that count in what could be read and judged.",
        };
        return format!("<p class=\"none\">{text}</p>\n");
    }
    let mut boxes = String::new();
    let mut bar = String::new();
    for severity in SEVERITIES {
        let count = count_of(findings, severity);
        if count == 0 {
            boxes.push_str(&format!(
                "<div class=\"count {severity}\">{}<span>{severity}</span><b>0</b></div>\n",
                glyph(severity)
            ));
            continue;
        }
        boxes.push_str(&format!(
            "<label class=\"count {severity}\">{}<span>{severity}</span><b>{count}</b>\
             <input type=\"checkbox\" id=\"show-{severity}\" aria-label=\"show {severity}\" checked></label>\n",
            glyph(severity)
        ));
        bar.push_str(&format!(
            "<span class=\"{severity}\" style=\"flex-grow:{count}\"></span>"
        ));
    }
    format!(
        "<div class=\"counts\">\n{boxes}</div>\n<div class=\"bar\" aria-hidden=\"true\">{bar}</div>\n"
    )
}

/// The shape of a severity, which says it without colour; as the UI draws them.
fn glyph(severity: &str) -> String {
    let path = match severity {
        "critical" => "M6 .5 11.5 6 6 11.5.5 6z",
        "high" => "M6 1 11.4 10.8H.6z",
        "medium" => "M1.3 1.3h9.4v9.4H1.3z",
        "low" => "M6 .8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 6 .8z",
        _ => "M2.4 5h7.2v2H2.4z",
    };
    format!(
        "<svg class=\"glyph\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"
    )
}

/// The severity as a class of the style; what we do not know is drawn as unknown.
fn class_of(severity: &str) -> &str {
    SEVERITIES
        .into_iter()
        .find(|known| *known == severity)
        .unwrap_or("unknown")
}

fn footer(report: &ImageReport) -> String {
    let database = &report.database;
    format!(
        "<footer>Seareeve {} · {} · database of {} with {} · <span class=\"mono\">{}</span></footer>\n",
        env!("CARGO_PKG_VERSION"),
        counted(report.findings.len(), "finding"),
        escape(&database.built.to_string()),
        match database.advisories {
            1 => "1 advisory".to_owned(),
            count => format!("{count} advisories"),
        },
        escape(&database.digest)
    )
}
