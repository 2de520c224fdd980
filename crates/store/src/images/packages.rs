//! The packages of one image.

use seareeve_model::{InstalledPackage, PackageKind};

use crate::columns::Columns;
use crate::images::paths;
use crate::packages::{self as all_packages, package_columns};
use crate::rows::{contains_pattern, int};
use crate::{Cursor, ImageId, PackageId, Page, SeverityCounts, Store, StoreError};

/// A package where it is installed, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// The package's row.
    pub id: PackageId,
    /// The package, its path and its layer.
    pub installed: InstalledPackage,
    /// Its findings.
    pub findings: SeverityCounts,
}

/// Which packages. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageFilter {
    /// Part of the name, the source's name or the path; case does not matter.
    pub query: String,
    /// Of this kind.
    pub kind: Option<PackageKind>,
    /// Brought by this layer.
    pub layer: Option<u32>,
    /// With at least one finding.
    pub vulnerable_only: bool,
}

/// $1 image, $2 pattern, $3 kind, $4 layer or -1, $5 vulnerable only, $6 whether a cursor follows.
const LIST: &str = concat!(
    "SELECT ",
    package_columns!(),
    ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path, \
       COALESCE(c.critical, 0) AS critical, COALESCE(c.high, 0) AS high, \
       COALESCE(c.medium, 0) AS medium, COALESCE(c.low, 0) AS low, \
       COALESCE(c.unknown, 0) AS unknown \
     FROM image_package ip JOIN package p ON p.id = ip.package JOIN path ON path.id = ip.path \
     LEFT JOIN (SELECT m.package AS package, \
         CAST(SUM(CASE WHEN m.severity = 4 THEN 1 ELSE 0 END) AS BIGINT) AS critical, \
         CAST(SUM(CASE WHEN m.severity = 3 THEN 1 ELSE 0 END) AS BIGINT) AS high, \
         CAST(SUM(CASE WHEN m.severity = 2 THEN 1 ELSE 0 END) AS BIGINT) AS medium, \
         CAST(SUM(CASE WHEN m.severity = 1 THEN 1 ELSE 0 END) AS BIGINT) AS low, \
         CAST(SUM(CASE WHEN m.severity = 0 THEN 1 ELSE 0 END) AS BIGINT) AS unknown \
       FROM package_vulnerability m \
       LEFT JOIN image_verdict x ON x.image = $1 AND x.package = m.package \
         AND x.vulnerability = m.vulnerability \
       WHERE m.suppression IS NULL AND x.reason IS NULL \
         AND m.package IN (SELECT package FROM image_package WHERE image = $1) \
       GROUP BY m.package) AS c ON c.package = p.id \
     WHERE ip.image = $1 \
       AND ($2 = '' OR lower(p.name) LIKE $2 ESCAPE '!' OR lower(p.source_name) LIKE $2 ESCAPE '!' \
         OR lower(path.path) LIKE $2 ESCAPE '!') \
       AND ($3 = '' OR p.kind = $3) AND ($4 < 0 OR ip.layer = $4) \
       AND ($5 = 0 OR c.package IS NOT NULL) \
       AND ($6 = 0 OR (p.name, p.id, ip.path) > ($7, $8, $9)) \
     ORDER BY p.name, p.id, ip.path LIMIT $10"
);

/// The packages of an image by name, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn packages(
    store: &Store,
    image: ImageId,
    filter: &PackageFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<PackageRow>, StoreError> {
    let key: Option<(String, i64, i64)> = after.map(Cursor::decode).transpose()?;
    let (name, package, path) = key.unwrap_or_default();
    let rows = sqlx::query(LIST)
        .bind(image.0)
        .bind(contains_pattern(&filter.query))
        .bind(filter.kind.map_or("", PackageKind::as_str))
        .bind(filter.layer.map_or(-1, i64::from))
        .bind(i64::from(filter.vulnerable_only))
        .bind(i64::from(after.is_some()))
        .bind(name)
        .bind(package)
        .bind(path)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "image_package", &["image", "package_id", "path_id"]);
            let (id, package) = all_packages::from_row(row)?;
            let row = PackageRow {
                id,
                installed: InstalledPackage {
                    package,
                    path: paths::from_row(row)?,
                    layer: columns.count("layer")?,
                },
                findings: columns.severity_counts()?,
            };
            Ok((row, columns.int("path_id")?))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let page = Page::cut(items, limit, |(row, path)| {
        (row.installed.package.name.clone(), row.id.0, *path)
    });
    Ok(page.map(|(row, _)| row))
}
