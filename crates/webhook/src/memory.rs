//! What answers are made from, and what comes of them: all in memory, all of it bounded.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seareeve_admission::{Answer, Images, Policy, Report, Review, Scanned, Tally};
use seareeve_posture::{Catalogue, Library};
use tokio::sync::{Notify, Semaphore};

/// Reviews at a time.
const MOST_REVIEWS: usize = 256;
/// Reviews that wait for what the server knows at a time: names that nobody has heard of cost their sender nothing, and
/// must not take the turns of all others.
const MOST_WAITS: usize = 64;
/// Images that are remembered.
const MOST_IMAGES: usize = 20_000;
/// Images that wait to be asked for.
const MOST_WANTED: usize = 2_000;
/// When an image that is asked for is looked up again.
const FRESH: Duration = Duration::from_secs(60);
/// Until when an old answer is better than none, while the server is away.
const USABLE: Duration = Duration::from_secs(24 * 3600);

/// The policy by which answers are made.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) policy: Arc<Policy>,
    /// The server's digest of it; empty for one that is not the server's.
    pub(crate) digest: String,
}

/// See the module.
pub(crate) struct Memory {
    pub(crate) library: Library,
    pub(crate) catalogue: Catalogue,
    /// Of reviews that are read and judged.
    pub(crate) turns: Arc<Semaphore>,
    /// Told when images are wanted.
    pub(crate) wanted: Notify,
    /// Told when something was learned of them.
    learned: Notify,
    /// Of reviews that wait for that.
    waits: Semaphore,
    /// Whether the server answered when it was asked last.
    is_answered: AtomicBool,
    in_force: RwLock<InForce>,
    images: Mutex<Shelf>,
    tally: Mutex<Tally>,
}

/// What is known of images.
#[derive(Default)]
struct Shelf {
    known: HashMap<String, Known>,
    wanted: BTreeSet<String>,
}

struct Known {
    /// Nothing, if no scan of it is known.
    scanned: Option<Scanned>,
    at: Instant,
}

impl Memory {
    pub(crate) fn new(library: Library, catalogue: Catalogue, in_force: InForce) -> Self {
        Self {
            library,
            catalogue,
            turns: Arc::new(Semaphore::new(MOST_REVIEWS)),
            wanted: Notify::new(),
            learned: Notify::new(),
            waits: Semaphore::new(MOST_WAITS),
            is_answered: AtomicBool::new(false),
            in_force: RwLock::new(in_force),
            images: Mutex::default(),
            tally: Mutex::default(),
        }
    }

    pub(crate) fn in_force(&self) -> InForce {
        let in_force = self.in_force.read();
        in_force.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers are made by another policy from now on. What it excludes may differ, so scans are asked for anew.
    pub(crate) fn replace(&self, in_force: InForce) {
        let mut place = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = in_force;
        drop(place);
        *lock(&self.images) = Shelf::default();
    }

    pub(crate) fn count(&self, review: &Review, answer: &Answer, now: Timestamp) {
        lock(&self.tally).add(review, answer, now);
    }

    /// A request was not looked into.
    pub(crate) fn unread(&self) {
        lock(&self.tally).add_unread();
    }

    /// What was counted since the last time; nothing, if nothing was.
    pub(crate) fn take(&self) -> Option<Report> {
        let mut tally = lock(&self.tally);
        (!tally.is_empty()).then(|| tally.take())
    }

    /// Images to ask for, at most so many.
    pub(crate) fn take_wanted(&self, most: usize) -> Vec<String> {
        let mut shelf = lock(&self.images);
        let taken: Vec<String> = shelf.wanted.iter().take(most).cloned().collect();
        for name in &taken {
            shelf.wanted.remove(name);
        }
        taken
    }

    /// Keeps what the server said of images.
    pub(crate) fn learn(&self, answers: impl IntoIterator<Item = (String, Option<Scanned>)>) {
        let at = Instant::now();
        let mut shelf = lock(&self.images);
        for (name, scanned) in answers {
            if shelf.known.len() >= MOST_IMAGES && !shelf.known.contains_key(&name) {
                // What nobody asked for lately makes room; if all of it is new, it is too much to remember.
                shelf.known.retain(|_, known| known.at.elapsed() < FRESH);
                if shelf.known.len() >= MOST_IMAGES {
                    return;
                }
            }
            shelf.known.insert(name, Known { scanned, at });
        }
        drop(shelf);
        self.learned.notify_waiters();
    }

    /// The server answered, or did not.
    pub(crate) fn note_server(&self, is_answered: bool) {
        self.is_answered.store(is_answered, Ordering::Relaxed);
    }

    /// Waits until the server said something of all these images. Whether it did: it is not waited for while it is away,
    /// or too many wait already.
    pub(crate) async fn hears_of(&self, images: &[String], within: Duration) -> bool {
        if !self.is_answered.load(Ordering::Relaxed) {
            return false;
        }
        let Ok(_wait) = self.waits.try_acquire() else {
            return false;
        };
        let heard = async {
            loop {
                let mut learned = std::pin::pin!(self.learned.notified());
                learned.as_mut().enable();
                if images.iter().all(|name| self.has_heard_of(name)) {
                    return;
                }
                learned.await;
            }
        };
        tokio::time::timeout(within, heard).await.is_ok()
    }

    fn has_heard_of(&self, image: &str) -> bool {
        let shelf = lock(&self.images);
        let known = shelf.known.get(image);
        known.is_some_and(|known| known.at.elapsed() < USABLE)
    }
}

impl Images for Memory {
    fn scanned(&self, full_name: &str) -> Option<Scanned> {
        let mut shelf = lock(&self.images);
        let known = shelf.known.get(full_name);
        let found = known.filter(|known| known.at.elapsed() < USABLE);
        let found = found.and_then(|known| known.scanned.clone());
        let is_fresh = known.is_some_and(|known| known.at.elapsed() < FRESH);
        if !is_fresh && shelf.wanted.len() < MOST_WANTED && !shelf.wanted.contains(full_name) {
            shelf.wanted.insert(full_name.to_owned());
            self.wanted.notify_one();
        }
        found
    }
}

/// The same for one review, which remembers what nobody has heard of yet.
pub(crate) struct Sight<'m> {
    memory: &'m Memory,
    unheard: Mutex<BTreeSet<String>>,
}

impl<'m> Sight<'m> {
    pub(crate) fn new(memory: &'m Memory) -> Self {
        Self {
            memory,
            unheard: Mutex::default(),
        }
    }

    /// Images that the review asked for, and of which nothing was heard.
    pub(crate) fn unheard(self) -> Vec<String> {
        let unheard = self.unheard.into_inner();
        let unheard = unheard.unwrap_or_else(PoisonError::into_inner);
        unheard.into_iter().collect()
    }
}

impl Images for Sight<'_> {
    fn scanned(&self, full_name: &str) -> Option<Scanned> {
        let found = self.memory.scanned(full_name);
        if found.is_none() && !self.memory.has_heard_of(full_name) {
            lock(&self.unheard).insert(full_name.to_owned());
        }
        found
    }
}

/// What a panic leaves behind here is whole: nothing is changed in steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
