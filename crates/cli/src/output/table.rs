//! Results for people: columns of plain text, in colour where a terminal shows it.

mod image;
mod secrets;

use std::fmt::Write as _;

use super::safe;
use crate::commands::db::Status;
use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(crate) use image::report as image_report;

/// What an advisory database holds, and the index of Java archives beside it.
pub(crate) fn database(status: &Status, file: &str, today: Date) -> String {
    let database = &status.database;
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
    let left_out = match database.bug_fixes {
        0 => String::new(),
        more => format!(" (and {more} of bug fixes and enhancements, which were left out)"),
    };
    let _ = writeln!(text, "advisories  {}{left_out}", database.advisories);
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
    let java = match &status.java_index {
        Some(index) => {
            let built = index.built.map_or_else(String::new, |built| {
                let days = age(built.to_zoned(TimeZone::UTC).date());
                format!(", built {built} ({days} days ago)")
            });
            format!(
                "index of {} archives{built}: {}",
                index.archives, index.file
            )
        }
        None => "no index of archives (seareeve db java-index)".to_owned(),
    };
    let _ = writeln!(text, "java        {java}");
    text
}

/// Rows below a line of titles, each column as wide as its widest cell. A column without any content is left out.
/// `style` says how a cell looks. Cells must be safe for a terminal.
fn columns<const N: usize>(
    titles: [&str; N],
    rows: &[[String; N]],
    style: impl Fn(usize, &str) -> Style,
) -> String {
    let mut widths = titles.map(|title| title.chars().count());
    let mut is_used = [false; N];
    for row in rows {
        for ((width, used), cell) in widths.iter_mut().zip(&mut is_used).zip(row) {
            *width = (*width).max(cell.chars().count());
            *used = *used || !cell.is_empty();
        }
    }
    let mut text = String::new();
    let titles = titles.map(str::to_owned);
    for (number, row) in std::iter::once(&titles).chain(rows).enumerate() {
        let mut gap = 0;
        for (column, ((cell, width), used)) in row.iter().zip(widths).zip(is_used).enumerate() {
            if !used || cell.is_empty() {
                gap += if used { width + 2 } else { 0 };
                continue;
            }
            let style = match number {
                0 => Style::new().dimmed(),
                _ => style(column, cell),
            };
            // Writing to a String cannot fail. Blanks stand before a cell, so that none stand at the end of a line.
            let _ = write!(text, "{:gap$}{style}{cell}{style:#}", "");
            gap = width + 2 - cell.chars().count();
        }
        text.push('\n');
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
