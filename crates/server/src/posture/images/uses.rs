//! Facts → the images that they name. Facts are foreign: what is not there, or not of its type, names nothing.

use std::collections::BTreeMap;

use seareeve_model::{Digest, Fact, FactKind, Snapshot};
use seareeve_store::clusters::Key;
use seareeve_store::image_uses::{Named, NewUse};
use serde_json::Value;

use super::kind;
use super::names::{pinned, spellings};
use crate::posture::listed;

const IMAGE: &str = "docker.image";
const CONTAINER: &str = "docker.container";
const WORKLOAD: &str = "kubernetes.workload";

/// Images of one workload, and of one host, that are noted.
const MOST_OF_WORKLOAD: usize = 200;
const MOST_OF_HOST: usize = 5_000;
/// Containers of one host, and names of one image, that are looked at.
const MOST_CONTAINERS: usize = 20_000;
const MOST_NAMES: usize = 20;

/// The kind of the facts about workloads.
pub(super) fn workload() -> FactKind {
    kind(WORKLOAD)
}

/// Whether facts of a kind name the images that a cluster runs.
pub(crate) fn is_workload(kind: &FactKind) -> bool {
    kind.as_str() == WORKLOAD
}

fn text<'d>(data: &'d Value, pointer: &str) -> Option<&'d str> {
    let text = data.pointer(pointer).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

fn list<'d>(data: &'d Value, pointer: &str, most: usize) -> impl Iterator<Item = &'d Value> {
    let list = data.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().take(most)
}

fn digest(text: &str) -> Option<String> {
    Some(text.parse::<Digest>().ok()?.to_string())
}

/// The images on a host: each by itself, and with the containers that were made of it.
pub(super) fn of_host(snapshot: &Snapshot) -> Vec<NewUse> {
    let facts = |kind: &str| listed::facts(snapshot, kind).map(|facts| facts.items.iter());
    let containers = facts(CONTAINER).into_iter().flatten();
    let mut by_image: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for container in containers.take(MOST_CONTAINERS) {
        if let Some(image) = text(&container.data, "/Image") {
            by_image.entry(image).or_default().push(container);
        }
    }
    let mut uses = Vec::new();
    for fact in facts(IMAGE).into_iter().flatten().take(MOST_OF_HOST) {
        let Some(image) = on_host(fact) else {
            continue;
        };
        let containers = by_image.get(image.identity.as_str());
        for container in containers.into_iter().flatten() {
            let is_running = container.data.pointer("/State/Running");
            uses.push(NewUse {
                image: image.clone(),
                object: key(CONTAINER, &container.id),
                name: container.name.clone(),
                sort: "Container".to_owned(),
                namespace: String::new(),
                is_running: is_running.and_then(Value::as_bool) == Some(true),
            });
        }
        uses.push(NewUse {
            object: key(IMAGE, &fact.id),
            name: fact.name.clone(),
            sort: "Image".to_owned(),
            namespace: String::new(),
            is_running: false,
            image,
        });
    }
    uses
}

fn key(kind: &str, object: &str) -> Key {
    Key {
        kind: kind.to_owned(),
        object: object.to_owned(),
    }
}

/// An image that a host's engine lists; nothing for what is left over of one, which checks leave out, too.
fn on_host(fact: &Fact) -> Option<Named> {
    let id = digest(text(&fact.data, "/Id")?)?;
    let is_dangling = fact.data.pointer("/dangling").and_then(Value::as_bool) == Some(true);
    if is_dangling && list(&fact.data, "/used_by", 1).next().is_none() {
        return None;
    }
    let names = |pointer| list(&fact.data, pointer, MOST_NAMES).filter_map(Value::as_str);
    let mut keys = vec![id.clone()];
    let mut known = None;
    for name in names("/RepoDigests") {
        let of_name = name.rsplit_once('@').and_then(|(_, text)| digest(text));
        known = known.or(of_name);
        keys.extend(spellings(name));
    }
    let name = names("/RepoTags").chain(names("/RepoDigests")).next();
    Some(Named {
        name: name.unwrap_or(&id).to_owned(),
        identity: id,
        digest: known,
        keys: apart(keys),
    })
}

