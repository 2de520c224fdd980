//! The HTTP API: one file per noun, one line per route. Handlers translate; they do not decide.

mod admission;
mod alerts;
mod assets;
mod attestations;
mod audit;
mod audit_policies;
mod backtests;
mod cloud_assets;
mod clusters;
mod compliance;
pub(crate) mod connectors;
mod csv;
mod detection_files;
mod detections;
mod events;
mod exceptions;
mod exemptions;
mod findings;
mod hosts;
mod image_uses;
mod images;
mod incidents;
mod intel;
mod join_tokens;
mod own_checks;
mod packages;
mod query;
mod recommendation_settings;
mod recommendations;
mod reports;
pub(crate) mod scans;
mod score;
mod secrets;
mod sensors;
mod session;
mod statements;
mod status;
mod suppressions;
mod tokens;
mod users;
mod vex;
mod workloads;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use seareeve_api::ErrorBody;
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tracing::{Instrument as _, debug, info_span};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::receive;
use crate::error::ApiError;
use crate::refusal;
use crate::state::App;
use crate::ui;

/// The largest JSON body, in bytes. An SBOM of 100,000 packages has some 40 MB.
const JSON_LIMIT: usize = 64 * 1024 * 1024;
/// Where API servers send their audit events.
const WEBHOOK: &str = "/audit/{cluster}";
/// Requests that take longer are given up, but for uploads and events.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Seareeve",
        description = "Security centre for containers. The UI and the command line use nothing else.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(
        seareeve_api::Event,
        seareeve_api::PostureReport,
        seareeve_api::ManifestReport
    )),
    modifiers(&Security),
    security(("session" = []), ("token" = []))
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
            crate::auth::caller::COOKIE,
            "A signed-in browser; requests that change something also carry X-CSRF-Token.",
        ));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API token."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let sensor = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token that a sensor got when it joined."))
            .build();
        components.add_security_scheme("sensor", SecurityScheme::Http(sensor));
    }
}

/// All routes of the API. Each answers to callers only, but those marked open.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(sign_in())
        .routes(routes!(users::list, users::create))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(status::status))
        .routes(routes!(status::overview))
        .routes(routes!(status::update_database))
        .routes(routes!(events::events))
        .routes(routes!(scans::list, scans::create))
        .routes(routes!(scans::upload))
        .routes(routes!(scans::get, scans::cancel))
        .routes(routes!(scans::sbom))
        .routes(routes!(images::list))
        .routes(routes!(images::get, images::delete))
        .routes(routes!(image_uses::of_image))
        .routes(routes!(image_uses::of_asset))
        .routes(routes!(reports::report))
        .routes(routes!(reports::sbom))
        .routes(routes!(packages::list))
        .routes(routes!(findings::list))
        .routes(routes!(findings::facets))
        .routes(routes!(findings::get))
        .routes(routes!(secrets::list))
        .routes(routes!(vex::list, vex::put))
        .routes(routes!(vex::delete))
        .merge(hosts())
        .merge(alerts())
        .merge(admission())
        .merge(clouds())
}

/// Hosts, what recommendations and benchmarks say of them, and what people do.
fn hosts() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(hosts::list))
        .routes(routes!(hosts::get, hosts::delete))
        .routes(routes!(hosts::report))
        .routes(routes!(hosts::facts))
        .routes(routes!(hosts::history))
        .routes(routes!(clusters::list))
        .routes(routes!(clusters::get, clusters::delete))
        .routes(routes!(clusters::report))
        .routes(routes!(clusters::history))
        .routes(routes!(clusters::recommendation))
        .routes(routes!(clusters::sides::put, clusters::sides::delete))
        .routes(routes!(workloads::list))
        .routes(routes!(workloads::facets))
        .routes(routes!(workloads::get))
        .routes(routes!(sensors::list))
        .routes(routes!(sensors::delete))
        .routes(routes!(join_tokens::list, join_tokens::create))
        .routes(routes!(join_tokens::delete))
        .routes(routes!(exceptions::list, exceptions::create))
        .routes(routes!(exceptions::delete))
        .routes(routes!(attestations::list, attestations::create))
        .routes(routes!(attestations::delete))
        .routes(routes!(attestations::evidence))
        .routes(routes!(exemptions::list, exemptions::create))
        .routes(routes!(exemptions::delete))
        .routes(routes!(recommendations::list))
        .routes(routes!(recommendations::csv))
        .routes(routes!(recommendations::get))
        .routes(routes!(recommendations::assets_of))
        .routes(routes!(recommendations::assets_csv))
        .routes(routes!(assets::list))
        .routes(routes!(assets::get))
        .routes(routes!(assets::move_to))
        .routes(routes!(assets::environments))
        .routes(routes!(
            recommendation_settings::get,
            recommendation_settings::put,
            recommendation_settings::delete
        ))
        .routes(routes!(recommendation_settings::history))
        .routes(routes!(recommendation_settings::preview::preview))
        .routes(routes!(score::get))
        .routes(routes!(score::what_if))
        .routes(routes!(score::history))
        .routes(routes!(score::group))
        .routes(routes!(compliance::benchmarks))
        .routes(routes!(compliance::get))
        .routes(routes!(compliance::control))
        .routes(routes!(compliance::objects))
        .routes(routes!(compliance::csv))
        .routes(routes!(compliance::pdf))
        .routes(routes!(own_checks::list))
        .routes(routes!(own_checks::get, own_checks::switch))
        .routes(routes!(own_checks::delete))
        .merge(own_checks())
        .merge(sensor())
}

