//! Manifests as people write them, and the objects of a cluster: all become facts.

use jiff::Timestamp;
use seareeve_kubernetes::{Change, Kind, Label, State, documents, snapshot};
use seareeve_model::Snapshot;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "kubernetes_documents",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("kubernetes_documents"),
    words: &[
        "\n---\n",
        "apiVersion: v1\n",
        "apiVersion: apps/v1\n",
        "apiVersion: rbac.authorization.k8s.io/v1\n",
        "kind: Pod\n",
        "kind: List\nitems:\n- ",
        "kind: Deployment\n",
        "kind: ClusterRoleBinding\n",
        "metadata: {name: a, namespace: kube-system, uid: u}\n",
        "metadata: {ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: a, uid: u, controller: true}]}\n",
        "annotations: {kubernetes.io/config.mirror: x}\n",
        "spec: {template: {spec: {containers: [{name: a, image: \"b:1\"}]}}}\n",
        "command: [kube-apiserver, --anonymous-auth=false]\n",
        "securityContext: {privileged: true}\n",
        "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n",
        "roleRef: {kind: ClusterRole, name: a}\n",
        "subjects: [{kind: ServiceAccount, name: a, namespace: b}]\n",
        "aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\n",
        "env: [{name: DB_PASSWORD, value: a}]\n",
        "&a ",
        "*a",
        "<<: ",
        "1e999",
    ],
};

fn run(input: &[u8]) {
    let mut manifests = State::new(Kind::Manifests);
    let mut cluster = State::new(Kind::Cluster);
    for object in documents("a.yaml", input).objects {
        manifests.add(object.clone());
        cluster.apply(Change::Put(object));
    }
    for state in [&manifests, &cluster] {
        let label = || Label {
            asset_id: "a".to_owned(),
            asset_name: "a".to_owned(),
            collected_at: Timestamp::UNIX_EPOCH,
            collector: "fuzz".to_owned(),
            source: "a".to_owned(),
        };
        let facts = snapshot(state, label());
        assert_eq!(facts, snapshot(state, label()));
        unique(&facts);
    }
}

fn unique(facts: &Snapshot) {
    for (kind, facts) in &facts.facts {
        let mut ids: Vec<&str> = facts.items.iter().map(|fact| fact.id.as_str()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{kind} has an id twice");
    }
}
