//! Tokens by which sensors join.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use seareeve_api::{ErrorBody, JoinToken, JoinTokenList, NewJoinToken};
use seareeve_store::users::Role;
use seareeve_store::{JoinTokenId, environments, join_tokens};

use crate::auth::caller::Caller;
use crate::auth::secret::Secret;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// By this prefix secret scanners recognise a join token.
const PREFIX: &str = "seareeve_join_";

/// All join tokens. For security admins.
#[utoipa::path(get, operation_id = "list_join_tokens", path = "/api/v1/join-tokens", tag = "sensors",
    responses((status = 200, body = JoinTokenList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> ApiResult<Json<JoinTokenList>> {
    caller.require(Role::SecurityAdmin)?;
    let tokens = join_tokens::list(&app.store).await?;
    Ok(Json(JoinTokenList {
        tokens: tokens.into_iter().map(wire).collect(),
    }))
}

/// Make a join token. Its secret is in this answer and nowhere else. For security admins.
#[utoipa::path(post, operation_id = "create_join_token", path = "/api/v1/join-tokens", tag = "sensors", request_body = NewJoinToken,
    responses((status = 201, body = JoinToken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewJoinToken>,
) -> ApiResult<(StatusCode, Json<JoinToken>)> {
    caller.require(Role::SecurityAdmin)?;
    let name = given.name.trim();
    let fits = (1..=100).contains(&name.chars().count())
        && (1..=8_760).contains(&given.hours)
        && given.most_uses != Some(0);
    if !fits {
        return Err(ApiError::bad_request(
            "a join token has a name of 1 to 100 characters, ends in 1 to 8,760 hours, and has at least one use",
        ));
    }
    let environment = given
        .environment
        .as_deref()
        .unwrap_or(environments::DEFAULT);
    super::assets::environment_name(environment)?;
    let now = app.now();
    let expires = now + SignedDuration::from_hours(i64::from(given.hours));
    let secret = Secret::generate(PREFIX)?;
    let author = &caller.user.name;
    let mut tx = app.store.begin().await?;
    let id = join_tokens::create(
        &mut tx,
        &secret.hash,
        name,
        author,
        given.most_uses,
        now,
        expires,
    )
    .await?;
    environments::set_of_join_token(&mut tx, id, environment).await?;
    tx.commit().await?;
    let token = JoinToken {
        id: id.0,
        name: name.to_owned(),
        author: author.clone(),
        created: now,
        expires,
        environment: environment.to_owned(),
        most_uses: given.most_uses.map(u64::from),
        uses: 0,
        last_used: None,
        secret: Some(secret.text),
    };
    Ok((StatusCode::CREATED, Json(token)))
}

/// End a join token. Sensors that joined by it stay. For security admins.
#[utoipa::path(delete, operation_id = "delete_join_token", path = "/api/v1/join-tokens/{id}", tag = "sensors",
    params(("id" = i64, Path, description = "The token")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    if !join_tokens::delete(&mut tx, JoinTokenId(id)).await? {
        return Err(ApiError::not_found("join token"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire(token: join_tokens::JoinToken) -> JoinToken {
    JoinToken {
        id: token.id.0,
        name: token.name,
        author: token.author,
        created: token.created,
        expires: token.expires,
        environment: token.environment,
        most_uses: token.most_uses,
        uses: token.uses,
        last_used: token.last_used,
        secret: None,
    }
}
