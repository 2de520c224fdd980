//! Files of images that raise privileges.

use seareeve_model::ImagePath;
use serde::Serialize;

use crate::columns::Columns;
use crate::images::paths;
use crate::images::save::lists::replace;
use crate::rows::int;
use crate::{Changes, ImageId, StoreError, Tx};

/// A file with setuid or setgid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raising {
    /// Where it is.
    pub path: ImagePath,
    /// The twelve permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
}

#[derive(PartialEq, Eq, Serialize)]
struct RaisingRow {
    position: i64,
    path: String,
    mode: i64,
    owner: i64,
    grp: i64,
}

const STORED: &str = "SELECT image, position, path, mode, owner, grp FROM image_raising WHERE image = $1 ORDER BY position";
const DELETE: &str = "DELETE FROM image_raising WHERE image = $1";
const INSERT: &str = "INSERT INTO image_raising (image, position, path, mode, owner, grp) \
     SELECT $1, CAST(n.value ->> 'position' AS BIGINT), n.value ->> 'path', CAST(n.value ->> 'mode' AS BIGINT), \
       CAST(n.value ->> 'owner' AS BIGINT), CAST(n.value ->> 'grp' AS BIGINT) FROM json_each($2) AS n";
const COUNT: &str =
    "UPDATE image SET raising = $2 WHERE id = $1 AND (raising IS NULL OR raising <> $2)";

/// Makes these the files of an image that raise privileges. Nothing is written when they are the same.
///
/// # Errors
/// When the database fails.
pub async fn set_raising(
    tx: &mut Tx,
    image: ImageId,
    files: &[Raising],
) -> Result<Changes, StoreError> {
    crate::matches::lock(tx).await?;
    // Numbers of owners beyond what a database holds are nobody's.
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let new: Vec<RaisingRow> = files
        .iter()
        .enumerate()
        .map(|(position, file)| RaisingRow {
            position: int(position),
            path: paths::escape(&file.path),
            mode: i64::from(file.mode),
            owner: number(file.uid),
            grp: number(file.gid),
        })
        .collect();
    let stored = sqlx::query(STORED)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let old: Vec<RaisingRow> = stored
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "image_raising", &["image", "position"]);
            Ok(RaisingRow {
                position: columns.int("position")?,
                path: columns.text("path")?,
                mode: columns.int("mode")?,
                owner: columns.int("owner")?,
                grp: columns.int("grp")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    let mut changes = Changes::default();
    replace(tx, image, (&old, &new), (DELETE, INSERT), &mut changes).await?;
    let done = sqlx::query(COUNT)
        .bind(image.0)
        .bind(int(new.len()))
        .execute(tx.connection())
        .await?;
    changes.summaries += done.rows_affected();
    Ok(changes)
}
