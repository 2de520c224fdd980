//! Facts for judging: of one object, without the containers that a rule leaves out, and with what scans found.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use seareeve_posture::fits;
use serde_json::Value;

use crate::images::{self, Images};
use crate::policy::Rule;

const WORKLOAD: &str = "kubernetes.workload";
const SCANS: &str = "image.scan";
const CONTAINER_LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A snapshot of these facts alone.
pub(crate) fn snapshot(kind: &FactKind, items: Vec<Fact>) -> Snapshot {
    let source = "admission";
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "kubernetes-cluster".to_owned(),
        asset_id: source.to_owned(),
        asset_name: source.to_owned(),
        // Nothing that is judged here depends on it.
        collected_at: Timestamp::UNIX_EPOCH,
        collector: source.to_owned(),
        facts: BTreeMap::from([(kind.clone(), Collection::of(source, items))]),
    }
}

/// Adds what scans found in the images that facts name.
pub(crate) fn add_scans(snapshot: &mut Snapshot, images: &dyn Images) {
    let mut found = BTreeMap::new();
    for collection in snapshot.facts.values() {
        for fact in &collection.items {
            for container in containers(&fact.data) {
                let name = container.get("image").and_then(Value::as_str);
                let Some(name) = name.and_then(images::full_name) else {
                    continue;
                };
                if !found.contains_key(&name)
                    && let Some(scanned) = images.scanned(&name)
                {
                    let fact = images::fact(&name, &scanned);
                    found.insert(name, fact);
                }
            }
        }
    }
    let kind = FactKind::new(SCANS).expect("it is a constant of that form");
    let scans = Collection::of("admission", found.into_values().collect());
    snapshot.facts.insert(kind, scans);
}

/// The containers of a workload's fact.
pub(crate) fn containers(data: &Value) -> Vec<&Value> {
    seareeve_kubernetes::containers(data.get("spec").unwrap_or(&Value::Null))
}

/// Whether a rule leaves a container out.
pub(crate) fn is_excluded(rule: &Rule, container: &Value) -> bool {
    let is_in = |list: &[String], field: &str| {
        let text = container.get(field).and_then(Value::as_str);
        text.is_some_and(|text| list.iter().any(|pattern| fits(pattern, text)))
    };
    is_in(&rule.excluded_containers, "name") || is_in(&rule.excluded_images, "image")
}

/// The fact without containers for which `is_out` holds; nothing, if there are none such.
pub(crate) fn without(fact: &Fact, is_out: impl Fn(&Value) -> bool) -> Option<Fact> {
    if fact.data.get("spec").is_none() || !containers(&fact.data).into_iter().any(&is_out) {
        return None;
    }
    let mut fact = fact.clone();
    let spec = fact.data.get_mut("spec")?;
    for list in CONTAINER_LISTS {
        if let Some(list) = spec.get_mut(list).and_then(Value::as_array_mut) {
            list.retain(|container| !is_out(container));
        }
    }
    let left: Vec<String> = containers(&fact.data)
        .into_iter()
        .filter_map(|container| container.get("name")?.as_str().map(str::to_owned))
        .collect();
    let effective = fact.data.pointer_mut("/effective/containers");
    if let Some(effective) = effective.and_then(Value::as_array_mut) {
        effective.retain(|container| {
            let name = container.get("name").and_then(Value::as_str);
            name.is_some_and(|name| left.iter().any(|own| own == name))
        });
    }
    Some(fact)
}

/// Whether facts of a kind have containers.
pub(crate) fn has_containers(kind: &FactKind) -> bool {
    kind.as_str() == WORKLOAD
}
