//! Alerts: lists, one with all that is known of it, and what people do with them.

mod judged;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use seareeve_api::{
    AlertChange, AlertDetail, AlertEntity, AlertEvent, AlertFacet, AlertFacets, AlertHistory,
    AlertPage, AlertSummary, AlertsChanged, ErrorBody, Event, RelatedRequests, SampleAlerts,
};
use seareeve_model::AlertSeverity;
use seareeve_store::alerts::{self, Alert, AlertFilter, AlertSort, AlertState, Change};
use seareeve_store::incidents;
use seareeve_store::users::Role;
use serde::Deserialize;
use utoipa::IntoParams;

use super::query;
use crate::audit::{related, samples};
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Alerts that are changed in one go.
const MOST_CHANGED: usize = 1_000;
/// Events of an alert that are shown.
const MOST_EVENTS: usize = 50;
/// Characters of a note.
const MOST_NOTE: usize = 4_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertQuery {
    /// `new`, `active`, `in_progress`, `resolved`, `dismissed`, separated by commas; `open` for the first three.
    state: Option<String>,
    /// `high`, `medium`, `low`, `informational`, separated by commas.
    severity: Option<String>,
    /// The cluster's name.
    cluster: Option<String>,
    /// The detection's id.
    rule: Option<String>,
    /// A tactic, such as `execution`.
    tactic: Option<String>,
    /// Who deals with it.
    owner: Option<String>,
    /// The name of an entity.
    entity: Option<String>,
    /// An incident's id.
    incident: Option<String>,
    /// Part of the title, the detection's id, what was attacked or an entity's name.
    query: Option<String>,
    /// `newest` or `severity`.
    sort: Option<String>,
    /// Where to go on, as the page before says.
    cursor: Option<String>,
    /// Alerts on a page, 1 to 200.
    limit: Option<u32>,
}

/// Alerts, a page at a time.
#[utoipa::path(get, operation_id = "list_alerts", path = "/api/v1/alerts", tag = "alerts", params(AlertQuery),
    responses((status = 200, body = AlertPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(asked): Query<AlertQuery>,
) -> ApiResult<Json<AlertPage>> {
    let incident = match asked.incident.as_deref() {
        None | Some("") => None,
        Some(uid) => {
            let incident = incidents::get(&app.store, uid).await?;
            Some(incident.ok_or_else(|| ApiError::not_found("incident"))?.id)
        }
    };
    let mut states = Vec::new();
    for word in query::listed(asked.state) {
        match word.as_str() {
            "open" => states.extend(AlertState::ALL.into_iter().filter(|state| state.is_open())),
            word => states.push(state(word)?),
        }
    }
    let severities = query::listed(asked.severity);
    let filter = AlertFilter {
        states,
        severities: severities
            .iter()
            .map(|word| {
                AlertSeverity::parse(word)
                    .ok_or_else(|| ApiError::bad_request(format!("{word:?} is no severity")))
            })
            .collect::<ApiResult<_>>()?,
        cluster: asked.cluster.unwrap_or_default(),
        rule: asked.rule.unwrap_or_default(),
        tactic: asked.tactic.unwrap_or_default(),
        owner: asked.owner.unwrap_or_default(),
        entity: asked.entity.unwrap_or_default(),
        incident,
        query: asked.query.unwrap_or_default(),
    };
    let sort = match asked.sort.as_deref() {
        None | Some("newest") => AlertSort::Newest,
        Some("severity") => AlertSort::Severity,
        Some(_) => return Err(ApiError::bad_request("sort by newest or severity")),
    };
    let limit = query::limit(asked.limit);
    let after = query::cursor(asked.cursor);
    let page = alerts::list(&app.store, &filter, sort, after.as_ref(), limit).await?;
    Ok(Json(AlertPage {
        alerts: page.items.iter().map(summary).collect(),
        next: query::next(page.next),
    }))
}

/// How many alerts there are by state, severity, cluster and detection.
#[utoipa::path(get, operation_id = "alert_facets", path = "/api/v1/alerts/facets", tag = "alerts",
    responses((status = 200, body = AlertFacets), (status = 401, body = ErrorBody)))]
pub(super) async fn facets(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<AlertFacets>> {
    let facets = alerts::facets(&app.store).await?;
    let wire = |facets: Vec<alerts::Facet>| {
        facets
            .into_iter()
            .map(|facet| AlertFacet {
                value: facet.value,
                title: facet.title,
                alerts: facet.alerts,
                open: facet.open,
            })
            .collect()
    };
    Ok(Json(AlertFacets {
        states: wire(facets.states),
        severities: wire(facets.severities),
        clusters: wire(facets.clusters),
        rules: wire(facets.rules),
    }))
}

/// One alert with all that is known of it.
#[utoipa::path(get, operation_id = "get_alert", path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<AlertDetail>> {
    let alert = find(&app, &id).await?;
    let events = alerts::occurrences(&app.store, alert.id, MOST_EVENTS).await?;
    let history = alerts::history(&app.store, alert.id).await?;
    let said = &alert.said;
    let (cluster_id, workloads) = judged::place(&app, &alert.cluster, said).await?;
    let entities = said
        .entities
        .iter()
        .map(|entity| AlertEntity {
            kind: entity.kind.clone(),
            name: crate::audit::entity_name(entity),
            fields: entity.fields.clone(),
        })
        .collect();
    Ok(Json(AlertDetail {
        summary: summary(&alert),
        vendor: "Seareeve".to_owned(),
        product: "Seareeve".to_owned(),
        description: said.description.clone(),
        remediation_steps: said.remediation.clone(),
        false_positives: app.audit.false_positives(&said.id),
        entities,
        extended_properties: said.output_fields.clone(),
        aliases: app.audit.aliases(&said.id),
        output: said.output.clone(),
        priority: said.priority.as_str().to_owned(),
        tags: said.tags.clone(),
        correlation_key: said.key.clone(),
        evidence: serde_json::to_value(&said.evidence).map_err(ApiError::internal)?,
        raised: alert.created,
        changed: alert.changed,
        events: events
            .into_iter()
            .map(|event| AlertEvent {
                at: event.at,
                event: event
                    .evidence
                    .and_then(|text| serde_json::from_str(&text).ok()),
            })
            .collect(),
        history: history
            .into_iter()
            .map(|line| AlertHistory {
                at: line.at,
                author: line.author,
                what: line.kind.as_str().to_owned(),
                was: line.was,
                value: line.value,
            })
            .collect(),
        cluster_id,
        workloads,
    }))
}

