//! Facts about workloads: what makes pods, and how they would run.

mod effective;

use std::collections::BTreeSet;

pub(crate) use effective::Automount;
use seareeve_model::ImageReference;
use serde_json::{Map, Value, json};

use crate::json::{map_or_empty, put, text};
use crate::pods::{self, with_roles};
use crate::resource::Resource;
use crate::state::{Key, State};
use seareeve_redact as redact;

/// Most pods whose running images are looked at for one workload.
const MAX_PODS: usize = 5_000;

/// Fills in the fact of a workload that has no controller of its own.
pub(crate) fn controller(
    state: &State,
    key: &Key,
    value: &mut Value,
    data: &mut Map<String, Value>,
) {
    // A manifest may lack what the API would ask for.
    let mut none = Value::Null;
    let template = pods::template_mut(key.resource, value).unwrap_or(&mut none);
    let spec = template
        .get_mut("spec")
        .map(Value::take)
        .unwrap_or_default();
    let spec = if spec.is_object() { spec } else { json!({}) };
    let labels = map_or_empty(template, "/metadata/labels");
    let annotations = map_or_empty(template, "/metadata/annotations");
    let pods = match key.resource {
        Resource::Pod => vec![key],
        _ => state.pods_of(key),
    };
    if state.is_cluster() {
        data.insert("pods".to_owned(), running(state, &pods));
    }
    put(data, "replicas", value.pointer("/spec/replicas").cloned());
    put(data, "schedule", value.pointer("/spec/schedule").cloned());
    put(data, "suspend", value.pointer("/spec/suspend").cloned());
    data.insert("departs".to_owned(), json!([]));
    finish(state, key, spec, labels, annotations, data);
}

/// Fills in the fact of pods that depart from what their controller says; `first` stands for all that are `alike`.
pub(crate) fn departed(
    state: &State,
    first: &Key,
    alike: &[&Key],
    controller: &Key,
    data: &mut Map<String, Value>,
) -> Option<()> {
    let mut value = state.value(first)?;
    data.insert("object".to_owned(), metadata(&value));
    let spec = value.get_mut("spec").map(Value::take).unwrap_or_default();
    let labels = map_or_empty(&value, "/metadata/labels");
    let annotations = map_or_empty(&value, "/metadata/annotations");
    data.insert("pods".to_owned(), running(state, alike));
    data.insert(
        "departs".to_owned(),
        state.departures(first, controller).into(),
    );
    data.insert("controller".to_owned(), controller.id().into());
    finish(state, first, spec, labels, annotations, data);
    Some(())
}

/// The metadata of an object, with maps where checks look for them.
fn metadata(value: &Value) -> Value {
    let mut object = map_or_empty(value, "/metadata");
    if let Some(object) = object.as_object_mut() {
        for always in ["labels", "annotations"] {
            object.entry(always).or_insert_with(|| json!({}));
        }
    }
    object
}

fn finish(
    state: &State,
    key: &Key,
    spec: Value,
    labels: Value,
    annotations: Value,
    data: &mut Map<String, Value>,
) {
    let is_static = key.resource == Resource::Pod && state.is_static(key);
    data.insert("static".to_owned(), is_static.into());
    if key.resource == Resource::Pod {
        put(data, "node", text(&spec, "/nodeName"));
    }
    data.insert("images".to_owned(), images(&spec));
    data.insert("inline_credentials".to_owned(), inline_credentials(&spec));
    let automount = state.automount(&key.namespace, pods::account(&spec));
    data.insert(
        "effective".to_owned(),
        effective::effective(&spec, &annotations, automount),
    );
    data.insert("labels".to_owned(), labels);
    data.insert("annotations".to_owned(), annotations);
    data.insert("spec".to_owned(), spec);
}

fn running(state: &State, pods: &[&Key]) -> Value {
    let mut images = BTreeSet::new();
    for pod in pods.iter().take(MAX_PODS) {
        let Some(value) = state.value(pod) else {
            continue;
        };
        for image in crate::json::list(&value, "/status/images") {
            let part = |name| image.get(name).and_then(Value::as_str).map(str::to_owned);
            images.extend(part("image").map(|name| (name, part("digest"), part("id"))));
        }
    }
    let images = images.into_iter().map(|(image, digest, id)| {
        let mut item = Map::new();
        item.insert("image".to_owned(), image.into());
        put(&mut item, "digest", digest);
        put(&mut item, "id", id);
        Value::Object(item)
    });
    let running = pods.iter().filter(|pod| state.is_running(pod)).count();
    json!({"total": pods.len(), "running": running, "images": images.collect::<Vec<Value>>()})
}

fn images(spec: &Value) -> Value {
    let images = with_roles(spec).map(|(role, container)| {
        let mut item = Map::new();
        put(&mut item, "container", text(container, "/name"));
        item.insert("role".to_owned(), role.as_str().into());
        let image = text(container, "/image").unwrap_or_default();
        item.insert("image".to_owned(), redact::text(image).into());
        match image.parse::<ImageReference>() {
            Ok(reference) => {
                item.insert("registry".to_owned(), reference.registry().into());
                item.insert("repository".to_owned(), reference.repository().into());
                put(&mut item, "tag", reference.tag());
                let digest = reference.digest().map(ToString::to_string);
                put(&mut item, "digest", digest);
            }
            Err(error) => {
                item.insert("unreadable".to_owned(), error.to_string().into());
            }
        }
        Value::Object(item)
    });
    images.collect()
}

/// Environment variables that have a credential in the pod spec itself.
fn inline_credentials(spec: &Value) -> Value {
    let found = with_roles(spec).flat_map(|(_, container)| {
        let name = text(container, "/name").unwrap_or_default();
        crate::json::list(container, "/env")
            .iter()
            .filter(|variable| {
                text(variable, "/value").is_some_and(|value| value == redact::REDACTED)
            })
            .filter_map(|variable| text(variable, "/name"))
            .filter(|variable| redact::is_credential_name(variable))
            .map(move |variable| json!({"container": name, "name": variable}))
    });
    found.collect()
}
