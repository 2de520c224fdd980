//! The kinds of object that are read: where the API has them, and which fact they become.
//!
//! This table is also what the reader's role must grant (`deploy/kubernetes/reader-clusterrole.yaml`).

use std::fmt;

/// A kind of object that facts are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are Kubernetes' own names")]
pub enum Resource {
    Namespace,
    Node,
    ServiceAccount,
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    ReplicationController,
    CronJob,
    Job,
    PodTemplate,
    Pod,
    Service,
    ConfigMap,
    /// Never asked of a cluster: only manifests have them.
    Secret,
    /// Bitnami's, only from manifests.
    SealedSecret,
    Ingress,
    Gateway,
    NetworkPolicy,
    CalicoNetworkPolicy,
    CalicoGlobalNetworkPolicy,
    CiliumNetworkPolicy,
    CiliumClusterwideNetworkPolicy,
    ClusterRole,
    Role,
    ClusterRoleBinding,
    RoleBinding,
    ValidatingWebhookConfiguration,
    MutatingWebhookConfiguration,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
}

/// How the API knows a resource.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// `""` for the first group.
    pub group: &'static str,
    /// Best first.
    pub versions: &'static [&'static str],
    /// As in paths and roles.
    pub plural: &'static str,
    /// As in objects.
    pub kind: &'static str,
    /// Whether its objects lie in namespaces.
    pub namespaced: bool,
}

/// How a resource is read from a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Whole objects.
    Whole,
    /// Names and other metadata: the content does not leave the API server.
    Metadata,
    /// Not at all.
    Never,
}

impl Resource {
    /// Every one, in the order in which a cluster is read: what owns before what is owned.
    pub const ALL: [Self; 31] = [
        Self::Namespace,
        Self::Node,
        Self::ServiceAccount,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::ReplicationController,
        Self::CronJob,
        Self::Job,
        Self::PodTemplate,
        Self::Pod,
        Self::Service,
        Self::ConfigMap,
        Self::Secret,
        Self::SealedSecret,
        Self::Ingress,
        Self::Gateway,
        Self::NetworkPolicy,
        Self::CalicoNetworkPolicy,
        Self::CalicoGlobalNetworkPolicy,
        Self::CiliumNetworkPolicy,
        Self::CiliumClusterwideNetworkPolicy,
        Self::ClusterRole,
        Self::Role,
        Self::ClusterRoleBinding,
        Self::RoleBinding,
        Self::ValidatingWebhookConfiguration,
        Self::MutatingWebhookConfiguration,
        Self::ValidatingAdmissionPolicy,
        Self::ValidatingAdmissionPolicyBinding,
    ];

