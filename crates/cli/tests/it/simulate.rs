//! `seareeve simulate` on a made-up API server, which tells a real server of what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use seareeve_api::{AuditPlan, AuditSourceSettings, NewAuditCluster};
use serde_json::{Value, json};

use crate::audit::{Server, http};
use crate::support::Home;

/// What becomes of the namespace of the simulations.
#[derive(Clone, Copy, PartialEq)]
enum Namespace {
    /// There is none.
    Missing,
    /// It still ends, for so many looks.
    Ends(u32),
    There,
}

/// An API server that grants everything but in a namespace that ends.
struct Cluster {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    namespace: Namespace,
    /// Method, path and status of each request.
    log: Vec<String>,
    /// Whom to tell: port, path, token; and who is left out.
    webhook: Option<(u16, String, String)>,
    silent: Vec<&'static str>,
}

impl Cluster {
    fn start(namespace: Namespace) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            namespace,
            log: Vec::new(),
            webhook: None,
            silent: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &state));
            }
        });
        Self { port, state }
    }

    fn kubeconfig(&self, home: &Home) -> String {
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{}", self.port)}}],
            "users": [{"name": "u", "user": {}}],
        });
        home.write("kubeconfig", text.to_string());
        "kubeconfig".to_owned()
    }

    fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }
}

/// Answers requests on a connection.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split(' ');
        let (method, path) = (
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        );
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (status, answer) = answer(&method, &path, &body, state);
        let answer = answer.to_string();
        let sent = write!(
            stream,
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if sent.is_err() {
            return;
        }
        tell(&method, &path, &body, status, state);
    }
}

const NAMESPACE: &str = "/api/v1/namespaces/seareeve-alerttest";

fn answer(method: &str, path: &str, body: &Value, state: &Mutex<State>) -> (u16, Value) {
    let mut state = state.lock().unwrap();
    let ends = matches!(state.namespace, Namespace::Ends(_));
    let (status, answer) = match (method, path) {
        ("GET", NAMESPACE) => match state.namespace {
            Namespace::Missing => (404, json!({})),
            Namespace::There => (200, json!({"metadata": {"name": "seareeve-alerttest"}})),
            Namespace::Ends(looks) => {
                state.namespace = match looks {
                    0 => Namespace::Missing,
                    more => Namespace::Ends(more - 1),
                };
                let metadata = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
                (
                    200,
                    json!({"metadata": metadata, "status": {"phase": "Terminating"}}),
                )
            }
        },
        ("POST", "/api/v1/namespaces") => {
            if state.namespace == Namespace::Missing {
                state.namespace = Namespace::There;
                (201, body.clone())
            } else {
                (409, json!({}))
            }
        }
        ("DELETE", NAMESPACE) => {
            state.namespace = Namespace::Ends(3);
            (200, json!({}))
        }
        ("POST", path) if path.starts_with(NAMESPACE) && ends => (403, json!({})),
        ("POST", _) => (201, body.clone()),
        _ => (200, json!({})),
    };
    state.log.push(format!("{method} {path} {status}"));
    (status, answer)
}

/// Sends the audit event of a request, as API servers do.
fn tell(method: &str, path: &str, body: &Value, status: u16, state: &Mutex<State>) {
    let (webhook, number) = {
        let state = state.lock().unwrap();
        let is_silent = state.silent.iter().any(|part| path.contains(part));
        let webhook = state.webhook.clone().filter(|_| !is_silent);
        (webhook, state.log.len())
    };
    let Some((port, address, token)) = webhook else {
        return;
    };
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let group = if parts[0] == "apis" {
        parts.remove(1)
    } else {
        ""
    };
    let (version, rest) = (parts[1], &parts[2..]);
    let namespace = (rest.len() > 2).then(|| rest[1]);
    let rest = if rest.len() > 2 { &rest[2..] } else { rest };
    let name = rest
        .get(1)
        .copied()
        .or_else(|| body.pointer("/metadata/name")?.as_str());
    let verb = match (method, rest.len()) {
        ("POST", _) => "create",
        ("DELETE", _) => "delete",
        (_, 1) => "list",
        _ => "get",
    };
    let at = jiff::Timestamp::now().to_string();
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": format!("simulated-{number}"), "stage": "ResponseComplete", "requestURI": path, "verb": verb,
        "user": {"username": "kubernetes-admin", "groups": ["system:masters"]}, "sourceIPs": ["203.0.113.7"],
        "userAgent": "seareeve/0.1.0", "responseStatus": {"code": status},
        "objectRef": {"resource": rest[0], "namespace": namespace, "name": name, "apiGroup": group,
            "apiVersion": version},
        "requestReceivedTimestamp": at, "stageTimestamp": at,
    });
    if method == "POST" {
        event["requestObject"] = body.clone();
        event["responseObject"] = body.clone();
    }
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [event]});
    let headers = format!("authorization: Bearer {token}\r\n");
    let sent = http(
        port,
        "POST",
        &address,
        &headers,
        list.to_string().as_bytes(),
    );
    assert_eq!(sent.unwrap().0, 200);
}

