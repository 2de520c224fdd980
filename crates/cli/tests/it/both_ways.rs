//! Each control of CIS Docker 1.8.0 on machines that satisfy it and on machines that do not, from the engine's answers
//! and the machine's files to the report: what no real engine can be brought to on every machine (old storage drivers,
//! AppArmor, SELinux, audit rules, a swarm of several nodes) is said by an engine of the test's own.
//!
//! What a control must come to on each machine stands in `truth/both-ways.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use serde_json::{Value, json};

use crate::support::{Home, gives_files_away, serve_socket};

const TABLE: &str = include_str!("truth/both-ways.txt");

/// The columns of the table.
const MACHINES: [&str; 5] = ["good", "bad", "rootless", "swarm", "bad-swarm"];

/// Somebody who is not root.
const NOBODY: u32 = 65_534;

/// Controls that a person answers, so that nothing makes them fail by themselves.
const FOR_PEOPLE: [&str; 12] = [
    "1.2.1", "4.2", "4.3", "4.5", "4.11", "4.12", "5.9", "5.19", "5.28", "7.4", "7.6", "7.9",
];

/// Those of them of which no machine tells anything good by itself.
const WITHOUT_EVIDENCE: [&str; 4] = ["1.2.1", "4.2", "4.12", "7.6"];

/// The files that audit rules are wanted for, with all permissions that some control asks for.
const AUDITED: &[&str] = &[
    "/usr/bin/dockerd",
    "/run/containerd",
    "/var/lib/docker",
    "/etc/docker",
    "/usr/lib/systemd/system",
    "/run/docker.sock",
    "/etc/default/docker",
    "/etc/sysconfig/docker",
    "/etc/containerd/config.toml",
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim",
    "/usr/bin/containerd-shim-runc-v1",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/runc",
];

/// Files of every machine, with the mode that is the most that they may have.
const FILES: &[(&str, u32)] = &[
    ("/usr/lib/systemd/system/docker.service", 0o644),
    ("/usr/lib/systemd/system/docker.socket", 0o644),
    ("/etc/docker", 0o755),
    ("/etc/docker/certs.d/registry/ca.crt", 0o444),
    ("/etc/docker/daemon.json", 0o644),
    ("/etc/docker/tls/ca.pem", 0o444),
    ("/etc/docker/tls/cert.pem", 0o444),
    ("/etc/docker/tls/key.pem", 0o400),
    ("/etc/default/docker", 0o644),
    ("/etc/sysconfig/docker", 0o644),
    ("/run/docker.sock", 0o660),
    ("/run/containerd/containerd.sock", 0o660),
];

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn with(base: Value, change: &Value) -> Value {
    let mut base = base;
    merge(&mut base, change);
    base
}

fn id(of: char) -> String {
    of.to_string().repeat(64)
}

/// A container that does all as it should.
fn container(of: char, name: &str, change: &Value) -> Value {
    let tidy = json!({
        "Id": id(of), "Name": format!("/{name}"), "Image": format!("sha256:{}", id('a')),
        "Created": "2026-01-01T00:00:00Z", "AppArmorProfile": "docker-default",
        "ProcessLabel": "system_u:system_r:container_t:s0:c1,c2",
        "State": {"Status": "running", "Running": true, "Pid": 0, "Health": {"Status": "healthy"}},
        "Config": {
            "User": "1000:1000", "Image": format!("app@sha256:{}", id('d')), "Env": [],
            "Healthcheck": {"Test": ["CMD", "/ok"]},
        },
        "HostConfig": {
            "Privileged": false, "ReadonlyRootfs": true, "NetworkMode": "app", "PidMode": "", "IpcMode": "private",
            "UTSMode": "", "UsernsMode": "", "CgroupParent": "", "CapAdd": null, "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"], "Devices": [], "DeviceRequests": null, "DeviceCgroupRules": null,
            "Memory": 67_108_864, "NanoCpus": 500_000_000, "CpuShares": 0, "CpuQuota": 0, "CpusetCpus": "",
            "CpuRealtimeRuntime": 0, "PidsLimit": 50, "Ulimits": [],
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}, "PortBindings": {},
        },
        "Mounts": [],
        "NetworkSettings": {"Ports": {}, "Networks": {"app": {"NetworkID": "n2"}}},
    });
    with(tidy, change)
}

