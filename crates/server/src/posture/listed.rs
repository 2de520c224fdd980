//! What lists and pages show of a host's facts. Facts are foreign: whatever is not there, or not of its type, is left
//! empty.

use seareeve_api::HostContainer;
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use seareeve_store::assets::Engine;
use serde_json::Value;

/// Characters of any text that are shown.
const MOST_CHARACTERS: usize = 300;
/// One, as engines count them in `NanoCpus`.
const ONE_PROCESSOR: u64 = 1_000_000_000;

/// The facts of one kind.
pub(crate) fn facts<'s>(snapshot: &'s Snapshot, kind: &str) -> Option<&'s Collection> {
    snapshot.facts.get(&FactKind::new(kind).ok()?)
}

/// Its engines.
pub(crate) fn engines(snapshot: &Snapshot) -> Vec<Engine> {
    let daemons = facts(snapshot, "docker.daemon").map(|facts| facts.items.iter());
    let engine = |fact: &Fact| Engine {
        product: text(&fact.data, "/engine"),
        version: Some(text(&fact.data, "/version/Version"))
            .filter(|version| !version.is_empty())
            .unwrap_or_else(|| text(&fact.data, "/info/ServerVersion")),
        endpoint: text(&fact.data, "/endpoint"),
        rootless: yes(&fact.data, "/rootless"),
    };
    daemons.into_iter().flatten().map(engine).collect()
}

/// How many facts of a kind there are; nothing when not all could be had.
pub(crate) fn count(snapshot: &Snapshot, kind: &str) -> Option<u64> {
    let facts = facts(snapshot, kind)?;
    match facts.status {
        CollectionStatus::Ok | CollectionStatus::Absent => Some(facts.items.len() as u64),
        CollectionStatus::Denied | CollectionStatus::Unsupported | CollectionStatus::Error => None,
    }
}

/// How many containers run.
pub(crate) fn running(snapshot: &Snapshot) -> Option<u64> {
    count(snapshot, "docker.container")?;
    let containers = facts(snapshot, "docker.container")?.items.iter();
    let running = containers.filter(|fact| yes(&fact.data, "/State/Running"));
    Some(running.count() as u64)
}

/// A text of the host itself.
pub(crate) fn host_text(snapshot: &Snapshot, pointer: &str) -> Option<String> {
    let host = facts(snapshot, "host")?.items.first()?;
    Some(text(&host.data, pointer)).filter(|text| !text.is_empty())
}

/// Its containers, by name. `failed` says how many checks fail on the container of an id.
pub(crate) fn containers(snapshot: &Snapshot, failed: impl Fn(&str) -> u32) -> Vec<HostContainer> {
    let facts = facts(snapshot, "docker.container").map(|facts| facts.items.iter());
    let endpoints = engines_by_id(snapshot);
    let mut containers: Vec<HostContainer> = facts
        .into_iter()
        .flatten()
        .map(|fact| {
            let engine = text(&fact.data, "/engine");
            let endpoint = endpoints.iter().find(|(id, _)| *id == engine);
            HostContainer {
                engine: endpoint.map_or(engine, |(_, endpoint)| endpoint.clone()),
                failed: failed(&fact.id),
                ..container(fact)
            }
        })
        .collect();
    containers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    containers
}

fn engines_by_id(snapshot: &Snapshot) -> Vec<(String, String)> {
    let daemons = facts(snapshot, "docker.daemon").map(|facts| facts.items.iter());
    let pair = |fact: &Fact| (fact.id.clone(), text(&fact.data, "/endpoint"));
    daemons.into_iter().flatten().map(pair).collect()
}

fn container(fact: &Fact) -> HostContainer {
    let data = &fact.data;
    HostContainer {
        id: fact.id.clone(),
        name: cut(&fact.name),
        engine: String::new(),
        image: text(data, "/Config/Image"),
        state: text(data, "/State/Status"),
        user: text(data, "/user/name"),
        is_root: data.pointer("/user/is_root").and_then(Value::as_bool),
        privileged: yes(data, "/HostConfig/Privileged"),
        read_only: yes(data, "/HostConfig/ReadonlyRootfs"),
        network: text(data, "/HostConfig/NetworkMode"),
        pid_mode: text(data, "/HostConfig/PidMode"),
        ipc_mode: text(data, "/HostConfig/IpcMode"),
        uts_mode: text(data, "/HostConfig/UTSMode"),
        userns_mode: text(data, "/HostConfig/UsernsMode"),
        capabilities: texts(data, "/capabilities/added"),
        dropped: texts(data, "/capabilities/dropped"),
        no_new_privileges: data
            .pointer("/security/no_new_privileges")
            .and_then(Value::as_bool),
        seccomp: text(data, "/security/seccomp"),
        apparmor: text(data, "/security/apparmor"),
        memory_bytes: number(data, "/HostConfig/Memory").unwrap_or_default(),
        processors: processors(data),
        pids_limit: number(data, "/HostConfig/PidsLimit").filter(|limit| *limit > 0),
        restart: restart(data),
        health: text(data, "/State/Health/Status"),
        ports: list(data, "/ports").map(port).collect(),
        mounts: list(data, "/mounts")
            .filter(|mount| !text(mount, "/host_path").is_empty())
            .map(mount)
            .collect(),
        devices: list(data, "/HostConfig/Devices")
            .map(|device| text(device, "/PathOnHost"))
            .collect(),
        failed: 0,
    }
}

