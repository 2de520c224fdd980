//! The advisory file: any bytes as a database must give an error or answers, and end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_model::{Package, PackageKind};
use seareeve_scan::advisories::{Database, changed_names};

fuzz_target!(|data: &[u8]| {
    let Ok(database) = Database::from_bytes(data.to_vec()) else {
        return;
    };
    let _ = database.verify();
    let _ = database.vulnerabilities("CVE-2020-14343");
    let _ = changed_names(Some(seareeve_scan::starter::database()), &database);
    let package = Package {
        kind: PackageKind::Pypi,
        name: "PyYAML".to_owned(),
        version: "5.3".to_owned(),
        source: None,
        ecosystem: "PyPI".to_owned(),
        purl: "pkg:pypi/pyyaml@5.3".parse().expect("a package URL"),
    };
    let _ = seareeve_scan::match_package(&database, &package);
});
