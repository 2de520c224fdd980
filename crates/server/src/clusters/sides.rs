//! The other side of a cluster: what its cloud knows of it. Both are one asset, judged together, as soon as something
//! says that they are one cluster, or somebody does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_collect::azure::{Known, Likeness as Alike, likeness};
use seareeve_model::{Collection, Digest, FactKind, Snapshot};
use seareeve_store::assets::{self, HealthState, Judged};
use seareeve_store::clusters::{self, CloudCluster, CloudIdentity, Cluster, Likeness, Side};
use seareeve_store::scores::Cause;
use seareeve_store::{AssetId, SeverityCounts, StoreError, Tx, environments};
use serde_json::Value;

use super::model::Model;
use crate::jobs;
use crate::posture::{self, Content};
use crate::state::App;

/// The kind of fact that says that an asset is a cluster of a cloud.
const CLOUD_CLUSTER: &str = "azure.cluster";

/// What a cloud tells of a cluster.
#[derive(Debug)]
pub(super) struct CloudSide {
    /// The asset that it is by itself.
    pub(super) asset: AssetId,
    digest: Digest,
    pub(super) facts: BTreeMap<FactKind, Collection>,
}

/// What became of it since it was looked at last.
#[derive(Debug)]
pub(super) enum Told {
    /// It says the same.
    Same,
    /// It says something else.
    New(CloudSide),
    /// No connection tells of the cluster.
    Nothing,
}

/// By what an asset of a cloud is known again from within; nothing when it is no cluster.
pub(crate) fn identity(snapshot: &Snapshot) -> Option<CloudIdentity> {
    let kind = FactKind::new(CLOUD_CLUSTER).ok()?;
    if snapshot.asset_kind != clusters::KIND {
        return None;
    }
    let own = &snapshot.facts.get(&kind)?.items.first()?.data;
    let text = |pointer: &str| own.pointer(pointer).and_then(Value::as_str);
    let names = own.get("endpoints").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    let version = text("/properties/currentKubernetesVersion");
    Some(CloudIdentity {
        node_group: text("/node_group").map(str::to_owned),
        endpoints: names.take(10).map(str::to_owned).collect(),
        version: version
            .or(text("/properties/kubernetesVersion"))
            .map(str::to_owned),
    })
}

/// What the other side of a cluster is: what somebody said, or what can be found.
pub(super) async fn find(
    app: &App,
    cluster: &Cluster,
    model: &Model,
    now: Timestamp,
) -> anyhow::Result<Option<Side>> {
    let sides = clusters::sides(&app.store).await?;
    let own = sides.iter().find(|side| side.cluster == cluster.asset);
    if let Some(said) = own.filter(|side| side.author.is_some()) {
        return Ok(Some(said.clone()));
    }
    let clouds = clusters::clouds(&app.store).await?;
    if clouds.is_empty() {
        return Ok(None);
    }
    let lost: BTreeSet<AssetId> = clusters::all(&app.store)
        .await?
        .into_iter()
        .filter(|one| one.trouble.is_some())
        .map(|one| one.asset)
        .collect();
    // Of two that say that they are the same cluster, the first one is, until it is no longer heard of: a cluster that
    // was made anew.
    let is_free = |cloud: &CloudCluster| {
        let taken = sides.iter().find(|side| side.cloud == Some(cloud.asset));
        taken.is_none_or(|side| {
            side.cluster == cluster.asset
                || (side.author.is_none()
                    && lost.contains(&side.cluster)
                    && cluster.trouble.is_none())
        })
    };
    let mut alike: Vec<(Alike, bool, AssetId)> = Vec::new();
    for cloud in &clouds {
        let is_own = own.is_some_and(|side| side.cloud == Some(cloud.asset));
        if let Some(alikeness) = compared(model, &cloud.identity)
            && is_free(cloud)
            && (alikeness != Alike::Label || is_only(&clouds, cloud))
        {
            // What it is already goes before what it may be as well.
            alike.push((alikeness, !is_own, cloud.asset));
        }
    }
    let best = alike.into_iter().min();
    let found = best.map(|(alikeness, _, cloud)| Side {
        cluster: cluster.asset,
        cloud: Some(cloud),
        how: match alikeness {
            Alike::Nodes => Likeness::Nodes,
            Alike::Address => Likeness::Address,
            Alike::Label => Likeness::Label,
        },
        author: None,
        since: now,
    });
    // A cluster without nodes says nothing against what it was.
    let is_silent = || model.nodes().is_empty();
    Ok(found.or_else(|| own.filter(|_| is_silent()).cloned()))
}

