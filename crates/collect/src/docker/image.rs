//! Images.

use jiff::Timestamp;
use seareeve_model::Fact;
use serde_json::{Map, Value, json};

use super::container::{Container, from_layers};
use super::{environment, history, time, user};
use crate::host::root::Root;
use crate::shape::{Shape, trim};
use seareeve_redact as redact;

const TEXTS: Shape = Shape::List(&Shape::Text);

const FIELDS: &[(&str, Shape)] = &[
    ("Id", Shape::Text),
    ("Created", Shape::Text),
    ("Size", Shape::Int),
    ("Os", Shape::Text),
    ("Architecture", Shape::Text),
    ("Author", Shape::Text),
    ("RepoTags", TEXTS),
    ("RepoDigests", TEXTS),
    (
        "Config",
        // From API 1.50 on, all that is empty is left out of it.
        Shape::Object(&[
            ("User", Shape::Omitted(&Shape::Text)),
            ("Cmd", Shape::Omitted(&TEXTS)),
            ("Entrypoint", Shape::Omitted(&TEXTS)),
            ("WorkingDir", Shape::Omitted(&Shape::Text)),
            ("ExposedPorts", Shape::Omitted(&Shape::Keys)),
            ("Volumes", Shape::Omitted(&Shape::Keys)),
            ("Labels", Shape::Omitted(&Shape::Map(&Shape::Text))),
            ("Healthcheck", Shape::Object(&[("Test", TEXTS)])),
            ("StopSignal", Shape::Omitted(&Shape::Text)),
            ("OnBuild", Shape::Omitted(&TEXTS)),
        ]),
    ),
];

/// Where an image came from, if it says so (OCI image specification, annotations).
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// An image as it is told.
#[derive(Debug)]
pub(crate) struct Image {
    id: String,
    data: Map<String, Value>,
}

impl Image {
    /// Reads what "Inspect an image" gives, and its history. Nothing for what is not about `id`.
    pub(crate) fn read(
        id: &str,
        document: Value,
        steps: Option<&[history::Step]>,
        engine: &str,
        root: Option<&Root>,
        now: Timestamp,
    ) -> Option<Self> {
        if document.get("Id").and_then(Value::as_str) != Some(id) {
            return None;
        }
        let folders = document.pointer("/GraphDriver/Data").cloned();
        let layers = document
            .pointer("/RootFS/Layers")
            .and_then(Value::as_array)
            .map(Vec::len);
        let pairs: Vec<String> = environment::texts(document.pointer("/Config/Env"))
            .map(str::to_owned)
            .collect();
        let (mut data, problems) = trim(document, FIELDS);
        let config = |key: &str| data.get("Config").and_then(|config| config.get(key));
        let label = |key: &str| config("Labels").and_then(|labels| labels.get(key)).cloned();
        let base = json!({
            "name": label(BASE_NAME).unwrap_or_else(|| "".into()),
            "digest": label(BASE_DIGEST).unwrap_or_else(|| "".into()),
        });
        let passwd = |path: &str| {
            let seen = root.zip(folders.as_ref());
            let file = seen.and_then(|(root, folders)| from_layers(root, folders, path));
            file.ok_or_else(|| "the layers of the image cannot be seen on this machine".to_owned())
        };
        let user = config("User")
            .and_then(Value::as_str)
            .map(|user| user::resolve(user, &passwd));
        let tags = environment::texts(data.get("RepoTags"));
        let is_dangling = tags.filter(|tag| *tag != "<none>:<none>").count() == 0;
        let created = data.get("Created").and_then(Value::as_str);
        let days = created.and_then(|created| time::days(created, now));
        for (key, value) in [
            ("base", Some(base)),
            ("user", user),
            (
                "dangling",
                data.contains_key("RepoTags").then(|| json!(is_dangling)),
            ),
            ("created_days", days.map(|days| json!(days))),
            ("engine", Some(json!(engine))),
            (
                "env",
                Some(json!(environment::told(pairs.iter().map(String::as_str)))),
            ),
            ("layers", layers.map(|layers| json!(layers))),
            ("history", steps.map(|steps| json!(history::told(steps)))),
            ("problems", (!problems.is_empty()).then(|| json!(problems))),
        ] {
            if let Some(value) = value {
                data.insert(key.to_owned(), value);
            }
        }
        redact(&mut data);
        Some(Self {
            id: id.to_owned(),
            data,
        })
    }

    pub(crate) fn into_fact(mut self, containers: &[Container]) -> Fact {
        let users = containers
            .iter()
            .filter(|container| container.image_id == self.id);
        let users: Value = users.map(|container| json!(container.id)).collect();
        self.data.insert("used_by".to_owned(), users);
        let tag = environment::texts(self.data.get("RepoTags")).next();
        Fact {
            name: tag.unwrap_or(&self.id).to_owned(),
            id: self.id,
            data: Value::Object(self.data),
        }
    }
}

fn redact(data: &mut Map<String, Value>) {
    let Some(Value::Object(config)) = data.get_mut("Config") else {
        return;
    };
    for key in ["Cmd", "Entrypoint", "OnBuild"] {
        if let Some(value) = config.get_mut(key) {
            *value = json!(redact::arguments(environment::texts(Some(value))));
        }
    }
    if let Some(Value::Object(labels)) = config.get_mut("Labels") {
        redact::map(labels);
    }
    if let Some(test) = config
        .get_mut("Healthcheck")
        .and_then(|check| check.get_mut("Test"))
    {
        *test = json!(redact::arguments(environment::texts(Some(test))));
    }
}
