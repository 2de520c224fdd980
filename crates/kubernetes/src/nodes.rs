//! What nodes tell of themselves, beside what their cluster's API tells: which node belongs to which cluster, and one
//! snapshot made of both.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use serde_json::Value;

use crate::json::{text, texts};

/// The kinds of facts that a node tells of itself and that count for its cluster.
pub const NODE_KINDS: [&str; 7] = [
    "kubernetes.etcd",
    "kubernetes.kube-apiserver",
    "kubernetes.kube-controller-manager",
    "kubernetes.kube-proxy",
    "kubernetes.kube-scheduler",
    "kubernetes.kubelet",
    "kubernetes.node-file",
];

/// Those of which every node has something to tell.
const ON_EACH_NODE: [&str; 3] = [
    "kubernetes.kube-proxy",
    "kubernetes.kubelet",
    "kubernetes.node-file",
];

/// Most nodes that are named where some are missing.
const MAX_NAMED: usize = 20;

/// What became of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The names of those whose facts are in the cluster's now.
    pub nodes: BTreeSet<String>,
    /// Linux nodes that the API knows and that have told nothing.
    pub missing: BTreeSet<String>,
    /// By the machine's name, why it is none of the cluster's nodes.
    pub strangers: BTreeMap<String, Stranger>,
}

/// Why a machine is no node of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// It has no `kubernetes.membership`.
    #[error("it is no node")]
    NoNode,
    /// It says another cluster's uid.
    #[error("it belongs to another cluster")]
    OtherCluster,
    /// Neither uid nor authority says that it belongs to this one.
    #[error("neither the cluster's uid nor its authority says that it belongs to it")]
    Unknown,
    /// The API has no node of its name.
    #[error("the cluster has no node of that name")]
    NoSuchNode,
    /// Another machine says the same name, and its facts are newer.
    #[error("another machine with newer facts says the same node")]
    Older,
}

/// The name of the node that `machine` is of `cluster`.
///
/// # Errors
/// Why it is none.
pub fn belongs(cluster: &Snapshot, machine: &Snapshot) -> Result<String, Stranger> {
    let item = |snapshot: &Snapshot, kind: &str| {
        let facts = snapshot
            .facts
            .iter()
            .find(|(known, _)| known.as_str() == kind);
        facts.and_then(|(_, facts)| facts.items.first().map(|fact| fact.data.clone()))
    };
    let Some(told) = item(machine, "kubernetes.membership") else {
        return Err(Stranger::NoNode);
    };
    let about = item(cluster, "kubernetes.cluster").unwrap_or_default();
    let node = text(&told, "/node").unwrap_or_default();
    match text(&told, "/cluster_uid") {
        // Nodes come and go: one that says the uid belongs, whether the API has heard of it or not.
        Some(uid) if uid == cluster.asset_id => return Ok(node.to_owned()),
        Some(_) => return Err(Stranger::OtherCluster),
        None => {}
    }
    let known: BTreeSet<&str> = texts(&about, "/authorities").collect();
    if !texts(&told, "/authorities").any(|own| known.contains(own)) {
        return Err(Stranger::Unknown);
    }
    let has_node = nodes(cluster).any(|(name, _)| name == node);
    has_node
        .then(|| node.to_owned())
        .ok_or(Stranger::NoSuchNode)
}

/// Puts the facts of machines into those of their cluster. Those that do not belong to it change nothing.
pub fn join(cluster: &mut Snapshot, machines: &[Snapshot]) -> Joined {
    let mut joined = Joined::default();
    let mut newest: BTreeMap<String, &Snapshot> = BTreeMap::new();
    for machine in machines {
        let name = machine.asset_name.clone();
        match belongs(cluster, machine) {
            Err(why) => {
                joined.strangers.insert(name, why);
            }
            Ok(node) => {
                let before = newest.get(&node);
                if before.is_some_and(|before| before.collected_at >= machine.collected_at) {
                    joined.strangers.insert(name, Stranger::Older);
                } else if let Some(before) = newest.insert(node, machine) {
                    let name = before.asset_name.clone();
                    joined.strangers.insert(name, Stranger::Older);
                }
            }
        }
    }
    if newest.is_empty() {
        return joined;
    }
    joined.missing = nodes(cluster)
        .filter(|(name, os)| *os == "linux" && !newest.contains_key(*name))
        .map(|(name, _)| name.to_owned())
        .collect();
    for kind in NODE_KINDS {
        let kind = FactKind::new(kind).expect("the kinds are constants of that form");
        let before = cluster.facts.remove(&kind);
        let facts = merged(&kind, before, &newest, &joined.missing);
        cluster.facts.insert(kind, facts);
    }
    joined.nodes = newest.into_keys().collect();
    joined
}

