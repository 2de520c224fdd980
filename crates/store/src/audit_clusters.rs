//! Clusters whose audit events are judged, and how far that has come.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, size};
use crate::{AssetId, AuditClusterId, Store, StoreError, Tx};

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCluster {
    /// The row.
    pub id: AuditClusterId,
    /// By which everybody knows it: letters, digits and hyphens.
    pub name: String,
    /// The cluster whose configuration is judged, if it is known that it is the same.
    pub asset: Option<AssetId>,
    /// When it was made known.
    pub created: Timestamp,
    /// Who did.
    pub author: String,
    /// Since when its events raise alerts; they do not, if nothing.
    pub on_since: Option<Timestamp>,
    /// Who consented to its events being read.
    pub consent_by: Option<String>,
    /// When.
    pub consent_at: Option<Timestamp>,
    /// How far its lane is judged.
    pub position: u64,
    /// Events that were judged.
    pub events: u64,
    /// Events from before the plan was on, which raise nothing.
    pub early: u64,
    /// Events that came more than once.
    pub repeated: u64,
    /// What came and was no event.
    pub broken: u64,
    /// What was wrong last.
    pub problem: Option<String>,
    /// When.
    pub problem_at: Option<Timestamp>,
    /// When the newest event happened.
    pub last_event: Option<Timestamp>,
}

const CREATE: &str = "INSERT INTO audit_cluster (name, created, author, position, events, early, repeated, broken) \
     VALUES ($1, $2, $3, 0, 0, 0, 0, 0) RETURNING id";

/// Makes a cluster known. Its plan is off.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one of this name.
pub async fn create(
    tx: &mut Tx,
    name: &str,
    author: &str,
    now: Timestamp,
) -> Result<AuditClusterId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(name))
        .bind(now.as_millisecond())
        .bind(clean(author))
        .fetch_one(tx.connection())
        .await
        .map_err(StoreError::conflict("cluster"))?;
    let id = Columns::new(&row, "audit_cluster", &["id"]).int("id")?;
    Ok(AuditClusterId(id))
}

macro_rules! cluster_columns {
    () => {
        "SELECT id, name, asset, created, author, on_since, consent_by, consent_at, position, events, early, \
         repeated, broken, problem, problem_at, last_event FROM audit_cluster "
    };
}

fn from_row(row: &AnyRow) -> Result<AuditCluster, StoreError> {
    let columns = Columns::new(row, "audit_cluster", &["id"]);
    Ok(AuditCluster {
        id: AuditClusterId(columns.int("id")?),
        name: columns.text("name")?,
        asset: columns.opt_int("asset")?.map(AssetId),
        created: columns.time("created")?,
        author: columns.text("author")?,
        on_since: columns.opt_time("on_since")?,
        consent_by: columns.opt_text("consent_by")?,
        consent_at: columns.opt_time("consent_at")?,
        position: columns.count("position")?,
        events: columns.count("events")?,
        early: columns.count("early")?,
        repeated: columns.count("repeated")?,
        broken: columns.count("broken")?,
        problem: columns.opt_text("problem")?,
        problem_at: columns.opt_time("problem_at")?,
        last_event: columns.opt_time("last_event")?,
    })
}

const LIST: &str = concat!(cluster_columns!(), "ORDER BY name");

/// All clusters, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<AuditCluster>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const GET: &str = concat!(cluster_columns!(), "WHERE name = $1");

/// The cluster of this name.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, name: &str) -> Result<Option<AuditCluster>, StoreError> {
    let row = sqlx::query(GET)
        .bind(name)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const SWITCH_ON: &str = "UPDATE audit_cluster SET on_since = $2, consent_by = $3, consent_at = $2 \
     WHERE id = $1 AND on_since IS NULL";
const SWITCH_OFF: &str = "UPDATE audit_cluster SET on_since = NULL WHERE id = $1";

