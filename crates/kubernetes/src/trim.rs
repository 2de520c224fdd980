//! Cutting objects down on arrival: what no check needs goes, what is secret never stays.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::json::{list, text};
use crate::pods;
use crate::resource::Resource;
use seareeve_redact::{self as redact, REDACTED};

/// Longest annotation that is kept.
const MAX_ANNOTATION: usize = 1_024;

/// Annotations in which controllers note again and again that they are alive, or how far they are. An object that
/// differs in them alone is no other one.
const RESTLESS: [&str; 8] = [
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "cluster-autoscaler.kubernetes.io/last-updated",
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// Longest list of what runs in a pod that is kept.
const MAX_STATUSES: usize = 100;

pub(crate) fn trim(resource: Resource, value: &mut Value) {
    let status = status(resource, value);
    let keys = secret_keys(resource, value);
    let Some(object) = value.as_object_mut() else {
        return;
    };
    for unwanted in [
        "kind",
        "apiVersion",
        "status",
        "data",
        "stringData",
        "binaryData",
    ] {
        object.remove(unwanted);
    }
    if let Some(metadata) = object.get_mut("metadata") {
        trim_metadata(metadata);
    }
    if let Some(status) = status {
        object.insert("status".to_owned(), status);
    }
    if let Some(keys) = keys {
        object.insert("keys".to_owned(), keys);
    }
    match resource {
        Resource::SealedSecret => {
            object.remove("spec");
        }
        Resource::Namespace => {
            object.remove("spec");
        }
        Resource::ValidatingWebhookConfiguration | Resource::MutatingWebhookConfiguration => {
            trim_webhooks(object);
        }
        _ if resource.is_workload() => {
            if let Some(template) = pods::template_mut(resource, value) {
                trim_template(template);
            }
        }
        _ => {}
    }
}

fn trim_metadata(metadata: &mut Value) {
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    metadata.retain(|key, _| {
        matches!(
            key.as_str(),
            "labels"
                | "annotations"
                | "uid"
                | "creationTimestamp"
                | "generation"
                | "ownerReferences"
                | "generateName"
                | "deletionTimestamp"
        )
    });
    let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    annotations.retain(|name, _| !RESTLESS.contains(&name.as_str()));
    for (name, value) in annotations.iter_mut() {
        let Value::String(content) = value else {
            continue;
        };
        if redact::is_credential_name(name) {
            REDACTED.clone_into(content);
        } else if content.len() > MAX_ANNOTATION {
            *content = format!("[{} bytes]", content.len());
        } else {
            *content = redact::text(content);
        }
    }
}

/// What of the status is kept, in a form of ours where that is shorter.
fn status(resource: Resource, value: &Value) -> Option<Value> {
    let given = value.get("status")?;
    match resource {
        Resource::Namespace => Some(json!({"phase": given.get("phase")?})),
        Resource::Service => Some(json!({"loadBalancer": given.get("loadBalancer")?})),
        Resource::Pod => Some(pod_status(given)),
        Resource::Node => {
            // Heartbeats change with each beat; whether a condition holds seldom does.
            let conditions: Map<String, Value> = list(given, "/conditions")
                .iter()
                .filter_map(|condition| {
                    let kind = text(condition, "/type")?.to_owned();
                    Some((kind, condition.get("status")?.clone()))
                })
                .collect();
            let mut kept = Map::new();
            kept.insert("conditions".to_owned(), Value::Object(conditions));
            for part in ["nodeInfo", "addresses"] {
                if let Some(part_value) = given.get(part) {
                    kept.insert(part.to_owned(), part_value.clone());
                }
            }
            if let Some(info) = kept.get_mut("nodeInfo").and_then(Value::as_object_mut) {
                for changing in ["bootID", "machineID", "systemUUID", "swap"] {
                    info.remove(changing);
                }
            }
            Some(Value::Object(kept))
        }
        _ => None,
    }
}

fn pod_status(given: &Value) -> Value {
    let mut images: Vec<Value> = Vec::new();
    for statuses in [
        "initContainerStatuses",
        "containerStatuses",
        "ephemeralContainerStatuses",
    ] {
        for status in given
            .get(statuses)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(image) = text(status, "/image") else {
                continue;
            };
            let mut item = json!({"image": image});
            // `docker-pullable://name@sha256:…`, `name@sha256:…` or the id of a configuration, which is no digest
            // that a registry knows.
            let id = text(status, "/imageID").unwrap_or_default();
            let told = match id.rsplit_once('@') {
                Some((_, digest)) => Some(("digest", digest)),
                None => {
                    let id = id.rsplit_once("://").map_or(id, |(_, id)| id);
                    id.starts_with("sha256:").then_some(("id", id))
                }
            };
            if let (Some((name, digest)), Some(item)) = (told, item.as_object_mut()) {
                item.insert(name.to_owned(), digest.into());
            }
            if images.len() < MAX_STATUSES && !images.contains(&item) {
                images.push(item);
            }
        }
    }
    json!({"phase": given.get("phase").and_then(Value::as_str).unwrap_or_default(), "images": images})
}

