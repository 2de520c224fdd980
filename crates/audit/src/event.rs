//! An event as the rule engine sees it: a record, what is made of it when it is asked for, and what was known before.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use seareeve_detect::{Argument, Field, Presence, Value, Values};

use crate::fields;
use crate::json::{Node, Tree};
use crate::known::Known;
use crate::patch;
use crate::portrait::{Aspect, Portrait, Trait, fingerprint, guards_removed_by};
use crate::record::{Body, BodyTexts, Record};
use crate::redact::{Redacted, redact};
use crate::told::Told;
use crate::uri;
use crate::user::UserKind;

/// An audit event, ready to be evaluated.
///
/// Bodies are indexed when the first rule asks for them, and only once.
#[derive(Debug)]
pub struct AuditEvent<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) context: Context,
    time: u64,
    bodies: OnceCell<BodyTexts<'a>>,
    request: OnceCell<Option<Tree<'a>>>,
    response: OnceCell<Option<Tree<'a>>>,
    patch: OnceCell<Option<Tree<'a>>>,
    whole: OnceCell<Option<Tree<'a>>>,
    portrait: OnceCell<Portrait>,
    added: OnceCell<Vec<Trait>>,
    clean: OnceCell<Option<Redacted>>,
}

/// What was known before the event, and what that says about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Another event of the same request, or the same command over another protocol, was evaluated already.
    pub(crate) is_repeated: bool,
    /// The object of the request, as it was.
    pub(crate) previous: Option<Arc<Known>>,
    /// The object's controller, as it is.
    pub(crate) owner: Option<Arc<Known>>,
    /// Of requests to a part of an object (`pods/exec`): the object.
    pub(crate) object: Option<Arc<Known>>,
    /// Who is behind a request of a controller: who changed the owner last.
    pub(crate) actor: Option<Arc<str>>,
    /// What people made of which it all is: `Deployment/cart`.
    pub(crate) root: Option<Arc<str>>,
    /// Services that lead to the pods of this workload, or workloads behind this service.
    pub(crate) partners: Vec<Arc<Known>>,
    /// Registries of added images that were never seen in the cluster.
    pub(crate) new_registries: Vec<String>,
    /// Something of Kubeflow was seen in the cluster.
    pub(crate) has_kubeflow: bool,
}

impl<'a> AuditEvent<'a> {
    /// The event, with nothing known of what was before.
    #[must_use]
    pub fn new(record: Record<'a>) -> Self {
        Self {
            time: record.time(),
            record,
            context: Context::default(),
            bodies: OnceCell::new(),
            request: OnceCell::new(),
            response: OnceCell::new(),
            patch: OnceCell::new(),
            whole: OnceCell::new(),
            portrait: OnceCell::new(),
            added: OnceCell::new(),
            clean: OnceCell::new(),
        }
    }

