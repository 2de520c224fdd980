//! Where a walker gets its bytes from.

use std::io::{self, BufRead};

/// Bytes with a way to skip that need not read them. Like [`BufRead`], with errors that keep apart
/// whose fault they are.
pub(crate) trait Input {
    /// The next bytes; empty at the end.
    fn fill(&mut self) -> Result<&[u8], InputError>;

    /// Marks `amount` of the bytes that `fill` gave as used.
    fn consume(&mut self, amount: usize);

    /// As many of the next bytes as are in memory already; none of them need be.
    fn at_hand(&self) -> &[u8] {
        &[]
    }

    /// Skips up to `amount` bytes and says how many there were.
    fn skip(&mut self, amount: u64) -> Result<u64, InputError> {
        let mut left = amount;
        while left > 0 {
            let length = self.fill()?.len();
            if length == 0 {
                break;
            }
            let step = usize::try_from(left).map_or(length, |left| left.min(length));
            self.consume(step);
            left = left.saturating_sub(step as u64);
        }
        Ok(amount.saturating_sub(left))
    }
}

/// Why there are no further bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The bytes could not be read or unpacked.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A limit was reached. The text says which.
    #[error("{0}")]
    Limit(String),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl<I: Input + ?Sized> Input for &mut I {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        (**self).fill()
    }

    fn consume(&mut self, amount: usize) {
        (**self).consume(amount);
    }

    fn at_hand(&self) -> &[u8] {
        (**self).at_hand()
    }

    fn skip(&mut self, amount: u64) -> Result<u64, InputError> {
        (**self).skip(amount)
    }
}

/// Any buffered reader as input; skipping reads.
pub(crate) struct Streamed<R>(pub(crate) R);

impl<R: BufRead> Input for Streamed<R> {
    fn fill(&mut self) -> Result<&[u8], InputError> {
        // `Interrupted` is retried here, so that nobody above has to know it.
        loop {
            match self.0.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Filled above, so this only borrows (two calls, because of the borrow checker's problem case 3).
        Ok(self.0.fill_buf()?)
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}
