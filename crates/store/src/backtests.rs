//! Rules that were or are tried on kept events.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int, size};
use crate::{BacktestId, Store, StoreError, Tx};

/// How far a back-test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BacktestState {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// It has a result.
    Done,
    /// It was given up.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl BacktestState {
    const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// A back-test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backtest {
    /// The row.
    pub id: BacktestId,
    /// What is tried, for people.
    pub title: String,
    /// The detection or file that it is about.
    pub target: Option<String>,
    /// See there.
    pub state: BacktestState,
    /// What was asked for, as JSON.
    pub asked: String,
    /// Events that it has gone through.
    pub seen: u64,
    /// Events that there are.
    pub total: u64,
    /// Why it failed.
    pub problem: Option<String>,
    /// Who asked.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

const CREATE: &str = "INSERT INTO backtest (title, target, state, asked, seen, total, author, created) \
     VALUES ($1, $2, 'queued', $3, 0, 0, $4, $5) RETURNING id";

/// Makes one that waits for its turn.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    title: &str,
    target: Option<&str>,
    asked: &str,
    author: &str,
    now: Timestamp,
) -> Result<BacktestId, StoreError> {
    let row = sqlx::query(CREATE)
        .bind(clean(title))
        .bind(target.map(clean))
        .bind(clean(asked))
        .bind(clean(author))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    Ok(BacktestId(
        Columns::new(&row, "backtest", &["id"]).int("id")?,
    ))
}

macro_rules! backtest_columns {
    () => {
        "SELECT id, title, target, state, asked, seen, total, problem, author, created, ended FROM backtest "
    };
}

fn from_row(row: &AnyRow) -> Result<Backtest, StoreError> {
    let columns = Columns::new(row, "backtest", &["id"]);
    Ok(Backtest {
        id: BacktestId(columns.int("id")?),
        title: columns.text("title")?,
        target: columns.opt_text("target")?,
        state: columns.word("state", BacktestState::parse)?,
        asked: columns.text("asked")?,
        seen: columns.count("seen")?,
        total: columns.count("total")?,
        problem: columns.opt_text("problem")?,
        author: columns.text("author")?,
        created: columns.time("created")?,
        ended: columns.opt_time("ended")?,
    })
}

const LIST: &str = concat!(backtest_columns!(), "ORDER BY id DESC LIMIT $1");

/// The last ones, the last one first.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store, limit: usize) -> Result<Vec<Backtest>, StoreError> {
    let rows = sqlx::query(LIST)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

const GET: &str = concat!(backtest_columns!(), "WHERE id = $1");
const RESULT: &str = "SELECT id, result FROM backtest WHERE id = $1";

/// One of them.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, id: BacktestId) -> Result<Option<Backtest>, StoreError> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// What came of it, as JSON.
///
/// # Errors
/// When the database fails.
pub async fn result(store: &Store, id: BacktestId) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(RESULT)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let text = row.map(|row| Columns::new(&row, "backtest", &["id"]).opt_text("result"));
    Ok(text.transpose()?.flatten())
}

const ADVANCE: &str = "UPDATE backtest SET state = 'running', seen = $2, total = $3 \
     WHERE id = $1 AND state IN ('queued', 'running')";

/// Notes how far it is. `false`: somebody stopped it.
///
/// # Errors
/// When the database fails.
pub async fn advance(
    tx: &mut Tx,
    id: BacktestId,
    seen: u64,
    total: u64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(ADVANCE)
        .bind(id.0)
        .bind(size(seen))
        .bind(size(total))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const END: &str = "UPDATE backtest SET state = $2, result = $3, problem = $4, ended = $5 \
     WHERE id = $1 AND state IN ('queued', 'running')";

/// How a back-test ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<'e> {
    /// With a result, as JSON.
    Done(&'e str),
    /// With a reason.
    Failed(&'e str),
    /// By somebody's wish.
    Cancelled,
}

/// Ends it. `false`: it has ended already.
///
/// # Errors
/// When the database fails.
pub async fn end(
    tx: &mut Tx,
    id: BacktestId,
    ending: Ending<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, result, problem) = match ending {
        Ending::Done(result) => (BacktestState::Done, Some(result), None),
        Ending::Failed(problem) => (BacktestState::Failed, None, Some(problem)),
        Ending::Cancelled => (BacktestState::Cancelled, None, None),
    };
    let done = sqlx::query(END)
        .bind(id.0)
        .bind(state.as_str())
        .bind(result.map(clean))
        .bind(problem.map(clean))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const PENDING: &str =
    "SELECT COUNT(*) AS waiting FROM backtest WHERE state IN ('queued', 'running')";

/// How many wait or run.
///
/// # Errors
/// When the database fails.
pub async fn pending(store: &Store) -> Result<u64, StoreError> {
    let row = sqlx::query(PENDING).fetch_one(&store.pool).await?;
    Columns::new(&row, "backtest", &[]).count("waiting")
}

const PRUNE: &str = "DELETE FROM backtest WHERE ended IS NOT NULL AND (ended < $1 OR id <= \
     (SELECT COALESCE(MAX(id), 0) FROM backtest) - $2)";

/// Forgets those that ended before `before`, and those before the last `most`.
///
/// # Errors
/// When the database fails.
pub async fn prune(store: &Store, before: Timestamp, most: usize) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(PRUNE)
        .bind(before.as_millisecond())
        .bind(int(most))
        .execute(tx.connection())
        .await?;
    tx.commit().await
}
