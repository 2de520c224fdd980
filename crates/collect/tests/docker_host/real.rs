//! A real dockerd, with containers that do what they should not.

use seareeve_collect::docker_host::collect;
use seareeve_lab::{IMAGES, Lab, Settings, lodgers};
use seareeve_model::CollectionStatus;
use serde_json::{Value, json};

use crate::support::{fact, file, kind, only, options};

#[test]
fn containers_are_seen_as_they_are() {
    let settings = Settings {
        flags: [
            "--log-level=debug",
            "--no-new-privileges=false",
            "--live-restore=false",
        ]
        .map(str::to_owned)
        .into(),
        is_furnished: true,
        ..Settings::default()
    };
    let Some(lab) = Lab::start(&settings).unwrap() else {
        return;
    };
    let snapshot = collect(&options(&lab.socket()));
    for (kind, collection) in &snapshot.facts {
        let expected = match kind.as_str() {
            "docker.swarm" => CollectionStatus::Absent,
            // The machine may be a node, too, or have been one.
            other if other.starts_with("kubernetes.") => continue,
            _ => CollectionStatus::Ok,
        };
        // Not every kernel lets its audit rules be seen.
        if kind.as_str() != "host.audit" {
            assert_eq!(
                collection.status, expected,
                "{kind}: {:?}",
                collection.detail
            );
        }
        for item in &collection.items {
            assert_eq!(item.data.get("problems"), None, "{kind} {}", item.name);
        }
    }
    let lodgers = lodgers(lab.folder());
    assert_eq!(
        kind(&snapshot, "docker.container").items.len(),
        lodgers.len()
    );
    for (name, pointer, expected) in [
        ("tidy", "/user/uid", json!(1000)),
        ("tidy", "/HostConfig/ReadonlyRootfs", json!(true)),
        ("tidy", "/HostConfig/PidsLimit", json!(50)),
        ("tidy", "/capabilities/granted", json!([])),
        ("tidy", "/security/no_new_privileges", json!(true)),
        ("tidy", "/proc/no_new_privs", json!(true)),
        ("tidy", "/proc/cap_bnd", json!([])),
        ("tidy", "/proc/uid", json!(1000)),
        ("root", "/user/is_root", json!(true)),
        ("root", "/user/source", json!("default")),
        ("root", "/HostConfig/Memory", json!(0)),
        ("root", "/HostConfig/PidsLimit", json!(0)),
        ("root", "/HostConfig/Tmpfs", json!({})),
        ("root", "/Config/ExposedPorts", json!([])),
        ("root", "/proc/seccomp", json!("filter")),
        ("root", "/security/seccomp", json!("default")),
        ("root-by-number", "/user/is_root", json!(true)),
        ("user-by-name", "/user/uid", json!(1000)),
        ("user-by-name", "/user/source", json!("passwd")),
        ("host-network", "/HostConfig/NetworkMode", json!("host")),
        ("host-pid", "/HostConfig/PidMode", json!("host")),
        ("host-ipc", "/HostConfig/IpcMode", json!("host")),
        ("host-uts", "/HostConfig/UTSMode", json!("host")),
        ("engine-socket", "/mounts/0/is_socket", json!(true)),
        ("engine-socket", "/mounts/0/rw", json!(true)),
        ("engine-folder", "/mounts/0/rw", json!(false)),
        ("sensitive-mount", "/mounts/0/host_path", json!("/etc")),
        (
            "sensitive-below",
            "/mounts/0/host_path",
            json!("/usr/share"),
        ),
        ("sensitive-volume", "/mounts/0/type", json!("volume")),
        ("sensitive-volume", "/mounts/0/host_path", json!("/etc")),
        (
            "added-capability",
            "/capabilities/added",
            json!(["SYS_TIME"]),
        ),
        (
            "dropped-capabilities",
            "/capabilities/granted",
            json!(["CHOWN"]),
        ),
        ("seccomp-off", "/security/seccomp", json!("unconfined")),
        ("seccomp-off", "/proc/seccomp", json!("none")),
        (
            "new-privileges-denied",
            "/security/no_new_privileges_from",
            json!("container"),
        ),
        ("root", "/security/no_new_privileges", json!(false)),
        ("root", "/security/no_new_privileges_from", json!("daemon")),
        (
            "restart-always",
            "/HostConfig/RestartPolicy/Name",
            json!("always"),
        ),
        ("health-check", "/State/Health/Status", json!("starting")),
        (
            "credentials",
            "/env/0",
            json!({"name": "DB_PASSWORD", "empty": false, "credential": "name"}),
        ),
        (
            "credentials",
            "/Config/Cmd",
            json!(["/wait", "--api-key", "[redacted]"]),
        ),
        ("vanilla", "/HostConfig/PidMode", json!("host")),
        (
            "shared-propagation",
            "/mounts/0/propagation",
            json!("rshared"),
        ),
        ("listener", "/listeners/0/port", json!(8080)),
        ("listener", "/listeners/0/wildcard", json!(true)),
        ("from-app", "/user/uid", json!(1000)),
        ("privileged", "/State/Status", json!("created")),
        ("privileged", "/capabilities/granted", json!(["ALL"])),
        ("privileged", "/security/seccomp_from", json!("privileged")),
        ("all-capabilities", "/capabilities/granted", json!(["ALL"])),
        (
            "published",
            "/ports/0",
            json!({"host_ip": "", "host_port": 80, "container_port": 80, "protocol": "tcp", "wildcard": true}),
        ),
        ("published", "/ports/1/host_ip", json!("127.0.0.1")),
        (
            "device",
            "/HostConfig/Devices/0/PathOnHost",
            json!("/dev/null"),
        ),
    ] {
        let data = fact(&snapshot, "docker.container", name);
        assert_eq!(data.pointer(pointer), Some(&expected), "{name} {pointer}");
    }
    // Only its own, though it sees those of the host.
    let names = |container: &str| -> Vec<String> {
        let processes = &fact(&snapshot, "docker.container", container)["processes"];
        let processes = processes.as_array().unwrap().iter();
        processes
            .map(|process| process["name"].as_str().unwrap().to_owned())
            .collect()
    };
    // In no order that says anything: numbers of processes begin anew.
    for (container, program) in [("host-pid", "wait"), ("sshd-inside", "sshd")] {
        let names = names(container);
        assert!(names.iter().any(|name| name == program), "{names:?}");
    }
    assert!(names("host-pid").len() <= 2, "{:?}", names("host-pid"));
    let stopped = fact(&snapshot, "docker.container", "privileged");
    assert_eq!(
        (stopped.get("proc"), stopped.get("processes")),
        (None, None)
    );

    let whole = serde_json::to_string(&snapshot).unwrap();
    assert!(!whole.contains("hunter2") && !whole.contains("s3cr3t"));
    images(&snapshot);
    daemon(&snapshot, &lab);
    let facts = snapshot.facts.iter();
    // The machine may be a node, whose facts have a page of their own.
    let facts = facts.filter(|(kind, _)| !kind.as_str().starts_with("kubernetes."));
    for item in facts.flat_map(|(_, facts)| &facts.items) {
        documented(&item.data, &item.name);
    }
}

