//! Sensors that joined, and the tokens by which they send. Of a token only a hash is kept.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::sessions::SEEN_EVERY;
use crate::{AssetId, SensorId, Store, StoreError, Tx};

/// A sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// The row.
    pub id: SensorId,
    /// What it calls itself: its machine's name.
    pub name: String,
    /// Its program's version when it joined.
    pub version: String,
    /// The name of the join token.
    pub joined_by: String,
    /// The asset that it sends facts of; nothing before the first.
    pub asset: Option<AssetId>,
    /// That asset's kind and name, and the program that collected its facts last.
    pub host: Option<SensorHost>,
    /// When it joined.
    pub created: Timestamp,
    /// When it was heard of last, to the minute.
    pub last_seen: Timestamp,
}

/// What a sensor sends facts of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorHost {
    /// The asset's kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// The program that collected its facts last, with its version.
    pub collector: String,
}

const CREATE: &str = "INSERT INTO sensor (token_hash, name, version, joined_by, created, last_seen) \
     VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";

/// Takes a sensor in.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    name: &str,
    version: &str,
    joined_by: &str,
    now: Timestamp,
) -> Result<SensorId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(token_hash.to_vec())
        .bind(clean(name))
        .bind(clean(version))
        .bind(clean(joined_by))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "sensor", &["id"]).int("id")?;
    Ok(SensorId(id))
}

macro_rules! select_sensors {
    () => {
        "SELECT s.id AS id, s.name AS name, s.version AS version, s.joined_by AS joined_by, s.asset AS asset, \
           s.created AS created, s.last_seen AS last_seen, a.kind AS kind, a.name AS asset_name, \
           a.environment AS environment, a.collector AS collector \
         FROM sensor s LEFT JOIN asset a ON a.id = s.asset "
    };
}

const FIND: &str = concat!(select_sensors!(), "WHERE s.token_hash = $1");
const SEEN: &str = "UPDATE sensor SET last_seen = $2 WHERE id = $1";

/// The sensor of this secret. Notes that it was heard of at most once a minute.
///
/// # Errors
/// When the database fails.
pub async fn find(
    store: &Store,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Sensor>, StoreError> {
    let row = sqlx::query(FIND)
        .bind(token_hash.to_vec())
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let sensor = from_row(&row)?;
    if now.duration_since(sensor.last_seen) >= SEEN_EVERY {
        let mut tx = store.begin().await?;
        sqlx::query(SEEN)
            .bind(sensor.id.0)
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
    }
    Ok(Some(sensor))
}

fn from_row(row: &AnyRow) -> Result<Sensor, StoreError> {
    let columns = Columns::new(row, "sensor", &["id"]);
    let host = match columns.opt_text("kind")? {
        None => None,
        Some(kind) => Some(SensorHost {
            kind,
            name: columns.text("asset_name")?,
            environment: columns.text("environment")?,
            collector: columns.text("collector")?,
        }),
    };
    Ok(Sensor {
        id: SensorId(columns.int("id")?),
        name: columns.text("name")?,
        version: columns.text("version")?,
        joined_by: columns.text("joined_by")?,
        asset: columns.opt_int("asset")?.map(AssetId),
        host,
        created: columns.time("created")?,
        last_seen: columns.time("last_seen")?,
    })
}

const BIND: &str = "UPDATE sensor SET asset = $2 WHERE id = $1 AND asset IS NULL";

/// Notes which asset a sensor sends facts of. The first one stays.
///
/// # Errors
/// When the database fails.
pub async fn bind(tx: &mut Tx, sensor: SensorId, asset: AssetId) -> Result<(), StoreError> {
    sqlx::query(BIND)
        .bind(sensor.0)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const LIST: &str = concat!(select_sensors!(), "ORDER BY s.name, s.id");

/// All sensors, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Sensor>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const DELETE: &str = "DELETE FROM sensor WHERE id = $1";

/// Ends a sensor's token. What it sent stays. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: SensorId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
