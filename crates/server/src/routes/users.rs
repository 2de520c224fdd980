//! Local users.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::SignedDuration;
use seareeve_api::{ErrorBody, NewUser, User, UserCreated, UserList};
use seareeve_store::users::Role;
use seareeve_store::{sign_in_links, users};

use crate::auth::caller::Caller;
use crate::auth::secret::Secret;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// How long a new user's link is good for.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// All users. For owners.
#[utoipa::path(get, operation_id = "list_users", path = "/api/v1/users", tag = "users",
    responses((status = 200, body = UserList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> ApiResult<Json<UserList>> {
    caller.require(Role::Owner)?;
    let users = users::list(&app.store).await?;
    Ok(Json(UserList {
        users: users.iter().map(wire).collect(),
    }))
}

/// Make a user, who comes in by a one-time link. For owners.
#[utoipa::path(post, operation_id = "create_user", path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserCreated), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewUser>,
) -> ApiResult<(StatusCode, Json<UserCreated>)> {
    caller.require(Role::Owner)?;
    // A token that leaked must not be able to make itself at home.
    caller.session()?;
    let role = Role::parse(&given.role).ok_or_else(|| {
        ApiError::bad_request("a role is reader, operator, security_admin or owner")
    })?;
    let fits = (1..=64).contains(&given.name.len())
        && given
            .name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    if !fits {
        return Err(ApiError::bad_request(
            "a name is 1 to 64 letters, digits and . _ - @",
        ));
    }
    let now = app.now();
    let id = users::create(&app.store, &given.name, None, role, now).await?;
    let secret = Secret::generate("")?;
    sign_in_links::create(&app.store, &secret.hash, id, now, now + LINK_LIFE).await?;
    let user = User {
        name: given.name,
        role: role.as_str().to_owned(),
        created: now,
    };
    let sign_in_path = format!("/sign-in#token={}", secret.text);
    Ok((
        StatusCode::CREATED,
        Json(UserCreated { user, sign_in_path }),
    ))
}

pub(super) fn wire(user: &users::User) -> User {
    User {
        name: user.name.clone(),
        role: user.role.as_str().to_owned(),
        created: user.created,
    }
}
