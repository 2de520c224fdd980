//! Images in files: `docker save` archives and OCI layouts.

mod choice;
mod docker;
mod layout;
mod packed;
mod store;

use std::fs::File;

use camino::Utf8Path;

use crate::plan::{Origin, Plan};
use crate::watch::Watch;
use crate::{Options, ReadError};

pub(crate) use store::Section;
use store::Store;

pub(crate) use choice::checked as checked_names;

/// Finds out what stands at `path` and reads its manifest and configuration.
pub(crate) fn open(
    path: &Utf8Path,
    options: &Options,
    watch: &Watch,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    read(Store::open(path, options, watch)?, options)
}

/// Reads the manifest and configuration of the archive in `file`. `name` is what errors call it.
pub(crate) fn open_file(
    name: &Utf8Path,
    file: File,
    options: &Options,
) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    read(Store::in_file(name, file, &options.limits)?, options)
}

fn read(store: Store, options: &Options) -> Result<(Plan, Box<dyn Origin>), ReadError> {
    // Newer `docker save` archives are both; the layout knows more (digest, packed layers).
    if store.holds("index.json")? {
        layout::open(store, options)
    } else if layout::is_directory_transport(&store)? {
        layout::open_directory(store, options)
    } else if store.holds("manifest.json")? {
        docker::open(store, options)
    } else {
        Err(store.not_an_image("it has neither manifest.json nor index.json"))
    }
}
