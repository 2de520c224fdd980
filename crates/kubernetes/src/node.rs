//! Facts about nodes, and whose they are.

use serde_json::{Map, Value, json};

use crate::json::{is_true, list, map_or_empty, put, text};

/// The label by which Azure says in which group it keeps the nodes of a cluster.
const AZURE_GROUP: &str = "kubernetes.azure.com/cluster";

pub(crate) fn data(value: &Value, data: &mut Map<String, Value>) {
    let info = |name: &str| {
        let found = value
            .pointer("/status/nodeInfo")
            .and_then(|info| info.get(name));
        found.and_then(Value::as_str)
    };
    put(data, "kubelet", info("kubeletVersion"));
    put(
        data,
        "kube_proxy",
        info("kubeProxyVersion").filter(|version| !version.is_empty()),
    );
    put(data, "os_image", info("osImage"));
    put(data, "kernel", info("kernelVersion"));
    put(data, "architecture", info("architecture"));
    put(data, "os", info("operatingSystem"));
    if let Some((name, version)) = info("containerRuntimeVersion").and_then(|v| v.split_once("://"))
    {
        data.insert(
            "runtime".to_owned(),
            json!({"name": name, "version": version}),
        );
    }
    let conditions = map_or_empty(value, "/status/conditions");
    let is_ready = text(&conditions, "/Ready") == Some("True");
    data.insert("ready".to_owned(), is_ready.into());
    data.insert("conditions".to_owned(), conditions);
    let labels = crate::json::map(value, "/metadata/labels");
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| name.strip_prefix("node-role.kubernetes.io/"))
        .map(Value::from);
    data.insert("roles".to_owned(), roles.collect());
    let taints = list(value, "/spec/taints").to_vec();
    data.insert("taints".to_owned(), taints.into());
    let is_unschedulable = is_true(value, "/spec/unschedulable");
    data.insert("unschedulable".to_owned(), is_unschedulable.into());
    put(data, "provider", provider(value));
    put(data, "provider_id", text(value, "/spec/providerID"));
    let group = labels.and_then(|labels| labels.get(AZURE_GROUP));
    put(data, "node_group", group.and_then(Value::as_str));
    let addresses = |kind: &str| {
        let found = list(value, "/status/addresses").iter();
        let found = found.filter(|address| text(address, "/type") == Some(kind));
        found
            .filter_map(|address| text(address, "/address").map(Value::from))
            .collect::<Value>()
    };
    data.insert(
        "addresses".to_owned(),
        json!({"internal": addresses("InternalIP"), "external": addresses("ExternalIP")}),
    );
    data.insert("spec".to_owned(), map_or_empty(value, "/spec"));
}

/// Who runs the node: a managed service by its labels, else the cloud by `providerID`.
pub(crate) fn provider(node: &Value) -> Option<&'static str> {
    const LABELS: &[(&str, &str)] = &[
        (AZURE_GROUP, "aks"),
        ("kubernetes.azure.com/agentpool", "aks"),
        ("eks.amazonaws.com/nodegroup", "eks"),
        ("eks.amazonaws.com/compute-type", "eks"),
        ("alpha.eksctl.io/cluster-name", "eks"),
        ("cloud.google.com/gke-nodepool", "gke"),
        ("node.openshift.io/os_id", "openshift"),
        ("k3s.io/hostname", "k3s"),
        ("rke2.io/hostname", "rke2"),
        ("microk8s.io/cluster", "microk8s"),
        ("minikube.k8s.io/name", "minikube"),
        ("doks.digitalocean.com/node-pool", "doks"),
    ];
    const SCHEMES: &[(&str, &str)] = &[
        ("azure://", "azure"),
        ("aws://", "aws"),
        ("gce://", "gcp"),
        ("kind://", "kind"),
        ("k3s://", "k3s"),
        ("openstack://", "openstack"),
        ("vsphere://", "vsphere"),
        ("digitalocean://", "digitalocean"),
        ("hcloud://", "hetzner"),
        ("oci://", "oci"),
    ];
    let labels = crate::json::map(node, "/metadata/labels");
    let by_label = LABELS
        .iter()
        .find(|(label, _)| labels.is_some_and(|labels| labels.contains_key(*label)));
    let id = text(node, "/spec/providerID").unwrap_or_default();
    let by_scheme = || SCHEMES.iter().find(|(scheme, _)| id.starts_with(scheme));
    by_label.or_else(by_scheme).map(|(_, provider)| *provider)
}