/// One that has the host, one that has the default bridge, and one that nobody needs.
fn bad_containers() -> Vec<Value> {
    let host = json!({
        "AppArmorProfile": "unconfined", "ProcessLabel": "",
        "State": {"Health": null},
        "Config": {"User": "0:0", "Image": "app:latest", "Healthcheck": null},
        "HostConfig": {
            "Privileged": true, "ReadonlyRootfs": false, "NetworkMode": "host", "PidMode": "host", "IpcMode": "host",
            "UTSMode": "host", "UsernsMode": "host", "CgroupParent": "/fast", "CapAdd": ["ALL"], "CapDrop": null,
            "SecurityOpt": ["seccomp=unconfined", "label=disable"],
            "Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}],
            "Memory": 0, "NanoCpus": 0, "PidsLimit": null, "Ulimits": [{"Name": "nofile", "Soft": 9, "Hard": 9}],
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
        },
        "Mounts": [{
            "Type": "bind", "Source": "/run", "Destination": "/host/run", "RW": false, "Propagation": "rshared",
        }],
        "NetworkSettings": {"Networks": {"host": {"NetworkID": "n3"}}},
    });
    let bridge = json!({
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "80"}]},
            "Networks": {"bridge": {"NetworkID": "n1"}},
        },
    });
    let old = json!({
        "State": {"Status": "exited", "Running": false, "FinishedAt": "2020-01-01T00:00:00Z"},
    });
    vec![
        container('b', "host", &host),
        container('c', "bridge", &bridge),
        container('e', "old", &old),
    ]
}

fn image(of: char, change: &Value) -> Value {
    let good = json!({
        "Id": format!("sha256:{}", id(of)), "RepoTags": ["app:1"], "RepoDigests": [], "Size": 1,
        "Created": "2020-01-01T00:00:00Z",
        "Config": {"User": "1000", "Healthcheck": {"Test": ["CMD", "/ok"]}, "Env": ["PATH=/bin"]},
    });
    with(good, change)
}

/// What an engine answers, by the path that it is asked for.
type Answers = BTreeMap<String, Value>;

fn good_answers() -> Answers {
    let app = format!("sha256:{}", id('a'));
    let mut answers = Answers::from([
        (
            "/version".to_owned(),
            json!({"Version": "29.9.0", "Components": [
                {"Name": "Engine", "Version": "29.9.0"}, {"Name": "containerd", "Version": "2.3.2"},
                {"Name": "runc", "Version": "1.4.0"},
            ]}),
        ),
        (
            "/info".to_owned(),
            json!({
                "Driver": "overlay2", "LoggingDriver": "syslog", "LiveRestoreEnabled": true, "Debug": false,
                "DockerRootDir": "/var/lib/docker", "ExperimentalBuild": false, "CgroupVersion": "2",
                "SecurityOptions": [
                    "name=apparmor", "name=selinux", "name=seccomp,profile=builtin", "name=userns",
                ],
                "Plugins": {"Authorization": ["opa"]}, "Swarm": {"LocalNodeState": "inactive"},
                "RegistryConfig": {
                    "InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {"docker.io": {"Secure": true}},
                    "Mirrors": [],
                },
                "Runtimes": {"runc": {"path": "runc"}}, "DefaultRuntime": "runc",
            }),
        ),
        (
            "/networks".to_owned(),
            json!([
                {"Id": "n1", "Name": "bridge", "Driver": "bridge", "Scope": "local", "Ingress": false, "Options": {
                    "com.docker.network.bridge.default_bridge": "true",
                    "com.docker.network.bridge.enable_icc": "false",
                }},
                {"Id": "n2", "Name": "app", "Driver": "bridge", "Scope": "local", "Ingress": false, "Options": {}},
            ]),
        ),
        ("/volumes".to_owned(), json!({"Volumes": null})),
        (
            format!("/images/{app}/history"),
            json!([
                {"CreatedBy": "COPY x / # buildkit", "Size": 1},
                {"CreatedBy": "RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit", "Size": 1},
                {"CreatedBy": "/bin/sh -c #(nop) ADD file:1 in / ", "Size": 1},
            ]),
        ),
    ]);
    let done = json!({
        "State": {"Status": "exited", "Running": false, "FinishedAt": jiff::Timestamp::now().to_string()},
    });
    let containers = vec![
        container('b', "tidy", &json!({})),
        container('c', "done", &done),
    ];
    put_containers(&mut answers, containers, "nginx");
    put_image(&mut answers, image('a', &json!({})));
    answers
}

