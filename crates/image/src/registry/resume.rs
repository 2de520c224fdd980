//! A blob that goes on where its connection broke.

use std::io::{self, Read};
use std::sync::Arc;

use super::client::{Ask, Body, Client};
use crate::ReadError;

/// A connection that brought so many bytes did its work: breaking after them does not count as failing
/// again. A registry that drips a little into every connection is given up all the same.
const PROGRESS: u64 = 8 << 20;

/// The bytes of one blob. The digest over all of them, made by who reads them, also catches a registry that
/// changed its mind in between.
pub(super) struct Resuming {
    client: Arc<Client>,
    path: String,
    body: Box<dyn Read + Send>,
    /// Bytes that the manifest says there are. One more is passed on, so that too many show as a wrong
    /// digest.
    size: u64,
    position: u64,
    tries_left: u32,
    /// Bytes since `tries_left` was full.
    gained: u64,
}

impl Resuming {
    pub(super) fn new(client: &Arc<Client>, path: String, size: u64, body: Body) -> Self {
        Self {
            client: Arc::clone(client),
            path,
            body: body.reader,
            size,
            position: 0,
            tries_left: client.retries,
            gained: 0,
        }
    }

    /// Asks for the rest, after `broken`.
    fn resume(&mut self, broken: io::Error) -> io::Result<()> {
        let mut broken = broken;
        loop {
            if self.tries_left == 0 || self.client.watch.is_stopped() {
                return Err(broken);
            }
            self.tries_left = self.tries_left.saturating_sub(1);
            self.client
                .watch
                .pause(self.client.pause)
                .map_err(io::Error::other)?;
            match self.rest() {
                Ok(body) => {
                    self.body = body;
                    return Ok(());
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => broken = error,
            }
        }
    }

    fn rest(&mut self) -> io::Result<Box<dyn Read + Send>> {
        let ask = Ask {
            path: &self.path,
            accept: "*/*",
            what: "layer",
            from: self.position,
        };
        let mut body = match self.client.get(ask) {
            Ok(body) => body,
            // There is nothing more, so it is shorter than the manifest says: its digest will tell.
            Err(ReadError::Status { status: 416, .. }) => {
                self.size = self.position;
                return Ok(Box::new(io::empty()));
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        // Who does not know ranges starts from the beginning.
        let known = self.position.saturating_sub(body.start);
        let skipped = io::copy(&mut body.reader.by_ref().take(known), &mut io::sink())?;
        if skipped < known {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(body.reader)
    }
}

/// Whether the registry said no, and not only nothing: then asking again changes nothing.
fn is_final(error: &io::Error) -> bool {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref());
    refused.is_some_and(|refused| !matches!(refused, ReadError::Network { .. }))
}

impl Read for Resuming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.size.saturating_add(1).saturating_sub(self.position);
            let longest = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
            let into = into.get_mut(..longest).unwrap_or_default();
            if into.is_empty() {
                return Ok(0);
            }
            let broken = match self.body.read(into) {
                Ok(0) if self.position >= self.size => return Ok(0),
                Ok(0) => io::ErrorKind::UnexpectedEof.into(),
                Ok(read) => {
                    self.position = self.position.saturating_add(read as u64);
                    self.gained = self.gained.saturating_add(read as u64);
                    if self.gained >= PROGRESS {
                        self.gained = 0;
                        self.tries_left = self.client.retries;
                    }
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => error,
            };
            self.resume(broken)?;
        }
    }
}
