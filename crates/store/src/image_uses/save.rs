//! Keeping which images the facts of an asset name. Only differences are written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::hold;
use crate::clusters::Key;
use crate::columns::Columns;
use crate::rows::{BATCH, clean, numbers, rows, texts};
use crate::{AssetId, StoreError, Tx};

/// Keys of one image that are kept.
const MOST_KEYS: usize = 16;
/// Bytes of a name or key: those of stored references.
const MOST_BYTES: usize = 1_200;

/// An image as an asset names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Tells it from the asset's other images: a digest, or the name where none is known.
    pub identity: String,
    /// For people, and to fetch it by.
    pub name: String,
    /// Digest by which registries know it, where it is known.
    pub digest: Option<String>,
    /// By what a stored image is recognised as this one, the best first.
    pub keys: Vec<String>,
}

/// An object that uses an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUse {
    /// The image.
    pub image: Named,
    /// The kind and id of the fact.
    pub object: Key,
    /// The object's name.
    pub name: String,
    /// What sort of object it is: `Deployment`.
    pub sort: String,
    /// Where it lies; empty where there are no namespaces.
    pub namespace: String,
    /// Whether it runs now.
    pub is_running: bool,
}

/// What is told of an asset.
#[derive(Clone, Copy, Debug)]
pub enum Extent<'a> {
    /// All of it: what is not named is not used any more.
    Whole,
    /// These objects, whether or not they use anything.
    Objects(&'a [Key]),
}

#[derive(Serialize)]
struct StoredImage<'a> {
    identity: String,
    name: String,
    digest: Option<&'a str>,
}

