//! A container engine that answers whatever it likes: what it knows of an image, and the image's archive.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use camino::Utf8PathBuf;
use seareeve_image::{Endpoint, EngineImage, Options, Place, Source, locate};
use tempfile::TempDir;

use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "engine",
    run,
    longest: 8 << 10,
    seeds,
    words: &[
        "\n====\n",
        "200",
        "404",
        "500",
        "\"RepoTags\"",
        "\"Size\"",
        "\"Os\"",
        "\"Architecture\"",
        "\"message\"",
        "\ntransfer-encoding: chunked",
        "\ncontent-encoding: gzip",
        "manifest.json",
    ],
};

static ENGINE: LazyLock<(Server, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let server = Server::on_socket(&folder.path().join("engine.sock"));
    (server, folder)
});

fn run(input: &[u8]) {
    let (server, folder) = &*ENGINE;
    server.set(input);
    let folder = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a UTF-8 path");
    let endpoint = Endpoint::Unix(folder.join("engine.sock"));
    let options = Options {
        limits: made::limits(),
        threads: NonZeroUsize::MIN,
        temporary: folder,
        platform: Some("linux/amd64".parse().expect("a platform")),
        ..Options::default()
    };
    let image = EngineImage {
        endpoint: endpoint.clone(),
        name: "app:1".to_owned(),
    };
    let _ = made::read(&Source::Engine(image), &options);
    let _ = locate("app:1", &[Place::Engines], &[endpoint], &options);
}

fn seeds() -> Vec<Vec<u8>> {
    let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:abababababababababababababababababababababababababababababababab"]}}"#;
    let archive = made::tar(&[
        ("l/layer.tar", &made::tar(&[("a", b"b")])),
        ("c.json", config),
        (
            "manifest.json",
            br#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["l/layer.tar"]}]"#,
        ),
    ]);
    let known = b"200\n\n{\"RepoTags\":[\"app:1\",\"b/c:2\"],\"Size\":5000,\"Os\":\"linux\",\"Architecture\":\"amd64\"}\n====\n";
    let mut sound = known.to_vec();
    sound.extend_from_slice(b"200\n\n");
    sound.extend(archive);
    let mut refused = known.to_vec();
    refused.extend_from_slice(b"500\n\n{\"message\":\"no\"}\n====\n200\n\n{\"Size\":1}");
    vec![sound, refused]
}
