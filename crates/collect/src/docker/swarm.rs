//! A swarm, as a manager sees it. Tokens, keys and the content of secrets are not asked for or not kept.

use jiff::Timestamp;
use seareeve_engine::{AskError, Client};
use seareeve_model::{CollectionStatus, Fact};
use serde_json::{Map, Value, json};

use super::daemon::Daemon;
use super::environment::{self, texts};
use super::gathered::Gathered;
use super::time;
use crate::certificate;
use crate::host::root::Root;
use crate::shape::{Shape, trim};

const KIND: &str = "docker.swarm";
/// Items of one list that are told.
const ITEMS: usize = 10_000;
/// Nanoseconds of an hour.
const HOUR: i64 = 3_600_000_000_000;
/// Bytes of the engine's own file.
const STATE: u64 = 1 << 20;

const FIELDS: &[(&str, Shape)] = &[
    ("ID", Shape::Text),
    ("CreatedAt", Shape::Text),
    ("DataPathPort", Shape::Int),
    ("DefaultAddrPool", Shape::List(&Shape::Text)),
    ("RootRotationInProgress", Shape::Bool),
    (
        "Spec",
        Shape::Object(&[
            (
                "Orchestration",
                Shape::Object(&[("TaskHistoryRetentionLimit", Shape::Int)]),
            ),
            (
                "Raft",
                Shape::Object(&[
                    ("SnapshotInterval", Shape::Int),
                    ("HeartbeatTick", Shape::Int),
                    ("ElectionTick", Shape::Int),
                ]),
            ),
            (
                "Dispatcher",
                Shape::Object(&[("HeartbeatPeriod", Shape::Int)]),
            ),
            ("CAConfig", Shape::Object(&[("NodeCertExpiry", Shape::Int)])),
            (
                "EncryptionConfig",
                Shape::Object(&[("AutoLockManagers", Shape::Bool)]),
            ),
        ]),
    ),
];

/// Adds the swarm that an engine manages.
pub(crate) fn collect(
    daemon: &Daemon<'_>,
    client: &Client,
    root: Option<&Root>,
    now: Timestamp,
    gathered: &mut Gathered,
) {
    gathered.source(KIND, format!("{} /swarm", daemon.id));
    let state = daemon
        .swarm("LocalNodeState")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if daemon.is_podman || matches!(state, "" | "inactive") {
        gathered.fail(
            KIND,
            CollectionStatus::Absent,
            "no engine here is in a swarm",
        );
        return;
    }
    if daemon.swarm("ControlAvailable") != Some(&json!(true)) {
        let detail = format!(
            "{} is {state} in a swarm and no manager of it, so it may not ask",
            daemon.id
        );
        gathered.fail(KIND, CollectionStatus::Unsupported, detail);
        return;
    }
    match read(daemon, client, root, now, gathered) {
        Ok(fact) => gathered.add(KIND, fact),
        Err(error) => gathered.refused(KIND, &error),
    }
}

