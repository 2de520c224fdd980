//! Tries rules on kept events. Done twice, it comes to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use seareeve_api::{BacktestResult, Event, NewBacktest};
use seareeve_store::audit_clusters::{self, AuditCluster};
use seareeve_store::backtests::{self, Backtest, Ending};
use seareeve_store::jobs::{self, Job};
use seareeve_store::{
    AuditClusterId, BacktestId, StoreError, TuningId, Tx, audit_blocks, suppressions,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{BACKTEST, JobError};
use crate::audit::backtest::{Course, Pair, Trial};
use crate::audit::content::{self, Given, own_name};
use crate::audit::{self, files, kept, tuning};
use crate::state::App;

/// Blocks of events that are in memory at a time.
const BLOCKS: usize = 4;
/// Pause between two notes of how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Stands for clusters about which nothing is changed: no row has it.
const NO_CLUSTER: AuditClusterId = AuditClusterId(0);

#[derive(Serialize, Deserialize)]
struct Payload {
    backtest: i64,
}

/// Enqueues a back-test, in the transaction that makes it.
pub(crate) async fn enqueue(tx: &mut Tx, id: BacktestId, now: Timestamp) -> Result<(), StoreError> {
    let payload = serde_json::to_string(&Payload { backtest: id.0 }).unwrap_or_default();
    jobs::enqueue(tx, BACKTEST, &payload, now, 2, now).await?;
    Ok(())
}

pub(super) async fn run(app: &Arc<App>, job: &Job) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload).context("payload")?;
    let id = BacktestId(payload.backtest);
    // It may have been stopped, or forgotten.
    if let Some(backtest) = backtests::get(&app.store, id).await? {
        let outcome = try_out(app, &backtest).await;
        let mut tx = app.store.begin().await?;
        match outcome {
            Ok(Some(result)) => {
                let text = serde_json::to_string(&result).context("result")?;
                backtests::end(&mut tx, id, Ending::Done(&text), app.now()).await?;
                info!(
                    backtest = id.0,
                    events = result.span.events,
                    "back-test done"
                );
            }
            // Somebody stopped it.
            Ok(None) => {}
            Err(JobError::Stopped) => return Err(JobError::Stopped),
            Err(JobError::Later(error)) => {
                let why: String = format!("{error:#}").chars().take(2_000).collect();
                backtests::end(&mut tx, id, Ending::Failed(&why), app.now()).await?;
            }
        }
        tx.commit().await?;
    }
    let mut tx = app.store.begin().await?;
    jobs::complete(&mut tx, job).await?;
    tx.commit().await?;
    app.events.publish(Event::Backtests);
    Ok(())
}

/// Nothing when somebody stopped it.
async fn try_out(app: &Arc<App>, backtest: &Backtest) -> Result<Option<BacktestResult>, JobError> {
    let asked: NewBacktest = serde_json::from_str(&backtest.asked).context("what was asked for")?;
    let plan = plan(app, &asked, backtest.created).await?;
    let clusters = audit_clusters::list(&app.store).await?;
    let is_wanted =
        |one: &AuditCluster| asked.clusters.is_empty() || asked.clusters.contains(&one.name);
    let clusters: Vec<AuditCluster> = clusters.into_iter().filter(is_wanted).collect();
    let from = asked.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let to = backtest.created;
    let mut total = 0;
    for cluster in &clusters {
        let kept = audit_blocks::kept_between(&app.store, cluster.id, from, to).await?;
        total += kept.events;
    }
    let mut progress = Progress {
        app,
        id: backtest.id,
        total,
        seen: 0,
        told: None,
    };
    if !progress.tell().await? {
        return Ok(None);
    }
    let mut trial = Trial::new(suppressions::list(&app.store).await?, backtest.created);
    let mut pairs: BTreeMap<i64, Arc<Pair>> = BTreeMap::new();
    let mut is_empty = true;
    for cluster in &clusters {
        let of = plan.of(cluster.id);
        let pair = match pairs.get(&of.0) {
            Some(pair) => Arc::clone(pair),
            None => {
                let plan = plan.clone();
                let making = tokio::task::spawn_blocking(move || plan.pair(of));
                let pair = Arc::new(making.await?);
                pairs.insert(of.0, Arc::clone(&pair));
                pair
            }
        };
        is_empty &= pair.is_empty();
        let course = Course::new(&cluster.name, pair, asked.since);
        match through(&mut progress, cluster.id, (from, to), trial, course).await? {
            Some(done) => trial = done,
            None => return Ok(None),
        }
    }
    let mut result = trial.result(asked.since);
    if is_empty && !clusters.is_empty() {
        let note = "Nothing differs: no rule that is on comes, goes or changes.".to_owned();
        result.notes.insert(0, note);
    }
    Ok(Some(result))
}

