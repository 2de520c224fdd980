//! Falco's `ka.*`, as plugins k8saudit 0.18 extracts them (spec: `runtime.md`, 2.4).
//!
//! The quirks are kept on purpose: rules that people have rest on them. A repository is cut at the first colon, also
//! at that of a port; effective users are read from the container itself and not from its security context; the source
//! addresses are looked for in the rules of a role and so never found.

use std::borrow::Cow;

use seareeve_detect::{Argument, Kind, Presence, Shape, Values};

use super::{Brackets, Definition, Extract, Get, present_if};
use crate::event::{AuditEvent, key, text};
use crate::json::{Node, Text};
use crate::uri;

/// A way through an event, and what becomes of what is found.
pub(crate) struct Walk {
    from: From,
    path: &'static [&'static str],
    style: Style,
}

#[derive(Clone, Copy)]
enum From {
    Request,
    Response,
}

/// What a walk makes of what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// The value; the items of a list.
    Value,
    /// All values, through lists on the way. Items without one are left out.
    Each,
    /// The same, but one item without a value and there is none at all.
    All,
    /// The same as `All`, cut at the first colon, then at the first at sign.
    Repository,
    /// Lists, each joined with blanks.
    Joined,
    /// The items of lists.
    Items,
    /// Keys of objects but `name`.
    Keys,
    /// `hostPort`, or else `containerPort`, of the items of lists.
    HostPorts,
    /// With the pod's own value in place of those that are missing, or else 0.
    Effective,
    /// Whether any is true.
    AnyTrue,
    /// The first of `All`.
    First,
    /// The first of `Repository`.
    FirstRepository,
    /// Whether the argument, which may end with `*`, is one of `Each`.
    HasPath,
}

const CONTAINERS: &[(&str, &str)] = &[
    ("containers", "containers"),
    ("initContainers", "init containers"),
    ("ephemeralContainers", "ephemeral containers"),
];

pub(crate) fn definitions() -> Vec<Definition> {
    let mut all = Vec::new();
    for (name, brackets, shape, is_key, get, about) in RECORD {
        all.push(Definition {
            name: Cow::Borrowed(name),
            brackets: *brackets,
            kind: Kind::Text,
            shape: *shape,
            is_key: *is_key,
            get: Get::By(*get),
            about: Cow::Borrowed(about),
        });
    }
    let mut walk = |name: Cow<'static, str>,
                    from: From,
                    path: &'static [&'static str],
                    style: Style,
                    about: String| {
        let (brackets, shape) = match style {
            Style::Value => (Brackets::None, Shape::One),
            Style::AnyTrue | Style::First | Style::FirstRepository => (Brackets::None, Shape::One),
            Style::HasPath => (Brackets::Key, Shape::One),
            Style::Each
            | Style::All
            | Style::Repository
            | Style::Joined
            | Style::Items
            | Style::Keys
            | Style::HostPorts
            | Style::Effective => (Brackets::Index, Shape::List),
        };
        all.push(Definition {
            name,
            brackets,
            kind: Kind::Text,
            shape,
            is_key: false,
            get: Get::Walk(Walk { from, path, style }),
            about: Cow::Owned(about),
        });
    };
    for (name, from, path, style, about) in WALKS {
        walk(
            Cow::Borrowed(name),
            *from,
            path,
            *style,
            (*about).to_owned(),
        );
    }
    for (of, words) in CONTAINERS {
        for (name, path, style, about) in OF_CONTAINERS {
            let path: &'static [&'static str] = match *of {
                "initContainers" => path.1,
                "ephemeralContainers" => path.2,
                _ => path.0,
            };
            let name = Cow::Owned(format!("ka.req.pod.{of}.{name}"));
            walk(
                name,
                From::Request,
                path,
                *style,
                format!("{about} of all {words} of a pod."),
            );
        }
    }
    for list in [
        "ka.req.role.rules",
        "ka.req.binding.subjects",
        "ka.req.pod.supplemental_groups",
    ] {
        if let Some(definition) = all.iter_mut().find(|definition| definition.name == list) {
            definition.shape = Shape::List;
        }
    }
    all
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
        absent,
        "Nothing: which cluster an event came from stands in its alerts.",
    ),
];

