//! A cluster that is read once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use seareeve_collect::kubernetes::{AskError, Cluster, Connection, Limits};
use seareeve_kubernetes::{Change, KINDS, Kind, Object, Observed, Resource, State};
use seareeve_model::{CollectionStatus, FactKind};
use serde_json::{Value, json};

use crate::fake::{Fake, Fault, path_of};

pub(crate) fn limits() -> Limits {
    Limits {
        page: 7,
        ..Limits::default()
    }
}

/// A server that has every resource, without objects.
pub(crate) fn empty() -> Fake {
    let fake = Fake::start();
    for resource in Resource::ALL {
        let api = resource.api();
        let (version, path) = match api.group {
            "" => (api.versions[0].to_owned(), "/api"),
            group => (format!("{group}/{}", api.versions[0]), "/apis"),
        };
        let path = format!("{path}/{version}/{}", api.plural);
        fake.put(&path, json!({"metadata": {"name": "x"}}));
        fake.remove(&path, "/x", true);
    }
    fake
}

pub(crate) fn kind(kind: &str) -> FactKind {
    FactKind::new(kind).unwrap()
}

/// All facts by kind and id.
pub(crate) fn facts(state: &State) -> BTreeMap<String, Value> {
    KINDS
        .into_iter()
        .flat_map(|name| {
            let facts: Vec<_> = state.facts(&kind(name)).collect();
            facts
                .into_iter()
                .map(move |fact| (format!("{name} {}", fact.id), fact.data))
        })
        .collect()
}

fn lab() -> Option<Vec<Value>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let path = PathBuf::from(root).join("data/kubernetes/objects.json.zst");
    let Ok(packed) = std::fs::read(&path) else {
        let required =
            std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
        assert!(
            !required,
            "shared data is required, and {} is not there",
            path.display()
        );
        #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
        {
            println!("NOT RUN: shared data is not at {}", path.display());
        }
        return None;
    };
    let content = zstd::decode_all(packed.as_slice()).unwrap();
    let list: Value = serde_json::from_slice(&content).unwrap();
    Some(list["items"].as_array().unwrap().clone())
}

#[test]
fn what_comes_in_pages_is_what_is_there() {
    let Some(objects) = lab() else {
        return;
    };
    let fake = Fake::start();
    let mut wanted = State::new(Kind::Cluster);
    for object in objects {
        let version = object["apiVersion"].as_str().unwrap();
        let kind = object["kind"].as_str().unwrap();
        let resource = Resource::of(version, kind).unwrap();
        fake.put(&path_of(version, resource.api().plural), object.clone());
        wanted.apply(Change::Put(Object::read(object, None).unwrap()));
    }
    // A page's token expires in the middle of a list.
    fake.fault(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        Fault::PageExpired,
    );
    fake.refuse("/apis/networking.k8s.io/v1/networkpolicies", 403);
    let cluster = Cluster::new(&fake.connection(), limits()).unwrap();
    let state = cluster.read().unwrap();
    let (found, wanted) = (facts(&state), facts(&wanted));
    for (id, data) in &wanted {
        // What the server says of itself is in these.
        if !matches!(
            id.as_str(),
            "kubernetes.cluster cluster" | "kubernetes.admission admission"
        ) && !id.starts_with("kubernetes.namespace ")
        {
            assert_eq!(found.get(id), Some(data), "{id}");
        }
    }
    assert_eq!(found.len(), wanted.len());
    let cluster = &found["kubernetes.cluster cluster"];
    assert_eq!(cluster["version"], "v1.31.4");
    assert_eq!(cluster["minor"], 31);
    assert_eq!(
        found["kubernetes.admission admission"]["engines"],
        json!([{"name": "kyverno", "found": ["API group kyverno.io"]}])
    );
    assert_eq!(
        found["kubernetes.namespace Namespace/shop"].get("network_policies"),
        None
    );
    let collection = |name: &str| state.collection(&kind(name), "x");
    let denied = collection("kubernetes.network-policy");
    assert_eq!(denied.status, CollectionStatus::Denied);
    assert_eq!(
        denied.detail.as_deref(),
        Some(
            "the reader may not list networkpolicies.networking.k8s.io: its role lacks `list` on \
             `networkpolicies` in the API group `networking.k8s.io`"
        )
    );
    assert_eq!(
        collection("kubernetes.gateway").status,
        CollectionStatus::Absent
    );
    assert_eq!(
        collection("kubernetes.workload").status,
        CollectionStatus::Ok
    );
    for (method, target, accept, authorization) in fake.requests() {
        assert_eq!(method, "GET", "{target}");
        assert_eq!(authorization, "Bearer t0ken", "{target}");
        assert!(!target.contains("secret"), "{target}");
        let wants_metadata = target.starts_with("/api/v1/configmaps");
        assert_eq!(
            accept.contains("as=PartialObjectMetadata"),
            wants_metadata,
            "{target}"
        );
    }
}

