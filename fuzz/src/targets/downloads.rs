//! Servers of advisories that answer whatever they like: ranges, validators, lengths, redirects. Whatever came first
//! is there when they are asked again.

use std::sync::LazyLock;

use camino::Utf8Path;
use seareeve_collect::feeds::{Addresses, Downloader, fetch, files};

use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "downloads",
    run,
    longest: 3 << 10,
    seeds: || made::seeds("downloads"),
    words: &[
        "\n====\n",
        "200",
        "206",
        "301",
        "304",
        "416",
        "\netag: \"a\"",
        "\netag: W/\"a\"",
        "\nlast-modified: Mon, 25 Aug 2025 12:00:00 GMT",
        "\ncontent-range: bytes 4-9/10",
        "\ncontent-length: 100",
        "\ncontent-encoding: gzip",
        "\ntransfer-encoding: chunked",
        "\nlocation: http://@host/x",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "\"vulnerabilities\"",
        "#model_version:a,score_date:2025-08-25\ncve,epss,percentile\n",
    ],
};

static SERVER: LazyLock<(Server, Downloader)> = LazyLock::new(|| {
    let downloader = Downloader::new(None).expect("no further authorities");
    (Server::on_loopback(), downloader)
});

fn run(input: &[u8]) {
    let (server, downloader) = &*SERVER;
    server.set(input);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let address = format!("http://{}/a", server.host);
    let addresses = Addresses {
        osv: &address,
        ecosystems: &["PyPI"],
        known_exploited: Some(&address),
        epss: Some(&address),
    };
    for _ in 0..2 {
        let there = files(&addresses, folder);
        let _ = fetch(downloader, &addresses, folder, &mut |_| true);
        let still = files(&addresses, folder);
        assert!(there.archives.is_empty() || !still.archives.is_empty());
        assert!(there.known_exploited.is_none() || still.known_exploited.is_some());
        assert!(there.epss.is_none() || still.epss.is_some());
    }
}
