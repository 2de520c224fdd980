//! Manifests from files, folders and standard input.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_kubernetes::{Object, Other, documents};
use seareeve_model::Problem;

use crate::input;

/// Bytes of a file at most.
const MOST_BYTES: usize = 100 << 20;
/// Folders below each other, and files of all of them.
const DEEPEST: usize = 16;
const MOST_FILES: usize = 50_000;

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) objects: Vec<Object>,
    pub(super) others: Vec<Other>,
    pub(super) problems: Vec<Problem>,
}

/// Reads what the user names. Of folders, files that end in `.yaml`, `.yml` or `.json` count.
pub(super) fn all(paths: &[Utf8PathBuf]) -> anyhow::Result<Manifests> {
    let mut manifests = Manifests::default();
    for path in paths {
        if path == "-" || !path.is_dir() {
            one(path, &mut manifests)?;
            continue;
        }
        let mut files = Vec::new();
        find(path, DEEPEST, &mut files)?;
        files.sort();
        for file in files {
            one(&file, &mut manifests)?;
        }
    }
    Ok(manifests)
}

fn one(path: &Utf8Path, manifests: &mut Manifests) -> anyhow::Result<()> {
    let bytes = input::file_or_stdin("manifest", path, MOST_BYTES)?;
    let read = documents(path.as_str(), &bytes);
    manifests.objects.extend(read.objects);
    manifests.others.extend(read.others);
    let problems = read.troubles.into_iter().map(Problem::from);
    manifests.problems.extend(problems);
    Ok(())
}

fn find(folder: &Utf8Path, depth: usize, files: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    let failed = || format!("failed to list {folder}");
    for entry in folder.read_dir_utf8().with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let kind = entry.file_type().with_context(failed)?;
        let path = entry.into_path();
        if kind.is_dir() {
            if depth > 0 {
                find(&path, depth - 1, files)?;
            }
        } else if matches!(path.extension(), Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            bail!("{folder} holds more than {MOST_FILES} manifests");
        }
    }
    Ok(())
}
