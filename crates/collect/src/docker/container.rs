//! Containers, running or not.

mod capabilities;
mod fields;
mod mounts;
mod ports;
mod running;
mod security;

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_engine::Client;
use seareeve_model::Fact;
use serde_json::{Map, Value, json};

use super::daemon::Security;
use super::engine::HostView;
use super::network::Network;
use super::options::Resolved;
use super::volume::Volume;
use super::{environment, time, user};
use crate::shape::trim;
use seareeve_redact as redact;

pub(crate) use running::{attribute, from_layers};

/// All that a container is seen in the light of.
pub(crate) struct Surroundings<'a> {
    pub(crate) engine: &'a str,
    pub(crate) is_podman: bool,
    pub(crate) client: &'a Client,
    /// The host that the engine runs on, where that is this one.
    pub(crate) host: Option<&'a HostView<'a>>,
    pub(crate) now: Timestamp,
    pub(crate) options: &'a Resolved,
    pub(crate) security: &'a Security,
    pub(crate) volumes: &'a [Volume],
    pub(crate) networks: &'a [Network],
    /// The processes of each container, by its id.
    pub(crate) processes: &'a BTreeMap<String, Vec<u32>>,
}

/// A container as it is told.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image_id: String,
    data: Map<String, Value>,
}

impl Container {
    /// Reads what "Inspect a container" gives. Nothing for what is not about `id`.
    pub(crate) fn read(id: &str, document: Value, around: &Surroundings<'_>) -> Option<Self> {
        if document.get("Id").and_then(Value::as_str) != Some(id) {
            return None;
        }
        let layers = document.pointer("/GraphDriver/Data").cloned();
        let pairs: Vec<String> = environment::texts(document.pointer("/Config/Env"))
            .map(str::to_owned)
            .collect();
        let (mut data, problems) = trim(document, fields::CONTAINER);
        redact(&mut data);
        without_empty_health(&mut data);
        let name = text(&data, "Name").trim_start_matches('/').to_owned();
        data.insert("Name".to_owned(), json!(name));
        let image_id = text(&data, "Image").to_owned();

        let mut derived = Derived(&mut data);
        derived.put("engine", json!(around.engine));
        derived.put(
            "env",
            json!(environment::told(pairs.iter().map(String::as_str))),
        );
        let files = environment::secret_files(pairs.iter().map(String::as_str));
        derived.put("env_file_secrets", json!(files));
        derived.ages(around.now);
        derived.image();
        derived.capabilities(around.is_podman);
        derived.put_if("security", security::told(derived.0, around));
        derived.put_if(
            "mounts",
            mounts::told(derived.0, around.volumes, around.host),
        );
        derived.put_if("ports", ports::told(derived.0));
        derived.put_if("networks", networks(derived.0, around));
        let seen = running::Seen::find(id, derived.0, around);
        let passwd = |path: &str| seen.file(path, layers.as_ref());
        if let Some(wanted) = value(derived.0, &["Config", "User"]).and_then(Value::as_str) {
            let resolved = user::resolve(wanted, &passwd);
            derived.put("user", resolved);
        }
        for (key, told) in seen.told() {
            derived.put(key, told);
        }
        if !problems.is_empty() {
            derived.put("problems", json!(problems));
        }
        Some(Self {
            id: id.to_owned(),
            name,
            image_id,
            data,
        })
    }

    pub(crate) fn into_fact(self) -> Fact {
        Fact {
            id: self.id,
            name: self.name,
            data: Value::Object(self.data),
        }
    }

    pub(crate) fn has_volume(&self, name: &str) -> bool {
        list(&self.data, &["Mounts"]).any(|mount| {
            mount.get("Type").and_then(Value::as_str) == Some("volume")
                && mount.get("Name").and_then(Value::as_str) == Some(name)
        })
    }

    pub(crate) fn is_in(&self, id: &str, name: &str) -> bool {
        let networks = value(&self.data, &["NetworkSettings", "Networks"]);
        networks.and_then(Value::as_object).is_some_and(|networks| {
            networks.iter().any(|(key, network)| {
                key == name || network.get("NetworkID").and_then(Value::as_str) == Some(id)
            })
        })
    }
}

