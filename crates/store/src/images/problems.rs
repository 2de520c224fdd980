//! What could not be read or judged, when judging is done anew.

use std::collections::BTreeSet;

use seareeve_model::{Problem, ProblemCode};

use crate::columns::Columns;
use crate::images::save::count;
use crate::images::save::lists::save_problems;
use crate::rows::{numbers, texts};
use crate::{Changes, ImageId, PackageId, Store, StoreError, Tx, image_uses, matches};

const ALL: &str = "SELECT id AS image FROM image ORDER BY id";
const WITH_CODES: &str = "SELECT DISTINCT image FROM problem \
     WHERE code IN (SELECT value ->> 't' FROM json_each($1))";
const HOLDING: &str = "SELECT DISTINCT image FROM image_package \
     WHERE package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

/// All images.
///
/// # Errors
/// When the database fails.
pub async fn ids(store: &Store) -> Result<BTreeSet<ImageId>, StoreError> {
    let rows = sqlx::query(ALL).fetch_all(&store.pool).await?;
    rows.iter()
        .map(|row| {
            Ok(ImageId(
                Columns::new(row, "image", &["image"]).int("image")?,
            ))
        })
        .collect()
}

/// Images that have a problem with one of these codes, or hold one of these packages.
///
/// # Errors
/// When the database fails.
pub async fn ids_with(
    store: &Store,
    codes: &[ProblemCode],
    packages: &[PackageId],
) -> Result<BTreeSet<ImageId>, StoreError> {
    let with_codes = sqlx::query(WITH_CODES)
        .bind(texts(codes.iter().map(|code| code.as_str())))
        .fetch_all(&store.pool)
        .await?;
    let holding = sqlx::query(HOLDING)
        .bind(numbers(packages.iter().map(|package| package.0)))
        .fetch_all(&store.pool)
        .await?;
    with_codes
        .iter()
        .chain(&holding)
        .map(|row| {
            Ok(ImageId(
                Columns::new(row, "image_package", &["image"]).int("image")?,
            ))
        })
        .collect()
}

/// Replaces the problems of an image. Nothing is written when they are the same.
///
/// # Errors
/// When the database fails.
pub async fn set_problems(
    tx: &mut Tx,
    image: ImageId,
    problems: &[Problem],
) -> Result<Changes, StoreError> {
    matches::lock(tx).await?;
    let mut changes = Changes::default();
    save_problems(tx, image, problems, &mut changes).await?;
    count(tx, image, &mut changes).await?;
    if changes.total() > 0 {
        image_uses::touch_image(tx, image).await?;
    }
    Ok(changes)
}
