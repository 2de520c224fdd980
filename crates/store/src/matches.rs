//! Matches: which package has which vulnerability. The one place that writes findings.
//!
//! A match belongs to a package, not to an image: when advisories change, only the packages that they name
//! are matched again, and every image that holds one shows the result in that moment. The counts kept with
//! each image follow by the difference, in one statement for all images.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use seareeve_model::{Finding, Vulnerability};
use serde::Serialize;

use crate::columns::Columns;
use crate::rows::{BATCH, clean, numbers, rows};
use crate::vulnerabilities::{self, MatchRow};
use crate::{Changes, Dialect, ImageId, PackageId, StoreError, Tx, image_uses, images};

#[derive(Serialize)]
struct KeyedRow {
    package: i64,
    vulnerability: i64,
    first_seen: i64,
    #[serde(flatten)]
    row: MatchRow,
}

#[derive(Clone, Copy, Serialize)]
struct Key {
    package: i64,
    vulnerability: i64,
}

/// By how much the counts of every image that holds the package change.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Delta {
    package: i64,
    critical: i64,
    high: i64,
    medium: i64,
    low: i64,
    unknown: i64,
    fixable: i64,
    exploited: i64,
}

impl Delta {
    fn count(&mut self, row: &MatchRow, is_exploited: bool, by: i64) {
        if !row.counts() {
            return;
        }
        match row.severity {
            4 => self.critical += by,
            3 => self.high += by,
            2 => self.medium += by,
            1 => self.low += by,
            _ => self.unknown += by,
        }
        if row.is_fixable() {
            self.fixable += by;
        }
        if is_exploited {
            self.exploited += by;
        }
    }

    fn is_zero(&self) -> bool {
        let Self { package, .. } = *self;
        *self
            == Self {
                package,
                ..Self::default()
            }
    }
}

/// One writer at a time for everything that findings and counts are made of, so that two of them cannot both
/// count the same difference. SQLite has one writer anyway. Readers are not held up.
pub(crate) async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    match tx.dialect() {
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            sqlx::query("LOCK TABLE package_vulnerability IN SHARE ROW EXCLUSIVE MODE")
                .execute(tx.connection())
                .await?;
        }
    }
    Ok(())
}

/// Makes `updates` the findings of these packages: what is missing is written, what differs is rewritten,
/// what is no longer there is deleted. Findings that stay as they are, and all other packages, are not
/// touched; applying the same twice writes nothing. Packages that are gone meanwhile are passed over.
///
/// # Errors
/// When the database fails; then the transaction must be dropped.
pub async fn apply(
    tx: &mut Tx,
    updates: &[(PackageId, Vec<Finding>)],
    now: Timestamp,
) -> Result<Changes, StoreError> {
    let updates = updates
        .iter()
        .map(|(package, findings)| (*package, findings.as_slice()));
    apply_all(tx, updates, now).await
}

