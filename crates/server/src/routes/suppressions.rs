//! Suppression rules: alerts that are dismissed as they are raised.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use seareeve_api::{
    ErrorBody, NewSuppressionRule, SuppressionCriterion, SuppressionRule, SuppressionRules,
    SuppressionTrial,
};
use seareeve_store::SuppressionId;
use seareeve_store::alerts::{self, AlertFilter, AlertSort};
use seareeve_store::suppressions::{self, Criterion, NewSuppression, Suppression};
use seareeve_store::users::Role;

use super::alerts::summary;
use super::statements;
use crate::audit::suppress;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The furthest end: a rule that nobody looks at again hides what it was not meant for.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 184);
const REASONS: [&str; 4] = ["false_positive", "noise", "accepted", "other"];
/// Criteria of a rule, and names of a criterion.
const MOST: usize = 50;
/// Alerts that a trial looks at.
const TRIED: u64 = 10_000;
/// Alerts of which all that is known is in memory at a time.
const AT_A_TIME: usize = 500;
/// Alerts that a trial shows.
const SHOWN: usize = 20;

/// All suppression rules, those that have ended included.
#[utoipa::path(get, operation_id = "list_suppressions", path = "/api/v1/suppressions", tag = "alerts",
    responses((status = 200, body = SuppressionRules), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<SuppressionRules>> {
    let rules = suppressions::list(&app.store).await?;
    let now = app.now();
    Ok(Json(SuppressionRules {
        rules: rules.into_iter().map(|rule| wire(rule, now)).collect(),
    }))
}

/// Make a suppression rule. Alerts that were raised before stay as they are. For security admins.
#[utoipa::path(post, operation_id = "create_suppression", path = "/api/v1/suppressions", tag = "alerts",
    request_body = NewSuppressionRule,
    responses((status = 201, body = SuppressionRule), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewSuppressionRule>,
) -> ApiResult<(StatusCode, Json<SuppressionRule>)> {
    caller.require(Role::SecurityAdmin)?;
    let now = app.now();
    let said = checked(given, now)?;
    let mut tx = app.store.begin().await?;
    let id = suppressions::create(&mut tx, &said, &caller.user.name, now).await?;
    tx.commit().await?;
    let rule = Suppression {
        id,
        said,
        author: caller.user.name,
        created: now,
        alerts: 0,
    };
    Ok((StatusCode::CREATED, Json(wire(rule, now))))
}

/// Change a suppression rule. What it has dismissed stays dismissed. For security admins.
#[utoipa::path(put, operation_id = "change_suppression", path = "/api/v1/suppressions/{id}", tag = "alerts",
    params(("id" = i64, Path, description = "The rule")), request_body = NewSuppressionRule,
    responses((status = 200, body = SuppressionRule), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(given): Json<NewSuppressionRule>,
) -> ApiResult<Json<SuppressionRule>> {
    caller.require(Role::SecurityAdmin)?;
    let now = app.now();
    let said = checked(given, now)?;
    let mut tx = app.store.begin().await?;
    if !suppressions::update(&mut tx, SuppressionId(id), &said).await? {
        return Err(ApiError::not_found("suppression rule"));
    }
    tx.commit().await?;
    let rules = suppressions::list(&app.store).await?;
    let rule = rules.into_iter().find(|rule| rule.id.0 == id);
    let rule = rule.ok_or_else(|| ApiError::not_found("suppression rule"))?;
    Ok(Json(wire(rule, now)))
}

/// End a suppression rule. What it has dismissed stays dismissed. For security admins.
#[utoipa::path(delete, operation_id = "delete_suppression", path = "/api/v1/suppressions/{id}", tag = "alerts",
    params(("id" = i64, Path, description = "The rule")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    if !suppressions::delete(&mut tx, SuppressionId(id)).await? {
        return Err(ApiError::not_found("suppression rule"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say which of the last alerts a suppression rule would have dismissed. Nothing is changed.
#[utoipa::path(post, operation_id = "try_suppression", path = "/api/v1/suppressions/trial", tag = "alerts",
    request_body = NewSuppressionRule,
    responses((status = 200, body = SuppressionTrial), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn trial(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Json(given): Json<NewSuppressionRule>,
) -> ApiResult<Json<SuppressionTrial>> {
    let said = checked(given, app.now())?;
    let filter = AlertFilter {
        rule: said.rule.clone().unwrap_or_default(),
        ..AlertFilter::default()
    };
    let mut trial = SuppressionTrial {
        alerts: 0,
        events: 0,
        looked_at: 0,
        examples: Vec::new(),
    };
    let mut after = None;
    while trial.looked_at < TRIED {
        let sort = AlertSort::Newest;
        let page = alerts::list(&app.store, &filter, sort, after.as_ref(), AT_A_TIME).await?;
        for alert in &page.items {
            trial.looked_at += 1;
            if !suppress::fits(&said, &alert.cluster, &alert.said) {
                continue;
            }
            trial.alerts += 1;
            trial.events += alert.seen;
            if trial.examples.len() < SHOWN {
                trial.examples.push(summary(alert));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(Json(trial))
}

fn checked(given: NewSuppressionRule, now: Timestamp) -> ApiResult<NewSuppression> {
    let name = given.name.as_str();
    let mut characters = name.chars();
    let is_name = (2..=50).contains(&name.len())
        && characters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_name {
        return Err(ApiError::bad_request(
            "a name has 2 to 50 letters, digits, - and _, and begins with a letter or digit",
        ));
    }
    if !REASONS.contains(&given.reason.as_str()) {
        return Err(ApiError::bad_request(format!(
            "the reason is one of {}",
            REASONS.join(", ")
        )));
    }
    if given.comment.chars().count() > 2_000 {
        return Err(ApiError::bad_request(
            "a comment has at most 2,000 characters",
        ));
    }
    statements::ends_later(given.expires, now)?;
    if given.expires.is_some_and(|expires| expires > now + LONGEST) {
        return Err(ApiError::bad_request(
            "a suppression rule ends within 6 months",
        ));
    }
    let rule = given.rule.filter(|rule| !rule.is_empty());
    if rule.is_none() && given.criteria.is_empty() {
        return Err(ApiError::bad_request(
            "without a detection and without criteria it would dismiss every alert",
        ));
    }
    let is_fine = |criterion: &SuppressionCriterion| {
        (1..=100).contains(&criterion.kind.len())
            && (1..=MOST).contains(&criterion.names.len())
            && criterion
                .names
                .iter()
                .all(|name| (1..=500).contains(&name.chars().count()))
    };
    if given.criteria.len() > MOST || !given.criteria.iter().all(is_fine) {
        return Err(ApiError::bad_request(
            "up to 50 criteria have a kind and 1 to 50 names each",
        ));
    }
    Ok(NewSuppression {
        name: given.name,
        is_on: given.is_on,
        rule,
        criteria: given
            .criteria
            .into_iter()
            .map(|criterion| Criterion {
                kind: criterion.kind,
                names: criterion.names,
            })
            .collect(),
        reason: given.reason,
        comment: given.comment.trim().to_owned(),
        expires: given.expires,
    })
}

fn wire(rule: Suppression, now: Timestamp) -> SuppressionRule {
    let said = rule.said;
    SuppressionRule {
        id: rule.id.0,
        is_in_force: suppress::is_in_force(&said, now),
        said: NewSuppressionRule {
            name: said.name,
            is_on: said.is_on,
            rule: said.rule,
            criteria: said
                .criteria
                .into_iter()
                .map(|criterion| SuppressionCriterion {
                    kind: criterion.kind,
                    names: criterion.names,
                })
                .collect(),
            reason: said.reason,
            comment: said.comment,
            expires: said.expires,
        },
        author: rule.author,
        created: rule.created,
        alerts: rule.alerts,
    }
}
