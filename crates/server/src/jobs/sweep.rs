//! What is done by the clock: a new advisory file is noticed, scheduled updates begin, what has ended is removed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use seareeve_store::{jobs, scans, sessions, settings, sign_in_links};
use tracing::warn;

use crate::jobs::rematch::MATCHED_WITH;
use crate::state::App;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(30);
/// Ended scans and dead jobs are listed this long.
const KEEP: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Uploads older than this belong to no scan any more.
const KEEP_UPLOADS: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn run(app: Arc<App>) {
    while !app.shutdown.is_cancelled() {
        if let Err(error) = round(&app).await {
            warn!(
                error = format!("{error:#}"),
                "sweeping failed; it is tried again soon"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

async fn round(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    app.advisories.reload().await?;
    let info = app.advisories.get().await.info();
    let matched = settings::get(&app.store, MATCHED_WITH).await?;
    let waiting = app.jobs_waiting().await?;
    if matched.as_deref() != Some(info.digest.as_str()) && !waiting {
        crate::jobs::enqueue_rematch(app)
            .await
            .map_err(|_logged| anyhow::anyhow!("failed to enqueue matching"))?;
    }
    if update_is_due(app, info.built, now) && !waiting {
        crate::jobs::enqueue_update(app)
            .await
            .map_err(|_logged| anyhow::anyhow!("failed to enqueue an update"))?;
    }
    sessions::delete_expired(&app.store, now).await?;
    sign_in_links::delete_expired(&app.store, now).await?;
    scans::delete_old(&app.store, now - KEEP).await?;
    jobs::purge_dead(&app.store, now - KEEP).await?;
    app.limiter.sweep();
    let folder = app.upload_folder();
    tokio::task::spawn_blocking(move || remove_old_uploads(folder.as_std_path())).await?
}

/// An update is due when the database is the starter set or as old as the user allows.
fn update_is_due(app: &App, built: Timestamp, now: Timestamp) -> bool {
    let hours = app.config.advisories.update_hours;
    hours > 0 && now.duration_since(built) >= SignedDuration::from_hours(i64::from(hours))
}

fn remove_old_uploads(folder: &std::path::Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).context("failed to list uploads")? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > KEEP_UPLOADS {
            std::fs::remove_file(entry.path())
                .with_context(|| format!("failed to remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}
