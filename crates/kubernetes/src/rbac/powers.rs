//! What is worth knowing whether somebody may do it.

use serde_json::Value;

use super::rule::{Rule, Scope};

/// Something that a subject may be able to do, and that says how far it can get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "docs/reference/facts-kubernetes.md has the list"
)]
pub enum Power {
    Everything,
    SecretsRead,
    SecretsWrite,
    Wildcards,
    PodsCreate,
    PodsExec,
    PodsDebug,
    PodsForward,
    WorkloadsCreate,
    Bind,
    Escalate,
    Impersonate,
    RbacWrite,
    PersistentVolumesCreate,
    NodesProxy,
    NodesWrite,
    CsrApprove,
    WebhooksWrite,
    PoliciesWrite,
    TokensCreate,
}

/// What the `rules` of a role give in a namespace, or everywhere.
#[must_use]
pub fn powers_of(rules: &Value, namespace: Option<&str>) -> Vec<Power> {
    let scope = namespace.map_or(Scope::Cluster, Scope::Namespace);
    let rules: Vec<Rule> = rules
        .as_array()
        .into_iter()
        .flatten()
        .map(Rule::read)
        .collect();
    let given = |power: &Power| rules.iter().any(|rule| power.is_given_by(rule, scope));
    Power::ALL.into_iter().filter(given).collect()
}

/// What a request is about.
struct Target {
    group: &'static str,
    resource: &'static str,
    /// Whether such a request is checked in a namespace. If not, a RoleBinding cannot allow it.
    namespaced: bool,
}

const fn inside(group: &'static str, resource: &'static str) -> Target {
    Target {
        group,
        resource,
        namespaced: true,
    }
}

const fn outside(group: &'static str, resource: &'static str) -> Target {
    Target {
        group,
        resource,
        namespaced: false,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const WRITE: &[&str] = &["create", "update", "patch"];

impl Power {
    /// Every power.
    pub const ALL: [Self; 20] = [
        Self::Everything,
        Self::SecretsRead,
        Self::SecretsWrite,
        Self::Wildcards,
        Self::PodsCreate,
        Self::PodsExec,
        Self::PodsDebug,
        Self::PodsForward,
        Self::WorkloadsCreate,
        Self::Bind,
        Self::Escalate,
        Self::Impersonate,
        Self::RbacWrite,
        Self::PersistentVolumesCreate,
        Self::NodesProxy,
        Self::NodesWrite,
        Self::CsrApprove,
        Self::WebhooksWrite,
        Self::PoliciesWrite,
        Self::TokensCreate,
    ];

    /// The name that checks know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::SecretsRead => "secrets_read",
            Self::SecretsWrite => "secrets_write",
            Self::Wildcards => "wildcards",
            Self::PodsCreate => "pods_create",
            Self::PodsExec => "pods_exec",
            Self::PodsDebug => "pods_debug",
            Self::PodsForward => "pods_forward",
            Self::WorkloadsCreate => "workloads_create",
            Self::Bind => "bind",
            Self::Escalate => "escalate",
            Self::Impersonate => "impersonate",
            Self::RbacWrite => "rbac_write",
            Self::PersistentVolumesCreate => "persistent_volumes_create",
            Self::NodesProxy => "nodes_proxy",
            Self::NodesWrite => "nodes_write",
            Self::CsrApprove => "csr_approve",
            Self::WebhooksWrite => "webhooks_write",
            Self::PoliciesWrite => "policies_write",
            Self::TokensCreate => "tokens_create",
        }
    }

    /// Whether `rule`, in force in `scope`, gives it.
    pub(crate) fn is_given_by(self, rule: &Rule, scope: Scope<'_>) -> bool {
        if self == Self::Impersonate {
            return impersonates(rule, scope);
        }
        let wildcards = rule.wildcards();
        let is_all = |list| wildcards.contains(&list);
        if self == Self::Wildcards {
            return ["verbs", "apiGroups", "resources"].into_iter().any(is_all)
                && !rule.resources.is_empty()
                && rule.gives_something(scope);
        }
        if self == Self::Everything {
            return ["verbs", "apiGroups", "resources"].into_iter().all(is_all)
                && scope == Scope::Cluster
                && rule.names.is_empty();
        }
        self.targets().iter().any(|target| {
            let verbs = self.verbs();
            verbs.iter().any(|verb| allows(rule, scope, verb, target))
        })
    }

    fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Everything | Self::Wildcards | Self::Impersonate => &[],
            Self::SecretsRead => &["get", "list", "watch"],
            Self::SecretsWrite | Self::RbacWrite | Self::WorkloadsCreate => WRITE,
            Self::PodsCreate | Self::PersistentVolumesCreate | Self::TokensCreate => &["create"],
            // Over WebSockets the connection is opened by a GET, which is authorized as `get`.
            Self::PodsExec => &["create", "get"],
            Self::PodsDebug | Self::CsrApprove | Self::NodesWrite => &["update", "patch"],
            Self::PodsForward | Self::NodesProxy => &["get", "create", "update", "patch", "delete"],
            Self::Bind => &["bind"],
            Self::Escalate => &["escalate"],
            Self::WebhooksWrite | Self::PoliciesWrite => {
                &["create", "update", "patch", "delete", "deletecollection"]
            }
        }
    }

    fn targets(self) -> &'static [Target] {
        match self {
            Self::Everything | Self::Wildcards | Self::Impersonate => &[],
            Self::SecretsRead | Self::SecretsWrite => const { &[inside("", "secrets")] },
            Self::PodsCreate => const { &[inside("", "pods")] },
            Self::PodsExec => const { &[inside("", "pods/exec"), inside("", "pods/attach")] },
            Self::PodsDebug => const { &[inside("", "pods/ephemeralcontainers")] },
            Self::PodsForward => {
                const { &[inside("", "pods/portforward"), inside("", "pods/proxy")] }
            }
            Self::WorkloadsCreate => {
                const {
                    &[
                        inside("apps", "deployments"),
                        inside("apps", "daemonsets"),
                        inside("apps", "statefulsets"),
                        inside("apps", "replicasets"),
                        inside("", "replicationcontrollers"),
                        inside("batch", "jobs"),
                        inside("batch", "cronjobs"),
                    ]
                }
            }
            // Binding a ClusterRole is checked in the namespace of the RoleBinding that is made, so both can be
            // allowed for one namespace.
            Self::Bind => const { &[inside(RBAC, "roles"), inside(RBAC, "clusterroles")] },
            Self::Escalate => const { &[inside(RBAC, "roles"), outside(RBAC, "clusterroles")] },
            Self::RbacWrite => {
                const {
                    &[
                        inside(RBAC, "roles"),
                        inside(RBAC, "rolebindings"),
                        outside(RBAC, "clusterroles"),
                        outside(RBAC, "clusterrolebindings"),
                    ]
                }
            }
            Self::PersistentVolumesCreate => const { &[outside("", "persistentvolumes")] },
            Self::NodesProxy => const { &[outside("", "nodes/proxy")] },
            Self::NodesWrite => const { &[outside("", "nodes"), outside("", "nodes/status")] },
            Self::CsrApprove => {
                const { &[outside(CERTIFICATES, "certificatesigningrequests/approval")] }
            }
            Self::WebhooksWrite => {
                const {
                    &[
                        outside(ADMISSION, "validatingwebhookconfigurations"),
                        outside(ADMISSION, "mutatingwebhookconfigurations"),
                    ]
                }
            }
            Self::PoliciesWrite => {
                const {
                    &[
                        outside(ADMISSION, "validatingadmissionpolicies"),
                        outside(ADMISSION, "validatingadmissionpolicybindings"),
                        outside(ADMISSION, "mutatingadmissionpolicies"),
                        outside(ADMISSION, "mutatingadmissionpolicybindings"),
                    ]
                }
            }
            Self::TokensCreate => const { &[inside("", "serviceaccounts/token")] },
        }
    }
}

