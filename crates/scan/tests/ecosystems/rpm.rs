//! rpm's databases, sound and damaged: whatever is wrong with one, the rest of it is read and the damage is told.

use proptest::prelude::*;
use seareeve_model::Inventory;

use crate::made;

const FORMATS: [&str; 4] = [
    "rpmdb.sqlite",
    "Packages.db",
    "Packages.little",
    "Packages.big",
];

fn unpacked(name: &str) -> Vec<u8> {
    made::unpacked(&format!("rpm/{name}.zst"))
}

fn read(database: Vec<u8>) -> Inventory {
    let os = "ID=rocky\nVERSION_ID=9.4\n";
    made::inventory(&[vec![
        ("etc/os-release".to_owned(), os.into()),
        ("var/lib/rpm/Packages".to_owned(), database),
    ]])
}

/// Names with versions, and the messages of problems.
fn told(inventory: &Inventory) -> (Vec<String>, Vec<&str>) {
    let packages = inventory.packages.iter().map(|installed| {
        let package = &installed.package;
        format!("{} {}", package.name, package.version)
    });
    let problems = inventory.problems.iter();
    let problems = problems.map(|problem| problem.message.as_str());
    (packages.collect(), problems.collect())
}

#[test]
fn every_format_holds_the_same_packages() {
    for name in FORMATS {
        let inventory = read(unpacked(name));
        let (packages, problems) = told(&inventory);
        // As `rpm --query --all` lists them, but for the key.
        assert_eq!(
            packages,
            [
                "bash 5.1.8-9.el9",
                "foreign-agent 7.1-1",
                "many-files 1.0-1.el9",
                "nodejs 1:18.19.0-1.module_el9.3.0+89+9a9ec082",
                "openssl-libs 1:3.0.7-27.el9",
                "perl-IO 1.38-422.el8",
                "perl-libs 4:5.26.3-422.el8",
            ],
            "{name}"
        );
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }
}

/// Reads a database after `damage`, of which so many packages must be left.
fn check(name: &str, damage: impl FnOnce(&mut Vec<u8>), left: usize, expected: &[&str]) {
    let mut database = unpacked(name);
    damage(&mut database);
    let inventory = read(database);
    let (packages, problems) = told(&inventory);
    assert_eq!(packages.len(), left, "{name}: {packages:?}, {problems:?}");
    assert_eq!(problems, expected, "{name}");
}

const NOTHING: &str = "no package database was found, so the packages of rocky-9.4 are not known";

#[test]
fn a_damaged_head_is_told() {
    let cases: [(&str, usize, &[u8], &str); 10] = [
        ("rpmdb.sqlite", 0, b"x", "not a database in a format of rpm"),
        (
            "rpmdb.sqlite",
            16,
            &[0, 3],
            "the database's first page is damaged",
        ),
        ("rpmdb.sqlite", 100, &[2], "page 1 is not of a table"),
        (
            "Packages.db",
            4,
            &[1],
            "version 1 of rpm's ndb is not known",
        ),
        (
            "Packages.db",
            12,
            &[0, 0, 0, 1],
            "the database's table is cut off",
        ),
        (
            "Packages.little",
            12,
            b"x",
            "not a database in a format of rpm",
        ),
        (
            "Packages.little",
            20,
            &[1],
            "the database's first page is damaged",
        ),
        (
            "Packages.big",
            25,
            &[9],
            "the database's first page is damaged",
        ),
        ("Packages.big", 24, &[1], "the database is encrypted"),
        (
            "Packages.big",
            26,
            &[1],
            "databases with checksums in their pages are not read",
        ),
    ];
    for (name, at, bytes, expected) in cases {
        let mut database = unpacked(name);
        database[at..at + bytes.len()].copy_from_slice(bytes);
        let inventory = read(database);
        let (_, problems) = told(&inventory);
        assert!(problems.contains(&expected), "{name}: {problems:?}");
    }
    check(
        "rpmdb.sqlite",
        Vec::clear,
        0,
        &[NOTHING, "not a database in a format of rpm"],
    );
    check(
        "Packages.db",
        |database| database.truncate(8),
        0,
        &[NOTHING, "the database is cut off"],
    );
}

/// The places of `pattern`.
fn places(database: &[u8], pattern: &[u8]) -> Vec<usize> {
    let windows = database.windows(pattern.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == pattern);
    found.map(|(at, _)| at).collect()
}

#[test]
fn a_damaged_header_costs_one_package() {
    // The first tag of each header, after the length of its data.
    let region = [0, 0, 0, 0x3f, 0, 0, 0, 7];
    for name in FORMATS {
        let database = unpacked(name);
        let mut lost = Vec::new();
        for at in places(&database, &region) {
            let mut database = database.clone();
            database[at - 4] = 0x7f;
            let inventory = read(database);
            let (packages, problems) = told(&inventory);
            match problems.as_slice() {
                // SQLite and ndb leave behind what they have moved.
                [] => assert_eq!(packages.len(), 7, "{name}"),
                ["a package's header is damaged"] => lost.push(7 - packages.len()),
                other => panic!("{name}: {other:?}"),
            }
        }
        lost.sort_unstable();
        // The eighth is the key, which is no package.
        assert_eq!(lost, [0, 1, 1, 1, 1, 1, 1, 1], "{name}");
    }
}

