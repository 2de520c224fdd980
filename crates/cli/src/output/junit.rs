//! JUnit's XML, in the form that Jenkins and GitLab read (xunit-plugin's schema `junit-10.xsd`).
//!
//! A suite is an image. Each finding and secret is a test that failed, each one that does not count a test that was skipped,
//! each thing that could not be read or judged an error; and if there is none of the latter, one test has passed
//! that says so, since a suite without tests counts as broken.

use std::fmt::Write as _;

use seareeve_api::{ImageReport, ReportFinding, ReportSecret, Suppression};

use super::markup::escape;
use super::words::{exploit, name_of, place_of, said, spaced};

/// Lines of further reading.
const MOST_REFERENCES: usize = 5;

/// The report of one image; `name` is what the user calls it.
pub(super) fn report(report: &ImageReport, name: &str) -> String {
    let secrets = report.secrets.as_deref().unwrap_or_default();
    let (failures, skipped, errors) = (
        report.findings.len() + secrets.len(),
        report.suppressed.len() + report.suppressed_secrets.len(),
        report.problems.len(),
    );
    let tests = failures + skipped + errors.max(1);
    let name = escape(name_of(report, name));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"Seareeve\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n  \
         <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n"
    );
    text.push_str(&properties(report));
    for finding in &report.findings {
        let element = format!(
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            escape(&finding.severity),
            escape(&finding.title),
            escape(&body(report, finding))
        );
        test(&mut text, &class(finding), &title(finding), &element);
    }
    for secret in secrets {
        let element = format!(
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            escape(&secret.severity),
            escape(&secret.title),
            escape(&secret.remediation)
        );
        let (class, title) = (format!("secret {}", secret.rule), secret_title(secret));
        test(&mut text, &class, &title, &element);
    }
    for finding in &report.suppressed {
        let element = skipped_for(finding.suppression.as_ref());
        test(&mut text, &class(finding), &title(finding), &element);
    }
    for secret in &report.suppressed_secrets {
        let element = skipped_for(secret.suppression.as_ref());
        let (class, title) = (format!("secret {}", secret.rule), secret_title(secret));
        test(&mut text, &class, &title, &element);
    }
    for problem in &report.problems {
        let message = escape(&problem.message);
        let element = format!(
            "<error type=\"{}\" message=\"{message}\"/>",
            escape(&problem.code)
        );
        test(&mut text, "incomplete", &problem.place, &element);
    }
    if report.problems.is_empty() {
        test(&mut text, "scan", "everything could be read and judged", "");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// `element` must be markup already.
fn test(text: &mut String, class: &str, name: &str, element: &str) {
    let (class, name) = (escape(class), escape(name));
    // Writing to a String cannot fail.
    let _ = match element {
        "" => writeln!(
            text,
            "    <testcase classname=\"{class}\" name=\"{name}\"/>"
        ),
        element => writeln!(
            text,
            "    <testcase classname=\"{class}\" name=\"{name}\">{element}</testcase>"
        ),
    };
}

fn properties(report: &ImageReport) -> String {
    let image = &report.image;
    let mut properties = vec![
        ("image.digest", image.digest.clone()),
        ("image.config_digest", image.config_digest.clone()),
        (
            "image.platform",
            format!("{}/{}", image.os, image.architecture),
        ),
        ("packages", report.packages.len().to_string()),
        ("database.kind", report.database.kind.clone()),
        ("database.digest", report.database.digest.clone()),
        ("database.built", report.database.built.to_string()),
    ];
    if let Some(distro) = &report.distro {
        properties.push(("distribution", distro.name.clone()));
    }
    for notice in &report.notices {
        properties.push(("notice", said(notice)));
    }
    let mut text = "    <properties>\n".to_owned();
    for (name, value) in properties {
        let value = escape(&value);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "      <property name=\"{name}\" value=\"{value}\"/>");
    }
    text.push_str("    </properties>\n");
    text
}

/// Build servers group by it.
fn class(finding: &ReportFinding) -> String {
    format!("{} {}", finding.package.kind, finding.package.name)
}

fn title(finding: &ReportFinding) -> String {
    format!(
        "{} {} in {} {} ({})",
        finding.severity.to_uppercase(),
        finding.id,
        finding.package.name,
        finding.package.version,
        finding.package.path
    )
}

fn secret_title(secret: &ReportSecret) -> String {
    let severity = secret.severity.to_uppercase();
    format!("{severity} {} line {}", place_of(secret), secret.line)
}

fn skipped_for(why: Option<&Suppression>) -> String {
    let why = why.map(|why| format!("{} ({})", why.reason, why.source));
    let message = escape(&why.unwrap_or_default());
    format!("<skipped message=\"{message}\"/>")
}

fn body(report: &ImageReport, finding: &ReportFinding) -> String {
    let mut text = String::from("\n");
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    let severity = format!("{} ({})", finding.severity, finding.severity_source);
    let layer = report
        .image
        .layers
        .iter()
        .find(|layer| layer.diff_id == finding.layer);
    line("severity", &severity);
    line("exploited", &exploit(finding));
    line("package", &finding.package.purl);
    line("file", &finding.package.path);
    line("layer", &finding.layer);
    line(
        "made by",
        layer.map_or("", |layer| layer.created_by.as_str()),
    );
    line("installed", &finding.package.version);
    line("fixed", &finding.fixed_versions.join(", "));
    line("status", &spaced(&finding.status));
    line("remedy", &finding.remediation);
    line("also known as", &finding.aliases.join(", "));
    for reference in finding.references.iter().take(MOST_REFERENCES) {
        line("see", &reference.url);
    }
    text
}
