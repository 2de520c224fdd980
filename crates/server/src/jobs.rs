//! Work that outlives a request: one file per job, one loop that runs them.
//!
//! Jobs are rows of the store, leased for a while and taken up again when their process dies; each is written so
//! that doing it twice changes nothing.

mod assess;
mod backtest;
mod images_in_use;
mod judge;
mod read_cloud;
mod rematch;
mod scan;
mod sweep;
mod update_advisories;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use seareeve_store::StoreError;
use seareeve_store::jobs::{self, Failed, Job};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, error, info, info_span, warn};

use crate::state::App;

pub(crate) use assess::{
    JUDGED_AT, JUDGED_WITH, Meant, enqueue as enqueue_assess,
    enqueue_images as enqueue_assess_images, enqueue_meant as enqueue_assess_meant,
    is_assessing_all,
};
pub(crate) use backtest::enqueue as enqueue_backtest;
pub(crate) use read_cloud::{
    azure, enqueue as enqueue_read, enqueue_due as enqueue_due_reads, is_reading,
};
pub(crate) use rematch::MATCHED_WITH;
pub(crate) use scan::{Note, SCANNERS, Saved, ScanJob, announce, save};
pub(crate) use update_advisories::{UPDATE_PROBLEM, UPDATE_TRIED};

/// How long a lease lasts without being extended: a killed process's jobs are taken up again after it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often a running job extends its lease.
const EXTEND: Duration = Duration::from_secs(20);
/// How often an idle worker looks for jobs that nobody announced: those whose time has come, or whose lease ended.
const LOOK: Duration = Duration::from_secs(15);

const SCAN: &str = "scan";
const REMATCH: &str = "rematch";
const JUDGE: &str = "judge";
const READ_CLOUD: &str = "read-cloud";
/// One worker does these one after the other: each holds two sets of rules with their memories.
const BACKTEST: &str = "backtest";
/// One worker does these one after the other, so that the score follows one change at a time.
pub(crate) const ASSESS: &str = "assess";
/// Beside it, by the same worker.
pub(crate) const ASSESS_IMAGES: &str = "assess-images";
pub(crate) const UPDATE_ADVISORIES: &str = "update-advisories";
/// The jobs that change what is matched with; one worker does them one after the other.
pub(crate) const DATABASE_JOBS: &[&str] = &[REMATCH, UPDATE_ADVISORIES, JUDGE];

/// Why a job did not succeed.
enum JobError {
    /// It may succeed later.
    Later(anyhow::Error),
    /// The process ends: the job goes back as it was.
    Stopped,
}

impl<E: Into<anyhow::Error>> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Later(error.into())
    }
}

/// Starts the workers.
pub(crate) fn spawn(app: &Arc<App>, tasks: &TaskTracker) {
    for _ in 0..app.config.scan.workers {
        tasks.spawn(work(Arc::clone(app), &[SCAN]));
    }
    tasks.spawn(work(Arc::clone(app), DATABASE_JOBS));
    tasks.spawn(work(Arc::clone(app), &[ASSESS, ASSESS_IMAGES]));
    tasks.spawn(work(Arc::clone(app), &[READ_CLOUD]));
    tasks.spawn(work(Arc::clone(app), &[BACKTEST]));
    tasks.spawn(sweep::run(Arc::clone(app)));
}

/// Enqueues the job that matches all stored packages against a changed advisory database.
pub(crate) async fn enqueue_rematch(app: &App) -> Result<(), StoreError> {
    enqueue(app, REMATCH).await
}

/// Enqueues the job that judges all findings anew, in the transaction that changes the VEX documents.
pub(crate) async fn enqueue_judge(
    tx: &mut seareeve_store::Tx,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    jobs::enqueue(tx, JUDGE, "{}", now, 5, now).await?;
    Ok(())
}

/// Enqueues the job that fetches advisories, unless one waits or runs already.
pub(crate) async fn enqueue_update(app: &App) -> Result<(), StoreError> {
    if app.update_waiting().await? {
        return Ok(());
    }
    enqueue(app, UPDATE_ADVISORIES).await
}

async fn enqueue(app: &App, kind: &str) -> Result<(), StoreError> {
    let now = app.now();
    let mut tx = app.store.begin().await?;
    jobs::enqueue(&mut tx, kind, "{}", now, 5, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}

async fn work(app: Arc<App>, kinds: &'static [&'static str]) {
    let worker = format!("{}-{}", std::process::id(), kinds.join("+"));
    while !app.shutdown.is_cancelled() {
        // Registered before looking, so that a job announced in between is not missed.
        let woken = app.wake.notified();
        let leased = jobs::lease(&app.store, kinds, &worker, app.now(), LEASE).await;
        match leased {
            Ok(Some(job)) => {
                let span = info_span!("job", kind = %job.kind, id = %job.id, attempt = job.attempt);
                run(&app, &job).instrument(span).await;
                continue;
            }
            Ok(None) => {}
            Err(error) => error!(
                error = format!("{:#}", anyhow::Error::from(error)),
                "failed to look for jobs"
            ),
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(LOOK) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

async fn run(app: &Arc<App>, job: &Job) {
    let done = async {
        match job.kind.as_str() {
            SCAN => scan::run(app, job).await,
            REMATCH => rematch::run(app, job).await,
            JUDGE => judge::run(app, job).await,
            ASSESS => assess::run(app, job).await,
            ASSESS_IMAGES => assess::images(app, job).await,
            READ_CLOUD => read_cloud::run(app, job).await,
            BACKTEST => backtest::run(app, job).await,
            UPDATE_ADVISORIES => update_advisories::run(app, job).await,
            other => Err(anyhow::anyhow!("no job is called {other}").into()),
        }
    };
    // Beside the job, not in between: the job may hold the very lock that extending waits for.
    let renew = async {
        loop {
            tokio::time::sleep(EXTEND).await;
            match jobs::extend(&app.store, job, app.now(), LEASE).await {
                Ok(true) => {}
                // Whoever has it now does the same; our result will find the lease gone and change nothing.
                Ok(false) => warn!("the lease is lost"),
                Err(error) => warn!(error = %error, "failed to extend the lease"),
            }
        }
    };
    let result = tokio::select! {
        result = done => result,
        never = renew => never,
    };
    match result {
        Ok(()) => info!("job done"),
        Err(JobError::Stopped) => match jobs::release(&app.store, job, app.now()).await {
            Ok(_) => info!("job put back: the process ends"),
            Err(error) => warn!(error = %error, "failed to put a job back; its lease will run out"),
        },
        Err(JobError::Later(cause)) => {
            let cause = format!("{cause:#}");
            error!(error = cause, "job failed");
            if let Err(error) = fail(app, job, &cause).await {
                error!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "failed to note that a job failed"
                );
            }
        }
    }
}

/// Tries again after 10 s, 40 s, 160 s, …
async fn fail(app: &App, job: &Job, cause: &str) -> Result<(), StoreError> {
    let now = app.now();
    let pause = SignedDuration::from_secs(10 * 4_i64.pow(job.attempt.saturating_sub(1).min(6)));
    let mut tx = app.store.begin().await?;
    let failed = jobs::fail(&mut tx, job, cause, Some(now + pause), now).await?;
    let gave_up = match failed {
        Failed::Dead if job.kind == SCAN => scan::give_up(&mut tx, job, cause, now).await?,
        Failed::Dead | Failed::Retrying | Failed::Lost => None,
    };
    tx.commit().await?;
    if let Some(payload) = gave_up {
        scan::clean_up(app, &payload).await;
    }
    Ok(())
}
