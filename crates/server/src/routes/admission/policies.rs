//! Policies: one for all clusters, and those of single ones.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use seareeve_admission::{Policy, PolicyFile};
use seareeve_api::{AdmissionPolicy, AdmissionPolicyList, ErrorBody, NewAdmissionPolicy};
use seareeve_model::Digest;
use seareeve_store::admission;
use seareeve_store::users::Role;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::{GateCaller, cluster_name};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Which policy.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct PolicyQuery {
    /// The cluster; the policy of all clusters, if absent.
    cluster: Option<String>,
}

/// All policies: the one for all clusters first, which is always there.
#[utoipa::path(get, operation_id = "list_admission_policies", path = "/api/v1/admission/policies", tag = "admission",
    responses((status = 200, body = AdmissionPolicyList), (status = 401, body = ErrorBody)))]
pub(in crate::routes) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<AdmissionPolicyList>> {
    let stored = admission::policies(&app.store).await?;
    let has_own = stored.iter().any(|policy| policy.cluster.is_empty());
    let builtin = (!has_own).then(builtin);
    let stored = stored.into_iter().map(wire);
    let policies: ApiResult<Vec<AdmissionPolicy>> = builtin.into_iter().chain(stored).collect();
    Ok(Json(AdmissionPolicyList {
        policies: policies?,
    }))
}

/// The policy in force for a cluster: its own, or that of all clusters. For webhooks, too.
#[utoipa::path(get, operation_id = "get_admission_policy", path = "/api/v1/admission/policy", tag = "admission",
    params(PolicyQuery), security(("session" = []), ("token" = []), ("sensor" = [])),
    responses((status = 200, body = AdmissionPolicy), (status = 401, body = ErrorBody)))]
pub(in crate::routes) async fn get(
    State(app): State<Arc<App>>,
    _caller: GateCaller,
    Query(query): Query<PolicyQuery>,
) -> ApiResult<Json<AdmissionPolicy>> {
    let cluster = cluster_name(query.cluster.as_deref())?;
    in_force(&app, &cluster).await.map(Json)
}

/// Put a policy in place of another. Webhooks have it within a minute. For security admins.
#[utoipa::path(put, operation_id = "put_admission_policy", path = "/api/v1/admission/policy", tag = "admission",
    request_body = NewAdmissionPolicy,
    responses((status = 200, body = AdmissionPolicy), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(in crate::routes) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewAdmissionPolicy>,
) -> ApiResult<Json<AdmissionPolicy>> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = cluster_name(given.cluster.as_deref())?;
    let policy = read(&app, given.policy)?;
    let content = serde_json::to_string(policy.file()).map_err(ApiError::internal)?;
    let stored = admission::Policy {
        digest: digest(&content),
        content,
        cluster,
        author: caller.user.name,
        changed: app.now(),
    };
    let before = in_force(&app, &stored.cluster).await?;
    let conflict = || {
        ApiError::conflict(
            "somebody else changed the policy meanwhile: look at it, and change it again",
        )
    };
    let is_checked = given.replaces.is_some();
    if given.replaces.is_some_and(|digest| digest != before.digest) {
        return Err(conflict());
    }
    // The built-in policy, and that of all clusters, stand in no row of this cluster.
    let is_own =
        before.author.is_some() && before.cluster.as_deref().unwrap_or_default() == stored.cluster;
    let replaces = if is_checked && is_own {
        before.digest.as_str()
    } else {
        ""
    };
    let mut tx = app.store.begin().await?;
    if !admission::put_policy(&mut tx, &stored, replaces).await? {
        return Err(conflict());
    }
    tx.commit().await?;
    Ok(Json(wire(stored)?))
}

/// Take a cluster's own policy away, so that the one of all clusters holds; of that one, what was changed. For
/// security admins.
#[utoipa::path(delete, operation_id = "delete_admission_policy", path = "/api/v1/admission/policy", tag = "admission",
    params(PolicyQuery),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(in crate::routes) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PolicyQuery>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = cluster_name(query.cluster.as_deref())?;
    let mut tx = app.store.begin().await?;
    if !admission::delete_policy(&mut tx, &cluster).await? {
        return Err(ApiError::not_found("policy"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The policy in force for a cluster.
pub(super) async fn in_force(app: &App, cluster: &str) -> ApiResult<AdmissionPolicy> {
    let stored = admission::policies(&app.store).await?;
    let own = stored.iter().find(|policy| policy.cluster == cluster);
    let all = stored.iter().find(|policy| policy.cluster.is_empty());
    match own.or(all) {
        Some(policy) => wire(policy.clone()),
        None => builtin(),
    }
}

/// A policy that was sent or stored, checked.
pub(super) fn read(app: &App, policy: Map<String, Value>) -> ApiResult<Policy> {
    let refused = |why: String| ApiError::bad_request(why);
    let file: PolicyFile = serde_json::from_value(Value::Object(policy))
        .map_err(|error| refused(format!("not a policy: {error}")))?;
    Policy::new(file, &app.content().library, &app.content().catalogue)
        .map_err(|error| refused(error.to_string()))
}

/// What holds before anybody says anything: all is recorded, nothing is refused.
fn builtin() -> ApiResult<AdmissionPolicy> {
    let content = serde_json::to_string(&PolicyFile::default()).map_err(ApiError::internal)?;
    Ok(AdmissionPolicy {
        cluster: None,
        digest: digest(&content),
        policy: serde_json::from_str(&content).map_err(ApiError::internal)?,
        author: None,
        changed: None,
    })
}

fn wire(policy: admission::Policy) -> ApiResult<AdmissionPolicy> {
    Ok(AdmissionPolicy {
        policy: serde_json::from_str(&policy.content).map_err(ApiError::internal)?,
        cluster: Some(policy.cluster).filter(|cluster| !cluster.is_empty()),
        digest: policy.digest,
        author: Some(policy.author),
        changed: Some(policy.changed),
    })
}

fn digest(content: &str) -> String {
    Digest::sha256(&Sha256::digest(content).into()).to_string()
}
