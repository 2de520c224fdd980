//! Swarms, as managers and workers tell of them.

use seareeve_collect::docker_host::collect;
use seareeve_model::CollectionStatus;
use serde_json::{Value, json};

use crate::fake::{Engine, Reply, plain};
use crate::support::{kind, only, options};

fn info(swarm: Value) -> Reply {
    let Reply::Json(mut info) = plain("/info") else {
        panic!("a plain engine has info");
    };
    info["Swarm"] = swarm;
    Reply::Json(info)
}

#[test]
fn a_manager_tells_of_its_swarm_and_keeps_its_secrets() {
    let engine = Engine::start(|path| match path {
        "/info" => info(json!({
            "LocalNodeState": "active", "ControlAvailable": true, "NodeAddr": "10.0.0.1", "Managers": 1, "Nodes": 2,
        })),
        "/swarm" => Reply::Json(json!({
            "ID": "s1", "CreatedAt": "2026-01-01T00:00:00Z",
            "JoinTokens": {"Worker": "SWMTKN-1-hunter2", "Manager": "SWMTKN-1-hunter2"},
            "Spec": {
                "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000_i64, "SigningCAKey": "hunter2"},
                "EncryptionConfig": {"AutoLockManagers": true},
            },
            "TLSInfo": {"TrustRoot": include_str!("../../src/certificate/ca.pem")},
        })),
        "/nodes" => Reply::Json(json!([
            {"ID": "n1", "Spec": {"Role": "manager"}, "ManagerStatus": {"Leader": true, "Addr": "10.0.0.1:2377"}},
            {"ID": "n2", "Spec": {"Role": "worker"}, "Description": {"Engine": {"EngineVersion": "28.5.2"}}},
        ])),
        "/services" => Reply::Json(json!([{
            "ID": "v1", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {
                "Image": "web:1", "Env": ["DB_PASSWORD=hunter2"], "Secrets": [{"SecretName": "db", "SecretID": "x"}],
            }}},
        }])),
        "/secrets" => Reply::Json(json!([{"ID": "x", "Spec": {"Name": "db"}}])),
        "/configs" => Reply::Status(500, "{}"),
        other => plain(other),
    });
    let snapshot = collect(&options(&engine.socket()));
    let swarm = only(&snapshot, "docker.swarm");
    for (pointer, expected) in [
        ("/ID", json!("s1")),
        ("/Spec/EncryptionConfig/AutoLockManagers", json!(true)),
        ("/node_cert_expiry_hours", json!(2160)),
        ("/node_addr", json!("10.0.0.1")),
        ("/managers", json!(1)),
        ("/workers", json!(1)),
        ("/nodes/0/leader", json!(true)),
        ("/nodes/1/engine_version", json!("28.5.2")),
        ("/services/0/secrets", json!(["db"])),
        ("/services/0/env/0/credential", json!("name")),
        ("/secrets", json!(1)),
        ("/ca/age_days", json!(39)),
        ("/ca/expires_days", json!(3610)),
    ] {
        assert_eq!(swarm.pointer(pointer), Some(&expected), "{pointer}");
    }
    // One of its lists could not be had, and only that is missing.
    assert_eq!(swarm.get("configs"), None);
    let collection = kind(&snapshot, "docker.swarm");
    assert_eq!(collection.status, CollectionStatus::Error);
    assert!(collection.detail.as_deref().unwrap().contains("/configs"));
    assert!(
        !serde_json::to_string(&snapshot)
            .unwrap()
            .contains("hunter2")
    );
    let unlock = engine
        .asked()
        .into_iter()
        .find(|path| path.contains("unlock"));
    assert_eq!(unlock, None);
}

#[test]
fn a_worker_may_not_tell() {
    let engine = Engine::start(|path| match path {
        "/info" => info(json!({"LocalNodeState": "active", "ControlAvailable": false})),
        other => plain(other),
    });
    let snapshot = collect(&options(&engine.socket()));
    let swarm = kind(&snapshot, "docker.swarm");
    assert_eq!(swarm.status, CollectionStatus::Unsupported);
    assert_eq!(swarm.items, []);
}
