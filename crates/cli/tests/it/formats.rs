//! What each format makes of the same image, whose every text tries to be more than text.

use serde_json::{Value, json};

use crate::support::{APP, Home};

/// Ends elements, attributes, scripts, sections, links and lines, and commands terminals.
const HOSTILE: &str = "\"><script>alert('x')</script> ]]> --> &amp; ${x} {0} [a](javascript:b) | \u{1b}[2J \u{9b}2J \u{202e}gpj";

/// A home with `app.tar`, `advisories.db`, and what suppresses some of its findings.
pub(crate) fn home() -> Home {
    let home = Home::new();
    let path = "usr/lib/node_modules/<b>\"x\"]]>/package.json";
    home.image_made_by(
        &format!("RUN echo {HOSTILE}"),
        &[
            APP[0],
            APP[1],
            APP[2],
            (path, r#"{"name": "left-pad", "version": "1.0.0"}"#),
            (
                "srv/<i>.ini",
                // Not in one piece, so that nobody takes this file for a leak.
                concat!("key = AKIA", "E23Y5GMDZ", "NN36XGY\n"),
            ),
        ],
    );
    let record = |id: &str, alias: &str, ecosystem: &str, name: &str, more: Value| {
        let mut record = json!({
            "id": id, "aliases": [alias], "modified": "2030-01-02T00:00:00Z", "published": "2030-01-01T00:00:00Z",
            "affected": [{ "package": { "ecosystem": ecosystem, "name": name },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] }],
        });
        let fields = record.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        home.write(&format!("records/{id}.json"), record.to_string());
    };
    let fixed = |ecosystem: &str, name: &str, version: &str| {
        json!([{ "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": version }] }] }])
    };
    record(
        "DSA-9001-1",
        "CVE-2030-9001",
        "Debian:12",
        "hello",
        json!({
            "summary": "greets whom it should not", "details": "The greeting is too warm.\n\nReally.",
            "affected": fixed("Debian:12", "hello", "2.10-4"),
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
            "references": [{ "type": "WEB", "url": "https://a.example/1" }, { "type": "ADVISORY", "url": "https://a.example/2" }],
        }),
    );
    record(
        "GHSA-aaaa-bbbb-cccc",
        "CVE-2030-9002",
        "npm",
        "left-pad",
        json!({
            "summary": HOSTILE, "details": format!("{HOSTILE}\n\n{HOSTILE}"),
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L" }],
            "references": [{ "type": "WEB", "url": format!("https://a.example/{HOSTILE}") }],
        }),
    );
    record(
        "PYSEC-2030-1",
        "CVE-2030-9003",
        "PyPI",
        "pyyaml",
        json!({ "summary": "loads more than it says", "affected": fixed("PyPI", "pyyaml", "5.4") }),
    );
    record(
        "PYSEC-2030-2",
        "CVE-2030-9004",
        "PyPI",
        "pyyaml",
        json!({ "summary": "prints too much" }),
    );
    home.write(
        "kev.json",
        json!({ "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2030.01.03",
            "dateReleased": "2030-01-03T00:00:00Z", "count": 1, "vulnerabilities": [{
                "cveID": "CVE-2030-9001", "vendorProject": "GNU", "product": "hello", "vulnerabilityName": "x",
                "dateAdded": "2030-01-02", "shortDescription": "x", "requiredAction": "x", "dueDate": "2030-01-23",
                "knownRansomwareCampaignUse": "Known", "notes": "" }] })
        .to_string(),
    );
    home.write(
        "epss.csv",
        "#model_version:v2025.03.14,score_date:2030-01-03T00:00:00Z\ncve,epss,percentile\n\
         CVE-2030-9001,0.94321,0.999\nCVE-2030-9003,0.00042,0.05\n",
    );
    home.write(
        "vex.json",
        json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://a.example/vex", "author": "Ann",
            "timestamp": "2030-01-04T00:00:00Z", "version": 1, "statements": [{
                "vulnerability": { "name": "CVE-2030-9003" }, "products": [{ "@id": "pkg:pypi/pyyaml" }],
                "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
                "impact_statement": HOSTILE }] })
        .to_string(),
    );
    home.write(
        "accepted.yaml",
        format!(
            "ignore:\n  - id: CVE-2030-9004\n    reason: {}\n    expires: 2031-01-01\n  - id: CVE-1999-1\n    reason: gone\n",
            json!("nobody prints <here>")
        ),
    );
    let built = home
        .command(&[
            "db",
            "build",
            "--from",
            "records",
            "--kev",
            "kev.json",
            "--epss",
            "epss.csv",
            "-o",
            "advisories.db",
        ])
        .env("SOURCE_DATE_EPOCH", "1893715200")
        .output()
        .unwrap();
    assert_eq!(built.status.code(), Some(0), "{built:?}");
    home
}

