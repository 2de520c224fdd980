//! Makes small images from text.

use std::io::Write as _;
use std::ops::ControlFlow;

use seareeve_image::{Options, Source};
use seareeve_model::{Digest, Inventory};
use seareeve_scan::{Examined, Examiner};
use sha2::{Digest as _, Sha256};

/// A layer: paths with contents. A path ends in ` -> target` for a link.
pub(crate) type Layer = Vec<(String, Vec<u8>)>;

/// Writes the layers as a `docker save` archive, reads it as the program does and lists its packages.
pub(crate) fn inventory(layers: &[Layer]) -> Inventory {
    examined(layers, &serde_json::json!({}), &[]).inventory
}

/// The same with the configuration's `config` and `history`, and all that is found.
pub(crate) fn examined(
    layers: &[Layer],
    config: &serde_json::Value,
    history: &[serde_json::Value],
) -> Examined {
    let mut archive = tar::Builder::new(Vec::new());
    let mut names = Vec::new();
    let mut diff_ids = Vec::new();
    for layer in layers {
        let bytes = tar_of(layer);
        let diff_id = Digest::sha256(&Sha256::digest(&bytes).into());
        let name = format!("{}/layer.tar", diff_id.hex());
        add(&mut archive, &name, &bytes);
        names.push(name);
        diff_ids.push(diff_id.to_string());
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": config, "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    add(&mut archive, "config.json", config.to_string().as_bytes());
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": ["made:1"], "Layers": names}]);
    add(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&archive.into_inner().unwrap()).unwrap();
    read(file.path())
}

/// Reads an archive as the program does and lists its packages.
pub(crate) fn of_archive(path: &std::path::Path) -> Inventory {
    read(path).inventory
}

fn read(path: &std::path::Path) -> Examined {
    let options = Options::default();
    let source = Source::Archive(path.to_owned().try_into().unwrap());
    let go_on = |_| ControlFlow::Continue(());
    let examiner = Examiner::default();
    let contents = seareeve_image::read(&source, &options, &examiner, &go_on).unwrap();
    examiner.examine(contents, None)
}

/// The content of a compressed file among the fixtures.
pub(crate) fn unpacked(file: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let packed = std::fs::read(format!("{folder}/{file}")).unwrap();
    zstd::decode_all(packed.as_slice()).unwrap()
}

fn tar_of(layer: &Layer) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in layer {
        match path.split_once(" -> ") {
            Some((link, target)) => {
                let mut header = tar::Header::new_gnu();
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, link, target).unwrap();
            }
            None => add(&mut tar, path, content),
        }
    }
    tar.into_inner().unwrap()
}

fn add(tar: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, path, content).unwrap();
}
