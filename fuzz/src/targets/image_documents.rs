//! Any JSON as manifest, index and configuration. The input's first byte chooses which; the rest is put into an
//! otherwise good archive or folder, so that the fuzzer need not find its way through a tar first.

use seareeve_image::{Options, Source};

use crate::Target;
use crate::made;

const HEX: &str = "abababababababababababababababababababababababababababababababab";

pub(super) const TARGET: Target = Target {
    name: "image_documents",
    run,
    longest: 4 << 10,
    seeds,
    words: &[
        "\"Config\"",
        "\"Layers\"",
        "\"RepoTags\"",
        "\"manifests\"",
        "\"layers\"",
        "\"config\"",
        "\"digest\"",
        "\"size\"",
        "\"mediaType\"",
        "\"platform\"",
        "\"os\"",
        "\"architecture\"",
        "\"variant\"",
        "\"rootfs\"",
        "\"diff_ids\"",
        "\"history\"",
        "\"created\"",
        "\"created_by\"",
        "\"empty_layer\"",
        "\"urls\"",
        "\"annotations\"",
        "\"org.opencontainers.image.ref.name\"",
        "\"io.containerd.image.name\"",
        "sha256:abababababababababababababababababababababababababababababababab",
        "blobs/sha256/abababababababababababababababababababababababababababababababab",
        "2024-01-02T03:04:05Z",
    ],
};

fn run(input: &[u8]) {
    let Some((choice, json)) = input.split_first() else {
        return;
    };
    let blob = format!("blobs/sha256/{HEX}");
    let digest = format!(r#"{{"digest":"sha256:{HEX}","size":1}}"#);
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{digest}]}}"#);
    let docker = format!(r#"[{{"Config":"{blob}","Layers":["{blob}"]}}]"#);
    let files: [(&str, &[u8]); 2] = match choice % 4 {
        0 => [("manifest.json", json), (&blob, json)],
        1 => [("manifest.json", docker.as_bytes()), (&blob, json)],
        2 => [("index.json", json), (&blob, json)],
        _ => [("index.json", index.as_bytes()), (&blob, json)],
    };
    let options = Options {
        limits: made::limits(),
        ..Options::default()
    };
    if choice & 0x80 == 0 {
        let (_file, path) = made::temporary(&made::tar(&files));
        let _ = made::read(&Source::Archive(path), &options);
    } else {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder"))
                .and_then(|()| std::fs::write(&path, content))
                .expect("space for a temporary file");
        }
        let path = folder.path().to_owned().try_into().expect("a UTF-8 path");
        let _ = made::read(&Source::Archive(path), &options);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let descriptor = format!(
        r#"{{"digest":"sha256:{HEX}","size":9,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","urls":["https://example.org/x"],"platform":{{"os":"linux","architecture":"arm64","variant":"v8"}},"annotations":{{"org.opencontainers.image.ref.name":"a/b:1","io.containerd.image.name":"docker.io/a/b:1"}}}}"#
    );
    let documents = [
        format!(
            r#"[{{"Config":"blobs/sha256/{HEX}","RepoTags":["a/b:1","c:latest"],"Layers":["blobs/sha256/{HEX}","x/layer.tar"]}}]"#
        ),
        format!(
            r#"{{"os":"linux","architecture":"amd64","variant":"v2","created":"2024-01-02T03:04:05.6Z","rootfs":{{"type":"layers","diff_ids":["sha256:{HEX}"]}},"history":[{{"created_by":"RUN a","created":"2024-01-02T03:04:05Z"}},{{"created_by":"ENV b","empty_layer":true}}],"config":{{"Env":["A=b"],"Labels":{{"a":"b"}}}}}}"#
        ),
        format!(
            r#"{{"schemaVersion":2,"manifests":[{descriptor},{}]}}"#,
            descriptor.replace("arm64", "amd64")
        ),
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{descriptor},"layers":[{descriptor},{descriptor}],"annotations":{{"a":"b"}}}}"#
        ),
    ];
    let mut seeds = Vec::new();
    for (choice, document) in (0_u8..).zip(&documents) {
        for choice in [choice, choice | 0x80] {
            let mut seed = vec![choice];
            seed.extend_from_slice(document.as_bytes());
            seeds.push(seed);
        }
    }
    seeds
}
