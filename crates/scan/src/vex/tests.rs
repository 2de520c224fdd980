//! Documents of each format over one image, through the front door.

use std::sync::Arc;

use seareeve_model::{
    AdvisoryMatch, Digest, Distro, FindingStatus, Image, ImagePath, Package, PackageKind, Purl,
    Severity, SeveritySource, SourcePackage, Vulnerability,
};
use serde_json::{Value, json};

use super::*;

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const ID: &str = "CVE-2024-1";

fn package(kind: PackageKind, namespace: &str, name: &str, version: &str) -> Package {
    let qualifiers: &[(&str, &str)] = match kind {
        PackageKind::Deb => &[("arch", "amd64"), ("distro", "debian-12")],
        _ => &[],
    };
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: (kind == PackageKind::Deb).then(|| SourcePackage {
            name: "openssl".to_owned(),
            version: version.to_owned(),
        }),
        ecosystem: "Debian:12".to_owned(),
        purl: Purl::new(kind.as_str(), namespace, name, version, qualifiers).unwrap(),
    }
}

fn finding() -> Finding {
    Finding {
        vulnerability: Arc::new(Vulnerability {
            id: ID.to_owned(),
            aliases: vec!["GHSA-1".to_owned()],
            title: String::new(),
            description: String::new(),
            cvss: Vec::new(),
            published: None,
            modified: None,
            references: Vec::new(),
            known_exploited: None,
            epss: None,
        }),
        severity: Severity::High,
        severity_source: SeveritySource::None,
        status: FindingStatus::Affected,
        fixed_versions: Vec::new(),
        remediation: String::new(),
        advisories: vec![AdvisoryMatch {
            id: "DSA-1".to_owned(),
            range: String::new(),
            modified: None,
        }],
        vex: None,
        suppressed: None,
    }
}

/// An image of Debian with a library, a Go program of two modules, and the same module in another program. Each
/// package has the same finding.
pub(crate) fn sample() -> (Inventory, Matches) {
    let installed = |package, path: &str| InstalledPackage {
        package,
        path: ImagePath::parse(path.as_bytes()).unwrap(),
        layer: 0,
    };
    let module = |name| package(PackageKind::Golang, "example.org", name, "v1.2.0");
    let packages = vec![
        installed(
            package(PackageKind::Deb, "debian", "libssl3", "3.0.11-1"),
            "var/lib/dpkg/status",
        ),
        installed(module("app"), "usr/bin/app"),
        installed(module("parser"), "usr/bin/app"),
        installed(module("parser"), "usr/bin/other"),
    ];
    let digest: Digest = DIGEST.parse().unwrap();
    let inventory = Inventory {
        image: Image {
            references: vec!["registry.example/team/app:1.2".to_owned()],
            config_digest: Digest::sha256(&[0x22; 32]),
            digest,
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            created: None,
            layers: Vec::new(),
        },
        distro: Some(Distro {
            id: "rhel".to_owned(),
            version: "9.4".to_owned(),
            name: String::new(),
        }),
        packages,
        problems: Vec::new(),
    };
    let matches = Matches {
        findings: vec![vec![finding()]; 4],
        problems: Vec::new(),
        notices: Vec::new(),
    };
    (inventory, matches)
}

/// Which of the four packages a document says something of, and the notices.
fn said(documents: &[Value]) -> (Vec<Option<VexStatus>>, Vec<String>) {
    let documents: Vec<VexDocument> = documents
        .iter()
        .map(|document| parse("a.json", document.to_string().as_bytes()).unwrap())
        .collect();
    let (inventory, mut matches) = sample();
    apply(&documents, &inventory, &mut matches);
    let status = |findings: &Vec<Finding>| {
        let finding = &findings[0];
        let status = finding.vex.as_ref().map(|verdict| verdict.status);
        let is_out = status.is_some_and(VexStatus::suppresses);
        assert_eq!(finding.suppressed.is_some(), is_out);
        status
    };
    let notices = matches.notices.iter().map(ToString::to_string).collect();
    (matches.findings.iter().map(status).collect(), notices)
}

fn openvex(products: Value) -> Value {
    json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "Team",
        "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [
        {"vulnerability": {"name": ID}, "status": "not_affected", "products": products,
         "justification": "vulnerable_code_not_in_execute_path", "impact_statement": "never called"}]})
}

