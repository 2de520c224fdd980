//! Documents → facts: one snapshot for each cluster, registry and subscription. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use serde_json::{Map, Value, json};

use super::estate::{Cluster, Estate, Gap, Part, Registry, Subscription};
use super::id::ResourceId;
use seareeve_redact as redact;

/// The kind of asset that a subscription is.
pub const ENVIRONMENT: &str = "environment";
/// The kind of asset that a registry is.
pub const REGISTRY: &str = "registry";
/// The kind of asset that a cluster is.
const CLUSTER: &str = "kubernetes-cluster";

/// What is kept of a document beside `properties`.
const KEPT: [&str; 8] = [
    "id", "name", "type", "kind", "location", "sku", "identity", "tags",
];
/// Deepest document that is kept.
const DEEPEST: usize = 32;

/// What snapshots say of how they were made.
#[derive(Clone, Debug)]
pub struct Label {
    /// When collecting began.
    pub collected_at: Timestamp,
    /// The program and its version.
    pub collector: String,
}

impl Estate {
    /// The facts of each cluster, registry and subscription, in this order and by id.
    #[must_use]
    pub fn snapshots(&self, label: &Label) -> Vec<Snapshot> {
        let mut snapshots = Vec::new();
        for subscription in &self.subscriptions {
            let made = Made::new(subscription, &self.source);
            snapshots.extend(made.clusters(label));
            snapshots.extend(made.registries(label));
            snapshots.extend(made.environment(label));
        }
        snapshots
    }

    /// What could not be read, each said once.
    #[must_use]
    pub fn gaps(&self) -> Vec<&Gap> {
        let mut gaps: Vec<&Gap> = self.gap.iter().collect();
        for subscription in &self.subscriptions {
            for gap in subscription.gaps() {
                if !gaps.contains(&gap) {
                    gaps.push(gap);
                }
            }
        }
        gaps
    }
}

impl Subscription {
    /// What could not be read of it, each said once.
    #[must_use]
    pub fn gaps(&self) -> Vec<&Gap> {
        let mut gaps: Vec<&Gap> = Vec::new();
        for gap in all_gaps(self) {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        }
        gaps
    }
}

