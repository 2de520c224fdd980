//! Posture of a large cluster: 20,000 objects from nothing, and one that changed, by themselves and as a server keeps
//! them. Limits of the issue: 5 s and 50 ms.

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_kubernetes::{Kind, Label, Object, State, snapshot};
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use seareeve_posture::{
    Benchmark, Catalogue, Library, ObjectVerdict, Outcome, Scope, Standing, Statements, Use,
    judge_each,
};
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
    let on_workloads: Vec<_> = library
        .checks()
        .filter(|check| check.on().as_str() == "kubernetes.workload" && !check.wants_params())
        .map(|check| (check, Map::new()))
        .collect();
    let mut failing = 0;
    judge_each(
        &on_workloads,
        snapshot,
        Timestamp::UNIX_EPOCH,
        |_, verdict| {
            let failed = |object: &&ObjectVerdict| object.outcome == Outcome::Fail;
            failing += verdict.objects.iter().filter(failed).count();
        },
    );
    failing
}

/// All by which a server judges clusters.
fn uses(library: &Library, benchmarks: &[&Benchmark]) -> Vec<Use> {
    let controls = benchmarks.iter().flat_map(|one| &one.controls);
    let of_controls = controls.flat_map(|control| control.checks.iter().chain(&control.evidence));
    let catalogue = Catalogue::builtin();
    let about_clusters = catalogue
        .recommendations()
        .filter(|one| one.asset == "kubernetes-cluster" && one.enabled);
    let of_recommendations = about_clusters.flat_map(|one| one.uses(library, &Map::new()));
    of_controls.cloned().chain(of_recommendations).collect()
}

fn workloads(snapshot: &Snapshot) -> (FactKind, Vec<Fact>) {
    let kind = FactKind::new("kubernetes.workload").expect("it is one");
    let facts = snapshot.facts.get(&kind).map(|facts| facts.items.clone());
    (kind, facts.unwrap_or_default())
}

/// What the server does with a cluster: every edition and recommendation, kept object by object.
fn standing(criterion: &mut Criterion) {
    let library = Library::builtin();
    let benchmarks: Vec<&Benchmark> = library
        .benchmarks()
        .filter(|one| one.asset == "kubernetes-cluster")
        .collect();
    let (kind, all) = workloads(&facts((0..OBJECTS).map(object)));
    let empty = || {
        let mut standing = Standing::new(
            &library,
            uses(&library, &benchmarks),
            benchmarks.iter().copied(),
        );
        standing.set_collection(&kind, &Collection::of("bench", Vec::new()));
        standing
    };
    let statements = Statements::default();
    let scope = Scope {
        asset: "bench",
        benchmark: None,
        statements: &statements,
        excluded_namespaces: &std::collections::BTreeSet::new(),
        now: Timestamp::UNIX_EPOCH,
    };
    let failing = |standing: &Standing| -> usize {
        let assessments = benchmarks.iter();
        let controls = assessments.flat_map(|one| standing.assess(&library, one, &scope).controls);
        controls.filter(|one| one.outcome == Outcome::Fail).count()
    };
    let mut group = criterion.benchmark_group("a server's cluster of 20,000 workloads");
    group.sample_size(10);
    group.bench_function(
        "from nothing, by every edition and recommendation",
        |bencher| {
            bencher.iter_batched(
                || (empty(), all.clone()),
                |(mut standing, all)| {
                    standing.put_all(&library, &kind, all, Timestamp::UNIX_EPOCH);
                    failing(&standing)
                },
                criterion::BatchSize::PerIteration,
            );
        },
    );
    let mut full = empty();
    full.put_all(&library, &kind, all.clone(), Timestamp::UNIX_EPOCH);
    let mut at = 0;
    group.bench_function(
        "one object that changed, and all controls of it",
        |bencher| {
            bencher.iter(|| {
                at += 1;
                let (_, mut one) = workloads(&facts(std::iter::once(object(at % OBJECTS))));
                let fact = one.pop().expect("there is one");
                full.put(&library, &kind, fact, Timestamp::UNIX_EPOCH);
                failing(&full)
            });
        },
    );
    group.finish();
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

criterion_group!(benches, posture, standing);
criterion_main!(benches);
