//! Jobs: work that must be done once, survives a crash, and is enqueued together with its cause.
//!
//! A worker leases a job and extends the lease while it works. When the worker dies the lease runs out and
//! another takes over; whoever lost a lease can no longer finish the job. A job that has used up its
//! attempts is dead: it is kept for people to see.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, texts};
use crate::{Dialect, JobId, Store, StoreError, Tx};

/// A job in the hands of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The row.
    pub id: JobId,
    /// What is to be done: the name of a job of the server.
    pub kind: String,
    /// With what, as the one who enqueued it wrote it (JSON).
    pub payload: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub max_attempts: u32,
    /// Who has it.
    pub worker: String,
}

/// What became of a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It will be tried again.
    Retrying,
    /// It will not.
    Dead,
    /// The lease had run out: somebody else decides.
    Lost,
}

/// Jobs by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting, also for a time to come.
    pub queued: u64,
    /// Leased, also those whose lease has just run out.
    pub running: u64,
    /// Given up.
    pub dead: u64,
}

const ENQUEUE: &str = "INSERT INTO job (kind, payload, state, run_at, attempts, max_attempts, created) \
     VALUES ($1, $2, 'queued', $3, 0, $4, $5) RETURNING id";

/// Puts a job into the queue, to run at `run_at` or soon after.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    tx: &mut Tx,
    kind: &str,
    payload: &str,
    run_at: Timestamp,
    max_attempts: u32,
    now: Timestamp,
) -> Result<JobId, StoreError> {
    let row = sqlx::query(ENQUEUE)
        .bind(kind)
        .bind(clean(payload))
        .bind(run_at.as_millisecond())
        .bind(i64::from(max_attempts.max(1)))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    Ok(JobId(Columns::new(&row, "job", &["id"]).int("id")?))
}

const ENQUEUE_ONCE: &str = "INSERT INTO job (kind, payload, state, run_at, attempts, max_attempts, created) \
     SELECT $1, $2, 'queued', $3, 0, $4, $3 WHERE NOT EXISTS \
       (SELECT 1 FROM job WHERE kind = $1 AND payload = $2 AND state = 'queued')";

