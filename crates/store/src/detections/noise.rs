//! How much detections raise, and what becomes of it.

use jiff::Timestamp;

use crate::alerts::AlertState;
use crate::columns::Columns;
use crate::{Store, StoreError};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3600 * 1000;

/// Alerts of one detection with one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The detection's id.
    pub rule: String,
    /// What people have made of them.
    pub state: AlertState,
    /// Whether a suppression rule dismissed them.
    pub is_suppressed: bool,
    /// How many were seen since the time that was asked for.
    pub alerts: u64,
    /// Of which so many since the later one.
    pub lately: u64,
    /// When the last event was.
    pub last: Timestamp,
}

/// Alerts of one detection on one day, by the time of their first event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The detection's id.
    pub rule: String,
    /// Days since 1970.
    pub day: i64,
    /// How many.
    pub alerts: u64,
}

const NOISE: &str = "SELECT rule, state, CASE WHEN suppression IS NULL THEN 0 ELSE 1 END AS suppressed, \
       CAST(SUM(CASE WHEN last_seen >= $1 THEN 1 ELSE 0 END) AS BIGINT) AS alerts, \
       CAST(SUM(CASE WHEN last_seen >= $2 THEN 1 ELSE 0 END) AS BIGINT) AS lately, MAX(last_seen) AS last \
     FROM alert WHERE is_sample = 0 GROUP BY rule, state, CASE WHEN suppression IS NULL THEN 0 ELSE 1 END \
     ORDER BY rule, state, suppressed";
const DAYS: &str = "SELECT rule, first_seen / 86400000 AS day, COUNT(*) AS alerts FROM alert \
     WHERE is_sample = 0 AND last_seen >= $1 AND first_seen >= $1 GROUP BY rule, first_seen / 86400000 ORDER BY rule, day";

/// Alerts by detection and state, and by day: those seen since `since`, and of them those since `lately`. Samples do
/// not count.
///
/// # Errors
/// When the database fails.
pub async fn noise(
    store: &Store,
    since: Timestamp,
    lately: Timestamp,
) -> Result<(Vec<Noise>, Vec<Day>), StoreError> {
    let rows = sqlx::query(NOISE)
        .bind(since.as_millisecond())
        .bind(lately.as_millisecond())
        .fetch_all(&store.pool)
        .await?;
    let mut noise = Vec::with_capacity(rows.len());
    for row in &rows {
        let columns = Columns::new(row, "alert", &["rule"]);
        noise.push(Noise {
            rule: columns.text("rule")?,
            state: columns.word("state", AlertState::parse)?,
            is_suppressed: columns.int("suppressed")? != 0,
            alerts: columns.count("alerts")?,
            lately: columns.count("lately")?,
            last: columns.time("last")?,
        });
    }
    // Whole days, so that the first one is not short.
    let first = since.as_millisecond().div_euclid(DAY).saturating_mul(DAY);
    let rows = sqlx::query(DAYS).bind(first).fetch_all(&store.pool).await?;
    let mut days = Vec::with_capacity(rows.len());
    for row in &rows {
        let columns = Columns::new(row, "alert", &["rule"]);
        days.push(Day {
            rule: columns.text("rule")?,
            day: columns.int("day")?,
            alerts: columns.count("alerts")?,
        });
    }
    Ok((noise, days))
}
