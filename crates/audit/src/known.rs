//! What the audit stream itself says about the cluster: who made what, and what it may do.
//!
//! So that "a command was run in a privileged pod" is one alert although pod and command come in two events, and that
//! a pod is blamed on who changed its deployment and not on the controller. All of it is bounded; what was not seen
//! for longest is forgotten first, and what is not known never silences a detection.

mod generations;
mod learn;
mod saved;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, Hasher as _, RandomState};
use std::sync::Arc;

use crate::event::AuditEvent;
use crate::image::Image;
use crate::json::Text;
use crate::portrait::{Aspect, Owner, Portrait, Trait, about, controller, resource_of};
use crate::record::{Record, Stage};
use crate::user::UserKind;

use generations::{Bound, Digests, Generations};
pub use saved::StateError;

/// Objects that are remembered.
const OBJECTS: Bound = Bound {
    entries: 100_000,
    bytes: 24 << 20,
};
/// Requests and events that are remembered, to tell repeated ones: minutes of a large cluster.
const REQUESTS: usize = 400_000;
/// Commands that are.
const COMMANDS: usize = 10_000;
/// Registries that are remembered; nothing is new beyond so many.
const REGISTRIES: usize = 10_000;
/// Longest name of one: a host's, and a port.
const REGISTRY: usize = 261;
/// Bytes of an entry that holds a digest: tables are half full at times.
const DIGEST: usize = 40;
/// Bytes of a known object without what it holds.
const KNOWN: usize = 240;
/// How long two connections with the same command are the same one, in nanoseconds: a client that tries WebSockets
/// first asks again over SPDY at once.
const SAME_COMMAND: u64 = 10_000_000_000;

/// An object as it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Of all its traits.
    pub(crate) fingerprints: Box<[u64]>,
    /// Those that later events ask about.
    pub(crate) kept: Box<[Trait]>,
    /// Of the pods that it makes; of services, the pods that they lead to.
    pub(crate) labels: Box<[(String, String)]>,
    /// Who made it what it is: the last one who changed it and is no controller.
    pub(crate) actor: Option<Arc<str>>,
    /// What people made of which it is: `Deployment/cart`.
    pub(crate) root: Option<Arc<str>>,
}

impl Known {
    /// Whether it had this trait.
    pub(crate) fn has(&self, fingerprint: u64) -> bool {
        self.fingerprints.binary_search(&fingerprint).is_ok()
    }

    /// What is said about one aspect.
    pub(crate) fn about(&self, aspect: Aspect) -> impl Iterator<Item = &str> {
        about(&self.kept, aspect)
    }

    /// Bytes that it takes, about.
    fn bytes(&self) -> usize {
        let kept = self
            .kept
            .iter()
            .map(|(_, what)| what.len().saturating_add(48));
        let labels = self.labels.iter().map(|(key, value)| {
            let texts = key.len().saturating_add(value.len());
            texts.saturating_add(80)
        });
        let names = self.actor.iter().chain(&self.root).map(|name| name.len());
        let numbers = self.fingerprints.len().saturating_mul(8);
        let all = kept.chain(labels).chain(names);
        all.fold(numbers.saturating_add(KNOWN), usize::saturating_add)
    }
}

/// What is known about one cluster. One for each: names mean nothing across clusters.
#[derive(Debug)]
pub struct State {
    objects: Generations<String, Arc<Known>>,
    requests: Generations<u128, (), Digests>,
    /// Connections with a command, and when they began.
    commands: Generations<u128, u64, Digests>,
    /// Of this process alone, so that nobody knows which requests have the same digest.
    keys: [RandomState; 2],
    /// Registries that images came from.
    registries: HashSet<String>,
    has_kubeflow: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            objects: Generations::new(OBJECTS, |key, known| {
                key.len().saturating_add(known.bytes())
            }),
            requests: Generations::new(by_number(REQUESTS), |_, ()| DIGEST),
            commands: Generations::new(by_number(COMMANDS), |_, _| DIGEST),
            keys: [RandomState::new(), RandomState::new()],
            registries: HashSet::new(),
            has_kubeflow: false,
        }
    }
}

