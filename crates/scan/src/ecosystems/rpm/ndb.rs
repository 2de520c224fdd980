//! rpm's own database format, as SUSE uses it (`Packages.db`): slots that say where each header stands, then the
//! headers between a head and a tail (rpm, `lib/backend/ndb/rpmpkg.c`). Little-endian on every machine.

use super::{Each, Limited};
use crate::bytes::{Endian, range};

pub(super) const MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
const TAIL_MAGIC: &[u8] = b"BlbE";

const VERSION: u32 = 0;
const SLOT_PAGE: usize = 4096;
/// The file's own head takes the room of two slots.
const FILE_HEAD: usize = 32;
const SLOT: usize = 16;
/// Everything begins at a multiple of this.
const BLOCK: usize = 16;
/// Magic number, package, generation and length.
const HEAD: usize = 16;

/// Hands out every header of `content`, which begins with [`MAGIC`].
pub(super) fn headers(content: &[u8], each: &mut Each<'_>) -> Result<(), Limited> {
    let version = Endian::Little.u32(content, 4);
    let pages = Endian::Little.size(content, 12);
    let (Some(version), Some(pages)) = (version, pages) else {
        return each(Err("the database is cut off".to_owned()));
    };
    if version != VERSION {
        return each(Err(format!("version {version} of rpm's ndb is not known")));
    }
    let length = pages.saturating_mul(SLOT_PAGE).saturating_sub(FILE_HEAD);
    let slots = match range(content, FILE_HEAD, length) {
        Some(slots) => slots,
        None => {
            each(Err("the database's table is cut off".to_owned()))?;
            content.get(FILE_HEAD..).unwrap_or_default()
        }
    };
    // In a sound file headers do not overlap, so all together are no longer than the file.
    let mut left = content.len();
    let mut spoilt = 0_usize;
    let (slots, _) = slots.as_chunks::<SLOT>();
    for slot in slots {
        if !slot.starts_with(SLOT_MAGIC) {
            spoilt = spoilt.saturating_add(1);
            continue;
        }
        let package = Endian::Little.u32(slot, 4).unwrap_or_default();
        if package == 0 {
            continue;
        }
        let start = Endian::Little.size(slot, 8).unwrap_or_default();
        let header = start
            .checked_mul(BLOCK)
            .and_then(|start| blob(content, start, package));
        let Some(header) = header else {
            let why = format!("the header of package number {package} is damaged");
            each(Err(why))?;
            continue;
        };
        let Some(rest) = left.checked_sub(header.len()) else {
            return each(Err("headers overlap: the rest was not read".to_owned()));
        };
        left = rest;
        each(Ok(header))?;
    }
    if spoilt > 0 {
        each(Err(format!(
            "{spoilt} entries of the database's table are damaged"
        )))?;
    }
    Ok(())
}

/// The header between head and tail, both of which say whose it is and how long.
fn blob(content: &[u8], start: usize, package: u32) -> Option<&[u8]> {
    let head = range(content, start, HEAD)?;
    let length = Endian::Little.size(head, 12)?;
    let header = range(content, start.checked_add(HEAD)?, length)?;
    // The tail ends at the end of the last block: checksum, length, magic number.
    let whole = HEAD.checked_add(length)?.checked_add(12)?;
    let end = start.checked_add(whole.checked_next_multiple_of(BLOCK)?)?;
    let tail = range(content, end.checked_sub(8)?, 8)?;
    let is_sound = head.starts_with(BLOB_MAGIC)
        && Endian::Little.u32(head, 4)? == package
        && Endian::Little.size(tail, 0)? == length
        && tail.ends_with(TAIL_MAGIC);
    is_sound.then_some(header)
}
