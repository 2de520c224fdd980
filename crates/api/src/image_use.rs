//! Images in use: which images an asset uses, and where an image runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SeverityCounts;

/// What was found in all images of an asset together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageTally {
    /// How many images there are: of a cluster those that run, of a registry those that were scanned.
    pub images: u64,
    /// Those that nobody scanned.
    pub unscanned: u64,
    /// Those that were scanned, and not all of which could be read or judged.
    pub incomplete: u64,
    /// Those with findings that count.
    pub affected: u64,
    /// These findings, summed up over the images.
    pub findings: SeverityCounts,
    /// Those of them that an upgrade mends.
    pub fixable: u64,
}

/// An image that an asset uses, or that a registry holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetImage {
    /// As the asset names it.
    pub name: String,
    /// What to scan it by: the name with the digest that runs, where that is known. Absent for what is no reference.
    pub reference: Option<String>,
    /// Digest of the stored image, in addresses; absent for one that nobody scanned.
    pub image: Option<String>,
    /// Its findings that count.
    pub findings: SeverityCounts,
    /// Those that an upgrade mends.
    pub fixable: u64,
    /// How many things could not be read or judged.
    pub problems: u64,
    /// When it was read last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scanned: Option<Timestamp>,
    /// When the server asked for a scan of it by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked: Option<Timestamp>,
    /// Objects of the asset that use it.
    pub uses: u64,
    /// Those of them that run.
    pub running: u64,
}

/// The images of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetImagePage {
    /// Those with the gravest findings first, then those that nobody scanned.
    pub images: Vec<AssetImage>,
    /// What was found in all of them when the asset was judged last; absent for one that was not.
    pub tally: Option<ImageTally>,
    /// To ask for the next page with; absent at the end.
    pub next: Option<String>,
}

/// An object that uses an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageUse {
    /// The asset that it belongs to.
    pub asset: i64,
    /// The asset's name.
    pub asset_name: String,
    /// The asset's kind, such as `kubernetes-cluster`.
    pub asset_kind: String,
    /// The asset's environment.
    pub environment: String,
    /// The object's kind of fact: `kubernetes.workload`, `docker.container` or `docker.image`.
    pub kind: String,
    /// The object's id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What sort of object it is: `Deployment`, `Container`.
    pub sort: String,
    /// Where it lies; empty where there are no namespaces.
    pub namespace: String,
    /// As the object names the image.
    pub image_name: String,
    /// Whether it runs now.
    pub running: bool,
}

/// A registry that holds an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageHeld {
    /// The registry, an asset.
    pub asset: i64,
    /// Its name.
    pub asset_name: String,
    /// The image's name there.
    pub reference: String,
}

/// Where an image is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageUsePage {
    /// Asset by asset.
    pub uses: Vec<ImageUse>,
    /// The registries that hold it, at most 100; only on the first page.
    pub held_in: Vec<ImageHeld>,
    /// To ask for the next page with; absent at the end.
    pub next: Option<String>,
}
