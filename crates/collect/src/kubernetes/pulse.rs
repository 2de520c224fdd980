//! Whether a cluster that says nothing is quiet, or away.
//!
//! Watches of a quiet cluster and of one behind a dead path sound alike. client-go asks by HTTP/2 when no frame came for
//! 30 seconds, and gives the connection up when there is no answer within another 15. This does the same with a request:
//! where nothing was heard on any connection for that long, the API server is asked what it is, which it knows without
//! asking anybody. If it does not answer, all connections are cut, so that watches go on over others from where they
//! were, and what is known of the cluster is told to be of the past, until each resource is watched again. (A single dead
//! connection among others that live is noticed by the kernel: see `wire`.)

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use seareeve_kubernetes::Resource;
use tracing::{info, warn};

use super::client::Client;
use super::stop::Stop;

/// What is known of the other side's being there.
pub(super) struct Pulse(Mutex<State>);

struct State {
    /// When anything came last.
    heard: Instant,
    away: Option<Away>,
}

/// A time for which nothing was heard.
struct Away {
    why: String,
    /// Whether something is again.
    is_over: bool,
    /// What was not watched since: what is known of it is how it was.
    behind: BTreeSet<Resource>,
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

    /// Whether the cluster is taken to be away.
    pub(super) fn is_away(&self) -> bool {
        self.state().away.as_ref().is_some_and(|away| !away.is_over)
    }

    /// Why what is known of the cluster is how it was: it is away, or it was and is not watched whole again.
    pub(super) fn why_past(&self) -> Option<String> {
        Some(self.state().away.as_ref()?.why.clone())
    }

    /// Notes that `resource` is watched, or that it is told why it is not.
    pub(super) fn follows(&self, resource: Resource) {
        let mut state = self.state();
        if let Some(away) = &mut state.away {
            away.behind.remove(&resource);
        }
        state.settle();
    }

    fn silence(&self) -> Duration {
        self.state().heard.elapsed()
    }

    /// Whether anything came since then.
    pub(super) fn was_heard_since(&self, time: Instant) -> bool {
        self.state().heard >= time
    }

    /// Notes that the cluster is away, and with it `watched`.
    fn leave(&self, why: String, watched: &BTreeSet<Resource>) {
        self.state().away = Some(Away {
            why,
            is_over: false,
            behind: watched.clone(),
        });
    }

    /// Notes that it is there again.
    fn come_back(&self) {
        let mut state = self.state();
        if let Some(away) = &mut state.away {
            away.is_over = true;
        }
        state.settle();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// It is over when nothing is behind any more.
    fn settle(&mut self) {
        let away = self.away.as_ref();
        if away.is_some_and(|away| away.is_over && away.behind.is_empty()) {
            self.away = None;
        }
    }
}

/// Looks after the client of a cluster of which these resources are watched, until that is stopped.
pub(super) fn look_after(client: &Client, watched: &BTreeSet<Resource>, stop: &Stop) {
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
        let failed = match pulse.silence() < quiet {
            true => None,
            false => client.sign_of_life().err(),
        };
        // Any answer is a sign of life, also a refusal, and also one to somebody else: it has much to do, and does it.
        // Where none was heard, the question may not even have been sent: that is no sign either.
        match failed.filter(|_| !pulse.was_heard_since(asked)) {
            None if pulse.is_away() => {
                info!(server = client.server(), "the Kubernetes API answers again");
                // What was asked for meanwhile may wait on connections that lead nowhere.
                client.cut();
                pulse.come_back();
                stop.call();
            }
            None => {}
            Some(_) if stop.is_stopped() => return,
            Some(_) if pulse.is_away() => {}
            Some(error) => {
                let why = error.to_string();
                warn!(error = why, "nothing is heard of the cluster any more");
                pulse.leave(why, watched);
                client.cut();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_of_the_past_until_all_is_watched_again() {
        let pulse = Pulse::new();
        let watched = BTreeSet::from([Resource::Pod, Resource::Service]);
        let known = |pulse: &Pulse| (pulse.is_away(), pulse.why_past());
        let why = || Some("no answer".to_owned());
        assert_eq!(known(&pulse), (false, None));
        pulse.leave("no answer".to_owned(), &watched);
        assert_eq!(known(&pulse), (true, why()));
        // A sign of life alone is not enough, in whatever order they come.
        pulse.follows(Resource::Pod);
        assert_eq!(known(&pulse), (true, why()));
        pulse.come_back();
        assert_eq!(known(&pulse), (false, why()));
        pulse.follows(Resource::Pod);
        assert_eq!(known(&pulse), (false, why()));
        pulse.leave("nothing to show".to_owned(), &watched);
        pulse.come_back();
        pulse.follows(Resource::Service);
        assert_eq!(known(&pulse), (false, Some("nothing to show".to_owned())));
        pulse.follows(Resource::Pod);
        assert_eq!(known(&pulse), (false, None));
        pulse.leave("no answer".to_owned(), &watched);
        pulse.follows(Resource::Service);
        pulse.follows(Resource::Pod);
        assert_eq!(known(&pulse), (true, why()));
        pulse.come_back();
        assert_eq!(known(&pulse), (false, None));
    }
}
