//! Numbers, ranges and pages of a file that may lie: beyond the end there is `None`, and no page is used twice.

/// The byte order that a file was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

impl Endian {
    pub(crate) fn u16(self, content: &[u8], at: usize) -> Option<u16> {
        let bytes = *content.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    pub(crate) fn u32(self, content: &[u8], at: usize) -> Option<u32> {
        let bytes = *content.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }

    /// A number that is an offset, a length or a count.
    pub(crate) fn size(self, content: &[u8], at: usize) -> Option<usize> {
        usize::try_from(self.u32(content, at)?).ok()
    }
}

/// `length` bytes from `start` on.
pub(crate) fn range(content: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    content.get(start..start.checked_add(length)?)
}

/// The file's pages, all of one size. A page is handed out once: in a sound file nothing is shared, so whatever
/// leads to a page again is a loop or an overlap, and the work stays linear in the size of the file.
pub(crate) struct Pages<'a> {
    content: &'a [u8],
    size: usize,
    used: Used,
}

/// Which of some numbers were used.
#[derive(Debug)]
pub(crate) struct Used(Vec<u64>);

impl Used {
    /// None of `count`.
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Whether `number` was not used before; it is now.
    pub(crate) fn take(&mut self, number: usize) -> bool {
        let Some(word) = self.0.get_mut(number / 64) else {
            return false;
        };
        let bit = 1_u64 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

impl<'a> Pages<'a> {
    /// `size` is not zero.
    pub(crate) fn new(content: &'a [u8], size: usize) -> Self {
        let count = content.len().checked_div(size).unwrap_or_default();
        Self {
            content,
            size,
            used: Used::new(count),
        }
    }

    /// Number of whole pages.
    pub(crate) fn count(&self) -> usize {
        self.content
            .len()
            .checked_div(self.size)
            .unwrap_or_default()
    }

    /// Page `number`, counted from zero, wherever it was used before.
    pub(crate) fn look(&self, number: usize) -> Option<&'a [u8]> {
        range(self.content, number.checked_mul(self.size)?, self.size)
    }

    /// Page `number`, counted from zero, unless it was taken before.
    pub(crate) fn take(&mut self, number: usize) -> Option<&'a [u8]> {
        let page = self.look(number)?;
        self.used.take(number).then_some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let content = [1, 2, 3, 4, 5];
        assert_eq!(Endian::Big.u32(&content, 1), Some(0x0203_0405));
        assert_eq!(Endian::Little.u32(&content, 1), Some(0x0504_0302));
        assert_eq!(Endian::Big.u32(&content, 2), None);
        assert_eq!(Endian::Little.u16(&content, usize::MAX), None);
        assert_eq!(range(&content, 3, 2), Some([4, 5].as_slice()));
        assert_eq!(range(&content, 3, 3), None);
        assert_eq!(range(&content, 3, usize::MAX), None);
    }

    #[test]
    fn a_page_is_taken_once() {
        let content = [0; 35];
        let mut pages = Pages::new(&content, 10);
        assert_eq!(pages.count(), 3);
        assert!(pages.take(2).is_some() && pages.take(2).is_none());
        assert!(pages.look(2).is_some());
        assert!(pages.take(3).is_none() && pages.take(usize::MAX).is_none());
    }
}
