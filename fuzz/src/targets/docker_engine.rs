//! A container engine whose every reply on itself, its containers, images, networks, volumes and swarm is foreign.

use std::sync::LazyLock;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_collect::docker_host::{Options, collect};
use seareeve_engine::Endpoint;
use seareeve_model::Snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::made::parts;
use crate::server::{MARK, Server};
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "docker_engine",
    run,
    longest: 12 << 10,
    seeds: || made::seeds("docker_engine"),
    words: &[
        "\n====\n",
        "200",
        "404",
        "\"Components\"",
        "\"Podman Engine\"",
        "\"SecurityOptions\"",
        "\"name=seccomp,profile=default\"",
        "\"Swarm\":{\"LocalNodeState\":\"active\",\"ControlAvailable\":true}",
        "\"RegistryConfig\":{\"InsecureRegistryCIDRs\":[]}",
        "\"HostConfig\":{\"Privileged\":true}",
        "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/etc\"}]",
        "\"Config\":{\"Env\":[\"DB_PASSWORD=a\"],\"User\":\"0:0\"}",
        "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"80\"}]}}",
        "\"CreatedBy\":\"|1 A=b /bin/sh -c x\"",
        "/bin/sh -c #(nop) ",
        "ADD file:a in /",
        "\"com.docker.network.bridge.default_bridge\":\"true\"",
        "\"TLSInfo\":{\"TrustRoot\":\"-----BEGIN CERTIFICATE-----\\n\"}",
        "\"NodeCertExpiry\":7776000000000000",
        "https://a:b@c/",
        "null",
        "1e999",
    ],
};

static ENGINE: LazyLock<(Server, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let server = Server::on_socket(&folder.path().join("engine.sock"));
    (server, folder)
});

fn run(input: &[u8]) {
    let (server, folder) = &*ENGINE;
    server.set(input);
    let folder = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a UTF-8 path");
    let snapshot = collect(&Options {
        root: None,
        endpoints: vec![Endpoint::Unix(folder.join("engine.sock"))],
        // In the order of the parts.
        parallel: 1,
        ..Options::here(Timestamp::UNIX_EPOCH)
    });
    let text = sound(&snapshot);
    for part in parts(input, MARK, usize::MAX) {
        values_stay_behind(input, part, &text);
    }
}

/// What must hold of every snapshot; its text.
pub(super) fn sound(snapshot: &Snapshot) -> String {
    let text = serde_json::to_string(snapshot).expect("a snapshot can be written");
    let again: Snapshot = serde_json::from_str(&text).expect("a snapshot can be read");
    assert_eq!(again, *snapshot);
    for (kind, facts) in &snapshot.facts {
        let mut ids: Vec<&str> = facts.items.iter().map(|item| item.id.as_str()).collect();
        ids.dedup();
        assert_eq!(ids.len(), facts.items.len(), "{kind}");
        for item in &facts.items {
            let of = |key: &str| item.data.get(key).and_then(Value::as_object);
            if let (Some(effective), Some(unresolved)) = (of("effective"), of("unresolved")) {
                assert!(effective.keys().all(|key| !unresolved.contains_key(key)));
            }
        }
    }
    text
}

/// Values of a container's variables are in no snapshot, whatever they are called.
fn values_stay_behind(input: &[u8], part: &[u8], snapshot: &str) {
    let body = part.windows(2).position(|window| window == b"\n\n");
    let body = body.and_then(|at| part.get(at.saturating_add(2)..));
    let Ok(reply) = serde_json::from_slice::<Value>(body.unwrap_or_default()) else {
        return;
    };
    let variables = reply.pointer("/Config/Env").and_then(Value::as_array);
    for variable in variables.into_iter().flatten().filter_map(Value::as_str) {
        let value = variable.split_once('=').map_or("", |(_, value)| value);
        // What is long and stands there once is nobody else's word.
        let is_plain = value.len() >= 16 && value.bytes().all(|b| b.is_ascii_alphanumeric());
        let count = |needle: &[u8]| {
            let windows = input.windows(needle.len().max(1));
            windows.filter(|window| *window == needle).count()
        };
        if is_plain && count(value.as_bytes()) == 1 {
            assert!(!snapshot.contains(value), "{variable} is in the snapshot");
        }
    }
}
