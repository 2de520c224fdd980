//! What judging costs: all of CIS Docker on a host with very many containers, and parsing all checks once.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use seareeve_posture::{Library, Statements, assess, assess_all};
use serde_json::{Value, json};

const CONTAINERS: usize = 500;

fn snapshot() -> Snapshot {
    let daemon = json!({
        "engine": "docker", "local": true, "rootless": false, "userns_remap": false,
        "security": {"apparmor": true, "selinux": false, "no_new_privileges": false, "seccomp": "default"},
        "info": {"Driver": "overlay2", "Swarm": {"LocalNodeState": "inactive"}}, "hosts": [], "effective": {},
        "unresolved": {}, "conflicts": [], "data_root": {"path": "/var/lib/docker"},
    });
    let containers = (0..CONTAINERS).map(|number| fact(&format!("c{number}"), container(number)));
    let facts = [
        ("docker.daemon", vec![fact("e1", daemon)]),
        ("docker.container", containers.collect()),
        ("docker.image", Vec::new()),
        ("docker.network", Vec::new()),
        (
            "host",
            vec![fact(
                "h",
                json!({
                    "managed": {"is": false, "by": "", "reason": ""}, "selinux": {"enabled": false, "enforcing": false},
                    "apparmor": true, "content_trust": [],
                }),
            )],
        ),
        ("host.file", Vec::new()),
    ];
    let facts = facts.map(|(kind, items)| {
        let kind = FactKind::new(kind).expect("a kind of ours");
        (kind, Collection::of("bench", items))
    });
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "docker-host".to_owned(),
        asset_id: "a".to_owned(),
        asset_name: "a".to_owned(),
        collected_at: Timestamp::UNIX_EPOCH,
        collector: "bench".to_owned(),
        facts: BTreeMap::from(facts),
    }
}

fn fact(id: &str, data: Value) -> Fact {
    Fact {
        id: id.to_owned(),
        name: id.to_owned(),
        data,
    }
}

/// Every second one is as it should be.
fn container(number: usize) -> Value {
    let is_bad = number % 2 == 1;
    let mount =
        json!({"type": "bind", "host_path": "/etc/app", "destination": "/etc/app", "rw": true});
    json!({
        "engine": "e1", "State": {"Status": "running", "Health": {"Status": "healthy"}}, "ProcessLabel": "",
        "Config": {"Healthcheck": {"Test": ["CMD", "true"]}},
        "HostConfig": {
            "Privileged": is_bad, "NetworkMode": "app", "PidMode": if is_bad { "host" } else { "" }, "IpcMode": "private",
            "UTSMode": "", "UsernsMode": "", "Memory": 1_000_000, "NanoCpus": 1, "PidsLimit": 100, "CgroupParent": "",
            "ReadonlyRootfs": !is_bad, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}, "Ulimits": [],
            "Devices": [], "DeviceCgroupRules": [], "DeviceRequests": [],
        },
        "security": {
            "apparmor": "docker-default", "seccomp": "default", "seccomp_from": "daemon", "no_new_privileges": true,
            "selinux_disabled": false,
        },
        "capabilities": {"added": [], "dropped": ["ALL"], "granted": if is_bad { json!(["SYS_ADMIN"]) } else { json!([]) }},
        "mounts": if is_bad { json!([mount]) } else { json!([]) }, "ports": [], "networks": [], "processes": [], "env": [],
        "user": {"name": "1000", "uid": 1000, "is_root": false, "source": "number"},
        "image": {"reference": "app:1", "tag": "1", "digest": ""},
    })
}

fn host(criterion: &mut Criterion) {
    let library = Library::builtin();
    let benchmark = library
        .benchmark("cis-docker", None)
        .expect("it is built in");
    let snapshot = snapshot();
    let statements = Statements::default();
    criterion.bench_function("assess/500-containers", |bencher| {
        bencher.iter(|| {
            let now = Timestamp::UNIX_EPOCH;
            black_box(assess(&library, benchmark, &snapshot, &statements, now))
        });
    });
    criterion.bench_function("assess/500-containers-all-editions", |bencher| {
        bencher.iter(|| {
            let now = Timestamp::UNIX_EPOCH;
            let editions = library
                .benchmarks()
                .filter(|benchmark| benchmark.id == "cis-docker");
            black_box(assess_all(&library, editions, &snapshot, &statements, now))
        });
    });
    criterion.bench_function("assess/load-library", |bencher| {
        bencher.iter(|| black_box(Library::builtin()));
    });
}

criterion_group!(benches, host);
criterion_main!(benches);
