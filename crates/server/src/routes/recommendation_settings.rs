//! What people set for recommendations: parameters, namespaces that are left out, whether they are judged.

pub(super) mod preview;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use seareeve_api::{
    ErrorBody, NewRecommendationSettings, RecommendationSettings, RecommendationSettingsChange,
    RecommendationSettingsHistory,
};
use seareeve_posture::{Recommendation, try_params};
use seareeve_store::recommendation_settings::{self as settings, RecommendationSetting};
use seareeve_store::users::Role;
use serde_json::{Map, Value};

use super::statements;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::jobs::Meant;
use crate::posture::Content;
use crate::state::App;

/// Characters of all parameters of one recommendation.
const MOST_CHARACTERS: usize = 64 * 1024;
/// Namespaces that one recommendation leaves out.
const MOST_NAMESPACES: usize = 1_000;
/// Changes that the history shows.
const MOST_CHANGES: usize = 100;

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
    check(&content, recommendation, &given)?;
    let now = app.now();
    let set = setting(id, given, &caller.user.name, now);
    let mut tx = app.store.begin().await?;
    settings::put(&mut tx, &set).await?;
    statements::judge_some(&app, tx, &of_its_kind(recommendation), now).await?;
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
    let meant = of_its_kind(known(&app.content(), &id)?);
    let mut tx = app.store.begin().await?;
    let now = app.now();
    if settings::delete(&mut tx, &id, &caller.user.name, now).await? {
        statements::judge_some(&app, tx, &meant, now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What is set for a recommendation changes nothing for assets of other kinds.
fn of_its_kind(recommendation: &Recommendation) -> Meant {
    Meant {
        kind: Some(recommendation.asset.clone()),
        ..Meant::default()
    }
}

/// What was set for a recommendation, change by change.
#[utoipa::path(get, operation_id = "get_recommendation_settings_history", path = "/api/v1/recommendations/{id}/settings/history",
    tag = "recommendations", params(("id" = String, Path, description = "The recommendation")),
    responses((status = 200, body = RecommendationSettingsHistory), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<RecommendationSettingsHistory>> {
    known(&app.content(), &id)?;
    let changes = settings::history(&app.store, &id, MOST_CHANGES).await?;
    let change = |change: settings::SettingChange| RecommendationSettingsChange {
        at: change.at,
        author: change.author,
        set: change.set.map(as_set),
    };
    Ok(Json(RecommendationSettingsHistory {
        changes: changes.into_iter().map(change).collect(),
    }))
}

fn setting(
    recommendation: String,
    given: NewRecommendationSettings,
    author: &str,
    now: Timestamp,
) -> RecommendationSetting {
    let namespaces = given.excluded_namespaces;
    RecommendationSetting {
        recommendation,
        params: given.params,
        excluded_namespaces: namespaces.map(|names| names.into_iter().collect()),
        enabled: given.enabled,
        author: author.to_owned(),
        changed: now,
    }
}

fn as_set(set: RecommendationSetting) -> NewRecommendationSettings {
    let namespaces = set.excluded_namespaces;
    NewRecommendationSettings {
        params: set.params,
        excluded_namespaces: namespaces.map(|names| names.into_iter().collect()),
        enabled: set.enabled,
    }
}

fn known<'c>(content: &'c Content, id: &str) -> ApiResult<&'c Recommendation> {
    let known = content.catalogue.recommendation(id);
    known.ok_or_else(|| ApiError::not_found("recommendation"))
}

/// Refuses what makes no sense, by the field that does not: also values that no check can be evaluated with, such as a
/// regular expression that is none.
fn check(
    content: &Content,
    recommendation: &Recommendation,
    given: &NewRecommendationSettings,
) -> ApiResult<()> {
    for (name, value) in &given.params {
        let field = format!("params.{name}");
        let Some(own) = recommendation.parameters.get(name) else {
            let why = format!("{} has no parameter {name}", recommendation.id);
            return Err(ApiError::bad_field(field, why));
        };
        let default = own.get("default").unwrap_or(&Value::Null);
        if std::mem::discriminant(default) != std::mem::discriminant(value) {
            let why = format!("{name} is of the type that {default} is of");
            return Err(ApiError::bad_field(field, why));
        }
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        for used in recommendation.uses(&content.library, &alone) {
            let check = content.library.check(&used.check);
            let fault = check.and_then(|check| try_params(check, &used.params()));
            if let Some(why) = fault {
                let why = format!("{name} cannot be used: {why}");
                return Err(ApiError::bad_field(field, why));
            }
        }
    }
    let namespaces = given.excluded_namespaces.as_deref().unwrap_or_default();
    let is_name = |name: &String| (1..=253).contains(&name.len());
    if namespaces.len() > MOST_NAMESPACES || !namespaces.iter().all(is_name) {
        return Err(ApiError::bad_field(
            "excluded_namespaces",
            "up to 1,000 namespaces can be left out, each with a name of 1 to 253 characters",
        ));
    }
    let size = Value::Object(given.params.clone()).to_string();
    if size.len() > MOST_CHARACTERS {
        return Err(ApiError::bad_field("params", "the parameters are too long"));
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
    RecommendationSettings {
        recommendation: recommendation.id.clone(),
        own_enabled: recommendation.enabled,
        set: as_set(set),
        author,
        changed,
        parameters: parameters.into_iter().collect(),
        own_excluded_namespaces: recommendation.excluded_namespaces.clone(),
    }
}
