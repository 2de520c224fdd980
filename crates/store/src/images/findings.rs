//! The findings of one image: what it holds joined with what is wrong with packages.

use std::collections::BTreeSet;

use jiff::Timestamp;
use seareeve_model::{
    Finding, FindingStatus, ImagePath, InstalledPackage, PackageKind, Probability, Severity,
};
use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

use crate::columns::{Columns, severity_number};
use crate::exploitation::billionths;
use crate::images::paths;
use crate::images::verdicts::verdict_columns;
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
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// That are known to be exploited.
    pub exploited_only: bool,
    /// Whose EPSS score is this at least.
    pub min_epss: Option<Probability>,
    /// Whether they count.
    pub counting: Counting,
}

/// Which findings by whether they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Those that count.
    #[default]
    Counted,
    /// Those that somebody took out, with the reason.
    Suppressed,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FindingSort {
    /// Worst first, then by vulnerability and package.
    #[default]
    Severity,
    /// Most probably exploited first, those without an estimate last; then as by severity.
    Epss,
}

/// The tables of the restrictions, joined to `place` with the image's packages.
macro_rules! finding_tables {
    () => {
        "JOIN package p ON p.id = place.package \
         JOIN package_vulnerability m ON m.package = p.id \
         JOIN vulnerability v ON v.id = m.vulnerability \
         LEFT JOIN vulnerability_epss e ON e.vulnerability = v.id \
         LEFT JOIN image_verdict x ON x.image = $1 AND x.package = m.package \
           AND x.vulnerability = m.vulnerability "
    };
}
pub(super) use finding_tables;

/// The restrictions on a match `m` of a package `p` with a vulnerability `v`, its estimate `e` and the verdict `x`:
/// $2 package or 0, $3 kind, $4 fixable only, $5 severities, $6 statuses, $7 pattern, $8 exploited only,
/// $9 lowest score or -1, $10 whether it counts (0), does not (1), or either (-1).
macro_rules! finding_conditions {
    () => {
        "($2 = 0 OR p.id = $2) AND ($3 = '' OR p.kind = $3) AND ($4 = 0 OR m.status = 'fixed') \
         AND ($5 = '[]' OR m.severity IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($5))) \
         AND ($6 = '[]' OR m.status IN (SELECT value ->> 't' FROM json_each($6))) \
         AND ($7 = '' OR lower(v.name) LIKE $7 ESCAPE '!' OR lower(v.aliases) LIKE $7 ESCAPE '!' \
           OR lower(v.title) LIKE $7 ESCAPE '!' OR lower(p.name) LIKE $7 ESCAPE '!') \
         AND ($8 = 0 OR v.exploited IS NOT NULL) AND ($9 < 0 OR e.score >= $9) \
         AND ($10 < 0 OR ($10 = 0 AND m.suppression IS NULL AND x.reason IS NULL) \
           OR ($10 = 1 AND (m.suppression IS NOT NULL OR x.reason IS NOT NULL))) "
    };
}
pub(super) use finding_conditions;

/// The number of $9 in [`finding_conditions`].
pub(super) fn lowest_score(filter: &FindingFilter) -> i64 {
    filter.min_epss.map_or(-1, billionths)
}

/// Binds $1 to $10 of [`finding_conditions`]; `counting` is `None` for either.
pub(super) fn bind_conditions(
    statement: &'static str,
    image: ImageId,
    filter: &FindingFilter,
    counting: Option<Counting>,
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
        .bind(i64::from(filter.exploited_only))
        .bind(lowest_score(filter))
        .bind(match counting {
            None => -1_i64,
            Some(Counting::Counted) => 0,
            Some(Counting::Suppressed) => 1,
        })
}

/// $11 layer or -1, $12 whether a cursor follows: the first rank, which is what the list is sorted by, then rank of
/// the severity (critical is 0), vulnerability, package name, package.
macro_rules! list {
    ($first_rank:literal) => {
        concat!(
            "SELECT ",
            package_columns!(),
            ", ",
            finding_columns!(),
            ", ",
            verdict_columns!(),
            ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path, \
               place.places AS places, ",
            $first_rank,
            " AS first_rank \
             FROM (SELECT package, MIN(path) AS path, COUNT(*) AS places FROM image_package \
               WHERE image = $1 AND ($11 < 0 OR layer = $11) GROUP BY package) AS place \
             JOIN image_package ip ON ip.image = $1 AND ip.package = place.package \
               AND ip.path = place.path \
             JOIN path ON path.id = ip.path ",
            finding_tables!(),
            "WHERE ",
            finding_conditions!(),
            "AND ($12 = 0 OR (",
            $first_rank,
            ", 4 - m.severity, v.name, p.name, p.id) > ($13, $14, $15, $16, $17)) ORDER BY ",
            $first_rank,
            ", 4 - m.severity, v.name, p.name, p.id LIMIT $18"
        )
    };
}

const BY_SEVERITY: &str = list!("4 - m.severity");
const BY_EPSS: &str = list!("- COALESCE(e.score, -1)");

/// Findings of an image, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn findings(
    store: &Store,
    image: ImageId,
    filter: &FindingFilter,
    sort: FindingSort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<FindingRow>, StoreError> {
    let key: Option<(i64, i64, String, String, i64)> = after.map(Cursor::decode).transpose()?;
    let (first_rank, rank, vulnerability, name, package) = key.unwrap_or_default();
    let statement = match sort {
        FindingSort::Severity => BY_SEVERITY,
        FindingSort::Epss => BY_EPSS,
    };
    let rows = bind_conditions(statement, image, filter, Some(filter.counting))
        .bind(filter.layer.map_or(-1, i64::from))
        .bind(i64::from(after.is_some()))
        .bind(first_rank)
        .bind(rank)
        .bind(vulnerability)
        .bind(name)
        .bind(package)
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "package_vulnerability", &["package_id"]);
            Ok((from_row(row)?, columns.int("first_rank")?))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let page = Page::cut(items, limit, |(row, first_rank)| {
        (
            *first_rank,
            4 - severity_number(row.finding.severity),
            row.finding.vulnerability.id.clone(),
            row.installed.package.name.clone(),
            row.package.0,
        )
    });
    Ok(page.map(|(row, _)| row))
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
    ", ",
    verdict_columns!(),
    ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path, \
       (SELECT COUNT(*) FROM image_package WHERE image = $1 AND package = $2) AS places \
     FROM image_package ip \
     JOIN path ON path.id = ip.path \
     JOIN package p ON p.id = ip.package \
     JOIN package_vulnerability m ON m.package = p.id \
     JOIN vulnerability v ON v.id = m.vulnerability \
     LEFT JOIN vulnerability_epss e ON e.vulnerability = v.id \
     LEFT JOIN image_verdict x ON x.image = ip.image AND x.package = m.package \
       AND x.vulnerability = m.vulnerability \
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
