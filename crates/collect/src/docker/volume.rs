//! Volumes, some of which are a folder of the host in disguise.

use std::collections::BTreeMap;

use seareeve_model::Fact;
use serde_json::{Value, json};

use super::container::Container;
use crate::shape::{Shape, trim};
use seareeve_redact as redact;

const FIELDS: &[(&str, Shape)] = &[
    ("Name", Shape::Text),
    ("Driver", Shape::Text),
    ("Mountpoint", Shape::Text),
    ("Scope", Shape::Text),
    ("CreatedAt", Shape::Text),
    ("Options", Shape::Map(&Shape::Text)),
    ("Labels", Shape::Map(&Shape::Text)),
];

/// A volume.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) name: String,
    /// The folder of the host that it is.
    pub(crate) bind_of: String,
    data: BTreeMap<String, Value>,
}

impl Volume {
    /// Nothing for what has no name.
    pub(crate) fn read(document: Value) -> Option<Self> {
        let (mut kept, problems) = trim(document, FIELDS);
        let name = kept
            .get("Name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if name.is_empty() {
            return None;
        }
        let option = |name: &str| {
            let value = kept.get("Options").and_then(|options| options.get(name));
            value.and_then(Value::as_str).unwrap_or_default()
        };
        let is_local = kept.get("Driver").and_then(Value::as_str) == Some("local");
        let is_bind = option("o")
            .split(',')
            .any(|word| word == "bind" || word == "rbind");
        let bind_of = if is_local && is_bind {
            option("device").to_owned()
        } else {
            String::new()
        };
        for field in ["Options", "Labels"] {
            if let Some(Value::Object(map)) = kept.get_mut(field) {
                redact::map(map);
            }
        }
        let mut data: BTreeMap<String, Value> = kept.into_iter().collect();
        data.insert("bind_of".to_owned(), json!(bind_of));
        if !problems.is_empty() {
            data.insert("problems".to_owned(), json!(problems));
        }
        Some(Self {
            name,
            bind_of,
            data,
        })
    }

    pub(crate) fn fact(&self, engine: &str, containers: &[Container]) -> Fact {
        let users = containers
            .iter()
            .filter(|container| container.has_volume(&self.name));
        let mut data = self.data.clone();
        data.insert("engine".to_owned(), json!(engine));
        data.insert(
            "used_by".to_owned(),
            users.map(|container| json!(container.id)).collect(),
        );
        Fact {
            id: format!("{engine} {}", self.name),
            name: self.name.clone(),
            data: json!(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_may_be_a_folder_of_the_host() {
        for (options, bind_of) in [
            (
                json!({"type": "none", "o": "bind", "device": "/etc"}),
                "/etc",
            ),
            (json!({"o": "ro,rbind", "device": "/"}), "/"),
            (
                json!({"type": "nfs", "o": "addr=h,password=x", "device": ":/export"}),
                "",
            ),
            (Value::Null, ""),
        ] {
            let document = json!({"Name": "v", "Driver": "local", "Options": options});
            assert_eq!(Volume::read(document).unwrap().bind_of, bind_of);
        }
        assert!(Volume::read(json!({"Name": 1})).is_none());
    }
}
