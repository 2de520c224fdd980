//! Saving what is said of an asset. Only what differs is written; changed outcomes leave a line in the history.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seareeve_model::Severity;
use serde::Serialize;

use super::health::{Health, HealthChange, HealthEntry, HealthState};
use super::{health, verdicts};
use crate::columns::{Columns, severity_number};
use crate::control_counts::{Counted, Shifts};
use crate::rows::{BATCH, clean, int, rows, size};
use crate::{AssetId, Changes, SeverityCounts, StoreError, Tx, control_counts};

/// All that is said of an asset.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Of each control of each edition.
    pub controls: Vec<ControlRow>,
    /// Of each object, by each check.
    pub objects: Vec<ObjectRow>,
    /// By each recommendation that is about such assets.
    pub health: Vec<Health>,
    /// Failed controls as the list counts them.
    pub failed: SeverityCounts,
    /// The editions whose changes are kept as history.
    pub newest: BTreeSet<(String, String)>,
    /// All of it as one word.
    pub state: HealthState,
    /// Why.
    pub reason: Option<String>,
}

/// A control's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlRow {
    /// The benchmark.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// The outcome's stable name.
    pub outcome: String,
    /// How bad it is when it fails; unknown for one without a check.
    pub severity: Severity,
    /// Why.
    pub reason: Option<String>,
}

/// A check's verdict on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectRow {
    /// The check.
    pub check_id: String,
    /// Its parameters where they are not its own, as JSON.
    pub params: String,
    /// The kind of fact.
    pub kind: String,
    /// The fact's id.
    pub object: String,
    /// For people.
    pub name: String,
    /// The outcome's stable name.
    pub outcome: String,
    /// What was found.
    pub actual: String,
    /// What is wanted.
    pub expected: String,
    /// Why it is not applicable, not collected or excepted.
    pub reason: Option<String>,
}

#[derive(Serialize)]
struct StoredControl<'a> {
    benchmark: &'a str,
    version: &'a str,
    control: &'a str,
    outcome: &'a str,
    severity: i64,
    reason: Option<String>,
    since: i64,
}

#[derive(Serialize)]
struct StoredObject<'a> {
    #[serde(flatten)]
    row: &'a ObjectRow,
    first_seen: i64,
    changed: i64,
}

#[derive(Serialize)]
struct StoredHealth<'a> {
    recommendation: &'a str,
    health: &'a str,
    reason: Option<&'a str>,
    exemption: Option<i64>,
    since: i64,
}

/// The outcome of a control that no longer concerns an asset.
const NOT_APPLICABLE: &str = "not_applicable";

#[derive(Serialize)]
struct Change<'a> {
    benchmark: &'a str,
    version: &'a str,
    control: &'a str,
    was: Option<&'a str>,
    outcome: &'a str,
}

const EXISTS: &str = "SELECT id, name, environment, judged FROM asset WHERE id = $1";
const SUMMARY: &str = "UPDATE asset SET state = $2, reason = $3, judged = $4, critical = $5, high = $6, medium = $7, \
       low = $8, unknown = $9, said_unhealthy = $10, said_healthy = $11, said_not_applicable = $12, said_unknown = $13 \
     WHERE id = $1 AND (judged IS NULL OR state <> $2 OR COALESCE(reason, '') <> COALESCE($3, '') \
       OR critical <> $5 OR high <> $6 OR medium <> $7 OR low <> $8 OR unknown <> $9 OR said_unhealthy <> $10 \
       OR said_healthy <> $11 OR said_not_applicable <> $12 OR said_unknown <> $13)";

/// Makes `judged` all that is said of the asset. The same again writes nothing. Returns what it wrote, and which
/// recommendations say something else than before.
///
/// # Errors
/// [`StoreError::NotFound`] when the asset is gone; when the database fails. Then the transaction must be dropped.
pub async fn save_judged(
    tx: &mut Tx,
    asset: AssetId,
    judged: &Judged,
    now: Timestamp,
) -> Result<(Changes, Vec<HealthChange>), StoreError> {
    let known = sqlx::query(EXISTS)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    let Some(known) = known else {
        return Err(StoreError::NotFound { what: "asset" });
    };
    let known = Columns::new(&known, "asset", &["id"]);
    let (name, environment) = (known.text("name")?, known.text("environment")?);
    // The first verdicts of an asset are no change.
    let is_first = known.opt_int("judged")?.is_none();
    let mut changes = Changes::default();
    let of = Of {
        asset,
        environment: &environment,
        is_first,
    };
    save_controls(tx, &of, judged, now, &mut changes).await?;
    save_objects(tx, asset, &judged.objects, now, &mut changes).await?;
    let differ = save_health(tx, (asset, &name), &judged.health, now, &mut changes).await?;
    let failed = judged.failed;
    let said = |state: HealthState| {
        let health = judged.health.iter();
        int(health.filter(|one| one.state == state).count())
    };
    let done = sqlx::query(SUMMARY)
        .bind(asset.0)
        .bind(judged.state.as_str())
        .bind(judged.reason.as_deref().map(clean))
        .bind(now.as_millisecond())
        .bind(size(failed.critical))
        .bind(size(failed.high))
        .bind(size(failed.medium))
        .bind(size(failed.low))
        .bind(size(failed.unknown))
        .bind(said(HealthState::Unhealthy))
        .bind(said(HealthState::Healthy))
        .bind(said(HealthState::NotApplicable))
        .bind(said(HealthState::Unknown))
        .execute(tx.connection())
        .await?;
    changes.summaries += done.rows_affected();
    Ok((changes, differ))
}

