//! Hearing of changes on a machine with container engines, instead of looking again and again: engines tell of theirs
//! (`/events`), the kernel of files (inotify) and of processes that end (pidfd).
//!
//! What is heard says only that something changed: what it is now, a look tells. Commands that are started in
//! containers are the exception: no look finds them later, so they are kept here as facts.
//!
//! Not heard of: rules that are loaded into the kernel's audit, processes that begin to listen, mounts, and components
//! of Kubernetes that start for the first time without a file of theirs having changed. The regular full look is for
//! them.

mod aim;
mod engine;
mod event;
mod exec;
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use seareeve_engine::Endpoint;
use seareeve_model::{Collection, Snapshot};

pub use self::event::Event;
use self::exec::{Exec, Execs};
use self::files::Files;
use crate::host::root::Root;

/// Engines that are listened to.
const ENGINES: usize = 64;
/// Processes whose end is waited for.
const PROCESSES: usize = 256;
/// Commands in containers that wait to be taken in.
const WAITING: usize = 1_000;
/// After a change, how long it has to be quiet, and how long that is waited for at most.
const QUIET: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub struct Watch {
    root: Root,
    place: Utf8PathBuf,
    bell: Arc<Bell>,
    engines: BTreeMap<Endpoint, engine::Listener>,
    /// Engines that somebody named: that one of them is not heard is told whether or not it is there.
    named: BTreeSet<Endpoint>,
    /// Engines that the last look no longer found. They are listened to, since they may start again, but there is
    /// nothing to be missed of them.
    gone: BTreeSet<Endpoint>,
    files: Result<Files, String>,
    processes: BTreeMap<u32, OwnedFd>,
    execs: Execs,
    is_dirty: bool,
    /// Whether the numbers of the machine's processes mean the same to us.
    has_numbers: bool,
    /// Until then nothing wakes who waits.
    rests_until: Option<Instant>,
}

/// What woke [`Watch::wait`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Something changed: it is worth a look.
    pub look: bool,
    /// Commands were started in containers.
    pub execs: bool,
}

/// What can be heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// By where engines listen, why one is not heard. Those that have ended are not missed.
    pub engines: BTreeMap<String, Option<String>>,
    /// How many files and folders are watched.
    pub files: usize,
    /// Why some, or all, are not.
    pub files_why: Option<String>,
}

impl Hearing {
    /// Whether all is heard that can be.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.files_why.is_none() && self.engines.values().all(Option::is_none)
    }
}

/// What those who listen share with the one who waits.
#[derive(Debug)]
pub(crate) struct Bell {
    fd: OwnedFd,
    rung: Mutex<Rung>,
}

#[derive(Debug, Default)]
struct Rung {
    look: bool,
    execs: Vec<Exec>,
    /// Commands that there was no room for.
    lost: bool,
}

impl Bell {
    fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self {
            fd: eventfd(0, flags)?,
            rung: Mutex::default(),
        })
    }

    fn ring(&self, change: impl FnOnce(&mut Rung)) {
        change(&mut self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        // It can only fail when it has been rung more often than a number has room for, and then it rings anyway.
        let _full = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
    }

    pub(crate) fn look(&self) {
        self.ring(|rung| rung.look = true);
    }

    pub(crate) fn exec(&self, exec: Exec) {
        self.ring(|rung| {
            if rung.execs.len() < WAITING {
                rung.execs.push(exec);
            } else {
                rung.lost = true;
            }
        });
    }

    fn take(&self) -> Rung {
        let mut count = [0; 8];
        let _none = rustix::io::read(&self.fd, &mut count);
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut rung)
    }
}

