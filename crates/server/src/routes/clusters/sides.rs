//! What the clouds know of clusters, and which of it people say belongs together.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{ChooseCloud, ClusterCloud, ClusterSummary, ClusterWatch, ErrorBody};
use seareeve_store::assets::Asset;
use seareeve_store::clusters::{self, CloudCluster, Likeness, Side};
use seareeve_store::users::Role;
use seareeve_store::{AssetId, Tx};

use super::super::query::counts;
use super::super::statements;
use super::cluster;
use crate::auth::caller::Caller;
use crate::clusters::sides::enqueue_other;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::state::App;

/// Say which asset of a cloud a cluster is, or that it is none of them: both are judged as one, whatever is found. For
/// operators.
#[utoipa::path(put, operation_id = "put_cluster_cloud", path = "/api/v1/clusters/{id}/cloud", tag = "clusters", request_body = ChooseCloud,
    params(("id" = i64, Path, description = "The cluster")),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(in crate::routes) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(given): Json<ChooseCloud>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let (asset, _) = cluster(&app, id).await?;
    let cloud = given.asset.map(AssetId);
    if let Some(cloud) = cloud {
        let clouds = clusters::clouds(&app.store).await?;
        if !clouds.iter().any(|one| one.asset == cloud) {
            let why = "no connector brought a cluster of this number";
            return Err(ApiError::bad_field("asset", why));
        }
    }
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let before = touched(&mut tx, asset.id, cloud).await?;
    let side = Side {
        cluster: asset.id,
        cloud,
        how: Likeness::Chosen,
        author: Some(caller.user.name),
        since: now,
    };
    if !clusters::set_side(&mut tx, &side).await? {
        let why = "somebody said that it is another cluster: take that back before";
        return Err(ApiError::conflict(why));
    }
    for one in before {
        jobs::enqueue_assess(&mut tx, Some(one), now).await?;
    }
    statements::judge_again(&app, tx, Some(asset.id), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back what was said of which asset of a cloud a cluster is: what can be found holds. For operators.
#[utoipa::path(delete, operation_id = "delete_cluster_cloud", path = "/api/v1/clusters/{id}/cloud", tag = "clusters",
    params(("id" = i64, Path, description = "The cluster")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::Operator)?;
    let (asset, _) = cluster(&app, id).await?;
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let before = touched(&mut tx, asset.id, None).await?;
    if clusters::unset_side(&mut tx, asset.id).await? {
        // First the cluster: what it is found to be stays a part of it without having been anything else in between.
        jobs::enqueue_assess(&mut tx, Some(asset.id), now).await?;
        for one in before {
            jobs::enqueue_assess(&mut tx, Some(one), now).await?;
            enqueue_other(&mut tx, &app.store, one, now).await?;
        }
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

/// Assets other than the cluster that are judged otherwise when its other side becomes `cloud`.
async fn touched(tx: &mut Tx, asset: AssetId, cloud: Option<AssetId>) -> ApiResult<Vec<AssetId>> {
    let mut touched = Vec::new();
    if let Some(side) = clusters::side_in(tx, asset).await? {
        touched.extend(side.cloud.filter(|old| Some(*old) != cloud));
    }
    if let Some(cloud) = cloud
        && let Some(side) = clusters::side_in(tx, cloud).await?
        && side.cluster != asset
    {
        touched.push(side.cluster);
    }
    Ok(touched)
}

/// What the clouds know of clusters.
pub(super) struct Clouds {
    sides: BTreeMap<AssetId, Side>,
    clouds: BTreeMap<AssetId, CloudCluster>,
}

impl Clouds {
    pub(super) async fn load(app: &App) -> ApiResult<Self> {
        let sides = clusters::sides(&app.store).await?.into_iter();
        let clouds = clusters::clouds(&app.store).await?.into_iter();
        Ok(Self {
            sides: sides.map(|side| (side.cluster, side)).collect(),
            clouds: clouds.map(|one| (one.asset, one)).collect(),
        })
    }

    /// The other side of a cluster.
    pub(super) fn of(&self, cluster: AssetId) -> Option<ClusterCloud> {
        let side = self.sides.get(&cluster)?;
        let known = side.cloud.and_then(|cloud| self.clouds.get(&cloud));
        Some(ClusterCloud {
            asset: side.cloud.map(|cloud| cloud.0),
            name: known.map(|cloud| cloud.name.clone()),
            cloud_id: known.map(|cloud| cloud.external_id.clone()),
            how: side.how.as_str().to_owned(),
            author: side.author.clone(),
            since: side.since,
        })
    }

    /// A cluster that only its cloud tells of.
    pub(super) fn unwatched(&mut self, asset: Asset) -> ClusterSummary {
        let known = self.clouds.remove(&asset.id);
        ClusterSummary {
            id: asset.id.0,
            uid: asset.external_id,
            name: asset.name,
            version: known.and_then(|cloud| cloud.identity.version),
            provider: None,
            nodes: None,
            namespaces: None,
            workloads: None,
            state: asset.state.as_str().to_owned(),
            reason: asset.reason,
            failed: counts(asset.failed),
            watch: ClusterWatch {
                by: "cloud".to_owned(),
                state: "cloud".to_owned(),
                reason: None,
                since: None,
            },
            cloud: None,
            first_seen: asset.first_seen,
            last_seen: asset.last_seen,
        }
    }
}
