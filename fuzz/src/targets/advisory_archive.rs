//! What is downloaded to build the advisory database of: any bytes as an archive of OSV records, and as the feeds of
//! exploited vulnerabilities, packed or not.

use camino::Utf8Path;
use jiff::Timestamp;
use seareeve_scan::advisories::{Database, Sources, build};
use zip::CompressionMethod;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "advisory_archive",
    run,
    longest: 6 << 10,
    seeds,
    words: &[
        "PK\u{1}\u{2}",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        "a.json",
        "\"id\"",
    ],
};

fn run(input: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = Utf8Path::from_path(folder.path()).expect("a UTF-8 path");
    let (archive, out) = (folder.join("all.zip"), folder.join("out.db"));
    std::fs::write(&archive, input).expect("space for a temporary file");
    let sources = Sources {
        records: vec![archive.clone()],
        known_exploited: Some(archive.clone()),
        epss: Some(archive),
    };
    if build(&sources, &out, Timestamp::UNIX_EPOCH, &|_| {}).is_ok() {
        let database = Database::open(&out).expect("what we build we can open");
        database.verify().expect("what we build is whole");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let records = made::seeds("osv_record");
    let small = records.iter().min_by_key(|record| record.len());
    let small = small.map(Vec::as_slice).unwrap_or_default();
    let archive = |method| {
        made::zip(
            method,
            &[("A-1.json", small), ("b.txt", b"c"), ("d.json", b"{")],
        )
    };
    let mut seeds = vec![
        archive(CompressionMethod::Stored),
        archive(CompressionMethod::Deflated),
    ];
    seeds.extend(made::seeds("feeds").iter().map(|feed| made::gzip(feed)));
    seeds
}
