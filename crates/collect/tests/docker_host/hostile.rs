//! Engines that are broken, or want to break us.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use seareeve_collect::docker_host::{Options, collect};
use seareeve_model::{CollectionStatus, Snapshot};
use serde_json::json;

use crate::fake::{Engine, Reply, plain};
use crate::support::{fact, kind, only, options};

/// A snapshot of an engine that does `odd` with one path and is plain otherwise.
fn with(path: &'static str, odd: fn() -> Reply) -> Snapshot {
    let engine = Engine::start(move |asked| {
        if asked.starts_with(path) {
            odd()
        } else {
            plain(asked)
        }
    });
    collect(&Options {
        reply: Duration::from_millis(300),
        reply_bytes: 100_000,
        ..options(&engine.socket())
    })
}

#[test]
fn a_plain_engine_is_told_of_without_its_process() {
    let engine = Engine::start(plain);
    let snapshot = collect(&options(&engine.socket()));
    let daemon = only(&snapshot, "docker.daemon");
    for (pointer, expected) in [
        (
            "/effective/live-restore",
            json!({"value": true, "source": "api"}),
        ),
        (
            "/effective/no-new-privileges",
            json!({"value": true, "source": "api"}),
        ),
        ("/effective/icc", json!({"value": false, "source": "api"})),
        (
            "/effective/seccomp-profile",
            json!({"value": "", "source": "api"}),
        ),
        (
            "/effective/insecure-registries",
            json!({"value": [], "source": "api"}),
        ),
        ("/security/apparmor", json!(true)),
        (
            "/components",
            json!([{"name": "docker", "version": "28.5.2", "number": [28, 5, 2]}]),
        ),
        ("/hosts/0/source", json!("listener")),
    ] {
        assert_eq!(daemon.pointer(pointer), Some(&expected), "{pointer}");
    }
    // Nothing is guessed of what only the command line tells.
    assert_eq!(daemon["effective"].get("userland-proxy"), None);
    let why = daemon["unresolved"]["userland-proxy"].as_str().unwrap();
    assert_eq!(why, daemon["process_unknown"]);
    let web = fact(&snapshot, "docker.container", "web");
    // The process that it calls its own is the machine's.
    assert_eq!(web.get("proc"), None);
    assert_eq!(
        web["processes"],
        json!([{"name": "nginx", "argv": ["nginx:", "master"], "pid": 7, "uid": 0}])
    );
    assert_eq!(web["processes_from"], "top");
    assert_eq!(
        web["networks"],
        json!([{"name": "bridge", "id": "n1", "default_bridge": true}])
    );
    assert_eq!(web["ports"][0]["wildcard"], true);
    assert_eq!(web["created_days"], 31);
    assert_eq!(web["user"].get("uid"), None);
    assert_eq!(web.pointer("/HostConfig/CapAdd"), Some(&json!([])));
    // Not said is not no.
    assert_eq!(web.pointer("/HostConfig/PidMode"), None);
    let image = &kind(&snapshot, "docker.image").items[0].data;
    assert_eq!(
        (&image["dangling"], &image["Config"]["User"]),
        (&json!(true), &json!(""))
    );
    // Nothing was run, and nothing was asked that changes anything.
    assert!(engine.asked().iter().all(|path| !path.contains("exec")));
}

/// Docker says that it is rootless among its security options, Podman beside them.
#[test]
fn a_rootless_podman_is_known() {
    let engine = Engine::start(|path| match path {
        "/version" => Reply::Json(json!({
            "Version": "4.3.1", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}],
        })),
        "/info" => Reply::Json(json!({
            "Rootless": true, "SecurityOptions": ["name=seccomp,profile=default"],
            "DockerRootDir": "/home/ann/.local/share/containers/storage",
        })),
        other => plain(other),
    });
    let snapshot = collect(&options(&engine.socket()));
    let daemon = only(&snapshot, "docker.daemon");
    assert_eq!(daemon["rootless"], true);
    assert_eq!(daemon["components"][0]["name"], "podman");
    let engine = Engine::start(plain);
    let snapshot = collect(&options(&engine.socket()));
    assert_eq!(only(&snapshot, "docker.daemon")["rootless"], false);
}