/// The names under which a ConfigMap or a Secret keeps something.
fn secret_keys(resource: Resource, value: &Value) -> Option<Value> {
    let pointers: &[&str] = match resource {
        Resource::ConfigMap => &["/data", "/binaryData"],
        Resource::Secret => &["/data", "/stringData"],
        Resource::SealedSecret => &["/spec/encryptedData"],
        _ => return None,
    };
    let keys: BTreeSet<&String> = pointers
        .iter()
        .filter_map(|pointer| value.pointer(pointer)?.as_object())
        .flat_map(Map::keys)
        .take(1_000)
        .collect();
    // What sops writes instead of a value.
    let is_encrypted = resource == Resource::SealedSecret || value.get("sops").is_some();
    Some(json!({"names": keys, "encrypted": is_encrypted}))
}

/// The authorities that webhooks are checked by are large, and nobody judges them.
fn trim_webhooks(object: &mut Map<String, Value>) {
    let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
    for webhook in webhooks.into_iter().flatten() {
        let Some(config) = webhook
            .get_mut("clientConfig")
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        config.remove("caBundle");
        // Addresses may have passwords in them.
        if let Some(Value::String(url)) = config.get_mut("url") {
            *url = redact::text(url);
        }
    }
}

/// A pod template, or a pod.
fn trim_template(template: &mut Value) {
    if let Some(metadata) = template.get_mut("metadata") {
        trim_metadata(metadata);
    }
    let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    for kind in pods::CONTAINER_LISTS {
        let containers = spec.get_mut(kind).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            trim_container(container);
        }
    }
    // Drivers of volumes are told all sorts of things.
    for volume in spec
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for options in ["/csi/volumeAttributes", "/flexVolume/options"] {
            let options = volume.pointer_mut(options).and_then(Value::as_object_mut);
            for (name, value) in options.into_iter().flatten() {
                redact_value(name, value);
            }
        }
    }
}

fn trim_container(container: &mut Value) {
    // A reference has no password in it; what people write may.
    if let Some(Value::String(image)) = container.get_mut("image") {
        *image = redact::value(image);
    }
    let environment = container.get_mut("env").and_then(Value::as_array_mut);
    for variable in environment.into_iter().flatten() {
        if let Some(Value::String(value)) = variable.get_mut("value")
            && !value.is_empty()
            && !is_reference(value)
        {
            REDACTED.clone_into(value);
        }
    }
    for arguments in ["command", "args"] {
        let Some(Value::Array(arguments)) = container.get_mut(arguments) else {
            continue;
        };
        let texts: Vec<String> = arguments
            .iter()
            .map(|argument| {
                argument
                    .as_str()
                    .map_or_else(|| argument.to_string(), str::to_owned)
            })
            .collect();
        *arguments = redact::arguments(&texts)
            .into_iter()
            .map(Value::String)
            .collect();
    }
    for probe in [
        "/livenessProbe",
        "/readinessProbe",
        "/startupProbe",
        "/lifecycle/postStart",
        "/lifecycle/preStop",
    ] {
        let Some(probe) = container.pointer_mut(probe) else {
            continue;
        };
        let headers = probe
            .pointer_mut("/httpGet/httpHeaders")
            .and_then(Value::as_array_mut);
        for header in headers.into_iter().flatten() {
            if let Some(Value::String(value)) = header.get_mut("value") {
                REDACTED.clone_into(value);
            }
        }
        let command = probe
            .pointer_mut("/exec/command")
            .and_then(Value::as_array_mut);
        for argument in command.into_iter().flatten() {
            if let Value::String(argument) = argument {
                *argument = redact::text(argument);
            }
        }
    }
}

/// `$(NAME)`: the value is another variable's.
fn is_reference(value: &str) -> bool {
    value
        .strip_prefix("$(")
        .and_then(|rest| rest.strip_suffix(')'))
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn redact_value(name: &str, value: &mut Value) {
    if let Value::String(content) = value {
        *content = if redact::is_credential_name(name) {
            REDACTED.to_owned()
        } else {
            redact::text(content)
        };
    }
}
