//! Assets whose configuration is judged: what was seen of them last, and what is said of them.

mod compliance;
mod health;
mod list;
mod needs;
mod save;
mod verdicts;

use jiff::Timestamp;
use seareeve_model::Digest;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json, size};
use crate::{
    AssetId, SeverityCounts, Store, StoreError, Tx, control_counts, environments, health_counts,
};

pub use compliance::{
    ControlFilter, ControlTally, Scope, assets_in, control_in, dated, failed_objects,
    objects_of_check, tally,
};
pub use health::{
    Health, HealthChange, HealthEntry, HealthState, health_in, health_of, health_of_all,
};
pub use list::{AssetFilter, AssetSort, list};
pub use needs::{AssetNeeds, NeedsFilter, StandingFilter, needs, needs_of, standing};
pub use save::{ControlRow, Judged, ObjectRow, save_judged};
pub use verdicts::{
    BenchmarkControl, ControlChange, ControlVerdict, ObjectVerdict, controls_of, history,
    objects_of,
};
pub(crate) use verdicts::{CONTROLS_OF, control_from_row};

/// An asset as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The row.
    pub id: AssetId,
    /// `docker-host`.
    pub kind: String,
    /// What its collector recognises it by.
    pub external_id: String,
    /// For people.
    pub name: String,
    /// The program that collected its facts last.
    pub collector: String,
    /// When its facts came first.
    pub first_seen: Timestamp,
    /// When they came last, also when nothing had changed.
    pub last_seen: Timestamp,
    /// Its container engines.
    pub engines: Vec<Engine>,
    /// Containers on it; nothing where that is not known, as for the following.
    pub containers: Option<u64>,
    /// Of them, those that run.
    pub running: Option<u64>,
    /// Images on it.
    pub images: Option<u64>,
    /// All that is said of it, as one word.
    pub state: HealthState,
    /// Why.
    pub reason: Option<String>,
    /// When it was judged last; never, if nothing.
    pub judged: Option<Timestamp>,
    /// Its failed controls, by severity.
    pub failed: SeverityCounts,
}

/// A container engine of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// `docker` or `podman`.
    pub product: String,
    /// As it says.
    pub version: String,
    /// Where it listens.
    pub endpoint: String,
    /// Whether it runs without root.
    pub rootless: bool,
}

/// What came from a collector.
#[derive(Clone, Debug)]
pub struct NewFacts<'a> {
    /// See [`Asset::kind`].
    pub kind: &'a str,
    /// See [`Asset::external_id`].
    pub external_id: &'a str,
    /// See [`Asset::name`].
    pub name: &'a str,
    /// See [`Asset::collector`].
    pub collector: &'a str,
    /// See [`Asset::engines`].
    pub engines: &'a [Engine],
    /// See [`Asset::containers`].
    pub containers: Option<u64>,
    /// See [`Asset::running`].
    pub running: Option<u64>,
    /// See [`Asset::images`].
    pub images: Option<u64>,
    /// Of the facts without their time: equal ones say the same.
    pub digest: &'a Digest,
    /// When they were collected.
    pub collected_at: Timestamp,
    /// Zstd of JSON.
    pub content: &'a [u8],
}

/// What [`put_facts`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutFacts {
    /// The asset.
    pub asset: AssetId,
    /// Whether the facts differ from the last ones.
    pub is_changed: bool,
}

/// The last facts of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// See [`NewFacts::digest`].
    pub digest: Digest,
    /// See [`NewFacts::collected_at`].
    pub collected_at: Timestamp,
    /// See [`NewFacts::content`].
    pub content: Vec<u8>,
}

const KNOWN: &str = "SELECT a.id AS id, s.digest AS digest FROM asset a \
     LEFT JOIN asset_snapshot s ON s.asset = a.id WHERE a.kind = $1 AND a.external_id = $2";
const INSERT: &str = "INSERT INTO asset (kind, external_id, name, collector, first_seen, last_seen, engines, \
       containers, running, images, state, critical, high, medium, low, unknown) \
     VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, 'unknown', 0, 0, 0, 0, 0) RETURNING id";
const UPDATE: &str = "UPDATE asset SET name = $2, collector = $3, last_seen = $4, engines = $5, \
       containers = $6, running = $7, images = $8 WHERE id = $1";
const SEEN: &str = "UPDATE asset SET last_seen = $2 WHERE id = $1";
const PUT_SNAPSHOT: &str = "INSERT INTO asset_snapshot (asset, digest, collected_at, content) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (asset) DO UPDATE SET digest = excluded.digest, collected_at = excluded.collected_at, \
       content = excluded.content";

