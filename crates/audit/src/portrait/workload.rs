//! Pods, and what makes them: the same for a pod, for the template inside a controller, and for the part of one that
//! a patch names.

use std::borrow::Cow;
use std::collections::HashMap;

use super::config::holds_credential;
use super::{Aspect, Portrait, items, texts};
use crate::json::Node;

/// The controller of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// Kinds that are or make pods: as requests name them, and as objects do.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("pods", "Pod"),
    ("deployments", "Deployment"),
    ("daemonsets", "DaemonSet"),
    ("statefulsets", "StatefulSet"),
    ("replicasets", "ReplicaSet"),
    ("replicationcontrollers", "ReplicationController"),
    ("jobs", "Job"),
    ("cronjobs", "CronJob"),
    ("podtemplates", "PodTemplate"),
];

/// The resource of objects of `kind`.
pub(crate) fn resource_of(kind: &str) -> Option<&'static str> {
    let mut kinds = KINDS.iter();
    kinds.find_map(|(resource, name)| (*name == kind).then_some(*resource))
}

/// The kind of objects of `resource`.
pub(crate) fn kind_of(resource: &str) -> Option<&'static str> {
    let mut kinds = KINDS.iter();
    kinds.find_map(|(name, kind)| (*name == resource).then_some(*kind))
}

impl Portrait {
    /// Adds an object, or as much of one as there is, of a resource of [`KINDS`].
    pub(super) fn workload(&mut self, resource: &str, object: Node<'_>) {
        let pod = match resource {
            "pods" => Some(object),
            "cronjobs" => object.path(&["spec", "jobTemplate", "spec", "template"]),
            "podtemplates" => object.get("template"),
            _ => object.path(&["spec", "template"]),
        };
        if let Some(schedule) = object.path(&["spec", "schedule"]).and_then(Node::str) {
            self.push(Aspect::Schedule, schedule);
        }
        // Up to Kubernetes 1.21 ephemeral containers came as an object of their own.
        for container in items(object.get("ephemeralContainers")) {
            self.container(container);
        }
        if let Some(pod) = pod {
            self.labels_of(pod.path(&["metadata", "labels"]));
            self.annotations(pod);
            if let Some(spec) = pod.get("spec") {
                self.spec(spec);
            }
        }
    }

    fn spec(&mut self, spec: Node<'_>) {
        for (key, name) in [
            ("hostNetwork", "network"),
            ("hostPID", "pid"),
            ("hostIPC", "ipc"),
        ] {
            if spec.get(key).is_some_and(Node::is_true) {
                self.push(Aspect::HostNamespace, name);
            }
        }
        let account = spec
            .get("serviceAccountName")
            .or_else(|| spec.get("serviceAccount"));
        if let Some(account) = account.and_then(Node::str)
            && !account.is_empty()
        {
            self.push(Aspect::Account, account);
        }
        if let Some(node) = spec.get("nodeName").and_then(Node::str) {
            self.push(Aspect::Node, node);
        }
        for (key, value) in texts(spec.get("nodeSelector")) {
            self.push(Aspect::Placement, format!("{key}={value}"));
        }
        self.push_some(Aspect::Priority, spec.get("priorityClassName"));
        if let Some(context) = spec.get("securityContext") {
            self.protections(context);
            if is_process_of_node(context) {
                self.push(Aspect::Privileged, "");
            }
        }
        for (list, _) in CONTAINERS {
            for container in items(spec.get(list)) {
                self.container(container);
            }
        }
        let mut mounts: HashMap<Cow<'_, str>, Vec<Node<'_>>> = HashMap::new();
        let containers = CONTAINERS
            .iter()
            .flat_map(|(list, _)| items(spec.get(list)));
        for mount in containers.flat_map(|container| items(container.get("volumeMounts"))) {
            let name = mount.get("name").and_then(Node::str).unwrap_or_default();
            mounts.entry(name).or_default().push(mount);
        }
        for volume in items(spec.get("volumes")) {
            let name = volume.get("name").and_then(Node::str).unwrap_or_default();
            // Each volume has a name of its own.
            self.volume(volume, &mounts.remove(&name).unwrap_or_default());
        }
    }