/// The facts of one subscription.
struct Made<'e> {
    source: &'e str,
    subscription: &'e Subscription,
    environment: Option<Fact>,
    clusters: Vec<(Fact, [&'e Part; 3])>,
    registries: Vec<(Fact, [&'e Part; 2])>,
}

impl<'e> Made<'e> {
    fn new(subscription: &'e Subscription, source: &'e str) -> Self {
        Self {
            source,
            subscription,
            environment: environment(subscription),
            clusters: subscription
                .clusters
                .iter()
                .filter_map(|one| Some((cluster(one)?, one.parts())))
                .collect(),
            registries: subscription
                .registries
                .iter()
                .filter_map(|one| Some((registry(one)?, one.parts())))
                .collect(),
        }
    }

    fn clusters(&self, label: &Label) -> Vec<Snapshot> {
        let made = self.clusters.iter().map(|(fact, parts)| {
            let registries = self.registries.iter().map(|(registry, _)| registry);
            let pulls = registries.filter(|registry| pulls_from(fact, registry));
            let gap = self.subscription.registries_gap.as_ref();
            let registries = self.collection(pulls.cloned().collect(), gap);
            let facts = [
                ("azure.cluster", self.collection(vec![fact.clone()], None)),
                ("azure.registry", registries),
                ("azure.subscription", self.subscription()),
                ("azure.access", self.access(parts)),
            ];
            snapshot(CLUSTER, fact, facts, label)
        });
        made.collect()
    }

    fn registries(&self, label: &Label) -> Vec<Snapshot> {
        let made = self.registries.iter().map(|(fact, parts)| {
            let clusters = self.clusters.iter().map(|(cluster, _)| cluster.clone());
            let gap = self.subscription.clusters_gap.as_ref();
            let facts = [
                ("azure.registry", self.collection(vec![fact.clone()], None)),
                ("azure.cluster", self.collection(clusters.collect(), gap)),
                ("azure.subscription", self.subscription()),
                ("azure.access", self.access(parts)),
            ];
            snapshot(REGISTRY, fact, facts, label)
        });
        made.collect()
    }

    fn environment(&self, label: &Label) -> Option<Snapshot> {
        let fact = self.environment.as_ref()?;
        let vaults = &self.subscription.vaults;
        let items = vaults.documents.iter().flatten().filter_map(|document| {
            let mut fact = fact_of(document, Map::new())?;
            // Whom a vault lets in is told by roles; its own list is long and nobody asks for it.
            if let Some(properties) = fact.data.pointer_mut("/properties") {
                let properties = properties.as_object_mut()?;
                properties.remove("accessPolicies");
            }
            Some(fact)
        });
        let facts = [
            ("azure.subscription", self.subscription()),
            (
                "azure.key-vault",
                self.collection(items.collect(), vaults.gap.as_ref()),
            ),
            ("azure.access", self.access(&all_parts(self.subscription))),
        ];
        Some(snapshot(ENVIRONMENT, fact, facts, label))
    }

    fn subscription(&self) -> Collection {
        self.collection(self.environment.iter().cloned().collect(), None)
    }

    fn collection(&self, items: Vec<Fact>, gap: Option<&Gap>) -> Collection {
        let (status, detail) = match gap {
            Some(gap) => (gap.status, Some(gap.detail.clone())),
            None => (CollectionStatus::Ok, None),
        };
        Collection {
            status,
            detail,
            source: self.source.to_owned(),
            items,
        }
    }

    /// What could not be read of an asset, so that it is told once and not with each check: an item for each action.
    fn access(&self, parts: &[&Part]) -> Collection {
        let own = parts.iter().filter_map(|part| part.gap.as_ref());
        let shared = [
            &self.subscription.clusters_gap,
            &self.subscription.registries_gap,
            &self.subscription.plans.gap,
        ];
        let mut told: BTreeMap<&str, &Gap> = BTreeMap::new();
        for gap in own.chain(shared.into_iter().flatten()) {
            told.entry(&gap.action).or_insert(gap);
        }
        let worst = told.values().map(|gap| gap.status).max();
        let details: Vec<&str> = told.values().map(|gap| gap.detail.as_str()).collect();
        let items = told.iter().map(|(action, gap)| Fact {
            id: (*action).to_owned(),
            name: (*action).to_owned(),
            data: json!({"action": action, "status": gap.status.as_str(), "detail": gap.detail}),
        });
        Collection {
            status: worst.unwrap_or(CollectionStatus::Ok),
            detail: (!details.is_empty()).then(|| details.join("; ")),
            source: self.source.to_owned(),
            items: items.collect(),
        }
    }
}

/// All that is missing within a subscription.
fn all_gaps(subscription: &Subscription) -> impl Iterator<Item = &Gap> {
    let parts = all_parts(subscription).into_iter();
    let lists = [&subscription.clusters_gap, &subscription.registries_gap];
    parts
        .filter_map(|part| part.gap.as_ref())
        .chain(lists.into_iter().flatten())
}

fn all_parts(subscription: &Subscription) -> Vec<&Part> {
    let clusters = subscription.clusters.iter().flat_map(Cluster::parts);
    let registries = subscription.registries.iter().flat_map(Registry::parts);
    let own = [
        &subscription.plans,
        &subscription.policies,
        &subscription.vaults,
    ];
    own.into_iter().chain(clusters).chain(registries).collect()
}

fn snapshot<const N: usize>(
    kind: &str,
    asset: &Fact,
    facts: [(&str, Collection); N],
    label: &Label,
) -> Snapshot {
    let facts = facts.into_iter().map(|(kind, collection)| {
        let kind = FactKind::new(kind).expect("the kinds are constants of that form");
        (kind, collection)
    });
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: kind.to_owned(),
        asset_id: asset.id.clone(),
        asset_name: asset.name.clone(),
        collected_at: label.collected_at,
        collector: label.collector.clone(),
        facts: facts.collect(),
    }
}

fn cluster(cluster: &Cluster) -> Option<Fact> {
    let mut own = Map::new();
    field(&mut own, "diagnostic_settings", &cluster.diagnostics);
    field(&mut own, "role_assignments", &cluster.assignments);
    field(&mut own, "extensions", &cluster.extensions);
    let mut fact = fact_of(&cluster.document, own)?;
    let text = |pointer: &str| fact.data.pointer(pointer)?.as_str().map(str::to_lowercase);
    // Who runs in the cluster sees these of it: the group that its nodes are in, and the names of its API.
    let group = text("/properties/nodeResourceGroup").and_then(|group| {
        let subscription = ResourceId::parse(&fact.id)?.within_subscription()?.lower();
        Some(format!("{subscription}/resourcegroups/{group}"))
    });
    let endpoints: Vec<String> = ["fqdn", "privateFQDN"]
        .into_iter()
        .filter_map(|name| text(&format!("/properties/{name}")))
        .collect();
    let data = fact.data.as_object_mut()?;
    if let Some(group) = group {
        data.insert("node_group".to_owned(), group.into());
    }
    if !endpoints.is_empty() {
        data.insert("endpoints".to_owned(), endpoints.into());
    }
    Some(fact)
}

fn registry(registry: &Registry) -> Option<Fact> {
    let mut own = Map::new();
    field(&mut own, "role_assignments", &registry.assignments);
    field(&mut own, "private_endpoints", &registry.private_endpoints);
    let mut fact = fact_of(&registry.document, own)?;
    // Its own document has them, too.
    let listed = fact.data.pointer("/properties/privateEndpointConnections");
    if let Some(listed) = listed.filter(|listed| listed.is_array()).cloned()
        && let Some(data) = fact.data.as_object_mut()
    {
        data.entry("private_endpoints").or_insert(listed);
    }
    Some(fact)
}

fn environment(subscription: &Subscription) -> Option<Fact> {
    let mut own = Map::new();
    field(&mut own, "plans", &subscription.plans);
    field(&mut own, "policy_assignments", &subscription.policies);
    let mut fact = fact_of(&subscription.document, own)?;
    let name = subscription.document.get("displayName");
    if let Some(name) = name.and_then(Value::as_str) {
        fact.name = redact::text(name);
    }
    for (ours, theirs) in [("state", "state"), ("tenant_id", "tenantId")] {
        let text = subscription.document.get(theirs).and_then(Value::as_str);
        if let (Some(text), Some(data)) = (text, fact.data.as_object_mut()) {
            data.insert(ours.to_owned(), text.into());
        }
    }
    Some(fact)
}

/// A field of ours: all documents of a part, or nothing.
fn field(own: &mut Map<String, Value>, name: &str, part: &Part) {
    if let (Some(documents), None) = (&part.documents, &part.gap) {
        let documents = documents.iter().map(|document| clean(document, "", 0));
        own.insert(name.to_owned(), documents.flatten().collect());
    }
}

/// The fact of a document; nothing when it has no id.
fn fact_of(document: &Value, own: Map<String, Value>) -> Option<Fact> {
    let id = ResourceId::parse(document.get("id")?.as_str()?)?;
    let mut data: Map<String, Value> = KEPT
        .into_iter()
        .chain(["properties"])
        .filter_map(|key| {
            let value = clean(document.get(key)?, key, 0)?;
            Some((key.to_owned(), value))
        })
        .collect();
    data.insert("id".to_owned(), id.lower().into());
    let name = document.get("name").and_then(Value::as_str);
    let name = name.map_or_else(|| id.name().to_owned(), redact::text);
    data.insert("name".to_owned(), name.clone().into());
    // Checks read these of every document, and documents that have none of them are possible.
    data.entry("type").or_insert_with(|| "".into());
    let properties = data.entry("properties").or_insert_with(|| json!({}));
    if !properties.is_object() {
        *properties = json!({});
    }
    data.extend(own);
    Some(Fact {
        id: id.lower(),
        name,
        data: Value::Object(data),
    })
}

/// A value without nulls and credentials; nothing for a null, and for what is deeper than documents are.
fn clean(value: &Value, key: &str, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let below = depth.saturating_add(1);
    Some(match value {
        Value::Null => return None,
        Value::String(_) if redact::is_credential_name(key) => redact::REDACTED.into(),
        Value::String(text) => redact::text(text).into(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| clean(item, key, below))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            // Settings of extensions that are secrets, and that Azure itself shows without values.
            .filter(|(key, _)| !key.to_lowercase().ends_with("protectedsettings"))
            .filter_map(|(key, value)| Some((key.clone(), clean(value, key, below)?)))
            .collect::<Map<String, Value>>()
            .into(),
        Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Whether a cluster pulls from a registry: its nodes have a role there, or nobody can tell.
fn pulls_from(cluster: &Fact, registry: &Fact) -> bool {
    let kubelet = cluster
        .data
        .pointer("/properties/identityProfile/kubeletidentity/objectId")
        .and_then(Value::as_str);
    let assignments = registry
        .data
        .get("role_assignments")
        .and_then(Value::as_array);
    match (kubelet, assignments) {
        (Some(kubelet), Some(assignments)) => assignments.iter().any(|assignment| {
            let id = assignment.get("principal_id").and_then(Value::as_str);
            id.is_some_and(|id| id.eq_ignore_ascii_case(kubelet))
        }),
        (_, None) => true,
        (None, Some(_)) => false,
    }
}
