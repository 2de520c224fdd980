//! `seareeve docker` on a real engine, against a table that a person wrote: `truth/cis-docker.txt`.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_lab::{Lab, Lodger, Settings, lodgers};
use serde_json::{Value, json};

use crate::support::Home;

const TABLE: &str = include_str!("truth/cis-docker.txt");

/// What the table says of one control.
#[derive(Debug)]
struct Row<'t> {
    id: &'t str,
    /// In each setting, the words of which one is right.
    controls: [Vec<&'t str>; 3],
    /// Of the first setting: objects by name, and all others.
    objects: BTreeMap<&'t str, &'t str>,
    others: Vec<&'t str>,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(row).collect()
}

fn row(line: &'static str) -> Row<'static> {
    let (statuses, named) = line.split_once(':').unwrap_or((line, ""));
    let mut words = statuses.split_whitespace();
    let id = words.next().unwrap();
    let controls: Vec<Vec<&str>> = words.map(|word| word.split('|').collect()).collect();
    let mut row = Row {
        id,
        controls: controls.try_into().unwrap(),
        objects: BTreeMap::new(),
        others: vec!["pass"],
    };
    for part in named.split(';').filter(|part| !part.trim().is_empty()) {
        let (names, status) = part.rsplit_once('=').unwrap();
        for name in names.split_whitespace() {
            if name == "others" {
                row.others = status.trim().split('|').collect();
            } else {
                row.objects.insert(name, status.trim());
            }
        }
    }
    row
}

/// The table's word for a status.
fn word(status: &Value) -> &str {
    match status.as_str().unwrap() {
        "not_applicable" => "n/a",
        "not_collected" => "unknown",
        "needs_review" => "review",
        other => other,
    }
}

fn report(lab: &Lab) -> Value {
    let home = Home::new();
    let socket = lab.socket().display().to_string();
    let run = home.run(&["docker", "--socket", &socket, "--format", "json"]);
    serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err))
}

/// Where the report differs from the table in a setting.
fn differences(report: &Value, setting: usize) -> Vec<String> {
    let mut found = Vec::new();
    let rows = rows();
    let controls = report["controls"].as_array().unwrap();
    let ids: BTreeSet<&str> = controls
        .iter()
        .map(|control| control["id"].as_str().unwrap())
        .collect();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.id).collect();
    assert_eq!(known, ids, "each control is named once");
    assert_eq!(known.len(), rows.len());
    for row in &rows {
        let control = controls
            .iter()
            .find(|control| control["id"] == row.id)
            .unwrap();
        let wanted = &row.controls[setting];
        let is = word(&control["status"]);
        if !wanted.contains(&is) {
            found.push(format!("{} is {is}, not {wanted:?}", row.id));
        }
        if setting == 0 {
            objects(row, control, &mut found);
        }
    }
    found
}

fn objects(row: &Row<'_>, control: &Value, found: &mut Vec<String>) {
    // A control of several checks has an object once for each: the worst counts, in the order of the states.
    const WORST: [&str; 7] = [
        "fail", "error", "unknown", "review", "excepted", "pass", "n/a",
    ];
    let rank = |status: &str| WORST.iter().position(|word| *word == status);
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for object in control["objects"].as_array().unwrap() {
        let (name, status) = (object["name"].as_str().unwrap(), word(&object["status"]));
        let entry = seen.entry(name).or_insert(status);
        if rank(status) < rank(entry) {
            *entry = status;
        }
    }
    for (name, wanted) in &row.objects {
        match seen.remove(name) {
            Some(is) if is == *wanted => {}
            other => found.push(format!("{} of {name} is {other:?}, not {wanted}", row.id)),
        }
    }
    for (name, is) in seen {
        if !row.others.contains(&is) {
            found.push(format!(
                "{} of {name} is {is}, not {:?}",
                row.id, row.others
            ));
        }
    }
}

/// Two of the lodgers: one that is as it should be, and one as it comes.
fn two(lab: &Lab) -> Vec<Lodger> {
    let wanted = |lodger: &Lodger| ["tidy", "root"].contains(&lodger.name.as_str());
    lodgers(lab.folder()).into_iter().filter(wanted).collect()
}

#[test]
fn an_engine_as_it_comes_is_judged_as_the_table_says() {
    let settings = Settings {
        is_furnished: true,
        ..Settings::default()
    };
    let Some(lab) = Lab::start(&settings).unwrap() else {
        return;
    };
    assert_eq!(differences(&report(&lab), 0), Vec::<String>::new());
}

#[test]
fn flags_of_an_engine_are_judged_as_the_table_says() {
    let home = Home::new();
    home.write("seccomp.json", r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}"#);
    let profile = format!(
        "--seccomp-profile={}",
        home.path().join("seccomp.json").display()
    );
    let flags = [
        // Options that are there and say no.
        "--log-level=debug",
        "--no-new-privileges=false",
        "--live-restore=false",
        "--userland-proxy=false",
        "--default-ulimit=nofile=1024:2048",
        "--default-ulimit=nproc=512:1024",
        "--log-driver=local",
        "--insecure-registry=registry.test:5000",
        "--host=tcp://127.0.0.1:0",
        "--experimental",
        &profile,
    ];
    let settings = Settings {
        flags: flags.map(str::to_owned).into(),
        ..Settings::default()
    };
    let Some(lab) = Lab::start(&settings).unwrap() else {
        return;
    };
    lab.house(&two(&lab)).unwrap();
    assert_eq!(differences(&report(&lab), 1), Vec::<String>::new());
}

#[test]
fn a_file_that_was_changed_since_is_judged_as_the_table_says() {
    let file = json!({
        "log-level": "info", "no-new-privileges": true, "live-restore": true,
        "default-ulimits": {
            "nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}, "nproc": {"Name": "nproc", "Soft": 512, "Hard": 1024},
        },
        "log-driver": "syslog", "log-opts": {"syslog-address": "udp://127.0.0.1:514"},
    });
    let settings = Settings {
        flags: vec!["--userland-proxy=false".to_owned()],
        file: Some(file.to_string()),
        ..Settings::default()
    };
    let Some(lab) = Lab::start(&settings).unwrap() else {
        return;
    };
    lab.house(&two(&lab)).unwrap();
    // With this one it would not start again, and still runs as it was started.
    let later = json!({
        "log-level": "debug", "no-new-privileges": false, "live-restore": false, "userland-proxy": true,
        "log-driver": "json-file",
    });
    let path = lab.folder().join("config/daemon.json");
    std::fs::write(&path, later.to_string()).unwrap();
    // Long after the engine started.
    let hour = std::time::Duration::from_secs(3_600);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::SystemTime::now() + hour)
        .unwrap();
    assert_eq!(differences(&report(&lab), 2), Vec::<String>::new());
}
