//! From a packed blob to unpacked chunks, with both digests made on the way.
//!
//! Two threads share the work: one reads the blob, hashes it and inflates it; the caller's hashes what
//! comes out and walks it. Inflating costs about four times as much as hashing what comes out, so it
//! bounds the wall time already, and a third thread for the hashes would take off nothing more.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use seareeve_model::Digest;

use crate::Limits;
use crate::archive::Section;
use crate::hashing::Hasher;
use crate::tar::{Input, InputError};

use super::Unpacking;
use super::intake::{Intake, Shared, decoder, fill};

/// Bytes of one chunk, and how many are under way: 1 MiB in all.
const CHUNK: usize = 256 * 1024;
const CHUNKS: usize = 4;

/// How often a waiting reader asks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(200);

/// A layer as it lies in its source.
pub(crate) struct Blob {
    pub(crate) reader: Box<dyn Read + Send>,
    /// The digest it was asked for by.
    pub(crate) digest: Option<Digest>,
    /// Where the same bytes lie open on a disk.
    pub(crate) on_disk: Option<Section>,
}

/// What reading a blob to its end said about it.
pub(crate) struct BlobEnd {
    /// Of the packed bytes. `None` when reading was stopped.
    pub(crate) digest: Option<Digest>,
    /// Packed bytes read.
    pub(crate) bytes: u64,
    /// The source broke: not the fault of the layer's content.
    pub(crate) broken: Option<io::Error>,
}

/// Unpacks `blob` in a second thread while `consume` uses the chunks in this one, hashing them if there is a
/// `diff_id` to compare with. `tick` is told the packed bytes read so far, and returns whether to go on.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn unpack<T>(
    blob: Blob,
    limits: &UnpackLimits,
    diff_id: Option<&Digest>,
    tick: &mut dyn FnMut(u64) -> bool,
    consume: impl FnOnce(&mut Chunks<'_>) -> T,
) -> io::Result<(T, BlobEnd)> {
    let shared = Shared::new(&limits.image);
    let (full_sender, full) = sync_channel(CHUNKS);
    let (empty, empty_receiver) = sync_channel(CHUNKS);
    for _ in 0..CHUNKS {
        // There is room for all of them and the receiver lives, so this cannot fail.
        let _ = empty.try_send(Vec::new());
    }
    // Carries nothing: it ends when the producer does.
    let (done_sender, done) = sync_channel::<()>(0);
    std::thread::scope(|scope| {
        let shared = &shared;
        let producer = std::thread::Builder::new()
            .name("unpack".to_owned())
            .spawn_scoped(scope, move || {
                let _done = done_sender;
                produce(blob, shared, &full_sender, &empty_receiver)
            })?;
        let mut chunks = Chunks {
            full,
            empty,
            current: Vec::new(),
            used: 0,
            hasher: diff_id.map(|digest| Hasher::for_comparison(Some(digest))),
            bytes: 0,
            limits,
            shared,
            tick,
            ended: false,
        };
        let result = consume(&mut chunks);
        // Nobody wants chunks any more: the producer only reads the blob to its end for the digest.
        drop(chunks);
        while done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            if !tick(shared.packed.load(Ordering::Relaxed)) {
                shared.stop.store(true, Ordering::Relaxed);
            }
        }
        let end = producer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((result, end))
    })
}

/// The limits that unpacking one layer has.
#[derive(Clone, Debug)]
pub(crate) struct UnpackLimits {
    pub(crate) bytes: u64,
    pub(crate) ratio: u64,
    pub(crate) ratio_floor_bytes: u64,
    /// What all layers share.
    pub(crate) image: Arc<Unpacking>,
}

impl UnpackLimits {
    /// The limits of a layer beside others.
    pub(crate) fn new(limits: &Limits, image: &Arc<Unpacking>) -> Self {
        Self {
            bytes: limits.layer_bytes,
            ratio: limits.ratio,
            ratio_floor_bytes: limits.ratio_floor_bytes,
            image: Arc::clone(image),
        }
    }

