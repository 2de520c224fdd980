//! Reads an image, finds its packages, matches them, and stores the result.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_api::{Event, ScanProgress};
use seareeve_image::{Options, ReadError, Source, Verify};
use seareeve_model::{DatabaseInfo, Finding, Inventory};
use seareeve_scan::{Examined, Examiner, RaisingFile, Scanner};
use seareeve_store::jobs::{self, Job};
use seareeve_store::scans::{self, ScanSource};
use seareeve_store::{Changes, ScanId, StoreError, Tx, UserId, images};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::JobError;
use crate::routes::scans::wire;
use crate::state::App;
use crate::vex;

/// What is looked for: what facts about images are made of (`posture::images`), too.
pub(crate) const SCANNERS: [Scanner; 3] =
    [Scanner::Vulnerabilities, Scanner::Secrets, Scanner::Raising];

/// How often a running scan tells waiting UIs where it is.
const TELL: Duration = Duration::from_millis(250);
/// How long a scan that is to stop may take to notice.
const LET_GO: Duration = Duration::from_secs(2);

/// What to scan.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ScanJob {
    /// The request.
    scan: i64,
    /// The uploaded archive's file name in the upload folder.
    pub(super) upload: Option<String>,
}

impl ScanJob {
    /// Enqueues a scan in the transaction that notes its request.
    pub(crate) async fn enqueue(
        tx: &mut Tx,
        scan: ScanId,
        upload: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let payload = serde_json::json!({ "scan": scan.0, "upload": upload }).to_string();
        jobs::enqueue(tx, super::SCAN, &payload, now, 3, now).await?;
        Ok(())
    }

    pub(super) fn id(&self) -> ScanId {
        ScanId(self.scan)
    }

    fn parse(job: &Job) -> anyhow::Result<Self> {
        serde_json::from_str(&job.payload).context("failed to read the job's payload")
    }

    fn upload_path(&self, app: &App) -> Option<Utf8PathBuf> {
        self.upload
            .as_ref()
            .map(|name| app.upload_folder().join(name))
    }
}

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    let payload = ScanJob::parse(job)?;
    let mut tx = app.store.begin().await?;
    let started = scans::start(&mut tx, payload.id(), app.now()).await?;
    if !started {
        // Cancelled while it waited, or done by an attempt whose end was not noted.
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        forget_upload(app, &payload);
        return Ok(());
    }
    tx.commit().await?;
    let scan = scans::get(&app.store, payload.id())
        .await?
        .context("the scan's row is gone")?;
    let stop = app.running.begin(payload.scan);
    announce(app, payload.id()).await;
    let read = read(app, &payload, &scan.source, &stop).await;
    app.running.end(payload.scan);
    let ended = match read {
        Err(ReadFailure::Read(ReadError::Cancelled)) if app.shutdown.is_cancelled() => {
            return Err(JobError::Stopped);
        }
        // The scan's row says so already.
        Err(ReadFailure::Read(ReadError::Cancelled)) => complete(app, job).await?,
        Err(ReadFailure::TimedOut) => {
            end_failed(
                app,
                job,
                &payload,
                "the scan took too long (setting scan.timeout_minutes)",
            )
            .await?
        }
        // Whose fault it is decides: what the image or the user got wrong will not change by itself.
        Err(ReadFailure::Read(error @ (ReadError::Network { .. } | ReadError::Status { .. })))
            if job.attempt < job.max_attempts =>
        {
            return Err(JobError::Later(error.into()));
        }
        Err(ReadFailure::Read(error)) => {
            let mut why = format!("{:#}", anyhow::Error::from(error));
            // The file in our folder means nothing to the user; the name they gave it does.
            if let (ScanSource::Upload { name, .. }, Some(path)) =
                (&scan.source, payload.upload_path(app))
            {
                why = why.replace(path.as_str(), name);
            }
            end_failed(app, job, &payload, &why).await?
        }
        Err(ReadFailure::Other(error)) => return Err(JobError::Later(error)),
        Ok(examined) => match save(app, examined, Note::ScanDone(job, payload.id())).await {
            Ok(Saved::Stored(stored)) => {
                info!(image.digest = %stored.inventory.image.digest, rows = stored.changes.total(), "image stored");
                true
            }
            Ok(Saved::Ended) => complete(app, job).await?,
            Ok(Saved::Lost) => false,
            // What the image says of itself cannot be stored: not now, not later.
            Err(error) if matches!(error.downcast_ref(), Some(StoreError::Refused { .. })) => {
                end_failed(app, job, &payload, &format!("{error:#}")).await?
            }
            Err(error) => return Err(JobError::Later(error)),
        },
    };
    if ended {
        clean_up(app, &payload).await;
    } else {
        warn!("the lease was lost; whoever has the job now ends it");
    }
    Ok(())
}

