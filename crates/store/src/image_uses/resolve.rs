//! Finding the stored image that an asset's image is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::columns::Columns;
use crate::rows::{BATCH, rows};
use crate::{AssetId, StoreError, Tx};

#[derive(Serialize)]
struct Resolved {
    id: i64,
    image: Option<i64>,
}

const CURRENT: &str = "SELECT id, image FROM asset_image WHERE asset = $1";
/// The best key first; of several images with one configuration, the newest.
const FOUND: &str = "SELECT x.id AS id, x.image AS image FROM ( \
       SELECT a.id AS id, k.rank AS rank, i.id AS image FROM asset_image a \
         JOIN asset_image_key k ON k.asset_image = a.id JOIN image i ON i.digest = k.key WHERE a.asset = $1 \
       UNION ALL SELECT a.id AS id, k.rank AS rank, i.id AS image FROM asset_image a \
         JOIN asset_image_key k ON k.asset_image = a.id JOIN image i ON i.config_digest = k.key WHERE a.asset = $1 \
       UNION ALL SELECT a.id AS id, k.rank AS rank, r.image AS image FROM asset_image a \
         JOIN asset_image_key k ON k.asset_image = a.id JOIN image_reference r ON r.reference = k.key WHERE a.asset = $1 \
     ) AS x ORDER BY x.id, x.rank, x.image DESC";
const UPDATE: &str = "UPDATE asset_image SET image = CAST(n.value ->> 'image' AS BIGINT) \
     FROM json_each($1) AS n WHERE asset_image.id = CAST(n.value ->> 'id' AS BIGINT)";

/// Says anew which stored image each image of an asset is. Returns how many are another one than before, or none any
/// more.
///
/// # Errors
/// When the database fails.
pub async fn resolve(tx: &mut Tx, asset: AssetId) -> Result<u64, StoreError> {
    let found = sqlx::query(FOUND)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let mut best: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &found {
        let columns = Columns::new(row, "asset_image", &["id"]);
        best.entry(columns.int("id")?)
            .or_insert(columns.int("image")?);
    }
    let current = sqlx::query(CURRENT)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let mut differ = Vec::new();
    for row in &current {
        let columns = Columns::new(row, "asset_image", &["id"]);
        let id = columns.int("id")?;
        let image = best.get(&id).copied();
        if columns.opt_int("image")? != image {
            differ.push(Resolved { id, image });
        }
    }
    for batch in differ.chunks(BATCH) {
        sqlx::query(UPDATE)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    Ok(differ.len() as u64)
}