#[test]
fn a_cluster_that_does_not_know_us_is_an_error() {
    let fake = empty();
    fake.refuse("/version", 401);
    let cluster = Cluster::new(&fake.connection(), limits()).unwrap();
    let error = cluster.read().unwrap_err();
    assert_eq!(error.status(), Some(401));
    // That it will not say its version is no error.
    fake.refuse("/version", 403);
    fake.refuse("/apis", 403);
    let state = cluster.read().unwrap();
    let cluster = &facts(&state)["kubernetes.cluster cluster"];
    assert_eq!(cluster.get("version"), None);
    assert_eq!(cluster.get("api_groups"), None);
}

#[test]
fn a_hostile_server_costs_a_gap_and_nothing_else() {
    let fake = empty();
    fake.put(
        "/api/v1/namespaces",
        json!({"metadata": {"name": "shop", "uid": "u"}}),
    );
    let strict = Limits {
        silence: Duration::from_millis(300),
        answer_bytes: 4 << 20,
        object_bytes: 1 << 20,
        objects: 3,
        ..limits()
    };
    for name in ["a", "b", "c", "d"] {
        let labels = json!({"text": "x".repeat(100)});
        fake.put(
            "/api/v1/services",
            json!({"metadata": {"name": name, "labels": labels}}),
        );
    }
    for (path, fault) in [
        ("/api/v1/nodes", Fault::Endless(" ")),
        ("/api/v1/serviceaccounts", Fault::Endless("[")),
        ("/apis/apps/v1/deployments", Fault::Bytes("<html>")),
        ("/apis/apps/v1/statefulsets", Fault::Bytes("[1, 2]")),
        (
            "/apis/apps/v1/daemonsets",
            Fault::Bytes("{\"items\": [{\"metadata\": "),
        ),
        (
            "/apis/apps/v1/replicasets",
            Fault::Bytes(
                "{\"metadata\": {}, \"items\": [1, {\"metadata\": 2}, {\"metadata\": {\"name\": \"r\"}}]}",
            ),
        ),
        ("/apis/batch/v1/jobs", Fault::Bytes("{\"metadata\": {}}")),
        ("/apis/batch/v1/cronjobs", Fault::Status(500)),
        (
            "/api/v1/podtemplates",
            Fault::Bytes("{\"items\": {}, \"metadata\": {}}"),
        ),
    ] {
        fake.fault(path, fault);
    }
    let cluster = Cluster::new(&fake.connection(), strict).unwrap();
    let state = cluster.read().unwrap();
    for name in [
        "kubernetes.node",
        "kubernetes.service-account",
        "kubernetes.workload",
        "kubernetes.service",
    ] {
        let found = state.collection(&kind(name), "x");
        assert_eq!(found.status, CollectionStatus::Error, "{name}");
    }
    let detail = state
        .collection(&kind("kubernetes.workload"), "x")
        .detail
        .unwrap();
    for wanted in [
        "status 500: refused by the fake",
        "2 of replicasets.apps could not be understood",
        "/api/v1/podtemplates?limit=7 that is one",
        "/apis/batch/v1/jobs?limit=7 that is one: it is no list",
        "/apis/apps/v1/deployments?limit=7 that is one",
    ] {
        assert!(detail.contains(wanted), "{wanted}: {detail}");
    }
    let detail = state
        .collection(&kind("kubernetes.node"), "x")
        .detail
        .unwrap();
    assert!(
        detail.contains("larger than any that it should give"),
        "{detail}"
    );
    let found = facts(&state);
    assert!(found.contains_key("kubernetes.namespace Namespace/shop"));
    assert!(found.contains_key("kubernetes.workload ReplicaSet/r"));
    // The first three of four.
    assert!(found.contains_key("kubernetes.service Service/c"));
    assert!(!found.contains_key("kubernetes.service Service/d"));
    // What is kept of all together has a limit, too.
    let small = Limits {
        kept_bytes: 200,
        ..strict
    };
    let state = Cluster::new(&fake.connection(), small)
        .unwrap()
        .read()
        .unwrap();
    let found = state.collection(&kind("kubernetes.service"), "x");
    assert_eq!(
        found.detail.as_deref(),
        Some("the cluster has more than is kept of one: not all services were read")
    );
    assert!(state.bytes() < 400);
    // Bytes that never end do not keep it, as slowly as they come.
    let hasty = Limits {
        answer: Duration::from_millis(300),
        ..strict
    };
    fake.fault("/api/v1/nodes", Fault::Drip);
    let state = Cluster::new(&fake.connection(), hasty)
        .unwrap()
        .read()
        .unwrap();
    let found = state.collection(&kind("kubernetes.node"), "x");
    let detail = found.detail.unwrap_or_default();
    assert!(detail.contains("in time"), "{detail}");
    assert!(facts(&state).contains_key("kubernetes.namespace Namespace/shop"));
    // After silence nothing more is waited for.
    fake.fault("/api/v1/nodes", Fault::Silent);
    fake.fault("/api/v1/serviceaccounts", Fault::Silent);
    let state = cluster.read().unwrap();
    let role = state.collection(&kind("kubernetes.role"), "x");
    assert!(
        role.detail
            .unwrap()
            .contains("did not answer /api/v1/serviceaccounts?limit=7 in time")
    );
}

