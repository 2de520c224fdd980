//! From a packed blob to unpacked chunks, with both digests made on the way.
//!
//! Where what comes out is hashed as well, or the blob comes from elsewhere, two threads share the work: one reads
//! the blob, hashes it and inflates it; the caller's hashes what comes out and walks it. Inflating costs about twice as
//! much as hashing what comes out, so it bounds the wall time already, and a third thread for the hashes would take off
//! nothing more.
//!
//! Otherwise the caller's thread does all of it. Walking costs a twentieth of inflating, less than handing over would,
//! and one buffer stays where the processor has it at hand. Other layers are read meanwhile anyway.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use seareeve_inflate::Checksum;
use seareeve_model::Digest;

use crate::Limits;
use crate::archive::Section;
use crate::hashing::Hasher;
use crate::tar::{Input, InputError};

use super::Unpacking;
use super::decoder::{Chunk, Decoder};
use super::intake::{Intake, Shared};

/// How many chunks are under way.
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

/// Unpacks `blob` while `consume` uses the chunks in this thread, hashing them if there is a `diff_id` to compare with.
/// `tick` is told the packed bytes read so far, and returns whether to go on.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn unpack<T>(
    blob: Blob,
    limits: &UnpackLimits,
    diff_id: Option<&Digest>,
    tick: &mut dyn FnMut(u64) -> bool,
    consume: impl FnOnce(&mut Chunks<'_, '_>) -> T,
) -> io::Result<(T, BlobEnd)> {
    match diff_id {
        // A disk does not keep anyone waiting who wants to stop.
        None if blob.on_disk.is_some() => Ok(alone(blob, limits, tick, consume)),
        Some(_) | None => beside(blob, limits, diff_id, tick, consume),
    }
}

/// Unpacks in this thread.
fn alone<T>(
    blob: Blob,
    limits: &UnpackLimits,
    tick: &mut dyn FnMut(u64) -> bool,
    consume: impl FnOnce(&mut Chunks<'_, '_>) -> T,
) -> (T, BlobEnd) {
    let shared = Shared::new(&limits.image);
    let checksum = checksum(&blob);
    let mut intake = Intake::new(blob.reader, blob.digest.as_ref(), &shared);
    let decoder = Decoder::new(&mut intake, checksum);
    let source = Source::Decoder(Some(decoder));
    let mut chunks = Chunks::new(source, None, limits, &shared, tick);
    let result = consume(&mut chunks);
    drop(chunks);
    let end = intake.read_rest(&mut *tick);
    (result, end)
}