fn compared(model: &Model, identity: &CloudIdentity) -> Option<Alike> {
    let known = Known {
        node_group: identity.node_group.as_deref(),
        endpoints: &identity.endpoints,
    };
    let nodes = model.nodes().iter().map(|node| &node.data);
    let address = model.about("/endpoint").and_then(Value::as_str);
    likeness(known, nodes, address)
}

/// Whether no other cluster has a group of this name.
fn is_only(clouds: &[CloudCluster], one: &CloudCluster) -> bool {
    let name = |cloud: &CloudCluster| {
        let group = cloud.identity.node_group.as_deref()?;
        group.rsplit('/').next().map(str::to_owned)
    };
    let mut others = clouds.iter().filter(|other| other.asset != one.asset);
    others.all(|other| name(other) != name(one))
}

/// What the cloud tells of a cluster, beside what is `known`.
pub(super) async fn read(
    app: &Arc<App>,
    asset: Option<AssetId>,
    known: Option<&CloudSide>,
) -> anyhow::Result<Told> {
    let Some(asset) = asset else {
        return Ok(Told::Nothing);
    };
    let Some(facts) = assets::facts(&app.store, asset).await? else {
        return Ok(Told::Nothing);
    };
    let is_known = |known: &CloudSide| known.asset == asset && known.digest == facts.digest;
    if known.is_some_and(is_known) {
        return Ok(Told::Same);
    }
    let digest = facts.digest;
    let unpacking = tokio::task::spawn_blocking(move || posture::unpack(&facts.content));
    let snapshot = unpacking
        .await?
        .context("failed to read what a cloud says")?;
    Ok(Told::New(CloudSide {
        asset,
        digest,
        facts: snapshot.facts,
    }))
}

/// Saves what the other side of a cluster is: that is no asset of its own any more, and what was its other side before
/// is one again. Returns what of the score changes by it, and in which environments.
pub(crate) async fn save(
    tx: &mut Tx,
    content: &Content,
    cluster: AssetId,
    side: Option<&Side>,
    now: Timestamp,
) -> Result<(Vec<Cause>, BTreeSet<String>), StoreError> {
    let nothing_changes = (Vec::new(), BTreeSet::new());
    let before = clusters::side_in(tx, cluster).await?;
    let is_said = |side: &Side| side.author.is_some();
    if before.as_ref().is_some_and(is_said) && !side.is_some_and(is_said) {
        // Said after it was looked for: it is judged anew anyway.
        return Ok(nothing_changes);
    }
    let cloud = side.and_then(|side| side.cloud);
    let old = before.and_then(|side| side.cloud);
    if let Some(old) = old.filter(|old| Some(*old) != cloud) {
        jobs::enqueue_assess(tx, Some(old), now).await?;
    }
    let Some(side) = side else {
        clusters::unset_side(tx, cluster).await?;
        return Ok(nothing_changes);
    };
    if let Some(cloud) = cloud {
        let other = clusters::side_in(tx, cloud).await?;
        if let Some(other) = other.filter(|other| other.cluster != cluster) {
            jobs::enqueue_assess(tx, Some(other.cluster), now).await?;
        }
    }
    if !clusters::set_side(tx, side).await? {
        return Ok(nothing_changes);
    }
    let Some(cloud) = cloud else {
        return Ok(nothing_changes);
    };
    let mut differ = BTreeSet::new();
    if old != Some(cloud) {
        differ = environments::follow(tx, cluster, cloud).await?;
    }
    let (_, changed) = assets::save_judged(tx, cloud, &nothing(), now).await?;
    differ.extend(posture::scoring::count(tx, content, cloud).await?);
    let causes = changed
        .into_iter()
        .map(|change| posture::scoring::cause(cloud, change));
    Ok((causes.collect(), differ))
}

/// What is said of an asset that is judged as a part of another one.
pub(crate) fn nothing() -> Judged {
    Judged {
        controls: Vec::new(),
        objects: Vec::new(),
        health: Vec::new(),
        failed: SeverityCounts::default(),
        newest: BTreeSet::new(),
        state: HealthState::NotApplicable,
        reason: Some("it is judged together with what is seen from within the cluster".to_owned()),
    }
}

/// Has the clusters judged anew that an asset of a cloud may be the other side of, when what it says is new.
pub(crate) async fn enqueue_other(
    tx: &mut Tx,
    store: &seareeve_store::Store,
    cloud: AssetId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(side) = clusters::side_in(tx, cloud).await? {
        return jobs::enqueue_assess(tx, Some(side.cluster), now).await;
    }
    let joined: BTreeSet<AssetId> = clusters::sides(store)
        .await?
        .into_iter()
        .map(|side| side.cluster)
        .collect();
    for cluster in clusters::all(store).await? {
        if cluster.is_whole && !joined.contains(&cluster.asset) {
            jobs::enqueue_assess(tx, Some(cluster.asset), now).await?;
        }
    }
    Ok(())
}
