//! What answers are made from, and what comes of them: all in memory, all of it bounded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use seareeve_admission::{Answer, Images, Policy, Report, Review, Scanned, Tally};
use seareeve_posture::{Catalogue, Library};
use tokio::sync::{Notify, Semaphore};

use crate::certificates::Clock;

/// Reviews at a time.
const MOST_REVIEWS: usize = 256;
/// Reviews that wait for what the server knows at a time: names that nobody has heard of cost their sender nothing, and
/// must not take the turns of all others.
const MOST_WAITS: usize = 64;
/// Images that are remembered.
const MOST_IMAGES: usize = 20_000;
/// Images that wait to be asked for.
const MOST_WANTED: usize = 2_000;
/// When an image that is asked for is looked up again. That nobody scanned one is believed no longer than that: mostly
/// it is scanned just after it was pushed.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// Until when what a scan found is better than nothing, while the server is away.
const USABLE: SignedDuration = SignedDuration::from_hours(24);
/// How long a question to the server may be open before nobody waits for the answer any more.
const OPEN: SignedDuration = SignedDuration::from_secs(1);

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
    server: Mutex<Server>,
    in_force: RwLock<InForce>,
    images: Mutex<Shelf>,
    tally: Mutex<Tally>,
    clock: Clock,
}

/// Whether the server is there.
#[derive(Default)]
struct Server {
    /// Whether it answered when it was asked last.
    is_answering: bool,
    /// Since when a question is open.
    asked: Option<Timestamp>,
}

/// What is known of images.
#[derive(Default)]
struct Shelf {
    known: HashMap<String, Known>,
    /// Those to ask for, in the order in which they came: nobody's name is so good that it goes before others'.
    wanted: VecDeque<String>,
    /// The same.
    is_wanted: HashSet<String>,
}

struct Known {
    /// Nothing, if no scan of it is known.
    scanned: Option<Scanned>,
    at: Timestamp,
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        is_younger(self.at, FRESH, now)
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        let until = if self.scanned.is_some() {
            USABLE
        } else {
            FRESH
        };
        is_younger(self.at, until, now)
    }
}

impl Shelf {
    /// Makes room for what is new of these. What nobody scanned goes first: anybody can invent such names.
    fn make_room<'n>(&mut self, names: impl Iterator<Item = &'n String>, now: Timestamp) {
        let more = names.filter(|name| !self.known.contains_key(*name)).count();
        let is_full = |known: &HashMap<_, _>| known.len().saturating_add(more) > MOST_IMAGES;
        if is_full(&self.known) {
            self.known.retain(|_, known| known.scanned.is_some());
        }
        if is_full(&self.known) {
            self.known.retain(|_, known| known.is_fresh(now));
        }
    }
}

