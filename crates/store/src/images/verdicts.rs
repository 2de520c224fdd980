//! What VEX documents say of the findings of one image. A verdict belongs to an image and not to a package, because
//! documents speak of products.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seareeve_model::{Finding, SuppressedBy, Suppression, VexJustification, VexStatus, VexVerdict};
use serde::Serialize;

use crate::columns::Columns;
use crate::images::save::count;
use crate::rows::{BATCH, clean, numbers, rows, texts};
use crate::{Changes, ImageId, PackageId, StoreError, Tx, image_uses, matches};

/// The columns of a verdict called `x`, which may not be there, for [`verdict_from_columns`].
macro_rules! verdict_columns {
    () => {
        "x.status AS vex_status, x.justification AS vex_justification, x.statement AS vex_statement, \
         x.document AS vex_document, x.said AS vex_said, x.reason AS vex_reason "
    };
}
pub(crate) use verdict_columns;

/// The verdict of a row, and the suppression that comes of it.
pub(crate) fn verdict_from_columns(
    columns: &Columns<'_>,
) -> Result<Option<(VexVerdict, Option<Suppression>)>, StoreError> {
    if columns.opt_text("vex_status")?.is_none() {
        return Ok(None);
    }
    let document = columns.text("vex_document")?;
    let suppression = columns.opt_text("vex_reason")?.map(|reason| Suppression {
        by: SuppressedBy::Vex,
        reason,
        source: document.clone(),
        expires: None,
    });
    let justification = match columns.opt_text("vex_justification")? {
        None => None,
        Some(_) => Some(columns.word("vex_justification", VexJustification::parse)?),
    };
    let verdict = VexVerdict {
        status: columns.word("vex_status", VexStatus::parse)?,
        justification,
        statement: columns.text("vex_statement")?,
        document,
        timestamp: columns.opt_parsed("vex_said")?,
    };
    Ok(Some((verdict, suppression)))
}

#[derive(PartialEq, Eq, Serialize)]
struct VerdictRow {
    package: i64,
    vulnerability: i64,
    status: String,
    justification: Option<String>,
    statement: String,
    document: String,
    said: Option<String>,
    reason: Option<String>,
}

impl VerdictRow {
    fn new(package: i64, vulnerability: i64, verdict: &VexVerdict, finding: &Finding) -> Self {
        let suppression = finding
            .suppressed
            .as_ref()
            .filter(|suppression| suppression.by == SuppressedBy::Vex);
        Self {
            package,
            vulnerability,
            status: verdict.status.as_str().to_owned(),
            justification: verdict
                .justification
                .map(|justification| justification.as_str().to_owned()),
            statement: clean(&verdict.statement),
            document: clean(&verdict.document),
            said: verdict.timestamp.map(|time| time.to_string()),
            reason: suppression.map(|suppression| clean(&suppression.reason)),
        }
    }
}

#[derive(Serialize)]
struct Key {
    package: i64,
    vulnerability: i64,
}

const MATCHES: &str = "SELECT m.package AS package, m.vulnerability AS vulnerability, v.name AS name \
     FROM package_vulnerability m JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE m.package IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) \
       AND v.name IN (SELECT value ->> 't' FROM json_each($2))";
const STORED: &str = "SELECT image, package, vulnerability, status, justification, statement, document, \
       said, reason FROM image_verdict WHERE image = $1";
const DELETE: &str = "DELETE FROM image_verdict WHERE image = $1 AND (package, vulnerability) IN \
     (SELECT CAST(value ->> 'package' AS BIGINT), CAST(value ->> 'vulnerability' AS BIGINT) \
      FROM json_each($2))";
const PUT: &str = "INSERT INTO image_verdict (image, package, vulnerability, status, justification, \
       statement, document, said, reason) \
     SELECT $1, CAST(n.value ->> 'package' AS BIGINT), CAST(n.value ->> 'vulnerability' AS BIGINT), \
       n.value ->> 'status', n.value ->> 'justification', n.value ->> 'statement', \
       n.value ->> 'document', n.value ->> 'said', n.value ->> 'reason' \
     FROM json_each($2) AS n WHERE true \
     ON CONFLICT (image, package, vulnerability) DO UPDATE SET status = excluded.status, \
       justification = excluded.justification, statement = excluded.statement, \
       document = excluded.document, said = excluded.said, reason = excluded.reason";

