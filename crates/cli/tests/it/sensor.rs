//! `seareeve sensor`: joining, keeping its token, and servers that are away for a while.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use seareeve_lab::{Lab, Lodger, Settings, lodgers};
use serde_json::{Value, json};

use crate::support::{Home, Run, serve, take};

const JSON: &str = "application/json";

type Asked = Arc<Mutex<Vec<String>>>;

/// A server that takes joins and, after `failures` others, facts. It notes what it was asked, and by whom.
fn server(failures: usize) -> (String, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let address = serve(Box::new(move |request, head| {
        let mut notes = notes.lock().unwrap();
        let mut lines = head.lines();
        let who = lines.find_map(|line| line.strip_prefix("authorization: bearer "));
        let note = format!("{request} {}", who.unwrap_or_default());
        notes.push(note.trim_end().to_owned());
        let sent = notes.iter().filter(|note| note.starts_with("PUT")).count();
        match request {
            "POST /api/v1/join" => ("201 Created", JSON, br#"{"id":7,"token":"own"}"#.to_vec()),
            "PUT /api/v1/facts" if sent > failures => {
                ("200 OK", JSON, br#"{"host":3,"changed":true}"#.to_vec())
            }
            "PUT /api/v1/facts" => ("503 Service Unavailable", JSON, b"{}".to_vec()),
            _ => ("404 Not Found", JSON, b"{}".to_vec()),
        }
    }));
    (format!("http://{address}"), asked)
}

fn sensor(home: &Home, server: &str, more: &[&str]) -> std::process::Command {
    std::fs::create_dir_all(home.path().join("root")).unwrap();
    let arguments = [
        "--data-dir",
        "data",
        "sensor",
        "--server",
        server,
        "--root",
        "root",
        "--socket",
        "nowhere.sock",
    ];
    home.command(&[&arguments[..], more].concat())
}

#[test]
fn a_sensor_joins_once_and_keeps_its_token_to_itself() {
    let home = Home::new();
    home.write("token", "joining\n");
    let (server, asked) = server(0);
    for arguments in [&["--once", "--join-file", "token"][..], &["--once"]] {
        let run = Run::from(sensor(&home, &server, arguments).output().unwrap());
        assert_eq!(run.code, 0, "{}", run.err);
    }
    let expected = [
        "POST /api/v1/join",
        "PUT /api/v1/facts own",
        "PUT /api/v1/facts own",
    ];
    assert_eq!(*asked.lock().unwrap(), expected);
    let token = home.path().join("data/sensor-token");
    let mode = std::fs::metadata(&token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "own");
}

#[test]
fn a_server_that_is_away_is_tried_again() {
    let home = Home::new();
    let (server, asked) = server(1);
    let mut child = sensor(&home, &server, &[])
        .env("SEAREEVE_JOIN_TOKEN", "joining")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while asked.lock().unwrap().len() < 3 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[2].starts_with("PUT /api/v1/facts"));
}

#[test]
fn a_machine_that_has_not_joined_is_told_how() {
    let home = Home::new();
    let (server, asked) = server(0);
    let run = Run::from(sensor(&home, &server, &["--once"]).output().unwrap());
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("this machine has not joined yet"),
        "{}",
        run.err
    );
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
}

/// How long something may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(90);

/// A sensor of a real engine, that sends to a server which keeps what it gets.
struct Watching {
    lab: Lab,
    sensor: Child,
    log: BufReader<ChildStderr>,
    sent: Receiver<Value>,
    _home: Home,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ended = self.sensor.kill();
        let _ended = self.sensor.wait();
    }
}

