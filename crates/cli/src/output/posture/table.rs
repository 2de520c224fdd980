//! For people at a terminal: what fails, the worst first, then what could not be told and what somebody has to look
//! at, then the rest in a few lines, and counts. What is the same for many objects or controls is said once.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use seareeve_api::{PostureReport, ReportBenchmark, ReportControl, ReportGap, ReportObject};
use seareeve_model::Severity;

use super::{deciding, said, what};
use crate::output::safe;

/// Different findings that are told of each control.
const MOST_FINDINGS: usize = 8;
/// Objects that are named for each finding.
const MOST_NAMES: usize = 8;
/// Controls that are told with their titles where one reason holds for all of them.
const MOST_TITLES: usize = 6;
/// Columns of a line that lists.
const WIDTH: usize = 100;
/// What stands before everything that belongs to a control.
const INDENT: &str = "                    ";

/// Statuses in the order in which they are told, with what stands above them.
const PARTS: &[(&str, &str)] = &[
    ("fail", "Failed"),
    ("error", "Could not be evaluated"),
    ("not_collected", "Could not be told"),
    ("needs_review", "For a person to decide"),
    ("excepted", "Excepted"),
    ("pass", "Passed"),
    ("not_applicable", "Not applicable"),
];

pub(super) fn report(report: &PostureReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "{}  {}  {:.0}",
        safe(&report.asset.name),
        what(report),
        report.collected_at
    );
    for told in &report.benchmarks {
        let _ = writeln!(text, "\n{} {}", safe(&told.title), safe(&told.version));
        if let Some(reason) = &told.left_out {
            let _ = writeln!(text, "\nNot applicable: {}.", safe(reason));
            continue;
        }
        let controls: Vec<&ReportControl> = report
            .controls
            .iter()
            .filter(|control| control.benchmark == told.id && control.version == told.version)
            .collect();
        benchmark(&mut text, told, &controls);
    }
    gaps(&mut text, &report.gaps);
    text
}

fn benchmark(text: &mut String, told: &ReportBenchmark, controls: &[&ReportControl]) {
    // Whoever asks for these alone wants to see them.
    let are_all_well = controls
        .iter()
        .all(|control| matches!(control.status.as_str(), "pass" | "not_applicable"));
    let bold = Style::new().bold();
    for (status, title) in PARTS {
        let mut part: Vec<&ReportControl> = controls
            .iter()
            .copied()
            .filter(|control| control.status == *status)
            .collect();
        if part.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{bold}{title}{bold:#}");
        match *status {
            "fail" => {
                // Stable: within a severity they stay in the benchmark's order.
                part.sort_by_key(|control| std::cmp::Reverse(severity(control)));
                failed(text, &part);
            }
            "not_collected" | "error" => by_reason(text, &part),
            "needs_review" | "excepted" => part.iter().for_each(|control| whole(text, control)),
            _ if are_all_well => part.iter().for_each(|control| heading(text, control)),
            "pass" => list(text, "  ", part.iter().map(|control| control.id.as_str())),
            _ => by_reason(text, &part),
        }
    }
    let _ = writeln!(text, "\n{}", counts(told));
}

/// How many controls of the benchmark have each status, those that are not shown included.
fn counts(told: &ReportBenchmark) -> String {
    let counts = &told.counts;
    let parts = [
        (counts.fail, "failed"),
        (counts.error, "could not be evaluated"),
        (counts.not_collected, "could not be told"),
        (counts.needs_review, "to review"),
        (counts.excepted, "excepted"),
        (counts.pass, "passed"),
        (counts.not_applicable, "not applicable"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}

fn severity(control: &ReportControl) -> Severity {
    let word = control.severity.as_deref().unwrap_or_default();
    word.parse().unwrap_or_default()
}

/// Controls that are mended alike stand together, and say once how.
fn failed(text: &mut String, controls: &[&ReportControl]) {
    let dim = Style::new().dimmed();
    let remedy =
        |control: &ReportControl| control.remedy.as_ref().map(|remedy| remedy.text.clone());
    for (at, control) in controls.iter().enumerate() {
        whole(text, control);
        let next = controls.get(at.saturating_add(1));
        let own = remedy(control);
        if next.is_some_and(|next| remedy(next) == own) {
            continue;
        }
        if let Some(own) = own {
            let _ = writeln!(text, "{INDENT}{dim}→ {}{dim:#}", safe(&own));
        }
    }
}

/// A control with what decides it.
fn whole(text: &mut String, control: &ReportControl) {
    heading(text, control);
    if let Some(reason) = &control.reason {
        let _ = writeln!(text, "{INDENT}{}", safe(reason));
    }
    let findings = findings(control);
    for (said, names) in findings.iter().take(MOST_FINDINGS) {
        let said = safe(said);
        let _ = match names.as_slice() {
            [name] if said.is_empty() => writeln!(text, "{INDENT}{}", safe(name)),
            // A path that is told anyway.
            [name] if name.starts_with('/') && said.contains(&safe(name)) => {
                writeln!(text, "{INDENT}{said}")
            }
            [name] => writeln!(text, "{INDENT}{}: {said}", safe(name)),
            _ => writeln!(text, "{INDENT}{said}: {}", some(names)),
        };
    }
    more(text, findings.len(), MOST_FINDINGS);
}

fn heading(text: &mut String, control: &ReportControl) {
    let (style, word) = match control.status.as_str() {
        "fail" => {
            let word = control.severity.as_deref().unwrap_or("fail").to_uppercase();
            (AnsiColor::Red.on_default().bold(), word)
        }
        "needs_review" => (AnsiColor::Cyan.on_default(), "REVIEW".to_owned()),
        "excepted" => (AnsiColor::Cyan.on_default(), "EXCEPTED".to_owned()),
        "pass" => (AnsiColor::Green.on_default(), "pass".to_owned()),
        _ => (Style::new().dimmed(), "n/a".to_owned()),
    };
    let _ = writeln!(
        text,
        "  {style}{word:<8}{style:#}  {:<7} {}",
        safe(&control.id),
        safe(&control.title)
    );
}

/// What is said of the objects that decide a control, and of which; in the order in which it comes up.
fn findings(control: &ReportControl) -> Vec<(String, Vec<&str>)> {
    let mut findings: Vec<(String, Vec<&str>)> = Vec::new();
    for object in deciding(control) {
        let text = said(object);
        match findings.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(&object.name),
            None => findings.push((text, vec![&object.name])),
        }
    }
    findings
}

/// The first of these names, and how many there are beside them.
fn some(names: &[&str]) -> String {
    let first: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| safe(name))
        .collect();
    match names.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", first.join(", ")),
        None => first.join(", "),
    }
}

