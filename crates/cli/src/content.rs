//! What is judged by: the built-in checks and benchmarks, and those of a user's folder beside them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, Mode, OFlags, openat};
use seareeve_posture::{Benchmark, Check, ContentKind, Library};

use crate::input;
use crate::output::Messages;

/// Bytes of a file at most; a benchmark may have as many.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// What a file should be, in errors.
const WHAT: &str = "check or benchmark";
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
                .map(|error| format!("\n  {error:#}"))
                .collect();
            bail!("{folder} cannot be used:{}", lines.concat());
        }
    }
    Ok(library)
}

/// Adds what `folder` holds, and tells what cannot be used: the rest is added.
pub(crate) fn add(library: &mut Library, folder: &Utf8Path) -> anyhow::Result<Vec<anyhow::Error>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    let mut errors = Vec::new();
    let (mut checks, mut benchmarks) = (Vec::new(), Vec::new());
    for file in files {
        match found(folder, &file) {
            Err(error) => errors.push(error),
            Ok(text) => match ContentKind::of(&text) {
                ContentKind::Benchmark => benchmarks.push((file.into_string(), text)),
                ContentKind::Check => checks.push((file.into_string(), text)),
            },
        }
    }
    let unusable = library.add(checks, benchmarks);
    errors.extend(unusable.into_iter().map(anyhow::Error::from));
    Ok(errors)
}

/// What a file says that was found in `folder`. Whoever may write there must not make us wait for the other end of a
/// pipe, or show a file of somewhere else: links lead to files of the folder, as in a mounted ConfigMap.
pub(crate) fn found(folder: &Utf8Path, file: &Utf8Path) -> anyhow::Result<String> {
    let failed = || format!("failed to read {file}");
    let whole = folder.canonicalize_utf8().with_context(failed)?;
    let place = file.canonicalize_utf8().with_context(failed)?;
    let Ok(place) = place.strip_prefix(&whole) else {
        bail!("failed to use {file}: it is a link to what lies outside of {folder}");
    };
    let open = open_below(&whole, place).with_context(failed)?;
    if !open.metadata().with_context(failed)?.is_file() {
        bail!("failed to use {file}: it is no file");
    }
    utf8(file, input::opened(WHAT, file, open, MOST_BYTES)?)
}

/// Opens what lies at `place` below a folder, without waiting for it. A link on the way is an error: it was made since
/// the place was looked up.
fn open_below(folder: &Utf8Path, place: &Utf8Path) -> io::Result<File> {
    let kept = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let way = kept | OFlags::PATH | OFlags::DIRECTORY;
    let mut at = openat(CWD, folder.as_str(), way, Mode::empty())?;
    for part in place.parent().into_iter().flat_map(Utf8Path::components) {
        at = openat(&at, part.as_str(), way, Mode::empty())?;
    }
    let name = place.file_name().unwrap_or(".");
    let last = kept | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(openat(&at, name, last, Mode::empty())?.into())
}

/// What a file says that somebody named.
pub(crate) fn text(file: &Utf8Path) -> anyhow::Result<String> {
    utf8(file, input::file(WHAT, file, MOST_BYTES)?)
}

fn utf8(file: &Utf8Path, bytes: Vec<u8>) -> anyhow::Result<String> {
    String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))
}

/// All files of YAML below a folder, sorted. What lies in hidden folders belongs to whoever keeps the folder: git, or
/// the kubelet, which mounts a ConfigMap as links to the files of one.
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
        let is_hidden = path.file_name().is_some_and(|name| name.starts_with('.'));
        if kind.is_dir() && depth > 0 {
            if !is_hidden {
                walk(&path, depth - 1, files)?;
            }
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

/// Refuses to judge by less than somebody named in `only`, and by nothing: a gate on nothing always holds.
pub(crate) fn ensure_used(
    library: &Library,
    only: &[String],
    used: &[&Check],
) -> anyhow::Result<()> {
    let ids: BTreeSet<&str> = used.iter().map(|check| check.id()).collect();
    if let Some(id) = only.iter().find(|id| !ids.contains(id.as_str())) {
        let check = library.check(id);
        let check = check.with_context(|| format!("there is no check {id}"))?;
        bail!(
            "{id} would judge nothing here: it is about {}, of severity {}{}",
            check.on(),
            check.severity().as_str(),
            match check.wants_params() {
                true => ", and says nothing without parameters",
                false => "",
            }
        );
    }
    ensure!(!used.is_empty(), "no check is of these severities");
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Between looking a place up and opening it, whoever may write in the folder can put a link or a pipe there.
    #[test]
    fn what_came_between_looking_and_opening_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("own.yaml"), "secret").unwrap();
        let kept = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(kept.path().canonicalize().unwrap()).unwrap();
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        std::fs::write(folder.join("deep/own.yaml"), "id: x").unwrap();
        let open = |place: &str| open_below(&folder, Utf8Path::new(place));
        let kind = |place: &str| open(place).map(|file| file.metadata().unwrap().is_file());

        assert!(kind("deep/own.yaml").unwrap());
        symlink(outside.path().join("own.yaml"), folder.join("own.yaml")).unwrap();
        assert!(open("own.yaml").is_err());
        std::fs::rename(folder.join("deep"), folder.join("before")).unwrap();
        symlink(outside.path(), folder.join("deep")).unwrap();
        assert!(open("deep/own.yaml").is_err());
        // Nobody writes to it: to wait would be to hang.
        let pipe = folder.join("own.pipe.yaml");
        rustix::fs::mknodat(
            CWD,
            pipe.as_str(),
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(!kind("own.pipe.yaml").unwrap());
    }
}
