//! Judges assets anew: one whose facts changed, or all when content or what people said changed.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_store::jobs::{self, Job};
use seareeve_store::scores::Cause;
use seareeve_store::{AssetId, StoreError, Tx, assets, clusters, settings};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{ASSESS, JobError};
use crate::clusters::sides;
use crate::posture::{self, Content, Said, judging, own, scoring};
use crate::state::App;

/// The setting that holds the digest of the content that all assets were judged with.
pub(crate) const JUDGED_WITH: &str = "posture.content";
/// The setting that holds the time at which all assets were judged.
pub(crate) const JUDGED_AT: &str = "posture.judged";

/// Causes of a change of the score that are kept.
const MOST_CAUSES: usize = 20;

#[derive(Serialize, Deserialize)]
struct Payload {
    /// All of them, if nothing.
    asset: Option<i64>,
}

/// Enqueues judging one asset, or all, in the transaction that makes it necessary.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    asset: Option<AssetId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = Payload {
        asset: asset.map(|asset| asset.0),
    };
    let payload = serde_json::to_string(&payload).unwrap_or_default();
    jobs::enqueue(tx, ASSESS, &payload, now, 5, now).await?;
    Ok(())
}

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    own::refresh(app).await?;
    let payload: Payload = serde_json::from_str(&job.payload).context("payload")?;
    match payload.asset {
        Some(asset) => one(app, job, AssetId(asset)).await?,
        None => all(app, job).await?,
    }
    app.events.publish(Event::Posture);
    Ok(())
}

/// What is to be saved of an asset.
struct Judgement {
    judged: assets::Judged,
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
        match save(&mut tx, asset, &judged, now).await {
            Ok(causes) => {
                scoring::note(&mut tx, &content, causes, now).await?;
            }
            // Deleted meanwhile: nothing was written yet.
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    Ok(())
}

async fn all(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    let now = app.now();
    let said = Arc::new(Said::load(&app.store).await?);
    let known = assets::all(&app.store, "").await?;
    // One content for all of them: what is exchanged meanwhile has a job of its own.
    let content = app.content();
    let mut causes = Vec::new();
    for asset in &known {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        // One asset that cannot be judged keeps none of the others from it; it is tried again by itself.
        match judge_and_save(app, &content, &said, asset.id, now).await {
            Ok(more) => causes.extend(more),
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
    causes.truncate(MOST_CAUSES);
    let mut tx = app.store.begin().await?;
    scoring::note(&mut tx, &content, causes, now).await?;
    settings::set(&mut tx, JUDGED_WITH, content.digest.as_str()).await?;
    settings::set(&mut tx, JUDGED_AT, &now.to_string()).await?;
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    info!(assets = known.len(), "all assets judged");
    Ok(())
}

async fn judge_and_save(
    app: &Arc<App>,
    content: &Arc<Content>,
    said: &Arc<Said>,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Vec<Cause>> {
    let Some(judged) = judge(app, content, said, asset, now).await? else {
        return Ok(Vec::new());
    };
    let mut tx = app.store.begin().await?;
    match save(&mut tx, asset, &judged, now).await {
        Ok(causes) => {
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
            cluster: Some((judgement.summary, judgement.revision, judgement.side)),
        }));
    }
    if clusters::side_of(&app.store, asset).await?.is_some() {
        let judged = sides::nothing();
        return Ok(Some(Judgement {
            judged,
            cluster: None,
        }));
    }
    let Some(facts) = assets::facts(&app.store, asset).await? else {
        return Ok(None);
    };
    let (content, said) = (Arc::clone(content), Arc::clone(said));
    let judging = move || {
        let snapshot = posture::unpack(&facts.content)?;
        anyhow::Ok(judging::judge(&content, &snapshot, &said, asset, now))
    };
    let judged = tokio::task::spawn_blocking(judging).await??;
    Ok(Some(Judgement {
        judged,
        cluster: None,
    }))
}

/// Saves it, and says what of it changes the score.
async fn save(
    tx: &mut Tx,
    asset: AssetId,
    judgement: &Judgement,
    now: Timestamp,
) -> Result<Vec<Cause>, StoreError> {
    let (_, changed) = assets::save_judged(tx, asset, &judgement.judged, now).await?;
    let mut causes: Vec<Cause> = changed
        .into_iter()
        .map(|change| scoring::cause(asset, change))
        .collect();
    if let Some((summary, revision, side)) = &judgement.cluster {
        clusters::set_summary(tx, asset, summary).await?;
        clusters::forget_gone(tx, asset, *revision).await?;
        causes.extend(sides::save(tx, asset, side.as_ref(), now).await?);
    }
    Ok(causes)
}
