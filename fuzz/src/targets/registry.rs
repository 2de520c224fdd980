//! A registry and its token server that answer whatever they like: challenges, tokens, redirects, manifests,
//! configurations, layers, lists of referrers and attachments.

use std::num::NonZeroUsize;
use std::sync::LazyLock;
use std::time::Duration;

use seareeve_image::{Options, Source, attachments, referrers};
use seareeve_model::ImageReference;

use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "registry",
    run,
    longest: 4 << 10,
    seeds: || made::seeds("registry"),
    words: &[
        "\n====\n",
        "200",
        "206",
        "307",
        "401",
        "404",
        "416",
        "429",
        "\nlocation: http://@host/x",
        "\nlocation: /x",
        "\nwww-authenticate: Bearer realm=\"http://@host/token\",service=\"a\",scope=\"b\"",
        "\nwww-authenticate: Basic realm=\"x\"",
        "\nretry-after: 100",
        "\ncontent-type: application/vnd.oci.image.index.v1+json",
        "\ncontent-type: application/vnd.docker.distribution.manifest.v1+json",
        "\ncontent-range: bytes 1-2/3",
        "\ncontent-encoding: gzip",
        "\ntransfer-encoding: chunked",
        "\ndocker-content-digest: sha256:@0",
        "sha256:@1",
        "sha256:@2",
        "sha256:@3",
        "\"manifests\"",
        "\"layers\"",
        "\"blobs\"",
        "\"config\"",
        "\"artifactType\"",
        "{\"token\":\"a\"}",
        "{\"access_token\":\"a\"}",
    ],
};

static SERVER: LazyLock<Server> = LazyLock::new(Server::on_loopback);

fn run(input: &[u8]) {
    SERVER.set(input);
    let image: ImageReference = format!("{}/a/b:1", SERVER.host)
        .parse()
        .expect("a reference");
    let options = Options {
        limits: made::limits(),
        threads: NonZeroUsize::MIN,
        retries: 0,
        retry_pause: Duration::ZERO,
        read_timeout: Duration::from_secs(5),
        ..Options::default()
    };
    let _ = made::read(&Source::Registry(image.clone()), &options);
    for referrer in referrers(&image, &options).unwrap_or_default() {
        let _ = attachments(&image, &referrer, &options);
    }
}
