//! Rules by which alerts are dismissed as they are raised.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json};
use crate::{Store, StoreError, SuppressionId, Tx};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The row.
    pub id: SuppressionId,
    /// What it says.
    pub said: NewSuppression,
    /// Who made it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// Alerts that it has dismissed.
    pub alerts: u64,
}

/// One to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSuppression {
    /// By which people know it.
    pub name: String,
    /// Whether it works.
    pub is_on: bool,
    /// Only alerts of this rule.
    pub rule: Option<String>,
    /// Only alerts that name such things: all of them have to hold.
    pub criteria: Vec<Criterion>,
    /// A word for why.
    pub reason: String,
    /// Why, in sentences.
    pub comment: String,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// What an alert has to name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// The kind of entity, or `cluster`, or `property.NAME`.
    pub kind: String,
    /// Its name, in which `*` stands for anything. One of them has to fit.
    pub names: Vec<String>,
}

const CREATE: &str = "INSERT INTO suppression (name, is_on, rule, criteria, reason, comment, author, created, expires) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id";

/// Makes a rule.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one of this name.
pub async fn create(
    tx: &mut Tx,
    new: &NewSuppression,
    author: &str,
    now: Timestamp,
) -> Result<SuppressionId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(&new.name))
        .bind(i64::from(new.is_on))
        .bind(new.rule.as_deref().map(clean))
        .bind(clean(&json(&new.criteria)))
        .bind(clean(&new.reason))
        .bind(clean(&new.comment))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .bind(new.expires.map(Timestamp::as_millisecond))
        .fetch_one(tx.connection())
        .await
        .map_err(StoreError::conflict("suppression rule"))?;
    let id = Columns::new(&row, "suppression", &["id"]).int("id")?;
    Ok(SuppressionId(id))
}

const UPDATE: &str = "UPDATE suppression SET name = $2, is_on = $3, rule = $4, criteria = $5, reason = $6, \
     comment = $7, expires = $8 WHERE id = $1";

/// Changes a rule. What it has dismissed stays dismissed. Returns whether there was one.
///
/// # Errors
/// [`StoreError::Conflict`] when there is another one of this name.
pub async fn update(
    tx: &mut Tx,
    id: SuppressionId,
    new: &NewSuppression,
) -> Result<bool, StoreError> {
    let done = sqlx::query(UPDATE)
        .bind(id.0)
        .bind(clean(&new.name))
        .bind(i64::from(new.is_on))
        .bind(new.rule.as_deref().map(clean))
        .bind(clean(&json(&new.criteria)))
        .bind(clean(&new.reason))
        .bind(clean(&new.comment))
        .bind(new.expires.map(Timestamp::as_millisecond))
        .execute(tx.connection())
        .await
        .map_err(StoreError::conflict("suppression rule"))?;
    Ok(done.rows_affected() > 0)
}

const LIST: &str = "SELECT id, name, is_on, rule, criteria, reason, comment, author, created, expires, \
     (SELECT COUNT(*) FROM alert a WHERE a.suppression = s.id) AS alerts FROM suppression s ORDER BY id";

/// All rules, those that have ended included, in the order in which they count.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<Suppression>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Suppression, StoreError> {
    let columns = Columns::new(row, "suppression", &["id"]);
    Ok(Suppression {
        id: SuppressionId(columns.int("id")?),
        said: NewSuppression {
            name: columns.text("name")?,
            is_on: columns.int("is_on")? != 0,
            rule: columns.opt_text("rule")?,
            criteria: columns.json("criteria")?,
            reason: columns.text("reason")?,
            comment: columns.text("comment")?,
            expires: columns.opt_time("expires")?,
        },
        author: columns.text("author")?,
        created: columns.time("created")?,
        alerts: columns.count("alerts")?,
    })
}

const DELETE: &str = "DELETE FROM suppression WHERE id = $1";

/// Ends a rule. What it has dismissed stays dismissed. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: SuppressionId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(id.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
