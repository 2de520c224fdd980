//! Assets of all kinds by what they need, and the assets of one recommendation.

use jiff::Timestamp;

use super::health::{self, HealthEntry, HealthState};
use crate::columns::Columns;
use crate::rows::{clean, contains_pattern, int};
use crate::{AssetId, Cursor, Page, Store, StoreError};

/// An asset with what recommendations say of it, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetNeeds {
    /// The asset.
    pub id: AssetId,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// All that is said of it, as one word.
    pub state: HealthState,
    /// Why.
    pub reason: Option<String>,
    /// When facts of it came last.
    pub last_seen: Timestamp,
    /// Recommendations that it needs.
    pub unhealthy: u64,
    /// Those that it fulfils.
    pub healthy: u64,
    /// Those that do not concern it, or that it is exempt from.
    pub not_applicable: u64,
    /// Those that could not be told.
    pub unknown: u64,
    /// Of a cluster: whether it is seen from within, rather than by its cloud alone.
    pub is_within: bool,
    /// The cluster that it is judged as a part of.
    pub part_of: Option<AssetId>,
}

/// Which assets. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeedsFilter {
    /// Of this kind; of all for an empty one.
    pub kind: String,
    /// Of this environment; of all for an empty one.
    pub environment: String,
    /// Part of the name; case does not matter.
    pub query: String,
    /// With this state.
    pub state: Option<HealthState>,
}

macro_rules! select_needs {
    () => {
        "SELECT a.id AS id, a.kind AS kind, a.name AS name, a.environment AS environment, a.state AS state, \
           a.reason AS reason, a.last_seen AS last_seen, \
           COALESCE(h.unhealthy, 0) AS unhealthy, COALESCE(h.healthy, 0) AS healthy, \
           COALESCE(h.not_applicable, 0) AS not_applicable, COALESCE(h.unknown, 0) AS unknown, \
           CASE WHEN EXISTS (SELECT 1 FROM cluster w WHERE w.asset = a.id) THEN 1 ELSE 0 END AS is_within, \
           j.cluster AS part_of \
         FROM asset a LEFT JOIN (SELECT asset, \
             CAST(SUM(CASE health WHEN 'unhealthy' THEN 1 ELSE 0 END) AS BIGINT) AS unhealthy, \
             CAST(SUM(CASE health WHEN 'healthy' THEN 1 ELSE 0 END) AS BIGINT) AS healthy, \
             CAST(SUM(CASE health WHEN 'not_applicable' THEN 1 ELSE 0 END) AS BIGINT) AS not_applicable, \
             CAST(SUM(CASE health WHEN 'unknown' THEN 1 ELSE 0 END) AS BIGINT) AS unknown \
           FROM asset_health GROUP BY asset) h ON h.asset = a.id \
         LEFT JOIN cluster_side j ON j.cloud = a.id "
    };
}

const NEEDS: &str = concat!(
    select_needs!(),
    "WHERE ($1 = '' OR a.kind = $1) AND ($2 = '' OR a.environment = $2) \
       AND ($3 = '' OR lower(a.name) LIKE $3 ESCAPE '!') AND ($4 = '' OR a.state = $4) AND j.cluster IS NULL \
       AND ($5 = 0 OR (COALESCE(h.unhealthy, 0), a.id) < ($6, $7)) \
     ORDER BY COALESCE(h.unhealthy, 0) DESC, a.id DESC LIMIT $8"
);

/// Assets, those that need most first, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn needs(
    store: &Store,
    filter: &NeedsFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<AssetNeeds>, StoreError> {
    let key: [i64; 2] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
    let query = sqlx::query(NEEDS)
        .bind(clean(&filter.kind))
        .bind(clean(&filter.environment))
        .bind(contains_pattern(&filter.query))
        .bind(filter.state.map_or("", HealthState::as_str))
        .bind(i64::from(after.is_some()));
    let rows = key
        .into_iter()
        .fold(query, |query, part| query.bind(part))
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Page::cut(items, limit, |one| {
        [number(one.unhealthy), one.id.0]
    }))
}

const NEEDS_OF: &str = concat!(select_needs!(), "WHERE a.id = $1");

/// One asset with what recommendations say of it, counted.
///
/// # Errors
/// When the database fails.
pub async fn needs_of(store: &Store, asset: AssetId) -> Result<Option<AssetNeeds>, StoreError> {
    let row = sqlx::query(NEEDS_OF)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

fn from_row(row: &sqlx::any::AnyRow) -> Result<AssetNeeds, StoreError> {
    let columns = Columns::new(row, "asset", &["id"]);
    Ok(AssetNeeds {
        id: AssetId(columns.int("id")?),
        kind: columns.text("kind")?,
        name: columns.text("name")?,
        environment: columns.text("environment")?,
        state: columns.word("state", HealthState::parse)?,
        reason: columns.opt_text("reason")?,
        last_seen: columns.time("last_seen")?,
        unhealthy: columns.count("unhealthy")?,
        healthy: columns.count("healthy")?,
        not_applicable: columns.count("not_applicable")?,
        unknown: columns.count("unknown")?,
        is_within: columns.int("is_within")? != 0,
        part_of: columns.opt_int("part_of")?.map(AssetId),
    })
}

/// Which of a recommendation's assets. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandingFilter {
    /// Of this environment; of all for an empty one.
    pub environment: String,
    /// Part of the name; case does not matter.
    pub query: String,
    /// Of which this is said.
    pub state: Option<HealthState>,
}

const STANDING: &str = concat!(
    health::select_health!(),
    "WHERE h.recommendation = $1 AND ($2 = '' OR a.environment = $2) \
       AND ($3 = '' OR lower(a.name) LIKE $3 ESCAPE '!') AND ($4 = '' OR h.health = $4) \
       AND ($5 = 0 OR (a.name, a.id) > ($6, $7)) ORDER BY a.name, a.id LIMIT $8"
);

/// What a recommendation says of assets, by name, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn standing(
    store: &Store,
    recommendation: &str,
    filter: &StandingFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<HealthEntry>, StoreError> {
    let key: Option<(String, i64)> = after.map(Cursor::decode).transpose()?;
    let (name, id) = key.unwrap_or_default();
    let rows = sqlx::query(STANDING)
        .bind(clean(recommendation))
        .bind(clean(&filter.environment))
        .bind(contains_pattern(&filter.query))
        .bind(filter.state.map_or("", HealthState::as_str))
        .bind(i64::from(after.is_some()))
        .bind(name)
        .bind(id)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(health::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(items, limit, |one| {
        (one.asset_name.clone(), one.asset.0)
    }))
}
