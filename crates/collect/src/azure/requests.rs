//! All that is ever asked of Resource Manager.

/// A kind of request. All are `GET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The action of Azure's roles that it needs.
    pub action: &'static str,
    /// Below the subscription or the resource that it is about.
    pub path: &'static str,
    /// `api-version`: the first that the cloud knows. Clouds of their own lag behind.
    pub versions: &'static [&'static str],
    /// More of the query.
    pub query: &'static str,
    /// What it is wanted for.
    pub purpose: &'static str,
}

/// The subscriptions that can be seen.
pub(super) const SUBSCRIPTIONS: Request = Request {
    action: "Microsoft.Resources/subscriptions/read",
    path: "/subscriptions",
    versions: &["2022-12-01"],
    query: "",
    purpose: "which subscriptions there are",
};
/// Azure's own clusters.
pub(super) const CLUSTERS: Request = Request {
    action: "Microsoft.ContainerService/managedClusters/read",
    path: "/providers/Microsoft.ContainerService/managedClusters",
    versions: &["2024-09-01", "2023-10-01"],
    query: "",
    purpose: "clusters of the service",
};
/// Clusters elsewhere that are connected.
pub(super) const CONNECTED: Request = Request {
    action: "Microsoft.Kubernetes/connectedClusters/read",
    path: "/providers/Microsoft.Kubernetes/connectedClusters",
    versions: &["2024-01-01", "2021-10-01"],
    query: "",
    purpose: "clusters elsewhere that are connected",
};
/// Extensions of a cluster.
pub(super) const EXTENSIONS: Request = Request {
    action: "Microsoft.KubernetesConfiguration/extensions/read",
    path: "/providers/Microsoft.KubernetesConfiguration/extensions",
    versions: &["2023-05-01", "2022-11-01"],
    query: "",
    purpose: "extensions of a cluster",
};
/// Where the logs of a resource go.
pub(super) const DIAGNOSTICS: Request = Request {
    action: "Microsoft.Insights/diagnosticSettings/read",
    path: "/providers/Microsoft.Insights/diagnosticSettings",
    versions: &["2021-05-01-preview"],
    query: "",
    purpose: "where the logs of a cluster go",
};
/// Who may do what with a resource. `atScope()` leaves out what is assigned below it.
pub(super) const ASSIGNMENTS: Request = Request {
    action: "Microsoft.Authorization/roleAssignments/read",
    path: "/providers/Microsoft.Authorization/roleAssignments",
    versions: &["2022-04-01"],
    query: "&$filter=atScope()",
    purpose: "who may do what with a cluster or a registry",
};
/// The names of roles.
pub(super) const ROLES: Request = Request {
    action: "Microsoft.Authorization/roleDefinitions/read",
    path: "/providers/Microsoft.Authorization/roleDefinitions",
    versions: &["2022-04-01"],
    query: "",
    purpose: "the names of roles",
};
/// Registries. Before 2025-04-01 only previews told of anonymous pulls.
pub(super) const REGISTRIES: Request = Request {
    action: "Microsoft.ContainerRegistry/registries/read",
    path: "/providers/Microsoft.ContainerRegistry/registries",
    versions: &["2025-04-01", "2023-01-01-preview"],
    query: "",
    purpose: "registries",
};
/// Private ways to a registry.
pub(super) const PRIVATE_ENDPOINTS: Request = Request {
    action: "Microsoft.ContainerRegistry/registries/privateEndpointConnections/read",
    path: "/privateEndpointConnections",
    versions: &["2023-07-01", "2022-12-01"],
    query: "",
    purpose: "private ways to a registry",
};
/// Plans of Defender for Cloud.
pub(super) const PLANS: Request = Request {
    action: "Microsoft.Security/pricings/read",
    path: "/providers/Microsoft.Security/pricings",
    versions: &["2024-01-01", "2023-01-01"],
    query: "",
    purpose: "plans of Defender for Cloud",
};
/// Which policies are in force.
pub(super) const POLICIES: Request = Request {
    action: "Microsoft.Authorization/policyAssignments/read",
    path: "/providers/Microsoft.Authorization/policyAssignments",
    versions: &["2023-04-01", "2022-06-01"],
    query: "",
    purpose: "which policies are in force",
};
/// Vaults, without what is in them.
pub(super) const VAULTS: Request = Request {
    action: "Microsoft.KeyVault/vaults/read",
    path: "/providers/Microsoft.KeyVault/vaults",
    versions: &["2023-07-01", "2022-07-01"],
    query: "",
    purpose: "vaults that hold keys of clusters, without what is in them",
};

/// All of them. `deploy/azure/reader-role.json` is a role with these actions and no others, and Azure's own role Reader
/// has them all.
pub const REQUESTS: [Request; 12] = [
    SUBSCRIPTIONS,
    CLUSTERS,
    CONNECTED,
    EXTENSIONS,
    DIAGNOSTICS,
    ASSIGNMENTS,
    ROLES,
    REGISTRIES,
    PRIVATE_ENDPOINTS,
    PLANS,
    POLICIES,
    VAULTS,
];

impl Request {
    /// Its path and query below `base`, with the `version`th of its versions.
    pub(super) fn below(&self, base: &str, version: &str) -> String {
        format!("{base}{}?api-version={version}{}", self.path, self.query)
    }
}
