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

/// Options that name an image.
fn naming(image: &str) -> Options {
    Options {
        image: Some(image.to_owned()),
        ..Options::default()
    }
}

#[test]
fn one_of_several_images_must_be_named() {
    let layers = layers();
    let configs = [config(&layers[..1]), config(&layers[2..])];
    let manifest = json!([
        {"Config": format!("{}.json", sha256(&configs[0])), "RepoTags": ["a:1", "b:2"], "Layers": ["l"]},
        {"Config": format!("{}.json", sha256(&configs[1])), "RepoTags": null, "Layers": ["m"]},
    ])
    .to_string();
    let names = configs
        .each_ref()
        .map(|config| format!("{}.json", sha256(config)));
    let docker = tar(&[
        File("l", &layers[0]),
        File("m", &layers[2]),
        File(&names[0], &configs[0]),
        File(&names[1], &configs[1]),
        File("manifest.json", manifest.as_bytes()),
    ]);
    let error = read_bytes(&docker, &Options::default()).unwrap_err();
    let ReadError::SeveralImages { available, .. } = error else {
        panic!("{error}");
    };
    let second = format!("sha256:{}", sha256(&configs[1]));
    assert_eq!(available, format!("a:1 = b:2, {second}"));
    for (name, files) in [
        ("a:1", &FILES[..1]),
        ("docker.io/library/b:2", &FILES[..1]),
        (&second, &["newer@0=m"]),
    ] {
        let contents = read_bytes(&docker, &naming(name)).unwrap();
        assert_eq!(contents.problems, []);
        let read = listing(&contents.tree);
        assert!(
            files.iter().all(|file| read.contains(&(*file).to_owned())),
            "{name}: {read:?}"
        );
    }
    assert!(matches!(
        read_bytes(&docker, &naming("a:2")),
        Err(ReadError::NotInArchive { .. })
    ));

    // The same as a layout: one image under two names, and another.
    let [mut one, other] = [&layers[..1], &layers[2..]].map(|layers| {
        oci(&layers
            .iter()
            .map(|l| (l.clone(), gzip(l)))
            .collect::<Vec<_>>())
    });
    let named = |image: &Oci, name: &str| {
        let mut listed = image.index["manifests"][0].clone();
        listed["annotations"] = json!({"io.containerd.image.name": name});
        listed
    };
    let manifests = [
        named(&one, "docker.io/library/a:1"),
        named(&one, "docker.io/library/b:2"),
        named(&other, "docker.io/library/c:3"),
    ];
    one.blobs.extend(other.blobs);
    one.index = json!({"schemaVersion": 2, "manifests": manifests[..2]});
    assert_eq!(
        read_bytes(&one.archive(), &Options::default())
            .unwrap()
            .problems,
        []
    );
    one.index = json!({"schemaVersion": 2, "manifests": manifests});
    let error = read_bytes(&one.archive(), &Options::default()).unwrap_err();
    let ReadError::SeveralImages { available, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(
        available,
        "docker.io/library/a:1 = docker.io/library/b:2, docker.io/library/c:3"
    );
    let contents = read_bytes(&one.archive(), &naming("c:3")).unwrap();
    assert_eq!(contents.image.references, ["docker.io/library/c:3"]);
    let by_digest = format!("c@sha256:{}", contents.image.digest.hex());
    assert_eq!(
        read_bytes(&one.archive(), &naming(&by_digest))
            .unwrap()
            .tree,
        contents.tree
    );
}

#[test]
fn names_that_are_none_are_left_out_and_said() {
    let layer = layers().swap_remove(2);
    let long = format!("{}:1", "a".repeat(1300));
    let manifest = json!([
        {"Config": "c", "RepoTags": ["good:1", long, "Bad Name"], "Layers": ["l"]},
    ])
    .to_string();
    let archive = tar(&[
        File("l", &layer),
        File("c", &config(std::slice::from_ref(&layer))),
        File("manifest.json", manifest.as_bytes()),
    ]);
    let contents = read_bytes(&archive, &Options::default()).unwrap();
    assert_eq!(contents.image.references, ["good:1"]);
    assert_eq!(
        codes(&contents.problems),
        [ProblemCode::ContentMismatch, ProblemCode::ContentMismatch]
    );
    assert_eq!(
        contents.problems[1].message,
        "the name Bad Name was left out, because it is no reference to an image"
    );
    assert!(contents.problems[0].message.len() < 500);
}

#[test]
fn compressed_archives_are_unpacked_and_leave_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let options = Options {
        temporary: Utf8PathBuf::from_path_buf(temporary.path().to_owned()).unwrap(),
        ..Options::default()
    };
    let plain = read_bytes(&packed().archive(), &options).unwrap();
    for archive in [docker(&layers()), packed().archive()] {
        for packed in [gzip(&archive), zstd(&archive)] {
            let contents = read_bytes(&packed, &options).unwrap();
            assert_eq!(contents.problems, []);
            assert_eq!(contents.tree, plain.tree);
        }
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);

    let mut broken = gzip(&docker(&layers()));
    broken.truncate(broken.len() / 2);
    match read_bytes(&broken, &options) {
        Err(ReadError::NotAnImage { why, .. }) => {
            assert!(why.starts_with("it cannot be unpacked: "), "{why}");
        }
        other => panic!("{other:?}"),
    }
    let nowhere = Options {
        temporary: temporary.path().join("absent").to_str().unwrap().into(),
        ..Options::default()
    };
    assert!(matches!(
        read_bytes(&gzip(b"x"), &nowhere),
        Err(ReadError::Io { path, .. }) if path.starts_with("the folder for temporary files")
    ));
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_given_up() {
    let bomb = gzip(&vec![0; 1 << 20]);
    let limited = |limits| Options {
        limits,
        ..Options::default()
    };
    let small = limited(seareeve_image::Limits {
        image_bytes: 1 << 19,
        ..Default::default()
    });
    let steep = limited(seareeve_image::Limits {
        ratio: 10,
        ratio_floor_bytes: 1 << 18,
        ..Default::default()
    });
    for (options, message) in [
        (
            small,
            "the unpacked archive is larger than the limit of 524288 bytes",
        ),
        (
            steep,
            "the unpacked archive is larger than the limit of 10 times its packed size",
        ),
    ] {
        assert_eq!(
            read_bytes(&bomb, &options).unwrap_err().to_string(),
            message
        );
    }
}

#[test]
fn the_folders_of_skopeo_and_podman_are_read() {
    let image = packed();
    let folder = tempfile::tempdir().unwrap();
    let manifest = image.manifest.to_string();
    std::fs::write(
        folder.path().join("version"),
        "Directory Transport Version: 1.1\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
    for (hex, bytes) in &image.blobs {
        std::fs::write(folder.path().join(hex), bytes).unwrap();
    }
    let source = Source::Archive(Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap());
    let contents = read_all(&source, &Options::default()).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), FILES);
    assert_eq!(contents.image.digest.hex(), image.manifest_hex);
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
            b"\xfd7zXZ\0 and so on".to_vec(),
            "it is compressed with xz; unpack it with unxz first",
        ),
        (gzip(b""), "it has neither manifest.json nor index.json"),
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

