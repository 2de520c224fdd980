//! Matching through its front door: records in, a package, findings out.

use jiff::Timestamp;
use seareeve_model::{
    DatabaseKind, Digest, Finding, FindingStatus, Image, ImagePath, InstalledPackage, Inventory,
    Package, PackageKind, ProblemCode, Purl, Severity, SeveritySource, SourcePackage,
};
use serde_json::{Value, json};

use super::{match_inventory, match_package};
use crate::advisories::{Builder, Database};

mod decisions;

fn database(records: &[Value]) -> Database {
    let mut builder = Builder::new(DatabaseKind::Starter, Timestamp::UNIX_EPOCH);
    for record in records {
        builder
            .add_json("test", record.to_string().as_bytes())
            .unwrap();
    }
    let (bytes, report) = builder.finish().unwrap();
    assert_eq!(report.problems, []);
    Database::from_bytes(bytes).unwrap()
}

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    let kind = match ecosystem {
        "PyPI" => PackageKind::Pypi,
        "npm" => PackageKind::Npm,
        alpine if alpine.starts_with("Alpine") => PackageKind::Apk,
        _ => PackageKind::Deb,
    };
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: None,
        ecosystem: ecosystem.to_owned(),
        purl: Purl::new(kind.as_str(), "", name, version, &[]).unwrap(),
    }
}

fn record(id: &str, ecosystem: &str, events: Value) -> Value {
    json!({"id": id, "modified": "2024-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": ecosystem, "name": "a"},
         "ranges": [{"type": "ECOSYSTEM", "events": events}]}]})
}

fn with(mut record: Value, key: &str, value: Value) -> Value {
    record[key] = value;
    record
}

fn since_ever() -> Value {
    json!([{"introduced": "0"}])
}

fn findings(records: &[Value], ecosystem: &str, version: &str) -> Vec<Finding> {
    let (findings, problems) = match_package(&database(records), &package(ecosystem, "a", version));
    assert_eq!(problems, []);
    findings
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding.vulnerability.id.as_str())
        .collect()
}

/// One range of events, and the versions that lie in it and those that do not.
#[track_caller]
fn check(ecosystem: &str, events: Value, hit: &[&str], miss: &[&str]) {
    let database = database(&[record("X-1", ecosystem, events.clone())]);
    for (versions, expected) in [(hit, 1), (miss, 0)] {
        for version in versions {
            let (findings, problems) = match_package(&database, &package(ecosystem, "a", version));
            assert_eq!(
                (findings.len(), problems.len()),
                (expected, 0),
                "{events} {version}"
            );
        }
    }
}

#[test]
fn ranges_are_walked_as_osv_says() {
    let e = "PyPI";
    check(
        e,
        json!([{"introduced": "0"}]),
        &["0.dev0", "0", "1", "99"],
        &[],
    );
    check(
        e,
        json!([{"introduced": "1.0"}]),
        &["1", "1.0.post1", "2"],
        &["0.9", "1.0rc1"],
    );
    check(
        e,
        json!([{"introduced": "0"}, {"fixed": "2"}]),
        &["1.9", "2rc1"],
        &["2", "2.0", "3"],
    );
    check(
        e,
        json!([{"introduced": "0"}, {"last_affected": "2"}]),
        &["2", "2.0"],
        &["2.0.1", "2.post1"],
    );
    check(
        e,
        json!([{"fixed": "2"}, {"introduced": "1"}]),
        &["1", "1.5"],
        &["0.9", "2"],
    );
    let two = json!([{"introduced": "3"}, {"fixed": "2"}, {"introduced": "1"}, {"fixed": "4"}]);
    check(e, two, &["1", "1.9", "3", "3.9"], &["0", "2", "2.9", "4"]);
    check(
        e,
        json!([{"introduced": "0"}, {"limit": "2"}]),
        &["1.9"],
        &["2", "3"],
    );
    check(
        e,
        json!([{"introduced": "1"}, {"limit": "2"}, {"limit": "3"}]),
        &["2.5"],
        &["0.5", "3"],
    );
    check(e, json!([{"introduced": "0"}, {"limit": "*"}]), &["7"], &[]);
    // Ties: introduced stands before fixed, so the version itself is fixed.
    check(
        e,
        json!([{"fixed": "1"}, {"introduced": "1"}]),
        &[],
        &["0", "1", "2"],
    );
    check(
        e,
        json!([{"last_affected": "1"}, {"introduced": "1"}]),
        &["1"],
        &["0.9", "1.1"],
    );
    // Alpine's "0": never affected.
    check(
        "Alpine:v3.19",
        json!([{"introduced": "0"}, {"fixed": "0"}]),
        &[],
        &["1.0-r0"],
    );
    check(
        "Debian:12",
        json!([{"introduced": "0"}, {"fixed": "1.0"}]),
        &["0~1", "1.0~rc1"],
        &["1.0", "1.0+b1"],
    );
    check(
        "npm",
        json!([{"introduced": "1.0.0"}, {"fixed": "1.2.0"}]),
        &["1.2.0-rc.1", "v1.0.0"],
        &["1.2.0+x", "1.0.0-0"],
    );
}

