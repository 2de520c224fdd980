//! The one thread that writes a spool.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::segment::{self, Cursor};
use super::{Limits, Room, Shared};
use crate::AppendError;

/// Bytes of small frames that go into one write.
const BATCH: usize = 4 << 20;
/// A payload from this size on is written from where it lies.
const LARGE: usize = 256 << 10;
/// A segment all of whose frames are done with is deleted when it is this old or large, since making a new one costs
/// two flushes.
const STALE: Duration = Duration::from_secs(2);
const STALE_BYTES: u64 = 1 << 20;

/// What the thread is asked to do.
pub(super) enum Order {
    Append {
        tag: u8,
        arrived: i64,
        payload: Vec<u8>,
        room: Room,
        tell: oneshot::Sender<Result<u64, AppendError>>,
    },
    /// All frames before this one are done with.
    Done(u64),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    limits: Limits,
    /// Number and bytes of the segments before the one that is written.
    full: VecDeque<(u64, u64)>,
    file: File,
    first: u64,
    /// The number of the next frame.
    next: u64,
    /// Bytes of the file that are whole and durable.
    offset: u64,
    begun: Instant,
    done: u64,
    /// What was written could not be taken back: nothing can be promised any more.
    is_broken: bool,
}

/// What is to be written: small frames in one piece, large payloads in pieces of their own, since a copy of each would
/// be most of the memory that there is.
#[derive(Default)]
struct Text {
    large: Vec<(Vec<u8>, Vec<u8>)>,
    /// What comes behind those.
    last: Vec<u8>,
    bytes: usize,
}

impl Text {
    fn add(&mut self, tag: u8, arrived: i64, payload: Vec<u8>) {
        self.bytes += segment::HEADER + payload.len();
        segment::encode_header(&mut self.last, tag, arrived, &payload);
        if payload.len() < LARGE {
            self.last.extend_from_slice(&payload);
        } else {
            self.large.push((std::mem::take(&mut self.last), payload));
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let large = self.large.iter();
        large
            .flat_map(|(before, payload)| [before.as_slice(), payload.as_slice()])
            .chain([self.last.as_slice()])
    }

    fn clear(&mut self) {
        self.large.clear();
        self.last.clear();
        self.bytes = 0;
    }
}

/// A frame that is in the text.
struct Waiting {
    room: Room,
    tell: oneshot::Sender<Result<u64, AppendError>>,
}

impl Writer {
    pub(super) fn open(shared: Arc<Shared>, limits: Limits) -> io::Result<Self> {
        let folder = shared.folder.clone();
        let mut firsts = segment::list(&folder)?;
        let last = firsts.pop();
        let mut full = VecDeque::new();
        for first in firsts {
            full.push_back((first, segment::path(&folder, first).metadata()?.len()));
        }
        let first = last.unwrap_or(0);
        let path = segment::path(&folder, first);
        let mut next = first;
        let mut offset = 0;
        if last.is_some() {
            let mut cursor = Cursor::open(&path)?;
            while cursor.skip()? {
                next += 1;
            }
            offset = cursor.offset;
        }
        let mut file = open_segment(&path)?;
        let torn = file.metadata()?.len().saturating_sub(offset);
        if torn > 0 {
            // It was never acknowledged: the flush that would have made it so did not return.
            warn!(path = %path, torn_bytes = torn, "cut off what was not written whole");
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        file.sync_data()?;
        sync_folder(&shared)?;
        let bytes = full.iter().map(|(_, bytes)| bytes).sum::<u64>() + offset;
        shared.bytes.store(bytes, Ordering::Relaxed);
        shared.durable.send_replace(next);
        Ok(Self {
            shared,
            limits,
            full,
            file,
            first,
            next,
            offset,
            begun: Instant::now(),
            done: 0,
            is_broken: false,
        })
    }

    /// Ends when nobody can send any more.
    pub(super) fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut text = Text::default();
        let mut waiting = Vec::new();
        while let Some(order) = orders.blocking_recv() {
            self.take(order, &mut text, &mut waiting);
            while text.bytes < BATCH
                && let Ok(order) = orders.try_recv()
            {
                self.take(order, &mut text, &mut waiting);
            }
            self.flush(&mut text, &mut waiting);
            if let Err(error) = self.delete_done() {
                warn!(error = %error, folder = %self.shared.folder, "failed to delete what is done with");
            }
        }
    }

