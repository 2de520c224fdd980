//! What one layer brings and takes away.

mod collect;
mod in_place;
mod intake;
mod together;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{ImagePath, Problem};

pub(crate) use collect::{Collected, Collector, Content, Stop, collect};
pub(crate) use in_place::in_place;
pub(crate) use together::{Budget, Unpacking};
pub(crate) use unpack::{Blob, BlobEnd, UnpackLimits, unpack};

/// What one layer brings and takes away: its wanted files, and all that hides files of lower layers.
///
/// It knows nothing of other layers, so that it can be kept under the layer's diff id and used for every
/// image that has the layer. [`crate::FileTree::apply`] lays it over the layers below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerFiles {
    pub(crate) files: BTreeMap<ImagePath, Vec<u8>>,
    /// Symbolic links at wanted paths, with their targets as written.
    pub(crate) links: BTreeMap<ImagePath, Vec<u8>>,
    /// Paths that whiteouts remove from lower layers, with everything below them.
    pub(crate) whiteouts: BTreeSet<Vec<u8>>,
    /// Directories whose content of lower layers is hidden.
    pub(crate) opaque: BTreeSet<Vec<u8>>,
    /// What inspectors remembered of files, kept or not.
    pub(crate) notes: BTreeMap<ImagePath, Vec<u8>>,
    /// Hashes of the paths of all directories, sorted: each hides a file of a lower layer at its path.
    pub(crate) directories: Vec<u64>,
    /// Hashes of the paths of everything that is not a directory, sorted: each hides what a lower layer
    /// has at its path and below. Eight bytes each, here and for directories, because there is one for
    /// every entry of the layer, and which of them matter is known only when the lower layers are.
    pub(crate) replacements: Vec<u64>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl LayerFiles {
    /// Whether this layer hides `path` of a lower layer (OCI image specification, "Applying Changesets").
    pub(crate) fn hides(&self, path: &ImagePath) -> bool {
        let bytes = path.as_bytes();
        if self.opaque.contains(&[][..]) && !path.is_root() {
            return true;
        }
        let mut hash = PathHash::default();
        for (end, byte) in bytes.iter().enumerate() {
            if *byte == b'/' {
                let above = bytes.get(..end).unwrap_or_default();
                if self.opaque.contains(above) || self.removes(above, &hash) {
                    return true;
                }
            }
            hash.add(*byte);
        }
        self.removes(bytes, &hash) || self.directories.binary_search(&hash.0).is_ok()
    }

    /// Bytes that this takes of [`crate::Limits::kept_bytes`].
    pub(crate) fn kept_bytes(&self) -> u64 {
        let maps = [&self.files, &self.links, &self.notes]
            .into_iter()
            .flatten();
        let contents = maps.map(|(path, content)| cost(path.as_bytes(), content.len() as u64));
        let marks = self.whiteouts.iter().chain(&self.opaque);
        let hashes = self
            .directories
            .len()
            .saturating_add(self.replacements.len()) as u64;
        contents
            .chain(marks.map(|path| cost(path, 0)))
            .fold(hashes.saturating_mul(HASH), u64::saturating_add)
    }

    fn removes(&self, path: &[u8], hash: &PathHash) -> bool {
        self.whiteouts.contains(path) || self.replacements.binary_search(&hash.0).is_ok()
    }
}

/// Bytes of one path that is remembered by its hash only.
pub(crate) const HASH: u64 = 8;

/// What keeping something costs against [`crate::Limits::kept_bytes`], with its place in the maps.
pub(crate) fn cost(path: &[u8], content: u64) -> u64 {
    const PLACE: u64 = 128;
    (path.len() as u64)
        .saturating_add(content)
        .saturating_add(PLACE)
}

/// FNV-1a over a path, byte by byte, so that the hashes of all directories above fall out on the way.
/// Two paths that collide could hide a file: for a large image less likely than one in a billion, and
/// a hostile image can hide files in easier ways.
pub(crate) struct PathHash(pub(crate) u64);

impl Default for PathHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl PathHash {
    pub(crate) fn of(path: &ImagePath) -> Self {
        let mut hash = Self::default();
        for byte in path.as_bytes() {
            hash.add(*byte);
        }
        hash
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}