#[test]
fn versions_are_listed_verbatim_or_in_any_range() {
    let mut listed = record("X-1", "PyPI", json!([{"introduced": "5"}, {"fixed": "6"}]));
    listed["affected"][0]["versions"] = json!(["1.0", "weird-one"]);
    let hits = |version| findings(std::slice::from_ref(&listed), "PyPI", version).len();
    assert_eq!(
        (hits("1.0"), hits("5.5"), hits("1.0.0"), hits("7")),
        (1, 1, 0, 0)
    );
    let evidence = findings(std::slice::from_ref(&listed), "PyPI", "1.0");
    assert_eq!(evidence[0].advisories[0].range, "listed version 1.0");
    assert_eq!(evidence[0].status, FindingStatus::Affected);
    let evidence = findings(&[listed], "PyPI", "5.1");
    assert_eq!(evidence[0].advisories[0].range, ">= 5, < 6");
    assert_eq!(
        evidence[0].advisories[0].modified,
        "2024-01-01T00:00:00Z".parse().ok()
    );
}

#[test]
fn commits_and_withdrawn_records_match_nothing() {
    let mut git = record("X-1", "PyPI", since_ever());
    git["affected"][0]["ranges"][0]["type"] = json!("GIT");
    let withdrawn = record("X-2", "PyPI", since_ever());
    let withdrawn = with(withdrawn, "withdrawn", json!("2024-01-01T00:00:00Z"));
    let other = json!({"id": "X-3", "affected": [{"package": {"ecosystem": "PyPI", "name": "b"}, "versions": ["1"]}]});
    assert_eq!(
        ids(&findings(&[git, withdrawn, other], "PyPI", "1")),
        Vec::<&str>::new()
    );
}

#[test]
fn bug_fixes_and_enhancements_are_no_vulnerabilities() {
    let called = |id: &str, summary: &str| {
        with(
            record(id, "AlmaLinux:9", since_ever()),
            "summary",
            json!(summary),
        )
    };
    let cve = |record: Value| with(record, "related", json!(["CVE-2021-40438"]));
    let all = [
        called("ALBA-2021:1", "httpd update"),
        called(
            "ALEA-2021:2",
            "gedit-plugins bug fix and enhancement update",
        ),
        called("TITLE-3", "httpd Bug Fix update"),
        cve(called("ALBA-2021:4", "httpd:2.4 bug fix update")),
        called(
            "ALSA-2021:5",
            "Moderate: kernel-rt security and bug fix update",
        ),
        called("ALSA-2021:6", "Moderate: toolbox update"),
    ];
    assert_eq!(
        ids(&findings(&all, "AlmaLinux:9", "1")),
        ["ALSA-2021:5", "ALSA-2021:6", "CVE-2021-40438"]
    );
    let info = database(&all).info();
    assert_eq!((info.advisories, info.bug_fixes), (3, 3));
    // What is no distribution's may be called as it likes.
    let pypi = with(
        record("XYBA-1", "PyPI", since_ever()),
        "summary",
        json!("An enhancement"),
    );
    assert_eq!(ids(&findings(&[pypi], "PyPI", "1")), ["XYBA-1"]);
}

