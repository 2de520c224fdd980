//! The list of images, with the counts that are kept with them.

use std::collections::HashMap;

use jiff::Timestamp;
use seareeve_model::{Digest, Distro, Severity};
use sqlx::any::AnyRow;

use crate::columns::{Columns, severity_number};
use crate::rows::{contains_pattern, int, numbers};
use crate::{Cursor, ImageId, Page, SeverityCounts, Store, StoreError};

/// An image in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSummary {
    /// The row.
    pub id: ImageId,
    /// Digest of the manifest; see [`seareeve_model::Image::digest`].
    pub digest: Digest,
    /// The names it has now, sorted.
    pub references: Vec<String>,
    /// The distribution, when the image says one.
    pub distro: Option<Distro>,
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub architecture: String,
    /// Unpacked size.
    pub size_bytes: u64,
    /// When it was saved first.
    pub first_seen: Timestamp,
    /// Its findings.
    pub findings: SeverityCounts,
    /// Findings that a newer version fixes.
    pub fixable: u64,
    /// Findings that are known to be exploited.
    pub exploited: u64,
    /// Installed packages; one that lies at two paths is installed twice.
    pub packages: u64,
    /// Secrets that it carries; `None` when nobody looked for them.
    pub secrets: Option<u64>,
    /// What could not be read or judged.
    pub problems: u64,
}

/// Which images. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFilter {
    /// Part of a reference, of the digest or of the distribution's name; case does not matter.
    pub query: String,
    /// With at least one finding of this severity or above.
    pub min_severity: Option<Severity>,
    /// With at least one finding that a newer version fixes.
    pub fixable_only: bool,
    /// With at least one finding that is known to be exploited.
    pub exploited_only: bool,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageSort {
    /// Most critical findings first, then most high ones, and so on.
    #[default]
    Severity,
    /// Last found first.
    Newest,
    /// By the first reference; images without one by their digest.
    Name,
}

/// The columns of [`summary_from_row`], of an image called `i`.
macro_rules! summary_columns {
    () => {
        "i.id AS id, i.digest AS digest, i.distro_id AS distro_id, \
         i.distro_version AS distro_version, i.distro_name AS distro_name, i.os AS os, \
         i.architecture AS architecture, i.size_bytes AS size_bytes, i.first_seen AS first_seen, \
         i.critical AS critical, i.high AS high, i.medium AS medium, i.low AS low, \
         i.unknown AS unknown, i.fixable AS fixable, i.exploited AS exploited, i.packages AS packages, \
         i.problems AS problems, i.secrets AS secrets "
    };
}
pub(super) use summary_columns;

/// The summary without its references.
pub(super) fn summary_from_row(row: &AnyRow) -> Result<ImageSummary, StoreError> {
    let columns = Columns::new(row, "image", &["id"]);
    Ok(ImageSummary {
        id: ImageId(columns.int("id")?),
        digest: columns.parsed("digest")?,
        references: Vec::new(),
        distro: distro_from_columns(&columns)?,
        os: columns.text("os")?,
        architecture: columns.text("architecture")?,
        size_bytes: columns.count("size_bytes")?,
        first_seen: columns.time("first_seen")?,
        findings: columns.severity_counts()?,
        fixable: columns.count("fixable")?,
        exploited: columns.count("exploited")?,
        packages: columns.count("packages")?,
        secrets: columns
            .opt_int("secrets")?
            .map(|_| columns.count("secrets"))
            .transpose()?,
        problems: columns.count("problems")?,
    })
}

pub(super) fn distro_from_columns(columns: &Columns<'_>) -> Result<Option<Distro>, StoreError> {
    let Some(id) = columns.opt_text("distro_id")? else {
        return Ok(None);
    };
    Ok(Some(Distro {
        id,
        version: columns.text("distro_version")?,
        name: columns.text("distro_name")?,
    }))
}

/// $1 pattern, $2 lowest severity or -1, $3 fixable only, $4 whether a cursor follows, $5 exploited only.
macro_rules! select_images {
    () => {
        concat!(
            "SELECT ",
            summary_columns!(),
            ", n.name AS name FROM image i \
             JOIN (SELECT image.id AS id, COALESCE((SELECT MIN(r.reference) FROM image_reference r \
                 WHERE r.image = image.id), image.digest) AS name FROM image) AS n ON n.id = i.id \
             WHERE ($1 = '' OR lower(i.digest) LIKE $1 ESCAPE '!' \
                 OR lower(i.distro_name) LIKE $1 ESCAPE '!' \
                 OR EXISTS (SELECT 1 FROM image_reference r \
                   WHERE r.image = i.id AND lower(r.reference) LIKE $1 ESCAPE '!')) \
               AND ($2 < 0 OR ($2 <= 4 AND i.critical > 0) OR ($2 <= 3 AND i.high > 0) \
                 OR ($2 <= 2 AND i.medium > 0) OR ($2 <= 1 AND i.low > 0) \
                 OR ($2 <= 0 AND i.unknown > 0)) \
               AND ($3 = 0 OR i.fixable > 0) AND ($5 = 0 OR i.exploited > 0) "
        )
    };
}

