//! A whole cluster, the lab's and made ones; and what changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::{KINDS, Label, NotRead, documents, snapshot};

/// The snapshot of the lab cluster, if the shared data is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let folder = PathBuf::from(root).join("data/kubernetes");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(
        !required,
        "shared data is required, and is not at {}",
        folder.display()
    );
    #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
    {
        println!("NOT RUN: shared data is not at {}", folder.display());
    }
    None
}

fn lab() -> Option<State> {
    let packed = std::fs::read(shared()?.join("objects.json.zst")).unwrap();
    let content = zstd::decode_all(packed.as_slice()).unwrap();
    let found = documents("lab", &content);
    assert_eq!(found.troubles, []);
    let mut state = State::new(Kind::Cluster);
    for mut object in found.objects {
        object.origin = None;
        state.apply(Change::Put(object));
    }
    Some(state)
}

fn kind(kind: &str) -> FactKind {
    FactKind::new(kind).unwrap()
}

fn put(value: Value) -> Change {
    Change::Put(Object::read(value, None).unwrap())
}

fn ids(touched: &BTreeSet<FactKey>) -> Vec<String> {
    touched
        .iter()
        .map(|key| format!("{} {}", key.kind(), key.id()))
        .collect()
}

#[test]
fn the_labs_objects_become_facts() {
    let Some(state) = lab() else {
        return;
    };
    let counts: BTreeMap<&str, usize> = KINDS
        .into_iter()
        .map(|name| (name, state.facts(&kind(name)).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    insta::assert_json_snapshot!(counts);
    for name in KINDS {
        for fact in state.facts(&kind(name)) {
            assert!(!fact.id.is_empty() && !fact.name.is_empty());
            assert!(!has_null(&fact.data), "{} {}", name, fact.id);
            let text = fact.data.to_string();
            assert!(!text.contains("managedFields") && !text.contains("last-applied"));
        }
    }
    let coredns = state
        .facts(&kind("kubernetes.workload"))
        .find(|fact| fact.id == "Deployment/kube-system/coredns")
        .unwrap();
    assert_eq!(coredns.data["pods"]["running"], 1);
    assert_eq!(coredns.data["images"][0]["registry"], "k8s.gcr.io");
    assert_eq!(coredns.data["images"][0]["tag"], "1.7.0");
    let debugger = state
        .facts(&kind("kubernetes.workload"))
        .find(|fact| fact.name.starts_with("node-debugger"))
        .unwrap();
    assert_eq!(
        debugger.data["effective"]["pod"]["hostPID"],
        json!({"value": true, "source": "pod"})
    );
    let masters = state.fact(&FactKey::Subject(Subject::Group(
        "system:masters".to_owned(),
    )));
    let masters = masters.unwrap().data;
    assert_eq!(
        masters["can"]["everything"][0]["binding"],
        "ClusterRoleBinding/cluster-admin"
    );
    let label = Label {
        asset_id: state.uid().unwrap(),
        asset_name: "lab".to_owned(),
        collected_at: jiff::Timestamp::UNIX_EPOCH,
        collector: "test".to_owned(),
        source: "lab".to_owned(),
    };
    let whole = snapshot(&state, label);
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(
        serde_json::from_str::<seareeve_model::Snapshot>(&text).unwrap(),
        whole
    );
    assert_eq!(
        whole.facts[&kind("kubernetes.secret")].status,
        CollectionStatus::Unsupported
    );
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("d-{name}")},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": {
            "serviceAccountName": "runner",
            "containers": [{"name": "c", "image": image, "env": [
                {"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "MODE", "value": "fast"}, {"name": "REF", "value": "$(MODE)"},
            ]}],
        }}},
    })
}

fn replica_set(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": format!("{name}-1"), "namespace": "shop", "uid": format!("r-{name}"), "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": format!("d-{name}"), "controller": true},
        ]},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}},
    })
}

fn pod(of: &str, name: &str, containers: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{of}-1"), "uid": format!("r-{of}"), "controller": true},
        ]},
        "spec": {"serviceAccountName": "runner", "containers": containers},
        "status": {"phase": "Running", "containerStatuses": [
            {"image": "docker.io/library/x:1", "imageID": "docker.io/library/x@sha256:ab"},
        ]},
    })
}

