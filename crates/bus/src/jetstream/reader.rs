//! Reading a lane from a NATS server, in the order in which it was stored.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::pull::{Config, Stream as Messages};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::message::Acker;
use futures_util::StreamExt as _;
use tracing::warn;

use super::parts::Assembly;
use super::{STREAM, subject};
use crate::{Frame, ReadError};

/// Messages that are handed out and not acknowledged: of half a MiB at most each, and they wait on their way to us.
const UNACKNOWLEDGED: i64 = 20_000;
/// Messages that are asked for in one go.
const PULLED: usize = 8;
/// After this time the server gives a message again that was not acknowledged. It is known then, and not handed out
/// twice.
const AGAIN: Duration = Duration::from_secs(600);

/// Reads from a position on.
pub struct StreamReader {
    context: Context,
    name: String,
    messages: Option<Messages>,
    assembly: Assembly,
    /// Of what was handed out, how to acknowledge it.
    held: BTreeMap<u64, Acker>,
    next: u64,
    done: u64,
}

impl StreamReader {
    pub(super) async fn open(
        context: Context,
        name: &str,
        position: u64,
    ) -> Result<Self, ReadError> {
        let mut reader = Self {
            context,
            name: name.to_owned(),
            messages: None,
            assembly: Assembly::default(),
            held: BTreeMap::new(),
            next: position,
            done: position,
        };
        reader.messages = Some(reader.subscribe().await?);
        Ok(reader)
    }

    /// What an earlier reader was given and did not acknowledge would come again only after a while, behind what is
    /// newer. So the consumer is made anew: then all that is left comes in order.
    async fn subscribe(&self) -> Result<Messages, ReadError> {
        let failed = |error: &dyn std::fmt::Display| ReadError::Nats(error.to_string());
        let stream = self
            .context
            .get_stream(STREAM)
            .await
            .map_err(|error| failed(&error))?;
        if let Err(error) = stream.delete_consumer(&self.name).await {
            // There is none the first time.
            tracing::debug!(error = %error, lane = self.name, "no consumer to replace");
        }
        let config = Config {
            durable_name: Some(self.name.clone()),
            filter_subject: subject(&self.name),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: AGAIN,
            max_ack_pending: UNACKNOWLEDGED,
            ..Config::default()
        };
        let consumer = stream
            .create_consumer(config)
            .await
            .map_err(|error| failed(&error))?;
        consumer
            .stream()
            .max_messages_per_batch(PULLED)
            .messages()
            .await
            .map_err(|error| failed(&error))
    }

    pub(crate) async fn next(&mut self) -> Result<Frame, ReadError> {
        loop {
            if self.messages.is_none() {
                // Frames that were begun begin again.
                self.next = self.position();
                self.assembly.clear();
                self.messages = Some(self.subscribe().await?);
            }
            let Some(messages) = &mut self.messages else {
                continue;
            };
            let message = match messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.messages = None;
                    return Err(ReadError::Nats(error.to_string()));
                }
                None => {
                    self.messages = None;
                    return Err(ReadError::Nats("the server ended the stream".to_owned()));
                }
            };
            let Some(sequence) = message.info().ok().map(|info| info.stream_sequence) else {
                warn!(lane = self.name, "a message without a place in the stream");
                continue;
            };
            let (message, acker) = message.split();
            if sequence < self.done {
                self.acknowledge(&acker).await;
                continue;
            }
            self.held.insert(sequence, acker);
            // Already handed out: the server gives it again after a while, or after the connection broke.
            if sequence < self.next {
                continue;
            }
            let frame = self
                .assembly
                .add(sequence, message.headers.as_ref(), &message.payload);
            if let Some(frame) = frame {
                self.next = frame.next;
                return Ok(frame);
            }
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.assembly.first().unwrap_or(self.next).min(self.next)
    }

    pub(crate) async fn done(&mut self, position: u64) -> Result<(), ReadError> {
        self.done = self.done.max(position);
        let kept = self.held.split_off(&self.done);
        for acker in std::mem::replace(&mut self.held, kept).into_values() {
            self.acknowledge(&acker).await;
        }
        Ok(())
    }

    /// One that does not arrive is made up for when the message comes again.
    async fn acknowledge(&self, acker: &Acker) {
        if let Err(error) = acker.ack().await {
            warn!(error = %error, lane = self.name, "failed to acknowledge a message");
        }
    }
}
