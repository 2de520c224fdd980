//! A zoo of audit events that no API server sends, through the real program: each sort is counted by its name, the good
//! events beside them are judged, and memory stays within its bound.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use seareeve_api::{AuditWebhook, Client};
use serde_json::{Value, json};

use crate::audit::{Server, cluster, event, events_to_send, last_event, list, seen, until};
use crate::support::Home;

/// What is sent, and what is to become of it.
struct Zoo<'s> {
    server: &'s Server<'s>,
    webhook: AuditWebhook,
    /// By the fault's name.
    broken: BTreeMap<String, u64>,
    /// Pods in which a command was run beside or within something odd.
    pods: usize,
    /// Events that are judged.
    judged: u64,
}

impl Zoo<'_> {
    fn send(&self, encoding: &str, body: &[u8]) {
        let asked = || self.server.send(&self.webhook, encoding, body);
        let status = until(asked, |status| !matches!(status, 429 | 503));
        assert_eq!(status, 200);
    }

    /// Something broken in a list, with a good event before and behind it.
    fn beside(&mut self, broken: &str, kinds: &[(&str, u64)]) {
        let items = [
            self.good().to_string(),
            broken.to_owned(),
            self.good().to_string(),
        ];
        self.raw("identity", &items.join(","), kinds);
    }

    fn raw(&mut self, encoding: &str, items: &str, kinds: &[(&str, u64)]) {
        let body =
            format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{items}]}}"#);
        match encoding {
            "gzip" => self.send("gzip", &packed(body.as_bytes())),
            _ => self.send(encoding, body.as_bytes()),
        }
        self.expect(kinds);
    }

    fn expect(&mut self, kinds: &[(&str, u64)]) {
        for (kind, count) in kinds {
            *self.broken.entry((*kind).to_owned()).or_default() += count;
        }
    }

    /// A command in another pod.
    fn good(&mut self) -> Value {
        let pod = format!("zoo-{}", self.pods);
        self.pods += 1;
        self.judged += 1;
        let mut event = event(0);
        event["auditID"] = json!(pod);
        event["objectRef"]["name"] = json!(pod);
        event["requestURI"] = json!(format!(
            "/api/v1/namespaces/shop/pods/{pod}/exec?command=ls"
        ));
        event
    }

    /// One that is odd but can be judged.
    fn odd(&mut self, change: impl FnOnce(&mut Value), kinds: &[(&str, u64)]) {
        let mut event = self.good();
        change(&mut event);
        self.raw("identity", &event.to_string(), kinds);
    }
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_animal_of_the_zoo_is_named_and_the_others_are_judged() {
    let home = Home::new();
    let server = Server::start(&home, Vec::new());
    let client = server.client();
    let mut zoo = Zoo {
        webhook: cluster(&client),
        server: &server,
        broken: BTreeMap::new(),
        pods: 0,
        judged: 0,
    };
    wrong_types_and_times(&mut zoo);
    huge_and_deep_ones(&mut zoo);
    broken_bodies(&mut zoo);
    crowds(&mut zoo);
    judged(&zoo, &client);
    server.stayed_small();
}

