//! Berkeley DB's hash table, as rpm used it until 4.15 (`Packages`): pages of pairs, whose large values stand in
//! chains of overflow pages (Berkeley DB 5.3, `db_page.h`). Written in the byte order of the machine.
//!
//! Which bucket a pair is in does not matter: every hash page is looked at, one after the other.

use super::{Each, Limited};
use crate::bytes::{Endian, Pages, range};

const HASH_MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;

/// Bytes before the items of a page.
const PAGE_HEAD: usize = 26;
/// Kinds of pages: hash pages until and since Berkeley DB 4.6, and pages of large values.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const META: u8 = 8;
const HASH: u8 = 13;
/// Kinds of items: in the page itself, or on overflow pages.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;
/// The database has checksums, which move everything; rpm never asked for them.
const WITH_CHECKSUMS: u8 = 1;

/// The byte order of `content`, if it is a hash table of Berkeley DB.
pub(super) fn endian(content: &[u8]) -> Option<Endian> {
    let is = |endian: &Endian| endian.u32(content, MAGIC_AT) == Some(HASH_MAGIC);
    [Endian::Little, Endian::Big].into_iter().find(is)
}

/// Hands out every header of `content`, whose byte order [`endian`] has found.
pub(super) fn headers(content: &[u8], endian: Endian, each: &mut Each<'_>) -> Result<(), Limited> {
    let size = match page_size(content, endian) {
        Ok(size) => size,
        Err(why) => return each(Err(why)),
    };
    let mut pages = Pages::new(content, size);
    let last = endian.size(content, 32).unwrap_or_default();
    if last >= pages.count() {
        let missing = last.saturating_sub(pages.count()).saturating_add(1);
        each(Err(format!(
            "the last {missing} pages of the database are missing"
        )))?;
    }
    // Large values are put together in the same memory, one after the other.
    let mut value = Vec::new();
    // In a sound file values do not overlap, so all together are no longer than the file.
    let mut left = content.len();
    for number in 1..pages.count() {
        let Some(page) = pages.look(number) else {
            break;
        };
        if !matches!(page.get(25), Some(&(HASH | HASH_UNSORTED))) {
            continue;
        }
        // Each item has two bytes in the list of offsets at least.
        let items = endian.u16(page, 20).map_or(0, usize::from).min(size / 2);
        for key in (0..items).step_by(2) {
            // Package number zero is none: it holds the number that the next one will get.
            if item(page, endian, key) == Some([INLINE, 0, 0, 0, 0].as_slice()) {
                continue;
            }
            let header = item(page, endian, key.saturating_add(1))
                .and_then(|item| whole(item, &mut pages, endian, &mut value));
            let Some(header) = header else {
                let why = format!("a header on page {number} of the database is damaged");
                each(Err(why))?;
                continue;
            };
            let Some(rest) = left.checked_sub(header.len()) else {
                return each(Err("headers overlap: the rest was not read".to_owned()));
            };
            left = rest;
            each(Ok(header))?;
        }
    }
    Ok(())
}

fn page_size(content: &[u8], endian: Endian) -> Result<usize, String> {
    let size = endian.size(content, 20).unwrap_or_default();
    if content.get(25) != Some(&META) || !(512..=65_536).contains(&size) || !size.is_power_of_two()
    {
        return Err("the database's first page is damaged".to_owned());
    }
    if content.get(24) != Some(&0) {
        return Err("the database is encrypted".to_owned());
    }
    if content
        .get(26)
        .is_some_and(|flags| flags & WITH_CHECKSUMS != 0)
    {
        return Err("databases with checksums in their pages are not read".to_owned());
    }
    Ok(size)
}

/// Item `index` of a page, with the byte that says its kind. Each ends where the one before it begins.
fn item(page: &[u8], endian: Endian, index: usize) -> Option<&[u8]> {
    let offset = |index: usize| {
        let at = index.checked_mul(2)?.checked_add(PAGE_HEAD)?;
        endian.u16(page, at).map(usize::from)
    };
    let end = match index.checked_sub(1) {
        Some(before) => offset(before)?,
        None => page.len(),
    };
    page.get(offset(index)?..end)
}

/// The value of an item: its own bytes, or what a chain of overflow pages holds, put together in `value`.
fn whole<'a>(
    item: &'a [u8],
    pages: &mut Pages<'_>,
    endian: Endian,
    value: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    match item.split_first()? {
        (&INLINE, bytes) => return Some(bytes),
        (&OFF_PAGE, _) => {}
        _ => return None,
    }
    let mut number = endian.size(item, 4)?;
    let length = endian.size(item, 8)?;
    value.clear();
    while value.len() < length {
        let page = pages.take(number)?;
        let used = usize::from(endian.u16(page, 22)?);
        if page.get(25) != Some(&OVERFLOW) || used == 0 {
            return None;
        }
        value.extend_from_slice(range(page, PAGE_HEAD, used)?);
        number = endian.size(page, 16)?;
    }
    (value.len() == length).then_some(value)
}
