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
           a.reason AS reason, a.last_seen AS last_seen, a.said_unhealthy AS unhealthy, a.said_healthy AS healthy, \
           a.said_not_applicable AS not_applicable, a.said_unknown AS unknown, \
           CASE WHEN EXISTS (SELECT 1 FROM cluster w WHERE w.asset = a.id) THEN 1 ELSE 0 END AS is_within, \
           j.cluster AS part_of \
         FROM asset a LEFT JOIN cluster_side j ON j.cloud = a.id "
    };
}

/// $1 pattern, $2 state, $3 and $4 where to begin, $5 how many: in the order of an index, so that no more is looked at
/// than it takes to fill the page.
macro_rules! in_order {
    ($restriction:literal) => {
        concat!(
            select_needs!(),
            "WHERE j.cluster IS NULL AND ",
            $restriction,
            "(a.said_unhealthy, a.id) < ($3, $4) AND ($1 = '' OR lower(a.name) LIKE $1 ESCAPE '!') \
               AND ($2 = '' OR a.state = $2) ORDER BY a.said_unhealthy DESC, a.id DESC LIMIT $5"
        )
    };
}

const NEEDS: &str = in_order!("");
const NEEDS_OF_KIND: &str = in_order!("a.kind = $6 AND ");
const NEEDS_IN: &str = in_order!("a.environment = $6 AND ");
const NEEDS_OF_KIND_IN: &str = in_order!("a.kind = $6 AND a.environment = $7 AND ");

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
    let key: Option<[i64; 2]> = after.map(Cursor::decode).transpose()?;
    let (statement, restrictions): (&'static str, &[&str]) =
        match (filter.kind.as_str(), filter.environment.as_str()) {
            ("", "") => (NEEDS, &[]),
            (kind, "") => (NEEDS_OF_KIND, &[kind]),
            ("", environment) => (NEEDS_IN, &[environment]),
            (kind, environment) => (NEEDS_OF_KIND_IN, &[kind, environment]),
        };
    let query = sqlx::query(statement)
        .bind(contains_pattern(&filter.query))
        .bind(filter.state.map_or("", HealthState::as_str));
    let query = key
        .unwrap_or([i64::MAX, i64::MAX])
        .into_iter()
        .fold(query, |query, part| query.bind(part))
        .bind(int(limit.saturating_add(1)));
    let rows = restrictions
        .iter()
        .fold(query, |query, text| query.bind(clean(text)))
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

/// $1 recommendation, $2 state, $3 pattern, $4 and $5 where to begin, $6 how many.
macro_rules! standing {
    ($restriction:literal) => {
        concat!(
            health::select_health!(),
            "WHERE h.recommendation = $1 AND ",
            $restriction,
            "h.health = $2 AND (h.name, h.asset) > ($4, $5) \
               AND ($3 = '' OR lower(h.name) LIKE $3 ESCAPE '!') ORDER BY h.name, h.asset LIMIT $6"
        )
    };
}

const STANDING: &str = standing!("");
const STANDING_IN: &str = standing!("h.environment = $7 AND ");

/// What a recommendation says of assets, by name, a page at a time. Each state is a range of an index of its own, so
/// that no more is looked at than it takes to fill the page.
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
    let states = HealthState::ALL.into_iter();
    let mut items = Vec::new();
    for state in states.filter(|state| filter.state.is_none_or(|wanted| wanted == *state)) {
        let statement = match filter.environment.as_str() {
            "" => STANDING,
            _ => STANDING_IN,
        };
        let query = sqlx::query(statement)
            .bind(clean(recommendation))
            .bind(state.as_str())
            .bind(contains_pattern(&filter.query))
            .bind(name.clone())
            .bind(id)
            .bind(int(limit.saturating_add(1)));
        let query = match filter.environment.as_str() {
            "" => query,
            environment => query.bind(clean(environment)),
        };
        let rows = query.fetch_all(&store.pool).await?;
        for row in &rows {
            items.push(health::from_row(row)?);
        }
    }
    items.sort_by(|one, other| (&one.asset_name, one.asset).cmp(&(&other.asset_name, other.asset)));
    items.truncate(limit.saturating_add(1));
    Ok(Page::cut(items, limit, |one| {
        (one.asset_name.clone(), one.asset.0)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::assert_bounded;

    #[test]
    fn lists_read_no_more_than_a_page() {
        for statement in [
            NEEDS,
            NEEDS_OF_KIND,
            NEEDS_IN,
            NEEDS_OF_KIND_IN,
            NEEDS_OF,
            STANDING,
            STANDING_IN,
        ] {
            assert_bounded(statement);
        }
    }
}