/// What takes a whole set of checks.
fn own_checks() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(own_checks::create))
        .layer(DefaultBodyLimit::max(own_checks::LIMIT))
}

/// Alerts, what they belong to, and the clusters whose events raise them.
fn alerts() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list, alerts::change))
        .routes(routes!(alerts::facets))
        .routes(routes!(alerts::create_samples))
        .routes(routes!(alerts::get))
        .routes(routes!(alerts::related))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::get, incidents::change))
        .routes(routes!(suppressions::list, suppressions::create))
        .routes(routes!(suppressions::trial))
        .routes(routes!(suppressions::update, suppressions::delete))
        .routes(routes!(audit::list, audit::create))
        .routes(routes!(audit::get, audit::delete))
        .routes(routes!(audit::set_plan))
        .routes(routes!(audit::join))
        .routes(routes!(audit::create_source))
        .routes(routes!(audit::delete_source))
        .routes(routes!(audit::coverage))
        .merge(detections())
        .merge(intel())
}

/// The catalogue of detections, and what people bring and change.
fn detections() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(detections::list))
        .routes(routes!(detections::get))
        .routes(routes!(detections::lists))
        .routes(routes!(detections::tunings, detections::tune))
        .routes(routes!(detections::untune))
        .routes(routes!(detections::history))
        .routes(routes!(detection_files::list))
        .routes(routes!(
            detection_files::get,
            detection_files::put,
            detection_files::delete
        ))
        .routes(routes!(backtests::list, backtests::create))
        .routes(routes!(backtests::get, backtests::cancel))
        .routes(routes!(
            audit_policies::get,
            audit_policies::put,
            audit_policies::delete
        ))
        .layer(DefaultBodyLimit::max(detection_files::LIMIT))
}

/// Lists of threat intelligence.
fn intel() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(intel::list, intel::create))
        .routes(routes!(intel::get, intel::change, intel::delete))
        .routes(routes!(intel::fetch))
        .routes(routes!(intel::upload))
}

/// What may enter clusters.
fn admission() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(admission::policies::list))
        .routes(routes!(
            admission::policies::get,
            admission::policies::put,
            admission::policies::delete
        ))
        .routes(routes!(admission::rules::list))
        .routes(routes!(
            admission::decisions::list,
            admission::decisions::report
        ))
        .routes(routes!(admission::preview::preview))
        .routes(routes!(admission::images::counts))
        .layer(DefaultBodyLimit::max(admission::LIMIT))
}

/// Connectors to clouds, and the assets that they bring.
fn clouds() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(connectors::list, connectors::create))
        .routes(routes!(connectors::change, connectors::delete))
        .routes(routes!(connectors::read))
        .routes(routes!(connectors::test))
        .routes(routes!(connectors::test_new))
        .routes(routes!(cloud_assets::list))
        .routes(routes!(cloud_assets::get))
        .routes(routes!(cloud_assets::report))
        .routes(routes!(cloud_assets::facts))
}

/// What only sensors do.
fn sensor() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sensors::put_facts, sensors::patch_facts))
        .routes(routes!(sensors::put_index))
        .layer(DefaultBodyLimit::max(sensors::FACTS_LIMIT))
}

/// What strangers can reach: small bodies, so that they cannot fill the memory.
fn sign_in() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(
            session::sign_in,
            session::current,
            session::sign_out
        )) // POST is open
        .routes(routes!(session::sign_in_by_link)) // open
        .routes(routes!(session::change_password))
        .routes(routes!(sensors::join)) // open
        .layer(DefaultBodyLimit::max(16 * 1024))
}

