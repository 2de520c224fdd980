//! From what is kept to facts, one at a time.

use std::collections::BTreeSet;

use seareeve_model::Fact;
use serde_json::{Map, Value, json};

use super::{COMPONENT_KINDS, Entry, FactKey, Key, State, api_version, parse};
use crate::json::{map_or_empty, put};
use crate::rbac::{self, Subject};
use crate::resource::Resource;
use crate::{admission, cluster, component, namespace, network, node, service_account, workload};

/// The keys of all facts of a kind.
pub(super) fn keys(state: &State, kind: &str) -> Vec<FactKey> {
    match kind {
        "kubernetes.workload" => workloads(state),
        "kubernetes.subject" => {
            let subjects = state.rbac.subjects().cloned();
            subjects.map(FactKey::Subject).collect()
        }
        "kubernetes.admission" => vec![FactKey::Admission],
        "kubernetes.cluster" => vec![FactKey::Cluster],
        _ if COMPONENT_KINDS.iter().any(|(_, of)| *of == kind) => components(state, kind),
        _ => Resource::ALL
            .into_iter()
            .filter(|resource| resource.fact() == kind)
            .flat_map(|resource| state.of(resource))
            .map(|(key, _)| FactKey::Object(key.clone()))
            .collect(),
    }
}

fn workloads(state: &State) -> Vec<FactKey> {
    let mut found = BTreeSet::new();
    for resource in Resource::ALL.into_iter().filter(|r| r.is_workload()) {
        for (key, _) in state.of(resource) {
            match state.controller(key) {
                None => {
                    found.insert(FactKey::Object(key.clone()));
                }
                Some(controller) if resource == Resource::Pod => {
                    let way = state.departure(key, controller);
                    found.extend(way.map(|way| FactKey::Departed(controller.clone(), way)));
                }
                Some(_) => {}
            }
        }
    }
    found.into_iter().collect()
}

fn components(state: &State, kind: &str) -> Vec<FactKey> {
    let wanted = COMPONENT_KINDS.iter().find(|(_, of)| *of == kind);
    let Some((wanted, _)) = wanted else {
        return Vec::new();
    };
    let of_pods = state
        .components()
        .map(|(_, component, node)| (component.to_owned(), node.to_owned()));
    let observed = state.observed.keys().cloned();
    let found: BTreeSet<(String, String)> = observed.chain(of_pods).collect();
    found
        .into_iter()
        .filter(|(component, _)| component == wanted)
        .map(|(component, node)| FactKey::Component(component, node))
        .collect()
}

/// The fact, if there is one now.
pub(super) fn fact(state: &State, key: &FactKey) -> Option<Fact> {
    let (name, data) = match key {
        FactKey::Object(object) => (object.name.clone(), object_data(state, object)?),
        FactKey::Departed(controller, way) => {
            let pods = state.pods_of(controller).into_iter();
            let alike: Vec<&Key> = pods
                .filter(|pod| state.departure(pod, controller) == Some(*way))
                .collect();
            let first = *alike.first()?;
            let (_, entry) = state.objects.get_key_value(first)?;
            let mut data = start(first, entry);
            workload::departed(state, first, &alike, controller, &mut data)?;
            (first.name.clone(), Value::Object(data))
        }
        FactKey::Subject(subject) => {
            if !state.rbac.has_subject(subject) {
                return None;
            }
            let exists = match subject {
                Subject::ServiceAccount(namespace, name) => state.account_exists(namespace, name),
                Subject::User(_) | Subject::Group(_) => None,
            };
            let name = match subject {
                Subject::User(name) | Subject::Group(name) => name.clone(),
                Subject::ServiceAccount(namespace, name) => format!("{namespace}/{name}"),
            };
            (name, rbac::subject_fact(&state.rbac, subject, exists))
        }
        FactKey::Admission => ("Admission control".to_owned(), admission::data(state)),
        FactKey::Cluster => ("Cluster".to_owned(), cluster::data(state)),
        FactKey::Component(component, node) => {
            let name = match node.as_str() {
                "" => component.clone(),
                node => format!("{component} on {node}"),
            };
            (name, component_data(state, component, node)?)
        }
    };
    Some(Fact {
        id: key.id(),
        name,
        data,
    })
}

