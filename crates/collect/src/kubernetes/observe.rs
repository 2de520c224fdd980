//! A cluster's facts on their way to a server: what the server does not have, then whatever changes.
//!
//! Nothing is kept here but a hash of each fact that was sent. Facts are what is true now, so a server that cannot be
//! reached loses nothing: when it is there again, it is told by hashes what there is, and asks for what it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seareeve_kubernetes::{FactKey, KINDS, State};
use seareeve_model::{Collection, Fact, FactDelta, FactIndex, FactKind};
use tracing::{debug, info, warn};

use super::client::AskError;
use super::cluster::{Cluster, Told};
use super::stop::Stop;
use super::watch::Pace;

/// How long changes are gathered when they do not end.
const GATHER: Duration = Duration::from_secs(2);

/// Bytes of facts that go into one message, more or less.
const PART_BYTES: usize = 4 << 20;

/// The kind of the asset.
const ASSET_KIND: &str = "kubernetes-cluster";

/// Where facts go.
pub trait Taker {
    /// Takes a list of all that there is, and says what of it is wanted.
    ///
    /// # Errors
    /// [`Refusal`].
    fn index(&mut self, index: &FactIndex) -> Result<Wanted, Refusal>;

    /// Takes changes, and gives the revision that the next ones go on from.
    ///
    /// # Errors
    /// [`Refusal`].
    fn delta(&mut self, delta: &FactDelta) -> Result<String, Refusal>;

    /// Hears that the cluster cannot be watched at all.
    fn trouble(&mut self, why: &str);
}

/// What a receiver wants of all facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// To be sent as [`FactDelta::base`].
    pub revision: String,
    /// Ids by kind.
    pub facts: BTreeMap<FactKind, BTreeSet<String>>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The receiver has something else than what changes go on from.
    #[error("it has other facts than was thought")]
    Stale,
    /// It may take it later.
    #[error("{0}")]
    Later(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
}

/// How a cluster is observed.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The cluster's name, for people.
    pub name: String,
    /// The program and its version.
    pub collector: String,
    /// How long to wait after failures.
    pub pace: Pace,
    /// How often the receiver hears that all is as it was.
    pub alive_every: Duration,
    /// Ends when the receiver has everything.
    pub once: bool,
}

impl Observation {
    /// What the product does.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")).to_owned(),
            pace: Pace::default(),
            alive_every: Duration::from_secs(60),
            once: false,
        }
    }
}

/// Watches a cluster until it is stopped, and passes on what it says. Blocks.
///
/// Where the cluster cannot be reached, or does not know us any more, `again` makes a client anew: credentials may have
/// been replaced meanwhile. What it says when it cannot is passed on.
///
/// # Errors
/// When the receiver will never take what is sent, or, observed once, the cluster cannot be reached or falls silent.
pub fn observe(
    cluster: Cluster,
    again: &mut dyn FnMut() -> Result<Cluster, String>,
    observation: &Observation,
    stop: &Stop,
    taker: &mut dyn Taker,
) -> Result<(), ObserveError> {
    let mut pause = observation.pace.first;
    let mut cluster: Result<Cluster, String> = Ok(cluster);
    loop {
        let why = match &cluster {
            Ok(cluster) => {
                let round = round(cluster, observation, stop, taker);
                let Err((error, was_heard)) = round? else {
                    return Ok(());
                };
                if was_heard {
                    pause = observation.pace.first;
                }
                error.to_string()
            }
            Err(why) => why.clone(),
        };
        warn!(cluster = %observation.name, error = %why, "the cluster cannot be watched; it is tried again");
        taker.trouble(&why);
        if !stop.pause(pause, stop.calls()) {
            return Ok(());
        }
        pause = pause.saturating_mul(2).min(observation.pace.most);
        cluster = again();
    }
}

