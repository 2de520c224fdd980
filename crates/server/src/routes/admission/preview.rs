//! What a policy would make of a cluster's objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use seareeve_admission::{Gate, Hit, Policy, Preview, Scanned, full_name, preview as of_snapshot};
use seareeve_api::{
    AdmissionPreview, AdmissionPreviewHit, AdmissionPreviewRequest, AdmissionPreviewRule, ErrorBody,
};
use seareeve_model::{Collection, CollectionStatus, Snapshot};
use seareeve_store::clusters::{self, Cluster};
use seareeve_store::{AssetId, assets};
use serde_json::Value;

use super::{images, policies};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture;
use crate::state::App;

/// Objects that are listed at most.
const MOST_HITS: usize = 2_000;
/// Objects that are looked at at a time.
const PAGE: usize = 1_000;

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
    let asset = AssetId(given.asset);
    let (now, policy) = (app.now(), Arc::new(policy));
    let found = match clusters::get(&app.store, asset).await? {
        Some(cluster) => of_cluster(&app, &policy, &cluster, now).await?,
        None => {
            let facts = assets::facts(&app.store, asset).await?;
            let facts = facts.ok_or_else(|| ApiError::not_found("cluster with facts"))?;
            let unpacking = tokio::task::spawn_blocking(move || posture::unpack(&facts.content));
            let snapshot = unpacking.await.map_err(ApiError::internal)?;
            let snapshot = snapshot
                .context("failed to read facts")
                .map_err(ApiError::internal)?;
            let mut found = Found::default();
            found.join(of(&app, &policy, snapshot, now).await?);
            found
        }
    };
    Ok(Json(found.wire()))
}

/// What was found so far, of which as much is kept as is shown.
#[derive(Default)]
struct Found {
    preview: Preview,
    more: usize,
}

impl Found {
    fn join(&mut self, page: Preview) {
        self.preview.join(page);
        let over = self.preview.hits.len().saturating_sub(MOST_HITS);
        self.more = self.more.saturating_add(over);
        self.preview.hits.truncate(MOST_HITS);
    }

    fn wire(self) -> AdmissionPreview {
        let Preview {
            objects,
            tallied,
            mut hits,
            gaps,
        } = self.preview;
        // Kind by kind they came; people look at one recommendation after the other.
        let order: Vec<&str> = tallied
            .iter()
            .map(|rule| rule.recommendation.as_str())
            .collect();
        let place = |id: &str| order.iter().position(|known| *known == id);
        hits.sort_by(|one, other| {
            let key = |hit: &Hit| (hit.namespace.clone(), hit.kind.clone(), hit.name.clone());
            place(&one.recommendation)
                .cmp(&place(&other.recommendation))
                .then_with(|| key(one).cmp(&key(other)))
        });
        let hits = hits.into_iter().map(|hit| AdmissionPreviewHit {
            recommendation: hit.recommendation,
            effect: hit.effect.to_owned(),
            kind: hit.kind,
            namespace: hit.namespace,
            name: hit.name,
            messages: hit.messages,
        });
        AdmissionPreview {
            objects,
            hits: hits.collect(),
            rules: tallied
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
            more: u64::try_from(self.more).unwrap_or(u64::MAX),
            gaps,
        }
    }
}

/// What a policy would make of an observed cluster: its objects are stored one by one, and looked at a page at a time.
async fn of_cluster(
    app: &Arc<App>,
    policy: &Arc<Policy>,
    cluster: &Cluster,
    now: Timestamp,
) -> ApiResult<Found> {
    let mut found = Found::default();
    for kind in policy.kinds() {
        let mut after = String::new();
        // Once without any object, so that each rule is told of.
        let mut is_first = true;
        loop {
            let facts = clusters::page(&app.store, cluster.asset, &kind, &after, PAGE).await?;
            let is_last = facts.len() < PAGE;
            if facts.is_empty() && !is_first {
                break;
            }
            is_first = false;
            if let Some(last) = facts.last() {
                after.clone_from(&last.id);
            }
            let facts = BTreeMap::from([(kind.clone(), Collection::of("", facts))]);
            let page = Snapshot {
                schema: Snapshot::SCHEMA.to_owned(),
                asset_kind: clusters::KIND.to_owned(),
                asset_id: String::new(),
                asset_name: String::new(),
                collected_at: cluster.collected_at,
                collector: String::new(),
                facts,
            };
            found.join(of(app, policy, page, now).await?);
            if is_last {
                break;
            }
        }
        let gaps = &mut found.preview.gaps;
        match cluster.collections.get(&kind) {
            None => gaps.push(format!("{kind}: it was not collected")),
            Some(collection) => match collection.status {
                CollectionStatus::Ok | CollectionStatus::Absent => {}
                CollectionStatus::Denied
                | CollectionStatus::Unsupported
                | CollectionStatus::Error => {
                    let why = collection.detail.as_deref().unwrap_or_default();
                    gaps.push(format!("{kind}: {why}"));
                }
            },
        }
    }
    let gaps = &mut found.preview.gaps;
    if !cluster.is_whole {
        gaps.push("not all of the cluster's objects have come yet".to_owned());
    }
    gaps.extend(cluster.trouble.clone());
    Ok(found)
}

/// What a policy would make of the objects of a snapshot: of facts, wherever they are kept.
async fn of(
    app: &Arc<App>,
    policy: &Arc<Policy>,
    snapshot: Snapshot,
    now: Timestamp,
) -> ApiResult<Preview> {
    let scanned: BTreeMap<String, Scanned> = match policy.reads_scans() {
        true => images::scanned(app, &names(&snapshot), &policy.excluded_findings()).await?,
        false => BTreeMap::new(),
    };
    let (content, policy) = (app.content(), Arc::clone(policy));
    let judging = tokio::task::spawn_blocking(move || {
        let gate = Gate::new(&content.library, &policy);
        of_snapshot(&gate, &snapshot, &scanned, now)
    });
    judging.await.map_err(ApiError::internal)
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
