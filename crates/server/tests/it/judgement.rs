//! What is said of findings beyond their advisories, and which of them do not count.

use camino::Utf8Path;
use seareeve_scan::advisories::{Sources, build};
use serde_json::{Value, json};

use crate::support::{Browser, archive, debian, folder, start};

/// A Debian 10, whose support ended in 2024.
const BUSTER: &str = "ID=debian\nVERSION_ID=\"10\"\nPRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\n";

fn record(id: &str, urgency: &str) -> String {
    json!({
        "id": format!("DEBIAN-{id}"), "modified": "2026-01-01T00:00:00Z", "upstream": [id],
        "affected": [{ "package": { "ecosystem": "Debian:10", "name": "hello" },
            "ecosystem_specific": { "urgency": urgency },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] }],
    })
    .to_string()
}

/// CVE-2030-1 is exploited, CVE-2030-2 probable, CVE-2030-3 without impact. `day` is that of the estimates.
fn database(folder: &Utf8Path, data: &Utf8Path, day: &str, probability: &str) {
    let records = folder.join("records");
    std::fs::create_dir_all(&records).unwrap();
    std::fs::create_dir_all(data).unwrap();
    for (id, urgency) in [
        ("CVE-2030-1", "low"),
        ("CVE-2030-2", "high"),
        ("CVE-2030-3", "unimportant"),
    ] {
        std::fs::write(records.join(format!("{id}.json")), record(id, urgency)).unwrap();
    }
    let kev = folder.join("kev.json");
    let catalogue = json!({ "dateReleased": "2030-01-02T00:00:00Z", "vulnerabilities": [{
        "cveID": "CVE-2030-1", "dateAdded": "2030-01-01", "dueDate": "2030-02-01",
        "knownRansomwareCampaignUse": "Known" }] });
    std::fs::write(&kev, catalogue.to_string()).unwrap();
    let epss = folder.join("epss.csv");
    let scores = format!(
        "#model_version:v1,score_date:{day}T00:00:00Z\ncve,epss,percentile\nCVE-2030-2,{probability},0.9\n"
    );
    std::fs::write(&epss, scores).unwrap();
    let sources = Sources {
        records: vec![records],
        known_exploited: Some(kev),
        epss: Some(epss),
    };
    let built = format!("{day}T12:00:00Z").parse().unwrap();
    let report = build(&sources, &data.join("advisories.db"), built, &|_| {}).unwrap();
    assert_eq!(report.problems, []);
}

fn ids(browser: &mut Browser, address: &str) -> Vec<String> {
    let answer = browser.get(address);
    assert_eq!(answer.status, 200, "{address} {}", answer.body);
    let findings = answer.body["findings"].as_array().unwrap().clone();
    let id = |finding: &Value| finding["id"].as_str().unwrap().to_owned();
    findings.iter().map(id).collect()
}

