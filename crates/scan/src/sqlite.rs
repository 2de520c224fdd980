//! SQLite's file format, as far as it takes to list the headers in rpm's table `Packages` (`rpmdb.sqlite`): the
//! schema, the table's tree, and values that go on on overflow pages ("Database File Format"). Nothing is looked
//! up, so keys, indices and free pages are of no interest.

use super::bytes::{Endian, Pages, range};
use super::{Each, Limited};

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// The file's own head, before the first page's.
const FILE_HEAD: usize = 100;
/// Pages of a table's tree.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Hands out every header of `content`, which begins with [`MAGIC`].
pub(super) fn headers(content: &[u8], each: &mut Each<'_>) -> Result<(), Limited> {
    let Some(mut file) = Database::new(content) else {
        return each(Err("the database's first page is damaged".to_owned()));
    };
    let mut root = None;
    file.rows(1, &mut |row| {
        match row {
            Ok(row) => root = root.or_else(|| packages(row)),
            Err(why) => each(Err(why))?,
        }
        Ok(())
    })?;
    let Some(root) = root else {
        return each(Err("the database has no table of packages".to_owned()));
    };
    file.rows(root, &mut |row| {
        // The number of the package is the key of the row, the header its only value.
        each(row.and_then(|row| {
            Columns::new(row)
                .and_then(|mut columns| columns.find_map(Column::blob))
                .ok_or_else(|| "a row of the table of packages is damaged".to_owned())
        }))
    })
}

/// The first page of the table `Packages`, if this row of the schema (type, name, table, page, SQL) is about it.
fn packages(row: &[u8]) -> Option<usize> {
    let mut columns = Columns::new(row)?;
    let kind = columns.next()?.text()?;
    let name = columns.next()?.text()?;
    let is_it = kind == b"table" && name.eq_ignore_ascii_case(b"Packages");
    is_it.then(|| columns.nth(1)?.integer()).flatten()
}

/// The page size that the head of a database or of its log says.
pub(super) fn page_size(stored: u32) -> Option<usize> {
    // The largest does not fit into the two bytes that a database has for it.
    let size = if stored == 1 { 65_536 } else { stored };
    let size = usize::try_from(size).ok()?;
    ((512..=65_536).contains(&size) && size.is_power_of_two()).then_some(size)
}

struct Database<'a> {
    content: &'a [u8],
    pages: Pages<'a>,
    /// Bytes of a page that hold content: the rest is for extensions, such as encryption.
    usable: usize,
}

impl<'a> Database<'a> {
    fn new(content: &'a [u8]) -> Option<Self> {
        let size = page_size(Endian::Big.u16(content, 16)?.into())?;
        let usable = size.checked_sub(usize::from(*content.get(20)?))?;
        // The format asks for 480 at least, and the arithmetic of payloads relies on it.
        (usable >= 480).then(|| Self {
            content,
            pages: Pages::new(content, size),
            usable,
        })
    }

    /// Hands out the payload of every row of the tree that begins on page `root`.
    fn rows(&mut self, root: usize, each: &mut Each<'_>) -> Result<(), Limited> {
        // Values that go on on other pages are put together in the same memory, one after the other.
        let mut value = Vec::new();
        // In a sound file rows do not overlap, so all together are no longer than the file.
        let mut left = self.content.len();
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            let Some(page) = self.take(number) else {
                each(Err(format!(
                    "page {number} of the database is missing, or in use twice"
                )))?;
                continue;
            };
            let head = if number == 1 { FILE_HEAD } else { 0 };
            let cells = Endian::Big.u16(page, head.saturating_add(3));
            // Each cell has two bytes in the list of offsets at least.
            let cells = cells.map_or(0, usize::from).min(page.len() / 2);
            match page.get(head) {
                Some(&INTERIOR) => {
                    // What has no number is missed when it is its turn, as page zero.
                    let last = Endian::Big.size(page, head.saturating_add(8));
                    let list = head.saturating_add(12);
                    let child = |index| Endian::Big.size(page, cell(page, list, index)?);
                    let children = (0..cells).rev().map(child);
                    open.extend(
                        std::iter::once(last)
                            .chain(children)
                            .map(Option::unwrap_or_default),
                    );
                    if open.len() > self.pages.count() {
                        let why = "pages are in use twice: the rest was not read";
                        return each(Err(why.to_owned()));
                    }
                }
                Some(&LEAF) => {
                    for index in 0..cells {
                        let row = cell(page, head.saturating_add(8), index)
                            .and_then(|start| self.payload(page, start, &mut value));
                        let Some(row) = row else {
                            each(Err(format!("a row on page {number} is damaged")))?;
                            continue;
                        };
                        let Some(rest) = left.checked_sub(row.len().max(1)) else {
                            return each(Err("rows overlap: the rest was not read".to_owned()));
                        };
                        left = rest;
                        each(Ok(row))?;
                    }
                }
                _ => each(Err(format!("page {number} is not of a table")))?,
            }
        }
        Ok(())
    }

    /// Pages are counted from one.
    fn take(&mut self, number: usize) -> Option<&'a [u8]> {
        self.pages.take(number.checked_sub(1)?)
    }

    /// The payload of the leaf cell at `start`: its length, the row's key, then what fits on the page, then the
    /// page on which it goes on ("B-tree Pages").
    fn payload<'v>(
        &mut self,
        page: &'v [u8],
        start: usize,
        value: &'v mut Vec<u8>,
    ) -> Option<&'v [u8]> {
        let (length, rest) = varint(page.get(start..self.usable)?)?;
        let (_key, rest) = varint(rest)?;
        let length = usize::try_from(length).ok()?;
        if length > self.content.len() {
            return None;
        }
        let most = self.usable.checked_sub(35)?;
        if length <= most {
            return rest.get(..length);
        }
        let least = (self.usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
        let per_page = self.usable.checked_sub(4)?;
        let even = least.checked_add(length.checked_sub(least)? % per_page)?;
        let (here, rest) = rest.split_at_checked(if even <= most { even } else { least })?;
        value.clear();
        value.extend_from_slice(here);
        let mut next = Endian::Big.size(rest, 0)?;
        while value.len() < length {
            let page = self.take(next)?;
            let here = per_page.min(length.checked_sub(value.len())?);
            value.extend_from_slice(range(page, 4, here)?);
            next = Endian::Big.size(page, 0)?;
        }
        Some(value)
    }
}

