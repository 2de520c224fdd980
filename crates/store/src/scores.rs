//! The secure score as it was, and what changed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int, json};
use crate::{AssetId, Store, StoreError, Tx};

/// The score from a time on.
#[derive(Clone, Debug, PartialEq)]
pub struct ScorePoint {
    /// From when.
    pub at: Timestamp,
    /// The points that were there.
    pub points: f64,
    /// Those that there could be.
    pub most: f64,
    /// What changed it.
    pub causes: Vec<Cause>,
}

/// One reason of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The recommendation.
    pub recommendation: String,
    /// The asset.
    #[serde(with = "asset_number")]
    pub asset: AssetId,
    /// Its name then.
    pub asset_name: String,
    /// What the recommendation said of it before; nothing for a new asset.
    pub was: Option<String>,
    /// What it says since; nothing for an asset that is gone.
    pub health: Option<String>,
}

mod asset_number {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::AssetId;

    pub(super) fn serialize<S: Serializer>(id: &AssetId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(id.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AssetId, D::Error> {
        i64::deserialize(deserializer).map(AssetId)
    }
}

/// Points are kept in millionths, which both databases hold exactly.
const PARTS: f64 = 1_000_000.0;

const LAST: &str = "SELECT id, at, points, most, causes FROM score WHERE environment = $1 ORDER BY id DESC LIMIT 1";
const INSERT: &str =
    "INSERT INTO score (at, points, most, causes, environment) VALUES ($1, $2, $3, $4, $5)";

/// Notes the score of an environment, or of all for an empty one, if it differs from the last one. Returns whether it
/// does.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, environment: &str, score: &ScorePoint) -> Result<bool, StoreError> {
    let row = sqlx::query(LAST)
        .bind(clean(environment))
        .fetch_optional(tx.connection())
        .await?;
    let new = (parts(score.points), parts(score.most));
    let old = match &row {
        None => (0, 0),
        Some(row) => {
            let columns = Columns::new(row, "score", &["id"]);
            (columns.int("points")?, columns.int("most")?)
        }
    };
    if new == old {
        return Ok(false);
    }
    sqlx::query(INSERT)
        .bind(score.at.as_millisecond())
        .bind(new.0)
        .bind(new.1)
        .bind(clean(&json(&score.causes)))
        .bind(clean(environment))
        .execute(tx.connection())
        .await?;
    Ok(true)
}

fn parts(points: f64) -> i64 {
    (points * PARTS).round() as i64
}

const LIST: &str = "SELECT id, at, points, most, causes FROM score WHERE environment = $3 AND (at >= $1 \
       OR id = (SELECT MAX(id) FROM score WHERE environment = $3 AND at < $1)) ORDER BY id DESC LIMIT $2";

/// The score of an environment, or of all for an empty one, since a time: the last first, with the one that held at
/// that time.
///
/// # Errors
/// When the database fails.
pub async fn list(
    store: &Store,
    environment: &str,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<ScorePoint>, StoreError> {
    let rows = sqlx::query(LIST)
        .bind(since.as_millisecond())
        .bind(int(limit))
        .bind(clean(environment))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

const ENVIRONMENTS: &str =
    "SELECT DISTINCT environment FROM score WHERE environment <> '' ORDER BY environment";

/// The environments that ever had a score.
///
/// # Errors
/// When the database fails.
pub async fn environments(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(ENVIRONMENTS).fetch_all(tx.connection()).await?;
    let name = |row| Columns::new(row, "score", &["environment"]).text("environment");
    rows.iter().map(name).collect()
}

fn from_row(row: &AnyRow) -> Result<ScorePoint, StoreError> {
    let columns = Columns::new(row, "score", &["id"]);
    // Some tens of points in millionths are far below what a float holds exactly.
    let points = |column| -> Result<f64, StoreError> {
        let number: u32 = columns.count(column)?;
        Ok(f64::from(number) / PARTS)
    };
    Ok(ScorePoint {
        at: columns.time("at")?,
        points: points("points")?,
        most: points("most")?,
        causes: columns.json("causes")?,
    })
}
