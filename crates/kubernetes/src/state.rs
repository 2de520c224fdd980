//! What is known of a cluster, or of manifests, kept small; and the facts that it comes to.
//!
//! Objects are kept as text, which takes a tenth of what parsed ones do, and become facts one at a time, when they
//! are asked for. [`State::apply`] says which facts one change touches, so that only these need to be judged again.

mod facts;
mod touched;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use seareeve_model::{CollectionStatus, Fact, FactKind};
use serde_json::Value;

use crate::cluster;
use crate::component::{self, COMPONENTS, Observed};
use crate::json::{is_true, list, text};
use crate::object::{Object, Origin};
use crate::pods;
use crate::rbac::{Aggregation, Rbac, Subject};
use crate::resource::Resource;
use crate::stance::Stance;
use crate::workload::Automount;

/// Which object: names are unique in a cluster, but not in manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub(crate) resource: Resource,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// 0 for the first of its name.
    pub(crate) copy: u32,
}

impl Key {
    pub(crate) fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self {
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            copy: 0,
        }
    }

    /// The id of its fact: `Kind/namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        let mut id = self.resource.id_word().to_owned();
        for part in [&self.namespace, &self.name] {
            if !part.is_empty() {
                id.push('/');
                id.push_str(part);
            }
        }
        if self.copy > 0 {
            id.push_str(&format!("~{}", self.copy.saturating_add(1)));
        }
        id
    }
}

/// Which fact: enough to make it, or to say that it is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKey {
    /// The fact of one object.
    Object(Key),
    /// The pods of a controller that depart from its template in one way.
    Departed(Key, u64),
    /// What a user, group or service account may do.
    Subject(Subject),
    /// The one about admission.
    Admission,
    /// The one about the whole cluster.
    Cluster,
    /// A component, that was told of with [`State::observe`] or is seen as a static pod: its name and node.
    Component(String, String),
}

impl FactKey {
    /// The kind of the fact.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        let kind = match self {
            Self::Object(key) => key.resource.fact(),
            Self::Departed(..) => "kubernetes.workload",
            Self::Subject(_) => "kubernetes.subject",
            Self::Admission => "kubernetes.admission",
            Self::Cluster => "kubernetes.cluster",
            Self::Component(component, _) => {
                let kind = COMPONENT_KINDS.iter().find(|(name, _)| name == component);
                kind.map_or("kubernetes.component", |(_, kind)| kind)
            }
        };
        FactKind::new(kind).expect("the kinds are constants of that form")
    }

    /// The id of the fact within its kind.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Object(key) => key.id(),
            Self::Departed(key, way) => format!("{}/departed-{way:016x}", key.id()),
            Self::Subject(subject) => subject.id(),
            Self::Admission => "admission".to_owned(),
            Self::Cluster => "cluster".to_owned(),
            Self::Component(component, node) => format!("{component}/{node}"),
        }
    }
}

/// The kinds of the facts about components.
pub(crate) const COMPONENT_KINDS: [(&str, &str); 6] = [
    ("kube-apiserver", "kubernetes.kube-apiserver"),
    (
        "kube-controller-manager",
        "kubernetes.kube-controller-manager",
    ),
    ("kube-scheduler", "kubernetes.kube-scheduler"),
    ("etcd", "kubernetes.etcd"),
    ("kubelet", "kubernetes.kubelet"),
    ("kube-proxy", "kubernetes.kube-proxy"),
];

/// Where the facts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Kind {
    /// A cluster's API.
    #[default]
    Cluster,
    /// Files.
    Manifests,
}

/// What the API server says of itself, beside its objects.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct About {
    /// `gitVersion`.
    pub version: Option<String>,
    /// `linux/amd64`.
    pub platform: Option<String>,
    /// Where it is asked.
    pub endpoint: Option<String>,
    /// Names of the API groups that it has.
    pub api_groups: Option<BTreeSet<String>>,
    /// SHA-256 of the certificates of the authorities that it is known by.
    pub authorities: Vec<String>,
}

/// Why a resource cannot be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Never [`CollectionStatus::Ok`].
    pub status: CollectionStatus,
    /// For people.
    pub detail: String,
}

/// One change of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is there, or is different now.
    Put(Object),
    /// It is gone: resource, namespace, name.
    Gone(Resource, String, String),
}

struct Entry {
    text: Box<str>,
    uid: Box<str>,
    /// The controller that it says it has.
    owner: Option<Box<Owner>>,
    /// Only of workloads.
    work: Option<Box<Work>>,
    origin: Option<Box<Origin>>,
}

struct Owner {
    key: Key,
    uid: Box<str>,
}

