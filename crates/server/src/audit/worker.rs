//! The one who judges a cluster's events: from its lane into the store.
//!
//! What has been read and waits for its turn is bounded. Alerts are saved as they are raised. Now and then, when nothing
//! waits, the position is saved together with what the detections remember there, and only then is what lies before it
//! deleted from the lane. Whenever the process dies, the next one goes on from there with the same memory, and finds
//! by its id what was raised before.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use seareeve_api::Event;
use seareeve_bus::{Frame, Reader};
use seareeve_store::audit_clusters::{self, AuditCluster, Progress};
use seareeve_store::{StoreError, audit_blocks};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::decode::decode;
use super::judge::Judge;
use super::order::{Held, Window};
use super::raise::{self, Batch};
use super::seen::Seen;
use super::{Desk, kept, log};
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
/// Pause between two positions that are saved, at least: the memory of detections is saved with them.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// At least so many times longer than it took to save the last one.
const SAVE_SHARE: u32 = 50;
/// After this time, events that wait for earlier ones wait no longer, so that a position can be saved.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of kept events, packed, that a new worker learns from what objects are like, where that was not saved.
const RECALLED: usize = 16 << 20;
/// The same where it was saved: which requests came is learned from them.
const RECALLED_LATELY: usize = 1 << 20;
/// What is known of objects is saved with each position while it is as small as this, packed.
const SMALL: usize = 256 << 10;
/// Pause between two times that it is saved, when it is larger: what comes in between is learned from kept events.
const SAVE_LARGE_EVERY: Duration = Duration::from_secs(60);
/// Bytes of it at most, unpacked.
const MOST_OBJECTS: usize = 64 << 20;
/// How often what is done with is looked at although nothing comes: raw events must not lie about.
const TIDY_EVERY: Duration = Duration::from_secs(4);

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
    /// The last row of kept events.
    last_block: i64,
    /// Since when there is something that is not saved.
    unsaved_since: Option<Instant>,
    last_save: Instant,
    save_pause: Duration,
    /// When what is known of objects was saved last, and how many bytes that took.
    objects_saved: Option<(Instant, usize)>,
    last_tidy: Instant,
}

impl Work {
    async fn begin(
        app: &Arc<App>,
        desk: &Arc<Desk>,
        cluster: AuditCluster,
    ) -> anyhow::Result<Self> {
        let checkpoint = audit_clusters::checkpoint(&app.store, cluster.id).await?;
        let checkpoint = checkpoint.as_deref().and_then(Checkpoint::read);
        let keeps = app.config.audit.keep_events_hours > 0;
        let saved = audit_clusters::objects(&app.store, cluster.id).await?;
        let objects = saved.as_deref().and_then(Objects::read);
        let mut judge = Judge::open(
            &app.audit.content(),
            checkpoint.as_ref().map(|checkpoint| checkpoint.memory),
            objects.as_ref().map(|objects| objects.state.as_slice()),
            Arc::clone(&desk.arrived),
            keeps,
        );
        // What was kept after the checkpoint is read again from the lane.
        let last_block = checkpoint.map_or(i64::MAX, |checkpoint| checkpoint.last_block);
        let known_until = objects.map(|objects| objects.last_block);
        judge = recall(app, desk, judge, last_block.saturating_add(1), known_until).await?;
        let reader = desk.lane.reader(cluster.position).await?;
        let now = Instant::now();
        Ok(Self {
            judge: Some(judge),
            app: Arc::clone(app),
            desk: Arc::clone(desk),
            reader,
            window: Window::new(HOLD, MOST_HELD),
            seen: Seen::default(),
            on_since: cluster.on_since,
            progress: Progress::default(),
            saved: cluster.position,
            last_block: if last_block == i64::MAX {
                0
            } else {
                last_block
            },
            unsaved_since: None,
            last_save: now,
            save_pause: SAVE_EVERY,
            objects_saved: None,
            last_tidy: now,
        })
    }

