use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use serde_json::{Value, json};

use super::{Stranger, belongs, join};

fn snapshot(id: &str, at: &str, facts: &[(&str, Value)]) -> Snapshot {
    let mut all: std::collections::BTreeMap<FactKind, Collection> = Default::default();
    for (kind, data) in facts {
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = match text("component") {
            "" => text("name").to_owned(),
            component => format!("{component}/{}", text("node")),
        };
        let facts = all
            .entry(FactKind::new(*kind).unwrap())
            .or_insert_with(|| Collection::of(id.clone(), Vec::new()));
        facts.items.push(Fact {
            name: id.clone(),
            id,
            data: data.clone(),
        });
    }
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "kubernetes-cluster".to_owned(),
        asset_id: id.to_owned(),
        asset_name: id.to_owned(),
        collected_at: at.parse().unwrap(),
        collector: "test".to_owned(),
        facts: all,
    }
}

const MONDAY: &str = "2026-01-05T00:00:00Z";
const TUESDAY: &str = "2026-01-06T00:00:00Z";

fn cluster() -> Snapshot {
    snapshot(
        "uid-1",
        MONDAY,
        &[
            ("kubernetes.cluster", json!({"authorities": ["aa", "bb"]})),
            ("kubernetes.node", json!({"name": "n1", "os": "linux"})),
            ("kubernetes.node", json!({"name": "n2"})),
            ("kubernetes.node", json!({"name": "w1", "os": "windows"})),
            (
                "kubernetes.kube-apiserver",
                json!({"component": "kube-apiserver", "node": "n1", "source": "pod"}),
            ),
        ],
    )
}

fn machine(name: &str, at: &str, membership: Value, facts: &[(&str, Value)]) -> Snapshot {
    let mut all = vec![("kubernetes.membership", membership)];
    all.extend_from_slice(facts);
    for kind in super::NODE_KINDS {
        if !facts.iter().any(|(known, _)| *known == kind) {
            all.push((kind, Value::Null));
        }
    }
    let mut machine = snapshot(name, at, &all);
    for facts in machine.facts.values_mut() {
        facts.items.retain(|fact| !fact.data.is_null());
        if facts.items.is_empty() {
            facts.status = CollectionStatus::Absent;
        }
    }
    machine
}

#[test]
fn a_machine_belongs_by_uid_or_by_authority_and_name() {
    let cluster = cluster();
    for (membership, expected) in [
        (json!({"node": "n9", "cluster_uid": "uid-1"}), Ok("n9")),
        (
            json!({"node": "n1", "cluster_uid": "uid-2", "authorities": ["aa"]}),
            Err(Stranger::OtherCluster),
        ),
        (json!({"node": "n1", "authorities": ["xx", "bb"]}), Ok("n1")),
        (
            json!({"node": "n9", "authorities": ["aa"]}),
            Err(Stranger::NoSuchNode),
        ),
        (
            json!({"node": "n1", "authorities": ["xx"]}),
            Err(Stranger::Unknown),
        ),
        (json!({"node": "n1"}), Err(Stranger::Unknown)),
    ] {
        let machine = machine("m", MONDAY, membership.clone(), &[]);
        let found = belongs(&cluster, &machine);
        assert_eq!(
            found.as_deref().map_err(|why| *why),
            expected,
            "{membership}"
        );
    }
    let none = snapshot("m", MONDAY, &[]);
    assert_eq!(belongs(&cluster, &none), Err(Stranger::NoNode));
}

#[test]
fn what_a_node_tells_counts_and_who_is_silent_is_said() {
    let told = |flag: &str| {
        [
            (
                "kubernetes.kube-apiserver",
                json!({"component": "kube-apiserver", "node": "n1", "source": "process"}),
            ),
            (
                "kubernetes.kubelet",
                json!({"component": "kubelet", "node": "n1", "flag": flag}),
            ),
        ]
    };
    let says = json!({"node": "n1", "cluster_uid": "uid-1"});
    let machines = [
        machine("new", TUESDAY, says.clone(), &told("new")),
        machine("old", MONDAY, says, &told("old")),
        machine("other", MONDAY, json!({"node": "n2"}), &[]),
    ];
    let mut joined = cluster();
    let result = join(&mut joined, &machines);
    assert_eq!(Vec::from_iter(&result.nodes), ["n1"]);
    assert_eq!(Vec::from_iter(&result.missing), ["n2"]);
    assert_eq!(result.strangers["old"], Stranger::Older);
    assert_eq!(result.strangers["other"], Stranger::Unknown);
    let facts = |kind: &str| &joined.facts[&FactKind::new(kind).unwrap()];
    let servers = facts("kubernetes.kube-apiserver");
    assert_eq!(servers.status, CollectionStatus::Ok);
    assert_eq!(servers.items.len(), 1);
    assert_eq!(servers.items[0].data["source"], "process");
    let kubelets = facts("kubernetes.kubelet");
    assert_eq!(kubelets.status, CollectionStatus::Unsupported);
    assert_eq!(kubelets.detail.as_deref(), Some("no facts came from n2"));
    assert_eq!(kubelets.items[0].data["flag"], "new");
    // Nobody saw one, but not everybody was asked.
    assert_eq!(
        facts("kubernetes.kube-proxy").status,
        CollectionStatus::Unsupported
    );
    assert_eq!(
        facts("kubernetes.etcd").status,
        CollectionStatus::Unsupported
    );
}

#[test]
fn where_all_nodes_told_nothing_is_missing() {
    let machines = ["n1", "n2"].map(|node| {
        let kubelet = json!({"component": "kubelet", "node": node});
        let says = json!({"node": node, "authorities": ["aa"]});
        machine(node, MONDAY, says, &[("kubernetes.kubelet", kubelet)])
    });
    let mut joined = cluster();
    let result = join(&mut joined, &machines);
    assert_eq!(result.missing.len(), 0);
    let status = |kind: &str| joined.facts[&FactKind::new(kind).unwrap()].status;
    assert_eq!(status("kubernetes.kubelet"), CollectionStatus::Ok);
    assert_eq!(status("kubernetes.kube-proxy"), CollectionStatus::Absent);
    // Joining the same again changes nothing.
    let before = joined.clone();
    join(&mut joined, &machines);
    assert_eq!(joined.facts.len(), before.facts.len());
    assert_eq!(
        joined.facts[&FactKind::new("kubernetes.kubelet").unwrap()].items,
        before.facts[&FactKind::new("kubernetes.kubelet").unwrap()].items
    );
}
