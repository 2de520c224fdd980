//! One log of either kind.

use std::sync::Arc;

use crate::jetstream::{Stream, StreamReader};
use crate::{AppendError, Backlog, Frame, ReadError, Spool, SpoolReader};

/// One log, shared by cloning.
#[derive(Clone)]
pub enum Lane {
    /// On this machine's disk.
    Spool(Arc<Spool>),
    /// On a NATS server.
    Stream(Arc<Stream>),
}

/// The one who reads a lane.
pub enum Reader {
    /// Of a spool.
    Spool(SpoolReader),
    /// Of a stream.
    Stream(Box<StreamReader>),
}

impl Lane {
    /// Appends a frame, and answers when it would survive the loss of power.
    ///
    /// # Errors
    /// When it could not be made safe; then it will not be read.
    pub async fn append(&self, tag: u8, arrived: i64, payload: Vec<u8>) -> Result<(), AppendError> {
        match self {
            Self::Spool(spool) => spool.append(tag, arrived, payload).await.map(|_at| ()),
            Self::Stream(stream) => stream.append(tag, arrived, payload).await,
        }
    }

    /// Whoever reads from `position` on.
    ///
    /// # Errors
    /// When the NATS server refuses.
    pub async fn reader(&self, position: u64) -> Result<Reader, ReadError> {
        Ok(match self {
            Self::Spool(spool) => Reader::Spool(spool.reader(position)),
            Self::Stream(stream) => Reader::Stream(Box::new(stream.reader(position).await?)),
        })
    }

    /// How much waits.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        match self {
            Self::Spool(spool) => spool.backlog(),
            Self::Stream(stream) => stream.backlog(),
        }
    }
}

impl Reader {
    /// The next frame, for which it waits. Whoever stops waiting loses nothing.
    ///
    /// # Errors
    /// When it cannot be read; asking again tries again.
    pub async fn next(&mut self) -> Result<Frame, ReadError> {
        match self {
            Self::Spool(reader) => reader.next().await,
            Self::Stream(reader) => reader.next().await,
        }
    }

    /// Where reading has to begin again so that nothing is left out that was not handed out yet.
    #[must_use]
    pub fn position(&self) -> u64 {
        match self {
            Self::Spool(reader) => reader.position(),
            Self::Stream(reader) => reader.position(),
        }
    }

    /// Says that everything before `position` is done with: it is deleted, sooner or later.
    ///
    /// # Errors
    /// When the NATS server refuses; what was done stays done, and may be read again.
    pub async fn done(&mut self, position: u64) -> Result<(), ReadError> {
        match self {
            Self::Spool(reader) => {
                reader.done(position);
                Ok(())
            }
            Self::Stream(reader) => reader.done(position).await,
        }
    }
}
