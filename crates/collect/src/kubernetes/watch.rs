//! Watching one resource: a list, then what changes, for as long as it is wanted.
//!
//! A watch goes on from where the last one ended: at the version of the last event or bookmark. When the server no
//! longer knows that version (410 Gone), all is listed anew, and what is missing from the list is gone.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use seareeve_kubernetes::{Change, Gap, Object, Resource, Slim};
use serde::Deserialize;
use serde_json::Value;
use tracing::{debug, warn};

use super::client::{AskError, Client, Meter, Metered, Reply};
use super::cluster::is_passing;
use super::list::{accept, encode, gap, list, path, rest};
use super::stop::Stop;

/// How often a watch may break without having said anything before all is listed anew: perhaps the version from
/// which it should go on is what breaks it.
const MAX_BREAKS: u32 = 5;

/// Most bytes that one watch may say.
const MAX_WATCH: u64 = 16 << 30;

/// How long to wait before trying again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After the first failure; it doubles with each.
    pub first: Duration,
    /// At most.
    pub most: Duration,
    /// At most, before a resource that is denied or not there is asked for again. It begins with `first`, too: an API
    /// server that has just started denies what it allows a moment later, when it has read its roles.
    pub again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            again: Duration::from_secs(300),
        }
    }
}

/// What a watch tells of its resource.
pub(super) enum Heard {
    Change(Change),
    /// A list has come to its end, with these.
    Listed(BTreeSet<(String, String)>),
    /// What is missing.
    Gap(Option<Gap>),
    /// The server does not know us any more, and so nothing else can be heard either.
    Unknown(AskError),
}

/// Why a watch has ended.
enum End {
    /// As it should: the time that was asked for is over.
    Over,
    /// As connections do.
    Broken,
    /// The server does not know the version any more.
    Expired,
    Stopped,
}

struct Watch<'w> {
    client: &'w Client,
    resource: Resource,
    stop: &'w Stop,
    send: &'w SyncSender<(Resource, Heard)>,
    /// From where to go on.
    version: String,
    /// Whether the last one has said anything.
    has_heard: bool,
    /// Since when lists have no answer.
    failing: Option<Instant>,
    /// The pause before what is denied is asked for again.
    denied: Duration,
    /// Whether the cluster was away before the last request.
    began_away: bool,
    /// How often those that pause had been called before it.
    calls: u64,
}

/// Lists and watches `resource` until it is stopped, or nobody listens.
pub(super) fn watch(
    client: &Client,
    resource: Resource,
    stop: &Stop,
    pace: Pace,
    send: &SyncSender<(Resource, Heard)>,
) {
    let mut watch = Watch {
        client,
        resource,
        stop,
        send,
        version: String::new(),
        has_heard: false,
        failing: None,
        denied: pace.first,
        began_away: false,
        calls: stop.calls(),
    };
    let mut pause = pace.first;
    while !stop.is_stopped() {
        match watch.round(pace, &mut pause) {
            // Expired: at once, but not in a circle.
            Ok(Some(time)) => {
                if !stop.pause(time, watch.calls) {
                    return;
                }
            }
            Ok(None) | Err(Unheard) => return,
        }
    }
}

/// Nobody listens any more.
struct Unheard;

