//! Listening to one engine, for as long as the watch lasts.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use seareeve_engine::{Client, Endpoint, Heard, Limits};

use super::Bell;
use super::event::{Event, News};
use super::exec::Exec;

/// The first pause after the engine hung up; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// How long an engine may be silent before it is asked anew: over TCP, nobody may have told that it is gone.
const SILENCE: Duration = Duration::from_secs(600);
/// For one question about a command.
const REPLY: Duration = Duration::from_secs(5);
const REPLY_BYTES: u64 = 1 << 20;
const USER_AGENT: &str = concat!("seareeve/", env!("CARGO_PKG_VERSION"));

/// A thread that listens to one engine.
#[derive(Debug)]
pub(super) struct Listener {
    state: Arc<State>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    now: Mutex<Now>,
    stop: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    is_over: bool,
    client: Option<Client>,
    /// Why it is not heard. None while it is.
    why: Option<String>,
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// `engine` is what facts call it.
    pub(super) fn start(connect: &Endpoint, engine: String, bell: Arc<Bell>) -> Self {
        let state = Arc::new(State::default());
        state.lock().why = Some("it has not answered yet".to_owned());
        let shared = Arc::clone(&state);
        let connect = connect.clone();
        let thread = std::thread::Builder::new()
            .name("engine events".to_owned())
            .spawn(move || listen(&connect, &engine, &shared, &bell));
        let thread = thread.map_err(|error| {
            state.lock().why = Some(format!("no thread could be started: {error}"));
        });
        Self {
            state,
            thread: thread.ok(),
        }
    }

    pub(super) fn why(&self) -> Option<String> {
        self.state.lock().why.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let client = {
            let mut now = self.state.lock();
            now.is_over = true;
            now.client.take()
        };
        self.state.stop.notify_all();
        if let Some(client) = client {
            client.cut();
        }
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing to say that matters any more.
            let _panicked = thread.join();
        }
    }
}

fn limits() -> Limits {
    Limits {
        connect: REPLY,
        silence: REPLY,
        reply: REPLY,
        deadline: Instant::now() + REPLY,
        bytes: REPLY_BYTES,
    }
}

fn listen(connect: &Endpoint, engine: &str, state: &State, bell: &Bell) {
    let mut since: Option<i64> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let client = Client::new(connect, USER_AGENT, 1, limits());
        {
            let mut now = state.lock();
            if now.is_over {
                return;
            }
            now.client = Some(client.clone());
        }
        let path = match since {
            Some(nanos) => format!(
                "/events?since={}.{:09}",
                nanos.div_euclid(1_000_000_000),
                nanos.rem_euclid(1_000_000_000)
            ),
            None => "/events".to_owned(),
        };
        let ended = client.follow(&path, SILENCE, &mut |heard| {
            match heard {
                Heard::Begun => {
                    state.lock().why = None;
                    pause = FIRST_PAUSE;
                    // What happened before nobody told.
                    bell.look();
                }
                Heard::TooLong => bell.look(),
                Heard::Line(b"") => {}
                Heard::Line(line) => match Event::parse(line) {
                    // Asked for what came since, an engine repeats the last event.
                    Some(event) if since.is_some_and(|last| event.at_nanos <= last) => {}
                    Some(event) => {
                        since = Some(event.at_nanos);
                        told(connect, engine, event, bell);
                    }
                    None => bell.look(),
                },
            }
            match state.lock().is_over {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let why = match ended {
            Ok(()) => "it hung up".to_owned(),
            Err(error) => error.to_string(),
        };
        let mut now = state.lock();
        now.client = None;
        if now.is_over {
            return;
        }
        let was_heard = now.why.replace(why).is_none();
        if was_heard {
            // It may have ended, or start anew with other options.
            bell.look();
        }
        let (now, _) = state
            .stop
            .wait_timeout_while(now, pause, |now| !now.is_over)
            .unwrap_or_else(PoisonError::into_inner);
        if now.is_over {
            return;
        }
        pause = pause.saturating_mul(2).min(LAST_PAUSE);
    }
}

fn told(connect: &Endpoint, engine: &str, event: Event, bell: &Bell) {
    let at = event.at();
    match event.news {
        News::Nothing => {}
        News::Change => bell.look(),
        News::Exec {
            container,
            name,
            exec,
            command,
        } => {
            let asked = exec.as_ref().and_then(|id| {
                let client = Client::new(connect, USER_AGENT, 0, limits());
                client.json(&format!("/exec/{id}/json")).ok()
            });
            bell.exec(Exec::new(engine, container, name, exec, command, at, asked));
        }
    }
}
