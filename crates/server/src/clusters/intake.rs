//! Facts of a cluster on their way into the store, from a sensor or from this server's own watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_kubernetes::KINDS;
use seareeve_model::{Collection, FactDelta, FactIndex, FactKind};
use seareeve_store::clusters::{self, Cluster, Key, NewCluster, NewFact};
use seareeve_store::image_uses::{self, Extent, NewUse};
use seareeve_store::sensors::Sensor;
use seareeve_store::{AssetId, StoreError, Tx};

use crate::jobs;
use crate::posture::{images, placing};
use crate::state::App;

/// Facts of one cluster at most.
const MOST_FACTS: u64 = 500_000;
/// Characters of all of them.
const MOST_CHARACTERS: u64 = 2 << 30;
/// Characters of an id or a name of a fact: a path of a node, a user of an identity provider.
const MOST_ID: usize = 2_000;
/// Characters of the data of one fact.
const MOST_CONTENT: usize = 16 << 20;
/// Characters of what a collection says of itself.
const MOST_DETAIL: usize = 20_000;
/// Characters of why a cluster cannot be seen.
const MOST_TROUBLE: usize = 1_000;
/// Changes after which the whole weight is looked at again.
const WEIGHED_FROM: usize = 50;

/// Who sends facts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender<'a> {
    /// A sensor, which speaks for one cluster only.
    Sensor(&'a Sensor),
    /// This server.
    Server,
}

/// What became of an index.
#[derive(Debug)]
pub(crate) struct Indexed {
    /// The cluster.
    pub(crate) asset: AssetId,
    /// See [`revision`].
    pub(crate) revision: String,
    /// Ids of what is to be sent.
    pub(crate) wanted: BTreeMap<FactKind, BTreeSet<String>>,
}

/// Why facts were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    /// The sender's fault.
    #[error("{0}")]
    Refused(String),
    /// The sensor speaks for another cluster.
    #[error(
        "this sensor sends facts of another cluster: join anew, with a token of its own for each cluster"
    )]
    Foreign,
    /// What is there is not what the changes go on from.
    #[error("there are other facts than these go on from: send an index first")]
    Stale,
    /// More than is kept of one cluster.
    #[error("the cluster has more facts than are kept of one")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What senders name a state of a cluster's facts by. The asset is part of it: a cluster that was forgotten and came
/// back begins to count anew.
fn revision(cluster: &Cluster) -> String {
    format!("{}-{}", cluster.asset, cluster.revision)
}

/// Takes in what facts there are, and says which are wanted.
pub(crate) async fn index(
    app: &Arc<App>,
    sender: Sender<'_>,
    index: &FactIndex,
) -> Result<Indexed, IntakeError> {
    check_index(index)?;
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let new = NewCluster {
        external_id: &index.asset_id,
        name: &index.asset_name,
        collector: &index.collector,
        watcher: match sender {
            Sender::Sensor(_) => "sensor",
            Sender::Server => "server",
        },
        collected_at: index.collected_at,
    };
    let mut cluster = clusters::meet(&mut tx, &new, now).await?;
    bind(app, &mut tx, sender, cluster.asset, now).await?;
    let stored = clusters::hashes(&mut tx, cluster.asset).await?;
    let mut wanted: BTreeMap<FactKind, BTreeSet<String>> = BTreeMap::new();
    let mut there: BTreeSet<Key> = BTreeSet::new();
    for (kind, hashes) in &index.hashes {
        for (id, hash) in hashes {
            let key = Key {
                kind: kind.to_string(),
                object: id.clone(),
            };
            if stored.get(&key) != Some(hash) {
                wanted.entry(kind.clone()).or_default().insert(id.clone());
            }
            there.insert(key);
        }
    }
    let gone: Vec<Key> = stored
        .into_keys()
        .filter(|key| !there.contains(key))
        .collect();
    let is_well_again = clusters::set_trouble(&mut tx, cluster.asset, None, now).await?;
    let is_same = wanted.is_empty()
        && gone.is_empty()
        && cluster.is_whole
        && cluster.collections == index.collections;
    if !is_same {
        cluster.revision += 1;
        cluster.is_whole = wanted.is_empty();
        cluster.collected_at = index.collected_at;
        cluster.collections.clone_from(&index.collections);
        clusters::drop_facts(&mut tx, cluster.asset, cluster.revision, &gone).await?;
        note_images(&mut tx, cluster.asset, &workloads(&gone), &[], now).await?;
        clusters::progress(&mut tx, &cluster, now).await?;
    }
    let is_due = cluster.is_whole && (!is_same || is_well_again);
    finish(app, tx, &cluster, is_due, now).await?;
    Ok(Indexed {
        asset: cluster.asset,
        revision: revision(&cluster),
        wanted,
    })
}

