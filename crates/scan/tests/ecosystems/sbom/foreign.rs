//! What other tools write. The documents named after an image were made of it by Trivy 0.76.0 and Syft 1.18.1;
//! each must have the packages that we find in the image ourselves.

use seareeve_model::{Inventory, PackageKind};
use seareeve_scan::advisories::indexed_name;
use seareeve_scan::sbom;
use serde_json::{Value, json};

use super::{FORMATS, fixture, image, written};

/// What decides which advisories hit, in the order of the names.
fn judged(inventory: &Inventory) -> Vec<[String; 6]> {
    let mut rows: Vec<[String; 6]> = inventory
        .packages
        .iter()
        .map(|installed| {
            let package = &installed.package;
            let source = package.source.as_ref();
            [
                package.kind.to_string(),
                indexed_name(&package.ecosystem, &package.name).into_owned(),
                package.version.clone(),
                source.map(|source| source.name.clone()).unwrap_or_default(),
                source
                    .map(|source| source.version.clone())
                    .unwrap_or_default(),
                package.ecosystem.clone(),
            ]
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn documents_of_other_tools_have_the_packages_of_their_image() {
    let mut documents = 0;
    for name in ["debian", "alpine"] {
        let expected = image(name);
        let mut paths: Vec<_> = std::fs::read_dir(fixture("")).unwrap().collect();
        paths.sort_by_key(|entry| entry.as_ref().unwrap().path());
        for path in paths.into_iter().map(|entry| entry.unwrap().path()) {
            let file = path.file_name().unwrap().to_str().unwrap();
            if !file.starts_with(name) || !file.ends_with(".json") {
                continue;
            }
            documents += 1;
            let read = sbom::read(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(judged(&read), judged(&expected), "{file}");
            assert_eq!(read.problems, [], "{file}");
            let distro = |inventory: &Inventory| {
                let distro = inventory.distro.clone().unwrap();
                (distro.id, distro.version)
            };
            assert_eq!(distro(&read), distro(&expected), "{file}");
            assert!(!read.image.layers.is_empty() && !read.image.references.is_empty());
            let layers = u32::try_from(read.image.layers.len()).unwrap();
            assert!(read.packages.iter().all(|package| package.layer < layers));
            for format in FORMATS {
                assert_eq!(sbom::read(&written(format, &read, None)).unwrap(), read);
            }
        }
    }
    assert_eq!(documents, 10);
}

#[test]
fn what_trivy_and_syft_say_of_the_image_is_kept() {
    let read = |name: &str| sbom::read(&std::fs::read(fixture(name)).unwrap()).unwrap();
    let trivy = read("debian.trivy-cyclonedx.json");
    assert_eq!(trivy.image.references, ["made/debian:1"]);
    assert_eq!(trivy.image.layers.len(), 2);
    assert_eq!(trivy.image.digest, trivy.image.config_digest);
    let place = |inventory: &Inventory, name: &str| {
        let named = |installed: &&seareeve_model::InstalledPackage| installed.package.name == name;
        let installed = inventory.packages.iter().find(named).unwrap();
        let layer = &inventory.image.layers[usize::try_from(installed.layer).unwrap()];
        (installed.path.to_string(), layer.diff_id.to_string())
    };
    let metadata = "usr/local/lib/python3.11/site-packages/PyYAML-5.3.dist-info/METADATA";
    let (path, layer) = place(&trivy, "PyYAML");
    assert_eq!(path, metadata);
    let syft = read("debian.syft-cyclonedx.json");
    assert_eq!(place(&syft, "pyyaml"), (path, layer));
    assert_eq!(place(&syft, "libssl3").0, "var/lib/dpkg/status");
    // Its container has the digest as its version.
    assert_ne!(syft.image.digest, trivy.image.digest);
    assert_eq!(syft.image.references, ["debian.tar"]);
    // A document without layers stands in for one.
    let spdx = read("debian.syft-spdx.json");
    let [layer] = spdx.image.layers.as_slice() else {
        panic!("{:?}", spdx.image.layers);
    };
    assert_eq!(layer.created_by, "the SBOM: it does not say which layer");
}

/// Reads a CycloneDX document with these components.
fn of_components(components: Value) -> Inventory {
    let document =
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components});
    sbom::read(document.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn check(component: Value, expected: &str) {
    let inventory = of_components(json!([component]));
    let lines: Vec<String> = inventory
        .packages
        .iter()
        .map(|installed| {
            let package = &installed.package;
            let source = package.source.as_ref();
            let source = source.map(|source| format!(" of {} {}", source.name, source.version));
            let (ecosystem, path) = (&package.ecosystem, &installed.path);
            let line = format!(
                "{} {} {}{} [{ecosystem}] {path}",
                package.kind,
                package.name,
                package.version,
                source.unwrap_or_default()
            );
            line.trim_end().to_owned()
        })
        .chain(inventory.problems.iter().map(ToString::to_string))
        .collect();
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn packages_are_known_by_their_package_url() {
    // cdxgen: the release twice, the file as evidence.
    check(
        json!({"type": "library", "name": "adduser", "version": "3.118",
            "purl": "pkg:deb/debian/adduser@3.118?arch=all&distro=debian-11.6&distro_name=bullseye"}),
        "deb adduser 3.118 of adduser 3.118 [Debian:11]",
    );
    check(
        json!({"type": "framework", "group": "", "name": "express", "version": "4.17.1",
            "purl": "pkg:npm/express@4.17.1", "properties": [{"name": "SrcFile", "value": "/app/package-lock.json"}],
            "evidence": {"occurrences": [{"location": "/app/other.json"}]}}),
        "npm express 4.17.1 [npm] app/package-lock.json",
    );
    check(
        json!({"type": "library", "group": "org.springframework", "name": "spring-core", "version": "5.3.0",
            "purl": "pkg:maven/org.springframework/spring-core@5.3.0?type=jar", "properties": null,
            "evidence": {"occurrences": [{"location": "app.jar"}, {"location": "b.jar"}]}}),
        "maven org.springframework:spring-core 5.3.0 [Maven] app.jar",
    );
    check(
        json!({"type": "library", "name": "github.com/Masterminds/semver/v3", "version": "v3.1.1",
            "purl": "pkg:golang/github.com/masterminds/semver/v3@v3.1.1"}),
        "golang github.com/Masterminds/semver/v3 v3.1.1 [Go]",
    );
    for (purl, expected) in [
        ("pkg:cargo/time@0.1.44", "cargo time 0.1.44 [crates.io]"),
        (
            "pkg:gem/rack@2.2.0?platform=ruby",
            "gem rack 2.2.0 [RubyGems]",
        ),
        (
            "pkg:composer/symfony/http-kernel@v5.0.0",
            "composer symfony/http-kernel v5.0.0 [Packagist]",
        ),
        (
            "pkg:nuget/Newtonsoft.Json@12.0.1",
            "nuget Newtonsoft.Json 12.0.1 [NuGet]",
        ),
        (
            "pkg:deb/ubuntu/curl@7.81.0-1?distro=jammy",
            "deb curl 7.81.0-1 of curl 7.81.0-1 [Ubuntu:22.04:LTS]",
        ),
    ] {
        check(
            json!({"type": "library", "name": "x", "purl": purl}),
            expected,
        );
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let gap = |component: Value, expected: &str| check(component, &format!("SBOM: {expected}"));
    gap(
        json!({"type": "library", "name": "zlib", "version": "1.2"}),
        "zlib: without a package URL nothing can be said about it",
    );
    gap(
        json!({"type": "library", "name": "zlib", "purl": "pkg:conan/zlib@1.2"}),
        "zlib: packages of the type conan are not known",
    );
    gap(
        json!({"type": "library", "name": "zlib", "purl": "zlib"}),
        "zlib: its package URL cannot be read",
    );
    gap(
        json!({"type": "library", "name": "ws", "purl": "pkg:npm/ws"}),
        "ws: it has no version",
    );
    gap(json!("ws"), "a component is not as CycloneDX has it");
    gap(
        json!({"type": "library", "name": "x".repeat(2_000), "purl": "pkg:npm/ws@1"}),
        &format!(
            "{}: a name or version has more than 1024 bytes",
            "x".repeat(100)
        ),
    );
    check(
        json!({"type": "library", "name": "a", "purl": "pkg:deb/devuan/a@1?distro=devuan-5"}),
        "deb a 1 of a 1 []\n\
         SBOM: devuan 5 is not a release whose advisories we know, so its deb packages (1) were not matched",
    );
    check(
        json!({"type": "library", "name": "a", "purl": "pkg:deb/debian/a@1"}),
        "deb a 1 of a 1 []\n\
         SBOM: the document does not say which release of debian it is of, so its deb packages (1) were not matched",
    );
    // These are not meant to be packages.
    for kind in ["file", "container", "device", "data", "application"] {
        check(json!({"type": kind, "name": "a"}), "");
    }
    let many = of_components(Value::from_iter(
        (0..5).map(|n| json!({"type": "library", "name": format!("n{n}"), "version": "1"})),
    ));
    assert_eq!(
        many.problems[0].message,
        "n0 and 4 more: without a package URL nothing can be said about it"
    );
}

#[test]
fn components_in_components_and_the_operating_system_are_read() {
    let inventory = of_components(json!([
        {"type": "application", "name": "package-lock.json", "components": [
            {"type": "library", "name": "ws", "purl": "pkg:npm/ws@1.1.0"}]},
        {"type": "library", "name": "musl", "purl": "pkg:apk/alpine/musl@1.2.4-r2"},
        {"type": "operating-system", "name": "alpine", "version": "3.19.1", "description": "Alpine Linux v3.19"},
    ]));
    assert_eq!(inventory.problems, []);
    let ecosystems: Vec<&str> = inventory
        .packages
        .iter()
        .map(|p| p.package.ecosystem.as_str())
        .collect();
    assert_eq!(ecosystems, ["Alpine:v3.19", "npm"]);
    assert_eq!(inventory.distro.unwrap().name, "Alpine Linux v3.19");
}

#[test]
fn envelopes_are_taken_off() {
    let spdx = json!({"spdxVersion": "SPDX-2.3", "name": "sbom", "packages": [
        {"SPDXID": "SPDXRef-DocumentRoot-Directory-rootfs", "name": "rootfs"},
        {"SPDXID": "SPDXRef-Package-ws", "name": "ws", "versionInfo": "1.1.0", "externalRefs": [
            {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a"},
            {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "http://spdx.org/rdf/references/purl",
                "referenceLocator": "pkg:npm/ws@1.1.0"}]}]});
    let digest = "ab".repeat(32);
    // BuildKit.
    let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
        "subject": [{"name": "pkg:docker/app@1", "digest": {"sha256": digest}}], "predicate": spdx});
    // cosign, with the document as a text, as its older versions write it.
    let text = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicate": spdx.to_string()});
    let signed = |statement: &Value| {
        use base64::Engine as _;
        let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
        json!({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []})
    };
    let github = json!({"sbom": spdx});
    for (document, names_digest) in [
        (statement.clone(), true),
        (signed(&statement), true),
        (text.clone(), false),
        (signed(&text), false),
        (github, false),
    ] {
        let inventory = sbom::read(document.to_string().as_bytes()).unwrap();
        assert_eq!(inventory.problems, []);
        let [installed] = inventory.packages.as_slice() else {
            panic!("{:?}", inventory.packages);
        };
        assert_eq!(installed.package.kind, PackageKind::Npm);
        assert_eq!(inventory.image.digest.hex() == digest, names_digest);
        assert_eq!(inventory.image.references, ["rootfs"]);
    }
    // PowerShell and others begin files with a mark.
    let marked = [b"\xef\xbb\xbf\r\n".as_slice(), spdx.to_string().as_bytes()].concat();
    assert_eq!(sbom::read(&marked).unwrap().packages.len(), 1);
}
