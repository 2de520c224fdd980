//! Lists of alerts, and how many there are of each kind.

use seareeve_model::AlertSeverity;
use sqlx::any::AnyRow;

use super::{Alert, AlertState, alert_columns, alert_tables, from_row};
use crate::columns::{Columns, alert_severity_number};
use crate::rows::{contains_pattern, int, texts};
use crate::{Cursor, IncidentId, Page, Store, StoreError};

/// Which alerts. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// In one of these states; in any, if none.
    pub states: Vec<AlertState>,
    /// Of one of these severities.
    pub severities: Vec<AlertSeverity>,
    /// Of this cluster; of any for an empty one.
    pub cluster: String,
    /// Of this rule.
    pub rule: String,
    /// Of this tactic.
    pub tactic: String,
    /// That this user deals with.
    pub owner: String,
    /// That name this entity.
    pub entity: String,
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Part of the title, the rule, what was attacked or an entity's name; case does not matter.
    pub query: String,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertSort {
    /// The last one that happened first.
    #[default]
    Newest,
    /// The gravest first, and of equal ones the last one.
    Severity,
}

macro_rules! select_alerts {
    () => {
        concat!(
            "SELECT ",
            alert_columns!(),
            alert_tables!(),
            "WHERE ($1 = '[]' OR a.state IN (SELECT value ->> 't' FROM json_each($1))) \
               AND ($2 = '[]' OR a.severity IN (SELECT CAST(value ->> 't' AS BIGINT) FROM json_each($2))) \
               AND ($3 = '' OR a.cluster_name = $3) AND ($4 = '' OR a.rule = $4) \
               AND ($5 = '' OR (',' || a.tactics || ',') LIKE ('%,' || $5 || ',%')) \
               AND ($6 = '' OR a.owner = $6) \
               AND ($7 = '' OR EXISTS (SELECT 1 FROM alert_entity e WHERE e.alert = a.id AND e.name = $7)) \
               AND ($8 = 0 OR a.incident = $8) \
               AND ($9 = '' OR lower(a.title) LIKE $9 ESCAPE '!' OR lower(a.rule) LIKE $9 ESCAPE '!' \
                 OR lower(a.compromised) LIKE $9 ESCAPE '!' OR EXISTS (SELECT 1 FROM alert_entity e \
                   WHERE e.alert = a.id AND lower(e.name) LIKE $9 ESCAPE '!')) "
        )
    };
}

const NEWEST: &str = concat!(
    select_alerts!(),
    "AND ($10 = 0 OR (a.last_seen, a.id) < ($11, $12)) ORDER BY a.last_seen DESC, a.id DESC LIMIT $13"
);
const BY_SEVERITY: &str = concat!(
    select_alerts!(),
    "AND ($10 = 0 OR (a.severity, a.last_seen, a.id) < ($11, $12, $13)) \
     ORDER BY a.severity DESC, a.last_seen DESC, a.id DESC LIMIT $14"
);

/// Alerts, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn list(
    store: &Store,
    filter: &AlertFilter,
    sort: AlertSort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Alert>, StoreError> {
    let statement = match sort {
        AlertSort::Newest => NEWEST,
        AlertSort::Severity => BY_SEVERITY,
    };
    let severities: Vec<String> = filter
        .severities
        .iter()
        .map(|severity| alert_severity_number(*severity).to_string())
        .collect();
    let query = sqlx::query(statement)
        .bind(texts(filter.states.iter().map(|state| state.as_str())))
        .bind(texts(severities.iter().map(String::as_str)))
        .bind(filter.cluster.clone())
        .bind(filter.rule.clone())
        .bind(filter.tactic.clone())
        .bind(filter.owner.clone())
        .bind(filter.entity.clone())
        .bind(filter.incident.map_or(0, |incident| incident.0))
        .bind(contains_pattern(&filter.query))
        .bind(i64::from(after.is_some()));
    let query = match sort {
        AlertSort::Newest => {
            let key: [i64; 2] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
            key.into_iter().fold(query, |query, part| query.bind(part))
        }
        AlertSort::Severity => {
            let key: [i64; 3] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
            key.into_iter().fold(query, |query, part| query.bind(part))
        }
    };
    let rows = query
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let key = |alert: &Alert| [alert.last_seen.as_millisecond(), alert.id.0];
    Ok(match sort {
        AlertSort::Newest => Page::cut(items, limit, key),
        AlertSort::Severity => Page::cut(items, limit, |alert| {
            let [last_seen, id] = key(alert);
            [alert_severity_number(alert.severity), last_seen, id]
        }),
    })
}

