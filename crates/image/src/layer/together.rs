//! What the layers of an image may cost together while several are read at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::tar::InputError;

/// Bytes that are left of a limit, shared by the layers that are read at the same time.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    limit: u64,
    spent: AtomicBool,
}

impl Budget {
    /// `left` of `limit` bytes.
    pub(crate) fn new(left: u64, limit: u64) -> Self {
        Self {
            left: AtomicU64::new(left),
            limit,
            spent: AtomicBool::new(false),
        }
    }

    /// Whether anything was ever refused.
    pub(crate) fn was_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }

    /// Takes `amount` of what is left; false when there is less.
    pub(crate) fn take(&self, amount: u64) -> bool {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(amount)
            })
            .is_ok();
        if !taken {
            self.spent.store(true, Ordering::Relaxed);
        }
        taken
    }

    pub(crate) fn give_back(&self, amount: u64) {
        self.left.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }
}

/// What unpacking all layers may cost.
#[derive(Debug)]
pub(crate) struct Unpacking {
    /// Unpacked bytes.
    pub(crate) bytes: Budget,
    window: Mutex<()>,
}

impl Unpacking {
    /// At most `bytes` unpacked bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            bytes: Budget::new(bytes, bytes),
            window: Mutex::new(()),
        }
    }

    /// Takes unpacked bytes of one layer.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), InputError> {
        if self.bytes.take(bytes) {
            return Ok(());
        }
        Err(InputError::Limit(format!(
            "the image unpacks to more than the limit of {} bytes",
            self.bytes.limit()
        )))
    }

    /// The right to much memory for a window, which one layer has at a time: the others wait here.
    pub(crate) fn large_window(&self) -> MutexGuard<'_, ()> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
