//! Any bytes as an image archive: the outer tar, `docker save`, OCI layouts, and archives packed as a whole. With an
//! even first byte the checksums of a tar's headers are put right first.

use camino::Utf8PathBuf;
use seareeve_image::{Options, Source};
use seareeve_model::Digest;
use serde_json::json;
use sha2::Digest as _;

use crate::Target;
use crate::made;

pub(super) const TARGET: Target = Target {
    name: "image_archive",
    run,
    longest: 16 << 10,
    seeds,
    words: &[
        "manifest.json",
        "index.json",
        "oci-layout",
        "blobs/sha256/",
        "layer.tar",
        "ustar\0",
        "\"Layers\"",
        "\"Config\"",
        "sha256:",
        "./",
    ],
};

fn run(input: &[u8]) {
    let Some((choice, archive)) = input.split_first() else {
        return;
    };
    let (_file, path) = match choice % 2 {
        0 => made::temporary(&made::summed_tar(archive)),
        _ => made::temporary(archive),
    };
    let options = Options {
        limits: made::limits(),
        temporary: Utf8PathBuf::from(std::env::temp_dir().to_string_lossy().as_ref()),
        ..Options::default()
    };
    let _ = made::read(&Source::Archive(path), &options);
}

/// The same image in each form that there is.
fn seeds() -> Vec<Vec<u8>> {
    let layer = made::tar(&[("etc/os-release", b"ID=debian\n"), ("a/.wh.b", b"")]);
    let docker = |layer: &[u8]| {
        let config = config(&layer_digest(layer));
        let manifest =
            json!([{"Config": "c.json", "RepoTags": ["a/b:1"], "Layers": ["l/layer.tar"]}]);
        let manifest = manifest.to_string();
        made::tar(&[
            ("l/layer.tar", layer),
            ("c.json", config.as_bytes()),
            ("manifest.json", manifest.as_bytes()),
        ])
    };
    let plain = docker(&layer);
    let archives = [
        (1, made::gzip(&plain)),
        (1, made::zstd(&plain)),
        (0, docker(&made::gzip(&layer))),
        (0, layout(&layer, &made::gzip(&layer))),
        (0, layout(&layer, &made::zstd(&layer))),
        (0, plain),
    ];
    archives
        .map(|(choice, archive)| [&[choice], archive.as_slice()].concat())
        .into()
}

fn layer_digest(layer: &[u8]) -> String {
    Digest::sha256(&sha2::Sha256::digest(layer).into()).to_string()
}

fn config(diff_id: &str) -> String {
    let history = [json!({"created_by": "ADD x"}), json!({"empty_layer": true})];
    json!({"os": "linux", "architecture": "amd64", "created": "2024-01-02T03:04:05Z",
        "rootfs": {"type": "layers", "diff_ids": [diff_id]}, "history": history})
    .to_string()
}

fn layout(layer: &[u8], packed: &[u8]) -> Vec<u8> {
    let config = config(&layer_digest(layer));
    let descriptor = |bytes: &[u8]| json!({"digest": layer_digest(bytes), "size": bytes.len()});
    let manifest = json!({"schemaVersion": 2, "config": descriptor(config.as_bytes()), "layers": [descriptor(packed)]});
    let manifest = manifest.to_string();
    let mut listed = descriptor(manifest.as_bytes());
    listed["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let index = json!({"schemaVersion": 2, "manifests": [listed]}).to_string();
    let name = |bytes: &[u8]| format!("blobs/{}", layer_digest(bytes).replace(':', "/"));
    made::tar(&[
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ("index.json", index.as_bytes()),
        (&name(manifest.as_bytes()), manifest.as_bytes()),
        (&name(config.as_bytes()), config.as_bytes()),
        (&name(packed), packed),
    ])
}