impl Memory {
    pub(crate) fn new(
        library: Library,
        catalogue: Catalogue,
        in_force: InForce,
        clock: Clock,
    ) -> Self {
        Self {
            library,
            catalogue,
            turns: Arc::new(Semaphore::new(MOST_REVIEWS)),
            wanted: Notify::new(),
            learned: Notify::new(),
            waits: Semaphore::new(MOST_WAITS),
            server: Mutex::default(),
            in_force: RwLock::new(in_force),
            images: Mutex::default(),
            tally: Mutex::default(),
            clock,
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
        let most = most.min(shelf.wanted.len());
        let taken: Vec<String> = shelf.wanted.drain(..most).collect();
        for name in &taken {
            shelf.is_wanted.remove(name);
        }
        taken
    }

    /// Keeps what the server said of images.
    pub(crate) fn learn(&self, answers: BTreeMap<String, Option<Scanned>>) {
        let at = (self.clock)();
        let mut shelf = lock(&self.images);
        shelf.make_room(answers.keys(), at);
        for (name, scanned) in answers {
            if shelf.known.len() >= MOST_IMAGES && !shelf.known.contains_key(&name) {
                // All of it was asked for just now: it is too much to remember.
                continue;
            }
            shelf.known.insert(name, Known { scanned, at });
        }
        drop(shelf);
        self.learned.notify_waiters();
    }

    /// The server is asked something.
    pub(crate) fn ask(&self) {
        lock(&self.server).asked = Some((self.clock)());
    }

    /// The server answered, or did not.
    pub(crate) fn note_server(&self, is_answering: bool) {
        *lock(&self.server) = Server {
            is_answering,
            asked: None,
        };
    }

    /// Whether the server answers, and soon.
    fn is_server_there(&self) -> bool {
        let server = lock(&self.server);
        let is_open = |asked| is_younger(asked, OPEN, (self.clock)());
        server.is_answering && server.asked.is_none_or(is_open)
    }

    /// Waits until the server said something of all these images. Whether it did of any: it is not waited for while it is
    /// away, or too many wait already.
    pub(crate) async fn hears_of(&self, images: &[String], within: Duration) -> bool {
        if !self.is_server_there() {
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
        // What came in time counts, though more was asked for.
        tokio::time::timeout(within, heard).await.is_ok()
            || images.iter().any(|name| self.has_heard_of(name))
    }

    fn has_heard_of(&self, image: &str) -> bool {
        let now = (self.clock)();
        let shelf = lock(&self.images);
        let known = shelf.known.get(image);
        known.is_some_and(|known| known.is_usable(now))
    }
}

impl Images for Memory {
    fn scanned(&self, full_name: &str) -> Option<Scanned> {
        let now = (self.clock)();
        let mut shelf = lock(&self.images);
        let known = shelf.known.get(full_name);
        let found = known.filter(|known| known.is_usable(now));
        let found = found.and_then(|known| known.scanned.clone());
        let is_fresh = known.is_some_and(|known| known.is_fresh(now));
        let is_new = !is_fresh && !shelf.is_wanted.contains(full_name);
        if is_new && shelf.wanted.len() < MOST_WANTED {
            shelf.wanted.push_back(full_name.to_owned());
            shelf.is_wanted.insert(full_name.to_owned());
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

/// Whether something is from the time just before `now`. Clocks are set back, too.
fn is_younger(at: Timestamp, than: SignedDuration, now: Timestamp) -> bool {
    at <= now && now.duration_since(at) < than
}

/// What a panic leaves behind here is whole: nothing is changed in steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use futures_util::FutureExt as _;
    use seareeve_admission::{PolicyFile, Severities};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// A memory with this policy, and the seconds that have passed, to change.
    pub(crate) fn memory(policy: &str) -> (Arc<Memory>, Arc<AtomicI64>) {
        let (library, catalogue) = (Library::builtin(), Catalogue::builtin());
        let file = PolicyFile::parse(policy).unwrap();
        let in_force = InForce {
            policy: Arc::new(Policy::new(file, &library, &catalogue).unwrap()),
            digest: String::new(),
        };
        let seconds = Arc::new(AtomicI64::new(0));
        let passed = Arc::clone(&seconds);
        let clock = move || {
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(passed.load(Ordering::SeqCst))
        };
        let memory = Memory::new(library, catalogue, in_force, Arc::new(clock));
        (Arc::new(memory), seconds)
    }

    fn empty() -> (Arc<Memory>, Arc<AtomicI64>) {
        memory("{schema: seareeve.admission/1}")
    }

    fn one(name: &str, scanned: Option<Scanned>) -> BTreeMap<String, Option<Scanned>> {
        BTreeMap::from([(name.to_owned(), scanned)])
    }

    fn clean() -> Option<Scanned> {
        let findings = Severities::default();
        Some(Scanned { findings })
    }

    /// Whether it is waited for these images: nothing, if it is.
    fn heard(memory: &Memory, names: &[&str]) -> Option<bool> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        memory.hears_of(&names, LONG).now_or_never()
    }

    #[tokio::test]
    async fn a_server_that_is_away_or_hangs_is_not_waited_for() {
        let (memory, seconds) = empty();
        assert_eq!(heard(&memory, &["a"]), Some(false), "nobody was asked yet");
        memory.note_server(true);
        assert_eq!(heard(&memory, &["a"]), None);
        memory.ask();
        assert_eq!(heard(&memory, &["a"]), None);
        seconds.store(1, Ordering::SeqCst);
        assert_eq!(heard(&memory, &["a"]), Some(false), "it hangs");
        memory.note_server(true);
        assert_eq!(heard(&memory, &["a"]), None, "it came back");
        memory.note_server(false);
        assert_eq!(heard(&memory, &["a"]), Some(false));
    }

    #[tokio::test]
    async fn what_a_server_says_is_heard_even_if_it_is_nothing() {
        let (memory, _) = empty();
        memory.note_server(true);
        let names = ["a".to_owned(), "b".to_owned()];
        let mut waits = Box::pin(memory.hears_of(&names, LONG));
        assert_eq!(waits.as_mut().now_or_never(), None);
        memory.learn(one("a", None));
        assert_eq!(waits.as_mut().now_or_never(), None, "of one of two");
        memory.learn(one("b", clean()));
        assert_eq!(waits.as_mut().now_or_never(), Some(true));
        let other = ["c".to_owned()];
        let short = memory.hears_of(&other, Duration::from_millis(1));
        assert!(!short.await, "nobody said anything of it");
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let (memory, _) = empty();
        memory.note_server(true);
        let names = ["a".to_owned()];
        let mut waiting: Vec<_> = (0..MOST_WAITS)
            .map(|_| Box::pin(memory.hears_of(&names, LONG)))
            .collect();
        for wait in &mut waiting {
            assert_eq!(wait.as_mut().now_or_never(), None);
        }
        assert_eq!(heard(&memory, &["b"]), Some(false));
        waiting.pop();
        assert_eq!(heard(&memory, &["b"]), None, "one has gone");
    }

    #[tokio::test]
    async fn what_nobody_scanned_is_believed_for_a_minute() {
        let (memory, seconds) = empty();
        memory.note_server(true);
        memory.learn(one("unscanned", None));
        memory.learn(one("scanned", clean()));
        seconds.store(59, Ordering::SeqCst);
        assert_eq!(heard(&memory, &["scanned", "unscanned"]), Some(true));
        seconds.store(60, Ordering::SeqCst);
        assert_eq!(heard(&memory, &["unscanned"]), None);
        assert_eq!(heard(&memory, &["scanned"]), Some(true));
        // Both are asked for again, and the old answer does until then.
        assert_eq!(memory.scanned("scanned"), clean());
        assert_eq!(memory.scanned("unscanned"), None);
        assert_eq!(memory.take_wanted(10), ["scanned", "unscanned"]);
        seconds.store(24 * 3600, Ordering::SeqCst);
        assert_eq!(memory.scanned("scanned"), None, "a day later");
        // A clock that was set back makes nothing fresh.
        seconds.store(-3600, Ordering::SeqCst);
        assert_eq!(heard(&memory, &["scanned"]), None);
    }

    #[tokio::test]
    async fn names_that_somebody_invents_take_no_room_from_images_that_are_there() {
        let (memory, _) = empty();
        memory.note_server(true);
        memory.learn(one("scanned", clean()));
        for batch in 0..50 {
            let names = (0..500).map(|number| (format!("invented-{batch}-{number}"), None));
            memory.learn(names.collect());
        }
        memory.learn(one("new", None));
        assert_eq!(heard(&memory, &["scanned", "new"]), Some(true));
        assert!(lock(&memory.images).known.len() <= MOST_IMAGES);
    }

    #[tokio::test]
    async fn too_many_images_hold_up_nobody_who_waits_for_one_that_is_known() {
        let (memory, _) = empty();
        memory.note_server(true);
        let all = (0..MOST_IMAGES - 1).map(|number| (format!("known-{number}"), clean()));
        memory.learn(all.collect());
        let names = ["a".to_owned()];
        let mut waits = Box::pin(memory.hears_of(&names, LONG));
        assert_eq!(waits.as_mut().now_or_never(), None);
        // There is room for the first of the two.
        let both = [("a".to_owned(), clean()), ("b".to_owned(), clean())];
        memory.learn(both.into());
        assert_eq!(waits.as_mut().now_or_never(), Some(true));
    }

    #[test]
    fn images_are_asked_for_in_the_order_in_which_they_were_named() {
        let (memory, _) = empty();
        for name in ["z", "a", "z", "m"] {
            memory.scanned(name);
        }
        assert_eq!(memory.take_wanted(2), ["z", "a"]);
        memory.scanned("z");
        assert_eq!(memory.take_wanted(9), ["m", "z"]);
    }

    #[tokio::test]
    async fn what_was_heard_of_one_of_two_counts() {
        let (memory, _) = empty();
        memory.note_server(true);
        let names = ["a".to_owned(), "b".to_owned()];
        let short = Duration::from_millis(1);
        assert!(!memory.hears_of(&names, short).await);
        memory.learn(one("a", Some(Scanned::default())));
        assert!(memory.hears_of(&names, short).await);
    }

    #[test]
    fn what_is_known_needs_no_room() {
        let (memory, seconds) = empty();
        let all = || (0..MOST_IMAGES).map(|n| (format!("i{n}"), Some(Scanned::default())));
        memory.learn(all().collect());
        seconds.store(3600, Ordering::SeqCst);
        memory.learn(all().take(500).collect());
        let last = format!("i{}", MOST_IMAGES - 1);
        assert!(memory.scanned(&last).is_some());
    }
}