impl Watch<'_> {
    /// One list, and watches for as long as they go on from it. Gives how long to wait before the next.
    fn round(&mut self, pace: Pace, pause: &mut Duration) -> Result<Option<Duration>, Unheard> {
        let asked = Instant::now();
        let api_version = match self.list()? {
            Ok(version) => {
                self.failing = None;
                version
            }
            Err(error) => {
                if self.stop.is_stopped() {
                    return Ok(None);
                }
                if error.status() == Some(401) {
                    self.tell(Heard::Unknown(error))?;
                    return Ok(None);
                }
                if self.is_cluster_silent(&error, asked) {
                    debug!(resource = %self.resource, %error, "nothing is heard of the cluster, trying again");
                    return Ok(Some(self.patience(pace, pause)));
                }
                let gap = gap(self.resource, "list", &error);
                let time = if is_passing(gap.status) {
                    warn!(resource = %self.resource, error = %error, "failed to list, trying again");
                    longer(pause, pace.most)
                } else {
                    longer(&mut self.denied, pace.again)
                };
                self.tell_gap(Some(gap))?;
                return Ok(Some(time));
            }
        };
        let mut breaks = 0;
        let mut denial = None;
        while breaks < MAX_BREAKS {
            self.has_heard = false;
            denial = None;
            match self.listen(api_version)? {
                Ok(End::Stopped) => return Ok(None),
                Ok(End::Expired) => {
                    debug!(resource = %self.resource, "the watch has expired, listing anew");
                    return Ok(Some(longer(pause, pace.most)));
                }
                Ok(End::Over) => {
                    breaks = 0;
                    *pause = pace.first;
                    self.denied = pace.first;
                    continue;
                }
                Ok(End::Broken) => {}
                Err(error) if self.stop.is_stopped() => {
                    debug!(%error, "stopped");
                    return Ok(None);
                }
                // Not believed at once: it may be an API server that has just started.
                Err(error) if matches!(error.status(), Some(401 | 403 | 404)) => {
                    debug!(resource = %self.resource, %error, "the watch is denied, asking again");
                    denial = Some(error);
                }
                Err(error) => {
                    debug!(resource = %self.resource, %error, "the watch broke, going on");
                }
            }
            if self.has_heard {
                breaks = 0;
                *pause = pace.first;
                self.denied = pace.first;
            }
            breaks += u32::from(!self.has_heard && !self.was_away());
            if !self.stop.pause(self.patience(pace, pause), self.calls) {
                return Ok(None);
            }
        }
        let Some(error) = denial else {
            return Ok(Some(longer(pause, pace.most)));
        };
        if error.status() == Some(401) {
            self.tell(Heard::Unknown(error))?;
            return Ok(None);
        }
        self.tell_gap(Some(gap(self.resource, "watch", &error)))?;
        Ok(Some(longer(&mut self.denied, pace.again)))
    }

    /// Lists everything, and says what there is. Gives the version of the API.
    fn list(&mut self) -> Result<Result<&'static str, AskError>, Unheard> {
        self.begin();
        let names = std::cell::RefCell::new(BTreeSet::new());
        let mut is_heard = true;
        let (send, stop, resource) = (self.send, self.stop, self.resource);
        let listed = list(
            self.client,
            resource,
            &mut || names.borrow_mut().clear(),
            &mut |object| {
                let name = (object.namespace().to_owned(), object.name().to_owned());
                names.borrow_mut().insert(name);
                if is_heard && !stop.is_stopped() {
                    let change = Heard::Change(Change::Put(object));
                    is_heard = send.send((resource, change)).is_ok();
                }
            },
        );
        if !is_heard {
            return Err(Unheard);
        }
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        if self.stop.is_stopped() {
            return Ok(Err(AskError::Stopped));
        }
        self.tell_gap(rest(self.resource, &listed))?;
        self.tell(Heard::Listed(names.into_inner()))?;
        self.version = listed.resource_version;
        Ok(Ok(listed.version))
    }

    /// One watch.
    fn listen(&mut self, api_version: &'static str) -> Result<Result<End, AskError>, Unheard> {
        self.begin();
        let api = self.resource.api();
        let seconds = self.client.limits.watch.as_secs().max(1);
        let base = path(&api, api_version);
        let path = format!(
            "{base}?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
            encode(&self.version)
        );
        let accept = accept(self.resource, "PartialObjectMetadata");
        let begun = Instant::now();
        let body = match self.client.open(&path, &accept, Reply::Watch) {
            Ok(body) => body,
            Err(error) if error.status() == Some(410) => return Ok(Ok(End::Expired)),
            Err(error) => return Ok(Err(error)),
        };
        self.client.pulse.follows(self.resource);
        let meter = Meter::new(MAX_WATCH);
        let mut reader = BufReader::new(Metered::new(body, &meter, &self.client.pulse));
        let mut line = Vec::new();
        let most = self.client.limits.object_bytes;
        loop {
            if self.stop.is_stopped() {
                return Ok(Ok(End::Stopped));
            }
            line.clear();
            let read = reader.by_ref().take(most).read_until(b'\n', &mut line);
            if let Err(error) = read {
                return Ok(Err(self.client.read_failed(&path, error, &meter)));
            }
            if line.last() != Some(&b'\n') {
                // The connection ended within a line, or the line does not end.
                let is_endless = u64::try_from(line.len()).unwrap_or(u64::MAX) >= most;
                if is_endless {
                    let why = "an event is larger than any object may be";
                    return Ok(Err(self.client.malformed(&path, why)));
                }
                // One that ends at once, again and again, is none that came to its end.
                let is_over = line.is_empty() && begun.elapsed() >= self.client.limits.watch / 2;
                return Ok(Ok(if is_over { End::Over } else { End::Broken }));
            }
            match self.event(&line, &path, api_version)? {
                Ok(None) => {}
                Ok(Some(end)) => return Ok(Ok(end)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Takes one event in. Gives an end when it is one.
    fn event(
        &mut self,
        line: &[u8],
        path: &str,
        api_version: &str,
    ) -> Result<Result<Option<End>, AskError>, Unheard> {
        #[derive(Deserialize)]
        struct Event {
            r#type: String,
            object: Slim,
        }
        let event: Event = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(error) => return Ok(Err(self.client.malformed(path, &error.to_string()))),
        };
        let Slim(object) = event.object;
        let object = object.unwrap_or_default();
        let is_gone = match event.r#type.as_str() {
            "ADDED" | "MODIFIED" => false,
            "DELETED" => true,
            "BOOKMARK" => {
                self.go_on_from(&object);
                return Ok(Ok(None));
            }
            "ERROR" => {
                let code = object.get("code").and_then(Value::as_u64);
                let why = object.get("message").and_then(Value::as_str);
                return Ok(match code {
                    Some(410) => Ok(Some(End::Expired)),
                    _ => Err(self.client.malformed(path, why.unwrap_or("an error"))),
                });
            }
            other => return Ok(Err(self.client.malformed(path, other))),
        };
        let version = resource_version(&object).map(str::to_owned);
        let api = self.resource.api();
        let api_version = match api.group {
            "" => api_version.to_owned(),
            group => format!("{group}/{api_version}"),
        };
        let object = match Object::of(self.resource, &api_version, object, None) {
            Ok(object) => object,
            // To go on would mean to miss it; a new list says it as a gap.
            Err(error) => return Ok(Err(self.client.malformed(path, &error.to_string()))),
        };
        let change = if is_gone {
            let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
            Change::Gone(self.resource, namespace, name)
        } else {
            Change::Put(object)
        };
        self.tell(Heard::Change(change))?;
        if let Some(version) = version {
            self.version = version;
            self.has_heard = true;
        }
        Ok(Ok(None))
    }

    fn begin(&mut self) {
        self.calls = self.stop.calls();
        self.began_away = self.client.pulse.is_away();
    }

    /// Whether the cluster is away, or was during the last request.
    fn was_away(&self) -> bool {
        self.began_away || self.client.pulse.is_away() || self.calls != self.stop.calls()
    }

    /// Whether a list that was asked for then failed as all would. That the whole cluster is away says nothing of this
    /// resource; where nothing at all was heard since lists of it fail, that may not have been noticed yet.
    fn is_cluster_silent(&mut self, error: &AskError, asked: Instant) -> bool {
        if error.status().is_some() {
            self.failing = None;
            return false;
        }
        let since = *self.failing.get_or_insert(asked);
        self.was_away() || !self.client.pulse.was_heard_since(since)
    }

    /// How long to wait after a failure. Who waits for the cluster's return is called.
    fn patience(&self, pace: Pace, pause: &mut Duration) -> Duration {
        match self.was_away() {
            true => pace.most,
            false => longer(pause, pace.most),
        }
    }

    fn go_on_from(&mut self, object: &Value) {
        if let Some(version) = resource_version(object) {
            version.clone_into(&mut self.version);
            self.has_heard = true;
        }
    }

    fn tell_gap(&self, gap: Option<Gap>) -> Result<(), Unheard> {
        self.tell(Heard::Gap(gap))?;
        self.client.pulse.follows(self.resource);
        Ok(())
    }

    fn tell(&self, heard: Heard) -> Result<(), Unheard> {
        let sent = self.send.send((self.resource, heard));
        sent.map_err(|_closed| Unheard)
    }
}

fn resource_version(object: &Value) -> Option<&str> {
    let version = object.pointer("/metadata/resourceVersion")?.as_str()?;
    (!version.is_empty() && version.len() <= 256).then_some(version)
}

/// The pause to make now; the next one is twice as long.
fn longer(pause: &mut Duration, most: Duration) -> Duration {
    let now = (*pause).min(most);
    *pause = now.saturating_mul(2).min(most);
    now
}
