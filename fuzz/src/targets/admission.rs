//! Admission: a policy that somebody wrote, and questions that somebody asks in the API server's place.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use seareeve_admission::{
    Export, Gate, Policy, PolicyFile, Review, Scanned, export, preview, reply, yaml,
};
use seareeve_kubernetes::{Kind, Label, State, documents, snapshot, value};
use seareeve_posture::{Catalogue, Library};
use serde_json::Value;

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "admission",
    run,
    longest: 12 << 10,
    seeds: || made::seeds("admission"),
    words: &[
        "\n====\n",
        "schema: seareeve.admission/1\n",
        "mode: deny\n",
        "updates: all\n",
        "unchecked: deny\n",
        "excluded_namespaces: [kube-*]\n",
        "excluded_containers: [a]\n",
        "excluded_images: [\"*/b:*\"]\n",
        "recommendations:\n",
        "  kubernetes-privileged: {mode: warn}\n",
        "namespaces: {shop: deny, \"*\": off}",
        "parameters: {allowed: [a]}",
        "unscanned: deny",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"1\",",
        "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"}",
        "\"operation\":\"CREATE\"",
        "\"operation\":\"UPDATE\"",
        "\"subResource\":\"ephemeralcontainers\"",
        "\"userInfo\":{\"username\":\"a\"}",
        "\"oldObject\":{",
        "\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[",
        "\"deletionTimestamp\":\"a\"",
        "\"securityContext\":{\"privileged\":true}",
        "\"image\":\"nginx@sha256:abababababababababababababababababababababababababababababababab\"",
        "null",
        "1e999",
    ],
};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::builtin);
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

/// A policy, then questions, of which the last may be what scans found instead.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 4);
    let text = String::from_utf8_lossy(parts.first().copied().unwrap_or_default());
    let file = PolicyFile::parse(&text).unwrap_or_else(|why| {
        assert!(!why.to_string().is_empty());
        PolicyFile::default()
    });
    let policy = match Policy::new(file, &LIBRARY, &CATALOGUE) {
        Ok(policy) => policy,
        Err(why) => {
            assert!(!why.to_string().is_empty());
            let file = PolicyFile::default();
            Policy::new(file, &LIBRARY, &CATALOGUE).expect("what is set by default is sound")
        }
    };
    readable(&export(&policy, &LIBRARY));
    let last = parts.last().copied().unwrap_or_default();
    let images: BTreeMap<String, Scanned> = serde_json::from_slice(last).unwrap_or_default();
    let gate = Gate::new(&LIBRARY, &policy);
    for part in parts.iter().skip(1) {
        match Review::read(part) {
            Ok(review) => answered(&gate, &review, &images),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
}

/// Whatever is asked is answered in a form that the API server takes, and the same each time.
fn answered(gate: &Gate<'_>, review: &Review, images: &BTreeMap<String, Scanned>) {
    let now = Timestamp::UNIX_EPOCH;
    let answer = gate.decide(review, images, now);
    assert_eq!(gate.decide(review, images, now), answer);
    assert_eq!(answer.is_allowed, answer.message.is_none());
    let said = reply(&review.uid, &answer);
    let uid = said.pointer("/response/uid").and_then(Value::as_str);
    assert_eq!(uid, Some(review.uid.as_str()));
    // The API server passes on no more.
    let warnings: usize = answer.warnings.iter().map(String::len).sum();
    assert!(warnings <= 4_096 && said.to_string().len() < 1 << 20);
    // The same object in a manifest does not lead to anything worse than an answer.
    let Some(object) = &review.object else {
        return;
    };
    let mut state = State::new(Kind::Manifests);
    for object in documents("a.json", object.to_string().as_bytes()).objects {
        state.add(object);
    }
    let label = Label {
        asset_id: "a".to_owned(),
        asset_name: "a".to_owned(),
        collected_at: now,
        collector: "fuzz".to_owned(),
        source: "a".to_owned(),
    };
    let facts = snapshot(&state, label);
    let would_be = preview(gate, &facts, images, now);
    assert_eq!(preview(gate, &facts, images, now), would_be);
}

/// What is exported can be read again as YAML and says the same.
fn readable(export: &Export) {
    for one in &export.exported {
        for document in std::iter::once(&one.policy).chain(&one.bindings) {
            let again = value(yaml(document).as_bytes()).expect("what we write can be read");
            assert_eq!(again, *document);
        }
    }
    for one in &export.not_exported {
        assert!(!one.reason.is_empty());
    }
}
