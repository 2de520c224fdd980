//! What is judged by: the built-in checks and benchmarks, and those of a user's folder beside them.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_posture::{Benchmark, ContentError, ContentKind, Library};

use crate::input;
use crate::output::Messages;

/// Bytes of a file at most; a benchmark may have as many.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// Folders below each other.
const DEEPEST: usize = 8;
/// Files of a folder, whatever they hold.
const MOST_FILES: usize = 20_000;

/// The built-in content with that of `folder`, if there is one. Files that cannot be used are an error: a check that
/// is silently left out looks as if it had passed.
pub(crate) fn library(folder: Option<&Utf8Path>) -> anyhow::Result<Library> {
    let mut library = Library::builtin();
    if let Some(folder) = folder {
        let errors = add(&mut library, folder)?;
        if !errors.is_empty() {
            let lines: Vec<String> = errors
                .into_iter()
                .map(|error| format!("\n  {:#}", anyhow::Error::from(error)))
                .collect();
            bail!("{folder} cannot be used:{}", lines.concat());
        }
    }
    Ok(library)
}

/// Adds what `folder` holds, and tells what cannot be used.
pub(crate) fn add(library: &mut Library, folder: &Utf8Path) -> anyhow::Result<Vec<ContentError>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    let (mut checks, mut benchmarks) = (Vec::new(), Vec::new());
    for file in files {
        let bytes = input::file("check or benchmark", &file, MOST_BYTES)?;
        let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
        let list = match ContentKind::of(&text) {
            ContentKind::Benchmark => &mut benchmarks,
            ContentKind::Check => &mut checks,
        };
        list.push((file.into_string(), text));
    }
    Ok(library.add(checks, benchmarks))
}

/// All files of YAML below a folder, sorted.
pub(crate) fn find(folder: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    let mut found = Vec::new();
    walk(folder, DEEPEST, &mut found)?;
    found.sort();
    files.append(&mut found);
    Ok(())
}

fn walk(folder: &Utf8Path, depth: usize, files: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    let failed = || format!("failed to list {folder}");
    for entry in folder.read_dir_utf8().with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let kind = entry.file_type().with_context(failed)?;
        let path = entry.into_path();
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if matches!(path.extension(), Some("yaml" | "yml")) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            bail!("{folder} holds more than {MOST_FILES} files");
        }
    }
    Ok(())
}

/// The benchmarks that somebody named, as `id` or `id@version`.
pub(crate) fn benchmarks<'l>(
    library: &'l Library,
    names: &[String],
) -> anyhow::Result<Vec<&'l Benchmark>> {
    names
        .iter()
        .map(|name| {
            let (id, version) = match name.split_once('@') {
                Some((id, version)) => (id, Some(version).filter(|version| *version != "latest")),
                None => (name.as_str(), None),
            };
            library.benchmark(id, version).with_context(|| {
                let known: Vec<String> = library
                    .benchmarks()
                    .map(|benchmark| format!("{}@{}", benchmark.id, benchmark.version))
                    .collect();
                format!(
                    "there is no benchmark {name}; there are {}",
                    known.join(", ")
                )
            })
        })
        .collect()
}

/// Says once which kinds of facts are not all there.
pub(crate) fn tell_gaps(report: &seareeve_api::PostureReport, messages: &Messages) {
    let kinds = match report.gaps.len() {
        0 => return,
        1 => "one kind of facts".to_owned(),
        more => format!("{more} kinds of facts"),
    };
    messages.note(format!(
        "{kinds} could not be collected; the controls that need them say so"
    ));
}
