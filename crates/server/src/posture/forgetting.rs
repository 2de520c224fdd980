//! Forgetting an asset: what the score loses by it, and what it was one side of.

use jiff::Timestamp;
use seareeve_store::scores::Cause;
use seareeve_store::{AssetId, StoreError, Tx, assets, clusters, exceptions};

use super::scoring;
use crate::jobs;
use crate::state::App;

/// Forgets an asset in the transaction, with what people said of it alone. What was seen of it from another side is an asset of its own again. Returns what
/// of the score changes by it, for [`scoring::note`]; nothing when it is gone already.
pub(crate) async fn forget(
    app: &App,
    tx: &mut Tx,
    asset: AssetId,
    now: Timestamp,
) -> Result<Option<Vec<Cause>>, StoreError> {
    let health = assets::health_of(&app.store, asset).await?;
    let side = clusters::side_in(tx, asset).await?;
    exceptions::delete_of(tx, asset).await?;
    if !assets::delete(tx, asset).await? {
        return Ok(None);
    }
    if let Some(side) = side {
        let sides = [Some(side.cluster), side.cloud];
        for other in sides.into_iter().flatten().filter(|one| *one != asset) {
            jobs::enqueue_assess(tx, Some(other), now).await?;
        }
    }
    let gone = health.into_iter().map(|entry| {
        let change = assets::HealthChange {
            recommendation: entry.health.recommendation,
            asset_name: entry.asset_name,
            was: Some(entry.health.state),
            health: None,
        };
        scoring::cause(asset, change)
    });
    Ok(Some(gone.collect()))
}
