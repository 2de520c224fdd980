//! Durable logs between those who receive events and those who judge them.
//!
//! A [`Lane`] is one log: whoever receives something appends it and is told when it is safe; one consumer reads it in
//! order, and says up to where it has done its work. There are two kinds: a [`Spool`] on this machine's disk, and a
//! [`jetstream`] on a NATS server. Neither looks into what it carries, and neither knows of clusters or rules.
//!
//! What was appended is read at least once: who must not do things twice keeps the position that it has reached in the
//! same transaction as what it did, and begins there.

#![warn(clippy::indexing_slicing)]

pub mod jetstream;
mod lane;
mod spool;

pub use lane::{Lane, Reader};
pub use spool::{Limits, Spool, SpoolReader};

/// Bytes from which on a buffer is large.
const LARGE: usize = 1 << 20;
/// What is asked for instead. The C library keeps what was freed for each thread that ever asked for as much, up to
/// blocks of 32 MiB; larger ones go back to the system at once.
const RETURNED: usize = 33 << 20;

/// An empty buffer for so many bytes. Large ones take memory only as far as they are written to, and only as long as
/// they live.
#[must_use]
pub fn buffer(bytes: usize) -> Vec<u8> {
    if bytes < LARGE {
        return Vec::with_capacity(bytes);
    }
    Vec::with_capacity(bytes.max(RETURNED))
}

/// What a lane carries, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins: reading from here gives it again.
    pub position: u64,
    /// Where the next one begins.
    pub next: u64,
    /// When it came, in unix milliseconds.
    pub arrived: i64,
    /// Whatever the one who appended it wanted to say of it.
    pub tag: u8,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// How much waits in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes that the lane takes.
    pub bytes: u64,
    /// The most that it may take.
    pub most_bytes: u64,
    /// Where the next frame will be appended.
    pub next: u64,
}

/// Why something was not appended. Nothing of it will be read.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// As much waits as may. The sender should come back later.
    #[error("the log is full")]
    Full,
    /// It is larger than a frame may be. The sender's fault.
    #[error("a frame of {bytes} bytes is more than {most}")]
    TooLarge {
        /// How large.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// The disk refused. The operator's matter.
    #[error("failed to write the log")]
    Disk(#[source] std::sync::Arc<std::io::Error>),
    /// The NATS server refused or is away. The operator's matter.
    #[error("failed to publish: {0}")]
    Nats(String),
    /// The log is closed: the process ends.
    #[error("the log is closed")]
    Closed,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk refused. The operator's matter.
    #[error("failed to read the log")]
    Disk(#[from] std::io::Error),
    /// The NATS server refused or is away. The operator's matter.
    #[error("failed to read from the NATS server: {0}")]
    Nats(String),
}
