//! The file through its front door: what is built, that it is the same every time, and that no damage to
//! it makes a reader panic.

use std::cell::Cell;
use std::fs;
use std::io::{Cursor, Write as _};

use camino::Utf8Path;
use jiff::Timestamp;
use proptest::prelude::*;
use seareeve_model::{DatabaseKind, Package, PackageKind, Purl};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::*;
use crate::match_package;

mod feeds;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn record(id: &str, name: &str) -> Value {
    json!({"id": id, "modified": "2024-01-01T00:00:00Z", "summary": format!("{id} in {name}"),
        "details": "A heap overflow.\nMore words.", "aliases": [format!("CVE-{id}")],
        "references": [{"type": "WEB", "url": "https://example.org/1"}, {"type": "WEB", "url": "javascript:x"}],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]})
}

fn bytes(records: &[Value]) -> Vec<u8> {
    let mut builder = Builder::new(DatabaseKind::Full, NOW);
    for record in records {
        builder
            .add_json("test", record.to_string().as_bytes())
            .unwrap();
    }
    builder.finish().unwrap().0
}

fn database(records: &[Value]) -> Database {
    Database::from_bytes(bytes(records)).unwrap()
}

fn package(name: &str) -> Package {
    Package {
        kind: PackageKind::Pypi,
        name: name.to_owned(),
        version: "1".to_owned(),
        source: None,
        ecosystem: "PyPI".to_owned(),
        purl: Purl::new("pypi", "", name, "1", &[]).unwrap(),
    }
}

#[test]
fn a_vulnerability_is_found_by_every_name() {
    let upstream = json!({"id": "DSA-1", "upstream": ["CVE-A-1", "CVE-9"], "affected": []});
    let database = database(&[record("A-1", "a"), upstream]);
    let ids = |id: &str| -> Vec<String> {
        let found = database.vulnerabilities(id).unwrap();
        found
            .into_iter()
            .map(|vulnerability| vulnerability.id)
            .collect()
    };
    assert_eq!(ids("A-1"), ["CVE-A-1"]);
    assert_eq!(ids("CVE-A-1"), ["CVE-A-1"]);
    assert_eq!(ids("DSA-1"), ["CVE-9", "CVE-A-1"]);
    assert_eq!(ids("CVE-0"), Vec::<String>::new());
    let found = database.vulnerabilities("A-1").unwrap().remove(0);
    assert_eq!(found.title, "A-1 in a");
    assert_eq!(found.description, "A heap overflow.\nMore words.");
    assert_eq!(
        (found.cvss[0].version.as_str(), found.cvss[0].score),
        ("3.1", 7.5)
    );
    assert_eq!(found.references.len(), 1);
}

#[test]
fn the_same_records_make_the_same_bytes_in_any_order() {
    let mut records: Vec<Value> = (0..40)
        .map(|n| record(&format!("A-{n}"), &format!("p{}", n % 7)))
        .collect();
    records.push(json!({"id": "A-1", "modified": "2023-01-01T00:00:00Z", "summary": "older"}));
    records.push(json!({"id": "A-2", "modified": "2024-01-01T00:00:00Z", "summary": "same age"}));
    let forth = bytes(&records);
    records.reverse();
    assert!(forth == bytes(&records));
    records.rotate_left(13);
    assert!(forth == bytes(&records));
    let database = Database::from_bytes(forth).unwrap();
    assert_eq!(
        database.vulnerabilities("A-1").unwrap()[0].title,
        "A-1 in p1"
    );
    assert_eq!(database.info().advisories, 40);
    database.verify().unwrap();
}

#[test]
fn the_digest_is_of_the_content_not_of_the_time() {
    let later = {
        let mut builder = Builder::new(DatabaseKind::Full, "2026-01-01T00:00:00Z".parse().unwrap());
        builder
            .add_json("test", record("A-1", "a").to_string().as_bytes())
            .unwrap();
        builder.finish().unwrap().1.info
    };
    let now = database(&[record("A-1", "a")]).info();
    assert_eq!(later.digest, now.digest);
    assert_ne!(later.built, now.built);
}

