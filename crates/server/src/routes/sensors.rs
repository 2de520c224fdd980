//! Sensors: how they join, and what they send.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use seareeve_api::{
    ErrorBody, Event, FactsChanged, FactsIndexed, FactsTaken, Join, Joined, Sensor, SensorList,
};
use seareeve_model::{Digest, FactDelta, FactIndex, Snapshot};
use seareeve_store::assets::{self, Engine, NewFacts};
use seareeve_store::clusters::{self, Membership};
use seareeve_store::users::Role;
use seareeve_store::{SensorId, environments, join_tokens, sensors};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use crate::auth::caller::Caller;
use crate::auth::secret::{self, Secret};
use crate::auth::sensor::{PREFIX, SensorCaller};
use crate::clusters::intake::{self, IntakeError, Sender};
use crate::clusters::membership;
use crate::error::{ApiError, ApiResult};
use crate::jobs;
use crate::posture::{self, listed, placing};
use crate::routes::session::address;
use crate::state::App;

/// The largest body of facts, in bytes: 500 containers and as many images have some 10 MB.
pub(super) const FACTS_LIMIT: usize = 32 * 1024 * 1024;
/// Characters of a name or id.
const MOST_CHARACTERS: usize = 255;
/// A sensor sends its facts once a day in any case.
const SILENT: SignedDuration = SignedDuration::from_hours(25);
/// Kinds of facts in one snapshot.
const MOST_KINDS: usize = 64;
/// The kinds of assets that sensors send facts of.
const KINDS: [&str; 1] = ["docker-host"];

