//! Envelopes: events are found in them, and what is none is told.

use super::*;
use crate::record::Record;

/// What is found, one word each: the id of an event, or why there is none.
fn found(document: &str) -> Vec<String> {
    let mut all = Vec::new();
    unpack(document.as_bytes(), &mut |found| {
        all.push(match found {
            Found::Event(event) => match Record::read(&event) {
                Ok(record) if record.is_cut() => format!("{} cut", record.audit_id()),
                Ok(record) => record.audit_id().into_owned(),
                Err(error) => error.to_string(),
            },
            Found::Other => "other".to_owned(),
            Found::Broken(error) => error.to_string(),
        });
    });
    all
}

const EVENT: &str = r#"{"kind":"Event","auditID":"1","objectRef":{"resource":"pods"}}"#;

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn events_are_found_in_whatever_brings_them() {
    let text = quoted(&format!("{EVENT}\n"));
    let base64 = STANDARD.encode(format!("[{EVENT}]"));
    let cut = quoted(&format!(
        "{},\"requestObject\":{{\"a[Truncated...]",
        EVENT.trim_end_matches('}').to_owned() + "}"
    ));
    for (document, expected) in [
        (EVENT.to_owned(), &["1"][..]),
        (format!("[{EVENT},{EVENT}]"), &["1", "1"]),
        (
            format!(r#"{{"kind":"EventList","metadata":{{}},"items":[{EVENT},{{}},1]}}"#),
            &[
                "1",
                "the event has no auditID",
                "the event is no JSON object",
            ],
        ),
        (
            format!(
                r#"{{"records":[{{"category":"kube-audit","properties":{{"log":{text}}}}},
                {{"category":"kube-audit-admin","properties":{{"log":{text}}}}},
                {{"category":"guard","properties":{{"log":"I0101 text"}}}},
                {{"category":"kube-audit","properties":{{}}}}]}}"#
            ),
            &["1", "1", "other", "the event is no JSON object"],
        ),
        (
            format!(
                r#"{{"messageType":"DATA_MESSAGE","logStream":"kube-apiserver-audit-x","logEvents":[{{"id":"a","message":{text}}},{{"message":{cut}}}]}}"#
            ),
            &["1", "1 cut"],
        ),
        (
            r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"x"}]}"#.to_owned(),
            &["other"],
        ),
        (
            format!(r#"{{"logStream":"authenticator-x","logEvents":[{{"message":{text}}}]}}"#),
            &["other"],
        ),
        (
            format!(
                r#"{{"events":[{{"logStreamName":"kube-apiserver-audit-x","message":{text}}}]}}"#
            ),
            &["1"],
        ),
        (format!(r#"{{"@message":{text}}}"#), &["1"]),
        (
            format!(r#"{{"message":{{"data":"{base64}"}},"subscription":"s"}}"#),
            &["1"],
        ),
        // As CloudWatch exports logs to S3, and as `aws logs tail` prints them.
        (format!("2026-01-01T00:00:00.000Z {EVENT}"), &["1"]),
        (
            format!("2026-01-01T00:00:00.000000+00:00 kube-apiserver-audit-0a1b {EVENT}"),
            &["1"],
        ),
        (
            format!("2026-01-01T00:00:00.000Z authenticator-0a1b {EVENT}"),
            &["other"],
        ),
        (
            "2026-01-01T00:00:00.000Z time=\"2026-01-01T00:00:00Z\" level=info".to_owned(),
            &["other"],
        ),
        ("2026-01-01 {}".to_owned(), &["the event is no JSON object"]),
        ("1".to_owned(), &["the event is no JSON object"]),
        (r#"{"items":1}"#.to_owned(), &["items is of the wrong type"]),
        (
            format!(r#"{{"kind":"EventList","items":[{EVENT},{{"auditID":"#),
            &["1", "the event is no JSON object"],
        ),
    ] {
        assert_eq!(found(&document), expected, "{document}");
    }
}

#[test]
fn entries_of_gke_become_events() {
    let entry = r#"{"insertId":"g1","timestamp":"2026-01-01T00:00:00Z","labels":{"authorization.k8s.io/reason":"r"},
      "protoPayload":{"methodName":"io.k8s.authorization.rbac.v1.clusterrolebindings.create",
       "resourceName":"rbac.authorization.k8s.io/v1/clusterrolebindings/x",
       "authenticationInfo":{"principalEmail":"eve@corp.example"},
       "requestMetadata":{"callerIp":"1.2.3.4","callerSuppliedUserAgent":"kubectl/1"},
       "authorizationInfo":[{"granted":true}],"status":{"code":7},
       "request":{"@type":"x","roleRef":{"name":"cluster-admin"}}}}"#;
    let mut events = Vec::new();
    unpack(entry.as_bytes(), &mut |found| {
        if let Found::Event(event) = found {
            events.push(String::from_utf8(event.into_owned()).unwrap());
        }
    });
    insta::assert_snapshot!(events.join("\n"), @r#"{"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"r"},"apiVersion":"audit.k8s.io/v1","auditID":"g1","kind":"Event","level":"Request","objectRef":{"apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1","name":"x","resource":"clusterrolebindings"},"requestObject":{"roleRef":{"name":"cluster-admin"}},"requestReceivedTimestamp":"2026-01-01T00:00:00Z","requestURI":"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/x","responseStatus":{"code":403},"sourceIPs":["1.2.3.4"],"stage":"ResponseComplete","stageTimestamp":"2026-01-01T00:00:00Z","user":{"username":"eve@corp.example"},"userAgent":"kubectl/1","verb":"create"}"#);
    assert_eq!(
        found(r#"{"insertId":"g","protoPayload":{"methodName":"google.container.v1.X"}}"#),
        ["other"]
    );
}

#[test]
fn envelopes_in_envelopes_end() {
    let mut document = EVENT.to_owned();
    for _ in 0..100 {
        document = format!("[{document}]");
    }
    assert_eq!(found(&document), ["the event is no JSON object"]);
}
