//! The server and the admission webhook as two programs: a policy goes the one way, decisions the other, and each goes
//! on without the other one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::support::{Home, Run};

/// How long something may take that takes no time: the webhook asks each 20 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program of ours that runs until its value goes.
struct Program {
    child: Child,
    /// Its first line, where it says where it is.
    said: String,
    /// Held, so that what it says later finds somebody.
    out: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut child = home
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        out.read_line(&mut said).unwrap();
        Self { child, said, out }
    }

    /// The address in the first line.
    fn address(&self) -> &str {
        self.said.split_whitespace().last().unwrap()
    }
}

impl Drop for Program {
    /// As suddenly as it can be.
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Somebody who is signed in.
struct Person {
    agent: ureq::Agent,
    address: String,
    cookie: String,
    csrf: String,
}

impl Person {
    /// The first one there is, by the link that the server prints.
    fn first(server: &mut Program) -> Self {
        let mut line = String::new();
        server.out.read_line(&mut line).unwrap();
        let token = line.split("#token=").nth(1).unwrap();
        let token = token.split_whitespace().next().unwrap();
        let mut person = Self {
            agent: ureq::Agent::new_with_defaults(),
            address: server.address().to_owned(),
            cookie: String::new(),
            csrf: String::new(),
        };
        person.sign_in("POST", "/api/v1/session/link", &json!({"token": token}));
        let password = json!({"new": "correct horse battery staple"});
        person.sign_in("PUT", "/api/v1/session/password", &password);
        person
    }

    fn sign_in(&mut self, method: &str, path: &str, body: &Value) {
        let (cookie, answer) = self.send(method, path, body);
        self.cookie = cookie.unwrap_or_else(|| self.cookie.clone());
        if let Some(csrf) = answer["csrf_token"].as_str() {
            self.csrf = csrf.to_owned();
        }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (Option<String>, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("content-type", "application/json")
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf)
            .body(body.to_string())
            .unwrap();
        let mut answer = self.agent.run(request).unwrap();
        let cookie = answer.headers().get("set-cookie").map(|cookie| {
            let text = cookie.to_str().unwrap();
            text.split(';').next().unwrap_or_default().to_owned()
        });
        (cookie, answer.body_mut().read_json().unwrap())
    }

    /// A secret that the API gives once.
    fn secret(&self, path: &str, body: &Value) -> String {
        self.send("POST", path, body).1["secret"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// The API server's side of the webhook.
struct Asker {
    agent: ureq::Agent,
    url: String,
}

impl Asker {
    fn new(home: &Home, webhook: &Program) -> Self {
        let authority = home.path().join("gate/admission-ca.crt");
        let pem = std::fs::read(authority).unwrap();
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item.unwrap() {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates));
        Self {
            agent: ureq::Agent::config_builder()
                .tls_config(tls.build())
                .build()
                .new_agent(),
            url: webhook.address().to_owned(),
        }
    }

    /// Whether a privileged pod may be made.
    fn allows(&self) -> bool {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "1", "operation": "CREATE", "namespace": "shop", "name": "web",
                "kind": {"group": "", "version": "v1", "kind": "Pod"}, "userInfo": {"username": "ann"},
                "object": {
                    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
                    "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": true}}]},
                },
            },
        });
        let mut answer = self.agent.post(&self.url).send(review.to_string()).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        answer["response"]["allowed"].as_bool().unwrap()
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_gate_has_its_policy_from_the_server_and_goes_on_without_it() {
    let home = Home::new();
    let serve = ["--data-dir", "server", "up", "--listen", "127.0.0.1:0"];
    let mut server = Program::start(&home, &serve);
    let person = Person::first(&mut server);
    let join = json!({"name": "gate", "hours": 1, "most_uses": 1});
    home.write("join", person.secret("/api/v1/join-tokens", &join));
    let token = person.secret("/api/v1/tokens", &json!({"name": "t", "days": 1}));
    let asked = |arguments: &[&str]| {
        let mut command = home.command(&["server"]);
        command
            .args(["--server", person.address.as_str()])
            .args(arguments);
        Run::from(command.env("SEAREEVE_TOKEN", &token).output().unwrap())
    };

    let address = server.address().to_owned();
    let gate = [
        "--data-dir",
        "gate",
        "admission",
        "--server",
        &address,
        "--cluster",
        "prod",
        "--join-file",
        "join",
        "--listen",
        "127.0.0.1:0",
    ];
    let webhook = Program::start(&home, &gate);
    let asker = Asker::new(&home, &webhook);
    // It begins by recording.
    assert!(asker.allows());
    let told = asked(&[
        "admission",
        "set-mode",
        "kubernetes-privileged",
        "deny",
        "--cluster",
        "prod",
    ]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    until("the policy holds", || !asker.allows());
    until("decisions are told", || {
        let decisions = asked(&["admission", "decisions", "--cluster", "prod", "-f", "json"]);
        let decisions: Value = serde_json::from_str(&decisions.out).unwrap();
        decisions.to_string().contains("\"denied\"")
    });

    drop(server);
    assert!(!asker.allows(), "by the last policy");
    drop(asker);
    drop(webhook);
    // Nobody tells it anything, and its join token is spent: it has what it needs.
    std::fs::remove_file(home.path().join("join")).unwrap();
    let webhook = Program::start(&home, &gate);
    assert!(
        !Asker::new(&home, &webhook).allows(),
        "after a start without the server"
    );
}