/// As [`apply`], over borrowed findings. Of a package that comes twice the first counts.
pub(crate) async fn apply_all<'a>(
    tx: &mut Tx,
    updates: impl Iterator<Item = (PackageId, &'a [Finding])>,
    now: Timestamp,
) -> Result<Changes, StoreError> {
    lock(tx).await?;
    let mut changes = Changes::default();
    let mut wanted: BTreeMap<i64, &[Finding]> = BTreeMap::new();
    for (package, findings) in updates {
        wanted.entry(package.0).or_insert(findings);
    }
    let packages = existing_packages(tx, wanted.keys().copied()).await?;
    wanted.retain(|package, _| packages.contains(package));
    let mut stored = stored_matches(tx, &packages).await?;

    let mut known: BTreeMap<&str, &Vulnerability> = BTreeMap::new();
    for finding in wanted.values().copied().flatten() {
        known
            .entry(&finding.vulnerability.id)
            .or_insert(&finding.vulnerability);
    }
    let put = vulnerabilities::put(tx, &known, &mut changes).await?;

    let (mut inserted, mut updated) = (Vec::new(), Vec::new());
    let mut deltas: BTreeMap<i64, Delta> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (package, findings) in wanted {
        for finding in findings {
            let name = clean(&finding.vulnerability.id);
            let Some(&vulnerability) = put.ids.get(&name) else {
                return Err(StoreError::NotFound {
                    what: "vulnerability",
                });
            };
            if !seen.insert((package, vulnerability)) {
                continue;
            }
            let keyed = KeyedRow {
                package,
                vulnerability,
                first_seen: now.as_millisecond(),
                row: MatchRow::new(finding),
            };
            let old = stored.remove(&(package, vulnerability));
            if old.as_ref().is_some_and(|old| old.row == keyed.row) {
                continue;
            }
            let delta = deltas.entry(package).or_default();
            let is_exploited = finding.vulnerability.known_exploited.is_some();
            delta.count(&keyed.row, is_exploited, 1);
            match old {
                Some(old) => {
                    delta.count(&old.row, old.is_exploited, -1);
                    updated.push(keyed);
                }
                None => inserted.push(keyed),
            }
        }
    }
    // What is left was not found again.
    let mut deleted = Vec::new();
    for ((package, vulnerability), old) in &stored {
        let delta = deltas.entry(*package).or_default();
        delta.count(&old.row, old.is_exploited, -1);
        deleted.push(Key {
            package: *package,
            vulnerability: *vulnerability,
        });
    }

    // Before the writing: verdicts go with their matches.
    let changed = updated.iter().map(|row| Key {
        package: row.package,
        vulnerability: row.vulnerability,
    });
    let mut anew = judged(tx, changed.chain(deleted.iter().copied())).await?;
    write(tx, INSERT, &inserted, &mut changes.inserted).await?;
    write(tx, UPDATE, &updated, &mut changes.updated).await?;
    write(tx, DELETE, &deleted, &mut changes.deleted).await?;
    let touched = inserted.iter().chain(&updated).map(|row| row.package);
    let touched = touched
        .chain(deleted.iter().map(|key| key.package))
        .collect();
    image_uses::touch_packages(tx, touched).await?;
    let gone: BTreeSet<i64> = deleted.iter().map(|key| key.vulnerability).collect();
    vulnerabilities::prune(tx, gone, &mut changes).await?;

    anew.extend(holding(tx, &put.flipped).await?);
    let deltas: Vec<Delta> = deltas
        .into_iter()
        .map(|(package, delta)| Delta { package, ..delta })
        .filter(|delta| !delta.is_zero())
        .collect();
    if !deltas.is_empty() {
        // Not in batches: an image is rewritten once however many of its packages changed.
        let done = sqlx::query(ADD_TO_SUMMARIES)
            .bind(rows(&deltas))
            .bind(numbers(anew.iter().copied()))
            .execute(tx.connection())
            .await?;
        changes.summaries += done.rows_affected();
    }
    for image in anew {
        images::count(tx, ImageId(image), &mut changes).await?;
    }
    Ok(changes)
}

const JUDGED: &str = "SELECT DISTINCT image FROM image_verdict WHERE (package, vulnerability) IN \
     (SELECT CAST(value ->> 'package' AS BIGINT), CAST(value ->> 'vulnerability' AS BIGINT) \
      FROM json_each($1))";

/// The images of which a VEX document says something about one of these matches: there the match may not count, so
/// that what changes cannot simply be added up.
async fn judged(
    tx: &mut Tx,
    matches: impl Iterator<Item = Key>,
) -> Result<BTreeSet<i64>, StoreError> {
    let matches: Vec<Key> = matches.collect();
    let mut images = BTreeSet::new();
    for batch in matches.chunks(BATCH) {
        let found = sqlx::query(JUDGED)
            .bind(rows(batch))
            .fetch_all(tx.connection())
            .await?;
        for row in &found {
            images.insert(Columns::new(row, "image_verdict", &["image"]).int("image")?);
        }
    }
    Ok(images)
}

const HOLDING: &str = "SELECT DISTINCT ip.image AS image FROM package_vulnerability m \
     JOIN image_package ip ON ip.package = m.package \
     WHERE m.vulnerability IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

/// The images that have one of these vulnerabilities.
async fn holding(tx: &mut Tx, vulnerabilities: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
    if vulnerabilities.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = sqlx::query(HOLDING)
        .bind(numbers(vulnerabilities.iter().copied()))
        .fetch_all(tx.connection())
        .await?;
    found
        .iter()
        .map(|row| Columns::new(row, "image_package", &["image"]).int("image"))
        .collect()
}

const EXISTING: &str = "SELECT id FROM package \
     WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

async fn existing_packages(
    tx: &mut Tx,
    ids: impl Iterator<Item = i64>,
) -> Result<BTreeSet<i64>, StoreError> {
    let found = sqlx::query(EXISTING)
        .bind(numbers(ids))
        .fetch_all(tx.connection())
        .await?;
    found
        .iter()
        .map(|row| Columns::new(row, "package", &[]).int("id"))
        .collect()
}

/// A match as it was.
struct OldMatch {
    row: MatchRow,
    is_exploited: bool,
}

const STORED: &str = "SELECT m.package AS package, m.vulnerability AS vulnerability, \
       m.severity AS severity, m.severity_source AS severity_source, m.status AS status, \
       m.fixed_versions AS fixed_versions, m.remediation AS remediation, \
       m.advisories AS advisories, m.suppression AS suppression, v.exploited AS exploited \
     FROM package_vulnerability m JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE m.package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