/// Makes what `findings` (one list per package) carry of VEX the verdicts of this image, and counts it anew. Only
/// what differs is written. Findings that are not stored are passed over.
///
/// # Errors
/// When the database fails; then the transaction must be dropped.
pub async fn set_verdicts(
    tx: &mut Tx,
    image: ImageId,
    findings: &[(PackageId, Vec<Finding>)],
) -> Result<Changes, StoreError> {
    matches::lock(tx).await?;
    let mut changes = Changes::default();
    let findings = findings
        .iter()
        .map(|(package, findings)| (*package, findings.as_slice()));
    save_verdicts(tx, image, findings, &mut changes).await?;
    count(tx, image, &mut changes).await?;
    if changes.total() > 0 {
        image_uses::touch_image(tx, image).await?;
    }
    Ok(changes)
}

/// As [`set_verdicts`], without counting.
pub(super) async fn save_verdicts<'a>(
    tx: &mut Tx,
    image: ImageId,
    findings: impl Iterator<Item = (PackageId, &'a [Finding])>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let mut said: BTreeMap<(i64, String), (&VexVerdict, &Finding)> = BTreeMap::new();
    for (package, findings) in findings {
        for finding in findings {
            if let Some(verdict) = &finding.vex {
                said.entry((package.0, clean(&finding.vulnerability.id)))
                    .or_insert((verdict, finding));
            }
        }
    }
    let stored = sqlx::query(STORED)
        .bind(image.0)
        .fetch_all(tx.connection())
        .await?;
    let mut old = HashMap::new();
    for row in &stored {
        let columns = Columns::new(row, "image_verdict", &["image", "package", "vulnerability"]);
        let row = VerdictRow {
            package: columns.int("package")?,
            vulnerability: columns.int("vulnerability")?,
            status: columns.text("status")?,
            justification: columns.opt_text("justification")?,
            statement: columns.text("statement")?,
            document: columns.text("document")?,
            said: columns.opt_text("said")?,
            reason: columns.opt_text("reason")?,
        };
        old.insert((row.package, row.vulnerability), row);
    }
    if said.is_empty() && old.is_empty() {
        return Ok(());
    }
    let packages: BTreeSet<i64> = said.keys().map(|(package, _)| *package).collect();
    let names: BTreeSet<&str> = said.keys().map(|(_, name)| name.as_str()).collect();
    let found = sqlx::query(MATCHES)
        .bind(numbers(packages))
        .bind(texts(names))
        .fetch_all(tx.connection())
        .await?;
    let (mut put, mut kept) = (Vec::new(), BTreeSet::new());
    for row in &found {
        let columns = Columns::new(row, "package_vulnerability", &["package", "vulnerability"]);
        let key = (columns.int("package")?, columns.int("vulnerability")?);
        let Some((verdict, finding)) = said.get(&(key.0, columns.text("name")?)) else {
            continue;
        };
        kept.insert(key);
        let new = VerdictRow::new(key.0, key.1, verdict, finding);
        match old.get(&key) {
            Some(old) if *old == new => continue,
            Some(_) => changes.updated += 1,
            None => changes.inserted += 1,
        }
        put.push(new);
    }
    let gone: Vec<Key> = old
        .keys()
        .filter(|key| !kept.contains(key))
        .map(|(package, vulnerability)| Key {
            package: *package,
            vulnerability: *vulnerability,
        })
        .collect();
    for batch in put.chunks(BATCH) {
        sqlx::query(PUT)
            .bind(image.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
    }
    for batch in gone.chunks(BATCH) {
        let done = sqlx::query(DELETE)
            .bind(image.0)
            .bind(rows(batch))
            .execute(tx.connection())
            .await?;
        changes.deleted += done.rows_affected();
    }
    Ok(())
}
