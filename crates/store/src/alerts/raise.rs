//! Raising alerts, each event once.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{AlertState, Entity, joined};
use crate::columns::{Columns, alert_severity_number};
use crate::rows::{clean, json, rows};
use crate::{AlertId, AuditClusterId, StoreError, SuppressionId, Tx};

/// An event that is like an open alert's adds to it for this long after the last one; then it is news again.
pub const GROUPED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Events of one alert that are kept whole.
const EVIDENCE: i64 = 20;
/// Things that one alert names.
const MOST_ENTITIES: usize = 50;

/// What an event raised.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// Made of cluster, event and rule: the same event raises the same alert once.
    pub id: String,
    /// The cluster.
    pub cluster: Option<AuditClusterId>,
    /// Its name.
    pub cluster_name: String,
    /// Whether it is made up for a demonstration.
    pub is_sample: bool,
    /// What the engine says.
    pub said: seareeve_model::Alert,
    /// What was attacked, in a few words.
    pub compromised: String,
    /// What it is about, and who did it.
    pub entities: Vec<Entity>,
    /// The event without its secrets, as JSON.
    pub evidence: String,
    /// What dismisses it.
    pub suppression: Option<SuppressionId>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// This event has raised it before: nothing was written.
    Known,
    /// It is one more of an alert that is still open.
    Again(AlertId),
    /// It is a new alert.
    New(AlertId),
}

const KNOWN: &str = "SELECT id FROM alert_occurrence WHERE id = $1";
/// An alert that was dismissed by a rule goes on as long as the same rule dismisses.
const OPEN: &str = "SELECT id FROM alert WHERE cluster_name = $1 AND rule = $2 AND grouped_by = $3 \
     AND last_seen >= $4 AND first_seen <= $5 AND is_sample = $6 \
     AND ((state IN ('new', 'active', 'in_progress') AND $7 = 0) OR (state = 'dismissed' AND suppression = $7)) \
     ORDER BY id DESC LIMIT 1";
const AGAIN: &str = "UPDATE alert SET seen = seen + 1, changed = $3, \
       first_seen = CASE WHEN first_seen > $2 THEN $2 ELSE first_seen END, \
       last_seen = CASE WHEN last_seen < $2 THEN $2 ELSE last_seen END WHERE id = $1";
const CREATE: &str = "INSERT INTO alert (uid, cluster, cluster_name, is_sample, rule, grouped_by, title, compromised, \
       severity, tactics, techniques, said, state, suppression, first_seen, last_seen, seen, created, changed) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, 1, $16, $16) RETURNING id";
const ADD: &str = "INSERT INTO alert_occurrence (id, alert, at, evidence) SELECT $1, $2, $3, \
     CASE WHEN (SELECT COUNT(*) FROM alert_occurrence o WHERE o.alert = $2 AND o.evidence IS NOT NULL) < $5 \
       THEN $4 ELSE NULL END";
const ADD_ENTITIES: &str = "INSERT INTO alert_entity (alert, kind, name) \
     SELECT $1, value ->> 'kind', value ->> 'name' FROM json_each($2) WHERE true ON CONFLICT DO NOTHING";

/// Raises an alert, or adds to one that is open, unless this event has done so already.
///
/// # Errors
/// When the database fails.
pub async fn raise(tx: &mut Tx, new: &NewAlert, now: Timestamp) -> Result<Raised, StoreError> {
    let known = sqlx::query(KNOWN)
        .bind(&new.id)
        .fetch_optional(tx.connection())
        .await?;
    if known.is_some() {
        return Ok(Raised::Known);
    }
    let at = new.said.time.as_millisecond();
    let window = i64::try_from(GROUPED_FOR.as_millis()).unwrap_or(i64::MAX);
    let open = sqlx::query(OPEN)
        .bind(clean(&new.cluster_name))
        .bind(clean(&new.said.id))
        .bind(clean(&new.said.key))
        .bind(at.saturating_sub(window))
        .bind(at.saturating_add(window))
        .bind(i64::from(new.is_sample))
        .bind(new.suppression.map_or(0, |suppression| suppression.0))
        .fetch_optional(tx.connection())
        .await?;
    let open = open
        .map(|row| Columns::new(&row, "alert", &["id"]).int("id"))
        .transpose()?;
    let (alert, raised) = match open {
        Some(id) => {
            sqlx::query(AGAIN)
                .bind(id)
                .bind(at)
                .bind(now.as_millisecond())
                .execute(tx.connection())
                .await?;
            (AlertId(id), Raised::Again(AlertId(id)))
        }
        None => {
            let id = create(tx, new, now).await?;
            (id, Raised::New(id))
        }
    };
    sqlx::query(ADD)
        .bind(&new.id)
        .bind(alert.0)
        .bind(at)
        .bind(clean(&new.evidence))
        .bind(EVIDENCE)
        .execute(tx.connection())
        .await?;
    Ok(raised)
}

async fn create(tx: &mut Tx, new: &NewAlert, now: Timestamp) -> Result<AlertId, StoreError> {
    let state = match new.suppression {
        Some(_) => AlertState::Dismissed,
        None => AlertState::New,
    };
    let row = sqlx::query(CREATE)
        .bind(&new.id)
        .bind(new.cluster.map(|cluster| cluster.0))
        .bind(clean(&new.cluster_name))
        .bind(i64::from(new.is_sample))
        .bind(clean(&new.said.id))
        .bind(clean(&new.said.key))
        .bind(clean(&new.said.title))
        .bind(clean(&new.compromised))
        .bind(alert_severity_number(new.said.severity))
        .bind(clean(&joined(&new.said.tactics)))
        .bind(clean(&joined(&new.said.techniques)))
        .bind(clean(&json(&new.said)))
        .bind(state.as_str())
        .bind(new.suppression.map(|suppression| suppression.0))
        .bind(new.said.time.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    let id = Columns::new(&row, "alert", &["id"]).int("id")?;
    #[derive(Serialize)]
    struct Row {
        kind: String,
        name: String,
    }
    let entities: Vec<Row> = new
        .entities
        .iter()
        .take(MOST_ENTITIES)
        .map(|entity| Row {
            kind: clean(&entity.kind),
            name: clean(&entity.name),
        })
        .collect();
    sqlx::query(ADD_ENTITIES)
        .bind(id)
        .bind(rows(&entities))
        .execute(tx.connection())
        .await?;
    Ok(AlertId(id))
}