fn more(text: &mut String, all: usize, most: usize) {
    if let Some(more) = all.checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(text, "{INDENT}and {more} more");
    }
}

/// Controls under what is the reason for all of them.
fn by_reason(text: &mut String, controls: &[&ReportControl]) {
    let mut reasons: Vec<(String, Vec<&ReportControl>)> = Vec::new();
    for control in controls {
        let object = || deciding(control).map(reason).next();
        let reason = control.reason.clone().or_else(object).unwrap_or_default();
        // One cause mostly takes several kinds of facts away, or several options.
        let cause = [
            " cannot be told: ",
            " could not be read: ",
            " may not be read: ",
        ]
        .iter()
        .find_map(|what| reason.split_once(what));
        let reason = cause.map_or(reason.as_str(), |(_, cause)| cause).to_owned();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, same)) => same.push(control),
            None => reasons.push((reason, vec![control])),
        }
    }
    for (reason, same) in reasons {
        let reason = match reason.as_str() {
            "" => "without a reason".to_owned(),
            reason => safe(reason),
        };
        let _ = writeln!(text, "  {reason}");
        let is_well = same
            .iter()
            .all(|control| control.status == "not_applicable");
        if is_well || same.len() > MOST_TITLES {
            list(text, "    ", same.iter().map(|control| control.id.as_str()));
            continue;
        }
        for control in same {
            let _ = writeln!(
                text,
                "    {:<7} {}",
                safe(&control.id),
                safe(&control.title)
            );
        }
    }
}

fn reason(object: &ReportObject) -> String {
    object.reason.clone().unwrap_or_else(|| said(object))
}

/// Words beside each other, as many as a line holds.
fn list<'w>(text: &mut String, indent: &str, words: impl Iterator<Item = &'w str>) {
    let mut line = indent.to_owned();
    for word in words {
        let word = safe(word);
        let is_first = line.len() == indent.len();
        if !is_first && line.len().saturating_add(word.len()) >= WIDTH {
            let _ = writeln!(text, "{line},");
            indent.clone_into(&mut line);
        } else if !is_first {
            line.push_str(", ");
        }
        line.push_str(&word);
    }
    let _ = writeln!(text, "{line}");
}

/// What could not be collected and was not told with the controls that lack it: kinds that lack for one reason stand
/// together.
fn gaps(text: &mut String, gaps: &[ReportGap]) {
    let gaps: Vec<&ReportGap> = gaps
        .iter()
        .filter(|gap| !text.contains(&safe(&gap.detail)))
        .collect();
    if gaps.is_empty() {
        return;
    }
    let mut told: Vec<(&ReportGap, Vec<&str>)> = Vec::new();
    for gap in gaps {
        match told
            .iter_mut()
            .find(|(known, _)| known.detail == gap.detail)
        {
            Some((_, kinds)) => kinds.push(&gap.kind),
            None => told.push((gap, vec![&gap.kind])),
        }
    }
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}Not collected{bold:#}");
    for (gap, kinds) in told {
        let _ = writeln!(text, "  {} ({})", safe(&gap.detail), safe(&gap.status));
        list(text, "    ", kinds.into_iter());
    }
}