struct Work {
    /// The service account.
    account: Box<str>,
    stance: Stance,
    /// What its images tell of the cluster.
    marks: Box<[&'static str]>,
    /// Of pods: whether it runs.
    is_running: bool,
    /// Of pods: whether the kubelet made it from a file.
    is_static: bool,
    /// Of static pods of the system: the component that it runs, and the node.
    component: Option<(&'static str, Box<str>)>,
}

/// See the module.
#[derive(Default)]
pub struct State {
    kind: Kind,
    about: About,
    objects: BTreeMap<Key, Entry>,
    /// Of the texts of all objects.
    bytes: u64,
    /// What says that it is owned, by what it says that owns it.
    owned: BTreeMap<Key, BTreeSet<Key>>,
    rbac: Rbac,
    gaps: BTreeMap<Resource, Gap>,
    observed: BTreeMap<(String, String), Observed>,
}

impl State {
    /// An empty one.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let aggregation = match kind {
            Kind::Cluster => Aggregation::Written,
            Kind::Manifests => Aggregation::Here,
        };
        Self {
            kind,
            rbac: Rbac::new(aggregation),
            ..Self::default()
        }
    }

    /// Sets what the API server says of itself. Touches [`FactKey::Cluster`] and [`FactKey::Admission`].
    pub fn set_about(&mut self, about: About) {
        self.about = about;
    }

    /// Says that a resource could not be read, or with `None` that it could after all.
    pub fn set_gap(&mut self, resource: Resource, gap: Option<Gap>) {
        match gap {
            Some(gap) => self.gaps.insert(resource, gap),
            None => self.gaps.remove(&resource),
        };
    }

    /// Adds what was seen of a component.
    pub fn observe(&mut self, observed: Observed) -> FactKey {
        let name = (observed.component.clone(), observed.node.clone());
        let key = FactKey::Component(name.0.clone(), name.1.clone());
        self.observed.insert(name, observed);
        key
    }

    /// Adds an object of a manifest. Another of the same name stays, too.
    pub fn add(&mut self, object: Object) {
        let mut key = Key::new(object.resource, &object.namespace, &object.name);
        while self.objects.contains_key(&key) {
            key.copy = key.copy.saturating_add(1);
        }
        self.insert(key, object);
    }

    /// Takes in a change, and says which facts are new, different or gone by it.
    pub fn apply(&mut self, change: Change) -> BTreeSet<FactKey> {
        let key = match &change {
            Change::Put(object) => Key::new(object.resource, &object.namespace, &object.name),
            Change::Gone(resource, namespace, name) => Key::new(*resource, namespace, name),
        };
        let before = self.objects.get(&key);
        if let (Change::Put(object), Some(entry)) = (&change, before)
            && *entry.text == *to_text(object)
        {
            return BTreeSet::new();
        }
        let was_there = before.is_some();
        let mut touched = self.touched(&key);
        self.remove(&key);
        let is_there = matches!(change, Change::Put(_));
        if let Change::Put(object) = change {
            self.insert(key.clone(), object);
        }
        touched.extend(self.touched(&key));
        if was_there != is_there {
            touched.extend(self.touched_by_coming(&key));
        }
        touched
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// How many bytes are kept of them. With all that is around them they take some two to three times as much.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The names of all objects of a resource: what is missing from a fresh list is gone.
    pub fn names(&self, resource: Resource) -> impl Iterator<Item = (&str, &str)> {
        self.of(resource)
            .map(|(key, _)| (key.namespace.as_str(), key.name.as_str()))
    }

    /// The fact, or `None` where there is none any more.
    #[must_use]
    pub fn fact(&self, key: &FactKey) -> Option<Fact> {
        facts::fact(self, key)
    }

    /// Which facts there are of a kind.
    #[must_use]
    pub fn keys(&self, kind: &FactKind) -> Vec<FactKey> {
        facts::keys(self, kind.as_str())
    }

    fn insert(&mut self, key: Key, object: Object) {
        match key.resource {
            Resource::Role | Resource::ClusterRole => self.rbac.put_role(&key, &object.value),
            Resource::RoleBinding | Resource::ClusterRoleBinding => {
                self.rbac.put_binding(&key, &object.value);
            }
            _ => {}
        }
        let owner = owner(&object).map(Box::new);
        if let Some(owner) = &owner {
            let owned = self.owned.entry(owner.key.clone()).or_default();
            owned.insert(key.clone());
        }
        let entry = Entry {
            text: to_text(&object).into(),
            uid: text(&object.value, "/metadata/uid")
                .unwrap_or_default()
                .into(),
            owner,
            work: work(&object).map(Box::new),
            origin: object.origin.map(Box::new),
        };
        self.bytes = self.bytes.saturating_add(size(&entry));
        self.objects.insert(key, entry);
    }

    fn remove(&mut self, key: &Key) {
        let Some(entry) = self.objects.remove(key) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(size(&entry));
        if let Some(owner) = entry.owner
            && let Some(owned) = self.owned.get_mut(&owner.key)
        {
            owned.remove(key);
            if owned.is_empty() {
                self.owned.remove(&owner.key);
            }
        }
        match key.resource {
            Resource::Role | Resource::ClusterRole => self.rbac.remove_role(key),
            Resource::RoleBinding | Resource::ClusterRoleBinding => self.rbac.remove_binding(key),
            _ => {}
        }
    }

    /// The objects of a resource.
    fn of(&self, resource: Resource) -> impl Iterator<Item = (&Key, &Entry)> {
        self.range(resource, "")
            .take_while(move |(key, _)| key.resource == resource)
    }

    /// The objects of a resource in a namespace.
    fn within<'s>(
        &'s self,
        resource: Resource,
        namespace: &'s str,
    ) -> impl Iterator<Item = (&'s Key, &'s Entry)> {
        self.range(resource, namespace)
            .take_while(move |(key, _)| key.resource == resource && key.namespace == namespace)
    }

