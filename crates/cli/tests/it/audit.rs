//! Audit events through the real program, which is killed again and again, at whatever it is doing: every event that was
//! acknowledged is judged, every alert is raised once, and memory and disk stay within their bounds.
//!
//! `SEAREEVE_TEST_EVENTS` says how many events flow; by default so few that the test takes seconds.
//! `SEAREEVE_TEST_PROGRAM` is another program to test than the one that was just built: one for release.
//! `SEAREEVE_TEST_SEED` repeats the moments of another run.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use seareeve_api::{AuditPlan, AuditSourceSettings, AuditWebhook, Client, NewAuditCluster};
use serde_json::{Value, json};

use crate::support::Home;

/// Events of one request.
const BATCH: usize = 200;
/// API servers that send at the same time.
const SENDERS: usize = 4;
/// One in so many events raises something.
const ALERTING: usize = 50;
/// Pods that are attacked: so many alerts there are.
const PODS: usize = 20;
/// What memory of its own the server may need, whatever waits.
pub(crate) const MOST_MEMORY_KB: u64 = 150 * 1024;
/// MiB that may wait on the disk: the fewest that can be set.
pub(crate) const MOST_SPOOLED: u64 = 64;
/// What is waited for may take any time, as long as something happens meanwhile.
const PATIENCE: Duration = Duration::from_secs(180);

/// A real server that can be killed. Dropping it kills it.
pub(crate) struct Server<'h> {
    home: &'h Home,
    settings: Vec<(&'static str, String)>,
    pub(crate) port: u16,
    process: Mutex<Child>,
    link: String,
    /// The most memory of its own that it was seen with, in KiB.
    memory: AtomicU64,
    /// The most bytes that its spool was seen with.
    spooled: AtomicU64,
}

impl<'h> Server<'h> {
    pub(crate) fn start(home: &'h Home, mut settings: Vec<(&'static str, String)>) -> Self {
        let port = free_port();
        let data = home.path().join("data").display().to_string();
        settings.push(("SEAREEVE_SERVER_DATA_DIR", data));
        settings.push(("SEAREEVE_AUDIT_SPOOL_MIB", MOST_SPOOLED.to_string()));
        let (process, link) = run(home, &settings, port);
        Self {
            home,
            settings,
            port,
            process: Mutex::new(process),
            link,
            memory: AtomicU64::new(0),
            spooled: AtomicU64::new(0),
        }
    }

    /// Kills it, whatever it is doing, and has `between` happen before it is started again.
    fn kill(&self, between: &mut dyn FnMut()) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.kill().unwrap();
        process.wait().unwrap();
        between();
        let (next, _link) = run(self.home, &self.settings, self.port);
        *process = next;
    }

    /// Looks how much it takes.
    pub(crate) fn measure(&self) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
        drop(process);
        let status = status.unwrap_or_default();
        let own = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kb = own.and_then(|own| own.trim().strip_suffix(" kB")?.parse().ok());
        self.memory.fetch_max(kb.unwrap_or(0), Ordering::Relaxed);
        self.spooled
            .fetch_max(bytes_below(&self.spool()), Ordering::Relaxed);
    }

    /// Where events wait, if not on a NATS server.
    fn spool(&self) -> PathBuf {
        self.home.path().join("data/audit")
    }

    /// Asserts that it took no more than it may.
    pub(crate) fn stayed_small(&self) {
        self.measure();
        let memory = self.memory.load(Ordering::Relaxed);
        let spooled = self.spooled.load(Ordering::Relaxed);
        eprintln!("at most {memory} KiB of memory, {spooled} bytes on the disk");
        assert!(memory < MOST_MEMORY_KB, "it took {memory} KiB");
        assert!(spooled <= MOST_SPOOLED << 20, "{spooled} bytes waited");
    }

    /// A client of the first user.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address(), &self.token()).unwrap()
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// An API token of the first user. The link is good for one.
    pub(crate) fn token(&self) -> String {
        let token = self.link.split_once("#token=").unwrap().1.trim();
        let body = json!({ "token": token }).to_string();
        let (status, head, body) = http(
            self.port,
            "POST",
            "/api/v1/session/link",
            "",
            body.as_bytes(),
        )
        .unwrap();
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
        let (status, _, body) = http(
            self.port,
            "POST",
            "/api/v1/tokens",
            &headers,
            wanted.as_bytes(),
        )
        .unwrap();
        assert_eq!(status, 201, "{body}");
        let token: Value = serde_json::from_str(&body).unwrap();
        token["secret"].as_str().unwrap().to_owned()
    }

    /// Sends a body as an API server does. Nothing, if the server went away on the way.
    pub(crate) fn send(&self, webhook: &AuditWebhook, encoding: &str, body: &[u8]) -> Option<u16> {
        let headers = format!(
            "authorization: Bearer {}\r\ncontent-encoding: {encoding}\r\n",
            webhook.token
        );
        let (status, ..) = http(self.port, "POST", &webhook.path, &headers, body)?;
        Some(status)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        let process = process.unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Bytes of the files below a folder, as long as they are there.
fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_gone) => 0,
    });
    sizes.sum()
}

