//! The open database, and transactions on it.

use std::fmt;
use std::fmt::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyConnection, AnyPool, Executor as _};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::StoreError;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Readers at a time. On SQLite each is a thread with its own page cache, so few.
const SQLITE_CONNECTIONS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The database, shared by cloning.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    dialect: Dialect,
    /// SQLite has one writer. Waiting here is fair and wakes at once; SQLite itself would poll.
    writer: Arc<Mutex<()>>,
}

/// Which database stands behind a [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is: `sqlite:PATH`, or `postgres://…` as libpq reads it.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The database file. It is made when it does not exist.
    Sqlite(Utf8PathBuf),
    /// The whole address, which may hold a password.
    Postgres(String),
}

/// The text names no database that we can use. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("a database is given as sqlite:PATH or as postgres://USER@HOST/NAME")]
pub struct DatabaseUrlError;

/// A write transaction. Dropping it without [`Tx::commit`] undoes everything.
#[derive(Debug)]
pub struct Tx {
    // Before the guard: the roll-back must start while no other writer can.
    transaction: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
    _writer: Option<OwnedMutexGuard<()>>,
}

impl Store {
    /// Opens the database, makes the SQLite file when there is none, and applies new migrations.
    ///
    /// # Errors
    /// When the file cannot be made, the database cannot be reached, or a newer version has used it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (dialect, pool, migrations) = match url {
            DatabaseUrl::Sqlite(path) => {
                let address = sqlite_address(path)?;
                let pool = AnyPoolOptions::new()
                    .max_connections(SQLITE_CONNECTIONS)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .after_connect(|connection, _meta| {
                        Box::pin(async move {
                            connection.execute(SQLITE_PRAGMAS).await?;
                            Ok(())
                        })
                    })
                    .connect_with(AnyConnectOptions::from_str(&address)?)
                    .await?;
                (Dialect::Sqlite, pool, &SQLITE_MIGRATIONS)
            }
            DatabaseUrl::Postgres(address) => {
                let pool = AnyPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .connect_with(AnyConnectOptions::from_str(address)?)
                    .await?;
                (Dialect::Postgres, pool, &POSTGRES_MIGRATIONS)
            }
        };
        migrations.run(&pool).await?;
        Ok(Self {
            pool,
            dialect,
            writer: Arc::default(),
        })
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Starts a write transaction. On SQLite it waits until no other is open.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let (writer, transaction) = match self.dialect {
            Dialect::Sqlite => {
                let writer = Arc::clone(&self.writer).lock_owned().await;
                // IMMEDIATE: a transaction that reads first and writes later must not find that another
                // process has written in between.
                (Some(writer), self.pool.begin_with("BEGIN IMMEDIATE").await?)
            }
            Dialect::Postgres => (None, self.pool.begin().await?),
        };
        Ok(Tx {
            transaction,
            dialect: self.dialect,
            _writer: writer,
        })
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections; on SQLite this also empties the write-ahead log.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `synchronous = FULL`: what was acknowledged survives a power cut too, for one flush per commit.
/// 8 MiB of pages for each connection hold the indexes of some thousand images.
const SQLITE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 15000; PRAGMA cache_size = -8192";

/// Makes sure that the file exists and belongs to us alone, and writes its path as sqlx wants it.
/// SQLite gives its `-wal` and `-shm` files the same mode.
fn sqlite_address(path: &Utf8Path) -> Result<String, StoreError> {
    let prepare = || {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        std::path::absolute(path)
    };
    let absolute = prepare().map_err(|source| StoreError::File {
        path: path.to_string(),
        source,
    })?;
    let mut address = String::from("sqlite://");
    for byte in absolute.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte));
            }
            // Writing to a String cannot fail.
            other => {
                let _ = write!(address, "%{other:02X}");
            }
        }
    }
    Ok(address)
}

impl Tx {
    /// Makes everything done in this transaction lasting and visible.
    ///
    /// # Errors
    /// When the database refuses; then nothing was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        Ok(())
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").ok_or(DatabaseUrlError)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        // In memory every connection would have a database of its own.
        if path.is_empty() || path.starts_with(':') {
            return Err(DatabaseUrlError);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

/// Without user, password and options.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(address) => {
                let rest = address.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split('?').next().unwrap_or_default();
                // A password may itself hold an @: the host stands after the last one.
                let place = rest.rsplit('@').next().unwrap_or_default();
                write!(f, "postgres://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_never_show_a_password() {
        let shown = |text: &str| text.parse::<DatabaseUrl>().map(|url| url.to_string()).ok();
        assert_eq!(shown("sqlite:a b.db").as_deref(), Some("sqlite:a b.db"));
        assert_eq!(shown("sqlite:///x/y.db").as_deref(), Some("sqlite:/x/y.db"));
        assert_eq!(
            shown("postgres://me:se@cret@db.example:5432/sea?password=x").as_deref(),
            Some("postgres://db.example:5432/sea")
        );
        for bad in ["", "sqlite:", "sqlite::memory:", "mysql://x/y", "x.db"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
