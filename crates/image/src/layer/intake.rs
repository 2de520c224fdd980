//! The packed bytes of a layer: counted and hashed on their way to the decoder.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use seareeve_model::Digest;

use super::{BlobEnd, Unpacking};
use crate::hashing::Hasher;

/// What both threads see of the packed bytes.
pub(super) struct Shared {
    /// Packed bytes read so far.
    pub(super) packed: AtomicU64,
    /// Set when nobody waits for the digest any more.
    pub(super) stop: AtomicBool,
    /// What all layers share.
    pub(super) image: Arc<Unpacking>,
}

impl Shared {
    pub(super) fn new(image: &Arc<Unpacking>) -> Self {
        Self {
            packed: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            image: Arc::clone(image),
        }
    }
}

/// The packed bytes: counted, hashed, and stopped when nobody wants them.
pub(super) struct Intake<'a> {
    reader: Box<dyn Read + Send>,
    hasher: Hasher,
    bytes: u64,
    shared: &'a Shared,
    broken: Option<io::Error>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        reader: Box<dyn Read + Send>,
        digest: Option<&Digest>,
        shared: &'a Shared,
    ) -> Self {
        Self {
            reader,
            hasher: Hasher::for_comparison(digest),
            bytes: 0,
            shared,
            broken: None,
        }
    }

    /// What both threads and all layers see.
    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// Reads on to the end, for the digest, as long as `go_on` of the bytes read says so.
    pub(super) fn read_rest(mut self, mut go_on: impl FnMut(u64) -> bool) -> BlobEnd {
        let mut rest = [0; 64 * 1024];
        let whole = loop {
            match self.read(&mut rest) {
                Ok(0) => break true,
                Ok(_) if go_on(self.bytes) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break false,
            }
        };
        BlobEnd {
            digest: whole.then(|| self.hasher.finish()),
            bytes: self.bytes,
            broken: self.broken,
        }
    }
}

impl Read for Intake<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.shared.stop.load(Ordering::Relaxed) || self.broken.is_some() {
            return Err(io::Error::other("reading was stopped"));
        }
        match self.reader.read(into) {
            Ok(read) => {
                self.hasher.update(into.get(..read).unwrap_or_default());
                self.bytes = self.bytes.saturating_add(read as u64);
                self.shared.packed.store(self.bytes, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.broken = Some(error);
                Err(told)
            }
        }
    }
}

/// Fills `chunk` as far as possible: how far, and whether that was the end.
pub(super) fn fill(from: &mut impl Read, chunk: &mut [u8]) -> (usize, io::Result<bool>) {
    let mut filled = 0;
    while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => return (filled, Ok(true)),
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(false))
}