    /// Where the API has it.
    #[must_use]
    pub fn api(self) -> Api {
        const CORE: &str = "";
        const APPS: &[&str] = &["v1", "v1beta2", "v1beta1"];
        const RBAC: &str = "rbac.authorization.k8s.io";
        const ADMISSION: &str = "admissionregistration.k8s.io";
        let (group, versions, plural, kind, namespaced): (_, &[&str], _, _, _) = match self {
            Self::Namespace => (CORE, &["v1"], "namespaces", "Namespace", false),
            Self::Node => (CORE, &["v1"], "nodes", "Node", false),
            Self::ServiceAccount => (CORE, &["v1"], "serviceaccounts", "ServiceAccount", true),
            Self::Deployment => ("apps", APPS, "deployments", "Deployment", true),
            Self::StatefulSet => ("apps", APPS, "statefulsets", "StatefulSet", true),
            Self::DaemonSet => ("apps", APPS, "daemonsets", "DaemonSet", true),
            Self::ReplicaSet => ("apps", APPS, "replicasets", "ReplicaSet", true),
            Self::ReplicationController => (
                CORE,
                &["v1"],
                "replicationcontrollers",
                "ReplicationController",
                true,
            ),
            Self::CronJob => ("batch", &["v1", "v1beta1"], "cronjobs", "CronJob", true),
            Self::Job => ("batch", &["v1"], "jobs", "Job", true),
            Self::PodTemplate => (CORE, &["v1"], "podtemplates", "PodTemplate", true),
            Self::Pod => (CORE, &["v1"], "pods", "Pod", true),
            Self::Service => (CORE, &["v1"], "services", "Service", true),
            Self::ConfigMap => (CORE, &["v1"], "configmaps", "ConfigMap", true),
            Self::Secret => (CORE, &["v1"], "secrets", "Secret", true),
            Self::SealedSecret => (
                "bitnami.com",
                &["v1alpha1"],
                "sealedsecrets",
                "SealedSecret",
                true,
            ),
            Self::Ingress => (
                "networking.k8s.io",
                &["v1", "v1beta1"],
                "ingresses",
                "Ingress",
                true,
            ),
            Self::Gateway => (
                "gateway.networking.k8s.io",
                &["v1", "v1beta1"],
                "gateways",
                "Gateway",
                true,
            ),
            Self::NetworkPolicy => (
                "networking.k8s.io",
                &["v1"],
                "networkpolicies",
                "NetworkPolicy",
                true,
            ),
            Self::CalicoNetworkPolicy => (
                "crd.projectcalico.org",
                &["v1"],
                "networkpolicies",
                "NetworkPolicy",
                true,
            ),
            Self::CalicoGlobalNetworkPolicy => (
                "crd.projectcalico.org",
                &["v1"],
                "globalnetworkpolicies",
                "GlobalNetworkPolicy",
                false,
            ),
            Self::CiliumNetworkPolicy => (
                "cilium.io",
                &["v2"],
                "ciliumnetworkpolicies",
                "CiliumNetworkPolicy",
                true,
            ),
            Self::CiliumClusterwideNetworkPolicy => (
                "cilium.io",
                &["v2"],
                "ciliumclusterwidenetworkpolicies",
                "CiliumClusterwideNetworkPolicy",
                false,
            ),
            Self::ClusterRole => (
                RBAC,
                &["v1", "v1beta1"],
                "clusterroles",
                "ClusterRole",
                false,
            ),
            Self::Role => (RBAC, &["v1", "v1beta1"], "roles", "Role", true),
            Self::ClusterRoleBinding => (
                RBAC,
                &["v1", "v1beta1"],
                "clusterrolebindings",
                "ClusterRoleBinding",
                false,
            ),
            Self::RoleBinding => (
                RBAC,
                &["v1", "v1beta1"],
                "rolebindings",
                "RoleBinding",
                true,
            ),
            Self::ValidatingWebhookConfiguration => (
                ADMISSION,
                &["v1", "v1beta1"],
                "validatingwebhookconfigurations",
                "ValidatingWebhookConfiguration",
                false,
            ),
            Self::MutatingWebhookConfiguration => (
                ADMISSION,
                &["v1", "v1beta1"],
                "mutatingwebhookconfigurations",
                "MutatingWebhookConfiguration",
                false,
            ),
            Self::ValidatingAdmissionPolicy => (
                ADMISSION,
                &["v1", "v1beta1"],
                "validatingadmissionpolicies",
                "ValidatingAdmissionPolicy",
                false,
            ),
            Self::ValidatingAdmissionPolicyBinding => (
                ADMISSION,
                &["v1", "v1beta1"],
                "validatingadmissionpolicybindings",
                "ValidatingAdmissionPolicyBinding",
                false,
            ),
        };
        Api {
            group,
            versions,
            plural,
            kind,
            namespaced,
        }
    }

