//! What is said of one cluster, kept in memory. Pure: facts, statements and the time come in as parameters.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use seareeve_kubernetes::{NODE_KINDS, belongs, join};
use seareeve_model::{Collection, CollectionStatus, Digest, Fact, FactKind, Snapshot};
use seareeve_posture::{
    Assessment, Benchmark, Recommendation, Scope, Standing, Statements, Tally, Use,
    health_by_checks,
};
use seareeve_store::AssetId;
use seareeve_store::assets::{Health, Judged};
use seareeve_store::clusters::{self, Cluster, Membership, Summary};
use seareeve_store::recommendation_settings::RecommendationSetting;
use serde_json::{Value, json};

use super::nodes::Machine;
use super::sides::{CloudSide, Told};
use crate::posture::images::{self as scanned, Found};
use crate::posture::judging::{Concern, exempted, put_together, state};
use crate::posture::{Content, Said};

const CLUSTER: &str = "kubernetes.cluster";
const NODE: &str = "kubernetes.node";
const NAMESPACE: &str = "kubernetes.namespace";
const WORKLOAD: &str = "kubernetes.workload";
const SENSOR: &str = "seareeve.sensor";
/// What facts of Azure's own resources begin with.
const AZURE: &str = "azure.";

/// See the module.
pub(crate) struct Model {
    /// The revision of the cluster's facts that it is made from.
    pub(super) revision: i64,
    /// What it was made for: when it is another, all is judged anew.
    pub(super) key: ModelKey,
    pub(crate) uid: String,
    pub(crate) name: String,
    pub(crate) standing: Standing,
    /// The editions as they are for the cluster's version.
    pub(crate) benchmarks: Vec<Benchmark>,
    /// Machines that say that they are its nodes.
    pub(super) machines: BTreeMap<AssetId, Machine>,
    /// Those of them that are.
    members: BTreeSet<AssetId>,
    /// Which hosts are nodes, by the nodes' names.
    pub(crate) hosts: BTreeMap<String, AssetId>,
    /// What the API told of what nodes tell, too.
    api: BTreeMap<FactKind, BTreeMap<String, Fact>>,
    api_collections: BTreeMap<FactKind, Collection>,
    /// What of it was judged, with what nodes tell in its place.
    joined: BTreeMap<FactKind, BTreeMap<String, Fact>>,
    /// Whether what nodes tell has to be joined again.
    is_unjoined: bool,
    /// What its cloud tells of it.
    cloud: Option<CloudSide>,
}

/// What decides by what a cluster is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ModelKey {
    /// The minor version of its API server.
    pub(super) minor: Option<u64>,
    /// What people set, by recommendation.
    pub(super) settings: BTreeMap<String, RecommendationSetting>,
    /// The checks, benchmarks and recommendations.
    pub(super) content: Option<Digest>,
}

/// What a recommendation's checks say of all objects.
pub(crate) struct Tallied {
    pub(crate) used: Use,
    pub(crate) tally: Tally,
}

/// A recommendation, and by what it is judged.
pub(super) struct Asked<'a> {
    pub(super) recommendation: &'a Recommendation,
    pub(super) setting: Option<&'a RecommendationSetting>,
    pub(super) statements: &'a Statements,
    pub(super) now: Timestamp,
}

fn kind(text: &str) -> FactKind {
    FactKind::new(text).expect("the kinds are constants of that form")
}

