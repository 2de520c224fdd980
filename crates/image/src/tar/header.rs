//! One header block (POSIX.1-1988 ustar, GNU tar, star).

use super::BLOCK;
use crate::Access;

/// A header block that passed its checksum.
pub(crate) struct Header<'a> {
    block: &'a [u8; BLOCK],
}

/// What the type flag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Regular,
    /// A regular file of v7, or a directory if its name ends with a slash.
    OldRegular,
    HardLink,
    Symlink,
    Directory,
    /// Devices, pipes and sockets: a name without content.
    Special,
    GnuSparse,
    GnuLongName,
    GnuLongLink,
    PaxNext,
    PaxGlobal,
    /// Something else, whose content is skipped.
    Unknown,
}

impl Flag {
    /// Whether this is an entry, and not a header that says more about the next one.
    pub(crate) fn is_entry(self) -> bool {
        match self {
            Self::GnuLongName | Self::GnuLongLink | Self::PaxNext | Self::PaxGlobal => false,
            Self::Regular
            | Self::OldRegular
            | Self::HardLink
            | Self::Symlink
            | Self::Directory
            | Self::Special
            | Self::GnuSparse
            | Self::Unknown => true,
        }
    }
}

impl<'a> Header<'a> {
    /// Checks the checksum, unsigned as POSIX wants it or signed as some old writers made it.
    pub(crate) fn parse(block: &'a [u8; BLOCK]) -> Result<Self, &'static str> {
        let header = Self { block };
        let stored = number(header.field(148, 8)).ok_or("the checksum is not a number")?;
        // In 32 bits, which cannot overflow here and which processors add sixteen bytes at a time in.
        let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
        // The checksum is made with spaces in its own place.
        let unsigned = sum(block)
            .saturating_sub(sum(header.field(148, 8)))
            .saturating_add(8 * 0x20);
        if stored == u64::from(unsigned) {
            return Ok(header);
        }
        // Each byte above 127 counts 256 less when signed.
        let high = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b >> 7)).sum::<u32>();
        let negative = high(block).saturating_sub(high(header.field(148, 8)));
        let signed = unsigned.checked_sub(negative.saturating_mul(256));
        if Some(stored) == signed.map(u64::from) {
            Ok(header)
        } else {
            Err("the checksum of the header is wrong")
        }
    }

    /// The type flag.
    pub(crate) fn flag(&self) -> Flag {
        match self.field(156, 1).first() {
            Some(b'0' | b'7') => Flag::Regular,
            Some(0) => Flag::OldRegular,
            Some(b'1') => Flag::HardLink,
            Some(b'2') => Flag::Symlink,
            Some(b'3' | b'4' | b'6') => Flag::Special,
            Some(b'5') => Flag::Directory,
            Some(b'S') => Flag::GnuSparse,
            Some(b'L') => Flag::GnuLongName,
            Some(b'K') => Flag::GnuLongLink,
            Some(b'x') => Flag::PaxNext,
            Some(b'g') => Flag::PaxGlobal,
            Some(_) | None => Flag::Unknown,
        }
    }

    /// Bytes of content that follow, by the header alone.
    pub(crate) fn size(&self) -> Result<u64, &'static str> {
        number(self.field(124, 12)).ok_or("the size is not a number")
    }

    /// Whose the file is and who may what. What is no number lets nobody do anything.
    pub(crate) fn access(&self) -> Access {
        let number = |start| number(self.field(start, 8)).unwrap_or_default();
        Access {
            mode: u32::try_from(number(100) & 0o7777).unwrap_or_default(),
            uid: number(108),
            gid: number(116),
        }
    }

    /// Writes the name to `into`, with the ustar prefix where the format has one.
    pub(crate) fn name(&self, into: &mut Vec<u8>) {
        into.clear();
        if self.field(257, 6) == b"ustar\0" {
            // star marks its last four bytes and has a shorter prefix, followed by times.
            let length = if self.field(508, 4) == b"tar\0" {
                131
            } else {
                155
            };
            let prefix = text(self.field(345, length));
            if !prefix.is_empty() {
                into.extend_from_slice(prefix);
                into.push(b'/');
            }
        }
        into.extend_from_slice(text(self.field(0, 100)));
    }

    /// The target of a link.
    pub(crate) fn link(&self) -> &[u8] {
        text(self.field(157, 100))
    }

    /// Whether further blocks of the map of an old GNU sparse file follow.
    pub(crate) fn sparse_map_continues(&self) -> bool {
        self.field(482, 1) != [0]
    }

    fn field(&self, start: usize, length: usize) -> &[u8] {
        let end = start.saturating_add(length);
        self.block.get(start..end).unwrap_or_default()
    }
}

/// A text field: up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|b| *b == 0).next().unwrap_or_default()
}

/// A number: octal text, or GNU's base-256 when the top bit is set. `None` when negative, too large for
/// 64 bits, or no number.
fn number(field: &[u8]) -> Option<u64> {
    let first = *field.first()?;
    if first & 0x80 != 0 {
        // 0xff starts a negative number.
        let start = u64::from(first & 0x7f);
        if first & 0x40 != 0 {
            return None;
        }
        return field.iter().skip(1).try_fold(start, |value, byte| {
            value.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let trimmed = text(field).trim_ascii();
    trimmed.iter().try_fold(0_u64, |value, byte| {
        let digit = match byte {
            b'0'..=b'7' => byte.wrapping_sub(b'0'),
            _ => return None,
        };
        value.checked_mul(8)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_gnu_and_posix_write_them() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777777\0"), Some(0o77_777_777_777));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(2 << 32));
        assert_eq!(number(b"\x80\0\0\0\x80\0\0\0\0\0\0\0"), Some(1 << 63));
        assert_eq!(number(b"\x81\0\0\0\0\0\0\0\0\0\0\0"), None);
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"0000689\0"), None);
        assert_eq!(number(b"-1\0"), None);
    }
}