/// A layout as a folder.
fn unpacked(layout: &Oci) -> (tempfile::TempDir, Source) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(folder.path().join("index.json"), layout.index.to_string()).unwrap();
    for (hex, bytes) in &layout.blobs {
        std::fs::write(blobs.join(hex), bytes).unwrap();
    }
    let source = Source::Archive(Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap());
    (folder, source)
}

#[test]
fn a_blob_that_cannot_be_opened_does_not_cost_the_others() {
    let mut layout = packed();
    // Where this layer should stand is a file, so looking for it is an error and not "there is none".
    let absent = format!("sha512:{}", "ab".repeat(64));
    layout.manifest["layers"][1]["digest"] = json!(absent);
    let manifest = layout.manifest.to_string().into_bytes();
    layout.index["manifests"][0]["digest"] = json!(format!("sha256:{}", sha256(&manifest)));
    layout.blobs.push((sha256(&manifest), manifest));
    let (folder, source) = unpacked(&layout);
    std::fs::write(folder.path().join("blobs/sha512"), "").unwrap();
    // A pipe beside them is not waited for.
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join(name))
            .status();
        assert!(made.unwrap().success());
    };
    let last = format!("blobs/sha256/{}", sha256(&zstd(&layers()[2])));
    std::fs::remove_file(folder.path().join(&last)).unwrap();
    pipe(&last);
    let contents = read_all(&source, &Options::default()).unwrap();
    assert_eq!(
        listing(&contents.tree),
        ["etc/os-release@0=ID=debian", "gone@0=g"]
    );
    assert_eq!(codes(&contents.problems), [ProblemCode::LayerUnreadable; 2]);

    std::fs::remove_file(folder.path().join("index.json")).unwrap();
    pipe("index.json");
    assert!(matches!(
        read_all(&source, &Options::default()),
        Err(ReadError::NotAnImage { .. })
    ));
    let pipe = Source::Archive(folder.path().join("index.json").try_into().unwrap());
    assert!(matches!(
        read_all(&pipe, &Options::default()),
        Err(ReadError::NotAnImage { .. })
    ));
}

#[test]
fn a_digest_chooses_what_it_names_and_nothing_else() {
    let host = seareeve_image::Platform::host();
    let [mine, other] =
        [&layers()[0], &layers()[2]].map(|layer| oci(&[(layer.clone(), gzip(layer))]));
    let mut both = oci(&[]);
    let mut listed = [&mine, &other].map(|image| image.index["manifests"][0].clone());
    listed[0]["platform"] = json!({"os": "linux", "architecture": host.architecture});
    listed[1]["platform"] = json!({"os": "linux", "architecture": "s390x"});
    both.index = json!({"schemaVersion": 2, "manifests": listed});
    both.blobs = [mine.blobs.clone(), other.blobs.clone()].concat();
    let digest = format!("sha256:{}", other.manifest_hex);
    let contents = read_bytes(&both.archive(), &naming(&digest)).unwrap();
    assert_eq!(contents.image.digest.to_string(), digest);

    // The only image, without a name, is still not another one.
    let mut nameless = mine;
    nameless.index["manifests"][0]["annotations"] = json!({});
    let configuration = format!("sha256:{}", sha256(&config(&layers()[..1])));
    for name in [
        "anything:1",
        &configuration,
        &format!("sha256:{}", nameless.manifest_hex),
    ] {
        assert!(
            read_bytes(&nameless.archive(), &naming(name)).is_ok(),
            "{name}"
        );
    }
    let docker = docker(&layers()[..1]);
    assert!(read_bytes(&docker, &naming(&configuration)).is_ok());
    for archive in [nameless.archive(), docker] {
        let read = read_bytes(&archive, &naming(&digest));
        assert!(matches!(read, Err(ReadError::NotInArchive { .. })));
    }
}