    /// The record that it was made of.
    #[must_use]
    pub fn record(&self) -> &Record<'a> {
        &self.record
    }

    /// The event without credentials: what may be kept of it, and what alerts are made of. `None`: nothing of it can be
    /// kept.
    #[must_use]
    pub fn redacted(&self) -> Option<&Redacted> {
        let clean = self.clean.get_or_init(|| redact(self.record.text()));
        clean.as_ref()
    }

    /// The same, for whoever needs nothing else of the event.
    #[must_use]
    pub fn into_redacted(self) -> Option<Redacted> {
        let text = self.record.text();
        let clean = self.clean.into_inner();
        clean.unwrap_or_else(|| redact(text))
    }

    /// What another record says of the same event.
    pub(crate) fn read_as<'e>(&self, record: Record<'e>) -> AuditEvent<'e> {
        AuditEvent {
            time: self.time,
            context: self.context.clone(),
            ..AuditEvent::new(record)
        }
    }

    /// Who is behind the request: whoever made or changed what a controller only follows, or else who sent it.
    #[must_use]
    pub fn actor(&self) -> Cow<'_, str> {
        match &self.context.actor {
            Some(actor) => Cow::Borrowed(actor),
            None => self.record.user.name.decode(),
        }
    }

    pub(crate) fn request(&self) -> Option<Node<'_>> {
        let tree = self.request.get_or_init(|| self.tree(Body::Request));
        tree.as_ref()?.root()
    }

    pub(crate) fn response(&self) -> Option<Node<'_>> {
        let tree = self.response.get_or_init(|| self.tree(Body::Response));
        tree.as_ref()?.root()
    }

    /// The index of a body. `None` when there is no such body, or it is none that can be read.
    fn tree(&self, wanted: Body) -> Option<Tree<'a>> {
        Tree::read_object(self.body(wanted)?).ok()
    }

    /// Whether a body that was asked for is there and could not be read, or not all of it: the event was judged without.
    #[must_use]
    pub fn has_unread_body(&self) -> bool {
        let is_unread = |tree: &OnceCell<Option<Tree<'a>>>, body| {
            matches!(tree.get(), Some(None)) && self.body(body).is_some()
        };
        is_unread(&self.request, Body::Request)
            || is_unread(&self.response, Body::Response)
            || self.portrait.get().is_some_and(|portrait| portrait.is_cut)
    }

    /// The text of a body.
    fn body(&self, wanted: Body) -> Option<&'a [u8]> {
        let bodies = self.bodies.get_or_init(|| self.record.bodies());
        match wanted {
            Body::Request => bodies.request,
            Body::Response => bodies.response,
        }
    }

    /// The event itself.
    pub(crate) fn whole(&self) -> Option<Node<'_>> {
        let tree = self
            .whole
            .get_or_init(|| Tree::read(self.record.text()).ok());
        tree.as_ref()?.root()
    }

    /// What was asked for, as an object or the part of one. A JSON patch (RFC 6902) is put into that form.
    pub(crate) fn asked(&self) -> Option<Node<'_>> {
        let request = self.request()?;
        if !request.is_list() {
            return Some(request);
        }
        let tree = self.patch.get_or_init(|| {
            let object = patch::as_object(request).to_string();
            Tree::read(object.into_bytes()).ok()
        });
        tree.as_ref()?.root()
    }

    /// The object as it is after the request: as the server answers, or else as it was asked for.
    pub(crate) fn object(&self) -> Option<Node<'_>> {
        if self.is_write() && self.succeeded() {
            let response = self.response().filter(|response| response.is_object());
            let is_status = |response: &Node<'_>| {
                let kind = response.get("kind").and_then(Node::text);
                kind.is_some_and(|kind| kind.is("Status"))
            };
            if let Some(response) = response.filter(|response| !is_status(response)) {
                return Some(response);
            }
        }
        if self.is_write() {
            self.asked()
        } else {
            self.response()
        }
    }

    /// The object reduced to what detections ask about; empty for requests that change no object.
    pub(crate) fn portrait(&self) -> &Portrait {
        self.portrait.get_or_init(|| {
            let resource = self.resource();
            // Most writes are of something else, and nobody needs their bodies.
            if !self.changes_object() || !Portrait::is_of(&resource) {
                return Portrait::default();
            }
            self.object()
                .map(|object| Portrait::read(&self.group(), &resource, object))
                .unwrap_or_default()
        })
    }

    /// What of the portrait the object did not have before this request.
    pub(crate) fn added(&self) -> &[Trait] {
        self.added.get_or_init(|| {
            let now = &self.portrait().traits;
            if now.is_empty() {
                return Vec::new();
            }
            let without = |known: &Known| {
                let new = now.iter().filter(|one| !known.has(fingerprint(one)));
                new.cloned().collect::<Vec<_>>()
            };
            // Pods that a controller makes have what its template has: that is nobody's doing now. Neither is what a
            // replica set of before has, which is scaled down when its deployment has something else.
            if let Some(owner) = &self.context.owner {
                let mut new = without(owner);
                if !self.record.verb.is("create") {
                    let previous = self.context.previous.as_ref();
                    new.retain(|one| previous.is_some_and(|known| !known.has(fingerprint(one))));
                }
                return new;
            }
            if self.record.verb.is("create") {
                return now.clone();
            }
            if let Some(previous) = &self.context.previous {
                return without(previous);
            }
            if self.is_untouched() {
                return Vec::new();
            }
            if self.record.verb.is("patch") && !self.is_apply() {
                return self.named_by_patch(now);
            }
            if self.is_settled() {
                return Vec::new();
            }
            now.clone()
        })
    }

    /// Modes of Pod Security that the namespace had before.
    pub(crate) fn removed_guards(&self) -> Vec<String> {
        let is_namespace = self.changes_object() && self.resource() == "namespaces";
        if !is_namespace {
            return Vec::new();
        }
        let mode = |guard: &str| guard.split('=').next().unwrap_or_default().to_owned();
        let Some(previous) = &self.context.previous else {
            let request = self.request();
            return request.map(guards_removed_by).unwrap_or_default();
        };
        let now: Vec<String> = self.portrait().about(Aspect::Guard).map(mode).collect();
        let before = previous.about(Aspect::Guard).map(mode);
        before.filter(|mode| !now.contains(mode)).collect()
    }

    /// Those of `now` that the patch itself names: without knowing what was, it is what was asked for.
    fn named_by_patch(&self, now: &[Trait]) -> Vec<Trait> {
        let Some(asked) = self.asked() else {
            return Vec::new();
        };
        if self.request().is_some_and(patch::takes_from_elsewhere) {
            return now.to_vec();
        }
        let named = Portrait::read(&self.group(), &self.resource(), asked);
        let prints: HashSet<u64> = named.traits.iter().map(fingerprint).collect();
        let is_named = |one: &&Trait| {
            prints.contains(&fingerprint(one))
                || named.about(one.0).any(|asked| is_within(one, asked))
        };
        now.iter().filter(is_named).cloned().collect()
    }

    /// Whether the answer says that its controller had seen all there is: this request changed no part of its
    /// specification.
    fn is_settled(&self) -> bool {
        let number = |keys: &[&str]| self.object()?.path(keys)?.number();
        let generation = number(&["metadata", "generation"]);
        generation.is_some() && generation == number(&["status", "observedGeneration"])
    }

    /// Whether the answer says that no field was set by this request: the server notes by whom and when fields were
    /// set (`managedFields`), at the request's time or later, whatever the request says of it itself.
    fn is_untouched(&self) -> bool {
        const SECONDS: usize = "2026-01-01T00:00:00".len();
        let second = |time: &str| time.get(..SECONDS).map(str::to_owned);
        let received = self.record.received.and_then(|at| second(&at.decode()));
        let Some(received) = received else {
            return false;
        };
        // The body's own index leaves them out.
        let answer = self
            .body(Body::Response)
            .and_then(|text| Tree::read(text).ok());
        let object = answer.as_ref().and_then(Tree::root);
        let managers = object.and_then(|object| object.path(&["metadata", "managedFields"]));
        let mut is_noted = false;
        for manager in managers.into_iter().flat_map(Node::items) {
            is_noted = true;
            let time = manager.get("time").and_then(Node::str);
            if time
                .and_then(|time| second(&time))
                .is_none_or(|time| time >= received)
            {
                return false;
            }
        }
        is_noted
    }

    /// Whether the server was only asked what would come of it.
    ///
    /// Connections and tokens are given whatever the address says, and a deletion that has a body of its own is not
    /// asked for its address (`DeleteResource` of the API server).
    pub(crate) fn is_dry_run(&self) -> bool {
        const ALL: &str = "All";
        let target = self.record.target.unwrap_or_default();
        match target.subresource.map(|part| part.raw()) {
            None
            | Some(
                b""
                | b"status"
                | b"scale"
                | b"approval"
                | b"ephemeralcontainers"
                | b"eviction"
                | b"finalize",
            ) => {}
            Some(_) => return false,
        }
        let in_address = || {
            let uri = self.record.uri.decode();
            uri::parameters(&uri, "dryRun").any(|value| value == ALL)
        };
        let in_body = |options: Option<Node<'_>>| {
            let values = options.and_then(|options| options.get("dryRun"));
            values
                .into_iter()
                .flat_map(Node::items)
                .any(|value| value.str().is_some_and(|value| value == ALL))
        };
        match self.record.verb.raw() {
            b"delete" | b"deletecollection" => match self.request().filter(|body| body.is_object())
            {
                Some(options) => in_body(Some(options)),
                None => !self.record.level.is("Metadata") && in_address(),
            },
            b"create" if target.subresource.is_some_and(|part| part.is("eviction")) => {
                let request = self.request();
                in_address() || in_body(request.and_then(|request| request.get("deleteOptions")))
            }
            b"create" | b"update" | b"patch" => in_address(),
            _ => false,
        }
    }

    /// Whether it asks to create or change something, whatever.
    pub(crate) fn is_write(&self) -> bool {
        matches!(self.record.verb.raw(), b"create" | b"update" | b"patch")
    }

    /// Whether it asks to create or change an object itself, not its status or another part of it.
    pub(crate) fn changes_object(&self) -> bool {
        let part = self.record.target.and_then(|target| target.subresource);
        let is_whole = match part.map(|part| part.raw()) {
            None | Some(b"" | b"ephemeralcontainers" | b"approval") => true,
            Some(_) => false,
        };
        is_whole && self.is_write()
    }

    /// Whether it is a server-side apply: the body is everything that the sender wants to be so.
    fn is_apply(&self) -> bool {
        let body = self.body(Body::Request).unwrap_or_default();
        self.record.verb.is("patch")
            && body.starts_with(b"{")
            && self.request().is_some_and(|request| {
                request.get("apiVersion").is_some() && request.get("kind").is_some()
            })
    }

    pub(crate) fn succeeded(&self) -> bool {
        let code = self.record.status.and_then(|status| status.code);
        code.is_some_and(|code| code.starts_with(b"2") || code == b"101")
    }

    pub(crate) fn resource(&self) -> Cow<'a, str> {
        let target = self.record.target.and_then(|target| target.resource);
        target.unwrap_or_default().decode()
    }

    pub(crate) fn group(&self) -> Cow<'a, str> {
        let target = self.record.target.and_then(|target| target.group);
        target.unwrap_or_default().decode()
    }

    pub(crate) fn namespace(&self) -> Cow<'a, str> {
        let target = self.record.target.and_then(|target| target.namespace);
        target.unwrap_or_default().decode()
    }

    /// The object's name: as it was asked for, or else as the server made one up.
    pub(crate) fn name(&self) -> Option<Cow<'_, str>> {
        let target = self.record.target.and_then(|target| target.name);
        match target {
            Some(name) if !name.is_empty() => Some(name.decode()),
            _ if self.is_write() => self.object()?.path(&["metadata", "name"])?.str(),
            _ => None,
        }
    }

    pub(crate) fn user_kind(&self) -> UserKind {
        UserKind::of(&self.record.user)
    }
}

