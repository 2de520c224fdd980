//! One image with its layers and what could not be read of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Digest, Layer, Problem, ProblemCode};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::images::list::{ImageSummary, add_references, summary_columns, summary_from_row};
use crate::{ImageId, PackageId, SeverityCounts, Store, StoreError};

/// Everything about an image but its packages and findings, which are lists of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDetail {
    /// What lists show.
    pub summary: ImageSummary,
    /// Digest of the configuration.
    pub config_digest: Digest,
    /// When the image says it was made.
    pub created: Option<Timestamp>,
    /// Lowest first.
    pub layers: Vec<LayerDetail>,
    /// What could not be read or judged.
    pub problems: Vec<Problem>,
}

/// A layer, and what it brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerDetail {
    /// The layer.
    pub layer: Layer,
    /// Installed packages that it brought.
    pub packages: u64,
    /// Findings in these packages.
    pub findings: SeverityCounts,
}

const ID_BY_DIGEST: &str = "SELECT id FROM image WHERE digest = $1";

/// The image with this digest.
///
/// # Errors
/// When the database fails.
pub async fn id_by_digest(store: &Store, digest: &Digest) -> Result<Option<ImageId>, StoreError> {
    let row = sqlx::query(ID_BY_DIGEST)
        .bind(digest.as_str())
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| Columns::new(&row, "image", &["id"]).int("id").map(ImageId))
        .transpose()
}

const ID_BY_REFERENCE: &str = "SELECT reference, image FROM image_reference WHERE reference = $1";

/// The image that has this reference now, spelled as it was saved.
///
/// # Errors
/// When the database fails.
pub async fn id_by_reference(
    store: &Store,
    reference: &str,
) -> Result<Option<ImageId>, StoreError> {
    let row = sqlx::query(ID_BY_REFERENCE)
        .bind(crate::rows::clean(reference))
        .fetch_optional(&store.pool)
        .await?;
    row.map(|row| {
        let columns = Columns::new(&row, "image_reference", &["reference"]);
        columns.int("image").map(ImageId)
    })
    .transpose()
}

const GET: &str = concat!(
    "SELECT ",
    summary_columns!(),
    ", i.config_digest AS config_digest, i.created AS created FROM image i WHERE i.id = $1"
);

/// The image with this id.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, id: ImageId) -> Result<Option<ImageDetail>, StoreError> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut summary = summary_from_row(&row)?;
    add_references(store, std::slice::from_mut(&mut summary)).await?;
    let columns = Columns::new(&row, "image", &["id"]);
    Ok(Some(ImageDetail {
        summary,
        config_digest: columns.parsed("config_digest")?,
        created: columns.opt_parsed("created")?,
        layers: layer_details(store, id).await?,
        problems: problems(store, id).await?,
    }))
}

const LAYERS: &str = "SELECT image, position, diff_id, digest, size_bytes, created_by FROM layer \
     WHERE image = $1 ORDER BY position";

/// The layers of an image, lowest first.
///
/// # Errors
/// When the database fails.
pub async fn layers(store: &Store, id: ImageId) -> Result<Vec<Layer>, StoreError> {
    let rows = sqlx::query(LAYERS)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(layer_from_row).collect()
}

fn layer_from_row(row: &AnyRow) -> Result<Layer, StoreError> {
    let columns = Columns::new(row, "layer", &["image", "position"]);
    Ok(Layer {
        diff_id: columns.parsed("diff_id")?,
        digest: columns.opt_parsed("digest")?,
        size_bytes: columns.count("size_bytes")?,
        created_by: columns.text("created_by")?,
    })
}

const LAYER_PACKAGES: &str = "SELECT layer, COUNT(*) AS packages FROM image_package \
     WHERE image = $1 GROUP BY layer";
const LAYER_FINDINGS: &str = "SELECT p.layer AS layer, m.severity AS severity, COUNT(*) AS findings \
     FROM (SELECT DISTINCT layer, package FROM image_package WHERE image = $1) AS p \
     JOIN package_vulnerability m ON m.package = p.package AND m.suppression IS NULL \
     LEFT JOIN image_verdict x ON x.image = $1 AND x.package = m.package \
       AND x.vulnerability = m.vulnerability \
     WHERE x.reason IS NULL GROUP BY p.layer, m.severity";

async fn layer_details(store: &Store, id: ImageId) -> Result<Vec<LayerDetail>, StoreError> {
    let mut packages: BTreeMap<usize, u64> = BTreeMap::new();
    let rows = sqlx::query(LAYER_PACKAGES)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "image_package", &["layer"]);
        packages.insert(columns.count("layer")?, columns.count("packages")?);
    }
    let mut findings: BTreeMap<usize, SeverityCounts> = BTreeMap::new();
    let rows = sqlx::query(LAYER_FINDINGS)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    for row in &rows {
        let columns = Columns::new(row, "package_vulnerability", &["layer"]);
        let counts = findings.entry(columns.count("layer")?).or_default();
        *counts.get_mut(columns.severity("severity")?) = columns.count("findings")?;
    }
    let detail = |(position, layer)| LayerDetail {
        layer,
        packages: packages.remove(&position).unwrap_or_default(),
        findings: findings.remove(&position).unwrap_or_default(),
    };
    let layers = layers(store, id).await?;
    Ok(layers.into_iter().enumerate().map(detail).collect())
}

const HOLDING: &str =
    "SELECT COUNT(DISTINCT image) AS images FROM image_package WHERE package = $1";

/// How many images hold this package.
///
/// # Errors
/// When the database fails.
pub async fn count_holding(store: &Store, package: PackageId) -> Result<u64, StoreError> {
    let row = sqlx::query(HOLDING)
        .bind(package.0)
        .fetch_one(&store.pool)
        .await?;
    Columns::new(&row, "image_package", &["images"]).count("images")
}

const PROBLEMS: &str = "SELECT image, position, code, place, message FROM problem \
     WHERE image = $1 ORDER BY position";

/// What could not be read or judged of an image.
pub(super) async fn problems(store: &Store, id: ImageId) -> Result<Vec<Problem>, StoreError> {
    let rows = sqlx::query(PROBLEMS)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter()
        .map(|row| {
            let columns = Columns::new(row, "problem", &["image", "position"]);
            Ok(Problem {
                code: columns.word("code", ProblemCode::parse)?,
                place: columns.text("place")?,
                message: columns.text("message")?,
            })
        })
        .collect()
}