/// The first `most` alerts of a filter, such as those of an incident.
///
/// # Errors
/// When the database fails.
pub async fn list_all(
    store: &Store,
    filter: &AlertFilter,
    most: usize,
) -> Result<Vec<Alert>, StoreError> {
    Ok(list(store, filter, AlertSort::Newest, None, most)
        .await?
        .items)
}

/// How many alerts have one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// For people.
    pub title: String,
    /// How many alerts have it.
    pub alerts: u64,
    /// How many of them are open.
    pub open: u64,
}

/// How many alerts there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// By state.
    pub states: Vec<Facet>,
    /// By severity, the least first.
    pub severities: Vec<Facet>,
    /// By cluster.
    pub clusters: Vec<Facet>,
    /// By rule.
    pub rules: Vec<Facet>,
}

macro_rules! count_by {
    ($value:literal, $title:literal) => {
        concat!(
            "SELECT ",
            $value,
            " AS value, ",
            $title,
            " AS title, COUNT(*) AS alerts, \
             CAST(SUM(CASE WHEN state IN ('new', 'active', 'in_progress') THEN 1 ELSE 0 END) AS BIGINT) AS open \
             FROM alert GROUP BY ",
            $value,
            " ORDER BY ",
            $value
        )
    };
}
const BY_STATE: &str = count_by!("state", "MAX(state)");
const BY_WEIGHT: &str = count_by!("CAST(severity AS TEXT)", "MAX(rule)");
const BY_CLUSTER: &str = count_by!("cluster_name", "MAX(cluster_name)");
const BY_RULE: &str = count_by!("rule", "MAX(title)");

/// How many alerts there are of each kind.
///
/// # Errors
/// When the database fails.
pub async fn facets(store: &Store) -> Result<Facets, StoreError> {
    let count = async |statement: &'static str| {
        let rows = sqlx::query(statement).fetch_all(&store.pool).await?;
        rows.iter().map(facet).collect::<Result<Vec<_>, _>>()
    };
    let mut severities = count(BY_WEIGHT).await?;
    for severity in &mut severities {
        let known = AlertSeverity::ALL
            .into_iter()
            .find(|one| alert_severity_number(*one).to_string() == severity.value);
        let word = known.map_or("", AlertSeverity::as_str);
        word.clone_into(&mut severity.value);
        word.clone_into(&mut severity.title);
    }
    Ok(Facets {
        states: count(BY_STATE).await?,
        severities,
        clusters: count(BY_CLUSTER).await?,
        rules: count(BY_RULE).await?,
    })
}

const OPEN_OF: &str = "SELECT severity, COUNT(*) AS alerts FROM alert WHERE cluster_name = $1 \
     AND state IN ('new', 'active', 'in_progress') GROUP BY severity ORDER BY severity DESC";

/// How many alerts of a cluster somebody has to deal with, by severity, the gravest first.
///
/// # Errors
/// When the database fails.
pub async fn open_of(
    store: &Store,
    cluster: &str,
) -> Result<Vec<(AlertSeverity, u64)>, StoreError> {
    let rows = sqlx::query(OPEN_OF)
        .bind(cluster)
        .fetch_all(&store.pool)
        .await?;
    let pair = |row: &AnyRow| {
        let columns = Columns::new(row, "alert", &["severity"]);
        Ok((
            columns.alert_severity("severity")?,
            columns.count("alerts")?,
        ))
    };
    rows.iter().map(pair).collect()
}

fn facet(row: &AnyRow) -> Result<Facet, StoreError> {
    let columns = Columns::new(row, "alert", &["value"]);
    Ok(Facet {
        value: columns.text("value")?,
        title: columns.text("title")?,
        alerts: columns.count("alerts")?,
        open: columns.count("open")?,
    })
}
