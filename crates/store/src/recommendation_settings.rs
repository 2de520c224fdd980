//! What people set for recommendations instead of what these say themselves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json};
use crate::{Store, StoreError, Tx};

/// What is set for a recommendation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecommendationSetting {
    /// The recommendation.
    pub recommendation: String,
    /// Parameters by name; its own for the rest.
    pub params: Map<String, Value>,
    /// Namespaces that are left out; its own, if nothing.
    pub excluded_namespaces: Option<BTreeSet<String>>,
    /// Whether it is judged; as it says itself, if nothing.
    pub enabled: Option<bool>,
    /// Who set it.
    pub author: String,
    /// When.
    pub changed: Timestamp,
}

const LIST: &str = "SELECT recommendation, params, excluded_namespaces, enabled, author, changed \
     FROM recommendation_setting ORDER BY recommendation";

/// All that is set.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<RecommendationSetting>, StoreError> {
    let found = sqlx::query(LIST).fetch_all(&store.pool).await?;
    found.iter().map(from_row).collect()
}

const PUT: &str = "INSERT INTO recommendation_setting \
       (recommendation, params, excluded_namespaces, enabled, author, changed) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (recommendation) DO UPDATE SET params = excluded.params, \
       excluded_namespaces = excluded.excluded_namespaces, enabled = excluded.enabled, author = excluded.author, \
       changed = excluded.changed";

/// Sets it in place of what was set before.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, setting: &RecommendationSetting) -> Result<(), StoreError> {
    let namespaces = setting.excluded_namespaces.as_ref();
    sqlx::query(PUT)
        .bind(clean(&setting.recommendation))
        .bind(clean(&json(&setting.params)))
        .bind(namespaces.map(|names| clean(&json(names))))
        .bind(setting.enabled.map(i64::from))
        .bind(clean(&setting.author))
        .bind(setting.changed.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const DELETE: &str = "DELETE FROM recommendation_setting WHERE recommendation = $1";

/// Takes it back. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, recommendation: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(clean(recommendation))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

fn from_row(row: &AnyRow) -> Result<RecommendationSetting, StoreError> {
    let columns = Columns::new(row, "recommendation_setting", &["recommendation"]);
    Ok(RecommendationSetting {
        recommendation: columns.text("recommendation")?,
        params: columns.json("params")?,
        excluded_namespaces: columns.opt_json("excluded_namespaces")?,
        enabled: columns.opt_int("enabled")?.map(|is| is != 0),
        author: columns.text("author")?,
        changed: columns.time("changed")?,
    })
}