impl Watching {
    fn start() -> Option<Self> {
        let lab = Lab::start(&Settings::default()).unwrap()?;
        lab.house(&[lodger(&lab, "root")]).unwrap();
        let (send, sent) = channel();
        let send = Mutex::new(send);
        let server = take(Box::new(move |request, body| match request {
            "POST /api/v1/join" => ("201 Created", JSON, br#"{"id":7,"token":"own"}"#.to_vec()),
            _ => {
                let facts = serde_json::from_slice(body).unwrap();
                send.lock().unwrap().send(facts).unwrap();
                ("200 OK", JSON, br#"{"host":3,"changed":true}"#.to_vec())
            }
        }));
        let home = Home::new();
        let socket = lab.socket().display().to_string();
        // Nothing of the real machine, on which others start and stop engines meanwhile.
        std::fs::create_dir(home.path().join("root")).unwrap();
        let arguments = [
            "--debug",
            "--data-dir",
            "data",
            "sensor",
            "--root",
            "root",
            "--socket",
            &socket,
            "--server",
        ];
        let mut sensor = home
            .command(&[&arguments[..], &[&format!("http://{server}")]].concat())
            .env("SEAREEVE_JOIN_TOKEN", "joining")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(sensor.stderr.take().unwrap());
        Some(Self {
            lab,
            sensor,
            log,
            sent,
            _home: home,
        })
    }

    /// Waits until the sensor says so.
    fn until(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it ended");
        }
    }

    fn next(&self) -> Value {
        self.sent.recv_timeout(PATIENCE).unwrap()
    }
}

fn lodger(lab: &Lab, name: &str) -> Lodger {
    let mut all = lodgers(lab.folder()).into_iter();
    all.find(|lodger| lodger.name == name).unwrap()
}

/// Where two snapshots differ.
fn differences(one: &Value, other: &Value) -> String {
    let mut found = Vec::new();
    for (kind, facts) in other["facts"].as_object().unwrap() {
        let before = &one["facts"][kind];
        if before != facts {
            found.push(format!("{kind}: {before} was, {facts} is"));
        }
    }
    found.join("\n")
}

fn names(facts: &Value, kind: &str) -> Vec<String> {
    let items = facts["facts"][kind]["items"].as_array().unwrap().iter();
    let names = items.map(|item| item["name"].as_str().unwrap().to_owned());
    let mut names: Vec<String> = names.collect();
    // They stand in the order of their ids.
    names.sort_unstable();
    names
}

#[test]
fn what_changes_is_sent_at_once_and_what_means_nothing_is_not() {
    let Some(mut watching) = Watching::start() else {
        return;
    };
    // From here on the engine is heard. The first facts may be older than that.
    let heard = loop {
        let facts = watching.next();
        if facts["facts"]["seareeve.sensor"]["items"][0]["data"]["mode"] == "events" {
            break facts;
        }
    };
    assert_eq!(names(&heard, "docker.container"), ["root"]);
    assert_eq!(heard["facts"]["docker.exec"]["status"], "ok");
    watching.until("the sensor listens mode=\"events\"");
    // The engine says that something changed, and nothing did.
    let lab = &watching.lab;
    let update = json!({"CpuShares": 0});
    lab.post("/containers/root/update", &update).unwrap();
    watching.until("the machine was looked at");
    // What matters.
    let lab = &watching.lab;
    let privileged = lodger(lab, "privileged");
    lab.add(&privileged).unwrap();
    let facts = watching.next();
    assert_eq!(
        names(&facts, "docker.container"),
        ["privileged", "root"],
        "what did not change was not sent: {}",
        differences(&heard, &facts)
    );
}

#[test]
fn commands_in_containers_are_told() {
    let Some(mut watching) = Watching::start() else {
        return;
    };
    watching.until("the sensor listens mode=\"events\"");
    let lab = &watching.lab;
    for (user, is_privileged) in [("", true), ("root", false)] {
        let made = json!({
            "Cmd": ["/bin/busybox", "true"], "User": user, "Privileged": is_privileged, "AttachStdout": true,
        });
        let made = lab.post("/containers/root/exec", &made).unwrap();
        let id = made["Id"].as_str().unwrap();
        // It answers with a stream that is no document.
        let _stream = lab.post(&format!("/exec/{id}/start"), &json!({"Detach": true}));
    }
    let facts = loop {
        let facts = watching.next();
        if names(&facts, "docker.exec").len() == 2 {
            break facts;
        }
    };
    let items = facts["facts"]["docker.exec"]["items"].as_array().unwrap();
    let mut told: Vec<(&Value, &Value, &Value)> = items
        .iter()
        .map(|item| {
            let data = &item["data"];
            assert_eq!(data["command"], "/bin/busybox true");
            assert_eq!(data["container_name"], "root");
            (&data["user"], &data["uid"], &data["privileged"])
        })
        .collect();
    told.sort_by_key(|(user, ..)| user.as_str());
    assert_eq!(
        told,
        [
            (&json!(""), &json!(0), &json!(true)),
            (&json!("root"), &json!(0), &json!(false)),
        ]
    );
}