const PUT_CONTROLS: &str = "INSERT INTO control_verdict (asset, benchmark, version, control, outcome, severity, reason, since) \
     SELECT $1, n.value ->> 'benchmark', n.value ->> 'version', n.value ->> 'control', n.value ->> 'outcome', \
       CAST(n.value ->> 'severity' AS BIGINT), n.value ->> 'reason', CAST(n.value ->> 'since' AS BIGINT) \
     FROM json_each($2) AS n WHERE true \
     ON CONFLICT (asset, benchmark, version, control) DO UPDATE SET outcome = excluded.outcome, \
       severity = excluded.severity, reason = excluded.reason, since = excluded.since";
const DELETE_CONTROLS: &str = "DELETE FROM control_verdict WHERE asset = $1 AND (benchmark, version, control) IN \
     (SELECT n.value ->> 'benchmark', n.value ->> 'version', n.value ->> 'control' FROM json_each($2) AS n)";
const PUT_CHANGES: &str = "INSERT INTO control_change (asset, at, benchmark, version, control, was, outcome) \
     SELECT $1, $2, n.value ->> 'benchmark', n.value ->> 'version', n.value ->> 'control', n.value ->> 'was', \
       n.value ->> 'outcome' FROM json_each($3) AS n";

/// Whose controls they are.
struct Of<'a> {
    asset: AssetId,
    environment: &'a str,
    /// Whether it is judged for the first time.
    is_first: bool,
}