impl Model {
    pub(super) fn new(content: &Content, uid: &str, name: &str, key: ModelKey) -> Self {
        let about = |one: &&Benchmark| one.asset == clusters::KIND;
        let at = |benchmark: &Benchmark| match key.minor {
            Some(minor) => benchmark.at(&format!("1.{minor}")),
            None => benchmark.clone(),
        };
        let editions = content.library.benchmarks().filter(about);
        let benchmarks: Vec<Benchmark> = editions.map(at).collect();
        let of_benchmarks = benchmarks.iter().flat_map(|benchmark| {
            let controls = benchmark.controls.iter();
            controls.flat_map(|control| control.checks.iter().chain(&control.evidence))
        });
        let recommendations = content.catalogue.recommendations();
        let of_recommendations = recommendations
            .filter(|one| is_judged(one, key.settings.get(&one.id)))
            .flat_map(|one| uses(content, one, key.settings.get(&one.id)));
        let all: BTreeSet<Use> = of_benchmarks.cloned().chain(of_recommendations).collect();
        let mut standing = Standing::new(&content.library, all, &benchmarks);
        for kept in [CLUSTER, NODE, SENSOR] {
            standing.keep(kind(kept));
        }
        Self {
            revision: 0,
            key,
            uid: uid.to_owned(),
            name: name.to_owned(),
            standing,
            benchmarks,
            machines: BTreeMap::new(),
            members: BTreeSet::new(),
            hosts: BTreeMap::new(),
            api: BTreeMap::new(),
            api_collections: BTreeMap::new(),
            joined: BTreeMap::new(),
            is_unjoined: true,
            cloud: None,
        }
    }

    /// Whether a machine that says this may be a node of the cluster.
    pub(super) fn may_have(&self, said: &Membership) -> bool {
        match &said.cluster_uid {
            Some(uid) => *uid == self.uid,
            None => {
                let known = self.about("/authorities").and_then(Value::as_array);
                let mut known = known.into_iter().flatten().filter_map(Value::as_str);
                known.any(|authority| said.authorities.contains(authority))
            }
        }
    }

    /// A part of the fact about the whole cluster.
    pub(crate) fn about(&self, pointer: &str) -> Option<&Value> {
        let fact = self.standing.kept(&kind(CLUSTER)).first()?;
        fact.data.pointer(pointer)
    }

    /// The nodes as the API tells them.
    pub(crate) fn nodes(&self) -> &[Fact] {
        self.standing.kept(&kind(NODE))
    }

    /// How collecting went.
    pub(super) fn set_collections(&mut self, cluster: &Cluster) {
        for (kind, collection) in &cluster.collections {
            if NODE_KINDS.contains(&kind.as_str()) {
                let known = self.api_collections.get(kind);
                if known != Some(collection) {
                    self.is_unjoined = true;
                    let collection = collection.clone();
                    self.api_collections.insert(kind.clone(), collection);
                }
            } else if !self.went_like(kind, collection) {
                self.standing.set_collection(kind, collection);
            }
        }
    }

    /// What its cloud told when it was looked at last.
    pub(super) fn cloud(&self) -> Option<&CloudSide> {
        self.cloud.as_ref()
    }

    /// Takes in what its cloud tells.
    pub(super) fn set_cloud(&mut self, content: &Content, told: Told, now: Timestamp) {
        let side = match told {
            Told::Same => return,
            Told::New(side) => Some(side),
            Told::Nothing => None,
        };
        let before = self.cloud.take().map(|side| side.facts);
        let is_azure = self.about("/provider").and_then(Value::as_str) == Some("aks");
        let unread = if is_azure {
            let why = "no connection to Azure tells of it";
            Collection::none(CollectionStatus::Unsupported, "Azure", why)
        } else {
            let why = "the cluster is not Azure's";
            Collection::none(CollectionStatus::Absent, "Azure", why)
        };
        let read = content
            .library
            .checks()
            .flat_map(seareeve_posture::Check::reads);
        let told = side.iter().flat_map(|side| side.facts.keys());
        let kinds: BTreeSet<FactKind> = read
            .chain(told)
            .chain(before.iter().flat_map(BTreeMap::keys))
            .filter(|kind| kind.as_str().starts_with(AZURE))
            .cloned()
            .collect();
        for kind in &kinds {
            let old = before.as_ref().and_then(|facts| facts.get(kind));
            let new = side.as_ref().and_then(|side| side.facts.get(kind));
            let of = |collection: Option<&Collection>| -> BTreeMap<String, Fact> {
                let items = collection.map(|collection| collection.items.iter());
                let items = items.into_iter().flatten();
                items.map(|fact| (fact.id.clone(), fact.clone())).collect()
            };
            let (old, fresh) = (of(old), of(new));
            for id in old.keys().filter(|id| !fresh.contains_key(*id)) {
                self.standing.remove(kind, id);
            }
            let differ = fresh
                .into_iter()
                .filter(|(id, fact)| old.get(id) != Some(fact));
            let differ: Vec<Fact> = differ.map(|(_, fact)| fact).collect();
            if !differ.is_empty() {
                self.standing.put_all(&content.library, kind, differ, now);
            }
            let collection = new.map_or_else(
                || unread.clone(),
                |new| Collection {
                    items: Vec::new(),
                    ..new.clone()
                },
            );
            if !self.went_like(kind, &collection) {
                self.standing.set_collection(kind, &collection);
            }
        }
        self.cloud = side;
    }

