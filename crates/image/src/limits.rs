//! How much of a hostile image is read before we say "enough".

/// Bounds on what one image may cost. Reaching a bound of a layer or file is a
/// [`seareeve_model::ProblemCode::LimitReached`] problem and the rest is still read; reaching a bound of
/// the manifest is [`crate::ReadError::LimitReached`].
///
/// The defaults keep the process below 150 MiB whatever the image holds, and let pass every real image
/// that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one kept file.
    pub file_bytes: u64,
    /// Bytes of everything kept of the whole image: contents and paths of files, links and whiteouts.
    pub kept_bytes: u64,
    /// Unpacked bytes of one layer.
    pub layer_bytes: u64,
    /// Unpacked bytes of the whole image.
    pub image_bytes: u64,
    /// Packed bytes of one layer.
    pub packed_layer_bytes: u64,
    /// Unpacked bytes per packed byte of one layer, judged once `ratio_floor_bytes` were unpacked.
    pub ratio: u64,
    /// Unpacked bytes of a layer below which any ratio is fine.
    pub ratio_floor_bytes: u64,
    /// Tar entries of one layer. Unwanted ones cost time but no memory.
    pub layer_entries: u64,
    /// Files and links of one layer that are remembered, by eight bytes each, as able to replace a
    /// directory of a lower layer.
    pub layer_replacements: usize,
    /// Layers of one image.
    pub layers: usize,
    /// Entries of the archive around the layers.
    pub archive_entries: usize,
    /// Bytes of one manifest, index or configuration.
    pub document_bytes: u64,
    /// Problems listed per layer; the others are counted.
    pub problems: usize,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 80 * MIB,
            kept_bytes: 96 * MIB,
            layer_bytes: 64 * GIB,
            image_bytes: 128 * GIB,
            packed_layer_bytes: 32 * GIB,
            ratio: 250,
            ratio_floor_bytes: GIB,
            layer_entries: 20_000_000,
            layer_replacements: 4_000_000,
            layers: 256,
            archive_entries: 65_536,
            document_bytes: 4 * MIB,
            problems: 100,
        }
    }
}
