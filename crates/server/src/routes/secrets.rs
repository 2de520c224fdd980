//! Secrets that images carry.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{ErrorBody, SecretPage, SecretView};
use seareeve_model::{SecretFinding, SecretPlace, Severity};
use seareeve_scan::secrets::detector;
use seareeve_store::images::{self, SecretFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::images::image;
use super::query::{counts, cursor, listed, next, word};
use super::scans::limit;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Which secrets of an image.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SecretQuery {
    /// Part of a path, of a rule's id or of its title.
    q: Option<String>,
    /// Severities, separated by commas.
    severity: Option<String>,
    /// Index of the layer that holds the file.
    layer: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, up to 200.
    limit: Option<u32>,
}

/// Secrets of an image by kind and place, worst first.
#[utoipa::path(get, operation_id = "list_secrets", path = "/api/v1/images/{digest}/secrets", tag = "images",
    params(("digest" = String, Path, description = "The image"), SecretQuery),
    responses((status = 200, body = SecretPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(digest): Path<String>,
    Query(query): Query<SecretQuery>,
) -> ApiResult<Json<SecretPage>> {
    let id = image(&app, &digest).await?;
    let filter = SecretFilter {
        query: query.q.unwrap_or_default(),
        severities: listed(query.severity)
            .iter()
            .map(|text| word(text))
            .collect::<ApiResult<BTreeSet<Severity>>>()?,
        layer: query.layer,
    };
    let (cursor, limit) = (cursor(query.cursor), limit(query.limit));
    let (page, found) = images::secrets(&app.store, id, &filter, cursor.as_ref(), limit).await?;
    let detail = images::get(&app.store, id)
        .await?
        .ok_or_else(|| ApiError::not_found("image"))?;
    Ok(Json(SecretPage {
        secrets: page.items.into_iter().map(view).collect(),
        counts: counts(found),
        looked: detail.summary.secrets.is_some(),
        next: next(page.next),
    }))
}

fn view(secret: SecretFinding) -> SecretView {
    let rule = detector()
        .rules()
        .iter()
        .find(|rule| rule.id == secret.rule);
    let (kind, path, layer, is_hidden) = match secret.place {
        SecretPlace::Configuration { field } => ("configuration", field, None, false),
        SecretPlace::File {
            path,
            layer,
            is_hidden,
        } => ("file", path.to_string(), Some(layer), is_hidden),
    };
    SecretView {
        title: secret.title,
        provider: secret.provider,
        severity: secret.severity.as_str().to_owned(),
        confidence: secret.confidence.as_str().to_owned(),
        kind: kind.to_owned(),
        path,
        layer,
        is_hidden,
        line: secret.line,
        column: secret.column,
        remediation: rule.map(|rule| rule.remediation.clone()),
        rule: secret.rule,
    }
}