    /// Whether the cloud alone tells what a recommendation says of the cluster.
    fn is_told_by_cloud(&self, content: &Content, recommendation: &Recommendation) -> bool {
        let is_of_cloud = |used: &Use| {
            let check = content.library.check(&used.check);
            check.is_some_and(|check| check.on().as_str().starts_with(AZURE))
        };
        self.cloud.is_some()
            && recommendation.benchmark.is_none()
            && recommendation.checks.iter().all(is_of_cloud)
    }

    /// Whether it is known that collecting a kind went so.
    fn went_like(&self, wanted: &FactKind, collection: &Collection) -> bool {
        let known = self
            .standing
            .collections()
            .find(|(kind, _)| *kind == wanted);
        known.is_some_and(|(_, known)| {
            known.status == collection.status
                && known.detail == collection.detail
                && known.source == collection.source
        })
    }

    /// Takes in facts of a kind that are new or different.
    pub(super) fn put(
        &mut self,
        content: &Content,
        kind: &FactKind,
        facts: Vec<Fact>,
        now: Timestamp,
    ) {
        self.note_join(kind);
        if NODE_KINDS.contains(&kind.as_str()) {
            let known = self.api.entry(kind.clone()).or_default();
            known.extend(facts.into_iter().map(|fact| (fact.id.clone(), fact)));
        } else {
            self.standing.put_all(&content.library, kind, facts, now);
        }
    }

    /// Takes out what is gone.
    pub(super) fn remove(&mut self, kind: &FactKind, id: &str) {
        self.note_join(kind);
        if NODE_KINDS.contains(&kind.as_str()) {
            if let Some(known) = self.api.get_mut(kind) {
                known.remove(id);
            }
        } else {
            self.standing.remove(kind, id);
        }
    }

    fn note_join(&mut self, kind: &FactKind) {
        let matters =
            NODE_KINDS.contains(&kind.as_str()) || [CLUSTER, NODE].contains(&kind.as_str());
        self.is_unjoined |= matters;
    }

    /// The cluster as those see it who ask which machines are its nodes, with what both tell.
    fn as_cluster(&self) -> Snapshot {
        let mut facts = BTreeMap::new();
        for kept in [CLUSTER, NODE].map(kind) {
            let items = self.standing.kept(&kept).to_vec();
            facts.insert(kept, Collection::of("", items));
        }
        for (kind, collection) in &self.api_collections {
            let items = self.api.get(kind).map(|facts| facts.values().cloned());
            let collection = Collection {
                items: items.into_iter().flatten().collect(),
                ..collection.clone()
            };
            facts.insert(kind.clone(), collection);
        }
        Snapshot {
            schema: Snapshot::SCHEMA.to_owned(),
            asset_kind: clusters::KIND.to_owned(),
            asset_id: self.uid.clone(),
            asset_name: self.name.clone(),
            collected_at: Timestamp::UNIX_EPOCH,
            collector: String::new(),
            facts,
        }
    }

