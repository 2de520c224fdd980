//! Stored verdicts, and how they changed.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::save::{ControlRow, ObjectRow};
use crate::columns::Columns;
use crate::rows::int;
use crate::{AssetId, Cursor, Page, Store, StoreError};

/// A control's verdict on an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlVerdict {
    /// What is said.
    pub row: ControlRow,
    /// Since when the outcome is this one.
    pub since: Timestamp,
}

/// A control's verdict on one of many assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchmarkControl {
    /// The asset.
    pub asset: AssetId,
    /// Its name.
    pub asset_name: String,
    /// What is said.
    pub verdict: ControlVerdict,
}

/// A check's verdict on an object of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVerdict {
    /// What is said.
    pub row: ObjectRow,
    /// When the object was judged first.
    pub first_seen: Timestamp,
    /// When the outcome became this one.
    pub changed: Timestamp,
}

/// One change of a control's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlChange {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// What it was before; nothing for one that was not judged.
    pub was: Option<String>,
    /// What it is since.
    pub outcome: String,
}

macro_rules! control_columns {
    () => {
        "c.benchmark AS benchmark, c.version AS version, c.control AS control, c.outcome AS outcome, \
         c.severity AS severity, c.reason AS reason, c.since AS since "
    };
}

pub(crate) fn control_from_row(row: &AnyRow) -> Result<ControlVerdict, StoreError> {
    let columns = Columns::new(row, "control_verdict", &["benchmark", "version", "control"]);
    Ok(ControlVerdict {
        row: ControlRow {
            benchmark: columns.text("benchmark")?,
            version: columns.text("version")?,
            control: columns.text("control")?,
            outcome: columns.text("outcome")?,
            severity: columns.severity("severity")?,
            reason: columns.opt_text("reason")?,
        },
        since: columns.time("since")?,
    })
}

pub(crate) const CONTROLS_OF: &str = concat!(
    "SELECT ",
    control_columns!(),
    "FROM control_verdict c WHERE c.asset = $1 ORDER BY c.benchmark, c.version, c.control"
);

/// What all benchmarks say of an asset.
///
/// # Errors
/// When the database fails.
pub async fn controls_of(store: &Store, asset: AssetId) -> Result<Vec<ControlVerdict>, StoreError> {
    let rows = sqlx::query(CONTROLS_OF)
        .bind(asset.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(control_from_row).collect()
}

pub(super) fn object_from_row(row: &AnyRow) -> Result<ObjectVerdict, StoreError> {
    let columns = Columns::new(row, "object_verdict", &["check_id", "kind", "object"]);
    Ok(ObjectVerdict {
        row: ObjectRow {
            check_id: columns.text("check_id")?,
            params: columns.text("params")?,
            kind: columns.text("kind")?,
            object: columns.text("object")?,
            name: columns.text("name")?,
            outcome: columns.text("outcome")?,
            actual: columns.text("actual")?,
            expected: columns.text("expected")?,
            reason: columns.opt_text("reason")?,
        },
        first_seen: columns.time("first_seen")?,
        changed: columns.time("changed")?,
    })
}

pub(super) const OBJECTS_OF: &str = "SELECT check_id, params, kind, object, name, outcome, actual, expected, reason, \
       first_seen, changed FROM object_verdict WHERE asset = $1 \
     ORDER BY check_id, params, kind, name, object";

/// What checks say of the objects of an asset.
///
/// # Errors
/// When the database fails.
pub async fn objects_of(store: &Store, asset: AssetId) -> Result<Vec<ObjectVerdict>, StoreError> {
    let rows = sqlx::query(OBJECTS_OF)
        .bind(asset.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(object_from_row).collect()
}

const HISTORY: &str = "SELECT id, at, benchmark, version, control, was, outcome FROM control_change \
     WHERE asset = $1 AND ($2 = 0 OR id < $3) ORDER BY id DESC LIMIT $4";

/// How the outcomes of an asset's controls changed, the last change first.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn history(
    store: &Store,
    asset: AssetId,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<ControlChange>, StoreError> {
    let key: i64 = after.map(Cursor::decode).transpose()?.unwrap_or_default();
    let rows = sqlx::query(HISTORY)
        .bind(asset.0)
        .bind(i64::from(after.is_some()))
        .bind(key)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "control_change", &["id"]);
            Ok(ControlChange {
                id: columns.int("id")?,
                at: columns.time("at")?,
                benchmark: columns.text("benchmark")?,
                version: columns.text("version")?,
                control: columns.text("control")?,
                was: columns.opt_text("was")?,
                outcome: columns.text("outcome")?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(items, limit, |change| change.id))
}