    /// Reads what there is, judges what is due, saves it.
    async fn step(&mut self) -> anyhow::Result<()> {
        let desk = Arc::clone(&self.desk);
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
            () = desk.switched.notified() => {
                let cluster = audit_clusters::get(&self.app.store, &desk.name).await?;
                self.on_since = cluster.and_then(|cluster| cluster.on_since);
                None
            }
        };
        let now = clock.unwrap_or_else(|| self.app.now().as_millisecond());
        let longest = LONGEST.max(self.save_pause);
        let is_overdue = self
            .unsaved_since
            .is_some_and(|since| since.elapsed() >= longest);
        let mut due = self.window.take(if is_overdue { i64::MAX } else { now });
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(BATCH));
            self.judge(due).await?;
            due = rest;
        }
        self.settle().await
    }

    /// How long nothing has to be done if nothing comes.
    fn wait(&self) -> Duration {
        let now = self.app.now().as_millisecond();
        match self.window.due() {
            Some(due) => Duration::from_millis(u64::try_from(due - now).unwrap_or(0)),
            None if self.reader.position() > self.saved => {
                self.save_pause.saturating_sub(self.last_save.elapsed())
            }
            None => TIDY_EVERY,
        }
    }

    /// Takes a frame apart.
    async fn take(&mut self, frame: Frame) -> anyhow::Result<()> {
        self.unsaved_since.get_or_insert_with(Instant::now);
        let arrived = frame.arrived;
        let decoded = tokio::task::spawn_blocking(move || decode(&frame)).await?;
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
                key: event.key,
                text: event.text,
            });
        }
        Ok(())
    }

    /// Judges events and saves what they raise.
    async fn judge(&mut self, events: Vec<Held>) -> anyhow::Result<()> {
        let Some(mut judge) = self.judge.take() else {
            anyhow::bail!("the judge of {} died", self.desk.name);
        };
        judge.judge_by(&self.app.audit.content());
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
        if judged.uid.is_some() {
            self.progress.uid = judged.uid;
        }
        if judged.found.is_empty() && judged.block.is_none() {
            return Ok(());
        }
        let batch = Batch {
            found: judged.found,
            progress: std::mem::take(&mut self.progress),
            block: judged.block,
        };
        self.save(&batch).await
    }

    async fn save(&mut self, batch: &Batch) -> anyhow::Result<()> {
        let (id, name) = (self.desk.id, &self.desk.name);
        let saved = loop {
            match raise::save(&self.app.store, id, name, batch, self.app.now()).await {
                Ok(saved) => break saved,
                // It is tried until it works: nothing that was judged is judged again without need.
                Err(error @ StoreError::Unavailable(_)) => {
                    warn!(cluster = %name, error = format!("{:#}", anyhow::Error::from(error)), "alerts are not saved; it is tried again soon");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.last_block = saved.block.unwrap_or(self.last_block);
        if saved.changed > 0 {
            debug!(cluster = %name, alerts = saved.changed, "alerts raised");
            self.app.events.publish(Event::Alerts);
        }
        Ok(())
    }

    /// Saves how far it has come, now and then, and has deleted what is done with.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let position = self.reader.position();
        let is_due = position > self.saved && self.last_save.elapsed() >= self.save_pause;
        if is_due && self.window.due().is_none() {
            self.save_position(position).await?;
            self.reader.done(position).await?;
        } else if self.last_tidy.elapsed() >= TIDY_EVERY {
            self.last_tidy = Instant::now();
            self.reader.done(self.saved).await?;
        }
        Ok(())
    }

    /// Everything before `position` is judged and saved.
    async fn save_position(&mut self, position: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        let Some(mut judge) = self.judge.take() else {
            anyhow::bail!("the judge of {} died", self.desk.name);
        };
        let last_block = self.last_block;
        let saves_objects = self.objects_saved.is_none_or(|(at, bytes)| {
            bytes <= SMALL || at.elapsed() >= SAVE_LARGE_EVERY.max(self.save_pause)
        });
        let saving = tokio::task::spawn_blocking(move || {
            let memory = judge.checkpoint();
            let objects = saves_objects.then(|| judge.objects()).flatten();
            let objects = objects.map(|state| Objects { last_block, state }.write());
            (judge, memory, objects.transpose())
        });
        let (judge, memory, objects) = saving.await?;
        self.judge = Some(judge);
        let objects = objects?;
        if let Some(objects) = &objects {
            self.objects_saved = Some((Instant::now(), objects.len()));
        }
        let mut progress = std::mem::take(&mut self.progress);
        progress.position = Some(position);
        progress.objects = objects;
        progress.checkpoint = memory.map(|memory| {
            Checkpoint {
                last_block,
                memory: &memory,
            }
            .write()
        });
        let batch = Batch {
            progress,
            ..Batch::default()
        };
        self.save(&batch).await?;
        self.saved = position;
        self.unsaved_since = None;
        self.last_save = Instant::now();
        self.save_pause = SAVE_EVERY.max(began.elapsed() * SAVE_SHARE);
        Ok(())
    }
}

/// What is stored with a position: the last row of kept events, and what detections remember.
struct Checkpoint<'a> {
    last_block: i64,
    memory: &'a [u8],
}

