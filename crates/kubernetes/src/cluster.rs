//! The fact about the cluster as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::json::{put, text};
use crate::node::provider;
use crate::pods;
use crate::resource::Resource;
use crate::state::{About, Key, State};

/// Network plug-ins: name, a word of the images of their DaemonSets, whether they enforce network policies.
const PLUGINS: &[(&str, &[&str], &str)] = &[
    ("calico", &["calico/node", "calico-node"], "yes"),
    ("cilium", &["cilium/cilium", "cilium"], "yes"),
    (
        "antrea",
        &["antrea/antrea", "antrea-agent", "antrea-ubuntu"],
        "yes",
    ),
    ("weave", &["weave-kube", "weaveworks"], "yes"),
    ("kube-router", &["kube-router"], "yes"),
    ("canal", &["canal"], "yes"),
    ("ovn-kubernetes", &["ovn-kube", "ovn-kubernetes"], "yes"),
    ("azure-npm", &["azure-npm"], "yes"),
    ("azure-cni", &["azure-cns", "azure-cni"], "optional"),
    ("aws-vpc-cni", &["amazon-k8s-cni"], "optional"),
    ("kindnet", &["kindnetd"], "optional"),
    ("flannel", &["flannel"], "no"),
    ("romana", &["romana"], "yes"),
];

/// Where secrets come from other than from the cluster: name, API group, word of an image.
const SECRET_STORES: &[(&str, &str, &str)] = &[
    (
        "secrets-store-csi",
        "secrets-store.csi.x-k8s.io",
        "secrets-store-csi",
    ),
    (
        "external-secrets",
        "external-secrets.io",
        "external-secrets",
    ),
    ("vault-injector", "", "vault-k8s"),
    ("sealed-secrets", "bitnami.com", "sealed-secrets"),
];

pub(crate) fn data(state: &State) -> Value {
    let about = state.about();
    let mut data = Map::new();
    let system = state.value(&Key::new(Resource::Namespace, "", "kube-system"));
    let uid = system
        .as_ref()
        .and_then(|system| text(system, "/metadata/uid"));
    put(&mut data, "uid", uid);
    put(&mut data, "version", about.version.as_deref());
    put(&mut data, "minor", about.version.as_deref().and_then(minor));
    put(&mut data, "platform", about.platform.as_deref());
    put(&mut data, "endpoint", about.endpoint.as_deref());
    let groups: Option<Vec<&str>> = about
        .api_groups
        .as_ref()
        .map(|groups| groups.iter().map(String::as_str).collect());
    put(&mut data, "api_groups", groups);
    if !about.authorities.is_empty() {
        let authorities = about.authorities.as_slice();
        data.insert("authorities".to_owned(), authorities.into());
    }
    let provider = nodes(state, &mut data).or_else(|| provider_by_api(about));
    let is_managed = matches!(provider, Some("aks" | "eks" | "gke" | "doks"));
    data.insert("managed".to_owned(), is_managed.into());
    put(&mut data, "provider", provider);
    data.insert("cni".to_owned(), plugins(state));
    data.insert("secret_stores".to_owned(), stores(state));
    Value::Object(data)
}

/// Fills in `nodes`, and gives the provider where all nodes have the same.
fn nodes(state: &State, data: &mut Map<String, Value>) -> Option<&'static str> {
    let mut counts: [BTreeMap<String, usize>; 3] = Default::default();
    let pointers = [
        "/status/nodeInfo/kubeletVersion",
        "/status/nodeInfo/containerRuntimeVersion",
        "/status/nodeInfo/osImage",
    ];
    let mut count: usize = 0;
    let mut providers = BTreeSet::new();
    for (_, node) in state.values(Resource::Node) {
        count = count.saturating_add(1);
        providers.insert(provider(&node));
        for (counts, pointer) in counts.iter_mut().zip(pointers) {
            if let Some(text) = text(&node, pointer) {
                let of_text = counts.entry(text.to_owned()).or_default();
                *of_text = of_text.saturating_add(1);
            }
        }
    }
    let [versions, runtimes, os_images] = counts;
    if state.gap(Resource::Node).is_none() && state.is_cluster() {
        let nodes = json!({
            "count": count,
            "versions": versions,
            "runtimes": runtimes,
            "os_images": os_images,
        });
        data.insert("nodes".to_owned(), nodes);
    }
    match providers.pop_first() {
        Some(provider) if providers.is_empty() => provider,
        _ => None,
    }
}

