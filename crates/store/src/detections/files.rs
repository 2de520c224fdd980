//! Rule files that people bring, as they wrote them.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{Store, StoreError, Tx};

/// A rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Its name: `shop.yaml`.
    pub name: String,
    /// Its YAML.
    pub content: String,
    /// Who brought it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// When it became what it is.
    pub changed: Timestamp,
}

const PUT: &str = "INSERT INTO detection_file (name, content, author, created, changed) VALUES ($1, $2, $3, $4, $4) \
     ON CONFLICT (name) DO UPDATE SET content = excluded.content, author = excluded.author, changed = excluded.changed";

/// Keeps a file, in place of the one of its name.
///
/// # Errors
/// When the database fails.
pub async fn put_file(
    tx: &mut Tx,
    name: &str,
    content: &str,
    author: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(PUT)
        .bind(clean(name))
        .bind(clean(content))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const LIST: &str =
    "SELECT name, content, author, created, changed FROM detection_file ORDER BY name";

/// All of them, by name: the order in which they are loaded.
///
/// # Errors
/// When the database fails.
pub async fn files(store: &Store) -> Result<Vec<OwnFile>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<OwnFile, StoreError> {
    let columns = Columns::new(row, "detection_file", &["name"]);
    Ok(OwnFile {
        name: columns.text("name")?,
        content: columns.text("content")?,
        author: columns.text("author")?,
        created: columns.time("created")?,
        changed: columns.time("changed")?,
    })
}

const DELETE: &str = "DELETE FROM detection_file WHERE name = $1";

/// Forgets a file. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete_file(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(clean(name))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
