//! What people set for recommendations: parameters, namespaces that are left out, whether they are judged.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{ErrorBody, NewRecommendationSettings, RecommendationSettings};
use seareeve_posture::Recommendation;
use seareeve_store::recommendation_settings::{self as settings, RecommendationSetting};
use seareeve_store::users::Role;

use super::statements;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::posture::Content;
use crate::state::App;

/// Characters of all parameters of one recommendation.
const MOST_CHARACTERS: usize = 64 * 1024;
/// Namespaces that one recommendation leaves out.
const MOST_NAMESPACES: usize = 1_000;

/// What is set for a recommendation, and what it says itself.
#[utoipa::path(get, operation_id = "get_recommendation_settings", path = "/api/v1/recommendations/{id}/settings", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation")),
    responses((status = 200, body = RecommendationSettings), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<RecommendationSettings>> {
    let content = app.content();
    let recommendation = known(&content, &id)?;
    let all = settings::list(&app.store).await?;
    let set = all.into_iter().find(|one| one.recommendation == id);
    Ok(Json(wire(recommendation, set)))
}

/// Set a recommendation's parameters, the namespaces that it leaves out, and whether it is judged. For security admins.
/// All clusters are judged anew.
#[utoipa::path(put, operation_id = "put_recommendation_settings", path = "/api/v1/recommendations/{id}/settings", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation")), request_body = NewRecommendationSettings,
    responses((status = 200, body = RecommendationSettings), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<NewRecommendationSettings>,
) -> ApiResult<Json<RecommendationSettings>> {
    caller.require(Role::SecurityAdmin)?;
    let content = app.content();
    let recommendation = known(&content, &id)?;
    check(recommendation, &given)?;
    let now = app.now();
    let set = RecommendationSetting {
        recommendation: id,
        params: given.params,
        excluded_namespaces: given
            .excluded_namespaces
            .map(|names| names.into_iter().collect()),
        enabled: given.enabled,
        author: caller.user.name.clone(),
        changed: now,
    };
    let mut tx = app.store.begin().await?;
    settings::put(&mut tx, &set).await?;
    statements::judge_again(&app, tx, None, now).await?;
    Ok(Json(wire(recommendation, Some(set))))
}

/// Take back what was set for a recommendation. For security admins.
#[utoipa::path(delete, operation_id = "delete_recommendation_settings", path = "/api/v1/recommendations/{id}/settings", tag = "recommendations",
    params(("id" = String, Path, description = "The recommendation")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    known(&app.content(), &id)?;
    let mut tx = app.store.begin().await?;
    settings::delete(&mut tx, &id).await?;
    statements::judge_again(&app, tx, None, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn known<'c>(content: &'c Content, id: &str) -> ApiResult<&'c Recommendation> {
    let known = content.catalogue.recommendation(id);
    known.ok_or_else(|| ApiError::not_found("recommendation"))
}

fn check(recommendation: &Recommendation, given: &NewRecommendationSettings) -> ApiResult<()> {
    for (name, value) in &given.params {
        let Some(own) = recommendation.parameters.get(name) else {
            let why = format!("{} has no parameter {name}", recommendation.id);
            return Err(ApiError::bad_request(why));
        };
        let default = own.get("default").unwrap_or(&serde_json::Value::Null);
        if std::mem::discriminant(default) != std::mem::discriminant(value) {
            let why = format!("{name} is of the type that {default} is of");
            return Err(ApiError::bad_request(why));
        }
    }
    let namespaces = given.excluded_namespaces.as_deref().unwrap_or_default();
    let is_name = |name: &String| (1..=253).contains(&name.len());
    if namespaces.len() > MOST_NAMESPACES || !namespaces.iter().all(is_name) {
        return Err(ApiError::bad_request(
            "up to 1,000 namespaces can be left out, each with a name of 1 to 253 characters",
        ));
    }
    let size = serde_json::Value::Object(given.params.clone()).to_string();
    if size.len() > MOST_CHARACTERS {
        return Err(ApiError::bad_request("the parameters are too long"));
    }
    Ok(())
}

fn wire(
    recommendation: &Recommendation,
    set: Option<RecommendationSetting>,
) -> RecommendationSettings {
    let parameters = recommendation.parameters.clone();
    let author = set.as_ref().map(|set| set.author.clone());
    let changed = set.as_ref().map(|set| set.changed);
    let set = set.unwrap_or_default();
    let namespaces = set.excluded_namespaces;
    RecommendationSettings {
        recommendation: recommendation.id.clone(),
        set: NewRecommendationSettings {
            params: set.params,
            excluded_namespaces: namespaces.map(|names| names.into_iter().collect()),
            enabled: set.enabled,
        },
        author,
        changed,
        parameters: parameters.into_iter().collect(),
        own_excluded_namespaces: recommendation.excluded_namespaces.clone(),
    }
}
