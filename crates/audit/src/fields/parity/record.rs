//! Fields of an event's metadata.

use std::borrow::Cow;

use seareeve_detect::{Argument, Kind, Presence, Shape, Values};

use crate::event::{AuditEvent, key, text};
use crate::fields::{Brackets, Definition, Extract, Get, present_if};
use crate::json::{Node, Text};
use crate::uri;

/// All of them.
pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    RECORD
        .iter()
        .map(|(name, brackets, shape, is_key, get, about)| Definition {
            name: Cow::Borrowed(name),
            brackets: *brackets,
            kind: Kind::Text,
            shape: *shape,
            is_key: *is_key,
            get: Get::By(*get),
            about: Cow::Borrowed(about),
        })
}

type Row = (&'static str, Brackets, Shape, bool, Extract, &'static str);

/// What stands in the metadata.
const RECORD: &[Row] = &[
    (
        "ka.auditid",
        Brackets::None,
        Shape::One,
        false,
        audit_id,
        "The id of the request.",
    ),
    (
        "ka.stage",
        Brackets::None,
        Shape::One,
        true,
        stage,
        "The stage of the request: `ResponseComplete`.",
    ),
    (
        "ka.auth.decision",
        Brackets::None,
        Shape::One,
        false,
        decision,
        "What the authorizer decided: `allow`, `forbid`.",
    ),
    (
        "ka.auth.reason",
        Brackets::None,
        Shape::One,
        false,
        reason,
        "Why it decided so.",
    ),
    (
        "ka.auth.openshift.decision",
        Brackets::None,
        Shape::One,
        false,
        openshift_decision,
        "What OpenShift's authentication decided.",
    ),
    (
        "ka.auth.openshift.username",
        Brackets::None,
        Shape::One,
        false,
        openshift_user,
        "As whom OpenShift authenticated somebody.",
    ),
    (
        "ka.validations.admission.policy.failure",
        Brackets::None,
        Shape::One,
        false,
        policy_failure,
        "What a validating admission policy found wrong.",
    ),
    (
        "ka.security.pod.violations",
        Brackets::None,
        Shape::One,
        false,
        violations,
        "What Pod Security found wrong.",
    ),
    (
        "ka.user.name",
        Brackets::None,
        Shape::One,
        false,
        user_name,
        "The user who asks.",
    ),
    (
        "ka.user.groups",
        Brackets::None,
        Shape::List,
        false,
        user_groups,
        "The groups of the user.",
    ),
    (
        "ka.impuser.name",
        Brackets::None,
        Shape::One,
        false,
        impersonated,
        "The user that is impersonated.",
    ),
    (
        "ka.verb",
        Brackets::None,
        Shape::One,
        true,
        verb,
        "What is asked for: `create`, `get`, `list`, …",
    ),
    (
        "ka.uri",
        Brackets::None,
        Shape::One,
        false,
        request_uri,
        "The address of the request.",
    ),
    (
        "ka.uri.param",
        Brackets::Key,
        Shape::One,
        false,
        parameter,
        "The first value of a parameter of the address.",
    ),
    (
        "ka.target.name",
        Brackets::None,
        Shape::One,
        false,
        target_name,
        "The name of the object.",
    ),
    (
        "ka.target.namespace",
        Brackets::None,
        Shape::One,
        false,
        target_namespace,
        "The namespace of the object.",
    ),
    (
        "ka.target.resource",
        Brackets::None,
        Shape::One,
        true,
        target_resource,
        "The kind of the object as addresses name it: `pods`.",
    ),
    (
        "ka.target.subresource",
        Brackets::None,
        Shape::One,
        true,
        target_part,
        "The part of the object: `exec`, `status`.",
    ),
    (
        "ka.target.pod.name",
        Brackets::None,
        Shape::One,
        false,
        target_pod,
        "The name of a pod that was created, as the response has it.",
    ),
    (
        "ka.req.configmap.name",
        Brackets::None,
        Shape::One,
        false,
        target_name,
        "The name of a config map.",
    ),
    (
        "ka.req.binding.subjects.user_names",
        Brackets::None,
        Shape::List,
        false,
        |event, _, out| subjects(event, "User", out),
        "The names of the users among the subjects of a binding.",
    ),
    (
        "ka.req.binding.subjects.serviceaccount_names",
        Brackets::None,
        Shape::List,
        false,
        |event, _, out| subjects(event, "ServiceAccount", out),
        "The names of the service accounts among the subjects of a binding.",
    ),
    (
        "ka.req.binding.subjects.serviceaccount_ns_names",
        Brackets::None,
        Shape::List,
        false,
        accounts,
        "The same with their namespaces: `shop:cart`.",
    ),
    (
        "ka.req.binding.subjects.group_names",
        Brackets::None,
        Shape::List,
        false,
        |event, _, out| subjects(event, "Group", out),
        "The names of the groups among the subjects of a binding.",
    ),
    (
        "ka.req.binding.subject.has_name",
        Brackets::Key,
        Shape::One,
        false,
        always_true,
        "Always `true`, as Falco has it.",
    ),
    (
        "ka.response.code",
        Brackets::None,
        Shape::One,
        false,
        code,
        "The status of the answer: `201`.",
    ),
    (
        "ka.response.reason",
        Brackets::None,
        Shape::One,
        false,
        status_reason,
        "The reason of an answer that is an error.",
    ),
    (
        "ka.useragent",
        Brackets::None,
        Shape::One,
        false,
        agent,
        "What the client calls itself.",
    ),
    (
        "ka.sourceips",
        Brackets::Index,
        Shape::List,
        false,
        absent,
        "Nothing: Falco's plugin looks in a wrong place. `kube.source` has the addresses.",
    ),
    (
        "ka.cluster.name",
        Brackets::None,
        Shape::One,
        false,
        cluster_name,
        "The name that a log service or a cloud wrote into the annotation `cluster_name`.",
    ),
];