async fn save_controls(
    tx: &mut Tx,
    of: &Of<'_>,
    judged: &Judged,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let stored = sqlx::query(verdicts::CONTROLS_OF)
        .bind(of.asset.0)
        .fetch_all(tx.connection())
        .await?;
    let mut old = BTreeMap::new();
    for row in &stored {
        let verdict = verdicts::control_from_row(row)?;
        let key = (
            verdict.row.benchmark.clone(),
            verdict.row.version.clone(),
            verdict.row.control.clone(),
        );
        old.insert(key, verdict);
    }
    let (mut put, mut told) = (Vec::new(), Vec::new());
    let (mut kept, mut shifts) = (BTreeSet::new(), Shifts::new());
    let counted = |row: &ControlRow, outcome: &str| Counted {
        benchmark: row.benchmark.clone(),
        version: row.version.clone(),
        control: row.control.clone(),
        outcome: outcome.to_owned(),
    };
    for row in &judged.controls {
        let key = (
            row.benchmark.clone(),
            row.version.clone(),
            row.control.clone(),
        );
        let before = old.get(&key);
        let edition = (row.benchmark.clone(), row.version.clone());
        // Benchmarks may say one control for several versions: the first counts.
        if !kept.insert(key) {
            continue;
        }
        let reason = row.reason.as_deref().map(clean);
        let was = before.map(|before| before.row.outcome.as_str());
        let is_changed = was != Some(row.outcome.as_str());
        if is_changed {
            *shifts.entry(counted(row, &row.outcome)).or_default() += 1;
            if let Some(was) = was {
                *shifts.entry(counted(row, was)).or_default() -= 1;
            }
        }
        match before {
            Some(before)
                if !is_changed
                    && before.row.severity == row.severity
                    && before.row.reason == reason =>
            {
                continue;
            }
            Some(_) => changes.updated += 1,
            None => changes.inserted += 1,
        }
        let since = match before {
            Some(before) if !is_changed => before.since,
            _ => now,
        };
        put.push(StoredControl {
            benchmark: &row.benchmark,
            version: &row.version,
            control: &row.control,
            outcome: &row.outcome,
            severity: severity_number(row.severity),
            reason,
            since: since.as_millisecond(),
        });
        if is_changed && !of.is_first && judged.newest.contains(&edition) {
            told.push(Change {
                benchmark: &row.benchmark,
                version: &row.version,
                control: &row.control,
                was,
                outcome: &row.outcome,
            });
        }
    }
    let gone: Vec<Change<'_>> = old
        .iter()
        .filter(|(key, _)| !kept.contains(key))
        .map(|(_, verdict)| Change {
            benchmark: &verdict.row.benchmark,
            version: &verdict.row.version,
            control: &verdict.row.control,
            was: None,
            outcome: &verdict.row.outcome,
        })
        .collect();
    for (_, verdict) in old.iter().filter(|(key, _)| !kept.contains(*key)) {
        let row = &verdict.row;
        *shifts.entry(counted(row, &row.outcome)).or_default() -= 1;
        // What no longer concerns the asset: Docker was removed, or its provider looks after it now.
        let edition = (row.benchmark.clone(), row.version.clone());
        if judged.newest.contains(&edition) && row.outcome != NOT_APPLICABLE {
            told.push(Change {
                benchmark: &row.benchmark,
                version: &row.version,
                control: &row.control,
                was: Some(&row.outcome),
                outcome: NOT_APPLICABLE,
            });
        }
    }
    let editions = |benchmark: &String, version: &String| Counted::edition(benchmark, version);
    let before: BTreeSet<Counted> = old.keys().map(|(b, v, _)| editions(b, v)).collect();
    let after: BTreeSet<Counted> = kept.iter().map(|(b, v, _)| editions(b, v)).collect();
    for edition in after.difference(&before) {
        *shifts.entry(edition.clone()).or_default() += 1;
    }
    for edition in before.difference(&after) {
        *shifts.entry(edition.clone()).or_default() -= 1;
    }
    control_counts::shift(tx, &["", of.environment], &shifts).await?;
    changes.inserted += told.len() as u64;
    for batch in put.chunks(BATCH) {
        sqlx::query(PUT_CONTROLS)
            .bind(of.asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    for batch in told.chunks(BATCH) {
        sqlx::query(PUT_CHANGES)
            .bind(of.asset.0)
            .bind(now.as_millisecond())
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    for batch in gone.chunks(BATCH) {
        let done = sqlx::query(DELETE_CONTROLS)
            .bind(of.asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.deleted += done.rows_affected();
    }
    Ok(())
}

const PUT_OBJECTS: &str = "INSERT INTO object_verdict (asset, check_id, params, kind, object, name, outcome, actual, expected, \
       reason, first_seen, changed) \
     SELECT $1, n.value ->> 'check_id', n.value ->> 'params', n.value ->> 'kind', n.value ->> 'object', \
       n.value ->> 'name', n.value ->> 'outcome', n.value ->> 'actual', n.value ->> 'expected', \
       n.value ->> 'reason', CAST(n.value ->> 'first_seen' AS BIGINT), CAST(n.value ->> 'changed' AS BIGINT) \
     FROM json_each($2) AS n WHERE true \
     ON CONFLICT (asset, check_id, params, kind, object) DO UPDATE SET name = excluded.name, \
       outcome = excluded.outcome, actual = excluded.actual, expected = excluded.expected, \
       reason = excluded.reason, changed = excluded.changed";
const DELETE_OBJECTS: &str = "DELETE FROM object_verdict WHERE asset = $1 AND (check_id, params, kind, object) IN \
     (SELECT n.value ->> 'check_id', n.value ->> 'params', n.value ->> 'kind', n.value ->> 'object' \
      FROM json_each($2) AS n)";

async fn save_objects(
    tx: &mut Tx,
    asset: AssetId,
    objects: &[ObjectRow],
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let stored = sqlx::query(verdicts::OBJECTS_OF)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let key = |row: &ObjectRow| {
        (
            row.check_id.clone(),
            row.params.clone(),
            row.kind.clone(),
            row.object.clone(),
        )
    };
    let mut old = BTreeMap::new();
    for row in &stored {
        let verdict = verdicts::object_from_row(row)?;
        old.insert(key(&verdict.row), verdict);
    }
    let cleaned: Vec<ObjectRow> = objects.iter().map(ObjectRow::cleaned).collect();
    let (mut put, mut kept) = (Vec::new(), BTreeSet::new());
    for row in &cleaned {
        let key = key(row);
        let before = old.get(&key);
        if !kept.insert(key) {
            continue;
        }
        match before {
            Some(before) if before.row == *row => continue,
            Some(_) => changes.updated += 1,
            None => changes.inserted += 1,
        }
        let changed = match before {
            Some(before) if before.row.outcome == row.outcome => before.changed,
            _ => now,
        };
        put.push(StoredObject {
            row,
            first_seen: before
                .map_or(now, |before| before.first_seen)
                .as_millisecond(),
            changed: changed.as_millisecond(),
        });
    }
    let gone: Vec<&ObjectRow> = old
        .iter()
        .filter(|(key, _)| !kept.contains(key))
        .map(|(_, verdict)| &verdict.row)
        .collect();
    for batch in put.chunks(BATCH) {
        sqlx::query(PUT_OBJECTS)
            .bind(asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    for batch in gone.chunks(BATCH) {
        let done = sqlx::query(DELETE_OBJECTS)
            .bind(asset.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.deleted += done.rows_affected();
    }
    Ok(())
}

impl ObjectRow {
    fn cleaned(&self) -> Self {
        Self {
            check_id: clean(&self.check_id),
            params: clean(&self.params),
            kind: clean(&self.kind),
            object: clean(&self.object),
            name: clean(&self.name),
            outcome: self.outcome.clone(),
            actual: clean(&self.actual),
            expected: clean(&self.expected),
            reason: self.reason.as_deref().map(clean),
        }
    }
}

const PUT_HEALTH: &str = "INSERT INTO asset_health (recommendation, asset, health, reason, exemption, since, name, environment) \
     SELECT n.value ->> 'recommendation', a.id, n.value ->> 'health', n.value ->> 'reason', \
       CAST(n.value ->> 'exemption' AS BIGINT), CAST(n.value ->> 'since' AS BIGINT), a.name, a.environment \
     FROM json_each($2) AS n JOIN asset a ON a.id = $1 WHERE true \
     ON CONFLICT (recommendation, asset) DO UPDATE SET health = excluded.health, reason = excluded.reason, \
       exemption = excluded.exemption, since = excluded.since";
const DELETE_HEALTH: &str = "DELETE FROM asset_health WHERE asset = $1 AND recommendation IN \
     (SELECT n.value ->> 'recommendation' FROM json_each($2) AS n)";

async fn save_health(
    tx: &mut Tx,
    (asset, name): (AssetId, &str),
    new: &[Health],
    now: Timestamp,
    changes: &mut Changes,
) -> Result<Vec<HealthChange>, StoreError> {
    let stored = sqlx::query(health::OF_ASSET)
        .bind(asset.0)
        .fetch_all(tx.connection())
        .await?;
    let stored: Vec<HealthEntry> = stored
        .iter()
        .map(health::from_row)
        .collect::<Result<_, _>>()?;
    let new: Vec<Health> = new
        .iter()
        .map(|one| Health {
            reason: one.reason.as_deref().map(clean),
            ..one.clone()
        })
        .collect();
    let (mut put, mut differ) = (Vec::new(), Vec::new());
    for one in &new {
        let before = stored
            .iter()
            .find(|before| before.health.recommendation == one.recommendation);
        let is_changed = before.is_none_or(|before| before.health.state != one.state);
        match before {
            Some(before) if before.health == *one => continue,
            Some(_) => changes.updated += 1,
            None => changes.inserted += 1,
        }
        if is_changed {
            differ.push(HealthChange {
                recommendation: one.recommendation.clone(),
                asset_name: name.to_owned(),
                was: before.map(|before| before.health.state),
                health: Some(one.state),
            });
        }
        let since = match before {
            Some(before) if !is_changed => before.since,
            _ => now,
        };
        put.push(StoredHealth {
            recommendation: &one.recommendation,
            health: one.state.as_str(),
            reason: one.reason.as_deref(),
            exemption: one.exemption.map(|id| id.0),
            since: since.as_millisecond(),
        });
    }
    let gone: Vec<StoredHealth<'_>> = stored
        .iter()
        .filter(|before| {
            let mut new = new.iter();
            !new.any(|one| one.recommendation == before.health.recommendation)
        })
        .map(|before| StoredHealth {
            recommendation: &before.health.recommendation,
            health: "",
            reason: None,
            exemption: None,
            since: 0,
        })
        .collect();
    differ.extend(gone.iter().map(|gone| HealthChange {
        recommendation: gone.recommendation.to_owned(),
        asset_name: name.to_owned(),
        was: None,
        health: None,
    }));
    if !put.is_empty() {
        sqlx::query(PUT_HEALTH)
            .bind(asset.0)
            .bind(rows(&put))
            .execute(tx.connection())
            .await?;
    }
    if !gone.is_empty() {
        let done = sqlx::query(DELETE_HEALTH)
            .bind(asset.0)
            .bind(rows(&gone))
            .execute(tx.connection())
            .await?;
        changes.deleted += done.rows_affected();
    }
    Ok(differ)
}
