//! What a client asks through. It can be cut while others wait for it, and is then another one.

use std::sync::{Arc, Mutex, PoisonError};

use ureq::Agent;

/// See the module.
pub(super) struct Line {
    fresh: Box<dyn Fn() -> Agent + Send + Sync>,
    now: Arc<Mutex<Now>>,
}

struct Now {
    agent: Agent,
    /// Whether no other takes its place any more.
    is_over: bool,
}

impl Line {
    pub(super) fn new(fresh: impl Fn() -> Agent + Send + Sync + 'static) -> Self {
        let now = Now {
            agent: fresh(),
            is_over: false,
        };
        Self {
            fresh: Box::new(fresh),
            now: Arc::new(Mutex::new(now)),
        }
    }

    pub(super) fn agent(&self) -> Agent {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.agent.clone()
    }

    /// Ends every request that goes on. Later ones take other connections.
    pub(super) fn cut(&self) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if !now.is_over {
            let cut = std::mem::replace(&mut now.agent, (self.fresh)());
            drop(now);
            cut.shutdown();
        }
    }

    /// What ends every request, now and later.
    pub(super) fn ender(&self) -> impl FnOnce() + Send + 'static {
        let now = Arc::clone(&self.now);
        move || {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            now.is_over = true;
            let agent = now.agent.clone();
            drop(now);
            agent.shutdown();
        }
    }
}
