//! Benchmarks over many assets: counted, and looked into control by control.

use jiff::Timestamp;

use super::save::ControlRow;
use super::verdicts::{self, BenchmarkControl, ControlVerdict, ObjectVerdict};
use crate::columns::Columns;
use crate::rows::{clean, contains_pattern, int};
use crate::{AssetId, Cursor, Page, Store, StoreError};

/// Which assets are counted. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those of this environment; of all for an empty one.
    pub environment: String,
    /// Only this one.
    pub asset: Option<AssetId>,
}

impl Scope {
    fn number(&self) -> i64 {
        self.asset.map_or(0, |asset| asset.0)
    }
}

/// How many assets have an outcome for a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlTally {
    /// The control.
    pub control: String,
    /// The outcome's stable name.
    pub outcome: String,
    /// How many.
    pub assets: u64,
}

/// $1 benchmark, $2 version, $3 environment, $4 asset.
macro_rules! in_scope {
    () => {
        "FROM control_verdict c JOIN asset a ON a.id = c.asset \
         WHERE c.benchmark = $1 AND c.version = $2 AND ($3 = '' OR a.environment = $3) \
           AND ($4 = 0 OR a.id = $4) "
    };
}

/// They are counted already: with 10,000 assets there are a million verdicts.
const TALLY_ALL: &str = "SELECT control, outcome, number AS assets FROM control_count \
     WHERE environment = $3 AND benchmark = $1 AND version = $2 AND control > '' AND number > 0 ORDER BY control, outcome";
/// Of one asset.
const TALLY: &str = concat!(
    "SELECT c.control AS control, c.outcome AS outcome, CAST(COUNT(*) AS BIGINT) AS assets ",
    in_scope!(),
    "GROUP BY c.control, c.outcome ORDER BY c.control, c.outcome"
);

/// How an edition of a benchmark comes out, control by control.
///
/// # Errors
/// When the database fails.
pub async fn tally(
    store: &Store,
    benchmark: &str,
    version: &str,
    scope: &Scope,
) -> Result<Vec<ControlTally>, StoreError> {
    let rows = if scope.asset.is_none() {
        sqlx::query(TALLY_ALL)
            .bind(clean(benchmark))
            .bind(clean(version))
            .bind(clean(&scope.environment))
    } else {
        sqlx::query(TALLY)
            .bind(clean(benchmark))
            .bind(clean(version))
            .bind(clean(&scope.environment))
            .bind(scope.number())
    };
    let rows = rows.fetch_all(&store.pool).await?;
    let tally = |row| {
        let columns = Columns::new(row, "control_verdict", &["control"]);
        Ok(ControlTally {
            control: columns.text("control")?,
            outcome: columns.text("outcome")?,
            assets: columns.count("assets")?,
        })
    };
    rows.iter().map(tally).collect()
}

const ASSETS_ALL: &str = "SELECT CAST(COALESCE(SUM(number), 0) AS BIGINT) AS assets FROM control_count \
     WHERE environment = $3 AND benchmark = $1 AND version = $2 AND control = '' AND outcome = ''";
const ASSETS: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS assets FROM asset a \
     WHERE ($3 = '' OR a.environment = $3) AND ($4 = 0 OR a.id = $4) AND EXISTS (SELECT 1 FROM control_verdict c \
       WHERE c.asset = a.id AND c.benchmark = $1 AND c.version = $2)";

/// How many assets were compared with an edition.
///
/// # Errors
/// When the database fails.
pub async fn assets_in(
    store: &Store,
    benchmark: &str,
    version: &str,
    scope: &Scope,
) -> Result<u64, StoreError> {
    let statement = match scope.asset {
        None => ASSETS_ALL,
        Some(_) => ASSETS,
    };
    let query = sqlx::query(statement)
        .bind(clean(benchmark))
        .bind(clean(version))
        .bind(clean(&scope.environment));
    let query = match scope.asset {
        None => query,
        Some(asset) => query.bind(asset.0),
    };
    let row = query.fetch_one(&store.pool).await?;
    Columns::new(&row, "control_verdict", &[]).count("assets")
}

const DATED: &str = concat!(
    "SELECT (SELECT c.since ",
    in_scope!(),
    "ORDER BY c.since DESC LIMIT 1) AS since, \
       (SELECT CAST(MAX(s.collected_at) AS BIGINT) FROM asset_snapshot s JOIN asset a ON a.id = s.asset \
         WHERE ($3 = '' OR a.environment = $3) AND ($4 = 0 OR a.id = $4) AND EXISTS (SELECT 1 FROM control_verdict c \
           WHERE c.asset = a.id AND c.benchmark = $1 AND c.version = $2)) AS collected"
);

