//! Machines with a sensor that are nodes of a cluster: their facts beside what its API told.
//!
//! They stay with their machine. Whether one is a node of the cluster is for `seareeve_kubernetes::belongs` to say,
//! which `docs/reference/facts-kubernetes.md` puts in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use seareeve_kubernetes::NODE_KINDS;
use seareeve_model::{FactKind, Snapshot};
use seareeve_store::clusters::{self, Membership, Node};
use seareeve_store::{AssetId, assets};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::model::Model;
use crate::posture;
use crate::state::App;

/// The kind by which a machine says that it is a node.
const MEMBERSHIP: &str = "kubernetes.membership";

/// A machine that says that it is a node, with what it says of Kubernetes.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) digest: String,
    pub(super) snapshot: Snapshot,
}

/// What a machine's facts say of it as a node; nothing when it is none.
pub(crate) fn membership(snapshot: &Snapshot) -> anyhow::Result<Option<Membership>> {
    let kind = FactKind::new(MEMBERSHIP)?;
    let item = snapshot
        .facts
        .get(&kind)
        .and_then(|facts| facts.items.first());
    let Some(fact) = item else {
        return Ok(None);
    };
    let text = |name: &str| fact.data.get(name).and_then(Value::as_str);
    let authorities = fact.data.get("authorities").and_then(Value::as_array);
    let authorities = authorities.into_iter().flatten();
    let told = of_nodes(snapshot);
    let hash = Sha256::digest(serde_json::to_vec(&told)?);
    Ok(Some(Membership {
        node: text("node").unwrap_or_default().to_owned(),
        cluster_uid: text("cluster_uid").map(str::to_owned),
        authorities: authorities
            .filter_map(Value::as_str)
            .take(100)
            .map(str::to_owned)
            .collect(),
        digest: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    }))
}

/// Only what counts for a cluster.
fn of_nodes(snapshot: &Snapshot) -> BTreeMap<&FactKind, &seareeve_model::Collection> {
    let is_of_node =
        |kind: &FactKind| kind.as_str() == MEMBERSHIP || NODE_KINDS.contains(&kind.as_str());
    let facts = snapshot.facts.iter();
    facts.filter(|(kind, _)| is_of_node(kind)).collect()
}

/// Reads the machines that may be nodes of the model's cluster, those anew whose facts changed. Returns whether any
/// did, and all of them.
pub(super) async fn read(app: &Arc<App>, model: &mut Model) -> anyhow::Result<(bool, Vec<Node>)> {
    let nodes = clusters::nodes(&app.store).await?;
    let candidates: Vec<Node> = nodes
        .into_iter()
        .filter(|node| model.may_have(&node.membership))
        .collect();
    let known: Vec<AssetId> = candidates.iter().map(|node| node.host).collect();
    let before = model.machines.len();
    model.machines.retain(|host, _| known.contains(host));
    let mut is_new = model.machines.len() != before;
    for node in &candidates {
        let digest = &node.membership.digest;
        let is_known = model.machines.get(&node.host);
        if is_known.is_some_and(|machine| machine.digest == *digest) {
            continue;
        }
        let Some(facts) = assets::facts(&app.store, node.host).await? else {
            continue;
        };
        let unpacking = move || {
            let mut snapshot = posture::unpack(&facts.content)?;
            let wanted: Vec<FactKind> = of_nodes(&snapshot).into_keys().cloned().collect();
            snapshot.facts.retain(|kind, _| wanted.contains(kind));
            anyhow::Ok(snapshot)
        };
        let snapshot = tokio::task::spawn_blocking(unpacking)
            .await?
            .with_context(|| format!("failed to read what {} says", node.host_name))?;
        let machine = Machine {
            digest: digest.clone(),
            snapshot,
        };
        model.machines.insert(node.host, machine);
        is_new = true;
    }
    Ok((is_new, candidates))
}
