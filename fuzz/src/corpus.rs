//! The kept inputs: for each target one `corpus/NAME.tar.zst`, which the fuzzer starts from and the tests replay.
//! Packed because they are some thousand files of which nobody can read more than the first lines; by content and
//! without times, so that the same inputs give the same bytes.

use std::fs::{self, File};
use std::io::{self, Read as _};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

/// Unpacked bytes of one corpus that are read at most.
const LARGEST: u64 = 64 << 20;
/// The strongest level that needs no more memory to unpack than usual.
const LEVEL: i32 = 19;

/// Where the corpus of a target is kept.
#[must_use]
pub fn path(target: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("corpus/{target}.tar.zst"))
}

/// The kept inputs of a target with their names; none when there is no corpus yet.
///
/// # Errors
/// When the corpus cannot be read.
pub fn read(target: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let path = path(target);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("failed to open {path}")),
    };
    let unpacked = zstd::stream::read::Decoder::new(file)?.take(LARGEST);
    let mut inputs = Vec::new();
    for entry in tar::Archive::new(unpacked).entries()? {
        let mut entry = entry.with_context(|| format!("failed to read {path}"))?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        inputs.push((name, content));
    }
    Ok(inputs)
}

/// Keeps the files of `folder` as the corpus of a target, and says how many bytes it takes.
///
/// # Errors
/// When a file cannot be read or the corpus not be written.
pub fn write(target: &str, folder: &Utf8Path) -> Result<u64> {
    let mut inputs: Vec<Vec<u8>> = files(folder)?
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("failed to read {path}")))
        .collect::<Result<_>>()?;
    // Of like length beside each other: what resembles packs well.
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    inputs.dedup();
    if inputs.is_empty() {
        bail!("there is no input in {folder}");
    }
    let mut builder = tar::Builder::new(Vec::new());
    for input in &inputs {
        let mut header = tar::Header::new_ustar();
        header.set_size(input.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name(input), input.as_slice())?;
    }
    let packed = zstd::encode_all(builder.into_inner()?.as_slice(), LEVEL)?;
    let path = path(target);
    fs::create_dir_all(path.parent().unwrap_or(Utf8Path::new(".")))?;
    fs::write(&path, &packed).with_context(|| format!("failed to write {path}"))?;
    Ok(packed.len() as u64)
}

/// Writes inputs into a folder, each under the hash of its content.
///
/// # Errors
/// When a file cannot be written.
pub fn unpack<'a>(inputs: impl IntoIterator<Item = &'a [u8]>, folder: &Utf8Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
    for input in inputs {
        let path = folder.join(name(input));
        fs::write(&path, input).with_context(|| format!("failed to write {path}"))?;
    }
    Ok(())
}

/// The files of a folder, or the file itself.
///
/// # Errors
/// When the folder cannot be listed.
pub fn files(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir_utf8()? {
        files.push(entry?.into_path());
    }
    files.sort();
    Ok(files)
}

fn name(input: &[u8]) -> String {
    let hash = Sha256::digest(input);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