#[test]
fn findings_say_how_likely_they_are_and_whether_they_count() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, "2030-01-02", "0.25");
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let image = archive(
        "test/app:1",
        &[
            ("etc/os-release", BUSTER),
            ("var/lib/dpkg/status", &debian(&[("hello", "2.10-3")])),
        ],
    );
    let scan = browser.scan(image);
    let address = format!("/api/v1/images/{}", scan["image"].as_str().unwrap());
    let findings = format!("{address}/findings");

    assert_eq!(ids(&mut browser, &findings), ["CVE-2030-2", "CVE-2030-1"]);
    for (query, expected) in [
        ("exploited=true", vec!["CVE-2030-1"]),
        ("epss_min=0.1", vec!["CVE-2030-2"]),
        ("epss_min=0.3", vec![]),
        ("suppressed=true", vec!["CVE-2030-3"]),
        ("sort=epss", vec!["CVE-2030-2", "CVE-2030-1"]),
    ] {
        let shown = ids(&mut browser, &format!("{findings}?{query}"));
        assert_eq!(shown, expected, "{query}");
    }
    for query in ["epss_min=2", "sort=luck", "exploited=perhaps"] {
        let refused = browser.get(&format!("{findings}?{query}"));
        assert_eq!(refused.status, 400, "{query}");
    }
    let list = browser.get(&format!("{findings}?exploited=true")).body;
    let exploited =
        json!({ "date_added": "2030-01-01", "due_date": "2030-02-01", "ransomware": true });
    assert_eq!(list["findings"][0]["known_exploited"], exploited);
    let package = list["findings"][0]["package_id"].clone();
    let one = browser
        .get(&format!("{findings}/CVE-2030-3?package={package}"))
        .body;
    assert_eq!(
        one["suppression"],
        json!({ "by": "distribution", "expires": null, "source": "DEBIAN-CVE-2030-3",
            "reason": "Debian says that it has no security impact in its package" })
    );
    let facets = browser.get(&format!("{address}/facets")).body;
    assert_eq!(facets["counted"], 2);
    assert_eq!(facets["suppressed"], 1);
    assert_eq!(facets["exploited"], 1);
    assert_eq!(
        facets["epss"],
        json!([{ "value": "0.01", "count": 1 }, { "value": "0.1", "count": 1 }, { "value": "0.5", "count": 0 }])
    );

    let detail = browser.get(&address).body;
    assert_eq!(
        (&detail["exploited"], &detail["is_end_of_life"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        (&detail["support"]["standard"], &detail["support"]["ends"]),
        (&json!("2022-09-10"), &json!("2024-06-30"))
    );
    let notice = detail["support"]["notice"].as_str().unwrap();
    assert!(
        notice.starts_with("Debian 10 is past its end of life"),
        "{notice}"
    );
    let report = browser.get(&format!("{address}/report")).body;
    assert_eq!(report["suppressed"][0]["id"], "CVE-2030-3");
    assert_eq!(report["notices"][0]["code"], "end_of_life");
    assert_eq!(report["distro"]["end_of_life"], "2024-06-30");
    let bom = browser.get(&format!("{address}/sbom?format=cyclonedx"));
    assert_eq!(bom.body["specVersion"], "1.6");
    assert_eq!(bom.body["vulnerabilities"].as_array().unwrap().len(), 3);
    assert_eq!(
        bom.headers["content-type"],
        "application/vnd.cyclonedx+json"
    );
    let spdx = browser.get(&format!("{address}/sbom?format=spdx"));
    assert_eq!(spdx.body["spdxVersion"], "SPDX-2.3");
    assert_eq!(
        browser.get(&format!("{address}/sbom?format=xml")).status,
        400
    );
    let overview = browser.get("/api/v1/overview").body;
    assert_eq!(overview["images_exploited"], 1);
    let listed = browser.get("/api/v1/images?exploited=true").body;
    assert_eq!(listed["images"].as_array().unwrap().len(), 1);
    drop(server);

    // The next day nothing has changed but what is probable.
    database(folder, &data, "2030-01-03", "0.75");
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    browser.until("/api/v1/status", |status| status["rematching"] == false);
    let list = browser.get(&format!("{findings}?epss_min=0.7")).body;
    assert_eq!(
        list["findings"][0]["epss"],
        json!({ "score": 0.75, "percentile": 0.9, "date": "2030-01-03" })
    );
}

#[test]
fn secrets_are_told_by_kind_and_place_and_never_themselves() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    // In pieces, so that nobody takes this file for a leak.
    let token = ["ghp_", "1Dq5nlUT4vvAHxXq1oQsIbZbCBK6ka1i53Cf"].concat();
    let file = format!("name = app\ntoken = {token}\n");
    let image = archive(
        "test/app:1",
        &[("etc/os-release", BUSTER), ("srv/app.conf", &file)],
    );
    let scan = browser.scan(image);
    let address = format!("/api/v1/images/{}", scan["image"].as_str().unwrap());
    assert_eq!(browser.get(&address).body["secrets"], 1);
    let answer = browser.get(&format!("{address}/secrets")).body;
    let secret = &answer["secrets"][0];
    assert_eq!(
        (
            &secret["rule"],
            &secret["path"],
            &secret["line"],
            &secret["layer"],
            &secret["is_hidden"]
        ),
        (
            &json!("github-token"),
            &json!("srv/app.conf"),
            &json!(2),
            &json!(0),
            &json!(false)
        )
    );
    assert!(
        secret["remediation"]
            .as_str()
            .unwrap()
            .starts_with("Revoke")
    );
    assert_eq!(
        (&answer["looked"], &answer["counts"]["critical"]),
        (&json!(true), &json!(1))
    );
    assert!(!answer.to_string().contains(&token[4..12]));
    for (query, expected) in [
        ("severity=low", 0),
        ("q=app.conf", 1),
        ("layer=0", 1),
        ("layer=1", 0),
    ] {
        let answer = browser.get(&format!("{address}/secrets?{query}")).body;
        assert_eq!(
            answer["secrets"].as_array().unwrap().len(),
            expected,
            "{query}"
        );
    }

    // What is only sent as a list of packages was not looked through, which is not the same as none.
    let sbom = json!({ "schema_version": 1, "problems": [], "packages": [], "distro": null, "image": {
        "references": [], "digest": format!("sha256:{}", "ab".repeat(32)), "created": null, "layers": [],
        "config_digest": format!("sha256:{}", "cd".repeat(32)), "os": "linux", "architecture": "amd64" } });
    let report = browser.post("/api/v1/sboms", sbom);
    assert_eq!(report.status, 200, "{}", report.body);
    let address = format!("/api/v1/images/sha256:{}", "ab".repeat(32));
    assert_eq!(browser.get(&address).body["secrets"], json!(null));
    assert_eq!(
        browser.get(&format!("{address}/secrets")).body["looked"],
        false
    );
}