/// The packages that an OpenVEX statement about `products` takes out, as a row of `x` and `-`.
#[track_caller]
fn check(products: Value, expected: &str) {
    let (statuses, _) = said(&[openvex(products.clone())]);
    let row: String = statuses
        .iter()
        .map(|status| if status.is_some() { 'x' } else { '-' })
        .collect();
    assert_eq!(row, expected, "{products}");
}

#[test]
fn products_are_images_packages_and_their_parts() {
    let id = |id: &str| json!([{ "@id": id }]);
    // Packages: what is left out may be anything.
    check(id("pkg:deb/debian/libssl3"), "x---");
    check(
        id("pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12"),
        "x---",
    );
    check(id("pkg:deb/debian/libssl3@3.0.12-1"), "----");
    check(id("pkg:deb/debian/libssl3?distro=debian-11"), "----");
    check(id("pkg:deb/ubuntu/libssl3"), "----");
    check(id("pkg:deb/debian/openssl"), "----");
    check(id("pkg:deb/debian/openssl@3.0.11-1?arch=source"), "x---");
    check(id("pkg:golang/example.org/parser@v1.2.0"), "--xx");
    // The image, by digest or name.
    check(
        id("pkg:oci/app@sha256%3A1111111111111111111111111111111111111111111111111111111111111111"),
        "xxxx",
    );
    check(
        id("pkg:oci/app@sha256:3333333333333333333333333333333333333333333333333333333333333333"),
        "----",
    );
    check(
        id("pkg:oci/app?repository_url=registry.example/team/app&tag=1.2"),
        "xxxx",
    );
    check(
        id("pkg:oci/app?repository_url=registry.example/team/app&tag=1.3"),
        "----",
    );
    check(
        id("pkg:oci/app?repository_url=registry.example/other/app"),
        "----",
    );
    check(id("pkg:oci/other"), "----");
    check(
        id("pkg:docker/team/app@1.2?repository_url=https://registry.example"),
        "xxxx",
    );
    check(id("pkg:docker/team/app@1.2"), "----");
    let digest = DIGEST.trim_start_matches("sha256:");
    check(
        json!([{"@id": "https://example.org/app", "hashes": {"sha-256": digest}}]),
        "xxxx",
    );
    check(
        json!([{"identifiers": {"purl": "pkg:deb/debian/libssl3"}}]),
        "x---",
    );
    // Parts of the image, or of another package in the same file.
    let part =
        |product: &str, part: &str| json!([{"@id": product, "subcomponents": [{"@id": part}]}]);
    check(part("pkg:oci/app", "pkg:golang/example.org/parser"), "--xx");
    check(
        part(
            "pkg:golang/example.org/app",
            "pkg:golang/example.org/parser",
        ),
        "--x-",
    );
    check(
        part(
            "pkg:golang/example.org/gone",
            "pkg:golang/example.org/parser",
        ),
        "----",
    );
    // A part that nobody can find limits the statement to nothing: it must not cover the whole product.
    check(part("pkg:oci/app", "the parser"), "----");
    // 0.0.x writes texts.
    check(json!(["pkg:deb/debian/libssl3"]), "x---");
}

#[test]
fn files_that_list_packages_make_no_product_of_them() {
    let module = |name| package(PackageKind::Golang, "example.org", name, "v1.2.0");
    let deb = |name| package(PackageKind::Deb, "debian", name, "3.0.11-1");
    for (pair, path, expected) in [
        ([module("app"), module("parser")], "usr/bin/app", true),
        ([module("app"), module("parser")], "srv/app/go.mod", false),
        ([module("app"), module("parser")], "", false),
        ([deb("app"), deb("parser")], "var/lib/dpkg/status", false),
    ] {
        let [app, parser] = [&pair[0], &pair[1]].map(|package| package.purl.to_string());
        let bare = |purl: &str| purl.split('@').next().unwrap().to_owned();
        let document = json!({"@context": "https://openvex.dev/ns/v0.2.0", "author": "A", "statements": [
            {"vulnerability": {"name": ID}, "status": "not_affected", "justification": "component_not_present",
                "products": [{"@id": bare(&app), "subcomponents": [{"@id": bare(&parser)}]}]}]});
        let document = parse("a.json", document.to_string().as_bytes()).unwrap();
        let (mut inventory, mut matches) = sample();
        let path = ImagePath::parse(path.as_bytes()).unwrap_or_else(ImagePath::root);
        inventory.packages = pair
            .map(|package| InstalledPackage {
                package,
                path: path.clone(),
                layer: 0,
            })
            .to_vec();
        matches.findings.truncate(2);
        apply(&[document], &inventory, &mut matches);
        let actual = matches.findings[1][0].suppressed.is_some();
        assert_eq!(actual, expected, "{}", path.to_text());
    }
}

