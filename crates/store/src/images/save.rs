//! Saving what a scan found. What is the same as before is not written again.

pub(super) mod lists;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seareeve_model::{Digest, Finding, Inventory};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use crate::columns::Columns;
use crate::images::{delete, paths, verdicts};
use crate::rows::{clean, size, texts};
use crate::{Changes, ImageId, StoreError, Tx, image_uses, matches, packages};

/// References are indexed, so they have a limit; the grammar of references has a lower one.
const REFERENCE_BYTES: usize = 1_200;

/// What [`save`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The image.
    pub image: ImageId,
    /// What was written; all zero when nothing was new.
    pub changes: Changes,
}

/// Stores what an image holds and what is wrong with its packages; `findings` runs parallel to
/// `inventory.packages`. The findings hold for all other images with these packages too, but for what VEX documents
/// say of them.
///
/// A reference moves to the image that was saved last with it, because tags are reused. References that an
/// image has already and that this inventory does not name stay.
///
/// # Errors
/// [`StoreError::Refused`] when `findings` is not parallel or a reference is no reference; or when the
/// database fails. Then the transaction must be dropped.
pub async fn save(
    tx: &mut Tx,
    inventory: &Inventory,
    findings: &[Vec<Finding>],
    now: Timestamp,
) -> Result<Saved, StoreError> {
    if findings.len() != inventory.packages.len() {
        return Err(StoreError::Refused {
            what: "findings that do not belong to the packages",
        });
    }
    matches::lock(tx).await?;
    let mut changes = Changes::default();
    let image = save_image(tx, inventory, now, &mut changes).await?;
    save_references(tx, image, &inventory.image.references, &mut changes).await?;
    lists::save_layers(tx, image, &inventory.image.layers, &mut changes).await?;
    lists::save_problems(tx, image, &inventory.problems, &mut changes).await?;

    let installed = &inventory.packages;
    let packages = installed.iter().map(|installed| &installed.package);
    let ids = packages::put(tx, packages, &mut changes).await?;
    let updates = ids.iter().zip(findings);
    let updates = updates.map(|(package, findings)| (*package, findings.as_slice()));
    changes += matches::apply_all(tx, updates, now).await?;

    let paths = paths::put(tx, installed.iter().map(|p| &p.path), &mut changes).await?;
    let mut places = BTreeMap::new();
    for ((package, path), installed) in ids.iter().zip(paths).zip(installed) {
        // Should a package be at one path in two layers, it was the lower one that brought it.
        places
            .entry((package.0, path))
            .or_insert(i64::from(installed.layer));
    }
    let removed = places::save_places(tx, image, &places, &mut changes).await?;
    delete::prune_packages(tx, removed, &mut changes).await?;
    let judged = ids.iter().zip(findings);
    let judged = judged.map(|(package, findings)| (*package, findings.as_slice()));
    verdicts::save_verdicts(tx, image, judged, &mut changes).await?;
    count(tx, image, &mut changes).await?;
    if changes.total() > 0 {
        image_uses::touch_saved(tx, image).await?;
    }
    Ok(Saved { image, changes })
}

#[derive(PartialEq, Eq)]
struct ImageRow {
    config_digest: String,
    os: String,
    architecture: String,
    created: Option<String>,
    size_bytes: i64,
    distro_id: Option<String>,
    distro_version: Option<String>,
    distro_name: Option<String>,
}

impl ImageRow {
    fn new(inventory: &Inventory) -> Self {
        let image = &inventory.image;
        let distro = inventory.distro.as_ref();
        Self {
            config_digest: image.config_digest.as_str().to_owned(),
            os: clean(&image.os),
            architecture: clean(&image.architecture),
            created: image.created.map(|created| created.to_string()),
            size_bytes: size(image.size_bytes()),
            distro_id: distro.map(|distro| clean(&distro.id)),
            distro_version: distro.map(|distro| clean(&distro.version)),
            distro_name: distro.map(|distro| clean(&distro.name)),
        }
    }

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            config_digest: columns.text("config_digest")?,
            os: columns.text("os")?,
            architecture: columns.text("architecture")?,
            created: columns.opt_text("created")?,
            size_bytes: columns.int("size_bytes")?,
            distro_id: columns.opt_text("distro_id")?,
            distro_version: columns.opt_text("distro_version")?,
            distro_name: columns.opt_text("distro_name")?,
        })
    }

    /// Binds $1 to $9 of [`INSERT`] and [`UPDATE`].
    fn bind(self, statement: &'static str, digest: &Digest) -> Query<'static, Any, AnyArguments> {
        sqlx::query(statement)
            .bind(digest.as_str().to_owned())
            .bind(self.config_digest)
            .bind(self.os)
            .bind(self.architecture)
            .bind(self.created)
            .bind(self.size_bytes)
            .bind(self.distro_id)
            .bind(self.distro_version)
            .bind(self.distro_name)
    }
}

const BY_DIGEST: &str = "SELECT id, config_digest, os, architecture, created, size_bytes, distro_id, \
       distro_version, distro_name FROM image WHERE digest = $1";
