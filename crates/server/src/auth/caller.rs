//! Who is asking: the extractor that every handler but a few takes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use seareeve_store::users::{Role, User};
use seareeve_store::{sessions, tokens};

use crate::auth::secret;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The cookie that carries a session's secret.
pub(crate) const COOKIE: &str = "seareeve_session";

/// A signed-in user, or the user of an API token.
pub(crate) struct Caller {
    /// The user.
    pub(crate) user: User,
    /// The session; `None` for an API token.
    pub(crate) session: Option<sessions::Session>,
}

impl Caller {
    /// Refuses callers below `role`.
    pub(crate) fn require(&self, role: Role) -> ApiResult<()> {
        if self.user.role >= role {
            return Ok(());
        }
        Err(ApiError::forbidden(format!(
            "this needs the role {}, and {} has {}",
            role.as_str(),
            self.user.name,
            self.user.role.as_str()
        )))
    }

    /// The session, for what a token must not do: change a password, make tokens, sign out.
    pub(crate) fn session(&self) -> ApiResult<&sessions::Session> {
        self.session
            .as_ref()
            .ok_or_else(|| ApiError::forbidden("this needs a signed-in user, not an API token"))
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let now = app.now();
        if let Some(token) = bearer(&parts.headers) {
            let found = tokens::find(&app.store, &secret::hash(token), now).await?;
            let (_, user) = found.ok_or_else(ApiError::unauthorized)?;
            return Ok(Self {
                user,
                session: None,
            });
        }
        let secret_text = cookie(&parts.headers).ok_or_else(ApiError::unauthorized)?;
        let found = sessions::find(&app.store, &secret::hash(secret_text), now).await?;
        let (session, user) = found.ok_or_else(ApiError::unauthorized)?;
        sessions::touch(&app.store, &session, now).await?;
        // A cookie comes along with requests that another site made the browser send; the header does not.
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let sent = parts
                .headers
                .get("x-csrf-token")
                .and_then(|value| value.to_str().ok());
            // Hashes are compared, so that the time taken tells nothing about the token.
            if sent.map(secret::hash) != Some(secret::hash(&session.csrf)) {
                return Err(ApiError::forbidden(
                    "the header X-CSRF-Token is missing or wrong",
                ));
            }
        }
        Ok(Self {
            user,
            session: Some(session),
        })
    }
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The session's secret, from the cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