/// Takes in what has changed, and gives the new revision.
pub(crate) async fn delta(
    app: &Arc<App>,
    sender: Sender<'_>,
    delta: FactDelta,
) -> Result<String, IntakeError> {
    let packed = tokio::task::spawn_blocking(move || Packed::new(delta)).await;
    let packed = packed.map_err(|error| IntakeError::Refused(error.to_string()))??;
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let known = clusters::by_uid(&mut tx, &packed.asset_id).await?;
    let mut cluster = known.ok_or(IntakeError::Stale)?;
    bind(app, &mut tx, sender, cluster.asset, now).await?;
    if packed.base != revision(&cluster) {
        return Err(IntakeError::Stale);
    }
    if let Some(why) = &packed.trouble {
        // It is the sender that is heard of, not the cluster.
        let is_new = clusters::set_trouble(&mut tx, cluster.asset, Some(why), now).await?;
        finish(app, tx, &cluster, is_new && cluster.is_whole, now).await?;
        return Ok(revision(&cluster));
    }
    let is_well_again = clusters::set_trouble(&mut tx, cluster.asset, None, now).await?;
    let is_new = !packed.is_empty || (!packed.more && !cluster.is_whole);
    if is_new {
        cluster.revision += 1;
        cluster.is_whole = !packed.more;
        cluster.collected_at = packed.collected_at;
        cluster.collections.extend(packed.collections);
        clusters::put_facts(&mut tx, cluster.asset, cluster.revision, &packed.put).await?;
        clusters::drop_facts(&mut tx, cluster.asset, cluster.revision, &packed.gone).await?;
        note_images(&mut tx, cluster.asset, &packed.workloads, &packed.uses, now).await?;
        if packed.put.len() >= WEIGHED_FROM {
            let (facts, characters) = clusters::weight(&mut tx, cluster.asset).await?;
            if facts > MOST_FACTS || characters > MOST_CHARACTERS {
                return Err(IntakeError::TooMany);
            }
        }
        clusters::progress(&mut tx, &cluster, now).await?;
    } else {
        clusters::seen(&mut tx, cluster.asset, now).await?;
    }
    let is_due = cluster.is_whole && (is_new || is_well_again);
    finish(app, tx, &cluster, is_due, now).await?;
    Ok(revision(&cluster))
}

/// Keeps which images workloads use, where that is kept already: the first judging notes all of them.
async fn note_images(
    tx: &mut Tx,
    asset: AssetId,
    workloads: &[Key],
    uses: &[NewUse],
    now: Timestamp,
) -> Result<(), StoreError> {
    if !workloads.is_empty() && image_uses::changes(tx, asset).await?.is_some() {
        image_uses::save(tx, asset, Extent::Objects(workloads), uses, now).await?;
    }
    Ok(())
}

fn workloads(keys: &[Key]) -> Vec<Key> {
    let is_workload =
        |key: &&Key| FactKind::new(key.kind.as_str()).is_ok_and(|kind| images::is_workload(&kind));
    keys.iter().filter(is_workload).cloned().collect()
}

async fn finish(
    app: &Arc<App>,
    mut tx: Tx,
    cluster: &Cluster,
    is_due: bool,
    now: Timestamp,
) -> Result<(), IntakeError> {
    if is_due {
        jobs::enqueue_assess(&mut tx, Some(cluster.asset), now).await?;
    }
    tx.commit().await?;
    if is_due {
        app.wake.notify_waiters();
        app.events.publish(Event::Posture);
    }
    Ok(())
}

/// A stolen token must not be able to speak for other clusters.
async fn bind(
    app: &App,
    tx: &mut Tx,
    sender: Sender<'_>,
    asset: AssetId,
    now: Timestamp,
) -> Result<(), IntakeError> {
    let Sender::Sensor(sensor) = sender else {
        return Ok(());
    };
    match sensor.asset {
        Some(bound) if bound != asset => Err(IntakeError::Foreign),
        Some(_) => Ok(()),
        None => Ok(placing::bind(app, tx, sensor.id, asset, now).await?),
    }
}

/// Changes, checked and as they are stored.
struct Packed {
    asset_id: String,
    base: String,
    more: bool,
    is_empty: bool,
    collected_at: Timestamp,
    collections: BTreeMap<FactKind, Collection>,
    put: Vec<NewFact>,
    gone: Vec<Key>,
    /// The workloads among both, and which images they use.
    workloads: Vec<Key>,
    uses: Vec<NewUse>,
    trouble: Option<String>,
}

