//! The one who judges a cluster's events: from its lane into the store.
//!
//! What has been read and waits for its turn is bounded. A position is saved together with what was raised up to it,
//! and only then is what lies before it deleted from the lane; whenever the process dies, the next one goes on from
//! there, and finds what is raised twice by its id.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_bus::{Frame, Reader};
use seareeve_store::audit_clusters::{self, AuditCluster, Progress};
use seareeve_store::{StoreError, audit_blocks};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::judge::Judge;
use super::order::{Held, Window};
use super::raise::{self, Batch};
use super::seen::Seen;
use super::{Desk, log};
use crate::state::App;

/// Milliseconds for which an event waits for others that happened before it. An alert is to be seen within 2 s, of
/// which the API server takes one to send.
const HOLD: i64 = 600;
/// Bytes of events that wait.
const MOST_HELD: usize = 12 << 20;
/// Events that are judged in one go, so that an alert does not wait for many others to be saved.
const BATCH: usize = 2_000;
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// How often a position is saved although nothing was raised, while events come.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How often what is done with is looked at although nothing comes: raw events must not lie about.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// A running worker. Dropping it ends it.
pub(super) struct Handle {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Handle {
    pub(super) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn spawn(app: &Arc<App>, tasks: &TaskTracker, desk: Arc<Desk>) -> Handle {
    let stop = app.shutdown.child_token();
    let (app, stopped) = (Arc::clone(app), stop.clone());
    let task = tasks.spawn(async move {
        while !stopped.is_cancelled() {
            let working = work(&app, &desk);
            let result = tokio::select! {
                result = working => result,
                () = stopped.cancelled() => return,
            };
            if let Err(error) = result {
                log(
                    "audit events are not judged; it is tried again soon",
                    &desk.name,
                    &error,
                );
                note(&app, &desk, &format!("events are not judged: {error:#}")).await;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stopped.cancelled() => return,
            }
        }
    });
    Handle { task, stop }
}

/// Judges until something fails.
async fn work(app: &Arc<App>, desk: &Arc<Desk>) -> anyhow::Result<()> {
    let Some(cluster) = audit_clusters::get(&app.store, &desk.name).await? else {
        // It was deleted, and this worker will be too.
        return std::future::pending().await;
    };
    let mut work = Work::begin(app, desk, cluster).await?;
    info!(cluster = %desk.name, position = work.reader.position(), "judging audit events");
    loop {
        work.step().await?;
    }
}

struct Work {
    app: Arc<App>,
    desk: Arc<Desk>,
    reader: Reader,
    window: Window,
    seen: Seen,
    /// Elsewhere while it judges.
    judge: Option<Judge>,
    on_since: Option<Timestamp>,
    /// What has come since the last save.
    progress: Progress,
    /// Until where the lane is done with.
    saved: u64,
    last_save: tokio::time::Instant,
    last_tidy: tokio::time::Instant,
}

impl Work {
    async fn begin(
        app: &Arc<App>,
        desk: &Arc<Desk>,
        cluster: AuditCluster,
    ) -> anyhow::Result<Self> {
        let checkpoint = audit_clusters::checkpoint(&app.store, cluster.id).await?;
        let reader = desk.lane.reader(cluster.position).await?;
        let now = tokio::time::Instant::now();
        Ok(Self {
            judge: Some(Judge::open(
                Arc::clone(&app.audit.content),
                &cluster,
                checkpoint.as_deref(),
                app.config.audit.keep_events_hours > 0,
            )),
            app: Arc::clone(app),
            desk: Arc::clone(desk),
            reader,
            window: Window::new(HOLD, MOST_HELD),
            seen: Seen::default(),
            on_since: cluster.on_since,
            progress: Progress::default(),
            saved: cluster.position,
            last_save: now,
            last_tidy: now,
        })
    }

    /// Reads what there is, judges what is due, saves it.
    async fn step(&mut self) -> anyhow::Result<()> {
        // Registered before the plan is looked at, so that no switch is missed.
        let desk = Arc::clone(&self.desk);
        let switched = desk.switched.notified();
        let wait = self.wait();
        let clock = tokio::select! {
            frame = self.reader.next() => {
                let frame = frame?;
                let arrived = frame.arrived;
                self.take(frame).await?;
                // While more waits, time goes by as the frames came: order does not depend on how fast we are.
                Some(arrived)
            }
            () = tokio::time::sleep(wait) => None,
            () = switched => {
                let cluster = audit_clusters::get(&self.app.store, &self.desk.name).await?;
                self.on_since = cluster.and_then(|cluster| cluster.on_since);
                None
            }
        };
        let now = clock.unwrap_or_else(|| self.app.now().as_millisecond());
        let mut due = self.window.take(now);
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(BATCH));
            let is_last = rest.is_empty();
            self.judge(due, is_last).await?;
            due = rest;
        }
        self.settle().await
    }

