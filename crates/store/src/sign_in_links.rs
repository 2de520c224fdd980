//! One-time sign-in links, such as the one that the first start prints.

use jiff::Timestamp;

use crate::columns::Columns;
use crate::{Store, StoreError, UserId};

const CREATE: &str =
    "INSERT INTO sign_in_link (token_hash, account, created, expires) VALUES ($1, $2, $3, $4)";

/// Makes a link that signs `user` in once, until `expires`.
///
/// # Errors
/// When the database fails, also because there is no such user.
pub async fn create(
    store: &Store,
    token_hash: &[u8; 32],
    user: UserId,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(CREATE)
        .bind(token_hash.to_vec())
        .bind(user.0)
        .bind(now.as_millisecond())
        .bind(expires.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await
}

const TAKE: &str = "DELETE FROM sign_in_link WHERE token_hash = $1 RETURNING account, expires";

/// Uses the link up, whoever comes first. `None` when it was used, has ended or never was.
///
/// # Errors
/// When the database fails.
pub async fn take(
    store: &Store,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<UserId>, StoreError> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(TAKE)
        .bind(token_hash.to_vec())
        .fetch_optional(tx.connection())
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "sign_in_link", &["account"]);
    let user = UserId(columns.int("account")?);
    Ok((columns.time("expires")? > now).then_some(user))
}

const DELETE_EXPIRED: &str = "DELETE FROM sign_in_link WHERE expires <= $1";

/// Forgets links that have ended. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn delete_expired(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(DELETE_EXPIRED)
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
