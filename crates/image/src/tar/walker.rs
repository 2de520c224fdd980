//! From entry to entry.

use super::header::{Flag, Header};
use super::pax::Extensions;
use super::{BLOCK, Input, InputError};
use crate::Access;

/// Longest accepted extension (long name or pax header), as in Go.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// Steps through a tar archive.
pub(crate) struct Walker<I> {
    input: I,
    block: [u8; BLOCK],
    /// Bytes taken from the input so far.
    position: u64,
    /// Content of the current entry that was not read yet, and the padding behind it.
    content: u64,
    /// Bytes of the content that were lent out by `piece` and are not used up yet.
    lent: usize,
    padding: u64,
    path: Vec<u8>,
    link: Vec<u8>,
    extension: Vec<u8>,
}

/// One entry; the texts live until the next step.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: Kind,
    /// As written: not checked, not normalised.
    pub(crate) path: &'a [u8],
    /// Target of a link; empty otherwise.
    pub(crate) link: &'a [u8],
    /// Bytes of content in the archive.
    pub(crate) size: u64,
    /// Where the content starts in the archive.
    pub(crate) offset: u64,
    /// Whose it is and who may what.
    pub(crate) access: Access,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    /// A file with holes, whose content in the archive is not its content.
    SparseFile,
    Directory,
    Symlink,
    HardLink,
    /// Devices, pipes, and types nobody knows.
    Other,
}

/// Why the walk ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{why} at byte {offset}")]
    Malformed { offset: u64, why: &'static str },
    #[error("the archive ends early, at byte {offset}")]
    Truncated { offset: u64 },
}

impl<I: Input> Walker<I> {
    pub(crate) fn new(input: I) -> Self {
        Self {
            input,
            block: [0; BLOCK],
            position: 0,
            content: 0,
            lent: 0,
            padding: 0,
            path: Vec::new(),
            link: Vec::new(),
            extension: Vec::new(),
        }
    }