#[test]
fn what_points_into_a_circle_or_nowhere_costs_one_package() {
    // A page of a large value goes on with itself.
    for (name, little) in [("Packages.little", true), ("Packages.big", false)] {
        check(
            name,
            |database| {
                let pages = (0..database.len()).step_by(4096);
                let goes_on = |at: &usize| {
                    let next = &database[at + 16..at + 20];
                    database[at + 25] == 7 && next != [0; 4]
                };
                let at = pages.clone().find(goes_on).unwrap();
                let own = u32::try_from(at / 4096).unwrap();
                let own = if little {
                    own.to_le_bytes()
                } else {
                    own.to_be_bytes()
                };
                database[at + 16..at + 20].copy_from_slice(&own);
            },
            6,
            &["a header on page 1 of the database is damaged"],
        );
    }
    // Slots whose blocks are beyond the end.
    check(
        "Packages.db",
        |database| {
            let slots = places(database, b"Slot");
            let used = slots
                .iter()
                .find(|at| database[*at + 8..*at + 12] != [0; 4]);
            let at = *used.unwrap();
            database[at + 8..at + 12].fill(0xff);
        },
        6,
        &["the header of package number 2 is damaged"],
    );
    check(
        "Packages.db",
        |database| {
            let slot = places(database, b"Slot")[0];
            database[slot] = b'x';
        },
        7,
        &["1 entries of the database's table are damaged"],
    );
}

#[test]
fn pages_in_use_twice_are_told() {
    let database = unpacked("rpmdb.sqlite");
    // The page of a tree's inner node with all children turned to itself.
    let inner = (4096..database.len()).step_by(4096);
    let inner: Vec<usize> = inner.filter(|at| database[*at] == 5).collect();
    for at in inner {
        let mut database = database.clone();
        let own = u32::try_from(at / 4096 + 1).unwrap().to_be_bytes();
        database[at + 8..at + 12].copy_from_slice(&own);
        let inventory = read(database);
        let (packages, problems) = told(&inventory);
        assert!(packages.len() < 8 && problems.len() <= 3, "{problems:?}");
        let page = format!(
            "page {} of the database is missing, or in use twice",
            at / 4096 + 1
        );
        assert!(
            problems.is_empty() || problems.contains(&page.as_str()),
            "{problems:?}"
        );
    }
}

/// Many slots for one header: the work must stay linear in the size of the file.
#[test]
fn headers_that_overlap_are_not_read_again_and_again() {
    let mut database = unpacked("Packages.db");
    let slots = places(&database, b"Slot");
    let used = slots
        .iter()
        .find(|at| database[*at + 8..*at + 12] != [0; 4]);
    let slot = database[*used.unwrap()..][..16].to_vec();
    for at in slots {
        database[at..at + 16].copy_from_slice(&slot);
    }
    let inventory = read(database);
    let (packages, problems) = told(&inventory);
    assert_eq!(packages.len(), 1);
    assert_eq!(problems, ["headers overlap: the rest was not read"]);
}

#[test]
fn a_log_of_another_database_is_not_applied() {
    let log = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut log = unpacked("before-log.sqlite-wal");
        change(&mut log);
        let inventory = made::inventory(&[vec![
            (
                "var/lib/rpm/rpmdb.sqlite".to_owned(),
                unpacked("before-log.sqlite"),
            ),
            ("var/lib/rpm/rpmdb.sqlite-wal".to_owned(), log),
        ]]);
        let problems: Vec<String> = inventory
            .problems
            .iter()
            .map(|p| p.message.clone())
            .collect();
        (
            inventory.packages.len(),
            problems.len(),
            problems.first().cloned(),
        )
    };
    // One problem says that the distribution is not known.
    let (packages, problems, _) = log(&|_| {});
    assert_eq!((packages, problems), (7, 1));
    // Whatever stands behind a damaged frame does not count, as for SQLite itself.
    let (packages, problems, _) = log(&|log| log[32 + 24 + 5] ^= 1);
    assert_eq!((packages, problems), (6, 1));
    let (packages, problems, _) = log(&|log| log.truncate(32));
    assert_eq!((packages, problems), (6, 1));
    let (packages, problems, _) = log(&Vec::clear);
    assert_eq!((packages, problems), (6, 1));
    let (packages, problems, _) = log(&|log| log[30] ^= 1);
    assert_eq!((packages, problems), (6, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_databases_never_panic(
        format in 0..FORMATS.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        end in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut database = unpacked(FORMATS[format]);
        for (at, byte) in damage {
            let at = at.index(database.len());
            database[at] = byte;
        }
        if let Some(end) = end {
            database.truncate(end.index(database.len()));
        }
        let first = read(database.clone());
        prop_assert!(first.packages.len() <= 8 && first.problems.len() <= 102);
        prop_assert_eq!(first, read(database));
    }
}
