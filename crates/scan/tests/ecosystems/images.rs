//! Images of the shared tools, compared with what the distribution's own tools found in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use seareeve_model::{Inventory, PackageKind};

use crate::made;

#[test]
fn packages_of_hostile_whiteouts_are_those_that_dpkg_sees() {
    let Some(tool) = shared("tools/make-images.py") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("python3")
        .arg(tool)
        .arg(folder.path())
        .arg("hostile-whiteouts")
        .env("WORK_DIR", folder.path().join("work"))
        .output();
    match made {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => return needs_shared(&format!("python3 did not start: {error}")),
    }
    let [docker, oci] = compare(folder.path(), "hostile-whiteouts");
    assert_eq!(docker.packages, oci.packages);
    // The upgrade rewrote the database: only what it changed is its own.
    let layers: Vec<(&str, u32)> = docker
        .packages
        .iter()
        .map(|installed| (installed.package.name.as_str(), installed.layer))
        .collect();
    assert_eq!(layers, [("openssl", 1), ("zlib1g", 0)]);
}

/// The large images take minutes to make: they are compared where `SEAREEVE_IMAGES` names a folder of them.
#[test]
fn packages_of_real_images_are_those_that_their_own_tools_see() {
    let Some(folder) = std::env::var_os("SEAREEVE_IMAGES").map(PathBuf::from) else {
        return not_run("SEAREEVE_IMAGES names no folder made by make-images.py");
    };
    let mut images = 0;
    for name in ["tiny", "bookworm-app", "bullseye-app", "bookworm-large"] {
        if folder.join(format!("{name}.packages.json")).exists() {
            compare(&folder, name);
            images += 1;
        }
    }
    assert!(images > 0, "no image in {}", folder.display());
}

/// Reads both forms of an image; panics with the difference if a package is missing or too many.
fn compare(folder: &Path, name: &str) -> [Inventory; 2] {
    let text = std::fs::read(folder.join(format!("{name}.packages.json"))).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let field =
        |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let expected: BTreeSet<[String; 5]> = rows
        .iter()
        .map(|row| {
            let name = field(row, "name");
            let is_python = field(row, "type") == "pypi";
            [
                field(row, "type"),
                if is_python { plain(&name) } else { name },
                field(row, "version"),
                field(row, "source"),
                field(row, "source_version"),
            ]
        })
        .collect();
    ["docker", "oci"].map(|form| {
        let inventory = made::of_archive(&folder.join(format!("{name}.{form}.tar")));
        let actual: BTreeSet<[String; 5]> = inventory
            .packages
            .iter()
            .map(|installed| {
                let package = &installed.package;
                let is_python = package.kind == PackageKind::Pypi;
                let source = package.source.as_ref();
                [
                    package.kind.as_str().to_owned(),
                    if is_python {
                        plain(&package.name)
                    } else {
                        package.name.clone()
                    },
                    package.version.clone(),
                    source.map(|source| source.name.clone()).unwrap_or_default(),
                    source
                        .map(|source| source.version.clone())
                        .unwrap_or_default(),
                ]
            })
            .collect();
        let missing: Vec<_> = expected.difference(&actual).collect();
        let extra: Vec<_> = actual.difference(&expected).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{name}.{form}: missing {missing:?}, too many {extra:?}"
        );
        assert_eq!(inventory.problems, [], "{name}.{form}");
        inventory
    })
}

/// The list has names as they were given to pip, the image as the packages spell themselves.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

fn shared(path: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("SEAREEVE_SHARED").map_or_else(|| default.into(), PathBuf::from);
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    needs_shared(&format!("{} is absent", path.display()));
    None
}

/// Where the shared data is required, a test that cannot use it fails.
fn needs_shared(why: &str) {
    let is_required = std::env::var_os("SEAREEVE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!is_required, "{why}");
    not_run(why);
}

#[expect(
    clippy::print_stderr,
    reason = "who runs the tests must see what was left out"
)]
fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
}
