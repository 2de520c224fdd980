//! Judges assets anew: one whose facts changed, those by whose images something changed, or all when content or what
//! people said changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_store::exemptions::NewExemption;
use seareeve_store::jobs::{self, Job};
use seareeve_store::scores::Cause;
use seareeve_store::{
    AssetId, StoreError, Tx, assets, clusters, environments, image_uses, settings,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{ASSESS, ASSESS_IMAGES, JobError};
use crate::clusters::sides;
use crate::posture::images::Found;
use crate::posture::scoring::{self, Differ};
use crate::posture::{self, Content, Said, judging, own};
use crate::state::App;

/// The setting that holds the digest of the content that all assets were judged with.
pub(crate) const JUDGED_WITH: &str = "posture.content";
/// The setting that holds the time up to which all that people said and that ended was judged, or waits for it.
pub(crate) const JUDGED_AT: &str = "posture.judged";

/// Causes of a change of the score that are kept.
const MOST_CAUSES: usize = 20;
/// Assets that one job judges by their images, so that others get their turn in between.
const MOST_AT_ONCE: usize = 50;

/// Which assets a job judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Meant {
    /// This one; more than one, if absent.
    pub(crate) asset: Option<i64>,
    /// Those of this kind; of all kinds, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Those of this environment; of all, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
}

impl Meant {
    /// One asset, or all.
    pub(crate) fn of(asset: Option<AssetId>) -> Self {
        Self {
            asset: asset.map(|asset| asset.0),
            ..Self::default()
        }
    }

    /// Those that an exemption is about: of thousands these may be few.
    pub(crate) fn of_exemption(said: &NewExemption, content: &Content) -> Self {
        if said.asset.is_some() {
            return Self::of(said.asset);
        }
        // One that a newer program does not know any more says nothing of any asset.
        let recommendation = content.catalogue.recommendation(&said.recommendation);
        Self {
            asset: None,
            kind: recommendation.map(|known| known.asset.clone()),
            environment: said.environment.clone(),
        }
    }

    fn is_all(&self) -> bool {
        self.asset.is_none() && self.kind.is_none() && self.environment.is_none()
    }

    fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Enqueues judging one asset, or all, in the transaction that makes it necessary.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    asset: Option<AssetId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    put(tx, &Meant::of(asset), now).await
}

/// Enqueues judging those of which people said something, in the transaction that notes it. What is one side of a
/// cluster is judged with it.
pub(crate) async fn enqueue_meant(
    tx: &mut Tx,
    meant: &Meant,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(asset) = meant.asset
        && let Some(side) = clusters::side_in(tx, AssetId(asset)).await?
    {
        return enqueue(tx, Some(side.cluster), now).await;
    }
    put(tx, meant, now).await
}

async fn put(tx: &mut Tx, meant: &Meant, now: Timestamp) -> Result<(), StoreError> {
    jobs::enqueue(tx, ASSESS, &meant.payload(), now, 5, now).await?;
    Ok(())
}

/// Whether all assets are being judged, or wait for it. Single ones do not count: on a busy server there is always one.
pub(crate) async fn is_assessing_all(app: &App) -> Result<bool, StoreError> {
    let all = Meant::default().payload();
    let pending = jobs::payloads(&app.store, ASSESS).await?;
    Ok(pending.contains(&all))
}

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    own::refresh(app).await?;
    let meant: Meant = serde_json::from_str(&job.payload).context("payload")?;
    match meant.asset {
        Some(asset) => one(app, job, AssetId(asset)).await?,
        None => several(app, job, &meant).await?,
    }
    app.events.publish(Event::Posture);
    Ok(())
}

/// What is to be saved of an asset.
struct Judgement {
    judged: assets::Judged,
    /// What was found in its images.
    images: Option<Found>,
    /// Of a cluster: its summary, the revision of its facts that was judged, and what its other side is.
    cluster: Option<(clusters::Summary, i64, Option<clusters::Side>)>,
}

async fn one(app: &Arc<App>, job: &Job, asset: AssetId) -> Result<(), JobError> {
    let said = Arc::new(Said::load(&app.store).await?);
    let now = app.now();
    let content = app.content();
    let judged = judge(app, &content, &said, asset, now).await?;
    let mut tx = app.store.begin().await?;
    if let Some(judged) = judged {
        save_and_note(&mut tx, &content, asset, &judged, now).await?;
    }
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    Ok(())
}

async fn several(app: &Arc<App>, job: &Job, meant: &Meant) -> Result<(), JobError> {
    let now = app.now();
    let said = Arc::new(Said::load(&app.store).await?);
    let mut known = assets::all(&app.store, meant.kind.as_deref().unwrap_or_default()).await?;
    if let Some(environment) = &meant.environment {
        let places = environments::of_assets(&app.store).await?;
        known.retain(|asset| places.get(&asset.id) == Some(environment));
    }
    // One content for all of them: what is exchanged meanwhile has a job of its own.
    let content = app.content();
    let mut causes = Vec::new();
    for asset in &known {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        // One asset that cannot be judged keeps none of the others from it; it is tried again by itself.
        match judge_and_save(app, &content, &said, asset.id, now).await {
            Ok(more) => {
                causes.extend(more);
                causes.truncate(MOST_CAUSES);
            }
            Err(error) => {
                warn!(
                    asset.id = asset.id.0,
                    error = format!("{error:#}"),
                    "asset not judged"
                );
                let mut tx = app.store.begin().await?;
                enqueue(&mut tx, Some(asset.id), now).await?;
                tx.commit().await?;
            }
        }
    }
    let mut tx = app.store.begin().await?;
    scoring::note(&mut tx, &content, Differ::Any, causes, now).await?;
    if meant.is_all() {
        settings::set(&mut tx, JUDGED_WITH, content.digest.as_str()).await?;
        settings::set(&mut tx, JUDGED_AT, &now.to_string()).await?;
    }
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    info!(
        assets = known.len(),
        is_all = meant.is_all(),
        "assets judged"
    );
    Ok(())
}

