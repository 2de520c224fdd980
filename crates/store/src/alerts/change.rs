//! What people do with alerts, and that old ones go.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::AlertState;
use crate::columns::Columns;
use crate::rows::{clean, numbers, texts};
use crate::{AlertId, Store, StoreError, Tx};

/// What to do with alerts. What is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The new state.
    pub state: Option<AlertState>,
    /// The new owner; empty for nobody.
    pub owner: Option<String>,
    /// What somebody has to say.
    pub note: Option<String>,
}

/// What a line of history tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryKind {
    /// The state changed.
    State,
    /// Somebody else deals with it.
    Owner,
    /// Somebody had something to say.
    Note,
}

impl HistoryKind {
    const ALL: [Self; 3] = [Self::State, Self::Owner, Self::Note];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Owner => "owner",
            Self::Note => "note",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What it tells.
    pub kind: HistoryKind,
    /// What was there before.
    pub was: Option<String>,
    /// What is there since.
    pub value: Option<String>,
}

const FIND: &str = "SELECT id, state, owner FROM alert WHERE uid IN (SELECT value ->> 't' FROM json_each($1)) ORDER BY id";
const SET: &str = "UPDATE alert SET state = $2, owner = $3, changed = $4 WHERE id = $1";
const TELL: &str = "INSERT INTO alert_history (alert, at, author, what, was, value) VALUES ($1, $2, $3, $4, $5, $6)";

/// Changes alerts that everybody knows by these. Returns how many of them there are; those that are as wanted already
/// get no line of history, unless there is a note.
///
/// # Errors
/// When the database fails.
pub async fn change(
    tx: &mut Tx,
    uids: &[String],
    change: &Change,
    author: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let found = sqlx::query(FIND)
        .bind(texts(uids.iter().map(String::as_str)))
        .fetch_all(tx.connection())
        .await?;
    for row in &found {
        let columns = Columns::new(row, "alert", &["id"]);
        let id = AlertId(columns.int("id")?);
        let state = columns.word("state", AlertState::parse)?;
        let owner = columns.opt_text("owner")?;
        let new_state = change.state.unwrap_or(state);
        let new_owner = match &change.owner {
            None => owner.clone(),
            Some(name) => Some(clean(name)).filter(|name| !name.is_empty()),
        };
        let mut lines = Vec::new();
        if new_state != state {
            lines.push((
                HistoryKind::State,
                Some(state.as_str().to_owned()),
                Some(new_state.as_str().to_owned()),
            ));
        }
        if new_owner != owner {
            lines.push((HistoryKind::Owner, owner, new_owner.clone()));
        }
        if let Some(note) = &change.note {
            lines.push((HistoryKind::Note, None, Some(clean(note))));
        }
        if lines.is_empty() {
            continue;
        }
        sqlx::query(SET)
            .bind(id.0)
            .bind(new_state.as_str())
            .bind(new_owner)
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
        for (kind, was, value) in lines {
            sqlx::query(TELL)
                .bind(id.0)
                .bind(now.as_millisecond())
                .bind(clean(author))
                .bind(kind.as_str())
                .bind(was)
                .bind(value)
                .execute(tx.connection())
                .await?;
        }
    }
    Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
}

const HISTORY: &str =
    "SELECT id, at, author, what, was, value FROM alert_history WHERE alert = $1 ORDER BY id";

/// What people did with an alert, in order.
///
/// # Errors
/// When the database fails.
pub async fn history(store: &Store, alert: AlertId) -> Result<Vec<HistoryEntry>, StoreError> {
    let rows = sqlx::query(HISTORY)
        .bind(alert.0)
        .fetch_all(&store.pool)
        .await?;
    let read = |row: &AnyRow| {
        let columns = Columns::new(row, "alert_history", &["id"]);
        Ok(HistoryEntry {
            at: columns.time("at")?,
            author: columns.text("author")?,
            kind: columns.word("what", HistoryKind::parse)?,
            was: columns.opt_text("was")?,
            value: columns.opt_text("value")?,
        })
    };
    rows.iter().map(read).collect()
}

const OLD: &str = "SELECT id FROM alert WHERE last_seen < $1 ORDER BY id LIMIT $2";
const DELETE: &str =
    "DELETE FROM alert WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";
/// They are only there so that an event that comes again is recognised.
const FORGET: &str = "DELETE FROM alert_occurrence WHERE evidence IS NULL AND at < $1";

/// Deletes at most `most` alerts that were seen last before `before`, and forgets which events were counted before
/// `counted`. Returns how many alerts were deleted.
///
/// # Errors
/// When the database fails.
pub async fn delete_old(
    store: &Store,
    before: Timestamp,
    counted: Timestamp,
    most: usize,
) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let old = sqlx::query(OLD)
        .bind(before.as_millisecond())
        .bind(crate::rows::int(most))
        .fetch_all(tx.connection())
        .await?;
    let ids = old
        .iter()
        .map(|row| Columns::new(row, "alert", &["id"]).int("id"))
        .collect::<Result<Vec<_>, _>>()?;
    let done = sqlx::query(DELETE)
        .bind(numbers(ids))
        .execute(tx.connection())
        .await?;
    sqlx::query(FORGET)
        .bind(counted.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
