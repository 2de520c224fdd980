//! What the formats ask of a document: by a list of our own, and by the official schemas in the validators that
//! both projects publish for Python.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use seareeve_model::{Finding, Inventory};
use seareeve_scan::advisories::Database;
use seareeve_scan::sbom::Format;
use serde_json::Value;

use super::{FORMATS, image, json, rich, written};

/// An inventory with everything that documents can say, and findings of the starter set.
fn matched() -> (Inventory, Vec<Vec<Finding>>) {
    let database: &Database = seareeve_scan::starter::database();
    let mut inventory = rich();
    let digest = seareeve_model::Digest::sha256(&[7; 32]);
    inventory.image.digest = digest;
    inventory.image.references = vec!["registry.example/team/app:1".to_owned()];
    for installed in &mut inventory.packages {
        // The starter set knows old versions of it.
        if installed.package.name == "libssl3" {
            for version in [
                &mut installed.package.version,
                &mut installed.package.source.as_mut().unwrap().version,
            ] {
                *version = "3.0.7-1".to_owned();
            }
        }
    }
    let matches = seareeve_scan::match_inventory(database, &inventory);
    assert!(matches.findings.iter().any(|found| !found.is_empty()));
    (inventory, matches.findings)
}

/// The fields of an object: those that the schema requires, and those that it allows and we use.
fn check_fields(object: &Value, place: &str, required: &[&str], optional: &[&str]) {
    let object = object.as_object().unwrap();
    for field in required {
        assert!(object.contains_key(*field), "{place} without {field}");
    }
    for (field, value) in object {
        assert!(
            required.contains(&field.as_str()) || optional.contains(&field.as_str()),
            "{place} with {field}"
        );
        assert_ne!(*value, Value::Null, "{place}.{field}");
    }
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {object}"))
}

fn is_time(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() == 20
        && digits == 14
        && text.ends_with('Z')
        && text.parse::<jiff::Timestamp>().is_ok()
}

#[test]
fn cyclonedx_has_the_fields_of_1_6() {
    let (inventory, findings) = matched();
    let bom = json(&written(Format::CycloneDx, &inventory, Some(&findings)));
    check_fields(
        &bom,
        "bom",
        &[
            "bomFormat",
            "specVersion",
            "$schema",
            "serialNumber",
            "version",
            "metadata",
            "components",
            "dependencies",
            "compositions",
            "vulnerabilities",
        ],
        &[],
    );
    assert_eq!(
        (text(&bom, "bomFormat"), text(&bom, "specVersion")),
        ("CycloneDX", "1.6")
    );
    let metadata = &bom["metadata"];
    check_fields(
        metadata,
        "metadata",
        &["timestamp", "tools", "component", "lifecycles"],
        &[],
    );
    assert!(is_time(text(metadata, "timestamp")));
    let root = &metadata["component"];
    assert_eq!(text(root, "type"), "container");
    assert_eq!(
        text(root, "purl"),
        format!(
            "pkg:oci/app@{}?arch=amd64&repository_url=registry.example%2Fteam%2Fapp&tag=1",
            inventory.image.digest
        )
    );
    let mut refs = BTreeSet::new();
    let types = ["container", "operating-system", "library"];
    for component in list(&bom, "components").chain([root]) {
        check_fields(
            component,
            "component",
            &["type", "name", "bom-ref"],
            &["version", "description", "hashes", "purl", "properties"],
        );
        assert!(types.contains(&text(component, "type")));
        assert!(
            refs.insert(text(component, "bom-ref").to_owned()),
            "a reference twice"
        );
        for property in list(component, "properties") {
            check_fields(property, "property", &["name", "value"], &[]);
        }
        for hash in list(component, "hashes") {
            check_fields(hash, "hash", &["alg", "content"], &[]);
        }
    }
    assert_eq!(refs.len(), inventory.packages.len() + 2);
    for dependency in list(&bom, "dependencies") {
        assert!(refs.contains(text(dependency, "ref")));
        assert!(list(dependency, "dependsOn").all(|to| refs.contains(to.as_str().unwrap())));
    }
    for vulnerability in list(&bom, "vulnerabilities") {
        check_fields(
            vulnerability,
            "vulnerability",
            &[
                "id",
                "source",
                "ratings",
                "affects",
                "analysis",
                "properties",
            ],
            &[
                "references",
                "description",
                "detail",
                "recommendation",
                "advisories",
                "published",
                "updated",
            ],
        );
        for affected in list(vulnerability, "affects") {
            assert!(refs.contains(text(affected, "ref")));
        }
        for rating in list(vulnerability, "ratings") {
            check_fields(
                rating,
                "rating",
                &["source", "severity", "method"],
                &["score", "vector", "justification"],
            );
        }
        for advisory in list(vulnerability, "advisories") {
            check_fields(advisory, "advisory", &["url"], &["title"]);
        }
    }
    assert_eq!(
        bom["compositions"][0]["aggregate"], "incomplete",
        "there is a problem"
    );
    let whole = json(&written(Format::CycloneDx, &image("debian"), None));
    assert!(whole.get("compositions").is_none());
}

