//! The findings of one image: what it holds joined with what is wrong with packages.

use std::collections::BTreeSet;

use jiff::Timestamp;
use seareeve_model::{Finding, FindingStatus, ImagePath, InstalledPackage, PackageKind, Severity};
use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

use crate::columns::{Columns, severity_number};
use crate::images::paths;
use crate::packages::{self, package_columns};
use crate::rows::{contains_pattern, int, numbers, texts};
use crate::vulnerabilities::{finding_columns, finding_from_row};
use crate::{Cursor, ImageId, PackageId, Page, Store, StoreError};

/// A finding in a list: one per package and vulnerability.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRow {
    /// The package's row.
    pub package: PackageId,
    /// The package, and the first of its places.
    pub installed: InstalledPackage,
    /// At how many paths the package lies (in the layer, when a layer was asked for).
    pub places: u64,
    /// What is wrong with it.
    pub finding: Finding,
    /// When we first knew of it.
    pub first_seen: Timestamp,
}

/// A finding with all its places.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingDetail {
    /// What lists show.
    pub row: FindingRow,
    /// Where the package lies.
    pub places: Vec<Place>,
}

/// Where a package lies in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The layer that brought it, from 0 at the bottom.
    pub layer: u32,
    /// The file that says so.
    pub path: ImagePath,
}

/// Which findings. The default is all; an empty set means no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Part of the vulnerability's id, of an alias, of its title or of the package's name; case does not
    /// matter.
    pub query: String,
    /// Of these severities.
    pub severities: BTreeSet<Severity>,
    /// In packages that this layer brought.
    pub layer: Option<u32>,
    /// In this package.
    pub package: Option<PackageId>,
    /// In packages of this kind.
    pub kind: Option<PackageKind>,
    /// That a newer version fixes.
    pub fixable_only: bool,
    /// Of these statuses.
    pub statuses: BTreeSet<FindingStatus>,
}

/// The restrictions on a match `m` of a package `p` with a vulnerability `v`:
/// $2 package or 0, $3 kind, $4 fixable only, $5 severities, $6 statuses, $7 pattern.
macro_rules! finding_conditions {
    () => {
        "($2 = 0 OR p.id = $2) AND ($3 = '' OR p.kind = $3) AND ($4 = 0 OR m.status = 'fixed') \
         AND ($5 = '[]' OR m.severity IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($5))) \
         AND ($6 = '[]' OR m.status IN (SELECT value ->> 't' FROM json_each($6))) \
         AND ($7 = '' OR lower(v.name) LIKE $7 ESCAPE '!' OR lower(v.aliases) LIKE $7 ESCAPE '!' \
           OR lower(v.title) LIKE $7 ESCAPE '!' OR lower(p.name) LIKE $7 ESCAPE '!') "
    };
}
pub(super) use finding_conditions;

/// Binds $1 to $7 of [`finding_conditions`].
pub(super) fn bind_conditions(
    statement: &'static str,
    image: ImageId,
    filter: &FindingFilter,
) -> Query<'static, Any, AnyArguments> {
    let severities = filter.severities.iter().copied();
    let statuses = filter.statuses.iter().map(|status| status.as_str());
    sqlx::query(statement)
        .bind(image.0)
        .bind(filter.package.map_or(0, |package| package.0))
        .bind(filter.kind.map_or("", PackageKind::as_str))
        .bind(i64::from(filter.fixable_only))
        .bind(numbers(severities.map(severity_number)))
        .bind(texts(statuses))
        .bind(contains_pattern(&filter.query))
}

/// $8 layer or -1, $9 whether a cursor follows: rank (critical is 0), vulnerability, package name, package.
const LIST: &str = concat!(
    "SELECT ",
    package_columns!(),
    ", ",
    finding_columns!(),
    ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path, \
       place.places AS places \
     FROM (SELECT package, MIN(path) AS path, COUNT(*) AS places FROM image_package \
       WHERE image = $1 AND ($8 < 0 OR layer = $8) GROUP BY package) AS place \
     JOIN image_package ip ON ip.image = $1 AND ip.package = place.package AND ip.path = place.path \
     JOIN path ON path.id = ip.path \
     JOIN package p ON p.id = place.package \
     JOIN package_vulnerability m ON m.package = p.id \
     JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE ",
    finding_conditions!(),
    "AND ($9 = 0 OR (4 - m.severity, v.name, p.name, p.id) > ($10, $11, $12, $13)) \
     ORDER BY 4 - m.severity, v.name, p.name, p.id LIMIT $14"
);

/// Findings of an image, worst first, then by vulnerability and package; a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn findings(
    store: &Store,
    image: ImageId,
    filter: &FindingFilter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<FindingRow>, StoreError> {
    let key: Option<(i64, String, String, i64)> = after.map(Cursor::decode).transpose()?;
    let (rank, vulnerability, name, package) = key.unwrap_or_default();
    let rows = bind_conditions(LIST, image, filter)
        .bind(filter.layer.map_or(-1, i64::from))
        .bind(i64::from(after.is_some()))
        .bind(rank)
        .bind(vulnerability)
        .bind(name)
        .bind(package)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows.iter().map(from_row).collect::<Result<_, _>>()?;
    Ok(Page::cut(items, limit, |row: &FindingRow| {
        (
            4 - severity_number(row.finding.severity),
            row.finding.vulnerability.id.clone(),
            row.installed.package.name.clone(),
            row.package.0,
        )
    }))
}

fn from_row(row: &AnyRow) -> Result<FindingRow, StoreError> {
    let (id, package) = packages::from_row(row)?;
    let place = place_from_row(row)?;
    let columns = Columns::new(
        row,
        "package_vulnerability",
        &["package_id", "vulnerability_name"],
    );
    Ok(FindingRow {
        package: id,
        installed: InstalledPackage {
            package,
            path: place.path,
            layer: place.layer,
        },
        places: columns.count("places")?,
        finding: finding_from_row(row)?,
        first_seen: columns.time("first_seen")?,
    })
}

fn place_from_row(row: &AnyRow) -> Result<Place, StoreError> {
    let columns = Columns::new(row, "image_package", &["image", "package_id", "path_id"]);
    Ok(Place {
        layer: columns.count("layer")?,
        path: paths::from_row(row)?,
    })
}

const GET: &str = concat!(
    "SELECT ",
    package_columns!(),
    ", ",
    finding_columns!(),
    ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path, \
       (SELECT COUNT(*) FROM image_package WHERE image = $1 AND package = $2) AS places \
     FROM image_package ip \
     JOIN path ON path.id = ip.path \
     JOIN package p ON p.id = ip.package \
     JOIN package_vulnerability m ON m.package = p.id \
     JOIN vulnerability v ON v.id = m.vulnerability \
     WHERE ip.image = $1 AND ip.package = $2 AND v.name = $3 ORDER BY ip.path"
);

/// One finding with all its places; `None` when the image does not have it (any more).
///
/// # Errors
/// When the database fails.
pub async fn finding(
    store: &Store,
    image: ImageId,
    package: PackageId,
    vulnerability: &str,
) -> Result<Option<FindingDetail>, StoreError> {
    let rows = sqlx::query(GET)
        .bind(image.0)
        .bind(package.0)
        .bind(crate::rows::clean(vulnerability))
        .fetch_all(&store.pool)
        .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut places = rows
        .iter()
        .map(place_from_row)
        .collect::<Result<Vec<_>, _>>()?;
    places.sort();
    Ok(Some(FindingDetail {
        row: from_row(first)?,
        places,
    }))
}
