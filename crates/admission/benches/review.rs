//! One review of a Deployment with three containers, under all recommendations. Limit of the issue: 10 ms.

use std::collections::BTreeMap;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_admission::{Gate, Mode, Policy, PolicyFile, Review, Scanned, full_name, reply};
use seareeve_posture::{Catalogue, Library};
use serde_json::{Value, json};

fn container(name: &str) -> Value {
    json!({
        "name": name, "image": format!("registry.example.org/team/{name}:1.2.3"),
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "A", "value": "b"}, {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 10},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent",
    })
}

fn body() -> Vec<u8> {
    let labels = json!({"app": "web"});
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": labels, "annotations": {"a": "b"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {
                "containers": [container("web"), container("cache"), container("logs")],
                "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/var/log"}}],
                "serviceAccountName": "web", "securityContext": {},
            },
        }},
    });
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": "shop", "name": "web",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": object, "oldObject": null, "dryRun": false,
        },
    });
    review.to_string().into_bytes()
}

fn policy(library: &Library) -> Policy {
    let catalogue = Catalogue::builtin();
    let mut file = PolicyFile::default();
    for recommendation in Policy::enforceable(&catalogue) {
        let rule = file
            .recommendations
            .entry(recommendation.id.clone())
            .or_default();
        rule.mode = Some(Mode::Warn);
    }
    Policy::new(file, library, &catalogue).expect("all of it is there")
}

fn review(criterion: &mut Criterion) {
    let library = Library::builtin();
    let policy = policy(&library);
    let (gate, body) = (Gate::new(&library, &policy), body());
    let images: BTreeMap<String, Scanned> = ["web", "cache", "logs"]
        .iter()
        .filter_map(|name| full_name(&format!("registry.example.org/team/{name}:1.2.3")))
        .map(|name| (name, Scanned::default()))
        .collect();
    criterion.bench_function("review of a deployment with three containers", |bencher| {
        bencher.iter(|| {
            let review = Review::read(&body).expect("it is one");
            let answer = gate.decide(&review, &images, Timestamp::UNIX_EPOCH);
            assert!(answer.decisions.len() > 5);
            reply(&review.uid, &answer).to_string()
        });
    });
}

criterion_group!(benches, review);
criterion_main!(benches);
