//! Gates, reviews and objects for the tests.

use std::sync::LazyLock;

use jiff::Timestamp;
use seareeve_admission::{Answer, Gate, Images, NoImages, Policy, PolicyFile, Review};
use seareeve_posture::{Catalogue, Library};
use serde_json::{Value, json};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::builtin);

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A policy with these lines behind its first one.
pub(crate) fn policy(lines: &str) -> Result<Policy, String> {
    let text = format!("schema: seareeve.admission/1\n{lines}");
    let file = PolicyFile::parse(&text).map_err(|error| error.to_string())?;
    Policy::new(file, &LIBRARY, &Catalogue::builtin()).map_err(|error| error.to_string())
}

pub(crate) fn gate(lines: &str) -> Gate<'static> {
    Gate::new(&LIBRARY, Box::leak(Box::new(policy(lines).unwrap())))
}

/// A request of alice's about an object in its namespace.
pub(crate) fn request(operation: &str, object: &Value, old: Option<&Value>) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "0b4c7d1e", "kind": {"group": "", "version": "v1", "kind": object["kind"]},
            "resource": {"group": "", "version": "v1", "resource": "any"},
            "namespace": object["metadata"]["namespace"], "name": object["metadata"]["name"],
            "operation": operation, "userInfo": {"username": "alice"}, "dryRun": false,
            "object": object, "oldObject": old,
        },
    })
}

pub(crate) fn review(request: &Value) -> Review {
    Review::read(request.to_string().as_bytes()).unwrap()
}

pub(crate) fn decide(gate: &Gate<'_>, request: &Value) -> Answer {
    decide_with(gate, request, &NoImages)
}

pub(crate) fn decide_with(gate: &Gate<'_>, request: &Value, images: &dyn Images) -> Answer {
    gate.decide(&review(request), images, now())
}

pub(crate) fn create(gate: &Gate<'_>, object: &Value) -> Answer {
    decide(gate, &request("CREATE", object, None))
}

/// What is decided, in a line each.
pub(crate) fn lines(answer: &Answer) -> Vec<String> {
    let decisions = answer.decisions.iter();
    let line = decisions.map(|decision| {
        format!(
            "{} {}: {}",
            decision.recommendation,
            decision.effect,
            decision.messages.join("; ")
        )
    });
    line.collect()
}

pub(crate) fn pod(namespace: &str, containers: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": namespace},
        "spec": {"containers": containers},
    })
}

pub(crate) fn privileged(name: &str) -> Value {
    json!({"name": name, "image": "registry.example.org/web:1", "securityContext": {"privileged": true}})
}

pub(crate) fn plain(name: &str) -> Value {
    json!({"name": name, "image": "registry.example.org/web:1"})
}
