//! What layers hold, kept on disk so that a layer that was read once is not read again.
//!
//! An entry is named after a digest that was computed here, never after one that an image merely claims: an
//! image that lies about its layers must not decide what is known of another image's. The selector's version
//! is part of the name, so that a program that looks for more reads again. Anybody who may write to the folder
//! may change results; it belongs to the user or the server alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::{Digest, ImagePath};
use serde::{Deserialize, Serialize};

use crate::LayerFiles;

/// Changes with the form of the entries.
const FORM: u32 = 1;
/// Unpacked bytes of an entry that are read back at most; those that we write are far smaller.
const LARGEST_ENTRY: u64 = 256 << 20;

/// How the names of entries start that are not written to their end.
const HALF: &str = ".half-";
/// Nobody writes one entry for longer.
const LONGEST_WRITE: Duration = Duration::from_secs(3600);

/// A folder of read layers.
#[derive(Debug)]
pub struct LayerCache {
    folder: Utf8PathBuf,
    version: String,
    most_bytes: u64,
    /// What the entries take by our count; another process may add to it.
    bytes: AtomicU64,
}

/// A layer that was read before.
pub(crate) struct CachedLayer {
    pub(crate) files: LayerFiles,
    pub(crate) unpacked: u64,
    /// The digest of the unpacked layer, where it was computed.
    pub(crate) diff_id: Option<Digest>,
}

