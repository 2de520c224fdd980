//! A cluster: read once, or watched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use seareeve_kubernetes::{
    About, Change, FactKey, Gap, Kind, Observed, Reading, Resource, Seen, State,
};
use seareeve_model::CollectionStatus;
use serde_json::Value;
use tracing::debug;

use super::client::{AskError, Client, Limits};
use super::connection::{Connection, ConnectionError};
use super::list::{gap, list, rest};
use super::pulse::look_after;
use super::stop::Stop;
use super::watch::{Heard, Pace, watch};
use crate::certificate;

/// Largest document beside lists that is read.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Most API groups that are remembered.
const MAX_GROUPS: usize = 5_000;

/// After so many resources in a row that it did not answer for, a cluster is not asked for others.
const MAX_SILENT: u32 = 2;

/// Most changes that wait to be taken in.
const QUEUE: usize = 256;

/// After so long without a change it is told that there was none.
const QUIET: Duration = Duration::from_millis(200);

/// How long a cluster that is back may go on changing without a pause before it is told that it is.
const SETTLED: Duration = Duration::from_secs(2);

/// How often the API server is asked what it is: an upgrade changes no object.
const ABOUT_EVERY: Duration = Duration::from_secs(600);

/// A cluster that can be read.
pub struct Cluster {
    client: Client,
    authorities: Vec<String>,
}

