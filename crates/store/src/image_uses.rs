//! Images in use: which images the facts of assets name, which stored image each of them is, and what was found in all
//! of them together.
//!
//! An asset that uses images is a holder. Whatever may change what is said of it by its images counts its `changes`
//! up, in the transaction that makes the change: a scan that is saved, findings that are matched anew, a verdict of a
//! VEX document, a moved tag. Whoever judges it notes the number that was judged, so nothing that happens meanwhile is
//! lost.

mod facts;
mod list;
mod resolve;
mod save;
mod touch;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, numbers, size};
use crate::{AssetId, SeverityCounts, Store, StoreError, Tx};

pub use facts::{FoundInImage, ImageFacts, RaisingRow, facts};
pub use list::{
    AssetImage, AssetImageFilter, HeldIn, ImageUse, held_in, images_of_asset, images_of_object,
    uses_of,
};
pub use resolve::resolve;
pub use save::{Extent, Named, NewUse, save};
pub use touch::touch_old;
pub(crate) use touch::{touch_image, touch_packages, touch_saved};

/// What was found in all images of an asset together: of several names of one image, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageTally {
    /// How many images there are.
    pub images: u64,
    /// Those that nobody scanned.
    pub unscanned: u64,
    /// Those that were scanned, and not all of which could be read or judged.
    pub incomplete: u64,
    /// Those with findings that count.
    pub affected: u64,
    /// These findings, summed up.
    pub findings: SeverityCounts,
    /// Those of them that an upgrade mends.
    pub fixable: u64,
}

/// An asset that uses images, or a registry that holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The asset.
    pub asset: AssetId,
    /// Of a registry: its host, as references begin with it.
    pub registry: Option<String>,
    /// See the module.
    pub changes: i64,
    /// What was found when it was judged last.
    pub tally: ImageTally,
}

/// Which images of an asset are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// All of them.
    All,
    /// Those that something runs now.
    Running,
}

const HOLDER: &str = "SELECT asset, registry, changes, images, unscanned, incomplete, affected, critical, high, medium, \
       low, unknown, fixable FROM image_holder WHERE asset = $1";

