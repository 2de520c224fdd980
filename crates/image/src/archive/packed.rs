//! Archives that are compressed as a whole: `docker save … | gzip`. They are unpacked into a spool, because
//! nothing can be read out of order from a stream.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;

use crate::spool::{Spool, SpoolError};
use crate::watch::Watch;
use crate::{Options, ReadError};

/// A zstd frame may ask for a window of up to 2^27 bytes, which is what `zstd -d` allows by itself.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes (RFC 1952, RFC 8878 with skippable frames).
    pub(super) fn of(start: [u8; 6]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name of a packing that is not unpacked here, and what unpacks it.
    pub(super) fn foreign(start: [u8; 6]) -> Option<&'static str> {
        match start {
            [0xfd, b'7', b'z', b'X', b'Z', 0] => {
                Some("it is compressed with xz; unpack it with unxz first")
            }
            [b'B', b'Z', b'h', ..] => {
                Some("it is compressed with bzip2; unpack it with bunzip2 first")
            }
            _ => None,
        }
    }
}

/// Unpacks `file` into a file without a name. `path` is the file's, for errors.
pub(super) fn unpack(
    mut file: File,
    packing: Packing,
    path: &Utf8Path,
    options: &Options,
    watch: &Watch,
) -> Result<File, ReadError> {
    let spool = Spool::create(&options.temporary)?;
    let broken = |error: io::Error| ReadError::NotAnImage {
        path: path.to_string(),
        why: format!("it cannot be unpacked: {error}"),
    };
    file.rewind().map_err(|source| ReadError::Io {
        path: path.to_string(),
        source,
    })?;
    let taken = AtomicU64::new(0);
    let counted = BufReader::with_capacity(
        128 * 1024,
        Counted {
            file,
            taken: &taken,
        },
    );
    let mut unpacked: Box<dyn Read + '_> = match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(counted).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(broken)?;
            Box::new(decoder)
        }
    };
    let packed = || taken.load(Ordering::Relaxed);
    spool
        .fill(&mut unpacked, &packed, &options.limits, watch)
        .map_err(|error| match error {
            SpoolError::Source(error) => broken(error),
            SpoolError::Spool(error) => error,
        })
}

/// A file that counts what is read of it.
struct Counted<'a> {
    file: File,
    taken: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
