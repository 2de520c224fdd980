//! SQLite's write-ahead log (`rpmdb.sqlite-wal`): changes that were committed but are not yet in the database,
//! as whole pages ("Database File Format", "The Write-Ahead Log").

use std::collections::BTreeMap;

use crate::bytes::{Endian, range};
use crate::sqlite;

const HEAD: usize = 32;
/// Before each page: its number, the size of the database if this commits, two salts, two checksums.
const FRAME_HEAD: usize = 24;
/// With the lowest bit: checksums are of big-endian numbers.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// The database with what `log` commits. `None` when that is nothing: logs are used again from the beginning, so
/// what stands behind the last commit, or is of an earlier use, does not count.
///
/// # Errors
/// Why the log cannot be used.
pub(super) fn apply(database: &[u8], log: &[u8]) -> Result<Option<Vec<u8>>, String> {
    if log.is_empty() {
        return Ok(None);
    }
    let Some(frames) = Frames::new(log) else {
        return Err("the log of the database is damaged".to_owned());
    };
    let size = frames.size;
    let stored = Endian::Big.u16(database, 16);
    if stored.is_some_and(|stored| sqlite::page_size(stored.into()) != Some(size)) {
        return Err("the log of the database is of another database".to_owned());
    }
    let mut pending = BTreeMap::new();
    let mut pages: BTreeMap<usize, &[u8]> = BTreeMap::new();
    let mut length = None;
    for frame in frames {
        pending.insert(frame.number, frame.page);
        if frame.commits > 0 {
            pages.append(&mut pending);
            length = Some(frame.commits);
        }
    }
    let Some(length) = length else {
        return Ok(None);
    };
    // A database grows by pages that stand in its log.
    let known = (database.len() / size).saturating_add(pages.len());
    if length > known {
        return Err("the log of the database counts pages that do not exist".to_owned());
    }
    let bytes = length.saturating_mul(size);
    let mut content = Vec::with_capacity(bytes);
    content.extend_from_slice(database.get(..bytes).unwrap_or(database));
    content.resize(bytes, 0);
    for (number, page) in pages {
        let place = number
            .checked_sub(1)
            .and_then(|index| index.checked_mul(size))
            .and_then(|start| content.get_mut(start..start.checked_add(size)?));
        // A page that the last commit cut off again has no place.
        if let Some(place) = place {
            place.copy_from_slice(page);
        }
    }
    Ok(Some(content))
}

/// The frames as far as salts and checksums are right.
struct Frames<'a> {
    log: &'a [u8],
    size: usize,
    /// The order of the numbers that are summed; all others are big-endian.
    endian: Endian,
    salts: &'a [u8],
    sums: (u32, u32),
    at: usize,
}

struct Frame<'a> {
    number: usize,
    /// Pages of the database when this ends a transaction, otherwise zero.
    commits: usize,
    page: &'a [u8],
}

impl<'a> Frames<'a> {
    fn new(log: &'a [u8]) -> Option<Self> {
        let endian = match Endian::Big.u32(log, 0)? {
            MAGIC => Endian::Little,
            magic if magic == MAGIC | 1 => Endian::Big,
            _ => return None,
        };
        let size = sqlite::page_size(Endian::Big.u32(log, 8)?)?;
        let sums = sum((0, 0), endian, range(log, 0, 24)?);
        let is_sound = Endian::Big.u32(log, 4)? == VERSION && is_stored(log, 24, sums);
        is_sound.then_some(Self {
            log,
            size,
            endian,
            salts: range(log, 16, 8)?,
            sums,
            at: HEAD,
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let head = range(self.log, self.at, FRAME_HEAD)?;
        let start = self.at.checked_add(FRAME_HEAD)?;
        let page = range(self.log, start, self.size)?;
        let sums = sum(self.sums, self.endian, range(head, 0, 8)?);
        let sums = sum(sums, self.endian, page);
        if range(head, 8, 8)? != self.salts || !is_stored(head, 16, sums) {
            return None;
        }
        self.sums = sums;
        self.at = start.checked_add(self.size)?;
        Some(Frame {
            number: Endian::Big.size(head, 0)?,
            commits: Endian::Big.size(head, 4)?,
            page,
        })
    }
}

/// The running checksum, two numbers at a time.
fn sum(sums: (u32, u32), endian: Endian, bytes: &[u8]) -> (u32, u32) {
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(sums, |(first, second), pair| {
        let number = |at| endian.u32(pair, at).unwrap_or_default();
        let first = first.wrapping_add(number(0)).wrapping_add(second);
        let second = second.wrapping_add(number(4)).wrapping_add(first);
        (first, second)
    })
}

fn is_stored(bytes: &[u8], at: usize, sums: (u32, u32)) -> bool {
    let second = at.checked_add(4).and_then(|at| Endian::Big.u32(bytes, at));
    Endian::Big.u32(bytes, at) == Some(sums.0) && second == Some(sums.1)
}