impl<'a> Checkpoint<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (last_block, memory) = bytes.split_first_chunk()?;
        Some(Self {
            last_block: i64::from_le_bytes(*last_block),
            memory,
        })
    }

    fn write(&self) -> Vec<u8> {
        [&self.last_block.to_le_bytes(), self.memory].concat()
    }
}

/// What is stored of objects: the last row of kept events that is in it, and what is known of them, packed.
struct Objects {
    last_block: i64,
    state: Vec<u8>,
}

impl Objects {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (last_block, packed) = bytes.split_first_chunk()?;
        let state = zstd::bulk::decompress(packed, MOST_OBJECTS);
        Some(Self {
            last_block: i64::from_le_bytes(*last_block),
            state: state
                .inspect_err(
                    |error| warn!(error = %error, "what is known of objects cannot be unpacked"),
                )
                .ok()?,
        })
    }

    fn write(&self) -> anyhow::Result<Vec<u8>> {
        let packed = zstd::bulk::compress(&self.state, 1)?;
        Ok([&self.last_block.to_le_bytes(), packed.as_slice()].concat())
    }
}

/// Shows the judge the last events that are kept, before the row `before`: those that are not in what is known of
/// objects until the row `known_until`, and some more, to learn which requests came.
async fn recall(
    app: &App,
    desk: &Desk,
    judge: Judge,
    before: i64,
    known_until: Option<i64>,
) -> anyhow::Result<Judge> {
    let mut blocks = Vec::new();
    let (mut bytes, mut before) = (0, before);
    while bytes < RECALLED {
        let is_known = known_until.is_some_and(|known| before <= known.saturating_add(1));
        if is_known && bytes >= RECALLED_LATELY {
            break;
        }
        let (found, first) = audit_blocks::before(&app.store, desk.id, before, 64).await?;
        if found.is_empty() {
            break;
        }
        before = first;
        bytes += found.iter().map(|block| block.content.len()).sum::<usize>();
        blocks.extend(found);
    }
    let name = desk.name.clone();
    let recalling = tokio::task::spawn_blocking(move || {
        let mut judge = judge;
        for block in blocks.iter().rev() {
            if let Err(error) = kept::lines(block, |line| judge.recall(line)) {
                warn!(
                    cluster = name,
                    error = format!("{error:#}"),
                    "kept events cannot be read"
                );
            }
        }
        judge
    });
    Ok(recalling.await?)
}

async fn note(app: &App, desk: &Desk, problem: &str) {
    let noted = async {
        let Some(cluster) = audit_clusters::get(&app.store, &desk.name).await? else {
            return Ok(());
        };
        let progress = Progress {
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