impl State {
    /// Puts an event into what is known, and learns from it. `None`: the very same event was here before.
    ///
    /// Events are the same when all that they say about request and time is. Their id alone would not do: clients
    /// choose it (`Audit-ID`), and could make others' events pass for repetitions.
    pub fn observe<'a>(&mut self, record: Record<'a>) -> Option<AuditEvent<'a>> {
        let stage = record.stage();
        let (request, itself) = self.identities(&record);
        if self.requests.insert(itself, ()) {
            return None;
        }
        let mut event = AuditEvent::new(record);
        if is_of_kubeflow(&event) {
            self.has_kubeflow = true;
        }
        event.context.has_kubeflow = self.has_kubeflow;
        event.context.is_repeated = match stage {
            // Either may come first: batches overtake each other.
            Some(Stage::ResponseStarted) => self.requests.insert(request, ()),
            Some(Stage::ResponseComplete | Stage::Panic) if may_last(&event.record) => {
                self.requests.insert(request, ())
            }
            Some(Stage::ResponseComplete | Stage::Panic) => self.requests.contains(&request),
            Some(Stage::RequestReceived) | None => false,
        } || self.is_same_command(&event);
        self.recall(&mut event);
        self.learn(&event);
        Some(event)
    }

    /// Bytes of what is remembered, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let requests = self.requests.bytes().saturating_add(self.commands.bytes());
        let registries = self
            .registries
            .iter()
            .map(|name| name.len().saturating_add(64));
        registries
            .fold(self.objects.bytes(), usize::saturating_add)
            .saturating_add(requests)
    }

    /// How many objects are remembered.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// What tells a request from others, and what tells this event of it.
    fn identities(&self, record: &Record<'_>) -> (u128, u128) {
        let halves = self.keys.each_ref().map(|key| {
            let mut hasher = key.build_hasher();
            let words = [record.verb, record.uri, record.user.name];
            (record.audit_id.raw(), words.map(Text::raw)).hash(&mut hasher);
            record.received.map(Text::raw).hash(&mut hasher);
            let request = hasher.finish();
            record.stage_text.raw().hash(&mut hasher);
            record.staged.map(Text::raw).hash(&mut hasher);
            (request, hasher.finish())
        });
        (
            both(halves.map(|(request, _)| request)),
            both(halves.map(|(_, itself)| itself)),
        )
    }

    /// Whether this is the second try of a client that asked by a `get` (WebSockets) at first, which was told of. One
    /// that was refused, as clients are that may only `create`, opened nothing.
    fn is_same_command(&mut self, event: &AuditEvent<'_>) -> bool {
        let target = event.record.target.unwrap_or_default();
        let part = target.subresource.unwrap_or_default();
        if !matches!(part.raw(), b"exec" | b"attach" | b"portforward") {
            return false;
        }
        let same = both(self.keys.each_ref().map(|key| {
            let agent = event.record.agent.map(|agent| agent.raw());
            key.hash_one((event.record.user.name.raw(), event.record.uri.raw(), agent))
        }));
        let time = seareeve_detect::Event::time(event);
        if event.record.verb.is("get") {
            if event.succeeded() {
                self.commands.insert(same, time);
            }
            return false;
        }
        let began = self.commands.get(&same);
        began.is_some_and(|began| time.abs_diff(began) < SAME_COMMAND)
    }

    /// What is known about what the event concerns.
    fn recall(&mut self, event: &mut AuditEvent<'_>) {
        let resource = event.resource();
        let namespace = event.namespace();
        let target = event.record.target.unwrap_or_default();
        let is_part = target.subresource.is_some_and(|part| !part.is_empty());
        if is_part {
            if resource == "pods"
                && let Some(name) = target.name
            {
                let key = key(&resource, &namespace, &name.decode());
                event.context.object = self.objects.get(&key);
            }
            if !event.changes_object() {
                return;
            }
        } else if !event.changes_object() || !Portrait::is_of(&resource) {
            return;
        }
        let name = event.name().map(std::borrow::Cow::into_owned);
        if !event.record.verb.is("create")
            && let Some(name) = &name
        {
            event.context.previous = self.objects.get(&key(&resource, &namespace, name));
        }
        if event.user_kind() == UserKind::Controller {
            let owner = event.object().and_then(controller);
            let known = owner
                .as_ref()
                .and_then(|owner| self.owner(owner, &namespace));
            if let (Some(owner), Some(known)) = (owner, known) {
                let root = format!("{}/{}", owner.kind, owner.name);
                event.context.root = Some(known.root.clone().unwrap_or_else(|| root.into()));
                event.context.actor = known.actor.clone();
                event.context.owner = Some(known);
            }
        }
        event.context.partners = self.partners(event);
        event.context.new_registries = self.new_registries(event);
    }

    /// Registries of added images that nothing came from before. The very first one is nothing new: there is nothing
    /// to compare it with.
    fn new_registries(&self, event: &AuditEvent<'_>) -> Vec<String> {
        if self.registries.is_empty() || event.user_kind() == UserKind::Controller {
            return Vec::new();
        }
        let mut new: Vec<String> = about(event.added(), Aspect::Image)
            .map(|image| Image::parse(image).registry.into_owned())
            .filter(|registry| !self.registries.contains(registry))
            .collect();
        new.sort_unstable();
        new.dedup();
        new
    }

    /// Remembers where images came from.
    fn learn_registries(&mut self, portrait: &Portrait) {
        for image in portrait.about(Aspect::Image) {
            let registry = Image::parse(image).registry;
            let is_one = registry.len() <= REGISTRY;
            let is_new = is_one && !self.registries.contains(registry.as_ref());
            if is_new && self.registries.len() < REGISTRIES {
                self.registries.insert(registry.into_owned());
            }
        }
    }

    fn owner(&mut self, owner: &Owner, namespace: &str) -> Option<Arc<Known>> {
        let resource = resource_of(&owner.kind)?;
        self.objects.get(&key(resource, namespace, &owner.name))
    }

    /// Services that lead to the pods of a workload; workloads that a service leads to, with their config maps.
    fn partners(&self, event: &AuditEvent<'_>) -> Vec<Arc<Known>> {
        const MAX: usize = 64;
        let portrait = event.portrait();
        let namespace = event.namespace();
        let resource = event.resource();
        match resource.as_ref() {
            "rolebindings" | "clusterrolebindings" => return self.bound_role(portrait, &namespace),
            "configmaps" => return self.users_of_map(event, &namespace),
            _ => {}
        }
        let is_service = resource == "services";
        if portrait.labels.is_empty()
            || (is_service && portrait.about(Aspect::Exposure).next().is_none())
            || event.user_kind() == UserKind::Controller
        {
            return Vec::new();
        }
        let of = |resource: &str| format!("{resource}/{namespace}/");
        let mut partners: Vec<Arc<Known>> = Vec::new();
        let mut maps: Vec<String> = Vec::new();
        if is_service {
            let workloads = [
                "pods",
                "deployments",
                "daemonsets",
                "statefulsets",
                "replicasets",
                "replicationcontrollers",
            ]
            .map(of);
            let selector = &portrait.labels;
            let found = self.objects.iter().filter(|(key, known)| {
                workloads
                    .iter()
                    .any(|start| key.starts_with(start.as_str()))
                    && !known.labels.is_empty()
                    && selector.iter().all(|label| known.labels.contains(label))
            });
            for (_, known) in found.take(MAX) {
                maps.extend(known.about(Aspect::ConfigMap).map(str::to_owned));
                partners.push(Arc::clone(known));
            }
        } else {
            let services = of("services");
            let found = self.objects.iter().filter(|(key, known)| {
                key.starts_with(&services)
                    && !known.labels.is_empty()
                    && known.about(Aspect::Exposure).next().is_some()
                    && known
                        .labels
                        .iter()
                        .all(|label| portrait.labels.contains(label))
            });
            partners.extend(found.take(MAX).map(|(_, known)| Arc::clone(known)));
            maps.extend(portrait.about(Aspect::ConfigMap).map(str::to_owned));
        }
        for map in maps.iter().take(MAX) {
            partners.extend(self.objects.peek(&key("configmaps", &namespace, map)));
        }
        partners
    }
}

