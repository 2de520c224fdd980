//! Images: their bills of materials, and everything that is shown of them.
//!
//! A finding of an image is a join of what it holds with what is wrong with packages; only the counts are
//! kept with the image.

mod delete;
mod detail;
mod facets;
mod findings;
mod inventory;
mod list;
mod packages;
mod paths;
mod problems;
mod raising;
mod save;
mod secrets;
pub(crate) mod verdicts;

pub use delete::{delete, prune_paths};
pub use detail::{
    ImageDetail, LayerDetail, count_holding, get, id_by_digest, id_by_reference, layers,
};
pub use facets::{EPSS_STEPS, FindingFacets, finding_facets};
pub use findings::{
    Counting, FindingDetail, FindingFilter, FindingRow, FindingSort, Place, finding, findings,
};
pub use inventory::{inventory, with_packages};
pub use list::{ImageFilter, ImageSort, ImageSummary, list};
pub use packages::{PackageFilter, PackageRow, packages};
pub use problems::{ids, ids_with, set_problems};
pub use raising::{Raising, set_raising};
pub(crate) use save::count;
pub use save::{Saved, save};
pub use secrets::{SecretFilter, secrets, set_secrets};
pub use verdicts::set_verdicts;