fn provider_by_api(about: &About) -> Option<&'static str> {
    const MARKS: &[(&str, &str)] = &[
        ("-eks-", "eks"),
        ("-gke.", "gke"),
        (".azmk8s.io", "aks"),
        (".eks.amazonaws.com", "eks"),
        (".k8s.ondigitalocean.com", "doks"),
        ("+k3s", "k3s"),
        ("+rke2", "rke2"),
    ];
    let seen = [about.version.as_deref(), about.endpoint.as_deref()];
    let found = MARKS
        .iter()
        .find(|(mark, _)| seen.iter().flatten().any(|text| text.contains(mark)));
    found.map(|(_, provider)| *provider)
}

/// `v1.31.4-eks-1` is 31.
pub(crate) fn minor(version: &str) -> Option<u64> {
    let mut numbers = version.trim_start_matches('v').split('.');
    numbers.next()?;
    let minor = numbers.next()?;
    let end = minor
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(minor.len());
    minor.get(..end)?.parse().ok()
}

/// Workloads that are looked at for what the cluster is made of.
pub(crate) const TELLING: [Resource; 3] = [
    Resource::DaemonSet,
    Resource::Deployment,
    Resource::StatefulSet,
];

/// What the images of a pod spec tell of the cluster: names of network plug-ins and secret stores.
pub(crate) fn marks(resource: Resource, spec: &Value) -> Vec<&'static str> {
    if !TELLING.contains(&resource) {
        return Vec::new();
    }
    let containers = pods::containers(spec);
    let has = |word: &str| {
        let mut images = containers
            .iter()
            .filter_map(|container| text(container, "/image"));
        images.any(|image| image.contains(word))
    };
    // A plug-in runs on each node; what has its name and does not is something else of its makers.
    let plugins = PLUGINS
        .iter()
        .filter(|_| resource == Resource::DaemonSet)
        .filter(|(_, words, _)| words.iter().any(|word| has(word)))
        .map(|(name, ..)| *name);
    let stores = SECRET_STORES
        .iter()
        .filter(|(.., word)| has(word))
        .map(|(name, ..)| *name);
    plugins.chain(stores).collect()
}

/// Ids of the workloads that tell of `name`.
fn told_by(state: &State, name: &str) -> BTreeSet<String> {
    state
        .marked()
        .filter(|(_, marks)| marks.contains(&name))
        .map(|(key, _)| key.id())
        .collect()
}

fn plugins(state: &State) -> Value {
    let plugins = PLUGINS.iter().filter_map(|(name, _, policies)| {
        let found = told_by(state, name);
        (!found.is_empty())
            .then(|| json!({"name": name, "network_policies": policies, "found": found}))
    });
    plugins.collect()
}

fn stores(state: &State) -> Value {
    let groups = state.about().api_groups.as_ref();
    let stores = SECRET_STORES.iter().filter_map(|(name, group, _)| {
        let mut found = told_by(state, name);
        if groups.is_some_and(|groups| groups.contains(*group)) {
            found.insert(format!("API group {group}"));
        }
        (!found.is_empty()).then(|| json!({"name": name, "found": found}))
    });
    stores.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Kind, Object};

    #[test]
    fn minor_versions_are_numbers() {
        for (version, wanted) in [
            ("v1.31.4", Some(31)),
            ("v1.20.2-eks-1234", Some(20)),
            ("v1.27+", Some(27)),
            ("1", None),
            ("v1.x", None),
        ] {
            assert_eq!(minor(version), wanted, "{version}");
        }
    }

    #[test]
    fn network_plug_ins_and_secret_stores_are_known_by_what_runs() {
        let mut state = State::new(Kind::Cluster);
        for (kind, name, image) in [
            ("DaemonSet", "calico-node", "docker.io/calico/node:v3.28.0"),
            (
                "DaemonSet",
                "kube-flannel",
                "ghcr.io/flannel-io/flannel:v0.25",
            ),
            ("Deployment", "calico-tool", "docker.io/calico/node:v3.28.0"),
            (
                "Deployment",
                "external-secrets",
                "ghcr.io/external-secrets/external-secrets:v0.9",
            ),
        ] {
            let object = json!({
                "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "kube-system"},
                "spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}},
            });
            state.apply(Change::Put(Object::read(object, None).unwrap()));
        }
        let data = data(&state);
        assert_eq!(
            data["cni"],
            json!([
                {"name": "calico", "network_policies": "yes", "found": ["DaemonSet/kube-system/calico-node"]},
                {"name": "flannel", "network_policies": "no", "found": ["DaemonSet/kube-system/kube-flannel"]},
            ])
        );
        assert_eq!(
            data["secret_stores"],
            json!([{"name": "external-secrets", "found": ["Deployment/kube-system/external-secrets"]}])
        );
    }
}