#[test]
fn every_change_of_a_finding_changes_its_package() {
    let base = || vec![record("A-1", "a"), record("B-1", "b"), record("C-1", "C_c")];
    let old = database(&base());
    let check = |records: Vec<Value>, expected: &[&str]| {
        let changed = changed_names(Some(&old), &database(&records)).unwrap();
        let names: Vec<&str> = changed.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, expected);
    };
    let edit = |edit: &dyn Fn(&mut Value)| {
        let mut records = base();
        edit(&mut records[0]);
        records
    };
    check(base(), &[]);
    check(
        edit(&|record| record["affected"][0]["ranges"][0]["events"][1]["fixed"] = json!("3")),
        &["a"],
    );
    check(
        edit(&|record| record["summary"] = json!("new words")),
        &["a"],
    );
    check(edit(&|record| record["aliases"] = json!([])), &["a"]);
    check(edit(&|record| record["severity"] = json!([])), &["a"]);
    check(
        edit(&|record| record["withdrawn"] = json!("2024-02-01T00:00:00Z")),
        &["a"],
    );
    check(
        edit(&|record| record["affected"][0]["package"]["name"] = json!("z")),
        &["a", "z"],
    );
    check(base().split_off(1), &["a"]);
    // Words borrowed from a record of another ecosystem.
    let mut borrowed = base();
    borrowed.push(json!({"id": "BIT-1", "aliases": ["CVE-B-1"], "affected": [
        {"package": {"ecosystem": "Bitnami", "name": "x"}, "versions": ["1"]}]}));
    check(borrowed, &["x", "b"]);
    let all = changed_names(None, &old).unwrap();
    let keys = keys_of(&package("C.C"));
    assert_eq!(all.len(), 3);
    assert!(all.contains(&keys[0]), "{keys:?}");
}

#[test]
fn bad_records_are_told_and_never_end_the_build() {
    let mut builder = Builder::new(DatabaseKind::Full, NOW);
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for bad in [
        "",
        "{",
        "[]",
        r#"{"id": ""}"#,
        &deep,
        r#"{"id": "X", "affected": [{"ranges": []}]}"#,
    ] {
        builder.add_json("bad.json", bad.as_bytes()).unwrap();
    }
    builder
        .add_json("good.json", record("A-1", "a").to_string().as_bytes())
        .unwrap();
    let (_, report) = builder.finish().unwrap();
    assert_eq!(report.problems.len(), 6);
    assert_eq!(report.info.advisories, 2);
    assert!(matches!(
        Builder::new(DatabaseKind::Full, NOW).finish(),
        Err(BuildError::Empty { .. })
    ));
}

fn archive(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn builds_from_folders_archives_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let write = |path: &str, content: Vec<u8>| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let json = |id: &str| record(id, "a").to_string().into_bytes();
    let bomb = vec![b' '; 40 << 20];
    write(
        "osv/PyPI/all.zip",
        archive(&[
            ("A-1.json", json("A-1")),
            ("../A-2.json", json("A-2")),
            ("bomb.json", bomb),
            ("README", vec![1]),
        ]),
    );
    write("osv/npm/all.zip", b"PK no archive".to_vec());
    write("osv/loose/A-3.json", json("A-3"));
    write("one.json", json("A-4"));
    let out = folder.join("advisories.db");
    fs::write(&out, "old").unwrap();
    let told = Cell::new(0);
    let inputs = |paths: &[&str]| Sources {
        records: paths.iter().map(|path| folder.join(path)).collect(),
        ..Sources::default()
    };
    let report = build(&inputs(&["osv", "one.json"]), &out, NOW, &|_| {
        told.set(told.get() + 1)
    })
    .unwrap();
    assert_eq!(report.info.advisories, 4);
    let places: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.place.as_str())
        .collect();
    assert_eq!(places, ["PyPI/all.zip:bomb.json", "npm/all.zip"]);
    assert!(told.get() >= 5);
    let database = Database::open(&out).unwrap();
    database.verify().unwrap();
    assert_eq!(database.info(), report.info);
    assert_eq!(match_package(&database, &package("a")).0.len(), 4);
    // Nothing else is left beside it, and a failed build leaves the old file.
    let left = fs::read_dir(folder).unwrap().count();
    assert_eq!(left, 3);
    assert!(matches!(
        build(&inputs(&["none"]), &out, NOW, &|_| {}),
        Err(BuildError::Input { .. })
    ));
    assert!(matches!(
        build(&inputs(&["osv/npm"]), &out, NOW, &|_| {}),
        Err(BuildError::Empty { .. })
    ));
    Database::open(&out).unwrap().verify().unwrap();
}

