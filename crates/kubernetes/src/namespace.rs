//! Facts about namespaces.

use seareeve_model::CollectionStatus;
use serde_json::{Map, Value, json};

use crate::json::put;
use crate::resource::Resource;
use crate::state::{Key, State};

const POD_SECURITY: &str = "pod-security.kubernetes.io/";

pub(crate) fn data(state: &State, key: &Key, value: &Value, data: &mut Map<String, Value>) {
    put(data, "phase", value.pointer("/status/phase").cloned());
    data.insert("pod_security".to_owned(), pod_security(value));
    let policies = [
        Resource::NetworkPolicy,
        Resource::CalicoNetworkPolicy,
        Resource::CiliumNetworkPolicy,
    ];
    // A cluster without Calico has none of its policies, which is known.
    let is_known = |policy: &Resource| {
        let gap = state.gap(*policy);
        gap.is_none_or(|gap| gap.status == CollectionStatus::Absent)
    };
    if policies.iter().all(is_known) {
        let count: usize = policies
            .iter()
            .map(|policy| state.count(*policy, &key.name))
            .fold(0, usize::saturating_add);
        data.insert("network_policies".to_owned(), count.into());
    }
    let workloads: usize = Resource::ALL
        .into_iter()
        .filter(|resource| resource.is_workload())
        .map(|resource| state.count(resource, &key.name))
        .fold(0, usize::saturating_add);
    let count = |resource| state.count(resource, &key.name);
    data.insert(
        "counts".to_owned(),
        json!({
            "workload": workloads,
            "service": count(Resource::Service),
            "ingress": count(Resource::Ingress),
            "service-account": count(Resource::ServiceAccount),
            "config-map": count(Resource::ConfigMap),
            "role-binding": count(Resource::RoleBinding),
        }),
    );
    let is_system = matches!(
        key.name.as_str(),
        "kube-system" | "kube-public" | "kube-node-lease"
    );
    data.insert("system".to_owned(), is_system.into());
}

/// The labels that switch Pod Security admission on, by the end of their names.
pub(crate) fn pod_security(namespace: &Value) -> Value {
    let labels = crate::json::map(namespace, "/metadata/labels");
    let given = labels
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.strip_prefix(POD_SECURITY)?, value)))
        .filter(|(name, _)| {
            let mode = name.strip_suffix("-version").unwrap_or(name);
            matches!(mode, "enforce" | "audit" | "warn")
        })
        .map(|(name, value)| (name.to_owned(), value.clone()));
    Value::Object(given.collect())
}
