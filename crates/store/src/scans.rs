//! Scans: what was asked to be scanned, by whom, and what came of it.

use jiff::Timestamp;
use seareeve_model::Digest;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, int, size};
use crate::{Cursor, ImageId, Page, ScanId, Store, StoreError, Tx, UserId};

/// One request to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The row.
    pub id: ScanId,
    /// What to scan.
    pub source: ScanSource,
    /// Name of the user who asked; `None` when that user is gone.
    pub requested_by: Option<String>,
    /// How far it is.
    pub state: ScanState,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it started last.
    pub started: Option<Timestamp>,
    /// When it ended, one way or the other.
    pub finished: Option<Timestamp>,
}

/// What to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanSource {
    /// An image in a registry.
    Reference(String),
    /// An archive that was sent to us.
    Upload {
        /// The file's name at the sender.
        name: String,
        /// Its size.
        size_bytes: u64,
    },
    /// A bill of materials that was sent to us, by a name for people.
    Sbom(String),
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanState {
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It is done.
    Done {
        /// The image; `None` when it was deleted since.
        image: Option<Digest>,
        /// How many things could not be read or judged.
        problems: u64,
    },
    /// It could not be done.
    Failed {
        /// Why, for people.
        error: String,
    },
    /// Somebody stopped it.
    Cancelled,
}

impl ScanSource {
    fn parts(&self) -> (&'static str, &str, u64) {
        match self {
            Self::Reference(text) => ("reference", text, 0),
            Self::Upload { name, size_bytes } => ("upload", name, *size_bytes),
            Self::Sbom(text) => ("sbom", text, 0),
        }
    }
}

fn from_row(row: &AnyRow) -> Result<Scan, StoreError> {
    let columns = Columns::new(row, "scan", &["id"]);
    let text = columns.text("source")?;
    let source = match columns.text("source_kind")?.as_str() {
        "reference" => ScanSource::Reference(text),
        "upload" => ScanSource::Upload {
            name: text,
            size_bytes: columns.count("size_bytes")?,
        },
        "sbom" => ScanSource::Sbom(text),
        other => return Err(columns.corrupt("source_kind", &format!("{other:?} is no source"))),
    };
    let state = match columns.text("state")?.as_str() {
        "queued" => ScanState::Queued,
        "running" => ScanState::Running,
        "done" => ScanState::Done {
            image: columns.opt_parsed("image_digest")?,
            problems: columns.count("problems")?,
        },
        "failed" => ScanState::Failed {
            error: columns.text("error")?,
        },
        "cancelled" => ScanState::Cancelled,
        other => return Err(columns.corrupt("state", &format!("{other:?} is not a state"))),
    };
    Ok(Scan {
        id: ScanId(columns.int("id")?),
        source,
        requested_by: columns.opt_text("user_name")?,
        state,
        created: columns.time("created")?,
        started: columns.opt_time("started")?,
        finished: columns.opt_time("finished")?,
    })
}

const CREATE: &str = "INSERT INTO scan (source_kind, source, size_bytes, requested_by, state, problems, error, created) \
     VALUES ($1, $2, $3, $4, 'queued', 0, '', $5) RETURNING id";

/// Notes a request, in the transaction that enqueues its job.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    source: &ScanSource,
    requested_by: Option<UserId>,
    now: Timestamp,
) -> Result<ScanId, StoreError> {
    let (kind, text, size_bytes) = source.parts();
    let row = sqlx::query(CREATE)
        .bind(kind)
        .bind(clean(text))
        .bind(size(size_bytes))
        .bind(requested_by.map(|user| user.0))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    Ok(ScanId(Columns::new(&row, "scan", &["id"]).int("id")?))
}

/// The columns of [`from_row`], of a scan called `s`.
macro_rules! select_scans {
    () => {
        "SELECT s.id AS id, s.source_kind AS source_kind, s.source AS source, \
           s.size_bytes AS size_bytes, s.state AS state, s.problems AS problems, s.error AS error, \
           s.created AS created, s.started AS started, s.finished AS finished, \
           i.digest AS image_digest, a.name AS user_name \
         FROM scan s LEFT JOIN image i ON i.id = s.image LEFT JOIN account a ON a.id = s.requested_by "
    };
}

const GET: &str = concat!(select_scans!(), "WHERE s.id = $1");