    /// The next entry; `None` at the end of the archive. Skips what is left of the current one.
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'_>>, TarError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            if !self.read_header()? {
                return Ok(None);
            }
            let header = Header::parse(&self.block).map_err(|why| self.malformed(why))?;
            let flag = header.flag();
            let access = header.access();
            if flag.is_entry() {
                if !extensions.has_path {
                    header.name(&mut self.path);
                }
                if !extensions.has_link {
                    self.link.clear();
                    self.link.extend_from_slice(header.link());
                }
            }
            // The slash counts in the whole name, which an extension may have brought.
            let flag = match flag {
                Flag::OldRegular if self.path.ends_with(b"/") => Flag::Directory,
                Flag::OldRegular => Flag::Regular,
                other => other,
            };
            let size = match flag {
                // Go ignores the size of entries that are a header only; so some writers fill in rubbish.
                Flag::HardLink | Flag::Symlink | Flag::Directory | Flag::Special => 0,
                Flag::Regular | Flag::OldRegular | Flag::GnuSparse | Flag::Unknown => {
                    match extensions.size {
                        Some(size) => size,
                        None => header.size().map_err(|why| self.malformed(why))?,
                    }
                }
                Flag::GnuLongName | Flag::GnuLongLink | Flag::PaxNext | Flag::PaxGlobal => {
                    header.size().map_err(|why| self.malformed(why))?
                }
            };
            if size > i64::MAX as u64 {
                return Err(self.malformed("an entry claims 2^63 bytes or more"));
            }
            self.content = size;
            self.padding = size.wrapping_neg() % BLOCK as u64;
            let kind = match flag {
                Flag::GnuLongName => {
                    self.read_extension()?;
                    self.end_at_nul();
                    std::mem::swap(&mut self.path, &mut self.extension);
                    extensions.has_path = true;
                    continue;
                }
                Flag::GnuLongLink => {
                    self.read_extension()?;
                    self.end_at_nul();
                    std::mem::swap(&mut self.link, &mut self.extension);
                    extensions.has_link = true;
                    continue;
                }
                Flag::PaxNext => {
                    self.read_extension()?;
                    extensions
                        .read(&self.extension, &mut self.path, &mut self.link)
                        .map_err(|why| TarError::Malformed {
                            offset: self.position,
                            why,
                        })?;
                    continue;
                }
                // Engines ignore global headers (Go hands them out as entries, Docker skips those).
                Flag::PaxGlobal => continue,
                Flag::Regular if extensions.sparse => Kind::SparseFile,
                Flag::Regular | Flag::OldRegular => Kind::File,
                Flag::HardLink => Kind::HardLink,
                Flag::Symlink => Kind::Symlink,
                Flag::Directory => Kind::Directory,
                Flag::GnuSparse => Kind::SparseFile,
                Flag::Special | Flag::Unknown => Kind::Other,
            };
            if flag == Flag::GnuSparse && header.sparse_map_continues() {
                self.skip_sparse_map()?;
            }
            return Ok(Some(Entry {
                kind,
                path: &self.path,
                link: &self.link,
                size,
                offset: self.position,
                access,
            }));
        }
    }

    /// The next bytes of the current entry's content; empty at its end.
    pub(crate) fn piece(&mut self) -> Result<&[u8], TarError> {
        self.take_back();
        if self.content == 0 {
            return Ok(&[]);
        }
        let position = self.position;
        let bytes = self.input.fill()?;
        let step = usize::try_from(self.content).map_or(bytes.len(), |left| left.min(bytes.len()));
        if step == 0 {
            return Err(TarError::Truncated { offset: position });
        }
        self.lent = step;
        Ok(bytes.get(..step).unwrap_or_default())
    }

    /// The beginning of the current entry's content as far as it is in memory already, before the first `piece`.
    pub(crate) fn at_hand(&self) -> &[u8] {
        let bytes = self.input.at_hand();
        let own = usize::try_from(self.content).unwrap_or(usize::MAX);
        bytes.get(..own).unwrap_or(bytes)
    }

    /// Leaves out up to `amount` bytes of the current entry's content.
    pub(crate) fn skip_part(&mut self, amount: u64) -> Result<(), TarError> {
        self.take_back();
        let amount = amount.min(self.content);
        self.content = self.content.saturating_sub(amount);
        self.skip(amount)
    }

    /// Counts what was lent out as used.
    fn take_back(&mut self) {
        let step = std::mem::take(&mut self.lent);
        self.input.consume(step);
        self.content = self.content.saturating_sub(step as u64);
        self.position = self.position.saturating_add(step as u64);
    }

    fn malformed(&self, why: &'static str) -> TarError {
        TarError::Malformed {
            offset: self.position.saturating_sub(BLOCK as u64),
            why,
        }
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        self.take_back();
        let amount = self.content.saturating_add(self.padding);
        self.content = 0;
        self.padding = 0;
        self.skip(amount)
    }

    fn skip(&mut self, amount: u64) -> Result<(), TarError> {
        if amount == 0 {
            return Ok(());
        }
        let skipped = self.input.skip(amount)?;
        self.position = self.position.saturating_add(skipped);
        if skipped < amount {
            return Err(TarError::Truncated {
                offset: self.position,
            });
        }
        Ok(())
    }

    /// Reads the next header block. False at the end: two blocks of zeros, or no bytes at a block's border.
    fn read_header(&mut self) -> Result<bool, TarError> {
        if !self.read_block()? {
            return Ok(false);
        }
        if self.block.iter().any(|b| *b != 0) {
            return Ok(true);
        }
        if self.read_block()? && self.block.iter().any(|b| *b != 0) {
            // Go stops with an error here as well: no engine sees what follows.
            return Err(self.malformed("a single block of zeros"));
        }
        Ok(false)
    }

    /// Fills the block. False when there is not one byte left.
    fn read_block(&mut self) -> Result<bool, TarError> {
        let mut filled = 0;
        while let Some(rest) = self.block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let bytes = self.input.fill()?;
            let step = bytes.len().min(rest.len());
            if step == 0 {
                break;
            }
            for (to, from) in rest.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.input.consume(step);
            self.position = self.position.saturating_add(step as u64);
            filled = filled.saturating_add(step);
        }
        match filled {
            0 => Ok(false),
            BLOCK => Ok(true),
            _ => Err(TarError::Truncated {
                offset: self.position,
            }),
        }
    }

    fn read_extension(&mut self) -> Result<(), TarError> {
        if self.content > LONGEST_EXTENSION {
            return Err(self.malformed("an extended header of more than 1 MiB"));
        }
        let mut bytes = std::mem::take(&mut self.extension);
        bytes.clear();
        let read = self.append_content(&mut bytes);
        self.extension = bytes;
        read
    }

    fn append_content(&mut self, into: &mut Vec<u8>) -> Result<(), TarError> {
        loop {
            match self.piece()? {
                [] => return Ok(()),
                piece => into.extend_from_slice(piece),
            }
        }
    }

    /// Long names and links of GNU tar end with a NUL, most of the time.
    fn end_at_nul(&mut self) {
        let end = self.extension.iter().position(|b| *b == 0);
        self.extension.truncate(end.unwrap_or(usize::MAX));
    }

    /// Skips the blocks that continue the map of an old GNU sparse file.
    fn skip_sparse_map(&mut self) -> Result<(), TarError> {
        loop {
            if !self.read_block()? {
                return Err(TarError::Truncated {
                    offset: self.position,
                });
            }
            if self.block.get(504) == Some(&0) {
                return Ok(());
            }
        }
    }
}