enum ReadFailure {
    Read(ReadError),
    TimedOut,
    Other(anyhow::Error),
}

async fn read(
    app: &Arc<App>,
    payload: &ScanJob,
    source: &ScanSource,
    stop: &Arc<AtomicBool>,
) -> Result<Examined, ReadFailure> {
    let source = match (source, payload.upload_path(app)) {
        (ScanSource::Reference(text), _) => {
            let reference = text
                .parse()
                .context("failed to read the scan's reference")
                .map_err(ReadFailure::Other)?;
            Source::Registry(reference)
        }
        (_, Some(path)) => Source::Archive(path),
        (_, None) => {
            return Err(ReadFailure::Other(anyhow::anyhow!(
                "the scan has neither a reference nor an archive"
            )));
        }
    };
    let upload_name = payload.upload.clone();
    let asked_to_stop = Arc::clone(stop);
    let (app, stop, scan) = (Arc::clone(app), Arc::clone(stop), payload.scan);
    let deadline =
        Instant::now() + Duration::from_secs(60 * u64::from(app.config.scan.timeout_minutes));
    let handle = tokio::runtime::Handle::current();
    let work = move || {
        let told = std::sync::Mutex::new(Instant::now());
        let report = |progress: seareeve_image::Progress| {
            if stop.load(Ordering::Relaxed) || Instant::now() > deadline {
                return ControlFlow::Break(());
            }
            if let Ok(mut told) = told.try_lock()
                && told.elapsed() >= TELL
            {
                *told = Instant::now();
                let layer = if progress.layers == 0 {
                    0
                } else {
                    progress.layer + 1
                };
                let progress = ScanProgress {
                    layer,
                    layers: progress.layers,
                    bytes_read: progress.bytes_read,
                    bytes_total: progress.bytes_total,
                };
                app.running.advance(scan, progress);
                let app = Arc::clone(&app);
                handle.spawn(async move { announce(&app, ScanId(scan)).await });
            }
            ControlFlow::Continue(())
        };
        let mut options = Options {
            verify: Verify::Everything,
            cache: app.layers.clone(),
            // On the disk that uploads are on: it has room for an image.
            temporary: app.upload_folder(),
            ..Options::default()
        };
        if let Source::Registry(reference) = &source {
            app.registries.prepare(reference, &mut options);
        }
        let examiner = Examiner::new(&SCANNERS);
        match seareeve_image::read(&source, &options, &examiner, &report) {
            Ok(contents) => Ok(examiner.examine(contents, app.java_index.get().as_deref())),
            Err(ReadError::Cancelled) if !stop.load(Ordering::Relaxed) => {
                Err(ReadFailure::TimedOut)
            }
            Err(error) => Err(ReadFailure::Read(error)),
        }
    };
    let mut work = tokio::task::spawn_blocking(work);
    // Reading asks about stopping at every step, but a registry may keep silent for long before one: then the thread
    // is left to its own timeouts.
    let left_alone = async {
        while !asked_to_stop.load(Ordering::Relaxed) {
            tokio::time::sleep(TELL).await;
        }
        tokio::time::sleep(LET_GO).await;
    };
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = left_alone => return Err(ReadFailure::Read(ReadError::Cancelled)),
    };
    match ended {
        Ok(result) => result,
        // A panic on hostile input is a bug of ours; the scan fails, the server goes on.
        Err(error) => Err(ReadFailure::Other(
            anyhow::Error::from(error).context(format!("reading {upload_name:?} panicked")),
        )),
    }
}

