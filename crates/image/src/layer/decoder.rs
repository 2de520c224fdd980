//! The right decoder for a layer, writing into the chunks that cross to the other thread.

use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read};
use std::sync::MutexGuard;

use seareeve_inflate::{Checksum, Gzip, GzipError, Status, WINDOW};
use zstd::zstd_safe::DParameter;

use super::intake::{Intake, fill};
use crate::packing::Packing;

/// Bytes of content in a chunk.
const CHUNK: usize = 256 * 1024;
/// Packed bytes read at once.
const PACKED: usize = 128 * 1024;

/// A zstd frame may ask for a window of up to 2^23 bytes (8 MiB), which level 19 uses, or, while no other layer has
/// so much, of 2^26.
const ZSTD_WINDOW_LOG: u32 = 23;
const ZSTD_LARGE_WINDOW_LOG: u32 = 26;
/// Bytes of a zstd frame's header.
const ZSTD_HEADER: usize = 18;

/// Some unpacked content, behind what gzip may refer back to.
#[derive(Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Chunk {
    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Makes it empty, to follow content that ended with `history`.
    fn reset(&mut self, history: &[u8]) {
        self.bytes.resize(WINDOW + CHUNK, 0);
        self.start = history.len().min(WINDOW);
        self.end = self.start;
        if let Some(place) = self.bytes.get_mut(..history.len()) {
            place.copy_from_slice(history);
        }
    }
}

/// The packed bytes with the first of them, which were read to know the format.
type Packed<'a, 'b> = BufReader<Chain<Cursor<Vec<u8>>, &'a mut Intake<'b>>>;

/// The decoder of a layer.
pub(super) enum Decoder<'a, 'b> {
    Gzip(Box<Gunzip<'a, 'b>>),
    Other(Box<dyn Read + 'a>),
}

/// Writes into chunks itself, which saves a copy of everything.
pub(super) struct Gunzip<'a, 'b> {
    packed: Packed<'a, 'b>,
    gzip: Gzip,
    /// The end of the last chunk, which is with the other thread now.
    history: Vec<u8>,
}

impl<'a, 'b> Decoder<'a, 'b> {
    /// The right decoder by the first bytes.
    pub(super) fn new(intake: &'a mut Intake<'b>, checksum: Checksum) -> io::Result<Self> {
        let mut magic = [0; ZSTD_HEADER];
        let (length, end) = fill(intake, &mut magic);
        end?;
        let start = magic.get(..length).unwrap_or_default().to_vec();
        let shared = intake.shared();
        let packed = BufReader::with_capacity(PACKED, Cursor::new(start).chain(intake));
        Ok(match Packing::of(&magic) {
            Some(Packing::Gzip) => Self::Gzip(Box::new(Gunzip {
                packed,
                gzip: Gzip::new(checksum),
                history: Vec::with_capacity(WINDOW),
            })),
            Some(Packing::Zstd) => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                // Of all that comes out, as much work as a twentieth of unpacking it.
                let skip = checksum == Checksum::Skip;
                decoder.set_parameter(DParameter::ForceIgnoreChecksum(skip))?;
                // Frames that follow may not ask for more than the first one is known to need.
                if zstd_window(&magic).is_some_and(|window| window <= 1 << ZSTD_WINDOW_LOG) {
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    return Ok(Self::Other(Box::new(decoder)));
                }
                let right = shared.image.large_window();
                decoder.window_log_max(ZSTD_LARGE_WINDOW_LOG)?;
                Self::Other(Box::new(Guarded {
                    decoder,
                    _right: right,
                }))
            }
            Some(Packing::Xz) => return Err(io::Error::other("it is compressed with xz")),
            Some(Packing::Bzip2) => return Err(io::Error::other("it is compressed with bzip2")),
            None => Self::Other(Box::new(packed)),
        })
    }

    /// Fills `chunk` as far as possible: whether that was the end. What came before an error is in it, too.
    pub(super) fn fill(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        match self {
            Self::Gzip(gunzip) => gunzip.fill(chunk),
            Self::Other(reader) => {
                chunk.reset(&[]);
                let place = chunk.bytes.get_mut(..CHUNK).unwrap_or_default();
                let (filled, end) = fill(reader, place);
                chunk.end = filled;
                end
            }
        }
    }
}

impl Gunzip<'_, '_> {
    fn fill(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        let broken = |error: GzipError| io::Error::new(io::ErrorKind::InvalidData, error);
        chunk.reset(&self.history);
        loop {
            let input = match self.packed.fill_buf() {
                Ok(input) => input,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if input.is_empty() {
                return self.gzip.finish().map(|()| true).map_err(broken);
            }
            let mut rest = input;
            let status = self
                .gzip
                .inflate(&mut rest, &mut chunk.bytes, &mut chunk.end);
            let used = input.len().saturating_sub(rest.len());
            self.packed.consume(used);
            if status.map_err(broken)? == Status::NeedsOutput {
                break;
            }
        }
        let known = chunk.bytes.get(..chunk.end).unwrap_or_default();
        let from = known.len().saturating_sub(WINDOW);
        self.history.clear();
        self.history
            .extend_from_slice(known.get(from..).unwrap_or_default());
        Ok(false)
    }
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
