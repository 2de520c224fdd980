//! What recommendations say of assets.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::numbers;
use crate::{AssetId, ExemptionId, Store, StoreError, Tx};

/// What a recommendation says of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthState {
    /// It needs nothing.
    Healthy,
    /// It needs what is recommended.
    Unhealthy,
    /// It is not concerned.
    NotApplicable,
    /// It could not be told, or was not yet.
    Unknown,
}

/// A recommendation's word on an asset, to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The recommendation.
    pub recommendation: String,
    /// What it says.
    pub state: HealthState,
    /// Why.
    pub reason: Option<String>,
    /// The exemption that takes the asset out.
    pub exemption: Option<ExemptionId>,
}

/// A stored one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthEntry {
    /// The asset.
    pub asset: AssetId,
    /// Its name.
    pub asset_name: String,
    /// Its kind, such as `docker-host`.
    pub asset_kind: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// What is said of it.
    pub health: Health,
    /// Since when the state is this one.
    pub since: Timestamp,
}

/// What a recommendation says of an asset now, and said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// The recommendation.
    pub recommendation: String,
    /// The asset's name.
    pub asset_name: String,
    /// What it said; nothing where it said nothing.
    pub was: Option<HealthState>,
    /// What it says; nothing where it says nothing any more.
    pub health: Option<HealthState>,
}

impl HealthState {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Healthy,
        Self::Unhealthy,
        Self::NotApplicable,
        Self::Unknown,
    ];

    /// The stable name used on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::NotApplicable => "not_applicable",
            Self::Unknown => "unknown",
        }
    }

    /// The state with the stable name `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What is read of each entry.
macro_rules! select_health {
    () => {
        "SELECT h.recommendation AS recommendation, h.asset AS asset, h.health AS health, \
           h.reason AS reason, h.exemption AS exemption, h.since AS since, h.name AS name, \
           a.kind AS kind, h.environment AS environment \
         FROM asset_health h JOIN asset a ON a.id = h.asset "
    };
}

pub(super) use select_health;

pub(super) fn from_row(row: &AnyRow) -> Result<HealthEntry, StoreError> {
    let columns = Columns::new(row, "asset_health", &["recommendation", "asset"]);
    Ok(HealthEntry {
        asset: AssetId(columns.int("asset")?),
        asset_name: columns.text("name")?,
        asset_kind: columns.text("kind")?,
        environment: columns.text("environment")?,
        health: Health {
            recommendation: columns.text("recommendation")?,
            state: columns.word("health", HealthState::parse)?,
            reason: columns.opt_text("reason")?,
            exemption: columns.opt_int("exemption")?.map(ExemptionId),
        },
        since: columns.time("since")?,
    })
}

pub(super) const OF_ASSET: &str = concat!(
    select_health!(),
    "WHERE h.asset = $1 ORDER BY h.recommendation"
);

/// What all recommendations say of an asset, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn health_in(tx: &mut Tx, asset: AssetId) -> Result<Vec<HealthEntry>, StoreError> {
    let rows = sqlx::query(OF_ASSET)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(from_row).collect()
}

const OF_ASSETS: &str = concat!(
    select_health!(),
    "WHERE h.asset IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) ORDER BY h.asset, h.recommendation"
);

/// What all recommendations say of these assets.
///
/// # Errors
/// When the database fails.
pub async fn health_of_all(
    store: &Store,
    assets: impl IntoIterator<Item = AssetId>,
) -> Result<Vec<HealthEntry>, StoreError> {
    let rows = sqlx::query(OF_ASSETS)
        .bind(numbers(assets.into_iter().map(|asset| asset.0)))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

/// What all recommendations say of an asset.
///
/// # Errors
/// When the database fails.
pub async fn health_of(store: &Store, asset: AssetId) -> Result<Vec<HealthEntry>, StoreError> {
    let rows = sqlx::query(OF_ASSET)
        .bind(asset.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}
