//! Sessions: who is signed in. The cookie holds a secret, we hold its hash.

use jiff::{SignedDuration, Timestamp};

use crate::columns::Columns;
use crate::rows::clean;
use crate::users::{self, User, account_columns};
use crate::{Store, StoreError, UserId};

/// `last_seen` and `last_used` are kept to the minute: a page full of requests is one write.
pub(crate) const SEEN_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of the cookie's secret; also the row's key.
    pub token_hash: [u8; 32],
    /// What a changing request of this session must carry.
    pub csrf: String,
    /// When the user signed in.
    pub created: Timestamp,
    /// When the session ends by itself.
    pub expires: Timestamp,
    /// Last request, to the minute.
    pub last_seen: Timestamp,
    /// First words of the browser's `User-Agent`, for the user to recognise it.
    pub user_agent: String,
}

const CREATE: &str = "INSERT INTO session (token_hash, account, csrf, created, expires, last_seen, user_agent) \
     VALUES ($1, $2, $3, $4, $5, $4, $6)";

/// Signs `user` in.
///
/// # Errors
/// When the database fails, also because there is no such user.
pub async fn create(
    store: &Store,
    token_hash: &[u8; 32],
    user: UserId,
    csrf: &str,
    now: Timestamp,
    expires: Timestamp,
    user_agent: &str,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(CREATE)
        .bind(token_hash.to_vec())
        .bind(user.0)
        .bind(csrf)
        .bind(now.as_millisecond())
        .bind(expires.as_millisecond())
        .bind(clean(&user_agent.chars().take(200).collect::<String>()))
        .execute(tx.connection())
        .await?;
    tx.commit().await
}

const FIND: &str = concat!(
    "SELECT session.token_hash, csrf, session.created AS created, expires, last_seen, user_agent, ",
    account_columns!(),
    "FROM session JOIN account ON account.id = session.account \
     WHERE session.token_hash = $1 AND expires > $2"
);

/// The session of this secret, if it has not ended.
///
/// # Errors
/// When the database fails.
pub async fn find(
    store: &Store,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(Session, User)>, StoreError> {
    let row = sqlx::query(FIND)
        .bind(token_hash.to_vec())
        .bind(now.as_millisecond())
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "session", &["account_id", "created"]);
    let session = Session {
        token_hash: columns.hash("token_hash")?,
        csrf: columns.text("csrf")?,
        created: columns.time("created")?,
        expires: columns.time("expires")?,
        last_seen: columns.time("last_seen")?,
        user_agent: columns.text("user_agent")?,
    };
    Ok(Some((session, users::from_row(&row)?)))
}

const TOUCH: &str = "UPDATE session SET last_seen = $2 WHERE token_hash = $1 AND last_seen < $2";

/// Notes that the session was used. Writes at most once a minute; returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn touch(store: &Store, session: &Session, now: Timestamp) -> Result<bool, StoreError> {
    if now.duration_since(session.last_seen) < SEEN_EVERY {
        return Ok(false);
    }
    let mut tx = store.begin().await?;
    let done = sqlx::query(TOUCH)
        .bind(session.token_hash.to_vec())
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

const DELETE: &str = "DELETE FROM session WHERE token_hash = $1";

/// Signs out. Returns whether there was such a session.
///
/// # Errors
/// When the database fails.
pub async fn delete(store: &Store, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(DELETE)
        .bind(token_hash.to_vec())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

const DELETE_OF_USER: &str = "DELETE FROM session WHERE account = $1";

/// Signs `user` out everywhere. Returns how many sessions there were.
///
/// # Errors
/// When the database fails.
pub async fn delete_of_user(store: &Store, user: UserId) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(DELETE_OF_USER)
        .bind(user.0)
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

const DELETE_EXPIRED: &str = "DELETE FROM session WHERE expires <= $1";

/// Forgets sessions that have ended. Returns how many.
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
