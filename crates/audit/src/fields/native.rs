//! Our own fields: `kube.*`.

mod accounts;
mod images;
mod request;

use std::borrow::Cow;

use seareeve_detect::{Argument, Kind, Presence, Shape, Value, Values};

use super::{Brackets, Definition, Extract, Get, present_if};
use crate::event::{AuditEvent, key, text};
use crate::json::{Node, Text};
use crate::portrait::{Aspect, kind_of};
use crate::record::Stage;
use crate::user::account;

use accounts::{added_subject_user, service_account};
use request::{
    agent, behind_proxy, command, container, destination, peer, source, source_class, tty,
};

type Row = (
    &'static str,
    Brackets,
    Kind,
    Shape,
    bool,
    Extract,
    &'static str,
);

const FIELDS: &[Row] = &[
    (
        "kube.judged",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        true,
        judged,
        "Whether this is the one event of its request to judge: the first that says what came of it. False also for a client's second try of the same command over another protocol.",
    ),
    (
        "kube.ok",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        ok,
        "Whether the request succeeded: its status is 2xx or 101.",
    ),
    (
        "kube.refused",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        refused,
        "Whether it was refused: its status is 401 or 403.",
    ),
    (
        "kube.dry_run",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        dry_run,
        "Whether the server was only asked what would come of it (`--dry-run=server`): nothing was done.",
    ),
    (
        "kube.known",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        known,
        "Whether the object was seen before, so that what is added to it is told by comparing.",
    ),
    (
        "kube.resource",
        Brackets::None,
        Kind::Text,
        Shape::One,
        true,
        resource,
        "The resource with its part: `pods`, `pods/exec`. Empty for requests that are about no resource.",
    ),
    (
        "kube.group",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        group,
        "The API group of the resource; empty for the core's.",
    ),
    (
        "kube.kind",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        kind,
        "The kind of a workload: `Pod`, `Deployment`, `CronJob`, …",
    ),
    (
        "kube.name",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        name,
        "The object's name, also one that the server made up.",
    ),
    (
        "kube.namespace",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        namespace,
        "The object's namespace; of a namespace, its own name.",
    ),
    (
        "kube.scope",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        scope,
        "`namespace`, or `cluster` for what is in none and for requests over all namespaces.",
    ),
    (
        "kube.named",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        named,
        "Whether the request is about one object by its name.",
    ),
    (
        "kube.label",
        Brackets::Key,
        Kind::Text,
        Shape::One,
        false,
        label,
        "A label of the object after the request.",
    ),
    (
        "kube.annotation",
        Brackets::Key,
        Kind::Text,
        Shape::One,
        false,
        annotation,
        "An annotation of the object after the request.",
    ),
    (
        "kube.user.kind",
        Brackets::None,
        Kind::Text,
        Shape::One,
        true,
        user_kind,
        "`human`, `service-account`, `controller` (of the control plane), `node`, `system`, `anonymous`, `none`.",
    ),
    (
        "kube.user.namespace",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        user_namespace,
        "The namespace of the service account that asks.",
    ),
    (
        "kube.user.account",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        user_account,
        "The name of the service account that asks.",
    ),
    (
        "kube.user.extra",
        Brackets::Key,
        Kind::Text,
        Shape::One,
        false,
        user_extra,
        "What the authenticator says beside: `authentication.kubernetes.io/pod-name`.",
    ),
    (
        "kube.actor",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        actor,
        "Who is behind the request: for what a controller does, who made or changed what it follows.",
    ),
    (
        "kube.impersonated.groups",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        impersonated_groups,
        "The groups that are impersonated.",
    ),
    (
        "kube.source",
        Brackets::None,
        Kind::Network,
        Shape::Any,
        false,
        source,
        "The addresses that the request came from and through.",
    ),
    (
        "kube.source.class",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        source_class,
        "What the farthest of them is: `loopback`, `private`, `public`.",
    ),
    (
        "kube.source.peer",
        Brackets::None,
        Kind::Network,
        Shape::One,
        false,
        peer,
        "The last of them, from which the server saw the connection come: a client may say that it has others, and not that it has not this one.",
    ),
    (
        "kube.agent",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        agent,
        "What the client calls itself, without version, lower case; `unnamed` when it says nothing.",
    ),
    (
        "kube.command",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        command,
        "The command of `exec`, decoded and joined.",
    ),
    (
        "kube.destination",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        destination,
        "Where the command of `exec`, and what the object did not have before (commands, environment, webhooks), leads: host names with every domain above them, and URLs with everything that they begin with. Compare with `in`: a list that has `evil.example` then means its subdomains too, and not `notevil.example`.",
    ),
    (
        "kube.command.container",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        container,
        "The container that exec, attach or log is about.",
    ),
    (
        "kube.command.tty",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        tty,
        "Whether somebody sits at the command: it has a terminal.",
    ),
    (
        "kube.behind_proxy",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        behind_proxy,
        "What a proxy request asks the node, pod or service for, with parameters.",
    ),
    (
        "kube.added.new_registry",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        new_registry,
        "Registries of the images that were added which nothing in the cluster came from before, as far as events told.",
    ),
    (
        "kube.owner",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        owner,
        "What people made that the object comes from: `Deployment/cart`. Only where a controller made the object.",
    ),
    (
        "kube.mirror",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        mirror,
        "Whether the object stands for a static pod of a node.",
    ),
    (
        "kube.pod.known",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        pod_known,
        "Whether the pod that a request to a part of it is about was seen before.",
    ),
    (
        "kube.pod.risk",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        pod_risk,
        "What of the node that pod has: `privileged`, `host-path`, `host-network`, `host-pid`, `host-ipc`, `capability`.",
    ),
    (
        "kube.pod.owner",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        pod_owner,
        "What that pod comes from: `Deployment/cart`.",
    ),
    (
        "kube.pod.actor",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        pod_actor,
        "Who made or last changed it.",
    ),
    (
        "kube.removed.guard",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        removed_guard,
        "Modes of Pod Security that a namespace had before the request and has no more: `enforce`.",
    ),
    (
        "kube.requester",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        requester,
        "Who asked for the certificate that is about to be approved.",
    ),
    (
        "kube.added.subject.user",
        Brackets::None,
        Kind::Text,
        Shape::Any,
        false,
        added_subject_user,
        "Users to whom a binding gives its role and did not before, by the names that requests of theirs bear: `eve`, `system:serviceaccount:shop:cart`.",
    ),
    (
        "kube.service_account",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        service_account,
        "The service account that the request is about, or whose token a secret is to hold, by the name that requests of it bear: `system:serviceaccount:shop:cart`.",
    ),
    (
        "kube.token.seconds",
        Brackets::None,
        Kind::Signed,
        Shape::One,
        false,
        token_seconds,
        "How long a token that is asked for is to last.",
    ),
    (
        "kube.own",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        own,
        "Whether a service account asks about itself.",
    ),
    (
        "kube.review",
        Brackets::None,
        Kind::Text,
        Shape::One,
        false,
        review,
        "What somebody asks whether it is allowed: `list secrets`.",
    ),
    (
        "kube.sees_kubeflow",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        sees_kubeflow,
        "Whether the cluster runs Kubeflow, as far as events told.",
    ),
    (
        "kube.cut",
        Brackets::None,
        Kind::Bool,
        Shape::One,
        false,
        cut,
        "Whether a log service cut the event: its bodies are missing.",
    ),
];

