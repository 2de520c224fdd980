//! Bringing a cluster's model up to what the store has, a changed fact at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{Fact, FactKind};
use seareeve_store::assets::{self, Judged};
use seareeve_store::clusters::{self, ChangedFact, Cluster, Side, Summary};
use seareeve_store::{AssetId, recommendation_settings};
use tokio::sync::OwnedRwLockWriteGuard;
use tracing::debug;

use super::model::{Model, ModelKey};
use super::{nodes, sides};
use crate::posture::Said;
use crate::posture::images::{self, Found};
use crate::state::App;

/// Facts that are read from the store at a time: parsed, they take ten times what they do there.
const PAGE: usize = 2_000;

/// What is to be saved of a cluster.
pub(crate) struct Judgement {
    /// As of every asset.
    pub(crate) judged: Judged,
    /// What lists show of it.
    pub(crate) summary: Summary,
    /// The revision of the facts that was judged.
    pub(crate) revision: i64,
    /// What was found in the images that run in it.
    pub(crate) images: Option<Found>,
    /// What its other side is.
    pub(crate) side: Option<Side>,
}

type Guard = OwnedRwLockWriteGuard<Option<Model>>;

/// Makes a cluster's model if it is not there.
pub(super) async fn make(app: &Arc<App>, asset: AssetId) -> anyhow::Result<()> {
    let Some(cluster) = clusters::get(&app.store, asset).await? else {
        return Ok(());
    };
    let guard = app.clusters.place(asset).write_owned().await;
    if guard.is_none() {
        follow(app, guard, &cluster, app.now()).await?;
    }
    Ok(())
}

/// Judges what has changed of a cluster. Nothing for one that is gone, or whose facts are not all there yet.
pub(crate) async fn judge(
    app: &Arc<App>,
    said: &Arc<Said>,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Option<Judgement>> {
    let Some(cluster) = clusters::get(&app.store, asset).await? else {
        app.clusters.forget(asset);
        return Ok(None);
    };
    if !cluster.is_whole {
        return Ok(None);
    }
    let images = images::of_cluster(app, asset, now).await?;
    let guard = app.clusters.place(asset).write_owned().await;
    let Some((guard, side)) = follow(app, guard, &cluster, now).await? else {
        return Ok(None);
    };
    let (content, said) = (app.content(), Arc::clone(said));
    let judging = move || {
        let model = guard.as_ref()?;
        Some(Judgement {
            judged: model.judged(&content, &said, &cluster, images.as_ref(), now),
            summary: model.summary(),
            revision: model.revision,
            images,
            side,
        })
    };
    Ok(tokio::task::spawn_blocking(judging).await?)
}

/// Takes in what changed since the model was made, or makes it.
async fn follow(
    app: &Arc<App>,
    mut guard: Guard,
    cluster: &Cluster,
    now: Timestamp,
) -> anyhow::Result<Option<(Guard, Option<Side>)>> {
    if !cluster.is_whole {
        return Ok(None);
    }
    let Some(asset) = assets::get(&app.store, cluster.asset).await? else {
        return Ok(None);
    };
    let settings = recommendation_settings::list(&app.store).await?;
    let settings: BTreeMap<_, _> = settings
        .into_iter()
        .map(|setting| (setting.recommendation.clone(), setting))
        .collect();
    let content = app.content();
    let mut side = None;
    // At most twice: once more when the facts say another version than was thought.
    for _ in 0..2 {
        let minor = guard.as_ref().and_then(Model::minor);
        let key = ModelKey {
            minor,
            settings: settings.clone(),
            content: Some(content.digest.clone()),
        };
        let fits = |model: &Model| model.key == key;
        if !guard.as_ref().is_some_and(fits) {
            debug!(asset.id = cluster.asset.0, "judging a whole cluster");
            let model = Model::new(&content, &asset.external_id, &asset.name, key);
            *guard = Some(model);
        }
        if let Some(model) = guard.as_mut() {
            model.name.clone_from(&asset.name);
        }
        (guard, side) = take_in(app, guard, cluster, now).await?;
        if guard
            .as_ref()
            .is_none_or(|model| model.minor() == model.key.minor)
        {
            break;
        }
    }
    Ok(Some((guard, side)))
}

async fn take_in(
    app: &Arc<App>,
    mut guard: Guard,
    cluster: &Cluster,
    now: Timestamp,
) -> anyhow::Result<(Guard, Option<Side>)> {
    let since = guard.as_ref().map_or(0, |model| model.revision);
    let mut after: Option<ChangedFact> = None;
    loop {
        let changed =
            clusters::changed(&app.store, cluster.asset, since, after.as_ref(), PAGE).await?;
        let is_last = changed.len() < PAGE;
        after = changed.last().map(|last| ChangedFact {
            fact: None,
            ..last.clone()
        });
        guard = apply(app, guard, changed, now).await?;
        if is_last {
            break;
        }
    }
    let Some(model) = guard.as_mut() else {
        return Ok((guard, None));
    };
    model.set_collections(cluster);
    if model.standing.keeps(&images::scan_kind()) {
        let scans = images::scans_of(app, cluster.asset, now).await?;
        model.set_scans(&app.content(), scans, now);
    }
    let (is_new, nodes) = nodes::read(app, model).await?;
    let side = sides::find(app, cluster, model, now).await?;
    let cloud = side.as_ref().and_then(|side| side.cloud);
    let told = sides::read(app, cloud, model.cloud()).await?;
    let content = app.content();
    let joining = move || {
        if let Some(model) = guard.as_mut() {
            model.set_cloud(&content, told, now);
            model.join_nodes(&content, is_new, now);
            model.set_sensors(&content, &nodes, now);
        }
        guard
    };
    guard = tokio::task::spawn_blocking(joining).await?;
    guard = settle(app, guard, cluster.asset, now).await?;
    if let Some(model) = guard.as_mut() {
        model.revision = cluster.revision;
    }
    Ok((guard, side))
}

async fn apply(
    app: &Arc<App>,
    mut guard: Guard,
    changed: Vec<ChangedFact>,
    now: Timestamp,
) -> anyhow::Result<Guard> {
    if changed.is_empty() {
        return Ok(guard);
    }
    let content = app.content();
    let applying = move || {
        let Some(model) = guard.as_mut() else {
            return Ok(guard);
        };
        let mut put: BTreeMap<FactKind, Vec<Fact>> = BTreeMap::new();
        for one in changed {
            let kind = FactKind::new(one.key.kind)?;
            match one.fact {
                Some(fact) => put.entry(kind).or_default().push(fact),
                None => model.remove(&kind, &one.key.object),
            }
        }
        for (kind, facts) in put {
            model.put(&content, &kind, facts, now);
        }
        anyhow::Ok(guard)
    };
    tokio::task::spawn_blocking(applying).await?
}

/// Judges again what reads something beside its own fact that has changed.
async fn settle(
    app: &Arc<App>,
    mut guard: Guard,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Guard> {
    let kinds = guard.as_ref().map(|model| model.standing.unsettled());
    for kind in kinds.unwrap_or_default() {
        let kept = guard.as_ref().and_then(|model| model.joined_facts(&kind));
        let facts = match kept {
            Some(facts) => facts,
            None => clusters::facts(&app.store, asset, &kind).await?,
        };
        let content = app.content();
        let settling = move || {
            if let Some(model) = guard.as_mut() {
                model.standing.settle(&content.library, &kind, facts, now);
            }
            guard
        };
        guard = tokio::task::spawn_blocking(settling).await?;
    }
    Ok(guard)
}