/// Where cell `index` begins, by the list of offsets at `list`.
fn cell(page: &[u8], list: usize, index: usize) -> Option<usize> {
    let at = index.checked_mul(2)?.checked_add(list)?;
    Endian::Big.u16(page, at).map(usize::from)
}

/// A number of up to nine bytes, seven bits in each, eight in the ninth.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for at in 0..8_usize {
        let byte = *bytes.get(at)?;
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at.checked_add(1)?..)?));
        }
    }
    number = (number << 8) | u64::from(*bytes.get(8)?);
    Some((number, bytes.get(9..)?))
}

/// The columns of a row ("Record Format"): their types, then their values.
struct Columns<'a> {
    types: &'a [u8],
    values: &'a [u8],
}

struct Column<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl<'a> Columns<'a> {
    fn new(row: &'a [u8]) -> Option<Self> {
        let (length, rest) = varint(row)?;
        let own = row.len().checked_sub(rest.len())?;
        let types = usize::try_from(length).ok()?.checked_sub(own)?;
        let (types, values) = rest.split_at_checked(types)?;
        Some(Self { types, values })
    }
}

impl<'a> Iterator for Columns<'a> {
    type Item = Column<'a>;

    fn next(&mut self) -> Option<Column<'a>> {
        let (kind, rest) = varint(self.types)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            12.. => (kind - 12) / 2,
        };
        let (bytes, values) = self
            .values
            .split_at_checked(usize::try_from(length).ok()?)?;
        self.types = rest;
        self.values = values;
        Some(Column { kind, bytes })
    }
}

impl<'a> Column<'a> {
    fn text(self) -> Option<&'a [u8]> {
        (self.kind >= 13 && !self.kind.is_multiple_of(2)).then_some(self.bytes)
    }

    fn blob(self) -> Option<&'a [u8]> {
        (self.kind >= 12 && self.kind.is_multiple_of(2)).then_some(self.bytes)
    }

    /// A whole number that is not negative and has no more than four bytes.
    fn integer(self) -> Option<usize> {
        match self.kind {
            9 => Some(1),
            1..=4 => self.bytes.iter().try_fold(0_usize, |number, byte| {
                number.checked_mul(256)?.checked_add(usize::from(*byte))
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_up_to_nine_bytes() {
        assert_eq!(varint(&[0x7f, 1]), Some((127, [1].as_slice())));
        assert_eq!(varint(&[0x81, 0]), Some((128, [].as_slice())));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, [].as_slice())));
        assert_eq!(varint(&[0x80; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn rows_are_read_by_their_types() {
        // Null, one byte, a text of three, a blob of two.
        let row = [5, 0, 1, 19, 16, 7, b'a', b'b', b'c', 1, 2];
        let mut columns = Columns::new(&row).unwrap();
        assert!(columns.next().unwrap().blob().is_none());
        assert_eq!(columns.next().unwrap().integer(), Some(7));
        assert_eq!(columns.next().unwrap().text(), Some(b"abc".as_slice()));
        assert_eq!(columns.next().unwrap().blob(), Some([1, 2].as_slice()));
        assert!(columns.next().is_none());
        for end in 0..5 {
            assert!(Columns::new(&row[..end]).is_none(), "{end}");
        }
        assert!(Columns::new(&row[..7]).unwrap().nth(2).is_none());
        assert!(Columns::new(&[2, 10, 1]).unwrap().next().is_none());
    }

    #[test]
    fn page_sizes_are_powers_of_two() {
        assert_eq!(page_size(4096), Some(4096));
        assert_eq!(page_size(1), Some(65_536));
        for stored in [0, 2, 256, 513, 131_072, u32::MAX] {
            assert_eq!(page_size(stored), None, "{stored}");
        }
    }
}
