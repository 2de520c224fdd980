//! The directory of a zip archive, read entry by entry in constant memory (PKWARE, APPNOTE 6.3.10).
//!
//! Archives are found as Java's own reader finds them: from their end, so that a script may stand before them.

use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// What an archive is read from.
pub(super) trait Source: Read + Seek {}

impl<S: Read + Seek> Source for S {}

/// Entries of one archive. The largest real ones have 200,000.
const MOST_ENTRIES: u64 = 1_000_000;

/// 4.3.16: the end of the directory, without its comment.
const END: usize = 22;
/// Longest comment.
const COMMENT: usize = 65_535;
/// 4.3.15: the locator of the other end, of large archives.
const LOCATOR: usize = 20;
/// 4.3.14: that end.
const LARGE_END: usize = 56;
/// 4.3.12: an entry of the directory, without its texts.
const ENTRY: usize = 46;
/// 4.3.7: the header before an entry's content, without its texts.
const LOCAL: usize = 30;
/// 4.5.3: the extra field with sizes above 4 GiB.
const LARGE: u16 = 1;
/// A number that stands in that field instead.
const ELSEWHERE: u64 = 0xffff_ffff;

/// Why an archive, or an entry, cannot be read. The fault of whoever made it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ZipError {
    #[error("this is not a zip archive, or its end is missing")]
    NotAnArchive,
    #[error("the archive has {0} entries, more than {MOST_ENTRIES}")]
    TooMany(u64),
    #[error("the archive's directory is damaged")]
    Directory,
    #[error("the entry is damaged")]
    Entry,
    #[error("the entry is encrypted")]
    Encrypted,
    #[error("the entry is compressed by method {0}, which Java does not know")]
    Method(u16),
    #[error("the file unpacks to too much")]
    TooMuch,
    #[error("failed to read")]
    Io(#[from] io::Error),
}

/// An entry as the directory has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    flags: u16,
    method: u16,
    packed: u64,
    /// Where its local header stands in the source.
    at: u64,
}

/// Where the directory is.
struct Directory {
    start: u64,
    size: u64,
    entries: u64,
    /// Bytes before the archive, which its offsets do not count.
    before: u64,
}

/// Calls `visit` for each entry. Returns early with its `Err`.
pub(super) fn entries(
    source: &mut dyn Source,
    mut visit: impl FnMut(Entry),
) -> Result<(), ZipError> {
    let directory = Directory::find(source)?;
    if directory.entries > MOST_ENTRIES {
        return Err(ZipError::TooMany(directory.entries));
    }
    source.seek(SeekFrom::Start(directory.start))?;
    let mut reader = BufReader::new((&mut *source).take(directory.size));
    // The count is not trusted: it has sixteen bits, and old tools let it overflow.
    let mut count = 0_u64;
    while !reader.fill_buf()?.is_empty() {
        count = count.saturating_add(1);
        if count > MOST_ENTRIES {
            return Err(ZipError::TooMany(count));
        }
        let entry = Entry::read(&mut reader, directory.before).map_err(|error| match error {
            ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                ZipError::Directory
            }
            other => other,
        })?;
        visit(entry);
    }
    Ok(())
}

impl Directory {
    fn find(source: &mut dyn Source) -> Result<Self, ZipError> {
        let length = source.seek(SeekFrom::End(0))?;
        let reach = (END + COMMENT + LOCATOR) as u64;
        let start = length.saturating_sub(reach);
        source.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        (&mut *source).take(reach).read_to_end(&mut tail)?;
        // The last end that is followed by exactly its comment.
        let is_end = |at: &usize| {
            let end = tail.get(*at..).unwrap_or_default();
            let comment = u16_at(end, 20).map(usize::from);
            comment.is_some_and(|comment| END.checked_add(comment) == Some(end.len()))
        };
        let at = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06")
            .find(is_end)
            .ok_or(ZipError::NotAnArchive)?;
        let (before_end, end) = tail.split_at_checked(at).ok_or(ZipError::NotAnArchive)?;
        let mut end_at = start.saturating_add(at as u64);
        let field = |at| u32_at(end, at).map(u64::from).ok_or(ZipError::Directory);
        let (mut size, mut offset) = (field(12)?, field(16)?);
        let mut entries = u16_at(end, 10).map(u64::from).ok_or(ZipError::Directory)?;
        let locator = before_end
            .len()
            .checked_sub(LOCATOR)
            .and_then(|at| before_end.get(at..))
            .filter(|locator| locator.starts_with(b"PK\x06\x07"));
        if let Some(locator) = locator
            && (size == ELSEWHERE || offset == ELSEWHERE || entries == 0xffff)
        {
            // Where something stands before the archive, the locator is off; then the end is right before it.
            let told = u64_at(locator, 8).ok_or(ZipError::Directory)?;
            let before = end_at.saturating_sub((LOCATOR + LARGE_END) as u64);
            let at = [told, before];
            let at = at.into_iter().find(|at| starts(source, *at, b"PK\x06\x06"));
            let at = at.ok_or(ZipError::Directory)?;
            let mut large = [0; LARGE_END];
            source.seek(SeekFrom::Start(at))?;
            source.read_exact(&mut large)?;
            let field = |at| u64_at(&large, at).ok_or(ZipError::Directory);
            (entries, size, offset) = (field(32)?, field(40)?, field(48)?);
            end_at = at;
        }
        let start = end_at.checked_sub(size).ok_or(ZipError::Directory)?;
        Ok(Self {
            start,
            size,
            entries,
            before: start.checked_sub(offset).ok_or(ZipError::Directory)?,
        })
    }
}

