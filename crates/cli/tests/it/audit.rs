//! Audit events through the real program, which is killed again and again: every event that was acknowledged is judged,
//! and every alert is raised once.
//!
//! `SEAREEVE_TEST_EVENTS` says how many events flow; by default so few that the test takes seconds.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seareeve_api::{AuditPlan, AuditSourceSettings, Client, NewAuditCluster};
use serde_json::{Value, json};

use crate::support::Home;

/// Events of one request.
const BATCH: usize = 200;
/// One in so many events raises something.
const ALERTING: usize = 50;
/// Pods that are attacked: so many alerts there are.
const PODS: usize = 20;
/// What memory may be needed, whatever waits.
const MOST_MEMORY_KB: u64 = 150 * 1024;

/// A real server that can be killed. Dropping it kills it.
pub(crate) struct Server<'h> {
    home: &'h Home,
    settings: Vec<(&'static str, String)>,
    port: u16,
    process: Child,
    link: String,
    /// The most memory that any of its processes took, in KiB.
    memory: u64,
}

impl<'h> Server<'h> {
    pub(crate) fn start(home: &'h Home, settings: Vec<(&'static str, String)>) -> Self {
        let port = free_port();
        let (process, link) = run(home, &settings, port);
        Self {
            home,
            settings,
            port,
            process,
            link,
            memory: 0,
        }
    }

    fn kill(&mut self) {
        self.measure();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn restart(&mut self) {
        (self.process, self.link) = run(self.home, &self.settings, self.port);
    }

    fn measure(&mut self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
        self.memory = self.memory.max(kb.unwrap_or(0));
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of the first user.
    fn client(&self) -> Client {
        self.signed_in().0
    }

    /// The same, with its token.
    pub(crate) fn signed_in(&self) -> (Client, String) {
        let token = self.link.split_once("#token=").unwrap().1.trim();
        let body = json!({ "token": token }).to_string();
        let (status, head, body) =
            http(self.port, "POST", "/api/v1/session/link", "", &body).unwrap();
        assert_eq!(status, 200, "{body}");
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .and_then(|cookie| cookie.split(';').next())
            .unwrap();
        let session: Value = serde_json::from_str(&body).unwrap();
        let csrf = session["csrf_token"].as_str().unwrap();
        let headers = format!("cookie: {cookie}\r\nx-csrf-token: {csrf}\r\n");
        let wanted = json!({"name": "test", "days": 1}).to_string();
        let (status, _, body) =
            http(self.port, "POST", "/api/v1/tokens", &headers, &wanted).unwrap();
        assert_eq!(status, 201, "{body}");
        let token: Value = serde_json::from_str(&body).unwrap();
        let secret = token["secret"].as_str().unwrap().to_owned();
        (Client::new(&self.address(), &secret).unwrap(), secret)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn run(home: &Home, settings: &[(&'static str, String)], port: u16) -> (Child, String) {
    let listen = format!("127.0.0.1:{port}");
    let mut process = home
        .command(&["up", "--listen", &listen])
        .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let link = lines
        .find_map(|line| {
            let line = line.unwrap();
            let link = line.strip_prefix("Open ")?.split(' ').next()?.to_owned();
            Some(link)
        })
        .unwrap();
    (process, link)
}

/// One request on a connection of its own. Nothing, if the server went away on the way.
fn http(
    port: u16,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.replace("\r\n", "\n"), body.to_owned()))
}

/// An event of a command in a pod, or of somebody who looks at something.
fn event(number: usize) -> Value {
    let at = jiff::Timestamp::now();
    let is_exec = number.is_multiple_of(ALERTING);
    let pod = format!("web-{}", number / ALERTING % PODS);
    let (verb, stage, code, object) = if is_exec {
        let object = json!({"resource": "pods", "subresource": "exec", "namespace": "shop", "name": pod, "apiVersion": "v1"});
        ("create", "ResponseStarted", 101, object)
    } else {
        let object = json!({"resource": "configmaps", "namespace": "shop", "name": "settings", "apiVersion": "v1"});
        ("get", "ResponseComplete", 200, object)
    };
    let uri = if is_exec {
        format!("/api/v1/namespaces/shop/pods/{pod}/exec?command=ls&stdout=true")
    } else {
        "/api/v1/namespaces/shop/configmaps/settings".to_owned()
    };
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("event-{number}"),
        "stage": stage, "requestURI": uri, "verb": verb,
        "user": {"username": "eve", "groups": ["system:authenticated"]},
        "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.30.0", "objectRef": object,
        "responseStatus": {"code": code}, "requestReceivedTimestamp": at.to_string(), "stageTimestamp": at.to_string(),
    })
}

/// The last event: when its alert is there, everything before it was judged.
fn last_event() -> Value {
    let mut last = event(1);
    last["auditID"] = json!("last");
    last["verb"] = json!("list");
    last["objectRef"] =
        json!({"resource": "pods", "namespace": "seareeve-alerttest", "apiVersion": "v1"});
    last
}

fn body(events: &[Value]) -> String {
    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})
        .to_string()
}

