//! A private file for an archive that has to be read out of order but comes as a stream.
//!
//! It has no name, so nobody else can open it and it is gone with us, however we end. What it needs of the
//! disk is the whole archive: `docker save` writes layers in the order of their digests and says last
//! which is which, so that nothing can be read before everything is there.

use std::fs::File;
use std::io::{self, Read, Write as _};

use camino::Utf8Path;

use crate::watch::Watch;
use crate::{Limits, ReadError};

/// Bytes moved at once.
const PIECE: usize = 256 * 1024;

/// Bytes of the disk that are left to others, who may have nothing but this disk.
const RESERVE: u64 = 64 << 20;
/// After so many bytes the disk is asked how full it is.
const GLANCE: u64 = 16 << 20;

/// A file in the folder for temporary files that no path leads to.
pub(crate) struct Spool<'a> {
    file: File,
    folder: &'a Utf8Path,
}

/// Why a spool was not filled.
pub(crate) enum SpoolError {
    /// What it is filled from broke.
    Source(io::Error),
    /// It is too much, or the disk said no, or the caller did.
    Spool(ReadError),
}

impl<'a> Spool<'a> {
    pub(crate) fn create(folder: &'a Utf8Path) -> Result<Self, ReadError> {
        let file = tempfile::tempfile_in(folder).map_err(|source| ReadError::Io {
            path: format!("the folder for temporary files {folder}"),
            source,
        })?;
        Ok(Self { file, folder })
    }

    /// Refuses at once what the disk has no room for.
    pub(crate) fn expect(&self, bytes: u64) -> Result<(), ReadError> {
        // A file system that does not say how full it is will say so when it is.
        match self.free() {
            Some(free) if free < bytes.saturating_add(RESERVE) => Err(self.no_room(bytes, free)),
            Some(_) | None => Ok(()),
        }
    }

    /// Moves everything from `from` into the file. `packed` says how many bytes `from` has been made of so
    /// far, for the ratio.
    pub(crate) fn fill(
        mut self,
        from: &mut dyn Read,
        packed: &dyn Fn() -> u64,
        limits: &Limits,
        watch: &Watch,
    ) -> Result<File, SpoolError> {
        let mut piece = vec![0; PIECE];
        let mut bytes: u64 = 0;
        let mut next_glance = GLANCE;
        loop {
            if watch.is_stopped() {
                return Err(ReadError::Cancelled.into());
            }
            let read = match from.read(&mut piece) {
                Ok(0) => return Ok(self.file),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SpoolError::Source(error)),
            };
            bytes = bytes.saturating_add(read as u64);
            check(bytes, packed(), limits)?;
            self.write(piece.get(..read).unwrap_or_default(), bytes)?;
            watch.fetched(read as u64);
            if bytes >= next_glance {
                next_glance = bytes.saturating_add(GLANCE);
                if let Some(free) = self.free().filter(|free| *free < RESERVE) {
                    return Err(self
                        .no_room(bytes.saturating_add(RESERVE), bytes.saturating_add(free))
                        .into());
                }
            }
        }
    }

    fn write(&mut self, piece: &[u8], bytes: u64) -> Result<(), ReadError> {
        match self.file.write_all(piece) {
            Ok(()) => Ok(()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                // What we wrote is free again as soon as this error is read.
                let written = bytes.saturating_sub(piece.len() as u64);
                Err(self.no_room(
                    bytes,
                    self.free().unwrap_or_default().saturating_add(written),
                ))
            }
            Err(source) => Err(ReadError::Io {
                path: format!("a temporary file in {}", self.folder),
                source,
            }),
        }
    }

    fn free(&self) -> Option<u64> {
        let system = rustix::fs::fstatvfs(&self.file).ok()?;
        Some(system.f_bavail.saturating_mul(system.f_frsize))
    }

    fn no_room(&self, needed: u64, free: u64) -> ReadError {
        ReadError::NoRoom {
            folder: self.folder.to_string(),
            needed,
            free,
        }
    }
}

fn check(bytes: u64, packed: u64, limits: &Limits) -> Result<(), ReadError> {
    if bytes > limits.image_bytes {
        return Err(ReadError::LimitReached {
            what: "the unpacked archive".to_owned(),
            limit: limits.image_bytes,
            unit: "bytes",
        });
    }
    if bytes > limits.ratio_floor_bytes && bytes > packed.max(1).saturating_mul(limits.ratio) {
        return Err(ReadError::LimitReached {
            what: "the unpacked archive".to_owned(),
            limit: limits.ratio,
            unit: "times its packed size",
        });
    }
    Ok(())
}

impl From<ReadError> for SpoolError {
    fn from(error: ReadError) -> Self {
        Self::Spool(error)
    }
}
