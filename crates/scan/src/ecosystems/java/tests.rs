//! Archives made here, plain and hostile.

use std::io::{Cursor, Write as _};

use camino::Utf8Path;
use sha1::{Digest as _, Sha1};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::super::inspected;
use super::{ECOSYSTEM, JavaIndex};

const STORED: CompressionMethod = CompressionMethod::Stored;
const DEFLATED: CompressionMethod = CompressionMethod::Deflated;
const UNKNOWN: &str = "identity unknown: the archive does not say group, artifact and version";

fn told(path: &str, content: &[u8]) -> (Vec<String>, Vec<String>) {
    inspected::told(&ECOSYSTEM, path, content, None)
}

fn packages(path: &str, content: &[u8]) -> Vec<String> {
    let (packages, problems) = told(path, content);
    assert_eq!(problems, [""; 0], "{path}");
    packages
}

fn archive(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn pom(group: &str, artifact: &str, version: &str) -> (String, Vec<u8>) {
    let name = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    let text = format!("version={version}\ngroupId={group}\nartifactId={artifact}\n");
    (name, text.into_bytes())
}

fn library(group: &str, artifact: &str, version: &str) -> Vec<u8> {
    let (name, text) = pom(group, artifact, version);
    archive(DEFLATED, &[("a/B.class", b""), (name.as_str(), &text)])
}

#[test]
fn archives_say_what_they_are_made_of() {
    let own = pom("org.x", "tool", "1.0");
    let shaded = pom("com.fasterxml.jackson.core", "jackson-databind", "2.9.8");
    let inner = format!("BOOT-INF/classes/{}", pom("g", "own", "2").0);
    let entries: [(&str, &[u8]); 4] = [
        ("a/B.class", b""),
        (&own.0, &own.1),
        (&shaded.0, &shaded.1),
        (&inner, &pom("g", "own", "2").1),
    ];
    for method in [STORED, DEFLATED] {
        let jar = archive(method, &entries);
        let expected = [
            "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.9.8",
            "pkg:maven/g/own@2",
            "pkg:maven/org.x/tool@1.0",
        ];
        assert_eq!(packages("opt/tool-1.0.jar", &jar), expected);
        // Renamed, it is still made of the same.
        assert_eq!(packages("opt/APP.JAR", &jar), expected);
    }
}

#[test]
fn archives_in_archives_keep_their_place() {
    let jar = library("org.x", "a", "1.0");
    let war = archive(
        DEFLATED,
        &[
            ("WEB-INF/lib/a-1.0.jar", &jar),
            ("WEB-INF/classes/M.class", b""),
        ],
    );
    let plain = archive(STORED, &[("lib/a-1.0.jar", &jar), ("x.war", &war)]);
    for ear in [
        plain,
        archive(DEFLATED, &[("lib/a-1.0.jar", &jar), ("x.war", &war)]),
    ] {
        assert_eq!(
            packages("srv/app.ear", &ear),
            [
                "pkg:maven/org.x/a@1.0 in lib/a-1.0.jar",
                "pkg:maven/org.x/a@1.0 in x.war/WEB-INF/lib/a-1.0.jar",
            ]
        );
    }
    let climbs = archive(DEFLATED, &[("../../etc/a.jar", &jar)]);
    assert_eq!(packages("app.jar", &climbs), ["pkg:maven/org.x/a@1.0"]);
}

#[test]
fn archives_may_stand_behind_a_script_and_before_a_comment() {
    let jar = library("org.x", "a", "1.0");
    let mut behind = b"#!/bin/sh\nexec java -jar \"$0\"\n".to_vec();
    behind.extend(&jar);
    assert_eq!(packages("a-1.0.jar", &behind), ["pkg:maven/org.x/a@1.0"]);

    let comment = b"of PK\x05\x06 and many more words that are no end of an archive";
    let mut commented = jar.clone();
    let end = commented.len() - 2;
    commented[end..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    commented.extend(comment);
    assert_eq!(packages("a-1.0.jar", &commented), ["pkg:maven/org.x/a@1.0"]);
}

/// The end of the directory in the form for large archives, with or without bytes before the archive.
#[test]
fn large_archives_have_another_end() {
    let jar = library("org.x", "a", "1.0");
    let (body, end) = jar.split_at(jar.len() - 22);
    let number = |at: usize, length: usize| {
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(&end[at..at + length]);
        u64::from_le_bytes(bytes)
    };
    for before in [0, 1000] {
        let mut large = vec![b'#'; before];
        large.extend(body);
        large.extend(b"PK\x06\x06");
        large.extend(44_u64.to_le_bytes());
        large.extend([0; 12]);
        for field in [number(10, 2), number(10, 2), number(12, 4), number(16, 4)] {
            large.extend(field.to_le_bytes());
        }
        large.extend(b"PK\x06\x07\0\0\0\0");
        large.extend((body.len() as u64).to_le_bytes());
        large.extend(1_u32.to_le_bytes());
        large.extend(b"PK\x05\x06\0\0\0\0");
        large.extend([0xff; 12]);
        large.extend([0; 2]);
        assert_eq!(
            packages("a-1.0.jar", &large),
            ["pkg:maven/org.x/a@1.0"],
            "{before}"
        );
    }
}

#[test]
fn a_broken_archive_is_a_problem_and_the_rest_is_read() {
    let jar = library("org.x", "a", "1.0");
    let half = &jar[..jar.len() / 2];
    let entries: [(&str, &[u8]); 5] = [
        ("lib/broken.jar", half),
        ("lib/a.jar", &jar),
        ("lib/text.jar", b"not an archive"),
        (
            "META-INF/maven/g/b/pom.properties",
            b"groupId=g\nartifactId=b\n",
        ),
        (
            "META-INF/maven/g/c/pom.properties",
            b"groupId=g\nartifactId=c\nversion=3\n",
        ),
    ];
    let (packages, problems) = told("app.war", &archive(DEFLATED, &entries));
    assert_eq!(
        packages,
        ["pkg:maven/g/c@3", "pkg:maven/org.x/a@1.0 in lib/a.jar"]
    );
    let missing = "failed to read the archive: this is not a zip archive, or its end is missing";
    assert_eq!(
        problems,
        [
            "META-INF/maven/g/b/pom.properties does not say group, artifact and version".to_owned(),
            format!("lib/broken.jar: {missing}"),
            format!("lib/text.jar: {missing}"),
        ]
    );
    assert_eq!(told("a.jar", half).1, [missing]);
    assert_eq!(
        inspected::extract(&ECOSYSTEM, "a.jar", half, 512, false),
        None
    );
    assert_eq!(told("a.jar", b""), (vec![], vec![]));
    assert_eq!(told("a.zip", &jar), (vec![], vec![]));
}

/// The bytes of the first entry's headers, local and in the directory.
fn patch(jar: &mut [u8], local: usize, central: usize, value: u8) {
    let directory = memchr::memmem::find(jar, b"PK\x01\x02").unwrap();
    jar[local] = value;
    jar[directory + central] = value;
}

#[test]
fn entries_that_cannot_be_read_are_problems() {
    let jar = library("org.x", "a", "1.0");
    for (local, central, value, message) in [
        (6, 8, 1, "the entry is encrypted"),
        (
            8,
            10,
            99,
            "the entry is compressed by method 99, which Java does not know",
        ),
        (0, 4, 0, "the entry is damaged"),
    ] {
        let mut broken = archive(DEFLATED, &[("lib/a.jar", &jar)]);
        patch(&mut broken, local, central, value);
        let (packages, problems) = told("x.war", &broken);
        assert_eq!(packages, [""; 0]);
        assert_eq!(problems, [format!("failed to read lib/a.jar: {message}")]);
    }
}

#[test]
fn nesting_and_unpacking_end() {
    let mut deep = library("org.x", "a", "1.0");
    for _ in 0..9 {
        deep = archive(STORED, &[("x.jar", &deep)]);
    }
    let (packages, problems) = told("x.jar", &deep);
    assert_eq!(packages, [""; 0]);
    assert_eq!(
        problems,
        [format!(
            "{}: x.jar stands too deep in other archives and was not read",
            ["x.jar"; 7].join("/")
        )]
    );

    // 320 MB of zeros in 320 KB.
    let zeros = vec![0; 320 << 20];
    let bomb = archive(DEFLATED, &[("zeros.jar", &zeros)]);
    drop(zeros);
    assert!(bomb.len() < 400_000);
    let extract = inspected::extract(&ECOSYSTEM, "bomb.jar", &bomb, 65_536, true).unwrap();
    assert!(String::from_utf8_lossy(&extract).contains("unpacks to too much"));
}

#[test]
fn a_library_without_a_name_is_looked_up_or_a_problem() {
    let jar = archive(DEFLATED, &[("com/example/A.class", b"")]);
    let sha1: String = Sha1::digest(&jar)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let war = archive(
        DEFLATED,
        &[
            ("WEB-INF/lib/mystery.jar", &jar),
            ("WEB-INF/classes/M.class", b""),
        ],
    );
    let problem = format!(
        "WEB-INF/lib/mystery.jar: {UNKNOWN} (SHA-1 {sha1}), and there is no Java index to look it up in: \
         seareeve db java-index makes one"
    );
    assert_eq!(told("app.war", &war), (vec![], vec![problem]));

    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path())
        .unwrap()
        .join("java.index");
    let guessed = archive(STORED, &[("org/apache/commons/io/A.class", b"")]);
    let sha1_of_guessed: String = Sha1::digest(&guessed)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let lines = [
        format!("{sha1} com.example:mystery:4.2"),
        format!("{sha1_of_guessed} org.example:fork:2"),
    ];
    let list = path.with_extension("txt");
    std::fs::write(&list, lines.join("\n")).unwrap();
    JavaIndex::build(&list, &path).unwrap();
    let index = JavaIndex::open(&path).unwrap();
    let told = |path: &str, content: &[u8], index| {
        let (packages, problems) = inspected::told(&ECOSYSTEM, path, content, index);
        assert_eq!(problems, [""; 0]);
        packages
    };
    assert_eq!(
        told("app.war", &war, Some(&index)),
        ["pkg:maven/com.example/mystery@4.2 in WEB-INF/lib/mystery.jar"]
    );
    // What is known is better than what is guessed.
    assert_eq!(
        told("commons-io-2.11.0.jar", &guessed, Some(&index)),
        ["pkg:maven/org.example/fork@2"]
    );
    assert_eq!(
        told("commons-io-2.11.0.jar", &guessed, None),
        ["pkg:maven/commons-io/commons-io@2.11.0"]
    );
}

/// What was copied into a library does not say what the library is.
#[test]
fn a_library_is_not_what_it_holds() {
    let (name, text) = pom("cglib", "cglib", "3.2.12");
    let jar = archive(DEFLATED, &[("com/google/A.class", b""), (&name, &text)]);
    let (packages, problems) = told("guice-4.2.3.jar", &jar);
    assert_eq!(packages, ["pkg:maven/cglib/cglib@3.2.12"]);
    assert!(problems[0].starts_with(UNKNOWN), "{problems:?}");
    // Without a version in its name it was renamed.
    assert_eq!(told("app.jar", &jar).1, [""; 0]);
}

/// Entries and archives that share their bytes make a small file say much.
#[test]
fn shared_bytes_are_read_only_so_often() {
    let zeros = vec![b' '; 1 << 20];
    let text = ["groupId=g\nartifactId=a\nversion=1\n".as_bytes(), &zeros].concat();
    let (name, _) = pom("g", "a", "1");
    let inner = archive(DEFLATED, &[(&name, &text)]);
    let entries: Vec<(String, &[u8])> = (0..600)
        .map(|n| (format!("{n}.jar"), inner.as_slice()))
        .collect();
    let entries: Vec<(&str, &[u8])> = entries
        .iter()
        .map(|(name, jar)| (name.as_str(), *jar))
        .collect();
    let jar = archive(STORED, &entries);
    let extract = inspected::extract(&ECOSYSTEM, "x.jar", &jar, 65_536, true).unwrap();
    assert!(String::from_utf8_lossy(&extract).contains("unpacks to too much"));
}

/// All entries of the directory have the content of one: a few kilobytes that unpack to hundreds of megabytes.
#[test]
fn entries_that_are_one_are_not_unpacked_again_and_again() {
    let (name, mut text) = pom("g", "a", "1");
    text.resize(1 << 20, b'\n');
    let jar = archive(DEFLATED, &[(&name, &text)]);
    let directory = jar.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
    let (content, rest) = jar.split_at(directory);
    let (entry, end) = rest.split_at(rest.len() - 22);
    let size = u32::try_from(entry.len() * 300).unwrap();
    let mut end = end.to_vec();
    end[12..16].copy_from_slice(&size.to_le_bytes());
    let jar = [content, &entry.repeat(300), &end].concat();
    assert!(jar.len() < 40_000, "{}", jar.len());
    let (packages, problems) = told("x.jar", &jar);
    assert_eq!(packages, ["pkg:maven/g/a@1"]);
    let unread = format!("failed to read {name}: the file unpacks to too much");
    let unread: Vec<&String> = problems.iter().filter(|why| **why == unread).collect();
    assert_eq!(unread.len(), 20, "{problems:?}");
}

#[test]
fn what_is_no_library_needs_no_name() {
    let jar = library("org.x", "a", "1.0");
    let boot: &[u8] = b"Start-Class: com.example.Main\n";
    for (path, entries) in [
        (
            "app-1.0-sources.jar",
            vec![("com/example/A.java", b"".as_slice())],
        ),
        (
            "app.jar",
            vec![
                ("META-INF/MANIFEST.MF", boot),
                ("org/springframework/boot/loader/L.class", b""),
            ],
        ),
        (
            "app.jar",
            vec![("BOOT-INF/classes/com/example/A.class", b"".as_slice())],
        ),
    ] {
        assert_eq!(packages(path, &archive(DEFLATED, &entries)), [""; 0]);
    }
    let entries: [(&str, &[u8]); 2] = [("com/example/Main.class", b""), ("lib/a-1.0.jar", &jar)];
    assert_eq!(
        packages("app.jar", &archive(DEFLATED, &entries)),
        ["pkg:maven/org.x/a@1.0 in lib/a-1.0.jar"]
    );
}

#[test]
fn no_damage_is_a_panic() {
    let jar = library("org.x", "a", "1.0");
    let war = archive(STORED, &[("WEB-INF/lib/a-1.0.jar", &jar)]);
    for place in 0..war.len() {
        for value in [0x00, 0x7f, 0xff] {
            let mut bytes = war.clone();
            bytes[place] = value;
            let _ = inspected::extract(&ECOSYSTEM, "a.war", &bytes, 65_536, true);
        }
        let _ = inspected::extract(&ECOSYSTEM, "a.war", &war[..place], 65_536, true);
    }
}