/// What of an asset changes scores: the causes, and the environments in which they differ.
type Differences = (Vec<Cause>, BTreeSet<String>);

/// Judges assets by whose images something changed, a bounded number of them.
pub(super) async fn images(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    own::refresh(app).await?;
    let now = app.now();
    let said = Arc::new(Said::load(&app.store).await?);
    let content = app.content();
    let stale = image_uses::stale(&app.store, None, MOST_AT_ONCE).await?;
    for asset in &stale {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        let judged = judge(app, &content, &said, *asset, now).await;
        let mut tx = app.store.begin().await?;
        match judged {
            Ok(Some(judged)) => {
                save_and_note(&mut tx, &content, *asset, &judged, now).await?;
            }
            // Nothing is known of it yet, or it cannot be judged: that is for the job of its facts to say.
            Ok(None) => image_uses::pass_over(&mut tx, *asset).await?,
            Err(error) => {
                let error = format!("{error:#}");
                warn!(asset.id = asset.0, error, "asset not judged by its images");
                image_uses::pass_over(&mut tx, *asset).await?;
                enqueue(&mut tx, Some(*asset), now).await?;
            }
        }
        tx.commit().await?;
    }
    let mut tx = app.store.begin().await?;
    if stale.len() == MOST_AT_ONCE {
        // Behind what waits already.
        enqueue_images(&mut tx, now).await?;
    }
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    if !stale.is_empty() {
        app.wake.notify_waiters();
        app.events.publish(Event::Posture);
    }
    Ok(())
}

/// Enqueues judging assets by whose images something changed, if there are any and it does not wait already.
pub(crate) async fn enqueue_images(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    if image_uses::any_stale(tx).await? {
        jobs::enqueue_once(tx, ASSESS_IMAGES, "{}", now, 5).await?;
    }
    Ok(())
}

/// Saves what is said of an asset, and notes the scores that it changes.
async fn save_and_note(
    tx: &mut Tx,
    content: &Content,
    asset: AssetId,
    judged: &Judgement,
    now: Timestamp,
) -> Result<(), StoreError> {
    match save(tx, content, asset, judged, now).await {
        Ok((causes, differ)) => {
            if !differ.is_empty() {
                scoring::note(tx, content, Differ::Of(&differ), causes, now).await?;
            }
            Ok(())
        }
        // Deleted meanwhile: nothing was written yet.
        Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn judge_and_save(
    app: &Arc<App>,
    content: &Arc<Content>,
    said: &Arc<Said>,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Vec<Cause>> {
    let judged = judge(app, content, said, asset, now).await?;
    let mut tx = app.store.begin().await?;
    let Some(judged) = judged else {
        // What was said of it stays, and counts by the recommendations as they are now.
        scoring::count(&mut tx, content, asset).await?;
        tx.commit().await?;
        return Ok(Vec::new());
    };
    match save(&mut tx, content, asset, &judged, now).await {
        Ok((causes, _)) => {
            tx.commit().await?;
            Ok(causes)
        }
        Err(StoreError::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Nothing for an asset that is gone or has sent nothing.
async fn judge(
    app: &Arc<App>,
    content: &Arc<Content>,
    said: &Arc<Said>,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Option<Judgement>> {
    if clusters::get(&app.store, asset).await?.is_some() {
        let judgement = crate::clusters::judge(app, said, asset, now).await?;
        return Ok(judgement.map(|judgement| Judgement {
            judged: judgement.judged,
            images: judgement.images,
            cluster: Some((judgement.summary, judgement.revision, judgement.side)),
        }));
    }
    if clusters::side_of(&app.store, asset).await?.is_some() {
        let judged = sides::nothing();
        return Ok(Some(Judgement {
            judged,
            images: None,
            cluster: None,
        }));
    }
    let Some(facts) = assets::facts(&app.store, asset).await? else {
        return Ok(None);
    };
    let unpacking = tokio::task::spawn_blocking(move || posture::unpack(&facts.content));
    let mut snapshot = unpacking.await??;
    let images = posture::images::take_in(app, asset, &mut snapshot, now).await?;
    let (content, said) = (Arc::clone(content), Arc::clone(said));
    let judging = move || {
        let tally = images.as_ref().map(|found| &found.tally);
        judging::judge(&content, &snapshot, &said, asset, tally, now)
    };
    let judged = tokio::task::spawn_blocking(judging).await?;
    Ok(Some(Judgement {
        judged,
        images,
        cluster: None,
    }))
}

/// Saves it, counts it, and says what of it changes scores.
async fn save(
    tx: &mut Tx,
    content: &Content,
    asset: AssetId,
    judgement: &Judgement,
    now: Timestamp,
) -> Result<Differences, StoreError> {
    let (_, changed) = assets::save_judged(tx, asset, &judgement.judged, now).await?;
    let mut causes: Vec<Cause> = changed
        .into_iter()
        .map(|change| scoring::cause(asset, change))
        .collect();
    let mut differ = BTreeSet::new();
    if let Some((summary, revision, side)) = &judgement.cluster {
        clusters::set_summary(tx, asset, summary).await?;
        clusters::forget_gone(tx, asset, *revision).await?;
        let (more, also) = sides::save(tx, content, asset, side.as_ref(), now).await?;
        causes.extend(more);
        differ.extend(also);
    }
    if let Some(found) = &judgement.images {
        image_uses::judged(tx, asset, found.changes, &found.tally, now).await?;
    }
    differ.extend(scoring::count(tx, content, asset).await?);
    Ok((causes, differ))
}