#[test]
fn a_system_answers_for_its_own_packages() {
    let system = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "operating-system", "name": "rhel", "bom-ref": "os",
            "cpe": "cpe:/o:redhat:enterprise_linux:9"}},
        "vulnerabilities": [{"id": ID, "affects": [{"ref": "os"}], "analysis": {"state": "not_affected"}}]});
    let (statuses, _) = said(&[system]);
    assert_eq!(statuses, [Some(VexStatus::NotAffected), None, None, None]);
}

#[test]
fn findings_are_known_by_every_id_and_the_latest_word_counts() {
    let by = |name: &str| {
        let mut document = openvex(json!([{"@id": "pkg:oci/app"}]));
        document["statements"][0]["vulnerability"] = json!({"name": name});
        said(&[document]).0[0]
    };
    for name in [ID, "GHSA-1", "DSA-1"] {
        assert_eq!(by(name), Some(VexStatus::NotAffected), "{name}");
    }
    assert_eq!(by("CVE-2024-2"), None);
    let mut alias = openvex(json!([{"@id": "pkg:oci/app"}]));
    alias["statements"][0]["vulnerability"] = json!({"name": "X-1", "aliases": ["GHSA-1"]});
    assert_eq!(said(&[alias]).0[0], Some(VexStatus::NotAffected));

    let mut later = openvex(json!([{"@id": "pkg:golang/example.org/parser"}]));
    later["statements"][0]["status"] = json!("affected");
    later["statements"][0]["timestamp"] = json!("2024-02-01T00:00:00Z");
    let first = openvex(json!([{"@id": "pkg:oci/app"}]));
    let (forth, _) = said(&[first.clone(), later.clone()]);
    let (back, _) = said(&[later, first]);
    assert_eq!(forth, back);
    use VexStatus::{Affected, NotAffected};
    assert_eq!(
        forth,
        [NotAffected, NotAffected, Affected, Affected].map(Some)
    );
}

#[test]
fn a_verdict_says_who_why_and_when() {
    let document = openvex(json!([{"@id": "pkg:deb/debian/libssl3"}]));
    let document = parse("vex/a.json", document.to_string().as_bytes()).unwrap();
    assert!(document.len() == 1 && !document.is_empty());
    let (inventory, mut matches) = sample();
    apply(&[document], &inventory, &mut matches);
    let finding = &matches.findings[0][0];
    let verdict = finding.vex.as_ref().unwrap();
    assert_eq!(
        verdict.justification,
        Some(VexJustification::VulnerableCodeNotInExecutePath)
    );
    assert_eq!(verdict.statement, "never called");
    assert_eq!(
        verdict.timestamp,
        Some("2024-01-01T00:00:00Z".parse().unwrap())
    );
    let suppressed = finding.suppressed.as_ref().unwrap();
    assert_eq!(suppressed.by, SuppressedBy::Vex);
    assert_eq!(
        suppressed.reason,
        "not affected: vulnerable code not in execute path; never called"
    );
    assert_eq!(suppressed.source, "vex/a.json (Team)");
    assert_eq!(matches.findings[1][0].vex, None);
}

#[test]
fn what_fits_nothing_is_told() {
    let (_, notices) = said(&[openvex(
        json!([{"@id": "https://example.org/app"}, {"@id": "x"}]),
    )]);
    assert_eq!(
        notices,
        [
            "a.json (Team): 2 products name nothing that can be found in an image, statements[0].products[0] first",
            "a.json (Team): no statement fits any finding"
        ]
    );
    assert_eq!(
        said(&[openvex(json!([{"@id": "pkg:oci/app"}]))]).1,
        Vec::<String>::new()
    );
}

