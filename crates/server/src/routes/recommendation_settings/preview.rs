//! What settings of a recommendation would change, before they are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use seareeve_api::{ClusterPreview, ErrorBody, NewRecommendationSettings, RecommendationPreview};
use seareeve_store::assets::{self, Health, HealthEntry};
use seareeve_store::{AssetId, clusters, health_counts};

use super::{check, known, setting};
use crate::auth::caller::Caller;
use crate::clusters::trial::{Outlook, Trial, trial};
use crate::error::{ApiError, ApiResult};
use crate::posture::Said;
use crate::posture::scoring::{Sums, exchange};
use crate::state::App;

/// Objects that are named.
const NAMED: usize = 20;

/// What settings of a recommendation would change, cluster by cluster. Nothing is kept.
#[utoipa::path(post, operation_id = "preview_recommendation_settings", path = "/api/v1/recommendations/{id}/settings/preview",
    tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation")), request_body = NewRecommendationSettings,
    responses((status = 200, body = RecommendationPreview), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<NewRecommendationSettings>,
) -> ApiResult<Json<RecommendationPreview>> {
    let content = app.content();
    let recommendation = known(&content, &id)?;
    check(&content, recommendation, &given)?;
    let now = app.now();
    let setting = setting(id, given, &caller.user.name, now);
    let said = Said::load(&app.store).await.map_err(ApiError::from_any)?;
    let turn = app.reading_facts.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let counts = health_counts::counts(&app.store, "").await?;
    let mut counts_after = counts.clone();
    let mut shown = Vec::new();
    let names = assets::all(&app.store, clusters::KIND).await?.into_iter();
    let names: BTreeMap<AssetId, String> = names.map(|asset| (asset.id, asset.name)).collect();
    for cluster in clusters::all(&app.store).await? {
        let asked = Trial {
            recommendation,
            setting: &setting,
            said: &said,
            now,
        };
        let tried = trial(&app, &cluster, &asked).await;
        let Some((before, then)) = tried.map_err(ApiError::from_any)? else {
            continue;
        };
        let said_now = assets::health_of(&app.store, cluster.asset).await?;
        let said_then = with(&said_now, &recommendation.id, then.health.as_ref());
        exchange(&content, &mut counts_after, &said_now, &said_then);
        let name = names.get(&cluster.asset).cloned().unwrap_or_default();
        shown.push(wire(cluster.asset, name, &before, &then));
    }
    shown.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
    Ok(Json(RecommendationPreview {
        points: Sums::of(&content, &counts).current(),
        points_after: Sums::of(&content, &counts_after).current(),
        clusters: shown,
    }))
}

/// What is said of an asset, with what a recommendation would say of it in place of what it says.
fn with(said: &[HealthEntry], recommendation: &str, health: Option<&Health>) -> Vec<HealthEntry> {
    let is_it = |entry: &&HealthEntry| entry.health.recommendation == recommendation;
    let rest = said.iter().filter(|entry| !is_it(entry)).cloned();
    // All else of an entry is as it is with any other of the asset.
    let entry = said.first().zip(health).map(|(other, health)| HealthEntry {
        health: health.clone(),
        ..other.clone()
    });
    rest.chain(entry).collect()
}

fn wire(asset: AssetId, name: String, before: &Outlook, after: &Outlook) -> ClusterPreview {
    let word = |outlook: &Outlook| {
        let health = outlook.health.as_ref();
        health.map(|health| health.state.as_str().to_owned())
    };
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let only = |one: &Outlook, other: &Outlook| {
        let ids = one.failing.keys();
        let ids = ids.filter(|id| !other.failing.contains_key(*id));
        let all: Vec<String> = ids.cloned().collect();
        let count = number(all.len());
        (count, all.into_iter().take(NAMED).collect::<Vec<_>>())
    };
    let (begin_count, begin) = only(after, before);
    let (end_count, end) = only(before, after);
    ClusterPreview {
        id: asset.0,
        name,
        health: word(before),
        health_after: word(after),
        failing: number(before.failing.len()),
        failing_after: number(after.failing.len()),
        begin_count,
        begin,
        end_count,
        end,
    }
}
