//! `seareeve sensor --kubernetes`: a cluster that is told of whole, and then by what changed.

use std::sync::{Arc, Mutex};

use seareeve_kubernetes::{Reading, Resource};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::support::{Home, Run, take};

const JSON: &str = "application/json";

/// Requests and their bodies.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A server that takes joins and wants the namespaces of a cluster, once.
fn server() -> (String, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let address = take(Box::new(move |request, body| {
        let mut notes = notes.lock().unwrap();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let before = notes.iter().filter(|(asked, _)| asked == request).count();
        let answer = match (request, before) {
            ("POST /api/v1/join", _) => json!({"id": 7, "token": "own"}),
            ("PUT /api/v1/facts/index", 0) => {
                let wanted = body["hashes"]["kubernetes.namespace"].as_object().unwrap();
                let ids: Vec<&String> = wanted.keys().collect();
                json!({"asset": 3, "revision": "3-1", "wanted": {"kubernetes.namespace": ids}})
            }
            ("PUT /api/v1/facts/index", _) => json!({"asset": 3, "revision": "3-2", "wanted": {}}),
            ("PATCH /api/v1/facts", _) => json!({"revision": "3-2"}),
            _ => return ("404 Not Found", JSON, b"{}".to_vec()),
        };
        notes.push((request.to_owned(), body));
        ("200 OK", JSON, answer.to_string().into_bytes())
    }));
    (format!("http://{address}"), asked)
}

fn cluster() -> Fake {
    let fake = Fake::start();
    let asked = Resource::ALL.into_iter();
    for resource in asked.filter(|one| one.reading() != Reading::Never) {
        let api = resource.api();
        let root = match api.group {
            "" => "/api".to_owned(),
            group => format!("/apis/{group}"),
        };
        let path = format!("{root}/{}/{}", api.versions[0], api.plural);
        fake.put(&path, json!({"metadata": {"name": "x"}}));
        fake.remove(&path, "/x", true);
    }
    let system = json!({"metadata": {"name": "kube-system", "uid": "u1", "resourceVersion": "9"}});
    fake.put("/api/v1/namespaces", system);
    fake
}

fn observe(home: &Home, server: &str, more: &[&str]) -> Run {
    let arguments = [
        "--data-dir",
        "data",
        "sensor",
        "--kubernetes",
        "--kubeconfig",
        "kubeconfig",
        "--server",
        server,
        "--once",
    ];
    let mut command = home.command(&[&arguments[..], more].concat());
    Run::from(command.output().unwrap())
}

#[test]
fn a_cluster_is_told_of_by_hashes_and_then_by_what_is_wanted() {
    let fake = cluster();
    let home = Home::new();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": fake.connection().server}}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
    });
    home.write("kubeconfig", config.to_string());
    home.write("token", "joining\n");
    let (server, asked) = server();
    let run = observe(&home, &server, &["--join-file", "token"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let run = observe(&home, &server, &[]);
    assert_eq!(run.code, 0, "{}", run.err);

    let asked = asked.lock().unwrap();
    let requests: Vec<&str> = asked.iter().map(|(request, _)| request.as_str()).collect();
    let expected = [
        "POST /api/v1/join",
        "PUT /api/v1/facts/index",
        "PATCH /api/v1/facts",
        "PUT /api/v1/facts/index",
        "PATCH /api/v1/facts",
    ];
    assert_eq!(requests, expected);
    assert_eq!(asked[0].1["name"], "prod");
    let index = &asked[1].1;
    assert_eq!(
        (
            &index["asset_id"],
            &index["asset_name"],
            &index["asset_kind"]
        ),
        (&json!("u1"), &json!("prod"), &json!("kubernetes-cluster"))
    );
    let sent = &asked[2].1;
    assert_eq!(sent["base"], "3-1");
    let namespaces = sent["put"]["kubernetes.namespace"].as_array().unwrap();
    assert_eq!(namespaces.len(), 1);
    assert_eq!(namespaces[0]["id"], "Namespace/kube-system");
    let text = namespaces[0].to_string();
    assert!(
        !text.contains("resourceVersion"),
        "it changes with every write: {text}"
    );
    // Nothing was wanted the second time, and nothing was sent but a sign of life.
    assert_eq!(asked[4].1["put"], json!({}));
    assert_eq!(index["hashes"], asked[3].1["hashes"]);
    // A machine's sensor may have its own token in the same folder.
    assert!(home.path().join("data/cluster-token").exists());
    assert!(!home.path().join("data/sensor-token").exists());
}

#[test]
fn a_cluster_that_cannot_be_reached_is_an_error_once() {
    let home = Home::new();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    });
    home.write("kubeconfig", config.to_string());
    home.write("token", "joining\n");
    let (server, _) = server();
    let run = observe(&home, &server, &["--join-file", "token"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("failed to observe the cluster prod"),
        "{}",
        run.err
    );
}