const WALKS: &[(&str, From, &[&str], Style, &str)] = &[
    (
        "ka.req.binding.subjects",
        From::Request,
        &["subjects"],
        Style::Value,
        "The subjects of a binding, as JSON.",
    ),
    (
        "ka.req.binding.role",
        From::Request,
        &["roleRef", "name"],
        Style::Value,
        "The role of a binding.",
    ),
    (
        "ka.req.configmap.obj",
        From::Request,
        &["data"],
        Style::Value,
        "The data of a config map, as JSON.",
    ),
    (
        "ka.req.pod.host_ipc",
        From::Request,
        &["spec", "hostIPC"],
        Style::Value,
        "`hostIPC` of a pod.",
    ),
    (
        "ka.req.pod.host_network",
        From::Request,
        &["spec", "hostNetwork"],
        Style::Value,
        "`hostNetwork` of a pod.",
    ),
    (
        "ka.req.container.host_network",
        From::Request,
        &["spec", "hostNetwork"],
        Style::Value,
        "The same, by its older name.",
    ),
    (
        "ka.req.pod.host_pid",
        From::Request,
        &["spec", "hostPID"],
        Style::Value,
        "`hostPID` of a pod.",
    ),
    (
        "ka.req.pod.run_as_user",
        From::Request,
        &["spec", "securityContext", "runAsUser"],
        Style::Value,
        "`runAsUser` of a pod.",
    ),
    (
        "ka.req.pod.run_as_group",
        From::Request,
        &["spec", "securityContext", "runAsGroup"],
        Style::Value,
        "`runAsGroup` of a pod.",
    ),
    (
        "ka.req.pod.fs_group",
        From::Request,
        &["spec", "securityContext", "fsGroup"],
        Style::Value,
        "`fsGroup` of a pod.",
    ),
    (
        "ka.req.pod.supplemental_groups",
        From::Request,
        &["spec", "securityContext", "supplementalGroups"],
        Style::Value,
        "`supplementalGroups` of a pod.",
    ),
    (
        "ka.req.container.image",
        From::Request,
        &["spec", "containers", "image"],
        Style::First,
        "The image of the first container.",
    ),
    (
        "ka.req.container.image.repository",
        From::Request,
        &["spec", "containers", "image"],
        Style::FirstRepository,
        "The same up to the first colon.",
    ),
    (
        "ka.req.container.privileged",
        From::Request,
        &["spec", "containers", "securityContext", "privileged"],
        Style::AnyTrue,
        "Whether any container is privileged.",
    ),
    (
        "ka.req.role.rules",
        From::Request,
        &["rules"],
        Style::Value,
        "The rules of a role, as JSON.",
    ),
    (
        "ka.req.role.rules.apiGroups",
        From::Request,
        &["rules", "apiGroups"],
        Style::Items,
        "The API groups of a role's rules.",
    ),
    (
        "ka.req.role.rules.nonResourceURLs",
        From::Request,
        &["rules", "nonResourceURLs"],
        Style::Items,
        "The URLs of a role's rules.",
    ),
    (
        "ka.req.role.rules.verbs",
        From::Request,
        &["rules", "verbs"],
        Style::Items,
        "The verbs of a role's rules.",
    ),
    (
        "ka.req.role.rules.resources",
        From::Request,
        &["rules", "resources"],
        Style::Items,
        "The resources of a role's rules.",
    ),
    (
        "ka.req.service.type",
        From::Request,
        &["spec", "type"],
        Style::Value,
        "The type of a service.",
    ),
    (
        "ka.req.service.ports",
        From::Request,
        &["spec", "ports", ""],
        Style::Each,
        "The ports of a service, as JSON.",
    ),
    (
        "ka.req.pod.volumes.hostpath",
        From::Request,
        &["spec", "volumes", "hostPath", "path"],
        Style::Each,
        "The paths of the node that a pod's volumes are.",
    ),
    (
        "ka.req.volume.hostpath",
        From::Request,
        &["spec", "volumes", "hostPath", "path"],
        Style::HasPath,
        "Whether one of them is the argument, or begins so when that ends with `*`.",
    ),
    (
        "ka.req.pod.volumes.flexvolume_driver",
        From::Request,
        &["spec", "volumes", "flexVolume", "driver"],
        Style::Each,
        "The FlexVolume drivers of a pod's volumes.",
    ),
    (
        "ka.req.pod.volumes.volume_type",
        From::Request,
        &["spec", "volumes", ""],
        Style::Keys,
        "The types of a pod's volumes.",
    ),
    (
        "ka.resp.name",
        From::Response,
        &["metadata", "name"],
        Style::Value,
        "The name of the object in the response.",
    ),
];

