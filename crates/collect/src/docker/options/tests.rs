//! What flag, file, environment, default and engine come to together.

use super::*;
use crate::docker::config_file::State;

struct Case<'a> {
    line: Option<&'a str>,
    file: State,
    reported: &'a [(&'static str, Value)],
    tls_verify_set: bool,
}

fn file(keys: Value) -> State {
    let Value::Object(keys) = keys else { panic!() };
    State::Read(keys)
}

fn resolved(case: Case<'_>) -> Resolved {
    let file = ConfigFile {
        path: "/etc/docker/daemon.json".into(),
        state: case.file,
        modified_unix: None,
        changed_since_start: None,
    };
    let argv: Option<Vec<String>> = case
        .line
        .map(|line| line.split(' ').map(str::to_owned).collect());
    resolve(&Sources {
        argv: argv
            .as_deref()
            .ok_or_else(|| "who it is is not known".to_owned()),
        file: &file,
        tls_verify_set: case.tls_verify_set,
        cert_path: None,
        home: Some("/root".to_owned()),
        uid: Some(0),
        rootless: false,
        version: &[20, 10, 24],
        cgroup_version: 2,
        reported: case.reported.iter().cloned().collect(),
        exists: &|path| path == "/root/.docker/ca.pem",
    })
}

fn simple(line: &str, keys: Value) -> Resolved {
    resolved(Case {
        line: Some(line),
        file: file(keys),
        reported: &[],
        tls_verify_set: false,
    })
}

#[test]
fn flags_count_over_the_file_and_the_file_over_defaults() {
    for (line, keys, key, expected) in [
        (
            "dockerd",
            json!({}),
            "log-level",
            json!({"value": "info", "source": "default"}),
        ),
        (
            "dockerd",
            json!({"log-level": "warn"}),
            "log-level",
            json!({"value": "warn", "source": "file", "path": "/etc/docker/daemon.json"}),
        ),
        (
            "dockerd -l debug",
            json!({}),
            "log-level",
            json!({"value": "debug", "source": "flag"}),
        ),
        (
            "dockerd -l debug",
            json!({"log-level": "warn"}),
            "log-level",
            json!({"value": "debug", "source": "flag", "conflict": "warn"}),
        ),
        (
            "dockerd --no-new-privileges=false",
            json!({}),
            "no-new-privileges",
            json!({"value": false, "source": "flag"}),
        ),
        (
            "dockerd",
            json!({"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}}}),
            "default-ulimits",
            json!({"value": {"nofile": {"soft": 1, "hard": 2}}, "source": "file", "path": "/etc/docker/daemon.json"}),
        ),
        (
            "dockerd --add-runtime a=/a",
            json!({"runtimes": {"b": {"path": "/b"}}}),
            "runtimes",
            json!({"value": {"a": {"path": "/a"}, "b": {"path": "/b"}}, "source": "flag"}),
        ),
        (
            "dockerd --log-opt splunk-token=x",
            json!({}),
            "log-opts",
            json!({"value": {"splunk-token": "[redacted]"}, "source": "flag"}),
        ),
        (
            "dockerd",
            json!({}),
            "ip6tables",
            json!({"value": false, "source": "default"}),
        ),
        (
            "dockerd",
            json!({}),
            "hosts",
            json!({"value": ["unix:///var/run/docker.sock"], "source": "default"}),
        ),
    ] {
        let resolved = simple(line, keys);
        assert_eq!(resolved.effective[key], expected, "{line} {key}");
        let conflicts: &[&str] = if expected.get("conflict").is_some() {
            &[key]
        } else {
            &[]
        };
        assert_eq!(resolved.conflicts, conflicts, "{line}");
    }
}

#[test]
fn every_option_is_told_or_said_to_be_unknown() {
    let wanted = OPTIONS.iter().filter(|known| known.is_told).count();
    let all = simple("dockerd", json!({}));
    assert_eq!((all.effective.len(), all.unresolved.len()), (wanted, 0));
    let none = resolved(Case {
        line: None,
        file: file(json!({"icc": true})),
        reported: &[("live-restore", json!(true))],
        tls_verify_set: false,
    });
    assert_eq!(none.unresolved.len(), wanted - 1);
    assert_eq!(none.unresolved["icc"], "who it is is not known");
    assert_eq!(
        none.effective["live-restore"],
        json!({"value": true, "source": "api"})
    );
}

#[test]
fn a_broken_file_leaves_only_what_does_not_depend_on_it() {
    let broken = resolved(Case {
        line: Some("dockerd --icc=false"),
        file: State::Broken("x".to_owned()),
        reported: &[],
        tls_verify_set: false,
    });
    assert_eq!(broken.effective.keys().collect::<Vec<_>>(), [&"icc"]);
    let why = "/etc/docker/daemon.json is not understood: x";
    assert_eq!(broken.unresolved["live-restore"], why);
    let wrong = simple("dockerd", json!({"icc": "no", "hosts": "tcp://a:1"}));
    let why = "icc in /etc/docker/daemon.json has a value of the wrong type";
    assert_eq!(wrong.unresolved["icc"], why);
    assert!(wrong.unresolved.contains_key("hosts"));
}

#[test]
fn what_the_engine_reports_counts() {
    let resolved = resolved(Case {
        line: Some("dockerd --storage-driver=overlay2 --data-root /data/"),
        file: file(json!({"live-restore": true})),
        reported: &[
            ("storage-driver", json!("overlay2")),
            ("data-root", json!("/data")),
            ("live-restore", json!(false)),
        ],
        tls_verify_set: false,
    });
    assert_eq!(resolved.source("storage-driver"), Some("flag"));
    assert_eq!(resolved.source("data-root"), Some("flag"));
    assert_eq!(
        resolved.effective["live-restore"],
        json!({"value": false, "source": "api", "configured":
            {"value": true, "source": "file", "path": "/etc/docker/daemon.json"}})
    );
}

#[test]
fn tls_is_switched_on_by_saying_anything_of_verifying() {
    for (line, keys, set, tls, source) in [
        ("dockerd", json!({}), false, false, "default"),
        ("dockerd --tlsverify=false", json!({}), false, true, "flag"),
        ("dockerd", json!({"tlsverify": true}), false, true, "file"),
        ("dockerd", json!({}), true, true, "environment"),
        (
            "dockerd --tls=false --tlsverify",
            json!({}),
            false,
            false,
            "flag",
        ),
    ] {
        let resolved = resolved(Case {
            line: Some(line),
            file: file(keys),
            reported: &[],
            tls_verify_set: set,
        });
        assert_eq!(resolved.bool("tls"), Some(tls), "{line}");
        assert_eq!(resolved.source("tls"), Some(source), "{line}");
        let ca = if tls { "/root/.docker/ca.pem" } else { "" };
        assert_eq!(resolved.value("tlscacert"), Some(&json!(ca)), "{line}");
        // There is none.
        assert_eq!(resolved.value("tlskey"), Some(&json!("")), "{line}");
    }
}

#[test]
fn options_are_listed_once() {
    let mut seen = BTreeSet::new();
    let mut letters = BTreeSet::new();
    for known in OPTIONS {
        assert!(seen.insert(known.flag), "{}", known.flag);
        assert!(known.short.is_none_or(|short| letters.insert(short)));
    }
}
