//! Whether a cluster that says nothing is quiet, or away.
//!
//! Watches of a quiet cluster and of one behind a dead path sound alike. client-go asks by HTTP/2 when no frame came for
//! 30 seconds, and gives the connection up when there is no answer within another 15. This does the same with a request:
//! where nothing was heard on any connection for that long, the API server is asked what it is, which it knows without
//! asking anybody. If it does not answer, all connections are cut, so that watches go on over others from where they
//! were, and what is known of the cluster is told to be of the past. (A single dead connection among others that live
//! is noticed by the kernel: see `wire`.)

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::client::{AskError, Client};
use super::watch::Stop;

/// What is known of the other side's being there.
pub(super) struct Pulse(Mutex<State>);

struct State {
    /// When anything came last.
    heard: Instant,
    /// Why it is taken to be away.
    away: Option<String>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            heard: Instant::now(),
            away: None,
        }))
    }

    /// Something came.
    pub(super) fn beat(&self) {
        self.state().heard = Instant::now();
    }

    /// Why the cluster is taken to be away, if it is.
    pub(super) fn away(&self) -> Option<String> {
        self.state().away.clone()
    }

    pub(super) fn is_away(&self) -> bool {
        self.state().away.is_some()
    }

    fn silence(&self) -> Duration {
        self.state().heard.elapsed()
    }

    /// Notes that it is away, or there. Gives whether that is new.
    fn note(&self, away: Option<String>) -> bool {
        let mut state = self.state();
        let is_new = state.away.is_some() != away.is_some();
        state.away = away;
        is_new
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after the client of a cluster that is watched, until that is stopped.
pub(super) fn look_after(client: &Client, stop: &Stop) {
    let pulse = &client.pulse;
    let (quiet, sign) = (client.limits.quiet, client.limits.sign);
    loop {
        let pause = match pulse.is_away() {
            // Whoever waits for its return wants to hear of it.
            true => sign / 3,
            false => quiet.saturating_sub(pulse.silence()),
        };
        if !stop.pause(pause, stop.calls()) {
            return;
        }
        let asked = Instant::now();
        let silence = match pulse.silence() < quiet {
            true => None,
            false => ask(client).err(),
        };
        match silence {
            None => {
                if pulse.note(None) {
                    info!(server = client.server(), "the Kubernetes API answers again");
                    stop.call();
                }
            }
            // It has much to do, and does it.
            Some(_) if pulse.silence() < asked.elapsed() => {}
            Some(_) if stop.is_stopped() => return,
            Some(error) => {
                let why = error.to_string();
                if pulse.note(Some(why.clone())) {
                    warn!(error = why, "nothing is heard of the cluster any more");
                    client.cut();
                }
            }
        }
    }
}

/// Whether the cluster gives a sign of life.
pub(super) fn is_there(client: &Client) -> bool {
    ask(client).is_ok()
}

/// Asks for a sign of life. A refusal is one, too.
fn ask(client: &Client) -> Result<(), AskError> {
    match client.sign_of_life() {
        Err(error @ (AskError::Unreachable { .. } | AskError::TooSlow { .. })) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