/// The scan with this id.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, id: ScanId) -> Result<Option<Scan>, StoreError> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const LIST: &str = concat!(
    select_scans!(),
    "WHERE $1 = 0 OR s.id < $1 ORDER BY s.id DESC LIMIT $2"
);

/// Scans, newest first.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn list(
    store: &Store,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Scan>, StoreError> {
    let after: i64 = after.map(Cursor::decode).transpose()?.unwrap_or(0);
    let rows = sqlx::query(LIST)
        .bind(after)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let scans = rows.iter().map(from_row).collect::<Result<_, _>>()?;
    Ok(Page::cut(scans, limit, |scan: &Scan| scan.id.0))
}

const PENDING: &str = "SELECT COUNT(*) AS scans FROM scan WHERE state IN ('queued', 'running')";

/// How many scans wait or run.
///
/// # Errors
/// When the database fails.
pub async fn pending(store: &Store) -> Result<u64, StoreError> {
    let row = sqlx::query(PENDING).fetch_one(&store.pool).await?;
    Columns::new(&row, "scan", &[]).count("scans")
}

const UNFINISHED: &str = "SELECT id, created FROM scan \
     WHERE state IN ('queued', 'running') AND created < $1 ORDER BY id";

/// Scans asked for before `before` that wait or run.
///
/// # Errors
/// When the database fails.
pub async fn unfinished(store: &Store, before: Timestamp) -> Result<Vec<ScanId>, StoreError> {
    let rows = sqlx::query(UNFINISHED)
        .bind(before.as_millisecond())
        .fetch_all(&store.pool)
        .await?;
    rows.iter()
        .map(|row| Ok(ScanId(Columns::new(row, "scan", &["id"]).int("id")?)))
        .collect()
}

const START: &str = "UPDATE scan SET state = 'running', started = $2 \
     WHERE id = $1 AND state IN ('queued', 'running')";

/// A worker begins, or begins again after another died. `false`: the scan has ended, leave it.
///
/// # Errors
/// When the database fails.
pub async fn start(tx: &mut Tx, id: ScanId, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(START)
        .bind(id.0)
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const END: &str = "UPDATE scan SET state = $2, image = $3, problems = $4, error = $5, finished = $6 \
     WHERE id = $1 AND state IN ('queued', 'running')";

const SCANNED: &str = "UPDATE image SET scanned = $2 WHERE id = $1";

/// How a scan ends.
struct End<'a> {
    state: &'static str,
    image: Option<ImageId>,
    problems: u64,
    error: &'a str,
}

async fn end(tx: &mut Tx, id: ScanId, end: End<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query(END)
        .bind(id.0)
        .bind(end.state)
        .bind(end.image.map(|image| image.0))
        .bind(size(end.problems))
        .bind(clean(end.error))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The scan is done, in the transaction that saved the image. `false`: it was cancelled before.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    tx: &mut Tx,
    id: ScanId,
    image: ImageId,
    problems: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = End {
        state: "done",
        image: Some(image),
        problems,
        error: "",
    };
    let is_ours = end(tx, id, done, now).await?;
    if is_ours {
        // The scan's row is forgotten one day, and how old the scan is matters as long as the image is there.
        sqlx::query(SCANNED)
            .bind(image.0)
            .bind(now.as_millisecond())
            .execute(tx.connection())
            .await?;
    }
    Ok(is_ours)
}

/// The scan could not be done; `error` says why, for people. `false`: it had ended before.
///
/// # Errors
/// When the database fails.
pub async fn fail(
    tx: &mut Tx,
    id: ScanId,
    error: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let failed = End {
        state: "failed",
        image: None,
        problems: 0,
        error,
    };
    end(tx, id, failed, now).await
}

/// Stops a scan that has not ended; its worker notices when it wants to finish. `false`: it had ended before.
///
/// # Errors
/// When the database fails.
pub async fn cancel(tx: &mut Tx, id: ScanId, now: Timestamp) -> Result<bool, StoreError> {
    let cancelled = End {
        state: "cancelled",
        image: None,
        problems: 0,
        error: "",
    };
    end(tx, id, cancelled, now).await
}

const DELETE_OLD: &str =
    "DELETE FROM scan WHERE finished < $1 AND state IN ('done', 'failed', 'cancelled')";

/// Forgets scans that ended before `before`; their images stay. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn delete_old(store: &Store, before: Timestamp) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query(DELETE_OLD)
        .bind(before.as_millisecond())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