    fn container(&mut self, container: Node<'_>) {
        let text = |key| container.get(key).and_then(Node::str);
        let name = text("name").unwrap_or_default();
        self.push(Aspect::Container, name.as_ref());
        if let Some(image) = text("image") {
            self.push(Aspect::Image, image);
        }
        let words: Vec<_> = ["command", "args"]
            .into_iter()
            .flat_map(|key| items(container.get(key)))
            .filter_map(Node::str)
            .collect();
        if !words.is_empty() {
            self.push(Aspect::Command, words.join(" "));
        }
        for hook in HOOKS {
            let words: Vec<_> = items(container.path(hook)).filter_map(Node::str).collect();
            if !words.is_empty() {
                self.push(Aspect::Command, words.join(" "));
            }
        }
        for port in items(container.get("ports")) {
            for (key, aspect) in [
                ("containerPort", Aspect::Port),
                ("hostPort", Aspect::HostPort),
            ] {
                match port.get(key).and_then(Node::number) {
                    Some(number) if number != 0 => self.push(aspect, number.to_string()),
                    _ => {}
                }
            }
        }
        for variable in items(container.get("env")) {
            let part = |key| variable.get(key).and_then(Node::str);
            if let (Some(name), Some(value)) = (part("name"), part("value")) {
                if holds_credential(&name, &value) {
                    self.push(Aspect::Credential, name.as_ref());
                }
                self.push(Aspect::Setting, format!("{name}={value}"));
            }
            let source = variable.get("valueFrom");
            for (key, aspect) in [
                ("configMapKeyRef", Aspect::ConfigMap),
                ("secretKeyRef", Aspect::Secret),
            ] {
                let from = source.and_then(|source| source.path(&[key, "name"]));
                self.push_some(aspect, from);
            }
        }
        for source in items(container.get("envFrom")) {
            self.push_some(Aspect::ConfigMap, source.path(&["configMapRef", "name"]));
            self.push_some(Aspect::Secret, source.path(&["secretRef", "name"]));
        }
        let Some(context) = container.get("securityContext") else {
            return;
        };
        if context.get("privileged").is_some_and(Node::is_true) || is_process_of_node(context) {
            self.push(Aspect::Privileged, name);
        }
        for capability in items(context.path(&["capabilities", "add"])) {
            if let Some(capability) = capability.str() {
                let capability = capability.to_ascii_uppercase();
                let bare = capability.strip_prefix("CAP_").unwrap_or(&capability);
                self.push(Aspect::Capability, bare);
            }
        }
        if context
            .get("procMount")
            .and_then(Node::text)
            .is_some_and(|mount| mount.is("Unmasked"))
        {
            self.push(Aspect::Unconfined, "proc");
        }
        self.protections(context);
    }

    fn protections(&mut self, context: Node<'_>) {
        for (key, name) in [
            ("seccompProfile", "seccomp"),
            ("appArmorProfile", "apparmor"),
        ] {
            let kind = context.path(&[key, "type"]).and_then(Node::text);
            if kind.is_some_and(|kind| kind.is("Unconfined")) {
                self.push(Aspect::Unconfined, name);
            }
        }
    }

    /// Before there were fields for it, annotations said how containers are confined.
    fn annotations(&mut self, pod: Node<'_>) {
        let Some(annotations) = pod.path(&["metadata", "annotations"]) else {
            return;
        };
        for (key, value) in annotations.members() {
            let Some(value) = value.text() else { continue };
            let key = key.decode();
            if value.is("unconfined") {
                if key.starts_with("container.apparmor.security.beta.kubernetes.io/") {
                    self.push(Aspect::Unconfined, "apparmor");
                } else if key.contains("seccomp.security.alpha.kubernetes.io/") {
                    self.push(Aspect::Unconfined, "seccomp");
                }
            }
        }
    }

