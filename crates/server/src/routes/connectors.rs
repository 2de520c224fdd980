//! Connectors to clouds.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use seareeve_api::{
    ChangeConnector, Connector, ConnectorList, ConnectorSubscription, ConnectorTest, ErrorBody,
    Event, NewConnector, TestedSubscription,
};
use seareeve_collect::azure::Limits;
use seareeve_store::users::Role;
use seareeve_store::{ConnectorId, connectors};

use crate::auth::caller::Caller;
use crate::connectors::{AZURE, AzureSettings, Fault};
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::posture;
use crate::posture::scoring::{self, Differ};
use crate::state::App;

/// Connectors at most.
const MOST: usize = 100;
/// Subscriptions that one can name.
const MOST_SUBSCRIPTIONS: usize = 500;
/// Longest pause between two runs.
const MOST_HOURS: u32 = 720;
/// What trying credentials may take: somebody waits for it.
const TRIED: Limits = Limits {
    connect: Duration::from_secs(10),
    silence: Duration::from_secs(15),
    answer: Duration::from_secs(20),
    total: Duration::from_secs(40),
    pause: Duration::from_secs(5),
    attempts: 2,
    answer_bytes: 8 << 20,
    kept_bytes: 16 << 20,
    pages: 20,
    items: 5_000,
    subscriptions: 1_000,
};

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
    check(name, given.every_hours)?;
    let settings = settings(&app, &given)?;
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
        return Err(taken());
    };
    jobs::enqueue_read(&mut tx, id, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    let (_, shown) = found(&app, id.0).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Change what is said of a connector, or let it pause or go on. It reads at once where it would see something else. For
/// security admins.
#[utoipa::path(patch, operation_id = "change_connector", path = "/api/v1/connectors/{id}", tag = "connectors", request_body = ChangeConnector,
    params(("id" = i64, Path, description = "The connector")),
    responses((status = 200, body = Connector), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(given): Json<ChangeConnector>,
) -> ApiResult<Json<Connector>> {
    caller.require(Role::SecurityAdmin)?;
    let known = stored(&app, id).await?;
    let before = AzureSettings::of(&known).map_err(ApiError::from_any)?;
    let after = AzureSettings {
        cloud: given.cloud.unwrap_or_else(|| before.cloud.clone()),
        credentials: given
            .credentials
            .unwrap_or_else(|| before.credentials.clone()),
        subscriptions: given
            .subscriptions
            .unwrap_or_else(|| before.subscriptions.clone()),
    };
    check_settings(&app, &after)?;
    let changed = connectors::Connector {
        name: given.name.map_or(known.name, |name| name.trim().to_owned()),
        settings: serde_json::to_string(&after).map_err(ApiError::internal)?,
        every_hours: given.every_hours.unwrap_or(known.every_hours),
        is_paused: given.paused.unwrap_or(known.is_paused),
        ..known
    };
    check(&changed.name, changed.every_hours)?;
    let sees_something_else = after != before && !changed.is_paused;
    let now = app.now();
    let mut tx = app.store.begin().await?;
    if !connectors::change(&mut tx, &changed).await? {
        return Err(taken());
    }
    if sees_something_else && !jobs::is_reading(&app.store, changed.id).await? {
        jobs::enqueue_read(&mut tx, changed.id, now).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    let (_, shown) = found(&app, id).await?;
    Ok(Json(shown))
}

/// Try a connector's credentials: whether it can log in, and which subscriptions it sees. Nothing in them is read, and
/// nothing is kept. For operators.
#[utoipa::path(post, operation_id = "test_connector", path = "/api/v1/connectors/{id}/test", tag = "connectors",
    params(("id" = i64, Path, description = "The connector")),
    responses((status = 200, body = ConnectorTest), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<Json<ConnectorTest>> {
    caller.require(Role::Operator)?;
    let known = stored(&app, id).await?;
    let settings = AzureSettings::of(&known).map_err(ApiError::from_any)?;
    try_out(&app, settings).await.map(Json)
}

/// The same for one that is not made yet. For security admins.
#[utoipa::path(post, operation_id = "test_new_connector", path = "/api/v1/connectors/test", tag = "connectors", request_body = NewConnector,
    responses((status = 200, body = ConnectorTest), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(super) async fn test_new(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(given): Json<NewConnector>,
) -> ApiResult<Json<ConnectorTest>> {
    caller.require(Role::SecurityAdmin)?;
    let settings = settings(&app, &given)?;
    try_out(&app, settings).await.map(Json)
}

async fn try_out(app: &Arc<App>, settings: AzureSettings) -> ApiResult<ConnectorTest> {
    let worker = Arc::clone(app);
    let trying = move || {
        let mut azure = jobs::azure(&worker, &settings, TRIED)?;
        anyhow::Ok(azure.test(&settings.subscriptions)?)
    };
    let tried = tokio::task::spawn_blocking(trying).await;
    Ok(match tried.map_err(ApiError::internal)? {
        Ok((seen, gap)) => ConnectorTest {
            ok: gap.is_none() && !seen.is_empty(),
            problem: gap.map(|gap| gap.detail).or_else(|| {
                let none = "it sees no subscription: give the identity the role Reader on one";
                seen.is_empty().then(|| none.to_owned())
            }),
            subscriptions: seen
                .into_iter()
                .take(MOST_SUBSCRIPTIONS)
                .map(|one| TestedSubscription {
                    id: one.id,
                    name: one.name,
                    state: one.state,
                })
                .collect(),
        },
        // Whatever it is, it is what was asked for: no failure of this request.
        Err(error) => ConnectorTest {
            ok: false,
            problem: Some(format!("{error:#}")),
            subscriptions: Vec::new(),
        },
    })
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
    let now = app.now();
    let all = connectors::assets(&app.store).await?;
    let own = all.into_iter().filter(|(connector, _)| *connector == id);
    let mut causes = Vec::new();
    let mut tx = app.store.begin().await?;
    for (_, asset) in own {
        if connectors::release(&mut tx, id, asset).await? {
            let lost = posture::forget(&app, &mut tx, asset, now).await?;
            causes.extend(lost.unwrap_or_default());
        }
    }
    if !connectors::delete(&mut tx, id).await? {
        return Err(ApiError::not_found("connector"));
    }
    scoring::note(&mut tx, &app.content(), Differ::Any, causes, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    app.events.publish(Event::Posture);
    Ok(StatusCode::NO_CONTENT)
}

fn is_text(text: &str) -> bool {
    (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn check(name: &str, every_hours: u32) -> ApiResult<()> {
    if !is_text(name) {
        let why = "a connector has a name of 1 to 100 characters";
        return Err(ApiError::bad_field("name", why));
    }
    if every_hours > MOST_HOURS {
        let why = "a connector reads every 720 hours or more often; 0: only when asked";
        return Err(ApiError::bad_field("every_hours", why));
    }
    Ok(())
}

/// What a new one wants to know, checked.
fn settings(app: &App, given: &NewConnector) -> ApiResult<AzureSettings> {
    if given.kind != AZURE {
        let why = "a connector is of the kind azure";
        return Err(ApiError::bad_field("kind", why));
    }
    let settings = AzureSettings {
        cloud: given.cloud.clone(),
        credentials: given.credentials.clone(),
        subscriptions: given.subscriptions.clone(),
    };
    check_settings(app, &settings)?;
    Ok(settings)
}

fn check_settings(app: &App, settings: &AzureSettings) -> ApiResult<()> {
    let subscriptions = &settings.subscriptions;
    if subscriptions.len() > MOST_SUBSCRIPTIONS || !subscriptions.iter().all(|one| is_text(one)) {
        return Err(ApiError::bad_field(
            "subscriptions",
            "a connector names at most 500 subscriptions, each by 1 to 100 characters",
        ));
    }
    match settings.fault(&app.config) {
        Some(Fault { field, why }) => Err(ApiError::bad_field(field, why)),
        None => Ok(()),
    }
}

fn taken() -> ApiError {
    ApiError::conflict("there is a connector of this name")
}

async fn stored(app: &App, id: i64) -> ApiResult<connectors::Connector> {
    let connector = connectors::get(&app.store, ConnectorId(id)).await?;
    connector.ok_or_else(|| ApiError::not_found("connector"))
}

async fn found(app: &App, id: i64) -> ApiResult<(ConnectorId, Connector)> {
    let connector = stored(app, id).await?;
    Ok((connector.id, wire(app, connector).await?))
}

async fn wire(app: &App, connector: connectors::Connector) -> ApiResult<Connector> {
    let settings = AzureSettings::of(&connector).map_err(ApiError::from_any)?;
    let assets = connectors::assets(&app.store).await?;
    let own = assets.iter().filter(|(of, _)| *of == connector.id).count();
    let pause = SignedDuration::from_hours(i64::from(connector.every_hours));
    let goes_on = !connector.is_paused && connector.every_hours > 0;
    let next = match connector.tried {
        Some(tried) => tried.checked_add(pause).ok(),
        None => Some(connector.created),
    };
    Ok(Connector {
        reading: jobs::is_reading(&app.store, connector.id).await?,
        id: connector.id.0,
        kind: connector.kind,
        name: connector.name,
        cloud: settings.cloud,
        credentials: settings.credentials,
        subscriptions: settings.subscriptions,
        every_hours: connector.every_hours,
        paused: connector.is_paused,
        next: next.filter(|_| goes_on),
        author: connector.author,
        created: connector.created,
        state: connector.state.as_str().to_owned(),
        tried: connector.tried,
        succeeded: connector.succeeded,
        problems: connector.problems,
        seen: connector
            .subscriptions
            .into_iter()
            .map(|one| ConnectorSubscription {
                id: one.id,
                name: one.name,
                clusters: one.clusters,
                registries: one.registries,
                problems: one.problems,
            })
            .collect(),
        assets: u32::try_from(own).unwrap_or(u32::MAX),
    })
}
