//! Archives that are compressed as a whole: `docker save … | gzip`. They are unpacked into a spool, because
//! nothing can be read out of order from a stream.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;

use crate::packing::Packing;
use crate::spool::{Spool, SpoolError};
use crate::watch::Watch;
use crate::{Options, ReadError};

/// A zstd frame may ask for a window of up to 2^27 bytes, which is what `zstd -d` allows by itself.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Unpacks `file` into a file without a name. `path` is the file's, for errors.
pub(super) fn unpack(
    mut file: File,
    packing: Packing,
    path: &Utf8Path,
    options: &Options,
    watch: &Watch,
) -> Result<File, ReadError> {
    let not_an_image = |why: String| ReadError::NotAnImage {
        path: path.to_string(),
        why,
    };
    let broken = |error: io::Error| not_an_image(format!("it cannot be unpacked: {error}"));
    let foreign = |by: &str, with: &str| {
        Err(not_an_image(format!(
            "it is compressed with {by}; unpack it with {with} first"
        )))
    };
    let spool = Spool::create(&options.temporary)?;
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
        Packing::Xz => return foreign("xz", "unxz"),
        Packing::Bzip2 => return foreign("bzip2", "bunzip2"),
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
