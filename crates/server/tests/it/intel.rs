//! Lists of threat intelligence: fetched from a server that plays the web, or uploaded, and what alerts say of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use seareeve_api::{
    AlertDetail, AuditWebhook, Client, IntelHeader, IntelList, IntelListChange, IntelSecret,
    IntelSettings, NewIntelList,
};
use serde_json::{Value, json};

use crate::alerts::{cluster, event, exec, list, send};
use crate::hosts::{admin, refusal, until};
use crate::support::{Running, folder, start};

/// A web server: files by their path, and what was asked of it.
struct Web {
    address: String,
    files: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    /// Path, what was said of who asks, status.
    log: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let files: Arc<Mutex<BTreeMap<String, (u16, String)>>> = Arc::default();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (shelf, seen) = (Arc::clone(&files), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let line = lines.next().unwrap().unwrap();
                let path = line.split(' ').nth(1).unwrap().to_owned();
                let headers: Vec<String> = lines
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let asked = |name: &str| {
                    let mut lines = headers.iter();
                    lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                let file = shelf.lock().unwrap().get(&path).cloned();
                let (status, body) = file.unwrap_or((404, String::new()));
                let tag = format!("\"{}-{status}\"", body.len());
                let is_known = status == 200 && asked("if-none-match: ").as_ref() == Some(&tag);
                let status = if is_known { 304 } else { status };
                let who = asked("x-api-key: ").unwrap_or_default();
                seen.lock().unwrap().push(format!("{path} {who} {status}"));
                let (body, location) = match status {
                    304 => (String::new(), String::new()),
                    302 => (String::new(), format!("location: {body}\r\n")),
                    _ => (body, String::new()),
                };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nconnection: close\r\n{location}etag: {tag}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self {
            address,
            files,
            log,
        }
    }

    fn put(&self, path: &str, status: u16, body: &str) {
        let mut files = self.files.lock().unwrap();
        files.insert(path.to_owned(), (status, body.to_owned()));
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn new(name: &str, address: Option<String>, extends: &[&str]) -> NewIntelList {
    NewIntelList {
        name: name.to_owned(),
        settings: IntelSettings {
            address,
            format: "auto".to_owned(),
            column: None,
            separator: None,
            header: None,
        },
        extends: extends.iter().map(|list| (*list).to_owned()).collect(),
        every_hours: 24,
    }
}

fn local(data: &camino::Utf8Path) -> Running {
    start(data, |config| config.intel.allow_local = true)
}

/// The list, when it was looked for.
fn read(client: &Client, id: i64) -> IntelList {
    until(
        || client.intel_list(id).unwrap(),
        |list| !list.reading && list.tried.is_some(),
    )
}

/// Somebody looks at a pod, from this address.
fn from(id: &str, address: &str) -> Value {
    let object = json!({"resource": "pods", "namespace": "shop", "name": "x", "apiVersion": "v1"});
    let mut event = event(id, "get", "/api/v1/namespaces/shop/pods/x", object);
    event["sourceIPs"] = json!([address]);
    event["responseStatus"]["code"] = json!(200);
    event
}

/// The alert of a detection about this entity, once it is there.
fn raised(client: &Client, rule: &str, entity: &str) -> AlertDetail {
    let page = until(
        || {
            client
                .alerts(&[("rule", rule), ("entity", entity)], None)
                .unwrap()
        },
        |page| !page.alerts.is_empty(),
    );
    client.alert(&page.alerts[0].id).unwrap()
}

fn sends(server: &Running, webhook: &AuditWebhook, events: &[Value]) {
    assert_eq!(send(server, webhook, "identity", &list(events)), 200);
}

fn reasons(alert: &AlertDetail) -> Vec<String> {
    serde_json::from_value(alert.evidence["reasons"].clone()).unwrap_or_default()
}

#[test]
fn a_fetched_list_makes_detections_see_and_alerts_say_where_from() {
    let (_keep, data) = folder();
    let web = Web::start();
    web.put("/exits", 200, "# exits\n198.51.100.0/25\nnonsense\n");
    let server = local(&data);
    let client = admin(&server);
    let webhook = cluster(&client, "prod");
    // The judge is at work before the list is there.
    sends(
        &server,
        &webhook,
        &[from("a", "198.51.100.9"), exec("b", "cart", "ls")],
    );
    until(
        || client.audit_cluster("prod").unwrap(),
        |cluster| cluster.events == 2,
    );
    let made = client
        .create_intel_list(&new(
            "exits",
            Some(web.url("/exits")),
            &["tor_and_proxy_networks"],
        ))
        .unwrap();
    let known = read(&client, made.id);
    assert_eq!((known.entries, known.problem), (1, None));
    let unused: Vec<_> = known.unused.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(unused, ["a text that is none"]);

    sends(&server, &webhook, &[from("c", "198.51.100.9")]);
    let alert = raised(&client, "proxy-address", "198.51.100.9");
    assert_eq!(
        alert.summary.seen, 1,
        "what came before the list is no alert"
    );
    let said = reasons(&alert);
    let begins = format!(
        "198.51.100.9 is on the list exits (entry 198.51.100.0/25, from {}, fetched at ",
        web.url("/exits")
    );
    assert!(said.len() == 1 && said[0].starts_with(&begins), "{said:?}");
    // What is built in says where it is from, too.
    sends(&server, &webhook, &[from("d", "185.220.101.5")]);
    let said = reasons(&raised(&client, "proxy-address", "185.220.101.5"));
    assert!(said[0].contains("built in"), "{said:?}");

    // Not changed; then gone: what it said stays.
    client.fetch_intel_list(made.id).unwrap();
    until(
        || web.log(),
        |log| log.last().is_some_and(|last| last.ends_with(" 304")),
    );
    let unchanged = read(&client, made.id);
    assert_eq!((unchanged.entries, unchanged.changed), (1, known.changed));
    assert!(unchanged.succeeded > known.succeeded);
    let mut last = unchanged.succeeded;
    for (status, body) in [
        (500, ""),
        (200, "<!doctype html><p>sign in"),
        (200, "# nothing\n"),
    ] {
        web.put("/exits", status, body);
        client.fetch_intel_list(made.id).unwrap();
        let failed = until(
            || client.intel_list(made.id).unwrap(),
            |list| !list.reading && list.problem.is_some(),
        );
        assert_eq!((failed.entries, failed.succeeded), (1, last));
        web.put("/exits", 200, "198.51.100.0/25\n");
        client.fetch_intel_list(made.id).unwrap();
        let again = until(
            || client.intel_list(made.id).unwrap(),
            |list| !list.reading && list.problem.is_none(),
        );
        last = again.succeeded;
    }

    // It survives a restart without being fetched again, and ends when it is forgotten.
    drop(server);
    web.put("/exits", 500, "");
    let server = local(&data);
    let client = admin(&server);
    sends(&server, &webhook, &[from("e", "198.51.100.10")]);
    raised(&client, "proxy-address", "198.51.100.10");
    let off = IntelListChange {
        is_on: Some(false),
        every_hours: None,
    };
    assert!(!client.change_intel_list(made.id, &off).unwrap().is_on);
    sends(
        &server,
        &webhook,
        &[from("f", "198.51.100.11"), exec("g", "db", "ls")],
    );
    raised(&client, "exec-into-pod", "shop/db");
    let quiet = client.alerts(&[("entity", "198.51.100.11")], None).unwrap();
    assert!(quiet.alerts.is_empty(), "{quiet:?}");
    client.delete_intel_list(made.id).unwrap();
    assert!(client.intel_lists().unwrap().lists.is_empty());
}

#[test]
fn uploads_exclusions_and_destinations_count() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let client = admin(&server);
    let webhook = cluster(&client, "prod");
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "valid_from": "2020-01-01T00:00:00Z",
            "pattern": "[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value = 'evil.example']"},
        {"type": "indicator", "id": "indicator--2", "pattern_type": "stix", "valid_from": "2020-01-01T00:00:00Z",
            "valid_until": "2021-01-01T00:00:00Z", "pattern": "[ipv4-addr:value = '198.51.100.8']"},
        {"type": "indicator", "id": "indicator--3", "pattern_type": "stix", "valid_from": "2020-01-01T00:00:00Z",
            "pattern": "[ipv4-addr:value = '198.51.100.9']"},
    ]});
    let into = ["known_bad_addresses", "known_bad_destinations"];
    let made = client
        .create_intel_list(&new("bundle", None, &into))
        .unwrap();
    let wrong = client.upload_intel_list(made.id, b"<html>");
    assert_eq!(refusal(wrong), "bad_request");
    let bytes = bundle.to_string().into_bytes();
    let put = client.upload_intel_list(made.id, &bytes).unwrap();
    assert_eq!(put.entries, 4);
    assert_eq!(
        put.left_out
            .iter()
            .map(|one| (one.reason.as_str(), one.count))
            .collect::<Vec<_>>(),
        [("not valid now", 1)]
    );
    let mine = client.create_intel_list(&new("mine", None, &[])).unwrap();
    client
        .upload_intel_list(mine.id, b"198.51.100.8/31\n")
        .unwrap();
    let left_out = client.intel_list(made.id).unwrap().left_out;
    assert!(
        left_out
            .iter()
            .any(|one| one.reason == "on a list of exclusions")
    );
    let named = client.intel_lists().unwrap().named;
    let added = |name: &str| named.iter().find(|one| one.name == name).unwrap().added;
    assert_eq!(
        (
            added("known_bad_addresses"),
            added("known_bad_destinations")
        ),
        (1, 1)
    );

    let mut fetches = exec("a", "cart", "curl&command=https%3A%2F%2Fevil.example%2Fx");
    fetches["sourceIPs"] = json!(["198.51.100.9"]);
    sends(
        &server,
        &webhook,
        &[
            fetches,
            from("b", "198.51.100.7"),
            from("c", "198.51.100.8"),
        ],
    );
    let alert = raised(&client, "known-bad-address", "198.51.100.7");
    assert!(
        reasons(&alert)[0]
            .starts_with("198.51.100.7 is on the list bundle (from an upload of admin"),
        "{:?}",
        reasons(&alert)
    );
    let alert = raised(&client, "known-bad-destination", "198.51.100.9");
    assert!(
        reasons(&alert)[0].starts_with("evil.example is on the list bundle"),
        "{alert:?}"
    );
    let bad = client
        .alerts(&[("rule", "known-bad-address")], None)
        .unwrap();
    assert_eq!(
        bad.alerts.len(),
        1,
        "the others are excluded or over: {bad:?}"
    );
}