#[test]
fn what_a_vex_document_says_counts_everywhere_until_it_goes() {
    let (keep, data) = folder();
    let folder = Utf8Path::from_path(keep.path()).unwrap();
    database(folder, &data, "2030-01-02", "0.25");
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let image = |name| {
        archive(
            name,
            &[
                ("etc/os-release", BUSTER),
                ("var/lib/dpkg/status", &debian(&[("hello", "2.10-3")])),
            ],
        )
    };
    let scan = browser.scan(image("test/app:1"));
    let address = format!("/api/v1/images/{}", scan["image"].as_str().unwrap());
    let findings = format!("{address}/findings");
    let document = |status: &str| {
        json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.example/1",
            "author": "the team", "timestamp": "2030-01-01T00:00:00Z", "version": 1, "statements": [{
                "vulnerability": { "name": "CVE-2030-2" }, "status": status, "status_notes": "the parser is off",
                "justification": "vulnerable_code_not_in_execute_path",
                "products": [{ "@id": "pkg:deb/debian/hello" }] }] })
    };
    let settled = |browser: &mut Browser| {
        browser.until("/api/v1/vex", |list| list["judging"] == false)["documents"].clone()
    };
    let sent = browser.post("/api/v1/vex?name=team.json", document("not_affected"));
    assert_eq!(
        (sent.status, &sent.body["statements"]),
        (201, &json!(1)),
        "{}",
        sent.body
    );
    assert_eq!(settled(&mut browser)[0]["findings"], 1);
    assert_eq!(ids(&mut browser, &findings), ["CVE-2030-1"]);
    let hidden = ids(&mut browser, &format!("{findings}?suppressed=true"));
    assert_eq!(hidden, ["CVE-2030-2", "CVE-2030-3"]);
    let summary = browser.get(&address).body;
    assert_eq!(
        (&summary["findings"]["high"], &summary["findings"]["low"]),
        (&json!(0), &json!(1))
    );
    let suppressed = browser.get(&format!("{findings}?suppressed=true")).body;
    let suppression = &suppressed["findings"][0]["suppression"];
    assert_eq!(
        (&suppression["by"], &suppression["source"]),
        (&json!("vex"), &json!("team.json (the team)"))
    );
    let report = browser.get(&format!("{address}/report")).body;
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["suppressed"].as_array().unwrap().len(), 2);

    // The same again changes nothing; another content of the same name counts in its place.
    assert_eq!(
        browser
            .post("/api/v1/vex?name=team.json", document("not_affected"))
            .status,
        200
    );
    assert_eq!(
        browser
            .post("/api/v1/vex?name=team.json", document("affected"))
            .status,
        200
    );
    let listed = settled(&mut browser);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(ids(&mut browser, &findings), ["CVE-2030-2", "CVE-2030-1"]);
    assert_eq!(
        browser
            .post("/api/v1/vex?name=team.json", document("not_affected"))
            .status,
        200
    );
    settled(&mut browser);
    drop(server);

    // It holds after a restart, and for what is scanned from then on.
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let again = browser.scan(image("test/other:1"));
    let other = format!(
        "/api/v1/images/{}/findings",
        again["image"].as_str().unwrap()
    );
    assert_eq!(ids(&mut browser, &other), ["CVE-2030-1"]);
    let id = settled(&mut browser)[0]["id"].clone();
    assert_eq!(
        browser
            .send("DELETE", &format!("/api/v1/vex/{id}"), None)
            .status,
        204
    );
    assert_eq!(
        browser
            .send("DELETE", &format!("/api/v1/vex/{id}"), None)
            .status,
        404
    );
    assert_eq!(settled(&mut browser), json!([]));
    assert_eq!(ids(&mut browser, &findings), ["CVE-2030-2", "CVE-2030-1"]);

    for (name, body, words) in [
        (
            "x.json",
            json!({ "a": 1 }),
            "neither OpenVEX nor CSAF 2.0 nor CycloneDX",
        ),
        ("", document("fixed"), "a name of 1 to 200 characters"),
    ] {
        let refused = browser.post(&format!("/api/v1/vex?name={name}"), body);
        assert_eq!(refused.status, 400);
        let detail = refused.body["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
}
