//! What was ever changed about detections, by whom and why.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int};
use crate::{Store, StoreError, Tx};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryKind {
    /// A change was made.
    Tuned,
    /// A change was taken back.
    TakenBack,
    /// A change ended by itself.
    Ended,
    /// A rule file was brought or replaced.
    FileSaved,
    /// A rule file was deleted.
    FileDeleted,
}

impl HistoryKind {
    const ALL: [Self; 5] = [
        Self::Tuned,
        Self::TakenBack,
        Self::Ended,
        Self::FileSaved,
        Self::FileDeleted,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::TakenBack => "taken_back",
            Self::Ended => "ended",
            Self::FileSaved => "file_saved",
            Self::FileDeleted => "file_deleted",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What was done.
    pub what: HistoryKind,
    /// About which detection, list or file.
    pub target: String,
    /// For which cluster; all of them, if nothing.
    pub cluster: Option<String>,
    /// The change, as JSON; of a file the digest of its text.
    pub value: String,
    /// Why.
    pub reason: String,
}

const NOTE: &str = "INSERT INTO detection_history (at, author, what, target, cluster_name, value, reason) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Notes what was done, in the transaction that does it.
///
/// # Errors
/// When the database fails.
pub async fn note(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    sqlx::query(NOTE)
        .bind(entry.at.as_millisecond())
        .bind(clean(&entry.author))
        .bind(entry.what.as_str())
        .bind(clean(&entry.target))
        .bind(entry.cluster.as_deref().map(clean))
        .bind(clean(&entry.value))
        .bind(clean(&entry.reason))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const HISTORY: &str = "SELECT id, at, author, what, target, cluster_name, value, reason FROM detection_history \
     WHERE target IN (SELECT value ->> 't' FROM json_each($1)) ORDER BY id DESC LIMIT $2";
const ALL_HISTORY: &str = "SELECT id, at, author, what, target, cluster_name, value, reason FROM detection_history \
     ORDER BY id DESC LIMIT $1";

/// The last lines about these targets, about anything without, the last one first.
///
/// # Errors
/// When the database fails.
pub async fn history(
    store: &Store,
    targets: &[&str],
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let rows = if targets.is_empty() {
        let query = sqlx::query(ALL_HISTORY).bind(int(limit));
        query.fetch_all(&store.pool).await?
    } else {
        let query = sqlx::query(HISTORY)
            .bind(crate::rows::texts(targets.iter().copied()))
            .bind(int(limit));
        query.fetch_all(&store.pool).await?
    };
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Entry, StoreError> {
    let columns = Columns::new(row, "detection_history", &["id"]);
    Ok(Entry {
        at: columns.time("at")?,
        author: columns.text("author")?,
        what: columns.word("what", HistoryKind::parse)?,
        target: columns.text("target")?,
        cluster: columns.opt_text("cluster_name")?,
        value: columns.text("value")?,
        reason: columns.text("reason")?,
    })
}

const LATEST: &str = "SELECT COALESCE(MAX(id), 0) AS id FROM detection_history";

/// The number of the last line: another one says that something was changed.
///
/// # Errors
/// When the database fails.
pub async fn latest(store: &Store) -> Result<i64, StoreError> {
    let row = sqlx::query(LATEST).fetch_one(&store.pool).await?;
    Columns::new(&row, "detection_history", &["id"]).int("id")
}