    /// Puts what nodes tell in place of what the API told of the same, and judges what differs by it. `is_new`: whether
    /// machines tell something new.
    pub(super) fn join_nodes(&mut self, content: &Content, is_new: bool, now: Timestamp) {
        if !is_new && !self.is_unjoined {
            return;
        }
        self.is_unjoined = false;
        let mut cluster = self.as_cluster();
        let members = self.machines.iter().filter(|(_, machine)| {
            // Who tells of which node is the machines' own word, and the cluster's.
            belongs(&cluster, &machine.snapshot).is_ok()
        });
        self.members = members.map(|(host, _)| *host).collect();
        let machines: Vec<Snapshot> = self
            .machines
            .values()
            .map(|machine| machine.snapshot.clone())
            .collect();
        join(&mut cluster, &machines);
        for node_kind in NODE_KINDS.map(kind) {
            let Some(collection) = cluster.facts.remove(&node_kind) else {
                continue;
            };
            let fresh: BTreeMap<String, Fact> = collection
                .items
                .into_iter()
                .map(|fact| (fact.id.clone(), fact))
                .collect();
            let before = self.joined.remove(&node_kind).unwrap_or_default();
            for id in before.keys().filter(|id| !fresh.contains_key(*id)) {
                self.standing.remove(&node_kind, id);
            }
            let differ = fresh
                .values()
                .filter(|fact| before.get(&fact.id) != Some(*fact));
            let differ: Vec<Fact> = differ.cloned().collect();
            if !differ.is_empty() {
                self.standing
                    .put_all(&content.library, &node_kind, differ, now);
            }
            let collection = Collection {
                items: Vec::new(),
                ..collection
            };
            self.standing.set_collection(&node_kind, &collection);
            self.joined.insert(node_kind, fresh);
        }
    }

    /// The facts of a kind that nodes tell of, or the cloud, as they were judged.
    pub(crate) fn joined_facts(&self, kind: &FactKind) -> Option<Vec<Fact>> {
        if let Some(told) = self.cloud.as_ref().and_then(|side| side.facts.get(kind)) {
            return Some(told.items.clone());
        }
        let facts = self.joined.get(kind)?;
        Some(facts.values().cloned().collect())
    }

    /// Takes in what scans found in the images that run here. What is the same as before is not judged again.
    pub(super) fn set_scans(&mut self, content: &Content, scans: Collection, now: Timestamp) {
        let kind = scanned::scan_kind();
        let known: Vec<Fact> = self.standing.kept(&kind).to_vec();
        let is_there = |id: &str| scans.items.iter().any(|fact| fact.id == id);
        for gone in known.iter().filter(|fact| !is_there(&fact.id)) {
            self.standing.remove(&kind, &gone.id);
        }
        let told = Collection {
            items: Vec::new(),
            ..scans.clone()
        };
        if !self.went_like(&kind, &told) {
            self.standing.set_collection(&kind, &told);
        }
        let differ = scans.items.into_iter();
        let differ: Vec<Fact> = differ.filter(|fact| !known.contains(fact)).collect();
        if !differ.is_empty() {
            self.standing.put_all(&content.library, &kind, differ, now);
        }
    }