/// Watches for as long as that goes. What ended it, if it was the cluster, and whether the receiver was sent something.
fn round(
    cluster: &Cluster,
    observation: &Observation,
    stop: &Stop,
    taker: &mut dyn Taker,
) -> Result<Result<(), (AskError, bool)>, ObserveError> {
    let mut observer = Observer::new(observation, stop, taker);
    let watched = cluster.watch(stop, observation.pace, &mut |told| observer.hear(told));
    if let Some(end) = observer.end {
        return end.map(Ok);
    }
    match watched {
        Ok(()) => Ok(Ok(())),
        Err(error) if observation.once => Err(error.into()),
        Err(error) => Ok(Err((error, observer.sent.is_some()))),
    }
}

/// Why observing a cluster has ended.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The cluster cannot be reached.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// It fell silent before all of it was read, or before the receiver took it.
    #[error("nothing is heard of the cluster any more: {0}")]
    Away(String),
    /// The receiver will not take what is sent.
    #[error("the facts were refused: {0}")]
    Refused(Refusal),
}

struct Observer<'o> {
    observation: &'o Observation,
    taker: &'o mut dyn Taker,
    stop: &'o Stop,
    /// What the receiver has; nothing when that is not known.
    sent: Option<Sent>,
    /// Facts that may have changed.
    pending: BTreeSet<FactKey>,
    /// Since when.
    since: Option<Instant>,
    /// Whether something else can be read now than before.
    is_gap_new: bool,
    /// Whether the receiver was told that the cluster is away.
    is_away: bool,
    /// When the receiver last heard of us.
    told: Instant,
    failures: u32,
    /// After a failure: not before that.
    not_before: Option<Instant>,
    end: Option<Result<(), ObserveError>>,
}

struct Sent {
    asset_id: String,
    revision: String,
    hashes: BTreeMap<FactKind, BTreeMap<String, String>>,
    collections: BTreeMap<FactKind, Collection>,
}

impl<'o> Observer<'o> {
    fn new(observation: &'o Observation, stop: &'o Stop, taker: &'o mut dyn Taker) -> Self {
        Self {
            observation,
            taker,
            stop,
            sent: None,
            pending: BTreeSet::new(),
            since: None,
            is_gap_new: false,
            is_away: false,
            told: Instant::now(),
            failures: 0,
            not_before: None,
            end: None,
        }
    }

    fn hear(&mut self, told: Told<'_>) {
        if self.end.is_some() {
            return;
        }
        match told {
            Told::Ready(state) => {
                info!(cluster = %self.observation.name, objects = state.len(), "the cluster was read; watching it");
                self.send(state);
            }
            Told::Changed(state, touched) => {
                self.pending.extend(touched);
                let since = *self.since.get_or_insert_with(Instant::now);
                // What is sent says that all of it is how the cluster is.
                if since.elapsed() >= GATHER && !self.is_away {
                    self.send(state);
                }
            }
            Told::Gap(_, _, _) => self.is_gap_new = true,
            Told::Away(why) => self.away(why),
            Told::Quiet(state) => {
                let is_due = self.sent.is_none()
                    || self.is_away
                    || self.is_gap_new
                    || !self.pending.is_empty()
                    || self.told.elapsed() >= self.observation.alive_every;
                if is_due {
                    self.send(state);
                }
            }
        }
    }

