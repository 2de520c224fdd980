//! What the audit stream itself says about the cluster: who made what, and what it may do.
//!
//! So that "a command was run in a privileged pod" is one alert although pod and command come in two events, and that
//! a pod is blamed on who changed its deployment and not on the controller. All of it is bounded; what was not seen
//! for longest is forgotten first, and what is not known never silences a detection.

mod generations;
mod learn;
mod saved;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::event::AuditEvent;
use crate::image::Image;
use crate::portrait::{Aspect, Owner, Portrait, Trait, about, controller, resource_of};
use crate::record::{Record, Stage};
use crate::user::UserKind;

use generations::Generations;
pub use saved::StateError;

/// Objects that are remembered.
const OBJECTS: usize = 100_000;
/// Requests that are remembered, to tell repeated events.
const REQUESTS: usize = 600_000;
/// Registries that are remembered; nothing is new beyond so many.
const REGISTRIES: usize = 10_000;
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
}

/// What is known about one cluster. One for each: names mean nothing across clusters.
#[derive(Debug)]
pub struct State {
    objects: Generations<String, Arc<Known>>,
    requests: Generations<u128, ()>,
    /// Connections with a command, and when they began.
    commands: Generations<u128, u64>,
    /// Registries that images came from.
    registries: HashSet<String>,
    has_kubeflow: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            objects: Generations::new(OBJECTS),
            requests: Generations::new(REQUESTS),
            commands: Generations::new(10_000),
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
        if self.requests.insert(identity(&record, true), ()) {
            return None;
        }
        let mut event = AuditEvent::new(record);
        if is_of_kubeflow(&event) {
            self.has_kubeflow = true;
        }
        event.context.has_kubeflow = self.has_kubeflow;
        let request = identity(&event.record, false);
        event.context.is_repeated = match stage {
            Some(Stage::ResponseStarted) => self.requests.insert(request, ()),
            Some(Stage::ResponseComplete | Stage::Panic) => self.requests.contains(&request),
            Some(Stage::RequestReceived) | None => false,
        } || self.is_same_command(&event);
        self.recall(&mut event);
        self.learn(&event);
        Some(event)
    }

    /// How many objects are remembered.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Whether this is the second try of a client that asked by a `get` (WebSockets) at first.
    fn is_same_command(&mut self, event: &AuditEvent<'_>) -> bool {
        let target = event.record.target.unwrap_or_default();
        let part = target.subresource.unwrap_or_default();
        if !matches!(part.raw(), b"exec" | b"attach" | b"portforward") {
            return false;
        }
        let same = digest((
            event.record.user.name.raw(),
            event.record.uri.raw(),
            event.record.agent.map(|agent| agent.raw()),
        ));
        let time = seareeve_detect::Event::time(event);
        if event.record.verb.is("get") {
            self.commands.insert(same, time);
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
            if !self.registries.contains(registry.as_ref()) && self.registries.len() < REGISTRIES {
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
        let is_service = event.resource() == "services";
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

fn is_of_kubeflow(event: &AuditEvent<'_>) -> bool {
    let target = event.record.target.unwrap_or_default();
    let is_kubeflow = |part: Option<crate::json::Text<'_>>, end: &[u8]| {
        part.is_some_and(|part| part.raw().ends_with(end))
    };
    is_kubeflow(target.namespace, b"kubeflow") || is_kubeflow(target.group, b"kubeflow.org")
}

/// Names an object within its cluster.
fn key(resource: &str, namespace: &str, name: &str) -> String {
    format!("{resource}/{namespace}/{name}")
}

/// What tells a request from others, or an event of it.
fn identity(record: &Record<'_>, with_stage: bool) -> u128 {
    let stage = with_stage.then(|| (record.stage_text.raw(), record.staged.map(|at| at.raw())));
    digest((
        (record.audit_id.raw(), record.received.map(|at| at.raw())),
        (record.verb.raw(), record.uri.raw(), record.user.name.raw()),
        stage,
    ))
}

/// 128 bits, so that nobody finds two requests with the same ones.
fn digest(what: impl Hash) -> u128 {
    let half = |which: u8| {
        let mut hasher = DefaultHasher::new();
        which.hash(&mut hasher);
        what.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}

#[cfg(test)]
mod tests;
