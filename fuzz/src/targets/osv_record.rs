//! OSV records: any bytes as a record must be used or said to be unusable, what is built must be whole, and packages
//! that the record names can be matched with it.

use jiff::Timestamp;
use seareeve_model::{DatabaseKind, Package, PackageKind, Purl, SourcePackage};
use seareeve_scan::advisories::{Builder, Database};
use serde_json::Value;

use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "osv_record",
    run,
    longest: 6 << 10,
    seeds: || made::seeds("osv_record"),
    words: &[
        "\"id\"",
        "\"modified\"",
        "\"published\"",
        "\"withdrawn\"",
        "\"aliases\"",
        "\"upstream\"",
        "\"related\"",
        "\"severity\"",
        "\"CVSS_V3\"",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "\"affected\"",
        "\"package\"",
        "\"ecosystem\"",
        "\"name\"",
        "\"ranges\"",
        "\"type\"",
        "\"ECOSYSTEM\"",
        "\"SEMVER\"",
        "\"GIT\"",
        "\"events\"",
        "\"introduced\"",
        "\"fixed\"",
        "\"last_affected\"",
        "\"limit\"",
        "\"versions\"",
        "\"ecosystem_specific\"",
        "\"database_specific\"",
        "\"urgency\"",
        "\"not yet assigned\"",
        "\"Debian:12\"",
        "\"Alpine:v3.19\"",
        "\"Red Hat:enterprise_linux:9::baseos\"",
        "\"SUSE:Linux Enterprise Server 15 SP5\"",
        "\"crates.io\"",
        "\"Go\"",
        "\"Maven\"",
        "\"NuGet\"",
        "\"Packagist\"",
        "\"RubyGems\"",
        "\"npm\"",
        "\"PyPI\"",
        "\"Bitnami\"",
        "2024-01-01T00:00:00Z",
    ],
};

fn run(data: &[u8]) {
    let mut builder = Builder::new(DatabaseKind::Full, Timestamp::UNIX_EPOCH);
    if builder.add_json("record", data).is_err() {
        return;
    }
    let Ok((bytes, _report)) = builder.finish() else {
        return;
    };
    let database = Database::from_bytes(bytes).expect("what we build we can open");
    database.verify().expect("what we build is whole");
    let record: Value = serde_json::from_slice(data).unwrap_or_default();
    let affected = record.get("affected").and_then(Value::as_array);
    for affected in affected.into_iter().flatten().take(8) {
        let text = |pointer: &str| affected.pointer(pointer).and_then(Value::as_str);
        let (Some(ecosystem), Some(name)) = (text("/package/ecosystem"), text("/package/name"))
        else {
            continue;
        };
        // Each version that the record speaks of, wherever it stands.
        let versions = affected.pointer("/versions").and_then(Value::as_array);
        let events = affected
            .pointer("/ranges/0/events")
            .and_then(Value::as_array);
        let events = events.into_iter().flatten();
        let events = events.filter_map(|event| event.as_object()?.values().next());
        for version in versions.into_iter().flatten().chain(events).take(8) {
            let version = version.as_str().unwrap_or("1");
            let _ = seareeve_scan::match_package(&database, &package(ecosystem, name, version));
        }
    }
}

pub(super) fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package {
        kind: PackageKind::Deb,
        name: name.to_owned(),
        version: version.to_owned(),
        source: Some(SourcePackage {
            name: name.to_owned(),
            version: version.to_owned(),
        }),
        ecosystem: ecosystem.to_owned(),
        purl: Purl::new("deb", "debian", "a", "1", &[]).expect("a package URL"),
    }
}