    /// Sends what is due, unless a failure is too fresh.
    fn send(&mut self, state: &State) {
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let result = match self.sent.take() {
            None => self.whole(state),
            Some(sent) => self.changes(state, sent),
        };
        match result {
            Ok(sent) => {
                self.sent = Some(sent);
                self.since = None;
                self.is_away = false;
                self.told = Instant::now();
                self.failures = 0;
                self.not_before = None;
                if self.observation.once {
                    self.finish(Ok(()));
                }
            }
            Err(refusal @ Refusal::Never(_)) => self.finish(Err(ObserveError::Refused(refusal))),
            Err(refusal) => {
                // What it has is not known any more: it is asked, as soon as it answers.
                self.failures = self.failures.saturating_add(1);
                let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1).min(16));
                let pace = self.observation.pace;
                let pause = pace.first.saturating_mul(doubled).min(pace.most);
                if matches!(refusal, Refusal::Stale) && self.failures == 1 {
                    debug!("the receiver has other facts: comparing");
                } else {
                    warn!(error = %refusal, attempt = self.failures, "facts not sent; they will be");
                    self.not_before = Instant::now().checked_add(pause);
                }
            }
        }
    }

    /// Tells that what was sent is how the cluster was. The next message says that it is there again.
    fn away(&mut self, why: &str) {
        if self.observation.once {
            return self.finish(Err(ObserveError::Away(why.to_owned())));
        }
        self.is_away = true;
        let Some(mut sent) = self.sent.take() else {
            return self.taker.trouble(why);
        };
        let delta = FactDelta {
            trouble: Some(why.to_owned()),
            ..FactDelta::nothing(&sent.asset_id, &sent.revision, Timestamp::now())
        };
        match self.taker.delta(&delta) {
            Ok(revision) => {
                sent.revision = revision;
                self.sent = Some(sent);
            }
            Err(refusal @ Refusal::Never(_)) => self.finish(Err(ObserveError::Refused(refusal))),
            // What it has is not known any more. It will notice the silence.
            Err(refusal) => warn!(error = %refusal, "it is not told that the cluster is away"),
        }
    }

    fn finish(&mut self, end: Result<(), ObserveError>) {
        self.end = Some(end);
        self.stop.stop();
    }

    /// Tells what there is, and sends what is wanted of it.
    fn whole(&mut self, state: &State) -> Result<Sent, Refusal> {
        self.pending.clear();
        self.is_gap_new = false;
        let source = source(state);
        let mut hashes: BTreeMap<FactKind, BTreeMap<String, String>> = BTreeMap::new();
        let mut collections = BTreeMap::new();
        for kind in kinds() {
            collections.insert(kind.clone(), state.collection(&kind, &source));
            let of_kind = state
                .facts(&kind)
                .map(|fact| (fact.id.clone(), fact.hash()));
            hashes.insert(kind, of_kind.collect());
        }
        let asset_id = state.uid().unwrap_or_else(|| source.clone());
        let mut index = FactIndex {
            schema: FactIndex::SCHEMA.to_owned(),
            asset_kind: ASSET_KIND.to_owned(),
            asset_id,
            asset_name: self.observation.name.clone(),
            collected_at: Timestamp::now(),
            collector: self.observation.collector.clone(),
            collections,
            hashes,
        };
        let wanted = self.taker.index(&index)?;
        let mut sent = Sent {
            asset_id: std::mem::take(&mut index.asset_id),
            revision: wanted.revision,
            hashes: index.hashes,
            collections: index.collections,
        };
        let facts = wanted.facts.iter().flat_map(|(kind, ids)| {
            let keys = state.keys(kind).into_iter();
            let keys = keys.filter(|key| ids.contains(&key.id()));
            keys.filter_map(|key| Some((kind.clone(), state.fact(&key)?)))
        });
        self.parts(&mut sent, BTreeMap::new(), facts, BTreeMap::new())?;
        Ok(sent)
    }

    /// Sends what of the pending facts really differs from what was sent.
    fn changes(&mut self, state: &State, mut sent: Sent) -> Result<Sent, Refusal> {
        let pending = std::mem::take(&mut self.pending);
        let mut put = Vec::new();
        let mut gone: BTreeMap<FactKind, Vec<String>> = BTreeMap::new();
        for key in pending {
            let (kind, id) = (key.kind(), key.id());
            let known = sent.hashes.entry(kind.clone()).or_default();
            match state.fact(&key) {
                Some(fact) => {
                    let hash = fact.hash();
                    if known.get(&id) != Some(&hash) {
                        known.insert(id, hash);
                        put.push((kind, fact));
                    }
                }
                None => {
                    if known.remove(&id).is_some() {
                        gone.entry(kind).or_default().push(id);
                    }
                }
            }
        }
        let mut collections = BTreeMap::new();
        self.is_gap_new = false;
        let source = source(state);
        for kind in kinds() {
            let collection = state.collection(&kind, &source);
            if sent.collections.get(&kind) != Some(&collection) {
                sent.collections.insert(kind.clone(), collection.clone());
                collections.insert(kind, collection);
            }
        }
        self.parts(&mut sent, collections, put.into_iter(), gone)?;
        Ok(sent)
    }

    /// Sends changes in messages that are not too large. At least one, so that the receiver hears of us.
    fn parts(
        &mut self,
        sent: &mut Sent,
        collections: BTreeMap<FactKind, Collection>,
        facts: impl Iterator<Item = (FactKind, Fact)>,
        gone: BTreeMap<FactKind, Vec<String>>,
    ) -> Result<(), Refusal> {
        let empty =
            |sent: &Sent| FactDelta::nothing(&sent.asset_id, &sent.revision, Timestamp::now());
        let mut part = FactDelta {
            collections,
            gone,
            ..empty(sent)
        };
        let mut bytes: usize = 0;
        for (kind, fact) in facts {
            bytes = bytes.saturating_add(size(&fact));
            part.put.entry(kind).or_default().push(fact);
            if bytes >= PART_BYTES {
                part.more = true;
                sent.revision = self.taker.delta(&part)?;
                part = empty(sent);
                bytes = 0;
            }
        }
        sent.revision = self.taker.delta(&part)?;
        Ok(())
    }
}