/// A cluster that is on, and what its API server needs.
pub(crate) fn cluster(client: &Client) -> AuditWebhook {
    let new = NewAuditCluster {
        name: "prod".to_owned(),
        cluster: None,
    };
    client.create_audit_cluster(&new).unwrap();
    let created = client
        .create_audit_source("prod", &AuditSourceSettings::Webhook)
        .unwrap();
    let plan = AuditPlan {
        is_on: true,
        consent: true,
    };
    client.set_audit_plan("prod", &plan).unwrap();
    created.webhook.unwrap()
}

pub(crate) fn free_port() -> u16 {
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
pub(crate) fn http(
    port: u16,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.replace("\r\n", "\n"), body.to_owned()))
}

/// An event of a command in a pod, or of somebody who looks at something.
pub(crate) fn event(number: usize) -> Value {
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
pub(crate) fn last_event() -> Value {
    let mut last = event(1);
    last["auditID"] = json!("last");
    last["verb"] = json!("list");
    last["objectRef"] =
        json!({"resource": "pods", "namespace": "seareeve-alerttest", "apiVersion": "v1"});
    last
}

pub(crate) fn list(events: &[Value]) -> Vec<u8> {
    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})
        .to_string()
        .into_bytes()
}

pub(crate) fn events_to_send() -> usize {
    let wanted = std::env::var("SEAREEVE_TEST_EVENTS").ok();
    wanted
        .and_then(|number| number.parse().ok())
        .unwrap_or(10_000)
}

/// What is seen of each alert of a detection.
pub(crate) fn seen(client: &Client, rule: &str) -> Option<BTreeMap<String, u64>> {
    let mut seen = BTreeMap::new();
    let mut next = None;
    loop {
        let page = client.alerts(&[("rule", rule)], next.as_deref()).ok()?;
        for alert in page.alerts {
            *seen.entry(alert.compromised_entity).or_default() += alert.seen;
        }
        next = page.next;
        if next.is_none() {
            return Some(seen);
        }
    }
}

/// What is asked for again and again, as soon as it is `done`.
pub(crate) fn until<T: PartialEq>(
    mut ask: impl FnMut() -> Option<T>,
    done: impl Fn(&T) -> bool,
) -> T {
    let mut last = None;
    let mut since = Instant::now();
    loop {
        match ask() {
            Some(now) if done(&now) => return now,
            now if now != last => (last, since) = (now, Instant::now()),
            _ => assert!(since.elapsed() < PATIENCE, "nothing happens any more"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// When the server is killed. Of numbers, how many thousandths of all there have to be.
#[derive(Clone, Copy)]
enum Moment {
    /// So many events are acknowledged, and others are on their way.
    Receiving(usize),
    /// So many events are judged.
    Judging(u64),
    /// So many alerts are raised, counted as often as they were seen.
    Raising(u64),
    /// A segment of the spool is deleted.
    Deleting,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receiving(share) => write!(f, "when {share} in 1000 are acknowledged"),
            Self::Judging(share) => write!(f, "when {share} in 1000 are judged"),
            Self::Raising(share) => write!(f, "when {share} in 1000 alerts are raised"),
            Self::Deleting => f.write_str("when a segment is deleted"),
        }
    }
}

/// Moments in which a server is killed, other ones each time.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let given = std::env::var("SEAREEVE_TEST_SEED").ok();
        let seed = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::from(now.subsec_nanos())
        });
        eprintln!("SEAREEVE_TEST_SEED={seed}");
        Self(seed)
    }

    /// Linear congruential: all that is wanted is another number.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// In the order in which they are reached.
    fn drawn(&mut self) -> Vec<Moment> {
        let mut numbers: Vec<u64> = (0..9).map(|_| 20 + self.below(900)).collect();
        numbers.sort_unstable();
        let moments = numbers.into_iter().enumerate();
        moments
            .map(|(place, number)| match (place + 2) % 4 {
                0 => Moment::Judging(number),
                1 => Moment::Raising(number),
                2 => Moment::Receiving(usize::try_from(number).unwrap()),
                _ => Moment::Deleting,
            })
            .collect()
    }
}