/// A container's document, to which what follows from it is added.
struct Derived<'a>(&'a mut Map<String, Value>);

impl Derived<'_> {
    fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    fn put_if(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn ages(&mut self, now: Timestamp) {
        for (key, path) in [
            ("created_days", &["Created"][..]),
            ("started_days", &["State", "StartedAt"]),
            ("finished_days", &["State", "FinishedAt"]),
        ] {
            let then = value(self.0, path).and_then(Value::as_str);
            let days = then.and_then(|then| time::days(then, now));
            self.put_if(key, days.map(|days| json!(days)));
        }
    }

    /// What it was asked for as. `Image` is the id.
    fn image(&mut self) {
        let Some(reference) = value(self.0, &["Config", "Image"]).and_then(Value::as_str) else {
            return;
        };
        let (name, digest) = reference.split_once('@').unwrap_or((reference, ""));
        let tag = match name.rsplit_once(':') {
            // A colon before a slash is that of a port; an id is no name with a tag.
            Some((before, tag)) if !tag.contains('/') && before != "sha256" => tag,
            _ => "",
        };
        let image = json!({
            "id": text(self.0, "Image"), "reference": reference, "tag": tag, "digest": digest,
        });
        self.put("image", image);
    }

    fn capabilities(&mut self, is_podman: bool) {
        let added = value(self.0, &["HostConfig", "CapAdd"]);
        let dropped = value(self.0, &["HostConfig", "CapDrop"]);
        let privileged = value(self.0, &["HostConfig", "Privileged"]).and_then(Value::as_bool);
        if let (Some(_), Some(_), Some(privileged)) = (added, dropped, privileged) {
            let told = capabilities::told(
                environment::texts(added),
                environment::texts(dropped),
                privileged,
                is_podman,
            );
            self.put("capabilities", told);
        }
    }
}

fn networks(data: &Map<String, Value>, around: &Surroundings<'_>) -> Option<Value> {
    let own = value(data, &["NetworkSettings", "Networks"])?.as_object()?;
    let told = own.iter().map(|(name, network)| {
        let id = network
            .get("NetworkID")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let known = around
            .networks
            .iter()
            .find(|known| known.id == id || known.name == *name);
        // Podman names it as it does itself here, and as Docker does in its list of networks.
        let is_default = known.is_some_and(|known| known.is_default_bridge)
            || (around.is_podman && name == "podman");
        json!({"name": name, "id": id, "default_bridge": is_default})
    });
    Some(told.collect())
}

/// Podman tells of the health of containers that nobody checks.
fn without_empty_health(data: &mut Map<String, Value>) {
    let Some(Value::Object(state)) = data.get_mut("State") else {
        return;
    };
    let status = state.get("Health").and_then(|health| health.get("Status"));
    if status.is_some_and(|status| status == "" || status == "none") {
        state.remove("Health");
    }
}

/// Takes credentials out of what people write.
fn redact(data: &mut Map<String, Value>) {
    let arguments = |value: &mut Value| {
        let redacted = redact::arguments(environment::texts(Some(value)));
        *value = json!(redacted);
    };
    data.get_mut("Args").map(arguments);
    if let Some(Value::Object(config)) = data.get_mut("Config") {
        config.get_mut("Cmd").map(arguments);
        config.get_mut("Entrypoint").map(arguments);
        for list in ["Labels"] {
            if let Some(Value::Object(map)) = config.get_mut(list) {
                redact::map(map);
            }
        }
        if let Some(test) = config
            .get_mut("Healthcheck")
            .and_then(|check| check.get_mut("Test"))
        {
            arguments(test);
        }
    }
    if let Some(options) = data
        .get_mut("HostConfig")
        .and_then(|config| config.get_mut("LogConfig"))
        .and_then(|config| config.get_mut("Config"))
        .and_then(Value::as_object_mut)
    {
        redact::map(options);
    }
}

fn value<'a>(data: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(data.get(*first)?, |value, key| value.get(key))
}

fn text<'a>(data: &'a Map<String, Value>, key: &str) -> &'a str {
    data.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(data: &'a Map<String, Value>, path: &[&str]) -> impl Iterator<Item = &'a Value> {
    value(data, path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
