//! What a policy would make of a cluster's objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use seareeve_admission::{Gate, Policy, Scanned, full_name, preview as of_snapshot};
use seareeve_api::{
    AdmissionPreview, AdmissionPreviewHit, AdmissionPreviewRequest, AdmissionPreviewRule, ErrorBody,
};
use seareeve_model::{Collection, FactKind, Snapshot};
use seareeve_store::{AssetId, assets, clusters};
use serde_json::Value;

use super::{images, policies};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture;
use crate::state::App;

/// Objects that are listed at most.
const MOST_HITS: usize = 2_000;

/// What a policy would make of the objects that a cluster has now. It changes nothing.
#[utoipa::path(post, operation_id = "preview_admission", path = "/api/v1/admission/preview", tag = "admission",
    request_body = AdmissionPreviewRequest,
    responses((status = 200, body = AdmissionPreview), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn preview(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Json(given): Json<AdmissionPreviewRequest>,
) -> ApiResult<Json<AdmissionPreview>> {
    let policy = match given.policy {
        Some(policy) => policy,
        None => policies::in_force(&app, "").await?.policy,
    };
    let policy = policies::read(&app, policy)?;
    let turn = app.reading_facts.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let kinds = policy.reads(&app.content().library);
    let snapshot = snapshot(&app, AssetId(given.asset), &kinds).await?;
    of(&app, policy, snapshot, app.now()).await.map(Json)
}

/// The objects of these kinds that a cluster has now.
async fn snapshot(app: &App, asset: AssetId, kinds: &BTreeSet<FactKind>) -> ApiResult<Snapshot> {
    let missing = || ApiError::not_found("cluster with facts");
    let Some(cluster) = clusters::get(&app.store, asset).await? else {
        let facts = assets::facts(&app.store, asset).await?;
        let facts = facts.ok_or_else(missing)?;
        let unpacking = tokio::task::spawn_blocking(move || posture::unpack(&facts.content));
        let snapshot = unpacking.await.map_err(ApiError::internal)?;
        return snapshot
            .context("failed to read facts")
            .map_err(ApiError::internal);
    };
    let known = assets::get(&app.store, asset).await?.ok_or_else(missing)?;
    let mut facts = BTreeMap::new();
    for (kind, collection) in cluster.collections {
        if kinds.contains(&kind) {
            let items = clusters::facts(&app.store, asset, &kind).await?;
            facts.insert(
                kind,
                Collection {
                    items,
                    ..collection
                },
            );
        }
    }
    Ok(Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: known.kind,
        asset_id: known.external_id,
        asset_name: known.name,
        collected_at: cluster.collected_at,
        collector: known.collector,
        facts,
    })
}

/// What a policy would make of the objects of a snapshot: of facts, wherever they are kept.
async fn of(
    app: &Arc<App>,
    policy: Policy,
    snapshot: Snapshot,
    now: Timestamp,
) -> ApiResult<AdmissionPreview> {
    let scanned: BTreeMap<String, Scanned> = match policy.reads_scans() {
        true => images::scanned(app, &names(&snapshot), &policy.excluded_findings()).await?,
        false => BTreeMap::new(),
    };
    let content = app.content();
    let judging = tokio::task::spawn_blocking(move || {
        let gate = Gate::new(&content.library, &policy);
        of_snapshot(&gate, &snapshot, &scanned, now)
    });
    let found = judging.await.map_err(ApiError::internal)?;
    let more = found.hits.len().saturating_sub(MOST_HITS);
    let hits = found.hits.into_iter().take(MOST_HITS);
    Ok(AdmissionPreview {
        objects: found.objects,
        rules: found
            .tallied
            .into_iter()
            .map(|rule| AdmissionPreviewRule {
                recommendation: rule.recommendation,
                title: rule.title,
                denied: rule.denied,
                warned: rule.warned,
                audited: rule.audited,
                unchecked: rule.unchecked,
            })
            .collect(),
        hits: hits
            .map(|hit| AdmissionPreviewHit {
                recommendation: hit.recommendation,
                effect: hit.effect.to_owned(),
                kind: hit.kind,
                namespace: hit.namespace,
                name: hit.name,
                messages: hit.messages,
            })
            .collect(),
        more: u64::try_from(more).unwrap_or(u64::MAX),
        gaps: found.gaps,
    })
}

/// The images that workloads name.
fn names(snapshot: &Snapshot) -> Vec<String> {
    let facts = snapshot.facts.values().flat_map(|facts| &facts.items);
    let images = facts.filter_map(|fact| fact.data.get("images")?.as_array());
    let mut names: Vec<String> = images
        .flatten()
        .filter_map(|image| full_name(image.get("image").and_then(Value::as_str)?))
        .collect();
    names.sort();
    names.dedup();
    names
}