    /// How long nothing has to be done if nothing comes.
    fn wait(&self) -> Duration {
        let now = self.app.now().as_millisecond();
        match self.window.due() {
            Some(due) => Duration::from_millis(u64::try_from(due - now).unwrap_or(0)),
            None if self.position() > self.saved => SAVE_EVERY,
            None => TIDY_EVERY,
        }
    }

    /// Takes a frame apart.
    async fn take(&mut self, frame: Frame) -> anyhow::Result<()> {
        let (position, arrived) = (frame.position, frame.arrived);
        let reading = tokio::task::spawn_blocking(move || super::decode::decode(&frame));
        let decoded = reading.await?;
        self.progress.broken += decoded.broken;
        if decoded.problem.is_some() {
            self.progress.problem = decoded.problem;
        }
        for event in decoded.events {
            if !self.seen.add(event.key) {
                self.progress.repeated += 1;
                continue;
            }
            self.window.push(Held {
                at: event.at,
                arrived,
                position,
                key: event.key,
                text: event.text,
            });
        }
        Ok(())
    }

    /// Judges events and saves what they raise. Only after the last ones of a turn the position is past them all.
    async fn judge(&mut self, events: Vec<Held>, is_last: bool) -> anyhow::Result<()> {
        let Some(mut judge) = self.judge.take() else {
            anyhow::bail!("the judge of {} died", self.desk.name);
        };
        let on_since = self.on_since;
        let judging = tokio::task::spawn_blocking(move || {
            let judged = judge.judge(&events, on_since);
            (judge, judged)
        });
        let (judge, judged) = judging.await?;
        self.judge = Some(judge);
        self.progress.events += judged.events;
        self.progress.early += judged.early;
        self.progress.broken += judged.broken;
        self.progress.last_event = self.progress.last_event.max(judged.last_event);
        if judged.problem.is_some() {
            self.progress.problem = judged.problem;
        }
        let has_found = !judged.found.is_empty();
        if !has_found && judged.block.is_none() {
            return Ok(());
        }
        let position = if is_last { self.position() } else { self.saved };
        self.save(judged.found, judged.block, position).await
    }

    /// Until where everything is judged.
    fn position(&self) -> u64 {
        let reader = self.reader.position();
        self.window
            .position()
            .map_or(reader, |position| position.min(reader))
    }

    async fn save(
        &mut self,
        found: Vec<raise::Found>,
        block: Option<audit_blocks::Block>,
        position: u64,
    ) -> anyhow::Result<()> {
        let mut progress = std::mem::take(&mut self.progress);
        progress.position = position;
        if let Some(judge) = &mut self.judge {
            progress.checkpoint = judge.checkpoint();
            progress.tally = judge.tally();
        }
        let batch = Batch {
            found,
            progress,
            block,
        };
        let now = self.app.now();
        let (id, name) = (self.desk.id, &self.desk.name);
        let changed = loop {
            match raise::save(&self.app.store, id, name, &batch, now).await {
                Ok(changed) => break changed,
                // It is tried until it works: nothing that was judged is judged again without need.
                Err(error @ StoreError::Unavailable(_)) => {
                    warn!(cluster = %name, error = format!("{:#}", anyhow::Error::from(error)), "alerts are not saved; it is tried again soon");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.saved = position;
        self.last_save = tokio::time::Instant::now();
        if changed > 0 {
            debug!(cluster = %name, alerts = changed, "alerts raised");
            self.app.events.publish(Event::Alerts);
        }
        Ok(())
    }

    /// Saves how far it has come, now and then, and has deleted what is done with.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let position = self.position();
        let is_idle = self.window.due().is_none();
        if position > self.saved && (is_idle || self.last_save.elapsed() >= SAVE_EVERY) {
            self.save(Vec::new(), None, position).await?;
        }
        if self.last_tidy.elapsed() >= TIDY_EVERY || self.saved == self.reader.position() {
            self.last_tidy = tokio::time::Instant::now();
            self.reader.done(self.saved).await?;
        }
        Ok(())
    }
}

async fn note(app: &App, desk: &Desk, problem: &str) {
    let noted = async {
        let Some(cluster) = audit_clusters::get(&app.store, &desk.name).await? else {
            return Ok(());
        };
        let progress = Progress {
            position: cluster.position,
            problem: Some(problem.to_owned()),
            ..Progress::default()
        };
        let mut tx = app.store.begin().await?;
        audit_clusters::advance(&mut tx, cluster.id, &progress, app.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        warn!(cluster = %desk.name, error = format!("{:#}", anyhow::Error::from(error)), "failed to note a problem");
    }
}
