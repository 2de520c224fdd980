//! Connectors: whom the server asks for assets of clouds, what came of it, and which assets each brought.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json};
use crate::{AssetId, ConnectorId, Store, StoreError, Tx};

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// The row.
    pub id: ConnectorId,
    /// `azure`.
    pub kind: String,
    /// For people.
    pub name: String,
    /// What its kind wants to know, as JSON. Secrets are named there and never shown.
    pub settings: String,
    /// Hours between two runs; 0: only when asked.
    pub every_hours: u32,
    /// Whether it waits until somebody lets it go on.
    pub is_paused: bool,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// What came of the last run.
    pub state: ConnectorState,
    /// When it ended.
    pub tried: Option<Timestamp>,
    /// When the last one ended that brought something.
    pub succeeded: Option<Timestamp>,
    /// What went wrong with the last one as a whole, for people.
    pub problems: Vec<String>,
    /// What came of each subscription at the last run that brought something.
    pub subscriptions: Vec<SubscriptionRun>,
}

/// What came of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRun {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Clusters that were found in it.
    pub clusters: u32,
    /// Registries that were found in it.
    pub registries: u32,
    /// What could not be read of it, for people.
    pub problems: Vec<String>,
}

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// In one word.
    pub state: ConnectorState,
    /// What went wrong with it as a whole.
    pub problems: &'r [String],
    /// See [`Connector::subscriptions`]; nothing leaves those of the run before.
    pub subscriptions: Option<&'r [SubscriptionRun]>,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorState {
    /// There was none yet.
    New,
    /// All could be read.
    Ok,
    /// Some of it.
    Partial,
    /// Nothing.
    Failed,
}

/// A connector to make.
#[derive(Clone, Debug)]
pub struct NewConnector<'a> {
    /// See [`Connector::kind`].
    pub kind: &'a str,
    /// See [`Connector::name`].
    pub name: &'a str,
    /// See [`Connector::settings`].
    pub settings: &'a str,
    /// See [`Connector::every_hours`].
    pub every_hours: u32,
    /// See [`Connector::author`].
    pub author: &'a str,
}

impl ConnectorState {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::New, Self::Ok, Self::Partial, Self::Failed]
            .into_iter()
            .find(|one| one.as_str() == word)
    }
}

const CREATE: &str = "INSERT INTO connector (kind, name, settings, every_hours, author, created, state, problems) \
     VALUES ($1, $2, $3, $4, $5, $6, 'new', '[]') ON CONFLICT (name) DO NOTHING RETURNING id";

/// Makes a connector; nothing when there is one of this name.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    new: &NewConnector<'_>,
    now: Timestamp,
) -> Result<Option<ConnectorId>, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(new.kind))
        .bind(clean(new.name))
        .bind(clean(new.settings))
        .bind(i64::from(new.every_hours))
        .bind(clean(new.author))
        .bind(now.as_millisecond())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| {
        let id = Columns::new(&row, "connector", &["id"]).int("id")?;
        Ok(ConnectorId(id))
    })
    .transpose()
}

macro_rules! connector_columns {
    () => {
        "SELECT id, kind, name, settings, every_hours, paused, author, created, state, tried, succeeded, problems, \
           subscriptions FROM connector "
    };
}
const LIST: &str = concat!(connector_columns!(), "ORDER BY name, id");
const GET: &str = concat!(connector_columns!(), "WHERE id = $1");

/// All connectors, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Connector>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

/// A connector.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, id: ConnectorId) -> Result<Option<Connector>, StoreError> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &AnyRow) -> Result<Connector, StoreError> {
    let columns = Columns::new(row, "connector", &["id"]);
    Ok(Connector {
        id: ConnectorId(columns.int("id")?),
        kind: columns.text("kind")?,
        name: columns.text("name")?,
        settings: columns.text("settings")?,
        every_hours: columns.count("every_hours")?,
        is_paused: columns.int("paused")? != 0,
        author: columns.text("author")?,
        created: columns.time("created")?,
        state: columns.word("state", ConnectorState::parse)?,
        tried: columns.opt_time("tried")?,
        succeeded: columns.opt_time("succeeded")?,
        problems: columns.json("problems")?,
        subscriptions: columns.json("subscriptions")?,
    })
}

const CHANGE: &str = "UPDATE connector SET name = $2, settings = $3, every_hours = $4, paused = $5 WHERE id = $1 \
       AND NOT EXISTS (SELECT 1 FROM connector o WHERE o.name = $2 AND o.id <> $1)";

/// Keeps what was changed of a connector: its name, settings, hours, and whether it is paused. Returns `false` when
/// another one has the name.
///
/// # Errors
/// When the database fails.
pub async fn change(tx: &mut Tx, connector: &Connector) -> Result<bool, StoreError> {
    let done = sqlx::query(CHANGE)
        .bind(connector.id.0)
        .bind(clean(&connector.name))
        .bind(clean(&connector.settings))
        .bind(i64::from(connector.every_hours))
        .bind(i64::from(connector.is_paused))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const NOTE: &str = "UPDATE connector SET state = $2, tried = $3, problems = $4, \
       succeeded = CASE WHEN $2 = 'failed' THEN succeeded ELSE $3 END, \
       subscriptions = COALESCE($5, subscriptions) WHERE id = $1";

/// Notes what came of a run. Returns whether the connector is still there.
///
/// # Errors
/// When the database fails.
pub async fn note(
    tx: &mut Tx,
    id: ConnectorId,
    run: &Run<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(NOTE)
        .bind(id.0)
        .bind(run.state.as_str())
        .bind(now.as_millisecond())
        .bind(clean(&json(&run.problems)))
        .bind(run.subscriptions.map(|all| clean(&json(&all))))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const CLAIM: &str = "INSERT INTO connector_asset (connector, asset) SELECT id, $2 FROM connector WHERE id = $1 \
     ON CONFLICT (connector, asset) DO NOTHING";

/// Says that a connector brought an asset. A connector that is gone has brought nothing.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, id: ConnectorId, asset: AssetId) -> Result<(), StoreError> {
    sqlx::query(CLAIM)
        .bind(id.0)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const ASSETS: &str = "SELECT connector, asset FROM connector_asset ORDER BY connector, asset";

/// Which connector brought which assets.
///
/// # Errors
/// When the database fails.
pub async fn assets(store: &Store) -> Result<Vec<(ConnectorId, AssetId)>, StoreError> {
    let rows = sqlx::query(ASSETS).fetch_all(&store.pool).await?;
    let pair = |row: &AnyRow| {
        let columns = Columns::new(row, "connector_asset", &["connector", "asset"]);
        Ok((
            ConnectorId(columns.int("connector")?),
            AssetId(columns.int("asset")?),
        ))
    };
    rows.iter().map(pair).collect()
}

const RELEASE: &str = "DELETE FROM connector_asset WHERE connector = $1 AND asset = $2";
const IS_HELD: &str = "SELECT connector FROM connector_asset WHERE asset = $1 LIMIT 1";

/// Says that a connector no longer finds an asset. Returns whether no other one does.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, id: ConnectorId, asset: AssetId) -> Result<bool, StoreError> {
    sqlx::query(RELEASE)
        .bind(id.0)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    let held = sqlx::query(IS_HELD)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    Ok(held.is_none())
}

const DELETE: &str = "DELETE FROM connector WHERE id = $1";

/// Forgets a connector. What becomes of its assets is told before, by [`release`].
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: ConnectorId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