/// What is told of a cluster that is watched.
#[derive(Debug)]
pub enum Told<'s> {
    /// Everything was read once. From here on changes are told.
    Ready(&'s State),
    /// These facts are new, different or gone.
    Changed(&'s State, BTreeSet<FactKey>),
    /// What can be read of a resource has changed: it is `None` when all can.
    Gap(&'s State, Resource, Option<Gap>),
    /// For some time nothing has happened: a moment to pass on what did.
    Quiet(&'s State),
    /// Nothing is heard of the API server any more, for this reason: what is known of the cluster is how it was. Whatever
    /// is told next says that something is again.
    Away(&'s str),
}

impl Cluster {
    /// A client for the cluster that `connection` leads to. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub fn new(connection: &Connection, limits: Limits) -> Result<Self, ConnectionError> {
        let client = Client::new(connection, limits)?;
        // Who looks at no certificate knows the cluster by none.
        let known = connection.authorities.as_ref();
        let known = known.filter(|_| !connection.skips_verification);
        let authorities = known.map(|pem| certificate::all(&String::from_utf8_lossy(pem)));
        let prints = authorities.unwrap_or_default().into_iter();
        Ok(Self {
            client,
            authorities: prints.map(|authority| authority.fingerprint).collect(),
        })
    }

    /// What the API server says of itself. Blocks.
    ///
    /// # Errors
    /// When it cannot be reached, or does not know us. That it will not tell its version is none.
    pub fn about(&self) -> Result<About, AskError> {
        let version = match self.client.json::<Value>("/version", MAX_DOCUMENT) {
            Ok(version) => version,
            Err(error) if matches!(error.status(), Some(403 | 404)) => Value::Null,
            Err(error) => return Err(error),
        };
        let part = |name: &str| version.get(name)?.as_str().map(str::to_owned);
        let groups = match self.client.json::<Value>("/apis", MAX_DOCUMENT) {
            Ok(list) => {
                let groups = list.get("groups").and_then(Value::as_array);
                groups.map(|groups| {
                    let names = groups
                        .iter()
                        .filter_map(|group| group.get("name")?.as_str());
                    names.take(MAX_GROUPS).map(str::to_owned).collect()
                })
            }
            Err(error) => {
                debug!(%error, "the API groups cannot be listed");
                None
            }
        };
        Ok(About {
            version: part("gitVersion"),
            platform: part("platform"),
            endpoint: Some(self.client.server().to_owned()),
            api_groups: groups,
            authorities: self.authorities.clone(),
        })
    }

    /// The uid of the namespace `kube-system`, by which the cluster is known again. Blocks.
    ///
    /// # Errors
    /// When it may not be asked for, or the cluster does not answer.
    pub fn uid(&self) -> Result<Option<String>, AskError> {
        let path = "/api/v1/namespaces/kube-system";
        let namespace: Value = self.client.json(path, MAX_DOCUMENT)?;
        let uid = namespace.pointer("/metadata/uid").and_then(Value::as_str);
        Ok(uid.map(str::to_owned))
    }

    /// Reads everything once. What cannot be read is a gap in the state. Blocks.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or does not know us.
    pub fn read(&self) -> Result<State, AskError> {
        let mut state = State::new(Kind::Cluster);
        state.set_about(self.about()?);
        let mut silent = 0;
        let mut last = None;
        for resource in read_resources() {
            // A cluster that has stopped to answer is not waited for with each resource.
            if silent >= MAX_SILENT {
                state.set_gap(resource, last.clone());
                continue;
            }
            let mut is_whole = true;
            let listed = list(&self.client, resource, &mut || {}, &mut |object| {
                is_whole &= self.take(&mut state, Change::Put(object)).is_some();
            });
            let found = match &listed {
                Ok(_) if !is_whole => Some(full(resource)),
                Ok(listed) => rest(resource, listed),
                Err(error) => Some(gap(resource, "list", error)),
            };
            silent = match &listed {
                Err(AskError::Unreachable { .. } | AskError::TooSlow { .. }) => silent + 1,
                Ok(_) | Err(_) => 0,
            };
            state.set_gap(resource, found.clone());
            last = found;
        }
        Ok(state)
    }

    /// What the kubelet of a node says of its configuration, through the API server. It takes `get` on `nodes/proxy`,
    /// which lets its holder do anything on the node: the sensor on the node sees the same without.
    ///
    /// # Errors
    /// When it may not be asked, or does not answer.
    pub fn kubelet(&self, node: &str) -> Result<Observed, AskError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let path = format!("/api/v1/nodes/{node}/proxy/configz");
        if node.is_empty() || node.len() > 253 || !node.bytes().all(is_name) || node.contains("..")
        {
            return Err(self.client.malformed(&path, "it is no name of a node"));
        }
        let configz: Value = self.client.json(&path, MAX_DOCUMENT)?;
        Ok(Observed {
            component: "kubelet".to_owned(),
            node: node.to_owned(),
            source: Seen::Configz,
            configz: Some(configz),
            ..Observed::default()
        })
    }

    /// Reads everything and goes on watching until `stop` says so, telling what changes. Blocks; a thread for each
    /// resource listens meanwhile. Connections that break are made anew, with growing pauses.
    ///
    /// # Errors
    /// When the cluster cannot be reached at the beginning, or does not know us, then or later: credentials end.
    pub fn watch(
        &self,
        stop: &Stop,
        pace: Pace,
        tell: &mut dyn FnMut(Told<'_>),
    ) -> Result<(), AskError> {
        let mut state = State::new(Kind::Cluster);
        state.set_about(self.about()?);
        let (send, receive) = mpsc::sync_channel(QUEUE);
        // Watching may come to its end by itself, and what else `stop` ends goes on.
        let outer = stop;
        let stop = &Stop::default();
        let _cut = stop.at_end(self.client.ender());
        let inner = stop.clone();
        let _stopped = outer.at_end(move || inner.stop());
        std::thread::scope(|threads| {
            // However this comes to its end, be it a panic of who is told: they wait for each other.
            let _ends = Ends(stop);
            let receive = receive;
            let watched: BTreeSet<Resource> = read_resources().collect();
            let mut waited_for = watched.clone();
            for resource in read_resources() {
                let send = send.clone();
                let client = &self.client;
                let thread = std::thread::Builder::new()
                    .name(format!("watch {}", resource.api().plural))
                    .spawn_scoped(threads, move || watch(client, resource, stop, pace, &send));
                if let Err(error) = thread {
                    return Err(AskError::NoThread(error));
                }
            }
            // The last one that listens closes the queue.
            drop(send);
            let looking = std::thread::Builder::new().name("pulse".to_owned());
            let looking =
                looking.spawn_scoped(threads, move || look_after(&self.client, &watched, stop));
            if let Err(error) = looking {
                return Err(AskError::NoThread(error));
            }
            // Since when it is there again, of a cluster that was told to be away.
            let mut back = None;
            let mut is_past = false;
            let mut gaps = BTreeMap::new();
            let mut asked = Instant::now();
            loop {
                let heard = receive.recv_timeout(QUIET);
                match self.client.pulse.why_past() {
                    Some(why) => {
                        back = None;
                        if !std::mem::replace(&mut is_past, true) {
                            tell(Told::Away(&why));
                        }
                    }
                    None if is_past => {
                        let is_quiet = matches!(heard, Err(RecvTimeoutError::Timeout));
                        // What happened meanwhile is on its way when all is watched again: until nothing comes for a
                        // moment, or, where something always does, for longer.
                        let settled = match back {
                            Some(_) if is_quiet => true,
                            Some(since) => Instant::now().duration_since(since) >= SETTLED,
                            None => false,
                        };
                        back.get_or_insert_with(Instant::now);
                        if settled && waited_for.is_empty() {
                            is_past = false;
                            if !is_quiet && !stop.is_stopped() {
                                tell(Told::Quiet(&state));
                            }
                        }
                    }
                    None => {}
                }
                let (resource, heard) = match heard {
                    Ok(heard) => heard,
                    Err(RecvTimeoutError::Timeout) => {
                        if waited_for.is_empty() && !is_past && !stop.is_stopped() {
                            if asked.elapsed() >= ABOUT_EVERY {
                                asked = Instant::now();
                                self.ask_again(&mut state, tell);
                            }
                            tell(Told::Quiet(&state));
                        }
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if stop.is_stopped() {
                    // Those that wait to send are let go by the end of `receive`.
                    break;
                }
                let was_ready = waited_for.is_empty();
                match heard {
                    Heard::Change(change) => match self.take(&mut state, change) {
                        Some(touched) if was_ready && !touched.is_empty() => {
                            tell(Told::Changed(&state, touched));
                        }
                        Some(_) => {}
                        None => {
                            let gap = Some(full(resource));
                            state.set_gap(resource, gap.clone());
                            let before = gaps.insert(resource, gap.clone());
                            if was_ready && before != Some(gap.clone()) {
                                tell(Told::Gap(&state, resource, gap));
                            }
                        }
                    },
                    Heard::Listed(names) => {
                        let touched = forget(&mut state, resource, &names);
                        if was_ready && !touched.is_empty() {
                            tell(Told::Changed(&state, touched));
                        }
                        waited_for.remove(&resource);
                    }
                    Heard::Gap(gap) => {
                        state.set_gap(resource, gap.clone());
                        let before = gaps.insert(resource, gap.clone());
                        if was_ready && before != Some(gap.clone()) {
                            tell(Told::Gap(&state, resource, gap.clone()));
                        }
                        if gap.is_some() {
                            waited_for.remove(&resource);
                        }
                    }
                    Heard::Unknown(error) => return Err(error),
                }
                if !was_ready && waited_for.is_empty() {
                    tell(Told::Ready(&state));
                }
            }
            Ok(())
        })
    }
}

/// Stops when it goes.
struct Ends<'s>(&'s Stop);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Cluster {
    /// Asks the API server again what it is.
    fn ask_again(&self, state: &mut State, tell: &mut dyn FnMut(Told<'_>)) {
        match self.about() {
            Ok(about) if about != *state.about() => {
                state.set_about(about);
                let touched = BTreeSet::from([FactKey::Cluster, FactKey::Admission]);
                tell(Told::Changed(state, touched));
            }
            Ok(_) => {}
            // The watches say what is wrong.
            Err(error) => debug!(%error, "the API server does not say what it is"),
        }
    }

    /// Takes a change in, if there is room for it. What is gone always is.
    fn take(&self, state: &mut State, change: Change) -> Option<BTreeSet<FactKey>> {
        let is_full = state.bytes() >= self.client.limits.kept_bytes;
        match change {
            Change::Put(_) if is_full => None,
            change => Some(state.apply(change)),
        }
    }
}

/// The gap that a cluster leaves which has more than is kept.
fn full(resource: Resource) -> Gap {
    Gap {
        status: CollectionStatus::Error,
        detail: format!("the cluster has more than is kept of one: not all {resource} were read"),
    }
}

/// Takes out what a fresh list no longer has.
fn forget(
    state: &mut State,
    resource: Resource,
    names: &BTreeSet<(String, String)>,
) -> BTreeSet<FactKey> {
    let gone: Vec<(String, String)> = state
        .names(resource)
        .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
        .filter(|name| !names.contains(name))
        .collect();
    let mut touched = BTreeSet::new();
    for (namespace, name) in gone {
        touched.extend(state.apply(Change::Gone(resource, namespace, name)));
    }
    touched
}

/// What is read of a cluster.
fn read_resources() -> impl Iterator<Item = Resource> {
    Resource::ALL
        .into_iter()
        .filter(|resource| resource.reading() != Reading::Never)
}

/// The status of a gap that is worth another look soon.
pub(super) fn is_passing(status: CollectionStatus) -> bool {
    match status {
        CollectionStatus::Error => true,
        CollectionStatus::Ok
        | CollectionStatus::Absent
        | CollectionStatus::Denied
        | CollectionStatus::Unsupported => false,
    }
}
