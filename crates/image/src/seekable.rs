//! A part of a file as input for the tar walker that really skips: what nobody looks at is not read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::tar::{Input, InputError};

/// Bytes of the first read after a skip: headers stand far apart, and a file's magic number is near.
const SHORT: usize = 4096;
/// Bytes of a read where everything before was wanted too.
const LONG: usize = 64 * 1024;

/// A part of a file as input.
pub(crate) struct Seekable<'a> {
    file: &'a File,
    /// Where the part ends in the file.
    end: u64,
    /// Where the next read from the file starts.
    next: u64,
    /// Grows to the longest read; what is behind `filled` is of no read.
    buffer: Vec<u8>,
    filled: usize,
    used: usize,
    /// Bytes of the next read.
    stride: usize,
    /// Told how far reading has come; false ends it.
    go_on: &'a mut dyn FnMut(u64) -> bool,
    start: u64,
}

impl<'a> Seekable<'a> {
    /// `length` bytes of `file` from `start`. `go_on` is told how many of them were read or skipped.
    pub(crate) fn new(
        file: &'a File,
        start: u64,
        length: u64,
        go_on: &'a mut dyn FnMut(u64) -> bool,
    ) -> Self {
        Self {
            file,
            end: start.saturating_add(length),
            next: start,
            buffer: Vec::new(),
            filled: 0,
            used: 0,
            stride: SHORT,
            go_on,
            start,
        }
    }
}

impl Input for Seekable<'_> {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        if self.used >= self.filled {
            if !(self.go_on)(self.next.saturating_sub(self.start)) {
                return Err(InputError::Cancelled);
            }
            let left = usize::try_from(self.end.saturating_sub(self.next)).unwrap_or(usize::MAX);
            let wanted = self.stride.min(left);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
            // Nothing is at hand should the read fail.
            (self.filled, self.used) = (0, 0);
            let room = self.buffer.get_mut(..wanted).unwrap_or_default();
            let read = read_up_to(self.file, self.next, room)?;
            self.filled = read;
            self.next = self.next.saturating_add(read as u64);
            self.stride = self.stride.saturating_mul(4).min(LONG);
        }
        Ok(Self::at_hand(self))
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.used.saturating_add(amount);
    }

    fn at_hand(&self) -> &[u8] {
        self.buffer.get(self.used..self.filled).unwrap_or_default()
    }

    fn skip(&mut self, amount: u64) -> Result<u64, InputError> {
        let buffered = self.filled.saturating_sub(self.used) as u64;
        if amount <= buffered {
            self.used = self
                .used
                .saturating_add(usize::try_from(amount).unwrap_or(0));
            return Ok(amount);
        }
        let position = self.next.saturating_sub(buffered);
        let reached = position.saturating_add(amount).min(self.end);
        (self.filled, self.used) = (0, 0);
        self.next = reached;
        self.stride = SHORT;
        Ok(reached.saturating_sub(position))
    }
}

/// Reads what there is at `offset`, at most as much as fits.
pub(crate) fn read_up_to(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