/// Tells that something is over, whatever the reason.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends events while the server, and whatever `also_kill` kills, dies again and again.
fn every_event_is_judged_once(
    home: &Home,
    settings: Vec<(&'static str, String)>,
    mut also_kill: impl FnMut(),
) {
    let server = Server::start(home, settings);
    let client = server.client();
    let webhook = cluster(&client);
    let all = events_to_send();
    let (next, acknowledged, refused) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let is_over = AtomicBool::new(false);
    // As the API server does: a batch that was not acknowledged is sent again.
    let send = |body: &[u8]| loop {
        match server.send(&webhook, "identity", body) {
            Some(200) => return,
            Some(429 | 503) => {
                refused.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
            Some(other) => panic!("{other}"),
        }
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let from = next.fetch_add(BATCH, Ordering::Relaxed);
                        if from >= all {
                            return;
                        }
                        let events: Vec<Value> =
                            (from..(from + BATCH).min(all)).map(event).collect();
                        send(&list(&events));
                        acknowledged.fetch_add(events.len(), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                server.measure();
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        // Also when waiting for a moment fails.
        let _over = Over(&is_over);
        for (number, moment) in Moments::new().drawn().into_iter().enumerate() {
            eprintln!("killed {moment}");
            wait_for(moment, all, &server, &client, &acknowledged);
            if number.is_multiple_of(3) {
                // The other one alone, and then the server that may not have noticed yet.
                also_kill();
                server.kill(&mut || {});
            } else {
                server.kill(&mut also_kill);
            }
        }
        for sender in senders {
            sender.join().unwrap();
        }
    });
    send(&list(&[last_event()]));
    let asked = || {
        let judged = client.audit_cluster("prod").ok()?.events;
        Some((judged, seen(&client, "test-alert")?))
    };
    until(asked, |(_, last)| !last.is_empty());
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for number in (0..all).step_by(ALERTING) {
        *expected
            .entry(format!("pod shop/web-{}", number / ALERTING % PODS))
            .or_default() += 1;
    }
    assert_eq!(seen(&client, "exec-into-pod").unwrap(), expected);
    let alerts = client.alerts(&[("rule", "exec-into-pod")], None).unwrap();
    assert_eq!(alerts.alerts.len(), expected.len(), "each once");
    let last = seen(&client, "test-alert").unwrap();
    assert_eq!(last.values().sum::<u64>(), 1);
    let refused = refused.load(Ordering::Relaxed);
    eprintln!("{all} events, {refused} times asked to come back later");
    server.stayed_small();
}

fn wait_for(
    moment: Moment,
    all: usize,
    server: &Server<'_>,
    client: &Client,
    acknowledged: &AtomicUsize,
) {
    let events = u64::try_from(all).unwrap();
    let judged = || Some(client.audit_cluster("prod").ok()?.events);
    match moment {
        Moment::Receiving(share) => {
            let count = || Some(acknowledged.load(Ordering::Relaxed));
            until(count, |count| *count >= all * share / 1_000);
        }
        Moment::Judging(share) => {
            until(judged, |judged| *judged >= events * share / 1_000);
        }
        Moment::Raising(share) => {
            let alerting = events.div_ceil(u64::try_from(ALERTING).unwrap());
            let raised = || Some(seen(client, "exec-into-pod")?.values().sum::<u64>());
            until(raised, |raised| *raised >= alerting * share / 1_000);
        }
        // A NATS server does that by itself.
        Moment::Deleting => {
            let Some(first) = first_segment(&server.spool()) else {
                return;
            };
            let now = || {
                let waits = client
                    .audit_cluster("prod")
                    .map_or(1, |one| one.backlog_bytes);
                let is_more = acknowledged.load(Ordering::Relaxed) < all || waits > 0;
                Some((first_segment(&server.spool()), is_more))
            };
            until(now, |(now, is_more)| {
                now.as_ref() != Some(&first) || !is_more
            });
        }
    }
}

/// The oldest file of a spool.
fn first_segment(folder: &Path) -> Option<PathBuf> {
    let lanes = std::fs::read_dir(folder).ok()?.flatten();
    let files = lanes.flat_map(|lane| std::fs::read_dir(lane.path()).into_iter().flatten());
    files.flatten().map(|file| file.path()).min()
}

#[test]
fn events_in_the_spool_survive_being_killed() {
    let home = Home::new();
    every_event_is_judged_once(&home, Vec::new(), || {});
}

#[test]
fn what_is_known_of_objects_survives_being_killed() {
    let home = Home::new();
    // No event is kept, so that nothing can be learned again from them.
    let settings = vec![("SEAREEVE_AUDIT_KEEP_EVENTS_HOURS", "0".to_owned())];
    let server = Server::start(&home, settings);
    let client = server.client();
    let webhook = cluster(&client);
    let send = |event: Value| {
        let sent = server.send(&webhook, "identity", &list(&[event]));
        assert_eq!(sent, Some(200));
    };
    let mut made = event(1);
    let pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web-0", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "image": "web:1", "securityContext": {"privileged": true}}]}});
    made["verb"] = json!("create");
    made["level"] = json!("RequestResponse");
    made["requestURI"] = json!("/api/v1/namespaces/shop/pods");
    made["objectRef"] =
        json!({"resource": "pods", "namespace": "shop", "name": "web-0", "apiVersion": "v1"});
    made["responseStatus"] = json!({"code": 201});
    made["requestObject"] = pod.clone();
    made["responseObject"] = pod;
    send(made);
    let asked = || {
        let cluster = client.audit_cluster("prod").ok()?;
        // Judged, saved, and gone from the lane.
        Some((cluster.events, cluster.backlog_bytes))
    };
    until(asked, |(events, backlog)| *events == 1 && *backlog == 0);
    server.kill(&mut || {});
    send(event(0));
    let asked = || {
        let judged = client.audit_cluster("prod").ok()?.events;
        Some((judged, seen(&client, "exec-into-privileged-pod")?))
    };
    let (_, seen) = until(asked, |(_, seen)| !seen.is_empty());
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["pod shop/web-0"]);
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
