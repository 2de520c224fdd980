//! The table of findings: a line each, with the evidence folded below it.

use seareeve_api::{ImageReport, ReportFinding};

use super::{class_of, glyph};
use crate::output::markup::escape;
use crate::output::words::{fixed, index_of, is_of_distribution, percent, spaced};

/// Characters of a description; the longest are longer than most people's patience.
const DESCRIPTION: usize = 4000;

pub(super) fn table(report: &ImageReport) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let rows: String = report
        .findings
        .iter()
        .map(|finding| rows(report, finding))
        .collect();
    format!(
        "<h2>Findings</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Severity</th>\
         <th scope=\"col\">Vulnerability</th><th scope=\"col\">Package</th><th scope=\"col\">Installed</th>\
         <th scope=\"col\">Fixed</th><th scope=\"col\">Exploited</th><th scope=\"col\">Layer</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

fn rows(report: &ImageReport, finding: &ReportFinding) -> String {
    let class = class_of(&finding.severity);
    let package = &finding.package;
    let file = if is_of_distribution(finding) {
        String::new()
    } else {
        format!("<div class=\"soft mono\">{}</div>", escape(&package.path))
    };
    let fix = match finding.fixed_versions.is_empty() {
        true => "soft",
        false => "fix mono",
    };
    format!(
        "<tr class=\"finding {class}\"><td class=\"severity\">{}{}</td><td class=\"id mono\">{}</td>\
         <td>{}{file}</td><td class=\"mono\">{}</td><td class=\"{fix}\">{}</td><td>{}</td><td>{}</td></tr>\n\
         <tr class=\"more {class}\"><td></td><td colspan=\"6\"><details class=\"evidence\"><summary>{}</summary>\
         <div>\n{}</div></details></td></tr>\n",
        glyph(&finding.severity),
        escape(&finding.severity),
        escape(&finding.id),
        escape(&package.name),
        escape(&package.version),
        escape(&fixed(finding)),
        exploited(finding),
        index_of(report, &finding.layer),
        escape(match finding.title.as_str() {
            "" => "details",
            title => title,
        }),
        evidence(report, finding)
    )
}

fn exploited(finding: &ReportFinding) -> String {
    let known = finding.known_exploited.as_ref();
    let chip = known.map(|_| {
        "<span class=\"chip\" title=\"in CISA's catalogue of known exploited vulnerabilities\">KEV</span> "
    });
    let probable = finding.epss.as_ref().map(|epss| {
        format!(
            "<span title=\"EPSS: how probable it is within 30 days, as of {}\">{}</span>",
            epss.date,
            escape(&percent(epss))
        )
    });
    format!(
        "{}{}",
        chip.unwrap_or_default(),
        probable.unwrap_or_default()
    )
}

fn evidence(report: &ImageReport, finding: &ReportFinding) -> String {
    let mut facts = String::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            let value = escape(&value);
            facts.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>"));
        }
    };
    fact("remedy", finding.remediation.clone());
    fact("also known as", finding.aliases.join(", "));
    fact(
        "severity by",
        spaced(&finding.severity_source).replace("cvss ", "CVSS "),
    );
    for cvss in finding.cvss.iter() {
        fact(
            "CVSS",
            format!("{:.1} ({}) {}", cvss.score, cvss.version, cvss.vector),
        );
    }
    if let Some(known) = &finding.known_exploited {
        let since = known.date_added.map(|date| format!("since {date}"));
        let due = known.due_date.map(|date| format!("to be mended by {date}"));
        let parts: Vec<String> = since.into_iter().chain(due).collect();
        fact("known to be exploited", parts.join(", "));
    }
    if let Some(vex) = &finding.vex {
        let status = spaced(&vex.status);
        fact(
            "VEX",
            format!("{status}: {} ({})", vex.statement, vex.document),
        );
    }
    fact("package", finding.package.purl.clone());
    fact("file", finding.package.path.clone());
    let layers = &report.image.layers;
    let layer = layers.iter().find(|layer| layer.diff_id == finding.layer);
    fact("layer", finding.layer.clone());
    fact(
        "made by",
        layer.map_or_else(String::new, |layer| layer.created_by.clone()),
    );
    for advisory in &finding.advisories {
        fact("hit by", format!("{}: {}", advisory.id, advisory.range));
    }
    if let Some(published) = finding.published {
        fact("published", published.to_string());
    }
    let links: String = finding
        .references
        .iter()
        .map(|one| link(&one.url))
        .collect();
    let links = match links.as_str() {
        "" => String::new(),
        links => format!("<ul class=\"links\">{links}</ul>\n"),
    };
    format!(
        "{}<dl class=\"grid\">{facts}</dl>\n{links}",
        description(finding)
    )
}

fn description(finding: &ReportFinding) -> String {
    let text = &finding.description;
    if text.is_empty() {
        return String::new();
    }
    let mut shown: String = text.chars().take(DESCRIPTION).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("<p class=\"text\">{}</p>\n", escape(&shown))
}

/// Only addresses of the web are links: what else a browser follows is not ours to say.
fn link(address: &str) -> String {
    let shown = escape(address);
    if address.starts_with("https://") || address.starts_with("http://") {
        format!("<li><a href=\"{shown}\" rel=\"noopener noreferrer nofollow\">{shown}</a></li>")
    } else {
        format!("<li>{shown}</li>")
    }
}