#[test]
fn a_namespace_that_still_ends_is_waited_for() {
    let home = Home::new();
    let cluster = Cluster::start(Namespace::Ends(2));
    let config = cluster.kubeconfig(&home);
    let done = home
        .command(&["simulate", "privileged-container", "--kubeconfig", &config])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(done.stdout).unwrap(),
        String::from_utf8(done.stderr).unwrap(),
    );
    assert_eq!(done.status.code(), Some(0), "{err}");
    assert_eq!(out, "privileged-container  200  privileged-container\n");
    assert!(err.contains("still ends: waiting"), "{err}");
    let log = cluster.log();
    assert!(!log.iter().any(|line| line.ends_with(" 403")), "{log:?}");
    assert_eq!(log.last().unwrap(), &format!("DELETE {NAMESPACE} 200"));

    // Somebody else's namespace is used and stays.
    let cluster = Cluster::start(Namespace::There);
    let config = cluster.kubeconfig(&home);
    let done = home
        .command(&["simulate", "test-alert", "--kubeconfig", &config])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0));
    assert!(!cluster.log().iter().any(|line| line.starts_with("DELETE")));
}

#[test]
fn the_server_is_asked_whether_alerts_arrived() {
    let home = Home::new();
    let server = Server::start(&home, Vec::new());
    let token = server.token();
    let client = seareeve_api::Client::new(&server.address(), &token).unwrap();
    let new = NewAuditCluster {
        name: "prod".to_owned(),
        cluster: None,
    };
    client.create_audit_cluster(&new).unwrap();
    let plan = AuditPlan {
        is_on: true,
        consent: true,
    };
    client.set_audit_plan("prod", &plan).unwrap();
    let created = client.create_audit_source("prod", &AuditSourceSettings::Webhook);
    let webhook = created.unwrap().webhook.unwrap();
    let cluster = Cluster::start(Namespace::Missing);
    cluster.state.lock().unwrap().webhook = Some((server.port, webhook.path, webhook.token));
    let config = cluster.kubeconfig(&home);
    let address = server.address();
    let simulate = |ids: &[&str], wait: &str| {
        let mut arguments = vec!["simulate"];
        arguments.extend(ids);
        arguments.extend([
            "--kubeconfig",
            &config,
            "--server",
            &address,
            "--wait",
            wait,
        ]);
        let done = home
            .command(&arguments)
            .env("SEAREEVE_TOKEN", &token)
            .output()
            .unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        (done.status.code(), out, err)
    };
    let (code, out, err) = simulate(&["all"], "30");
    assert_eq!(code, Some(0), "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 8, "{out}");
    assert!(
        lines.iter().all(|line| line.contains("  pass  alert ")),
        "{out}"
    );
    // Our own doing is no attack on security tools.
    let removed = client
        .alerts(&[("rule", "security-tool-removed")], None)
        .unwrap();
    assert!(removed.alerts.is_empty(), "{removed:?}");

    // The same again adds to alerts that are there, which is an arrival, too; one that does not arrive is told.
    cluster.state.lock().unwrap().silent = vec!["clusterroles"];
    let (code, out, _) = simulate(&["test-alert", "high-privilege-role"], "3");
    assert_eq!(code, Some(2), "{out}");
    assert!(
        out.contains("test-alert  pass  alert test-alert after "),
        "{out}"
    );
    assert!(
        out.contains("high-privilege-role  FAIL  no alert high-privilege-role within 3 s"),
        "{out}"
    );
}

#[test]
fn simulations_are_listed() {
    let home = Home::new();
    let listed = |arguments: &[&str]| {
        let out = home.command(arguments).output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    };
    let all = listed(&["simulate"]);
    assert!(all.contains("privileged-container  "), "{all}");
    assert_eq!(listed(&["simulate", "list"]), all);
}
