//! Which files of an image the packages of its distribution own, read without our scanner.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};

const LISTS: &str = "var/lib/dpkg/info/";

/// Paths in dpkg's lists in any layer of a `docker save` archive.
pub(super) fn paths(archive: &Path) -> Result<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    let file =
        File::open(archive).with_context(|| format!("failed to open {}", archive.display()))?;
    for layer in tar::Archive::new(file).entries()? {
        let layer = layer?;
        if !layer.path_bytes().ends_with(b"/layer.tar") {
            continue;
        }
        for entry in tar::Archive::new(layer).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            if path.starts_with(LISTS) && path.ends_with(".list") {
                let mut list = String::new();
                entry
                    .read_to_string(&mut list)
                    .with_context(|| format!("failed to read {path}"))?;
                let lines = list.lines().filter_map(|line| line.strip_prefix('/'));
                paths.extend(lines.map(str::to_owned));
            }
        }
    }
    Ok(paths)
}
