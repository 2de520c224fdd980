//! How a layer or archive is packed, by its first bytes. Media types are not asked: they are wrong often enough.

/// A compression that image tools use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    /// Known, so that nobody takes it for something else, but not unpacked here.
    Xz,
    /// As `Xz`.
    Bzip2,
}

impl Packing {
    /// By the first bytes, of which six are enough (RFC 1952; RFC 8878 with skippable frames, as zstd:chunked has
    /// them). These count before anything that stands further behind: a header's optional fields have room for a
    /// whole tar header, but engines go by the first bytes too.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }
}
