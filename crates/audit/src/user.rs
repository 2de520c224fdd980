//! Who asks: what the user's name and groups say.

use std::borrow::Cow;

use crate::record::User;

/// Kinds of users, as far as names tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum UserKind {
    /// No user at all: the credentials were refused.
    None,
    /// Who did not say who it is.
    Anonymous,
    /// A kubelet.
    Node,
    /// A service account of a namespace.
    ServiceAccount,
    /// A controller of the control plane itself, by its own account.
    Controller,
    /// Another part of the system: the scheduler, a proxy, the API server.
    System,
    /// Everybody else.
    Human,
}

/// What names of service accounts begin with.
pub(crate) const ACCOUNT: &str = "system:serviceaccount:";

/// The controllers of kube-controller-manager and of the API server: their accounts lie in kube-system, and pods
/// cannot have them unless somebody lets them.
const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "bootstrap-signer",
    "certificate-controller",
    "cloud-controller-manager",
    "cloud-provider",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-garbage-collector",
    "storage-version-migrator-controller",
    "token-cleaner",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

/// Clouds' own users, by which they look after a control plane that is theirs.
const PLATFORM: &[&str] = &[
    "aksService",
    "acsService",
    "hcpService",
    "aksProblemDetector",
];

/// Users of people that are called as if they were of the system: administrators of k3s and OpenShift.
const ADMINISTRATORS: &[&str] = &["system:admin", "system:masters"];

impl UserKind {
    pub(crate) fn of(user: &User<'_>) -> Self {
        let name = user.name.decode();
        match name.as_ref() {
            "" => return Self::None,
            "system:anonymous" => return Self::Anonymous,
            _ => {}
        }
        if let Some((namespace, account)) = account(&name) {
            let is_own = namespace == "kube-system" && CONTROLLERS.contains(&account);
            return if is_own {
                Self::Controller
            } else {
                Self::ServiceAccount
            };
        }
        if user
            .groups
            .iter()
            .any(|group| group.is("system:unauthenticated"))
        {
            return Self::Anonymous;
        }
        match name.as_ref() {
            "system:kube-controller-manager" | "system:kube-scheduler" => Self::Controller,
            name if name.starts_with("system:node:") => Self::Node,
            name if ADMINISTRATORS.contains(&name) => Self::Human,
            name if PLATFORM.contains(&name) => Self::System,
            // EKS lets nobody else have a name that begins so.
            name if name.starts_with("system:") || name.starts_with("eks:") => Self::System,
            _ => Self::Human,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Anonymous => "anonymous",
            Self::Node => "node",
            Self::ServiceAccount => "service-account",
            Self::Controller => "controller",
            Self::System => "system",
            Self::Human => "human",
        }
    }
}

/// Namespace and name of the service account that a user is.
pub(crate) fn account(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(ACCOUNT)?.split_once(':')
}

/// What a user agent calls itself, without version and platform: `kubectl`, `curl`, `Go-http-client`.
pub(crate) fn product(agent: &str) -> Cow<'_, str> {
    let end = agent
        .find(|c: char| c == '/' || c == '(' || c.is_whitespace())
        .unwrap_or(agent.len());
    let product = agent.get(..end).unwrap_or(agent);
    if product.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(product.to_ascii_lowercase())
    } else {
        Cow::Borrowed(product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Text;

    #[test]
    fn names_and_groups_say_who_it_is() {
        for (name, group, expected) in [
            ("", "", "none"),
            ("system:anonymous", "system:unauthenticated", "anonymous"),
            ("somebody", "system:unauthenticated", "anonymous"),
            ("system:node:n1", "system:nodes", "node"),
            ("system:serviceaccount:shop:cart", "", "service-account"),
            (
                "system:serviceaccount:kube-system:cart",
                "",
                "service-account",
            ),
            (
                "system:serviceaccount:shop:replicaset-controller",
                "",
                "service-account",
            ),
            (
                "system:serviceaccount:kube-system:replicaset-controller",
                "",
                "controller",
            ),
            ("system:kube-scheduler", "", "controller"),
            ("system:apiserver", "system:masters", "system"),
            ("eve", "system:masters", "human"),
            ("system:admin", "system:masters", "human"),
            ("aksService", "system:masters", "system"),
            ("eks:addon-manager", "", "system"),
        ] {
            let user = User {
                name: Text::new(name.as_bytes(), false),
                groups: vec![Text::new(group.as_bytes(), false)],
                ..User::default()
            };
            assert_eq!(UserKind::of(&user).as_str(), expected, "{name}");
        }
    }

    #[test]
    fn agents_have_products() {
        for (agent, expected) in [
            (
                "kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19",
                "kubectl",
            ),
            ("Go-http-client/2.0", "go-http-client"),
            ("TeamTNT", "teamtnt"),
            ("", ""),
        ] {
            assert_eq!(product(agent), expected);
        }
    }
}
