//! Results for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use seareeve_api::{Database, ImageReport, ReportFinding};

use super::safe;

/// Columns between which a title is cut; the rest of the line is as long as its parts.
const TITLE_WIDTH: usize = 60;

/// The report of one image.
pub(crate) fn image_report(report: &ImageReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", heading(report));
    if !report.findings.is_empty() {
        text.push('\n');
        text.push_str(&findings(report));
    }
    let _ = writeln!(text, "\n{}", totals(report));
    if !report.problems.is_empty() {
        let style = AnsiColor::Yellow.on_default().bold();
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
                problem.code
            );
        }
    }
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

fn heading(report: &ImageReport) -> String {
    let image = &report.image;
    let name = image.references.first().unwrap_or(&image.digest);
    let distro = match &report.distro {
        Some(distro) => safe(&distro.name),
        None => "no distribution".to_owned(),
    };
    format!(
        "{} · {distro} · {}/{} · {} · {}\n{}",
        safe(name),
        safe(&image.os),
        safe(&image.architecture),
        counted(image.layers.len(), "layer"),
        counted(report.packages.len(), "package"),
        image.digest
    )
}

fn findings(report: &ImageReport) -> String {
    let layer_of = |finding: &ReportFinding| {
        let index = report
            .image
            .layers
            .iter()
            .position(|layer| layer.diff_id == finding.layer);
        index.map_or_else(|| "?".to_owned(), |index| index.to_string())
    };
    let mut rows: Vec<[String; 7]> = vec![
        [
            "SEVERITY",
            "ID",
            "PACKAGE",
            "INSTALLED",
            "FIXED",
            "LAYER",
            "TITLE",
        ]
        .map(str::to_owned),
    ];
    for finding in &report.findings {
        let fixed = match finding.fixed_versions.as_slice() {
            [] => finding.status.replace('_', " "),
            versions => versions.join(", "),
        };
        rows.push([
            finding.severity.to_uppercase(),
            safe(&finding.id),
            safe(&finding.package.name),
            safe(&finding.package.version),
            safe(&fixed),
            layer_of(finding),
            cut(&safe(&finding.title)),
        ]);
    }
    let mut widths = [0_usize; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let style = match (number, column) {
                (0, _) => Style::new().dimmed(),
                (_, 0) => severity_style(cell),
                _ => Style::new(),
            };
            // The last column is not padded: no blanks at the end of lines.
            let padding = if column == 6 {
                0
            } else {
                width + 2 - cell.chars().count()
            };
            let _ = write!(text, "{style}{cell}{style:#}{:padding$}", "");
        }
        let trimmed = text.trim_end_matches(' ').len();
        text.truncate(trimmed);
        text.push('\n');
    }
    text
}

fn totals(report: &ImageReport) -> String {
    let count = |severity: &str| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let fixable = report
        .findings
        .iter()
        .filter(|finding| finding.status == "fixed")
        .count();
    let by_severity: Vec<String> = ["critical", "high", "medium", "low", "unknown"]
        .iter()
        .map(|severity| format!("{} {severity}", count(severity)))
        .collect();
    format!(
        "{}: {} · {fixable} with a fix",
        counted(report.findings.len(), "finding"),
        by_severity.join(", ")
    )
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// What an advisory database holds.
pub(crate) fn database(database: &Database, file: &str, today: Date) -> String {
    let age = |date: Date| i64::from(date.until(today).map_or(0, |span| span.get_days()));
    let mut text = String::new();
    let kind = match database.kind.as_str() {
        "starter" => "starter set (built in; get all advisories: seareeve db update)",
        _ => "full",
    };
    let _ = writeln!(text, "database    {kind}");
    let _ = writeln!(text, "file        {file}");
    let built = database.built.to_zoned(TimeZone::UTC).date();
    let _ = writeln!(
        text,
        "built       {} ({} days ago)",
        database.built,
        age(built)
    );
    let _ = writeln!(text, "digest      {}", database.digest);
    let _ = writeln!(text, "advisories  {}", database.advisories);
    for source in &database.sources {
        let newest = source
            .newest
            .map_or_else(|| "no date".to_owned(), |newest| format!("newest {newest}"));
        let _ = writeln!(
            text,
            "  {:<12} {:>8}  {newest}",
            safe(&source.ecosystem),
            source.advisories
        );
    }
    let feeds = [
        ("exploited", "CISA's catalogue", &database.known_exploited),
        ("epss", "FIRST's scores", &database.epss),
    ];
    for (label, what, feed) in feeds {
        let said = match feed {
            Some(feed) => format!(
                "{what} of {} ({} days old): {} entries, {} for these advisories",
                feed.date,
                age(feed.date),
                feed.entries,
                feed.used
            ),
            None => format!("without {what}"),
        };
        let _ = writeln!(text, "{label:<11} {said}");
    }
    text
}

fn severity_style(severity: &str) -> Style {
    match severity {
        "CRITICAL" => AnsiColor::Red.on_default().bold(),
        "HIGH" => AnsiColor::Red.on_default(),
        "MEDIUM" => AnsiColor::Yellow.on_default(),
        "LOW" => AnsiColor::Blue.on_default(),
        _ => Style::new(),
    }
}

fn cut(title: &str) -> String {
    let line = title.lines().next().unwrap_or_default();
    if line.chars().count() <= TITLE_WIDTH {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(TITLE_WIDTH - 1).collect();
    short.push('…');
    short
}
