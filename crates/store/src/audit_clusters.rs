//! Clusters whose audit events are judged, and how far that has come.

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
    /// How it is known: `person`, `uid` or `name`. `person` without an asset: somebody said that it is none of them.
    pub asset_by: Option<String>,
    /// The uid of its namespace `kube-system`, where an event showed it.
    pub uid: Option<String>,
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
        "SELECT id, name, asset, asset_by, uid, created, author, on_since, consent_by, consent_at, position, events, early, \
         repeated, broken, problem, problem_at, last_event FROM audit_cluster "
    };
}

fn from_row(row: &AnyRow) -> Result<AuditCluster, StoreError> {
    let columns = Columns::new(row, "audit_cluster", &["id"]);
    Ok(AuditCluster {
        id: AuditClusterId(columns.int("id")?),
        name: columns.text("name")?,
        asset: columns.opt_int("asset")?.map(AssetId),
        asset_by: columns.opt_text("asset_by")?,
        uid: columns.opt_text("uid")?,
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
    /// What is known of its objects, with the last row of kept events that is in it; unchanged, if nothing.
    pub objects: Option<Vec<u8>>,
    /// Events that were judged since the last time.
    pub events: u64,
    /// See [`AuditCluster::early`].
    pub early: u64,
    /// See [`AuditCluster::repeated`].
    pub repeated: u64,
    /// See [`AuditCluster::broken`].
    pub broken: u64,
    /// See [`AuditCluster::problem`].
    pub problem: Option<String>,
    /// When the newest of these events happened.
    pub last_event: Option<Timestamp>,
    /// See [`AuditCluster::uid`]; unchanged, if nothing.
    pub uid: Option<String>,
}

const ADVANCE: &str = "UPDATE audit_cluster SET position = COALESCE($2, position), checkpoint = COALESCE($3, checkpoint), \
       events = events + $4, early = early + $5, repeated = repeated + $6, broken = broken + $7, \
       problem = COALESCE($8, problem), problem_at = CASE WHEN $8 IS NULL THEN problem_at ELSE $9 END, \
       last_event = CASE WHEN $10 IS NULL OR last_event > $10 THEN last_event ELSE $10 END, uid = COALESCE($11, uid), \
       objects = COALESCE($12, objects) \
       WHERE id = $1";

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
        .bind(size(progress.broken))
        .bind(progress.problem.as_deref().map(clean))
        .bind(now.as_millisecond())
        .bind(progress.last_event.map(Timestamp::as_millisecond))
        .bind(progress.uid.as_deref().map(clean))
        .bind(progress.objects.clone())
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "cluster" });
    }
    Ok(())
}

const JOIN: &str = "UPDATE audit_cluster SET asset = $2, asset_by = 'person' WHERE id = $1";
const JOIN_BY_ITSELF: &str = "UPDATE audit_cluster SET asset_by = NULL WHERE id = $1";

/// Which cluster a person says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// This one.
    As(AssetId),
    /// None of those that are known.
    None,
    /// It is found out, by uid and name.
    FoundOut,
}

/// Says which cluster whose configuration is judged it is.
///
/// # Errors
/// When the database fails, or there is no such asset.
pub async fn join(tx: &mut Tx, id: AuditClusterId, same: Same) -> Result<(), StoreError> {
    let query = match same {
        Same::As(asset) => sqlx::query(JOIN).bind(id.0).bind(Some(asset.0)),
        Same::None => sqlx::query(JOIN).bind(id.0).bind(None::<i64>),
        Same::FoundOut => sqlx::query(JOIN_BY_ITSELF).bind(id.0),
    };
    query.execute(tx.connection()).await?;
    Ok(())
}

// A name that several clusters have says nothing, and neither does one whose uid is known to be another's.
const FOUND: &str = "SELECT c.id AS id, c.asset AS asset, c.uid AS uid, CASE WHEN c.uid IS NULL \
       THEN (SELECT MIN(a.id) FROM asset a WHERE a.kind = 'kubernetes-cluster' AND lower(a.name) = c.name \
         HAVING COUNT(*) = 1) \
       ELSE (SELECT a.id FROM asset a WHERE a.kind = 'kubernetes-cluster' AND a.external_id = c.uid) END AS found \
     FROM audit_cluster c WHERE c.asset_by IS NULL OR c.asset_by <> 'person' ORDER BY c.id";
const FOUND_OUT: &str = "UPDATE audit_cluster SET asset = $2, asset_by = $3 WHERE id = $1";

/// Finds out which clusters whose configuration is judged those are of which nobody has said it: first by uid, then by
/// name. One whose uid is known and fits nothing is not found by its name. Returns how many are others than before.
///
/// # Errors
/// When the database fails.
pub async fn join_all(tx: &mut Tx) -> Result<u64, StoreError> {
    let rows = sqlx::query(FOUND).fetch_all(tx.connection()).await?;
    let mut changed = 0;
    for row in &rows {
        let columns = Columns::new(row, "audit_cluster", &["id"]);
        let found = columns.opt_int("found")?;
        if found == columns.opt_int("asset")? {
            continue;
        }
        let by = match (found, columns.opt_text("uid")?) {
            (None, _) => None,
            (Some(_), Some(_)) => Some("uid"),
            (Some(_), None) => Some("name"),
        };
        sqlx::query(FOUND_OUT)
            .bind(columns.int("id")?)
            .bind(found)
            .bind(by)
            .execute(tx.connection())
            .await?;
        changed += 1;
    }
    Ok(changed)
}

const OF_ASSET: &str = concat!(cluster_columns!(), "WHERE asset = $1 ORDER BY name");

/// The clusters whose audit events are judged and that are this asset.
///
/// # Errors
/// When the database fails.
pub async fn of_asset(store: &Store, asset: AssetId) -> Result<Vec<AuditCluster>, StoreError> {
    let rows = sqlx::query(OF_ASSET)
        .bind(asset.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
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

const OBJECTS: &str = "SELECT id, objects FROM audit_cluster WHERE id = $1 AND objects IS NOT NULL";

/// What was known of the cluster's objects when that was saved last.
///
/// # Errors
/// When the database fails.
pub async fn objects(store: &Store, id: AuditClusterId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(OBJECTS)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| Columns::new(&row, "audit_cluster", &["id"]).bytes("objects"))
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
