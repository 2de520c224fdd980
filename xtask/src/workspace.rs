//! Where things are: the workspace, its build folder, the shared data.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

/// The places that every command needs.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's build folder; ours too, for everything that can be made again.
    pub(crate) target: PathBuf,
    /// Data and tools shared between projects, where they are: `$SEAREEVE_SHARED`, else `../shared`.
    pub(crate) shared: Option<PathBuf>,
}

impl Workspace {
    /// Finds the workspace from where Cargo started us.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("the folder of xtask has no parent")?
            .to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |target| root.join(target));
        let shared = std::env::var_os("SEAREEVE_SHARED")
            .map_or_else(|| root.join("../shared"), |shared| root.join(shared))
            .canonicalize()
            .ok();
        Ok(Self {
            root,
            target,
            shared,
        })
    }

    /// The shared folder, or why the caller cannot go on without it.
    pub(crate) fn shared(&self) -> Result<&Path> {
        self.shared
            .as_deref()
            .context("this needs the shared data: set SEAREEVE_SHARED to its folder")
    }

    /// Where the tools are that we install for ourselves.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}

/// Whether `output` exists and is newer than all of `inputs`. An input that is missing makes it stale.
pub(crate) fn is_current(output: &Path, inputs: &[PathBuf]) -> bool {
    let changed = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(made) = changed(output) else {
        return false;
    };
    inputs
        .iter()
        .all(|input| changed(input).is_some_and(|at| at <= made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_current_until_an_input_is_newer_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        fs::write(&input, "a").unwrap();
        let inputs = [input.clone()];
        assert!(!is_current(&output, &inputs));
        fs::write(&output, "a").unwrap();
        assert!(is_current(&output, &inputs));
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(&input)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(!is_current(&output, &inputs));
        fs::remove_file(&input).unwrap();
        assert!(!is_current(&output, &inputs));
    }
}