fn events_to_send() -> usize {
    let wanted = std::env::var("SEAREEVE_TEST_EVENTS").ok();
    wanted
        .and_then(|number| number.parse().ok())
        .unwrap_or(10_000)
}

/// What is seen of each alert of a detection.
fn seen(client: &Client, rule: &str) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let mut next = None;
    loop {
        let page = client.alerts(&[("rule", rule)], next.as_deref()).unwrap();
        for alert in page.alerts {
            *seen.entry(alert.compromised_entity).or_default() += alert.seen;
        }
        next = page.next;
        if next.is_none() {
            return seen;
        }
    }
}

/// Sends events while the server, and whatever `also_kill` kills, dies again and again.
fn every_event_is_judged_once(
    home: &Home,
    settings: Vec<(&'static str, String)>,
    mut also_kill: impl FnMut(),
) {
    let mut server = Server::start(home, settings);
    let client = server.client();
    client
        .create_audit_cluster(&NewAuditCluster {
            name: "prod".to_owned(),
        })
        .unwrap();
    let created = client
        .create_audit_source("prod", &AuditSourceSettings::Webhook)
        .unwrap();
    let plan = AuditPlan {
        is_on: true,
        consent: true,
    };
    client.set_audit_plan("prod", &plan).unwrap();
    let webhook = created.webhook.unwrap();
    let headers = format!("authorization: Bearer {}\r\n", webhook.token);
    let all = events_to_send();
    let kills = 6;
    let mut sent = 0;
    let mut next_kill = all / (kills + 1);
    // As the API server does: a batch that was not acknowledged is sent again.
    let send = |server: &mut Server<'_>, text: &str| loop {
        match http(server.port, "POST", &webhook.path, &headers, text) {
            Some((200, ..)) => return,
            Some((429 | 503, ..)) | None => std::thread::sleep(Duration::from_millis(20)),
            Some(other) => panic!("{other:?}"),
        }
    };
    while sent < all {
        let end = (sent + BATCH).min(all);
        let batch: Vec<Value> = (sent..end).map(event).collect();
        let text = body(&batch);
        send(&mut server, &text);
        sent = end;
        if sent >= next_kill {
            next_kill += all / (kills + 1);
            server.kill();
            also_kill();
            server.restart();
            // The acknowledgement may have been lost on its way.
            send(&mut server, &text);
        }
    }
    send(&mut server, &body(&[last_event()]));
    let deadline = Instant::now() + Duration::from_secs(600);
    while seen(&client, "test-alert").is_empty() {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            client.audit_cluster("prod")
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for number in (0..all).step_by(ALERTING) {
        *expected
            .entry(format!("pod shop/web-{}", number / ALERTING % PODS))
            .or_default() += 1;
    }
    assert_eq!(seen(&client, "exec-into-pod"), expected);
    let alerts = client.alerts(&[("rule", "exec-into-pod")], None).unwrap();
    assert_eq!(alerts.alerts.len(), expected.len(), "each once");
    assert_eq!(seen(&client, "test-alert").values().sum::<u64>(), 1);
    server.measure();
    assert!(
        server.memory < MOST_MEMORY_KB,
        "it took {} KiB",
        server.memory
    );
    eprintln!("{all} events, at most {} KiB", server.memory);
}

#[test]
fn events_in_the_spool_survive_being_killed() {
    let home = Home::new();
    every_event_is_judged_once(&home, Vec::new(), || {});
}

/// A NATS server (Debian's, which `cargo xtask setup` installs). Dropping it kills it.
struct Nats {
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl Nats {
    fn run(&mut self) -> std::io::Result<()> {
        let process = Command::new("nats-server")
            .args([
                "-a",
                "127.0.0.1",
                "-js",
                "-p",
                &self.port.to_string(),
                "-sd",
            ])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.process = Some(process);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn events_on_a_nats_server_survive_its_being_killed_too() {
    let mut nats = Nats {
        folder: tempfile::tempdir().unwrap(),
        port: free_port(),
        process: None,
    };
    if let Err(error) = nats.run() {
        let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
        assert!(!required, "nats-server: {error}");
        eprintln!("NOT TESTED with NATS: nats-server: {error}");
        return;
    }
    let home = Home::new();
    let address = format!("nats://127.0.0.1:{}", nats.port);
    every_event_is_judged_once(&home, vec![("SEAREEVE_AUDIT_NATS", address)], || {
        nats.kill();
        nats.run().unwrap();
    });
}
