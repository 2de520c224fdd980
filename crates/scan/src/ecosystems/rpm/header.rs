//! A package's header as every rpm database keeps it: an index of tags, then their data (rpm's documentation,
//! "RPM V4 Package format", "Header"; the database leaves out the magic number and what stands before it).

use crate::bytes::{Endian, range};

/// The tags that we use (rpm, `rpmtag.h`).
#[derive(Clone, Copy)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    Arch = 1022,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Number of tags and length of the data, before both.
const PREFIX: usize = 8;
/// Tag, type, offset and count.
const ENTRY: usize = 16;

/// A header whose parts have been found; what the index says of the data is checked when it is used.
pub(super) struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// `None` when the parts do not fit into the record, or there is no tag.
    pub(super) fn new(record: &'a [u8]) -> Option<Self> {
        let entries = Endian::Big.size(record, 0)?.checked_mul(ENTRY)?;
        let length = Endian::Big.size(record, 4)?;
        let index = range(record, PREFIX, entries).filter(|index| !index.is_empty())?;
        let data = range(record, PREFIX.checked_add(entries)?, length)?;
        Some(Self { index, data })
    }

    /// The first string of a tag.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a [u8]> {
        self.texts(tag).next()
    }

    /// The strings of a tag.
    pub(super) fn texts(&self, tag: Tag) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let found = self.find(tag, &[STRING, STRING_ARRAY, I18N_STRING]);
        let (mut rest, count) = found.unwrap_or_default();
        // A string without its zero is cut off: it and all behind it are missing.
        let next = move || {
            let end = rest.iter().position(|b| *b == 0)?;
            let (text, behind) = rest.split_at_checked(end)?;
            rest = behind.get(1..)?;
            Some(text)
        };
        std::iter::from_fn(next).take(count)
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: Tag) -> Option<u32> {
        self.numbers(tag).next()
    }

    /// The numbers of a tag.
    pub(super) fn numbers(&self, tag: Tag) -> impl Iterator<Item = u32> + use<'a> {
        let (data, count) = self.find(tag, &[INT32]).unwrap_or_default();
        let (numbers, _) = data.as_chunks::<4>();
        let numbers = numbers.iter().map(|bytes| u32::from_be_bytes(*bytes));
        numbers.take(count)
    }

    /// The data from a tag's offset on, and how many values it says there are. Tags that were added after the
    /// package was built stand behind the others and replace them.
    fn find(&self, tag: Tag, types: &[u32]) -> Option<(&'a [u8], usize)> {
        let (entries, _) = self.index.as_chunks::<ENTRY>();
        let is_tag = |entry: &&[u8; ENTRY]| Endian::Big.u32(*entry, 0) == Some(tag as u32);
        let entry = entries.iter().rfind(is_tag)?;
        types.contains(&Endian::Big.u32(entry, 4)?).then_some(())?;
        let data = self.data.get(Endian::Big.size(entry, 8)?..)?;
        Some((data, Endian::Big.size(entry, 12)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tag, type, offset, count.
    fn header(entries: &[[u32; 4]], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        let count = u32::try_from(entries.len()).unwrap();
        let numbers = [count, length].into_iter();
        let numbers = numbers.chain(entries.iter().flatten().copied());
        let mut bytes: Vec<u8> = numbers.flat_map(u32::to_be_bytes).collect();
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn reads_values_of_the_right_type_only() {
        let entries = [
            [1000, 6, 0, 1],
            [1001, 4, 0, 1],
            [1003, 4, 8, 1],
            [1117, 8, 0, 2],
            [1118, 8, 0, 9],
            [1116, 4, 6, 900],
        ];
        let bytes = header(&entries, b"abc\0d\0xx\0\0\0\x07end");
        let header = Header::new(&bytes).unwrap();
        assert_eq!(header.text(Tag::Name), Some(b"abc".as_slice()));
        assert_eq!(header.text(Tag::Version), None);
        assert_eq!(header.number(Tag::Epoch), Some(7));
        assert_eq!(header.texts(Tag::BaseNames).count(), 2);
        // More strings are announced than there are; the last one has no end.
        let texts: Vec<&[u8]> = header.texts(Tag::DirNames).collect();
        assert_eq!(texts[..3], [b"abc".as_slice(), b"d", b"xx"]);
        assert_eq!(texts.len(), 5);
        assert_eq!(header.numbers(Tag::DirIndexes).count(), 2);
        assert_eq!(header.text(Tag::Release), None);
    }

    #[test]
    fn what_was_added_later_counts() {
        let bytes = header(&[[1000, 6, 0, 1], [1000, 6, 2, 1]], b"a\0b\0");
        assert_eq!(
            Header::new(&bytes).unwrap().text(Tag::Name),
            Some(b"b".as_slice())
        );
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let good = header(&[[1000, 6, 0, 1]], b"a\0");
        assert!(Header::new(&good).is_some());
        for end in 0..good.len() {
            assert!(Header::new(&good[..end]).is_none(), "{end}");
        }
        assert!(Header::new(&header(&[], b"a\0")).is_none());
        assert!(Header::new(&[0xff; 64]).is_none());
        for offset in [2, 3, u32::MAX] {
            let bytes = header(&[[1000, 6, offset, u32::MAX]], b"a\0");
            assert_eq!(Header::new(&bytes).unwrap().text(Tag::Name), None);
        }
    }
}