    /// What of the node a volume gives to containers: its path, and what mounts say lies below it.
    fn volume(&mut self, volume: Node<'_>, mounts: &[Node<'_>]) {
        self.push_some(Aspect::ConfigMap, volume.path(&["configMap", "name"]));
        self.push_some(Aspect::Secret, volume.path(&["secret", "secretName"]));
        for source in items(volume.path(&["projected", "sources"])) {
            self.push_some(Aspect::ConfigMap, source.path(&["configMap", "name"]));
            self.push_some(Aspect::Secret, source.path(&["secret", "name"]));
        }
        let Some(path) = volume.path(&["hostPath", "path"]).and_then(Node::str) else {
            return;
        };
        for mount in mounts {
            let below = mount.get("subPath").and_then(Node::str).unwrap_or_default();
            let place = clean(&format!("{path}/{below}"));
            if !mount.get("readOnly").is_some_and(Node::is_true) {
                self.push(Aspect::WritableHostPath, place.as_str());
            }
            self.push(Aspect::HostPath, place);
        }
        if mounts.is_empty() {
            self.push(Aspect::HostPath, clean(&path));
        }
    }
}

/// Containers of Windows that are processes of their node.
fn is_process_of_node(context: Node<'_>) -> bool {
    context
        .path(&["windowsOptions", "hostProcess"])
        .is_some_and(Node::is_true)
}

/// Where commands stand that a kubelet runs in a container beside its own.
const HOOKS: &[&[&str]] = &[
    &["lifecycle", "postStart", "exec", "command"],
    &["lifecycle", "preStop", "exec", "command"],
    &["startupProbe", "exec", "command"],
    &["livenessProbe", "exec", "command"],
    &["readinessProbe", "exec", "command"],
];

/// The lists of containers of a pod.
pub(crate) const CONTAINERS: &[(&str, &str)] = &[
    ("initContainers", "init"),
    ("containers", "main"),
    ("ephemeralContainers", "ephemeral"),
];

/// The controller of `object`: the owner that says it is. A job made by hand of a cron job names it as an owner that
/// is none.
pub(crate) fn controller(object: Node<'_>) -> Option<Owner> {
    items(object.path(&["metadata", "ownerReferences"]))
        .find(|owner| owner.get("controller").is_some_and(Node::is_true))
        .and_then(|owner| {
            Some(Owner {
                kind: owner.get("kind")?.str()?.into_owned(),
                name: owner.get("name")?.str()?.into_owned(),
            })
        })
}

