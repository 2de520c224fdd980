//! The advisory database's file: any bytes as one must give an error or answers, and end. The header's own check is
//! put right first, as a forger would.

use jiff::Timestamp;
use seareeve_model::DatabaseKind;
use seareeve_scan::advisories::{Builder, Catalogue, Database, Scores, changed_names};
use sha2::{Digest as _, Sha256};

use super::osv_record::package;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "advisory_file",
    run,
    longest: 16 << 10,
    seeds,
    words: &["CVE-2024-1", "PyPI", "Debian:12", "openssl", "requests"],
};

/// Bytes of the header that its check is over, and of the check.
const CHECKED: usize = 184;
const CHECK: usize = 16;

fn run(data: &[u8]) {
    let mut bytes = data.to_vec();
    if let Some((checked, rest)) = bytes.split_at_mut_checked(CHECKED)
        && let Some(check) = rest.get_mut(..CHECK)
    {
        check.copy_from_slice(&Sha256::digest(checked)[..CHECK]);
    }
    let Ok(database) = Database::from_bytes(bytes) else {
        return;
    };
    let _ = database.verify();
    let _ = database.info();
    for id in ["CVE-2024-1", "GHSA-1", ""] {
        let _ = database.vulnerabilities(id);
        let _ = database.epss(id);
    }
    let _ = changed_names(None, &database);
    let _ = changed_names(Some(seareeve_scan::starter::database()), &database);
    for (ecosystem, name) in [
        ("PyPI", "requests"),
        ("Debian:12", "openssl"),
        ("Go", "example.org/a"),
        ("npm", "a"),
    ] {
        let _ = database.has_ecosystem(ecosystem);
        let _ = seareeve_scan::match_package(&database, &package(ecosystem, name, "1.0"));
    }
}

/// A small database of the records that are seeds of their own target, with and without the feeds.
fn seeds() -> Vec<Vec<u8>> {
    let build = |records: &[Vec<u8>], with_feeds: bool| {
        let mut builder = Builder::new(DatabaseKind::Full, Timestamp::UNIX_EPOCH);
        for record in records {
            builder.add_json("seed", record).expect("room in memory");
        }
        if with_feeds {
            for feed in made::seeds("feeds") {
                if let Ok(catalogue) = Catalogue::parse(&feed) {
                    builder.set_known_exploited("kev", catalogue);
                }
                if let Ok(scores) = Scores::parse(&feed) {
                    builder.set_epss("epss", scores);
                }
            }
        }
        builder.finish().expect("sound records").0
    };
    let records = made::seeds("osv_record");
    let mut seeds: Vec<Vec<u8>> = records.chunks(1).map(|one| build(one, false)).collect();
    seeds.push(build(&records, true));
    seeds
}
