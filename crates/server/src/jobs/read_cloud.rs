//! Reads what a connector leads to: its assets get new facts, and those that are gone are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_collect::azure::{AskError, Azure, Estate, Label, Limits, Subscription};
use seareeve_model::{CollectionStatus, Snapshot};
use seareeve_store::assets::{self, NewFacts};
use seareeve_store::connectors::{self, Connector, ConnectorState, Run, SubscriptionRun};
use seareeve_store::jobs::{self, Job};
use seareeve_store::{AssetId, ConnectorId, Store, StoreError, Tx, clusters};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{JobError, READ_CLOUD};
use crate::clusters::sides;
use crate::connectors::AzureSettings;
use crate::posture;
use crate::posture::scoring::{self, Differ};
use crate::state::App;

/// Problems that are kept of a run; the log has them all.
const MOST_PROBLEMS: usize = 20;
/// Characters of each.
const MOST_CHARACTERS: usize = 500;
/// Pause between two looks at whether the server ends.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Payload {
    connector: i64,
}

/// Enqueues a run, in the transaction that asks for it.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    connector: ConnectorId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = Payload {
        connector: connector.0,
    };
    let payload = serde_json::to_string(&payload).unwrap_or_default();
    jobs::enqueue(tx, READ_CLOUD, &payload, now, 3, now).await?;
    Ok(())
}

/// Whether a connector reads now, or will at once.
pub(crate) async fn is_reading(store: &Store, connector: ConnectorId) -> Result<bool, StoreError> {
    let waiting = jobs::payloads(store, READ_CLOUD).await?;
    let is_own = |payload: &String| {
        let payload: Option<Payload> = serde_json::from_str(payload).ok();
        payload.is_some_and(|payload| payload.connector == connector.0)
    };
    Ok(waiting.iter().any(is_own))
}

/// Enqueues the runs that are due.
pub(crate) async fn enqueue_due(app: &App) -> anyhow::Result<()> {
    let now = app.now();
    for connector in connectors::list(&app.store).await? {
        let pause = jiff::SignedDuration::from_hours(i64::from(connector.every_hours));
        let is_due = connector
            .tried
            .is_none_or(|tried| now.duration_since(tried) >= pause);
        if connector.is_paused
            || connector.every_hours == 0
            || !is_due
            || is_reading(&app.store, connector.id).await?
        {
            continue;
        }
        let mut tx = app.store.begin().await?;
        enqueue(&mut tx, connector.id, now).await?;
        tx.commit().await?;
        app.wake.notify_waiters();
    }
    Ok(())
}

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload).context("payload")?;
    let connector = connectors::get(&app.store, ConnectorId(payload.connector)).await?;
    // It may have been deleted meanwhile.
    if let Some(connector) = connector {
        let (worker, own) = (Arc::clone(app), connector.clone());
        let read = tokio::task::spawn_blocking(move || read(&worker, &own)).await?;
        match read {
            Ok(Some(estate)) => save(app, &connector, estate).await?,
            Ok(None) => return Err(JobError::Stopped),
            Err(error) => {
                let why = format!("{error:#}");
                warn!(connector = connector.name, error = why, "connector failed");
                let mut tx = app.store.begin().await?;
                let run = Run {
                    state: ConnectorState::Failed,
                    problems: &[cut(&why)],
                    subscriptions: None,
                };
                connectors::note(&mut tx, connector.id, &run, app.now()).await?;
                tx.commit().await?;
            }
        }
    }
    let mut tx = app.store.begin().await?;
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    Ok(())
}

