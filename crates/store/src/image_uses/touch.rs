//! Noting that what is said of assets by their images may have changed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::rows::numbers;
use crate::{ImageId, StoreError, Tx};

/// $1: the images. Holders that use one of them, and registries that hold one.
const TOUCH: &str = "UPDATE image_holder SET changes = changes + 1 WHERE asset IN ( \
       SELECT a.asset FROM asset_image a WHERE a.image = $1 \
       UNION SELECT h.asset FROM image_reference r \
         JOIN image_holder h ON h.registry > '' AND r.reference >= h.registry || '/' AND r.reference < h.registry || '0' WHERE r.image = $1)";

/// An image is another than it was, or will be gone.
///
/// # Errors
/// When the database fails.
pub(crate) async fn touch_image(tx: &mut Tx, image: ImageId) -> Result<(), StoreError> {
    sqlx::query(TOUCH)
        .bind(image.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Those that wait for an image by one of its names, too.
const TOUCH_KEYS: &str = "UPDATE image_holder SET changes = changes + 1 WHERE asset IN ( \
       SELECT a.asset FROM asset_image_key k JOIN asset_image a ON a.id = k.asset_image \
         WHERE k.key IN (SELECT i.digest FROM image i WHERE i.id = $1 \
           UNION SELECT i.config_digest FROM image i WHERE i.id = $1 \
           UNION SELECT r.reference FROM image_reference r WHERE r.image = $1))";

/// An image was saved that was not there before, or differs.
///
/// # Errors
/// When the database fails.
pub(crate) async fn touch_saved(tx: &mut Tx, image: ImageId) -> Result<(), StoreError> {
    touch_image(tx, image).await?;
    sqlx::query(TOUCH_KEYS)
        .bind(image.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Only images that somebody uses are looked at.
const TOUCH_PACKAGES: &str = "UPDATE image_holder SET changes = changes + 1 WHERE asset IN ( \
       SELECT a.asset FROM image_package ip JOIN asset_image a ON a.image = ip.image \
         WHERE ip.package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
       UNION SELECT h.asset FROM image_package ip JOIN image_reference r ON r.image = ip.image \
         JOIN image_holder h ON h.registry > '' AND r.reference >= h.registry || '/' AND r.reference < h.registry || '0' \
         WHERE ip.package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)))";

/// Findings of packages changed.
///
/// # Errors
/// When the database fails.
pub(crate) async fn touch_packages(tx: &mut Tx, packages: BTreeSet<i64>) -> Result<(), StoreError> {
    if packages.is_empty() {
        return Ok(());
    }
    sqlx::query(TOUCH_PACKAGES)
        .bind(numbers(packages))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const TOUCH_OLD: &str = "UPDATE image_holder SET changes = changes + 1 \
     WHERE judged_at < $1 AND changes = judged AND images > 0";

/// Days pass, and scans and fixes get older: holders that were judged before `before` are to be judged again. Returns
/// how many there are.
///
/// # Errors
/// When the database fails.
pub async fn touch_old(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query(TOUCH_OLD)
        .bind(before.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected())
}