fn put_containers(answers: &mut Answers, containers: Vec<Value>, process: &str) {
    let mut list = Vec::new();
    for container in containers {
        let id = container["Id"].as_str().unwrap().to_owned();
        list.push(json!({"Id": id}));
        answers.insert(
            format!("/containers/{id}/top"),
            json!({"Titles": ["UID", "PID", "CMD"], "Processes": [["0", "7", process]]}),
        );
        answers.insert(format!("/containers/{id}/json"), container);
    }
    answers.insert("/containers/json?all=1".to_owned(), json!(list));
}

fn put_image(answers: &mut Answers, image: Value) {
    let id = image["Id"].as_str().unwrap().to_owned();
    answers.insert("/images/json".to_owned(), json!([{"Id": id}]));
    answers.insert(format!("/images/{id}/json"), image);
}

fn change(answers: &mut Answers, path: &str, with: Value) {
    merge(answers.get_mut(path).unwrap(), &with);
}

fn bad_answers() -> Answers {
    let mut answers = good_answers();
    let old = json!({"Version": "20.10.24", "Experimental": true, "Components": [
        {"Name": "Engine", "Version": "20.10.24"},
    ]});
    change(&mut answers, "/version", old);
    let info = json!({
        "Driver": "aufs", "LoggingDriver": "json-file", "LiveRestoreEnabled": false, "Debug": true,
        "ExperimentalBuild": true,
        "SecurityOptions": ["name=apparmor", "name=selinux", "name=seccomp,profile=unconfined"],
        "Plugins": {"Authorization": null},
        // One whose name begins like that of this machine.
        "RegistryConfig": {"IndexConfigs": {"localhost.lan:5000": {"Secure": false}}},
    });
    change(&mut answers, "/info", info);
    answers.insert(
        "/networks".to_owned(),
        json!([{"Id": "n1", "Name": "bridge", "Driver": "bridge", "Scope": "local", "Ingress": false, "Options": {
            "com.docker.network.bridge.default_bridge": "true", "com.docker.network.bridge.enable_icc": "true",
        }}]),
    );
    put_containers(&mut answers, bad_containers(), "sshd: /usr/sbin/sshd -D");
    let unused =
        json!({"Config": {"User": "", "Healthcheck": null, "Env": ["DB_PASSWORD=hunter2"]}});
    let image = image('f', &unused);
    let history = format!("/images/{}/history", image["Id"].as_str().unwrap());
    put_image(&mut answers, image);
    answers.insert(
        history,
        json!([
            {"CreatedBy": "RUN /bin/sh -c curl -sSkL https://example.org/x | sh # buildkit", "Size": 1},
            {"CreatedBy": "ADD https://example.org/x / # buildkit", "Size": 1},
            {"CreatedBy": "RUN /bin/sh -c apt-get update # buildkit", "Size": 1},
            {"CreatedBy": "/bin/sh -c #(nop) ADD file:1 in / ", "Size": 1},
        ]),
    );
    answers
}