/// Lets the cluster's events raise alerts from `now` on; somebody consented to it. Already on, it stays as it was.
///
/// # Errors
/// When the database fails.
pub async fn switch_on(
    tx: &mut Tx,
    id: AuditClusterId,
    consent_by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(SWITCH_ON)
        .bind(id.0)
        .bind(now.as_millisecond())
        .bind(clean(consent_by))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Ends it. What was raised stays.
///
/// # Errors
/// When the database fails.
pub async fn switch_off(tx: &mut Tx, id: AuditClusterId) -> Result<(), StoreError> {
    sqlx::query(SWITCH_OFF)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// How far a cluster's events are judged, and what they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The new position; the old one, if nothing.
    pub position: Option<u64>,
    /// What the judge knows there; unchanged, if nothing.
    pub checkpoint: Option<Vec<u8>>,
    /// Events that were judged since the last time.
    pub events: u64,
    /// See [`AuditCluster::early`].
    pub early: u64,
    /// See [`AuditCluster::repeated`].
    pub repeated: u64,
    /// See [`AuditCluster::broken`]: how many, by a word for what is wrong with them.
    pub broken: BTreeMap<&'static str, u64>,
    /// See [`AuditCluster::problem`].
    pub problem: Option<String>,
    /// When the newest of these events happened.
    pub last_event: Option<Timestamp>,
}

const ADVANCE: &str = "UPDATE audit_cluster SET position = COALESCE($2, position), checkpoint = COALESCE($3, checkpoint), \
       events = events + $4, early = early + $5, repeated = repeated + $6, broken = broken + $7, \
       problem = COALESCE($8, problem), problem_at = CASE WHEN $8 IS NULL THEN problem_at ELSE $9 END, \
       last_event = CASE WHEN $10 IS NULL OR last_event > $10 THEN last_event ELSE $10 END WHERE id = $1";

const BREAK: &str = "INSERT INTO audit_broken (cluster, kind, events, last) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (cluster, kind) DO UPDATE SET events = audit_broken.events + excluded.events, last = excluded.last";

/// Notes how far judging has come, in the transaction that raises what was found on the way.
///
/// # Errors
/// [`StoreError::NotFound`] when the cluster is gone.
pub async fn advance(
    tx: &mut Tx,
    id: AuditClusterId,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(ADVANCE)
        .bind(id.0)
        .bind(progress.position.map(size))
        .bind(progress.checkpoint.clone())
        .bind(size(progress.events))
        .bind(size(progress.early))
        .bind(size(progress.repeated))
        .bind(size(progress.broken.values().sum()))
        .bind(progress.problem.as_deref().map(clean))
        .bind(now.as_millisecond())
        .bind(progress.last_event.map(Timestamp::as_millisecond))
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "cluster" });
    }
    for (kind, events) in &progress.broken {
        sqlx::query(BREAK)
            .bind(id.0)
            .bind(*kind)
            .bind(size(*events))
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// What came and was no event, or could not be judged in full, of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// A word for what is wrong with them.
    pub kind: String,
    /// How many there were.
    pub events: u64,
    /// When the last of them was looked at.
    pub last: Timestamp,
}

const BROKEN: &str =
    "SELECT cluster, kind, events, last FROM audit_broken WHERE cluster = $1 ORDER BY kind";

/// What came of a cluster and was no event, by sort.
///
/// # Errors
/// When the database fails.
pub async fn broken(store: &Store, id: AuditClusterId) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query(BROKEN)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    let read = |row: &AnyRow| {
        let columns = Columns::new(row, "audit_broken", &["cluster", "kind"]);
        Ok(Broken {
            kind: columns.text("kind")?,
            events: columns.count("events")?,
            last: columns.time("last")?,
        })
    };
    rows.iter().map(read).collect()
}

const CHECKPOINT: &str =
    "SELECT id, checkpoint FROM audit_cluster WHERE id = $1 AND checkpoint IS NOT NULL";

/// What the judge knew at the cluster's position.
///
/// # Errors
/// When the database fails.
pub async fn checkpoint(store: &Store, id: AuditClusterId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(CHECKPOINT)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| Columns::new(&row, "audit_cluster", &["id"]).bytes("checkpoint"))
        .transpose()
}

const DELETE: &str = "DELETE FROM audit_cluster WHERE id = $1";

/// Forgets a cluster, its sources and its events. Its alerts stay. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: AuditClusterId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