/// The facts of one kind: of the API, with those of nodes in place of what it told of the same.
fn merged(
    kind: &FactKind,
    before: Option<Collection>,
    machines: &BTreeMap<String, &Snapshot>,
    missing: &BTreeSet<String>,
) -> Collection {
    let was = before
        .as_ref()
        .map(|before| (before.status, before.detail.clone()));
    let mut sources: BTreeSet<String> = BTreeSet::new();
    let mut items: BTreeMap<String, Fact> = BTreeMap::new();
    let mut troubles: Vec<(CollectionStatus, String)> = Vec::new();
    if let Some(before) = before {
        sources.insert(before.source);
        items.extend(before.items.into_iter().map(|fact| (fact.id.clone(), fact)));
    }
    for (node, machine) in machines {
        let Some(told) = machine.facts.get(kind) else {
            let why = format!("{node} did not tell of it");
            troubles.push((CollectionStatus::Error, why));
            continue;
        };
        sources.insert(format!("{node}: {}", told.source));
        items.extend(
            told.items
                .iter()
                .map(|fact| (fact.id.clone(), fact.clone())),
        );
        if !matches!(told.status, CollectionStatus::Ok | CollectionStatus::Absent) {
            let detail = told.detail.as_deref().unwrap_or_default();
            troubles.push((told.status, format!("{node}: {detail}")));
        }
    }
    if ON_EACH_NODE.contains(&kind.as_str()) && !missing.is_empty() {
        let named: Vec<&str> = missing.iter().map(String::as_str).take(MAX_NAMED).collect();
        let rest = missing.len().saturating_sub(named.len());
        let mut why = format!("no facts came from {}", named.join(", "));
        if rest > 0 {
            why.push_str(&format!(" and {rest} others"));
        }
        troubles.push((CollectionStatus::Unsupported, why));
    }
    if items.is_empty() && troubles.is_empty() {
        if kind.as_str() == "kubernetes.kube-proxy" {
            let why = "no node runs a kube-proxy".to_owned();
            troubles.push((CollectionStatus::Absent, why));
        } else {
            // A control plane that runs elsewhere: what the API said of it still holds.
            let (status, detail) = was.unwrap_or((CollectionStatus::Unsupported, None));
            let status = match status {
                CollectionStatus::Ok => CollectionStatus::Unsupported,
                other => other,
            };
            troubles.push((status, detail.unwrap_or_default()));
        }
    }
    let status = troubles.iter().map(|(status, _)| *status).max();
    let details: Vec<String> = troubles.into_iter().map(|(_, why)| why).collect();
    Collection {
        status: status.unwrap_or(CollectionStatus::Ok),
        detail: (!details.is_empty()).then(|| details.join("; ")),
        source: sources.into_iter().collect::<Vec<_>>().join(", "),
        items: items.into_values().collect(),
    }
}

/// The names of the nodes that the API told of, and their systems.
fn nodes(cluster: &Snapshot) -> impl Iterator<Item = (&str, &str)> {
    let facts = cluster.facts.iter();
    facts
        .filter(|(kind, _)| kind.as_str() == "kubernetes.node")
        .flat_map(|(_, facts)| &facts.items)
        .filter_map(|fact| {
            let os = fact.data.get("os").and_then(Value::as_str);
            Some((text(&fact.data, "/name")?, os.unwrap_or("linux")))
        })
}

#[cfg(test)]
mod tests;
