//! What lies between the caller, who may want to stop at any time, and what waits for a network or a disk.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::progress::Report;
use crate::{Progress, ReadError};

/// How often the caller is asked whether to go on while something is waited for.
const ASK: Duration = Duration::from_millis(100);

/// The wish to stop, and how far reading has come. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// What the caller was told last.
    told: Mutex<Option<Progress>>,
}

#[derive(Default)]
struct State {
    stopped: bool,
    /// Whether that was because something failed, not because the caller wanted it.
    failed: bool,
    /// Their connections are cut by stopping, so that nobody waits for an answer that nobody wants.
    agents: Vec<ureq::Agent>,
}

impl Watch {
    /// Ends every pause and every connection, now and later.
    pub(crate) fn stop(&self) {
        let agents = {
            let mut state = self.state();
            state.stopped = true;
            std::mem::take(&mut state.agents)
        };
        self.shared.changed.notify_all();
        for agent in agents {
            agent.shutdown();
        }
    }

    /// The same after a failure with which everything fails: what the others wait for, nobody wants any more.
    pub(crate) fn fail(&self) {
        {
            let mut state = self.state();
            state.failed = state.failed || !state.stopped;
        }
        self.stop();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Lets stopping cut the connections of `agent`.
    pub(crate) fn cuts(&self, agent: &ureq::Agent) {
        let mut state = self.state();
        if state.stopped {
            agent.clone().shutdown();
        } else {
            state.agents.push(agent.clone());
        }
    }

    /// Waits, or ends at once when the caller wants to stop.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), ReadError> {
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.state(), length, |state| !state.stopped);
        let (state, _timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return Err(ReadError::Cancelled);
        }
        Ok(())
    }

    /// Notes that so many bytes more were fetched before the layers.
    pub(crate) fn fetched(&self, bytes: u64) {
        if let Some(told) = self.told().as_mut() {
            told.bytes_read = told.bytes_read.saturating_add(bytes);
        }
    }

    /// Tells the caller how far reading is, and stops everything when the caller wants that.
    pub(crate) fn tell(&self, progress: &Report<'_>, now: Progress) -> ControlFlow<()> {
        *self.told() = Some(now);
        self.tell_again(progress)
    }

    fn tell_again(&self, progress: &Report<'_>) -> ControlFlow<()> {
        let flow = {
            // Told while it is held, so that nobody is told of an earlier state after a later one.
            let told = self.told();
            told.map_or(ControlFlow::Continue(()), progress)
        };
        if flow.is_break() {
            self.stop();
        }
        flow
    }

    /// Does `work` in a second thread, and meanwhile asks the caller whether to go on: the work itself
    /// cannot while it waits for something.
    pub(crate) fn over<T: Send>(
        &self,
        progress: &Report<'_>,
        work: impl FnOnce() -> Result<T, ReadError> + Send,
    ) -> Result<T, ReadError> {
        std::thread::scope(|scope| {
            // Carries nothing: it ends when the work does.
            let (done_sender, done) = channel::<()>();
            let worker = std::thread::Builder::new()
                .name("read".to_owned())
                .spawn_scoped(scope, move || {
                    let _done = done_sender;
                    work()
                })
                .map_err(|source| ReadError::Io {
                    path: "a second thread".to_owned(),
                    source,
                })?;
            while done.recv_timeout(ASK) == Err(RecvTimeoutError::Timeout) {
                if !self.is_stopped() {
                    // Stopping is all that can follow, and it did.
                    let _ = self.tell_again(progress);
                }
            }
            let result = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let state = self.state();
            if state.stopped && !state.failed {
                return Err(ReadError::Cancelled);
            }
            result
        })
    }

    fn told(&self) -> MutexGuard<'_, Option<Progress>> {
        self.shared
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