    fn range(&self, resource: Resource, namespace: &str) -> impl Iterator<Item = (&Key, &Entry)> {
        self.objects.range(Key::new(resource, namespace, "")..)
    }

    pub(crate) fn value(&self, key: &Key) -> Option<Value> {
        parse(&self.objects.get(key)?.text)
    }

    /// The workload that makes the object `key`, through replica sets and jobs, if it is there.
    fn controller(&self, key: &Key) -> Option<&Key> {
        let mut found = None;
        let mut at = key;
        // Pod, ReplicaSet, Deployment; Pod, Job, CronJob. References in circles end here, too.
        for _ in 0..4 {
            let Some(owner) = self
                .objects
                .get(at)
                .and_then(|entry| entry.owner.as_deref())
            else {
                break;
            };
            let Some((owner_key, entry)) = self.objects.get_key_value(&owner.key) else {
                break;
            };
            let is_same = owner.uid.is_empty() || entry.uid.is_empty() || owner.uid == entry.uid;
            if !is_same || !owner_key.resource.is_workload() {
                break;
            }
            found = Some(owner_key);
            at = owner_key;
        }
        found.filter(|found| *found != key)
    }

    /// How a pod departs from what its controller says, as one number for each way.
    fn departure(&self, key: &Key, controller: &Key) -> Option<u64> {
        let pod = &self.objects.get(key)?.work.as_ref()?.stance;
        let template = &self.objects.get(controller)?.work.as_ref()?.stance;
        pod.beyond(template)
    }

    /// What of a pod its controller does not say, in words.
    pub(crate) fn departures(&self, pod: &Key, controller: &Key) -> Vec<String> {
        let stance = |key| {
            let entry = self.objects.get(key)?;
            Some(&entry.work.as_ref()?.stance)
        };
        match (stance(pod), stance(controller)) {
            (Some(pod), Some(template)) => pod.departures(template).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.kind == Kind::Cluster
    }

    pub(crate) fn is_running(&self, pod: &Key) -> bool {
        self.work(pod).is_some_and(|work| work.is_running)
    }

    pub(crate) fn is_static(&self, pod: &Key) -> bool {
        self.work(pod).is_some_and(|work| work.is_static)
    }

    fn work(&self, key: &Key) -> Option<&Work> {
        self.objects.get(key)?.work.as_deref()
    }

    /// What the API server says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn gap(&self, resource: Resource) -> Option<&Gap> {
        self.gaps.get(&resource)
    }

    /// The keys of the objects of a resource.
    pub(crate) fn objects_of(&self, resource: Resource) -> impl Iterator<Item = &Key> {
        self.of(resource).map(|(key, _)| key)
    }

    /// The workloads whose images tell something of the cluster, and what.
    pub(crate) fn marked(&self) -> impl Iterator<Item = (&Key, &[&'static str])> {
        cluster::TELLING
            .into_iter()
            .flat_map(|resource| self.of(resource))
            .filter_map(|(key, entry)| Some((key, &*entry.work.as_ref()?.marks)))
    }

    /// The objects of a resource, parsed one at a time.
    pub(crate) fn values(&self, resource: Resource) -> impl Iterator<Item = (&Key, Value)> {
        self.of(resource)
            .filter_map(|(key, entry)| Some((key, parse(&entry.text)?)))
    }

    /// The static pods that run a component.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&Key, &'static str, &str)> {
        self.within(Resource::Pod, "kube-system")
            .filter_map(|(key, entry)| {
                let (component, node) = entry.work.as_ref()?.component.as_ref()?;
                Some((key, *component, &**node))
            })
    }

