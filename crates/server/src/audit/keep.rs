//! What is done by the clock: sources that were heard of are noted, what is kept long enough goes.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use seareeve_api::Event;
use seareeve_store::{alerts, audit_blocks, audit_clusters, incidents};
use tracing::warn;

use super::receive;
use crate::state::App;

/// Pause between two looks for what is too old.
const EVERY: Duration = Duration::from_secs(300);
/// Alerts that are deleted in one transaction.
const BATCH: usize = 1_000;
/// An event that comes again later than this is counted again. Lanes are read again from at most some minutes before.
const COUNTED_FOR: SignedDuration = SignedDuration::from_hours(48);

pub(super) async fn run(app: Arc<App>) {
    let mut next = tokio::time::Instant::now();
    while !app.shutdown.is_cancelled() {
        if let Err(error) = receive::flush(&app).await {
            warn!(error = %error, "failed to note which sources were heard of");
        }
        if let Err(error) = join(&app).await {
            warn!(error = %error, "failed to find out which clusters are the same");
        }
        if tokio::time::Instant::now() >= next {
            next += EVERY;
            if let Err(error) = sweep(&app).await {
                warn!(error = %error, "failed to delete what is too old");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(receive::FLUSH_EVERY) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    // The last ones.
    if let Err(error) = receive::flush(&app).await {
        warn!(error = %error, "failed to note which sources were heard of");
    }
}

/// Which clusters are the same as others is found out while both come to be known.
async fn join(app: &App) -> Result<(), seareeve_store::StoreError> {
    let mut tx = app.store.begin().await?;
    let changed = audit_clusters::join_all(&mut tx).await?;
    tx.commit().await?;
    if changed > 0 {
        app.events.publish(Event::Alerts);
        app.events.publish(Event::Posture);
    }
    Ok(())
}

async fn sweep(app: &App) -> Result<(), seareeve_store::StoreError> {
    let (now, config) = (app.now(), &app.config.audit);
    let days = i64::from(config.keep_alerts_days);
    let before = now - SignedDuration::from_hours(24 * days);
    while alerts::delete_old(&app.store, before, now - COUNTED_FOR, BATCH).await? > 0 {}
    incidents::delete_empty(&app.store).await?;
    let hours = i64::from(config.keep_events_hours);
    let bytes = config.keep_events_mib.saturating_mul(1 << 20);
    audit_blocks::prune(&app.store, now - SignedDuration::from_hours(hours), bytes).await
}