fn csaf() -> Value {
    json!({"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "x",
          "publisher": {"name": "Vendor", "category": "vendor", "namespace": "https://example.org"},
          "tracking": {"id": "V-1", "current_release_date": "2024-03-01T00:00:00.000Z"}},
        "product_tree": {
          "branches": [{"category": "vendor", "name": "Vendor", "branches": [
            {"category": "product_name", "name": "System 9", "product": {"name": "System 9", "product_id": "S9",
              "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:9"}}},
            {"category": "product_version", "name": "parser", "product": {"name": "parser", "product_id": "PARSER",
              "product_identification_helper": {"purl": "pkg:golang/example.org/parser@v1.2.0"}}},
            {"category": "product_version", "name": "library", "product": {"name": "library", "product_id": "LIB",
              "product_identification_helper": {"purl": "pkg:deb/debian/libssl3"}}}]}],
          "full_product_names": [{"name": "app", "product_id": "APP",
              "product_identification_helper": {"purl": "pkg:golang/example.org/app"}},
            {"name": "other system", "product_id": "S8",
              "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:8"}}],
          "relationships": [
            {"category": "default_component_of", "product_reference": "PARSER", "relates_to_product_reference": "APP",
             "full_product_name": {"name": "parser in app", "product_id": "APP:PARSER"}},
            {"category": "default_component_of", "product_reference": "LIB", "relates_to_product_reference": "S9",
             "full_product_name": {"name": "library in 9", "product_id": "S9:LIB"}},
            {"category": "default_component_of", "product_reference": "PARSER", "relates_to_product_reference": "S8",
             "full_product_name": {"name": "parser in 8", "product_id": "S8:PARSER"}}],
          "product_groups": [{"group_id": "G", "product_ids": ["APP:PARSER"]}]},
        "vulnerabilities": [{"cve": ID,
          "product_status": {"known_not_affected": ["APP:PARSER", "S8:PARSER"], "fixed": ["S9:LIB"]},
          "flags": [{"label": "vulnerable_code_not_present", "group_ids": ["G"]}],
          "threats": [{"category": "impact", "details": "left out at build time", "product_ids": ["APP:PARSER"]}]}]})
}

#[test]
fn csaf_products_are_found_through_the_tree() {
    let (statuses, notices) = said(&[csaf()]);
    assert_eq!(
        statuses,
        [
            Some(VexStatus::Fixed),
            None,
            Some(VexStatus::NotAffected),
            None
        ]
    );
    assert_eq!(notices, Vec::<String>::new());
    let document = parse("v.json", csaf().to_string().as_bytes()).unwrap();
    let (inventory, mut matches) = sample();
    apply(&[document], &inventory, &mut matches);
    let suppressed = matches.findings[2][0].suppressed.as_ref().unwrap();
    assert_eq!(
        (suppressed.reason.as_str(), suppressed.source.as_str()),
        (
            "not affected: vulnerable code not present; left out at build time",
            "v.json (Vendor)"
        )
    );
    // Products that are components of themselves end somewhere.
    let mut circle = csaf();
    circle["product_tree"]["relationships"][0]["relates_to_product_reference"] =
        json!("APP:PARSER");
    assert_eq!(said(&[circle]).0[2], None);
}

