//! Signing in and out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use seareeve_api::{ErrorBody, NewPassword, Session, SignIn, SignInLink};
use seareeve_store::users::User;
use seareeve_store::{sessions, sign_in_links, users};
use tracing::{info, warn};

use crate::auth::caller::{COOKIE, Caller};
use crate::auth::password;
use crate::auth::secret::{self, Secret};
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Sign in with name and password. The answer sets the session's cookie.
#[utoipa::path(post, operation_id = "sign_in", path = "/api/v1/session", tag = "session", security(()), request_body = SignIn,
    responses((status = 200, body = Session), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(given): Json<SignIn>,
) -> ApiResult<Response> {
    app.limiter
        .check(&given.name, address(&app, peer, &headers))
        .map_err(ApiError::rate_limited)?;
    let user = users::by_name(&app.store, &given.name).await?;
    let hash = match &user {
        Some(user) => users::password_hash(&app.store, user.id).await?,
        None => None,
    };
    let fits = given.password.len() <= password::MAX_BYTES
        && password::verify(given.password, hash)
            .await
            .map_err(ApiError::internal)?;
    match user.filter(|_| fits) {
        Some(user) => begin(&app, user, &headers).await,
        None => {
            warn!(name = ?given.name.chars().take(64).collect::<String>(), peer = %peer.ip(), "sign-in refused");
            Err(ApiError::bad_credentials("name or password is wrong"))
        }
    }
}

/// Sign in with the secret of a one-time link. The answer sets the session's cookie.
#[utoipa::path(post, operation_id = "sign_in_by_link", path = "/api/v1/session/link", tag = "session", security(()), request_body = SignInLink,
    responses((status = 200, body = Session), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub(super) async fn sign_in_by_link(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(given): Json<SignInLink>,
) -> ApiResult<Response> {
    app.limiter
        .check_address(address(&app, peer, &headers))
        .map_err(ApiError::rate_limited)?;
    let used = || {
        ApiError::bad_credentials(
            "the link was used or has expired: make another with `seareeve user link`",
        )
    };
    let user = sign_in_links::take(&app.store, &secret::hash(&given.token), app.now())
        .await?
        .ok_or_else(used)?;
    let user = users::by_id(&app.store, user).await?.ok_or_else(used)?;
    begin(&app, user, &headers).await
}

/// Who is signed in.
#[utoipa::path(get, operation_id = "get_session", path = "/api/v1/session", tag = "session",
    responses((status = 200, body = Session), (status = 401, body = ErrorBody)))]
pub(super) async fn current(caller: Caller) -> ApiResult<Json<Session>> {
    let csrf_token = caller.session()?.csrf.clone();
    Ok(Json(session(&caller.user, csrf_token)))
}

/// Sign out: the session ends.
#[utoipa::path(delete, operation_id = "sign_out", path = "/api/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = ErrorBody)))]
pub(super) async fn sign_out(State(app): State<Arc<App>>, caller: Caller) -> ApiResult<Response> {
    sessions::delete(&app.store, &caller.session()?.token_hash).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&app, &mut response, "", 0)?;
    Ok(response)
}

/// Change one's password. All other sessions of the user end.
#[utoipa::path(put, operation_id = "change_password", path = "/api/v1/session/password", tag = "session", request_body = NewPassword,
    responses((status = 200, body = Session), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    caller: Caller,
    headers: HeaderMap,
    Json(given): Json<NewPassword>,
) -> ApiResult<Response> {
    caller.session()?;
    if given.new.chars().count() < password::MIN_CHARACTERS || given.new.len() > password::MAX_BYTES
    {
        let (least, most) = (password::MIN_CHARACTERS, password::MAX_BYTES);
        return Err(ApiError::bad_request(format!(
            "a password has at least {least} characters and at most {most} bytes"
        )));
    }
    let stored = users::password_hash(&app.store, caller.user.id).await?;
    if stored.is_some() {
        app.limiter
            .check(&caller.user.name, address(&app, peer, &headers))
            .map_err(ApiError::rate_limited)?;
        let current = given.current.unwrap_or_default();
        if current.len() > password::MAX_BYTES
            || !password::verify(current, stored)
                .await
                .map_err(ApiError::internal)?
        {
            return Err(ApiError::bad_request("the current password is wrong"));
        }
    }
    let hash = password::hash(given.new)
        .await
        .map_err(ApiError::internal)?;
    users::set_password(&app.store, caller.user.id, Some(&hash)).await?;
    // Whoever knew the old password, or holds another browser, has to sign in again.
    sessions::delete_of_user(&app.store, caller.user.id).await?;
    let user = users::by_id(&app.store, caller.user.id)
        .await?
        .ok_or_else(|| ApiError::not_found("user"))?;
    begin(&app, user, &headers).await
}

async fn begin(app: &App, user: User, headers: &HeaderMap) -> ApiResult<Response> {
    let now = app.now();
    let life = SignedDuration::from_hours(i64::from(app.config.server.session_hours));
    let secret = Secret::generate("")?;
    let csrf = Secret::generate("")?.text;
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let agent: String = agent.chars().take(200).collect();
    sessions::create(
        &app.store,
        &secret.hash,
        user.id,
        &csrf,
        now,
        now + life,
        &agent,
    )
    .await?;
    info!(name = %user.name, "signed in");
    let mut response = Json(session(&user, csrf)).into_response();
    set_cookie(app, &mut response, &secret.text, life.as_secs())?;
    Ok(response)
}

fn session(user: &User, csrf_token: String) -> Session {
    Session {
        user: super::users::wire(user),
        csrf_token,
        password_needed: !user.has_password,
    }
}

fn set_cookie(app: &App, response: &mut Response, secret: &str, seconds: i64) -> ApiResult<()> {
    let secure = if app.config.server.is_reached_by_tls() {
        "; Secure"
    } else {
        ""
    };
    let cookie =
        format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::from_str(&cookie)
        .map_err(|error| ApiError::internal(anyhow::anyhow!(error)))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(())
}

/// The address that attempts are counted by: the client's, as the proxy in front says, if one is configured.
pub(super) fn address(app: &App, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    // The last of the last line is what our own proxy saw; whatever stands before it anybody can write.
    let lines = headers.get_all("x-forwarded-for");
    let forwarded = lines
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok());
    let client = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    client
        .filter(|_| app.config.server.behind_proxy)
        .unwrap_or_else(|| peer.ip())
}