/// The API's OpenAPI 3.1 document.
///
/// # Errors
/// Never in practice: the document is made of plain data.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&api().into_openapi())?;
    text.push('\n');
    Ok(text)
}

/// API and UI as one service.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (api, _document) = api().split_for_parts();
    let request_id = HeaderName::from_static("x-request-id");
    Router::new()
        .merge(api)
        .route("/api/v1/openapi.json", axum::routing::get(openapi))
        .route("/health", axum::routing::get(health))
        .route(WEBHOOK, axum::routing::post(receive::receive))
        .fallback(ui::serve)
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(from_fn(time_out))
        .layer(from_fn(refusal::readable))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .with_state(app)
}

/// What API servers reach: they need nothing else of us.
pub(crate) fn webhook_router(app: Arc<App>) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    Router::new()
        .route(WEBHOOK, axum::routing::post(receive::receive))
        .route("/health", axum::routing::get(health))
        .layer(from_fn(refusal::readable))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .with_state(app)
}

async fn openapi() -> Result<Response, ApiError> {
    let text = openapi_json().map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// For load balancers: whether the process and its store answer.
async fn health(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    app.store.ping().await?;
    Ok("ok\n")
}

async fn time_out(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == "/api/v1/events" || path == "/api/v1/scans/upload" {
        return next.run(request).await;
    }
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => {
            ApiError::internal(anyhow::anyhow!("no answer within {TIMEOUT:?}")).into_response()
        }
    }
}

/// What every answer has: a span and a log line, the headers that keep browsers careful, the request's id in errors.
async fn envelope(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_api = path.starts_with("/api/");
    let span = info_span!("request", id, %method, path);
    let response = async {
        let response = next.run(request).await;
        debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await;
    let mut response = shape_error(response, &id, &method).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    if app.config.server.is_reached_by_tls() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// What the framework says of a request that does not fit: which field, and what belongs there. Not what was sent, which
/// may be a secret at the wrong place.
async fn misfit(body: Body) -> String {
    let Ok(bytes) = to_bytes(body, 1 << 20).await else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    // `Failed to deserialize the JSON body into the target type: hours: invalid type: string "x", expected u32 at …`
    let Some((_, why)) = text.split_once(": ") else {
        return String::new();
    };
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
    let path = why.split_once(": ").map(|(path, _)| path);
    let path = path.filter(|path| path.chars().all(is_of_path));
    let wanted = why
        .rsplit_once(", expected ")
        .map(|(_, wanted)| format!("expected {wanted}"));
    let missing = why
        .find("missing field `")
        .and_then(|at| Some(why.get(at..)?.to_owned()));
    let parts = path
        .map(str::to_owned)
        .into_iter()
        .chain(missing.or(wanted));
    parts.map(|part| format!(": {part}")).collect()
}

/// Gives every error our shape: those of handlers get the request's id, those of the framework (a wrong method,
/// JSON that is none) are put into our words.
async fn shape_error(mut response: Response, id: &str, method: &Method) -> Response {
    let status = response.status();
    if status.as_u16() < 400 {
        return response;
    }
    let said = response.extensions_mut().remove::<ErrorBody>();
    let body = match said {
        Some(mut body) => {
            id.clone_into(&mut body.error.request_id);
            body
        }
        None if response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_none_or(|t| t != "application/json") =>
        {
            let (code, detail) = match status {
                StatusCode::METHOD_NOT_ALLOWED => (
                    "method_not_allowed",
                    format!("this address does not take {method}"),
                ),
                StatusCode::PAYLOAD_TOO_LARGE => {
                    ("too_large", "the body is larger than allowed".to_owned())
                }
                StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                    "bad_request",
                    "send content-type: application/json".to_owned(),
                ),
                StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
                    let why = misfit(std::mem::take(response.body_mut())).await;
                    let rule = "the request does not fit the API's document, /api/v1/openapi.json";
                    ("bad_request", format!("{rule}{why}"))
                }
                _ => return response,
            };
            let detail = seareeve_api::ErrorDetail {
                status: status.as_u16(),
                code: code.to_owned(),
                detail,
                field: None,
                request_id: id.to_owned(),
            };
            ErrorBody { error: detail }
        }
        None => return response,
    };
    let mut shaped = (status, axum::Json(body)).into_response();
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            shaped.headers_mut().insert(name.clone(), value.clone());
        }
    }
    shaped
}
