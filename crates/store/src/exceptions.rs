//! Exceptions: what may fail, with a reason and mostly an end.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AssetId, ExceptionId, Store, StoreError, Tx};

/// An exception from a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The row.
    pub id: ExceptionId,
    /// What it says.
    pub said: NewException,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
}

/// One to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewException {
    /// The check that may fail.
    pub check_id: String,
    /// Only where this benchmark wants it.
    pub benchmark: Option<String>,
    /// Only on assets with such a name, in which `*` stands for anything.
    pub asset: Option<String>,
    /// Only on objects with such a name.
    pub object: Option<String>,
    /// Why it may.
    pub reason: String,
    /// Until when.
    pub expires: Option<Timestamp>,
}

const CREATE: &str = "INSERT INTO posture_exception (check_id, benchmark, asset, object, reason, author, created, expires) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";

/// Makes an exception.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    new: &NewException,
    author: &str,
    now: Timestamp,
) -> Result<ExceptionId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(&new.check_id))
        .bind(new.benchmark.as_deref().map(clean))
        .bind(new.asset.as_deref().map(clean))
        .bind(new.object.as_deref().map(clean))
        .bind(clean(&new.reason))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(new.expires.map(Timestamp::as_millisecond))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "posture_exception", &["id"]).int("id")?;
    Ok(ExceptionId(id))
}

const LIST: &str = "SELECT id, check_id, benchmark, asset, object, reason, author, created, expires \
     FROM posture_exception ORDER BY id";

/// All exceptions, those that have ended included, the first first: that is the order in which they count.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Exception>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Exception, StoreError> {
    let columns = Columns::new(row, "posture_exception", &["id"]);
    Ok(Exception {
        id: ExceptionId(columns.int("id")?),
        said: NewException {
            check_id: columns.text("check_id")?,
            benchmark: columns.opt_text("benchmark")?,
            asset: columns.opt_text("asset")?,
            object: columns.opt_text("object")?,
            reason: columns.text("reason")?,
            expires: columns.opt_time("expires")?,
        },
        author: columns.text("author")?,
        created: columns.time("created")?,
    })
}

const DELETE: &str = "DELETE FROM posture_exception WHERE id = $1";

/// Takes an exception back. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: ExceptionId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

// A name with a star is a pattern, which is about others, too.
const DELETE_OF: &str = "DELETE FROM posture_exception WHERE asset = (SELECT name FROM asset WHERE id = $1) \
     AND asset NOT LIKE '%*%' \
     AND NOT EXISTS (SELECT 1 FROM asset other WHERE other.name = posture_exception.asset AND other.id <> $1)";

/// Takes back the exceptions that name this asset and no other: whatever comes by its name is another one.
///
/// # Errors
/// When the database fails.
pub async fn delete_of(tx: &mut Tx, asset: AssetId) -> Result<(), StoreError> {
    sqlx::query(DELETE_OF)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const ENDED: &str = "SELECT CAST((SELECT COUNT(*) FROM posture_exception WHERE expires > $1 AND expires <= $2) + \
       (SELECT COUNT(*) FROM attestation WHERE expires > $1 AND expires <= $2) + \
       (SELECT COUNT(*) FROM exemption WHERE expires > $1 AND expires <= $2) AS BIGINT) AS ended";

/// Whether anything that people said of assets (exceptions, attestations, exemptions) ended after `since`, up to `now`.
///
/// # Errors
/// When the database fails.
pub async fn any_ended(
    store: &Store,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = sqlx::query(ENDED)
        .bind(since.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_one(&store.pool)
        .await?;
    Ok(Columns::new(&row, "posture_exception", &[]).int("ended")? > 0)
}

const NEXT_END: &str = "SELECT MIN(expires) AS expires FROM (\
       SELECT expires FROM posture_exception WHERE expires > $1 UNION ALL \
       SELECT expires FROM attestation WHERE expires > $1 UNION ALL \
       SELECT expires FROM exemption WHERE expires > $1) AS ends";

/// When the next of them ends after `now`.
///
/// # Errors
/// When the database fails.
pub async fn next_end(store: &Store, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(NEXT_END)
        .bind(now.as_millisecond())
        .fetch_one(&store.pool)
        .await?;
    Columns::new(&row, "posture_exception", &[]).opt_time("expires")
}
