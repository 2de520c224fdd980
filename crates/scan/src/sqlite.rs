//! SQLite's file format, as far as it takes to list the rows of a table: the schema, the table's tree, and values
//! that go on on overflow pages ("Database File Format"). Nothing is looked up, so indices and free pages are of no
//! interest. The file may lie; the work is linear in its size.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::bytes::{Endian, Used, range};

pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// The file's own head, before the first page's.
const FILE_HEAD: usize = 100;
/// Pages of a table's tree.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// The page size that the head of a database or of its log says.
pub(crate) fn page_size(stored: u32) -> Option<usize> {
    // The largest does not fit into the two bytes that a database has for it.
    let size = if stored == 1 { 65_536 } else { stored };
    let size = usize::try_from(size).ok()?;
    ((512..=65_536).contains(&size) && size.is_power_of_two()).then_some(size)
}

/// What a database is read from, page by page.
pub(crate) trait Content<'a> {
    /// Bytes.
    fn length(&self) -> u64;

    /// `length` bytes from `at` on; `None` where there are not so many.
    fn read(&self, at: u64, length: usize) -> Option<Cow<'a, [u8]>>;
}

impl<'a> Content<'a> for &'a [u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u64, length: usize) -> Option<Cow<'a, [u8]>> {
        range(self, usize::try_from(at).ok()?, length).map(Cow::Borrowed)
    }
}

/// A file that is too large to be held in memory.
impl Content<'static> for File {
    fn length(&self) -> u64 {
        self.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read(&self, at: u64, length: usize) -> Option<Cow<'static, [u8]>> {
        let mut bytes = vec![0; length];
        self.read_exact_at(&mut bytes, at).ok()?;
        Some(Cow::Owned(bytes))
    }
}

/// A database.
pub(crate) struct Database<C> {
    content: C,
    length: u64,
    page: usize,
    pages: usize,
    /// Bytes of a page that hold content: the rest is for extensions, such as encryption.
    usable: usize,
    used: Used,
}

/// A table of the schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The page on which its tree begins.
    pub(crate) root: usize,
    /// How it was made: `CREATE TABLE …`.
    pub(crate) sql: String,
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) key: u64,
    /// For [`Columns`].
    pub(crate) values: &'a [u8],
}

/// Takes one row after the other, and what could not be read.
type Each<'a, E> = dyn FnMut(Result<Row<'_>, String>) -> Result<(), E> + 'a;

impl<'a, C: Content<'a>> Database<C> {
    /// `None` when the first page makes no sense.
    pub(crate) fn new(content: C) -> Option<Self> {
        let length = content.length();
        let head = content.read(0, FILE_HEAD)?;
        let page = page_size(Endian::Big.u16(&head, 16)?.into())?;
        let usable = page.checked_sub(usize::from(*head.get(20)?))?;
        let pages = usize::try_from(length.checked_div(page as u64)?).ok()?;
        // The format asks for 480 at least, and the arithmetic of payloads relies on it.
        (usable >= 480).then(|| Self {
            content,
            length,
            page,
            pages,
            usable,
            used: Used::new(pages),
        })
    }

    /// All tables by name. The schema can be read once.
    ///
    /// # Errors
    /// Those of `problem`, which is told what could not be read of it.
    pub(crate) fn tables<E>(
        &mut self,
        problem: &mut dyn FnMut(String) -> Result<(), E>,
    ) -> Result<Vec<(Vec<u8>, Table)>, E> {
        let mut tables = Vec::new();
        self.rows(1, &mut |row| {
            match row {
                Ok(row) => tables.extend(table(row.values)),
                Err(why) => problem(why)?,
            }
            Ok(())
        })?;
        Ok(tables)
    }

    /// Hands out every row of the tree that begins on page `root`. No page is read twice, whichever tree it is of.
    ///
    /// # Errors
    /// Those of `each`.
    pub(crate) fn rows<E>(&mut self, root: usize, each: &mut Each<'_, E>) -> Result<(), E> {
        // Values that go on on other pages are put together in the same memory, one after the other.
        let mut value = Vec::new();
        // In a sound file rows do not overlap, so all together are no longer than the file.
        let mut left = self.length;
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            let Some(page) = self.take(number) else {
                each(Err(format!(
                    "page {number} of the database is missing, or in use twice"
                )))?;
                continue;
            };
            let page = &*page;
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
                    if open.len() > self.pages {
                        let why = "pages are in use twice: the rest was not read";
                        return each(Err(why.to_owned()));
                    }
                }
                Some(&LEAF) => {
                    for index in 0..cells {
                        let row = cell(page, head.saturating_add(8), index)
                            .and_then(|start| self.row(page, start, &mut value));
                        let Some(row) = row else {
                            each(Err(format!("a row on page {number} is damaged")))?;
                            continue;
                        };
                        let Some(rest) = left.checked_sub(row.values.len().max(1) as u64) else {
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
    fn take(&mut self, number: usize) -> Option<Cow<'a, [u8]>> {
        let index = number.checked_sub(1).filter(|index| *index < self.pages)?;
        if !self.used.take(index) {
            return None;
        }
        let at = (index as u64).checked_mul(self.page as u64)?;
        self.content.read(at, self.page)
    }

    /// The leaf cell at `start`: the length of its payload, the row's key, then what fits on the page, then the page
    /// on which it goes on ("B-tree Pages").
    fn row<'v>(&mut self, page: &'v [u8], start: usize, value: &'v mut Vec<u8>) -> Option<Row<'v>> {
        let (length, rest) = varint(page.get(start..self.usable)?)?;
        let (key, rest) = varint(rest)?;
        if length > self.length {
            return None;
        }
        let length = usize::try_from(length).ok()?;
        let most = self.usable.checked_sub(35)?;
        if length <= most {
            let values = rest.get(..length)?;
            return Some(Row { key, values });
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
            value.extend_from_slice(range(&page, 4, here)?);
            next = Endian::Big.size(&page, 0)?;
        }
        Some(Row { key, values: value })
    }
}

/// A row of the schema (type, name, table, page, SQL), if it is about a table.
fn table(row: &[u8]) -> Option<(Vec<u8>, Table)> {
    let mut columns = Columns::new(row)?;
    let kind = columns.next()?.text()?;
    let name = columns.next()?.text()?;
    let root = columns.nth(1)?.integer()?;
    let sql = columns.next().and_then(Column::text).unwrap_or_default();
    (kind == b"table").then(|| {
        let sql = String::from_utf8_lossy(sql).into_owned();
        (name.to_owned(), Table { root, sql })
    })
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
pub(crate) struct Columns<'a> {
    types: &'a [u8],
    values: &'a [u8],
}

pub(crate) struct Column<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl<'a> Columns<'a> {
    /// `None` when the row does not even list its types.
    pub(crate) fn new(row: &'a [u8]) -> Option<Self> {
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
    pub(crate) fn text(self) -> Option<&'a [u8]> {
        (self.kind >= 13 && !self.kind.is_multiple_of(2)).then_some(self.bytes)
    }

    pub(crate) fn blob(self) -> Option<&'a [u8]> {
        (self.kind >= 12 && self.kind.is_multiple_of(2)).then_some(self.bytes)
    }

    /// A whole number that is not negative and has no more than four bytes.
    pub(crate) fn integer(self) -> Option<usize> {
        match self.kind {
            8 => Some(0),
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