    /// What a service account says about mounting its token.
    pub(crate) fn automount(&self, namespace: &str, account: &str) -> Automount {
        let key = Key::new(Resource::ServiceAccount, namespace, account);
        match self.value(&key) {
            None => Automount::Unknown,
            Some(value) => value
                .get("automountServiceAccountToken")
                .and_then(Value::as_bool)
                .map_or(Automount::Unsaid, Automount::Says),
        }
    }

    /// How many objects of a resource a namespace has, but for those that every namespace has.
    pub(crate) fn count(&self, resource: Resource, namespace: &str) -> usize {
        self.within(resource, namespace)
            .filter(|(key, _)| {
                !matches!(
                    (key.resource, key.namespace.as_str(), key.name.as_str()),
                    (Resource::ServiceAccount, _, "default")
                        | (Resource::ConfigMap, _, "kube-root-ca.crt")
                        | (Resource::Service, "default", "kubernetes")
                )
            })
            .filter(|(key, _)| !resource.is_workload() || self.controller(key).is_none())
            .count()
    }

    /// Ids of the workloads that run as a service account, pods of controllers under those.
    pub(crate) fn workloads_as(&self, account: &Key) -> BTreeSet<String> {
        self.users_of(account)
            .map(|user| self.controller(user).unwrap_or(user).id())
            .collect()
    }

    /// Ids of the bindings that name a service account.
    pub(crate) fn bindings_of_account(&self, account: &Key) -> Vec<String> {
        let subject = Subject::ServiceAccount(account.namespace.clone(), account.name.clone());
        self.rbac.bindings_of(&subject).map(Key::id).collect()
    }

    /// All pods that come from the workload `key`.
    pub(crate) fn pods_of(&self, key: &Key) -> Vec<&Key> {
        let mut pods = Vec::new();
        let mut open = vec![key];
        // Three levels at most; the count guards against circles.
        for _ in 0..self.objects.len().saturating_add(1) {
            let Some(next) = open.pop() else {
                break;
            };
            for owned in self.owned.get(next).into_iter().flatten() {
                if owned.resource == Resource::Pod {
                    if self.controller(owned) == Some(key) {
                        pods.push(owned);
                    }
                } else if owned.resource.is_workload() && owned != key {
                    open.push(owned);
                }
            }
        }
        pods
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("kind", &self.kind)
            .field("objects", &self.objects.len())
            .finish_non_exhaustive()
    }
}

fn size(entry: &Entry) -> u64 {
    u64::try_from(entry.text.len()).unwrap_or(u64::MAX)
}

/// What is kept of an object. Its version is part of it, and nothing that stands in the key.
fn to_text(object: &Object) -> String {
    format!(
        "{}\n{}",
        object.api_version,
        serde_json::to_string(&object.value).expect("JSON values can be written")
    )
}

fn parse(text: &str) -> Option<Value> {
    let (_, json) = text.split_once('\n')?;
    serde_json::from_str(json).ok()
}

fn api_version(text: &str) -> &str {
    text.split_once('\n').map_or("", |(version, _)| version)
}

fn owner(object: &Object) -> Option<Owner> {
    let owners = list(&object.value, "/metadata/ownerReferences");
    let owner = owners.iter().find(|owner| is_true(owner, "/controller"))?;
    let resource = Resource::of(text(owner, "/apiVersion")?, text(owner, "/kind")?)?;
    let namespace = if resource.api().namespaced {
        &object.namespace
    } else {
        ""
    };
    Some(Owner {
        key: Key::new(resource, namespace, text(owner, "/name")?),
        uid: text(owner, "/uid").unwrap_or_default().into(),
    })
}

fn work(object: &Object) -> Option<Work> {
    let template = pods::template(object.resource, &object.value)?;
    let spec = template.get("spec").unwrap_or(&Value::Null);
    let is_pod = object.resource == Resource::Pod;
    let annotations = template.pointer("/metadata/annotations");
    let is_static =
        is_pod && annotations.is_some_and(|all| all.get("kubernetes.io/config.mirror").is_some());
    let component = Some(&object.value)
        .filter(|_| is_static && object.namespace == "kube-system")
        .and_then(component::of_pod)
        .map(|seen| (seen.component, seen.node));
    Some(Work {
        account: pods::account(spec).into(),
        stance: Stance::of(spec),
        marks: cluster::marks(object.resource, spec).into(),
        is_running: is_pod && text(&object.value, "/status/phase") == Some("Running"),
        is_static,
        component: component.and_then(|(component, node)| {
            let name = COMPONENTS.into_iter().find(|name| *name == component)?;
            Some((name, node.into()))
        }),
    })
}

#[cfg(test)]
pub(crate) mod tests;