fn kinds() -> impl Iterator<Item = FactKind> {
    let kind = |kind| FactKind::new(kind).expect("the kinds are constants of that form");
    KINDS.into_iter().map(kind)
}

fn source(state: &State) -> String {
    state.about().endpoint.clone().unwrap_or_default()
}

/// Bytes of a fact, more or less: what counts is that many do not become a message without end.
fn size(fact: &Fact) -> usize {
    fn of(value: &serde_json::Value) -> usize {
        use serde_json::Value;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 8,
            Value::String(text) => text.len().saturating_add(4),
            Value::Array(items) => items.iter().map(of).sum::<usize>().saturating_add(2),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| name.len().saturating_add(of(value)).saturating_add(4))
                .sum(),
        }
    }
    of(&fact.data).saturating_add(fact.id.len())
}

#[cfg(test)]
mod tests {
    use seareeve_kubernetes::Kind;

    use super::*;

    /// Keeps what trouble each message tells of.
    #[derive(Default)]
    struct Troubles(Vec<Option<String>>);

    impl Taker for Troubles {
        fn index(&mut self, _: &FactIndex) -> Result<Wanted, Refusal> {
            Ok(Wanted {
                revision: String::new(),
                facts: BTreeMap::new(),
            })
        }

        fn delta(&mut self, delta: &FactDelta) -> Result<String, Refusal> {
            self.0.push(delta.trouble.clone());
            Ok(String::new())
        }

        fn trouble(&mut self, _: &str) {}
    }

    #[test]
    fn what_changes_while_a_cluster_is_away_waits_until_all_of_it_is_known() {
        let (observation, stop) = (Observation::new("prod"), Stop::default());
        let state = State::new(Kind::Cluster);
        let mut taker = Troubles::default();
        let mut observer = Observer::new(&observation, &stop, &mut taker);
        observer.hear(Told::Ready(&state));
        observer.hear(Told::Away("no answer"));
        // Some of it is watched again, and has changed for long.
        observer.since = Instant::now().checked_sub(GATHER * 2);
        assert!(observer.since.is_some());
        observer.hear(Told::Changed(&state, BTreeSet::from([FactKey::Cluster])));
        observer.hear(Told::Quiet(&state));
        assert!(observer.pending.is_empty());
        assert_eq!(taker.0, [None, Some("no answer".to_owned()), None]);
    }
}