/// Unpacks in a second thread.
fn beside<T>(
    blob: Blob,
    limits: &UnpackLimits,
    diff_id: Option<&Digest>,
    tick: &mut dyn FnMut(u64) -> bool,
    consume: impl FnOnce(&mut Chunks<'_, '_>) -> T,
) -> io::Result<(T, BlobEnd)> {
    let shared = Shared::new(&limits.image);
    let (full_sender, full) = sync_channel(CHUNKS);
    let (empty, empty_receiver) = sync_channel(CHUNKS);
    for _ in 0..CHUNKS {
        // There is room for all of them and the receiver lives, so this cannot fail.
        let _ = empty.try_send(Chunk::default());
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
        let source = Source::Thread { full, empty };
        let mut chunks = Chunks::new(source, diff_id, limits, shared, tick);
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
pub(crate) struct Chunks<'a, 'b> {
    source: Source<'a, 'b>,
    current: Chunk,
    used: usize,
    hasher: Option<Hasher>,
    bytes: u64,
    limits: &'a UnpackLimits,
    shared: &'a Shared,
    tick: &'a mut dyn FnMut(u64) -> bool,
    ended: bool,
}

/// Where chunks come from.
enum Source<'a, 'b> {
    /// Another thread, which fills those again that were used.
    Thread {
        full: Receiver<io::Result<Chunk>>,
        empty: SyncSender<Chunk>,
    },
    /// The decoder itself, or why there is nothing more. `None` at the end.
    Decoder(Option<io::Result<Decoder<'a, 'b>>>),
}

impl Source<'_, '_> {
    /// The next chunk, in place of one that was used; `None` at the end. Waits as long as `go_on` says so.
    fn next(
        &mut self,
        mut used: Chunk,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Chunk>, InputError> {
        match self {
            Self::Thread { full, empty } => {
                // The producer may be at its end already, or have enough; then the buffer is not needed.
                let _ = empty.try_send(used);
                loop {
                    if !go_on() {
                        return Err(InputError::Cancelled);
                    }
                    match full.recv_timeout(PATIENCE) {
                        Ok(Ok(chunk)) => return Ok(Some(chunk)),
                        Ok(Err(error)) => return Err(InputError::Read(error)),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return Ok(None),
                    }
                }
            }
            Self::Decoder(state) => loop {
                if !go_on() {
                    return Err(InputError::Cancelled);
                }
                let mut decoder = match state.take() {
                    Some(Ok(decoder)) => decoder,
                    Some(Err(error)) => return Err(InputError::Read(error)),
                    None => return Ok(None),
                };
                *state = match decoder.fill(&mut used) {
                    Ok(false) => Some(Ok(decoder)),
                    Ok(true) => None,
                    Err(error) => Some(Err(error)),
                };
                // What came before the end or an error counts.
                if !used.content().is_empty() {
                    return Ok(Some(used));
                }
            },
        }
    }
}

impl<'a, 'b> Chunks<'a, 'b> {
    fn new(
        source: Source<'a, 'b>,
        diff_id: Option<&Digest>,
        limits: &'a UnpackLimits,
        shared: &'a Shared,
        tick: &'a mut dyn FnMut(u64) -> bool,
    ) -> Self {
        Self {
            source,
            current: Chunk::default(),
            used: 0,
            hasher: diff_id.map(|digest| Hasher::for_comparison(Some(digest))),
            bytes: 0,
            limits,
            shared,
            tick,
            ended: false,
        }
    }

    /// Unpacked bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads to the end, and gives the digest of everything unpacked, if it was asked for.
    pub(crate) fn finish(&mut self) -> Result<Option<Digest>, InputError> {
        while !self.fill()?.is_empty() {
            let rest = self.current.content().len().saturating_sub(self.used);
            self.consume(rest);
        }
        Ok(self.hasher.take().map(Hasher::finish))
    }

    fn receive(&mut self) -> Result<Option<Chunk>, InputError> {
        let used = std::mem::take(&mut self.current);
        let Self { shared, tick, .. } = self;
        let mut go_on = || {
            let go_on = tick(shared.packed.load(Ordering::Relaxed));
            if !go_on {
                shared.stop.store(true, Ordering::Relaxed);
            }
            go_on
        };
        self.source.next(used, &mut go_on)
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

impl Input for Chunks<'_, '_> {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        if self.used >= self.current.content().len() && !self.ended {
            self.used = 0;
            match self.receive()? {
                Some(chunk) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(chunk.content());
                    }
                    self.bytes = self.bytes.saturating_add(chunk.content().len() as u64);
                    self.check_limits()?;
                    self.limits.image.take(chunk.content().len() as u64)?;
                    self.current = chunk;
                }
                None => self.ended = true,
            }
        }
        let content = self.current.content();
        Ok(content.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.used.saturating_add(amount);
    }

    fn at_hand(&self) -> &[u8] {
        let content = self.current.content();
        content.get(self.used..).unwrap_or_default()
    }
}

/// The second thread: fills chunks until the blob ends or nobody takes them, then reads the rest of the
/// blob for its digest.
fn produce(
    blob: Blob,
    shared: &Shared,
    full: &SyncSender<io::Result<Chunk>>,
    empty: &Receiver<Chunk>,
) -> BlobEnd {
    let checksum = checksum(&blob);
    let mut intake = Intake::new(blob.reader, blob.digest.as_ref(), shared);
    if let Err(error) = inflate(&mut intake, checksum, full, empty) {
        // Fails when nobody listens any more, who then needs no error.
        let _ = full.send(Err(error));
    }
    intake.read_rest(|_| true)
}

/// Whoever verifies the digest of the packed bytes needs no checksum of what comes out of them.
fn checksum(blob: &Blob) -> Checksum {
    match blob.digest {
        Some(_) => Checksum::Skip,
        None => Checksum::Verify,
    }
}

fn inflate(
    intake: &mut Intake<'_>,
    checksum: Checksum,
    full: &SyncSender<io::Result<Chunk>>,
    empty: &Receiver<Chunk>,
) -> io::Result<()> {
    let mut decoder = Decoder::new(intake, checksum)?;
    while let Ok(mut chunk) = empty.recv() {
        let end = decoder.fill(&mut chunk);
        if !chunk.content().is_empty() && full.send(Ok(chunk)).is_err() {
            break;
        }
        if end? {
            break;
        }
    }
    Ok(())
}
