//! What can go wrong between us and the database.

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is too busy, or refused the statement. Its operator can act on it,
    /// or it is a bug of ours; the source tells.
    #[error("failed to use the database")]
    Unavailable(#[source] sqlx::Error),
    /// The migrations could not be applied, for instance because a newer version has used this database.
    /// The operator can act on it.
    #[error("failed to bring the database up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database file could not be made. The operator can act on it.
    #[error("failed to prepare the database file {path}")]
    File {
        /// Where it should be.
        path: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Another row already has this natural key. The user can choose another.
    #[error("{what} exists already")]
    Conflict {
        /// The noun: `user name`.
        what: &'static str,
    },
    /// The row that the change is about does not exist (any more).
    #[error("no such {what}")]
    NotFound {
        /// The noun: `image`.
        what: &'static str,
    },
    /// The caller's values contradict each other or a limit. A bug of the caller, or hostile input.
    #[error("refused to store {what}")]
    Refused {
        /// What is wrong with them.
        what: &'static str,
    },
    /// The cursor was not made by the list that it is used on. The user's fault.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// What is stored cannot be understood: a bug of ours, a newer version, or somebody else's hand.
    #[error("table {table}, column {column}, row {row}: {why}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column, by the name that the query gives it.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with the value.
        why: String,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        Self::Unavailable(source)
    }
}

impl StoreError {
    /// Makes a violated unique key a [`StoreError::Conflict`] over `what`.
    pub(crate) fn conflict(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| match &source {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict { what }
            }
            _ => Self::Unavailable(source),
        }
    }
}
