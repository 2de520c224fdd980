//! SARIF 2.1.0: a rule is a check, a result that check on one object.

use std::collections::BTreeMap;

use seareeve_api::{PostureReport, ReportControl, ReportObject};
use serde_json::{Value, json};

use super::{rule_of, said};

pub(super) fn log(report: &PostureReport) -> Value {
    let mut by_rule: BTreeMap<String, Vec<&ReportControl>> = BTreeMap::new();
    for control in &report.controls {
        by_rule.entry(rule_of(control)).or_default().push(control);
    }
    let index_of: BTreeMap<&str, usize> = by_rule.keys().map(String::as_str).zip(0..).collect();
    let rules: Vec<Value> = by_rule
        .iter()
        .map(|(id, controls)| rule(id, controls))
        .collect();
    let mut results = Vec::new();
    for control in &report.controls {
        let rule = rule_of(control);
        let index = index_of.get(rule.as_str());
        if control.objects.is_empty() {
            results.extend(kind_of(&control.status).map(|kind| {
                let text = control.reason.as_deref().unwrap_or(&control.title);
                result(report, control, &rule, index, kind, None, text)
            }));
        }
        for object in &control.objects {
            results.extend(kind_of(&object.status).map(|kind| {
                let said = said(object);
                let text = if said.is_empty() {
                    &control.title
                } else {
                    &said
                };
                result(report, control, &rule, index, kind, Some(object), text)
            }));
        }
    }
    let notifications: Vec<Value> = report
        .gaps
        .iter()
        .map(|gap| {
            json!({
                "level": "warning",
                "descriptor": { "id": gap.status },
                "message": { "text": plain(&format!("{} from {}: {}", gap.kind, gap.source, gap.detail)) },
            })
        })
        .collect();
    document(rules, results, notifications)
}

/// The log of one run, which went well when there is nothing to notify of.
pub(in crate::output) fn document(
    rules: Vec<Value>,
    results: Vec<Value>,
    notifications: Vec<Value>,
) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Seareeve",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn rule(id: &str, controls: &[&ReportControl]) -> Value {
    let first = controls.first();
    let title = first.map_or(id, |control| control.title.as_str());
    let remedy = first.and_then(|control| control.remedy.as_ref());
    let tags: Vec<String> = controls
        .iter()
        .map(|control| format!("{}/{}/{}", control.benchmark, control.version, control.id))
        .collect();
    let severity = first.and_then(|control| control.severity.as_deref());
    json!({
        "id": id,
        "shortDescription": { "text": plain(title) },
        "fullDescription": { "text": plain(remedy.map_or(title, |remedy| remedy.why.as_str())) },
        "help": { "text": plain(remedy.map_or(title, |remedy| remedy.text.as_str())) },
        "defaultConfiguration": { "level": level(severity) },
        "properties": { "tags": tags, "security-severity": score(severity) },
    })
}

fn result(
    report: &PostureReport,
    control: &ReportControl,
    rule: &str,
    index: Option<&usize>,
    kind: &str,
    object: Option<&ReportObject>,
    text: &str,
) -> Value {
    let name = object.map_or(report.asset.name.as_str(), |object| object.name.as_str());
    let full = match object {
        Some(object) => format!("{}/{}/{}", report.asset.name, object.kind, object.name),
        None => report.asset.name.clone(),
    };
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": index,
        "kind": kind,
        // Only what fails has a level (3.27.10).
        "level": if kind == "fail" { level(control.severity.as_deref()) } else { "none" },
        "message": { "text": plain(&format!("{name}: {text}")) },
        "locations": [{ "logicalLocations": [{ "name": name, "fullyQualifiedName": full, "kind": "resource" }] }],
        "properties": { "control": control.id, "benchmark": control.benchmark, "version": control.version },
    });
    let status = object.map_or(control.status.as_str(), |object| object.status.as_str());
    if status == "excepted"
        && let Some(map) = result.as_object_mut()
    {
        let why = object.and_then(|object| object.reason.as_deref());
        let why = why.or(control.reason.as_deref()).unwrap_or_default();
        map.insert(
            "suppressions".to_owned(),
            json!([{ "kind": "external", "status": "accepted", "justification": why }]),
        );
    }
    result
}

/// SARIF's word for a status (3.27.9). What could not be told is open, never passed.
fn kind_of(status: &str) -> Option<&'static str> {
    match status {
        "fail" | "excepted" => Some("fail"),
        "error" | "not_collected" => Some("open"),
        "needs_review" => Some("review"),
        "pass" => Some("pass"),
        "not_applicable" => Some("notApplicable"),
        _ => None,
    }
}

pub(in crate::output) fn level(severity: Option<&str>) -> &'static str {
    match severity {
        Some("critical" | "high") => "error",
        Some("low") => "note",
        _ => "warning",
    }
}

/// GitHub sorts by a number from 0 to 10.
pub(in crate::output) fn score(severity: Option<&str>) -> &'static str {
    match severity {
        Some("critical") => "9.5",
        Some("high") => "8.0",
        Some("medium") => "5.5",
        Some("low") => "2.0",
        _ => "0.0",
    }
}

/// Text without the links that SARIF lets stand in it (3.11.6).
pub(in crate::output) fn plain(text: &str) -> String {
    text.replace("](", "] (")
}
