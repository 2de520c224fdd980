//! API tokens of the signed-in user.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use seareeve_api::{ErrorBody, NewToken, Token, TokenList};
use seareeve_store::{TokenId, tokens};

use crate::auth::caller::Caller;
use crate::auth::secret::Secret;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// By this prefix secret scanners recognise a token of ours.
const PREFIX: &str = "seareeve_";

/// The signed-in user's tokens.
#[utoipa::path(get, operation_id = "list_tokens", path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, body = TokenList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> ApiResult<Json<TokenList>> {
    let tokens = tokens::list(&app.store, caller.user.id).await?;
    Ok(Json(TokenList {
        tokens: tokens.into_iter().map(wire).collect(),
    }))
}

/// Make a token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, operation_id = "create_token", path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = Token), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewToken>,
) -> ApiResult<(StatusCode, Json<Token>)> {
    caller.session()?;
    let name = given.name.trim();
    if name.is_empty() || name.chars().count() > 100 || !(1..=3650).contains(&given.days) {
        return Err(ApiError::bad_request(
            "a token has a name of 1 to 100 characters and ends in 1 to 3,650 days",
        ));
    }
    let now = app.now();
    let expires = now + SignedDuration::from_hours(24 * i64::from(given.days));
    let secret = Secret::generate(PREFIX)?;
    let id = tokens::create(
        &app.store,
        name,
        &secret.hash,
        caller.user.id,
        now,
        Some(expires),
    )
    .await?;
    let token = Token {
        id: id.0,
        name: name.to_owned(),
        created: now,
        expires: Some(expires),
        last_used: None,
        secret: Some(secret.text),
    };
    Ok((StatusCode::CREATED, Json(token)))
}

/// End a token.
#[utoipa::path(delete, operation_id = "delete_token", path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = i64, Path, description = "The token")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    match tokens::delete(&app.store, TokenId(id), caller.user.id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("token")),
    }
}

fn wire(token: tokens::Token) -> Token {
    Token {
        id: token.id.0,
        name: token.name,
        created: token.created,
        expires: token.expires,
        last_used: token.last_used,
        secret: None,
    }
}