const BY_SEVERITY: &str = concat!(
    select_images!(),
    "AND ($4 = 0 OR (i.critical, i.high, i.medium, i.low, i.unknown, i.id) < ($6, $7, $8, $9, $10, $11)) \
     ORDER BY i.critical DESC, i.high DESC, i.medium DESC, i.low DESC, i.unknown DESC, i.id DESC \
     LIMIT $12"
);
const BY_NEWEST: &str = concat!(
    select_images!(),
    "AND ($4 = 0 OR (i.first_seen, i.id) < ($6, $7)) \
     ORDER BY i.first_seen DESC, i.id DESC LIMIT $8"
);
const BY_NAME: &str = concat!(
    select_images!(),
    "AND ($4 = 0 OR (n.name, i.id) > ($6, $7)) ORDER BY n.name, i.id LIMIT $8"
);

/// Images, a page at a time.
///
/// # Errors
/// [`StoreError::BadCursor`], or when the database fails.
pub async fn list(
    store: &Store,
    filter: &ImageFilter,
    sort: ImageSort,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<ImageSummary>, StoreError> {
    let statement = match sort {
        ImageSort::Severity => BY_SEVERITY,
        ImageSort::Newest => BY_NEWEST,
        ImageSort::Name => BY_NAME,
    };
    let query = sqlx::query(statement)
        .bind(contains_pattern(&filter.query))
        .bind(filter.min_severity.map_or(-1, severity_number))
        .bind(i64::from(filter.fixable_only))
        .bind(i64::from(after.is_some()))
        .bind(i64::from(filter.exploited_only));
    let query = match sort {
        ImageSort::Severity => {
            let key: [i64; 6] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
            key.into_iter().fold(query, |query, part| query.bind(part))
        }
        ImageSort::Newest => {
            let key: [i64; 2] = after.map(Cursor::decode).transpose()?.unwrap_or_default();
            key.into_iter().fold(query, |query, part| query.bind(part))
        }
        ImageSort::Name => {
            let key: Option<(String, i64)> = after.map(Cursor::decode).transpose()?;
            let (name, id) = key.unwrap_or_default();
            query.bind(name).bind(id)
        }
    };
    let rows = query
        .bind(int(limit.saturating_add(1)))
        .fetch_all(&store.pool)
        .await?;
    let items = rows
        .iter()
        .map(|row| {
            let name = Columns::new(row, "image", &["id"]).text("name")?;
            Ok((summary_from_row(row)?, name))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let mut page = match sort {
        ImageSort::Severity => Page::cut(items, limit, |(image, _)| {
            let counts = image.findings;
            [
                counts.critical,
                counts.high,
                counts.medium,
                counts.low,
                counts.unknown,
                u64::try_from(image.id.0).unwrap_or_default(),
            ]
        }),
        ImageSort::Newest => Page::cut(items, limit, |(image, _)| {
            [image.first_seen.as_millisecond(), image.id.0]
        }),
        ImageSort::Name => Page::cut(items, limit, |(image, name)| (name.clone(), image.id.0)),
    }
    .map(|(image, _)| image);
    add_references(store, &mut page.items).await?;
    Ok(page)
}

const REFERENCES: &str = "SELECT image, reference FROM image_reference \
     WHERE image IN (SELECT CAST(value ->> 'n' AS BIGINT) FROM json_each($1)) ORDER BY reference";

/// Adds to each image its references, in one query for all.
pub(super) async fn add_references(
    store: &Store,
    images: &mut [ImageSummary],
) -> Result<(), StoreError> {
    let rows = sqlx::query(REFERENCES)
        .bind(numbers(images.iter().map(|image| image.id.0)))
        .fetch_all(&store.pool)
        .await?;
    let mut by_image: HashMap<i64, Vec<String>> = HashMap::new();
    for row in &rows {
        let columns = Columns::new(row, "image_reference", &["reference"]);
        let references = by_image.entry(columns.int("image")?).or_default();
        references.push(columns.text("reference")?);
    }
    for image in images {
        image.references = by_image.remove(&image.id.0).unwrap_or_default();
    }
    Ok(())
}
