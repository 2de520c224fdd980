//! Networks.

use std::collections::BTreeMap;

use seareeve_model::Fact;
use serde_json::{Value, json};

use super::container::Container;
use crate::shape::{Shape, trim};
use seareeve_redact as redact;

const FIELDS: &[(&str, Shape)] = &[
    ("Id", Shape::Text),
    ("Name", Shape::Text),
    ("Driver", Shape::Text),
    ("Scope", Shape::Text),
    ("Created", Shape::Text),
    ("Internal", Shape::Bool),
    ("Attachable", Shape::Bool),
    ("Ingress", Shape::Bool),
    ("EnableIPv6", Shape::Bool),
    ("Options", Shape::Map(&Shape::Text)),
    ("Labels", Shape::Map(&Shape::Text)),
];

/// A network, before it is known who is in it.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_default_bridge: bool,
    data: BTreeMap<String, Value>,
}

impl Network {
    /// Nothing for what has no id.
    pub(crate) fn read(document: Value, is_podman: bool) -> Option<Self> {
        let (mut kept, problems) = trim(document, FIELDS);
        let text = |name: &str| {
            kept.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (id, name, driver) = (text("Id"), text("Name"), text("Driver"));
        if id.is_empty() {
            return None;
        }
        let option = |name: &str| kept.get("Options")?.get(name)?.as_str();
        // Podman has no such option. The network that containers are in unasked is its `podman`, which its Docker
        // interface calls `bridge`.
        let is_default_bridge = option("com.docker.network.bridge.default_bridge") == Some("true")
            || (is_podman && ["podman", "bridge"].contains(&name.as_str()));
        // Present and not `false`: the command line sets it without a value.
        let encrypted =
            driver == "overlay" && option("encrypted").is_some_and(|value| value != "false");
        for field in ["Options", "Labels"] {
            if let Some(Value::Object(map)) = kept.get_mut(field) {
                redact::map(map);
            }
        }
        let mut data: BTreeMap<String, Value> = kept.into_iter().collect();
        data.insert("default_bridge".to_owned(), json!(is_default_bridge));
        data.insert("encrypted".to_owned(), json!(encrypted));
        if !problems.is_empty() {
            data.insert("problems".to_owned(), json!(problems));
        }
        Some(Self {
            id,
            name,
            is_default_bridge,
            data,
        })
    }

    /// Whether containers in it may talk to each other, where it says so.
    pub(crate) fn icc(&self) -> Option<bool> {
        let options = self.data.get("Options")?;
        let value = options.get("com.docker.network.bridge.enable_icc")?;
        value.as_str()?.parse().ok()
    }

    pub(crate) fn fact(&self, engine: &str, containers: &[Container]) -> Fact {
        let within = containers
            .iter()
            .filter(|container| container.is_in(&self.id, &self.name));
        let mut data = self.data.clone();
        data.insert("engine".to_owned(), json!(engine));
        data.insert(
            "containers".to_owned(),
            within.map(|container| json!(container.id)).collect(),
        );
        Fact {
            id: self.id.clone(),
            name: self.name.clone(),
            data: json!(data),
        }
    }
}
