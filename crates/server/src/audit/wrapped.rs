//! Events as log services hand them on: Azure's diagnostic records, CloudWatch's batches, Google's log entries.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::decode::Decoded;

/// Categories of Azure's records that hold audit events. `kube-audit-admin` is `kube-audit` without what only reads.
const AUDIT: [&str; 2] = ["kube-audit", "kube-audit-admin"];

/// One of Azure's records: the event is text in `properties.log`. Other categories are klog's lines, and none of ours.
pub(super) fn azure(decoded: &mut Decoded, record: &[u8]) {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow, alias = "Category")]
        category: Cow<'a, str>,
        #[serde(borrow)]
        properties: Option<Properties<'a>>,
    }
    #[derive(Deserialize)]
    struct Properties<'a> {
        #[serde(borrow)]
        log: Cow<'a, str>,
    }
    match serde_json::from_slice::<Record<'_>>(record) {
        Ok(record) if !AUDIT.contains(&record.category.as_ref()) => {}
        Ok(Record {
            properties: Some(properties),
            ..
        }) => decoded.quoted(&properties.log),
        Ok(_) => decoded.fail("a record of Azure has no properties.log".to_owned()),
        Err(error) => decoded.fail(format!("a record of Azure cannot be read: {error}")),
    }
}

/// One of CloudWatch's log events, as subscriptions and exports have them: the event is text in `message`.
pub(super) fn cloud_watch(decoded: &mut Decoded, event: &[u8]) {
    #[derive(Deserialize)]
    struct LogEvent<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    match serde_json::from_slice::<LogEvent<'_>>(event) {
        // Long messages are cut, and say so at their end.
        Ok(event) => decoded.quoted(&match event.message.split_once("[Truncated...]") {
            Some((message, _)) => Cow::Owned(message.to_owned()),
            None => event.message,
        }),
        Err(error) => decoded.fail(format!("an event of CloudWatch cannot be read: {error}")),
    }
}

/// One of Google's log entries, put into the form of an audit event. What an entry does not tell (stage, some of the
/// user's groups) is not made up, but for the stage: entries are written when a request is over.
pub(super) fn google(decoded: &mut Decoded, text: &[u8]) {
    let Ok(entry) = serde_json::from_slice::<Value>(text) else {
        return decoded.fail("an entry of Google's log cannot be read".to_owned());
    };
    let payload = entry.get("protoPayload").unwrap_or(&Value::Null);
    if payload.get("serviceName").and_then(Value::as_str) != Some("k8s.io") {
        // Of another service of Google's.
        return;
    }
    match converted(&entry, payload) {
        Some(event) => decoded.event(event.to_string().as_bytes()),
        None => decoded.fail("an entry of Google's log tells of no request".to_owned()),
    }
}

fn converted(entry: &Value, payload: &Value) -> Option<Value> {
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    // `io.k8s.core.v1.pods.exec.create`: group, version, resource, perhaps a part, verb. Groups may hold dots.
    let method = text(payload, "/methodName")?;
    let mut words = method.strip_prefix("io.k8s.")?.split('.').rev();
    let verb = words.next()?.to_owned();
    let resource_name = text(payload, "/resourceName").unwrap_or_default();
    let object = object(&resource_name);
    let decision = if is_granted(payload) {
        "allow"
    } else {
        "forbid"
    };
    let code = match payload.pointer("/status/code").and_then(Value::as_i64) {
        None | Some(0) => 200,
        // Google's codes: 5 is not found, 6 exists already, 7 is refused, 16 is not signed in.
        Some(5) => 404,
        Some(6) => 409,
        Some(7) => 403,
        Some(16) => 401,
        Some(code) if (100..600).contains(&code) => code,
        Some(_) => 500,
    };
    let time = text(entry, "/timestamp")?;
    Some(json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": if payload.get("request").is_some() { "RequestResponse" } else { "Metadata" },
        "auditID": text(entry, "/insertId")?,
        "stage": "ResponseComplete",
        "requestURI": format!("/{resource_name}"),
        "verb": verb,
        "user": {"username": text(payload, "/authenticationInfo/principalEmail").unwrap_or_default()},
        "sourceIPs": text(payload, "/requestMetadata/callerIp").into_iter().collect::<Vec<_>>(),
        "userAgent": text(payload, "/requestMetadata/callerSuppliedUserAgent").unwrap_or_default(),
        "objectRef": object,
        "responseStatus": {"code": code},
        "requestObject": payload.get("request"),
        "responseObject": payload.get("response"),
        "requestReceivedTimestamp": time,
        "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": decision},
    }))
}