/// All that limits its use of processors: `docker run --cpus`, `--cpu-quota`, `--cpu-shares`, `--cpuset-cpus`. 1024 shares
/// are what those have that ask for none.
fn processors(data: &Value) -> String {
    let set = |key: &str| number(data, &format!("/HostConfig/{key}")).filter(|set| *set > 0);
    let mut said = Vec::new();
    let period = set("CpuPeriod").unwrap_or(100_000);
    let quota = set("CpuQuota").map(|quota| quota.saturating_mul(ONE_PROCESSOR) / period);
    if let Some(nano) = set("NanoCpus").or(quota) {
        let (whole, rest) = (nano / ONE_PROCESSOR, nano % ONE_PROCESSOR);
        let text = format!("{whole}.{rest:09}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        said.push(format!("{text} processors"));
    }
    if let Some(shares) = set("CpuShares").filter(|shares| *shares != 1024) {
        said.push(format!("{shares} shares"));
    }
    let cpus = text(data, "/HostConfig/CpusetCpus");
    if !cpus.is_empty() {
        said.push(format!("processors {cpus}"));
    }
    said.join(", ")
}

fn restart(data: &Value) -> String {
    let name = text(data, "/HostConfig/RestartPolicy/Name");
    match number(data, "/HostConfig/RestartPolicy/MaximumRetryCount") {
        Some(most) if most > 0 => format!("{name}:{most}"),
        _ => name,
    }
}

fn port(port: &Value) -> String {
    let number = |pointer: &str| number(port, pointer).unwrap_or_default();
    format!(
        "{}:{}->{}/{}",
        text(port, "/host_ip"),
        number("/host_port"),
        number("/container_port"),
        text(port, "/protocol")
    )
}

fn mount(mount: &Value) -> String {
    let mode = if yes(mount, "/rw") { "rw" } else { "ro" };
    format!(
        "{}->{} ({mode})",
        text(mount, "/host_path"),
        text(mount, "/destination")
    )
}

fn text(data: &Value, pointer: &str) -> String {
    cut(data
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default())
}

fn texts(data: &Value, pointer: &str) -> Vec<String> {
    let texts = list(data, pointer).filter_map(Value::as_str);
    texts.map(cut).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

fn yes(data: &Value, pointer: &str) -> bool {
    data.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

fn number(data: &Value, pointer: &str) -> Option<u64> {
    data.pointer(pointer).and_then(Value::as_u64)
}

/// At most a hundred: more than a person reads.
fn list<'d>(data: &'d Value, pointer: &str) -> impl Iterator<Item = &'d Value> {
    let list = data.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().take(100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(data: Value) -> HostContainer {
        container(&Fact {
            id: "c1".to_owned(),
            name: "web".to_owned(),
            data,
        })
    }

    #[test]
    fn limits_of_processors_are_told_together() {
        for (config, told) in [
            (json!({}), ""),
            (json!({"NanoCpus": 1_500_000_000}), "1.5 processors"),
            (json!({"NanoCpus": 10_000_000_000_u64}), "10 processors"),
            (json!({"NanoCpus": 500_000}), "0.0005 processors"),
            (json!({"NanoCpus": 1}), "0.000000001 processors"),
            (json!({"NanoCpus": 0, "CpuQuota": -1}), ""),
            (json!({"CpuQuota": 50_000}), "0.5 processors"),
            (
                json!({"CpuQuota": 50_000, "CpuPeriod": 25_000}),
                "2 processors",
            ),
            (
                json!({"CpuQuota": u64::MAX, "CpuPeriod": 0}),
                "184467.440737095 processors",
            ),
            (json!({"CpuShares": 1024}), ""),
            (
                json!({"NanoCpus": 2_000_000_000, "CpuShares": 512, "CpusetCpus": "0-3"}),
                "2 processors, 512 shares, processors 0-3",
            ),
        ] {
            let said = shown(json!({"HostConfig": config})).processors;
            assert_eq!(said, told, "{config}");
        }
    }

    #[test]
    fn settings_of_a_container_are_those_of_its_facts() {
        let found = shown(json!({
            "capabilities": {"added": ["NET_ADMIN"], "dropped": ["ALL"]},
            "HostConfig": {
                "UTSMode": "host",
                "Devices": [{"PathOnHost": "/dev/kvm", "PathInContainer": "/dev/kvm"}],
                "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
                "PidsLimit": 100,
            },
        }));
        assert_eq!(found.dropped, ["ALL"]);
        assert_eq!(found.uts_mode, "host");
        assert_eq!(found.devices, ["/dev/kvm"]);
        assert_eq!(found.restart, "on-failure:5");
        assert_eq!(found.pids_limit, Some(100));
        let always =
            json!({"HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}});
        assert_eq!(shown(always).restart, "always");
        // What is not there, or not of its type, is left empty.
        let empty = shown(json!({}));
        let odd = shown(json!({
            "capabilities": {"dropped": "ALL"},
            "HostConfig": {"UTSMode": 1, "Devices": {}, "RestartPolicy": "always", "PidsLimit": -1},
        }));
        assert_eq!(odd, empty);
        assert_eq!((empty.restart.as_str(), empty.pids_limit), ("", None));
    }
}
