//! A cluster's facts, one row each. What is gone stays as a row without content until it was judged as gone.

use std::collections::BTreeMap;

use seareeve_model::{Fact, FactKind};
use serde::Serialize;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{BATCH, clean, int, rows, texts};
use crate::{AssetId, Store, StoreError, Tx};

/// Which fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub object: String,
}

/// A fact to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewFact {
    /// Which.
    #[serde(flatten)]
    pub key: Key,
    /// For people.
    pub name: String,
    /// What tells it from another.
    pub hash: String,
    /// Its data, as JSON.
    pub content: String,
}

/// A fact that may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFact {
    /// The revision with which it did.
    pub revision: i64,
    /// Which.
    pub key: Key,
    /// What it is now; nothing when it is gone.
    pub fact: Option<Fact>,
}

impl Key {
    fn cleaned(&self) -> Self {
        Self {
            kind: clean(&self.kind),
            object: clean(&self.object),
        }
    }
}

impl NewFact {
    /// The data is JSON, in which NUL is written otherwise.
    fn cleaned(&self) -> Self {
        Self {
            key: self.key.cleaned(),
            name: clean(&self.name),
            hash: clean(&self.hash),
            content: self.content.clone(),
        }
    }
}

const HASHES: &str = "SELECT kind, object, hash FROM cluster_fact \
     WHERE asset = $1 AND content IS NOT NULL";

/// The hashes of all facts.
///
/// # Errors
/// When the database fails.
pub async fn hashes(tx: &mut Tx, asset: AssetId) -> Result<BTreeMap<Key, String>, StoreError> {
    let found = sqlx::query(HASHES)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    found
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "cluster_fact", &["kind", "object"]);
            Ok((key(&columns)?, columns.text("hash")?))
        })
        .collect()
}

const PUT: &str = "INSERT INTO cluster_fact (asset, kind, object, name, hash, revision, content) \
     SELECT $1, n.value ->> 'kind', n.value ->> 'object', n.value ->> 'name', n.value ->> 'hash', $2, \
       n.value ->> 'content' FROM json_each($3) AS n WHERE true \
     ON CONFLICT (asset, kind, object) DO UPDATE SET name = excluded.name, hash = excluded.hash, \
       revision = excluded.revision, content = excluded.content";