impl Packed {
    fn new(delta: FactDelta) -> Result<Self, IntakeError> {
        if delta.schema != FactDelta::SCHEMA {
            return Err(unknown(FactDelta::SCHEMA, &delta.schema));
        }
        if delta.trouble.is_some() && (delta.more || !delta.is_empty()) {
            let why = "facts of what cannot be seen are none";
            return Err(IntakeError::Refused(why.to_owned()));
        }
        let trouble = delta.trouble.as_deref();
        let trouble = trouble.map(|why| why.chars().take(MOST_TROUBLE).collect());
        check_collections(&delta.collections)?;
        let is_empty = delta.is_empty();
        let (mut put, mut uses) = (Vec::new(), Vec::new());
        for (kind, facts) in delta.put {
            check_kind(&kind)?;
            for fact in facts {
                check_text(&fact.id, "an id of a fact")?;
                if fact.name.chars().count() > MOST_ID {
                    return Err(IntakeError::Refused("a fact's name is too long".to_owned()));
                }
                if images::is_workload(&kind) {
                    uses.extend(images::of_workload(&fact.id, &fact.name, &fact.data));
                }
                let hash = fact.hash();
                let content = fact.data.to_string();
                if content.len() > MOST_CONTENT {
                    return Err(IntakeError::Refused("a fact is too large".to_owned()));
                }
                put.push(NewFact {
                    key: Key {
                        kind: kind.to_string(),
                        object: fact.id,
                    },
                    name: fact.name,
                    hash,
                    content,
                });
            }
        }
        let mut gone = Vec::new();
        for (kind, ids) in delta.gone {
            check_kind(&kind)?;
            for object in ids {
                check_text(&object, "an id of a fact")?;
                let kind = kind.to_string();
                gone.push(Key { kind, object });
            }
        }
        let touched: Vec<Key> = put.iter().map(|fact: &NewFact| fact.key.clone()).collect();
        let workloads = [workloads(&touched), workloads(&gone)].concat();
        Ok(Self {
            workloads,
            uses,
            trouble,
            asset_id: delta.asset_id,
            base: delta.base,
            more: delta.more,
            is_empty,
            collected_at: delta.collected_at,
            collections: delta.collections,
            put,
            gone,
        })
    }
}

fn check_index(index: &FactIndex) -> Result<(), IntakeError> {
    let refused = |why: &str| Err(IntakeError::Refused(why.to_owned()));
    if index.schema != FactIndex::SCHEMA {
        return Err(unknown(FactIndex::SCHEMA, &index.schema));
    }
    if index.asset_kind != clusters::KIND {
        return refused("facts come one by one from clusters only");
    }
    for text in [&index.asset_id, &index.asset_name, &index.collector] {
        let length = text.chars().count();
        if !(1..=255).contains(&length) || text.chars().any(char::is_control) {
            return refused("a cluster and its collector have names of 1 to 255 characters");
        }
    }
    check_collections(&index.collections)?;
    let mut count: u64 = 0;
    for (kind, hashes) in &index.hashes {
        check_kind(kind)?;
        for (id, hash) in hashes {
            check_text(id, "an id of a fact")?;
            if hash.len() != 32 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return refused("a hash has 32 hexadecimal digits");
            }
        }
        count = count.saturating_add(hashes.len() as u64);
    }
    if count > MOST_FACTS {
        return Err(IntakeError::TooMany);
    }
    Ok(())
}

fn check_collections(collections: &BTreeMap<FactKind, Collection>) -> Result<(), IntakeError> {
    for (kind, collection) in collections {
        check_kind(kind)?;
        let detail = collection.detail.as_deref().unwrap_or_default();
        if !collection.items.is_empty()
            || detail.len() > MOST_DETAIL
            || collection.source.len() > MOST_ID
        {
            let why = "collections say how collecting went, in few words, and hold no facts";
            return Err(IntakeError::Refused(why.to_owned()));
        }
    }
    Ok(())
}

fn check_kind(kind: &FactKind) -> Result<(), IntakeError> {
    if KINDS.contains(&kind.as_str()) {
        return Ok(());
    }
    Err(IntakeError::Refused(format!(
        "{kind} is no kind of fact that a cluster's API tells"
    )))
}

fn check_text(text: &str, what: &str) -> Result<(), IntakeError> {
    let length = text.chars().count();
    if (1..=MOST_ID).contains(&length) && !text.contains('\0') {
        return Ok(());
    }
    let why = format!("{what} has 1 to {MOST_ID} characters");
    Err(IntakeError::Refused(why))
}

fn unknown(ours: &str, theirs: &str) -> IntakeError {
    let theirs: String = theirs.chars().take(100).collect();
    IntakeError::Refused(format!(
        "this server understands {ours}, and the facts are {theirs:?}"
    ))
}
