//! API tokens: how programs sign in.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::sessions::SEEN_EVERY;
use crate::users::{self, User, account_columns};
use crate::{Store, StoreError, TokenId, UserId};

/// An API token without its secret, which only its user knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The row.
    pub id: TokenId,
    /// What the user calls it.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// Last use, to the minute.
    pub last_used: Option<Timestamp>,
}

fn from_row(row: &AnyRow) -> Result<Token, StoreError> {
    let columns = Columns::new(row, "token", &["id"]);
    Ok(Token {
        id: TokenId(columns.int("id")?),
        name: columns.text("name")?,
        created: columns.time("created")?,
        expires: columns.opt_time("expires")?,
        last_used: columns.opt_time("last_used")?,
    })
}

const CREATE: &str = "INSERT INTO token (token_hash, account, name, created, expires) \
     VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// Makes a token for `user`.
///
/// # Errors
/// When the database fails, also because there is no such user.
pub async fn create(
    store: &Store,
    name: &str,
    token_hash: &[u8; 32],
    user: UserId,
    now: Timestamp,
    expires: Option<Timestamp>,
) -> Result<TokenId, StoreError> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(CREATE)
        .bind(token_hash.to_vec())
        .bind(user.0)
        .bind(clean(name))
        .bind(now.as_millisecond())
        .bind(expires.map(Timestamp::as_millisecond))
        .fetch_one(tx.connection())
        .await
        .map_err(StoreError::conflict("token"))?;
    let id = TokenId(Columns::new(&row, "token", &["id"]).int("id")?);
    tx.commit().await?;
    Ok(id)
}

const LIST: &str = "SELECT id, name, created, expires, last_used FROM token \
     WHERE account = $1 ORDER BY created DESC, id DESC";

/// The tokens of `user`, newest first, those that have ended included.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<Token>, StoreError> {
    let rows = sqlx::query(LIST)
        .bind(user.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

const FIND: &str = concat!(
    "SELECT token.id AS id, token.name AS name, token.created AS created, expires, last_used, ",
    account_columns!(),
    "FROM token JOIN account ON account.id = token.account \
     WHERE token_hash = $1 AND (expires IS NULL OR expires > $2)"
);
const USED: &str = "UPDATE token SET last_used = $2 WHERE id = $1";

/// The token of this secret, if it has not ended, and whose it is. Notes its use at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn find(
    store: &Store,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(Token, User)>, StoreError> {
    let row = sqlx::query(FIND)
        .bind(token_hash.to_vec())
        .bind(now.as_millisecond())
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let token = from_row(&row)?;
    let user = users::from_row(&row)?;
    let due = |last: Timestamp| now.duration_since(last) >= SEEN_EVERY;
    if token.last_used.is_none_or(due) {
        let mut tx = store.begin().await?;
        sqlx::query(USED)
            .bind(token.id.0)
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
    }
    Ok(Some((token, user)))
}

const DELETE: &str = "DELETE FROM token WHERE id = $1 AND account = $2";

/// Revokes a token of `user`. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(store: &Store, id: TokenId, user: UserId) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .bind(user.0)
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}