/// Join as a sensor, by a join token. The answer has the sensor's own token, and nothing else ever has.
#[utoipa::path(post, operation_id = "join", path = "/api/v1/join", tag = "sensors", security(()), request_body = Join,
    responses((status = 201, body = Joined), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(super) async fn join(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(given): Json<Join>,
) -> ApiResult<(StatusCode, Json<Joined>)> {
    app.limiter
        .check_address(address(&app, peer, &headers))
        .map_err(ApiError::rate_limited)?;
    let name = given.name.trim();
    if !is_name(name) || given.version.chars().count() > 100 {
        return Err(ApiError::bad_request(
            "a sensor has a name of 1 to 255 characters, and a version of at most 100",
        ));
    }
    let now = app.now();
    let own = Secret::generate(PREFIX)?;
    let mut tx = app.store.begin().await?;
    let used = join_tokens::spend(&mut tx, &secret::hash(&given.token), now).await?;
    let Some(joined_by) = used else {
        warn!(peer = %peer.ip(), "a sensor's join token was refused");
        return Err(ApiError::bad_credentials(
            "the join token is unknown, used up or has expired: make another one",
        ));
    };
    let id = sensors::create(&mut tx, &own.hash, name, &given.version, &joined_by, now).await?;
    environments::pass_to_sensor(&mut tx, id, &secret::hash(&given.token)).await?;
    tx.commit().await?;
    info!(sensor.id = id.0, name, "a sensor joined");
    let joined = Joined {
        id: id.0,
        token: own.text,
    };
    Ok((StatusCode::CREATED, Json(joined)))
}

/// Send the facts of a machine (`seareeve.facts/1`). For sensors. They take the place of the last ones, and are judged
/// soon after if they differ.
#[utoipa::path(put, operation_id = "put_facts", path = "/api/v1/facts", tag = "sensors",
    security(("sensor" = [])), request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = FactsTaken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn put_facts(
    State(app): State<Arc<App>>,
    SensorCaller(sensor): SensorCaller,
    body: Bytes,
) -> ApiResult<Json<FactsTaken>> {
    let turn = app.reading_facts.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let reading = tokio::task::spawn_blocking(move || Read::new(&body));
    let read = reading.await.map_err(ApiError::internal)?;
    let read = match read.map_err(ApiError::internal)? {
        Ok(read) => read,
        Err(why) => return Err(ApiError::bad_request(why)),
    };
    let now = app.now();
    let mut tx = app.store.begin().await?;
    let taken = assets::put_facts(&mut tx, &read.facts(), now).await?;
    // A stolen token must not be able to speak for other machines.
    if sensor.asset.is_some_and(|asset| asset != taken.asset) {
        return Err(ApiError::conflict(
            "this sensor sends facts of another machine: if this one was cloned or its machine id changed, join anew",
        ));
    }
    if sensor.asset.is_none() {
        placing::bind(&app, &mut tx, sensor.id, taken.asset, now).await?;
    }
    if taken.is_changed {
        jobs::enqueue_assess(&mut tx, Some(taken.asset), now).await?;
        if clusters::put_node(&mut tx, taken.asset, read.membership.as_ref()).await? {
            // Which cluster it is a node of is for each to say: those that it does not concern find nothing changed.
            for cluster in assets::all(&app.store, clusters::KIND).await? {
                jobs::enqueue_assess(&mut tx, Some(cluster.id), now).await?;
            }
        }
    }
    tx.commit().await?;
    if taken.is_changed {
        app.wake.notify_waiters();
        app.events.publish(Event::Posture);
    }
    Ok(Json(FactsTaken {
        host: taken.asset.0,
        changed: taken.is_changed,
    }))
}

/// Facts that were read and checked.
struct Read {
    snapshot: Snapshot,
    engines: Vec<Engine>,
    /// What it says of itself as a node of a cluster.
    membership: Option<Membership>,
    digest: Digest,
    content: Vec<u8>,
}

impl Read {
    /// The inner error is the sender's fault.
    fn new(body: &[u8]) -> anyhow::Result<Result<Self, String>> {
        let snapshot: Snapshot = match serde_json::from_slice(body) {
            Ok(snapshot) => snapshot,
            Err(error) => return Ok(Err(format!("the body is no {}: {error}", Snapshot::SCHEMA))),
        };
        if let Err(why) = check(&snapshot) {
            return Ok(Err(why));
        }
        // When they were collected is no part of what they say.
        let timeless = Snapshot {
            collected_at: Timestamp::UNIX_EPOCH,
            ..snapshot
        };
        let hash = Sha256::digest(serde_json::to_vec(&timeless)?);
        let snapshot = Snapshot {
            collected_at: snapshot.collected_at,
            ..timeless
        };
        let content = posture::pack(&snapshot).context("failed to keep facts")?;
        Ok(Ok(Self {
            engines: listed::engines(&snapshot),
            membership: membership(&snapshot)?,
            digest: Digest::sha256(&hash.into()),
            content,
            snapshot,
        }))
    }

    fn facts(&self) -> NewFacts<'_> {
        NewFacts {
            kind: &self.snapshot.asset_kind,
            external_id: &self.snapshot.asset_id,
            name: &self.snapshot.asset_name,
            collector: &self.snapshot.collector,
            engines: &self.engines,
            containers: listed::count(&self.snapshot, "docker.container"),
            running: listed::running(&self.snapshot),
            images: listed::count(&self.snapshot, "docker.image"),
            digest: &self.digest,
            collected_at: self.snapshot.collected_at,
            content: &self.content,
        }
    }
}

fn check(snapshot: &Snapshot) -> Result<(), String> {
    if snapshot.schema != Snapshot::SCHEMA {
        return Err(format!(
            "this server understands {}, and the facts are {:?}",
            Snapshot::SCHEMA,
            snapshot.schema.chars().take(100).collect::<String>()
        ));
    }
    if !KINDS.contains(&snapshot.asset_kind.as_str()) {
        return Err(format!("the asset is none of {}", KINDS.join(", ")));
    }
    if !is_name(&snapshot.asset_id) || !is_name(&snapshot.asset_name) {
        return Err("an asset has an id and a name of 1 to 255 characters".to_owned());
    }
    if snapshot.collector.chars().count() > MOST_CHARACTERS || snapshot.facts.len() > MOST_KINDS {
        return Err(format!(
            "the collector's name has more than {MOST_CHARACTERS} characters, or there are more than {MOST_KINDS} kinds"
        ));
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=MOST_CHARACTERS).contains(&length) && !text.chars().any(char::is_control)
}

