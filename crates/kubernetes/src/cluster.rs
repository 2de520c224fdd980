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
    let provider = nodes(state, &mut data).or_else(|| provider_by_api(about));
    let is_managed = matches!(provider, Some("aks" | "eks" | "gke" | "doks"));
    data.insert("managed".to_owned(), is_managed.into());
    put(&mut data, "provider", provider);
    let images = images(state);
    data.insert("cni".to_owned(), plugins(&images));
    data.insert("secret_stores".to_owned(), stores(about, &images));
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

/// Images of what runs on each node or serves all, with the ids of whose they are.
fn images(state: &State) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for resource in [
        Resource::DaemonSet,
        Resource::Deployment,
        Resource::StatefulSet,
    ] {
        for (key, value) in state.values(resource) {
            let template = pods::template(resource, &value);
            let Some(spec) = template.and_then(|template| template.get("spec")) else {
                continue;
            };
            for container in pods::containers(spec) {
                if let Some(image) = text(container, "/image") {
                    found.push((image.to_owned(), key.id()));
                }
            }
        }
    }
    found
}

fn plugins(images: &[(String, String)]) -> Value {
    let plugins = PLUGINS.iter().filter_map(|(name, words, policies)| {
        let found: BTreeSet<&str> = images
            .iter()
            .filter(|(_, id)| id.starts_with("DaemonSet/"))
            .filter(|(image, _)| words.iter().any(|word| image.contains(word)))
            .map(|(_, id)| id.as_str())
            .collect();
        (!found.is_empty())
            .then(|| json!({"name": name, "network_policies": policies, "found": found}))
    });
    plugins.collect()
}

fn stores(about: &About, images: &[(String, String)]) -> Value {
    let stores = SECRET_STORES.iter().filter_map(|(name, group, word)| {
        let mut found: BTreeSet<String> = images
            .iter()
            .filter(|(image, _)| image.contains(word))
            .map(|(_, id)| id.clone())
            .collect();
        let groups = about.api_groups.as_ref();
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
}