#[derive(Serialize)]
struct StoredKey {
    id: i64,
    rank: usize,
    key: String,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
struct StoredUse {
    asset_image: i64,
    kind: String,
    object: String,
    name: String,
    sort: String,
    namespace: String,
    is_running: i64,
}

type UseKey = (i64, String, String);

impl StoredUse {
    fn key(&self) -> UseKey {
        (self.asset_image, self.kind.clone(), self.object.clone())
    }
}

const PUT_IMAGES: &str = "INSERT INTO asset_image (asset, identity, name, digest, first_seen) \
     SELECT $1, n.value ->> 'identity', n.value ->> 'name', n.value ->> 'digest', $2 FROM json_each($3) AS n WHERE true \
     ON CONFLICT (asset, identity) DO NOTHING";
const RENAME_IMAGES: &str = "UPDATE asset_image SET name = n.value ->> 'name' FROM json_each($2) AS n \
     WHERE asset_image.asset = $1 AND asset_image.identity = n.value ->> 'identity' \
       AND asset_image.name <> n.value ->> 'name'";
const IDS: &str = "SELECT id, identity FROM asset_image WHERE asset = $1 \
     AND identity IN (SELECT value ->> 't' FROM json_each($2))";
const PUT_KEYS: &str = "INSERT INTO asset_image_key (asset_image, rank, key) \
     SELECT CAST(n.value ->> 'id' AS BIGINT), CAST(n.value ->> 'rank' AS BIGINT), n.value ->> 'key' \
     FROM json_each($1) AS n WHERE true ON CONFLICT (asset_image, rank) DO NOTHING";
const ALL_USES: &str = "SELECT asset_image, kind, object, name, sort, namespace, is_running FROM image_use WHERE asset = $1";
const USES_OF: &str = "SELECT asset_image, kind, object, name, sort, namespace, is_running FROM image_use WHERE asset = $1 \
     AND (kind, object) IN (SELECT n.value ->> 'kind', n.value ->> 'object' FROM json_each($2) AS n)";
const PUT_USES: &str = "INSERT INTO image_use (asset_image, kind, object, asset, name, sort, namespace, is_running) \
     SELECT CAST(n.value ->> 'asset_image' AS BIGINT), n.value ->> 'kind', n.value ->> 'object', $1, n.value ->> 'name', \
       n.value ->> 'sort', n.value ->> 'namespace', CAST(n.value ->> 'is_running' AS BIGINT) \
     FROM json_each($2) AS n WHERE true ON CONFLICT (asset_image, kind, object) DO UPDATE SET name = excluded.name, \
       sort = excluded.sort, namespace = excluded.namespace, is_running = excluded.is_running";
const DELETE_USES: &str = "DELETE FROM image_use WHERE asset = $1 AND (asset_image, kind, object) IN \
     (SELECT CAST(n.value ->> 'asset_image' AS BIGINT), n.value ->> 'kind', n.value ->> 'object' FROM json_each($2) AS n)";
const DELETE_IMAGES: &str = "DELETE FROM asset_image WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
     AND NOT EXISTS (SELECT 1 FROM image_use u WHERE u.asset_image = asset_image.id)";
const TOUCH: &str = "UPDATE image_holder SET changes = changes + 1 WHERE asset = $1";

/// Makes `uses` what an asset uses, as far as `extent` goes. Which stored images these are is for
/// [`resolve`](super::resolve) to say. Returns whether anything differs.
///
/// # Errors
/// When the database fails. Then the transaction must be dropped.
pub async fn save(
    tx: &mut Tx,
    asset: AssetId,
    extent: Extent<'_>,
    uses: &[NewUse],
    now: Timestamp,
) -> Result<bool, StoreError> {
    hold(tx, asset, None).await?;
    let ids = put_images(tx, asset, extent, uses, now).await?;
    let old = stored(tx, asset, extent).await?;
    let mut new: BTreeMap<UseKey, StoredUse> = BTreeMap::new();
    for used in uses {
        let Some(id) = ids.get(&cut(&used.image.identity)) else {
            continue;
        };
        let stored = StoredUse {
            asset_image: *id,
            kind: clean(&used.object.kind),
            object: clean(&used.object.object),
            name: cut(&used.name),
            sort: cut(&used.sort),
            namespace: cut(&used.namespace),
            is_running: i64::from(used.is_running),
        };
        let entry = new.entry(stored.key()).or_insert_with(|| stored.clone());
        entry.is_running |= stored.is_running;
    }
    let put: Vec<&StoredUse> = new
        .iter()
        .filter(|(key, used)| old.get(*key) != Some(*used))
        .map(|(_, used)| used)
        .collect();
    let gone: Vec<&StoredUse> = old
        .iter()
        .filter(|(key, _)| !new.contains_key(*key))
        .map(|(_, used)| used)
        .collect();
    for batch in put.chunks(BATCH) {
        sqlx::query(PUT_USES)
            .bind(asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    for batch in gone.chunks(BATCH) {
        sqlx::query(DELETE_USES)
            .bind(asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    let left: BTreeSet<i64> = gone.iter().map(|used| used.asset_image).collect();
    if !left.is_empty() {
        sqlx::query(DELETE_IMAGES)
            .bind(numbers(left))
            .execute(tx.connection())
            .await?;
    }
    let is_changed = !put.is_empty() || !gone.is_empty();
    if is_changed {
        sqlx::query(TOUCH)
            .bind(asset.0)
            .execute(tx.connection())
            .await?;
    }
    Ok(is_changed)
}

/// The rows of the images, by identity.
async fn put_images(
    tx: &mut Tx,
    asset: AssetId,
    extent: Extent<'_>,
    uses: &[NewUse],
    now: Timestamp,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut named: BTreeMap<String, &Named> = BTreeMap::new();
    for used in uses {
        named
            .entry(cut(&used.image.identity))
            .or_insert(&used.image);
    }
    let stored: Vec<StoredImage<'_>> = named
        .iter()
        .map(|(identity, image)| StoredImage {
            identity: identity.clone(),
            name: cut(&image.name),
            digest: image.digest.as_deref(),
        })
        .collect();
    let mut ids = BTreeMap::new();
    for batch in stored.chunks(BATCH) {
        let done = sqlx::query(PUT_IMAGES)
            .bind(asset.0)
            .bind(now.as_millisecond())
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        if let Extent::Whole = extent {
            sqlx::query(RENAME_IMAGES)
                .bind(asset.0)
                .bind(rows(batch))
                .execute(tx.connection())
                .await?;
        }
        let found = sqlx::query(IDS)
            .bind(asset.0)
            .bind(texts(batch.iter().map(|image| image.identity.as_str())))
            .fetch_all(tx.connection())
            .await?;
        let mut keys = Vec::new();
        for row in &found {
            let columns = Columns::new(row, "asset_image", &["id"]);
            let (id, identity) = (columns.int("id")?, columns.text("identity")?);
            let of_image = named.get(&identity).into_iter().flat_map(|one| &one.keys);
            let of_image = of_image.filter(|key| key.len() <= MOST_BYTES).enumerate();
            keys.extend(of_image.take(MOST_KEYS).map(|(rank, key)| StoredKey {
                id,
                rank,
                key: clean(key),
            }));
            ids.insert(identity, id);
        }
        if done.rows_affected() > 0 {
            sqlx::query(PUT_KEYS)
                .bind(rows(&keys))
                .execute(tx.connection())
                .await?;
        }
    }
    Ok(ids)
}

async fn stored(
    tx: &mut Tx,
    asset: AssetId,
    extent: Extent<'_>,
) -> Result<BTreeMap<UseKey, StoredUse>, StoreError> {
    let mut found = Vec::new();
    match extent {
        Extent::Whole => {
            let query = sqlx::query(ALL_USES).bind(asset.0);
            found = query.fetch_all(tx.connection()).await?;
        }
        Extent::Objects(objects) => {
            for batch in objects.chunks(BATCH) {
                let batch: Vec<Key> = batch
                    .iter()
                    .map(|key| Key {
                        kind: clean(&key.kind),
                        object: clean(&key.object),
                    })
                    .collect();
                let query = sqlx::query(USES_OF).bind(asset.0).bind(rows(&batch));
                found.extend(query.fetch_all(tx.connection()).await?);
            }
        }
    }
    found
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "image_use", &["asset_image", "kind", "object"]);
            let stored = StoredUse {
                asset_image: columns.int("asset_image")?,
                kind: columns.text("kind")?,
                object: columns.text("object")?,
                name: columns.text("name")?,
                sort: columns.text("sort")?,
                namespace: columns.text("namespace")?,
                is_running: columns.int("is_running")?,
            };
            Ok((stored.key(), stored))
        })
        .collect()
}

/// As much of a text as an index can hold.
fn cut(text: &str) -> String {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    clean(text.get(..end).unwrap_or_default())
}
