//! Which images an asset uses, and who uses an image.

use jiff::Timestamp;
use seareeve_model::Digest;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, contains_pattern, int};
use crate::{AssetId, Cursor, ImageId, Page, SeverityCounts, Store, StoreError};

/// An image of an asset, with what a scan found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetImage {
    /// As the asset names it; of a registry, a reference.
    pub name: String,
    /// The digest that runs, where it is known.
    pub digest: Option<String>,
    /// The stored image; nothing for one that nobody scanned.
    pub image: Option<Digest>,
    /// Its findings that count.
    pub findings: SeverityCounts,
    /// Those that an upgrade mends.
    pub fixable: u64,
    /// How many things could not be read or judged.
    pub problems: u64,
    /// When it was read last.
    pub scanned: Option<Timestamp>,
    /// When this server asked for a scan of it by itself.
    pub asked: Option<Timestamp>,
    /// Objects of the asset that use it.
    pub uses: u64,
    /// Those of them that run.
    pub running: u64,
}

/// An object that uses an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUse {
    /// The asset that it belongs to.
    pub asset: AssetId,
    /// Its name.
    pub asset_name: String,
    /// Its kind.
    pub asset_kind: String,
    /// Its environment.
    pub environment: String,
    /// The object's kind of fact.
    pub kind: String,
    /// Its id.
    pub object: String,
    /// Its name.
    pub name: String,
    /// What sort of object it is: `Deployment`.
    pub sort: String,
    /// Where it lies; empty where there are no namespaces.
    pub namespace: String,
    /// As the object names the image.
    pub image_name: String,
    /// Whether it runs now.
    pub is_running: bool,
}

/// A registry that holds an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldIn {
    /// The asset.
    pub asset: AssetId,
    /// Its name.
    pub asset_name: String,
    /// The image's name there.
    pub reference: String,
}

/// The images of an asset $1, its own and those of its registry, with uses: $2 is the object's kind, $3 its id, or both
/// are empty for all.
macro_rules! asset_images {
    () => {
        "SELECT x.row_key AS row_key, x.name AS name, x.digest AS digest, x.asked AS asked, x.uses AS uses, \
           x.running AS running, i.digest AS image, COALESCE(i.critical, 0) AS critical, COALESCE(i.high, 0) AS high, \
           COALESCE(i.medium, 0) AS medium, COALESCE(i.low, 0) AS low, COALESCE(i.unknown, 0) AS unknown, \
           COALESCE(i.fixable, 0) AS fixable, COALESCE(i.problems, 0) AS problems, i.scanned AS scanned \
         FROM (SELECT a.identity AS row_key, a.name AS name, a.digest AS digest, a.asked AS asked, a.image AS image, \
             (SELECT COUNT(*) FROM image_use u WHERE u.asset_image = a.id) AS uses, \
             (SELECT COUNT(*) FROM image_use u WHERE u.asset_image = a.id AND u.is_running = 1) AS running \
           FROM asset_image a WHERE a.asset = $1 AND ($2 = '' OR EXISTS (SELECT 1 FROM image_use u \
             WHERE u.asset_image = a.id AND u.kind = $2 AND u.object = $3)) \
           UNION ALL SELECT r.reference AS row_key, r.reference AS name, NULL AS digest, NULL AS asked, r.image AS image, \
             0 AS uses, 0 AS running \
           FROM image_holder h JOIN image_reference r \
             ON h.registry > '' AND r.reference >= h.registry || '/' AND r.reference < h.registry || '0' \
           WHERE h.asset = $1 AND $2 = '') AS x LEFT JOIN image i ON i.id = x.image "
    };
}

/// What was not scanned comes after what has findings, and before what has none.
const IMAGES: &str = concat!(
    "SELECT y.* FROM (SELECT z.*, CAST(CASE WHEN z.critical + z.high + z.medium + z.low + z.unknown > 0 THEN 2 \
       WHEN z.image IS NULL THEN 1 ELSE 0 END AS BIGINT) AS first_rank FROM (",
    asset_images!(),
    ") AS z) AS y WHERE ($4 = '' OR lower(y.name) LIKE $4 ESCAPE '!') AND ($5 = 0 OR y.running > 0) \
       AND ($6 = 0 OR y.first_rank = 2) AND ($7 = 0 OR y.image IS NULL) \
       AND ($8 = 0 OR (y.first_rank, y.critical, y.high, y.medium, y.low, y.unknown, y.row_key) \
         < ($9, $10, $11, $12, $13, $14, $15)) \
     ORDER BY y.first_rank DESC, y.critical DESC, y.high DESC, y.medium DESC, y.low DESC, y.unknown DESC, y.row_key DESC \
     LIMIT $16"
);

/// Which images of an asset. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetImageFilter {
    /// Part of the name; case does not matter.
    pub query: String,
    /// Only those that something runs.
    pub running_only: bool,
    /// Only those with findings that count.
    pub affected_only: bool,
    /// Only those that nobody scanned.
    pub unscanned_only: bool,
}

type ImageKey = (i64, i64, i64, i64, i64, i64, String);

/// The images of an asset, those with the gravest findings first, a page at a time. All images of the asset are looked
/// at for it, and none of others.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn images_of_asset(
    store: &Store,
    asset: AssetId,
    filter: &AssetImageFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<AssetImage>, StoreError> {
    let rows = select(
        store,
        asset,
        ("", ""),
        filter,
        after,
        limit.saturating_add(1),
    )
    .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "asset_image", &["row_key"]);
            let key: ImageKey = (
                columns.int("first_rank")?,
                columns.int("critical")?,
                columns.int("high")?,
                columns.int("medium")?,
                columns.int("low")?,
                columns.int("unknown")?,
                columns.text("row_key")?,
            );
            Ok((image(row)?, key))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(items, limit, |(_, key)| key.clone()).map(|(image, _)| image))
}

