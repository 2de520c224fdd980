//! Attestations: people's answers to what no check can tell of a host.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use seareeve_api::{Attestation, AttestationList, ErrorBody, NewAttestation, NewEvidence};
use seareeve_posture::Outcome;
use seareeve_store::attestations::Evidence;
use seareeve_store::users::Role;
use seareeve_store::{AssetId, AttestationId, assets, attestations};
use serde::Deserialize;
use utoipa::IntoParams;

use super::statements;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Bytes of evidence at most.
const MOST_EVIDENCE: usize = 64 * 1024;

/// Of which host.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AttestationQuery {
    /// The host; all, if absent.
    host: Option<i64>,
}

/// Attestations, those that have ended included.
#[utoipa::path(get, operation_id = "list_attestations", path = "/api/v1/attestations", tag = "statements", params(AttestationQuery),
    responses((status = 200, body = AttestationList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<AttestationQuery>,
) -> ApiResult<Json<AttestationList>> {
    let attestations = attestations::list(&app.store, query.host.map(AssetId)).await?;
    Ok(Json(AttestationList {
        attestations: attestations.into_iter().map(wire).collect(),
    }))
}

/// Answer a control that no check can tell. The host is judged anew. For security admins.
#[utoipa::path(post, operation_id = "create_attestation", path = "/api/v1/attestations", tag = "statements", request_body = NewAttestation,
    responses((status = 201, body = Attestation), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewAttestation>,
) -> ApiResult<(StatusCode, Json<Attestation>)> {
    let now = statements::may_say(&app, &caller, &given.reason, given.until)?;
    let outcome = Outcome::parse(&given.status).filter(|outcome| {
        matches!(
            outcome,
            Outcome::Pass | Outcome::Fail | Outcome::NotApplicable
        )
    });
    let Some(outcome) = outcome else {
        return Err(ApiError::bad_request(
            "a person can say pass, fail or not_applicable",
        ));
    };
    let content = app.content();
    let library = &content.library;
    let benchmark = library.benchmark(&given.benchmark, Some(&given.version));
    let control = benchmark.and_then(|benchmark| benchmark.control(&given.control));
    let Some(control) = control else {
        return Err(ApiError::bad_request("no benchmark has this control"));
    };
    if control.ask.is_none() && !control.checks.is_empty() {
        return Err(ApiError::bad_request(
            "checks decide this control: where it may fail, make an exception",
        ));
    }
    let evidence = given.evidence.map(evidence_of).transpose()?;
    let asset = assets::get(&app.store, AssetId(given.host)).await?;
    let asset = asset.ok_or_else(|| ApiError::not_found("host"))?;
    let lasts = |days: u16| now + SignedDuration::from_hours(24 * i64::from(days));
    let longest = control.max_age_days.map(lasts);
    let expires = match (longest, given.until) {
        (Some(longest), Some(until)) => Some(longest.min(until)),
        (longest, until) => longest.or(until),
    };
    let said = attestations::NewAttestation {
        asset: asset.id,
        benchmark: given.benchmark,
        version: given.version,
        control: given.control,
        outcome: outcome.as_str().to_owned(),
        reason: given.reason.trim().to_owned(),
        expires,
    };
    let mut tx = app.store.begin().await?;
    let id =
        attestations::create(&mut tx, &said, evidence.as_ref(), &caller.user.name, now).await?;
    statements::judge_again(&app, tx, Some(asset.id), now).await?;
    let attestation = attestations::Attestation {
        id,
        asset_name: asset.name,
        said,
        evidence: evidence.map(|evidence| evidence.name),
        author: caller.user.name,
        created: now,
    };
    Ok((StatusCode::CREATED, Json(wire(attestation))))
}

/// The text that an attestation rests on.
#[utoipa::path(get, operation_id = "get_attestation_evidence", path = "/api/v1/attestations/{id}/evidence", tag = "statements",
    params(("id" = i64, Path, description = "The attestation")),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn evidence(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Response> {
    let evidence = attestations::evidence(&app.store, AttestationId(id)).await?;
    let evidence = evidence.ok_or_else(|| ApiError::not_found("evidence"))?;
    // Somebody's text: it is saved, never shown as a page.
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"evidence.txt\"",
        ),
    ];
    Ok((headers, evidence.text).into_response())
}

fn evidence_of(given: NewEvidence) -> ApiResult<Evidence> {
    let name = given.name.trim();
    let is_name = (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !is_name || given.text.is_empty() || given.text.len() > MOST_EVIDENCE {
        return Err(ApiError::bad_request(format!(
            "evidence has a name of 1 to 200 characters and a text of up to {MOST_EVIDENCE} bytes"
        )));
    }
    Ok(Evidence {
        name: name.to_owned(),
        text: given.text,
    })
}

/// Take an attestation back. Its host is judged anew. For security admins.
#[utoipa::path(delete, operation_id = "delete_attestation", path = "/api/v1/attestations/{id}", tag = "statements",
    params(("id" = i64, Path, description = "The attestation")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    let asset = attestations::delete(&mut tx, AttestationId(id)).await?;
    let asset = asset.ok_or_else(|| ApiError::not_found("attestation"))?;
    statements::judge_again(&app, tx, Some(asset), app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire(attestation: attestations::Attestation) -> Attestation {
    let said = attestation.said;
    Attestation {
        id: attestation.id.0,
        host_name: attestation.asset_name,
        evidence_name: attestation.evidence,
        author: attestation.author,
        created: attestation.created,
        expires: said.expires,
        said: NewAttestation {
            host: said.asset.0,
            benchmark: said.benchmark,
            version: said.version,
            control: said.control,
            status: said.outcome,
            reason: said.reason,
            until: None,
            evidence: None,
        },
    }
}
