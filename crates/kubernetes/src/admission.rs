//! The fact about admission control: what stands between a request and the cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::cluster::minor;
use crate::json::{list, put, text, texts};
use crate::namespace::pod_security;
use crate::resource::Resource;
use crate::state::{Key, State};

/// Policy engines by their webhooks' services and configurations, and by their API groups.
const ENGINES: &[(&str, &[&str], &[&str])] = &[
    ("gatekeeper", &["gatekeeper"], &["templates.gatekeeper.sh"]),
    ("azure-policy", &["azure-policy"], &[]),
    (
        "kyverno",
        &["kyverno"],
        &["kyverno.io", "policies.kyverno.io"],
    ),
    ("kubewarden", &["kubewarden"], &["policies.kubewarden.io"]),
    ("jspolicy", &["jspolicy"], &["policy.jspolicy.com"]),
    ("datree", &["datree"], &[]),
    ("seareeve", &["seareeve"], &[]),
];

const READ: [Resource; 5] = [
    Resource::Namespace,
    Resource::ValidatingWebhookConfiguration,
    Resource::MutatingWebhookConfiguration,
    Resource::ValidatingAdmissionPolicy,
    Resource::ValidatingAdmissionPolicyBinding,
];

pub(crate) fn data(state: &State) -> Value {
    let namespaces = state.values(Resource::Namespace).map(|(key, value)| {
        let mut item = Map::new();
        item.insert("namespace".to_owned(), key.name.as_str().into());
        let labels = pod_security(&value);
        for mode in ["enforce", "audit", "warn"] {
            put(&mut item, mode, labels.get(mode).cloned());
        }
        put(
            &mut item,
            "enforce_version",
            labels.get("enforce-version").cloned(),
        );
        Value::Object(item)
    });
    let pod_security: Vec<Value> = namespaces.collect();
    let mut engines = Engines::default();
    let mut webhooks = Vec::new();
    for (resource, kind) in [
        (Resource::ValidatingWebhookConfiguration, "validating"),
        (Resource::MutatingWebhookConfiguration, "mutating"),
    ] {
        for (key, value) in state.values(resource) {
            for hook in list(&value, "/webhooks") {
                let service = text(hook, "/clientConfig/service/name").unwrap_or_default();
                engines.look_at(&format!("{} {service}", key.name), &key.id());
                webhooks.push(webhook(kind, &key.name, hook));
            }
        }
    }
    for group in state.about().api_groups.iter().flatten() {
        engines.look_at_group(group);
    }
    for key in state
        .objects_of(Resource::Deployment)
        .filter(|key| is_engine(key))
    {
        engines.look_at(&key.name, &key.id());
    }
    let incomplete = READ
        .iter()
        .filter(|resource| state.gap(**resource).is_some());
    let incomplete: Vec<String> = incomplete.map(ToString::to_string).collect();
    let mut data = json!({
        "pod_security": pod_security,
        "webhooks": webhooks,
        "policies": policies(state),
        "engines": engines.into_json(),
        "incomplete": incomplete,
    });
    // Kubernetes 1.25 has none any more.
    let minor = state.about().version.as_deref().and_then(minor);
    if let (Some(minor), Some(data)) = (minor, data.as_object_mut()) {
        data.insert("pod_security_policies".to_owned(), (minor < 25).into());
    }
    data
}

/// Whether a deployment says by its name that it is a policy engine: this one has no webhook of its own.
pub(crate) fn is_engine(deployment: &Key) -> bool {
    deployment.name.starts_with("azure-policy")
}

fn webhook(kind: &str, configuration: &str, hook: &Value) -> Value {
    let mut item = Map::new();
    item.insert("kind".to_owned(), kind.into());
    item.insert("configuration".to_owned(), configuration.into());
    put(&mut item, "name", text(hook, "/name"));
    // What v1 of the API fills in.
    let policy = text(hook, "/failurePolicy").unwrap_or("Fail");
    item.insert("failurePolicy".to_owned(), policy.into());
    let part = |name: &str| {
        let service = hook.pointer("/clientConfig/service")?;
        service.get(name)?.as_str()
    };
    let service = part("namespace").zip(part("name"));
    put(
        &mut item,
        "service",
        service.map(|(namespace, name)| format!("{namespace}/{name}")),
    );
    let is_url = hook.pointer("/clientConfig/url").is_some();
    item.insert("url".to_owned(), is_url.into());
    let rules = list(hook, "/rules");
    item.insert("pods".to_owned(), rules.iter().any(covers_pods).into());
    let excluded: BTreeSet<&str> = list(hook, "/namespaceSelector/matchExpressions")
        .iter()
        .filter(|wanted| {
            text(wanted, "/operator") == Some("NotIn")
                && text(wanted, "/key") == Some("kubernetes.io/metadata.name")
        })
        .flat_map(|wanted| texts(wanted, "/values"))
        .collect();
    item.insert("excluded_namespaces".to_owned(), json!(excluded));
    Value::Object(item)
}

/// Whether a rule of a webhook or a policy is asked when a pod is made.
fn covers_pods(rule: &Value) -> bool {
    let has = |pointer: &str, wanted: &[&str]| {
        texts(rule, pointer).any(|entry| entry == "*" || wanted.contains(&entry))
    };
    has("/operations", &["CREATE"])
        && has("/apiGroups", &[""])
        && has("/resources", &["pods", "*/*", "pods/*"])
        && text(rule, "/scope") != Some("Cluster")
}

fn policies(state: &State) -> Vec<Value> {
    let mut bindings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (key, value) in state.values(Resource::ValidatingAdmissionPolicyBinding) {
        let policy = text(&value, "/spec/policyName").unwrap_or_default();
        let actions: Vec<&str> = texts(&value, "/spec/validationActions").collect();
        let of_policy = bindings.entry(policy.to_owned()).or_default();
        of_policy.push(json!({"name": key.name, "actions": actions}));
    }
    let policies = state
        .values(Resource::ValidatingAdmissionPolicy)
        .map(|(key, value)| {
            let rules = list(&value, "/spec/matchConstraints/resourceRules");
            json!({
                "name": key.name,
                "failurePolicy": text(&value, "/spec/failurePolicy").unwrap_or("Fail"),
                "pods": rules.iter().any(covers_pods),
                "bindings": bindings.get(&key.name).cloned().unwrap_or_default(),
            })
        });
    policies.collect()
}

#[derive(Default)]
struct Engines(BTreeMap<&'static str, BTreeSet<String>>);

impl Engines {
    fn look_at(&mut self, names: &str, found: &str) {
        for (engine, parts, _) in ENGINES {
            if parts.iter().any(|part| names.contains(part)) {
                self.0.entry(engine).or_default().insert(found.to_owned());
            }
        }
    }

    fn look_at_group(&mut self, group: &str) {
        for (engine, _, groups) in ENGINES {
            if groups.contains(&group) {
                let found = format!("API group {group}");
                self.0.entry(engine).or_default().insert(found);
            }
        }
    }

    fn into_json(self) -> Vec<Value> {
        let engines = self.0.into_iter();
        engines
            .map(|(name, found)| json!({"name": name, "found": found}))
            .collect()
    }
}