#[test]
fn kubelets_are_asked_through_the_api_server_by_names_only() {
    let fake = empty();
    fake.fault(
        "/api/v1/nodes/n1/proxy/configz",
        Fault::Bytes(
            "{\"kubeletconfig\": {\"authentication\": {\"anonymous\": {\"enabled\": true}}}}",
        ),
    );
    // A reply in chunks has an end.
    let cluster = Cluster::new(&fake.connection(), limits()).unwrap();
    let error = cluster.kubelet("n1").unwrap_err();
    assert!(
        matches!(
            error,
            AskError::Unreachable { .. } | AskError::Malformed { .. }
        ),
        "{error}"
    );
    for name in ["", "..", "a/b", "a?b", "a b"] {
        assert!(
            matches!(cluster.kubelet(name), Err(AskError::Malformed { .. })),
            "{name}"
        );
    }
    fake.put(
        "/api/v1/nodes/n2/proxy/configz",
        json!({"metadata": {"name": "x"}}),
    );
    let seen = cluster.kubelet("n2").unwrap();
    let mut state = State::new(Kind::Cluster);
    state.observe(seen);
    let facts: Vec<_> = state.facts(&kind("kubernetes.kubelet")).collect();
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].name, "kubelet on n2");
}

#[test]
fn a_hostile_kubelet_costs_its_own_answer_and_nothing_else() {
    let fake = empty();
    let strict = Limits {
        silence: Duration::from_millis(300),
        answer: Duration::from_millis(600),
        ..limits()
    };
    let cluster = Cluster::new(&fake.connection(), strict).unwrap();
    let path = "/api/v1/nodes/n1/proxy/configz";
    for (fault, wanted) in [
        (Fault::Endless(" "), "larger than any that it should give"),
        (Fault::Endless("["), "larger than any that it should give"),
        (Fault::Drip, "in time"),
        (Fault::Silent, "in time"),
        (Fault::Status(500), "refused by the fake"),
        (Fault::Bytes("<html>"), "that is one"),
    ] {
        fake.fault(path, fault.clone());
        let error = cluster.kubelet("n1").unwrap_err().to_string();
        assert!(error.contains(wanted), "{fault:?}: {error}");
    }
    // Of the wrong type, from top to bottom.
    for bytes in [
        json!([1, 2]),
        json!({"kubeletconfig": []}),
        json!({"kubeletconfig": {"authentication": 7, "eventRecordQPS": "many", "featureGates": [null]}}),
    ] {
        let told = Observed {
            component: "kubelet".to_owned(),
            node: "n1".to_owned(),
            configz: Some(bytes.clone()),
            ..Observed::default()
        };
        let mut state = State::new(Kind::Cluster);
        state.observe(told);
        assert_eq!(
            state.facts(&kind("kubernetes.kubelet")).count(),
            1,
            "{bytes}"
        );
    }
}

#[test]
fn a_cluster_is_asked_through_its_proxy_or_not_at_all() {
    let fake = empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, asked) = mpsc::channel();
    // A proxy for one connection.
    let proxy = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(client.try_clone().unwrap());
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut request).unwrap(), 0, "{request}");
        }
        let target = request.split(' ').nth(1).unwrap().to_owned();
        let server = TcpStream::connect(&target).unwrap();
        send.send(request).unwrap();
        (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut answers, mut to_client) = (server.try_clone().unwrap(), client);
        std::thread::spawn(move || std::io::copy(&mut answers, &mut to_client));
        // It ends with the client.
        let _ended = std::io::copy(&mut reader, &mut &server);
        drop(server.shutdown(std::net::Shutdown::Both));
    });
    let through = |proxy: String| Connection {
        proxy: Some(proxy),
        ..fake.connection()
    };
    let cluster = Cluster::new(&through(format!("http://{address}")), limits()).unwrap();
    let about = cluster.about().unwrap();
    assert_eq!(about.version.as_deref(), Some("v1.31.4"));
    assert!(asked.recv().unwrap().starts_with("CONNECT 127.0.0.1:"));
    drop(cluster);
    proxy.join().unwrap();
    let refused = Cluster::new(&through(format!("socks5://{address}")), limits());
    let why = refused.err().unwrap().to_string();
    assert_eq!(
        why,
        "the proxy's address cannot be used: only proxies of HTTP are spoken to"
    );
}
