//! What the oracle says of an image: pairs of package and advisory, and the versions that mend them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Pair, read_json, release, words};
use crate::fixtures::Image;
use crate::shell::Shell;
use crate::workspace::is_current;
use crate::{acceptance, apt};

/// Node's own version order, for the oracle.
const NODE_SEMVER: &str = "semver@7.7.2";

/// Which advisories hit, and what mends.
pub(super) struct Expected {
    /// Package and advisory, with the versions that mend, as far as they are newer than what is installed.
    pub(super) pairs: BTreeMap<Pair, BTreeSet<String>>,
}

impl Expected {
    /// The pairs alone.
    pub(super) fn set(&self) -> BTreeSet<Pair> {
        self.pairs.keys().cloned().collect()
    }
}

/// Asks the oracle; its answer is kept until something that it reads changes.
pub(super) fn expected(shell: &Shell, image: &Image, advisories: &Path) -> Result<Expected> {
    let oracle = shell.workspace.shared()?.join("tools/oracle.py");
    let output = image
        .packages
        .with_file_name(format!("{}.expected.json", image.name));
    let mut inputs = acceptance::zips(advisories)?;
    inputs.extend([oracle.clone(), image.packages.clone()]);
    if !is_current(&output, &inputs) {
        let python =
            apt::python_with(&["packaging"]).context("python3-packaging is not installed")?;
        let modules = node_semver(shell)?;
        let mut command = shell.command(python);
        command.arg(&oracle).arg(&image.packages).arg(advisories);
        command
            .args(["--distro", release(image)])
            .env("NODE_PATH", modules);
        let answer = shell.capture(&mut command)?;
        fs::write(&output, answer)
            .with_context(|| format!("failed to write {}", output.display()))?;
    }
    let hits = read_json(&output)?;
    let mut pairs: BTreeMap<Pair, BTreeSet<String>> = BTreeMap::new();
    for hit in hits.as_array().context("the oracle's answer is no list")? {
        let pair = words(hit, &["type", "name", "version", "advisory"])?;
        let fixed = hit["fixed"].as_array().into_iter().flatten();
        pairs
            .entry(pair)
            .or_default()
            .extend(fixed.filter_map(Value::as_str).map(str::to_owned));
    }
    Ok(Expected { pairs })
}

/// Installs Node's semver for the oracle; the value of `NODE_PATH`.
fn node_semver(shell: &Shell) -> Result<PathBuf> {
    let folder = shell.workspace.tools().join("oracle");
    let modules = folder.join("node_modules");
    if !modules.join("semver/package.json").is_file() {
        fs::create_dir_all(&folder)?;
        let mut command = shell.command("npm");
        command
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(NODE_SEMVER);
        shell.run(&mut command)?;
    }
    Ok(modules)
}
