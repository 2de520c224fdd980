//! Saves what a batch of events raised, with how far it has come, in one transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::Alert;
use seareeve_store::alerts::{self, Entity, NewAlert, Raised};
use seareeve_store::audit_clusters::{self, Progress};
use seareeve_store::{AlertId, AuditClusterId, Store, StoreError, Tx, incidents};
use seareeve_store::{audit_blocks, suppressions};
use sha2::{Digest as _, Sha256};

use super::{entity_name, incidents as joining, suppress};

/// What an event raised.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Made of the event: see [`super::order::Held::key`].
    pub(super) key: u128,
    /// What the engine says.
    pub(super) alert: Alert,
    /// Its addresses that many speak from.
    pub(super) shared_by_many: BTreeSet<String>,
    /// The event without its secrets, as JSON. It may be large, and raise several.
    pub(super) event: Arc<str>,
}

/// Everything that a batch leads to.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) found: Vec<Found>,
    pub(super) progress: Progress,
    pub(super) block: Option<audit_blocks::Block>,
}

/// What saving a batch did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Saved {
    /// Alerts that are new or changed.
    pub(super) changed: usize,
    /// The row of the block, if there was one.
    pub(super) block: Option<i64>,
}

/// Saves a batch.
pub(super) async fn save(
    store: &Store,
    cluster: AuditClusterId,
    name: &str,
    batch: &Batch,
    now: Timestamp,
) -> Result<Saved, StoreError> {
    let rules = if batch.found.is_empty() {
        Vec::new()
    } else {
        suppressions::list(store).await?
    };
    let mut tx = store.begin().await?;
    let mut saved = Saved::default();
    for found in &batch.found {
        let new = NewAlert {
            id: id(name, found.key, &found.alert.id),
            cluster: Some(cluster),
            cluster_name: name.to_owned(),
            is_sample: false,
            compromised: compromised(&found.alert),
            entities: entities(&found.alert),
            evidence: found.event.to_string(),
            suppression: suppress::rule_for(&rules, name, &found.alert, now),
            said: found.alert.clone(),
        };
        let raised = raise(&mut tx, &new, &found.shared_by_many, now).await?;
        saved.changed += usize::from(raised != Raised::Known);
    }
    if let Some(block) = &batch.block {
        saved.block = Some(audit_blocks::add(&mut tx, cluster, block).await?);
    }
    audit_clusters::advance(&mut tx, cluster, &batch.progress, now).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Raises one alert and joins it with others, but not by addresses that many speak from.
pub(super) async fn raise(
    tx: &mut Tx,
    new: &NewAlert,
    shared_by_many: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Raised, StoreError> {
    let raised = alerts::raise(tx, new, now).await?;
    match raised {
        Raised::Known => {}
        Raised::Again(alert) => incidents::touch_of(tx, alert).await?,
        Raised::New(alert) if new.suppression.is_none() => {
            join(tx, alert, shared_by_many, now).await?;
        }
        Raised::New(_) => {}
    }
    Ok(raised)
}

async fn join(
    tx: &mut Tx,
    alert: AlertId,
    shared_by_many: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let near = incidents::near(tx, alert, joining::AFTER_PERSISTENCE, joining::MOST_NEAR).await?;
    let Some((itself, others)) = near else {
        return Ok(());
    };
    if let Some(joined) = joining::join(&itself, &others, shared_by_many) {
        incidents::join(tx, joined.known, &joined.incident, &joined.alerts, now).await?;
    }
    Ok(())
}

/// The same event raises the same alert once: made of the cluster, the whole event and the detection. The event's own
/// id alone would not do, since clients may choose it, and so hide behind another's.
pub(super) fn id(cluster: &str, key: u128, rule: &str) -> String {
    let mut hash = Sha256::new();
    for part in [cluster.as_bytes(), &key.to_be_bytes(), rule.as_bytes()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut text = String::with_capacity(32);
    for byte in hash.iter().take(16) {
        // Writing to a String cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
    }
    text
}

/// The first entity, in a few words.
pub(super) fn compromised(alert: &Alert) -> String {
    alert
        .entities
        .first()
        .map(|entity| format!("{} {}", entity.kind, entity_name(entity)))
        .unwrap_or_default()
}

pub(super) fn entities(alert: &Alert) -> Vec<Entity> {
    let mut entities: Vec<Entity> = alert
        .entities
        .iter()
        .map(|entity| Entity {
            kind: entity.kind.clone(),
            name: entity_name(entity),
        })
        .filter(|entity| !entity.name.is_empty())
        .collect();
    entities.sort();
    entities.dedup();
    entities
}
