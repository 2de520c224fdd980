//! Fields of bodies: each is a way through the request's or the response's, and what becomes of what is found.

use std::borrow::Cow;

use seareeve_detect::{Kind, Shape};

use super::{From, Style, Walk};
use crate::fields::{Brackets, Definition, Get};

const CONTAINERS: &[(&str, &str)] = &[
    ("containers", "containers"),
    ("initContainers", "init containers"),
    ("ephemeralContainers", "ephemeral containers"),
];

/// All of them.
pub(super) fn definitions() -> Vec<Definition> {
    let mut all = Vec::new();
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
