//! Forgetting images, and what only they held.

use std::collections::BTreeSet;

use crate::columns::Columns;
use crate::rows::numbers;
use crate::{Changes, ImageId, Store, StoreError, Tx, image_uses, matches, vulnerabilities};

const PACKAGES: &str = "SELECT DISTINCT package FROM image_package WHERE image = $1";
const DELETE: &str = "DELETE FROM image WHERE id = $1";

/// Deletes an image with its bill of materials, and the packages and vulnerabilities that no other image
/// has. Returns whether there was such an image.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, image: ImageId) -> Result<bool, StoreError> {
    matches::lock(tx).await?;
    let rows = sqlx::query(PACKAGES)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let packages: BTreeSet<i64> = rows
        .iter()
        .map(|row| Columns::new(row, "image_package", &["package"]).int("package"))
        .collect::<Result<_, _>>()?;
    image_uses::touch_image(tx, image).await?;
    let done = sqlx::query(DELETE)
        .bind(image.0)
        .execute(tx.connection())
        .await?;
    prune_packages(tx, packages, &mut Changes::default()).await?;
    Ok(done.rows_affected() > 0)
}

const PRUNE_MATCHES: &str = "DELETE FROM package_vulnerability \
     WHERE package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
       AND NOT EXISTS (SELECT 1 FROM image_package ip \
         WHERE ip.package = package_vulnerability.package) \
     RETURNING vulnerability";
const PRUNE_PACKAGES: &str = "DELETE FROM package \
     WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
       AND NOT EXISTS (SELECT 1 FROM image_package ip WHERE ip.package = package.id)";

/// Deletes those of `packages` that no image holds any more, with their matches.
pub(super) async fn prune_packages(
    tx: &mut Tx,
    packages: BTreeSet<i64>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    if packages.is_empty() {
        return Ok(());
    }
    let packages = numbers(packages);
    let gone = sqlx::query(PRUNE_MATCHES)
        .bind(packages.as_str())
        .fetch_all(tx.connection())
        .await?;
    changes.deleted += gone.len() as u64;
    let gone: BTreeSet<i64> = gone
        .iter()
        .map(|row| {
            Columns::new(row, "package_vulnerability", &["vulnerability"]).int("vulnerability")
        })
        .collect::<Result<_, _>>()?;
    vulnerabilities::prune(tx, gone, changes).await?;
    let done = sqlx::query(PRUNE_PACKAGES)
        .bind(packages)
        .execute(tx.connection())
        .await?;
    changes.deleted += done.rows_affected();
    Ok(())
}

const PRUNE_PATHS: &str = "DELETE FROM path WHERE id NOT IN (SELECT path FROM image_package)";

/// Deletes paths at which no image has a package any more. It reads everything, so it is for a quiet hour.
/// Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn prune_paths(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    matches::lock(&mut tx).await?;
    let done = sqlx::query(PRUNE_PATHS).execute(tx.connection()).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
