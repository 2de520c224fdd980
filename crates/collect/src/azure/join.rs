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
    let group = own.get("node_group").and_then(Value::as_str);
    let is_in_group = |node: &Value| {
        let id = node.get("provider_id").and_then(Value::as_str)?;
        let id = id.to_lowercase();
        let path = id.strip_prefix("azure://")?;
        Some(path.strip_prefix(group?)?.starts_with('/'))
    };
    let mut nodes = items(cluster, "kubernetes.node");
    if nodes.any(|node| is_in_group(node) == Some(true)) {
        return true;
    }
    let endpoint = first(cluster, "kubernetes.cluster")
        .and_then(|about| about.get("endpoint"))
        .and_then(Value::as_str)
        .and_then(host);
    let names = own.get("endpoints").and_then(Value::as_array);
    let mut names = names.into_iter().flatten().filter_map(Value::as_str);
    endpoint.is_some_and(|endpoint| names.any(|name| name.eq_ignore_ascii_case(&endpoint)))
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
