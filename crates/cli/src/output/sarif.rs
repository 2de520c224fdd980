//! SARIF 2.1.0 (OASIS, errata 01), for code scanning.
//!
//! A rule is a vulnerability, a result is that vulnerability in one package. What GitHub reads of it is kept within
//! its bounds ("SARIF support for code scanning").

mod address;
mod rule;
mod secret;

use std::collections::{BTreeMap, HashMap};

use seareeve_api::{ImageReport, ReportFinding, Suppression};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::words::{name_of, said, spaced};

/// The name by which locations say that they are below the image's root.
const ROOT: &str = "IMAGE_ROOT";

/// The log of one run; `name` is what the user calls the image.
pub(super) fn log(report: &ImageReport, name: &str) -> Value {
    // Suppressed results are results as well.
    let findings: Vec<&ReportFinding> = report.findings.iter().chain(&report.suppressed).collect();
    let mut by_id: BTreeMap<&str, Vec<&ReportFinding>> = BTreeMap::new();
    for finding in &findings {
        by_id.entry(&finding.id).or_default().push(finding);
    }
    let index_of: HashMap<&str, usize> = by_id.keys().copied().zip(0..).collect();
    let mut rules: Vec<Value> = by_id.values().filter_map(|same| rule::rule(same)).collect();
    let mut seen = HashMap::new();
    let mut results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let index = index_of.get(finding.id.as_str()).copied().unwrap_or(0);
            result(report, finding, index, &mut seen)
        })
        .collect();
    secret::add(report, &mut rules, &mut results, &mut seen);
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Seareeve",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "invocations": [invocation(report)],
            "originalUriBaseIds": {
                (ROOT): { "description": { "text": "The root of the image's file system" } },
            },
            "results": results,
            "properties": {
                "image": name_of(report, name),
                "digest": report.image.digest,
                "configDigest": report.image.config_digest,
                "distribution": report.distro.as_ref().map(|distro| &distro.name),
                "database": report.database.digest,
            },
        }],
    })
}

/// How the run went. What could not be read or judged makes results incomplete, which SARIF calls an error
/// (3.58.6); so a consumer does not take what is missing for mended.
fn invocation(report: &ImageReport) -> Value {
    let notification = |level: &str, code: &str, message: &str| {
        json!({
            "level": level,
            "descriptor": { "id": code },
            "message": { "text": plain(message) },
        })
    };
    let problems = report.problems.iter().map(|problem| {
        let message = format!("{}: {}", problem.place, problem.message);
        notification("error", &problem.code, &message)
    });
    let notices = report.notices.iter().map(|notice| {
        let level = match notice.code.as_str() {
            "end_of_life" => "warning",
            _ => "note",
        };
        notification(level, &notice.code, &said(notice))
    });
    let notifications: Vec<Value> = problems.chain(notices).collect();
    json!({
        "executionSuccessful": report.problems.is_empty(),
        "toolExecutionNotifications": notifications,
    })
}

/// How often a fingerprint was given so far.
type Seen = HashMap<String, usize>;

fn result(report: &ImageReport, finding: &ReportFinding, index: usize, seen: &mut Seen) -> Value {
    let package = &finding.package;
    let message = format!(
        "{} {} has {}: {}; {}",
        package.name,
        package.version,
        finding.id,
        finding.title.trim_end_matches('.'),
        finding.remediation
    );
    let identity = [&finding.id, &package.kind, &package.name, &package.path];
    json!({
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": level(&finding.severity),
        "message": { "text": plain(&message) },
        "locations": [location(report, finding)],
        "partialFingerprints": fingerprints(&identity, seen),
        "suppressions": suppressions(finding.suppression.as_ref()),
        "properties": properties(finding),
    })
}

fn location(report: &ImageReport, finding: &ReportFinding) -> Value {
    let package = &finding.package;
    let layers = &report.image.layers;
    let layer = layers.iter().find(|layer| layer.diff_id == finding.layer);
    let made_by = layer.map_or("", |layer| layer.created_by.as_str());
    let text = match made_by {
        "" => format!("layer {}", finding.layer),
        command => format!("layer {}, made by {command}", finding.layer),
    };
    json!({
        // GitHub shows no result without a line.
        "physicalLocation": {
            "artifactLocation": { "uri": address::of_path(&package.path), "uriBaseId": ROOT },
            "region": { "startLine": 1 },
        },
        "logicalLocations": [{
            "name": package.name,
            "fullyQualifiedName": package.purl,
            "kind": "package",
        }],
        "message": { "text": plain(&text) },
    })
}

/// A result has the same fingerprint in the next image, also where its package is of another version that is no
/// better. GitHub looks at `primaryLocationLineHash`, whose end tells results apart that are otherwise the same.
fn fingerprints(identity: &[&String], seen: &mut Seen) -> Value {
    let mut hasher = Sha256::new();
    for part in identity {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    let bytes: [u8; 32] = hasher.finalize().into();
    let hash = seareeve_model::Digest::sha256(&bytes).hex().to_owned();
    let number = seen.entry(hash.clone()).or_default();
    *number += 1;
    json!({
        "primaryLocationLineHash": format!("{hash}:{number}"),
        "seareeveFinding/v1": format!("{hash}:{number}"),
    })
}

fn suppressions(suppression: Option<&Suppression>) -> Value {
    let suppressions = suppression.iter().map(|suppression| {
        json!({
            "kind": "external",
            "status": "accepted",
            "justification": format!("{} ({})", suppression.reason, suppression.source),
        })
    });
    suppressions.collect()
}

fn properties(finding: &ReportFinding) -> Value {
    let mut properties = Map::new();
    let mut set = |name: &str, value: Value| {
        properties.insert(name.to_owned(), value);
    };
    set("severity", finding.severity.as_str().into());
    set("severitySource", finding.severity_source.as_str().into());
    set("status", spaced(&finding.status).into());
    set("installedVersion", finding.package.version.as_str().into());
    set("fixedVersions", finding.fixed_versions.clone().into());
    set("layer", finding.layer.as_str().into());
    if let Some(vex) = &finding.vex {
        set("vexStatus", spaced(&vex.status).into());
    }
    Value::Object(properties)
}

fn level(severity: &str) -> &'static str {
    match severity {
        "critical" | "high" => "error",
        "low" => "note",
        // What nobody has rated is not harmless.
        _ => "warning",
    }
}

/// Text without the links that SARIF lets stand in it (3.11.6): `[text](address)` would be one.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}
