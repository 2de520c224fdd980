//! Where audit events of a cluster come from. Of tokens only hashes are kept.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AuditClusterId, AuditSourceId, Store, StoreError, Tx};

/// How often it is noted that a source was heard of.
pub const HEARD_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSource {
    /// The row.
    pub id: AuditSourceId,
    /// Whose events it has.
    pub cluster: AuditClusterId,
    /// `webhook`, `file` or `kafka`.
    pub kind: String,
    /// How to read it, as JSON.
    pub settings: String,
    /// How far it is read, as JSON.
    pub position: Option<String>,
    /// What was wrong last; nothing since it works.
    pub problem: Option<String>,
    /// When.
    pub problem_at: Option<Timestamp>,
    /// When it was heard of last, within [`HEARD_EVERY`].
    pub received: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// Who did.
    pub author: String,
}

const CREATE: &str = "INSERT INTO audit_source (cluster, kind, settings, token_hash, created, author) \
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";

/// Makes a source. A webhook has a token.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    cluster: AuditClusterId,
    kind: &str,
    settings: &str,
    token_hash: Option<&[u8; 32]>,
    author: &str,
    now: Timestamp,
) -> Result<AuditSourceId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(cluster.0)
        .bind(clean(kind))
        .bind(clean(settings))
        .bind(token_hash.map(|hash| hash.to_vec()))
        .bind(now.as_millisecond())
        .bind(clean(author))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "audit_source", &["id"]).int("id")?;
    Ok(AuditSourceId(id))
}

macro_rules! source_columns {
    () => {
        "SELECT id, cluster, kind, settings, position, problem, problem_at, received, created, author FROM audit_source "
    };
}

fn from_row(row: &AnyRow) -> Result<AuditSource, StoreError> {
    let columns = Columns::new(row, "audit_source", &["id"]);
    Ok(AuditSource {
        id: AuditSourceId(columns.int("id")?),
        cluster: AuditClusterId(columns.int("cluster")?),
        kind: columns.text("kind")?,
        settings: columns.text("settings")?,
        position: columns.opt_text("position")?,
        problem: columns.opt_text("problem")?,
        problem_at: columns.opt_time("problem_at")?,
        received: columns.opt_time("received")?,
        created: columns.time("created")?,
        author: columns.text("author")?,
    })
}

const LIST: &str = concat!(source_columns!(), "ORDER BY cluster, id");

/// All sources, by cluster.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<AuditSource>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const TOKENS: &str =
    "SELECT id, cluster, token_hash FROM audit_source WHERE token_hash IS NOT NULL ORDER BY id";

/// The hashes of all tokens, and the source and cluster of each.
///
/// # Errors
/// When the database fails.
pub async fn tokens(
    store: &Store,
) -> Result<Vec<([u8; 32], AuditSourceId, AuditClusterId)>, StoreError> {
    let rows = sqlx::query(TOKENS).fetch_all(&store.pool).await?;
    let read = |row: &AnyRow| {
        let columns = Columns::new(row, "audit_source", &["id"]);
        Ok((
            columns.hash("token_hash")?,
            AuditSourceId(columns.int("id")?),
            AuditClusterId(columns.int("cluster")?),
        ))
    };
    rows.iter().map(read).collect()
}

const HEARD: &str = "UPDATE audit_source SET received = $2, problem = NULL, problem_at = NULL, \
     position = COALESCE($3, position) WHERE id = $1";

/// Notes that a source was heard of, and how far it is read. Its problem is over.
///
/// # Errors
/// When the database fails.
pub async fn heard(
    tx: &mut Tx,
    id: AuditSourceId,
    position: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(HEARD)
        .bind(id.0)
        .bind(now.as_millisecond())
        .bind(position)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const FAILED: &str = "UPDATE audit_source SET problem = $2, problem_at = $3 WHERE id = $1";

/// Notes what is wrong with a source.
///
/// # Errors
/// When the database fails.
pub async fn failed(
    tx: &mut Tx,
    id: AuditSourceId,
    problem: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(FAILED)
        .bind(id.0)
        .bind(clean(problem))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const DELETE: &str = "DELETE FROM audit_source WHERE id = $1 AND cluster = $2";

/// Ends a source: its token, if it has one, is good for nothing from now on. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(
    tx: &mut Tx,
    cluster: AuditClusterId,
    id: AuditSourceId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .bind(cluster.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