/// Goes through a cluster's events. Nothing when somebody stopped it.
async fn through(
    progress: &mut Progress<'_>,
    cluster: AuditClusterId,
    (from, to): (Timestamp, Timestamp),
    trial: Trial,
    course: Course,
) -> Result<Option<Trial>, JobError> {
    let store = &progress.app.store;
    let (mut trial, mut course) = (trial, course);
    let mut after = 0;
    loop {
        if progress.app.shutdown.is_cancelled() {
            return Err(JobError::Stopped);
        }
        let (blocks, last) = audit_blocks::between(store, cluster, from, to, after, BLOCKS).await?;
        if blocks.is_empty() {
            trial.end(course);
            return Ok(Some(trial));
        }
        after = last;
        let events: u64 = blocks.iter().map(|block| block.events).sum();
        let seeing = tokio::task::spawn_blocking(move || {
            for block in &blocks {
                kept::lines(block, |line| trial.see(&mut course, line))?;
            }
            anyhow::Ok((trial, course))
        });
        (trial, course) = seeing.await??;
        progress.seen = progress.seen.saturating_add(events);
        if !progress.tell().await? {
            return Ok(None);
        }
    }
}

/// How far it is, told now and then.
struct Progress<'a> {
    app: &'a Arc<App>,
    id: BacktestId,
    total: u64,
    seen: u64,
    told: Option<Instant>,
}

impl Progress<'_> {
    /// Whether it goes on.
    async fn tell(&mut self) -> Result<bool, StoreError> {
        if self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return Ok(true);
        }
        self.told = Some(Instant::now());
        let mut tx = self.app.store.begin().await?;
        let total = self.total.max(self.seen);
        let goes_on = backtests::advance(&mut tx, self.id, self.seen, total).await?;
        tx.commit().await?;
        self.app.events.publish(Event::Backtests);
        Ok(goes_on)
    }
}

/// What is there, and what would be.
#[derive(Clone)]
struct Plan {
    now: Given,
    then: Given,
    also: BTreeSet<String>,
    at: Timestamp,
}

impl Plan {
    /// Whose changes count for a cluster: its own, or those for all.
    fn of(&self, cluster: AuditClusterId) -> AuditClusterId {
        let given = self.now.tunings.iter().chain(&self.then.tunings);
        let mut own = given.filter(|one| one.said.cluster == Some(cluster));
        own.next().map_or(NO_CLUSTER, |_| cluster)
    }

    fn pair(&self, cluster: AuditClusterId) -> Pair {
        let now = tuning::for_cluster(&self.now, cluster, self.at);
        let then = tuning::for_cluster(&self.then, cluster, self.at);
        Pair::new((&self.now, &now), (&self.then, &then), &self.also)
    }
}

async fn plan(app: &Arc<App>, asked: &NewBacktest, at: Timestamp) -> anyhow::Result<Plan> {
    let now = audit::given(app).await?;
    let mut plan = Plan {
        then: now.clone(),
        now,
        also: asked.detection.iter().cloned().collect(),
        at,
    };
    if let Some(new) = &asked.tuning {
        let checked = tuning::check(app, new.clone(), at).await;
        let checked = checked.map_err(|error| anyhow::anyhow!("{error}"))?;
        plan.then = tuning::with(&plan.now, &checked, TuningId(i64::MAX), at);
    }
    if let Some(file) = &asked.file {
        let (given, name, text) = (plan.now.clone(), file.name.clone(), file.content.clone());
        let trying = tokio::task::spawn_blocking(move || {
            let with = files::with(&given, &name, &text, at);
            let nothing = seareeve_detect::Tuning::default();
            let (loaded, _) = content::load(&with, &with.files, &nothing);
            let rules = loaded.engine.rules();
            let own = rules.filter(|rule| own_name(&rule.file) == Some(name.as_str()));
            let own: BTreeSet<String> = own.map(|rule| rule.id.clone()).collect();
            (with, own)
        });
        (plan.then, plan.also) = trying.await?;
    }
    Ok(plan)
}