/// Prints `app.tar` in a format, on a day of 2030.
pub(crate) fn printed(home: &Home, format: &str, more: &[&str]) -> String {
    let arguments = [
        "image",
        "--input",
        "app.tar",
        "--db",
        "advisories.db",
        "--vex",
        "vex.json",
        "--ignore-file",
        "accepted.yaml",
        "--format",
        format,
    ];
    let output = home
        .command(&[&arguments[..], more].concat())
        .env("SOURCE_DATE_EPOCH", "1893888000")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), ""),
        "{text}"
    );
    text
}

/// Without what a release of the program changes.
fn lasting(text: &str) -> String {
    text.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

/// What a terminal must not be given.
fn is_command(c: char) -> bool {
    c != '\n' && (c.is_control() || c == '\u{202e}')
}

#[test]
fn table() {
    let text = printed(&home(), "table", &["--show-suppressed"]);
    assert!(!text.contains(is_command), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn json() {
    insta::assert_snapshot!(printed(&home(), "json", &[]));
}

#[test]
fn sarif() {
    let text = printed(&home(), "sarif", &[]);
    assert!(!text.contains(is_command), "{text}");
    insta::assert_snapshot!(lasting(&text));
}

#[test]
fn cyclonedx() {
    let text = printed(&home(), "cyclonedx", &[]);
    assert!(!text.contains(is_command), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let said: Vec<Value> = document["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| json!([v["id"], v["analysis"]["state"]]))
        .collect();
    assert_eq!(
        json!(said),
        json!([
            ["CVE-2030-9001", null],
            ["CVE-2030-9002", null],
            ["CVE-2030-9003", "not_affected"],
            ["CVE-2030-9004", null],
        ])
    );
    assert_eq!(
        document["metadata"]["timestamp"], "2030-01-06T00:00:00Z",
        "SOURCE_DATE_EPOCH is the document's time"
    );
}

#[test]
fn spdx() {
    let document: Value = serde_json::from_str(&printed(&home(), "spdx-json", &[])).unwrap();
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    let names: Vec<&str> = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    for name in ["hello", "left-pad", "PyYAML"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn junit() {
    insta::assert_snapshot!(lasting(&printed(&home(), "junit", &[])));
}

#[test]
fn html() {
    let text = printed(&home(), "html", &[]);
    assert!(
        !text.contains("<script") && !text.contains("javascript:b)\""),
        "{text}"
    );
    let (head, body) = text.split_once("<style>").unwrap();
    let (_, body) = body.split_once("</style>").unwrap();
    insta::assert_snapshot!(lasting(&format!("{head}{body}")));
}

#[test]
fn every_format_gives_the_same_bytes_again() {
    let home = home();
    for format in [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx-json",
        "junit",
        "html",
    ] {
        // Without a cache, filling it, and out of it.
        let runs = [&["--no-cache"][..], &[], &[]].map(|more| printed(&home, format, more));
        assert!(
            !runs[0].is_empty() && runs.iter().all(|run| *run == runs[0]),
            "{format}"
        );
        let file = printed(&home, format, &["-o", "result"]);
        assert_eq!(file, "");
        let written = std::fs::read_to_string(home.path().join("result")).unwrap();
        assert_eq!(written, runs[0], "{format}");
    }
    assert!(home.path().join(".cache/seareeve/layers").is_dir());
}

#[test]
fn an_old_database_is_said_beside_the_result() {
    let home = home();
    let output = home
        .command(&["image", "--input", "app.tar", "--db", "advisories.db"])
        .env("SOURCE_DATE_EPOCH", "1894752000")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "the advisory database is 12 days old: seareeve db update makes a new one\n"
    );
}
