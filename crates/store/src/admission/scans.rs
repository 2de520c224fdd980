//! What scans found in many images at once, as numbers: the gate on vulnerable images asks for no more.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::Severity;

use crate::columns::Columns;
use crate::rows::{numbers, texts};
use crate::{Store, StoreError};

/// A scanned image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedImage {
    /// The image's digest.
    pub digest: String,
    /// Findings that count, by severity.
    pub findings: BTreeMap<Severity, Found>,
}

/// Numbers of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that a newer version of the package mends.
    pub fixable: u64,
    /// The others.
    pub unfixable: u64,
}

const BY_NAME: &str = "SELECT r.reference AS name, i.id AS id, i.digest AS digest FROM image_reference r \
     JOIN image i ON i.id = r.image WHERE r.reference IN (SELECT value ->> 't' FROM json_each($1)) \
     UNION SELECT i.digest AS name, i.id AS id, i.digest AS digest FROM image i \
     WHERE i.digest IN (SELECT value ->> 't' FROM json_each($1))";
const COUNTS: &str = "SELECT place.image AS image, m.severity AS severity, \
       CAST(CASE WHEN m.status = 'fixed' THEN 1 ELSE 0 END AS BIGINT) AS is_fixable, COUNT(*) AS findings \
     FROM (SELECT DISTINCT image, package FROM image_package \
       WHERE image IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))) AS place \
     JOIN package_vulnerability m ON m.package = place.package \
     JOIN vulnerability v ON v.id = m.vulnerability \
     LEFT JOIN image_verdict x ON x.image = place.image AND x.package = m.package \
       AND x.vulnerability = m.vulnerability \
     WHERE m.suppression IS NULL AND x.reason IS NULL \
       AND v.name NOT IN (SELECT value ->> 't' FROM json_each($2)) \
     GROUP BY place.image, m.severity, is_fixable";

/// The images that have any of these names (references as they are stored, or digests), by name, with their findings
/// but those of the ids in `without`. Names that are not there have not been scanned.
///
/// # Errors
/// When the database fails.
pub async fn scanned(
    store: &Store,
    names: &BTreeSet<String>,
    without: &[String],
) -> Result<BTreeMap<String, ScannedImage>, StoreError> {
    let rows = sqlx::query(BY_NAME)
        .bind(texts(names.iter().map(String::as_str)))
        .fetch_all(&store.pool)
        .await?;
    let mut named: BTreeMap<String, i64> = BTreeMap::new();
    let mut images: BTreeMap<i64, ScannedImage> = BTreeMap::new();
    for row in &rows {
        let columns = Columns::new(row, "image", &["id"]);
        let id = columns.int("id")?;
        named.insert(columns.text("name")?, id);
        images.entry(id).or_default().digest = columns.text("digest")?;
    }
    let rows = sqlx::query(COUNTS)
        .bind(numbers(images.keys().copied()))
        .bind(texts(without.iter().map(String::as_str)))
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "package_vulnerability", &["image"]);
        let Some(image) = images.get_mut(&columns.int("image")?) else {
            continue;
        };
        let found = image
            .findings
            .entry(columns.severity("severity")?)
            .or_default();
        let number: u64 = columns.count("findings")?;
        match columns.int("is_fixable")? {
            1 => found.fixable = number,
            _ => found.unfixable = number,
        }
    }
    let by_name = named
        .into_iter()
        .filter_map(|(name, id)| Some((name, images.get(&id)?.clone())));
    Ok(by_name.collect())
}