const INSERT: &str = "INSERT INTO image (digest, config_digest, os, architecture, created, size_bytes, \
       distro_id, distro_version, distro_name, first_seen) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";
const UPDATE: &str = "UPDATE image SET config_digest = $2, os = $3, architecture = $4, created = $5, \
       size_bytes = $6, distro_id = $7, distro_version = $8, distro_name = $9 \
     WHERE digest = $1 RETURNING id";

async fn save_image(
    tx: &mut Tx,
    inventory: &Inventory,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<ImageId, StoreError> {
    let digest = &inventory.image.digest;
    let new = ImageRow::new(inventory);
    let known = sqlx::query(BY_DIGEST)
        .bind(digest.as_str())
        .fetch_optional(tx.connection())
        .await?;
    let statement = match &known {
        None => {
            changes.inserted += 1;
            new.bind(INSERT, digest).bind(now.as_millisecond())
        }
        Some(row) => {
            let columns = Columns::new(row, "image", &["id"]);
            if ImageRow::read(&columns)? == new {
                return Ok(ImageId(columns.int("id")?));
            }
            changes.updated += 1;
            new.bind(UPDATE, digest)
        }
    };
    let row = statement.fetch_one(tx.connection()).await?;
    Ok(ImageId(Columns::new(&row, "image", &["id"]).int("id")?))
}

const HELD_REFERENCES: &str = "SELECT reference, image FROM image_reference \
     WHERE reference IN (SELECT value ->> 't' FROM json_each($1))";
const SET_REFERENCE: &str = "INSERT INTO image_reference (reference, image) VALUES ($1, $2) \
     ON CONFLICT (reference) DO UPDATE SET image = excluded.image";

async fn save_references(
    tx: &mut Tx,
    image: ImageId,
    references: &[String],
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let references: BTreeSet<String> = references.iter().map(|text| clean(text)).collect();
    if references.iter().any(|text| text.len() > REFERENCE_BYTES) {
        return Err(StoreError::Refused {
            what: "an image reference of more than 1,200 bytes",
        });
    }
    let held = sqlx::query(HELD_REFERENCES)
        .bind(texts(references.iter().map(String::as_str)))
        .fetch_all(tx.connection())
        .await?;
    let mut holders = BTreeMap::new();
    for row in &held {
        let columns = Columns::new(row, "image_reference", &["reference"]);
        holders.insert(columns.text("reference")?, columns.int("image")?);
    }
    for reference in &references {
        match holders.get(reference) {
            Some(holder) if *holder == image.0 => continue,
            Some(_) => changes.updated += 1,
            None => changes.inserted += 1,
        }
        sqlx::query(SET_REFERENCE)
            .bind(reference)
            .bind(image.0)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// Counts the image anew and writes the counts where they differ.
const COUNT: &str = "UPDATE image \
     SET critical = c.critical, high = c.high, medium = c.medium, low = c.low, unknown = c.unknown, \
       fixable = c.fixable, exploited = c.exploited, packages = c.packages, problems = c.problems \
     FROM (SELECT \
         CAST(COALESCE(SUM(CASE WHEN m.severity = 4 THEN 1 ELSE 0 END), 0) AS BIGINT) AS critical, \
         CAST(COALESCE(SUM(CASE WHEN m.severity = 3 THEN 1 ELSE 0 END), 0) AS BIGINT) AS high, \
         CAST(COALESCE(SUM(CASE WHEN m.severity = 2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS medium, \
         CAST(COALESCE(SUM(CASE WHEN m.severity = 1 THEN 1 ELSE 0 END), 0) AS BIGINT) AS low, \
         CAST(COALESCE(SUM(CASE WHEN m.severity = 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS unknown, \
         CAST(COALESCE(SUM(CASE WHEN m.status = 'fixed' THEN 1 ELSE 0 END), 0) AS BIGINT) AS fixable, \
         CAST(COALESCE(SUM(CASE WHEN v.exploited IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) \
           AS exploited, \
         (SELECT COUNT(*) FROM image_package WHERE image = $1) AS packages, \
         (SELECT COUNT(*) FROM problem WHERE image = $1) AS problems \
       FROM (SELECT DISTINCT package FROM image_package WHERE image = $1) AS p \
       JOIN package_vulnerability m ON m.package = p.package AND m.suppression IS NULL \
       JOIN vulnerability v ON v.id = m.vulnerability \
       LEFT JOIN image_verdict x ON x.image = $1 AND x.package = m.package \
         AND x.vulnerability = m.vulnerability \
       WHERE x.reason IS NULL) AS c \
     WHERE image.id = $1 AND (image.critical <> c.critical OR image.high <> c.high \
       OR image.medium <> c.medium OR image.low <> c.low OR image.unknown <> c.unknown \
       OR image.fixable <> c.fixable OR image.exploited <> c.exploited OR image.packages <> c.packages OR image.problems <> c.problems)";

pub(crate) async fn count(
    tx: &mut Tx,
    image: ImageId,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let done = sqlx::query(COUNT)
        .bind(image.0)
        .execute(tx.connection())
        .await?;
    changes.summaries += done.rows_affected();
    Ok(())
}
