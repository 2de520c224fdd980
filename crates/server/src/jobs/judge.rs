//! Judges the findings of stored images anew, when a VEX document came or went.

use std::collections::BTreeSet;
use std::sync::Arc;

use seareeve_api::Event;
use seareeve_store::jobs::{self, Job};
use seareeve_store::{Changes, ImageId, StoreError, images};
use tracing::info;

use super::JobError;
use crate::state::App;
use crate::vex;

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    app.vex.reload(&app.store).await?;
    let images = images::ids(&app.store).await?;
    let changes = judge(app, &images).await?;
    let mut tx = app.store.begin().await?;
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    info!(
        images = images.len(),
        rows = changes.total(),
        "judged again by VEX documents"
    );
    // Also when nothing changed: whoever waits for it sees that it is over.
    app.events.publish(Event::Images);
    Ok(())
}

/// Makes what the documents in force say of these images their verdicts.
pub(super) async fn judge(app: &Arc<App>, images: &BTreeSet<ImageId>) -> Result<Changes, JobError> {
    let mut changes = Changes::default();
    for image in images {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        let (inventory, packages) = match images::with_packages(&app.store, *image).await {
            // Deleted meanwhile.
            Err(StoreError::NotFound { .. }) => continue,
            found => found?,
        };
        let (database, documents) = (app.advisories.get().await, app.vex.get().await);
        let judged = tokio::task::spawn_blocking(move || {
            let mut matches = seareeve_scan::match_inventory(&database, &inventory);
            vex::apply(&documents, &inventory, &mut matches);
            packages
                .into_iter()
                .zip(matches.findings)
                .collect::<Vec<_>>()
        })
        .await?;
        let mut tx = app.store.begin().await?;
        changes += images::set_verdicts(&mut tx, *image, &judged).await?;
        super::enqueue_assess_images(&mut tx, app.now()).await?;
        tx.commit().await?;
    }
    Ok(changes)
}