fn cyclonedx(subject: Value, affects: Value) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"timestamp": "2024-04-01T00:00:00Z", "component": subject, "authors": [{"name": "Team"}]},
        "components": [{"type": "library", "name": "parser", "bom-ref": "ref-parser",
            "purl": "pkg:golang/example.org/parser@v1.2.0"},
          {"type": "library", "name": "group", "bom-ref": "ref-group", "components": [
            {"type": "library", "name": "libssl3", "bom-ref": "ref-ssl", "purl": "pkg:deb/debian/libssl3"}]}],
        "vulnerabilities": [{"id": ID, "affects": affects,
            "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "never called"}}]})
}

#[test]
fn cyclonedx_refers_to_components_links_and_package_urls() {
    let library = json!({"type": "application", "name": "x", "bom-ref": "x"});
    let row = |subject: &Value, affects: Value| -> String {
        let (statuses, _) = said(&[cyclonedx(subject.clone(), affects)]);
        let mark = |status: &Option<VexStatus>| match status {
            None => '-',
            Some(VexStatus::NotAffected) => 'n',
            Some(VexStatus::UnderInvestigation) => 'u',
            Some(VexStatus::Affected | VexStatus::Fixed) => '?',
        };
        statuses.iter().map(mark).collect()
    };
    let refer = |reference: &str| json!([{ "ref": reference }]);
    assert_eq!(row(&library, refer("ref-parser")), "--nn");
    assert_eq!(row(&library, refer("ref-ssl")), "n---");
    assert_eq!(
        row(&library, refer("pkg:golang/example.org/parser@v1.2.0")),
        "--nn"
    );
    let link = |own: &str| format!("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#{own}");
    assert_eq!(
        row(&library, refer(&link("pkg:deb/debian/libssl3"))),
        "n---"
    );
    assert_eq!(
        row(&library, refer(&link("pkg%3Adeb%2Fdebian%2Flibssl3"))),
        "n---"
    );
    assert_eq!(row(&library, refer("ref-gone")), "----");
    // Of a BOM of an image, a component is that image's.
    let image = |name: &str| json!({"type": "container", "name": name, "bom-ref": "image", "purl": format!("pkg:oci/{name}")});
    assert_eq!(row(&image("app"), refer("ref-parser")), "--nn");
    assert_eq!(row(&image("another"), refer("ref-parser")), "----");
    assert_eq!(row(&image("app"), refer("image")), "nnnn");
    assert_eq!(row(&image("app"), json!([])), "nnnn");
    let versions =
        json!([{"ref": "ref-parser", "versions": [{"version": "v1.2.0", "status": "unknown"}]}]);
    assert_eq!(row(&library, versions), "--uu");
    let versions =
        json!([{"ref": "ref-parser", "versions": [{"version": "v2.0.0", "status": "unaffected"}]}]);
    assert_eq!(row(&library, versions), "----");
}

#[test]
fn malformed_documents_name_the_place() {
    let error = |document: &Value| {
        parse("a.json", document.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    let mut reasonless = openvex(json!([]));
    let statement = reasonless["statements"][0].as_object_mut().unwrap();
    statement.remove("justification");
    statement.remove("impact_statement");
    let mut cases = vec![(
        reasonless,
        "the VEX document a.json is malformed: statements[0] is not_affected without justification and impact_statement",
    )];
    let mut word = openvex(json!([]));
    word["statements"][0]["status"] = json!("harmless");
    cases.push((word, "the VEX document a.json is malformed: statements[0].status has the unknown word \"harmless\""));
    let mut time = openvex(json!([]));
    time["statements"][0]["timestamp"] = json!("yesterday");
    cases.push((time, "the VEX document a.json is malformed: statements[0].timestamp is not a time such as 2026-01-31T12:00:00Z"));
    let mut product = csaf();
    product["vulnerabilities"][0]["product_status"]["fixed"] = json!(["LIB", "GONE"]);
    cases.push((product, "the VEX document a.json is malformed: vulnerabilities[0].product_status.fixed[1] names \"GONE\", which is not in the product tree"));
    let mut label = csaf();
    label["vulnerabilities"][0]["flags"][0]["label"] = json!(1);
    cases.push((
        label,
        "the VEX document a.json is malformed: vulnerabilities[0].flags[0].label is not a text",
    ));
    let mut state = cyclonedx(json!({}), json!([]));
    state["vulnerabilities"][0]["analysis"]["state"] = json!("fine");
    cases.push((state, "the VEX document a.json is malformed: vulnerabilities[0].analysis.state has the unknown word \"fine\""));
    cases.push((
        json!({"spdxVersion": "2.3"}),
        "a.json is neither OpenVEX nor CSAF 2.0 nor CycloneDX",
    ));
    cases.push((
        json!({"@context": "https://schema.org"}),
        "the VEX document a.json is malformed: @context is not OpenVEX's",
    ));
    for (document, expected) in cases {
        assert_eq!(error(&document), expected);
    }
    assert!(matches!(parse("a.json", b"{"), Err(VexError::Json { .. })));
}
