//! Secrets as results: a rule is a kind of secret.

use std::collections::BTreeMap;

use seareeve_api::{ImageReport, ReportSecret};
use seareeve_model::Severity;
use serde_json::{Value, json};

use super::rule::middle;
use super::{ROOT, Seen, address, fingerprints, level, plain, suppressions};
use crate::output::words::place_of;

/// Adds the rules and results of all secrets behind those of vulnerabilities.
pub(super) fn add(
    report: &ImageReport,
    rules: &mut Vec<Value>,
    results: &mut Vec<Value>,
    seen: &mut Seen,
) {
    let counted = report.secrets.iter().flatten();
    let secrets: Vec<&ReportSecret> = counted.chain(&report.suppressed_secrets).collect();
    let kinds: BTreeMap<&str, &ReportSecret> = secrets
        .iter()
        .map(|secret| (secret.rule.as_str(), *secret))
        .collect();
    let mut index_of = BTreeMap::new();
    for (kind, secret) in kinds {
        index_of.insert(kind, rules.len());
        rules.push(rule(secret));
    }
    for secret in secrets {
        let index = index_of.get(secret.rule.as_str()).copied().unwrap_or(0);
        results.push(result(secret, index, seen));
    }
}

fn rule(secret: &ReportSecret) -> Value {
    let mut properties = json!({
        "tags": ["secret", "security", secret.severity],
        "precision": match secret.confidence.as_str() {
            "high" => "very-high",
            "medium" => "high",
            _ => "medium",
        },
    });
    let severity: Severity = secret.severity.parse().unwrap_or_default();
    if let (Some(number), Some(fields)) = (middle(severity), properties.as_object_mut()) {
        let number = format!("{number:.1}").into();
        fields.insert("security-severity".to_owned(), number);
    }
    let title = format!("{} in an image", secret.title);
    json!({
        "id": secret.rule,
        "shortDescription": { "text": title },
        "fullDescription": {
            "text": format!("{title}. Whoever can read the image has it, also where a higher layer removed the file."),
        },
        "help": { "text": secret.remediation, "markdown": secret.remediation },
        "defaultConfiguration": { "level": level(&secret.severity) },
        "properties": properties,
    })
}

fn result(secret: &ReportSecret, index: usize, seen: &mut Seen) -> Value {
    let place = place_of(secret);
    let location = match &secret.path {
        Some(path) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": address::of_path(path), "uriBaseId": ROOT },
            "region": { "startLine": secret.line },
        } }),
        // It is no file of the image; GitHub shows no result without one.
        None => json!({
            "physicalLocation": {
                "artifactLocation": { "uri": "image-configuration.json" },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": secret.field, "kind": "object" }],
        }),
    };
    let message = format!("{} in {place}, line {}", secret.title, secret.line);
    json!({
        "ruleId": secret.rule,
        "ruleIndex": index,
        "level": level(&secret.severity),
        "message": { "text": plain(&message) },
        "locations": [location],
        "partialFingerprints": fingerprints(&[&secret.rule, &place], seen),
        "suppressions": suppressions(secret.suppression.as_ref()),
        "properties": {
            "severity": secret.severity,
            "confidence": secret.confidence,
            "provider": secret.provider,
            "layer": secret.layer,
            "isHidden": secret.is_hidden,
        },
    })
}