/// Every field is on the page that checks are written by.
fn documented(data: &Value, place: &str) {
    const PAGE: &str = include_str!("../../../../docs/reference/facts.md");
    /// Keys that are names and no fields.
    const FREE: &[&str] = &[
        "IndexConfigs",
        "Labels",
        "Networks",
        "Options",
        "PortBindings",
        "Ports",
        "Runtimes",
        "Sysctls",
        "Tmpfs",
        "configured",
        "keys",
        "value",
    ];
    match data {
        Value::Object(fields) => {
            for (field, value) in fields {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let mut words = PAGE.split(|c| !is_word(c));
                assert!(
                    words.any(|word| word == field),
                    "{field} of {place} is not documented"
                );
                if !FREE.contains(&field.as_str()) {
                    documented(value, place);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| documented(item, place)),
        _ => {}
    }
}

fn images(snapshot: &seareeve_model::Snapshot) {
    assert_eq!(kind(snapshot, "docker.image").items.len(), IMAGES.len());
    let app = fact(snapshot, "docker.image", "lab/app:1");
    for (pointer, expected) in [
        ("/Config/Healthcheck/Test/0", json!("CMD")),
        ("/user/uid", json!(1000)),
        ("/user/source", json!("passwd")),
        ("/base/name", json!("lab/base:1")),
        ("/dangling", json!(false)),
        ("/Config/ExposedPorts", json!([])),
    ] {
        assert_eq!(app.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(app["used_by"].as_array().unwrap().len(), 1);
    let steps: Vec<String> = app["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let text = |key: &str| step[key].as_str().unwrap();
            let redacted = if step["redacted"] == true { "!" } else { "" };
            format!("{}{redacted} {}", text("instruction"), text("text"))
        })
        .collect();
    let begins = |start: &str| steps.iter().filter(|step| step.starts_with(start)).count();
    assert_eq!(
        (begins("ADD "), begins("COPY "), begins("RUN")),
        (1, 1, 2),
        "{steps:?}"
    );
    assert_eq!(
        begins("RUN! BUILD_TOKEN= true || apt-get update"),
        1,
        "{steps:?}"
    );
    assert_eq!(begins("ENV! APP_PASSWORD=[redacted]"), 1, "{steps:?}");
}

fn daemon(snapshot: &seareeve_model::Snapshot, lab: &Lab) {
    let daemon = only(snapshot, "docker.daemon");
    let socket = lab.socket();
    let data = lab.folder().join("data");
    for (pointer, expected) in [
        ("/engine", json!("docker")),
        ("/local", json!(true)),
        ("/process/pid", json!(lab.pid())),
        ("/process/identified_by", json!("socket")),
        (
            "/effective/log-level",
            json!({"value": "debug", "source": "flag"}),
        ),
        (
            "/effective/no-new-privileges",
            json!({"value": false, "source": "flag"}),
        ),
        (
            "/effective/live-restore",
            json!({"value": false, "source": "flag"}),
        ),
        ("/effective/iptables/value", json!(false)),
        (
            "/effective/data-root",
            json!({"value": data, "source": "flag"}),
        ),
        ("/effective/storage-driver/source", json!("api")),
        ("/config/status", json!("ok")),
        ("/config/changed_since_start", json!(false)),
        ("/conflicts", json!([])),
        ("/unresolved", json!({})),
        (
            "/hosts",
            json!([{"address": format!("unix://{}", socket.display()), "scheme": "unix", "path": socket, "source": "flag"}]),
        ),
        // dockerd mounts its own folder on itself, and that makes no partition of it.
        ("/data_root/separate", json!(false)),
    ] {
        assert_eq!(daemon.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(daemon["components"][0]["name"], "docker");
    for (role, path) in [
        ("docker.socket", socket),
        ("docker.data-root", data),
        (
            "docker.daemon-json",
            lab.folder().join("config/daemon.json"),
        ),
        (
            "containerd.socket",
            lab.folder().join("exec/containerd/containerd.sock"),
        ),
        ("containerd.run-dir", lab.folder().join("exec/containerd")),
        (
            "containerd.config",
            lab.folder().join("exec/containerd/containerd.toml"),
        ),
    ] {
        let file = file(snapshot, role);
        assert_eq!(
            (&file["path"], &file["exists"]),
            (&json!(path), &json!(true)),
            "{role}"
        );
    }
    assert_eq!(file(snapshot, "docker.socket")["mode"], "0660");
    assert_eq!(file(snapshot, "bin.dockerd")["exists"], true);
    assert_eq!(file(snapshot, "bin.runc")["kind"], "file");
    let own = lab.pid().to_string();
    let processes = &kind(snapshot, "host.process").items;
    let dockerd: Vec<&Value> = processes
        .iter()
        .filter(|item| item.id == own)
        .map(|item| &item.data)
        .collect();
    assert_eq!(dockerd[0]["name"], "dockerd");
}

#[test]
fn options_come_from_the_file_and_a_later_conflict_is_seen() {
    let file = json!({
        "log-level": "warn", "live-restore": true, "no-new-privileges": true,
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}},
        "insecure-registries": ["registry.test:5000"], "log-opts": {"max-size": "10m"},
        "metrics-addr": "127.0.0.1:0",
    });
    let settings = Settings {
        flags: ["--userland-proxy=false", "--host", "tcp://127.0.0.1:0"]
            .map(str::to_owned)
            .into(),
        file: Some(file.to_string()),
        ..Settings::default()
    };
    let Some(lab) = Lab::start(&settings).unwrap() else {
        return;
    };
    let snapshot = collect(&options(&lab.socket()));
    let path = lab.folder().join("config/daemon.json");
    let daemon = only(&snapshot, "docker.daemon");
    for (option, value) in [
        ("log-level", json!("warn")),
        ("live-restore", json!(true)),
        ("no-new-privileges", json!(true)),
        (
            "default-ulimits",
            json!({"nofile": {"soft": 1024, "hard": 2048}}),
        ),
        ("insecure-registries", json!(["registry.test:5000"])),
        ("log-opts", json!({"max-size": "10m"})),
    ] {
        let expected = json!({"value": value, "source": "file", "path": path});
        assert_eq!(daemon["effective"][option], expected, "{option}");
    }
    assert_eq!(
        daemon["effective"]["userland-proxy"],
        json!({"value": false, "source": "flag"})
    );
    let listeners = &kind(&snapshot, "host.listener").items;
    assert_eq!(listeners.len(), 2, "{listeners:?}");
    assert!(listeners.iter().all(|item| item.data["loopback"] == true));
    assert_eq!(daemon["hosts"][1]["scheme"], "tcp");
    assert_eq!(daemon["hosts"][1]["tls_verify"], false);

    // What dockerd would refuse at its next start.
    std::fs::write(&path, json!({"userland-proxy": true}).to_string()).unwrap();
    let later = collect(&options(&lab.socket()));
    let daemon = only(&later, "docker.daemon");
    let expected = json!({"value": false, "source": "flag", "conflict": true});
    assert_eq!(daemon["effective"]["userland-proxy"], expected);
    assert_eq!(daemon["conflicts"], json!(["userland-proxy"]));
    // It still does what it was started with.
    assert_eq!(daemon["effective"]["live-restore"]["value"], true);
    assert_eq!(daemon["effective"]["live-restore"]["source"], "api");

    std::fs::write(&path, "{\"userland-proxy\": ").unwrap();
    let broken = collect(&options(&lab.socket()));
    let daemon = only(&broken, "docker.daemon");
    assert_eq!(daemon["config"]["status"], "error");
    assert_eq!(
        daemon["effective"]["userland-proxy"],
        json!({"value": false, "source": "flag"})
    );
    assert_eq!(daemon["effective"].get("log-level"), None);
    assert!(
        daemon["unresolved"]["log-level"]
            .as_str()
            .unwrap()
            .contains("is not understood")
    );
}
