//! What a rescan costs: opening a database and matching three hundred packages; and what one ecosystem
//! costs to build. Needs the shared data (`SEAREEVE_SHARED`).

use std::hint::black_box;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use seareeve_model::{
    Digest, Image, ImagePath, InstalledPackage, Inventory, Package, PackageKind, Purl,
};
use seareeve_scan::advisories::{Database, Sources, build};
use seareeve_scan::match_inventory;

/// Sources with many advisories, and the versions of Debian 12 as first released.
const SOURCES: &[(&str, &str)] = &[
    ("openssl", "3.0.8-1"),
    ("curl", "7.88.1-10"),
    ("apache2", "2.4.57-2"),
    ("imagemagick", "8:6.9.11.60+dfsg-1.6"),
    ("glibc", "2.36-9"),
    ("systemd", "252.6-1"),
];
const PYTHON: &[(&str, &str)] = &[
    ("Django", "2.2"),
    ("Pillow", "8.0.0"),
    ("tensorflow", "2.4.1"),
];
const PACKAGES: usize = 300;

fn inventory() -> Inventory {
    let digest = Digest::sha256(&[0; 32]);
    let named = |kind: PackageKind, ecosystem: &str, name: &str, version: &str| Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: None,
        ecosystem: ecosystem.to_owned(),
        purl: Purl::new(kind.as_str(), "", name, version, &[]).expect("names of ours"),
    };
    let debian = SOURCES
        .iter()
        .map(|(n, v)| named(PackageKind::Deb, "Debian:12", n, v));
    let python = PYTHON
        .iter()
        .map(|(n, v)| named(PackageKind::Pypi, "PyPI", n, v));
    let mut packages: Vec<Package> = debian.chain(python).collect();
    let others = packages.len()..PACKAGES;
    packages
        .extend(others.map(|n| named(PackageKind::Deb, "Debian:12", &format!("lib{n}"), "1.0-1")));
    let path = ImagePath::parse(b"var/lib/dpkg/status").expect("a path of ours");
    Inventory {
        image: Image {
            references: Vec::new(),
            digest: digest.clone(),
            config_digest: digest,
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            created: None,
            layers: Vec::new(),
        },
        distro: None,
        packages: packages
            .into_iter()
            .map(|package| InstalledPackage {
                package,
                path: path.clone(),
                layer: 0,
            })
            .collect(),
        problems: Vec::new(),
    }
}

fn benches(criterion: &mut Criterion) {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var("SEAREEVE_SHARED").unwrap_or_else(|_| default.to_owned());
    let data = Utf8PathBuf::from(shared).join("data");
    let osv = data.join("osv");
    if !osv.is_dir() {
        let _ = writeln!(
            std::io::stderr(),
            "DID NOT RUN: no shared data (SEAREEVE_SHARED)"
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = Utf8Path::from_path(folder.path()).expect("a path in UTF-8");
    let path = folder.join("advisories.db");
    let all = Sources {
        records: vec![osv.clone()],
        known_exploited: Some(data.join("kev/known_exploited_vulnerabilities.json")),
        epss: None,
    };
    build(&all, &path, Timestamp::UNIX_EPOCH, &|_| {}).expect("a database");

    criterion.bench_function("open", |bencher| {
        bencher.iter(|| Database::open(black_box(&path)).expect("a database"));
    });
    let inventory = inventory();
    criterion.bench_function("open and match 300 packages", |bencher| {
        bencher.iter(|| {
            let database = Database::open(&path).expect("a database");
            match_inventory(&database, black_box(&inventory))
        });
    });
    let mut slow = criterion.benchmark_group("build");
    slow.sample_size(10);
    let python = Sources {
        records: vec![osv.join("PyPI/all.zip")],
        ..Sources::default()
    };
    slow.bench_function("PyPI", |bencher| {
        bencher.iter(|| {
            build(
                &python,
                &folder.join("one.db"),
                Timestamp::UNIX_EPOCH,
                &|_| {},
            )
        });
    });
    slow.finish();
}

criterion_group!(matching, benches);
criterion_main!(matching);
