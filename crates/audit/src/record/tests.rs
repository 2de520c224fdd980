//! Records: whole, reordered, cut off, and what is none.

use super::*;

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"create","user":{"username":"eve","groups":["a","b"],"extra":{"k":["v","w"]}},"sourceIPs":["10.0.0.1"],"userAgent":"kubectl/1","objectRef":{"resource":"pods","namespace":"shop"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"a":{"b":1}},"responseObject":{"c":[2]},"requestReceivedTimestamp":"2026-11-21T23:02:54.268000Z","stageTimestamp":"2026-11-21T23:02:54.269000Z","annotations":{"authorization.k8s.io/decision":"allow"}}"#;

#[test]
fn metadata_and_bodies_are_found() {
    let record = Record::read(EVENT.as_bytes()).unwrap();
    assert_eq!(record.audit_id(), "a-1");
    assert_eq!(record.stage(), Some(Stage::ResponseComplete));
    assert_eq!(record.user.groups.len(), 2);
    assert!(record.user.extra("k").unwrap().is("v"));
    assert_eq!(record.status.unwrap().code, Some(&b"201"[..]));
    assert_eq!(record.bodies().request, Some(&br#"{"a":{"b":1}}"#[..]));
    assert_eq!(record.bodies().response, Some(&br#"{"c":[2]}"#[..]));
    assert_eq!(record.time(), 1_795_302_174_268_000_000);
    let decision = record.annotation("authorization.k8s.io/decision").unwrap();
    assert!(decision.is("allow"));
    assert!(!record.is_cut());
}

#[test]
fn the_order_of_members_does_not_matter() {
    let value: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    let members = value.as_object().unwrap();
    let mut keys: Vec<&String> = members.keys().collect();
    for _ in 0..keys.len() {
        keys.rotate_left(1);
        for (colon, comma) in [(" : ", " ,\n"), (":", ",")] {
            let shuffled: Vec<String> = keys
                .iter()
                .map(|key| format!("{key:?}{colon}{}", members.get(*key).unwrap()))
                .collect();
            let text = format!(" {{{}}} ", shuffled.join(comma));
            let record = Record::read(text.as_bytes()).unwrap();
            assert_eq!(record.bodies().request, Some(&br#"{"a":{"b":1}}"#[..]));
            assert_eq!(record.bodies().response, Some(&br#"{"c":[2]}"#[..]));
            assert_eq!(record.annotations.len(), 1);
            assert!(record.verb.is("create") && record.user.name.is("eve"));
            assert!(record.uri.is("/api/v1/pods") && record.target.is_some());
        }
    }
}

#[test]
fn a_tail_that_begins_between_the_bodies_loses_none() {
    let text = r#"{"auditID":"1","requestURI":"/x","verb":"x","user":{"username":"a"},"requestObject":[1],"requestReceivedTimestamp":"2026-01-01T00:00:00Z","responseObject":{"a":1},"stage":"x"}"#;
    let record = Record::read(text.as_bytes()).unwrap();
    assert_eq!(record.bodies().request, Some(&b"[1]"[..]));
    assert_eq!(record.bodies().response, Some(&br#"{"a":1}"#[..]));
}

#[test]
fn a_body_cannot_pass_for_the_tail() {
    // The same text as the tail's, at a depth where it is none.
    let inner = r#"{"x":1,"requestReceivedTimestamp":"2020-01-01T00:00:00Z"}"#;
    let text = format!(
        r#"{{"auditID":"1","requestObject":{inner},"responseObject":{inner},"verb":"get"}}"#
    );
    let record = Record::read(text.as_bytes()).unwrap();
    assert_eq!(record.bodies().request, Some(inner.as_bytes()));
    assert_eq!(record.bodies().response, Some(inner.as_bytes()));
    assert!(record.verb.is("get"));
    assert_eq!(record.time(), 0);
}

#[test]
fn what_is_no_event_is_named() {
    for (text, expected) in [
        ("", Unreadable::Syntax),
        ("[]", Unreadable::Syntax),
        ("{}", Unreadable::NoId),
        (r#"{"auditID":"1"} x"#, Unreadable::Syntax),
        (r#"{"auditID":"1""#, Unreadable::Syntax),
        (r#"{"auditID":1}"#, Unreadable::Type { member: "auditID" }),
        (
            r#"{"auditID":"1","user":"eve"}"#,
            Unreadable::Type { member: "user" },
        ),
        (
            r#"{"kind":"Pod"}"#,
            Unreadable::Kind {
                kind: "Pod".to_owned(),
            },
        ),
        (
            r#"{"apiVersion":"v1"}"#,
            Unreadable::Version {
                version: "v1".to_owned(),
            },
        ),
    ] {
        assert_eq!(
            Record::read(text.as_bytes()).err(),
            Some(expected),
            "{text}"
        );
    }
}

#[test]
fn an_event_that_was_cut_off_says_what_it_still_says() {
    let at = EVENT.find("\"b\":1").unwrap();
    let record = Record::read(&EVENT.as_bytes()[..at]).unwrap();
    assert!(record.is_cut());
    assert!(record.user.name.is("eve"));
    assert_eq!(record.bodies().request, None);
}
