//! Files that people brought, as they brought them.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// A YAML file to be saved under a name.
pub(super) fn download(file: &str, content: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/yaml".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file}\""),
        ),
    ];
    (headers, content).into_response()
}
