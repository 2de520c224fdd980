//! Credentials of a real cluster, taken out of its events.

use std::collections::BTreeSet;
use std::sync::Arc;

use seareeve_audit::{AuditSource, Record, redact, redact_alert};
use seareeve_detect::{Loader, Options};
use serde_json::Value;

use crate::support::{Watch, builtin, lines};

/// Every value in the data of a secret, and every token, wherever in an event.
fn credentials(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let kind = members
                .get("kind")
                .and_then(Value::as_str)
                .unwrap_or_default();
            for (key, inner) in members {
                let is_data = matches!(key.as_str(), "data" | "stringData")
                    && (kind == "Secret" || members.contains_key("type"));
                if is_data {
                    into.extend(texts(inner));
                }
                if kind == "TokenRequest" && key == "status" {
                    into.extend(inner.get("token").map(texts).unwrap_or_default());
                }
                credentials(inner, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| credentials(item, into)),
        Value::String(text) if text.starts_with("eyJ") && text.split('.').count() == 3 => {
            into.insert(text.clone());
        }
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::String(text) if text.len() > 12 => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[test]
fn nothing_of_a_real_secret_is_left() {
    let engine = builtin();
    let mut count = 0;
    for scenario in [
        "a14-secrets-list",
        "a20-token-request",
        "a37-configmap-credentials",
        "b00-setup",
    ] {
        let Some(lines) = lines(&format!("{scenario}.jsonl")) else {
            return;
        };
        let mut watch = Watch::new(&engine);
        for line in lines {
            let mut planted = BTreeSet::new();
            credentials(&serde_json::from_slice(&line).unwrap(), &mut planted);
            planted.extend(["hunter2".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned()]);
            let redacted = redact(&line).unwrap();
            let mut kept = redacted.json.clone();
            for mut alert in watch.see(&line) {
                redact_alert(&mut alert);
                kept.push_str(&serde_json::to_string(&alert).unwrap());
            }
            for secret in &planted {
                count += usize::from(String::from_utf8_lossy(&line).contains(secret.as_str()));
                assert!(
                    !kept.contains(secret.as_str()),
                    "{scenario}: {secret} in {kept}"
                );
            }
            // What is left is an event with the same request.
            let (before, after) = (
                Record::read(&line).unwrap(),
                Record::read(redacted.json.as_bytes()).unwrap(),
            );
            assert_eq!(before.audit_id(), after.audit_id());
            assert_eq!(before.time(), after.time());
        }
    }
    assert!(count > 50, "{count} credentials were there to find");
}

/// Rules that say and remember whatever they can, of a secret and of a command.
const CURIOUS: &[(&str, &str)] = &[
    (
        "rules.yaml",
        r#"
- rule: says
  source: k8s_audit
  desc: d
  condition: >
    jevt.value[/requestObject/stringData/long] endswith xxx and jevt.obj contains PLAN
    and jevt.value[/requestObject] contains PLAN
  output: "%jevt.value[/requestObject] %jevt.value[/requestObject/stringData/escaped] %jevt.obj"
  priority: INFO
"#,
    ),
    (
        "remembers.yaml",
        r#"
id: remembers
title: remembers
source: k8s_audit
condition: kube.command exists
output: "%kube.command %jevt.value[/requestURI]"
severity: low
tactics: [execution]
techniques: [T1609]
description: "%kube.command"
remediation: ["look at %kube.command"]
entities: [{kind: command, fields: {line: kube.command}}]
false_positives: []
correlation: {type: event_count, group-by: [kube.command], timespan: 1h, condition: {gte: 3}}
examples: [{fires: a, event: {}}, {quiet: a, event: {}}]
"#,
    ),
    (
        "learns.yaml",
        r#"
id: learns
title: learns
source: k8s_audit
condition: kube.command exists
output: "%kube.command"
severity: low
tactics: [execution]
techniques: [T1609]
description: d
remediation: []
entities: []
false_positives: []
baseline: {type: first_seen, group-by: [kube.command], fields: [ka.uri], learning: 1s}
examples: [{fires: a, event: {}}, {quiet: a, event: {}}]
"#,
    ),
];

#[test]
fn neither_alerts_nor_memories_hold_what_is_taken_out_of_events() {
    let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
    for (name, text) in CURIOUS {
        loader.file(name, text);
    }
    let loaded = loader.finish();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let engine = Arc::new(loaded.engine);
    let mut watch = Watch::new(&engine);
    // Longer than what evidence shows of a value, and with what Go's JSON escapes.
    let long = format!("PLANT{}", "x".repeat(3_000));
    let secret = format!(
        r#"{{"auditID":"1","stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/n/secrets",
        "user":{{"username":"eve"}},"objectRef":{{"resource":"secrets","namespace":"n","name":"s"}},
        "responseStatus":{{"code":201}},"requestObject":{{"kind":"Secret","metadata":{{"name":"s"}},
        "stringData":{{"long":"{long}","escaped":"PLANT\u0026\nPLANT"}}}},"requestReceivedTimestamp":"2026-01-01T00:00:00Z"}}"#
    );
    let mut alerts = watch.see(secret.as_bytes());
    assert_eq!(alerts.len(), 1);
    for second in 0..3 {
        let exec = format!(
            r#"{{"auditID":"e{second}","stage":"ResponseStarted","verb":"create",
            "requestURI":"/api/v1/namespaces/n/pods/p/exec?command=app&command=--password&command=PLANT{second}",
            "user":{{"username":"eve"}},"objectRef":{{"resource":"pods","namespace":"n","name":"p","subresource":"exec"}},
            "responseStatus":{{"code":101}},"requestReceivedTimestamp":"2026-01-01T00:00:0{second}Z"}}"#
        );
        alerts.extend(watch.see(exec.as_bytes()));
        let memory = watch.memory();
        assert!(memory.windows(3).any(|bytes| bytes == b"app"));
        assert!(!memory.windows(5).any(|bytes| bytes == b"PLANT"));
    }
    let raised: Vec<&str> = alerts.iter().map(|alert| alert.id.as_str()).collect();
    assert_eq!(raised, ["says", "remembers"]);
    for alert in &alerts {
        let json = serde_json::to_string(alert).unwrap();
        assert!(
            !json.contains("PLANT") && json.contains("[redacted]"),
            "{json}"
        );
    }
}