pub(super) fn definitions() -> Vec<Definition> {
    let mut all: Vec<Definition> = FIELDS
        .iter()
        .map(
            |(name, brackets, kind, shape, is_key, get, about)| Definition {
                name: Cow::Borrowed(name),
                brackets: *brackets,
                kind: *kind,
                shape: *shape,
                is_key: *is_key,
                get: Get::By(*get),
                about: Cow::Borrowed(about),
            },
        )
        .collect();
    all.extend(images::definitions());
    all
}

fn flag(holds: bool, out: &mut Values<'_>) -> Presence {
    out.push(Value::Bool(holds));
    Presence::Present
}

fn some<'e>(value: Option<Cow<'e, str>>, out: &mut Values<'e>) -> Presence {
    let is_there = value.is_some();
    if let Some(value) = value {
        out.push(text(value));
    }
    present_if(is_there)
}

fn always<'e>(value: Cow<'e, str>, out: &mut Values<'e>) -> Presence {
    out.push(text(value));
    Presence::Present
}

fn judged<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let says_what_came = match event.record.stage {
        Some(Stage::ResponseStarted | Stage::ResponseComplete | Stage::Panic) => true,
        Some(Stage::RequestReceived) | None => false,
    };
    flag(says_what_came && !event.context.is_repeated, out)
}

fn ok<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.succeeded(), out)
}

fn refused<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let code = event.record.status.and_then(|status| status.code);
    flag(
        code.is_some_and(|code| code == b"401" || code == b"403"),
        out,
    )
}

fn dry_run<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.is_dry_run(), out)
}

fn known<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.context.previous.is_some(), out)
}

fn resource<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target.unwrap_or_default();
    let resource = target.resource.unwrap_or_default().decode();
    let part = target.subresource.unwrap_or_default();
    if part.is_empty() {
        return always(resource, out);
    }
    always(Cow::Owned(format!("{resource}/{}", part.decode())), out)
}

fn group<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target;
    some(
        target.map(|target| target.group.unwrap_or_default().decode()),
        out,
    )
}

fn kind<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    some(kind_of(&event.resource()).map(Cow::Borrowed), out)
}

fn name<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    some(event.name(), out)
}

fn namespace<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target.unwrap_or_default();
    let of = target.namespace.filter(|namespace| !namespace.is_empty());
    match of {
        Some(namespace) => always(namespace.decode(), out),
        None if target
            .resource
            .is_some_and(|resource| resource.is("namespaces")) =>
        {
            some(event.name(), out)
        }
        None => Presence::Absent,
    }
}

fn scope<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target.unwrap_or_default();
    let is_inside = target
        .namespace
        .is_some_and(|namespace| !namespace.is_empty());
    out.text(if is_inside { "namespace" } else { "cluster" });
    Presence::Present
}