/// Puts a job into the queue, unless the same waits there already. One that runs does not count: it may have passed by
/// what is to be done.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_once(
    tx: &mut Tx,
    kind: &str,
    payload: &str,
    now: Timestamp,
    max_attempts: u32,
) -> Result<(), StoreError> {
    sqlx::query(ENQUEUE_ONCE)
        .bind(kind)
        .bind(clean(payload))
        .bind(now.as_millisecond())
        .bind(i64::from(max_attempts.max(1)))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const BURY_EXPIRED: &str = "UPDATE job SET state = 'dead', died = $1, error = 'its worker died at the last attempt' \
     WHERE state = 'running' AND leased_until <= $1 AND attempts >= max_attempts";

macro_rules! next_job {
    () => {
        "SELECT id FROM job WHERE kind IN (SELECT value ->> 't' FROM json_each($1)) \
         AND ((state = 'queued' AND run_at <= $2) \
           OR (state = 'running' AND leased_until <= $2 AND attempts < max_attempts)) \
         ORDER BY run_at, id LIMIT 1"
    };
}
/// SQLite has one writer, so what is free stays free until we take it.
const NEXT_SQLITE: &str = next_job!();
/// PostgreSQL has many: the row is locked, and rows that others are taking are passed over.
const NEXT_POSTGRES: &str = concat!(next_job!(), " FOR UPDATE SKIP LOCKED");

const TAKE: &str = "UPDATE job SET state = 'running', worker = $2, leased_until = $3, \
     attempts = attempts + 1 WHERE id = $1 RETURNING id, kind, payload, attempts, max_attempts, worker";

/// Takes the next job of one of these kinds that is due or was left by a dead worker.
///
/// # Errors
/// When the database fails.
pub async fn lease(
    store: &Store,
    kinds: &[&str],
    worker: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<Job>, StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(BURY_EXPIRED)
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    let next = match tx.dialect() {
        Dialect::Sqlite => NEXT_SQLITE,
        Dialect::Postgres => NEXT_POSTGRES,
    };
    let row = sqlx::query(next)
        .bind(texts(kinds.iter().copied()))
        .bind(now.as_millisecond())
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else {
        tx.commit().await?;
        return Ok(None);
    };
    let row = sqlx::query(TAKE)
        .bind(Columns::new(&row, "job", &["id"]).int("id")?)
        .bind(worker)
        .bind(until(now, lease))
        .fetch_one(tx.connection())
        .await?;
    let job = from_row(&row)?;
    tx.commit().await?;
    Ok(Some(job))
}

fn from_row(row: &AnyRow) -> Result<Job, StoreError> {
    let columns = Columns::new(row, "job", &["id"]);
    Ok(Job {
        id: JobId(columns.int("id")?),
        kind: columns.text("kind")?,
        payload: columns.text("payload")?,
        attempt: columns.count("attempts")?,
        max_attempts: columns.count("max_attempts")?,
        worker: columns.text("worker")?,
    })
}

fn until(now: Timestamp, lease: SignedDuration) -> i64 {
    now.as_millisecond()
        .saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

/// The lease is the job's only while worker and attempt are still those that leased it.
macro_rules! mine {
    () => {
        " WHERE id = $1 AND state = 'running' AND worker = $2 AND attempts = $3"
    };
}

const EXTEND: &str = concat!("UPDATE job SET leased_until = $4", mine!());

/// Keeps the job for another `lease` from now. `false`: it is lost, stop working on it.
///
/// # Errors
/// When the database fails.
pub async fn extend(
    store: &Store,
    job: &Job,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(EXTEND)
        .bind(job.id.0)
        .bind(&job.worker)
        .bind(i64::from(job.attempt))
        .bind(until(now, lease))
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

const COMPLETE: &str = concat!("DELETE FROM job", mine!());

/// The job is done, together with what it did. `false`: it is lost, so do not commit.
///
/// # Errors
/// When the database fails.
pub async fn complete(tx: &mut Tx, job: &Job) -> Result<bool, StoreError> {
    let done = sqlx::query(COMPLETE)
        .bind(job.id.0)
        .bind(&job.worker)
        .bind(i64::from(job.attempt))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const FAIL: &str = concat!(
    "UPDATE job SET worker = NULL, leased_until = NULL, error = $4, state = $5, run_at = $6, died = $7",
    mine!()
);

/// The job failed. It is tried again at `retry_at`, unless that is `None` (trying again is of no use) or
/// its attempts are used up.
///
/// # Errors
/// When the database fails.
pub async fn fail(
    tx: &mut Tx,
    job: &Job,
    error: &str,
    retry_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Failed, StoreError> {
    let retry_at = retry_at.filter(|_| job.attempt < job.max_attempts);
    let (failed, state, died) = match retry_at {
        Some(_) => (Failed::Retrying, "queued", None),
        None => (Failed::Dead, "dead", Some(now.as_millisecond())),
    };
    let done = sqlx::query(FAIL)
        .bind(job.id.0)
        .bind(&job.worker)
        .bind(i64::from(job.attempt))
        .bind(clean(error))
        .bind(state)
        .bind(retry_at.unwrap_or(now).as_millisecond())
        .bind(died)
        .execute(tx.connection())
        .await?;
    Ok(if done.rows_affected() > 0 {
        failed
    } else {
        Failed::Lost
    })
}

const RELEASE: &str = concat!(
    "UPDATE job SET worker = NULL, leased_until = NULL, state = 'queued', run_at = $4, \
     attempts = attempts - 1",
    mine!()
);

/// Gives the job back untried, when the process is about to stop. `false`: it was lost already.
///
/// # Errors
/// When the database fails.
pub async fn release(store: &Store, job: &Job, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(RELEASE)
        .bind(job.id.0)
        .bind(&job.worker)
        .bind(i64::from(job.attempt))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

const COUNTS: &str = "SELECT state, COUNT(*) AS jobs FROM job GROUP BY state";

/// How many jobs there are in each state.
///
/// # Errors
/// When the database fails.
pub async fn counts(store: &Store) -> Result<JobCounts, StoreError> {
    let mut counts = JobCounts::default();
    for row in sqlx::query(COUNTS).fetch_all(&store.pool).await? {
        let columns = Columns::new(&row, "job", &["state"]);
        let jobs = columns.count("jobs")?;
        match columns.text("state")?.as_str() {
            "queued" => counts.queued = jobs,
            "running" => counts.running = jobs,
            "dead" => counts.dead = jobs,
            other => return Err(columns.corrupt("state", &format!("{other:?} is not a state"))),
        }
    }
    Ok(counts)
}

const PAYLOADS: &str =
    "SELECT id, payload FROM job WHERE kind = $1 AND state IN ('queued', 'running')";

/// The payloads of all jobs of this kind that wait or run.
///
/// # Errors
/// When the database fails.
pub async fn payloads(store: &Store, kind: &str) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(PAYLOADS)
        .bind(kind)
        .fetch_all(&store.pool)
        .await?;
    rows.iter()
        .map(|row| Columns::new(row, "job", &["id"]).text("payload"))
        .collect()
}

const ANY_PENDING: &str = "SELECT COUNT(*) AS jobs FROM job WHERE state IN ('queued', 'running') \
     AND kind IN (SELECT value ->> 't' FROM json_each($1))";

/// Whether a job of one of these kinds waits or runs.
///
/// # Errors
/// When the database fails.
pub async fn any_pending(store: &Store, kinds: &[&str]) -> Result<bool, StoreError> {
    let row = sqlx::query(ANY_PENDING)
        .bind(texts(kinds.iter().copied()))
        .fetch_one(&store.pool)
        .await?;
    let jobs: u64 = Columns::new(&row, "job", &[]).count("jobs")?;
    Ok(jobs > 0)
}

const PURGE_DEAD: &str = "DELETE FROM job WHERE state = 'dead' AND died < $1";

/// Forgets jobs that died before `before`. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn purge_dead(store: &Store, before: Timestamp) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(PURGE_DEAD)
        .bind(before.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