/// Nothing when the server ends.
fn read(app: &Arc<App>, connector: &Connector) -> anyhow::Result<Option<Estate>> {
    let settings = AzureSettings::of(connector)?;
    let mut azure = azure(app, &settings, Limits::default())?;
    match azure.read(&settings.subscriptions) {
        Ok(estate) => Ok(Some(estate)),
        Err(AskError::Stopped) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Azure as a connector's credentials see it. Nothing is asked yet.
pub(crate) fn azure(app: &App, settings: &AzureSettings, limits: Limits) -> anyhow::Result<Azure> {
    let cloud = settings.cloud(&app.config)?;
    let credentials = settings.credentials(&app.config)?;
    let shutdown = app.shutdown.clone();
    let pause = Box::new(move |mut time: Duration| {
        while !time.is_zero() && !shutdown.is_cancelled() {
            let step = time.min(LOOK);
            std::thread::sleep(step);
            time = time.saturating_sub(step);
        }
        !shutdown.is_cancelled()
    });
    let authorities = app.config.ca_cert();
    Ok(Azure::new(&cloud, credentials, limits, authorities, pause)?)
}

async fn save(app: &Arc<App>, connector: &Connector, estate: Estate) -> anyhow::Result<()> {
    let now = app.now();
    let label = Label {
        collected_at: now,
        collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let snapshots = estate.snapshots(&label);
    let mut found = BTreeSet::new();
    for snapshot in &snapshots {
        found.insert(put(app, connector, snapshot, now).await?);
    }
    let (gone, unseen) = forget(app, connector, &estate, &found, now).await?;
    let gaps = estate.gaps();
    let subscriptions: Vec<SubscriptionRun> =
        estate.subscriptions.iter().map(subscription).collect();
    let mut problems: Vec<String> = unseen
        .iter()
        .map(|id| format!("{id} can no longer be seen: what was in it stays as it was"))
        .chain(estate.gap.iter().map(|gap| cut(&gap.detail)))
        .collect();
    problems.truncate(MOST_PROBLEMS);
    let state = match unseen.is_empty() && gaps.is_empty() {
        true => ConnectorState::Ok,
        false => ConnectorState::Partial,
    };
    for gap in gaps {
        warn!(
            connector = connector.name,
            problem = gap.detail,
            "not all could be read"
        );
    }
    let mut tx = app.store.begin().await?;
    let run = Run {
        state,
        problems: &problems,
        subscriptions: Some(&subscriptions),
    };
    connectors::note(&mut tx, connector.id, &run, app.now()).await?;
    tx.commit().await?;
    info!(
        connector = connector.name,
        assets = found.len(),
        gone,
        "connector read"
    );
    Ok(())
}

/// Keeps the facts of one asset, and has them judged when they differ.
async fn put(
    app: &Arc<App>,
    connector: &Connector,
    snapshot: &Snapshot,
    now: Timestamp,
) -> anyhow::Result<AssetId> {
    let digest = posture::digest(snapshot)?;
    let content = posture::pack(snapshot)?;
    let facts = NewFacts {
        kind: &snapshot.asset_kind,
        external_id: &snapshot.asset_id,
        name: &snapshot.asset_name,
        collector: &snapshot.collector,
        engines: &[],
        containers: None,
        running: None,
        images: None,
        digest: &digest,
        collected_at: snapshot.collected_at,
        content: &content,
    };
    let mut tx = app.store.begin().await?;
    let taken = assets::put_facts(&mut tx, &facts, now).await?;
    connectors::claim(&mut tx, connector.id, taken.asset).await?;
    let mut is_news = taken.is_changed;
    if taken.is_changed {
        super::enqueue_assess(&mut tx, Some(taken.asset), now).await?;
    }
    if let Some(identity) = sides::identity(snapshot) {
        is_news |= clusters::put_cloud(&mut tx, taken.asset, &identity).await?;
        if is_news {
            sides::enqueue_other(&mut tx, &app.store, taken.asset, now).await?;
        }
    }
    tx.commit().await?;
    if is_news {
        app.wake.notify_waiters();
    }
    Ok(taken.asset)
}

/// Subscriptions that were listed, and whether each was read whole: then what is not in it is gone, and not only out of
/// sight.
fn listed(estate: &Estate) -> BTreeMap<String, bool> {
    let is_told = |gap: &Option<seareeve_collect::azure::Gap>| {
        gap.as_ref()
            .is_none_or(|gap| gap.status == CollectionStatus::Absent)
    };
    let subscriptions = estate.subscriptions.iter().filter_map(|one| {
        let id = one.document.get("id")?.as_str()?.to_lowercase();
        Some((
            id,
            is_told(&one.clusters_gap) && is_told(&one.registries_gap),
        ))
    });
    subscriptions.collect()
}

/// Forgets assets that a connector brought before, and that nobody finds any more. Returns how many, and which
/// subscriptions are out of sight: a role may have been taken away, so what was in them stays.
async fn forget(
    app: &Arc<App>,
    connector: &Connector,
    estate: &Estate,
    found: &BTreeSet<AssetId>,
    now: Timestamp,
) -> anyhow::Result<(usize, BTreeSet<String>)> {
    let listed = listed(estate);
    let (mut gone, mut unseen) = (0, BTreeSet::new());
    for (of, id) in connectors::assets(&app.store).await? {
        if of != connector.id || found.contains(&id) {
            continue;
        }
        let Some(asset) = assets::get(&app.store, id).await? else {
            continue;
        };
        let segments: Vec<&str> = asset.external_id.split('/').take(3).collect();
        let subscription = segments.join("/");
        match listed.get(&subscription) {
            None => {
                unseen.insert(subscription);
                continue;
            }
            Some(false) => continue,
            Some(true) => {}
        }
        let mut tx = app.store.begin().await?;
        if connectors::release(&mut tx, of, id).await?
            && let Some(causes) = posture::forget(app, &mut tx, id, now).await?
        {
            scoring::note(&mut tx, &app.content(), Differ::Any, causes, now).await?;
            gone += 1;
        }
        tx.commit().await?;
    }
    Ok((gone, unseen))
}

/// What came of a subscription.
fn subscription(one: &Subscription) -> SubscriptionRun {
    let text = |name: &str| {
        let text = one.document.get(name).and_then(serde_json::Value::as_str);
        text.map(cut).unwrap_or_default()
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let gaps = one.gaps().into_iter().take(MOST_PROBLEMS);
    SubscriptionRun {
        id: text("subscriptionId"),
        name: text("displayName"),
        clusters: number(one.clusters.len()),
        registries: number(one.registries.len()),
        problems: gaps.map(|gap| cut(&gap.detail)).collect(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}