/// What a process says counts more than what its pod says.
fn component_data(state: &State, component: &str, node: &str) -> Option<Value> {
    let seen = state.observed.get(&(component.to_owned(), node.to_owned()));
    if let Some(seen) = seen {
        return Some(component::data(seen));
    }
    let mut pods = state.components();
    let (pod, ..) = pods.find(|(_, of, on)| *of == component && *on == node)?;
    Some(component::data(&component::of_pod(&state.value(pod)?)?))
}

/// What all facts of one object begin with.
fn start(key: &Key, entry: &Entry) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("kind".to_owned(), key.resource.api().kind.into());
    data.insert("apiVersion".to_owned(), api_version(&entry.text).into());
    data.insert("namespace".to_owned(), key.namespace.as_str().into());
    data.insert("name".to_owned(), key.name.as_str().into());
    let origin = entry
        .origin
        .as_ref()
        .map(|origin| json!({"file": origin.file, "index": origin.index, "line": origin.line}));
    put(&mut data, "origin", origin);
    data
}

fn object_data(state: &State, key: &Key) -> Option<Value> {
    let (key, entry) = state.objects.get_key_value(key)?;
    let mut value = parse(&entry.text)?;
    let mut data = start(key, entry);
    let mut object = map_or_empty(&value, "/metadata");
    if let Some(object) = object.as_object_mut() {
        for always in ["labels", "annotations"] {
            object
                .entry(always)
                .or_insert_with(|| Value::Object(Map::new()));
        }
    }
    data.insert("object".to_owned(), object);
    match key.resource {
        resource if resource.is_workload() => {
            if state.controller(key).is_some() {
                return None;
            }
            workload::controller(state, key, &mut value, &mut data);
        }
        Resource::Namespace => namespace::data(state, key, &value, &mut data),
        Resource::Node => node::data(&value, &mut data),
        Resource::ServiceAccount => service_account::data(state, key, &value, &mut data),
        Resource::Service => network::service(&value, &mut data),
        Resource::Ingress => network::ingress(&value, &mut data),
        Resource::Gateway => network::gateway(&value, &mut data),
        Resource::NetworkPolicy
        | Resource::CalicoNetworkPolicy
        | Resource::CalicoGlobalNetworkPolicy
        | Resource::CiliumNetworkPolicy
        | Resource::CiliumClusterwideNetworkPolicy => {
            network::policy(key.resource, &value, &mut data);
        }
        Resource::Role | Resource::ClusterRole => {
            rbac::role_fact(&state.rbac, key, &value, &mut data);
        }
        Resource::RoleBinding | Resource::ClusterRoleBinding => {
            put(&mut data, "roleRef", value.get("roleRef").cloned());
            let exists = |namespace: &str, name: &str| state.account_exists(namespace, name);
            rbac::binding_fact(&state.rbac, key, &value, exists, &mut data);
        }
        Resource::ConfigMap | Resource::Secret | Resource::SealedSecret => {
            if state.kind == super::Kind::Manifests {
                put(&mut data, "keys", value.pointer("/keys/names").cloned());
            }
            if key.resource != Resource::ConfigMap {
                let kind = value.pointer("/type").and_then(Value::as_str);
                data.insert("type".to_owned(), kind.unwrap_or("Opaque").into());
                put(
                    &mut data,
                    "encrypted",
                    value.pointer("/keys/encrypted").cloned(),
                );
            }
        }
        // These are seen in the fact about admission.
        _ => return None,
    }
    Some(Value::Object(data))
}

impl State {
    /// Whether a service account is there; nothing where that cannot be told.
    pub(crate) fn account_exists(&self, namespace: &str, name: &str) -> Option<bool> {
        let key = Key::new(Resource::ServiceAccount, namespace, name);
        if self.objects.contains_key(&key) {
            return Some(true);
        }
        (self.kind == super::Kind::Cluster && !self.gaps.contains_key(&Resource::ServiceAccount))
            .then_some(false)
    }
}