#[test]
fn spdx_has_the_fields_of_2_3() {
    let (inventory, findings) = matched();
    let document = json(&written(Format::Spdx, &inventory, Some(&findings)));
    check_fields(
        &document,
        "document",
        &[
            "spdxVersion",
            "dataLicense",
            "SPDXID",
            "name",
            "documentNamespace",
            "creationInfo",
            "packages",
            "relationships",
        ],
        &["comment"],
    );
    assert_eq!(
        (
            text(&document, "spdxVersion"),
            text(&document, "dataLicense")
        ),
        ("SPDX-2.3", "CC0-1.0")
    );
    let creation = &document["creationInfo"];
    check_fields(creation, "creationInfo", &["created", "creators"], &[]);
    assert!(is_time(text(creation, "created")));
    let mut ids = BTreeSet::from([text(&document, "SPDXID").to_owned()]);
    for package in list(&document, "packages") {
        check_fields(
            package,
            "package",
            &[
                "SPDXID",
                "name",
                "downloadLocation",
                "filesAnalyzed",
                "licenseConcluded",
                "licenseDeclared",
                "copyrightText",
                "primaryPackagePurpose",
            ],
            &[
                "versionInfo",
                "description",
                "checksums",
                "sourceInfo",
                "externalRefs",
                "annotations",
            ],
        );
        let id = text(package, "SPDXID");
        let rest = id.strip_prefix("SPDXRef-").unwrap();
        assert!(
            rest.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        );
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert_eq!(package["filesAnalyzed"], false);
        assert!(
            ["CONTAINER", "OPERATING_SYSTEM", "LIBRARY"]
                .contains(&text(package, "primaryPackagePurpose"))
        );
        for annotation in list(package, "annotations") {
            check_fields(
                annotation,
                "annotation",
                &["annotationDate", "annotationType", "annotator", "comment"],
                &[],
            );
            assert!(is_time(text(annotation, "annotationDate")));
            assert!(text(annotation, "annotator").starts_with("Tool: seareeve-"));
        }
        for reference in list(package, "externalRefs") {
            check_fields(
                reference,
                "reference",
                &["referenceCategory", "referenceType", "referenceLocator"],
                &["comment"],
            );
        }
    }
    assert_eq!(ids.len(), inventory.packages.len() + 3);
    for relationship in list(&document, "relationships") {
        check_fields(
            relationship,
            "relationship",
            &["spdxElementId", "relationshipType", "relatedSpdxElement"],
            &[],
        );
        assert!(ids.contains(text(relationship, "spdxElementId")));
        assert!(ids.contains(text(relationship, "relatedSpdxElement")));
    }
}

/// Validates files: CycloneDX by its JSON schema, strictly; SPDX by its own library, which also looks into what
/// the schema cannot say. Prints what is wrong.
const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
for path in sys.argv[1:]:
    if 'CycloneDx' in path:
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path).read())
        errors = [error] if error else []
    else:
        errors = [m.validation_message for m in validate_full_spdx_document(parse_file(path))]
    if errors:
        print(path, repr(errors))
";

#[test]
fn the_official_validators_accept_what_we_write() {
    let python = match python() {
        Ok(python) => python,
        Err(missing) => return did_not_run(&missing),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    let (inventory, findings) = matched();
    let documents = [
        ("matched", &inventory, Some(findings.as_slice())),
        ("empty", &crate::made::inventory(&[]), None),
    ];
    for (name, inventory, findings) in documents {
        for format in FORMATS {
            let path = folder.path().join(format!("{name}-{format:?}.json"));
            std::fs::write(&path, written(format, inventory, findings)).unwrap();
            paths.push(path);
        }
    }
    let validate = |paths: &[std::path::PathBuf]| {
        output(command(&python).args(["-c", VALIDATE]).args(paths)).unwrap()
    };
    assert_eq!(validate(&paths), "");
    // The validators do look. The last two are the smallest.
    let paths = paths.split_off(2);
    for path in &paths {
        let wrong = std::fs::read_to_string(path).unwrap();
        let wrong = wrong.replacen("urn:uuid:", "urn uuid#", 1);
        std::fs::write(path, wrong).unwrap();
    }
    assert_eq!(validate(&paths).lines().count(), paths.len());
}

/// The folder in which the validators' libraries are, which are fetched if they are not there.
fn python() -> Result<String, String> {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/sbom-validators");
    let imports = "import cyclonedx.validation.json, jsonschema, spdx_tools.spdx.validation.document_validator";
    let works = || output(command(folder).args(["-c", imports]));
    if works().is_err() {
        let libraries = ["cyclonedx-python-lib[json-validation]", "spdx-tools"];
        let pip = ["-m", "pip", "install", "-q", "--target", folder];
        output(Command::new("python3").args(pip).args(libraries))?;
        works()?;
    }
    Ok(folder.to_owned())
}

fn command(libraries: impl AsRef<Path>) -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", libraries.as_ref());
    python
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// Says why nothing was tested; a failure where the environment asks for the real thing.
fn did_not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "DID NOT RUN: {why}");
    let required = std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
    assert!(!required, "did not run: {why}");
}