#[test]
fn a_feed_of_misp_is_fetched_with_a_key_that_is_shown_to_nobody_else() {
    let (_keep, data) = folder();
    let (web, other) = (Web::start(), Web::start());
    let id = "5ae00001-0000-0000-0000-000000000000";
    let manifest = json!({id: {"info": "x", "timestamp": "1767225600"}}).to_string();
    web.put("/feed/manifest.json", 200, &manifest);
    let event = json!({"Event": {"Attribute": [{"type": "ip-dst", "value": "198.51.100.7", "to_ids": true}]}});
    // Events lie elsewhere: the key must not follow.
    let elsewhere = other.url("/event.json");
    web.put(&format!("/feed/{id}.json"), 302, &elsewhere);
    other.put("/event.json", 200, &event.to_string());
    std::fs::create_dir_all(data.join("credentials")).unwrap();
    std::fs::write(data.join("credentials/misp"), "s3cret-key\n").unwrap();
    let server = local(&data);
    let client = admin(&server);
    let mut list = new(
        "misp",
        Some(web.url("/feed/manifest.json")),
        &["known_bad_addresses"],
    );
    list.settings.format = "misp".to_owned();
    list.settings.header = Some(IntelHeader {
        name: "X-Api-Key".to_owned(),
        value: IntelSecret::File {
            file: "misp".to_owned(),
        },
    });
    let made = client.create_intel_list(&list).unwrap();
    let known = read(&client, made.id);
    assert_eq!((known.entries, known.problem), (1, None));
    assert_eq!(
        web.log(),
        [
            "/feed/manifest.json s3cret-key 200".to_owned(),
            format!("/feed/{id}.json s3cret-key 302")
        ]
    );
    assert_eq!(other.log(), ["/event.json  200"]);
    let shown = serde_json::to_string(&client.intel_lists().unwrap()).unwrap();
    assert!(!shown.contains("s3cret"), "{shown}");
    let stored = std::fs::read(data.join("seareeve.db")).unwrap();
    assert!(!stored.windows(6).any(|part| part == b"s3cret"));
}

