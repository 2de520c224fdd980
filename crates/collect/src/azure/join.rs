//! The same cluster seen from two sides: by Resource Manager, and by whoever runs in it.

use seareeve_model::{FactKind, Snapshot};
use serde_json::Value;

/// Why two snapshots are not of one cluster.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum JoinError {
    /// One of them is not of a cluster, or not from where it should be.
    #[error("{0} are no facts of a cluster {1}")]
    Kind(String, &'static str),
    /// Nothing says that they belong together.
    #[error(
        "{0} and {1} are not the same cluster: neither the group of its nodes nor the name of its API is the same"
    )]
    Different(String, String),
}

/// By what a cluster of Azure is known again from within.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The group that Azure keeps its nodes in, with its subscription, in lower case.
    pub node_group: Option<&'k str>,
    /// Names that Azure gave its API server.
    pub endpoints: &'k [String],
}

/// Why what is seen from within may be a cluster of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// A node lies in its group.
    Nodes,
    /// The API server is asked by a name of its own.
    Address,
    /// A node's label names a group of the same name, in whatever subscription: that is enough only where no other
    /// cluster has such a group.
    Label,
}

/// Why a cluster with these nodes, whose API server is asked at this address, may be one of Azure; nothing where it is
/// not.
pub fn likeness<'n>(
    known: Known<'_>,
    nodes: impl IntoIterator<Item = &'n Value>,
    address: Option<&str>,
) -> Option<Likeness> {
    let mut is_labelled = false;
    for node in nodes {
        let text = |name: &str| {
            let text = node.get(name).and_then(Value::as_str);
            text.map(str::to_lowercase)
        };
        let Some(group) = known.node_group else { break };
        // A node that says where it lies is asked for nothing else.
        if let Some(id) = text("provider_id") {
            let path = id.strip_prefix("azure://");
            let rest = path.and_then(|path| path.strip_prefix(group));
            if rest.is_some_and(|rest| rest.starts_with('/')) {
                return Some(Likeness::Nodes);
            }
        } else if let Some(label) = text("node_group") {
            is_labelled |= group.rsplit('/').next() == Some(label.as_str());
        }
    }
    let host = address.and_then(host);
    let mut names = known.endpoints.iter();
    if host.is_some_and(|host| names.any(|name| name.eq_ignore_ascii_case(&host))) {
        return Some(Likeness::Address);
    }
    is_labelled.then_some(Likeness::Label)
}

/// What both sides say of one cluster. It keeps the identity that the cluster itself has, the uid of its namespace
/// `kube-system`: the same cluster judged without Azure is the same asset.
///
/// They belong together when a node's `providerID` is within the group that Azure keeps the cluster's nodes in, or when
/// the API server is asked under a name that Azure gave it.
///
/// # Errors
/// When they do not belong together.
pub fn joined(azure: &Snapshot, cluster: &Snapshot) -> Result<Snapshot, JoinError> {
    let own = first(azure, "azure.cluster")
        .filter(|_| azure.asset_kind == "kubernetes-cluster")
        .ok_or(JoinError::Kind(azure.asset_name.clone(), "of Azure"))?;
    if first(cluster, "kubernetes.cluster").is_none() {
        let name = cluster.asset_name.clone();
        return Err(JoinError::Kind(name, "that was read from within"));
    }
    if !is_same(own, cluster) {
        return Err(JoinError::Different(
            azure.asset_name.clone(),
            cluster.asset_name.clone(),
        ));
    }
    let mut both = cluster.clone();
    for (kind, facts) in &azure.facts {
        both.facts
            .entry(kind.clone())
            .or_insert_with(|| facts.clone());
    }
    Ok(both)
}

fn is_same(own: &Value, cluster: &Snapshot) -> bool {
    let names = own.get("endpoints").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    let endpoints: Vec<String> = names.map(str::to_owned).collect();
    let known = Known {
        node_group: own.get("node_group").and_then(Value::as_str),
        endpoints: &endpoints,
    };
    let address = first(cluster, "kubernetes.cluster").and_then(|about| about.get("endpoint"));
    let found = likeness(
        known,
        items(cluster, "kubernetes.node"),
        address.and_then(Value::as_str),
    );
    matches!(found, Some(Likeness::Nodes | Likeness::Address))
}

fn host(address: &str) -> Option<String> {
    let uri: ureq::http::Uri = address.parse().ok()?;
    uri.host().map(str::to_owned)
}

fn items<'s>(snapshot: &'s Snapshot, kind: &str) -> impl Iterator<Item = &'s Value> {
    let kind = FactKind::new(kind).ok();
    let facts = kind.and_then(|kind| snapshot.facts.get(&kind));
    facts
        .into_iter()
        .flat_map(|facts| facts.items.iter().map(|fact| &fact.data))
}

fn first<'s>(snapshot: &'s Snapshot, kind: &str) -> Option<&'s Value> {
    items(snapshot, kind).next()
}
