//! Environments: the parts of an estate that have a score of their own. An asset belongs to exactly one.

use std::collections::{BTreeMap, BTreeSet};

use crate::columns::Columns;
use crate::rows::{clean, numbers};
use crate::{AssetId, JoinTokenId, SensorId, Store, StoreError, Tx, control_counts, health_counts};

/// The one that assets belong to if nobody says otherwise.
pub const DEFAULT: &str = "default";

/// An environment that has assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// How many assets belong to it.
    pub assets: u64,
}

const LIST: &str = "SELECT environment, CAST(COUNT(*) AS BIGINT) AS assets FROM asset a \
     WHERE NOT EXISTS (SELECT 1 FROM cluster_side j WHERE j.cloud = a.id) GROUP BY environment ORDER BY environment";

/// All environments with assets, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Environment>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    let environment = |row| {
        let columns = Columns::new(row, "asset", &["environment"]);
        Ok(Environment {
            name: columns.text("environment")?,
            assets: columns.count("assets")?,
        })
    };
    rows.iter().map(environment).collect()
}

const OF_ASSETS: &str = "SELECT id, environment FROM asset";

/// The environment of each asset.
///
/// # Errors
/// When the database fails.
pub async fn of_assets(store: &Store) -> Result<BTreeMap<AssetId, String>, StoreError> {
    let rows = sqlx::query(OF_ASSETS).fetch_all(&store.pool).await?;
    let pair = |row| {
        let columns = Columns::new(row, "asset", &["id"]);
        Ok((AssetId(columns.int("id")?), columns.text("environment")?))
    };
    rows.iter().map(pair).collect()
}

const OF_THESE: &str = "SELECT id, environment FROM asset \
     WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

/// The environments of these assets, as the transaction sees it. Those that are gone have none.
///
/// # Errors
/// When the database fails.
pub async fn of_these(
    tx: &mut Tx,
    assets: impl IntoIterator<Item = AssetId>,
) -> Result<BTreeMap<AssetId, String>, StoreError> {
    let rows = sqlx::query(OF_THESE)
        .bind(numbers(assets.into_iter().map(|asset| asset.0)))
        .fetch_all(tx.connection())
        .await?;
    let pair = |row| {
        let columns = Columns::new(row, "asset", &["id"]);
        Ok((AssetId(columns.int("id")?), columns.text("environment")?))
    };
    rows.iter().map(pair).collect()
}

const SET: &str = "UPDATE asset SET environment = $2 WHERE id = $1";

/// Moves an asset to an environment, with what it adds to sums. Returns the environments whose sums differ by it.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, asset: AssetId, name: &str) -> Result<BTreeSet<String>, StoreError> {
    let before = of_these(tx, [asset]).await?.remove(&asset);
    sqlx::query(SET)
        .bind(asset.0)
        .bind(clean(name))
        .execute(tx.connection())
        .await?;
    moved(tx, asset, before).await
}

const FOLLOW: &str = "UPDATE asset SET environment = (SELECT o.environment FROM asset o WHERE o.id = $2) \
     WHERE id = $1 AND environment = 'default'";

/// Puts an asset where another one is, unless somebody placed it, with what it adds to sums. Returns the environments
/// whose sums differ by it.
///
/// # Errors
/// When the database fails.
pub async fn follow(
    tx: &mut Tx,
    asset: AssetId,
    other: AssetId,
) -> Result<BTreeSet<String>, StoreError> {
    let before = of_these(tx, [asset]).await?.remove(&asset);
    sqlx::query(FOLLOW)
        .bind(asset.0)
        .bind(other.0)
        .execute(tx.connection())
        .await?;
    moved(tx, asset, before).await
}

const SET_OF_TOKEN: &str = "UPDATE join_token SET environment = $2 WHERE id = $1";

/// Says which environment the assets belong to whose sensors join by a token.
///
/// # Errors
/// When the database fails.
pub async fn set_of_join_token(
    tx: &mut Tx,
    token: JoinTokenId,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query(SET_OF_TOKEN)
        .bind(token.0)
        .bind(clean(name))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const TO_SENSOR: &str = "UPDATE sensor SET environment = \
       COALESCE((SELECT environment FROM join_token WHERE token_hash = $2), environment) WHERE id = $1";

/// Gives a sensor that just joined the environment of its join token.
///
/// # Errors
/// When the database fails.
pub async fn pass_to_sensor(
    tx: &mut Tx,
    sensor: SensorId,
    token_hash: &[u8; 32],
) -> Result<(), StoreError> {
    sqlx::query(TO_SENSOR)
        .bind(sensor.0)
        .bind(token_hash.to_vec())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// A token that says nothing of environments takes no asset out of one.
const TO_ASSET: &str = "UPDATE asset SET environment = (SELECT environment FROM sensor WHERE id = $2) \
     WHERE id = $1 AND EXISTS (SELECT 1 FROM sensor WHERE id = $2 AND environment <> 'default')";

/// Gives an asset the environment of the sensor that sends its facts for the first time, with what it adds to sums.
/// Returns the environments whose sums differ by it.
///
/// # Errors
/// When the database fails.
pub async fn pass_to_asset(
    tx: &mut Tx,
    asset: AssetId,
    sensor: SensorId,
) -> Result<BTreeSet<String>, StoreError> {
    let before = of_these(tx, [asset]).await?.remove(&asset);
    sqlx::query(TO_ASSET)
        .bind(asset.0)
        .bind(sensor.0)
        .execute(tx.connection())
        .await?;
    moved(tx, asset, before).await
}

/// What an asset adds to sums moves along with it.
async fn moved(
    tx: &mut Tx,
    asset: AssetId,
    before: Option<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let after = of_these(tx, [asset]).await?.remove(&asset);
    if let Some((before, after)) = before.zip(after).filter(|(before, after)| before != after) {
        let moved = control_counts::of_asset(tx, asset).await?;
        control_counts::shift(tx, &[&after], &moved).await?;
        control_counts::shift(tx, &[&before], &control_counts::taken(moved)).await?;
    }
    health_counts::follow(tx, asset).await
}