#[test]
fn what_one_path_lacks_does_not_take_the_others_away() {
    for (path, odd, of, status, why) in [
        (
            "/networks",
            (|| Reply::Endless) as fn() -> Reply,
            "docker.network",
            CollectionStatus::Error,
            "larger than 100000 bytes",
        ),
        (
            "/networks",
            || Reply::Slow,
            "docker.network",
            CollectionStatus::Error,
            "in time",
        ),
        (
            "/networks",
            || Reply::Drip,
            "docker.network",
            CollectionStatus::Error,
            "in time",
        ),
        (
            "/networks",
            || Reply::Silent,
            "docker.network",
            CollectionStatus::Error,
            "in time",
        ),
        (
            "/networks",
            || Reply::Hangup,
            "docker.network",
            CollectionStatus::Error,
            "failed to talk",
        ),
        (
            "/networks",
            || Reply::Text("{"),
            "docker.network",
            CollectionStatus::Error,
            "no answer to /networks",
        ),
        (
            "/networks",
            || Reply::Json(json!({"a": 1})),
            "docker.network",
            CollectionStatus::Error,
            "no answer to /networks",
        ),
        (
            "/networks",
            || Reply::Json(json!([1, {"Id": 2}])),
            "docker.network",
            CollectionStatus::Error,
            "2 of 2",
        ),
        (
            "/networks",
            || Reply::Status(500, r#"{"message": "the disk is gone"}"#),
            "docker.network",
            CollectionStatus::Error,
            "the disk is gone",
        ),
        (
            "/networks",
            || Reply::Status(403, "no\u{7}"),
            "docker.network",
            CollectionStatus::Denied,
            "status 403: no",
        ),
        (
            "/volumes",
            || Reply::Status(404, "{}"),
            "docker.volume",
            CollectionStatus::Unsupported,
            "status 404",
        ),
        (
            "/images/json",
            || Reply::Json(json!([{"Id": "../../x"}, {"Id": ""}])),
            "docker.image",
            CollectionStatus::Error,
            "2 of 2",
        ),
        (
            "/images/sha256",
            || Reply::Json(json!({"Id": "another"})),
            "docker.image",
            CollectionStatus::Error,
            "1 of 1",
        ),
        (
            "/containers/json",
            || Reply::Endless,
            "docker.container",
            CollectionStatus::Error,
            "larger",
        ),
        (
            "/containers/cc",
            || Reply::Json(json!([])),
            "docker.container",
            CollectionStatus::Error,
            "1 of 1",
        ),
        (
            "/containers/cc",
            || Reply::Text("[[[["),
            "docker.container",
            CollectionStatus::Error,
            "1 of 1",
        ),
    ] {
        let snapshot = with(path, odd);
        let collection = kind(&snapshot, of);
        assert_eq!(collection.status, status, "{path} {:?}", collection.detail);
        let detail = collection.detail.as_deref().unwrap_or_default();
        assert!(detail.contains(why), "{path}: {detail}");
        assert!(!detail.contains('\u{7}'));
        assert_eq!(collection.items, [], "{path}");
        for other in [
            "docker.network",
            "docker.image",
            "docker.container",
            "docker.daemon",
        ] {
            if other != of {
                assert_eq!(
                    kind(&snapshot, other).status,
                    CollectionStatus::Ok,
                    "{path} {other}"
                );
                assert_eq!(kind(&snapshot, other).items.len(), 1, "{path} {other}");
            }
        }
    }
}

#[test]
fn five_hundred_containers_are_all_told() {
    let id = |number: usize| format!("{number:064x}");
    let engine = Engine::start(move |path| {
        if path == "/containers/json?all=1" {
            let all: Vec<_> = (0..500).map(|number| json!({"Id": id(number)})).collect();
            return Reply::Json(json!(all));
        }
        let number = path
            .strip_prefix("/containers/")
            .and_then(|rest| rest.strip_suffix("/json"));
        let Some(number) = number else {
            return plain(path);
        };
        let Reply::Json(mut document) = plain(&format!("/containers/{}/json", "c".repeat(64)))
        else {
            panic!("a plain engine has a container");
        };
        document["Id"] = json!(number);
        document["Name"] = json!(format!("/web-{number}"));
        document["Config"]["User"] = json!("1000");
        document["State"]["Running"] = json!(false);
        Reply::Json(document)
    });
    let snapshot = collect(&options(&engine.socket()));
    let containers = kind(&snapshot, "docker.container");
    assert_eq!(
        (containers.status, containers.items.len()),
        (CollectionStatus::Ok, 500)
    );
    let ids: Vec<&str> = containers
        .items
        .iter()
        .map(|item| item.id.as_str())
        .collect();
    assert!(ids.is_sorted());
    let network = only(&snapshot, "docker.network");
    assert_eq!(network["containers"].as_array().unwrap().len(), 500);
}

#[test]
fn a_container_that_went_is_no_loss() {
    let snapshot = with("/containers/cc", || Reply::Status(404, "{}"));
    let containers = kind(&snapshot, "docker.container");
    assert_eq!(
        (containers.status, containers.items.len()),
        (CollectionStatus::Ok, 0)
    );
}

#[test]
fn fields_of_wrong_types_are_said() {
    let snapshot = with("/containers/cc", || {
        Reply::Json(json!({
            "Id": "c".repeat(64), "Name": 7, "HostConfig": {"Privileged": "yes", "CapAdd": "ALL", "Memory": {}},
            "Config": {"Env": [1, {}], "User": []}, "State": [], "Mounts": {"a": 1},
        }))
    });
    let container = only(&snapshot, "docker.container");
    let problems = container["problems"].as_array().unwrap();
    for problem in [
        "Name is no text",
        "HostConfig.Privileged is no boolean",
        "HostConfig.CapAdd is no list",
        "HostConfig.Memory is no number",
        "Config.User is no text",
        "State is no object",
        "Mounts is no list",
    ] {
        assert!(
            problems.contains(&json!(problem)),
            "{problem}: {problems:?}"
        );
    }
    // Nothing follows from what was not said.
    for derived in ["capabilities", "user", "security", "mounts", "ports"] {
        assert_eq!(container.get(derived), None, "{derived}");
    }
}

#[test]
fn an_engine_that_is_none_leaves_the_host() {
    for odd in [
        || Reply::Silent,
        || Reply::Hangup,
        || Reply::Text("<html>"),
        || Reply::Endless,
    ] as [fn() -> Reply; 4]
    {
        let snapshot = with("/", odd);
        assert_eq!(
            kind(&snapshot, "docker.daemon").status,
            CollectionStatus::Error
        );
        assert_eq!(
            kind(&snapshot, "docker.container").status,
            CollectionStatus::Error
        );
        assert_eq!(
            only(&snapshot, "host")["architecture"],
            std::env::consts::ARCH
        );
    }
}

#[test]
fn a_socket_that_takes_no_connections_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    // Fills what waits to be taken, until connecting would wait.
    let (filled, full) = std::sync::mpsc::channel();
    let place = path.clone();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok(stream) = std::os::unix::net::UnixStream::connect(&place) {
            held.push(stream);
            if filled.send(()).is_err() {
                return;
            }
        }
    });
    while full.recv_timeout(Duration::from_millis(500)).is_ok() {}
    let snapshot = collect(&Options {
        reply: Duration::from_millis(200),
        ..options(&path)
    });
    let daemon = kind(&snapshot, "docker.daemon");
    assert_eq!(
        daemon.status,
        CollectionStatus::Error,
        "{:?}",
        daemon.detail
    );
    assert!(
        daemon.detail.as_deref().unwrap().contains("in time"),
        "{:?}",
        daemon.detail
    );
}

#[test]
fn the_whole_run_ends_at_its_deadline() {
    let engine = Engine::start(|path| match path {
        "/version" | "/info" => plain(path),
        _ => Reply::Silent,
    });
    let snapshot = collect(&Options {
        reply: Duration::from_secs(3600),
        deadline: Duration::from_millis(500),
        ..options(&engine.socket())
    });
    // The first silence used all of the time; the others were not even asked.
    for of in [
        "docker.network",
        "docker.volume",
        "docker.container",
        "docker.image",
    ] {
        let collection = kind(&snapshot, of);
        assert!(
            collection.detail.as_deref().unwrap().contains("in time"),
            "{of}"
        );
    }
    assert_eq!(kind(&snapshot, "docker.daemon").items.len(), 1);
    assert_eq!(engine.asked(), ["/version", "/info", "/networks"]);
    assert!(engine.folder().exists());
}
