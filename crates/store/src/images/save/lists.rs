//! The short lists of an image, layers and problems, which are replaced as a whole when they differ.

use seareeve_model::{Layer, Problem};
use serde::Serialize;

use crate::columns::Columns;
use crate::rows::{BATCH, clean, int, rows, size};
use crate::{Changes, ImageId, StoreError, Tx};

#[derive(PartialEq, Eq, Serialize)]
struct LayerRow {
    position: i64,
    diff_id: String,
    digest: Option<String>,
    size_bytes: i64,
    created_by: String,
}

const LAYERS: &str = "SELECT image, position, diff_id, digest, size_bytes, created_by FROM layer \
     WHERE image = $1 ORDER BY position";
const DELETE_LAYERS: &str = "DELETE FROM layer WHERE image = $1";
const INSERT_LAYERS: &str = "INSERT INTO layer \
     (image, position, diff_id, digest, size_bytes, created_by) \
     SELECT $1, CAST(n.value ->> 'position' AS BIGINT), n.value ->> 'diff_id', n.value ->> 'digest', \
       CAST(n.value ->> 'size_bytes' AS BIGINT), n.value ->> 'created_by' \
     FROM json_each($2) AS n";

pub(super) async fn save_layers(
    tx: &mut Tx,
    image: ImageId,
    layers: &[Layer],
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let new: Vec<LayerRow> = layers
        .iter()
        .enumerate()
        .map(|(position, layer)| LayerRow {
            position: int(position),
            diff_id: layer.diff_id.as_str().to_owned(),
            digest: layer
                .digest
                .as_ref()
                .map(|digest| digest.as_str().to_owned()),
            size_bytes: size(layer.size_bytes),
            created_by: clean(&layer.created_by),
        })
        .collect();
    let stored = sqlx::query(LAYERS)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let old: Vec<LayerRow> = stored
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "layer", &["image", "position"]);
            Ok(LayerRow {
                position: columns.int("position")?,
                diff_id: columns.text("diff_id")?,
                digest: columns.opt_text("digest")?,
                size_bytes: columns.int("size_bytes")?,
                created_by: columns.text("created_by")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    replace(
        tx,
        image,
        (&old, &new),
        (DELETE_LAYERS, INSERT_LAYERS),
        changes,
    )
    .await
}

#[derive(PartialEq, Eq, Serialize)]
struct ProblemRow {
    position: i64,
    code: String,
    place: String,
    message: String,
}

const PROBLEMS: &str = "SELECT image, position, code, place, message FROM problem \
     WHERE image = $1 ORDER BY position";
const DELETE_PROBLEMS: &str = "DELETE FROM problem WHERE image = $1";
const INSERT_PROBLEMS: &str = "INSERT INTO problem (image, position, code, place, message) \
     SELECT $1, CAST(n.value ->> 'position' AS BIGINT), n.value ->> 'code', n.value ->> 'place', \
       n.value ->> 'message' \
     FROM json_each($2) AS n";

pub(in crate::images) async fn save_problems(
    tx: &mut Tx,
    image: ImageId,
    problems: &[Problem],
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let new: Vec<ProblemRow> = problems
        .iter()
        .enumerate()
        .map(|(position, problem)| ProblemRow {
            position: int(position),
            code: problem.code.as_str().to_owned(),
            place: clean(&problem.place),
            message: clean(&problem.message),
        })
        .collect();
    let stored = sqlx::query(PROBLEMS)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let old: Vec<ProblemRow> = stored
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "problem", &["image", "position"]);
            Ok(ProblemRow {
                position: columns.int("position")?,
                code: columns.text("code")?,
                place: columns.text("place")?,
                message: columns.text("message")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    replace(
        tx,
        image,
        (&old, &new),
        (DELETE_PROBLEMS, INSERT_PROBLEMS),
        changes,
    )
    .await
}

/// Replaces a short list as a whole when it differs.
pub(in crate::images) async fn replace<T: PartialEq + Serialize>(
    tx: &mut Tx,
    image: ImageId,
    (old, new): (&[T], &[T]),
    (delete, insert): (&'static str, &'static str),
    changes: &mut Changes,
) -> Result<(), StoreError> {
    if old == new {
        return Ok(());
    }
    let deleted = sqlx::query(delete)
        .bind(image.0)
        .execute(tx.connection())
        .await?;
    changes.deleted += deleted.rows_affected();
    for batch in new.chunks(BATCH) {
        let inserted = sqlx::query(insert)
            .bind(image.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.inserted += inserted.rows_affected();
    }
    Ok(())
}