fn wrong_types_and_times(zoo: &mut Zoo<'_>) {
    let at = |time: &str| {
        let mut event = event(1);
        event["requestReceivedTimestamp"] = json!(time);
        event["stageTimestamp"] = json!(time);
        event.to_string()
    };
    let members: Vec<String> = (0..300).map(|number| format!(r#""m{number}":1"#)).collect();
    for (broken, kind) in [
        ("12", "no-json"),
        (r#""text""#, "no-json"),
        ("{}", "no-audit-id"),
        (r#"{"kind":"Event","auditID":""}"#, "no-audit-id"),
        (r#"{"auditID":7}"#, "wrong-type"),
        (r#"{"auditID":"1","user":"eve"}"#, "wrong-type"),
        (r#"{"auditID":"1","objectRef":[]}"#, "wrong-type"),
        (r#"{"kind":"Pod","auditID":"1"}"#, "other-kind"),
        (
            r#"{"kind":"Event","apiVersion":"v7","auditID":"1"}"#,
            "unknown-version",
        ),
        (&format!("{{{}}}", members.join(",")), "too-many-members"),
        (r#"{"auditID":"1","verb":"get"}"#, "no-time"),
        (&at("9999-12-31T23:59:59.999999Z"), "no-time"),
        (&at("1969-07-20T20:17:40Z"), "no-time"),
        (&at("yesterday"), "no-time"),
        (&at("2400-01-01T00:00:00Z"), "time-ahead"),
    ] {
        zoo.beside(broken, &[(kind, 1)]);
    }
    // What comes twice counts once, or as nothing: nobody can say what was meant.
    let twice = zoo.good().to_string();
    let twice = twice.replacen('{', r#"{"verb":"get","verb":"create","user":{},"#, 1);
    zoo.raw("identity", &twice, &[]);
    // A number of 400 digits is a number.
    let long = zoo.good().to_string();
    let long = long.replacen('{', &format!(r#"{{"weight":{},"#, "1".repeat(400)), 1);
    zoo.raw("identity", &long, &[]);
    // What is no UTF-8 is in no name that counts.
    let text = zoo
        .good()
        .to_string()
        .replacen("kubectl", "kube\u{0}ctl", 1);
    let mut bytes = br#"{"kind":"EventList","items":["#.to_vec();
    let text = text.bytes().map(|byte| if byte == 0 { 0xff } else { byte });
    bytes.extend(text);
    bytes.extend(b"]}");
    zoo.send("identity", &bytes);
}

fn huge_and_deep_ones(zoo: &mut Zoo<'_>) {
    zoo.odd(
        |event| event["requestObject"] = json!({"data": {"a": "x".repeat(1_500 << 10)}}),
        &[],
    );
    zoo.odd(
        |event| {
            let annotations =
                (0..10_000).map(|number| (format!("example.com/{number}"), json!("x")));
            event["annotations"] = Value::Object(annotations.collect());
        },
        &[],
    );
    let deep = |event: Value, open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        let text = event.to_string();
        text.replacen('{', &format!(r#"{{"requestObject":{open}1{close},"#), 1)
    };
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let event = zoo.good();
        zoo.raw(
            "identity",
            &deep(event, open, close),
            &[("deep-or-many-values", 1)],
        );
    }
    // No detection asks what is in it, so it is judged in full.
    let many = vec![0; 1_200_000];
    zoo.odd(|event| event["requestObject"] = json!(many), &[]);
    let mut large = event(1);
    large["requestObject"] = json!("x".repeat(9 << 20));
    zoo.beside(&large.to_string(), &[("event-too-large", 1)]);
    let items = [
        zoo.good().to_string(),
        large.to_string(),
        zoo.good().to_string(),
    ];
    zoo.raw("gzip", &items.join(","), &[("event-too-large", 1)]);
    // Lists in lists are told once, as deep as they are.
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    zoo.beside(&nested, &[("no-json", 1)]);
}

fn broken_bodies(zoo: &mut Zoo<'_>) {
    // A list that ends too early keeps what came before.
    for encoding in ["identity", "gzip"] {
        let cut = format!(r#"{{"items":[{},{{"auditID":"1","verb":"#, zoo.good());
        match encoding {
            "gzip" => zoo.send(encoding, &packed(cut.as_bytes())),
            _ => zoo.send(encoding, cut.as_bytes()),
        }
        zoo.expect(&[("no-json", 1)]);
    }
    // One that never ends, one that breaks off, and a bomb that is no list.
    let endless = format!("{},{}", zoo.good(), " ".repeat(70 << 20));
    zoo.raw("gzip", &endless, &[("body-too-large", 1)]);
    let mut noise = 1_u64;
    let noise: String = std::iter::repeat_with(|| {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{noise:x}")
    })
    .take(20_000)
    .collect();
    let whole = packed(format!(r#"{{"items":[{},"{noise}"]}}"#, zoo.good()).as_bytes());
    zoo.send("gzip", whole.split_at(whole.len() / 2).0);
    zoo.send("gzip", &packed(&vec![b'{'; 70 << 20]));
    zoo.expect(&[("body-not-unpacked", 1), ("body-too-large", 1)]);
    assert_eq!(
        zoo.server
            .send(&zoo.webhook, "identity", &vec![b'{'; (32 << 20) + 1]),
        Some(413)
    );
}

/// So many at once that each must cost next to nothing.
fn crowds(zoo: &mut Zoo<'_>) {
    let many = (events_to_send() * 100).min(10_000_000);
    let tiny = "{},".repeat(many);
    let count = u64::try_from(many).unwrap();
    let items = format!("{},{tiny}{}", zoo.good(), zoo.good());
    zoo.raw("gzip", &items, &[("no-audit-id", count)]);
    zoo.raw(
        "identity",
        &items.replace("zoo-", "zoo-again-"),
        &[("no-audit-id", count)],
    );
    zoo.judged += 2;
    // Small ones that are events.
    let now = jiff::Timestamp::now();
    let small =
        |number: usize| format!(r#"{{"auditID":"{number}","requestReceivedTimestamp":"{now}"}}"#);
    let few = (events_to_send() * 2).min(400_000);
    let items: Vec<String> = (0..few).map(small).collect();
    zoo.raw("gzip", &items.join(","), &[]);
    zoo.judged += u64::try_from(few).unwrap();
    // As much as may be received at a time, from several senders.
    let padding = "x".repeat(1 << 20);
    let bodies: Vec<Vec<u8>> = (0..3)
        .map(|body| {
            let padded = (0..30).map(|number| {
                let mut event = event(1);
                event["auditID"] = json!(format!("padded-{body}-{number}"));
                event["requestObject"] = json!({"data": padding});
                event
            });
            list(&padded.collect::<Vec<_>>())
        })
        .collect();
    std::thread::scope(|scope| {
        for body in &bodies {
            let zoo = &*zoo;
            scope.spawn(|| zoo.send("identity", body));
        }
        for _ in 0..100 {
            zoo.server.measure();
        }
    });
    zoo.judged += 90;
}

/// Waits for the last event, and looks what became of all before it.
fn judged(zoo: &Zoo<'_>, client: &Client) {
    zoo.send("identity", &list(&[last_event()]));
    let asked = || {
        zoo.server.measure();
        let judged = client.audit_cluster("prod").ok()?.events;
        Some((judged, seen(client, "test-alert")?))
    };
    until(asked, |(_, last)| !last.is_empty());
    let whole = || client.audit_cluster("prod").ok();
    let cluster = until(whole, |cluster| cluster.events > zoo.judged);
    let broken = cluster.broken.iter();
    let broken: BTreeMap<String, u64> = broken.map(|one| (one.kind.clone(), one.events)).collect();
    assert_eq!(broken, zoo.broken);
    assert_eq!(cluster.broken_events, broken.values().sum::<u64>());
    assert_eq!(cluster.events, zoo.judged + 1);
    let pods = seen(client, "exec-into-pod").unwrap();
    for number in 0..zoo.pods {
        let pod = format!("pod shop/zoo-{number}");
        assert_eq!(pods.get(&pod), Some(&1), "{pod}");
    }
}
