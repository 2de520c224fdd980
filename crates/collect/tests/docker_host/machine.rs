//! Machines as they lie in a folder.

use std::fs;
use std::path::Path;

use camino::Utf8PathBuf;
use seareeve_collect::docker_host::{Options, collect};
use seareeve_collect::watch::Watch;
use seareeve_model::{CollectionStatus, Snapshot};
use serde_json::json;

use crate::support::{fact, kind, only};

/// A machine whose `/` is a folder with these files.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let options = Options {
        root: Some(root),
        ..Options::here("2027-01-01T00:00:00Z".parse().unwrap())
    };
    (folder, options)
}

const PASSWD: &str =
    "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbob:x:1001:999::/:/bin/sh\n";
const GROUP: &str = "root:x:0:\ndocker:x:999:ann\nsudo:x:27:ann\n";

fn statuses(snapshot: &Snapshot) -> Vec<(&str, CollectionStatus)> {
    let facts = snapshot.facts.iter();
    facts
        .map(|(kind, collection)| (kind.as_str(), collection.status))
        .collect()
}

#[test]
fn a_machine_without_an_engine_is_told_of_all_the_same() {
    let (_folder, options) = machine(&[
        ("etc/passwd", PASSWD),
        ("etc/group", GROUP),
        ("etc/machine-id", "4f\n"),
        (
            "etc/sudoers",
            "%sudo ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n",
        ),
        (
            "etc/sudoers.d/90-ann",
            "ann ALL = NOPASSWD: /usr/bin/docker\n",
        ),
        ("etc/sudoers.d/90-ann.bak", "bob ALL = ALL\n"),
        ("proc/1/mountinfo", "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ("proc/sys/kernel/hostname", "build-1\n"),
        ("var/lib/kubelet/config.yaml", ""),
    ]);
    let snapshot = collect(&options);
    assert_eq!(
        (snapshot.asset_id.as_str(), snapshot.asset_name.as_str()),
        ("4f", "build-1")
    );
    for (kind, status) in statuses(&snapshot) {
        // The kubelet was here, and does not run.
        let is_component = kind.starts_with("kubernetes.")
            && !["kubernetes.membership", "kubernetes.node-file"].contains(&kind);
        let expected = if kind.starts_with("docker.") || kind == "host.file" || is_component {
            CollectionStatus::Absent
        } else {
            CollectionStatus::Ok
        };
        if kind != "host.audit" {
            assert_eq!(status, expected, "{kind}");
        }
    }
    assert_eq!(only(&snapshot, "host")["managed"]["is"], json!(false));
    assert_eq!(
        fact(&snapshot, "host.group", "docker")["members"],
        json!(["ann", "bob"])
    );
    let sudoers: Vec<(&str, &str)> = kind(&snapshot, "host.sudoer")
        .items
        .iter()
        .map(|item| (item.name.as_str(), item.data["root_by"].as_str().unwrap()))
        .collect();
    assert_eq!(sudoers, [("ann", "docker"), ("sudo", "all")]);
}

#[test]
fn what_of_a_machine_cannot_be_read_is_said() {
    let (folder, options) = machine(&[("etc/group", GROUP), ("proc/1/status", "")]);
    // A link to itself is neither there nor not.
    std::os::unix::fs::symlink("passwd", folder.path().join("etc/passwd")).unwrap();
    let snapshot = collect(&options);
    let users = kind(&snapshot, "host.user");
    assert_eq!(users.status, CollectionStatus::Error);
    assert!(
        users
            .detail
            .as_deref()
            .unwrap()
            .contains("failed to read /etc/passwd")
    );
    assert_eq!(
        kind(&snapshot, "host.mount").status,
        CollectionStatus::Error
    );
    assert_eq!(kind(&snapshot, "host.group").status, CollectionStatus::Ok);
}

#[test]
fn an_engine_in_a_mounted_root_is_found_and_its_files_are_the_hosts() {
    use crate::fake::{Engine, plain};
    let engine = Engine::start(plain);
    let (folder, options) = machine(&[
        ("etc/passwd", PASSWD),
        ("etc/group", GROUP),
        (
            "etc/docker/daemon.json",
            r#"{"icc": false, "hosts": ["unix:///run/docker.sock"]}"#,
        ),
        ("etc/docker/certs.d/reg:5000/ca.crt", ""),
        ("etc/docker/certs.d/reg:5000/client key.key", ""),
        (
            "lib/systemd/system/docker.socket",
            "[Socket]\nListenStream=/run/docker.sock\n",
        ),
        (
            "etc/systemd/system/docker.socket.d/tcp.conf",
            "[Socket]\nListenStream=2375\n",
        ),
        (
            "etc/audit/rules.d/docker.rules",
            "-w /etc/docker -p wa -k docker\n-w /usr/bin/dockerd -p wa\n",
        ),
        ("usr/bin/dockerd", ""),
        (
            "proc/1/mountinfo",
            "1 1 8:1 / / rw - ext4 a rw\n2 1 8:2 / /data rw shared:1 - xfs b rw\n",
        ),
    ]);
    fs::create_dir_all(folder.path().join("run")).unwrap();
    fs::create_dir_all(folder.path().join("data")).unwrap();
    // The socket itself, as a mount of the host's `/` has it.
    fs::hard_link(engine.socket(), folder.path().join("run/docker.sock")).unwrap();
    let snapshot = collect(&options);
    let daemon = only(&snapshot, "docker.daemon");
    assert_eq!(daemon["endpoint"], "unix:///run/docker.sock");
    assert_eq!(daemon["data_root"]["separate"], json!(true));
    assert_eq!(daemon["data_root"]["mount"]["fstype"], "xfs");
    let files: Vec<(String, bool)> = kind(&snapshot, "host.file")
        .items
        .iter()
        .map(|item| {
            let text = |key: &str| item.data[key].as_str().unwrap().to_owned();
            (
                format!("{} {}", text("role"), text("path")),
                item.data["exists"] == true,
            )
        })
        .collect();
    for (file, exists) in [
        (
            "docker.registry-cert /etc/docker/certs.d/reg:5000/client key.key",
            true,
        ),
        (
            "docker.registry-cert /etc/docker/certs.d/reg:5000/ca.crt",
            true,
        ),
        ("docker.config-dir /etc/docker", true),
        ("docker.socket /run/docker.sock", true),
        ("unit.docker-socket /lib/systemd/system/docker.socket", true),
        (
            "unit.docker-socket /etc/systemd/system/docker.socket.d/tcp.conf",
            true,
        ),
        (
            "unit.docker-service /usr/lib/systemd/system/docker.service",
            false,
        ),
        ("docker.environment-default /etc/default/docker", false),
        ("bin.dockerd /usr/bin/dockerd", true),
        ("bin.containerd /usr/bin/containerd", false),
        ("containerd.socket /run/containerd/containerd.sock", false),
        ("docker.data-root /data", true),
    ] {
        assert!(
            files.contains(&(file.to_owned(), exists)),
            "{file} {exists} is not in {files:#?}"
        );
    }
    for (role, expected) in [
        ("docker.config-dir", json!(["a", "w"])),
        ("docker.registry-cert", json!(["a", "w"])),
        ("bin.dockerd", json!(["a", "w"])),
        ("bin.containerd", json!([])),
    ] {
        assert_eq!(
            crate::support::file(&snapshot, role)["audit"]["persisted"],
            expected,
            "{role}"
        );
    }
    assert_eq!(
        only(&snapshot, "docker.container")["engine"],
        "unix:///run/docker.sock"
    );
}

const STOPPED: &str = "Docker is installed (/usr/bin/dockerd) and does not run";

#[test]
fn a_machine_whose_engine_is_stopped_is_not_one_without() {
    let (folder, options) = machine(&[("etc/passwd", PASSWD), ("usr/bin/dockerd", "")]);
    fs::create_dir(folder.path().join("proc")).unwrap();
    let snapshot = collect(&options);
    for (name, facts) in &snapshot.facts {
        if name.as_str().starts_with("docker.") || name.as_str() == "host.file" {
            let told = (facts.status, facts.detail.as_deref());
            assert_eq!(told, (CollectionStatus::Error, Some(STOPPED)), "{name}");
        }
    }
    assert_eq!(only(&snapshot, "host")["silent_engine"], STOPPED);
}

#[test]
fn an_engine_that_is_stopped_is_missed_beside_one_that_answers() {
    use crate::fake::{Engine, Reply, plain};
    let engine = Engine::start(|path| match path {
        "/version" => {
            Reply::Json(json!({"Components": [{"Name": "Podman Engine", "Version": "5.4.2"}]}))
        }
        other => plain(other),
    });
    let (folder, options) = machine(&[("etc/passwd", PASSWD), ("usr/bin/dockerd", "")]);
    fs::create_dir(folder.path().join("proc")).unwrap();
    fs::create_dir_all(folder.path().join("run/podman")).unwrap();
    let socket = folder.path().join("run/podman/podman.sock");
    fs::hard_link(engine.socket(), &socket).unwrap();
    let snapshot = collect(&options);
    assert_eq!(only(&snapshot, "docker.daemon")["engine"], "podman");
    for (name, facts) in &snapshot.facts {
        if name.as_str().starts_with("docker.") {
            let told = (facts.status, facts.detail.as_deref());
            assert_eq!(told, (CollectionStatus::Error, Some(STOPPED)), "{name}");
        }
    }
    assert_eq!(kind(&snapshot, "docker.container").items.len(), 1);
    assert_eq!(kind(&snapshot, "host.file").status, CollectionStatus::Ok);
    assert_eq!(only(&snapshot, "host")["silent_engine"], STOPPED);

    // Who names engines asks for no others.
    let named = collect(&Options {
        endpoints: vec!["unix:///run/podman/podman.sock".parse().unwrap()],
        ..options
    });
    assert_eq!(kind(&named, "docker.daemon").status, CollectionStatus::Ok);
    assert_eq!(only(&named, "host").get("silent_engine"), None);
}

/// One that is there and is not heard is told; one that has ended is nothing that could be missed, until it is back.
#[test]
fn an_engine_that_has_ended_is_not_missed() {
    use crate::fake::{Engine, plain};
    let engine = Engine::start(plain);
    let (folder, options) = machine(&[("etc/passwd", PASSWD), ("etc/group", GROUP)]);
    let socket = folder.path().join("run/docker.sock");
    fs::create_dir_all(folder.path().join("run")).unwrap();
    let mut watch = Watch::new(options.root.clone().unwrap()).unwrap();
    let look = |watch: &mut Watch| {
        let snapshot = collect(&options);
        watch.aim(&snapshot);
        let execs = watch.execs(options.now);
        let engines: Vec<String> = watch.hearing().engines.into_keys().collect();
        (engines, execs.status)
    };
    // This engine knows no events.
    let unheard = (
        vec!["unix:///run/docker.sock".to_owned()],
        CollectionStatus::Error,
    );
    fs::hard_link(engine.socket(), &socket).unwrap();
    assert_eq!(look(&mut watch), unheard);
    fs::remove_file(&socket).unwrap();
    assert_eq!(look(&mut watch), (Vec::new(), CollectionStatus::Absent));
    fs::hard_link(engine.socket(), &socket).unwrap();
    assert_eq!(look(&mut watch), unheard);
}

#[test]
fn without_a_root_nothing_is_told_of_the_host() {
    let engine = crate::fake::Engine::start(crate::fake::plain);
    let snapshot = collect(&Options {
        root: None,
        ..crate::support::options(&engine.socket())
    });
    let hosts: Vec<CollectionStatus> = statuses(&snapshot)
        .into_iter()
        .filter(|(kind, _)| kind.starts_with("host"))
        .map(|(_, status)| status)
        .collect();
    assert!(
        !hosts.is_empty()
            && hosts
                .iter()
                .all(|status| *status == CollectionStatus::Denied)
    );
    let daemon = only(&snapshot, "docker.daemon");
    assert_eq!(
        (&daemon["local"], daemon.get("data_root")),
        (&json!(false), None)
    );
    assert!(Path::new(snapshot.asset_name.trim_start_matches("unix://")).exists());
}
