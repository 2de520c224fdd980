//! What of facts is worth telling anew: all but what changes by itself. Ages, counters, numbers of processes and the
//! times of containers are facts, but no reason to judge a machine again.

use seareeve_model::{Fact, Snapshot};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// What changes by itself, by kind.
const PASSING: &[(&str, &[&str])] = &[
    (
        "docker.container",
        &[
            "/RestartCount",
            "/State/ExitCode",
            "/State/FinishedAt",
            "/State/Health",
            "/State/Pid",
            "/State/StartedAt",
            "/created_days",
            "/finished_days",
            "/proc/pid",
            "/started_days",
        ],
    ),
    (
        "docker.daemon",
        &[
            "/info/Containers",
            "/info/ContainersPaused",
            "/info/ContainersRunning",
            "/info/ContainersStopped",
            "/info/Images",
        ],
    ),
    ("docker.image", &["/created_days"]),
    ("docker.swarm", &["/ca/age_days", "/ca/expires_days"]),
    ("image.scan", &["/scanned", "/scanned_days"]),
    ("kubernetes.etcd", &["/pid"]),
    ("kubernetes.kube-apiserver", &["/pid"]),
    ("kubernetes.kube-controller-manager", &["/pid"]),
    ("kubernetes.kube-proxy", &["/pid"]),
    ("kubernetes.kube-scheduler", &["/pid"]),
    ("kubernetes.kubelet", &["/pid"]),
    ("seareeve.sensor", &["/files/watched"]),
];

/// The same for snapshots that say the same of what does not change by itself.
#[must_use]
pub fn digest(snapshot: &Snapshot) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut take = |value: Value| {
        // A value as text has no zero byte.
        hash.update(value.to_string());
        hash.update([0]);
    };
    take(json!([
        snapshot.schema,
        snapshot.asset_kind,
        snapshot.asset_id,
        snapshot.asset_name,
        snapshot.collector
    ]));
    for (kind, facts) in &snapshot.facts {
        take(json!([kind, facts.status, facts.detail]));
        let steady = facts.items.iter().map(|fact| steady(kind.as_str(), fact));
        match kind.as_str() {
            // That the same was run once more says nothing new.
            "docker.exec" => {
                let once: BTreeSet<String> = steady.map(|fact| fact.to_string()).collect();
                take(json!(once));
            }
            _ => steady.for_each(&mut take),
        }
    }
    hash.finalize().into()
}

fn steady(kind: &str, fact: &Fact) -> Value {
    let mut data = fact.data.clone();
    let passing = PASSING.iter().filter(|(of, _)| *of == kind);
    for pointer in passing.flat_map(|(_, pointers)| *pointers) {
        let Some((above, name)) = pointer.rsplit_once('/') else {
            continue;
        };
        if let Some(above) = data.pointer_mut(above).and_then(Value::as_object_mut) {
            above.remove(name);
        }
    }
    match kind {
        "docker.exec" => {
            for name in ["exec", "started"] {
                if let Some(data) = data.as_object_mut() {
                    data.remove(name);
                }
            }
            return data;
        }
        "docker.container" => {
            // Which programs run, and as whom; not how many of each, nor with which numbers.
            if let Some(processes) = data.get_mut("processes") {
                let all = processes.as_array().into_iter().flatten();
                let kinds: BTreeSet<String> = all
                    .map(|one| json!([one.get("name"), one.get("uid")]).to_string())
                    .collect();
                *processes = json!(kinds);
            }
        }
        "kubernetes.node-file" => {
            let all = data.get_mut("certificates").and_then(Value::as_array_mut);
            for one in all.into_iter().flatten() {
                if let Some(one) = one.as_object_mut() {
                    one.remove("expires_days");
                }
            }
        }
        _ => {}
    }
    json!([fact.id, fact.name, data])
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use seareeve_model::{Collection, FactKind};

    use super::*;

    fn snapshot(at: i64, kind: &str, data: Value) -> Snapshot {
        let fact = Fact {
            id: "a".to_owned(),
            name: "a".to_owned(),
            data,
        };
        Snapshot {
            schema: Snapshot::SCHEMA.to_owned(),
            asset_kind: "docker-host".to_owned(),
            asset_id: "m".to_owned(),
            asset_name: "m".to_owned(),
            collected_at: Timestamp::from_second(at).unwrap(),
            collector: "test".to_owned(),
            facts: [(FactKind::new(kind).unwrap(), Collection::of("", vec![fact]))].into(),
        }
    }

    #[test]
    fn what_changes_by_itself_is_no_change() {
        let container = |more: Value| {
            let mut data = json!({
                "Id": "4f", "State": {"Running": true, "Pid": 1, "StartedAt": "x"}, "started_days": 0,
                "proc": {"pid": 1, "uid": 0}, "processes": [{"name": "sh", "uid": 0, "pid": 1, "argv": ["sh"]}],
            });
            data.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            data
        };
        let kind = "docker.container";
        let first = digest(&snapshot(1, kind, container(json!({}))));
        for passing in [
            json!({"State": {"Running": true, "Pid": 2, "StartedAt": "y", "Health": {"FailingStreak": 3}}}),
            json!({"started_days": 5, "RestartCount": 7}),
            json!({"proc": {"pid": 9, "uid": 0}}),
            json!({"processes": [
                {"name": "sh", "uid": 0, "pid": 7, "argv": ["sh", "-c"]}, {"name": "sh", "uid": 0, "pid": 8, "argv": []},
            ]}),
        ] {
            let data = container(passing.clone());
            assert_eq!(digest(&snapshot(2, kind, data)), first, "{passing}");
        }
        for change in [
            json!({"State": {"Running": false}}),
            json!({"HostConfig": {"Privileged": true}}),
            json!({"proc": {"pid": 1, "uid": 1000}}),
            json!({"processes": [{"name": "sshd", "uid": 0, "pid": 1, "argv": ["sh"]}]}),
        ] {
            let data = container(change.clone());
            assert_ne!(digest(&snapshot(1, kind, data)), first, "{change}");
        }
    }

    #[test]
    fn other_kinds_lose_what_passes_too() {
        for (kind, one, other, is_same) in [
            (
                "docker.exec",
                json!({"exec": "1", "started": "x", "command": "id"}),
                json!({"exec": "2", "started": "y", "command": "id"}),
                true,
            ),
            (
                "docker.exec",
                json!({"exec": "1", "command": "id"}),
                json!({"exec": "1", "command": "sh"}),
                false,
            ),
            (
                "kubernetes.node-file",
                json!({"certificates": [{"not_after": "x", "expires_days": 4}]}),
                json!({"certificates": [{"not_after": "x", "expires_days": 3}]}),
                true,
            ),
            (
                "kubernetes.node-file",
                json!({"certificates": [{"not_after": "x"}]}),
                json!({"certificates": [{"not_after": "y"}]}),
                false,
            ),
            (
                "docker.image",
                json!({"created_days": 1}),
                json!({"created_days": 2}),
                true,
            ),
            ("host", json!({"pid": 1}), json!({"pid": 2}), false),
        ] {
            let digests = [one, other].map(|data| digest(&snapshot(1, kind, data)));
            assert_eq!(digests[0] == digests[1], is_same, "{kind}");
        }
        // Why facts are missing is worth telling.
        let mut denied = snapshot(1, "host", json!({}));
        let first = digest(&denied);
        for facts in denied.facts.values_mut() {
            facts.detail = Some("no".to_owned());
        }
        assert_ne!(digest(&denied), first);
    }
}
