//! `seareeve docker` on a real engine, against a table that a person wrote: `truth/cis-docker.txt`.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_lab::{Lab, Lodger, Settings, lodgers};
use serde_json::{Value, json};

use crate::support::{APP, Home};

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

/// A file system with a package that has holes, a key, and a program that makes root.
fn bad() -> Vec<u8> {
    let key = format!(
        "-----BEGIN {0} KEY-----\n{1}\n-----END {0} KEY-----\n",
        "OPENSSH PRIVATE",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ".repeat(3)
    );
    let mut builder = tar::Builder::new(Vec::new());
    let files = [
        APP[0],
        APP[1],
        APP[2],
        ("root/.ssh/id_ed25519", &key),
        ("usr/bin/su", "x"),
        ("bin/ls", "x"),
    ];
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if path == "usr/bin/su" { 0o4755 } else { 0o755 });
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn images_of_a_host_are_scanned_and_those_that_cannot_be_never_pass() {
    let Some(lab) = Lab::start(&Settings::default()).unwrap() else {
        return;
    };
    lab.house(&[]).unwrap();
    lab.import("lab/bad", "1", &bad()).unwrap();
    let home = Home::new();
    let socket = lab.socket().display().to_string();
    let run = home.run(&[
        "docker",
        "--socket",
        &socket,
        "--only",
        "4.3,4.4,4.8,4.10",
        "--format",
        "json",
        "--scan-images",
        "--save-facts",
        "facts.json",
    ]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    let object = |control: &str, image: &str, check: &str| -> (String, Vec<String>) {
        let mut controls = report["controls"].as_array().unwrap().iter();
        let control = controls.find(|one| one["id"] == control).unwrap();
        let mut objects = control["objects"].as_array().unwrap().iter();
        let object = objects
            .find(|one| one["name"] == image && one["check"] == check)
            .unwrap();
        let messages = object["messages"].as_array().unwrap().iter();
        let messages = messages.map(|text| text.as_str().unwrap().to_owned());
        (word(&object["status"]).to_owned(), messages.collect())
    };
    let said = |status: &str, messages: &[&str]| {
        let messages = messages.iter().map(|text| (*text).to_owned());
        (status.to_owned(), messages.collect::<Vec<_>>())
    };
    let setuid = "docker.image.setuid-files";
    assert_eq!(
        object("4.8", "lab/bad:1", setuid),
        said("fail", &["/usr/bin/su has mode 4755 and belongs to root"])
    );
    let keys = object("4.10", "lab/bad:1", "docker.image.secret-files");
    assert_eq!(keys.0, "fail");
    assert!(keys.1[0].ends_with("in /root/.ssh/id_ed25519"), "{keys:?}");
    let holes = object("4.4", "lab/bad:1", "docker.image.vulnerable");
    assert_eq!(holes.0, "fail", "{holes:?}");
    assert!(
        holes.1[0].starts_with("a critical vulnerability could have been fixed"),
        "{holes:?}"
    );
    assert_eq!(object("4.8", "lab/base:1", setuid).0, "pass");
    // What is said is kept with the facts, and no key is.
    let facts = std::fs::read_to_string(home.path().join("facts.json")).unwrap();
    assert!(!facts.contains("b3BlbnNzaC1rZXk"));
    let facts: Value = serde_json::from_str(&facts).unwrap();
    let scans = facts["facts"]["image.scan"]["items"].as_array().unwrap();
    assert_eq!(scans.len(), 3);
    let bad = scans
        .iter()
        .find(|scan| scan["name"] == "lab/bad:1")
        .unwrap();
    assert_eq!(bad["data"]["names"], json!(["docker.io/lab/bad:1"]));
    // One that was not scanned has not passed.
    let without: Vec<Value> = scans
        .iter()
        .filter(|scan| scan["name"] != "lab/base:1")
        .cloned()
        .collect();
    let mut fewer = facts.clone();
    fewer["facts"]["image.scan"]["items"] = json!(without);
    home.write("fewer.json", fewer.to_string());
    let run = home.run(&[
        "docker",
        "--facts",
        "fewer.json",
        "--only",
        "4.4,4.8,4.10",
        "--format",
        "json",
    ]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    for control in report["controls"].as_array().unwrap() {
        let objects = control["objects"].as_array().unwrap().iter();
        let base: Vec<&str> = objects
            .filter(|one| one["name"] == "lab/base:1" && one["check"] != "docker.image.credentials")
            .map(|one| word(&one["status"]))
            .collect();
        assert!(
            !base.is_empty() && !base.contains(&"pass"),
            "{} {base:?}",
            control["id"]
        );
    }
}
