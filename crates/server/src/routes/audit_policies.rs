//! The audit policies that people say are in force: they tell what detections will see before anything arrives.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{AuditPolicyText, ErrorBody};
use seareeve_audit::Policy;
use seareeve_store::audit_policies::{self, AuditPolicy};
use seareeve_store::users::Role;

use super::audit::find;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// The audit policy that is said to be in force in a cluster.
#[utoipa::path(get, operation_id = "get_audit_policy", path = "/api/v1/audit/clusters/{name}/policy", tag = "audit",
    params(("name" = String, Path, description = "The cluster")),
    responses((status = 200, body = AuditPolicyText), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<Json<AuditPolicyText>> {
    let cluster = find(&app, &name).await?;
    let policies = audit_policies::list(&app.store).await?;
    let found = policies.into_iter().find(|one| one.cluster == cluster.id);
    let found = found.ok_or_else(|| ApiError::not_found("policy"))?;
    Ok(Json(wire(found)))
}

/// Say which audit policy is in force in a cluster: the body is its YAML. Coverage is judged by it where nothing has
/// arrived. Nothing is changed in the cluster. For security admins.
#[utoipa::path(put, operation_id = "put_audit_policy", path = "/api/v1/audit/clusters/{name}/policy", tag = "audit",
    params(("name" = String, Path, description = "The cluster")),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = AuditPolicyText), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: String,
) -> ApiResult<Json<AuditPolicyText>> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = find(&app, &name).await?;
    if let Err(error) = Policy::parse(&body) {
        let why = format!("{:#}", anyhow::Error::from(error));
        return Err(ApiError::bad_request(
            why.chars().take(1_000).collect::<String>(),
        ));
    }
    let policy = AuditPolicy {
        cluster: cluster.id,
        content: body,
        author: caller.user.name,
        changed: app.now(),
    };
    let mut tx = app.store.begin().await?;
    audit_policies::put(&mut tx, &policy).await?;
    tx.commit().await?;
    Ok(Json(wire(policy)))
}

/// Forget which audit policy is in force in a cluster. For security admins.
#[utoipa::path(delete, operation_id = "delete_audit_policy", path = "/api/v1/audit/clusters/{name}/policy", tag = "audit",
    params(("name" = String, Path, description = "The cluster")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = find(&app, &name).await?;
    let mut tx = app.store.begin().await?;
    if !audit_policies::delete(&mut tx, cluster.id).await? {
        return Err(ApiError::not_found("policy"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wire(policy: AuditPolicy) -> AuditPolicyText {
    AuditPolicyText {
        content: policy.content,
        author: policy.author,
        changed: policy.changed,
    }
}
