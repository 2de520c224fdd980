//! The one error of all routes, and its one JSON shape.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use seareeve_api::{ErrorBody, ErrorDetail};
use seareeve_store::StoreError;
use tracing::error;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    field: Option<String>,
    retry_after_seconds: Option<u64>,
}

/// What a handler answers.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// The request makes no sense. The client's fault.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// One field of the request makes no sense. The client's fault.
    pub(crate) fn bad_field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::bad_request(detail)
        }
    }

    /// Nobody is signed in.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "sign in, or send an API token",
        )
    }

    /// The credentials are wrong.
    pub(crate) fn bad_credentials(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "bad_credentials", detail)
    }

    /// The one who is signed in may not do this.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(noun: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {noun}"),
        )
    }

    /// It contradicts what is there.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// Facts go on from others than are there.
    pub(crate) fn stale_facts(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "stale_facts", detail)
    }

    /// The body is larger than allowed.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// Too many attempts.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let detail = format!("too many attempts: try again in {retry_after_seconds} s");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..error
        }
    }

    /// Something that we need is away. The cause goes to the log, not to the client.
    pub(crate) fn unavailable(cause: &anyhow::Error) -> Self {
        error!(error = format!("{cause:#}"), "request failed");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the server cannot take it now; try again",
        )
    }

    /// Our own failure. The cause goes to the log, not to the client.
    pub(crate) fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let cause: anyhow::Error = cause.into();
        error!(error = format!("{cause:#}"), "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log has the cause",
        )
    }

    /// A failure of several layers: the store's keeps its meaning.
    pub(crate) fn from_any(cause: anyhow::Error) -> Self {
        match cause.downcast::<StoreError>() {
            Ok(error) => error.into(),
            Err(cause) => Self::internal(cause),
        }
    }

    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            field: None,
            retry_after_seconds: None,
        }
    }
}

/// The sentence, for those who are not answered over HTTP.
impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::conflict(error.to_string()),
            StoreError::NotFound { what } => Self::not_found(what),
            StoreError::Refused { .. } | StoreError::BadCursor => {
                Self::bad_request(error.to_string())
            }
            StoreError::Unavailable(_) => {
                error!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "store unavailable"
                );
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the store cannot be reached; try again",
                )
            }
            error => Self::internal(error),
        }
    }
}

/// Without random numbers nobody can be signed in. The machine's fault.
impl From<getrandom::Error> for ApiError {
    fn from(error: getrandom::Error) -> Self {
        Self::internal(anyhow::anyhow!(error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // The request id is filled in by `routes::envelope`, which knows it.
        let body = ErrorBody {
            error: ErrorDetail {
                status: self.status.as_u16(),
                code: self.code.to_owned(),
                detail: self.detail,
                field: self.field,
                request_id: String::new(),
            },
        };
        let mut response = (self.status, Json(&body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(
                HeaderName::from_static("retry-after"),
                HeaderValue::from(seconds),
            );
        }
        response.extensions_mut().insert(body);
        response
    }
}
