//! A layer that lies uncompressed on a disk: it is walked where it lies, and what nobody looks at is not read.

use super::{Blob, Collected, Stop, UnpackLimits};
use crate::archive::Section;
use crate::packing::Packing;
use crate::seekable::{Seekable, read_up_to};
use crate::tar::{BLOCK, Input};

impl Blob {
    /// Where the blob can be walked in place: it lies on a disk and is an uncompressed tar archive.
    pub(crate) fn open_on_disk(&self) -> Option<Section> {
        let section = self.on_disk.as_ref()?;
        let mut block = [0; BLOCK];
        let read = read_up_to(&section.file, section.offset, &mut block).ok()?;
        // `ustar` stands there in every format but the oldest; compressed data cannot be told from that one. It is
        // asked for last: whoever packs a layer can put it there too.
        let is_tar =
            read == BLOCK && Packing::of(&block).is_none() && block.get(257..262) == Some(b"ustar");
        is_tar.then(|| section.clone())
    }
}

/// Walks the layer in `section` by `take`: what was collected, and the layer's size. `tick` is told the bytes
/// passed so far, and returns whether to go on.
pub(crate) fn in_place(
    section: Section,
    limits: &UnpackLimits,
    tick: &mut dyn FnMut(u64) -> bool,
    take: impl FnOnce(&mut dyn Input) -> Collected,
) -> (Collected, u64) {
    let checked = limits
        .check_bytes(section.size)
        .and_then(|()| limits.image.take(section.size));
    if let Err(error) = checked {
        let refused = Collected {
            files: Default::default(),
            stopped: Some(Stop::from(error)),
        };
        return (refused, 0);
    }
    let mut input = Seekable::new(&section.file, section.offset, section.size, tick);
    (take(&mut input), section.size)
}
