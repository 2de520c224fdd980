//! What was read of Azure: documents, and what of them is missing.

use seareeve_model::CollectionStatus;
use serde_json::Value;

/// Documents of one kind, as far as they could be had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Nothing when there is no telling; with a gap, not all of them.
    pub documents: Option<Vec<Value>>,
    /// Why they are not all there: status, the action that a role needs for them, and what happened.
    pub gap: Option<Gap>,
}

/// Why documents are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Never [`CollectionStatus::Ok`].
    pub status: CollectionStatus,
    /// The action of Azure's roles that they need; empty where none was asked for.
    pub action: String,
    /// For people.
    pub detail: String,
}

/// All that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estate {
    /// By id.
    pub subscriptions: Vec<Subscription>,
    /// Why not all subscriptions are there.
    pub gap: Option<Gap>,
    /// Where it comes from: an address, or files.
    pub source: String,
}

/// One subscription.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscription {
    /// Its document; for saved documents that lack it, the id alone.
    pub document: Value,
    /// `Microsoft.Security/pricings`.
    pub plans: Part,
    /// `Microsoft.Authorization/policyAssignments`.
    pub policies: Part,
    /// `Microsoft.KeyVault/vaults`.
    pub vaults: Part,
    /// Clusters of both kinds. `documents` of it stays empty: they stand in [`Cluster`].
    pub clusters: Vec<Cluster>,
    /// Why not all clusters are there.
    pub clusters_gap: Option<Gap>,
    /// Registries.
    pub registries: Vec<Registry>,
    /// Why not all registries are there.
    pub registries_gap: Option<Gap>,
}

/// A cluster with what is attached to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Of `managedClusters` or `connectedClusters`.
    pub document: Value,
    /// `Microsoft.Insights/diagnosticSettings`.
    pub diagnostics: Part,
    /// `{principal_id, principal_type, role, scope}`.
    pub assignments: Part,
    /// `Microsoft.KubernetesConfiguration/extensions`.
    pub extensions: Part,
}

/// A registry with what is attached to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// Of `registries`.
    pub document: Value,
    /// `{principal_id, principal_type, role, scope}`.
    pub assignments: Part,
    /// `privateEndpointConnections`.
    pub private_endpoints: Part,
}

impl Cluster {
    /// What is attached to it.
    pub(super) fn parts(&self) -> [&Part; 3] {
        [&self.diagnostics, &self.assignments, &self.extensions]
    }
}

impl Registry {
    /// What is attached to it.
    pub(super) fn parts(&self) -> [&Part; 2] {
        [&self.assignments, &self.private_endpoints]
    }
}

impl Part {
    /// All of them.
    pub(super) fn of(documents: Vec<Value>) -> Self {
        Self {
            documents: Some(documents),
            gap: None,
        }
    }

    /// The same with each document changed.
    pub(super) fn map(self, change: impl Fn(Value) -> Option<Value>) -> Self {
        Self {
            documents: self
                .documents
                .map(|documents| documents.into_iter().filter_map(change).collect()),
            gap: self.gap,
        }
    }
}
