//! Where in an image its packages lie: the long list, of which only the difference is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::columns::Columns;
use crate::rows::{BATCH, rows};
use crate::{Changes, ImageId, StoreError, Tx};

#[derive(Serialize)]
struct PlaceRow {
    package: i64,
    path: i64,
    layer: i64,
}

const PLACES: &str = "SELECT image, package, path, layer FROM image_package WHERE image = $1";
const DELETE_PLACES: &str = "DELETE FROM image_package WHERE image = $1 AND (package, path) IN \
     (SELECT CAST(value ->> 'package' AS BIGINT), CAST(value ->> 'path' AS BIGINT) FROM json_each($2))";
const INSERT_PLACES: &str = "INSERT INTO image_package (image, package, path, layer) \
     SELECT $1, CAST(n.value ->> 'package' AS BIGINT), CAST(n.value ->> 'path' AS BIGINT), \
       CAST(n.value ->> 'layer' AS BIGINT) \
     FROM json_each($2) AS n";

/// Writes the difference in where packages lie. Returns the packages that the image may no longer hold.
pub(super) async fn save_places(
    tx: &mut Tx,
    image: ImageId,
    new: &BTreeMap<(i64, i64), i64>,
    changes: &mut Changes,
) -> Result<BTreeSet<i64>, StoreError> {
    let stored = sqlx::query(PLACES)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let mut added = new.clone();
    let mut gone = Vec::new();
    for row in &stored {
        let columns = Columns::new(row, "image_package", &["image", "package", "path"]);
        let (package, path) = (columns.int("package")?, columns.int("path")?);
        let layer = columns.int("layer")?;
        if new.get(&(package, path)) == Some(&layer) {
            added.remove(&(package, path));
        } else {
            gone.push(PlaceRow {
                package,
                path,
                layer,
            });
        }
    }
    let added: Vec<PlaceRow> = added
        .into_iter()
        .map(|((package, path), layer)| PlaceRow {
            package,
            path,
            layer,
        })
        .collect();
    for batch in gone.chunks(BATCH) {
        let done = sqlx::query(DELETE_PLACES)
            .bind(image.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.deleted += done.rows_affected();
    }
    for batch in added.chunks(BATCH) {
        let done = sqlx::query(INSERT_PLACES)
            .bind(image.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.inserted += done.rows_affected();
    }
    Ok(gone.iter().map(|place| place.package).collect())
}