/// The images that one object of an asset uses.
///
/// # Errors
/// When the database fails.
pub async fn images_of_object(
    store: &Store,
    asset: AssetId,
    kind: &str,
    object: &str,
    limit: usize,
) -> Result<Vec<AssetImage>, StoreError> {
    let all = AssetImageFilter::default();
    let rows = select(store, asset, (kind, object), &all, None, limit).await?;
    rows.iter().map(image).collect()
}

async fn select(
    store: &Store,
    asset: AssetId,
    (kind, object): (&str, &str),
    filter: &AssetImageFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Vec<AnyRow>, StoreError> {
    let key: Option<ImageKey> = after.map(Cursor::decode).transpose()?;
    let (rank, critical, high, medium, low, unknown, row_key) = key.unwrap_or_default();
    let rows = sqlx::query(IMAGES)
        .bind(asset.0)
        .bind(clean(kind))
        .bind(clean(object))
        .bind(contains_pattern(&filter.query))
        .bind(i64::from(filter.running_only))
        .bind(i64::from(filter.affected_only))
        .bind(i64::from(filter.unscanned_only))
        .bind(i64::from(after.is_some()))
        .bind(rank)
        .bind(critical)
        .bind(high)
        .bind(medium)
        .bind(low)
        .bind(unknown)
        .bind(row_key)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    Ok(rows)
}

fn image(row: &AnyRow) -> Result<AssetImage, StoreError> {
    let columns = Columns::new(row, "asset_image", &["row_key"]);
    Ok(AssetImage {
        name: columns.text("name")?,
        digest: columns.opt_text("digest")?,
        image: columns.opt_parsed("image")?,
        findings: columns.severity_counts()?,
        fixable: columns.count("fixable")?,
        problems: columns.count("problems")?,
        scanned: columns.opt_time("scanned")?,
        asked: columns.opt_time("asked")?,
        uses: columns.count("uses")?,
        running: columns.count("running")?,
    })
}

const USES: &str = "SELECT a.asset AS asset, a.id AS id, u.kind AS kind, u.object AS object, u.name AS name, \
       u.sort AS sort, u.namespace AS namespace, u.is_running AS is_running, a.name AS image_name, s.name AS asset_name, \
       s.kind AS asset_kind, s.environment AS environment \
     FROM asset_image a JOIN image_use u ON u.asset_image = a.id JOIN asset s ON s.id = a.asset \
     WHERE a.image = $1 AND ($2 = 0 OR u.is_running = 1) \
       AND ($3 = 0 OR (a.asset, a.id, u.kind, u.object) > ($4, $5, $6, $7)) \
     ORDER BY a.asset, a.id, u.kind, u.object LIMIT $8";

/// The objects that use an image, asset by asset, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn uses_of(
    store: &Store,
    image: ImageId,
    running_only: bool,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<ImageUse>, StoreError> {
    let key: Option<(i64, i64, String, String)> = after.map(Cursor::decode).transpose()?;
    let (asset, id, kind, object) = key.unwrap_or_default();
    let rows = sqlx::query(USES)
        .bind(image.0)
        .bind(i64::from(running_only))
        .bind(i64::from(after.is_some()))
        .bind(asset)
        .bind(id)
        .bind(kind)
        .bind(object)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "image_use", &["id", "kind", "object"]);
            let used = ImageUse {
                asset: AssetId(columns.int("asset")?),
                asset_name: columns.text("asset_name")?,
                asset_kind: columns.text("asset_kind")?,
                environment: columns.text("environment")?,
                kind: columns.text("kind")?,
                object: columns.text("object")?,
                name: columns.text("name")?,
                sort: columns.text("sort")?,
                namespace: columns.text("namespace")?,
                image_name: columns.text("image_name")?,
                is_running: columns.int("is_running")? != 0,
            };
            Ok((columns.int("id")?, used))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let page = Page::cut(items, limit, |(id, used)| {
        (used.asset.0, *id, used.kind.clone(), used.object.clone())
    });
    Ok(page.map(|(_, used)| used))
}

const HELD: &str = "SELECT h.asset AS asset, s.name AS asset_name, r.reference AS reference FROM image_reference r \
     JOIN image_holder h ON h.registry > '' AND r.reference >= h.registry || '/' AND r.reference < h.registry || '0' \
     JOIN asset s ON s.id = h.asset WHERE r.image = $1 ORDER BY r.reference, h.asset LIMIT $2";

/// The registries that hold an image.
///
/// # Errors
/// When the database fails.
pub async fn held_in(
    store: &Store,
    image: ImageId,
    limit: usize,
) -> Result<Vec<HeldIn>, StoreError> {
    let rows = sqlx::query(HELD)
        .bind(image.0)
        .bind(int(limit))
        .fetch_all(&store.pool)
        .await?;
    let held = |row: &AnyRow| {
        let columns = Columns::new(row, "image_reference", &["reference"]);
        Ok(HeldIn {
            asset: AssetId(columns.int("asset")?),
            asset_name: columns.text("asset_name")?,
            reference: columns.text("reference")?,
        })
    };
    rows.iter().map(held).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::assert_bounded;

    #[test]
    fn uses_are_read_in_the_order_of_an_index() {
        assert_bounded(USES);
    }
}