    /// Notes which nodes have a sensor, and when it was heard of.
    pub(super) fn set_sensors(
        &mut self,
        content: &Content,
        nodes: &[clusters::Node],
        now: Timestamp,
    ) {
        let sensors = kind(SENSOR);
        let nodes: Vec<&clusters::Node> = nodes
            .iter()
            .filter(|node| self.members.contains(&node.host))
            .collect();
        self.hosts = nodes
            .iter()
            .map(|node| (node.membership.node.clone(), node.host))
            .collect();
        let gone: Vec<String> = self
            .standing
            .kept(&sensors)
            .iter()
            .filter(|fact| !self.hosts.contains_key(&fact.id))
            .map(|fact| fact.id.clone())
            .collect();
        for id in gone {
            self.standing.remove(&sensors, &id);
        }
        let collection = Collection::of("the server", Vec::new());
        if !self.went_like(&sensors, &collection) {
            self.standing.set_collection(&sensors, &collection);
        }
        for node in nodes {
            let fact = Fact {
                id: node.membership.node.clone(),
                name: node.membership.node.clone(),
                data: json!({
                    "node": node.membership.node,
                    "version": node.collector,
                    "last_seen": node.last_seen.to_string(),
                }),
            };
            if !self.standing.kept(&sensors).contains(&fact) {
                self.standing.put(&content.library, &sensors, fact, now);
            }
        }
    }

    /// The minor version of the API server, as the facts say it.
    pub(super) fn minor(&self) -> Option<u64> {
        self.about("/minor").and_then(Value::as_u64)
    }

    /// What lists show.
    pub(super) fn summary(&self) -> Summary {
        let text = |pointer: &str| self.about(pointer).and_then(Value::as_str);
        let count = |text: &str| {
            let of_kind = kind(text);
            let mut collections = self.standing.collections();
            let (_, collection) = collections.find(|(known, _)| **known == of_kind)?;
            let is_whole = matches!(
                collection.status,
                CollectionStatus::Ok | CollectionStatus::Absent
            );
            is_whole.then(|| self.standing.count(&of_kind) as u64)
        };
        Summary {
            version: text("/version").map(str::to_owned),
            provider: text("/provider").map(str::to_owned),
            nodes: count(NODE),
            namespaces: count(NAMESPACE),
            workloads: count(WORKLOAD),
        }
    }