impl State {
    /// The role that a binding binds.
    fn bound_role(&self, binding: &Portrait, namespace: &str) -> Vec<Arc<Known>> {
        let roles = binding.about(Aspect::Role);
        let keys = roles.filter_map(|role| match role.split_once('/')? {
            ("ClusterRole", name) => Some(key("clusterroles", "", name)),
            ("Role", name) => Some(key("roles", namespace, name)),
            _ => None,
        });
        keys.filter_map(|key| self.objects.peek(&key)).collect()
    }

    /// The services before workloads that mount a config map, where it holds something dangerous.
    fn users_of_map(&self, event: &AuditEvent<'_>, namespace: &str) -> Vec<Arc<Known>> {
        const MAX: usize = 64;
        let Some(map) = event.name() else {
            return Vec::new();
        };
        if about(event.added(), Aspect::Danger).next().is_none() {
            return Vec::new();
        }
        let workloads = [
            "pods",
            "deployments",
            "daemonsets",
            "statefulsets",
            "replicasets",
        ]
        .map(|resource| format!("{resource}/{namespace}/"));
        let users = self.objects.iter().filter(|(key, known)| {
            workloads
                .iter()
                .any(|start| key.starts_with(start.as_str()))
                && known.about(Aspect::ConfigMap).any(|used| used == map)
        });
        let users: Vec<Arc<Known>> = users
            .take(MAX)
            .map(|(_, known)| Arc::clone(known))
            .collect();
        let services = format!("services/{namespace}/");
        let before = self.objects.iter().filter(|(key, known)| {
            key.starts_with(&services)
                && !known.labels.is_empty()
                && users
                    .iter()
                    .any(|user| known.labels.iter().all(|label| user.labels.contains(label)))
        });
        before
            .take(MAX)
            .map(|(_, known)| Arc::clone(known))
            .collect()
    }
}

