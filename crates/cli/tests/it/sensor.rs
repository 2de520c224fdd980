//! `seareeve sensor`: joining, keeping its token, and servers that are away for a while.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Home, Run, serve};

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
