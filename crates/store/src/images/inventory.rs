//! The bill of materials out of the store again, as the scan put it in.

use seareeve_model::{Image, InstalledPackage, Inventory};

use crate::columns::Columns;
use crate::images::detail::{layers, problems};
use crate::images::list::distro_from_columns;
use crate::images::paths;
use crate::packages::{self, package_columns};
use crate::{ImageId, PackageId, Store, StoreError};

const IMAGE: &str = "SELECT id, digest, config_digest, os, architecture, created, distro_id, \
       distro_version, distro_name FROM image WHERE id = $1";
const REFERENCES: &str =
    "SELECT reference FROM image_reference WHERE image = $1 ORDER BY reference";
const PACKAGES: &str = concat!(
    "SELECT ",
    package_columns!(),
    ", ip.image AS image, ip.layer AS layer, path.id AS path_id, path.path AS path \
     FROM image_package ip JOIN package p ON p.id = ip.package JOIN path ON path.id = ip.path \
     WHERE ip.image = $1"
);

/// Everything that was saved of an image.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such image, or when the database fails.
pub async fn inventory(store: &Store, id: ImageId) -> Result<Inventory, StoreError> {
    Ok(with_packages(store, id).await?.0)
}

/// As [`inventory`], with the rows of its packages, in their order.
///
/// # Errors
/// As [`inventory`].
pub async fn with_packages(
    store: &Store,
    id: ImageId,
) -> Result<(Inventory, Vec<PackageId>), StoreError> {
    let row = sqlx::query(IMAGE)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?
        .ok_or(StoreError::NotFound { what: "image" })?;
    let columns = Columns::new(&row, "image", &["id"]);
    let references = sqlx::query(REFERENCES)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?
        .iter()
        .map(|row| Columns::new(row, "image_reference", &["reference"]).text("reference"))
        .collect::<Result<_, _>>()?;
    let image = Image {
        references,
        digest: columns.parsed("digest")?,
        config_digest: columns.parsed("config_digest")?,
        os: columns.text("os")?,
        architecture: columns.text("architecture")?,
        created: columns.opt_parsed("created")?,
        layers: layers(store, id).await?,
    };
    let rows = sqlx::query(PACKAGES)
        .bind(id.0)
        .fetch_all(&store.pool)
        .await?;
    let mut installed = rows
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "image_package", &["image", "package_id", "path_id"]);
            let (id, package) = packages::from_row(row)?;
            let installed = InstalledPackage {
                package,
                path: paths::from_row(row)?,
                layer: columns.count("layer")?,
            };
            Ok((installed, id))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    installed.sort();
    let (packages, ids) = installed.into_iter().unzip();
    let inventory = Inventory {
        image,
        distro: distro_from_columns(&columns)?,
        packages,
        problems: problems(store, id).await?,
    };
    Ok((inventory, ids))
}
