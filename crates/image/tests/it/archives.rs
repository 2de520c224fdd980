//! `docker save` archives and OCI layouts in their forms.

use camino::Utf8PathBuf;
use seareeve_image::{Options, ReadError, Source};
use seareeve_model::ProblemCode;
use serde_json::json;

use crate::support::Entry::{File, HardLink, Symlink};
use crate::support::{
    Oci, codes, config, docker, gzip, listing, oci, path, read_all, read_bytes, sha256, tar, zstd,
};

fn layers() -> Vec<Vec<u8>> {
    vec![
        tar(&[File("etc/os-release", b"ID=debian"), File("gone", b"g")]),
        tar(&[File(".wh.gone", b""), File("new", b"n")]),
        tar(&[File("newer", b"m")]),
    ]
}

const FILES: [&str; 3] = ["etc/os-release@0=ID=debian", "new@1=n", "newer@2=m"];

/// Plain, gzip and zstd in one image.
fn packed() -> Oci {
    let layers = layers();
    let packed = [layers[0].clone(), gzip(&layers[1]), zstd(&layers[2])];
    oci(&layers.into_iter().zip(packed).collect::<Vec<_>>())
}

#[test]
fn all_forms_give_the_same_tree() {
    let old = read_bytes(&docker(&layers()), &Options::default()).unwrap();
    let layout = packed();
    let new = read_bytes(&layout.archive(), &Options::default()).unwrap();
    for contents in [&old, &new] {
        assert_eq!(contents.problems, []);
        assert_eq!(listing(&contents.tree), FILES);
        assert_eq!(contents.image.references, ["test/app:1"]);
        assert_eq!(contents.image.os, "linux");
        assert_eq!(
            contents.image.created.unwrap().to_string(),
            "2024-01-02T03:04:05.6Z"
        );
        let steps: Vec<&str> = contents
            .image
            .layers
            .iter()
            .map(|l| l.created_by.as_str())
            .collect();
        assert_eq!(steps, ["step 0", "step 1", "step 2"]);
        for (layer, bytes) in contents.image.layers.iter().zip(layers()) {
            assert_eq!(layer.diff_id.hex(), sha256(&bytes));
            assert_eq!(layer.size_bytes, bytes.len() as u64);
        }
    }
    assert_eq!(old.tree, new.tree);
    assert_eq!(old.image.config_digest.hex(), sha256(&config(&layers())));
    assert_eq!(old.image.digest, old.image.config_digest);
    assert_eq!(old.image.layers[0].digest, None);
    assert_eq!(new.image.config_digest, old.image.config_digest);
    assert_eq!(new.image.digest.hex(), layout.manifest_hex);
    assert_eq!(
        new.image.layers[1].digest.as_ref().unwrap().hex(),
        sha256(&gzip(&layers()[1]))
    );
}

#[test]
fn a_layout_may_be_a_folder_but_its_links_are_not_followed() {
    let layout = packed();
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(folder.path().join("index.json"), layout.index.to_string()).unwrap();
    for (hex, bytes) in &layout.blobs {
        std::fs::write(blobs.join(hex), bytes).unwrap();
    }
    let source = Source::Archive(Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap());
    let contents = read_all(&source, &Options::default()).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), FILES);

    let hex = sha256(&gzip(&layers()[1]));
    std::fs::rename(blobs.join(&hex), folder.path().join("aside")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("aside"), blobs.join(&hex)).unwrap();
    let contents = read_all(&source, &Options::default()).unwrap();
    assert_eq!(codes(&contents.problems), [ProblemCode::LayerUnreadable]);
    assert_eq!(contents.problems[0].place, format!("sha256:{hex}"));
}

#[test]
fn docker_25_archives_are_read_as_layouts_with_tags() {
    let layers = layers();
    let mut layout = oci(&layers
        .iter()
        .map(|l| (l.clone(), l.clone()))
        .collect::<Vec<_>>());
    layout.index["manifests"][0]["annotations"] = json!({"io.containerd.image.name": "docker.io/test/app:1", "org.opencontainers.image.ref.name": "1"});
    let config_hex = sha256(&config(&layers));
    let names: Vec<String> = layers
        .iter()
        .map(|l| format!("blobs/sha256/{}", sha256(l)))
        .collect();
    let manifest = json!([
        {"Config": format!("blobs/sha256/{config_hex}"), "RepoTags": ["test/app:1", "a:2"], "Layers": names},
    ])
    .to_string();
    let both = layout.archive_with(&[("manifest.json", manifest.as_bytes())]);
    let contents = read_bytes(&both, &Options::default()).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), FILES);
    assert_eq!(contents.image.references, ["a:2", "test/app:1"]);
    assert_eq!(contents.image.digest.hex(), layout.manifest_hex);

    let untagged = read_bytes(&layout.archive(), &Options::default()).unwrap();
    assert_eq!(untagged.image.references, ["docker.io/test/app:1"]);
}