fn one<'e>(value: Option<Text<'e>>, out: &mut Values<'e>) -> Presence {
    if let Some(value) = value {
        out.push(text(value.decode()));
    }
    present_if(value.is_some())
}

/// A member that every event has: empty means that it is missing.
fn known<'e>(value: Text<'e>, out: &mut Values<'e>) -> Presence {
    one((!value.is_empty()).then_some(value), out)
}

fn audit_id<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    known(event.record.audit_id, out)
}

fn stage<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    known(event.record.stage_text, out)
}

fn verb<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    known(event.record.verb, out)
}

fn request_uri<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    known(event.record.uri, out)
}

fn user_name<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    known(event.record.user.name, out)
}

fn decision<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event.record.annotation("authorization.k8s.io/decision"),
        out,
    )
}

fn reason<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.annotation("authorization.k8s.io/reason"), out)
}

fn openshift_decision<'e>(
    event: &'e AuditEvent<'_>,
    _: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    one(
        event
            .record
            .annotation("authentication.openshift.io/decision"),
        out,
    )
}

fn openshift_user<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event
            .record
            .annotation("authentication.openshift.io/username"),
        out,
    )
}

fn policy_failure<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event
            .record
            .annotation("validation.policy.admission.k8s.io/validation_failure"),
        out,
    )
}

fn violations<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event
            .record
            .annotation("pod-security.kubernetes.io/audit-violations"),
        out,
    )
}

fn user_groups<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    for group in &event.record.user.groups {
        out.push(text(group.decode()));
    }
    present_if(!event.record.user.groups.is_empty())
}

fn impersonated<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event.record.impersonated.as_ref().map(|user| user.name),
        out,
    )
}

fn agent<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.agent, out)
}

fn parameter<'e>(event: &'e AuditEvent<'_>, argument: &Argument, out: &mut Values<'e>) -> Presence {
    let uri = event.record.uri.decode();
    let value = uri::parameters(&uri, key(argument))
        .next()
        .map(Cow::into_owned);
    let is_there = value.is_some();
    if let Some(value) = value {
        out.owned(value);
    }
    present_if(is_there)
}

fn target_name<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.target.and_then(|target| target.name), out)
}

fn target_namespace<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.target.and_then(|target| target.namespace), out)
}

fn target_resource<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.target.and_then(|target| target.resource), out)
}

fn target_part<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(
        event.record.target.and_then(|target| target.subresource),
        out,
    )
}

fn target_pod<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let target = event.record.target.unwrap_or_default();
    let is_pod = target.resource.is_some_and(|resource| resource.is("pods"));
    if !is_pod || target.subresource.is_some_and(|part| !part.is_empty()) {
        return Presence::Absent;
    }
    let name = event
        .response()
        .and_then(|response| response.path(&["metadata", "name"]));
    if let Some(name) = name {
        out.push(text(name.rendered()));
    }
    present_if(name.is_some())
}

fn code<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let code = event.record.status.and_then(|status| status.code);
    if let Some(code) = code {
        out.bytes(code);
    }
    present_if(code.is_some())
}

fn status_reason<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.status.and_then(|status| status.reason), out)
}

fn always_true<'e>(_: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.text("true");
    Presence::Present
}

/// The names of subjects of a kind.
fn subjects<'e>(event: &'e AuditEvent<'_>, kind: &str, out: &mut Values<'e>) -> Presence {
    let names = subjects_of(event, kind).filter_map(|subject| subject.get("name"));
    names.for_each(|name| out.push(text(name.rendered())));
    present_if(!out.as_slice().is_empty())
}

fn accounts<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    for subject in subjects_of(event, "ServiceAccount") {
        if let (Some(namespace), Some(name)) = (subject.get("namespace"), subject.get("name")) {
            out.owned(format!("{}:{}", namespace.rendered(), name.rendered()));
        }
    }
    present_if(!out.as_slice().is_empty())
}

fn subjects_of<'e>(event: &'e AuditEvent<'_>, kind: &str) -> impl Iterator<Item = Node<'e>> {
    let subjects = event.request().and_then(|body| body.get("subjects"));
    subjects
        .into_iter()
        .flat_map(Node::items)
        .filter(move |subject| {
            let known = subject.get("kind").map(Node::rendered);
            known.is_some_and(|known| known == kind)
        })
}

fn cluster_name<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    one(event.record.annotation("cluster_name"), out)
}

fn absent<'e>(_: &'e AuditEvent<'_>, _: &Argument, _: &mut Values<'e>) -> Presence {
    Presence::Absent
}