#[test]
fn aliases_are_one_finding_named_by_the_cve() {
    let pysec = with(
        record("PYSEC-1", "PyPI", since_ever()),
        "aliases",
        json!(["GHSA-1"]),
    );
    let ghsa = with(
        record(
            "GHSA-1",
            "PyPI",
            json!([{"introduced": "0"}, {"fixed": "2"}]),
        ),
        "aliases",
        json!(["CVE-2020-1"]),
    );
    let found = findings(&[pysec.clone(), ghsa], "PyPI", "1");
    assert_eq!(ids(&found), ["CVE-2020-1"]);
    assert_eq!(found[0].vulnerability.aliases, ["GHSA-1", "PYSEC-1"]);
    assert_eq!(found[0].advisories.len(), 2);
    assert_eq!(
        found[0].remediation,
        "upgrade a to 2; not every advisory agrees that this is enough"
    );
    assert_eq!(ids(&findings(&[pysec], "PyPI", "1")), ["GHSA-1"]);
    assert_eq!(
        ids(&findings(
            &[record("OWN-1", "PyPI", since_ever())],
            "PyPI",
            "1"
        )),
        ["OWN-1"]
    );
}

#[test]
fn several_cves_are_several_findings_even_as_aliases_of_one_record() {
    let scored =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]);
    let pysec = with(
        with(
            record("PYSEC-1", "PyPI", since_ever()),
            "aliases",
            json!(["CVE-2020-2", "CVE-2020-1", "GHSA-1", "GHSA-2"]),
        ),
        "severity",
        scored,
    );
    let ghsa = |id: &str, aliases: Value| {
        let range = json!([{"introduced": "0"}, {"fixed": "2"}]);
        with(record(id, "PyPI", range), "aliases", aliases)
    };
    let one = ghsa("GHSA-1", json!(["CVE-2020-1", "PYSEC-1"]));
    let seen = |records: &[Value]| -> Vec<(String, Vec<String>, Vec<String>, Severity)> {
        let found = findings(records, "PyPI", "1");
        let each = found.iter().map(|finding| {
            let hits = finding.advisories.iter().map(|hit| hit.id.clone());
            let vulnerability = &finding.vulnerability;
            (
                vulnerability.id.clone(),
                vulnerability.aliases.clone(),
                hits.collect(),
                finding.severity,
            )
        });
        each.collect()
    };
    let line = |id: &str, aliases: &[&str], hits: &[&str], severity| {
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        (id.to_owned(), texts(aliases), texts(hits), severity)
    };
    // What the record says holds for each, also where it alone says anything.
    assert_eq!(
        seen(&[pysec.clone(), one]),
        [
            line(
                "CVE-2020-1",
                &["GHSA-1"],
                &["GHSA-1", "PYSEC-1"],
                Severity::Critical
            ),
            line("CVE-2020-2", &[], &["PYSEC-1"], Severity::Critical),
        ]
    );
    // One that knows only such a record speaks of the same ones.
    let of_it = ghsa("GHSA-2", json!(["PYSEC-1"]));
    assert_eq!(
        seen(&[pysec, of_it]),
        [
            line(
                "CVE-2020-1",
                &[],
                &["GHSA-2", "PYSEC-1"],
                Severity::Critical
            ),
            line(
                "CVE-2020-2",
                &[],
                &["GHSA-2", "PYSEC-1"],
                Severity::Critical
            ),
        ]
    );
}

