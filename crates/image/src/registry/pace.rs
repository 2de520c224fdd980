//! The least that an answer must bring while it is waited for: a registry that sends a byte now and then is never
//! silent for long, and would keep a scan for ever.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::LeastRate;

/// An answer that is given up when it comes too slowly. Only waiting counts, not what is done with the bytes.
pub(super) struct Paced<R> {
    reader: R,
    least: LeastRate,
    waited: Duration,
    bytes: u64,
}

impl<R> Paced<R> {
    pub(super) fn new(reader: R, least: LeastRate) -> Self {
        Self {
            reader,
            least,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        let read = self.reader.read(into)?;
        self.waited = self.waited.saturating_add(start.elapsed());
        self.bytes = self.bytes.saturating_add(read as u64);
        if read == 0 || self.waited < self.least.within {
            return Ok(read);
        }
        if self.bytes < self.least.bytes {
            let slow = TooSlow {
                bytes: self.bytes,
                seconds: self.waited.as_secs_f64(),
                least: self.least.bytes,
            };
            return Err(io::Error::new(io::ErrorKind::TimedOut, slow));
        }
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        Ok(read)
    }
}

/// The registry's fault, or the network's. A later try may be faster.
#[derive(Debug, thiserror::Error)]
#[error("it sent {bytes} bytes in {seconds:.1} seconds, less than the {least} that are waited for")]
struct TooSlow {
    bytes: u64,
    seconds: f64,
    least: u64,
}