fn named<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let name = event.record.target.and_then(|target| target.name);
    flag(name.is_some_and(|name| !name.is_empty()), out)
}

fn label<'e>(event: &'e AuditEvent<'_>, argument: &Argument, out: &mut Values<'e>) -> Presence {
    some(metadata(event, "labels", argument), out)
}

fn annotation<'e>(
    event: &'e AuditEvent<'_>,
    argument: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    some(metadata(event, "annotations", argument), out)
}

fn metadata<'e>(
    event: &'e AuditEvent<'_>,
    list: &str,
    argument: &Argument,
) -> Option<Cow<'e, str>> {
    let object = event.object()?;
    object.path(&["metadata", list, key(argument)])?.str()
}

fn user_kind<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.text(event.user_kind().as_str());
    Presence::Present
}

fn user_namespace<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let name = event.record.user.name.decode();
    let namespace = account(&name).map(|(namespace, _)| namespace.to_owned());
    some(namespace.map(Cow::Owned), out)
}

fn user_account<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let user = event.record.user.name.decode();
    let name = account(&user).map(|(_, name)| name.to_owned());
    some(name.map(Cow::Owned), out)
}

fn user_extra<'e>(
    event: &'e AuditEvent<'_>,
    argument: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    some(
        event.record.user.extra(key(argument)).map(Text::decode),
        out,
    )
}

fn actor<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let actor = event.actor();
    if actor.is_empty() {
        return Presence::Absent;
    }
    always(actor, out)
}

fn impersonated_groups<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let groups = event
        .record
        .impersonated
        .iter()
        .flat_map(|user| &user.groups);
    let mut is_there = false;
    for group in groups {
        out.push(text(group.decode()));
        is_there = true;
    }
    present_if(is_there)
}

fn new_registry<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    for registry in &event.context.new_registries {
        out.text(registry);
    }
    present_if(!event.context.new_registries.is_empty())
}

fn owner<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    some(event.context.root.as_deref().map(Cow::Borrowed), out)
}

fn mirror<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let mirror = event.object().and_then(|object| {
        object.path(&["metadata", "annotations", "kubernetes.io/config.mirror"])
    });
    flag(mirror.is_some(), out)
}

fn pod_known<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.context.object.is_some(), out)
}

fn pod_risk<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let Some(pod) = &event.context.object else {
        return Presence::Absent;
    };
    let mut risks: Vec<&'static str> = pod
        .kept
        .iter()
        .filter_map(|(aspect, what)| match (aspect, what.as_str()) {
            (Aspect::Privileged, _) => Some("privileged"),
            (Aspect::HostPath, _) => Some("host-path"),
            (Aspect::HostNamespace, "network") => Some("host-network"),
            (Aspect::HostNamespace, "pid") => Some("host-pid"),
            (Aspect::HostNamespace, _) => Some("host-ipc"),
            (Aspect::Capability, _) => Some("capability"),
            _ => None,
        })
        .collect();
    risks.dedup();
    for risk in &risks {
        out.text(risk);
    }
    present_if(!risks.is_empty())
}

fn pod_owner<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let pod = event.context.object.as_ref();
    some(
        pod.and_then(|pod| pod.root.as_deref()).map(Cow::Borrowed),
        out,
    )
}

fn pod_actor<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let pod = event.context.object.as_ref();
    some(
        pod.and_then(|pod| pod.actor.as_deref()).map(Cow::Borrowed),
        out,
    )
}

fn removed_guard<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let removed = event.removed_guards();
    for mode in &removed {
        out.owned(mode.clone());
    }
    present_if(!removed.is_empty())
}

fn requester<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let object = event.object();
    let requester = object.and_then(|object| object.path(&["spec", "username"]));
    some(requester.and_then(Node::str), out)
}

fn token_seconds<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let seconds = event
        .object()
        .and_then(|object| object.path(&["spec", "expirationSeconds"]))
        .and_then(Node::number);
    if let Some(seconds) = seconds {
        out.push(Value::Signed(seconds));
    }
    present_if(seconds.is_some())
}

fn own<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target.unwrap_or_default();
    let user = event.record.user.name.decode();
    let is_own = account(&user).is_some_and(|(namespace, name)| {
        target.namespace.is_some_and(|own| own.is(namespace))
            && target.name.is_some_and(|own| own.is(name))
            && target
                .resource
                .is_some_and(|resource| resource.is("serviceaccounts"))
    });
    flag(is_own, out)
}

fn review<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let attributes = event.request().and_then(|request| {
        let spec = request.get("spec")?;
        spec.get("resourceAttributes")
            .or_else(|| spec.get("nonResourceAttributes"))
    });
    let Some(attributes) = attributes else {
        return Presence::Absent;
    };
    let part = |name| {
        let value = attributes.get(name).and_then(Node::str);
        value.unwrap_or_default()
    };
    out.owned(format!(
        "{} {}{}",
        part("verb"),
        part("resource"),
        part("path")
    ));
    Presence::Present
}

fn sees_kubeflow<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.context.has_kubeflow, out)
}

fn cut<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    flag(event.record.is_cut, out)
}
