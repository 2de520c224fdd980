//! Clusters whose audit events are judged: made known, switched on with consent, and where their events come from.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{
    AuditCluster, AuditClusterList, AuditCoverage, AuditJoin, AuditPlan, AuditSameCluster,
    AuditSource, AuditSourceCreated, AuditSourceSettings, BrokenEvents, ErrorBody, NewAuditCluster,
};
use seareeve_store::audit_clusters::Same;
use seareeve_store::users::Role;
use seareeve_store::{
    AssetId, AuditSourceId, assets, audit_blocks, audit_clusters, audit_sources, clusters,
};
use tracing::info;

use crate::audit::kubeconfig::webhook;
use crate::audit::{WARNING, receive};
use crate::auth::caller::Caller;
use crate::auth::secret::Secret;
use crate::connectors::is_below;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Sources of one cluster.
const MOST_SOURCES: usize = 20;

/// All clusters whose audit events are, or could be, judged.
#[utoipa::path(get, operation_id = "list_audit_clusters", path = "/api/v1/audit/clusters", tag = "audit",
    responses((status = 200, body = AuditClusterList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<AuditClusterList>> {
    let sources = audit_sources::list(&app.store).await?;
    let mut clusters = Vec::new();
    for cluster in audit_clusters::list(&app.store).await? {
        clusters.push(wire(&app, cluster, &sources).await?);
    }
    Ok(Json(AuditClusterList {
        clusters,
        warning: WARNING.to_owned(),
    }))
}

/// Make a cluster known. Its events raise nothing before it is switched on. For security admins.
#[utoipa::path(post, operation_id = "create_audit_cluster", path = "/api/v1/audit/clusters", tag = "audit",
    request_body = NewAuditCluster,
    responses((status = 201, body = AuditCluster), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewAuditCluster>,
) -> ApiResult<(StatusCode, Json<AuditCluster>)> {
    caller.require(Role::SecurityAdmin)?;
    let name = given.name.as_str();
    let is_label = (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_label {
        return Err(ApiError::bad_request(
            "a name has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends",
        ));
    }
    let same = match given.cluster {
        None => Same::FoundOut,
        Some(id) => Same::As(asset(&app, id).await?),
    };
    let mut tx = app.store.begin().await?;
    let id = audit_clusters::create(&mut tx, name, &caller.user.name, app.now()).await?;
    audit_clusters::join(&mut tx, id, same).await?;
    audit_clusters::join_all(&mut tx).await?;
    tx.commit().await?;
    reload(&app).await?;
    Ok((StatusCode::CREATED, Json(one(&app, name).await?)))
}

/// One cluster.
#[utoipa::path(get, operation_id = "get_audit_cluster", path = "/api/v1/audit/clusters/{name}", tag = "audit",
    params(("name" = String, Path, description = "The cluster")),
    responses((status = 200, body = AuditCluster), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<Json<AuditCluster>> {
    Ok(Json(one(&app, &name).await?))
}

/// Forget a cluster, its sources and its kept events. Its alerts stay. For security admins.
#[utoipa::path(delete, operation_id = "delete_audit_cluster", path = "/api/v1/audit/clusters/{name}", tag = "audit",
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
    audit_clusters::delete(&mut tx, cluster.id).await?;
    tx.commit().await?;
    let forgotten = app.audit.forget(&app.store, &cluster).await;
    forgotten.map_err(ApiError::from_any)?;
    info!(cluster = %name, user = %caller.user.name, "a cluster's audit events were forgotten");
    Ok(StatusCode::NO_CONTENT)
}

/// Switch a cluster on or off. Only what happens while it is on raises alerts. Switching it on needs consent, since its
/// events may hold sensitive data. For security admins.
#[utoipa::path(put, operation_id = "set_audit_plan", path = "/api/v1/audit/clusters/{name}/plan", tag = "audit",
    params(("name" = String, Path, description = "The cluster")), request_body = AuditPlan,
    responses((status = 200, body = AuditCluster), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn set_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(given): Json<AuditPlan>,
) -> ApiResult<Json<AuditCluster>> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = find(&app, &name).await?;
    if given.is_on && !given.consent {
        return Err(ApiError::bad_request(format!(
            "consent is needed. {WARNING}"
        )));
    }
    let (author, now) = (&caller.user.name, app.now());
    let mut tx = app.store.begin().await?;
    if given.is_on {
        audit_clusters::switch_on(&mut tx, cluster.id, author, now).await?;
    } else {
        audit_clusters::switch_off(&mut tx, cluster.id).await?;
    }
    tx.commit().await?;
    info!(cluster = %name, user = %author, is_on = given.is_on, "the plan of a cluster was switched");
    if let Some(desk) = app.audit.desk(cluster.id) {
        desk.switched.notify_one();
    }
    Ok(Json(one(&app, &name).await?))
}

/// Say which cluster whose configuration is judged it is, so that alerts lead to it and it shows them. Without a word it
/// is found out: by the uid of the namespace `kube-system`, where an event shows it, or else by a name that only one has.
/// For security admins.
#[utoipa::path(put, operation_id = "join_audit_cluster", path = "/api/v1/audit/clusters/{name}/cluster", tag = "audit",
    params(("name" = String, Path, description = "The cluster")), request_body = AuditJoin,
    responses((status = 200, body = AuditCluster), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn join(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(given): Json<AuditJoin>,
) -> ApiResult<Json<AuditCluster>> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = find(&app, &name).await?;
    let same = match given {
        AuditJoin::Cluster { id } => Same::As(asset(&app, id).await?),
        AuditJoin::None => Same::None,
        AuditJoin::FoundOut => Same::FoundOut,
    };
    let mut tx = app.store.begin().await?;
    audit_clusters::join(&mut tx, cluster.id, same).await?;
    audit_clusters::join_all(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(one(&app, &name).await?))
}

/// A cluster whose configuration is judged.
async fn asset(app: &App, id: i64) -> ApiResult<AssetId> {
    let known = clusters::get(&app.store, AssetId(id)).await?;
    let known = known.ok_or_else(|| ApiError::bad_request("there is no such cluster"))?;
    Ok(known.asset)
}

/// Make a source of a cluster's audit events. For a webhook the answer has the token, and nothing else ever has. For
/// security admins.
#[utoipa::path(post, operation_id = "create_audit_source", path = "/api/v1/audit/clusters/{name}/sources", tag = "audit",
    params(("name" = String, Path, description = "The cluster")), request_body = AuditSourceSettings,
    responses((status = 201, body = AuditSourceCreated), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn create_source(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(given): Json<AuditSourceSettings>,
) -> ApiResult<(StatusCode, Json<AuditSourceCreated>)> {
    caller.require(Role::SecurityAdmin)?;
    check(&given)?;
    let cluster = find(&app, &name).await?;
    let sources = audit_sources::list(&app.store).await?;
    let others = sources.iter().filter(|one| one.cluster == cluster.id);
    if others.count() >= MOST_SOURCES {
        return Err(ApiError::conflict("a cluster has at most 20 sources"));
    }
    let secret = match &given {
        AuditSourceSettings::Webhook => Some(Secret::generate(receive::PREFIX)?),
        AuditSourceSettings::File { .. } | AuditSourceSettings::Kafka { .. } => None,
    };
    let settings = serde_json::to_string(&given).map_err(ApiError::internal)?;
    let hash = secret.as_ref().map(|secret| &secret.hash);
    let (author, now) = (&caller.user.name, app.now());
    let mut tx = app.store.begin().await?;
    let kind = given.kind();
    let id = audit_sources::create(&mut tx, cluster.id, kind, &settings, hash, author, now).await?;
    tx.commit().await?;
    reload(&app).await?;
    let source = AuditSource {
        id: id.0,
        settings: given,
        received: None,
        problem: None,
        created: now,
        author: author.clone(),
    };
    let created = AuditSourceCreated {
        source,
        webhook: secret.map(|secret| {
            let authority = app.audit.tls.as_ref().and_then(|tls| tls.authority.clone());
            webhook(&app.config, authority, &name, secret.text)
        }),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// End a source. What it has brought stays. For security admins.
#[utoipa::path(delete, operation_id = "delete_audit_source", path = "/api/v1/audit/clusters/{name}/sources/{id}", tag = "audit",
    params(("name" = String, Path, description = "The cluster"), ("id" = i64, Path, description = "The source")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete_source(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let cluster = find(&app, &name).await?;
    let mut tx = app.store.begin().await?;
    if !audit_sources::delete(&mut tx, cluster.id, AuditSourceId(id)).await? {
        return Err(ApiError::not_found("source"));
    }
    tx.commit().await?;
    reload(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say which detections see what they need in the events of a cluster that came so far.
#[utoipa::path(get, operation_id = "audit_coverage", path = "/api/v1/audit/clusters/{name}/coverage", tag = "audit",
    params(("name" = String, Path, description = "The cluster")),
    responses((status = 200, body = AuditCoverage), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn coverage(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(name): Path<String>,
) -> ApiResult<Json<AuditCoverage>> {
    let cluster = find(&app, &name).await?;
    let policies = crate::audit::coverage::policies(&app.store).await?;
    let policy = policies.get(&cluster.id.0);
    Ok(Json(app.audit.coverage(&cluster, policy)))
}

fn check(settings: &AuditSourceSettings) -> ApiResult<()> {
    let is_short = |text: &String| (1..=1_000).contains(&text.len());
    match settings {
        AuditSourceSettings::Webhook => Ok(()),
        AuditSourceSettings::File { path, .. } => {
            if path.starts_with('/') && is_short(path) {
                Ok(())
            } else {
                Err(ApiError::bad_request(
                    "a file is given by its whole path on the server's machine",
                ))
            }
        }
        AuditSourceSettings::Kafka {
            brokers,
            topic,
            username,
            mechanism,
            password_file,
            ca_file,
            tls,
            ..
        } => {
            if ca_file.as_ref().is_some_and(|file| !is_short(file) || !tls) {
                return Err(ApiError::bad_request("a ca_file is for brokers with tls"));
            }
            if let Some(mechanism) = mechanism {
                let known = crate::audit::MECHANISMS;
                if username.is_none() || !known.contains(&mechanism.as_str()) {
                    let known = known.join(", ");
                    return Err(ApiError::bad_request(format!(
                        "a mechanism belongs to a username and is one of {known}"
                    )));
                }
            }
            let are_fine = (1..=20).contains(&brokers.len()) && brokers.iter().all(is_short);
            if !are_fine || !is_short(topic) {
                return Err(ApiError::bad_request(
                    "name 1 to 20 brokers as HOST:PORT, and a topic",
                ));
            }
            if username.is_some() != password_file.is_some() {
                return Err(ApiError::bad_request(
                    "username and password_file belong together",
                ));
            }
            if password_file.as_ref().is_some_and(|file| !is_below(file)) {
                return Err(ApiError::bad_request(
                    "name a password_file within the server's folder of credentials",
                ));
            }
            if username.is_some() && !tls {
                return Err(ApiError::bad_request(
                    "a password is sent with TLS only: set tls",
                ));
            }
            Ok(())
        }
    }
}

async fn reload(app: &App) -> ApiResult<()> {
    let reloaded = app.audit.reload(&app.store).await;
    reloaded.map_err(ApiError::from_any)
}

pub(super) async fn find(app: &App, name: &str) -> ApiResult<audit_clusters::AuditCluster> {
    let cluster = audit_clusters::get(&app.store, name).await?;
    cluster.ok_or_else(|| ApiError::not_found("cluster"))
}

async fn one(app: &App, name: &str) -> ApiResult<AuditCluster> {
    let cluster = find(app, name).await?;
    let sources = audit_sources::list(&app.store).await?;
    wire(app, cluster, &sources).await
}

async fn wire(
    app: &App,
    cluster: audit_clusters::AuditCluster,
    sources: &[audit_sources::AuditSource],
) -> ApiResult<AuditCluster> {
    let desk = app.audit.desk(cluster.id);
    let kept = audit_blocks::kept(&app.store, cluster.id).await?;
    let broken = audit_clusters::broken(&app.store, cluster.id).await?;
    let mut own = Vec::new();
    for source in sources.iter().filter(|one| one.cluster == cluster.id) {
        own.push(AuditSource {
            id: source.id.0,
            settings: serde_json::from_str(&source.settings).map_err(ApiError::internal)?,
            received: source.received,
            problem: source.problem.clone(),
            created: source.created,
            author: source.author.clone(),
        });
    }
    let same = match cluster.asset {
        None => None,
        Some(asset) => assets::get(&app.store, asset).await?,
    };
    let known_by = cluster.asset_by.unwrap_or_default();
    Ok(AuditCluster {
        name: cluster.name,
        cluster: same.map(|asset| AuditSameCluster {
            id: asset.id.0,
            name: asset.name,
            known_by,
        }),
        on_since: cluster.on_since,
        consent_by: cluster.consent_by,
        consent_at: cluster.consent_at,
        sources: own,
        events: cluster.events,
        early_events: cluster.early,
        repeated_events: cluster.repeated,
        broken_events: cluster.broken,
        broken: broken
            .into_iter()
            .map(|one| BrokenEvents {
                kind: one.kind,
                events: one.events,
                last: one.last,
            })
            .collect(),
        last_event: cluster.last_event,
        problem: cluster.problem,
        problem_at: cluster.problem_at,
        backlog_bytes: desk.map_or(0, |desk| desk.lane.backlog().bytes),
        kept_events: kept.events,
        kept_since: kept.first,
    })
}
