//! Reading a spool in order.

use std::io;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::error;

use super::Shared;
use super::segment::{self, Cursor, Found};
use super::writer::Order;
use crate::{Frame, ReadError};

/// Reads from a position on. It reads what is durable, and nothing else.
pub struct SpoolReader {
    shared: Arc<Shared>,
    orders: mpsc::WeakSender<Order>,
    durable: watch::Receiver<u64>,
    next: u64,
    /// The open segment.
    open: Option<Open>,
    /// A read that goes on although whoever asked for it has stopped waiting.
    reading: Option<JoinHandle<io::Result<Read>>>,
}

type Read = (Option<Frame>, Option<Open>);

struct Open {
    first: u64,
    cursor: Cursor,
    /// The number of the frame at the cursor.
    at: u64,
}

impl SpoolReader {
    pub(super) fn new(shared: Arc<Shared>, orders: mpsc::WeakSender<Order>, position: u64) -> Self {
        let durable = shared.durable.subscribe();
        // A position beyond the end was reached on another disk: whoever lost the spool must not wait for that many
        // frames to come again.
        let next = if position > *durable.borrow() {
            0
        } else {
            position
        };
        Self {
            shared,
            orders,
            durable,
            next,
            open: None,
            reading: None,
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.next
    }

    pub(crate) fn done(&self, position: u64) {
        if let Some(orders) = self.orders.upgrade() {
            // If too much waits to be written there will be another occasion.
            let _ = orders.try_send(Order::Done(position));
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Frame, ReadError> {
        loop {
            let durable = *self.durable.borrow_and_update();
            if self.reading.is_none() && self.next >= durable {
                // The sender lives as long as `shared`, which we hold.
                let _ = self.durable.changed().await;
                continue;
            }
            let reading = self.reading.get_or_insert_with(|| {
                let (shared, next, open) = (Arc::clone(&self.shared), self.next, self.open.take());
                tokio::task::spawn_blocking(move || read(&shared, next, durable, open))
            });
            let done = reading.await;
            self.reading = None;
            let (frame, open) = done.map_err(|error| io::Error::other(error.to_string()))??;
            self.open = open;
            match frame {
                Some(frame) => {
                    self.next = frame.next;
                    return Ok(frame);
                }
                None => self.next = durable,
            }
        }
    }
}

/// The frame `next`, or the first one after it that can be read; nothing if none before `durable` can.
fn read(shared: &Shared, next: u64, durable: u64, open: Option<Open>) -> io::Result<Read> {
    let mut open = open.filter(|open| open.at <= next);
    loop {
        let mut segment = match open.take() {
            Some(segment) => segment,
            None => match open_at(shared, next)? {
                Some(segment) => segment,
                None => return Ok((None, None)),
            },
        };
        match segment.cursor.next()? {
            Found::Frame { .. } if segment.at < next => {
                segment.at += 1;
                open = Some(segment);
            }
            Found::Frame {
                tag,
                arrived,
                payload,
            } => {
                let position = segment.at;
                if position > next {
                    error!(folder = %shared.folder, first = next, frames = position - next, "frames of the spool are lost");
                }
                segment.at += 1;
                if segment.at == durable {
                    segment.cursor.settle()?;
                }
                let frame = Frame {
                    position,
                    next: segment.at,
                    arrived,
                    tag,
                    payload,
                };
                return Ok((Some(frame), Some(segment)));
            }
            Found::End => {
                let later = segment::list(&shared.folder)?
                    .into_iter()
                    .find(|first| *first > segment.first);
                let Some(first) = later.filter(|first| *first < durable) else {
                    // It was whole when it was acknowledged: the disk, or somebody, has changed it since.
                    error!(folder = %shared.folder, first = segment.at, frames = durable - segment.at.min(durable), "frames of the spool are lost");
                    return Ok((None, None));
                };
                open = Some(at_segment(shared, first)?);
            }
        }
    }
}

/// The segment in which `next` is, or the first one after it.
fn open_at(shared: &Shared, next: u64) -> io::Result<Option<Open>> {
    let firsts = segment::list(&shared.folder)?;
    let before = firsts.iter().rev().find(|first| **first <= next);
    match before.or(firsts.first()) {
        Some(first) => Ok(Some(at_segment(shared, *first)?)),
        None => Ok(None),
    }
}

fn at_segment(shared: &Shared, first: u64) -> io::Result<Open> {
    Ok(Open {
        first,
        cursor: Cursor::open(&segment::path(&shared.folder, first))?,
        at: first,
    })
}
