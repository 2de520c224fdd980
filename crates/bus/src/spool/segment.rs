//! A segment's file: its name, and frames as bytes.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};

/// Bytes before a payload.
pub(crate) const HEADER: usize = 17;
/// No frame is larger than this, whatever a header says.
const MOST_PAYLOAD: u32 = 1 << 30;
/// Bytes that are asked for before it is known that they are there.
const MOST_BUFFER: usize = 64 << 20;
const ENDING: &str = "log";

/// The file whose first frame has this number.
pub(super) fn path(folder: &Utf8Path, first: u64) -> Utf8PathBuf {
    // As wide as the largest number, so that names sort as numbers do.
    folder.join(format!("{first:020}.{ENDING}"))
}

/// The numbers by which segments are named, in order. Other files are left alone.
pub(super) fn list(folder: &Utf8Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let name = Utf8Path::new(entry.file_name());
        if name.extension() == Some(ENDING)
            && let Some(first) = name.file_stem().and_then(|stem| stem.parse().ok())
        {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// What stands before a frame's payload, after what is in `out` already.
pub(super) fn encode_header(out: &mut Vec<u8>, tag: u8, arrived: i64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut hash = crc32fast::Hasher::new();
    hash.update(&arrived.to_le_bytes());
    hash.update(&[tag]);
    hash.update(payload);
    // The length too: a torn header must not send the reader elsewhere.
    hash.update(&length.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&hash.finalize().to_le_bytes());
    out.extend_from_slice(&arrived.to_le_bytes());
    out.push(tag);
}

/// What stands at one place of a segment.
pub(super) enum Found {
    /// A whole frame.
    Frame {
        tag: u8,
        arrived: i64,
        payload: Vec<u8>,
    },
    /// The end of the file, or what was not written whole.
    End,
}

/// Reads a segment from one frame to the next.
pub(super) struct Cursor {
    file: BufReader<File>,
    /// Bytes that are read as whole frames.
    pub(super) offset: u64,
}

impl Cursor {
    pub(super) fn open(path: &Utf8Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(64 * 1024, File::open(path)?),
            offset: 0,
        })
    }

    /// The frame at the cursor, which then stands behind it. After an end the cursor is of no more use.
    pub(super) fn next(&mut self) -> io::Result<Found> {
        let mut header = [0_u8; HEADER];
        if !fill(&mut self.file, &mut header)? {
            return Ok(Found::End);
        }
        let [
            l0,
            l1,
            l2,
            l3,
            c0,
            c1,
            c2,
            c3,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
            tag,
        ] = header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if length > MOST_PAYLOAD {
            return Ok(Found::End);
        }
        let bytes = u64::from(length);
        // Never more than the file has: a length that lies costs no memory, but for that of the smallest frames.
        let mut payload = crate::buffer(usize::try_from(length).unwrap_or(0).min(MOST_BUFFER));
        (&mut self.file).take(bytes).read_to_end(&mut payload)?;
        if u64::try_from(payload.len()).ok() != Some(bytes) {
            return Ok(Found::End);
        }
        let mut hash = crc32fast::Hasher::new();
        hash.update(&[a0, a1, a2, a3, a4, a5, a6, a7]);
        hash.update(&[tag]);
        hash.update(&payload);
        hash.update(&length.to_le_bytes());
        if hash.finalize() != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Ok(Found::End);
        }
        self.offset += super::frame_bytes(payload.len());
        Ok(Found::Frame {
            tag,
            arrived: i64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
            payload,
        })
    }

    /// Forgets what was read ahead, which may not have been durable.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.offset)).map(|_| ())
    }

    /// Passes over a frame without keeping it. Says whether there was one.
    pub(super) fn skip(&mut self) -> io::Result<bool> {
        Ok(matches!(self.next()?, Found::Frame { .. }))
    }
}

/// Whether the whole buffer could be filled.
fn fill(file: &mut BufReader<File>, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
