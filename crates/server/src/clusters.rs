//! Kubernetes clusters: taking their facts in one by one, and keeping what is said of them so that a changed object is
//! judged alone.
//!
//! Facts lie in the store. What checks make of them stays in memory, a byte for each check and object, and is made
//! again from the facts when the server starts: a large cluster takes some seconds.

pub(crate) mod intake;
mod model;
mod nodes;
pub(crate) mod observing;
pub(crate) mod sides;
pub(crate) mod trial;
mod update;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use seareeve_store::{AssetId, clusters};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

pub(crate) use model::{Model, excluded_namespaces, is_judged};
pub(crate) use nodes::membership;
pub(crate) use update::judge;

use crate::state::App;

/// A cluster that was not heard of for so long may be any way: what is said of it is no longer known to be so.
const SILENT: SignedDuration = SignedDuration::from_mins(10);

/// A cluster's model, when it has one.
type Place = Arc<RwLock<Option<Model>>>;

/// What is said of all clusters, in memory.
#[derive(Default)]
pub(crate) struct Clusters {
    places: Mutex<BTreeMap<AssetId, Place>>,
}

impl Clusters {
    fn place(&self, asset: AssetId) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(asset).or_default())
    }

    /// Forgets a cluster.
    pub(crate) fn forget(&self, asset: AssetId) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.remove(&asset);
    }

    /// What is said of a cluster, as soon as its judging allows; made from the store if it is not there. Nothing for
    /// a cluster whose facts are not all there yet.
    pub(crate) async fn read(
        &self,
        app: &Arc<App>,
        asset: AssetId,
    ) -> anyhow::Result<Option<OwnedRwLockReadGuard<Option<Model>, Model>>> {
        let place = self.place(asset);
        let guard = Arc::clone(&place).read_owned().await;
        if let Ok(model) = OwnedRwLockReadGuard::try_map(guard, Option::as_ref) {
            return Ok(Some(model));
        }
        update::make(app, asset).await?;
        let guard = place.read_owned().await;
        Ok(OwnedRwLockReadGuard::try_map(guard, Option::as_ref).ok())
    }
}

/// Says of clusters that were not heard of for long that this is so.
pub(crate) async fn note_silent(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    for asset in clusters::silent(&app.store, now - SILENT).await? {
        let why = format!(
            "nothing was heard of it for more than {} minutes: see whether its observer runs and reaches this server",
            SILENT.as_mins()
        );
        trouble(app, asset, Some(&why)).await?;
    }
    Ok(())
}

/// Notes why a cluster cannot be watched, or that it can, and judges it anew if that is new.
async fn trouble(app: &Arc<App>, asset: AssetId, why: Option<&str>) -> anyhow::Result<()> {
    let now = app.now();
    let mut tx = app.store.begin().await?;
    if !clusters::set_trouble(&mut tx, asset, why, now).await? {
        return Ok(());
    }
    crate::jobs::enqueue_assess(&mut tx, Some(asset), now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}
