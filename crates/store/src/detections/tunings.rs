//! What people change about detections and lists.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AuditClusterId, Store, StoreError, TuningId, Tx};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TuningKind {
    /// A detection is on or off.
    Switch,
    /// Its alerts weigh more or less.
    Severity,
    /// It does not match something.
    Exception,
    /// A list has more or fewer items.
    List,
}

impl TuningKind {
    const ALL: [Self; 4] = [Self::Switch, Self::Severity, Self::Exception, Self::List];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Severity => "severity",
            Self::Exception => "exception",
            Self::List => "list",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The row.
    pub id: TuningId,
    /// What it says.
    pub said: NewTuning,
    /// The cluster's name, for a change that is for one.
    pub cluster_name: Option<String>,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// A change to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTuning {
    /// What is changed.
    pub kind: TuningKind,
    /// A detection's id, or a list's name.
    pub target: String,
    /// The cluster for which it is; all of them, if nothing.
    pub cluster: Option<AuditClusterId>,
    /// How, as JSON.
    pub value: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

const ADD: &str = "INSERT INTO detection_tuning (kind, target, cluster, value, reason, author, created, expires) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";

/// Makes a change.
///
/// # Errors
/// When the database fails.
pub async fn add(
    tx: &mut Tx,
    new: &NewTuning,
    author: &str,
    now: Timestamp,
) -> Result<TuningId, StoreError> {
    let row = sqlx::query(ADD)
        .bind(new.kind.as_str())
        .bind(clean(&new.target))
        .bind(new.cluster.map(|cluster| cluster.0))
        .bind(clean(&new.value))
        .bind(clean(&new.reason))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(new.expires.map(Timestamp::as_millisecond))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "detection_tuning", &["id"]).int("id")?;
    Ok(TuningId(id))
}

const REPLACE: &str = "DELETE FROM detection_tuning WHERE kind = $1 AND target = $2 \
     AND COALESCE(cluster, 0) = $3";

/// Makes a change in place of the one of its kind for the same target and cluster, if there is one: a detection is on
/// or off, not both.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    tx: &mut Tx,
    new: &NewTuning,
    author: &str,
    now: Timestamp,
) -> Result<TuningId, StoreError> {
    sqlx::query(REPLACE)
        .bind(new.kind.as_str())
        .bind(clean(&new.target))
        .bind(new.cluster.map_or(0, |cluster| cluster.0))
        .execute(tx.connection())
        .await?;
    add(tx, new, author, now).await
}

const LIST: &str = "SELECT t.id AS id, t.kind AS kind, t.target AS target, t.cluster AS cluster, \
     c.name AS cluster_name, t.value AS value, t.reason AS reason, t.author AS author, t.created AS created, \
     t.expires AS expires FROM detection_tuning t LEFT JOIN audit_cluster c ON c.id = t.cluster ORDER BY t.id";

/// All changes, in the order in which they were made.
///
/// # Errors
/// When the database fails.
pub async fn tunings(store: &Store) -> Result<Vec<Tuning>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Tuning, StoreError> {
    let columns = Columns::new(row, "detection_tuning", &["id"]);
    Ok(Tuning {
        id: TuningId(columns.int("id")?),
        said: NewTuning {
            kind: columns.word("kind", TuningKind::parse)?,
            target: columns.text("target")?,
            cluster: columns.opt_int("cluster")?.map(AuditClusterId),
            value: columns.text("value")?,
            reason: columns.text("reason")?,
            expires: columns.opt_time("expires")?,
        },
        cluster_name: columns.opt_text("cluster_name")?,
        author: columns.text("author")?,
        created: columns.time("created")?,
    })
}

const REMOVE: &str = "DELETE FROM detection_tuning WHERE id = $1";

/// Takes a change back. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: TuningId) -> Result<bool, StoreError> {
    let done = sqlx::query(REMOVE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const END_EXPIRED: &str = "DELETE FROM detection_tuning WHERE expires <= $1 RETURNING id";

/// Takes back what has ended. Returns which: whoever gets a number is the only one who does.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(tx: &mut Tx, now: Timestamp) -> Result<Vec<TuningId>, StoreError> {
    let rows = sqlx::query(END_EXPIRED)
        .bind(now.as_millisecond())
        .fetch_all(tx.connection())
        .await?;
    let id = |row: &AnyRow| Columns::new(row, "detection_tuning", &["id"]).int("id");
    rows.iter().map(|row| id(row).map(TuningId)).collect()
}