async fn stored_matches(
    tx: &mut Tx,
    packages: &BTreeSet<i64>,
) -> Result<HashMap<(i64, i64), OldMatch>, StoreError> {
    let found = sqlx::query(STORED)
        .bind(numbers(packages.iter().copied()))
        .fetch_all(tx.connection())
        .await?;
    found
        .iter()
        .map(|row| {
            let keys = &["package", "vulnerability"];
            let columns = Columns::new(row, "package_vulnerability", keys);
            let key = (columns.int("package")?, columns.int("vulnerability")?);
            let old = OldMatch {
                row: MatchRow::read(&columns)?,
                is_exploited: columns.opt_text("exploited")?.is_some(),
            };
            Ok((key, old))
        })
        .collect()
}

const INSERT: &str = "INSERT INTO package_vulnerability \
     (package, vulnerability, severity, severity_source, status, fixed_versions, remediation, \
       advisories, suppression, first_seen) \
     SELECT CAST(n.value ->> 'package' AS BIGINT), CAST(n.value ->> 'vulnerability' AS BIGINT), \
       CAST(n.value ->> 'severity' AS BIGINT), n.value ->> 'severity_source', n.value ->> 'status', \
       n.value ->> 'fixed_versions', n.value ->> 'remediation', n.value ->> 'advisories', \
       n.value ->> 'suppression', CAST(n.value ->> 'first_seen' AS BIGINT) \
     FROM json_each($1) AS n";

/// A match that changes keeps when it was first seen.
const UPDATE: &str = "UPDATE package_vulnerability \
     SET severity = CAST(n.value ->> 'severity' AS BIGINT), \
       severity_source = n.value ->> 'severity_source', status = n.value ->> 'status', \
       fixed_versions = n.value ->> 'fixed_versions', remediation = n.value ->> 'remediation', \
       advisories = n.value ->> 'advisories', suppression = n.value ->> 'suppression' \
     FROM json_each($1) AS n \
     WHERE package_vulnerability.package = CAST(n.value ->> 'package' AS BIGINT) \
       AND package_vulnerability.vulnerability = CAST(n.value ->> 'vulnerability' AS BIGINT)";

const DELETE: &str = "DELETE FROM package_vulnerability WHERE (package, vulnerability) IN \
     (SELECT CAST(value ->> 'package' AS BIGINT), CAST(value ->> 'vulnerability' AS BIGINT) \
      FROM json_each($1))";

async fn write<T: Serialize>(
    tx: &mut Tx,
    statement: &'static str,
    all: &[T],
    written: &mut u64,
) -> Result<(), StoreError> {
    for batch in all.chunks(BATCH) {
        let done = sqlx::query(statement)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        *written += done.rows_affected();
    }
    Ok(())
}

/// DISTINCT, because a package may lie at several paths of an image but counts once. The images of $2 are left to
/// [`images::count`].
const ADD_TO_SUMMARIES: &str = "UPDATE image \
     SET critical = image.critical + d.critical, high = image.high + d.high, \
       medium = image.medium + d.medium, low = image.low + d.low, \
       unknown = image.unknown + d.unknown, fixable = image.fixable + d.fixable, \
       exploited = image.exploited + d.exploited \
     FROM (SELECT u.image AS image, CAST(SUM(u.critical) AS BIGINT) AS critical, \
         CAST(SUM(u.high) AS BIGINT) AS high, CAST(SUM(u.medium) AS BIGINT) AS medium, \
         CAST(SUM(u.low) AS BIGINT) AS low, CAST(SUM(u.unknown) AS BIGINT) AS unknown, \
         CAST(SUM(u.fixable) AS BIGINT) AS fixable, \
         CAST(SUM(u.exploited) AS BIGINT) AS exploited \
       FROM (SELECT DISTINCT ip.image AS image, x.* \
         FROM (SELECT CAST(value ->> 'package' AS BIGINT) AS package, \
             CAST(value ->> 'critical' AS BIGINT) AS critical, \
             CAST(value ->> 'high' AS BIGINT) AS high, \
             CAST(value ->> 'medium' AS BIGINT) AS medium, \
             CAST(value ->> 'low' AS BIGINT) AS low, \
             CAST(value ->> 'unknown' AS BIGINT) AS unknown, \
             CAST(value ->> 'fixable' AS BIGINT) AS fixable, \
             CAST(value ->> 'exploited' AS BIGINT) AS exploited FROM json_each($1)) AS x \
         JOIN image_package ip ON ip.package = x.package) AS u \
       GROUP BY u.image) AS d \
     WHERE image.id = d.image \
       AND image.id NOT IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($2)) AND (d.critical <> 0 OR d.high <> 0 OR d.medium <> 0 OR d.low <> 0 \
       OR d.unknown <> 0 OR d.fixable <> 0 OR d.exploited <> 0)";
