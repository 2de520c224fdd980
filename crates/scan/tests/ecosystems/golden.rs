//! Raw package databases beside the packages that are read from them. Each `NAME.image` of the folder is an
//! image in text form, each `NAME.json` what must come of it; `SEAREEVE_UPDATE=1` rewrites the latter.
//!
//! A line `=== LAYER PATH` begins a file, `=== LAYER LINK -> TARGET` makes a link, and `=== LAYER PATH < FILE` has
//! the content of a compressed file among the fixtures. In contents, `\xNN` is a byte that cannot stand in text.

use std::fs;
use std::path::PathBuf;

use seareeve_model::Inventory;
use serde_json::{Value, json};

use crate::made::{self, Layer};

#[test]
fn golden_images() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ecosystems");
    let update = std::env::var_os("SEAREEVE_UPDATE").is_some();
    let mut names: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    let mut images = 0;
    for path in &names {
        let expected = path.with_extension("json");
        match path.extension().and_then(|text| text.to_str()) {
            Some("image") => {}
            Some("json") if path.with_extension("image").exists() => continue,
            other => panic!("{} ({other:?}) belongs to no image", path.display()),
        }
        images += 1;
        let inventory = made::inventory(&layers(&fs::read_to_string(path).unwrap()));
        let actual = format!("{:#}\n", shown(&inventory));
        if update {
            fs::write(&expected, &actual).unwrap();
        }
        let expected_text = fs::read_to_string(&expected).unwrap_or_default();
        assert!(
            actual == expected_text,
            "{} differs; look at it, then set SEAREEVE_UPDATE=1 to accept:\n{actual}",
            expected.display()
        );
    }
    assert!(images >= 20, "only {images} images in {}", folder.display());
}

/// Reads the text form of an image.
pub(crate) fn layers(text: &str) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for section in text.split("=== ").skip(1) {
        let (head, content) = section.split_once('\n').unwrap_or((section, ""));
        let (layer, path) = head.split_once(' ').unwrap();
        let layer: usize = layer.parse().unwrap();
        layers.resize_with(layers.len().max(layer + 1), Layer::new);
        layers[layer].push(match path.split_once(" < ") {
            Some((path, file)) => (path.to_owned(), made::unpacked(file)),
            None => (path.to_owned(), bytes(content)),
        });
    }
    layers
}

/// Undoes `\xNN`.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// All that an inventory says, but for the image itself.
fn shown(inventory: &Inventory) -> Value {
    let packages: Vec<Value> = inventory
        .packages
        .iter()
        .map(|installed| {
            let package = &installed.package;
            json!({
                "kind": package.kind.as_str(),
                "name": package.name,
                "version": package.version,
                "source": package.source.as_ref().map(|source| format!("{} {}", source.name, source.version)),
                "ecosystem": package.ecosystem,
                "purl": package.purl.as_str(),
                "path": installed.path.to_text(),
                "layer": installed.layer,
            })
        })
        .collect();
    let problems: Vec<Value> = inventory
        .problems
        .iter()
        .map(|problem| json!([problem.code.as_str(), problem.place, problem.message]))
        .collect();
    json!({
        "distro": inventory.distro.as_ref().map(|distro| [&distro.id, &distro.version, &distro.name]),
        "packages": packages,
        "problems": problems,
    })
}
