//! Join tokens: by them sensors get a token of their own, once.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{JoinTokenId, Store, StoreError, Tx};

/// A join token without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken {
    /// The row.
    pub id: JoinTokenId,
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// How many sensors may join by it; any number, if nothing.
    pub most_uses: Option<u64>,
    /// How many have.
    pub uses: u64,
    /// The environment that assets of its sensors belong to.
    pub environment: String,
    /// When the last one did.
    pub last_used: Option<Timestamp>,
}

const CREATE: &str = "INSERT INTO join_token (token_hash, name, author, created, expires, most_uses, uses) \
     VALUES ($1, $2, $3, $4, $5, $6, 0) RETURNING id";

/// Makes a join token.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    name: &str,
    author: &str,
    most_uses: Option<u32>,
    now: Timestamp,
    expires: Timestamp,
) -> Result<JoinTokenId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(token_hash.to_vec())
        .bind(clean(name))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(expires.as_millisecond())
        .bind(most_uses.map(i64::from))
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "join_token", &["id"]).int("id")?;
    Ok(JoinTokenId(id))
}

const LIST: &str = "SELECT id, name, author, created, expires, most_uses, uses, last_used, environment FROM join_token \
     ORDER BY created DESC, id DESC";

/// All join tokens, newest first, those that have ended included.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<JoinToken>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<JoinToken, StoreError> {
    let columns = Columns::new(row, "join_token", &["id"]);
    Ok(JoinToken {
        id: JoinTokenId(columns.int("id")?),
        name: columns.text("name")?,
        author: columns.text("author")?,
        created: columns.time("created")?,
        expires: columns.time("expires")?,
        most_uses: columns.opt_count("most_uses")?,
        uses: columns.count("uses")?,
        environment: columns.text("environment")?,
        last_used: columns.opt_time("last_used")?,
    })
}

/// Checked and counted in one statement, so that two sensors cannot both have the last use.
const USE: &str = "UPDATE join_token SET uses = uses + 1, last_used = $2 \
     WHERE token_hash = $1 AND expires > $2 AND (most_uses IS NULL OR uses < most_uses) RETURNING name";

/// Uses the token of this secret, if it has not ended. Returns its name.
///
/// # Errors
/// When the database fails.
pub async fn spend(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(USE)
        .bind(token_hash.to_vec())
        .bind(now.as_millisecond())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| Columns::new(&row, "join_token", &["name"]).text("name"))
        .transpose()
}

const DELETE: &str = "DELETE FROM join_token WHERE id = $1";

/// Ends a join token. Sensors that joined by it stay. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: JoinTokenId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
