//! Entries of Google's Cloud Audit Logs as audit events.
//!
//! They are made of audit events, and hold most of them under other names. What they do not hold is not made up: the
//! stage is that of a finished request, the id is the entry's, the status is that of the answer or follows from the
//! code of the entry.

use serde_json::{Map, Value, json};

use crate::json::Node;

/// The event of an entry; `None` when it is about something else than Kubernetes.
pub(super) fn event(entry: Node<'_>) -> Option<String> {
    let payload = entry.get("protoPayload")?;
    let text = |node: Node<'_>, path: &[&str]| {
        let text = node.path(path).and_then(Node::str);
        text.map(std::borrow::Cow::into_owned)
    };
    let method = text(payload, &["methodName"])?;
    let method = method.strip_prefix("io.k8s.")?;
    let (_, verb) = method.rsplit_once('.')?;
    let target = target(&text(payload, &["resourceName"]).unwrap_or_default());
    let time = text(entry, &["timestamp"]).unwrap_or_default();
    let body = |key| -> Value {
        let node = payload.get(key);
        let body = node.and_then(|node| serde_json::from_slice::<Value>(node.raw()).ok());
        let mut body = body.unwrap_or_default();
        if let Some(members) = body.as_object_mut() {
            members.remove("@type");
        }
        body
    };
    let mut event = Map::new();
    for (key, value) in [
        ("kind", json!("Event")),
        ("apiVersion", json!("audit.k8s.io/v1")),
        ("level", json!(level(payload))),
        ("auditID", json!(text(entry, &["insertId"])?)),
        ("stage", json!(stage(entry))),
        ("requestURI", json!(uri(&target))),
        ("verb", json!(verb)),
        (
            "user",
            json!({"username": text(payload, &["authenticationInfo", "principalEmail"])}),
        ),
        (
            "sourceIPs",
            json!([text(payload, &["requestMetadata", "callerIp"])]),
        ),
        (
            "userAgent",
            json!(text(
                payload,
                &["requestMetadata", "callerSuppliedUserAgent"]
            )),
        ),
        ("objectRef", Value::Object(target)),
        ("requestObject", body("request")),
        ("responseObject", body("response")),
        ("requestReceivedTimestamp", json!(time)),
        ("stageTimestamp", json!(time)),
        ("responseStatus", json!({"code": code(payload)})),
        ("annotations", annotations(entry, payload)),
    ] {
        if !value.is_null() {
            event.insert(key.to_owned(), value);
        }
    }
    Some(Value::Object(event).to_string())
}

fn level(payload: Node<'_>) -> &'static str {
    match (payload.get("request"), payload.get("response")) {
        (_, Some(_)) => "RequestResponse",
        (Some(_), None) => "Request",
        (None, None) => "Metadata",
    }
}

/// Of long requests there are two entries, the first of which says so.
fn stage(entry: Node<'_>) -> &'static str {
    let is = |key| {
        let flag = entry.path(&["operation", key]);
        flag.is_some_and(Node::is_true)
    };
    if is("first") && !is("last") {
        "ResponseStarted"
    } else {
        "ResponseComplete"
    }
}

/// `core/v1/namespaces/shop/pods/cart/exec`, `rbac.authorization.k8s.io/v1/clusterroles/x`.
fn target(name: &str) -> Map<String, Value> {
    let mut target = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            target.insert(key.to_owned(), json!(value));
        }
    };
    let parts: Vec<&str> = name.split('/').take(16).collect();
    let [group, version, rest @ ..] = parts.as_slice() else {
        return target;
    };
    if *group != "core" {
        put("apiGroup", group);
    }
    put("apiVersion", version);
    let rest = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => {
            put("namespace", namespace);
            rest
        }
        rest => rest,
    };
    for (key, value) in ["resource", "name", "subresource"].into_iter().zip(rest) {
        put(key, value);
    }
    target
}

fn uri(target: &Map<String, Value>) -> String {
    let part = |key: &str| target.get(key).and_then(Value::as_str);
    let mut uri = match part("apiGroup") {
        Some(group) => format!("/apis/{group}"),
        None => "/api".to_owned(),
    };
    for piece in [
        part("apiVersion"),
        part("namespace").map(|_| "namespaces"),
        part("namespace"),
        part("resource"),
        part("name"),
        part("subresource"),
    ]
    .into_iter()
    .flatten()
    {
        uri.push('/');
        uri.push_str(piece);
    }
    uri
}

/// The answer's own status, or what the entry's code (google.rpc.Code) stands for.
fn code(payload: Node<'_>) -> i64 {
    let own = payload
        .get("response")
        .and_then(|response| response.get("code"))
        .and_then(Node::number);
    let of_entry = payload.path(&["status", "code"]).and_then(Node::number);
    own.unwrap_or(match of_entry {
        None | Some(0) => 200,
        Some(3 | 9 | 11) => 400,
        Some(5) => 404,
        Some(6 | 10) => 409,
        Some(7) => 403,
        Some(8) => 429,
        Some(16) => 401,
        Some(_) => 500,
    })
}

fn annotations(entry: Node<'_>, payload: Node<'_>) -> Value {
    let mut annotations = Map::new();
    for (key, value) in entry.get("labels").into_iter().flat_map(Node::members) {
        if let Some(value) = value.str() {
            annotations.insert(key.decode().into_owned(), json!(value));
        }
    }
    let mut granted = payload
        .get("authorizationInfo")
        .into_iter()
        .flat_map(Node::items)
        .map(|info| info.get("granted").is_some_and(Node::is_true))
        .peekable();
    if granted.peek().is_some() {
        let decision = if granted.all(|is_granted| is_granted) {
            "allow"
        } else {
            "forbid"
        };
        annotations
            .entry("authorization.k8s.io/decision")
            .or_insert_with(|| json!(decision));
    }
    Value::Object(annotations)
}