/// What is noted in the transaction that stores an image, so that neither is there without the other.
pub(crate) enum Note<'a> {
    /// A job's scan is done.
    ScanDone(&'a Job, ScanId),
    /// Somebody sent an SBOM.
    SbomTaken { name: &'a str, user: UserId },
}

/// What became of an inventory.
pub(crate) enum Saved {
    /// It is stored.
    Stored(Box<Stored>),
    /// Its scan had ended, because somebody cancelled it: nothing is stored.
    Ended,
    /// Its job is somebody else's now: nothing is stored.
    Lost,
}

/// What was stored.
pub(crate) struct Stored {
    /// Rows written.
    pub(crate) changes: Changes,
    /// With the problems of matching.
    pub(crate) inventory: Inventory,
    /// Parallel to the inventory's packages.
    pub(crate) findings: Vec<Vec<Finding>>,
    /// The database they come from.
    pub(crate) database: DatabaseInfo,
}

/// Matches an inventory with the database in use and stores both.
pub(crate) async fn save(
    app: &Arc<App>,
    examined: Examined,
    note: Note<'_>,
) -> anyhow::Result<Saved> {
    // Held until the result is stored; see `advisories`.
    let database = app.advisories.hold().await;
    let documents = app.vex.hold().await;
    let (matching, judging) = (Arc::clone(&*database), Arc::clone(&*documents));
    let info = database.info();
    let Examined {
        inventory,
        secrets,
        raising,
    } = examined;
    let (mut inventory, matches) = tokio::task::spawn_blocking(move || {
        let mut matches = seareeve_scan::match_inventory(&matching, &inventory);
        vex::apply(&judging, &inventory, &mut matches);
        (inventory, matches)
    })
    .await?;
    inventory.problems.extend(matches.problems);
    inventory.problems.sort();
    inventory.problems.dedup();
    let problems = u64::try_from(inventory.problems.len()).unwrap_or(u64::MAX);
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let mut saved = images::save(&mut tx, &inventory, &matches.findings, now).await?;
    if let Some(secrets) = &secrets {
        saved.changes += images::set_secrets(&mut tx, saved.image, secrets).await?;
    }
    if let Some(raising) = raising {
        let files: Vec<images::Raising> = raising.into_iter().map(stored).collect();
        saved.changes += images::set_raising(&mut tx, saved.image, &files).await?;
    }
    let scan = match note {
        Note::ScanDone(job, scan) => {
            if !jobs::complete(&mut tx, job).await? {
                return Ok(Saved::Lost);
            }
            scan
        }
        Note::SbomTaken { name, user } => {
            let source = ScanSource::Sbom(name.to_owned());
            let scan = scans::create(&mut tx, &source, Some(user), now).await?;
            scans::start(&mut tx, scan, now).await?;
            scan
        }
    };
    if !scans::finish(&mut tx, scan, saved.image, problems, now).await? {
        return Ok(Saved::Ended);
    }
    super::enqueue_assess_images(&mut tx, now).await?;
    tx.commit().await?;
    drop((database, documents));
    app.wake.notify_waiters();
    if saved.changes.total() > 0 {
        app.events.publish(Event::Images);
    }
    announce(app, scan).await;
    Ok(Saved::Stored(Box::new(Stored {
        changes: saved.changes,
        inventory,
        findings: matches.findings,
        database: info,
    })))
}

fn stored(file: RaisingFile) -> images::Raising {
    images::Raising {
        path: file.path,
        mode: file.mode,
        uid: file.uid,
        gid: file.gid,
    }
}

/// Whether the job was still ours to complete.
async fn complete(app: &App, job: &Job) -> Result<bool, StoreError> {
    let mut tx = app.store.begin().await?;
    let ours = jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    Ok(ours)
}

/// Whether the job was still ours to end.
async fn end_failed(
    app: &App,
    job: &Job,
    payload: &ScanJob,
    why: &str,
) -> Result<bool, StoreError> {
    let mut tx = app.store.begin().await?;
    if !jobs::complete(&mut tx, job).await? {
        return Ok(false);
    }
    scans::fail(&mut tx, payload.id(), why, app.now()).await?;
    tx.commit().await?;
    Ok(true)
}

/// Notes a scan as failed whose job was given up; the job's payload, if it can be read.
pub(super) async fn give_up(
    tx: &mut Tx,
    job: &Job,
    cause: &str,
    now: Timestamp,
) -> Result<Option<ScanJob>, StoreError> {
    let Ok(payload) = ScanJob::parse(job) else {
        return Ok(None);
    };
    scans::fail(tx, payload.id(), cause, now).await?;
    Ok(Some(payload))
}

/// What is left to do when a scan has ended.
pub(super) async fn clean_up(app: &App, payload: &ScanJob) {
    forget_upload(app, payload);
    announce(app, payload.id()).await;
}

/// Tells waiting UIs where a scan is.
pub(crate) async fn announce(app: &App, scan: ScanId) {
    // One at a time, from reading to telling: otherwise what was read first could be told last, and a scan that is
    // done would look as if it waited.
    let _in_order = app.announcing.lock().await;
    match scans::get(&app.store, scan).await {
        Ok(Some(row)) => app.events.publish(Event::Scan {
            scan: wire(app, row),
        }),
        Ok(None) => {}
        Err(error) => warn!(error = %error, "failed to tell where a scan is"),
    }
}

fn forget_upload(app: &App, payload: &ScanJob) {
    if let Some(path) = payload.upload_path(app)
        && let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        warn!(path = %path, error = %error, "failed to remove an uploaded archive");
    }
}
