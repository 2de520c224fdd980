//! Posture of a large cluster: 20,000 objects from nothing, and one that changed. Limits of the issue: 5 s and 50 ms.

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_kubernetes::{Kind, Label, Object, State, snapshot};
use seareeve_model::Snapshot;
use seareeve_posture::{Library, Outcome, judge};
use serde_json::{Map, Value, json};

const OBJECTS: usize = 20_000;

fn object(number: usize) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": format!("app-{number}"), "namespace": format!("team-{}", number % 200),
            "labels": { "app": format!("app-{number}"), "team": "a" },
        },
        "spec": { "replicas": 2, "template": {
            "metadata": { "labels": { "app": format!("app-{number}") } },
            "spec": {
                "serviceAccountName": "app",
                "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
                "volumes": [{ "name": "tmp", "emptyDir": {} }, { "name": "config", "configMap": { "name": "c" } }],
                "initContainers": [{ "name": "first", "image": "registry.example.org/init:1" }],
                "containers": [
                    {
                        "name": "web", "image": format!("registry.example.org/team/app:{number}"),
                        "ports": [{ "containerPort": 8080 }],
                        "resources": { "limits": { "cpu": "1", "memory": "512Mi" } },
                        "env": [{ "name": "A", "value": "b" }],
                        "securityContext": {
                            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                            "capabilities": { "drop": ["ALL"] },
                        },
                    },
                    { "name": "side", "image": "registry.example.org/side:2", "securityContext": { "privileged": number.is_multiple_of(50) } },
                ],
            },
        } },
    })
}

fn facts(objects: impl Iterator<Item = Value>) -> Snapshot {
    let mut state = State::new(Kind::Manifests);
    for object in objects {
        state.add(Object::read(object, None).expect("it is an object"));
    }
    let label = Label {
        asset_id: "bench".to_owned(),
        asset_name: "bench".to_owned(),
        collected_at: Timestamp::UNIX_EPOCH,
        collector: "bench".to_owned(),
        source: "bench".to_owned(),
    };
    snapshot(&state, label)
}

/// How many objects fail any check on workloads.
fn failing(library: &Library, snapshot: &Snapshot) -> usize {
    let on_workloads = library
        .checks()
        .filter(|check| check.on().as_str() == "kubernetes.workload" && !check.wants_params());
    on_workloads
        .flat_map(|check| judge(check, &Map::new(), snapshot, Timestamp::UNIX_EPOCH).objects)
        .filter(|object| object.outcome == Outcome::Fail)
        .count()
}

fn posture(criterion: &mut Criterion) {
    let library = Library::builtin();
    let mut group = criterion.benchmark_group("posture");
    group.sample_size(10);
    group.bench_function("20,000 objects from nothing", |bencher| {
        bencher.iter_batched(
            || (0..OBJECTS).map(object).collect::<Vec<_>>(),
            |objects| failing(&library, &facts(objects.into_iter())),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("one object that changed", |bencher| {
        bencher.iter_batched(
            || object(1),
            |object| failing(&library, &facts(std::iter::once(object))),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("loading all checks", |bencher| {
        bencher.iter(Library::builtin);
    });
    group.finish();
}

criterion_group!(benches, posture);
criterion_main!(benches);
