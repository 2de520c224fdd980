//! SARIF 2.1.0: a rule is a check, a result that check on one thing in a manifest, at the line of its document.

use std::collections::BTreeMap;

use seareeve_api::{ManifestObject, ManifestReport, ManifestResult};
use seareeve_posture::Library;
use serde_json::{Value, json};

use super::{name_of, told};
use crate::output::posture::{document, level, plain, score};

pub(super) fn log(report: &ManifestReport, library: &Library) -> Value {
    let mut rules: BTreeMap<&str, &str> = BTreeMap::new();
    for result in report.objects.iter().flat_map(|object| &object.results) {
        rules.insert(&result.check, &result.severity);
    }
    let index_of: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results: Vec<Value> = report
        .objects
        .iter()
        .flat_map(|object| told(object).map(move |result| (object, result)))
        .map(|(object, told)| result(object, told, index_of.get(told.check.as_str())))
        .collect();
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|(id, severity)| rule(id, severity, library))
        .collect();
    let notifications: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            json!({
                "level": "error",
                "descriptor": { "id": problem.code },
                "message": { "text": plain(&format!("{}: {}", problem.place, problem.message)) },
            })
        })
        .collect();
    document(rules, results, notifications)
}

fn rule(id: &str, severity: &str, library: &Library) -> Value {
    let check = library.check(id);
    let title = check.map_or(id, |check| check.title());
    json!({
        "id": id,
        "shortDescription": { "text": plain(title) },
        "fullDescription": { "text": plain(check.map_or(title, |check| check.why())) },
        "help": { "text": plain(check.map_or(title, |check| &check.fix().text)) },
        "defaultConfiguration": { "level": level(Some(severity)) },
        "properties": { "security-severity": score(Some(severity)) },
    })
}

fn result(object: &ManifestObject, result: &ManifestResult, index: Option<&usize>) -> Value {
    let kind = match result.status.as_str() {
        "fail" => "fail",
        "needs_review" => "review",
        _ => "open",
    };
    let mut location = json!({
        "logicalLocations": [{
            "fullyQualifiedName": format!("{} {}", name_of(object), result.path),
            "kind": "resource",
        }],
    });
    // An object of a cluster stands in no file.
    if !object.file.is_empty() {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&object.file) },
            "region": { "startLine": object.line.max(1) },
        });
    }
    json!({
        "ruleId": result.check,
        "ruleIndex": index,
        "kind": kind,
        // Only what fails has a level (3.27.10).
        "level": if kind == "fail" { level(Some(&result.severity)) } else { "none" },
        "message": { "text": plain(&format!("{}: {}", name_of(object), result.message)) },
        "locations": [location],
    })
}

/// A path as a URI (RFC 3986, section 2): what is not unreserved or a slash is escaped. Code scanning takes it for a
/// file of the repository only without a `./` before it.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