    fn take(&mut self, order: Order, text: &mut Text, waiting: &mut Vec<Waiting>) {
        match order {
            Order::Append {
                tag,
                arrived,
                payload,
                room,
                tell,
            } => {
                text.add(tag, arrived, payload);
                waiting.push(Waiting { room, tell });
            }
            Order::Done(position) => self.done = self.done.max(position.min(self.next)),
        }
    }

    /// Writes what waits and tells whoever waits for it.
    fn flush(&mut self, text: &mut Text, waiting: &mut Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        let written = self.write(text);
        let bytes = u64::try_from(text.bytes).unwrap_or(u64::MAX);
        text.clear();
        match written {
            Ok(()) => {
                self.offset += bytes;
                let first = self.next;
                self.next += u64::try_from(waiting.len()).unwrap_or(u64::MAX);
                self.shared.durable.send_replace(self.next);
                for (at, Waiting { room, tell }) in (first..).zip(waiting.drain(..)) {
                    room.keep();
                    // Whoever asked may have gone; then the frame is read all the same, which nobody minds.
                    let _ = tell.send(Ok(at));
                }
            }
            Err(error) => {
                error!(error = %error, folder = %self.shared.folder, "failed to write the spool");
                self.take_back();
                let error = Arc::new(error);
                for Waiting { tell, .. } in waiting.drain(..) {
                    let _ = tell.send(Err(AppendError::Disk(Arc::clone(&error))));
                }
            }
        }
    }

    fn write(&mut self, text: &Text) -> io::Result<()> {
        if self.is_broken {
            return Err(io::Error::other(
                "an earlier write could not be taken back; restart when the disk is well again",
            ));
        }
        if self.offset >= self.limits.segment_bytes {
            self.begin_segment()?;
        }
        for piece in text.pieces() {
            self.file.write_all(piece)?;
        }
        self.file.sync_data()
    }

    /// What a failed flush leaves behind must not be read: nobody was told that it is safe.
    fn take_back(&mut self) {
        let taken = self
            .file
            .set_len(self.offset)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.offset)))
            .and_then(|_| self.file.sync_data());
        if let Err(error) = taken {
            error!(error = %error, folder = %self.shared.folder, "failed to take back a write: the spool takes nothing more");
            self.is_broken = true;
        }
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let file = open_segment(&segment::path(&self.shared.folder, self.next))?;
        file.sync_data()?;
        sync_folder(&self.shared)?;
        self.full.push_back((self.first, self.offset));
        self.file = file;
        self.first = self.next;
        self.offset = 0;
        self.begun = Instant::now();
        Ok(())
    }

    fn delete_done(&mut self) -> io::Result<()> {
        let is_stale = self.begun.elapsed() >= STALE || self.offset >= STALE_BYTES;
        if self.done == self.next && self.offset > 0 && is_stale && !self.is_broken {
            self.begin_segment()?;
        }
        while let Some((first, bytes)) = self.full.front().copied() {
            let end = self.full.get(1).map_or(self.first, |(first, _)| *first);
            if end > self.done {
                break;
            }
            std::fs::remove_file(segment::path(&self.shared.folder, first))?;
            self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.full.pop_front();
        }
        Ok(())
    }
}

fn open_segment(path: &camino::Utf8Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// A file's name is only safe when its folder is.
fn sync_folder(shared: &Shared) -> io::Result<()> {
    File::open(&shared.folder)?.sync_all()
}