fn rootless_answers() -> Answers {
    let mut answers = good_answers();
    let info = json!({"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]});
    change(&mut answers, "/info", info);
    answers
}

/// A manager of a swarm of three, on the old driver as it came.
fn swarm_answers() -> Answers {
    let mut answers = good_answers();
    let info = json!({
        "Driver": "devicemapper",
        "Swarm": {"LocalNodeState": "active", "ControlAvailable": true, "NodeAddr": "192.0.2.1"},
    });
    change(&mut answers, "/info", info);
    let service = |env: &str| json!([{"ID": "s1", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Env": [env]}}}}]);
    answers.insert(
        "/swarm".to_owned(),
        json!({
            "ID": "w1", "RootRotationInProgress": false,
            "TLSInfo": {"TrustRoot": include_str!("../../../collect/src/certificate/ca.pem")},
            "Spec": {
                "CAConfig": {"NodeCertExpiry": 7_776_000_000_000_000_i64},
                "EncryptionConfig": {"AutoLockManagers": true},
            },
        }),
    );
    let node = |id: &str| json!({"ID": id, "Spec": {"Role": "manager"}});
    answers.insert(
        "/nodes".to_owned(),
        json!([node("a"), node("b"), node("c")]),
    );
    answers.insert(
        "/services".to_owned(),
        service("DB_PASSWORD_FILE=/run/secrets/p"),
    );
    answers.insert("/secrets".to_owned(), json!([]));
    answers.insert("/configs".to_owned(), json!([]));
    answers.insert(
        "/networks".to_owned(),
        json!([{"Id": "o1", "Name": "app", "Driver": "overlay", "Scope": "swarm", "Ingress": false,
            "Options": {"encrypted": ""}}]),
    );
    answers
}

fn bad_swarm_answers() -> Answers {
    let mut answers = swarm_answers();
    let year = json!({
        "Spec": {
            "CAConfig": {"NodeCertExpiry": 31_536_000_000_000_000_i64},
            "EncryptionConfig": {"AutoLockManagers": false},
        },
    });
    change(&mut answers, "/swarm", year);
    let node = |id: &str| json!({"ID": id, "Spec": {"Role": "manager"}});
    answers.insert("/nodes".to_owned(), json!([node("a"), node("b")]));
    answers.insert(
        "/services".to_owned(),
        json!([{"ID": "s1", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Env": ["DB_PASSWORD=x"]}}}}]),
    );
    answers.insert(
        "/networks".to_owned(),
        json!([{"Id": "o1", "Name": "app", "Driver": "overlay", "Scope": "swarm", "Ingress": false, "Options": {}}]),
    );
    answers
}

/// The machine's files, and the process behind the socket.
fn machine(home: &Home, name: &str, is_bad: bool, flags: &str) {
    let place = |path: &str| home.path().join(format!("{name}{path}"));
    let write = |path: &str, text: &str| home.write(&format!("{name}{path}"), text);
    write("/etc/hostname", name);
    write(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n",
    );
    write("/etc/group", "root:x:0:\ndocker:x:107:\n");
    write("/sys/fs/selinux/enforce", "1\n");
    // A data root of its own, or one that the engine bound to itself.
    let data = if is_bad {
        "2 1 8:1 /var/lib/docker /var/lib/docker rw - ext4 /dev/sda1 rw\n"
    } else {
        "2 1 8:2 / /var/lib/docker rw - xfs /dev/sdb1 rw\n"
    };
    write(
        "/proc/1/mountinfo",
        &format!("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n{data}"),
    );
    if !is_bad {
        write("/etc/profile.d/trust.sh", "export DOCKER_CONTENT_TRUST=1\n");
        let rules: String = AUDITED
            .iter()
            .map(|path| format!("-w {path} -p wax -k docker\n"))
            .collect();
        write("/etc/audit/rules.d/docker.rules", &rules);
    }
    let listen = if is_bad {
        "0.0.0.0:2377"
    } else {
        "192.0.2.1:2377"
    };
    let data_path = if is_bad { "" } else { "198.51.100.1" };
    let state = json!({"ListenAddr": listen, "DataPathAddr": data_path});
    write(
        "/var/lib/docker/swarm/docker-state.json",
        &state.to_string(),
    );
    for program in [
        "dockerd",
        "containerd",
        "containerd-shim",
        "containerd-shim-runc-v1",
        "containerd-shim-runc-v2",
        "runc",
    ] {
        write(&format!("/usr/bin/{program}"), "");
    }
    write("/etc/containerd/config.toml", "version = 2\n");
    for (path, _) in FILES
        .iter()
        .filter(|(path, _)| *path != "/etc/docker" && *path != "/run/docker.sock")
    {
        write(path, if path.ends_with(".json") { "{}" } else { "" });
    }
    let argv = format!("dockerd -H unix:///run/docker.sock {flags}");
    write("/proc/811/cmdline", &argv.trim().replace(' ', "\0"));
    write("/proc/811/comm", "dockerd\n");
    write("/proc/811/environ", "");
    write("/proc/811/status", "Uid:\t0\t0\t0\t0\n");
    write(
        "/proc/811/net/unix",
        "Num RefCount Protocol Flags Type St Inode Path\n00000000aa: 00000002 00000000 00010000 0001 01 900 /run/docker.sock\n",
    );
    write("/proc/811/net/tcp", "  sl  local_address\n");
    fs::create_dir_all(place("/proc/811/fd")).unwrap();
    symlink("socket:[900]", place("/proc/811/fd/3")).unwrap();
    symlink("/usr/bin/dockerd", place("/proc/811/exe")).unwrap();
}

/// Gives each file its mode and owner: as they may be, or one bit and one owner too many.
fn rights(home: &Home, name: &str, is_bad: bool) {
    // Of the folder last, which root may always enter.
    for (path, mode) in FILES {
        let file = home.path().join(format!("{name}{path}"));
        let mode = if is_bad { mode | 0o002 } else { *mode };
        let group = if *path == "/run/docker.sock" { 107 } else { 0 };
        let (user, group) = if is_bad { (NOBODY, NOBODY) } else { (0, group) };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        chown(&file, Some(user), Some(group)).unwrap();
    }
}

/// What a machine's files do not tell: what the kernel audits, scans of images, and commands that were run.
fn seen_elsewhere(facts: &mut Value, is_bad: bool) {
    let facts = facts["facts"].as_object_mut().unwrap();
    facts["host"]["items"][0]["data"]["audit"] = json!({"enabled": true, "locked": false});
    for file in facts["host.file"]["items"].as_array_mut().unwrap() {
        if let Some(audit) = file["data"].get_mut("audit") {
            audit["loaded"] = audit["persisted"].clone();
        }
    }
    if let Some(swarm) = facts["docker.swarm"]["items"].get_mut(0) {
        swarm["data"]["ca"]["age_days"] = json!(if is_bad { 400 } else { 4 });
    }
    let collection = |items: Value| json!({"status": "ok", "source": "the test", "items": items});
    let image = format!("sha256:{}", id(if is_bad { 'f' } else { 'a' }));
    let (secrets, setuid, managers, oldest) = if is_bad {
        (
            json!([{"kind": "private key", "path": "/k", "layer": "l"}]),
            json!([{"path": "/bin/su", "mode": "4755", "owner": "root"}]),
            json!(["apt"]),
            json!({"critical": 90}),
        )
    } else {
        (json!([]), json!([]), json!([]), json!({}))
    };
    let scan = json!({
        "image": image, "scanned_days": 0, "incomplete": [], "secrets": secrets, "setuid": setuid,
        "packages": {"count": 1, "managers": managers, "compilers": [], "debuggers": [], "servers": [], "shells": []},
        "vulnerabilities": {"critical": 0, "high": 0, "fixable": {}, "fixable_oldest_days": oldest},
    });
    let scan = json!([{"id": image, "name": "app:1", "data": scan}]);
    facts.insert("image.scan".to_owned(), collection(scan));
    let run = json!([{"id": "x", "name": "sh", "data": {
        "engine": "unix:///run/docker.sock", "container": id('b'), "command": "sh",
        "started": "2026-01-01T00:00:00Z", "privileged": true, "user": "root",
    }}]);
    let execs = if is_bad { run } else { json!([]) };
    facts.insert("docker.exec".to_owned(), collection(execs));
}

/// What a machine comes to, control by control.
fn judged(home: &Home, name: &str, flags: &str, answers: Answers) -> BTreeMap<String, String> {
    let is_bad = name.starts_with("bad");
    machine(home, name, is_bad, flags);
    let answer = move |request: &str, _: &str| {
        let path = request.strip_prefix("GET ").unwrap_or_default();
        match answers.get(path) {
            Some(body) => ("200 OK", "application/json", body.to_string().into_bytes()),
            None => ("404 Not Found", "application/json", b"{}".to_vec()),
        }
    };
    let socket = home.path().join(format!("{name}/run/docker.sock"));
    serve_socket(&socket, Box::new(answer));
    rights(home, name, is_bad);
    let facts = format!("{name}.json");
    let run = home.run(&[
        "docker",
        "--root",
        name,
        "--save-facts",
        &facts,
        "--format",
        "json",
    ]);
    assert!(matches!(run.code, 0 | 3), "{}", run.err);
    let text = fs::read_to_string(home.path().join(&facts)).unwrap();
    let mut saved: Value = serde_json::from_str(&text).unwrap();
    seen_elsewhere(&mut saved, is_bad);
    home.write(&facts, saved.to_string());
    let run = home.run(&["docker", "--facts", &facts, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    let schema = home.run(&["schema", "posture-report"]);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator
        .iter_errors(&report)
        .map(|error| error.to_string());
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
    let controls = report["controls"].as_array().unwrap().iter();
    controls
        .map(|control| (control["id"].as_str().unwrap().to_owned(), said(control)))
        .collect()
}

/// The status of a control. What only a person decides has that of its evidence beside it.
fn said(control: &Value) -> String {
    let status = word(control["status"].as_str().unwrap());
    let objects = control["objects"].as_array().unwrap().iter();
    let evidence = objects.map(|object| object["status"].as_str().unwrap());
    let evidence = match status {
        "review" => evidence.max_by_key(|status| {
            ["pass", "needs_review"]
                .iter()
                .position(|known| known == status)
        }),
        _ => None,
    };
    match evidence {
        Some(evidence) => format!("{status}/{}", word(evidence)),
        None => status.to_owned(),
    }
}

/// The table's word for a status.
fn word(status: &str) -> &str {
    match status {
        "not_applicable" => "n/a",
        "not_collected" => "unknown",
        "needs_review" => "review",
        other => other,
    }
}

#[test]
fn each_control_is_satisfied_somewhere_and_not_elsewhere() {
    if !gives_files_away() {
        return;
    }
    let home = Home::new();
    let tls = "-H tcp://0.0.0.0:2376 --tlscacert=/etc/docker/tls/ca.pem --tlscert=/etc/docker/tls/cert.pem --tlskey=/etc/docker/tls/key.pem";
    let good = format!(
        "{tls} --tlsverify --no-new-privileges --userland-proxy=false --default-ulimit=nofile=1:2 --default-ulimit=nproc=1:2"
    );
    let bad = format!("{tls} --tls --iptables=false --cgroup-parent=/fast --log-level=debug");
    let base = "--storage-opt dm.basesize=50G";
    let machines = [
        judged(&home, "good", &good, good_answers()),
        judged(&home, "bad", &bad, bad_answers()),
        judged(&home, "rootless", &good, rootless_answers()),
        judged(&home, "swarm", &good, swarm_answers()),
        judged(&home, "bad-swarm", base, bad_swarm_answers()),
    ];
    let mut found = Vec::new();
    for id in machines[0].keys() {
        let words: Vec<&str> = machines
            .iter()
            .map(|machine| machine[id].as_str())
            .collect();
        found.push(format!("{id} {}", words.join(" ")));
    }
    let wanted: BTreeSet<String> = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let differences: Vec<&String> = found.iter().filter(|row| !wanted.contains(*row)).collect();
    assert_eq!(differences, Vec::<&String>::new(), "of {MACHINES:?}");
    assert_eq!((found.len(), wanted.len()), (118, 118));
    // The table itself: that nothing in it is always the same.
    for row in &wanted {
        let mut words = row.split(' ');
        let id = words.next().unwrap();
        let words: BTreeSet<&str> = words.flat_map(|word| word.split('/')).collect();
        let is_wrong = match FOR_PEOPLE.contains(&id) {
            true => "review",
            false => "fail",
        };
        assert!(words.contains(is_wrong), "{row}");
        assert!(
            WITHOUT_EVIDENCE.contains(&id) || words.contains("pass"),
            "{row}"
        );
    }
}
