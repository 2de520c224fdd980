//! Credentials of a real cluster, taken out of its events.

use std::collections::BTreeSet;

use seareeve_audit::{Record, redact, redact_alert};
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
                if is_data || (kind == "TokenRequest" && key == "status") {
                    into.extend(texts(inner));
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
                redact_alert(&mut alert, &redacted.removed);
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