#[test]
fn old_archives_link_equal_layers_to_each_other() {
    let layer = tar(&[File("a", b"1")]);
    let config = config(&[layer.clone(), layer.clone(), layer.clone()]);
    let manifest = br#"[{"Config":"c.json","RepoTags":null,"Layers":["x/layer.tar","y/layer.tar","z/layer.tar"]}]"#;
    let archive = tar(&[
        File("x/layer.tar", &layer),
        Symlink("y/layer.tar", "../x/layer.tar"),
        HardLink("z/layer.tar", "x/layer.tar"),
        File("c.json", &config),
        File("manifest.json", manifest),
    ]);
    let contents = read_bytes(&archive, &Options::default()).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(contents.tree.get(&path("a")).unwrap().layer, 2);
    assert!(contents.image.references.is_empty());
}

#[test]
fn indexes_lead_to_the_platform() {
    let arm = oci(&[(tar(&[File("arm", b"")]), gzip(&tar(&[File("arm", b"")])))]);
    let amd = oci(&[(tar(&[File("amd", b"")]), gzip(&tar(&[File("amd", b"")])))]);
    let describe = |image: &Oci, platform: serde_json::Value| {
        let mut one = image.index["manifests"][0].clone();
        one["platform"] = platform;
        one
    };
    let nested = json!({"schemaVersion": 2, "manifests": [
        describe(&arm, json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
        describe(&amd, json!({"os": "linux", "architecture": "amd64"})),
        describe(&amd, json!({"os": "unknown", "architecture": "unknown"})),
    ]})
    .to_string();
    let mut image = oci(&[]);
    image
        .blobs
        .extend(arm.blobs.iter().chain(&amd.blobs).cloned());
    image
        .blobs
        .push((sha256(nested.as_bytes()), nested.clone().into_bytes()));
    image.index = json!({"schemaVersion": 2, "manifests": [
        {"digest": format!("sha256:{}", sha256(nested.as_bytes())), "size": nested.len()},
    ]});
    let read = |platform: &str| {
        let options = Options {
            platform: Some(platform.parse().unwrap()),
            ..Options::default()
        };
        read_bytes(&image.archive(), &options)
    };
    assert_eq!(listing(&read("linux/amd64").unwrap().tree), ["amd@0="]);
    let missing = read("linux/s390x").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the image is not made for linux/s390x, only for linux/arm64, linux/amd64"
    );
    // The index says arm64, but the configuration says amd64.
    assert!(matches!(
        read("linux/arm64"),
        Err(ReadError::PlatformMissing { .. })
    ));
}

#[test]
fn only_the_first_of_several_images_is_read_and_that_is_said() {
    let layers = layers();
    let config = config(&layers[..1]);
    let manifest = br#"[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]},{"Config":"d","RepoTags":["b:1"],"Layers":[]}]"#;
    let archive = tar(&[
        File("l", &layers[0]),
        File("c", &config),
        File("manifest.json", manifest),
    ]);
    let contents = read_bytes(&archive, &Options::default()).unwrap();
    assert_eq!(contents.image.references, ["a:1"]);
    let said: Vec<String> = contents.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["archive: it holds 2 images, of which only the first was read"]
    );
}

#[test]
fn what_is_no_image_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Source::Archive(Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap());
    assert!(matches!(
        read_all(&folder, &Options::default()),
        Err(ReadError::NotAnImage { .. })
    ));
    let absent = Source::Archive("/nonexistent/image.tar".into());
    assert!(matches!(
        read_all(&absent, &Options::default()),
        Err(ReadError::Io { .. })
    ));
    for (bytes, why) in [
        (vec![], "it is empty"),
        (
            gzip(&docker(&layers())),
            "it is compressed with gzip; unpack it with gunzip first",
        ),
        (
            zstd(&docker(&layers())),
            "it is compressed with zstd; unpack it with unzstd first",
        ),
        (
            tar(&[File("a", b"")]),
            "it has neither manifest.json nor index.json",
        ),
        (
            b"hello".repeat(200),
            "it is no readable tar archive: the checksum is not a number at byte 0",
        ),
    ] {
        match read_bytes(&bytes, &Options::default()) {
            Err(ReadError::NotAnImage { why: said, .. }) => assert_eq!(said, why),
            other => panic!("{why}: {other:?}"),
        }
    }
}
