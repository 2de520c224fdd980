//! The list of assets.

use super::{Asset, HealthState, asset_columns, from_row};
use crate::rows::{contains_pattern, int};
use crate::{Cursor, Page, Store, StoreError};

/// Which assets. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// Of this kind; of all for an empty one.
    pub kind: String,
    /// Part of the name, of the id that its collector gives it, or of an engine's version; case does not matter.
    pub query: String,
    /// With this state.
    pub state: Option<HealthState>,
    /// With an engine of this product; with any for an empty one.
    pub engine: String,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssetSort {
    /// Most critical failures first, then most high ones, and so on.
    #[default]
    Severity,
    /// By name.
    Name,
}

/// $1 kind, $2 pattern, $3 state, $4 pattern of the engine, $5 whether a cursor follows. What is a part of a cluster is
/// listed with it.
macro_rules! select_assets {
    () => {
        concat!(
            "SELECT ",
            asset_columns!(),
            "FROM asset a WHERE ($1 = '' OR a.kind = $1) \
               AND ($2 = '' OR lower(a.name) LIKE $2 ESCAPE '!' OR lower(a.external_id) LIKE $2 ESCAPE '!' \
                 OR EXISTS (SELECT 1 FROM json_each(a.engines) e \
                   WHERE lower(e.value ->> 'version') LIKE $2 ESCAPE '!')) \
               AND ($3 = '' OR a.state = $3) \
               AND ($4 = '' OR EXISTS (SELECT 1 FROM json_each(a.engines) e \
                 WHERE e.value ->> 'product' = $4)) \
               AND NOT EXISTS (SELECT 1 FROM cluster_side j WHERE j.cloud = a.id) "
        )
    };
}

const BY_SEVERITY: &str = concat!(
    select_assets!(),
    "AND ($5 = 0 OR (a.critical, a.high, a.medium, a.low, a.unknown, a.id) < ($6, $7, $8, $9, $10, $11)) \
     ORDER BY a.critical DESC, a.high DESC, a.medium DESC, a.low DESC, a.unknown DESC, a.id DESC LIMIT $12"
);
const BY_NAME: &str = concat!(
    select_assets!(),
    "AND ($5 = 0 OR (a.name, a.id) > ($6, $7)) ORDER BY a.name, a.id LIMIT $8"
);

/// Assets, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn list(
    store: &Store,
    filter: &AssetFilter,
    sort: AssetSort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Asset>, StoreError> {
    let statement = match sort {
        AssetSort::Severity => BY_SEVERITY,
        AssetSort::Name => BY_NAME,
    };
    let query = sqlx::query(statement)
        .bind(filter.kind.clone())
        .bind(contains_pattern(&filter.query))
        .bind(filter.state.map_or("", HealthState::as_str))
        .bind(filter.engine.clone())
        .bind(i64::from(after.is_some()));
    let query = match sort {
        AssetSort::Severity => {
            let key: [i64; 6] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
            key.into_iter().fold(query, |query, part| query.bind(part))
        }
        AssetSort::Name => {
            let key: Option<(String, i64)> = after.map(Cursor::decode).transpose()?;
            let (name, id) = key.unwrap_or_default();
            query.bind(name).bind(id)
        }
    };
    let rows = query
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(match sort {
        AssetSort::Severity => Page::cut(items, limit, |asset| {
            let failed = asset.failed;
            [
                number(failed.critical),
                number(failed.high),
                number(failed.medium),
                number(failed.low),
                number(failed.unknown),
                asset.id.0,
            ]
        }),
        AssetSort::Name => Page::cut(items, limit, |asset| (asset.name.clone(), asset.id.0)),
    })
}