/// Whether `mark` stands at `at`.
fn starts(source: &mut dyn Source, at: u64, mark: &[u8; 4]) -> bool {
    let mut start = [0; 4];
    let read = source
        .seek(SeekFrom::Start(at))
        .and_then(|_| source.read_exact(&mut start));
    read.is_ok() && start == *mark
}

impl Entry {
    fn read(reader: &mut impl Read, before: u64) -> Result<Self, ZipError> {
        let mut fixed = [0; ENTRY];
        reader.read_exact(&mut fixed)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            return Err(ZipError::Directory);
        }
        let short = |at| u16_at(&fixed, at).ok_or(ZipError::Directory);
        let long = |at| u32_at(&fixed, at).map(u64::from).ok_or(ZipError::Directory);
        let mut name = vec![0; short(28)?.into()];
        reader.read_exact(&mut name)?;
        let mut extra = vec![0; short(30)?.into()];
        reader.read_exact(&mut extra)?;
        let comment = u64::from(short(32)?);
        if io::copy(&mut reader.take(comment), &mut io::sink())? < comment {
            return Err(ZipError::Directory);
        }
        let (mut size, mut packed, mut at) = (long(24)?, long(20)?, long(42)?);
        // Only those stand in the extra field that did not fit, in this order.
        let mut large = large(&extra).unwrap_or_default();
        for number in [&mut size, &mut packed, &mut at] {
            if *number == ELSEWHERE
                && let Some((first, rest)) = large.split_first_chunk()
            {
                *number = u64::from_le_bytes(*first);
                large = rest;
            }
        }
        Ok(Self {
            name,
            flags: short(8)?,
            method: short(10)?,
            packed,
            at: at.saturating_add(before),
        })
    }

    /// Where the content stands in the source, and its length there, if it is not compressed.
    pub(super) fn stored(&self, source: &mut dyn Source) -> Result<Option<(u64, u64)>, ZipError> {
        let start = self.start(source)?;
        Ok((self.method == 0).then_some((start, self.packed)))
    }

    /// The content, unpacked.
    pub(super) fn content<'a>(
        &self,
        source: &'a mut dyn Source,
    ) -> Result<Box<dyn Read + 'a>, ZipError> {
        let start = self.start(source)?;
        source.seek(SeekFrom::Start(start))?;
        let packed = source.take(self.packed);
        match self.method {
            0 => Ok(Box::new(packed)),
            8 => Ok(Box::new(DeflateDecoder::new(packed))),
            other => Err(ZipError::Method(other)),
        }
    }

    fn start(&self, source: &mut dyn Source) -> Result<u64, ZipError> {
        if self.flags & 1 != 0 {
            return Err(ZipError::Encrypted);
        }
        let mut header = [0; LOCAL];
        source.seek(SeekFrom::Start(self.at))?;
        source.read_exact(&mut header).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                ZipError::Entry
            } else {
                error.into()
            }
        })?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ZipError::Entry);
        }
        let texts = u16_at(&header, 26).zip(u16_at(&header, 28));
        let (name, extra) = texts.ok_or(ZipError::Entry)?;
        let texts = u64::from(name).saturating_add(extra.into());
        Ok(self.at.saturating_add(LOCAL as u64).saturating_add(texts))
    }
}

/// The content of the extra field with large numbers.
fn large(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let kind = u16_at(extra, 0)?;
        let length = usize::from(u16_at(extra, 2)?);
        let (content, rest) = extra.get(4..)?.split_at_checked(length)?;
        if kind == LARGE {
            return Some(content);
        }
        extra = rest;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A part of a source that is a source itself: an archive that stands in another uncompressed.
pub(super) struct Part<'a> {
    source: &'a mut dyn Source,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a> Part<'a> {
    pub(super) fn new(source: &'a mut dyn Source, start: u64, length: u64) -> Self {
        Self {
            source,
            start,
            length,
            at: 0,
        }
    }
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else {
            return Ok(0);
        };
        let at = self.start.saturating_add(self.at);
        self.source.seek(SeekFrom::Start(at))?;
        let read = self.source.read(into)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for Part<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
