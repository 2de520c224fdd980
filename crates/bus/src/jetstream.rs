//! A log on a NATS server with JetStream: for several receivers, or a disk that is not this machine's.
//!
//! All lanes share one stream; each has a subject of its own, and a durable consumer of the same name. A frame is
//! compressed and cut into parts that fit into a message. A part's id is made of the lane and the frame's digest, so that
//! a frame that is appended again, because its sender was not told in time, is stored once.
//!
//! The stream works as a queue: what is acknowledged is deleted. Acknowledged is what was done with, and not what was
//! handed out, so nothing is lost with the reader's process.

mod parts;
mod reader;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use tokio::sync::Mutex;

use self::parts::Parts;
pub use self::reader::StreamReader;
use crate::{AppendError, Backlog, ReadError};

/// The stream of all lanes.
const STREAM: &str = "SEAREEVE";
/// Before a lane's name in its subject.
const SUBJECT: &str = "seareeve.lane";
/// How long the server remembers the ids of messages: longer than anybody who was not answered waits before trying
/// again.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Parts of a frame that are on their way at a time: each is in memory once more.
const UNDERWAY: usize = 8;
/// Time for one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a frame.
const MOST_PAYLOAD: usize = 32 << 20;

/// A connection to the server, for any number of lanes.
#[derive(Clone)]
pub struct Nats {
    context: Context,
    most_bytes: u64,
}

/// The server cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the NATS server: {why}")]
pub struct NatsError {
    why: String,
}

impl NatsError {
    fn new(why: &impl fmt::Display) -> Self {
        Self {
            why: why.to_string(),
        }
    }
}

impl Nats {
    /// Connects, and makes the stream, which takes `most_bytes`, when there is none.
    ///
    /// # Errors
    /// When the server cannot be reached or has no JetStream.
    pub async fn connect(address: &str, most_bytes: u64) -> Result<Self, NatsError> {
        let client = ConnectOptions::new()
            .name("seareeve")
            .request_timeout(Some(PATIENCE))
            .connection_timeout(PATIENCE)
            .connect(address)
            .await
            .map_err(|error| NatsError::new(&error))?;
        let mut context = jetstream::new(client);
        context.set_timeout(PATIENCE);
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec![format!("{SUBJECT}.*")],
            retention: RetentionPolicy::WorkQueue,
            // What is refused is offered again by its sender. What is deleted to make room is lost.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            max_bytes: i64::try_from(most_bytes).unwrap_or(i64::MAX),
            duplicate_window: REMEMBERED,
            ..Config::default()
        };
        context
            .create_or_update_stream(config)
            .await
            .map_err(|error| NatsError::new(&error))?;
        Ok(Self {
            context,
            most_bytes,
        })
    }

    /// The lane of this name: letters, digits and hyphens.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn lane(&self, name: &str) -> Result<Stream, NatsError> {
        let stream = Stream {
            nats: self.clone(),
            name: name.to_owned(),
            bytes: AtomicU64::new(0),
            next: AtomicU64::new(0),
            turn: Mutex::new(()),
        };
        stream
            .look()
            .await
            .map_err(|error| NatsError::new(&error))?;
        Ok(stream)
    }

    /// Deletes what waits in a lane, and its consumer: the stream is everybody's, and nobody will read what is left.
    ///
    /// # Errors
    /// When the server does not do it.
    pub async fn forget(&self, name: &str) -> Result<(), NatsError> {
        let stream = self.context.get_stream(STREAM).await;
        let stream = stream.map_err(|error| NatsError::new(&error))?;
        // There is none where nobody ever read.
        if let Err(error) = stream.delete_consumer(name).await {
            tracing::debug!(error = %error, lane = name, "no consumer to delete");
        }
        let purged = stream.purge().filter(subject(name)).await;
        purged.map_err(|error| NatsError::new(&error))?;
        Ok(())
    }
}

/// A lane on the server.
pub struct Stream {
    nats: Nats,
    name: String,
    /// What the server said last.
    bytes: AtomicU64,
    next: AtomicU64,
    /// Held while the parts of one frame are sent, so that they stand side by side.
    turn: Mutex<()>,
}

impl Stream {
    /// Appends a frame; answers when the server has stored all of it.
    ///
    /// # Errors
    /// When it has not. What it has stored of it will not be read.
    pub async fn append(&self, tag: u8, arrived: i64, payload: Vec<u8>) -> Result<(), AppendError> {
        if payload.len() > MOST_PAYLOAD {
            return Err(AppendError::TooLarge {
                bytes: payload.len(),
                most: MOST_PAYLOAD,
            });
        }
        let parts = Parts::cut(&self.name, tag, &payload);
        let parts = parts.map_err(|error| AppendError::Nats(error.to_string()))?;
        drop(payload);
        let _turn = self.turn.lock().await;
        let mut sent = VecDeque::new();
        for part in parts.messages(arrived) {
            if sent.len() >= UNDERWAY {
                self.stored(sent.pop_front()).await?;
            }
            let message = PublishMessage::build()
                .message_id(&part.id)
                .headers(part.headers)
                .payload(part.payload.into());
            let publish = self
                .nats
                .context
                .send_publish(self.subject(), message.message_id(part.id));
            sent.push_back(publish.await.map_err(|error| refused(&error))?);
        }
        while !sent.is_empty() {
            self.stored(sent.pop_front()).await?;
        }
        Ok(())
    }

    /// Waits until a part is stored.
    async fn stored(&self, part: Option<PublishAckFuture>) -> Result<(), AppendError> {
        if let Some(part) = part {
            let stored = part.await.map_err(|error| refused(&error))?;
            self.next
                .fetch_max(stored.sequence.saturating_add(1), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whoever reads from `position` on.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn reader(&self, position: u64) -> Result<StreamReader, ReadError> {
        self.look().await?;
        // A position beyond the end was reached in a stream that somebody has deleted since.
        let position = if position > self.next.load(Ordering::Relaxed) {
            0
        } else {
            position
        };
        StreamReader::open(self.nats.context.clone(), &self.name, position).await
    }

    /// How much waits in all lanes, as of the last look.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        Backlog {
            bytes: self.bytes.load(Ordering::Relaxed),
            most_bytes: self.nats.most_bytes,
            next: self.next.load(Ordering::Relaxed),
        }
    }

    /// Asks the server how much waits.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look(&self) -> Result<(), ReadError> {
        let mut stream = self
            .nats
            .context
            .get_stream(STREAM)
            .await
            .map_err(|error| ReadError::Nats(error.to_string()))?;
        let info = stream
            .info()
            .await
            .map_err(|error| ReadError::Nats(error.to_string()))?;
        self.bytes.store(info.state.bytes, Ordering::Relaxed);
        self.next.store(
            info.state.last_sequence.saturating_add(1),
            Ordering::Relaxed,
        );
        Ok(())
    }

    fn subject(&self) -> String {
        subject(&self.name)
    }
}

fn subject(lane: &str) -> String {
    format!("{SUBJECT}.{lane}")
}

/// A full stream refuses by an error of JetStream's own, of which only the text is known here.
fn refused(error: &jetstream::context::PublishError) -> AppendError {
    let text = format!("{error}: {}", source_text(error));
    if text.contains("maximum bytes exceeded") || text.contains("insufficient storage") {
        return AppendError::Full;
    }
    AppendError::Nats(text)
}

fn source_text(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
