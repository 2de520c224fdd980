//! Which environment an asset belongs to: where a person puts it, or the join token of the sensor that tells of it.

use jiff::Timestamp;
use seareeve_store::scores::Cause;
use seareeve_store::{AssetId, SensorId, StoreError, Tx, assets, environments, sensors};

use super::scoring::{self, Differ};
use crate::jobs;
use crate::state::App;

/// Puts an asset where a person wants it. Its points move with it.
pub(crate) async fn put(
    app: &App,
    tx: &mut Tx,
    asset: AssetId,
    environment: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let was = environments::of_these(tx, [asset]).await?.remove(&asset);
    let differ = environments::set(tx, asset, environment).await?;
    note(app, tx, (asset, was), Differ::Of(&differ), now).await
}

/// Lets a sensor speak for an asset, and puts the asset where the sensor's join token says.
pub(crate) async fn bind(
    app: &App,
    tx: &mut Tx,
    sensor: SensorId,
    asset: AssetId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sensors::bind(tx, sensor, asset).await?;
    let was = environments::of_these(tx, [asset]).await?.remove(&asset);
    let differ = environments::pass_to_asset(tx, asset, sensor).await?;
    // One that is new has no points yet.
    if differ.is_empty() {
        return Ok(());
    }
    note(app, tx, (asset, was), Differ::Of(&differ), now).await
}

async fn note(
    app: &App,
    tx: &mut Tx,
    (asset, was): (AssetId, Option<String>),
    differ: Differ<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_in = environments::of_these(tx, [asset]).await?.remove(&asset);
    let known = assets::get(&app.store, asset).await?;
    let cause = known.map(|known| Cause {
        recommendation: String::new(),
        asset,
        asset_name: known.name,
        was,
        health: is_in,
    });
    let causes = cause.into_iter().collect();
    scoring::note(tx, &app.content(), differ, causes, now).await?;
    // An exemption may be about its environment.
    jobs::enqueue_assess(tx, Some(asset), now).await
}
