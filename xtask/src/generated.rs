//! Files in the repository that the program itself writes, so that they cannot say anything else than the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::shell::Shell;
use crate::{builds, ui};

/// How a file comes to be.
enum Source {
    /// Standard output of `seareeve` with these arguments.
    Printed(&'static [&'static str]),
    /// A folder that `seareeve` fills, its path being the last argument. Files that it does not write go.
    Folder(&'static [&'static str]),
    /// A file that an npm script of `ui/` writes in place, from files above it in this list.
    Npm(&'static str),
}

/// All of them. Tools that treat generated files otherwise ask [`is_generated`].
const FILES: &[(&str, Source)] = &[
    (
        "crates/scan/src/starter.db",
        Source::Printed(&["starter", "content/advisories"]),
    ),
    ("docs/openapi.json", Source::Printed(&["openapi"])),
    (
        "docs/schema/image-report.schema.json",
        Source::Printed(&["schema", "image-report"]),
    ),
    (
        "docs/schema/manifest-report.schema.json",
        Source::Printed(&["schema", "manifest-report"]),
    ),
    (
        "docs/schema/posture-report.schema.json",
        Source::Printed(&["schema", "posture-report"]),
    ),
    ("docs/reference/cli.md", Source::Printed(&["reference"])),
    (
        "docs/reference/configuration.md",
        Source::Printed(&["config", "reference"]),
    ),
    ("docs/man", Source::Folder(&["man"])),
    ("ui/src/api/schema.d.ts", Source::Npm("gen")),
];

/// Whether a file of the repository is written by a program (lock files included).
pub(crate) fn is_generated(path: &str) -> bool {
    let ends = |name: &str| path == name || path.ends_with(&format!("/{name}"));
    ends("Cargo.lock")
        || ends("package-lock.json")
        || FILES
            .iter()
            .any(|(file, _)| path == *file || path.starts_with(&format!("{file}/")))
}

/// Writes all of them.
pub(crate) fn write(shell: &Shell) -> Result<()> {
    for change in changes(shell, Mode::Write)? {
        shell.say(&format!("wrote {change}"))?;
    }
    Ok(())
}

/// Fails and names the files that differ from what would be written.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let stale = changes(shell, Mode::Check)?;
    if !stale.is_empty() {
        bail!("not current: {}; run `cargo xtask gen`", stale.join(", "));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Check,
}

/// The files that differ; in `Write` mode they do so no longer.
fn changes(shell: &Shell, mode: Mode) -> Result<Vec<String>> {
    // Not built: the UI may not even compile before its types are written anew.
    ui::install(shell)?;
    let binary = builds::debug(shell)?;
    let root = &shell.workspace.root;
    let mut changed = Vec::new();
    for (path, source) in FILES {
        let file = root.join(path);
        match source {
            Source::Printed(arguments) => {
                let printed = shell.capture(shell.product(&binary).args(*arguments))?;
                if fs::read(&file).ok().as_ref() != Some(&printed) {
                    changed.push((*path).to_owned());
                    if mode == Mode::Write {
                        put(&file, &printed)?;
                    }
                }
            }
            Source::Folder(arguments) => {
                let made = tempfile::tempdir().context("failed to make a temporary folder")?;
                shell.run(shell.product(&binary).args(*arguments).arg(made.path()))?;
                let (new, old) = (files(made.path())?, files(&file)?);
                for name in differing(&old, &new) {
                    changed.push(format!("{path}/{name}"));
                    if mode == Mode::Write {
                        match new.get(name) {
                            Some(content) => put(&file.join(name), content)?,
                            None => fs::remove_file(file.join(name))?,
                        }
                    }
                }
            }
            Source::Npm(script) => {
                let before = fs::read(&file).ok();
                shell.run(&mut shell.npm(&["run", script]))?;
                let after =
                    fs::read(&file).with_context(|| format!("npm run {script} wrote no {path}"))?;
                if before.as_ref() != Some(&after) {
                    changed.push((*path).to_owned());
                    if let (Mode::Check, Some(before)) = (mode, before) {
                        put(&file, &before)?;
                    }
                }
            }
        }
    }
    Ok(changed)
}

fn put(file: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content).with_context(|| format!("failed to write {}", file.display()))
}

/// Names and contents of a folder's files; a folder that is absent has none.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    if !folder.exists() {
        return Ok(BTreeMap::new());
    }
    fs::read_dir(folder)
        .with_context(|| format!("failed to list {}", folder.display()))?
        .map(|entry| {
            let entry = entry?;
            Ok((
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path())?,
            ))
        })
        .collect()
}

/// Names of the files that were added, changed or removed.
fn differing<'a>(
    old: &'a BTreeMap<String, Vec<u8>>,
    new: &'a BTreeMap<String, Vec<u8>>,
) -> BTreeSet<&'a String> {
    old.keys()
        .chain(new.keys())
        .filter(|name| old.get(*name) != new.get(*name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_changed_and_removed_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        for (name, content) in [("same", "a"), ("changed", "a"), ("removed", "a")] {
            put(&old.join(name), content.as_bytes()).unwrap();
        }
        for (name, content) in [("same", "a"), ("changed", "b"), ("added", "a")] {
            put(&new.join(name), content.as_bytes()).unwrap();
        }
        let (old, new) = (files(&old).unwrap(), files(&new).unwrap());
        let differing: Vec<&String> = differing(&old, &new).into_iter().collect();
        assert_eq!(differing, ["added", "changed", "removed"]);
        assert!(files(&folder.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn generated_files_are_known_by_their_place() {
        for path in [
            "docs/openapi.json",
            "docs/man/seareeve.1",
            "ui/package-lock.json",
            "Cargo.lock",
        ] {
            assert!(is_generated(path), "{path}");
        }
        for path in [
            "docs/manual.md",
            "docs/openapi.json.md",
            "crates/model/src/lib.rs",
        ] {
            assert!(!is_generated(path), "{path}");
        }
    }
}
