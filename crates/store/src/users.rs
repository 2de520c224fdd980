//! Local users.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::{Store, StoreError, UserId};

/// Somebody who may sign in. The password's hash is not part of it, so that it is not passed around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// Name as it was given.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Whether a password is set.
    pub has_password: bool,
    /// When the user was made.
    pub created: Timestamp,
}

/// What a user may do. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Reader,
    /// Scan and delete.
    Operator,
    /// Accept findings, change what is watched.
    SecurityAdmin,
    /// Everything, users included.
    Owner,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 4] = [
        Self::Reader,
        Self::Operator,
        Self::SecurityAdmin,
        Self::Owner,
    ];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::SecurityAdmin => "security_admin",
            Self::Owner => "owner",
        }
    }

    /// The role with the stable name `text`, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// The columns of an account under names that do not collide with those of a session or a token.
/// [`from_row`] reads them.
macro_rules! account_columns {
    () => {
        "account.id AS account_id, account.name AS account_name, account.role AS account_role, \
         CASE WHEN account.password_hash IS NULL THEN 0 ELSE 1 END AS has_password, \
         account.created AS account_created "
    };
}
pub(crate) use account_columns;

pub(crate) fn from_row(row: &AnyRow) -> Result<User, StoreError> {
    let columns = Columns::new(row, "account", &["account_id"]);
    Ok(User {
        id: UserId(columns.int("account_id")?),
        name: columns.text("account_name")?,
        role: columns.word("account_role", Role::parse)?,
        has_password: columns.int("has_password")? != 0,
        created: columns.time("account_created")?,
    })
}

/// Names are equal when they differ only in case.
fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

const CREATE: &str = "INSERT INTO account (name, folded_name, role, password_hash, created) \
     VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// Makes a user. Without a password hash the user can come in only by a sign-in link.
///
/// # Errors
/// [`StoreError::Conflict`] when the name is taken in any spelling, [`StoreError::Refused`] when it is empty,
/// has a control character or more than 200 bytes.
pub async fn create(
    store: &Store,
    name: &str,
    password_hash: Option<&str>,
    role: Role,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(StoreError::Refused {
            what: "a user name that is empty, long or has control characters",
        });
    }
    let mut tx = store.begin().await?;
    let row = sqlx::query(CREATE)
        .bind(name)
        .bind(fold(name))
        .bind(role.as_str())
        .bind(password_hash)
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await
        .map_err(StoreError::conflict("user name"))?;
    let id = UserId(Columns::new(&row, "account", &["id"]).int("id")?);
    tx.commit().await?;
    Ok(id)
}

const BY_NAME: &str = concat!(
    "SELECT ",
    account_columns!(),
    "FROM account WHERE folded_name = $1"
);

/// The user with this name in any spelling.
///
/// # Errors
/// When the database fails.
pub async fn by_name(store: &Store, name: &str) -> Result<Option<User>, StoreError> {
    let row = sqlx::query(BY_NAME)
        .bind(crate::rows::clean(&fold(name)))
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const BY_ID: &str = concat!("SELECT ", account_columns!(), "FROM account WHERE id = $1");

/// The user with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(store: &Store, id: UserId) -> Result<Option<User>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const LIST: &str = concat!(
    "SELECT ",
    account_columns!(),
    "FROM account ORDER BY folded_name"
);

/// All users by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<User>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const PASSWORD_HASH: &str = "SELECT id, password_hash FROM account WHERE id = $1";

/// The hash to verify a password with; `None` when the user has no password or does not exist.
///
/// # Errors
/// When the database fails.
pub async fn password_hash(store: &Store, id: UserId) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(PASSWORD_HASH)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map_or(Ok(None), |row| {
        Columns::new(row, "account", &["id"]).opt_text("password_hash")
    })
}

const SET_PASSWORD: &str = "UPDATE account SET password_hash = $2 WHERE id = $1";

/// Sets another password hash, or takes the password away. Sessions stay: end them with [`crate::sessions::delete_of_user`].
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such user.
pub async fn set_password(
    store: &Store,
    id: UserId,
    password_hash: Option<&str>,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(SET_PASSWORD)
        .bind(id.0)
        .bind(password_hash)
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "user" });
    }
    tx.commit().await
}

const COUNT: &str = "SELECT COUNT(*) AS users FROM account";

/// How many users there are. None: the first start.
///
/// # Errors
/// When the database fails.
pub async fn count(store: &Store) -> Result<u64, StoreError> {
    let row = sqlx::query(COUNT).fetch_one(&store.pool).await?;
    Columns::new(&row, "account", &[]).count("users")
}
