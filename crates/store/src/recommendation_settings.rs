//! What people set for recommendations instead of what these say themselves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int, json};
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

/// A change of what is set for a recommendation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What was set; nothing where it was taken back.
    pub set: Option<RecommendationSetting>,
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

const NOTE: &str = "INSERT INTO recommendation_setting_change \
       (recommendation, at, author, params, excluded_namespaces, enabled) VALUES ($1, $2, $3, $4, $5, $6)";

/// Sets it in place of what was set before, and notes that in the history.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, setting: &RecommendationSetting) -> Result<(), StoreError> {
    let recommendation = clean(&setting.recommendation);
    let params = clean(&json(&setting.params));
    let namespaces = setting.excluded_namespaces.as_ref();
    let namespaces = namespaces.map(|names| clean(&json(names)));
    let enabled = setting.enabled.map(i64::from);
    sqlx::query(PUT)
        .bind(recommendation.clone())
        .bind(params.clone())
        .bind(namespaces.clone())
        .bind(enabled)
        .bind(clean(&setting.author))
        .bind(setting.changed.as_millisecond())
        .execute(tx.connection())
        .await?;
    sqlx::query(NOTE)
        .bind(recommendation)
        .bind(setting.changed.as_millisecond())
        .bind(clean(&setting.author))
        .bind(params)
        .bind(namespaces)
        .bind(enabled)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const DELETE: &str = "DELETE FROM recommendation_setting WHERE recommendation = $1";

const NOTE_DELETED: &str =
    "INSERT INTO recommendation_setting_change (recommendation, at, author) VALUES ($1, $2, $3)";

/// Takes it back, and notes that in the history. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn delete(
    tx: &mut Tx,
    recommendation: &str,
    author: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(clean(recommendation))
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(NOTE_DELETED)
        .bind(clean(recommendation))
        .bind(now.as_millisecond())
        .bind(clean(author))
        .execute(tx.connection())
        .await?;
    Ok(true)
}

const HISTORY: &str = "SELECT id, recommendation, at, author, params, excluded_namespaces, enabled \
     FROM recommendation_setting_change WHERE recommendation = $1 ORDER BY id DESC LIMIT $2";

/// What was set for a recommendation, the last change first.
///
/// # Errors
/// When the database fails.
pub async fn history(
    store: &Store,
    recommendation: &str,
    limit: usize,
) -> Result<Vec<SettingChange>, StoreError> {
    let found = sqlx::query(HISTORY)
        .bind(clean(recommendation))
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    let change = |row: &AnyRow| {
        let columns = Columns::new(row, "recommendation_setting_change", &["id"]);
        let (author, at) = (columns.text("author")?, columns.time("at")?);
        let recommendation = columns.text("recommendation")?;
        let namespaces = columns.opt_json("excluded_namespaces")?;
        let enabled = columns.opt_int("enabled")?.map(|is| is != 0);
        let params: Option<Map<String, Value>> = columns.opt_json("params")?;
        Ok(SettingChange {
            at,
            set: params.map(|params| RecommendationSetting {
                recommendation,
                params,
                excluded_namespaces: namespaces,
                enabled,
                author: author.clone(),
                changed: at,
            }),
            author,
        })
    };
    found.iter().map(change).collect()
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