    /// What a benchmark says of the cluster, without objects.
    pub(crate) fn assess<'l>(
        &self,
        content: &'l Content,
        benchmark: &'l Benchmark,
        statements: &Statements,
        now: Timestamp,
    ) -> Assessment<'l> {
        let scope = Scope {
            asset: &self.name,
            benchmark: Some(&benchmark.id),
            statements,
            excluded_namespaces: &BTreeSet::new(),
            now,
        };
        self.standing.assess(&content.library, benchmark, &scope)
    }

    /// What a recommendation's checks say, namespaces that it leaves out aside.
    pub(crate) fn tally(
        &self,
        content: &Content,
        recommendation: &Recommendation,
        statements: &Statements,
        now: Timestamp,
    ) -> Vec<Tallied> {
        let asked = Asked {
            recommendation,
            setting: self.key.settings.get(&recommendation.id),
            statements,
            now,
        };
        self.tally_by(content, &self.standing, &asked)
    }

    /// The same by outcomes that may be others than the cluster's own.
    pub(super) fn tally_by(
        &self,
        content: &Content,
        standing: &Standing,
        asked: &Asked<'_>,
    ) -> Vec<Tallied> {
        let excluded = excluded_namespaces(asked.recommendation, asked.setting);
        let scope = Scope {
            asset: &self.name,
            benchmark: None,
            statements: asked.statements,
            excluded_namespaces: &excluded,
            now: asked.now,
        };
        let uses = uses(content, asked.recommendation, asked.setting).into_iter();
        uses.filter_map(|used| {
            let tally = standing.tally(&content.library, &used, &scope)?;
            Some(Tallied { used, tally })
        })
        .collect()
    }

    /// All that is stored of what is said of the cluster.
    pub(super) fn judged(
        &self,
        content: &Content,
        said: &Said,
        cluster: &Cluster,
        images: Option<&Found>,
        now: Timestamp,
    ) -> Judged {
        let statements = said.statements(cluster.asset);
        let benchmarks = self.benchmarks.iter();
        let assessments: Vec<Assessment<'_>> = benchmarks
            .map(|benchmark| self.assess(content, benchmark, &statements, now))
            .collect();
        let health = self.health(content, said, cluster, &assessments, images, now);
        put_together(content, &assessments, Vec::new(), health)
    }

    fn health(
        &self,
        content: &Content,
        said: &Said,
        cluster: &Cluster,
        assessments: &[Assessment<'_>],
        images: Option<&Found>,
        now: Timestamp,
    ) -> Vec<Health> {
        let statements = said.statements(cluster.asset);
        let mut all = Vec::new();
        for recommendation in content.catalogue.recommendations() {
            if !is_judged(recommendation, self.key.settings.get(&recommendation.id)) {
                continue;
            }
            let (health, reason) = match (&recommendation.benchmark, &recommendation.findings) {
                (None, Some(findings)) => {
                    let Some(found) = images else { continue };
                    scanned::health(findings, &found.tally, scanned::gap(cluster))
                }
                (Some(id), _) => {
                    let is_it = |one: &&Assessment<'_>| one.benchmark.id == *id;
                    // They come by version, the newest last.
                    let Some(assessment) = assessments.iter().rfind(is_it) else {
                        continue;
                    };
                    self.standing.health(&content.library, assessment)
                }
                (None, None) => joined(self.tally(content, recommendation, &statements, now)),
            };
            let concern = Concern {
                said,
                asset: cluster.asset,
                now,
            };
            let plain = (health, reason);
            all.push(self.told(content, recommendation, plain, cluster, &concern));
        }
        all
    }

    /// What is said of a cluster by a recommendation, when its checks say this.
    pub(super) fn told(
        &self,
        content: &Content,
        recommendation: &Recommendation,
        (health, reason): (seareeve_posture::Health, Option<String>),
        cluster: &Cluster,
        concern: &Concern<'_>,
    ) -> Health {
        let (health, reason) = match &cluster.trouble {
            // As it was once: nobody knows whether it still is, but for what others tell.
            Some(why) if !self.is_told_by_cloud(content, recommendation) => {
                (seareeve_posture::Health::Unknown, Some(why.clone()))
            }
            _ => (health, reason),
        };
        let plain = Health {
            recommendation: recommendation.id.clone(),
            state: state(health),
            reason,
            exemption: None,
        };
        exempted(plain, concern)
    }
}

/// What checks say together.
pub(super) fn joined(tallied: Vec<Tallied>) -> (seareeve_posture::Health, Option<String>) {
    let verdicts: Vec<_> = tallied
        .into_iter()
        .map(|one| {
            let failing = one
                .tally
                .counts
                .get(&seareeve_posture::Outcome::Fail)
                .copied();
            (one.tally.verdict, failing.unwrap_or_default())
        })
        .collect();
    health_by_checks(&verdicts)
}

/// Whether a recommendation is about clusters, judged here, and switched on.
pub(crate) fn is_judged(
    recommendation: &Recommendation,
    setting: Option<&RecommendationSetting>,
) -> bool {
    let is_on = setting.and_then(|setting| setting.enabled);
    recommendation.asset == clusters::KIND
        && is_on.unwrap_or(recommendation.enabled)
        && (recommendation.benchmark.is_some()
            || recommendation.findings.is_some()
            || !recommendation.checks.is_empty())
}

/// The namespaces that a recommendation leaves out.
pub(crate) fn excluded_namespaces(
    recommendation: &Recommendation,
    setting: Option<&RecommendationSetting>,
) -> BTreeSet<String> {
    let set = setting.and_then(|setting| setting.excluded_namespaces.clone());
    set.unwrap_or_else(|| recommendation.excluded_namespaces.iter().cloned().collect())
}

pub(super) fn uses(
    content: &Content,
    recommendation: &Recommendation,
    setting: Option<&RecommendationSetting>,
) -> Vec<Use> {
    let none = serde_json::Map::new();
    let params = setting.map_or(&none, |setting| &setting.params);
    recommendation.uses(&content.library, params)
}