impl LayerCache {
    /// Opens the folder and makes it, for nobody else to read, if it is not there. `version` is the selector's:
    /// what another one remembered is not used. Beyond `most_bytes` the entries unused for longest are removed.
    ///
    /// # Errors
    /// When the folder cannot be made or listed.
    pub fn open(folder: &Utf8Path, version: &str, most_bytes: u64) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let cache = Self {
            folder: folder.to_owned(),
            version: version.to_owned(),
            most_bytes,
            bytes: AtomicU64::new(0),
        };
        cache.remove_halves()?;
        let bytes = cache.entries()?.iter().map(|(_, size, _)| *size).sum();
        cache.bytes.store(bytes, Ordering::Relaxed);
        Ok(cache)
    }

    /// The layer with this digest, packed or unpacked. An entry that cannot be read counts as none.
    pub(crate) fn get(&self, digest: &Digest) -> Option<CachedLayer> {
        let path = self.path(digest);
        let file = File::open(&path).ok()?;
        // So that it counts as used. A folder that we may only read serves as well.
        let _ = file.set_modified(SystemTime::now());
        let mut bytes = Vec::new();
        zstd::stream::read::Decoder::new(file)
            .ok()?
            .take(LARGEST_ENTRY)
            .read_to_end(&mut bytes)
            .ok()?;
        let entry: Entry = postcard::from_bytes(&bytes).ok()?;
        entry.into_layer()
    }

    /// Keeps a layer under each of `digests`, which were computed from its content. That the disk is full, say,
    /// is no reason to end a scan: the layer is then read again next time.
    pub(crate) fn put(
        &self,
        digests: &[&Digest],
        layer: &LayerFiles,
        facts: (u64, Option<&Digest>),
    ) {
        if digests.is_empty() {
            return;
        }
        let Ok(packed) = Entry::new(layer, facts).pack() else {
            return;
        };
        for digest in digests {
            if self.write(digest, &packed).is_ok() {
                self.bytes.fetch_add(packed.len() as u64, Ordering::Relaxed);
            }
        }
        if self.bytes.load(Ordering::Relaxed) > self.most_bytes {
            self.prune();
        }
    }

    fn path(&self, digest: &Digest) -> Utf8PathBuf {
        let name = format!(
            "{}-{}-{}.layer",
            self.version,
            digest.algorithm(),
            digest.hex()
        );
        self.folder.join(name)
    }

    fn write(&self, digest: &Digest, packed: &[u8]) -> io::Result<()> {
        // Written beside and renamed, so that no reader sees half an entry.
        let mut file = tempfile::Builder::new()
            .prefix(HALF)
            .tempfile_in(&self.folder)?;
        file.write_all(packed)?;
        file.persist(self.path(digest))?;
        Ok(())
    }

    /// Removes what processes left that were killed while they wrote an entry.
    fn remove_halves(&self) -> io::Result<()> {
        for entry in self.folder.read_dir_utf8()? {
            let entry = entry?;
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            if entry.file_name().starts_with(HALF)
                && written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LONGEST_WRITE))
            {
                // Another process may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn entries(&self) -> io::Result<Vec<(SystemTime, u64, Utf8PathBuf)>> {
        let mut entries = Vec::new();
        for entry in self.folder.read_dir_utf8()? {
            let entry = entry?;
            // Another process may have removed it since.
            if let Ok(metadata) = entry.metadata()
                && entry.path().extension() == Some("layer")
            {
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                entries.push((used, metadata.len(), entry.into_path()));
            }
        }
        Ok(entries)
    }

    /// Removes what was unused for longest until a tenth of the room is free.
    fn prune(&self) {
        let Ok(mut entries) = self.entries() else {
            return;
        };
        entries.sort_unstable();
        let mut bytes: u64 = entries.iter().map(|(_, size, _)| *size).sum();
        let enough = self.most_bytes - self.most_bytes / 10;
        for (_, size, path) in entries {
            if bytes <= enough {
                break;
            }
            if fs::remove_file(path).is_ok() {
                bytes = bytes.saturating_sub(size);
            }
        }
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

/// A layer as it is stored. Its problems are not: a layer that has some is read again, because limits may change.
#[derive(Serialize, Deserialize)]
struct Entry {
    form: u32,
    unpacked: u64,
    diff_id: Option<String>,
    files: Vec<(Vec<u8>, Vec<u8>)>,
    links: Vec<(Vec<u8>, Vec<u8>)>,
    notes: Vec<(Vec<u8>, Vec<u8>)>,
    whiteouts: BTreeSet<Vec<u8>>,
    opaque: BTreeSet<Vec<u8>>,
    directories: Vec<u64>,
    replacements: Vec<u64>,
}

impl Entry {
    fn new(layer: &LayerFiles, (unpacked, diff_id): (u64, Option<&Digest>)) -> Self {
        let list = |map: &BTreeMap<ImagePath, Vec<u8>>| {
            map.iter()
                .map(|(path, content)| (path.as_bytes().to_vec(), content.clone()))
                .collect()
        };
        Self {
            form: FORM,
            unpacked,
            diff_id: diff_id.map(ToString::to_string),
            files: list(&layer.files),
            links: list(&layer.links),
            notes: list(&layer.notes),
            whiteouts: layer.whiteouts.clone(),
            opaque: layer.opaque.clone(),
            directories: layer.directories.clone(),
            replacements: layer.replacements.clone(),
        }
    }

    fn pack(&self) -> io::Result<Vec<u8>> {
        let bytes = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.include_checksum(true)?;
        encoder.write_all(&bytes)?;
        encoder.finish()
    }

    fn into_layer(self) -> Option<CachedLayer> {
        if self.form != FORM {
            return None;
        }
        let map = |list: Vec<(Vec<u8>, Vec<u8>)>| {
            list.into_iter()
                .map(|(path, content)| Some((ImagePath::parse(&path)?, content)))
                .collect::<Option<BTreeMap<_, _>>>()
        };
        Some(CachedLayer {
            unpacked: self.unpacked,
            diff_id: self.diff_id.map(|text| text.parse()).transpose().ok()?,
            files: LayerFiles {
                files: map(self.files)?,
                links: map(self.links)?,
                notes: map(self.notes)?,
                whiteouts: self.whiteouts,
                opaque: self.opaque,
                directories: self.directories,
                replacements: self.replacements,
                problems: Vec::new(),
            },
        })
    }
}