type Paths = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

macro_rules! of_each {
    ($($key:literal),*) => {
        (
            &["spec", "containers" $(, $key)*],
            &["spec", "initContainers" $(, $key)*],
            &["spec", "ephemeralContainers" $(, $key)*],
        )
    };
}

const OF_CONTAINERS: &[(&str, Paths, Style, &str)] = &[
    ("name", of_each!("name"), Style::All, "The names"),
    ("image", of_each!("image"), Style::All, "The images"),
    (
        "image.repository",
        of_each!("image"),
        Style::Repository,
        "The images up to the first colon",
    ),
    ("args", of_each!("args"), Style::Joined, "The arguments"),
    (
        "command",
        of_each!("command"),
        Style::Joined,
        "The commands",
    ),
    (
        "host_port",
        of_each!("ports"),
        Style::HostPorts,
        "The ports on the node, or else of the container,",
    ),
    (
        "privileged",
        of_each!("securityContext", "privileged"),
        Style::Each,
        "`privileged`",
    ),
    (
        "allow_privilege_escalation",
        of_each!("securityContext", "allowPrivilegeEscalation"),
        Style::Each,
        "`allowPrivilegeEscalation`",
    ),
    (
        "read_only_fs",
        of_each!("securityContext", "readOnlyRootFilesystem"),
        Style::Each,
        "`readOnlyRootFilesystem`",
    ),
    (
        "run_as_user",
        of_each!("securityContext", "runAsUser"),
        Style::Each,
        "`runAsUser`",
    ),
    (
        "eff_run_as_user",
        of_each!("runAsUser"),
        Style::Effective,
        "`runAsUser`, or else the pod's,",
    ),
    (
        "run_as_group",
        of_each!("securityContext", "runAsGroup"),
        Style::Each,
        "`runAsGroup`",
    ),
    (
        "eff_run_as_group",
        of_each!("runAsGroup"),
        Style::Effective,
        "`runAsGroup`, or else the pod's,",
    ),
    (
        "proc_mount",
        of_each!("securityContext", "procMount"),
        Style::Each,
        "`procMount`",
    ),
    (
        "add_capabilities",
        of_each!("securityContext", "capabilities", "add"),
        Style::Each,
        "The added capabilities, as JSON,",
    ),
];

/// The values of a walk.
pub(super) fn extract<'e>(
    event: &'e AuditEvent<'_>,
    walk: &Walk,
    argument: &Argument,
    out: &mut Values<'e>,
) -> Presence {
    let body = match walk.from {
        From::Request => event.request(),
        From::Response => event.response(),
    };
    let Some(body) = body else {
        return Presence::Absent;
    };
    if walk.style == Style::Value {
        let Some(value) = walk.path.iter().try_fold(body, |node, key| node.get(key)) else {
            return Presence::Absent;
        };
        if value.is_list()
            && matches!(
                walk.path,
                ["rules" | "subjects"] | [.., "supplementalGroups"]
            )
        {
            for item in value.items() {
                out.push(text(item.rendered()));
            }
        } else {
            out.push(text(value.rendered()));
        }
        return Presence::Present;
    }
    let index = match argument {
        Argument::Index(index) => usize::try_from(*index).ok(),
        Argument::None | Argument::Key(_) | Argument::Path(_) => None,
    };
    let mut found = Vec::new();
    if !flat(body, walk.path, index, &mut found) {
        return Presence::Absent;
    }
    finish(event, walk, argument, &found, out)
}

