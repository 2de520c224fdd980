//! The images that the shared script makes, in both forms.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_image::{Contents, Options, Source};

use crate::support::{did_not_run, listing, path, read_all};

/// Folder of shared test data, if there is one.
pub(crate) fn shared() -> Option<Utf8PathBuf> {
    let folder = std::env::var("SEAREEVE_SHARED").map_or_else(
        |_unset| Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        Utf8PathBuf::from,
    );
    folder
        .join("tools/make-images.py")
        .exists()
        .then_some(folder)
}

/// Makes images with the shared script.
pub(crate) fn make(into: &Utf8Path, names: &[&str]) -> Option<()> {
    let Some(shared) = shared() else {
        did_not_run("the folder of shared test data (SEAREEVE_SHARED)");
        return None;
    };
    let made = Command::new("python3")
        .arg(shared.join("tools/make-images.py"))
        .arg(into)
        .args(names)
        // Otherwise the script leaves its work behind.
        .env("WORK_DIR", into.join("work"))
        .output();
    match made {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => panic!(
            "make-images.py: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => {
            did_not_run(&format!("python3 ({error})"));
            None
        }
    }
}

fn both(folder: &Utf8Path, name: &str) -> [Contents; 2] {
    ["docker", "oci"].map(|form| {
        let file = folder.join(format!("{name}.{form}.tar"));
        let contents = read_all(&Source::Archive(file), &Options::default()).unwrap();
        assert_eq!(contents.problems, [], "{name} as {form}");
        contents
    })
}

#[test]
fn both_forms_of_made_images_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    if make(folder, &["tiny", "hostile-whiteouts"]).is_none() {
        return;
    }
    let [docker, oci] = both(folder, "tiny");
    assert_eq!(docker.tree, oci.tree);
    assert_eq!(
        listing(&docker.tree),
        ["bin/hello@0=\u{7f}ELF not really\n"]
    );
    assert_eq!(docker.image.config_digest, oci.image.config_digest);
    assert_eq!(docker.image.references, oci.image.references);

    let [docker, oci] = both(folder, "hostile-whiteouts");
    assert_eq!(docker.tree, oci.tree);
    let places: Vec<String> = docker
        .tree
        .iter()
        .map(|(p, f)| format!("{p}@{}", f.layer))
        .collect();
    assert_eq!(places, ["etc/os-release@0", "var/lib/dpkg/status@1"]);
    let status = &docker
        .tree
        .get(&path("var/lib/dpkg/status"))
        .unwrap()
        .content;
    assert!(!String::from_utf8_lossy(status).contains("bash"));
}
