//! What is remembered of an event.

use std::sync::Arc;

use super::{Known, State, key};
use crate::event::AuditEvent;
use crate::portrait::{Aspect, Portrait, Trait, controller, fingerprint, kind_of};
use crate::user::UserKind;

impl State {
    pub(super) fn learn(&mut self, event: &AuditEvent<'_>) {
        let resource = event.resource();
        if !event.succeeded() || !Portrait::is_of(&resource) || event.is_dry_run() {
            return;
        }
        if event.changes_object() {
            self.learn_change(event, &resource);
        } else {
            self.learn_sight(event, &resource);
        }
    }

    fn learn_change(&mut self, event: &AuditEvent<'_>, resource: &str) {
        let Some(name) = event.name() else { return };
        let portrait = event.portrait();
        if portrait.traits.is_empty() && event.context.previous.is_none() {
            return;
        }
        self.learn_registries(portrait);
        let is_by_controller = event.user_kind() == UserKind::Controller;
        let previous = event.context.previous.as_deref();
        let actor = if is_by_controller {
            let inherited = event.context.actor.clone();
            inherited.or_else(|| previous?.actor.clone())
        } else if event.added().is_empty() && previous.is_some() {
            previous.and_then(|previous| previous.actor.clone())
        } else {
            Some(Arc::from(event.record.user.name.decode()))
        };
        let root = event.context.root.clone();
        let root = root.or_else(|| previous?.root.clone());
        // Without the response a patch says only what changes.
        let is_partial = event.record.verb.is("patch") && event.response().is_none();
        let known = match previous {
            Some(previous) if is_partial => {
                let mut known = remember(resource, portrait, actor, root);
                known.fingerprints = merged(&known.fingerprints, &previous.fingerprints);
                known.kept = merged(&known.kept, &previous.kept);
                known.labels = previous.labels.clone();
                known
            }
            _ => remember(resource, portrait, actor, root),
        };
        let key = key(resource, &event.namespace(), &name);
        self.objects.insert(key, Arc::new(known));
    }

    /// Objects that were there before are learned from any answer that shows one: kubelets and controllers write
    /// states all the time. Who made them stays unknown.
    fn learn_sight(&mut self, event: &AuditEvent<'_>, resource: &str) {
        let target = event.record.target.unwrap_or_default();
        let part = target.subresource.unwrap_or_default();
        let is_whole = part.is_empty() || part.is("status");
        let shows = matches!(event.record.verb.raw(), b"get" | b"update" | b"patch");
        let (true, true, Some(name)) = (is_whole, shows, target.name) else {
            return;
        };
        if kind_of(resource).is_none() {
            return;
        }
        let namespace = event.namespace();
        let key = key(resource, &namespace, &name.decode());
        if self.objects.contains(&key) {
            return;
        }
        let Some(object) = event
            .response()
            .filter(|object| object.get("spec").is_some())
        else {
            return;
        };
        let portrait = Portrait::read(&event.group(), resource, object);
        self.learn_registries(&portrait);
        let owner = controller(object);
        let above = owner
            .as_ref()
            .and_then(|owner| self.owner(owner, &namespace));
        let root = owner.map(|owner| Arc::from(format!("{}/{}", owner.kind, owner.name)));
        let root = above.as_ref().and_then(|above| above.root.clone()).or(root);
        let actor = above.and_then(|above| above.actor.clone());
        let known = remember(resource, &portrait, actor, root);
        self.objects.insert(key, Arc::new(known));
    }
}

fn remember(
    resource: &str,
    portrait: &Portrait,
    actor: Option<Arc<str>>,
    root: Option<Arc<str>>,
) -> Known {
    let mut fingerprints: Vec<u64> = portrait.traits.iter().map(fingerprint).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    let kept = portrait.traits.iter().filter(|one| is_kept(resource, one));
    // Pods of a controller are as many as they are alike: what they have in common is the controller's.
    let has_labels = resource != "pods" || root.is_none();
    Known {
        fingerprints: fingerprints.into(),
        kept: kept.cloned().collect(),
        labels: if has_labels {
            portrait.labels.clone().into()
        } else {
            Box::default()
        },
        actor,
        root,
    }
}

/// Whether later events may ask for it. Values of variables may be credentials and are not kept, but for the one that
/// is a switch.
fn is_kept(resource: &str, (aspect, what): &Trait) -> bool {
    match aspect {
        Aspect::Privileged
        | Aspect::Capability
        | Aspect::HostPath
        | Aspect::HostNamespace
        | Aspect::Image
        | Aspect::Account
        | Aspect::Exposure
        | Aspect::Danger
        | Aspect::Guard
        | Aspect::Power => true,
        // Pods of a controller use what its template uses.
        Aspect::ConfigMap => resource != "pods",
        Aspect::Setting => {
            what.starts_with("POSTGRES_HOST_AUTH_METHOD=")
                || what.starts_with("POSTGRES_INITDB_ARGS=")
        }
        Aspect::Container
        | Aspect::WritableHostPath
        | Aspect::HostPort
        | Aspect::Port
        | Aspect::Command
        | Aspect::Unconfined
        | Aspect::Node
        | Aspect::Placement
        | Aspect::Priority
        | Aspect::Secret
        | Aspect::Schedule
        | Aspect::Rule
        | Aspect::Aggregate
        | Aspect::Role
        | Aspect::Subject
        | Aspect::ServicePort
        | Aspect::Selector
        | Aspect::IngressHost
        | Aspect::Backend
        | Aspect::Endpoint
        | Aspect::EndpointHost
        | Aspect::Covers
        | Aspect::SecretType
        | Aspect::TokenOf
        | Aspect::Key
        | Aspect::Credential
        | Aspect::Signer
        | Aspect::Usage
        | Aspect::CommonName
        | Aspect::Organization
        | Aspect::Condition => false,
    }
}

/// Both, sorted, each once.
fn merged<T: Ord + Clone>(one: &[T], other: &[T]) -> Box<[T]> {
    let mut all: Vec<T> = one.iter().chain(other).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all.into()
}