/// Keeps what was seen of an asset in place of what was seen before. The same facts again only say that it was seen.
///
/// # Errors
/// When the database fails.
pub async fn put_facts(
    tx: &mut Tx,
    facts: &NewFacts<'_>,
    now: Timestamp,
) -> Result<PutFacts, StoreError> {
    let known = sqlx::query(KNOWN)
        .bind(clean(facts.kind))
        .bind(clean(facts.external_id))
        .fetch_optional(tx.connection())
        .await?;
    let known = match &known {
        None => None,
        Some(row) => {
            let columns = Columns::new(row, "asset", &["id"]);
            let id = AssetId(columns.int("id")?);
            Some((id, columns.opt_text("digest")?))
        }
    };
    if let Some((asset, Some(digest))) = &known
        && digest == facts.digest.as_str()
    {
        sqlx::query(SEEN)
            .bind(asset.0)
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
        return Ok(PutFacts {
            asset: *asset,
            is_changed: false,
        });
    }
    let asset = match known {
        Some((asset, _)) => {
            sqlx::query(UPDATE)
                .bind(asset.0)
                .bind(clean(facts.name))
                .bind(clean(facts.collector))
                .bind(now.as_millisecond())
                .bind(clean(&json(&facts.engines)))
                .bind(facts.containers.map(size))
                .bind(facts.running.map(size))
                .bind(facts.images.map(size))
                .execute(tx.connection())
                .await?;
            asset
        }
        None => {
            let row = sqlx::query(INSERT)
                .bind(clean(facts.kind))
                .bind(clean(facts.external_id))
                .bind(clean(facts.name))
                .bind(clean(facts.collector))
                .bind(now.as_millisecond())
                .bind(clean(&json(&facts.engines)))
                .bind(facts.containers.map(size))
                .bind(facts.running.map(size))
                .bind(facts.images.map(size))
                .fetch_one(tx.connection())
                .await?;
            AssetId(Columns::new(&row, "asset", &["id"]).int("id")?)
        }
    };
    sqlx::query(PUT_SNAPSHOT)
        .bind(asset.0)
        .bind(facts.digest.as_str())
        .bind(facts.collected_at.as_millisecond())
        .bind(facts.content.to_vec())
        .execute(tx.connection())
        .await?;
    Ok(PutFacts {
        asset,
        is_changed: true,
    })
}

const FACTS: &str =
    "SELECT asset, digest, collected_at, content FROM asset_snapshot WHERE asset = $1";

/// The last facts of an asset.
///
/// # Errors
/// When the database fails.
pub async fn facts(store: &Store, asset: AssetId) -> Result<Option<Facts>, StoreError> {
    let row = sqlx::query(FACTS)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "asset_snapshot", &["asset"]);
    Ok(Some(Facts {
        digest: columns.parsed("digest")?,
        collected_at: columns.time("collected_at")?,
        content: columns.bytes("content")?,
    }))
}

macro_rules! asset_columns {
    () => {
        "a.id AS id, a.kind AS kind, a.external_id AS external_id, a.name AS name, \
         a.collector AS collector, a.first_seen AS first_seen, a.last_seen AS last_seen, \
         a.engines AS engines, a.containers AS containers, a.running AS running, a.images AS images, \
         a.state AS state, a.reason AS reason, a.judged AS judged, a.critical AS critical, \
         a.high AS high, a.medium AS medium, a.low AS low, a.unknown AS unknown "
    };
}
use asset_columns;

fn from_row(row: &AnyRow) -> Result<Asset, StoreError> {
    let columns = Columns::new(row, "asset", &["id"]);
    Ok(Asset {
        id: AssetId(columns.int("id")?),
        kind: columns.text("kind")?,
        external_id: columns.text("external_id")?,
        name: columns.text("name")?,
        collector: columns.text("collector")?,
        first_seen: columns.time("first_seen")?,
        last_seen: columns.time("last_seen")?,
        engines: columns.json("engines")?,
        containers: columns.opt_count("containers")?,
        running: columns.opt_count("running")?,
        images: columns.opt_count("images")?,
        state: columns.word("state", HealthState::parse)?,
        reason: columns.opt_text("reason")?,
        judged: columns.opt_time("judged")?,
        failed: columns.severity_counts()?,
    })
}

const GET: &str = concat!("SELECT ", asset_columns!(), "FROM asset a WHERE a.id = $1");

/// An asset.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, asset: AssetId) -> Result<Option<Asset>, StoreError> {
    let row = sqlx::query(GET)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const ALL: &str = concat!(
    "SELECT ",
    asset_columns!(),
    "FROM asset a WHERE ($1 = '' OR a.kind = $1) ORDER BY a.id"
);

/// All assets of a kind, or of all kinds for an empty one.
///
/// # Errors
/// When the database fails.
pub async fn all(store: &Store, kind: &str) -> Result<Vec<Asset>, StoreError> {
    let rows = sqlx::query(ALL).bind(kind).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const DELETE: &str = "DELETE FROM asset WHERE id = $1";

/// Forgets an asset and all that is said of it; its sensors have to join anew. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, asset: AssetId) -> Result<bool, StoreError> {
    health_counts::leave(tx, asset).await?;
    if let Some(environment) = environments::of_these(tx, [asset]).await?.remove(&asset) {
        let gone = control_counts::taken(control_counts::of_asset(tx, asset).await?);
        control_counts::shift(tx, &["", &environment], &gone).await?;
    }
    let done = sqlx::query(DELETE)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
