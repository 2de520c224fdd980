//! A state as a snapshot: all facts at once, to be stored, sent or replayed. And what is known of each kind.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};

use crate::resource::{Reading, Resource};
use crate::state::{COMPONENT_KINDS, Gap, State};

/// All kinds of facts.
pub const KINDS: [&str; 22] = [
    "kubernetes.admission",
    "kubernetes.cluster",
    "kubernetes.config-map",
    "kubernetes.etcd",
    "kubernetes.gateway",
    "kubernetes.ingress",
    "kubernetes.kube-apiserver",
    "kubernetes.kube-controller-manager",
    "kubernetes.kube-proxy",
    "kubernetes.kube-scheduler",
    "kubernetes.kubelet",
    "kubernetes.namespace",
    "kubernetes.network-policy",
    "kubernetes.node",
    "kubernetes.node-file",
    "kubernetes.role",
    "kubernetes.role-binding",
    "kubernetes.secret",
    "kubernetes.service",
    "kubernetes.service-account",
    "kubernetes.subject",
    "kubernetes.workload",
];

/// What a snapshot says of itself and a [`State`] does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What makes it the same one next time. Of a cluster [`State::uid`], where that is known.
    pub asset_id: String,
    /// For people: a context, a folder.
    pub asset_name: String,
    /// When collecting began.
    pub collected_at: Timestamp,
    /// The program and its version.
    pub collector: String,
    /// Where the facts come from, for people: an address, a folder.
    pub source: String,
}

/// All facts of `state`. It takes some ten times the memory of the state: who judges facts one by one uses
/// [`State::keys`] and [`State::fact`].
#[must_use]
pub fn snapshot(state: &State, label: Label) -> Snapshot {
    let facts = KINDS.into_iter().map(|kind| {
        let kind = FactKind::new(kind).expect("the kinds are constants of that form");
        let collection = Collection {
            items: state.facts(&kind).collect(),
            ..state.collection(&kind, &label.source)
        };
        (kind, collection)
    });
    let facts: BTreeMap<FactKind, Collection> = facts.collect();
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: if state.is_cluster() {
            "kubernetes-cluster".to_owned()
        } else {
            "kubernetes-manifests".to_owned()
        },
        asset_id: label.asset_id,
        asset_name: label.asset_name,
        collected_at: label.collected_at,
        collector: label.collector,
        facts,
    }
}

impl State {
    /// The facts of a kind, made one at a time.
    pub fn facts<'s>(&'s self, kind: &FactKind) -> impl Iterator<Item = Fact> + use<'s> {
        self.keys(kind)
            .into_iter()
            .filter_map(|key| self.fact(&key))
    }

    /// How collecting the facts of a kind went; without the facts.
    #[must_use]
    pub fn collection(&self, kind: &FactKind, source: &str) -> Collection {
        let gaps = self.gaps_of(kind.as_str());
        let worst = gaps
            .iter()
            .map(|gap| gap.status)
            .max_by_key(|status| match status {
                CollectionStatus::Ok => 0,
                CollectionStatus::Absent => 1,
                CollectionStatus::Unsupported => 2,
                CollectionStatus::Denied => 3,
                CollectionStatus::Error => 4,
            });
        // Who is away says the same of each resource.
        let mut details: Vec<&str> = Vec::new();
        for gap in &gaps {
            if !details.contains(&gap.detail.as_str()) {
                details.push(&gap.detail);
            }
        }
        Collection {
            status: worst.unwrap_or(CollectionStatus::Ok),
            detail: (!details.is_empty()).then(|| details.join("; ")),
            source: source.to_owned(),
            items: Vec::new(),
        }
    }

    /// What is missing from a kind.
    fn gaps_of(&self, kind: &str) -> Vec<Gap> {
        let unsupported = |detail: &str| {
            vec![Gap {
                status: CollectionStatus::Unsupported,
                detail: detail.to_owned(),
            }]
        };
        if COMPONENT_KINDS.iter().any(|(_, of)| *of == kind) {
            let kind = FactKind::new(kind).expect("it was one before");
            if !self.keys(&kind).is_empty() {
                return Vec::new();
            }
            return unsupported(
                "what a component was told is seen by the sensor on its node, or where it is a static pod",
            );
        }
        if kind == "kubernetes.node-file" {
            return unsupported("files of nodes are seen by the sensor on each");
        }
        if !self.is_cluster() && matches!(kind, "kubernetes.cluster" | "kubernetes.admission") {
            return unsupported("manifests do not say");
        }
        let resources: &[Resource] = match kind {
            "kubernetes.subject" => &[
                Resource::ClusterRole,
                Resource::Role,
                Resource::ClusterRoleBinding,
                Resource::RoleBinding,
            ],
            "kubernetes.cluster" => &[Resource::Node],
            "kubernetes.admission" => &[
                Resource::Namespace,
                Resource::ValidatingWebhookConfiguration,
                Resource::MutatingWebhookConfiguration,
                Resource::ValidatingAdmissionPolicy,
                Resource::ValidatingAdmissionPolicyBinding,
            ],
            _ => &[],
        };
        let own = Resource::ALL
            .into_iter()
            .filter(|resource| resource.fact() == kind && resources.is_empty())
            .chain(resources.iter().copied());
        let own: Vec<Resource> = own.collect();
        if self.is_cluster() && own.iter().all(|own| own.reading() == Reading::Never) {
            return unsupported("Secrets are not asked for");
        }
        let asked = own.iter().filter(|own| own.reading() != Reading::Never);
        let gaps: Vec<(bool, &Gap)> = asked
            .filter_map(|own| self.gap(*own))
            .map(|gap| (gap.status == CollectionStatus::Absent, gap))
            .collect();
        // What the cluster does not have is missing from nothing, unless it is all there could be.
        let is_all_absent = gaps.len() == own.len() && gaps.iter().all(|(absent, _)| *absent);
        gaps.into_iter()
            .filter(|(absent, _)| is_all_absent || !absent)
            .map(|(_, gap)| gap.clone())
            .collect()
    }

    /// The uid of the namespace `kube-system`, by which a cluster is known again.
    #[must_use]
    pub fn uid(&self) -> Option<String> {
        let mut namespaces = self.values(Resource::Namespace);
        let (_, system) = namespaces.find(|(key, _)| key.name == "kube-system")?;
        crate::json::text(&system, "/metadata/uid").map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::COMPONENTS;

    #[test]
    fn the_list_of_kinds_is_whole() {
        for resource in Resource::ALL {
            assert!(KINDS.contains(&resource.fact()), "{resource}");
        }
        for component in COMPONENTS {
            assert!(
                COMPONENT_KINDS
                    .iter()
                    .any(|(name, kind)| { *name == component && KINDS.contains(kind) })
            );
        }
    }
}
