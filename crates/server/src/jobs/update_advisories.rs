//! Fetches OSV's archives, builds the advisory database from them, and asks for matching.

use std::sync::Arc;

use seareeve_api::Event;
use seareeve_collect::feeds::{self, Addresses, Downloader};
use seareeve_scan::advisories::Sources;
use seareeve_store::jobs::{self, Job};
use seareeve_store::{StoreError, settings};
use tracing::{info, warn};

use super::JobError;
use crate::state::App;

/// How many problems of an update are shown; the log has them all.
const TOLD: usize = 5;

/// The setting that holds the time of the last update, whatever came of it.
pub(crate) const UPDATE_TRIED: &str = "advisories.update_tried";

/// The setting that holds what went wrong with the last update, for people; empty when nothing did.
pub(crate) const UPDATE_PROBLEM: &str = "advisories.update_problem";

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    note(app, UPDATE_TRIED, &app.now().to_string()).await?;
    let worker = Arc::clone(app);
    let built = tokio::task::spawn_blocking(move || fetch_and_build(&worker)).await?;
    let problems = match built {
        Err(error) if matches!(error.downcast_ref(), Some(feeds::FetchError::Stopped)) => {
            return Err(JobError::Stopped);
        }
        Err(error) => {
            // Whoever pressed the button sees it now, not only after the last attempt.
            note(app, UPDATE_PROBLEM, &format!("{error:#}")).await?;
            app.events.publish(Event::Database);
            return Err(JobError::Later(error));
        }
        Ok(problems) => problems,
    };
    for problem in &problems {
        warn!(
            place = problem.place,
            problem = problem.message,
            "part of the advisories is missing"
        );
    }
    let told: Vec<String> = problems
        .iter()
        .take(TOLD)
        .map(ToString::to_string)
        .collect();
    let now = app.now();
    let mut tx = app.store.begin().await?;
    settings::set(&mut tx, UPDATE_PROBLEM, &told.join("; ")).await?;
    jobs::complete(&mut tx, job).await?;
    jobs::enqueue(&mut tx, super::REMATCH, "{}", now, 5, now).await?;
    tx.commit().await?;
    app.events.publish(Event::Database);
    app.wake.notify_waiters();
    Ok(())
}

async fn note(app: &App, setting: &str, text: &str) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    settings::set(&mut tx, setting, text).await?;
    tx.commit().await
}

/// An empty address means that a feed is not wanted.
fn optional(address: &str) -> Option<&str> {
    (!address.is_empty()).then_some(address)
}

fn fetch_and_build(app: &App) -> anyhow::Result<Vec<seareeve_model::Problem>> {
    let settings = &app.config.advisories;
    let names: Vec<&str> = settings.ecosystems.iter().map(String::as_str).collect();
    let folder = app.config.feed_folder();
    let addresses = Addresses {
        osv: &settings.address,
        ecosystems: &names,
        known_exploited: optional(&settings.known_exploited_address),
        epss: optional(&settings.epss_address),
    };
    let downloader = Downloader::new(app.config.ca_cert())?;
    let fetched = feeds::fetch(&downloader, &addresses, &folder, &mut |_| {
        !app.shutdown.is_cancelled()
    })?;
    let files = feeds::files(&addresses, &folder);
    let sources = Sources {
        records: files.archives,
        known_exploited: files.known_exploited,
        epss: files.epss,
    };
    let mut problems = fetched.problems;
    // Also when no archive is new: the build from the last ones may have failed, or the settings name others now.
    // The digest of a database says nothing of when it was built, so an equal one costs no matching.
    let report = seareeve_scan::advisories::build(
        &sources,
        &app.config.advisory_file(),
        app.now(),
        &|_| {},
    )?;
    info!(
        advisories = report.info.advisories,
        "advisory database built"
    );
    problems.extend(report.problems);
    Ok(problems)
}