/// Change alerts: their state, who deals with them, a note. An incident is closed with the last of its alerts, and open
/// again with one of them. For operators.
#[utoipa::path(patch, operation_id = "change_alerts", path = "/api/v1/alerts", tag = "alerts", request_body = AlertChange,
    responses((status = 200, body = AlertsChanged), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<AlertChange>,
) -> ApiResult<Json<AlertsChanged>> {
    caller.require(Role::Operator)?;
    if !(1..=MOST_CHANGED).contains(&given.ids.len()) {
        return Err(ApiError::bad_request("name 1 to 1,000 alerts"));
    }
    let change = wanted(given.state.as_deref(), given.owner, given.note)?;
    let mut tx = app.store.begin().await?;
    let changed =
        alerts::change(&mut tx, &given.ids, &change, &caller.user.name, app.now()).await?;
    if change.state.is_some() {
        incidents::follow(&mut tx, &given.ids).await?;
    }
    tx.commit().await?;
    app.events.publish(Event::Alerts);
    Ok(Json(AlertsChanged { alerts: changed }))
}

/// What a change says, checked.
pub(super) fn wanted(
    word: Option<&str>,
    owner: Option<String>,
    note: Option<String>,
) -> ApiResult<Change> {
    let owner = owner.map(|owner| owner.trim().to_owned());
    if owner
        .as_ref()
        .is_some_and(|owner| owner.chars().count() > 100)
    {
        return Err(ApiError::bad_request("an owner has at most 100 characters"));
    }
    let note = note
        .map(|note| note.trim().to_owned())
        .filter(|note| !note.is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > MOST_NOTE)
    {
        return Err(ApiError::bad_request("a note has at most 4,000 characters"));
    }
    Ok(Change {
        state: word.map(state).transpose()?,
        owner,
        note,
    })
}

pub(super) fn state(word: &str) -> ApiResult<AlertState> {
    AlertState::parse(word).ok_or_else(|| ApiError::bad_request(format!("{word:?} is no state")))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RelatedQuery {
    /// Minutes before the alert's first and after its last event, 1 to 1,440; 15 unless told otherwise.
    minutes: Option<i64>,
}

/// What the one who raised an alert did before and after it, as far as events are kept.
#[utoipa::path(get, operation_id = "related_requests", path = "/api/v1/alerts/{id}/related", tag = "alerts",
    params(("id" = String, Path, description = "The alert"), RelatedQuery),
    responses((status = 200, body = RelatedRequests), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn related(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<RelatedQuery>,
) -> ApiResult<Json<RelatedRequests>> {
    let minutes = asked.minutes.unwrap_or(15);
    if !(1..=1_440).contains(&minutes) {
        return Err(ApiError::bad_request("minutes are 1 to 1,440"));
    }
    let alert = find(&app, &id).await?;
    let around = SignedDuration::from_mins(minutes);
    let found = related::requests(&app.store, &alert, around).await;
    Ok(Json(found.map_err(ApiError::from_any)?))
}

/// Make sample alerts, which are marked as such and go the way of all alerts. For security admins.
#[utoipa::path(post, operation_id = "create_sample_alerts", path = "/api/v1/alerts/samples", tag = "alerts",
    responses((status = 201, body = SampleAlerts), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(super) async fn create_samples(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> ApiResult<(StatusCode, Json<SampleAlerts>)> {
    caller.require(Role::SecurityAdmin)?;
    let alerts = samples::create(&app).await.map_err(ApiError::from_any)?;
    app.events.publish(Event::Alerts);
    Ok((StatusCode::CREATED, Json(SampleAlerts { alerts })))
}

async fn find(app: &App, id: &str) -> ApiResult<Alert> {
    let alert = alerts::get(&app.store, id).await?;
    alert.ok_or_else(|| ApiError::not_found("alert"))
}

/// As lists show it.
pub(super) fn summary(alert: &Alert) -> AlertSummary {
    AlertSummary {
        id: alert.uid.clone(),
        title: alert.title.clone(),
        severity: alert.severity.as_str().to_owned(),
        state: alert.state.as_str().to_owned(),
        owner: alert.owner.clone(),
        cluster: alert.cluster.clone(),
        rule: alert.rule.clone(),
        tactics: alert.tactics.clone(),
        techniques: alert.techniques.clone(),
        compromised_entity: alert.compromised.clone(),
        seen: alert.seen,
        first_seen: alert.first_seen,
        last_seen: alert.last_seen,
        incident: alert.incident_uid.clone(),
        suppressed_by: alert.suppression.map(|suppression| suppression.0),
        is_sample: alert.is_sample,
    }
}
