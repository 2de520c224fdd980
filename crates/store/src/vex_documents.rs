//! VEX documents, kept as they were sent. What they say of findings is kept with the images (`images/verdicts.rs`).

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int};
use crate::{Store, StoreError, Tx, UserId, VexId};

/// A document without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexEntry {
    /// The row.
    pub id: VexId,
    /// What its sender calls it; no two have the same.
    pub name: String,
    /// How verdicts name it: the name, and its author.
    pub source: String,
    /// How many statements it makes.
    pub statements: u64,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Findings of all images that it says something about.
    pub findings: u64,
    /// Who sent it; `None` when they are gone.
    pub sent_by: Option<String>,
    /// When.
    pub created: Timestamp,
}

/// A document to store.
#[derive(Clone, Copy, Debug)]
pub struct NewVex<'a> {
    /// See [`VexEntry::name`].
    pub name: &'a str,
    /// See [`VexEntry::source`].
    pub source: &'a str,
    /// The document.
    pub content: &'a str,
    /// See [`VexEntry::statements`].
    pub statements: usize,
}

/// What [`put`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutVex {
    /// There was none of that name.
    Created(VexId),
    /// Another one of that name was replaced.
    Replaced(VexId),
    /// It was there already.
    Same(VexId),
}

const BY_NAME: &str = "SELECT id, content FROM vex_document WHERE name = $1";
const INSERT: &str = "INSERT INTO vex_document (name, source, content, statements, account, created) \
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
const UPDATE: &str = "UPDATE vex_document SET source = $2, content = $3, statements = $4, account = $5, \
       created = $6 WHERE name = $1 RETURNING id";

/// Stores a document in place of the one of its name, if there is one. The same again writes nothing.
///
/// # Errors
/// When the database fails.
pub async fn put(
    tx: &mut Tx,
    document: NewVex<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<PutVex, StoreError> {
    let (name, content) = (clean(document.name), clean(document.content));
    let known = sqlx::query(BY_NAME)
        .bind(&name)
        .fetch_optional(tx.connection())
        .await?;
    let mut statement = INSERT;
    if let Some(row) = &known {
        let columns = Columns::new(row, "vex_document", &["id"]);
        if columns.text("content")? == content {
            return Ok(PutVex::Same(VexId(columns.int("id")?)));
        }
        statement = UPDATE;
    }
    let row = sqlx::query(statement)
        .bind(&name)
        .bind(clean(document.source))
        .bind(content)
        .bind(int(document.statements))
        .bind(user.0)
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    let id = VexId(Columns::new(&row, "vex_document", &["id"]).int("id")?);
    Ok(match known {
        None => PutVex::Created(id),
        Some(_) => PutVex::Replaced(id),
    })
}

const LIST: &str = "SELECT d.id AS id, d.name AS name, d.source AS source, d.statements AS statements, \
       CAST(LENGTH(d.content) AS BIGINT) AS size_bytes, d.created AS created, a.name AS sent_by, \
       (SELECT COUNT(*) FROM image_verdict x WHERE x.document = d.source) AS findings \
     FROM vex_document d LEFT JOIN account a ON a.id = d.account ORDER BY d.name";

/// All documents by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<VexEntry>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<VexEntry, StoreError> {
    let columns = Columns::new(row, "vex_document", &["id"]);
    Ok(VexEntry {
        id: VexId(columns.int("id")?),
        name: columns.text("name")?,
        source: columns.text("source")?,
        statements: columns.count("statements")?,
        size_bytes: columns.count("size_bytes")?,
        findings: columns.count("findings")?,
        sent_by: columns.opt_text("sent_by")?,
        created: columns.time("created")?,
    })
}

const CONTENTS: &str = "SELECT id, name, content FROM vex_document ORDER BY name";

/// Names and contents of all documents, by name.
///
/// # Errors
/// When the database fails.
pub async fn contents(store: &Store) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(CONTENTS).fetch_all(&store.pool).await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new(row, "vex_document", &["id"]);
            Ok((columns.text("name")?, columns.text("content")?))
        })
        .collect()
}

const DELETE: &str = "DELETE FROM vex_document WHERE id = $1";

/// Deletes a document. Returns whether there was one. What it said of findings stays until they are judged again.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: VexId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
