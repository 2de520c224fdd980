//! Ending what goes on, and waking what waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A way to end what goes on. Clones end the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<StopState>,
    changed: Condvar,
}

#[derive(Default)]
struct StopState {
    is_stopped: bool,
    /// How often those that pause were called.
    calls: u64,
    /// Ends what waits, such as requests for an answer. By number, so that they can be taken back.
    cuts: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
    next: u64,
}

/// What is to be done at the end, for as long as it is kept.
pub(super) struct AtEnd<'s> {
    stop: &'s Stop,
    number: u64,
}

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        let taken = self.stop.state().cuts.remove(&self.number);
        // What it holds goes when nobody is kept waiting.
        drop(taken);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

impl Stop {
    /// Ends what goes on: requests break, pauses end.
    pub fn stop(&self) {
        let mut state = self.state();
        state.is_stopped = true;
        let cuts = std::mem::take(&mut state.cuts);
        drop(state);
        self.0.changed.notify_all();
        for cut in cuts.into_values() {
            cut();
        }
    }

    /// Whether somebody has.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Does `cut` when it comes to that: at once, if it has.
    pub(super) fn at_end(&self, cut: impl FnOnce() + Send + 'static) -> AtEnd<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next = number.wrapping_add(1);
        if state.is_stopped {
            drop(state);
            cut();
        } else {
            state.cuts.insert(number, Box::new(cut));
        }
        AtEnd { stop: self, number }
    }

    /// Ends pauses, since what is waited for has come.
    pub(super) fn call(&self) {
        let mut state = self.state();
        state.calls = state.calls.wrapping_add(1);
        drop(state);
        self.0.changed.notify_all();
    }

    /// How often that was done.
    pub(super) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Waits, but not longer than until the end, or until there are other calls than `calls`. False when it is the end.
    pub(super) fn pause(&self, time: Duration, calls: u64) -> bool {
        let state = self.state();
        let waited = self.0.changed.wait_timeout_while(state, time, |state| {
            !state.is_stopped && state.calls == calls
        });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.is_stopped
    }

    fn state(&self) -> MutexGuard<'_, StopState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