/// The images of a workload: those that its pods run, as the runtime says it; where none runs, those that it names.
pub(crate) fn of_workload(id: &str, name: &str, data: &Value) -> Vec<NewUse> {
    let is_running = data.pointer("/pods/running").and_then(Value::as_u64);
    let told: Vec<Named> = list(data, "/pods/images", MOST_OF_WORKLOAD)
        .filter_map(|image| in_pods(data, image))
        .collect();
    let images = if told.is_empty() {
        let named = list(data, "/images", MOST_OF_WORKLOAD);
        named
            .filter_map(|image| Some(by_name(text(image, "/image")?)))
            .collect()
    } else {
        told
    };
    let part = |pointer| text(data, pointer).unwrap_or_default().to_owned();
    images
        .into_iter()
        .map(|image| NewUse {
            image,
            object: key(WORKLOAD, id),
            name: name.to_owned(),
            sort: part("/kind"),
            namespace: part("/namespace"),
            is_running: is_running.is_some_and(|running| running > 0),
        })
        .collect()
}

fn in_pods(data: &Value, image: &Value) -> Option<Named> {
    let told = text(image, "/image")?;
    // Some runtimes call an image by its id; then the pod spec knows its name, if there is no other.
    let mut named = list(data, "/images", 2).filter_map(|image| text(image, "/image"));
    let name = match (digest(told), named.next(), named.next()) {
        (Some(_), Some(only), None) => only,
        _ => told,
    };
    let id = text(image, "/id").and_then(digest).or_else(|| digest(told));
    match (text(image, "/digest").and_then(digest), id) {
        (Some(known), _) => {
            let mut keys = vec![known.clone()];
            keys.extend(pinned(name, &known).iter().flat_map(|full| spellings(full)));
            Some(Named {
                identity: known.clone(),
                name: name.to_owned(),
                digest: Some(known),
                keys: apart(keys),
            })
        }
        (None, Some(id)) => Some(Named {
            identity: id.clone(),
            name: name.to_owned(),
            digest: None,
            keys: vec![id],
        }),
        (None, None) => Some(by_name(name)),
    }
}

/// An image of which only the name is known: a tag says which one it is today.
fn by_name(name: &str) -> Named {
    let keys = apart(spellings(name));
    Named {
        identity: keys.last().cloned().unwrap_or_else(|| name.to_owned()),
        name: name.to_owned(),
        digest: None,
        keys,
    }
}

/// Each once, in their order.
fn apart(keys: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    for key in keys {
        if !seen.contains(&key) {
            seen.push(key);
        }
    }
    seen
}

/// The host of a registry, as references begin with it.
pub(super) fn registry_host(snapshot: &Snapshot) -> Option<String> {
    let of = |kind: &str, pointer: &str| {
        let facts = listed::facts(snapshot, kind)?;
        let host = text(&facts.items.first()?.data, pointer)?;
        Some(host.to_lowercase())
    };
    of("azure.registry", "/properties/loginServer").or_else(|| of("registry", "/host"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const OTHER: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn used(data: &Value) -> Vec<(String, String, bool)> {
        let uses = of_workload("Deployment/shop/web", "web", data).into_iter();
        uses.map(|used| (used.image.name, used.image.keys.join(" "), used.is_running))
            .collect()
    }

    #[test]
    fn what_runs_counts_and_what_is_only_named_is_known_by_its_name() {
        let named = json!([{"container": "a", "image": "r.example/a:1"}]);
        let running = |images: Value| {
            json!({"kind": "Deployment", "namespace": "shop", "images": named,
                "pods": {"total": 1, "running": 1, "images": images}})
        };
        assert_eq!(
            used(&running(json!([{"image": "r.example/a:1", "digest": ID}]))),
            [(
                "r.example/a:1".to_owned(),
                format!("{ID} r.example/a@{ID}"),
                true
            )]
        );
        // A runtime that knows the image by its configuration alone.
        assert_eq!(
            used(&running(json!([{"image": ID, "id": OTHER}]))),
            [("r.example/a:1".to_owned(), OTHER.to_owned(), true)]
        );
        // Nothing runs, or the runtime says nothing: the tag has to do.
        let by_tag = ("r.example/a:1".to_owned(), "r.example/a:1".to_owned());
        assert_eq!(
            used(&running(json!([{"image": "r.example/a:1"}]))),
            [(by_tag.0.clone(), by_tag.1.clone(), true)]
        );
        let idle = json!({"images": named, "pods": {"total": 0, "running": 0, "images": []}});
        assert_eq!(used(&idle), [(by_tag.0, by_tag.1, false)]);
    }

    #[test]
    fn foreign_facts_name_nothing_and_break_nothing() {
        for data in [
            json!(null),
            json!({"pods": {"images": [{}, 7, {"image": ""}], "running": -3}}),
            json!({"images": [[], {"image": 3}]}),
        ] {
            assert_eq!(used(&data), []);
        }
        let odd = used(&json!({"images": [{"image": "A B@sha256:zz"}]}));
        assert_eq!(odd.len(), 1, "{odd:?}");
    }
}
