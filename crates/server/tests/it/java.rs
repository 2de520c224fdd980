//! The index of Java archives: what it names, and that a running server notices a new one.

use camino::Utf8Path;
use seareeve_scan::ecosystems::JavaIndex;

use crate::support::{BOOKWORM, Browser, archive, debian, folder, start};

/// A Java archive that holds a class and no word about itself.
const MYSTERY: &str = concat!(
    "PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0",
    "com/example/A.class",
    "PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    "com/example/A.class",
    "PK\x05\x06\0\0\0\0\x01\0\x01\0\x41\0\0\0\x31\0\0\0\0\0"
);

/// Scans an image with the archive: the package URLs that its report has of Java, and what is wrong with the archive.
fn scan(browser: &mut Browser) -> (Vec<String>, Vec<String>) {
    let status = debian(&[("bash", "5.2.15-2")]);
    let image = archive(
        "test/app:1",
        &[
            ("etc/os-release", BOOKWORM),
            ("var/lib/dpkg/status", &status),
            ("opt/app/mystery.jar", MYSTERY),
        ],
    );
    let done = browser.scan(image);
    let digest = done["image"].as_str().unwrap_or_else(|| panic!("{done}"));
    let report = browser.get(&format!("/api/v1/images/{digest}/report")).body;
    let texts = |list: &str, field: &str, with: &str| -> Vec<String> {
        let items = report[list].as_array().unwrap().iter();
        let texts = items.map(|item| item[field].as_str().unwrap().to_owned());
        texts.filter(|text| text.contains(with)).collect()
    };
    (
        texts("packages", "purl", "maven"),
        texts("problems", "message", "SHA-1"),
    )
}

fn build(data: &Utf8Path, line: &str) {
    let list = data.with_file_name("list");
    std::fs::write(&list, line).unwrap();
    JavaIndex::build(&list, &data.join("java-index.db")).unwrap();
}

#[test]
fn a_new_index_is_used_without_starting_again() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let (packages, problems) = scan(&mut browser);
    assert_eq!((packages.len(), problems.len()), (0, 1), "{problems:?}");
    assert!(
        problems[0].contains("there is no Java index"),
        "{problems:?}"
    );
    let (_, rest) = problems[0].split_once("(SHA-1 ").unwrap();
    let sha1 = rest.split(')').next().unwrap();

    build(&data, &format!("{sha1} org.example:mystery:4.2"));
    let named = |version: &str| {
        let purl = format!("pkg:maven/org.example/mystery@{version}");
        (vec![purl], Vec::new())
    };
    assert_eq!(scan(&mut browser), named("4.2"));
    build(&data, &format!("{sha1} org.example:mystery:4.3"));
    assert_eq!(scan(&mut browser), named("4.3"));

    // One that cannot be used ends no scan.
    std::fs::write(data.join("java-index.db"), "rubbish").unwrap();
    let (packages, problems) = scan(&mut browser);
    assert_eq!((packages.len(), problems.len()), (0, 1), "{problems:?}");
    std::fs::remove_file(data.join("java-index.db")).unwrap();
    assert_eq!(scan(&mut browser).1.len(), 1);
}
