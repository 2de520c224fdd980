//! Incidents: alerts that belong together.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use seareeve_api::{
    AlertEntity, ErrorBody, Event, IncidentChange, IncidentDetail, IncidentPage, IncidentSummary,
};
use seareeve_store::alerts::{self, AlertFilter};
use seareeve_store::incidents::{self, Incident};
use seareeve_store::users::Role;
use serde::Deserialize;
use utoipa::IntoParams;

use super::alerts::{summary as alert_summary, wanted};
use super::query;
use crate::audit::incidents::in_order;
use crate::auth::caller::Caller;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Alerts of an incident that are shown: the last ones.
const MOST_ALERTS: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentQuery {
    /// Only those that somebody still has to deal with.
    open: Option<bool>,
    /// Part of the title, or of the name of something that the alerts share.
    query: Option<String>,
    /// Where to go on, as the page before says.
    cursor: Option<String>,
    /// Incidents on a page, 1 to 200.
    limit: Option<u32>,
}

/// Incidents, the last one first, a page at a time.
#[utoipa::path(get, operation_id = "list_incidents", path = "/api/v1/incidents", tag = "alerts", params(IncidentQuery),
    responses((status = 200, body = IncidentPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(asked): Query<IncidentQuery>,
) -> ApiResult<Json<IncidentPage>> {
    let limit = query::limit(asked.limit);
    let after = query::cursor(asked.cursor);
    let (open, text) = (
        asked.open.unwrap_or_default(),
        asked.query.unwrap_or_default(),
    );
    let page = incidents::list(&app.store, open, &text, after.as_ref(), limit).await?;
    Ok(Json(IncidentPage {
        incidents: page.items.into_iter().map(summary).collect(),
        next: query::next(page.next),
    }))
}

/// One incident with its alerts.
#[utoipa::path(get, operation_id = "get_incident", path = "/api/v1/incidents/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The incident")),
    responses((status = 200, body = IncidentDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<IncidentDetail>> {
    let incident = find(&app, &id).await?;
    Ok(Json(detail(&app, incident).await?))
}

/// Change an incident and, with it, its alerts. For operators.
#[utoipa::path(patch, operation_id = "change_incident", path = "/api/v1/incidents/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The incident")), request_body = IncidentChange,
    responses((status = 200, body = IncidentDetail), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<IncidentChange>,
) -> ApiResult<Json<IncidentDetail>> {
    caller.require(Role::Operator)?;
    let change = wanted(given.state.as_deref(), given.owner, given.note)?;
    let incident = find(&app, &id).await?;
    let mut tx = app.store.begin().await?;
    let uids = incidents::alerts_of(&mut tx, incident.id).await?;
    let owner = change.owner.as_deref();
    incidents::change(&mut tx, incident.id, change.state, owner).await?;
    alerts::change(&mut tx, &uids, &change, &caller.user.name, app.now()).await?;
    tx.commit().await?;
    app.events.publish(Event::Alerts);
    let incident = find(&app, &id).await?;
    Ok(Json(detail(&app, incident).await?))
}

async fn find(app: &App, id: &str) -> ApiResult<Incident> {
    let incident = incidents::get(&app.store, id).await?;
    incident.ok_or_else(|| ApiError::not_found("incident"))
}

async fn members(app: &App, incident: &Incident) -> ApiResult<Vec<alerts::Alert>> {
    let filter = AlertFilter {
        incident: Some(incident.id),
        ..AlertFilter::default()
    };
    let mut members = alerts::list_all(&app.store, &filter, MOST_ALERTS).await?;
    members.sort_by_key(|alert| (alert.first_seen, alert.id));
    Ok(members)
}

async fn detail(app: &App, incident: Incident) -> ApiResult<IncidentDetail> {
    let members = members(app, &incident).await?;
    let clusters: BTreeSet<&String> = members.iter().map(|alert| &alert.cluster).collect();
    let tactics = members.iter().flat_map(|alert| &alert.tactics);
    Ok(IncidentDetail {
        clusters: clusters.into_iter().cloned().collect(),
        tactics: in_order(tactics.map(String::as_str)),
        timeline: members.iter().map(alert_summary).collect(),
        summary: summary(incident),
    })
}

fn summary(incident: Incident) -> IncidentSummary {
    let entity = |entity: alerts::Entity| AlertEntity {
        kind: entity.kind,
        name: entity.name,
        fields: std::collections::BTreeMap::new(),
    };
    IncidentSummary {
        id: incident.uid,
        title: incident.title,
        severity: incident.severity.as_str().to_owned(),
        state: incident.state.as_str().to_owned(),
        owner: incident.owner,
        shared: incident.shared.into_iter().map(entity).collect(),
        alerts: incident.alerts,
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
    }
}
