//! Matches stored packages against a changed advisory database: only those whose advisories changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use seareeve_api::Event;
use seareeve_model::{Package, ProblemCode};
use seareeve_scan::advisories::{Database, changed_names};
use seareeve_store::jobs::{self, Job};
use seareeve_store::{
    Changes, ImageId, PackageId, StoreError, images, matches, packages, settings, vulnerabilities,
};
use tracing::info;

use super::JobError;
use crate::state::App;

/// The setting that holds the digest of the database that the stored matches were made with.
pub(crate) const MATCHED_WITH: &str = "advisories.matched_with";

/// How many packages are matched and written in one transaction, so that scans get their turn in between.
const BATCH: usize = 2_000;

/// What matching itself may say of an image; reading says the rest.
const OF_MATCHING: [ProblemCode; 2] = [
    ProblemCode::AdvisoriesMissing,
    ProblemCode::VersionUnreadable,
];

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    app.advisories.reload().await?;
    let database = app.advisories.get().await;
    let digest = database.info().digest.to_string();
    let matched = settings::get(&app.store, MATCHED_WITH).await?;
    let is_new = matched.as_deref() != Some(digest.as_str());
    if is_new {
        app.events.publish(Event::Database);
        let previous = app.advisories.previous(matched.as_deref());
        match_again(app, previous, &database).await?;
    }
    let mut tx = app.store.begin().await?;
    settings::set(&mut tx, MATCHED_WITH, &digest).await?;
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    if is_new {
        app.advisories.keep_as_matched()?;
        app.events.publish(Event::Database);
    }
    Ok(())
}

async fn match_again(
    app: &Arc<App>,
    previous: Option<Arc<Database>>,
    database: &Arc<Database>,
) -> Result<(), JobError> {
    let (old, fresh) = (previous.clone(), Arc::clone(database));
    let names = tokio::task::spawn_blocking(move || {
        let changed = changed_names(old.as_deref(), &fresh)?;
        let names: BTreeSet<String> = changed.into_iter().map(|(_, name)| name).collect();
        Ok::<_, anyhow::Error>(names.into_iter().collect::<Vec<_>>())
    })
    .await??;
    // Without a previous database nobody knows which names are gone from it: then all packages are looked at.
    let touched = match previous {
        Some(_) => packages::by_match_names(&app.store, &names).await?,
        None => all_packages(app).await?,
    };
    let mut changes = Changes::default();
    let mut unreadable = Vec::new();
    for batch in touched.chunks(BATCH) {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        let (database, batch) = (Arc::clone(database), batch.to_vec());
        let matched = tokio::task::spawn_blocking(move || {
            let matched = |(id, package)| (id, seareeve_scan::match_package(&database, &package));
            batch.into_iter().map(matched).collect::<Vec<_>>()
        })
        .await?;
        unreadable.extend(
            matched
                .iter()
                .filter(|(_, (_, problems))| !problems.is_empty())
                .map(|(id, _)| *id),
        );
        let updates: Vec<_> = matched
            .into_iter()
            .map(|(id, (findings, _))| (id, findings))
            .collect();
        let mut tx = app.store.begin().await?;
        changes += matches::apply(&mut tx, &updates, app.now()).await?;
        super::enqueue_assess_images(&mut tx, app.now()).await?;
        tx.commit().await?;
    }
    changes += estimate_again(app, database).await?;
    if !app.vex.get().await.is_empty() {
        // What matches anew has not been judged.
        let touched: Vec<PackageId> = touched.iter().map(|(id, _)| *id).collect();
        let holding = images::ids_with(&app.store, &[], &touched).await?;
        changes += super::judge::judge(app, &holding).await?;
    }
    let ecosystems = |database: &Database| -> BTreeSet<String> {
        database
            .info()
            .sources
            .into_iter()
            .map(|source| source.ecosystem)
            .collect()
    };
    // Which ecosystems there are advisories for decides what can be said of any image.
    let images = match previous {
        Some(previous) if ecosystems(&previous) == ecosystems(database) => {
            images::ids_with(&app.store, &OF_MATCHING, &unreadable).await?
        }
        _ => images::ids(&app.store).await?,
    };
    for image in &images {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        changes += problems_again(app, *image, database).await?;
    }
    info!(
        names = names.len(),
        packages = touched.len(),
        images = images.len(),
        rows = changes.total(),
        "matched again"
    );
    if changes.total() > 0 {
        app.events.publish(Event::Images);
    }
    Ok(())
}

/// Takes over the probabilities of the day, which change for all vulnerabilities and not with their advisories.
async fn estimate_again(app: &Arc<App>, database: &Arc<Database>) -> Result<Changes, JobError> {
    let mut changes = Changes::default();
    let mut after = None;
    loop {
        if app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        let known = vulnerabilities::named(&app.store, after, BATCH).await?;
        let Some(last) = known.last() else {
            return Ok(changes);
        };
        after = Some(last.id);
        let database = Arc::clone(database);
        let estimates = tokio::task::spawn_blocking(move || {
            let estimate = |known: vulnerabilities::Named| {
                let epss = database.epss(&known.name)?;
                Ok::<_, anyhow::Error>((known, epss))
            };
            known
                .into_iter()
                .map(estimate)
                .collect::<Result<Vec<_>, _>>()
        })
        .await??;
        let mut tx = app.store.begin().await?;
        changes += vulnerabilities::set_epss(&mut tx, &estimates).await?;
        tx.commit().await?;
    }
}

async fn all_packages(app: &App) -> Result<Vec<(PackageId, Package)>, StoreError> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let portion = packages::all(&app.store, after, BATCH).await?;
        let Some((last, _)) = portion.last() else {
            return Ok(all);
        };
        after = Some(*last);
        all.extend(portion);
    }
}

/// Says anew what could not be judged of an image.
async fn problems_again(
    app: &App,
    image: ImageId,
    database: &Arc<Database>,
) -> Result<Changes, JobError> {
    let mut inventory = match images::inventory(&app.store, image).await {
        // Deleted meanwhile.
        Err(StoreError::NotFound { .. }) => return Ok(Changes::default()),
        inventory => inventory?,
    };
    let database = Arc::clone(database);
    let problems = tokio::task::spawn_blocking(move || {
        let found = seareeve_scan::match_inventory(&database, &inventory).problems;
        let mut problems = std::mem::take(&mut inventory.problems);
        problems.retain(|problem| !OF_MATCHING.contains(&problem.code));
        problems.extend(found);
        problems.sort();
        problems.dedup();
        problems
    })
    .await?;
    let mut tx = app.store.begin().await?;
    let changes = images::set_problems(&mut tx, image, &problems).await?;
    super::enqueue_assess_images(&mut tx, app.now()).await?;
    tx.commit().await?;
    Ok(changes)
}