/// Whether a request is one of those that are logged when their answer begins and when it is over.
fn may_last(record: &Record<'_>) -> bool {
    let part = record.target.and_then(|target| target.subresource);
    matches!(record.verb.raw(), b"watch" | b"proxy")
        || part.is_some_and(|part| {
            matches!(
                part.raw(),
                b"attach" | b"exec" | b"log" | b"portforward" | b"proxy"
            )
        })
}

fn is_of_kubeflow(event: &AuditEvent<'_>) -> bool {
    let target = event.record.target.unwrap_or_default();
    let is_kubeflow =
        |part: Option<Text<'_>>, end: &[u8]| part.is_some_and(|part| part.raw().ends_with(end));
    is_kubeflow(target.namespace, b"kubeflow") || is_kubeflow(target.group, b"kubeflow.org")
}

fn by_number(entries: usize) -> Bound {
    Bound {
        entries,
        bytes: usize::MAX,
    }
}

/// 128 bits, so that nobody finds two requests with the same ones.
fn both([one, other]: [u64; 2]) -> u128 {
    (u128::from(one) << 64) | u128::from(other)
}

/// Names an object within its cluster. Of namespaces some requests say that they are in themselves, and some do not.
fn key(resource: &str, namespace: &str, name: &str) -> String {
    let namespace = if resource == "namespaces" {
        ""
    } else {
        namespace
    };
    format!("{resource}/{namespace}/{name}")
}

#[cfg(test)]
mod tests;