#[test]
fn upstream_is_taken_apart_and_never_merged() {
    let dla = with(
        record("DLA-1-1", "Debian:11", since_ever()),
        "upstream",
        json!(["CVE-2020-1", "CVE-2020-2"]),
    );
    let one = with(
        record("DEBIAN-CVE-2020-1", "Debian:11", since_ever()),
        "upstream",
        json!(["CVE-2020-1"]),
    );
    let found = findings(&[dla, one], "Debian:11", "1");
    assert_eq!(ids(&found), ["CVE-2020-1", "CVE-2020-2"]);
    let records = |at: usize| {
        found[at]
            .advisories
            .iter()
            .map(|hit| hit.id.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(records(0), ["DEBIAN-CVE-2020-1", "DLA-1-1"]);
    assert_eq!(records(1), ["DLA-1-1"]);
    assert!(
        found
            .iter()
            .all(|finding| finding.vulnerability.aliases.is_empty())
    );
    assert_eq!(found[1].aliases(), ["DLA-1-1"]);
    // Upstream of upstream, and a circle.
    let usn = with(
        record("USN-1", "Ubuntu:22.04:LTS", since_ever()),
        "upstream",
        json!(["UBUNTU-CVE-2020-1", "CVE-2020-1"]),
    );
    let ubuntu = json!({"id": "UBUNTU-CVE-2020-1", "upstream": ["CVE-2020-1"]});
    assert_eq!(
        ids(&findings(&[usn, ubuntu], "Ubuntu:22.04:LTS", "1")),
        ["CVE-2020-1"]
    );
    let circle = with(
        record("A-1", "PyPI", since_ever()),
        "upstream",
        json!(["B-1"]),
    );
    let back = json!({"id": "B-1", "upstream": ["A-1"]});
    assert_eq!(ids(&findings(&[circle, back], "PyPI", "1")), ["A-1"]);
}

#[test]
fn related_names_what_a_distribution_fixes_and_nothing_else() {
    let related = json!(["CVE-2020-1", "ELA-2-1"]);
    let ela = with(
        record("ELA-1-1", "Debian:9", since_ever()),
        "related",
        related.clone(),
    );
    assert_eq!(
        ids(&findings(std::slice::from_ref(&ela), "Debian:9", "1")),
        ["CVE-2020-1"]
    );
    let named = with(ela, "upstream", json!(["CVE-2020-2"]));
    assert_eq!(ids(&findings(&[named], "Debian:9", "1")), ["CVE-2020-2"]);
    let pysec = with(record("PYSEC-1", "PyPI", since_ever()), "related", related);
    assert_eq!(ids(&findings(&[pysec], "PyPI", "1")), ["PYSEC-1"]);
}

#[test]
fn releases_scope_advisories() {
    let all = [
        record("D-12", "Debian:12", since_ever()),
        record("D-ALL", "Debian", since_ever()),
        record("A-ALL", "Alpine", since_ever()),
        record("A-19", "Alpine:v3.19", since_ever()),
        record("U-22", "Ubuntu:22.04:LTS", since_ever()),
        record("U-ALL", "Ubuntu", since_ever()),
        record("U-PRO", "Ubuntu:Pro:22.04:LTS", since_ever()),
    ];
    let found = |ecosystem| {
        findings(&all, ecosystem, "1")
            .iter()
            .map(|f| f.vulnerability.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("Debian:12"), ["D-12", "D-ALL"]);
    assert_eq!(found("Debian:11"), ["D-ALL"]);
    assert_eq!(found("Alpine:v3.19"), ["A-19"]);
    assert_eq!(found("Ubuntu:22.04:LTS"), ["U-22"]);
}

#[test]
fn what_could_not_be_checked_is_a_problem() {
    let database = database(&[
        record("X-1", "PyPI", json!([{"introduced": "0"}, {"fixed": "2"}])),
        record(
            "X-2",
            "PyPI",
            json!([{"introduced": "1"}, {"fixed": "odd"}]),
        ),
        record("X-3", "PyPI", since_ever()),
    ]);
    let check = |ecosystem: &str, version: &str| {
        let (findings, problems) = match_package(&database, &package(ecosystem, "a", version));
        let codes: Vec<ProblemCode> = problems.iter().map(|problem| problem.code).collect();
        (
            findings
                .iter()
                .map(|f| f.vulnerability.id.clone())
                .collect::<Vec<_>>(),
            codes,
        )
    };
    // A version that cannot be compared: only what needs no comparison is judged.
    assert_eq!(
        check("PyPI", "2004d"),
        (vec!["X-3".to_owned()], vec![ProblemCode::VersionUnreadable])
    );
    // A fixed version that cannot be compared may not hide the finding.
    assert_eq!(
        check("PyPI", "3"),
        (
            vec!["X-2".to_owned(), "X-3".to_owned()],
            vec![ProblemCode::VersionUnreadable]
        )
    );
    assert_eq!(
        check("Debian:12", "1"),
        (vec![], vec![ProblemCode::AdvisoriesMissing])
    );
    assert_eq!(
        check("Haiku:1", "1"),
        (vec![], vec![ProblemCode::VersionUnreadable])
    );
    assert_eq!(check("", "1"), (vec![], vec![ProblemCode::DistroUnknown]));
}

#[test]
fn severity_comes_from_the_best_source() {
    let cvss = |kind: &str, score: &str| json!([{"type": kind, "score": score}]);
    let high = cvss("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H");
    let severity = |records: &[Value]| {
        let found = findings(records, "Debian:12", "1");
        (found[0].severity_source, found[0].severity)
    };
    let debian = || {
        with(
            record("DEBIAN-CVE-2020-1", "Debian:12", since_ever()),
            "upstream",
            json!(["CVE-2020-1"]),
        )
    };
    let urgency = |word: &str| {
        let mut record = debian();
        record["affected"][0]["ecosystem_specific"] = json!({"urgency": word});
        record
    };
    let bitnami = json!({"id": "BIT-a-2020-1", "aliases": ["CVE-2020-1"], "database_specific": {"severity": "Critical"},
        "affected": [{"package": {"ecosystem": "Bitnami", "name": "a"}, "versions": ["1"], "severity": high}]});
    let worded = json!({"id": "GHSA-1", "aliases": ["CVE-2020-1"], "database_specific": {"severity": "MODERATE"}});
    assert_eq!(
        severity(&[urgency("unimportant"), bitnami.clone()]),
        (SeveritySource::Distribution, Severity::Low)
    );
    assert_eq!(
        severity(&[urgency("not yet assigned"), bitnami, worded.clone()]),
        (SeveritySource::CvssV3, Severity::High)
    );
    assert_eq!(
        severity(&[debian(), worded]),
        (SeveritySource::Database, Severity::Medium)
    );
    assert_eq!(
        severity(&[debian()]),
        (SeveritySource::None, Severity::Unknown)
    );
    let end = findings(&[urgency("end-of-life")], "Debian:12", "1");
    assert_eq!(
        (end[0].status, end[0].severity),
        (FindingStatus::EndOfLife, Severity::Unknown)
    );
}

#[test]
fn the_advised_version_satisfies_every_record() {
    let fixed = |id: &str, version: &str| {
        let events = json!([{"introduced": "0"}, {"fixed": version}]);
        with(
            record(id, "Debian:12", events),
            "upstream",
            json!(["CVE-2020-1"]),
        )
    };
    let found = findings(
        &[fixed("DSA-1", "1.2"), fixed("DSA-2", "1.10")],
        "Debian:12",
        "1.0",
    );
    assert_eq!(found[0].fixed_versions, ["1.2", "1.10"]);
    assert_eq!(found[0].remediation, "upgrade a to 1.10");
    assert_eq!(found[0].status, FindingStatus::Fixed);
    let (first, _) = match_package(
        &database(&[fixed("DSA-1", "1:2-3+deb12u1")]),
        &Package {
            source: Some(SourcePackage {
                name: "a".to_owned(),
                version: "1:2-3".to_owned(),
            }),
            ..package("Debian:12", "liba1", "2-3+b1")
        },
    );
    assert_eq!(
        first[0].remediation,
        "upgrade liba1 to a build of a 1:2-3+deb12u1"
    );
    let none = findings(&[record("X-1", "PyPI", since_ever())], "PyPI", "1");
    assert!(none[0].remediation.starts_with("no fixed version is known"));
}

#[test]
fn an_inventory_keeps_its_order_and_says_each_gap_once() {
    let database = database(&[record("X-1", "PyPI", since_ever())]);
    let digest = Digest::sha256(&[0; 32]);
    let installed = |package: Package, path: &str| InstalledPackage {
        package,
        path: ImagePath::parse(path.as_bytes()).unwrap(),
        layer: 0,
    };
    let packages = vec![
        installed(package("Debian:12", "x", "1"), "status"),
        installed(package("Debian:12", "y", "1"), "status"),
        installed(package("PyPI", "A", "1"), "one"),
        installed(package("PyPI", "A", "1"), "two"),
    ];
    let image = Image {
        references: Vec::new(),
        digest: digest.clone(),
        config_digest: digest,
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        created: None,
        layers: Vec::new(),
    };
    let inventory = Inventory {
        image,
        distro: None,
        packages,
        problems: Vec::new(),
    };
    let matches = match_inventory(&database, &inventory);
    let counts: Vec<usize> = matches.findings.iter().map(Vec::len).collect();
    assert_eq!(counts, [0, 0, 1, 1]);
    assert_eq!(matches.problems.len(), 1);
    assert_eq!(matches.problems[0].place, "Debian:12");
    assert_eq!(matches, match_inventory(&database, &inventory));
}
