//! The matcher against an independent truth: `tools/oracle.py` of the shared data, which compares versions
//! with dpkg, Python's `packaging` and Node's `semver`. The (package, advisory) pairs must be equal.
//!
//! `SEAREEVE_ORACLE_LISTS` adds lists to compare, as `Debian:12=/path/list.json,Debian:11=…` (the form of
//! make-images.py's `NAME.packages.json`); the acceptance run uses it for the large images.

use std::collections::BTreeSet;

use camino::Utf8Path;
use seareeve_model::{Package, PackageKind, Purl, SourcePackage};
use seareeve_scan::advisories::{Database, Sources, build};
use seareeve_scan::match_package;

use crate::{lists, tools};

/// What is compared: type, name, version, advisory.
type Pair = (String, String, String, String);

#[derive(serde::Deserialize)]
struct Listed {
    r#type: String,
    name: String,
    version: String,
    source: Option<String>,
    source_version: Option<String>,
}

#[derive(serde::Deserialize)]
struct Expected {
    r#type: String,
    name: String,
    version: String,
    advisory: String,
}

#[test]
fn pairs_equal_the_oracles() {
    let Some(shared) = tools::shared() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let oracle = match tools::Oracle::new(&shared, folder) {
        Ok(oracle) => oracle,
        Err(missing) => return tools::did_not_run(&missing),
    };
    let osv = shared.join("data/osv");
    let inputs = Sources {
        records: ["Debian", "PyPI", "npm"]
            .map(|name| osv.join(name).join("all.zip"))
            .into(),
        ..Sources::default()
    };
    let path = folder.join("advisories.db");
    let report = build(&inputs, &path, jiff::Timestamp::UNIX_EPOCH, &|_| {}).unwrap();
    assert!(report.info.advisories > 20_000 && report.withdrawn > 200);
    let database = Database::open(&path).unwrap();

    let synthetic = |name: &str, debian: &[&str]| {
        let list = folder.join(name);
        std::fs::write(&list, lists::json(debian)).unwrap();
        list
    };
    let mut lists = vec![
        ("Debian:12".to_owned(), oracle.hostile_whiteouts().unwrap()),
        (
            "Debian:12".to_owned(),
            synthetic("12.json", lists::BOOKWORM),
        ),
        (
            "Debian:11".to_owned(),
            synthetic("11.json", lists::BULLSEYE),
        ),
    ];
    let more = std::env::var("SEAREEVE_ORACLE_LISTS").unwrap_or_default();
    for item in more.split(',').filter(|item| !item.is_empty()) {
        let (distro, list) = item.split_once('=').expect("DISTRO=PATH");
        lists.push((distro.to_owned(), list.into()));
    }
    for (distro, list) in lists {
        let expected: Vec<Expected> =
            serde_json::from_slice(&oracle.run(&list, &distro).unwrap()).unwrap();
        let expected: BTreeSet<Pair> = expected
            .into_iter()
            .map(|pair| (pair.r#type, pair.name, pair.version, pair.advisory))
            .collect();
        let found = pairs(&database, &list, &distro);
        let missing: Vec<_> = expected.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&expected).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{list}: missing {missing:#?}, surplus {surplus:#?}"
        );
        let kinds =
            ["deb", "pypi", "npm"].map(|kind| found.iter().filter(|pair| pair.0 == kind).count());
        tools::say(&format!(
            "{list} on {distro}: {} pairs agree (deb, pypi, npm: {kinds:?})",
            found.len()
        ));
    }
}

fn pairs(database: &Database, list: &Utf8Path, distro: &str) -> BTreeSet<Pair> {
    let listed: Vec<Listed> = serde_json::from_slice(&std::fs::read(list).unwrap()).unwrap();
    let mut pairs = BTreeSet::new();
    for item in listed {
        let package = package(&item, distro);
        let (findings, problems) = match_package(database, &package);
        assert_eq!(problems, [], "{} {}", item.name, item.version);
        for finding in findings {
            assert!(!finding.advisories.is_empty() && !finding.remediation.is_empty());
            pairs.extend(finding.advisories.into_iter().map(|advisory| {
                (
                    item.r#type.clone(),
                    item.name.clone(),
                    item.version.clone(),
                    advisory.id,
                )
            }));
        }
    }
    pairs
}

fn package(item: &Listed, distro: &str) -> Package {
    let kind = PackageKind::parse(&item.r#type).unwrap();
    let source = item.source.clone().zip(item.source_version.clone());
    Package {
        kind,
        name: item.name.clone(),
        version: item.version.clone(),
        source: source.map(|(name, version)| SourcePackage { name, version }),
        ecosystem: match kind {
            PackageKind::Deb | PackageKind::Apk => distro,
            PackageKind::Pypi => "PyPI",
            PackageKind::Npm => "npm",
            other => panic!("the images hold no {other} packages"),
        }
        .to_owned(),
        purl: Purl::new(kind.as_str(), "", &item.name, &item.version, &[]).unwrap(),
    }
}