/// The time of the newest facts or verdict: equal data gives an equal time. Nothing where no asset was compared.
///
/// # Errors
/// When the database fails.
pub async fn dated(
    store: &Store,
    benchmark: &str,
    version: &str,
    scope: &Scope,
) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(DATED)
        .bind(clean(benchmark))
        .bind(clean(version))
        .bind(clean(&scope.environment))
        .bind(scope.number())
        .fetch_one(&store.pool)
        .await?;
    let columns = Columns::new(&row, "control_verdict", &[]);
    let (since, collected) = (columns.opt_time("since")?, columns.opt_time("collected")?);
    Ok(since.max(collected))
}

/// Which assets of a control. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlFilter {
    /// In this scope.
    pub scope: Scope,
    /// With this outcome; with any for an empty one.
    pub outcome: String,
    /// Part of the name; case does not matter.
    pub query: String,
}

const CONTROL: &str = concat!(
    "SELECT c.asset AS asset, a.name AS name, c.benchmark AS benchmark, c.version AS version, c.control AS control, \
       c.outcome AS outcome, c.severity AS severity, c.reason AS reason, c.since AS since ",
    in_scope!(),
    "AND c.control = $5 AND ($6 = '' OR c.outcome = $6) AND ($7 = '' OR lower(a.name) LIKE $7 ESCAPE '!') \
       AND ($8 = 0 OR (a.name, a.id) > ($9, $10)) ORDER BY a.name, a.id LIMIT $11"
);

/// What a control of an edition says of assets, by name, a page at a time. `control` is the benchmark's id, its
/// edition and the control's.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn control_in(
    store: &Store,
    control: (&str, &str, &str),
    filter: &ControlFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<BenchmarkControl>, StoreError> {
    let key: Option<(String, i64)> = after.map(Cursor::decode).transpose()?;
    let (name, id) = key.unwrap_or_default();
    let rows = sqlx::query(CONTROL)
        .bind(clean(control.0))
        .bind(clean(control.1))
        .bind(clean(&filter.scope.environment))
        .bind(filter.scope.number())
        .bind(clean(control.2))
        .bind(clean(&filter.outcome))
        .bind(contains_pattern(&filter.query))
        .bind(i64::from(after.is_some()))
        .bind(name)
        .bind(id)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "control_verdict", &["asset", "control"]);
            Ok(BenchmarkControl {
                asset: AssetId(columns.int("asset")?),
                asset_name: columns.text("name")?,
                verdict: ControlVerdict {
                    row: ControlRow {
                        benchmark: columns.text("benchmark")?,
                        version: columns.text("version")?,
                        control: columns.text("control")?,
                        outcome: columns.text("outcome")?,
                        severity: columns.severity("severity")?,
                        reason: columns.opt_text("reason")?,
                    },
                    since: columns.time("since")?,
                },
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(items, limit, |one| {
        (one.asset_name.clone(), one.asset.0)
    }))
}

/// Failed ones first: they are what people look for.
const OBJECTS: &str = "SELECT check_id, params, kind, object, name, outcome, actual, expected, reason, first_seen, changed \
     FROM object_verdict WHERE asset = $1 AND check_id = $2 AND params = $3 \
     ORDER BY CASE outcome WHEN 'fail' THEN 0 WHEN 'error' THEN 1 WHEN 'needs_review' THEN 2 ELSE 3 END, name, object \
     LIMIT $4";

/// What a check, with these parameters, says of objects of an asset: the first of them, those that fail before others.
///
/// # Errors
/// When the database fails.
pub async fn objects_of_check(
    store: &Store,
    asset: AssetId,
    check: &str,
    params: &str,
    limit: usize,
) -> Result<Vec<ObjectVerdict>, StoreError> {
    let rows = sqlx::query(OBJECTS)
        .bind(asset.0)
        .bind(clean(check))
        .bind(clean(params))
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(verdicts::object_from_row).collect()
}

const FAILED: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS failed FROM object_verdict \
     WHERE asset = $1 AND check_id = $2 AND params = $3 AND outcome = 'fail'";

/// On how many objects of an asset a check, with these parameters, fails.
///
/// # Errors
/// When the database fails.
pub async fn failed_objects(
    store: &Store,
    asset: AssetId,
    check: &str,
    params: &str,
) -> Result<u64, StoreError> {
    let row = sqlx::query(FAILED)
        .bind(asset.0)
        .bind(clean(check))
        .bind(clean(params))
        .fetch_one(&store.pool)
        .await?;
    Columns::new(&row, "object_verdict", &[]).count("failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::assert_bounded;

    #[test]
    fn an_edition_is_told_without_counting() {
        for statement in [TALLY_ALL, ASSETS_ALL] {
            assert_bounded(statement);
        }
    }
}