/// `core/v1/namespaces/shop/pods/web/exec` as a reference.
fn object(name: &str) -> Value {
    let mut parts = name.split('/');
    let group = parts.next().unwrap_or_default();
    let version = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let (namespace, rest) = match rest.as_slice() {
        ["namespaces", namespace, resource, rest @ ..] => {
            (Some(*namespace), [&[*resource], rest].concat())
        }
        other => (None, other.to_vec()),
    };
    let mut rest = rest.into_iter();
    let (resource, name, part) = (rest.next(), rest.next(), rest.next());
    json!({
        "apiGroup": if group == "core" { "" } else { group },
        "apiVersion": version,
        "resource": resource,
        "namespace": namespace,
        "name": name,
        "subresource": part,
    })
}

fn is_granted(payload: &Value) -> bool {
    let decisions = payload.get("authorizationInfo").and_then(Value::as_array);
    decisions.is_some_and(|decisions| {
        decisions
            .iter()
            .all(|decision| decision.get("granted").and_then(Value::as_bool) == Some(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get","user":{"username":"a"},"objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2026-01-01T00:00:01Z"}"#;

    fn texts(document: &Value) -> (Vec<String>, u64) {
        let mut decoded = Decoded::default();
        decoded.document(document.to_string().as_bytes());
        let texts = decoded.events.into_iter();
        (
            texts
                .map(|event| String::from_utf8(event.text).unwrap())
                .collect(),
            decoded.broken,
        )
    }

    #[test]
    fn records_of_azure_hold_events_as_text_and_other_things() {
        let log = |category: &str, log: &str| {
            json!({"category": category, "resourceId": "/X", "time": "2026-01-01T00:00:01Z",
                "properties": {"log": log, "stream": "stdout", "pod": "kube-apiserver-1"}})
        };
        let document = json!({"records": [
            log("kube-audit", &format!("{EVENT}\n")),
            log("kube-audit-admin", EVENT),
            log("kube-apiserver", "I0101 00:00:01 klog"),
            log("kube-audit", "I0101 no event"),
            {"category": "kube-audit"},
        ]});
        assert_eq!(texts(&document), (vec![EVENT.to_owned(), EVENT.to_owned()], 2));
    }

    #[test]
    fn events_of_cloud_watch_may_be_cut() {
        let cut = EVENT.get(..EVENT.len() - 40).unwrap();
        let document = json!({"messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/x/cluster", "logEvents": [
            {"id": "1", "timestamp": 1, "message": EVENT},
            {"id": "2", "timestamp": 1, "message": format!("{cut}[Truncated...]")},
        ]});
        assert_eq!(texts(&document), (vec![EVENT.to_owned(), cut.to_owned()], 0));
    }

    #[test]
    fn entries_of_google_become_events() {
        let entry = json!({
            "insertId": "id-1", "timestamp": "2026-01-01T00:00:01.5Z",
            "protoPayload": {
                "serviceName": "k8s.io", "methodName": "io.k8s.core.v1.pods.exec.create",
                "resourceName": "core/v1/namespaces/shop/pods/web/exec",
                "authenticationInfo": {"principalEmail": "eve@example.com"},
                "authorizationInfo": [{"granted": true, "permission": "io.k8s.core.v1.pods.exec.create"}],
                "requestMetadata": {"callerIp": "192.0.2.1", "callerSuppliedUserAgent": "kubectl"},
                "status": {},
            },
        });
        let (events, broken) = texts(&entry);
        assert_eq!((events.len(), broken), (1, 0));
        let event: Value = serde_json::from_str(&events[0]).unwrap();
        let object = json!({"apiGroup": "", "apiVersion": "v1", "resource": "pods", "namespace": "shop",
            "name": "web", "subresource": "exec"});
        assert_eq!(event["objectRef"], object);
        assert_eq!(
            (&event["verb"], &event["user"]["username"], &event["auditID"]),
            (&json!("create"), &json!("eve@example.com"), &json!("id-1"))
        );
        let of_another = json!({"insertId": "x", "protoPayload": {"serviceName": "iam.googleapis.com"}});
        assert_eq!(texts(&of_another), (vec![], 0));
    }
}