/// What is known of an asset as a holder; nothing, if it is none.
///
/// # Errors
/// When the database fails.
pub async fn holder(store: &Store, asset: AssetId) -> Result<Option<Holder>, StoreError> {
    let row = sqlx::query(HOLDER)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const HOLDERS: &str = "SELECT asset, registry, changes, images, unscanned, incomplete, affected, critical, high, medium, \
       low, unknown, fixable FROM image_holder \
     WHERE asset IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) ORDER BY asset";

/// The holders among these assets.
///
/// # Errors
/// When the database fails.
pub async fn holders(
    store: &Store,
    assets: impl IntoIterator<Item = AssetId>,
) -> Result<Vec<Holder>, StoreError> {
    let rows = sqlx::query(HOLDERS)
        .bind(numbers(assets.into_iter().map(|asset| asset.0)))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Holder, StoreError> {
    let columns = Columns::new(row, "image_holder", &["asset"]);
    Ok(Holder {
        asset: AssetId(columns.int("asset")?),
        registry: columns.opt_text("registry")?,
        changes: columns.int("changes")?,
        tally: ImageTally {
            images: columns.count("images")?,
            unscanned: columns.count("unscanned")?,
            incomplete: columns.count("incomplete")?,
            affected: columns.count("affected")?,
            findings: columns.severity_counts()?,
            fixable: columns.count("fixable")?,
        },
    })
}

/// Each image once, by however many names it is used. A name without an image is one by itself.
const COUNT: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS images, \
       CAST(COALESCE(SUM(CASE WHEN i.id IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS unscanned, \
       CAST(COALESCE(SUM(CASE WHEN i.problems > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS incomplete, \
       CAST(COALESCE(SUM(CASE WHEN i.critical + i.high + i.medium + i.low + i.unknown > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) \
         AS affected, \
       CAST(COALESCE(SUM(i.critical), 0) AS BIGINT) AS critical, CAST(COALESCE(SUM(i.high), 0) AS BIGINT) AS high, \
       CAST(COALESCE(SUM(i.medium), 0) AS BIGINT) AS medium, CAST(COALESCE(SUM(i.low), 0) AS BIGINT) AS low, \
       CAST(COALESCE(SUM(i.unknown), 0) AS BIGINT) AS unknown, CAST(COALESCE(SUM(i.fixable), 0) AS BIGINT) AS fixable \
     FROM (SELECT a.image AS image, CASE WHEN a.image IS NULL THEN a.id ELSE 0 END AS unscanned FROM asset_image a \
         WHERE a.asset = $1 AND ($2 = 0 OR EXISTS (SELECT 1 FROM image_use u WHERE u.asset_image = a.id AND u.is_running = 1)) \
       UNION SELECT r.image AS image, 0 AS unscanned FROM image_holder h \
         JOIN image_reference r ON r.reference >= h.registry || '/' AND r.reference < h.registry || '0' \
         WHERE h.asset = $1) AS x \
     LEFT JOIN image i ON i.id = x.image";

/// What was found in the images of an asset, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn count(
    tx: &mut Tx,
    asset: AssetId,
    counted: Counted,
) -> Result<ImageTally, StoreError> {
    let row = sqlx::query(COUNT)
        .bind(asset.0)
        .bind(i64::from(counted == Counted::Running))
        .fetch_one(tx.connection())
        .await?;
    let columns = Columns::new(&row, "asset_image", &[]);
    Ok(ImageTally {
        images: columns.count("images")?,
        unscanned: columns.count("unscanned")?,
        incomplete: columns.count("incomplete")?,
        affected: columns.count("affected")?,
        findings: columns.severity_counts()?,
        fixable: columns.count("fixable")?,
    })
}

const CHANGES: &str = "SELECT asset, changes FROM image_holder WHERE asset = $1";

/// The number of changes of a holder, as the transaction sees it; nothing, if the asset is none.
///
/// # Errors
/// When the database fails.
pub async fn changes(tx: &mut Tx, asset: AssetId) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query(CHANGES)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    let changes = |row| Columns::new(&row, "image_holder", &["asset"]).int("changes");
    row.map(changes).transpose()
}

const IS_JUDGED: &str = "SELECT asset, judged_at FROM image_holder WHERE asset = $1";

/// Whether an asset was ever judged as a holder: before that, not all that it uses may have been noted.
///
/// # Errors
/// When the database fails.
pub async fn is_judged(tx: &mut Tx, asset: AssetId) -> Result<bool, StoreError> {
    let row = sqlx::query(IS_JUDGED)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else { return Ok(false) };
    let judged_at = Columns::new(&row, "image_holder", &["asset"]).int("judged_at")?;
    Ok(judged_at > 0)
}

const JUDGED: &str = "UPDATE image_holder SET judged = $2, judged_at = $3, images = $4, unscanned = $5, incomplete = $6, \
       affected = $7, critical = $8, high = $9, medium = $10, low = $11, unknown = $12, fixable = $13 WHERE asset = $1";

/// Notes that a holder was judged as it was with so many changes, and what was found in its images.
///
/// # Errors
/// When the database fails.
pub async fn judged(
    tx: &mut Tx,
    asset: AssetId,
    changes: i64,
    tally: &ImageTally,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(JUDGED)
        .bind(asset.0)
        .bind(changes)
        .bind(now.as_millisecond())
        .bind(size(tally.images))
        .bind(size(tally.unscanned))
        .bind(size(tally.incomplete))
        .bind(size(tally.affected))
        .bind(size(tally.findings.critical))
        .bind(size(tally.findings.high))
        .bind(size(tally.findings.medium))
        .bind(size(tally.findings.low))
        .bind(size(tally.findings.unknown))
        .bind(size(tally.fixable))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const PASS_OVER: &str = "UPDATE image_holder SET judged = changes WHERE asset = $1";

/// Takes a holder for judged that cannot be.
///
/// # Errors
/// When the database fails.
pub async fn pass_over(tx: &mut Tx, asset: AssetId) -> Result<(), StoreError> {
    sqlx::query(PASS_OVER)
        .bind(asset.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const STALE: &str =
    "SELECT asset FROM image_holder WHERE changes <> judged AND asset > $1 ORDER BY asset LIMIT $2";

/// Holders that changed since they were judged, in the order of their assets, behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn stale(
    store: &Store,
    after: Option<AssetId>,
    limit: usize,
) -> Result<Vec<AssetId>, StoreError> {
    let rows = sqlx::query(STALE)
        .bind(after.map_or(0, |asset| asset.0))
        .bind(crate::rows::int(limit))
        .fetch_all(&store.pool)
        .await?;
    let asset = |row: &AnyRow| Columns::new(row, "image_holder", &["asset"]).int("asset");
    rows.iter().map(|row| asset(row).map(AssetId)).collect()
}

const ANY_STALE: &str =
    "SELECT asset FROM image_holder WHERE changes <> judged ORDER BY asset LIMIT 1";

/// Whether any holder changed since it was judged, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn any_stale(tx: &mut Tx) -> Result<bool, StoreError> {
    let row = sqlx::query(ANY_STALE)
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.is_some())
}

const HAS_REGISTRY: &str = "SELECT asset FROM image_holder WHERE registry = $1 LIMIT 1";

/// Whether a registry of this host is known.
///
/// # Errors
/// When the database fails.
pub async fn has_registry(store: &Store, host: &str) -> Result<bool, StoreError> {
    let row = sqlx::query(HAS_REGISTRY)
        .bind(clean(host))
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.is_some())
}

/// An image that runs somewhere and that nobody scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscanned {
    /// Its row.
    pub id: i64,
    /// As the asset names it.
    pub name: String,
    /// The digest that runs, where it is known.
    pub digest: Option<String>,
}

const UNSCANNED: &str = "SELECT a.id AS id, a.name AS name, a.digest AS digest FROM asset_image a \
     WHERE a.image IS NULL AND (a.asked IS NULL OR a.asked < $1) AND a.id > $2 ORDER BY a.id LIMIT $3";

/// Images that nobody scanned, and that were not asked for since `before`.
///
/// # Errors
/// When the database fails.
pub async fn unscanned(
    store: &Store,
    before: Timestamp,
    after: i64,
    limit: usize,
) -> Result<Vec<Unscanned>, StoreError> {
    let rows = sqlx::query(UNSCANNED)
        .bind(before.as_millisecond())
        .bind(after)
        .bind(crate::rows::int(limit))
        .fetch_all(&store.pool)
        .await?;
    let unscanned = |row: &AnyRow| {
        let columns = Columns::new(row, "asset_image", &["id"]);
        Ok(Unscanned {
            id: columns.int("id")?,
            name: columns.text("name")?,
            digest: columns.opt_text("digest")?,
        })
    };
    rows.iter().map(unscanned).collect()
}

const ASKED: &str = "UPDATE asset_image SET asked = $2 \
     WHERE id IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1))";

/// Notes that scans of these were asked for, or that they cannot be.
///
/// # Errors
/// When the database fails.
pub async fn set_asked(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(ASKED)
        .bind(numbers(ids))
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const SET_REGISTRY: &str = "INSERT INTO image_holder (asset, registry, changes, judged, judged_at) VALUES ($1, $2, 1, 0, 0) \
     ON CONFLICT (asset) DO UPDATE SET registry = excluded.registry, changes = image_holder.changes + 1 \
     WHERE COALESCE(image_holder.registry, '') <> COALESCE(excluded.registry, '')";

/// Makes an asset a holder: of a registry, by the host that references begin with.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &mut Tx, asset: AssetId, registry: Option<&str>) -> Result<(), StoreError> {
    sqlx::query(SET_REGISTRY)
        .bind(asset.0)
        .bind(registry.map(clean))
        .execute(tx.connection())
        .await?;
    Ok(())
}
