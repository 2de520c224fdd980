//! A file as input for the tar walker that really skips, so that listing an archive reads its headers only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::tar::{Input, InputError};

/// A file of known length as input.
pub(super) struct Seekable<'a> {
    file: &'a File,
    length: u64,
    /// Where the next read from the file starts.
    next: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl<'a> Seekable<'a> {
    pub(super) fn new(file: &'a File, length: u64) -> Self {
        Self {
            file,
            length,
            next: 0,
            buffer: Vec::new(),
            used: 0,
        }
    }
}

impl Input for Seekable<'_> {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        if self.used >= self.buffer.len() {
            // Headers stand far apart here, so a small buffer reads the least.
            self.buffer.resize(4096, 0);
            let read = read_up_to(self.file, self.next, &mut self.buffer)?;
            self.buffer.truncate(read);
            self.used = 0;
            self.next = self.next.saturating_add(read as u64);
        }
        Ok(self.buffer.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.used.saturating_add(amount);
    }

    fn skip(&mut self, amount: u64) -> Result<u64, InputError> {
        let buffered = self.buffer.len().saturating_sub(self.used) as u64;
        if amount <= buffered {
            self.used = self
                .used
                .saturating_add(usize::try_from(amount).unwrap_or(0));
            return Ok(amount);
        }
        let position = self.next.saturating_sub(buffered);
        let reached = position.saturating_add(amount).min(self.length);
        self.buffer.clear();
        self.used = 0;
        self.next = reached;
        Ok(reached.saturating_sub(position))
    }
}

/// Reads what there is at `offset`, at most as much as fits.
pub(super) fn read_up_to(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
