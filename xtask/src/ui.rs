//! Installing and building the UI, only when something changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::shell::Shell;

/// What `npm run build` makes.
const BUILT: &str = "ui/dist/index.html";

/// Folders in `ui/` that are made, or that the build does not read.
const OUTPUT: &[&str] = &[
    "node_modules",
    "dist",
    "e2e",
    "test-results",
    "playwright-report",
];

/// Installs the UI's packages when the lock file changed, and builds the UI when its sources changed.
pub(crate) fn build(shell: &Shell) -> Result<()> {
    install(shell)?;
    let root = &shell.workspace.root;
    let stamp = Stamp::new(shell, "ui-build", &sources(&root.join("ui"))?)?;
    if stamp.is_current() && root.join(BUILT).is_file() {
        return Ok(());
    }
    let started = Instant::now();
    shell.say("building the UI …")?;
    shell.run(&mut shell.npm(&["run", "build"]))?;
    shell.say(&format!(
        "built the UI in {:.1} s",
        started.elapsed().as_secs_f64()
    ))?;
    stamp.write()
}

/// Installs the UI's packages when the lock file changed since the last time.
pub(crate) fn install(shell: &Shell) -> Result<()> {
    let ui = shell.workspace.root.join("ui");
    let inputs = ["package.json", "package-lock.json"].map(|name| ui.join(name));
    let stamp = Stamp::new(shell, "ui-install", &inputs)?;
    if stamp.is_current() && ui.join("node_modules").is_dir() {
        return Ok(());
    }
    let started = Instant::now();
    shell.say("installing the UI's packages …")?;
    shell.run(&mut shell.npm(&["ci", "--no-audit", "--no-fund"]))?;
    shell.say(&format!(
        "installed the UI's packages in {:.1} s",
        started.elapsed().as_secs_f64()
    ))?;
    stamp.write()
}

/// Remembers of which content something was made.
struct Stamp {
    file: PathBuf,
    digest: String,
}

impl Stamp {
    fn new(shell: &Shell, name: &str, inputs: &[PathBuf]) -> Result<Self> {
        let folder = shell.workspace.target.join("xtask-stamps");
        fs::create_dir_all(&folder).context("failed to make the folder of stamps")?;
        Ok(Self {
            file: folder.join(name),
            digest: digest(inputs)?,
        })
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|digest| digest == self.digest)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.digest)
            .with_context(|| format!("failed to write {}", self.file.display()))
    }
}

/// Names and contents together: a moved file is a change too.
fn digest(inputs: &[PathBuf]) -> Result<String> {
    let mut hasher = Sha256::new();
    for input in inputs {
        let content =
            fs::read(input).with_context(|| format!("failed to read {}", input.display()))?;
        let name = input.to_string_lossy();
        hasher.update(format!("{}:{name}{}:", name.len(), content.len()));
        hasher.update(&content);
    }
    Ok(crate::fixtures::hexadecimal(&hasher.finalize()))
}

fn sources(ui: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![ui.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
            .with_context(|| format!("failed to list {}", folder.display()))?;
        for entry in entries {
            let path = entry.path();
            if !path.is_dir() {
                files.push(path);
            } else if folder != ui || !OUTPUT.iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_changes_with_content_and_names_and_ignores_what_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let ui = folder.path();
        for name in ["src", "dist", "node_modules"] {
            fs::create_dir(ui.join(name)).unwrap();
        }
        fs::write(ui.join("src/main.tsx"), "a").unwrap();
        let of = || digest(&sources(ui).unwrap()).unwrap();
        let first = of();
        fs::write(ui.join("dist/main.js"), "made").unwrap();
        fs::write(ui.join("node_modules/x.js"), "installed").unwrap();
        assert_eq!(of(), first);
        fs::write(ui.join("src/main.tsx"), "b").unwrap();
        let second = of();
        assert_ne!(second, first);
        fs::rename(ui.join("src/main.tsx"), ui.join("src/root.tsx")).unwrap();
        assert_ne!(of(), second);
    }
}
