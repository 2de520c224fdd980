//! Where records come from: folders in OSV's public layout (`<ecosystem>/all.zip`), single archives,
//! single JSON files. Archives are foreign: every entry has limits on its size and its ratio.

use std::fs::File;
use std::io::{BufReader, Read};

use camino::{Utf8Path, Utf8PathBuf};
use zip::ZipArchive;

/// The largest record that is read. The largest of OSV's have some megabytes.
const MAX_RECORD: u64 = 32 << 20;
/// Entries of one archive; OSV's largest ecosystem has some hundred thousand.
const MAX_ENTRIES: usize = 5_000_000;
/// A larger entry that shrinks more than this is a bomb; JSON with long lists of versions reaches 60. The same goes for
/// the whole archive, whose entries may share their bytes.
const MAX_RATIO: u64 = 300;
const RATIO_COUNTS_FROM: u64 = 1 << 20;
/// Folders below an input folder are read this deep.
const MAX_DEPTH: usize = 6;

/// The archives and JSON files of `input`, sorted. A file is taken as it is.
pub(super) fn files(input: &Utf8Path) -> std::io::Result<Vec<Utf8PathBuf>> {
    if !std::fs::metadata(input)?.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let mut found = Vec::new();
    walk(input, MAX_DEPTH, &mut found)?;
    found.sort();
    Ok(found)
}

/// Links to folders are not followed, so that no loop can be walked.
fn walk(folder: &Utf8Path, depth: usize, found: &mut Vec<Utf8PathBuf>) -> std::io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                walk(path, depth.saturating_sub(1), found)?;
            }
        } else if matches!(path.extension(), Some("zip" | "json")) {
            found.push(path.to_owned());
        }
    }
    Ok(())
}

/// Hands every record of `path` to `record`, with the place where it stood, and what could not be read to
/// `problem`. Ends early only when `record` fails.
pub(super) fn read<E>(
    path: &Utf8Path,
    mut record: impl FnMut(&str, &[u8]) -> Result<(), E>,
    problem: &mut dyn FnMut(&str, String),
) -> Result<(), E> {
    let name = place(path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            problem(&name, format!("failed to open: {error}"));
            return Ok(());
        }
    };
    if path.extension() != Some("zip") {
        let mut json = Vec::new();
        return match file
            .take(MAX_RECORD.saturating_add(1))
            .read_to_end(&mut json)
        {
            Ok(size) if size as u64 > MAX_RECORD => {
                problem(&name, format!("larger than {} MiB", MAX_RECORD >> 20));
                Ok(())
            }
            Ok(_) => record(&name, &json),
            Err(error) => {
                problem(&name, format!("failed to read: {error}"));
                Ok(())
            }
        };
    }
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut left = bound(length);
    let mut archive = match ZipArchive::new(BufReader::with_capacity(1 << 18, file)) {
        Ok(archive) => archive,
        Err(error) => {
            problem(&name, format!("failed to read as a zip archive: {error}"));
            return Ok(());
        }
    };
    if archive.len() > MAX_ENTRIES {
        problem(
            &name,
            format!("has {} entries, more than {MAX_ENTRIES}", archive.len()),
        );
        return Ok(());
    }
    let mut json = Vec::new();
    for number in 0..archive.len() {
        match entry(&mut archive, number, &mut json) {
            Ok(None) => {}
            Ok(Some(entry)) => record(&format!("{name}:{entry}"), &json)?,
            Err((entry, message)) => problem(&format!("{name}:{entry}"), message),
        }
        left = match left.checked_sub(json.len() as u64) {
            Some(left) => left,
            None => {
                let rest = archive.len().saturating_sub(number).saturating_sub(1);
                let message = format!("unpacks to too much: the last {rest} entries were not read");
                problem(&name, message);
                return Ok(());
            }
        };
    }
    Ok(())
}

/// What so many packed bytes may unpack to.
fn bound(packed: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).max(RATIO_COUNTS_FROM)
}

/// Reads one entry into `json` and returns its name; `None` for what is no JSON file.
fn entry<R: Read + std::io::Seek>(
    archive: &mut ZipArchive<R>,
    number: usize,
    json: &mut Vec<u8>,
) -> Result<Option<String>, (String, String)> {
    json.clear();
    let file = archive.by_index(number).map_err(|error| {
        (
            format!("entry {number}"),
            format!("failed to read: {error}"),
        )
    })?;
    let name = match file.name() {
        Ok(name) => name.into_owned(),
        Err(error) => {
            return Err((
                format!("entry {number}"),
                format!("failed to read its name: {error}"),
            ));
        }
    };
    if !file.is_file() || !name.ends_with(".json") {
        return Ok(None);
    }
    let packed = file.compressed_size().max(1);
    // The size that the archive states is not trusted: what comes out is counted.
    let limit = MAX_RECORD.min(bound(packed));
    match file.take(limit.saturating_add(1)).read_to_end(json) {
        Ok(size) if size as u64 > limit => {
            let message = format!("unpacks to more than {limit} bytes from {packed}");
            Err((name, message))
        }
        Ok(_) => Ok(Some(name)),
        Err(error) => Err((name, format!("failed to read: {error}"))),
    }
}

/// `Debian/all.zip` of a longer path: which ecosystem's archive, not where it lay.
pub(super) fn place(path: &Utf8Path) -> String {
    let file = path.file_name().unwrap_or_default();
    let folder = path.parent().and_then(Utf8Path::file_name);
    match folder {
        Some(folder) => format!("{folder}/{file}"),
        None => file.to_owned(),
    }
}
