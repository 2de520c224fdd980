//! A log on this machine's disk, in segments.
//!
//! A segment is a file that is named by the number of its first frame. A frame is a header of 17 bytes (length of the
//! payload, CRC-32 of all that follows, time of arrival, tag; all numbers little-endian) and its payload. One thread
//! writes: all frames that wait when it looks are written in one go and made durable by one `fdatasync`, then whoever
//! appended them is told. So many senders cost hardly more than one.
//!
//! Files have mode 0600: what comes in may hold secrets before it is judged. Segments are deleted as soon as all of
//! their frames are done with.

mod reader;
mod segment;
mod writer;

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use tokio::sync::{mpsc, oneshot, watch};

use self::segment::HEADER;
use self::writer::{Order, Writer};
pub use reader::SpoolReader;

use crate::{AppendError, Backlog};

/// How much a spool may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all its files together. When they are reached nothing more is taken.
    pub most_bytes: u64,
    /// Bytes of a payload.
    pub most_payload: usize,
    /// Bytes after which a new segment begins.
    pub segment_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            most_bytes: 1 << 30,
            most_payload: 32 << 20,
            segment_bytes: 16 << 20,
        }
    }
}

/// Frames that wait to be written; more senders wait, and are told of it by [`AppendError::Full`] in the end.
const WAITING: usize = 1024;

/// See the module.
pub struct Spool {
    shared: Arc<Shared>,
    limits: Limits,
    orders: mpsc::Sender<Order>,
    /// Joined when the spool is dropped, so that another may be opened on the same folder.
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What writer, readers and senders know together.
pub(crate) struct Shared {
    folder: Utf8PathBuf,
    /// Bytes of all files, and of what is on its way to them.
    bytes: AtomicU64,
    /// The number of the first frame that is not durable yet.
    durable: watch::Sender<u64>,
}

impl Spool {
    /// Opens the spool in `folder`, which is made when there is none. What was not written whole when the machine
    /// stopped was never acknowledged, and is cut off.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Utf8Path, limits: Limits) -> io::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let (durable, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            bytes: AtomicU64::new(0),
            durable,
        });
        let writer = Writer::open(Arc::clone(&shared), limits)?;
        let (orders, received) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || writer.run(received))?;
        Ok(Self {
            shared,
            limits,
            orders,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Appends a frame; answers with its number when it is durable.
    ///
    /// # Errors
    /// When it is not.
    pub async fn append(
        &self,
        tag: u8,
        arrived: i64,
        payload: Vec<u8>,
    ) -> Result<u64, AppendError> {
        if payload.len() > self.limits.most_payload {
            return Err(AppendError::TooLarge {
                bytes: payload.len(),
                most: self.limits.most_payload,
            });
        }
        // Taken before it is written, so that whoever is one too many is told at once.
        let room = Room::take(&self.shared, self.limits.most_bytes, payload.len())?;
        let (tell, told) = oneshot::channel();
        let order = Order::Append {
            tag,
            arrived,
            payload,
            room,
            tell,
        };
        self.orders
            .send(order)
            .await
            .map_err(|_closed| AppendError::Closed)?;
        told.await.map_err(|_closed| AppendError::Closed)?
    }

    /// Whoever reads from `position` on. There should be one at a time: what it is done with is deleted.
    #[must_use]
    pub fn reader(&self, position: u64) -> SpoolReader {
        SpoolReader::new(Arc::clone(&self.shared), self.orders.downgrade(), position)
    }

    /// How much it holds.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        Backlog {
            bytes: self.shared.bytes.load(Ordering::Relaxed),
            most_bytes: self.limits.most_bytes,
            next: *self.shared.durable.borrow(),
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // The writer ends when the last sender is gone.
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.orders, closed));
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // It panicked, if this fails; nobody can be told.
            let _ = thread.join();
        }
    }
}

/// Bytes of the spool that are spoken for. Given back when dropped, unless they were written.
pub(crate) struct Room {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Room {
    fn take(shared: &Arc<Shared>, most: u64, payload: usize) -> Result<Self, AppendError> {
        let bytes = frame_bytes(payload);
        let taken = shared
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                now.checked_add(bytes).filter(|sum| *sum <= most)
            });
        match taken {
            Ok(_before) => Ok(Self {
                shared: Arc::clone(shared),
                bytes,
            }),
            Err(_full) => Err(AppendError::Full),
        }
    }

    /// It is on the disk now, and counted with its file.
    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a frame takes on the disk.
pub(crate) fn frame_bytes(payload: usize) -> u64 {
    u64::try_from(payload.saturating_add(HEADER)).unwrap_or(u64::MAX)
}
