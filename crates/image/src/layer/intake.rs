//! The packed bytes of a layer: counted, hashed, and given to the right decoder.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};

use seareeve_model::Digest;

use super::{BlobEnd, Unpacking};
use crate::hashing::Hasher;
use crate::packing::Packing;

/// A zstd frame may ask for a window of up to 2^23 bytes (8 MiB), which level 19 uses, or, while no other layer has
/// so much, of 2^26.
const ZSTD_WINDOW_LOG: u32 = 23;
const ZSTD_LARGE_WINDOW_LOG: u32 = 26;
/// Bytes of a zstd frame's header.
const ZSTD_HEADER: usize = 18;

/// What both threads see of the packed bytes.
pub(super) struct Shared {
    /// Packed bytes read so far.
    pub(super) packed: AtomicU64,
    /// Set when nobody waits for the digest any more.
    pub(super) stop: AtomicBool,
    /// What all layers share.
    image: Arc<Unpacking>,
}

impl Shared {
    pub(super) fn new(image: &Arc<Unpacking>) -> Self {
        Self {
            packed: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            image: Arc::clone(image),
        }
    }
}

/// The right decoder by the first bytes.
pub(super) fn decoder<'a>(intake: &'a mut Intake<'_>) -> io::Result<Box<dyn Read + 'a>> {
    let mut magic = [0; ZSTD_HEADER];
    let (length, end) = fill(intake, &mut magic);
    end?;
    let start = magic.get(..length).unwrap_or_default().to_vec();
    let shared = intake.shared;
    let packed = BufReader::with_capacity(128 * 1024, Cursor::new(start).chain(intake));
    Ok(match Packing::of(&magic) {
        Some(Packing::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Some(Packing::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            // Frames that follow may not ask for more than the first one is known to need.
            if zstd_window(&magic).is_some_and(|window| window <= 1 << ZSTD_WINDOW_LOG) {
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                return Ok(Box::new(decoder));
            }
            let right = shared.image.large_window();
            decoder.window_log_max(ZSTD_LARGE_WINDOW_LOG)?;
            Box::new(Guarded {
                decoder,
                _right: right,
            })
        }
        Some(Packing::Xz) => return Err(io::Error::other("it is compressed with xz")),
        Some(Packing::Bzip2) => return Err(io::Error::other("it is compressed with bzip2")),
        None => Box::new(packed),
    })
}

/// The window that a zstd frame asks for (RFC 8878, section 3.1.1.1); `None` for a skippable frame.
fn zstd_window(header: &[u8; ZSTD_HEADER]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = header else {
        return None;
    };
    if descriptor & 0x20 == 0 {
        let window = u64::from(*rest.first()?);
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * (window & 7));
    }
    // A frame of a single segment has a window as large as its content.
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3))?;
    let (length, least) = match descriptor >> 6 {
        0 => (1, 0),
        1 => (2, 256),
        2 => (4, 0),
        _ => (8, 0),
    };
    let mut size = [0; 8];
    let field = rest.get(*dictionary..)?.get(..length)?;
    size.get_mut(..length)?.copy_from_slice(field);
    Some(u64::from_le_bytes(size).saturating_add(least))
}

/// A decoder with the right to a large window, which ends with it.
struct Guarded<'a, D> {
    decoder: D,
    _right: MutexGuard<'a, ()>,
}

impl<D: Read> Read for Guarded<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(into)
    }
}

/// The packed bytes: counted, hashed, and stopped when nobody wants them.
pub(super) struct Intake<'a> {
    reader: Box<dyn Read + Send>,
    hasher: Hasher,
    bytes: u64,
    shared: &'a Shared,
    broken: Option<io::Error>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        reader: Box<dyn Read + Send>,
        digest: Option<&Digest>,
        shared: &'a Shared,
    ) -> Self {
        Self {
            reader,
            hasher: Hasher::for_comparison(digest),
            bytes: 0,
            shared,
            broken: None,
        }
    }

    /// What is known at the end; `whole` when every byte was read.
    pub(super) fn end(self, whole: bool) -> BlobEnd {
        BlobEnd {
            digest: whole.then(|| self.hasher.finish()),
            bytes: self.bytes,
            broken: self.broken,
        }
    }
}

impl Read for Intake<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.shared.stop.load(Ordering::Relaxed) || self.broken.is_some() {
            return Err(io::Error::other("reading was stopped"));
        }
        match self.reader.read(into) {
            Ok(read) => {
                self.hasher.update(into.get(..read).unwrap_or_default());
                self.bytes = self.bytes.saturating_add(read as u64);
                self.shared.packed.store(self.bytes, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.broken = Some(error);
                Err(told)
            }
        }
    }
}

/// Fills `chunk` as far as possible: how far, and whether that was the end.
pub(super) fn fill(from: &mut impl Read, chunk: &mut [u8]) -> (usize, io::Result<bool>) {
    let mut filled = 0;
    while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => return (filled, Ok(true)),
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(false))
}