/// Say what facts there are of a cluster (`seareeve.fact-index/1`), by their hashes. For sensors. The answer names those
/// that are to be sent; what is there and not named is gone.
#[utoipa::path(put, operation_id = "put_fact_index", path = "/api/v1/facts/index", tag = "sensors",
    security(("sensor" = [])), request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = FactsIndexed), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn put_index(
    State(app): State<Arc<App>>,
    SensorCaller(sensor): SensorCaller,
    body: Bytes,
) -> ApiResult<Json<FactsIndexed>> {
    let turn = app.reading_facts.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let index: FactIndex = parsed(body, FactIndex::SCHEMA).await?;
    let taken = intake::index(&app, Sender::Sensor(&sensor), &index).await?;
    let wanted = taken.wanted.into_iter();
    Ok(Json(FactsIndexed {
        asset: taken.asset.0,
        revision: taken.revision,
        wanted: wanted.map(|(kind, ids)| (kind.into(), ids)).collect(),
    }))
}

/// Send facts of a cluster that are new, different or gone (`seareeve.fact-delta/1`). For sensors. They go on from the
/// revision that the last answer named; 409 says that there is another one, and that an index is wanted.
#[utoipa::path(patch, operation_id = "patch_facts", path = "/api/v1/facts", tag = "sensors",
    security(("sensor" = [])), request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = FactsChanged), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(super) async fn patch_facts(
    State(app): State<Arc<App>>,
    SensorCaller(sensor): SensorCaller,
    body: Bytes,
) -> ApiResult<Json<FactsChanged>> {
    let turn = app.reading_facts.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let delta: FactDelta = parsed(body, FactDelta::SCHEMA).await?;
    let revision = intake::delta(&app, Sender::Sensor(&sensor), delta).await?;
    Ok(Json(FactsChanged { revision }))
}

/// A large body takes a while.
async fn parsed<T: serde::de::DeserializeOwned + Send + 'static>(
    body: Bytes,
    schema: &'static str,
) -> ApiResult<T> {
    let parsing = tokio::task::spawn_blocking(move || serde_json::from_slice(&body));
    let parsed = parsing.await.map_err(ApiError::internal)?;
    parsed.map_err(|error: serde_json::Error| {
        ApiError::bad_request(format!("the body is no {schema}: {error}"))
    })
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Refused(why) => Self::bad_request(why),
            IntakeError::Foreign => Self::conflict(error.to_string()),
            IntakeError::Stale => Self::stale_facts(error.to_string()),
            IntakeError::TooMany => Self::too_large(error.to_string()),
            IntakeError::Store(error) => error.into(),
        }
    }
}

/// The sensors that joined.
#[utoipa::path(get, operation_id = "list_sensors", path = "/api/v1/sensors", tag = "sensors",
    responses((status = 200, body = SensorList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _caller: Caller,
) -> ApiResult<Json<SensorList>> {
    let sensors = sensors::list(&app.store).await?;
    let now = app.now();
    Ok(Json(SensorList {
        sensors: sensors.into_iter().map(|one| wire(one, now)).collect(),
    }))
}

fn wire(sensor: sensors::Sensor, now: Timestamp) -> Sensor {
    let host = sensor.host;
    // "seareeve 0.1.0": an upgraded sensor says so with its next facts.
    let collector = host
        .as_ref()
        .and_then(|host| host.collector.split_once(' '));
    let version = collector.map(|(_, version)| version.to_owned());
    Sensor {
        id: sensor.id.0,
        name: sensor.name,
        version: version.unwrap_or(sensor.version),
        joined_by: sensor.joined_by,
        host: sensor.asset.map(|asset| asset.0),
        host_name: host.as_ref().map(|host| host.name.clone()),
        kind: host.as_ref().map(|host| host.kind.clone()),
        environment: host.map(|host| host.environment),
        silent: now.duration_since(sensor.last_seen) > SILENT,
        joined: sensor.created,
        last_seen: sensor.last_seen,
    }
}

/// Take a sensor out: its token ends, what it sent stays. For security admins.
#[utoipa::path(delete, operation_id = "delete_sensor", path = "/api/v1/sensors/{id}", tag = "sensors",
    params(("id" = i64, Path, description = "The sensor")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    caller.require(Role::SecurityAdmin)?;
    let mut tx = app.store.begin().await?;
    if !sensors::delete(&mut tx, SensorId(id)).await? {
        return Err(ApiError::not_found("sensor"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
