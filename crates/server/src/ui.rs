//! The UI, embedded in the binary, packed as it was built.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Files;

/// Serves a file of the UI, or its one page for every other path: the UI routes by itself.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    if path.starts_with("api/") {
        return crate::error::ApiError::not_found("address").into_response();
    }
    let packed = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().split(';').next() == Some("br"))
        });
    let (name, status) = match Files::get(&path) {
        Some(_) if !path.is_empty() => (path.as_str(), StatusCode::OK),
        // A missing script must not become a page: the browser would try to run it.
        _ if path.starts_with("assets/") => {
            return crate::error::ApiError::not_found("file").into_response();
        }
        _ => ("index.html", StatusCode::OK),
    };
    let brotli = packed.then(|| Files::get(&format!("{name}.br"))).flatten();
    let is_packed = brotli.is_some();
    let Some(file) = brotli.or_else(|| Files::get(name)) else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "The UI was not built into this binary: run cargo xtask up.",
        )
            .into_response();
    };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(name)),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    // Files under assets/ carry a digest in their names.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
