//! A document has the findings of its image, and CycloneDX carries them.

use jiff::Timestamp;
use seareeve_model::{
    DatabaseKind, SuppressedBy, Suppression, VexJustification, VexStatus, VexVerdict,
};
use seareeve_scan::advisories::{Builder, Database};
use seareeve_scan::sbom::{self, Format};
use seareeve_scan::{Matches, match_inventory};
use serde_json::{Value, json};

use super::{FORMATS, fixture, image, json, written};

/// Two vulnerabilities, made up: one of a source package that two binaries are built from, one of Python.
fn database() -> Database {
    let mut builder = Builder::new(DatabaseKind::Starter, Timestamp::UNIX_EPOCH);
    let records = [
        json!({"id": "DSA-1-1", "modified": "2024-01-02T00:00:00Z", "published": "2024-01-01T00:00:00Z",
            "upstream": ["CVE-2024-1"], "summary": "a hole in made \"things\"",
            "references": [{"type": "WEB", "url": "https://a.example/x y"}],
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [{"package": {"ecosystem": "Debian:12", "name": "openssl"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.9-1"}]}]}]}),
        json!({"id": "CVE-2024-2", "modified": "2024-01-02T00:00:00Z", "details": "no more is known",
            "affected": [{"package": {"ecosystem": "Debian:12", "name": "shadow"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]},
              {"package": {"ecosystem": "PyPI", "name": "pyyaml"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.4"}]}]}]}),
        json!({"id": "GHSA-aaaa-bbbb-cccc", "modified": "2024-01-02T00:00:00Z", "aliases": ["CVE-2024-3"],
            "affected": [{"package": {"ecosystem": "npm", "name": "JSONStream"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}]}),
    ];
    for record in records {
        builder
            .add_json("test", record.to_string().as_bytes())
            .unwrap();
    }
    let (bytes, report) = builder.finish().unwrap();
    assert_eq!(report.problems, []);
    Database::from_bytes(bytes).unwrap()
}

/// What is found, by package and in words.
fn found(document: &seareeve_model::Inventory, matches: &Matches) -> Vec<String> {
    let pairs = document.packages.iter().zip(&matches.findings);
    let mut found: Vec<String> = pairs
        .flat_map(|(installed, findings)| {
            let package = &installed.package;
            findings.iter().map(move |finding| {
                let name = package.name.to_lowercase();
                format!("{name} {} {}", package.version, finding.vulnerability.id)
            })
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_document_has_the_findings_of_its_image() {
    let database = database();
    let inventory = image("debian");
    let matches = match_inventory(&database, &inventory);
    let expected = found(&inventory, &matches);
    assert_eq!(
        expected,
        [
            "jsonstream 1.3.5 CVE-2024-3",
            "libssl3 3.0.8-1 CVE-2024-1",
            "passwd 1:4.13+dfsg1-1 CVE-2024-2",
            "pyyaml 5.3 CVE-2024-2",
        ]
    );
    for format in FORMATS {
        for findings in [None, Some(matches.findings.as_slice())] {
            let read = sbom::read(&written(format, &inventory, findings)).unwrap();
            assert_eq!(match_inventory(&database, &read), matches);
        }
    }
    for document in [
        "trivy-cyclonedx",
        "trivy-spdx",
        "syft-cyclonedx",
        "syft-spdx",
    ] {
        let bytes = std::fs::read(fixture(&format!("debian.{document}.json"))).unwrap();
        let read = sbom::read(&bytes).unwrap();
        assert_eq!(
            found(&read, &match_inventory(&database, &read)),
            expected,
            "{document}"
        );
    }
}

#[test]
fn cyclonedx_carries_the_findings() {
    let inventory = image("debian");
    let matches = match_inventory(&database(), &inventory);
    let document = json(&written(
        Format::CycloneDx,
        &inventory,
        Some(&matches.findings),
    ));
    let vulnerabilities = document["vulnerabilities"].as_array().unwrap();
    // CVE-2024-2 has no fix in one package and one in the other: two judgements.
    let ids: Vec<&str> = vulnerabilities
        .iter()
        .map(|v| v["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["CVE-2024-1", "CVE-2024-2", "CVE-2024-2", "CVE-2024-3"]
    );
    let component = |name: &str| -> Value {
        let components = document["components"].as_array().unwrap();
        components.iter().find(|c| c["name"] == name).unwrap()["bom-ref"].clone()
    };
    assert_eq!(
        vulnerabilities[0],
        json!({
            "id": "CVE-2024-1",
            "source": {"name": "OSV", "url": "https://osv.dev/vulnerability/CVE-2024-1"},
            "references": [
                {"id": "DSA-1-1", "source": {"name": "OSV", "url": "https://osv.dev/vulnerability/DSA-1-1"}}],
            "ratings": [
                {"source": {"name": "seareeve"}, "severity": "critical", "method": "other",
                    "justification": "by the CVSS v3 vector"},
                {"source": {"name": "OSV"}, "score": 9.8, "severity": "critical", "method": "CVSSv31",
                    "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "description": "DSA-1-1: a hole in made \"things\"",
            "recommendation": "upgrade libssl3 to 3.0.9-1",
            "advisories": [
                {"title": "DSA-1-1", "url": "https://osv.dev/vulnerability/DSA-1-1"},
                {"url": "https://a.example/x%20y"}],
            "published": "2024-01-01T00:00:00Z",
            "updated": "2024-01-02T00:00:00Z",
            "analysis": {"response": ["update"], "detail": "a version with the fix exists"},
            "affects": [{"ref": component("libssl3"), "versions": [{"version": "3.0.8-1", "status": "affected"}]}],
            "properties": [
                {"name": "seareeve:fixed_version", "value": "3.0.9-1"},
                {"name": "seareeve:severity_source", "value": "cvss_v3"},
                {"name": "seareeve:statement", "value": "DSA-1-1: >= 0, < 3.0.9-1"},
                {"name": "seareeve:status", "value": "fixed"}],
        })
    );
    let unmatched = json(&written(Format::CycloneDx, &inventory, None));
    assert!(unmatched.get("vulnerabilities").is_none());
    let nothing = vec![Vec::new(); inventory.packages.len()];
    let matched = json(&written(Format::CycloneDx, &inventory, Some(&nothing)));
    assert_eq!(matched["vulnerabilities"], json!([]));
}

#[test]
fn documents_say_what_has_been_said_of_findings() {
    let inventory = image("debian");
    let mut matches = match_inventory(&database(), &inventory);
    let suppression = |by, source: &str| Suppression {
        by,
        reason: "it is not called".to_owned(),
        source: source.to_owned(),
        expires: Some(Timestamp::UNIX_EPOCH),
    };
    for finding in matches.findings.iter_mut().flatten() {
        match finding.vulnerability.id.as_str() {
            "CVE-2024-1" => {
                finding.suppressed = Some(suppression(SuppressedBy::Vex, "a.json"));
                finding.vex = Some(VexVerdict {
                    status: VexStatus::NotAffected,
                    justification: Some(VexJustification::VulnerableCodeNotInExecutePath),
                    statement: String::new(),
                    document: "a.json".to_owned(),
                    timestamp: Some(Timestamp::UNIX_EPOCH),
                });
            }
            "CVE-2024-3" => {
                finding.suppressed = Some(suppression(SuppressedBy::IgnoreFile, "ignore:3"));
            }
            _ => {}
        }
    }
    let document = json(&written(
        Format::CycloneDx,
        &inventory,
        Some(&matches.findings),
    ));
    let said = |at: usize| {
        let entry = &document["vulnerabilities"][at];
        let status = &entry["affects"][0]["versions"][0]["status"];
        json!([
            entry["id"],
            status,
            entry["analysis"],
            entry["properties"][0]
        ])
    };
    assert_eq!(
        said(0),
        json!(["CVE-2024-1", "unaffected",
            {"state": "not_affected", "justification": "code_not_reachable",
                "detail": "it is not called (a.json)", "lastUpdated": "1970-01-01T00:00:00Z"},
            {"name": "seareeve:fixed_version", "value": "3.0.9-1"}])
    );
    assert_eq!(
        said(3),
        json!(["CVE-2024-3", "affected",
            {"response": ["will_not_fix"], "detail": "it is not called (ignore:3)"},
            {"name": "seareeve:fixed_version", "value": "2.0.0"}])
    );
    let properties = document["vulnerabilities"][3]["properties"].as_array();
    let properties = properties.unwrap();
    for (name, value) in [
        ("seareeve:suppressed_by", "ignore_file"),
        ("seareeve:suppressed_until", "1970-01-01T00:00:00Z"),
    ] {
        assert!(properties.contains(&json!({"name": name, "value": value})));
    }

    // One and the same finding in two packages, of which one does not count, makes two entries.
    let mut counts = match_inventory(&database(), &inventory);
    let twin = counts.findings.iter().flatten().next().unwrap().clone();
    for findings in &mut counts.findings {
        *findings = Vec::new();
    }
    let suppressed = suppression(SuppressedBy::Distribution, "DSA-1-1");
    let mut other = twin.clone();
    other.suppressed = Some(suppressed);
    counts.findings[0].push(twin);
    counts.findings[1].push(other);
    let document = json(&written(
        Format::CycloneDx,
        &inventory,
        Some(&counts.findings),
    ));
    let entries = document["vulnerabilities"].as_array().unwrap();
    let states: Vec<&Value> = entries.iter().map(|it| &it["analysis"]["state"]).collect();
    assert_eq!(states, [&Value::Null, &json!("not_affected")]);

    let document = json(&written(Format::Spdx, &inventory, Some(&matches.findings)));
    let packages = document["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["name"] == "libssl3").unwrap();
    assert_eq!(
        package["externalRefs"][1]["comment"],
        "critical: upgrade libssl3 to 3.0.9-1; does not count: it is not called (a.json)"
    );
}

#[test]
fn spdx_links_to_the_advisories() {
    let inventory = image("debian");
    let matches = match_inventory(&database(), &inventory);
    let document = json(&written(Format::Spdx, &inventory, Some(&matches.findings)));
    let packages = document["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["name"] == "libssl3").unwrap();
    assert_eq!(
        package["externalRefs"],
        json!([
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": "pkg:deb/debian/libssl3@3.0.8-1?arch=amd64&distro=debian-12&upstream=openssl"},
            {"referenceCategory": "SECURITY", "referenceType": "advisory",
                "referenceLocator": "https://osv.dev/vulnerability/CVE-2024-1",
                "comment": "critical: upgrade libssl3 to 3.0.9-1"},
        ])
    );
}

#[test]
fn what_does_not_count_says_so_in_both_formats() {
    let database = database();
    let inventory = image("debian");
    let mut matches = match_inventory(&database, &inventory);
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "a", "author": "b", "version": 1,
        "timestamp": "2024-02-01T00:00:00Z",
        "statements": [
            {"vulnerability": {"name": "CVE-2024-1"}, "products": [{"@id": "pkg:deb/debian/libssl3"}],
                "status": "not_affected", "justification": "vulnerable_code_not_present"},
            {"vulnerability": {"name": "CVE-2024-2"}, "products": [{"@id": "pkg:deb/debian/passwd"}],
                "status": "under_investigation"},
        ],
    });
    let vex = seareeve_scan::vex::parse("a.json", vex.to_string().as_bytes()).unwrap();
    seareeve_scan::vex::apply(&[vex], &inventory, &mut matches);
    let ignored = seareeve_scan::ignore::parse(".trivyignore", b"CVE-2024-3 # only for tests");
    let ignored = [ignored.unwrap()];
    let now = Timestamp::UNIX_EPOCH;
    seareeve_scan::ignore::apply(&ignored, &inventory, &[], &mut matches, now);

    let document = json(&written(
        Format::CycloneDx,
        &inventory,
        Some(&matches.findings),
    ));
    let vulnerabilities = document["vulnerabilities"].as_array().unwrap();
    let said: Vec<Value> = vulnerabilities
        .iter()
        .map(|v| {
            json!([
                v["id"],
                v["analysis"],
                v["affects"][0]["versions"][0]["status"]
            ])
        })
        .collect();
    assert_eq!(
        Value::from(said),
        json!([
            ["CVE-2024-1",
                {"state": "not_affected", "justification": "code_not_present", "response": ["update"],
                    "detail": "a version with the fix exists"},
                "unaffected"],
            ["CVE-2024-2", {"response": ["update"], "detail": "a version with the fix exists"}, "affected"],
            ["CVE-2024-2", {"state": "in_triage", "detail": "no fixed version is known"}, "affected"],
            ["CVE-2024-3", {"response": ["will_not_fix"], "detail": "accepted: only for tests"}, "affected"],
        ])
    );

    let document = json(&written(Format::Spdx, &inventory, Some(&matches.findings)));
    let packages = document["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["name"] == "libssl3").unwrap();
    assert_eq!(
        package["externalRefs"][1]["comment"],
        "critical, does not count (not affected: vulnerable code not present): upgrade libssl3 to 3.0.9-1"
    );
}
