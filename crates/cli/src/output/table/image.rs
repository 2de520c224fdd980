//! The report of an image.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use seareeve_api::{ImageReport, ReportFinding, ReportNotice};

use super::{columns, secrets, severity_style};
use crate::output::safe;
use crate::output::words::{
    SEVERITIES, by, count_of, counted, exploit, fixed, index_of, is_of_distribution, name_of, said,
    spaced,
};

/// Where titles and reasons are cut.
const TEXT_WIDTH: usize = 60;
/// Where paths are cut; their ends say more than their beginnings.
const PATH_WIDTH: usize = 44;
/// Notices of one kind that are told one by one.
const MOST_NOTICES: usize = 5;

/// The report of one image; `name` is what the user calls it.
pub(crate) fn report(report: &ImageReport, name: &str, show_suppressed: bool) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", heading(report, name));
    if !report.findings.is_empty() {
        let _ = write!(text, "\n{}", findings(report));
    }
    let _ = writeln!(text, "\n{}", totals(report));
    if !report.suppressed.is_empty() {
        let _ = writeln!(text, "{}", suppressed_total(report, show_suppressed));
        if show_suppressed {
            let _ = write!(text, "\n{}", suppressed(report));
        }
    }
    text.push_str(&secrets::section(report, show_suppressed));
    text.push_str(&notices(report));
    text.push_str(&problems(report));
    if report.database.kind == "starter" {
        let _ = writeln!(
            text,
            "\nMatched with the built-in starter set of {} advisories: what it finds is true, but it knows little.\n\
             Get all advisories: seareeve db update",
            report.database.advisories
        );
    }
    text
}

fn heading(report: &ImageReport, name: &str) -> String {
    let image = &report.image;
    let distro = match &report.distro {
        Some(distro) => safe(&distro.name),
        None => "no distribution".to_owned(),
    };
    format!(
        "{} · {distro} · {}/{} · {} · {}\n{}",
        safe(name_of(report, name)),
        safe(&image.os),
        safe(&image.architecture),
        counted(image.layers.len(), "layer"),
        counted(report.packages.len(), "package"),
        safe(&image.digest)
    )
}

fn findings(report: &ImageReport) -> String {
    let row = |finding: &ReportFinding| {
        [
            safe(&finding.severity).to_uppercase(),
            safe(&finding.id),
            safe(&finding.package.name),
            safe(&finding.package.version),
            safe(&fixed(finding)),
            exploit(finding),
            index_of(report, &finding.layer),
            path(finding),
            start(&finding.title),
        ]
    };
    let rows: Vec<[String; 9]> = report.findings.iter().map(row).collect();
    let titles = [
        "SEVERITY",
        "ID",
        "PACKAGE",
        "INSTALLED",
        "FIXED",
        "EXPLOITED",
        "LAYER",
        "FILE",
        "TITLE",
    ];
    columns(titles, &rows, |column, cell| match column {
        0 => severity_style(cell),
        5 if cell.starts_with("KEV") => AnsiColor::Red.on_default().bold(),
        _ => Style::new(),
    })
}

fn suppressed(report: &ImageReport) -> String {
    let row = |finding: &ReportFinding| {
        let why = finding.suppression.as_ref();
        [
            safe(&finding.severity).to_uppercase(),
            safe(&finding.id),
            safe(&finding.package.name),
            safe(&finding.package.version),
            why.map_or_else(String::new, |why| safe(&by(&why.by))),
            why.map_or_else(String::new, |why| safe(&why.source)),
            why.map_or_else(String::new, |why| start(&why.reason)),
        ]
    };
    let rows: Vec<[String; 7]> = report.suppressed.iter().map(row).collect();
    let titles = [
        "NOT COUNTED",
        "ID",
        "PACKAGE",
        "INSTALLED",
        "BY",
        "SOURCE",
        "REASON",
    ];
    columns(titles, &rows, |_, _| Style::new().dimmed())
}

fn totals(report: &ImageReport) -> String {
    let findings = &report.findings;
    let fixable = findings.iter().filter(|finding| finding.status == "fixed");
    let exploited = findings
        .iter()
        .filter(|finding| finding.known_exploited.is_some());
    let by_severity: Vec<String> = SEVERITIES
        .iter()
        .map(|severity| format!("{} {severity}", count_of(findings, severity)))
        .collect();
    let mut text = format!(
        "{}: {} · {} with a fix",
        counted(findings.len(), "finding"),
        by_severity.join(", "),
        fixable.count()
    );
    match exploited.count() {
        0 => {}
        count => text.push_str(&format!(" · {count} known to be exploited")),
    }
    text
}

fn suppressed_total(report: &ImageReport, show_suppressed: bool) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.suppressed {
        if let Some(suppression) = &finding.suppression {
            *counts.entry(&suppression.by).or_default() += 1;
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(word, count)| format!("{count} by {}", safe(&by(word))))
        .collect();
    let hint = if show_suppressed {
        ""
    } else {
        " (--show-suppressed lists them)"
    };
    format!("Not counted: {}{hint}", counts.join(", "))
}

/// Entries that fit nothing are many where a list serves many images.
fn notices(report: &ImageReport) -> String {
    let mut kinds: BTreeMap<&str, Vec<&ReportNotice>> = BTreeMap::new();
    for notice in &report.notices {
        kinds.entry(&notice.code).or_default().push(notice);
    }
    let mut text = String::new();
    for (code, notices) in kinds {
        let style = match code {
            "end_of_life" => AnsiColor::Yellow.on_default().bold(),
            _ => Style::new().bold(),
        };
        let word = safe(&spaced(code)).to_uppercase();
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{style}{word}{style:#}");
        match notices.as_slice() {
            [only] => {
                let _ = writeln!(text, ": {}", safe(&said(only)));
            }
            several => {
                text.push('\n');
                for notice in several.iter().take(MOST_NOTICES) {
                    let _ = writeln!(text, "  {}", safe(&said(notice)));
                }
                if let Some(more @ 1..) = several.len().checked_sub(MOST_NOTICES) {
                    let _ = writeln!(text, "  and {more} more");
                }
            }
        }
    }
    text
}

fn problems(report: &ImageReport) -> String {
    let mut text = String::new();
    if report.problems.is_empty() {
        return text;
    }
    let style = AnsiColor::Yellow.on_default().bold();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\n{style}INCOMPLETE{style:#}: not everything could be read or judged"
    );
    for problem in &report.problems {
        let _ = writeln!(
            text,
            "  {}: {} ({})",
            safe(&problem.place),
            safe(&problem.message),
            safe(&problem.code)
        );
    }
    text
}

fn path(finding: &ReportFinding) -> String {
    if is_of_distribution(finding) {
        return String::new();
    }
    let path = safe(&finding.package.path);
    let length = path.chars().count();
    if length <= PATH_WIDTH {
        return path;
    }
    let end: String = path.chars().skip(length + 1 - PATH_WIDTH).collect();
    format!("…{end}")
}

/// The beginning of the first line.
pub(super) fn start(text: &str) -> String {
    let line = safe(text.lines().next().unwrap_or_default());
    if line.chars().count() <= TEXT_WIDTH {
        return line;
    }
    let mut short: String = line.chars().take(TEXT_WIDTH - 1).collect();
    short.push('…');
    short
}
