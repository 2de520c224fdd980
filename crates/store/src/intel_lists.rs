//! Lists of threat intelligence: where they come from, what came of fetching them, and what they say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json, size};
use crate::{IntelListId, Store, StoreError, Tx};

/// A list, without its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntelList {
    /// The row.
    pub id: IntelListId,
    /// For people.
    pub name: String,
    /// Where it comes from and which form it has, as JSON. Secrets are named there and never shown.
    pub settings: String,
    /// The named lists of detections that it extends; none: it says what is never bad.
    pub extends: Vec<String>,
    /// Hours between two looks; 0: only when asked.
    pub every_hours: u32,
    /// Whether it counts.
    pub is_on: bool,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// When it was looked for last.
    pub tried: Option<Timestamp>,
    /// When it was found last, changed or not.
    pub succeeded: Option<Timestamp>,
    /// When it was another than before.
    pub changed: Option<Timestamp>,
    /// What went wrong the last time.
    pub problem: Option<String>,
    /// By which its server knows its state, as JSON.
    pub validator: String,
    /// How many entries it has.
    pub entries: u64,
    /// What of it could not be used.
    pub unused: Vec<Unused>,
}

/// What of a list could not be used for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub example: String,
}

/// A list to make.
#[derive(Clone, Debug)]
pub struct NewIntelList<'a> {
    /// See [`IntelList::name`].
    pub name: &'a str,
    /// See [`IntelList::settings`].
    pub settings: &'a str,
    /// See [`IntelList::extends`].
    pub extends: &'a [String],
    /// See [`IntelList::every_hours`].
    pub every_hours: u32,
    /// See [`IntelList::author`].
    pub author: &'a str,
}

/// What a list says by now.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// By which its server knows it, as JSON.
    pub validator: &'a str,
    /// How many entries there are.
    pub entries: u64,
    /// What could not be used.
    pub unused: &'a [Unused],
    /// The entries.
    pub content: &'a [u8],
}

const CREATE: &str = "INSERT INTO intel_list (name, settings, extends, every_hours, is_on, author, created, validator, \
       entries, unused) VALUES ($1, $2, $3, $4, 1, $5, $6, '{}', 0, '[]') RETURNING id";

/// Makes a list that says nothing yet.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one of this name.
pub async fn create(
    tx: &mut Tx,
    new: &NewIntelList<'_>,
    now: Timestamp,
) -> Result<IntelListId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(new.name))
        .bind(clean(new.settings))
        .bind(clean(&json(&new.extends)))
        .bind(i64::from(new.every_hours))
        .bind(clean(new.author))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await
        .map_err(StoreError::conflict("list"))?;
    let id = Columns::new(&row, "intel_list", &["id"]).int("id")?;
    Ok(IntelListId(id))
}

macro_rules! list_columns {
    () => {
        "SELECT id, name, settings, extends, every_hours, is_on, author, created, tried, succeeded, changed, problem, \
           validator, entries, unused FROM intel_list "
    };
}
const LIST: &str = concat!(list_columns!(), "ORDER BY name, id");
const GET: &str = concat!(list_columns!(), "WHERE id = $1");

/// All lists, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<IntelList>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

/// A list.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, id: IntelListId) -> Result<Option<IntelList>, StoreError> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &AnyRow) -> Result<IntelList, StoreError> {
    let columns = Columns::new(row, "intel_list", &["id"]);
    Ok(IntelList {
        id: IntelListId(columns.int("id")?),
        name: columns.text("name")?,
        settings: columns.text("settings")?,
        extends: columns.json("extends")?,
        every_hours: columns.count("every_hours")?,
        is_on: columns.int("is_on")? != 0,
        author: columns.text("author")?,
        created: columns.time("created")?,
        tried: columns.opt_time("tried")?,
        succeeded: columns.opt_time("succeeded")?,
        changed: columns.opt_time("changed")?,
        problem: columns.opt_text("problem")?,
        validator: columns.text("validator")?,
        entries: columns.count("entries")?,
        unused: columns.json("unused")?,
    })
}

const CONTENT: &str = "SELECT id, content FROM intel_list WHERE id = $1 AND content IS NOT NULL";

/// The entries of a list, as they were put; nothing, if it says nothing yet.
///
/// # Errors
/// When the database fails.
pub async fn content(store: &Store, id: IntelListId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(CONTENT)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| Columns::new(&row, "intel_list", &["id"]).bytes("content"))
        .transpose()
}

const PUT: &str = "UPDATE intel_list SET tried = $2, succeeded = $2, changed = $2, problem = NULL, validator = $3, \
       entries = $4, unused = $5, content = $6 WHERE id = $1";

/// Puts what a list says in place of what it said. Returns whether it is still there.
///
/// # Errors
/// When the database fails.
pub async fn put(
    tx: &mut Tx,
    id: IntelListId,
    found: &Found<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(PUT)
        .bind(id.0)
        .bind(now.as_millisecond())
        .bind(clean(found.validator))
        .bind(size(found.entries))
        .bind(clean(&json(&found.unused)))
        .bind(found.content.to_vec())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const UNCHANGED: &str =
    "UPDATE intel_list SET tried = $2, succeeded = $2, problem = NULL WHERE id = $1";
const FAILED: &str = "UPDATE intel_list SET tried = $2, problem = $3 WHERE id = $1";

/// Notes that a list says what it said.
///
/// # Errors
/// When the database fails.
pub async fn unchanged(tx: &mut Tx, id: IntelListId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(UNCHANGED)
        .bind(id.0)
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Notes why a list could not be had. What it said stays.
///
/// # Errors
/// When the database fails.
pub async fn failed(
    tx: &mut Tx,
    id: IntelListId,
    problem: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(FAILED)
        .bind(id.0)
        .bind(now.as_millisecond())
        .bind(clean(problem))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const CHANGE: &str = "UPDATE intel_list SET is_on = $2, every_hours = $3 WHERE id = $1";

/// Switches a list, and says how often it is looked for. Returns whether there is one.
///
/// # Errors
/// When the database fails.
pub async fn change(
    tx: &mut Tx,
    id: IntelListId,
    is_on: bool,
    every_hours: u32,
) -> Result<bool, StoreError> {
    let done = sqlx::query(CHANGE)
        .bind(id.0)
        .bind(i64::from(is_on))
        .bind(i64::from(every_hours))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const DELETE: &str = "DELETE FROM intel_list WHERE id = $1";

/// Forgets a list. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: IntelListId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
