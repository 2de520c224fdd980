//! Incidents: alerts that belong together.

use jiff::{SignedDuration, Timestamp};
use seareeve_model::AlertSeverity;
use sqlx::any::AnyRow;

use crate::alerts::{AlertState, Entity};
use crate::columns::{Columns, alert_severity_number};
use crate::rows::{clean, contains_pattern, int, json, numbers, texts};
use crate::{AlertId, Cursor, IncidentId, Page, Store, StoreError, Tx};

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The row.
    pub id: IncidentId,
    /// By which everybody knows it.
    pub uid: String,
    /// What it is.
    pub title: String,
    /// See there.
    pub severity: AlertSeverity,
    /// See there.
    pub state: AlertState,
    /// Who deals with it.
    pub owner: Option<String>,
    /// What its alerts have in common.
    pub shared: Vec<Entity>,
    /// When its first alert's first event happened.
    pub first_seen: Timestamp,
    /// When the last one did.
    pub last_seen: Timestamp,
    /// When it was made.
    pub created: Timestamp,
    /// How many alerts it has.
    pub alerts: u64,
}

/// An alert as joining sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The row.
    pub id: AlertId,
    /// By which everybody knows it.
    pub uid: String,
    /// The cluster's name.
    pub cluster: String,
    /// The rule's id.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// See there.
    pub severity: AlertSeverity,
    /// ATT&CK's tactics.
    pub tactics: Vec<String>,
    /// When its first event happened.
    pub first_seen: Timestamp,
    /// When the last one did.
    pub last_seen: Timestamp,
    /// What it belongs to already.
    pub incident: Option<IncidentId>,
    /// What it names.
    pub entities: Vec<Entity>,
}

macro_rules! near_columns {
    () => {
        "SELECT a.id AS id, a.uid AS uid, a.cluster_name AS cluster_name, a.rule AS rule, a.title AS title, \
         a.severity AS severity, a.tactics AS tactics, a.first_seen AS first_seen, a.last_seen AS last_seen, \
         a.incident AS incident, e.kind AS kind, e.name AS name \
         FROM alert a JOIN alert_entity e ON e.alert = a.id "
    };
}
const NEAR: &str = concat!(
    near_columns!(),
    "WHERE a.id IN (SELECT o.id FROM alert o WHERE o.last_seen >= $2 AND o.first_seen <= $3 AND o.id <> $1 \
       AND o.state <> 'dismissed' AND o.is_sample = (SELECT s.is_sample FROM alert s WHERE s.id = $1) \
       AND EXISTS (SELECT 1 FROM alert_entity x JOIN alert_entity y ON y.kind = x.kind AND y.name = x.name \
         WHERE x.alert = o.id AND y.alert = $1) \
       ORDER BY o.last_seen DESC, o.id DESC LIMIT $4) ORDER BY a.id, e.kind, e.name"
);
const SELF: &str = concat!(near_columns!(), "WHERE a.id = $1 ORDER BY e.kind, e.name");

/// An alert, and the last `most` others that happened within a time before or after it and name something that it
/// names too. Nothing for one that names nothing.
///
/// # Errors
/// When the database fails.
pub async fn near(
    tx: &mut Tx,
    alert: AlertId,
    within: SignedDuration,
    most: usize,
) -> Result<Option<(Near, Vec<Near>)>, StoreError> {
    let own = sqlx::query(SELF)
        .bind(alert.0)
        .fetch_all(tx.connection())
        .await?;
    let Some(itself) = gather(&own)?.pop() else {
        return Ok(None);
    };
    let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    let (first, last) = (itself.first_seen, itself.last_seen);
    let rows = sqlx::query(NEAR)
        .bind(alert.0)
        .bind(first.as_millisecond().saturating_sub(within))
        .bind(last.as_millisecond().saturating_add(within))
        .bind(int(most))
        .fetch_all(tx.connection())
        .await?;
    Ok(Some((itself, gather(&rows)?)))
}

