//! Connectors to clouds.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use seareeve_api::{Connector, ConnectorList, ErrorBody, Event, NewConnector};
use seareeve_store::assets;
use seareeve_store::scores::Cause;
use seareeve_store::users::Role;
use seareeve_store::{AssetId, ConnectorId, connectors};

use crate::auth::caller::Caller;
use crate::connectors::{AZURE, AzureSettings};
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::posture::scoring::{self, Differ};
use crate::state::App;

/// Connectors at most.
const MOST: usize = 100;
/// Subscriptions that one can name.
const MOST_SUBSCRIPTIONS: usize = 500;

/// All connectors.
#[utoipa::path(get, operation_id = "list_connectors", path = "/api/v1/connectors", tag = "connectors",
    responses((status = 200, body = ConnectorList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<ConnectorList>> {
    let mut shown = Vec::new();
    for connector in connectors::list(&app.store).await? {
        shown.push(wire(&app, connector).await?);
    }
    Ok(Json(ConnectorList { connectors: shown }))
}

/// Make a connector. It reads at once. No secret is taken: it is named. For security admins.
#[utoipa::path(post, operation_id = "create_connector", path = "/api/v1/connectors", tag = "connectors", request_body = NewConnector,
    responses((status = 201, body = Connector), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewConnector>,
) -> ApiResult<(StatusCode, Json<Connector>)> {
    caller.require(Role::SecurityAdmin)?;
    let name = given.name.trim();
    let is_text = |text: &str| {
        (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    let fits = is_text(name)
        && given.kind == AZURE
        && given.every_hours <= 720
        && given.subscriptions.len() <= MOST_SUBSCRIPTIONS
        && given.subscriptions.iter().all(|one| is_text(one));
    if !fits {
        return Err(ApiError::bad_request(
            "a connector is of the kind azure, has a name of 1 to 100 characters, reads every 720 hours or more often, \
             and names at most 500 subscriptions",
        ));
    }
    let settings = AzureSettings {
        cloud: given.cloud,
        credentials: given.credentials,
        subscriptions: given.subscriptions,
    };
    if let Some(fault) = settings.fault(&app.config) {
        return Err(ApiError::bad_request(fault));
    }
    if connectors::list(&app.store).await?.len() >= MOST {
        return Err(ApiError::conflict("there are too many connectors"));
    }
    let now = app.now();
    let text = serde_json::to_string(&settings).map_err(ApiError::internal)?;
    let new = connectors::NewConnector {
        kind: AZURE,
        name,
        settings: &text,
        every_hours: given.every_hours,
        author: &caller.user.name,
    };
    let mut tx = app.store.begin().await?;
    let Some(id) = connectors::create(&mut tx, &new, now).await? else {
        return Err(ApiError::conflict("there is a connector of this name"));
    };
    jobs::enqueue_read(&mut tx, id, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    let (_, shown) = found(&app, id.0).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Let a connector read now. For operators.
#[utoipa::path(post, operation_id = "read_connector", path = "/api/v1/connectors/{id}/read", tag = "connectors",
    params(("id" = i64, Path, description = "The connector")),
    responses((status = 202, body = Connector), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<(StatusCode, Json<Connector>)> {
    caller.require(Role::Operator)?;
    let (id, shown) = found(&app, id).await?;
    if !shown.reading {
        let now = app.now();
        let mut tx = app.store.begin().await?;
        jobs::enqueue_read(&mut tx, id, now).await?;
        tx.commit().await?;
        app.wake.notify_waiters();
        app.events.publish(Event::Posture);
    }
    let shown = Connector {
        reading: true,
        ..shown
    };
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

/// Forget a connector, and the assets that only it brought. For security admins.
#[utoipa::path(delete, operation_id = "delete_connector", path = "/api/v1/connectors/{id}", tag = "connectors",
    params(("id" = i64, Path, description = "The connector")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let (id, _) = found(&app, id).await?;
    let all = connectors::assets(&app.store).await?;
    let own: BTreeSet<AssetId> = all
        .into_iter()
        .filter(|(connector, _)| *connector == id)
        .map(|(_, asset)| asset)
        .collect();
    let mut causes = Vec::new();
    for asset in &own {
        causes.extend(causes_of(&app, *asset).await?);
    }
    let mut tx = app.store.begin().await?;
    let mut lost = BTreeSet::new();
    for asset in own {
        if connectors::release(&mut tx, id, asset).await? && assets::delete(&mut tx, asset).await? {
            lost.insert(asset);
        }
    }
    if !connectors::delete(&mut tx, id).await? {
        return Err(ApiError::not_found("connector"));
    }
    causes.retain(|cause| lost.contains(&cause.asset));
    scoring::note(&mut tx, &app.content(), Differ::Any, causes, app.now()).await?;
    tx.commit().await?;
    app.events.publish(Event::Posture);
    Ok(StatusCode::NO_CONTENT)
}

/// What of the score changes when an asset goes.
pub(crate) async fn causes_of(
    app: &App,
    asset: AssetId,
) -> Result<Vec<Cause>, seareeve_store::StoreError> {
    let health = assets::health_of(&app.store, asset).await?;
    let causes = health.into_iter().map(|entry| Cause {
        recommendation: entry.health.recommendation,
        asset,
        asset_name: entry.asset_name,
        was: Some(entry.health.state.as_str().to_owned()),
        health: None,
    });
    Ok(causes.collect())
}

async fn found(app: &App, id: i64) -> ApiResult<(ConnectorId, Connector)> {
    let connector = connectors::get(&app.store, ConnectorId(id)).await?;
    let connector = connector.ok_or_else(|| ApiError::not_found("connector"))?;
    Ok((connector.id, wire(app, connector).await?))
}

async fn wire(app: &App, connector: connectors::Connector) -> ApiResult<Connector> {
    let settings = AzureSettings::of(&connector).map_err(ApiError::from_any)?;
    let assets = connectors::assets(&app.store).await?;
    let own = assets.iter().filter(|(of, _)| *of == connector.id).count();
    Ok(Connector {
        reading: jobs::is_reading(&app.store, connector.id).await?,
        id: connector.id.0,
        kind: connector.kind,
        name: connector.name,
        cloud: settings.cloud,
        credentials: settings.credentials,
        subscriptions: settings.subscriptions,
        every_hours: connector.every_hours,
        author: connector.author,
        created: connector.created,
        state: connector.state.as_str().to_owned(),
        tried: connector.tried,
        succeeded: connector.succeeded,
        problems: connector.problems,
        assets: u32::try_from(own).unwrap_or(u32::MAX),
    })
}
