//! Recent events of clusters, without their secrets, in blocks: to show what somebody did around an alert, and to try a
//! rule on what has happened.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{int, size};
use crate::{AuditClusterId, Store, StoreError, Tx};

/// Events that were judged in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// When the first of them happened.
    pub first: Timestamp,
    /// When the last one did.
    pub last: Timestamp,
    /// How many there are.
    pub events: u64,
    /// As whoever writes it packs it.
    pub content: Vec<u8>,
}

const ADD: &str = "INSERT INTO audit_block (cluster, first, last, events, bytes, content) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";

/// Keeps a block. Returns the row's number: later ones have larger numbers.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, cluster: AuditClusterId, block: &Block) -> Result<i64, StoreError> {
    let row = sqlx::query(ADD)
        .bind(cluster.0)
        .bind(block.first.as_millisecond())
        .bind(block.last.as_millisecond())
        .bind(size(block.events))
        .bind(int(block.content.len()))
        .bind(block.content.clone())
        .fetch_one(tx.connection())
        .await?;
    Columns::new(&row, "audit_block", &["id"]).int("id")
}

const AROUND: &str = "SELECT id, first, last, events, content FROM audit_block \
     WHERE cluster = $1 AND last >= $2 AND first <= $3 AND id > $4 ORDER BY id LIMIT $5";

/// Blocks with events between two times: those after the row `after`, and the last row's number. So a caller goes
/// through any number of them with a few in memory.
///
/// # Errors
/// When the database fails.
pub async fn between(
    store: &Store,
    cluster: AuditClusterId,
    from: Timestamp,
    to: Timestamp,
    after: i64,
    limit: usize,
) -> Result<(Vec<Block>, i64), StoreError> {
    let rows = sqlx::query(AROUND)
        .bind(cluster.0)
        .bind(from.as_millisecond())
        .bind(to.as_millisecond())
        .bind(after)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    read_all(&rows, after)
}

const NEWEST: &str = "SELECT id, first, last, events, content FROM audit_block \
     WHERE cluster = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// The last blocks before the row `before`, the last one first, and the first row's number.
///
/// # Errors
/// When the database fails.
pub async fn before(
    store: &Store,
    cluster: AuditClusterId,
    before: i64,
    limit: usize,
) -> Result<(Vec<Block>, i64), StoreError> {
    let rows = sqlx::query(NEWEST)
        .bind(cluster.0)
        .bind(before)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    read_all(&rows, before)
}

/// Blocks, and the number of the last row read.
fn read_all(rows: &[AnyRow], otherwise: i64) -> Result<(Vec<Block>, i64), StoreError> {
    let mut last = otherwise;
    let mut blocks = Vec::new();
    for row in rows {
        let columns = Columns::new(row, "audit_block", &["id"]);
        last = columns.int("id")?;
        blocks.push(Block {
            first: columns.time("first")?,
            last: columns.time("last")?,
            events: columns.count("events")?,
            content: columns.bytes("content")?,
        });
    }
    Ok((blocks, last))
}

const DELETE_OLD: &str = "DELETE FROM audit_block WHERE last < $1";
const SIZES: &str =
    "SELECT id, bytes FROM audit_block WHERE cluster = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";
const DELETE_BEFORE: &str = "DELETE FROM audit_block WHERE cluster = $1 AND id <= $2";
const CLUSTERS: &str =
    "SELECT cluster, CAST(SUM(bytes) AS BIGINT) AS bytes FROM audit_block GROUP BY cluster";
/// Sizes that are looked at in one go.
const LOOKED_AT: usize = 10_000;

/// Deletes what is older than `before`, and of each cluster the oldest beyond `most_bytes`.
///
/// # Errors
/// When the database fails.
pub async fn prune(store: &Store, before: Timestamp, most_bytes: u64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(DELETE_OLD)
        .bind(before.as_millisecond())
        .execute(tx.connection())
        .await?;
    let clusters = sqlx::query(CLUSTERS).fetch_all(tx.connection()).await?;
    for row in &clusters {
        let columns = Columns::new(row, "audit_block", &["cluster"]);
        let (cluster, bytes): (i64, u64) = (columns.int("cluster")?, columns.count("bytes")?);
        if bytes <= most_bytes {
            continue;
        }
        if let Some(last) = beyond(&mut tx, cluster, most_bytes).await? {
            sqlx::query(DELETE_BEFORE)
                .bind(cluster)
                .bind(last)
                .execute(tx.connection())
                .await?;
        }
    }
    tx.commit().await
}

/// The newest block that is one too many.
async fn beyond(tx: &mut Tx, cluster: i64, most_bytes: u64) -> Result<Option<i64>, StoreError> {
    let mut sum = 0_u64;
    let mut offset = 0_usize;
    loop {
        let rows = sqlx::query(SIZES)
            .bind(cluster)
            .bind(int(LOOKED_AT))
            .bind(int(offset))
            .fetch_all(tx.connection())
            .await?;
        for row in &rows {
            let columns = Columns::new(row, "audit_block", &["id"]);
            sum = sum.saturating_add(columns.count("bytes")?);
            if sum > most_bytes {
                return Ok(Some(columns.int("id")?));
            }
        }
        if rows.len() < LOOKED_AT {
            return Ok(None);
        }
        offset += LOOKED_AT;
    }
}

const TOTAL: &str = "SELECT COUNT(*) AS blocks, CAST(COALESCE(SUM(events), 0) AS BIGINT) AS events, \
     CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes, MIN(first) AS first FROM audit_block WHERE cluster = $1";

/// What is kept of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Events.
    pub events: u64,
    /// Bytes, packed.
    pub bytes: u64,
    /// When the first of them happened.
    pub first: Option<Timestamp>,
}

/// How much is kept of a cluster.
///
/// # Errors
/// When the database fails.
pub async fn kept(store: &Store, cluster: AuditClusterId) -> Result<Kept, StoreError> {
    let row = sqlx::query(TOTAL)
        .bind(cluster.0)
        .fetch_one(&store.pool)
        .await?;
    let columns = Columns::new(&row, "audit_block", &["blocks"]);
    Ok(Kept {
        events: columns.count("events")?,
        bytes: columns.count("bytes")?,
        first: columns.opt_time("first")?,
    })
}

const SPAN: &str = "SELECT COUNT(*) AS blocks, CAST(COALESCE(SUM(events), 0) AS BIGINT) AS events, \
     CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes, MIN(first) AS first FROM audit_block \
     WHERE cluster = $1 AND last >= $2 AND first <= $3";

/// How much is kept of a cluster in the blocks with events between two times. Blocks hang over both ends.
///
/// # Errors
/// When the database fails.
pub async fn kept_between(
    store: &Store,
    cluster: AuditClusterId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Kept, StoreError> {
    let row = sqlx::query(SPAN)
        .bind(cluster.0)
        .bind(from.as_millisecond())
        .bind(to.as_millisecond())
        .fetch_one(&store.pool)
        .await?;
    let columns = Columns::new(&row, "audit_block", &["blocks"]);
    Ok(Kept {
        events: columns.count("events")?,
        bytes: columns.count("bytes")?,
        first: columns.opt_time("first")?,
    })
}
