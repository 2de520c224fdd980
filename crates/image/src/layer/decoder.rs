//! The right decoder for a layer, writing into the chunks that cross to the other thread.

use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read};

use seareeve_inflate::{Checksum, Gzip, GzipError, Status, WINDOW};

use super::intake::{Intake, fill};

/// Bytes of content in a chunk.
const CHUNK: usize = 256 * 1024;
/// Packed bytes read at once.
const PACKED: usize = 128 * 1024;

/// A zstd frame may ask for a window of up to 2^26 bytes (64 MiB). Level 19 uses 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 26;

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
    /// The right decoder by the first bytes. Media types are not asked: they are wrong often enough.
    pub(super) fn new(intake: &'a mut Intake<'b>, checksum: Checksum) -> io::Result<Self> {
        let mut magic = [0; 4];
        let (length, end) = fill(intake, &mut magic);
        end?;
        let start = magic.get(..length).unwrap_or_default().to_vec();
        let packed = BufReader::with_capacity(PACKED, Cursor::new(start).chain(intake));
        Ok(match magic {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(Gunzip {
                packed,
                gzip: Gzip::new(checksum),
                history: Vec::with_capacity(WINDOW),
            })),
            // RFC 8878: a frame, or a skippable frame as zstd:chunked has it.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Self::Other(Box::new(decoder))
            }
            _ => Self::Other(Box::new(packed)),
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
