//! What detections ask of an object, as a flat list: an object of the API, whatever its kind, becomes pairs of an
//! aspect and a text.
//!
//! Flat, because the important question is not what an object has but what a request gave it: two lists can be
//! compared, whether they come from an object, from a patch or from memory.

mod certificate;
mod config;
mod network;
mod rbac;
mod workload;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use crate::image::Image;
use crate::json::Node;

pub(crate) use config::guards_removed_by;
pub(crate) use workload::{Owner, controller, kind_of, resource_of};

/// Most that is said of one object about one aspect. It is told when there was more ([`Portrait::is_cut`]): nobody can
/// hide a path of the node behind a thousand variables.
const MAX_EACH: usize = 1_000;
/// Most labels by which services and pods find each other.
const MAX_LABELS: usize = 1_000;
/// Longest text that is kept of a command or value.
const MAX_TEXT: usize = 16 << 10;

macro_rules! aspects {
    ($($(#[doc = $about:literal])+ $variant:ident = $name:literal,)+) => {
        /// What a trait is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Aspect {
            $($(#[doc = $about])+ $variant,)+
        }

        impl Aspect {
            /// All of them, with the name in fields and what it is.
            pub(crate) const ALL: &[(Self, &'static str, &'static str)] =
                &[$((Self::$variant, $name, concat!($($about),+)),)+];
        }
    };
}

aspects! {
    /// Images of pods and templates, as they are written.
    Image = "image",
    /// Names of containers, init and ephemeral ones included.
    Container = "container",
    /// Names of containers that are privileged.
    Privileged = "privileged",
    /// Capabilities that containers add, upper case, without `CAP_`.
    Capability = "capability",
    /// Paths of the node that are mounted, cleaned, with the sub-path; of persistent volumes, too.
    HostPath = "host_path",
    /// Those of them that a container may write to.
    WritableHostPath = "writable_host_path",
    /// `network`, `pid`, `ipc`: namespaces of the node that pods share.
    HostNamespace = "host_namespace",
    /// Ports of the node.
    HostPort = "host_port",
    /// Ports of containers.
    Port = "port",
    /// Command and arguments, joined with blanks, one for each container; commands of its probes and hooks, too.
    Command = "command",
    /// `NAME=value` of containers' environments.
    Setting = "setting",
    /// `seccomp`, `apparmor`, `proc`: protections that are switched off.
    Unconfined = "unconfined",
    /// The pods' service account.
    Account = "account",
    /// The node that is chosen by name, past the scheduler.
    Node = "node",
    /// Labels that a node has to have for the pods: `node-role.kubernetes.io/control-plane=`.
    Placement = "placement",
    /// The pods' priority class.
    Priority = "priority",
    /// Config maps that pods mount or read.
    ConfigMap = "config_map",
    /// Secrets that pods mount or read.
    Secret = "secret",
    /// When a cron job makes jobs.
    Schedule = "schedule",
    /// What rules of a role allow that is worth knowing, by the names of facts: `everything`, `secrets_read`, `bind`.
    Power = "power",
    /// Rules of a role in words: `get,list secrets`.
    Rule = "rule",
    /// Cluster roles that a role's rules are added to: `admin`, `edit`, `view`.
    Aggregate = "aggregate",
    /// The role that a binding binds: `ClusterRole/admin`.
    Role = "role",
    /// Whom a binding gives it: `User/eve`, `Group/dev`, `ServiceAccount/shop:cart`.
    Subject = "subject",
    /// How a service is reached from outside: `LoadBalancer`, `InternalLoadBalancer`, `NodePort`, `ExternalIP`.
    Exposure = "exposure",
    /// Ports of a service, its pods and its nodes, by number and name.
    ServicePort = "service_port",
    /// Whose pods a service, or its object's labels, mean: `key=value`.
    Selector = "selector",
    /// Addresses of hosts that an ingress answers for.
    IngressHost = "ingress_host",
    /// Services that an ingress leads to.
    Backend = "backend",
    /// Where an admission webhook or an API service sends what it gets: a URL, or `namespace/service`.
    Endpoint = "endpoint",
    /// Hosts of those URLs.
    EndpointHost = "endpoint_host",
    /// What a webhook is asked about: `secrets`, `deployments.apps`, `*`.
    Covers = "covers",
    /// The type of a secret.
    SecretType = "secret_type",
    /// The service account whose token a secret is to hold.
    TokenOf = "token_of",
    /// Keys of a config map.
    Key = "key",
    /// Keys of a config map, or variables of containers, whose values are credentials.
    Credential = "credential",
    /// What is dangerous in a config map (`postgres-trust`, `postgres-any-address`), a network policy (`any-ingress`,
    /// `any-egress`) or a pod security policy (`privileged`, `host-pid`, `host-network`, `host-path`, `capabilities`).
    Danger = "danger",
    /// Labels of a namespace by which Pod Security judges: `enforce=restricted`.
    Guard = "guard",
    /// Who signs a certificate.
    Signer = "signer",
    /// What a certificate is for.
    Usage = "usage",
    /// The user name that a certificate is asked for.
    CommonName = "common_name",
    /// The groups that a certificate is asked for.
    Organization = "organization",
    /// What became of a certificate signing request: `Approved`, `Denied`.
    Condition = "condition",
}

/// One thing about an object.
pub(crate) type Trait = (Aspect, String);

/// An object, reduced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Portrait {
    /// In the order of the object.
    pub(crate) traits: Vec<Trait>,
    /// Of the pods that it is or makes.
    pub(crate) labels: Vec<(String, String)>,
    /// There was more about some aspect than [`MAX_EACH`].
    pub(crate) is_cut: bool,
    /// How much there is about each aspect.
    counts: BTreeMap<Aspect, usize>,
    /// Digests of the traits, each of which is told once.
    known: HashSet<u64>,
}

/// Of this process alone, so that nobody knows which traits have the same digest.
static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Portrait {
    /// The portrait of `object`, or of as much of one as there is. Of a resource that no detection asks about it is
    /// empty.
    pub(crate) fn read(group: &str, resource: &str, object: Node<'_>) -> Self {
        let mut portrait = Self::default();
        if kind_of(resource).is_some() {
            portrait.workload(resource, object);
            return portrait;
        }
        match resource {
            "roles" | "clusterroles" => portrait.role(resource, object),
            "rolebindings" | "clusterrolebindings" => portrait.binding(object),
            "services" => portrait.service(object),
            "ingresses" => portrait.ingress(object),
            "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => {
                portrait.webhooks(object);
            }
            "apiservices" => portrait.api_service(object),
            "persistentvolumes" => portrait.volume_of_node(object),
            "secrets" => portrait.secret(object),
            "configmaps" => portrait.config_map(object),
            "namespaces" if group.is_empty() => portrait.namespace(object),
            "networkpolicies" => portrait.network_policy(object),
            "podsecuritypolicies" => portrait.pod_security_policy(object),
            "certificatesigningrequests" => portrait.signing_request(object),
            _ => {}
        }
        portrait
    }

    /// Whether objects of this resource have a portrait.
    pub(crate) fn is_of(resource: &str) -> bool {
        kind_of(resource).is_some()
            || matches!(
                resource,
                "roles"
                    | "clusterroles"
                    | "rolebindings"
                    | "clusterrolebindings"
                    | "services"
                    | "ingresses"
                    | "mutatingwebhookconfigurations"
                    | "validatingwebhookconfigurations"
                    | "apiservices"
                    | "persistentvolumes"
                    | "secrets"
                    | "configmaps"
                    | "namespaces"
                    | "networkpolicies"
                    | "podsecuritypolicies"
                    | "certificatesigningrequests"
            )
    }

    /// What is said about one aspect.
    pub(crate) fn about(&self, aspect: Aspect) -> impl Iterator<Item = &str> {
        about(&self.traits, aspect)
    }

    fn push_some(&mut self, aspect: Aspect, node: Option<Node<'_>>) {
        if let Some(text) = node.and_then(Node::str) {
            self.push(aspect, text);
        }
    }

    fn push(&mut self, aspect: Aspect, what: impl AsRef<str>) {
        let what = what.as_ref();
        let mut end = what.len().min(MAX_TEXT);
        while !what.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let what = what.get(..end).unwrap_or_default();
        if !self.known.insert(DIGESTS.hash_one((aspect, what))) {
            return;
        }
        let count = self.counts.entry(aspect).or_default();
        *count = count.saturating_add(1);
        if *count > MAX_EACH {
            self.is_cut = true;
        } else {
            self.traits.push((aspect, what.to_owned()));
        }
    }

    /// The labels that this member of an object holds.
    fn labels_of(&mut self, object: Option<Node<'_>>) {
        self.labels = texts(object);
        self.is_cut |= self.labels.len() > MAX_LABELS;
        self.labels.truncate(MAX_LABELS);
    }
}

/// What is said about one aspect.
pub(crate) fn about(traits: &[Trait], aspect: Aspect) -> impl Iterator<Item = &str> {
    traits
        .iter()
        .filter(move |(about, _)| *about == aspect)
        .map(|(_, what)| what.as_str())
}

/// A number that stands for a trait: what an object had before is remembered by these.
pub(crate) fn fingerprint((aspect, what): &Trait) -> u64 {
    let mut hasher = DefaultHasher::new();
    aspect.hash(&mut hasher);
    match aspect {
        // Another tag of the same repository is no other image.
        Aspect::Image => Image::parse(what).repository().hash(&mut hasher),
        // These numbers are kept, and a password can be guessed by one that is made of it.
        Aspect::Setting | Aspect::Command => seareeve_redact::text(what).hash(&mut hasher),
        _ => what.hash(&mut hasher),
    }
    hasher.finish()
}

fn items<'t>(list: Option<Node<'t>>) -> impl Iterator<Item = Node<'t>> + use<'t> {
    list.into_iter().flat_map(Node::items)
}

/// The members of an object whose values are strings.
fn texts(object: Option<Node<'_>>) -> Vec<(String, String)> {
    object
        .into_iter()
        .flat_map(Node::members)
        .filter_map(|(key, value)| Some((key.decode().into_owned(), value.str()?.into_owned())))
        .collect()
}