fn read(
    daemon: &Daemon<'_>,
    client: &Client,
    root: Option<&Root>,
    now: Timestamp,
    gathered: &mut Gathered,
) -> Result<Fact, AskError> {
    let document: Value = client.json("/swarm")?;
    let trust_root = document
        .pointer("/TLSInfo/TrustRoot")
        .and_then(Value::as_str);
    let validity = trust_root.and_then(certificate::validity);
    let (mut data, problems) = trim(document, FIELDS);
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    put("engine", Some(json!(daemon.id)));
    put("node_addr", daemon.swarm("NodeAddr").cloned());
    put(
        "ca",
        validity.map(|(from, until)| {
            json!({
                "not_before": from.to_string(), "not_after": until.to_string(),
                "age_days": time::since(from.as_second(), now),
                "expires_days": days_until(until, now),
            })
        }),
    );
    let state = root.zip(daemon.data_root()).and_then(|(root, folder)| {
        let text = root
            .read(&folder.join("swarm/docker-state.json"), STATE)
            .ok()?;
        serde_json::from_slice::<Value>(&text).ok()
    });
    if let Some(state) = &state {
        let text = |key: &str| state.get(key).and_then(Value::as_str).unwrap_or_default();
        put("data_path_addr", Some(json!(text("DataPathAddr"))));
        let listen = text("ListenAddr");
        if let Some((host, _port)) = listen.rsplit_once(':') {
            let wildcard = matches!(host, "" | "0.0.0.0" | "[::]" | "::");
            put(
                "control_listener",
                Some(json!({"address": listen, "wildcard": wildcard})),
            );
        }
    }
    // What one of these lacks does not take the others away.
    let mut asked = |path: &str, told: fn(&Value) -> Value| match client.json::<Value>(path) {
        Ok(Value::Array(items)) => Some(items.iter().take(ITEMS).map(told).collect::<Vec<_>>()),
        Ok(_) => {
            let detail = format!("{} answered {path} with no list", daemon.id);
            gathered.fail(KIND, CollectionStatus::Error, detail);
            None
        }
        Err(error) => {
            gathered.refused(KIND, &error);
            None
        }
    };
    let nodes = asked("/nodes", node);
    let services = asked("/services", service);
    let secrets = asked("/secrets", |_| Value::Null);
    let configs = asked("/configs", |_| Value::Null);
    if let Some(nodes) = &nodes {
        let count = |role: &str| {
            nodes
                .iter()
                .filter(|node| node.get("role") == Some(&json!(role)))
                .count()
        };
        put("managers", Some(json!(count("manager"))));
        put("workers", Some(json!(count("worker"))));
    }
    put("nodes", nodes.map(Value::Array));
    put("services", services.map(Value::Array));
    put("secrets", secrets.map(|list| json!(list.len())));
    put("configs", configs.map(|list| json!(list.len())));
    put("problems", (!problems.is_empty()).then(|| json!(problems)));
    let hours = data
        .get("Spec")
        .and_then(|spec| spec.pointer("/CAConfig/NodeCertExpiry"))
        .and_then(Value::as_i64);
    if let Some(expiry) = hours {
        data.insert(
            "node_cert_expiry_hours".to_owned(),
            json!(expiry.div_euclid(HOUR)),
        );
    }
    let id = data
        .get("ID")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(Fact {
        id: format!("{} {id}", daemon.id).trim_end().to_owned(),
        name: id,
        data: Value::Object(data),
    })
}

/// Whole days that are left; negative when none are.
fn days_until(until: Timestamp, now: Timestamp) -> i64 {
    until
        .as_second()
        .saturating_sub(now.as_second())
        .div_euclid(86_400)
}

fn node(node: &Value) -> Value {
    let text = |path: &str| {
        node.pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    json!({
        "id": text("/ID"), "hostname": text("/Description/Hostname"), "role": text("/Spec/Role"),
        "availability": text("/Spec/Availability"), "state": text("/Status/State"), "addr": text("/Status/Addr"),
        "leader": node.pointer("/ManagerStatus/Leader") == Some(&json!(true)),
        "manager_addr": text("/ManagerStatus/Addr"),
        "engine_version": text("/Description/Engine/EngineVersion"),
    })
}

fn service(service: &Value) -> Value {
    let text = |path: &str| {
        service
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let container = service.pointer("/Spec/TaskTemplate/ContainerSpec");
    let names = |key: &str, name: &str| -> Vec<Value> {
        let list = container
            .and_then(|container| container.get(key))
            .and_then(Value::as_array);
        let names = list
            .into_iter()
            .flatten()
            .filter_map(|one| one.get(name)?.as_str());
        names.map(|name| json!(name)).collect()
    };
    let env = container.and_then(|container| container.get("Env"));
    Value::Object(Map::from_iter([
        ("id".to_owned(), json!(text("/ID"))),
        ("name".to_owned(), json!(text("/Spec/Name"))),
        (
            "image".to_owned(),
            json!(text("/Spec/TaskTemplate/ContainerSpec/Image")),
        ),
        ("secrets".to_owned(), json!(names("Secrets", "SecretName"))),
        ("configs".to_owned(), json!(names("Configs", "ConfigName"))),
        ("env".to_owned(), json!(environment::told(texts(env)))),
    ]))
}