/// One row for each entity becomes one alert with its entities.
fn gather(rows: &[AnyRow]) -> Result<Vec<Near>, StoreError> {
    let mut all: Vec<Near> = Vec::new();
    for row in rows {
        let columns = Columns::new(row, "alert", &["id"]);
        let id = AlertId(columns.int("id")?);
        let entity = Entity {
            kind: columns.text("kind")?,
            name: columns.text("name")?,
        };
        match all.last_mut() {
            Some(last) if last.id == id => last.entities.push(entity),
            _ => all.push(Near {
                id,
                uid: columns.text("uid")?,
                cluster: columns.text("cluster_name")?,
                rule: columns.text("rule")?,
                title: columns.text("title")?,
                severity: columns.alert_severity("severity")?,
                tactics: super::alerts::split(&columns.text("tactics")?),
                first_seen: columns.time("first_seen")?,
                last_seen: columns.time("last_seen")?,
                incident: columns.opt_int("incident")?.map(IncidentId),
                entities: vec![entity],
            }),
        }
    }
    Ok(all)
}

/// What an incident is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// See [`Incident::uid`].
    pub uid: String,
    /// See [`Incident::title`].
    pub title: String,
    /// See [`Incident::severity`].
    pub severity: AlertSeverity,
    /// See [`Incident::shared`].
    pub shared: Vec<Entity>,
}

const CREATE: &str = "INSERT INTO incident (uid, title, severity, state, shared, first_seen, last_seen, created) \
     VALUES ($1, $2, $3, 'new', $4, 0, 0, $5) RETURNING id";
/// What was dealt with goes on, so somebody has to look at it again.
const RENAME: &str = "UPDATE incident SET title = $2, shared = $4, \
     severity = CASE WHEN severity < $3 THEN $3 ELSE severity END, \
     state = CASE WHEN state IN ('resolved', 'dismissed') THEN 'active' ELSE state END WHERE id = $1";
const ADD: &str = "UPDATE alert SET incident = $1 WHERE incident IS NULL AND id IN \
     (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($2))";
macro_rules! span {
    () => {
        "UPDATE incident SET \
         first_seen = COALESCE((SELECT MIN(a.first_seen) FROM alert a WHERE a.incident = incident.id), first_seen), \
         last_seen = COALESCE((SELECT MAX(a.last_seen) FROM alert a WHERE a.incident = incident.id), last_seen) \
         WHERE id = "
    };
}
const SPAN: &str = concat!(span!(), "$1");

/// Makes an incident of alerts, or adds them to `known`, which is open again if it was closed. An alert that belongs to
/// another incident stays there.
///
/// # Errors
/// When the database fails.
pub async fn join(
    tx: &mut Tx,
    known: Option<IncidentId>,
    new: &NewIncident,
    alerts: &[AlertId],
    now: Timestamp,
) -> Result<IncidentId, StoreError> {
    let id = match known {
        Some(id) => {
            sqlx::query(RENAME)
                .bind(id.0)
                .bind(clean(&new.title))
                .bind(alert_severity_number(new.severity))
                .bind(clean(&json(&new.shared)))
                .execute(tx.connection())
                .await?;
            id
        }
        None => {
            let row = sqlx::query(CREATE)
                .bind(clean(&new.uid))
                .bind(clean(&new.title))
                .bind(alert_severity_number(new.severity))
                .bind(clean(&json(&new.shared)))
                .bind(now.as_millisecond())
                .fetch_one(tx.connection())
                .await?;
            IncidentId(Columns::new(&row, "incident", &["id"]).int("id")?)
        }
    };
    sqlx::query(ADD)
        .bind(id.0)
        .bind(numbers(alerts.iter().map(|alert| alert.0)))
        .execute(tx.connection())
        .await?;
    sqlx::query(SPAN)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(id)
}

const SPAN_OF: &str = concat!(span!(), "(SELECT a.incident FROM alert a WHERE a.id = $1)");