impl Watch {
    /// Hears nothing until it is [aimed](Self::aim). `root` is the machine's `/`.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new(root: Utf8PathBuf) -> io::Result<Self> {
        let files = Files::new().map_err(|error| format!("files cannot be watched: {error}"));
        // In a container with numbers of its own, another process would be waited for.
        let space = |path: &std::path::Path| std::fs::read_link(path.join("1/ns/pid")).ok();
        let ours = space("/proc".as_ref());
        Ok(Self {
            has_numbers: ours.is_some() && ours == space(root.join("proc").as_std_path()),
            root: Root::new(&root),
            place: root,
            bell: Arc::new(Bell::new()?),
            engines: BTreeMap::new(),
            named: BTreeSet::new(),
            gone: BTreeSet::new(),
            files,
            processes: BTreeMap::new(),
            execs: Execs::default(),
            is_dirty: false,
            rests_until: None,
        })
    }

    /// Listens to the engines, files and processes that a look found. What is new among them may have changed since,
    /// so the next [`wait`](Self::wait) returns at once then.
    pub fn aim(&mut self, snapshot: &Snapshot) {
        let found: BTreeMap<Endpoint, String> = aim::engines(snapshot).collect();
        if aim::found_all_engines(snapshot) {
            let known = self
                .engines
                .keys()
                .filter(|known| !self.named.contains(known) && !found.contains_key(*known));
            self.gone = known.cloned().collect();
        }
        for (endpoint, name) in found {
            self.listen(endpoint, name);
        }
        if let Ok(files) = &mut self.files {
            let wanted = aim::places(snapshot, &self.root);
            self.is_dirty |= files.aim(wanted);
        }
        let pids = match self.has_numbers {
            true => aim::processes(snapshot),
            false => Default::default(),
        };
        self.processes.retain(|pid, _| pids.contains(pid));
        for pid in pids {
            if self.processes.len() >= PROCESSES || self.processes.contains_key(&pid) {
                continue;
            }
            let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
            // One that has ended already is found by the next look.
            if let Some(fd) = number.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) {
                self.processes.insert(pid, fd);
            }
        }
        self.execs.learn(snapshot);
    }

    /// Listens to an engine whether or not a look finds it: one that somebody named may start later.
    pub fn listen_to(&mut self, endpoint: Endpoint) {
        let name = endpoint.to_string();
        self.named.insert(endpoint.clone());
        self.listen(endpoint, name);
    }

    /// `name` is what facts call the engine.
    fn listen(&mut self, endpoint: Endpoint, name: String) {
        if self.engines.contains_key(&endpoint) {
            return;
        }
        if self.engines.len() >= ENGINES {
            let Some(gone) = self.gone.pop_first() else {
                return;
            };
            self.engines.remove(&gone);
        }
        let connect = match &endpoint {
            Endpoint::Unix(path) => {
                let place = self.place.join(path.as_str().trim_start_matches('/'));
                // One that somebody named may be outside of the machine's files.
                Endpoint::Unix(match place.exists() {
                    true => place,
                    false => path.clone(),
                })
            }
            Endpoint::Tcp(_) => endpoint.clone(),
        };
        let bell = Arc::clone(&self.bell);
        let listener = engine::Listener::start(&connect, name, bell);
        self.engines.insert(endpoint, listener);
    }

    /// Waits until something changed and it is quiet again, or until `most` is over. Blocks.
    pub fn wait(&mut self, most: Duration) -> Woken {
        let end = Instant::now() + most;
        let mut woken = Woken {
            look: std::mem::take(&mut self.is_dirty),
            execs: false,
        };
        while woken == Woken::default() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return woken;
            }
            woken = self.hear(left);
        }
        let now = Instant::now();
        let settled = now + SETTLE;
        let rested = self
            .rests_until
            .take()
            .filter(|_| woken.look)
            .unwrap_or(now);
        loop {
            let now = Instant::now();
            let settling = settled.saturating_duration_since(now);
            let resting = rested.saturating_duration_since(now);
            let more = self.hear(settling.min(QUIET).max(resting));
            woken.look |= more.look;
            woken.execs |= more.execs;
            let is_quiet = more == Woken::default() || settling.is_zero();
            if is_quiet && resting.is_zero() {
                return woken;
            }
        }
    }

    /// Lets nothing wake [`wait`](Self::wait) before `end`, but forgets nothing of it.
    pub fn rest_until(&mut self, end: Instant) {
        self.rests_until = Some(end);
    }

    /// What is heard within `most`; the first of it ends the waiting.
    fn hear(&mut self, most: Duration) -> Woken {
        let mut fds = vec![PollFd::new(&self.bell.fd, PollFlags::IN)];
        let inotify = self.files.as_ref().ok().map(Files::fd);
        if let Some(fd) = &inotify {
            fds.push(PollFd::from_borrowed_fd(*fd, PollFlags::IN));
        }
        let first = fds.len();
        let pids: Vec<u32> = self.processes.keys().copied().collect();
        for fd in self.processes.values() {
            fds.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
        }
        let time = Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: most.subsec_nanos().into(),
        };
        // Interrupted by a signal, it is as if nothing had been heard.
        let _interrupted = poll(&mut fds, Some(&time));
        let ended: Vec<u32> = fds
            .iter()
            .skip(first)
            .zip(pids)
            .filter(|(fd, _)| !fd.revents().is_empty())
            .map(|(_, pid)| pid)
            .collect();
        drop(fds);
        let mut woken = Woken::default();
        for pid in ended {
            self.processes.remove(&pid);
            woken.look = true;
        }
        if let Ok(files) = &mut self.files {
            woken.look |= files.hear();
        }
        let rung = self.bell.take();
        woken.look |= rung.look;
        woken.execs |= self.execs.take(rung.execs, rung.lost);
        woken
    }

    /// What can be heard now.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        let engines = self.engines.iter();
        let engines = engines.filter(|(endpoint, _)| !self.gone.contains(endpoint));
        let (files, files_why) = match &self.files {
            Ok(files) => (files.len(), files.why()),
            Err(why) => (0, Some(why.clone())),
        };
        Hearing {
            engines: engines
                .map(|(endpoint, listener)| (endpoint.to_string(), listener.why()))
                .collect(),
            files,
            files_why,
        }
    }

    /// The commands that were started in containers: `docker.exec`.
    #[must_use]
    pub fn execs(&mut self, now: jiff::Timestamp) -> Collection {
        let hearing = self.hearing();
        self.execs.collection(&hearing.engines, now)
    }
}