/// `path` without what does not change where it leads: doubled and trailing slashes, `.` and `..`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;

    fn read(resource: &str, text: &str) -> Portrait {
        let tree = Tree::read(text.as_bytes()).unwrap();
        Portrait::read("", resource, tree.root().unwrap())
    }

    const SPEC: &str = r#"{"hostPID":true,"serviceAccountName":"s","initContainers":[{"name":"i","image":"q.io/i",
        "securityContext":{"privileged":true}}],"containers":[{"name":"c","image":"c:1","command":["sh","-c"],
        "args":["id"],"ports":[{"containerPort":22,"hostPort":2222}],"env":[{"name":"A","value":"b"}],
        "securityContext":{"capabilities":{"add":["CAP_SYS_ADMIN","net_raw"]}},
        "volumeMounts":[{"name":"v","mountPath":"/x","subPath":"passwd","readOnly":true},
        {"name":"w","mountPath":"/y"}]}],"ephemeralContainers":[{"name":"e","image":"e"}],
        "volumes":[{"name":"v","hostPath":{"path":"/etc//"}},{"name":"w","hostPath":{"path":"/a/../proc/."}},
        {"name":"u","hostPath":{"path":"/u"}},{"name":"s","secret":{"secretName":"t"}}]}"#;

    #[test]
    fn a_template_reads_like_a_pod() {
        let pod = read("pods", &format!(r#"{{"spec":{SPEC}}}"#));
        let about = |aspect| pod.about(aspect).collect::<Vec<_>>();
        assert_eq!(about(Aspect::Image), ["q.io/i", "c:1", "e"]);
        assert_eq!(about(Aspect::Privileged), ["i"]);
        assert_eq!(about(Aspect::Capability), ["SYS_ADMIN", "NET_RAW"]);
        assert_eq!(about(Aspect::HostPath), ["/etc/passwd", "/proc", "/u"]);
        assert_eq!(about(Aspect::WritableHostPath), ["/proc"]);
        assert_eq!(about(Aspect::HostNamespace), ["pid"]);
        assert_eq!(about(Aspect::Command), ["sh -c id"]);
        assert_eq!(about(Aspect::Port), ["22"]);
        assert_eq!(about(Aspect::HostPort), ["2222"]);
        assert_eq!(about(Aspect::Setting), ["A=b"]);
        assert_eq!(about(Aspect::Account), ["s"]);
        assert_eq!(about(Aspect::Secret), ["t"]);
        let template = format!(r#"{{"spec":{{"template":{{"spec":{SPEC}}}}}}}"#);
        for resource in [
            "deployments",
            "daemonsets",
            "statefulsets",
            "replicasets",
            "jobs",
        ] {
            assert_eq!(read(resource, &template).traits, pod.traits);
        }
        let cron = format!(
            r#"{{"spec":{{"schedule":"* * * * *","jobTemplate":{{"spec":{{"template":{{"spec":{SPEC}}}}}}}}}}}"#
        );
        let cron = read("cronjobs", &cron);
        assert_eq!(cron.about(Aspect::Schedule).next(), Some("* * * * *"));
        assert_eq!(cron.traits.get(1..), Some(&pod.traits[..]));
    }

    #[test]
    fn nothing_hides_behind_many_other_things() {
        let variables: Vec<String> = (0..3_000)
            .map(|number| format!(r#"{{"name":"A{number}","value":"b"}}"#))
            .collect();
        let mounts: Vec<String> = (0..1_500)
            .map(|number| format!(r#"{{"name":"v","mountPath":"/m{number}","subPath":"a"}}"#))
            .collect();
        let containers = r#"{"name":"c"},"#.repeat(2_000);
        let pod = read(
            "pods",
            &format!(
                r#"{{"spec":{{"containers":[{containers}{{"name":"x","env":[{}],"volumeMounts":[{}],
                "securityContext":{{"privileged":true}}}}],"volumes":[{{"name":"v","hostPath":{{"path":"/x"}}}},
                {{"name":"w","hostPath":{{"path":"/"}}}}]}}}}"#,
                variables.join(","),
                mounts.join(",")
            ),
        );
        let about = |aspect| pod.about(aspect).collect::<Vec<_>>();
        assert_eq!(about(Aspect::Privileged), ["x"]);
        assert_eq!(about(Aspect::HostPath), ["/x/a", "/"]);
        assert_eq!(about(Aspect::Container), ["c", "x"]);
        // Of what there is too much, the rest is left out and told.
        assert_eq!((about(Aspect::Setting).len(), pod.is_cut), (1_000, true));
        assert!(!read("pods", &format!(r#"{{"spec":{SPEC}}}"#)).is_cut);
    }

    #[test]
    fn what_has_another_shape_has_no_traits() {
        for text in [
            "1",
            "[]",
            r#"{"spec":[]}"#,
            r#"{"spec":{"containers":{"name":1},"volumes":"x","hostPID":"true"}}"#,
            r#"{"spec":{"containers":[1,null,[]],"volumes":[1,{"hostPath":{"path":1}}]}}"#,
        ] {
            let traits = read("pods", text).traits;
            assert!(
                traits
                    .iter()
                    .all(|(aspect, name)| *aspect == Aspect::Container && name.is_empty()),
                "{traits:?}"
            );
        }
    }
}