#[test]
fn nonsense_and_what_only_this_machine_reaches_is_refused() {
    let (_keep, data) = folder();
    let web = Web::start();
    web.put("/list", 200, "198.51.100.7\n");
    let server = start(&data, |_| {});
    let client = admin(&server);
    let all = ["known_bad_addresses"];
    for wrong in [
        new("", None, &all),
        new("x", Some("ftp://x/".to_owned()), &all),
        new("x", Some("https://me:pw@x/".to_owned()), &all),
        new("x", None, &["exempt_accounts"]),
    ] {
        assert_eq!(
            refusal(client.create_intel_list(&wrong)),
            "bad_request",
            "{wrong:?}"
        );
    }
    for (name, address) in [
        ("here", web.url("/list")),
        (
            "metadata",
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ),
    ] {
        let made = client
            .create_intel_list(&new(name, Some(address), &all))
            .unwrap();
        let refused = read(&client, made.id);
        let problem = refused.problem.unwrap();
        assert!(problem.contains("only this machine can reach"), "{problem}");
        assert_eq!(
            refusal(client.upload_intel_list(made.id, b"1.1.1.1")),
            "bad_request"
        );
    }
    assert_eq!(web.log(), Vec::<String>::new());
    assert_eq!(
        refusal(client.create_intel_list(&new("here", None, &all))),
        "conflict"
    );
}