/// Keeps facts in place of those of their names.
///
/// # Errors
/// When the database fails.
pub async fn put_facts(
    tx: &mut Tx,
    asset: AssetId,
    revision: i64,
    facts: &[NewFact],
) -> Result<(), StoreError> {
    for batch in facts.chunks(BATCH) {
        let batch: Vec<NewFact> = batch.iter().map(NewFact::cleaned).collect();
        sqlx::query(PUT)
            .bind(asset.0)
            .bind(revision)
            .bind(rows(&batch))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

const DROP: &str = "UPDATE cluster_fact SET content = NULL, hash = '', revision = $2 \
     WHERE asset = $1 AND content IS NOT NULL AND (kind, object) IN \
       (SELECT n.value ->> 'kind', n.value ->> 'object' FROM json_each($3) AS n)";

/// Notes that facts are gone. Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn drop_facts(
    tx: &mut Tx,
    asset: AssetId,
    revision: i64,
    keys: &[Key],
) -> Result<u64, StoreError> {
    let mut dropped = 0;
    for batch in keys.chunks(BATCH) {
        let batch: Vec<Key> = batch.iter().map(Key::cleaned).collect();
        let done = sqlx::query(DROP)
            .bind(asset.0)
            .bind(revision)
            .bind(rows(&batch))
            .execute(tx.connection())
            .await?;
        dropped += done.rows_affected();
    }
    Ok(dropped)
}

const CHANGED: &str = "SELECT revision, kind, object, name, content FROM cluster_fact \
     WHERE asset = $1 AND (revision, kind, object) > ($2, $3, $4) ORDER BY revision, kind, object LIMIT $5";

/// The facts that changed after the revision `since`, in the order of their revisions, a page at a time: those behind
/// `after`.
///
/// # Errors
/// When the database fails.
pub async fn changed(
    store: &Store,
    asset: AssetId,
    since: i64,
    after: Option<&ChangedFact>,
    limit: usize,
) -> Result<Vec<ChangedFact>, StoreError> {
    let (revision, kind, object) = match after {
        Some(last) => (
            last.revision,
            last.key.kind.clone(),
            last.key.object.clone(),
        ),
        // Before all of the next revision.
        None => (since.saturating_add(1), String::new(), String::new()),
    };
    let found = sqlx::query(CHANGED)
        .bind(asset.0)
        .bind(revision)
        .bind(kind)
        .bind(object)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    let changed = |row: &AnyRow| {
        let columns = Columns::new(row, "cluster_fact", &["kind", "object"]);
        let (key, fact) = from_row(&columns)?;
        Ok(ChangedFact {
            revision: columns.int("revision")?,
            key,
            fact,
        })
    };
    found.iter().map(changed).collect()
}

const OF_KIND: &str = "SELECT kind, object, name, content FROM cluster_fact \
     WHERE asset = $1 AND kind = $2 AND content IS NOT NULL ORDER BY object";

/// All facts of a kind, by id.
///
/// # Errors
/// When the database fails.
pub async fn facts(
    store: &Store,
    asset: AssetId,
    kind: &FactKind,
) -> Result<Vec<Fact>, StoreError> {
    let found = sqlx::query(OF_KIND)
        .bind(asset.0)
        .bind(kind.as_str())
        .fetch_all(&store.pool)
        .await?;
    only(&found)
}

const SOME: &str = "SELECT kind, object, name, content FROM cluster_fact \
     WHERE asset = $1 AND kind = $2 AND content IS NOT NULL \
       AND object IN (SELECT n.value ->> 't' FROM json_each($3) AS n) ORDER BY object";

/// Some facts of a kind, by id.
///
/// # Errors
/// When the database fails.
pub async fn some(
    store: &Store,
    asset: AssetId,
    kind: &FactKind,
    ids: impl IntoIterator<Item = &str>,
) -> Result<Vec<Fact>, StoreError> {
    let found = sqlx::query(SOME)
        .bind(asset.0)
        .bind(kind.as_str())
        .bind(texts(ids))
        .fetch_all(&store.pool)
        .await?;
    only(&found)
}

fn only(found: &[AnyRow]) -> Result<Vec<Fact>, StoreError> {
    let fact = |row| {
        let columns = Columns::new(row, "cluster_fact", &["kind", "object"]);
        Ok(from_row(&columns)?.1)
    };
    found
        .iter()
        .map(fact)
        .filter_map(Result::transpose)
        .collect()
}

const FORGET: &str =
    "DELETE FROM cluster_fact WHERE asset = $1 AND content IS NULL AND revision <= $2";

/// Forgets what is gone and was judged as gone.
///
/// # Errors
/// When the database fails.
pub async fn forget_gone(tx: &mut Tx, asset: AssetId, until: i64) -> Result<(), StoreError> {
    sqlx::query(FORGET)
        .bind(asset.0)
        .bind(until)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const WEIGHT: &str = "SELECT COUNT(*) AS facts, CAST(COALESCE(SUM(LENGTH(content)), 0) AS BIGINT) AS bytes \
     FROM cluster_fact WHERE asset = $1 AND content IS NOT NULL";

/// How many facts a cluster has, and how many characters they take.
///
/// # Errors
/// When the database fails.
pub async fn weight(tx: &mut Tx, asset: AssetId) -> Result<(u64, u64), StoreError> {
    let row = sqlx::query(WEIGHT)
        .bind(asset.0)
        .fetch_one(tx.connection())
        .await?;
    let columns = Columns::new(&row, "cluster_fact", &[]);
    Ok((columns.count("facts")?, columns.count("bytes")?))
}

fn key(columns: &Columns<'_>) -> Result<Key, StoreError> {
    Ok(Key {
        kind: columns.text("kind")?,
        object: columns.text("object")?,
    })
}

fn from_row(columns: &Columns<'_>) -> Result<(Key, Option<Fact>), StoreError> {
    let key = key(columns)?;
    let data = columns.opt_json("content")?;
    let name = columns.text("name")?;
    let id = key.object.clone();
    Ok((key, data.map(|data| Fact { id, name, data })))
}

const PAGE: &str = "SELECT kind, object, name, content FROM cluster_fact \
     WHERE asset = $1 AND kind = $2 AND object > $3 AND content IS NOT NULL ORDER BY object LIMIT $4";

/// The facts of a kind behind the id `after`, in the order of their ids, a page at a time.
///
/// # Errors
/// When the database fails.
pub async fn page(
    store: &Store,
    asset: AssetId,
    kind: &FactKind,
    after: &str,
    limit: usize,
) -> Result<Vec<Fact>, StoreError> {
    let found = sqlx::query(PAGE)
        .bind(asset.0)
        .bind(kind.as_str())
        .bind(clean(after))
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    there(&found)
}

/// The same, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn page_in(
    tx: &mut Tx,
    asset: AssetId,
    kind: &FactKind,
    after: &str,
    limit: usize,
) -> Result<Vec<Fact>, StoreError> {
    let found = sqlx::query(PAGE)
        .bind(asset.0)
        .bind(kind.as_str())
        .bind(clean(after))
        .bind(int(limit))
        .fetch_all(tx.connection())
        .await?;
    there(&found)
}

fn there(found: &[AnyRow]) -> Result<Vec<Fact>, StoreError> {
    let fact = |row: &AnyRow| {
        let columns = Columns::new(row, "cluster_fact", &["kind", "object"]);
        Ok(from_row(&columns)?.1)
    };
    let facts = found.iter().map(fact).filter_map(Result::transpose);
    facts.collect()
}