#[test]
fn pods_are_counted_at_their_controller_unless_they_depart_from_it() {
    let mut state = State::new(Kind::Cluster);
    let workloads = |state: &State| -> Vec<String> {
        let facts = state.facts(&kind("kubernetes.workload"));
        facts.map(|fact| fact.id).collect()
    };
    // The order in which things come does not matter.
    let plain = json!([{"name": "c", "image": "x"}]);
    state.apply(put(pod("web", "web-1-a", plain.clone())));
    assert_eq!(workloads(&state), ["Pod/shop/web-1-a"]);
    let touched = state.apply(put(replica_set("web")));
    assert_eq!(
        ids(&touched),
        [
            "kubernetes.service-account ServiceAccount/shop/default",
            "kubernetes.workload ReplicaSet/shop/web-1",
            "kubernetes.workload Pod/shop/web-1-a",
        ]
    );
    assert_eq!(workloads(&state), ["ReplicaSet/shop/web-1"]);
    state.apply(put(deployment("web", "x:1")));
    assert_eq!(workloads(&state), ["Deployment/shop/web"]);
    let injected = json!([
        {"name": "c", "image": "x", "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}},
        {"name": "proxy", "image": "y"},
    ]);
    state.apply(put(pod("web", "web-1-b", injected.clone())));
    let touched = state.apply(put(pod("web", "web-1-c", injected)));
    let departed: Vec<&FactKey> = touched
        .iter()
        .filter(|key| matches!(key, FactKey::Departed(..)))
        .collect();
    assert_eq!(departed.len(), 1);
    let fact = state.fact(departed[0]).unwrap();
    assert_eq!(fact.name, "web-1-b");
    assert_eq!(fact.data["controller"], "Deployment/shop/web");
    assert_eq!(
        fact.data["departs"],
        json!(["capability NET_ADMIN in c", "container proxy"])
    );
    assert_eq!(fact.data["pods"]["total"], 2);
    let whole = state
        .facts(&kind("kubernetes.workload"))
        .find(|fact| fact.id == "Deployment/shop/web")
        .unwrap();
    assert_eq!(
        whole.data["pods"],
        json!({"total": 3, "running": 3, "images": [{"image": "docker.io/library/x:1", "digest": "sha256:ab"}]})
    );
    // One of the same name that is another is no owner.
    let mut other = deployment("web", "x:1");
    other["metadata"]["uid"] = "another".into();
    state.apply(put(other));
    assert_eq!(
        workloads(&state)
            .into_iter()
            .filter(|id| !id.contains("departed"))
            .collect::<Vec<_>>(),
        ["Deployment/shop/web", "ReplicaSet/shop/web-1"]
    );
}

#[test]
fn what_is_secret_does_not_stay() {
    let mut state = State::new(Kind::Manifests);
    let mut workload = deployment("web", "https://user:hunter2@example.org/x");
    workload["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": "hunter2",
        "example.org/api-token": "hunter2",
        "long": "x".repeat(2_000),
    });
    workload["spec"]["template"]["spec"]["containers"][0]["args"] =
        json!(["--password", "hunter2"]);
    workload["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = json!({
        "httpGet": {"httpHeaders": [{"name": "X", "value": "hunter2"}]},
        "exec": {"command": ["sh", "-c", "check --token=hunter2"]},
    });
    for object in [
        workload,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "hunter2"}, "data": {"l": "aHVudGVyMg=="}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "hunter2"}}),
    ] {
        state.add(Object::read(object, None).unwrap());
    }
    let all: Vec<seareeve_model::Fact> = KINDS
        .into_iter()
        .flat_map(|name| state.facts(&kind(name)).collect::<Vec<_>>())
        .collect();
    let text = serde_json::to_string(&all).unwrap();
    assert!(
        !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
        "{text}"
    );
    assert!(
        state
            .objects
            .values()
            .all(|entry| !entry.text.contains("hunter2"))
    );
    let fact = all
        .iter()
        .find(|fact| fact.id == "Deployment/shop/web")
        .unwrap();
    assert_eq!(
        fact.data["inline_credentials"],
        json!([{"container": "c", "name": "DB_PASSWORD"}])
    );
    assert_eq!(
        fact.data["spec"]["containers"][0]["env"][2]["value"],
        "$(MODE)"
    );
    assert_eq!(fact.data["object"]["annotations"]["long"], "[2000 bytes]");
    let secret = all.iter().find(|fact| fact.id == "Secret/s").unwrap();
    assert_eq!(secret.data["keys"], json!(["k", "l"]));
}

#[test]
fn manifests_keep_objects_of_one_name_apart() {
    let mut state = State::new(Kind::Manifests);
    for image in ["x:1", "x:2"] {
        state.add(Object::read(deployment("web", image), None).unwrap());
    }
    let found: Vec<(String, Value)> = state
        .facts(&kind("kubernetes.workload"))
        .map(|fact| (fact.id, fact.data["images"][0]["tag"].clone()))
        .collect();
    assert_eq!(
        found,
        [
            ("Deployment/shop/web".to_owned(), json!("1")),
            ("Deployment/shop/web~2".to_owned(), json!("2")),
        ]
    );
}

