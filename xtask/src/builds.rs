//! Building the product, always by the same two lines, so that no command undoes another's build.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::shell::Shell;

/// The debug binary. Tests are built along with it: dependencies then have one set of features, and
/// `cargo nextest run` finds everything built.
pub(crate) fn debug(shell: &Shell) -> Result<PathBuf> {
    // The server embeds this folder and does not compile without it; a debug binary reads the files when it is asked.
    let ui = shell.workspace.root.join("ui/dist");
    fs::create_dir_all(&ui).with_context(|| format!("failed to make {}", ui.display()))?;
    shell.run(&mut shell.cargo(&["build", "--workspace", "--bins", "--tests"]))?;
    Ok(shell.workspace.target.join("debug/seareeve"))
}

/// The release binary.
pub(crate) fn release(shell: &Shell) -> Result<PathBuf> {
    shell.run(&mut shell.cargo(&["build", "--release", "--package", "seareeve-cli"]))?;
    Ok(shell.workspace.target.join("release/seareeve"))
}