    /// Whether a layer may have `bytes` unpacked bytes.
    pub(super) fn check_bytes(&self, bytes: u64) -> Result<(), InputError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(InputError::Limit(format!(
            "it unpacks to more than the limit of {} bytes",
            self.bytes
        )))
    }
}

/// The unpacked bytes of a layer as an [`Input`].
pub(crate) struct Chunks<'a> {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: SyncSender<Vec<u8>>,
    current: Vec<u8>,
    used: usize,
    hasher: Option<Hasher>,
    bytes: u64,
    limits: &'a UnpackLimits,
    shared: &'a Shared,
    tick: &'a mut dyn FnMut(u64) -> bool,
    ended: bool,
}

impl Chunks<'_> {
    /// Unpacked bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads to the end, and gives the digest of everything unpacked, if it was asked for.
    pub(crate) fn finish(&mut self) -> Result<Option<Digest>, InputError> {
        while !self.fill()?.is_empty() {
            let rest = self.current.len().saturating_sub(self.used);
            self.consume(rest);
        }
        Ok(self.hasher.take().map(Hasher::finish))
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>, InputError> {
        loop {
            if !(self.tick)(self.shared.packed.load(Ordering::Relaxed)) {
                self.shared.stop.store(true, Ordering::Relaxed);
                return Err(InputError::Cancelled);
            }
            match self.full.recv_timeout(PATIENCE) {
                Ok(Ok(chunk)) => return Ok(Some(chunk)),
                Ok(Err(error)) => return Err(InputError::Read(error)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn check_limits(&self) -> Result<(), InputError> {
        self.limits.check_bytes(self.bytes)?;
        let packed = self.shared.packed.load(Ordering::Relaxed).max(1);
        if self.bytes > self.limits.ratio_floor_bytes
            && self.bytes > packed.saturating_mul(self.limits.ratio)
        {
            return Err(InputError::Limit(format!(
                "it unpacks to more than {} times its packed size",
                self.limits.ratio
            )));
        }
        Ok(())
    }
}

impl Input for Chunks<'_> {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        if self.used >= self.current.len() && !self.ended {
            let emptied = std::mem::take(&mut self.current);
            self.used = 0;
            // The producer may be at its end already, or have enough; then the buffer is not needed.
            let _ = self.empty.try_send(emptied);
            match self.receive()? {
                Some(chunk) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&chunk);
                    }
                    self.bytes = self.bytes.saturating_add(chunk.len() as u64);
                    self.check_limits()?;
                    self.limits.image.take(chunk.len() as u64)?;
                    self.current = chunk;
                }
                None => self.ended = true,
            }
        }
        Ok(self.current.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.used.saturating_add(amount);
    }

    fn at_hand(&self) -> &[u8] {
        self.current.get(self.used..).unwrap_or_default()
    }
}

/// The second thread: fills chunks until the blob ends or nobody takes them, then reads the rest of the
/// blob for its digest.
fn produce(
    blob: Blob,
    shared: &Shared,
    full: &SyncSender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) -> BlobEnd {
    let mut intake = Intake::new(blob.reader, blob.digest.as_ref(), shared);
    if let Err(error) = inflate(&mut intake, full, empty) {
        // Fails when nobody listens any more, who then needs no error.
        let _ = full.send(Err(error));
    }
    let mut rest = [0; 64 * 1024];
    let ended = loop {
        match intake.read(&mut rest) {
            Ok(0) => break true,
            Ok(_) => {}
            Err(_stopped_or_broken) => break false,
        }
    };
    intake.end(ended)
}

fn inflate(
    intake: &mut Intake<'_>,
    full: &SyncSender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut decoder = decoder(intake)?;
    while let Ok(mut chunk) = empty.recv() {
        chunk.resize(CHUNK, 0);
        let (filled, end) = fill(&mut decoder, &mut chunk);
        chunk.truncate(filled);
        if filled > 0 && full.send(Ok(chunk)).is_err() {
            break;
        }
        if end? {
            break;
        }
    }
    Ok(())
}