fn finish<'e>(
    event: &'e AuditEvent<'_>,
    walk: &Walk,
    argument: &Argument,
    found: &[Option<Node<'e>>],
    out: &mut Values<'e>,
) -> Presence {
    let some = || found.iter().copied().flatten();
    let repository = |image: Cow<'e, str>| {
        let end = image.find(':').unwrap_or(image.len());
        let end = image.find('@').map_or(end, |at| at.min(end));
        image.get(..end).unwrap_or_default().to_owned()
    };
    match walk.style {
        Style::Value => {}
        Style::Each => some().for_each(|node| out.push(text(node.rendered()))),
        Style::All | Style::Repository => {
            for node in found {
                let Some(node) = node else {
                    return Presence::Absent;
                };
                if walk.style == Style::All {
                    out.push(text(node.rendered()));
                } else {
                    out.owned(repository(node.rendered()));
                }
            }
        }
        Style::First | Style::FirstRepository => {
            let Some(Some(node)) = found.first() else {
                return Presence::Absent;
            };
            if walk.style == Style::First {
                out.push(text(node.rendered()));
            } else {
                out.owned(repository(node.rendered()));
            }
        }
        Style::Joined => {
            for list in some().filter(|node| node.is_list()) {
                let words: Vec<_> = list.items().map(Node::rendered).collect();
                out.owned(words.join(" "));
            }
        }
        Style::Items => {
            for item in some().filter(|node| node.is_list()).flat_map(Node::items) {
                out.push(text(item.rendered()));
            }
        }
        Style::Keys => {
            for (name, _) in some().flat_map(Node::members) {
                if !name.is("name") {
                    out.push(text(name.decode()));
                }
            }
        }
        Style::HostPorts => {
            for list in some() {
                if !list.is_list() {
                    return Presence::Absent;
                }
                for port in list.items() {
                    let number = port.get("hostPort").or_else(|| port.get("containerPort"));
                    if let Some(number) = number {
                        out.push(text(number.rendered()));
                    }
                }
            }
        }
        Style::Effective => {
            let own = walk.path.last().copied().unwrap_or_default();
            let pod = event.request().and_then(|body| body.path(&["spec", own]));
            let pod = pod.map_or(Cow::Borrowed("0"), Node::rendered);
            for node in found {
                out.push(text(node.map_or_else(|| pod.clone(), Node::rendered)));
            }
        }
        Style::AnyTrue => out.text(truth(some().any(Node::is_true))),
        Style::HasPath => {
            let wanted = key(argument);
            let start = wanted.strip_suffix('*');
            let is_one = some().any(|node| {
                let path = node.rendered();
                path == wanted || start.is_some_and(|start| path.starts_with(start))
            });
            out.text(truth(is_one));
        }
    }
    Presence::Present
}

/// Goes along `path`, through lists: with `index` through that item of the first list, without it through all. An item
/// at which the way ends is `None`. False: there is no such way at all.
fn flat<'t>(
    node: Node<'t>,
    path: &[&str],
    index: Option<usize>,
    found: &mut Vec<Option<Node<'t>>>,
) -> bool {
    let mut node = node;
    let mut path = path;
    while let [key, rest @ ..] = path {
        if node.is_list() {
            match index {
                None => {
                    // Lists stand in lists only where somebody wrote nonsense.
                    for item in node.items().take(MAX_ITEMS) {
                        let before = found.len();
                        if item.is_list() || !flat(item, path, None, found) {
                            found.truncate(before);
                            found.push(None);
                        }
                    }
                    return true;
                }
                Some(index) => match node.items().nth(index) {
                    Some(item) => node = item,
                    None => return false,
                },
            }
        }
        if !key.is_empty() {
            match node.get(key) {
                Some(value) => node = value,
                None => return false,
            }
        }
        path = rest;
    }
    found.push(Some(node));
    true
}

/// Most items of one list that are walked through.
const MAX_ITEMS: usize = 10_000;

fn truth(holds: bool) -> &'static str {
    if holds { "true" } else { "false" }
}

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
    if !is_pod || target.subresource.is_some() {
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

fn absent<'e>(_: &'e AuditEvent<'_>, _: &Argument, _: &mut Values<'e>) -> Presence {
    Presence::Absent
}
