//! What is done by the clock: a new advisory file is noticed, scheduled updates begin, what has ended is removed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use seareeve_store::{
    StoreError, attestations, exceptions, exemptions, jobs, scans, sessions, settings,
    sign_in_links,
};
use tokio::time::Instant;
use tracing::warn;

use crate::jobs::{
    JUDGED_AT, JUDGED_WITH, MATCHED_WITH, Meant, SCAN, ScanJob, UPDATE_TRIED, announce,
};
use crate::posture::own;
use crate::state::App;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(30);
/// The store counts milliseconds: a round after an end does not begin in the one before it.
const MOMENT: Duration = Duration::from_millis(2);
/// Ended scans and dead jobs are listed this long.
const KEEP: SignedDuration = SignedDuration::from_hours(24 * 30);
/// An upload of this age that no waiting or running scan names is left over.
const KEEP_UPLOADS: Duration = Duration::from_secs(24 * 3600);
/// A scan of this age without a job will never end by itself.
const ORPHANED: SignedDuration = SignedDuration::from_mins(1);

pub(super) async fn run(app: Arc<App>) {
    while !app.shutdown.is_cancelled() {
        // One step that fails keeps none of the others from its work.
        note("advisories", advisories(&app).await);
        note("sign-in", sign_in(&app).await);
        note("scans", ended_scans(&app).await);
        note("clusters", crate::clusters::note_silent(&app).await);
        note("posture", posture(&app).await);
        note("images in use", super::images_in_use::sweep(&app).await);
        note("connectors", crate::jobs::enqueue_due_reads(&app).await);
        rest(&app).await;
    }
}

/// Waits for the next round. What people said ends on time, not with the round after it.
async fn rest(app: &App) {
    let round = Instant::now() + EVERY;
    loop {
        // Whoever says something that ends wakes the workers.
        let woken = app.wake.notified();
        let now = app.now();
        let end = exceptions::next_end(&app.store, now).await.ok().flatten();
        let end = end.and_then(|end| Duration::try_from(end.duration_since(now)).ok());
        let end = end.and_then(|end| Instant::now().checked_add(end));
        let until = end.map_or(round, |end| round.min(end + MOMENT));
        tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            () = woken => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

fn note(step: &'static str, result: anyhow::Result<()>) {
    if let Err(error) = result {
        warn!(
            step,
            error = format!("{error:#}"),
            "sweeping failed; it is tried again soon"
        );
    }
}

/// Notices a new file, and begins what is due.
async fn advisories(app: &Arc<App>) -> anyhow::Result<()> {
    app.advisories.reload().await?;
    if app.jobs_waiting().await? {
        return Ok(());
    }
    let info = app.advisories.get().await.info();
    let matched = settings::get(&app.store, MATCHED_WITH).await?;
    if matched.as_deref() != Some(info.digest.as_str()) {
        crate::jobs::enqueue_rematch(app).await?;
    } else if update_is_due(app, app.now()).await? {
        crate::jobs::enqueue_update(app).await?;
    }
    Ok(())
}

/// An update is due when the last one, whatever came of it, is as long ago as the user allows.
async fn update_is_due(app: &App, now: Timestamp) -> anyhow::Result<bool> {
    let hours = app.config.advisories.update_hours;
    if hours == 0 {
        return Ok(false);
    }
    let tried = settings::get(&app.store, UPDATE_TRIED)
        .await?
        .and_then(|time| time.parse::<Timestamp>().ok());
    Ok(tried.is_none_or(|tried| {
        now.duration_since(tried) >= SignedDuration::from_hours(i64::from(hours))
    }))
}

/// Judges all assets anew when the content is another one, and those of which something that people said has ended.
async fn posture(app: &Arc<App>) -> anyhow::Result<()> {
    if crate::jobs::is_assessing_all(app).await? {
        return Ok(());
    }
    // Another process may have brought checks.
    own::refresh(app).await?;
    let now = app.now();
    let judged_with = settings::get(&app.store, JUDGED_WITH).await?;
    let judged_at = settings::get(&app.store, JUDGED_AT).await?;
    let judged_at = judged_at.and_then(|time| time.parse::<Timestamp>().ok());
    let all = Meant::default();
    let mut meant = match judged_at {
        Some(judged_at) if judged_with.as_deref() == Some(app.content().digest.as_str()) => {
            ended(app, judged_at, now).await?
        }
        _ => BTreeSet::from([all.clone()]),
    };
    if meant.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    if meant.contains(&all) {
        // Who judges them all notes that it is done.
        meant = BTreeSet::from([all]);
    } else {
        settings::set(&mut tx, JUDGED_AT, &now.to_string()).await?;
    }
    for meant in &meant {
        crate::jobs::enqueue_assess_meant(&mut tx, meant, now).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}

/// The assets about which something that people said ended after `since`, up to `now`.
async fn ended(app: &App, since: Timestamp, now: Timestamp) -> Result<BTreeSet<Meant>, StoreError> {
    let mut meant = BTreeSet::new();
    if !exceptions::any_ended(&app.store, since, now).await? {
        return Ok(meant);
    }
    let has_ended = |end: Option<Timestamp>| end.is_some_and(|end| since < end && end <= now);
    let content = app.content();
    for exemption in exemptions::list(&app.store).await? {
        if has_ended(exemption.said.expires) {
            meant.insert(Meant::of_exemption(&exemption.said, &content));
        }
    }
    for answer in attestations::list(&app.store, None).await? {
        if has_ended(answer.said.expires) {
            meant.insert(Meant::of(Some(answer.said.asset)));
        }
    }
    let exceptions = exceptions::list(&app.store).await?;
    if exceptions.iter().any(|one| has_ended(one.said.expires)) {
        // They are about whatever has such a name.
        meant.insert(Meant::default());
    }
    Ok(meant)
}

async fn sign_in(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    app.limiter.sweep();
    sessions::delete_expired(&app.store, now).await?;
    sign_in_links::delete_expired(&app.store, now).await?;
    Ok(())
}

/// Ends scans whose job is gone, and forgets what has long ended.
async fn ended_scans(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    // First the scans, then the jobs: a scan asked for in between has a job, and is not in the first list.
    let unfinished = scans::unfinished(&app.store, now - ORPHANED).await?;
    let payloads = jobs::payloads(&app.store, SCAN).await?;
    let live: Vec<ScanJob> = payloads
        .iter()
        .filter_map(|payload| serde_json::from_str(payload).ok())
        .collect();
    for scan in unfinished
        .into_iter()
        .filter(|scan| !live.iter().any(|job| job.id() == *scan))
    {
        let mut tx = app.store.begin().await?;
        let why = "the server died each time it scanned this image; its log may say why";
        scans::fail(&mut tx, scan, why, now).await?;
        tx.commit().await?;
        announce(app, scan).await;
    }
    scans::delete_old(&app.store, now - KEEP).await?;
    jobs::purge_dead(&app.store, now - KEEP).await?;
    let wanted: BTreeSet<String> = live.into_iter().filter_map(|job| job.upload).collect();
    let folder = app.upload_folder();
    tokio::task::spawn_blocking(move || remove_old_uploads(folder.as_std_path(), &wanted)).await?
}

fn remove_old_uploads(folder: &Path, wanted: &BTreeSet<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).context("failed to list uploads")? {
        let entry = entry?;
        if entry
            .file_name()
            .to_str()
            .is_some_and(|name| wanted.contains(name))
        {
            continue;
        }
        // A scan that ends meanwhile removes its own.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.modified()?.elapsed().unwrap_or_default() > KEEP_UPLOADS {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("failed to remove {}", entry.path().display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
