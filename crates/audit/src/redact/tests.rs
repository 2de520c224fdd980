//! Credentials planted everywhere.

use std::collections::BTreeMap;

use super::*;

/// Where credentials are planted: each stands nowhere else.
const PLANTED: &str = r#"{"kind":"Event","auditID":"1","stage":"ResponseComplete","verb":"create",
 "requestURI":"/api/v1/namespaces/n/pods/p/exec?command=mysql&command=--password&command=PLANT-uri-next&command=--token%3DPLANT-uri%2Bflag&container=c&access_token=PLANT-uri-parameter",
 "user":{"username":"eve","extra":{"a":["Bearer PLANT-bearer"]}},"objectRef":{"resource":"RESOURCE","namespace":"n","name":"o"},
 "responseStatus":{"code":201,"message":"refused postgres://u:PLANT-message@db/x"},
 "requestObject":{"kind":"Pod","metadata":{"annotations":{
   "kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Secret\",\"data\":{\"a\":\"PLANT-applied\"},\"x\":[\"{\\\"password\\\":\\\"PLANT-deep\\\"}\"]}",
   "api-token":"PLANT-annotation"}},
  "spec":{"containers":[{"name":"c","image":"i","command":["run","--api-key","PLANT-argument"],"args":["--db-password=PLANT-flag","https://a:PLANT-url@h/"],
   "env":[{"name":"DB_PASSWORD","value":"PLANT-env"},{"name":"URL","value":"redis://:PLANT-env-url@r"},{"name":"LOG","value":"debug"}],
   "livenessProbe":{"httpGet":{"httpHeaders":[{"name":"Authorization","value":"PLANT-header"}]}}}]},
  "data":{"app.properties":"a=b\npassword=PLANT-property\n","token":"PLANT-key","kubeconfig":"users:\n- user:\n    client-key-data: PLANT-kubeconfig\n",
   "key.pem":"-----BEGIN PRIVATE KEY-----\nPLANT-pem\n-----END PRIVATE KEY-----\n","json":"{\"password\":\"PLANT-json\",\"a\":1}"}},
 "responseObject":{"kind":"TokenRequest","status":{"token":"PLANT-token"},"jwt":"eyJhbGciOiJSUzI1NiIsImtpZCI6IlBMQU5UIn0.eyJhdWQiOlsiUExBTlQiXX0.UExBTlQ-PLANT-jwt"},
 "annotations":{"x":"AKIA0123456789PLANTX"}}"#;

#[test]
fn planted_credentials_are_gone_and_the_event_stays_one() {
    for resource in ["pods", "configmaps", "widgets"] {
        let text = PLANTED.replace("RESOURCE", resource);
        let redacted = redact(text.as_bytes()).unwrap();
        assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
        let event: Value = serde_json::from_str(&redacted.json).unwrap();
        assert_eq!(event.pointer("/objectRef/resource").unwrap(), resource);
        assert_eq!(
            event
                .pointer("/requestObject/spec/containers/0/env/2/value")
                .unwrap(),
            "debug"
        );
        assert!(Record::read(redacted.json.as_bytes()).is_ok());
        let again = redact(redacted.json.as_bytes()).unwrap();
        assert_eq!(again.json, redacted.json);
        assert!(redacted.removed.iter().any(|text| text == "PLANT-uri-next"));
    }
}

#[test]
fn of_secrets_and_tokens_nothing_is_left() {
    for (resource, body) in [
        (
            "secrets",
            r#"{"type":"Opaque","data":{"a":"UExBTlQ=","b":"PLANT"},"stringData":{"c":"PLANT"}}"#,
        ),
        (
            "secrets",
            r#"{"kind":"SecretList","items":[{"data":{"a":"PLANT"}},{"data":{"a":"PLANT"}}]}"#,
        ),
        (
            "secrets",
            r#"[{"op":"add","path":"/data/x","value":"PLANT"},{"op":"replace","path":"/data","value":{"y":"PLANT"}}]"#,
        ),
        ("secrets", r#"{"data":{"a":null,"b":"PLANT"}}"#),
        (
            "tokenreviews",
            r#"{"kind":"TokenReview","spec":{"token":"PLANT"}}"#,
        ),
        (
            "configmaps",
            r#"{"kind":"List","items":[{"kind":"Secret","data":{"a":"PLANT"}}]}"#,
        ),
    ] {
        let event = format!(
            r#"{{"auditID":"1","objectRef":{{"resource":"{resource}"}},"requestObject":{body},"responseObject":{body}}}"#
        );
        let redacted = redact(event.as_bytes()).unwrap();
        assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
        assert!(!redacted.json.contains("UExBTlQ="));
        assert!(serde_json::from_str::<Value>(&redacted.json).is_ok());
    }
}

#[test]
fn bodies_that_cannot_be_read_are_not_kept() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let event = format!(
        r#"{{"auditID":"1","verb":"create","requestURI":"/x?command=--token%3DPLANT","objectRef":{{"resource":"secrets"}},
        "responseStatus":{{"code":201}},"requestObject":{{"data":"PLANT","x":{deep}}}}}"#
    );
    let redacted = redact(event.as_bytes()).unwrap();
    assert!(redacted.is_without_bodies);
    assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
    assert!(Record::read(redacted.json.as_bytes()).is_ok());
    let cut = PLANTED.get(..PLANTED.find("PLANT-deep").unwrap()).unwrap();
    let redacted = redact(cut.as_bytes()).unwrap();
    assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
    assert_eq!(redact(b"PLANT"), None);
}

#[test]
fn what_was_taken_out_of_an_event_is_taken_out_of_its_alerts() {
    let redacted = redact(PLANTED.replace("RESOURCE", "pods").as_bytes()).unwrap();
    let text = "ran mysql --password PLANT-uri-next with PLANT-env, PLANT-uri%2Bflag";
    let mut alert: Alert = serde_json::from_value(serde_json::json!({
        "rule": "r", "id": "r", "time": "2026-01-01T00:00:00Z", "priority": "Warning", "severity": "low",
        "tactics": [], "techniques": [], "output": text, "source": "k8s_audit", "title": "t",
        "output_fields": {"a": text, "b": [text], "c": 1}, "description": text, "remediation": [text], "tags": [],
        "entities": [{"kind": "pod", "fields": {"name": text}}], "key": "k",
        "evidence": {"content": format!("sha256:{}", "0".repeat(64)), "reasons": [text],
            "matched": [{"field": "f", "operator": "=", "wanted": [text], "seen": [text], "holds": true}]},
    }))
    .unwrap();
    redact_alert(&mut alert, &redacted.removed);
    let json = serde_json::to_string(&alert).unwrap();
    assert!(!json.contains("PLANT"), "{json}");
    assert_eq!(alert.output_fields.get("c"), Some(&Value::from(1)));
    let _sorted: &BTreeMap<String, Value> = &alert.output_fields;
}