/// Brings the times of an alert's incident up to date, if it has one, when it happened again.
///
/// # Errors
/// When the database fails.
pub async fn touch_of(tx: &mut Tx, alert: AlertId) -> Result<(), StoreError> {
    sqlx::query(SPAN_OF)
        .bind(alert.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

macro_rules! incident_columns {
    () => {
        "SELECT i.id AS id, i.uid AS uid, i.title AS title, i.severity AS severity, i.state AS state, \
         i.owner AS owner, i.shared AS shared, i.first_seen AS first_seen, i.last_seen AS last_seen, \
         i.created AS created, (SELECT COUNT(*) FROM alert a WHERE a.incident = i.id) AS alerts FROM incident i "
    };
}

fn from_row(row: &AnyRow) -> Result<Incident, StoreError> {
    let columns = Columns::new(row, "incident", &["id"]);
    Ok(Incident {
        id: IncidentId(columns.int("id")?),
        uid: columns.text("uid")?,
        title: columns.text("title")?,
        severity: columns.alert_severity("severity")?,
        state: columns.word("state", AlertState::parse)?,
        owner: columns.opt_text("owner")?,
        shared: columns.json("shared")?,
        first_seen: columns.time("first_seen")?,
        last_seen: columns.time("last_seen")?,
        created: columns.time("created")?,
        alerts: columns.count("alerts")?,
    })
}

const GET: &str = concat!(incident_columns!(), "WHERE i.uid = $1");

/// The incident that everybody knows by `uid`.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, uid: &str) -> Result<Option<Incident>, StoreError> {
    let row = sqlx::query(GET)
        .bind(uid)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const LIST: &str = concat!(
    incident_columns!(),
    "WHERE ($1 = 0 OR i.state IN ('new', 'active', 'in_progress')) \
       AND ($2 = '' OR lower(i.title) LIKE $2 ESCAPE '!' OR lower(i.shared) LIKE $2 ESCAPE '!') \
       AND ($3 = 0 OR (i.last_seen, i.id) < ($4, $5)) ORDER BY i.last_seen DESC, i.id DESC LIMIT $6"
);

/// Incidents, the last one first, a page at a time: all, or the open ones.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn list(
    store: &Store,
    open: bool,
    query: &str,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Incident>, StoreError> {
    let [last_seen, id]: [i64; 2] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
    let rows = sqlx::query(LIST)
        .bind(i64::from(open))
        .bind(contains_pattern(query))
        .bind(i64::from(after.is_some()))
        .bind(last_seen)
        .bind(id)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(items, limit, |incident| {
        [incident.last_seen.as_millisecond(), incident.id.0]
    }))
}

const SET: &str = "UPDATE incident SET state = COALESCE($2, state), \
     owner = CASE WHEN $3 IS NULL THEN owner WHEN $3 = '' THEN NULL ELSE $3 END WHERE id = $1";

/// Changes an incident: what is nothing stays, an empty owner is nobody. Its alerts are changed apart.
///
/// # Errors
/// When the database fails.
pub async fn change(
    tx: &mut Tx,
    id: IncidentId,
    state: Option<AlertState>,
    owner: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(SET)
        .bind(id.0)
        .bind(state.map(AlertState::as_str))
        .bind(owner.map(clean))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const ALERTS: &str = "SELECT uid FROM alert WHERE incident = $1 ORDER BY id";

/// All alerts of an incident, as everybody knows them.
///
/// # Errors
/// When the database fails.
pub async fn alerts_of(tx: &mut Tx, id: IncidentId) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(ALERTS)
        .bind(id.0)
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| Columns::new(row, "alert", &["uid"]).text("uid"))
        .collect()
}

macro_rules! where_of_alerts {
    () => {
        " WHERE id IN (SELECT a.incident FROM alert a WHERE a.uid IN (SELECT value ->> 't' FROM json_each($1))) "
    };
}
macro_rules! open_alert {
    () => {
        "EXISTS (SELECT 1 FROM alert a WHERE a.incident = incident.id AND a.state IN ('new', 'active', 'in_progress'))"
    };
}
const CLOSE_DONE: &str = concat!(
    "UPDATE incident SET state = CASE WHEN EXISTS (SELECT 1 FROM alert a WHERE a.incident = incident.id \
       AND a.state = 'resolved') THEN 'resolved' ELSE 'dismissed' END",
    where_of_alerts!(),
    "AND state IN ('new', 'active', 'in_progress') AND NOT ",
    open_alert!()
);
const OPEN_AGAIN: &str = concat!(
    "UPDATE incident SET state = 'active'",
    where_of_alerts!(),
    "AND state IN ('resolved', 'dismissed') AND ",
    open_alert!()
);

/// Closes the incidents of these alerts of which every alert is closed by now, and opens those again of which one is
/// open.
///
/// # Errors
/// When the database fails.
pub async fn follow(tx: &mut Tx, alerts: &[String]) -> Result<(), StoreError> {
    for statement in [CLOSE_DONE, OPEN_AGAIN] {
        sqlx::query(statement)
            .bind(texts(alerts.iter().map(String::as_str)))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

const DELETE_EMPTY: &str =
    "DELETE FROM incident WHERE NOT EXISTS (SELECT 1 FROM alert a WHERE a.incident = incident.id)";

/// Deletes incidents whose alerts are all gone.
///
/// # Errors
/// When the database fails.
pub async fn delete_empty(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(DELETE_EMPTY).execute(tx.connection()).await?;
    tx.commit().await
}
