//! Images in files: `docker save` archives and OCI layouts.

mod docker;
mod layout;
mod store;

use camino::Utf8Path;

use crate::plan::{Origin, Plan};
use crate::{Options, ReadError};

pub(crate) use store::Section;
use store::Store;

/// Finds out what stands at `path` and reads its manifest and configuration.
pub(crate) fn open(
    path: &Utf8Path,
    options: &Options,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    let store = Store::open(path, &options.limits)?;
    // Newer `docker save` archives are both; the layout knows more (digest, packed layers).
    if store.holds("index.json") {
        layout::open(store, options)
    } else if store.holds("manifest.json") {
        docker::open(store, options)
    } else {
        Err(store.not_an_image("it has neither manifest.json nor index.json"))
    }
}
