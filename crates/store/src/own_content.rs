//! Checks and benchmarks that people brought, as they wrote them.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{Store, StoreError, Tx};

/// What a file of own content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnKind {
    /// A check.
    Check,
    /// An edition of a benchmark.
    Benchmark,
}

impl OwnKind {
    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Benchmark => "benchmark",
        }
    }

    /// The kind with the stable name `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Check, Self::Benchmark]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A check or benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnContent {
    /// A check's id, or a benchmark's id and edition: `acme-hosts-1.0`.
    pub name: String,
    /// What it is.
    pub kind: OwnKind,
    /// For people.
    pub title: String,
    /// Its YAML.
    pub content: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Who brought it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// When it became what it is.
    pub changed: Timestamp,
}

const PUT: &str = "INSERT INTO own_content (name, kind, title, content, enabled, author, created, changed) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, title = excluded.title, content = excluded.content, \
       enabled = excluded.enabled, author = excluded.author, changed = excluded.changed";

/// Keeps a check or benchmark, in place of the one of its name.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, own: &OwnContent) -> Result<(), StoreError> {
    sqlx::query(PUT)
        .bind(clean(&own.name))
        .bind(own.kind.as_str())
        .bind(clean(&own.title))
        .bind(clean(&own.content))
        .bind(i64::from(own.enabled))
        .bind(clean(&own.author))
        .bind(own.created.as_millisecond())
        .bind(own.changed.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const LIST: &str = "SELECT name, kind, title, content, enabled, author, created, changed FROM own_content ORDER BY name";

/// All of it, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<OwnContent>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<OwnContent, StoreError> {
    let columns = Columns::new(row, "own_content", &["name"]);
    Ok(OwnContent {
        name: columns.text("name")?,
        kind: columns.word("kind", OwnKind::parse)?,
        title: columns.text("title")?,
        content: columns.text("content")?,
        enabled: columns.int("enabled")? != 0,
        author: columns.text("author")?,
        created: columns.time("created")?,
        changed: columns.time("changed")?,
    })
}

const DELETE: &str = "DELETE FROM own_content WHERE name = $1";

/// Forgets one. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(clean(name))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