impl seareeve_detect::Event for AuditEvent<'_> {
    fn extract<'e>(&'e self, field: &Field, out: &mut Values<'e>) -> Presence {
        fields::extract(self, field, out)
    }

    fn time(&self) -> u64 {
        self.time
    }

    fn told(&self) -> Option<Box<dyn seareeve_detect::Event + '_>> {
        Some(Box::new(Told::new(self)))
    }
}

/// Whether a trait comes of what a patch asks about the same aspect, though it says less: a patch of an item of a list
/// knows neither the container's name nor where below a volume it is mounted.
fn is_within((aspect, what): &Trait, asked: &str) -> bool {
    match aspect {
        Aspect::Privileged => asked.is_empty(),
        Aspect::HostPath | Aspect::WritableHostPath => {
            let below = what.strip_prefix(asked);
            asked == "/" || below.is_some_and(|rest| rest.starts_with('/'))
        }
        _ => false,
    }
}

/// The words of an argument, for fields.
pub(crate) fn key(argument: &Argument) -> &str {
    match argument {
        Argument::Key(key) => key,
        Argument::None | Argument::Index(_) | Argument::Path(_) => "",
    }
}

/// A text, borrowed where it stands in the event.
pub(crate) fn text(text: Cow<'_, str>) -> Value<'_> {
    Value::Text(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