    /// How it is read from a cluster.
    #[must_use]
    pub fn reading(self) -> Reading {
        match self {
            Self::Secret | Self::SealedSecret => Reading::Never,
            Self::ConfigMap => Reading::Metadata,
            Self::Namespace
            | Self::Node
            | Self::ServiceAccount
            | Self::Deployment
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::ReplicaSet
            | Self::ReplicationController
            | Self::CronJob
            | Self::Job
            | Self::PodTemplate
            | Self::Pod
            | Self::Service
            | Self::Ingress
            | Self::Gateway
            | Self::NetworkPolicy
            | Self::CalicoNetworkPolicy
            | Self::CalicoGlobalNetworkPolicy
            | Self::CiliumNetworkPolicy
            | Self::CiliumClusterwideNetworkPolicy
            | Self::ClusterRole
            | Self::Role
            | Self::ClusterRoleBinding
            | Self::RoleBinding
            | Self::ValidatingWebhookConfiguration
            | Self::MutatingWebhookConfiguration
            | Self::ValidatingAdmissionPolicy
            | Self::ValidatingAdmissionPolicyBinding => Reading::Whole,
        }
    }

    /// The kind of fact that its objects become.
    #[must_use]
    pub fn fact(self) -> &'static str {
        match self {
            Self::Namespace => "kubernetes.namespace",
            Self::Node => "kubernetes.node",
            Self::ServiceAccount => "kubernetes.service-account",
            Self::Deployment
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::ReplicaSet
            | Self::ReplicationController
            | Self::CronJob
            | Self::Job
            | Self::PodTemplate
            | Self::Pod => "kubernetes.workload",
            Self::Service => "kubernetes.service",
            Self::ConfigMap => "kubernetes.config-map",
            Self::Secret | Self::SealedSecret => "kubernetes.secret",
            Self::Ingress => "kubernetes.ingress",
            Self::Gateway => "kubernetes.gateway",
            Self::NetworkPolicy
            | Self::CalicoNetworkPolicy
            | Self::CalicoGlobalNetworkPolicy
            | Self::CiliumNetworkPolicy
            | Self::CiliumClusterwideNetworkPolicy => "kubernetes.network-policy",
            Self::ClusterRole | Self::Role => "kubernetes.role",
            Self::ClusterRoleBinding | Self::RoleBinding => "kubernetes.role-binding",
            Self::ValidatingWebhookConfiguration
            | Self::MutatingWebhookConfiguration
            | Self::ValidatingAdmissionPolicy
            | Self::ValidatingAdmissionPolicyBinding => "kubernetes.admission",
        }
    }

    /// Whether its objects have a pod template, or are one.
    #[must_use]
    pub fn is_workload(self) -> bool {
        self.fact() == "kubernetes.workload"
    }

    /// The first word of its objects' ids: the kind, but for kinds that two groups share.
    #[must_use]
    pub fn id_word(self) -> &'static str {
        if self == Self::CalicoNetworkPolicy {
            "CalicoNetworkPolicy"
        } else {
            self.api().kind
        }
    }

    /// The resource of objects of `kind` in the API group of `api_version`.
    #[must_use]
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let group = match (group, kind) {
            // Where the kinds were before they had groups of their own. Old manifests still say so.
            ("extensions", "Ingress" | "NetworkPolicy") => "networking.k8s.io",
            ("extensions", "Deployment" | "DaemonSet" | "ReplicaSet") => "apps",
            // Calico's own API server shows its custom resources under another name.
            ("projectcalico.org", _) => "crd.projectcalico.org",
            _ => group,
        };
        Self::ALL.into_iter().find(|resource| {
            let api = resource.api();
            api.kind == kind && api.group == group
        })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let api = self.api();
        f.write_str(api.plural)?;
        if !api.group.is_empty() {
            write!(f, ".{}", api.group)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_is_found_by_what_its_objects_say() {
        for resource in Resource::ALL {
            let api = resource.api();
            for version in api.versions {
                let api_version = match api.group {
                    "" => (*version).to_owned(),
                    group => format!("{group}/{version}"),
                };
                assert_eq!(Resource::of(&api_version, api.kind), Some(resource));
            }
        }
        assert_eq!(Resource::of("apps/v1", "Pod"), None);
        assert_eq!(
            Resource::of("extensions/v1beta1", "Deployment"),
            Some(Resource::Deployment)
        );
    }
}
