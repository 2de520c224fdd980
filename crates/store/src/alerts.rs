//! Alerts: what was raised, how often, and what people did with it.

mod change;
mod list;
mod raise;

use jiff::Timestamp;
use seareeve_model::AlertSeverity;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::{AlertId, IncidentId, Store, StoreError, SuppressionId};

pub use change::{Change, HistoryEntry, HistoryKind, change, delete_old, history};
pub use list::{AlertFilter, AlertSort, Facet, Facets, facets, list, list_all, open_of};
pub use raise::{GROUPED_FOR, NewAlert, Raised, raise};

/// What people have made of an alert or an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertState {
    /// Nobody has looked at it.
    New,
    /// Somebody has, and it is real.
    Active,
    /// Somebody works on it.
    InProgress,
    /// It is dealt with.
    Resolved,
    /// It needs no dealing with.
    Dismissed,
}

impl AlertState {
    /// All, in the order of a life.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Active,
        Self::InProgress,
        Self::Resolved,
        Self::Dismissed,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::InProgress => "in_progress",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether somebody still has to do something.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::New | Self::Active | Self::InProgress => true,
            Self::Resolved | Self::Dismissed => false,
        }
    }
}

/// Something that an alert is about or was done by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entity {
    /// `user`, `ip`, `pod`, `namespace`, `image` and the like.
    pub kind: String,
    /// Its name; with its namespace before it where it has one.
    pub name: String,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The row.
    pub id: AlertId,
    /// By which everybody knows it.
    pub uid: String,
    /// The cluster's name.
    pub cluster: String,
    /// Whether it was made up for a demonstration.
    pub is_sample: bool,
    /// The rule's id.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// What was attacked.
    pub compromised: String,
    /// How much it weighs.
    pub severity: AlertSeverity,
    /// ATT&CK's tactics.
    pub tactics: Vec<String>,
    /// ATT&CK's techniques.
    pub techniques: Vec<String>,
    /// What the engine said of the first event.
    pub said: seareeve_model::Alert,
    /// See there.
    pub state: AlertState,
    /// Who deals with it.
    pub owner: Option<String>,
    /// What dismissed it as it was raised.
    pub suppression: Option<SuppressionId>,
    /// What it belongs to.
    pub incident: Option<IncidentId>,
    /// The same, as everybody knows it.
    pub incident_uid: Option<String>,
    /// When its first event happened.
    pub first_seen: Timestamp,
    /// When its last one did.
    pub last_seen: Timestamp,
    /// How many did.
    pub seen: u64,
    /// When it was raised.
    pub created: Timestamp,
    /// When it or what people say of it last changed.
    pub changed: Timestamp,
}

/// One event that raised an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Made of cluster, event and rule.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The event without its secrets, as JSON; only of the first ones.
    pub evidence: Option<String>,
}

/// Between words in a column that holds several.
const BETWEEN: char = ',';

fn joined(words: &[String]) -> String {
    words.join(&BETWEEN.to_string())
}

pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(BETWEEN)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

macro_rules! alert_columns {
    () => {
        "a.id AS id, a.uid AS uid, a.cluster_name AS cluster_name, a.is_sample AS is_sample, a.rule AS rule, \
         a.title AS title, a.compromised AS compromised, a.severity AS severity, a.tactics AS tactics, \
         a.techniques AS techniques, a.said AS said, a.state AS state, a.owner AS owner, \
         a.suppression AS suppression, a.incident AS incident, i.uid AS incident_uid, \
         a.first_seen AS first_seen, a.last_seen AS last_seen, a.seen AS seen, a.created AS created, \
         a.changed AS changed "
    };
}
macro_rules! alert_tables {
    () => {
        "FROM alert a LEFT JOIN incident i ON i.id = a.incident "
    };
}
use {alert_columns, alert_tables};

fn from_row(row: &AnyRow) -> Result<Alert, StoreError> {
    let columns = Columns::new(row, "alert", &["id"]);
    Ok(Alert {
        id: AlertId(columns.int("id")?),
        uid: columns.text("uid")?,
        cluster: columns.text("cluster_name")?,
        is_sample: columns.int("is_sample")? != 0,
        rule: columns.text("rule")?,
        title: columns.text("title")?,
        compromised: columns.text("compromised")?,
        severity: columns.alert_severity("severity")?,
        tactics: split(&columns.text("tactics")?),
        techniques: split(&columns.text("techniques")?),
        said: columns.json("said")?,
        state: columns.word("state", AlertState::parse)?,
        owner: columns.opt_text("owner")?,
        suppression: columns.opt_int("suppression")?.map(SuppressionId),
        incident: columns.opt_int("incident")?.map(IncidentId),
        incident_uid: columns.opt_text("incident_uid")?,
        first_seen: columns.time("first_seen")?,
        last_seen: columns.time("last_seen")?,
        seen: columns.count("seen")?,
        created: columns.time("created")?,
        changed: columns.time("changed")?,
    })
}

const GET: &str = concat!(
    "SELECT ",
    alert_columns!(),
    alert_tables!(),
    "WHERE a.uid = $1"
);

/// The alert that everybody knows by `uid`.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, uid: &str) -> Result<Option<Alert>, StoreError> {
    let row = sqlx::query(GET)
        .bind(uid)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const OCCURRENCES: &str =
    "SELECT id, at, evidence FROM alert_occurrence WHERE alert = $1 ORDER BY at, id LIMIT $2";

/// The first `limit` events that raised an alert.
///
/// # Errors
/// When the database fails.
pub async fn occurrences(
    store: &Store,
    alert: AlertId,
    limit: usize,
) -> Result<Vec<Occurrence>, StoreError> {
    let rows = sqlx::query(OCCURRENCES)
        .bind(alert.0)
        .bind(crate::rows::int(limit))
        .fetch_all(&store.pool)
        .await?;
    let read = |row: &AnyRow| {
        let columns = Columns::new(row, "alert_occurrence", &["id"]);
        Ok(Occurrence {
            id: columns.text("id")?,
            at: columns.time("at")?,
            evidence: columns.opt_text("evidence")?,
        })
    };
    rows.iter().map(read).collect()
}

const ENTITIES: &str = "SELECT kind, name FROM alert_entity WHERE alert = $1 ORDER BY kind, name";

/// What an alert is about.
///
/// # Errors
/// When the database fails.
pub async fn entities(store: &Store, alert: AlertId) -> Result<Vec<Entity>, StoreError> {
    let rows = sqlx::query(ENTITIES)
        .bind(alert.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(entity).collect()
}

fn entity(row: &AnyRow) -> Result<Entity, StoreError> {
    let columns = Columns::new(row, "alert_entity", &["kind", "name"]);
    Ok(Entity {
        kind: columns.text("kind")?,
        name: columns.text("name")?,
    })
}