fn allows(rule: &Rule, scope: Scope<'_>, verb: &str, target: &Target) -> bool {
    (target.namespaced || scope == Scope::Cluster)
        && rule.has_verb(verb)
        && rule.has_group(target.group)
        && rule.has_resource(target.resource)
        && knows_names(rule, verb, target.resource)
}

/// A request to create or to delete many has no name that a rule with names could match. One for a subresource does.
fn knows_names(rule: &Rule, verb: &str, resource: &str) -> bool {
    rule.names.is_empty()
        || resource.contains('/')
        || !matches!(verb, "create" | "deletecollection")
}

/// Service accounts lie in namespaces, and nothing else that one can pose as does. Since 1.35 there are also verbs
/// that begin with `impersonate:` and say as whom.
fn impersonates(rule: &Rule, scope: Scope<'_>) -> bool {
    const OTHERS: &str = "authentication.k8s.io";
    let verb = rule
        .verbs
        .iter()
        .any(|verb| verb == "*" || verb == "impersonate" || verb.starts_with("impersonate:"));
    let is_whole = scope == Scope::Cluster;
    let extras = rule
        .resources
        .iter()
        .any(|resource| resource == "*" || resource.starts_with("userextras"));
    let core = rule.has_group("")
        && (rule.has_resource("serviceaccounts")
            || (is_whole && (rule.has_resource("users") || rule.has_resource("groups"))));
    let others = rule.has_group(OTHERS)
        && is_whole
        && (extras
            || rule.has_resource("uids")
            || rule.has_resource("users")
            || rule.has_resource("groups"));
    let constrained = rule.has_group(OTHERS) && rule.has_resource("serviceaccounts");
    verb && (core || others || constrained)
}