#[test]
fn a_change_of_a_service_account_touches_its_workloads() {
    let mut state = State::new(Kind::Cluster);
    state.apply(put(deployment("web", "x:1")));
    state.apply(put(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"},
    })));
    let account = |automount: bool| {
        put(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": automount,
            "metadata": {"name": "runner", "namespace": "shop"},
        }))
    };
    let token = |state: &State| {
        let mut facts = state.facts(&kind("kubernetes.workload"));
        facts.next().unwrap().data["effective"]["pod"]["automountServiceAccountToken"].clone()
    };
    assert_eq!(token(&state), Value::Null);
    let touched = state.apply(account(false));
    assert_eq!(
        ids(&touched),
        [
            "kubernetes.namespace Namespace/shop",
            "kubernetes.service-account ServiceAccount/shop/runner",
            "kubernetes.workload Deployment/shop/web",
        ]
    );
    assert_eq!(
        token(&state),
        json!({"value": false, "source": "service-account"})
    );
    assert_eq!(state.apply(account(false)), BTreeSet::new());
    let fact = state
        .facts(&kind("kubernetes.service-account"))
        .next()
        .unwrap();
    assert_eq!(fact.data["used_by"], json!(["Deployment/shop/web"]));
    let fact = state.facts(&kind("kubernetes.namespace")).next().unwrap();
    assert_eq!(fact.data["counts"]["service-account"], 1);
    assert_eq!(fact.data["counts"]["workload"], 1);
}

#[test]
fn gaps_are_said_with_what_is_there() {
    let mut state = State::new(Kind::Cluster);
    state.apply(put(deployment("web", "x:1")));
    let gap = |status, detail: &str| {
        Some(Gap {
            status,
            detail: detail.to_owned(),
        })
    };
    state.set_gap(
        Resource::CronJob,
        gap(CollectionStatus::Denied, "list cronjobs.batch"),
    );
    state.set_gap(
        Resource::Gateway,
        gap(CollectionStatus::Absent, "no such resource"),
    );
    state.set_gap(
        Resource::CiliumNetworkPolicy,
        gap(CollectionStatus::Absent, "no such resource"),
    );
    // Several resources of one kind of fact, which are away for the same reason.
    for resource in [Resource::Role, Resource::ClusterRole] {
        state.set_gap(resource, gap(CollectionStatus::Error, "nobody answers"));
    }
    let status = |name: &str| {
        let found = state.collection(&kind(name), "x");
        (found.status, found.detail)
    };
    assert_eq!(
        status("kubernetes.role"),
        (CollectionStatus::Error, Some("nobody answers".to_owned()))
    );
    assert_eq!(
        status("kubernetes.workload"),
        (
            CollectionStatus::Denied,
            Some("list cronjobs.batch".to_owned())
        )
    );
    assert_eq!(
        status("kubernetes.gateway"),
        (
            CollectionStatus::Absent,
            Some("no such resource".to_owned())
        )
    );
    assert_eq!(
        status("kubernetes.network-policy"),
        (CollectionStatus::Ok, None)
    );
    assert_eq!(
        status("kubernetes.kubelet").0,
        CollectionStatus::Unsupported
    );
}

#[test]
fn objects_of_other_kinds_and_shapes_are_told_apart() {
    for (value, wanted) in [
        (
            json!(3),
            "it is no object of Kubernetes: it has no kind or no apiVersion",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}}),
            "it is no object of Kubernetes: it has no name",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 7}}),
            "it is no object of Kubernetes: its name or namespace is no text: to YAML, words such as n, y and on are truth values",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": false}}),
            "it is no object of Kubernetes: its name or namespace is no text: to YAML, words such as n, y and on are truth values",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": ["no map"]}),
            "it is no object of Kubernetes: its pod spec is no map",
        ),
        (
            json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a"}, "template": 7}),
            "it is no object of Kubernetes: its pod template is no map",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": {"name": "x"}}}),
            "it is no object of Kubernetes: its containers are no list of maps",
        ),
        (
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"},
                "spec": {"template": {"spec": {"initContainers": [{"name": "x"}, "y"]}}}}),
            "it is no object of Kubernetes: its containers are no list of maps",
        ),
        (
            json!({"apiVersion": "x/v1", "kind": "Y", "metadata": {"name": "z"}}),
            "no facts are made from objects of kind Y (x/v1)",
        ),
    ] {
        let error: NotRead = Object::read(value, None).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    // The API would refuse this; it must not hurt.
    let odd = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "odd", "labels": [], "ownerReferences": {}},
        "spec": {"template": {"spec": {"volumes": "none", "initContainers": [{"securityContext": []}]}}},
    });
    let mut state = State::new(Kind::Cluster);
    state.apply(put(odd));
    let fact = state.facts(&kind("kubernetes.workload")).next().unwrap();
    assert_eq!(
        fact.data["effective"]["containers"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
