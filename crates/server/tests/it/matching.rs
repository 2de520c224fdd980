//! Stored images are judged again when the advisories change.

use camino::Utf8Path;
use serde_json::json;

use crate::support::{BOOKWORM, Browser, archive, debian, folder, start};

#[test]
fn an_update_that_fails_is_said() {
    let (_keep, data) = folder();
    let server = start(&data, |config| {
        "http://127.0.0.1:1".clone_into(&mut config.advisories.address);
        config.advisories.known_exploited_address.clear();
        config.advisories.epss_address.clear();
    });
    let mut browser = Browser::signed_in(&server);
    assert_eq!(
        browser.get("/api/v1/status").body["update_problem"],
        json!(null)
    );
    assert_eq!(
        browser.post("/api/v1/database/update", json!({})).status,
        202
    );
    let status = browser.until("/api/v1/status", |status| {
        status["update_problem"].is_string()
    });
    let why = status["update_problem"].as_str().unwrap();
    assert!(
        why.starts_with("failed to fetch any archive from http://127.0.0.1:1"),
        "{why}"
    );
    assert_eq!(status["updating"], true, "it is tried again");
    assert_eq!(status["database"]["kind"], "starter");
}

fn advisory(id: &str, name: &str, fixed: &str) -> String {
    json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "upstream": [id.trim_start_matches("DEBIAN-")],
        "affected": [{ "package": { "ecosystem": "Debian:12", "name": name },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }] }],
    })
    .to_string()
}

fn build(folder: &Utf8Path, data: &Utf8Path, records: &[String]) {
    std::fs::create_dir_all(folder).unwrap();
    for (number, record) in records.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.json")), record).unwrap();
    }
    let built = "2026-01-02T00:00:00Z".parse().unwrap();
    let report = seareeve_scan::advisories::build(
        &seareeve_scan::advisories::Sources {
            records: vec![folder.to_owned()],
            ..Default::default()
        },
        &data.join("advisories.db"),
        built,
        &|_| {},
    );
    assert_eq!(report.unwrap().problems, []);
}

#[test]
fn a_new_database_is_noticed_and_changes_findings_without_the_image() {
    let (keep, data) = folder();
    let status = debian(&[("bash", "5.2.15-2"), ("hello", "2.10-3")]);
    let image = archive(
        "test/app:1",
        &[
            ("etc/os-release", BOOKWORM),
            ("var/lib/dpkg/status", &status),
        ],
    );
    let digest = {
        let server = start(&data, |_| {});
        let mut browser = Browser::signed_in(&server);
        let scan = browser.scan(image);
        scan["image"].as_str().unwrap().to_owned()
    };
    let records = Utf8Path::from_path(keep.path()).unwrap().join("records");
    build(
        &records,
        &data,
        &[advisory("DEBIAN-CVE-2030-1", "hello", "2.10-4")],
    );
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let status = browser.until("/api/v1/status", |status| status["rematching"] == false);
    assert_eq!(
        (
            &status["database"]["kind"],
            &status["database"]["advisories"]
        ),
        (&json!("full"), &json!(1))
    );
    let findings = browser
        .get(&format!("/api/v1/images/{digest}/findings"))
        .body;
    let ids: Vec<&str> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["CVE-2030-1"],
        "what only the starter set knew is gone, what the new one knows is there"
    );
    let summary = browser.get("/api/v1/images").body["images"][0].clone();
    assert_eq!(
        (&summary["findings"]["unknown"], &summary["fixable"]),
        (&json!(1), &json!(1)),
        "{summary}"
    );
    drop(server);

    // A record that is gone, with nothing left to compare with: its findings go, too.
    std::fs::remove_file(data.join("advisories.matched.db")).unwrap();
    build(
        &records,
        &data,
        &[advisory("DEBIAN-CVE-2030-2", "bash", "5.2.15-3")],
    );
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    browser.until("/api/v1/status", |status| status["rematching"] == false);
    let findings = browser
        .get(&format!("/api/v1/images/{digest}/findings"))
        .body;
    assert_eq!(findings["findings"].as_array().unwrap().len(), 1);
    assert_eq!(findings["findings"][0]["id"], "CVE-2030-2");
    drop(server);

    build(
        &records,
        &data,
        &[advisory("DEBIAN-CVE-2030-1", "hello", "2.10-4")],
    );
    let server = start(&data, |_| {});
    Browser::signed_in(&server).until("/api/v1/status", |status| status["rematching"] == false);
    drop(server);

    build(
        &records,
        &data,
        &[advisory("DEBIAN-CVE-2030-1", "hello", "2.10-3")],
    );
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    browser.until("/api/v1/status", |status| status["rematching"] == false);
    let overview = browser.get("/api/v1/overview").body;
    assert_eq!(
        overview["findings"]["unknown"], 0,
        "a corrected advisory closes its finding"
    );
}
