//! A rule of SARIF: one vulnerability, as all its findings have it.

use std::fmt::Write as _;

use seareeve_api::ReportFinding;
use seareeve_model::Severity;
use serde_json::{Map, Value, json};

use super::{address, level};
use crate::output::words::percent;

/// Characters of a description that GitHub shows.
const DESCRIPTION: usize = 1000;
/// Characters of the help; the longest of OSV's texts are longer than most people's patience.
const HELP: usize = 8000;

/// The rule of `same`, which are all findings of one vulnerability. `None` without any.
pub(super) fn rule(same: &[&ReportFinding]) -> Option<Value> {
    let severity = |finding: &&&ReportFinding| finding.severity.parse::<Severity>().ok();
    let worst = same.iter().rev().max_by_key(severity)?;
    let title = if worst.title.is_empty() {
        &worst.id
    } else {
        &worst.title
    };
    let description = if worst.description.is_empty() {
        title
    } else {
        &*worst.description
    };
    let mut rule = json!({
        "id": worst.id,
        "shortDescription": { "text": cut(title, DESCRIPTION) },
        "fullDescription": { "text": cut(description, DESCRIPTION) },
        "help": { "text": help(worst, false), "markdown": help(worst, true) },
        "defaultConfiguration": { "level": level(&worst.severity) },
        "properties": properties(worst),
    });
    if let (Some(address), Some(fields)) = (best_reference(worst), rule.as_object_mut()) {
        fields.insert("helpUri".to_owned(), address.into());
    }
    Some(rule)
}

fn properties(finding: &ReportFinding) -> Value {
    let mut tags = vec!["vulnerability", "security", finding.severity.as_str()];
    if finding.known_exploited.is_some() {
        tags.push("known-exploited");
    }
    let mut properties = Map::new();
    properties.insert("tags".to_owned(), tags.into());
    properties.insert("precision".to_owned(), "very-high".into());
    if let Some(score) = security_severity(finding) {
        properties.insert("security-severity".to_owned(), score.into());
    }
    Value::Object(properties)
}

/// The number by which GitHub chooses its word: above 9.0 critical, from 7.0 high, from 4.0 medium. The CVSS score
/// where it says the same as the finding's severity; otherwise one from the middle of the severity's range, because
/// the distribution knows its package better. None for what nobody has rated.
fn security_severity(finding: &ReportFinding) -> Option<String> {
    let severity: Severity = finding.severity.parse().ok()?;
    let middle = middle(severity)?;
    let mut scores = finding.cvss.iter().map(|cvss| cvss.score);
    let fitting = scores.find(|score| Severity::from_cvss_score(*score) == severity);
    // "Critical" begins above 9.0 there, and nothing is below 0.1.
    let score = match (severity, fitting.unwrap_or(middle)) {
        (Severity::Critical, score) => score.max(9.1),
        (_, score) => score.max(0.1),
    };
    Some(format!("{score:.1}"))
}

/// A number that GitHub takes for this severity.
pub(super) fn middle(severity: Severity) -> Option<f64> {
    match severity {
        Severity::Critical => Some(9.5),
        Severity::High => Some(8.0),
        Severity::Medium => Some(5.5),
        Severity::Low => Some(2.0),
        Severity::Unknown => None,
    }
}

fn best_reference(finding: &ReportFinding) -> Option<String> {
    let mut references = finding.references.iter();
    let advisory = references.find(|reference| reference.kind == "ADVISORY");
    let best = advisory.or_else(|| finding.references.first())?;
    Some(address::of_reference(&best.url))
}

/// What is the same in every package, as Markdown or without it.
fn help(finding: &ReportFinding, is_markdown: bool) -> String {
    let (bold, item) = if is_markdown { ("**", "- ") } else { ("", "") };
    let mut text = format!(
        "{bold}{}{bold}: {}\n\n",
        finding.id,
        one_line(&finding.title)
    );
    // Writing to a String cannot fail.
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "{item}{name}: {}", one_line(value));
    };
    for cvss in finding.cvss.iter() {
        let name = format!("CVSS {}", cvss.version);
        fact(&name, &format!("{:.1} ({})", cvss.score, cvss.vector));
    }
    if let Some(known) = &finding.known_exploited {
        let since = known.date_added.map(|date| format!(" since {date}"));
        let ransomware = if known.ransomware {
            ", also for extortion"
        } else {
            ""
        };
        let value = format!("yes{}{ransomware}", since.unwrap_or_default());
        fact("Known to be exploited", &value);
    }
    if let Some(epss) = &finding.epss {
        let value = format!("{} on {}", percent(epss), epss.date);
        fact(
            "Probability of being exploited within 30 days (EPSS)",
            &value,
        );
    }
    if !finding.aliases.is_empty() {
        fact("Also known as", &finding.aliases.join(", "));
    }
    if !finding.description.is_empty() {
        let _ = write!(text, "\n{}\n", cut(&finding.description, HELP));
    }
    if !finding.references.is_empty() {
        text.push('\n');
        for reference in finding.references.iter() {
            let (open, close) = if is_markdown { ("<", ">") } else { ("", "") };
            let address = address::of_reference(&reference.url);
            let _ = writeln!(text, "{item}{open}{address}{close}");
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut start: String = text.chars().take(most.saturating_sub(1)).collect();
    start.push('…');
    start
}