/// All entries of the directory have the content of one: a few kilobytes that unpack to hundreds of megabytes.
#[test]
fn an_archive_unpacks_only_to_so_much() {
    let mut json = record("A-1", "a").to_string().into_bytes();
    json.resize(1 << 20, b' ');
    let archive = archive(&[("000.json", json)]);
    let directory = archive.windows(4).position(|at| at == b"PK\x01\x02");
    let (content, rest) = archive.split_at(directory.unwrap());
    let (entry, end) = rest.split_at(rest.len() - 22);
    let mut bytes = content.to_vec();
    for number in 0..200 {
        let mut entry = entry.to_vec();
        entry[46..49].copy_from_slice(format!("{number:03}").as_bytes());
        bytes.extend(entry);
    }
    let size = u32::try_from(entry.len() * 200).unwrap();
    let mut end = end.to_vec();
    for count in [8, 10] {
        end[count..count + 2].copy_from_slice(&200_u16.to_le_bytes());
    }
    end[12..16].copy_from_slice(&size.to_le_bytes());
    bytes.extend(end);
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    fs::write(folder.join("all.zip"), &bytes).unwrap();
    let sources = Sources {
        records: vec![folder.join("all.zip")],
        ..Sources::default()
    };
    let report = build(&sources, &folder.join("out.db"), NOW, &|_| {}).unwrap();
    assert_eq!(report.info.advisories, 1);
    let read = bytes.len() * 300 / (1 << 20) + 1;
    let told = format!(
        "unpacks to too much: the last {} entries were not read",
        200 - read
    );
    let problems = report.problems.iter().map(|p| p.message.as_str());
    assert_eq!(problems.collect::<Vec<_>>(), [told]);
}

#[test]
fn what_is_no_database_is_told_apart() {
    let open = |bytes: &[u8]| {
        Database::from_bytes(bytes.to_vec())
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(
        open(b"").as_deref(),
        Some("this is not an advisory database")
    );
    assert_eq!(
        open(b"SQLite format 3").as_deref(),
        Some("this is not an advisory database")
    );
    let mut other = bytes(&[record("A-1", "a")]);
    other[8] = 99;
    assert_eq!(
        open(&other).as_deref(),
        Some("the advisory database has format 99, this program reads format 2")
    );
    assert!(matches!(
        Database::open(Utf8Path::new("no-such-file")),
        Err(DatabaseError::Open { .. })
    ));
}

/// Everything that can be read, is read.
fn read_all(bytes: Vec<u8>) {
    let Ok(database) = Database::from_bytes(bytes) else {
        return;
    };
    let _ = database.verify();
    let _ = database.has_ecosystem("PyPI");
    for name in ["a", "p3", "zz"] {
        let _ = match_package(&database, &package(name));
    }
    for id in ["A-1", "CVE-2020-3", "zz"] {
        let _ = database.vulnerabilities(id);
        let _ = database.epss(id);
    }
    let _ = changed_names(Some(&database), &database);
}

fn healthy() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| {
        let mut builder = Builder::new(DatabaseKind::Full, NOW);
        for n in 0..60 {
            let mut record = record(&format!("A-{n}"), &format!("p{}", n % 7));
            record["aliases"] = json!([format!("CVE-2020-{n}")]);
            builder
                .add_json("test", record.to_string().as_bytes())
                .unwrap();
        }
        feeds::set(&mut builder);
        builder.finish().unwrap().0
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), end in any::<prop::sample::Index>(), cut in prop::bool::weighted(0.3)) {
        let mut bytes = healthy().to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        // The header's own check would refuse most damage to it: sign it again, as a forger would.
        format::sign(&mut bytes);
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        read_all(bytes);
    }
}
