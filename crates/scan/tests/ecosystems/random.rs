//! Whatever stands in a package database, there is an inventory, the same each time, and it is bounded.

use std::fmt::Write as _;

use proptest::prelude::*;

use crate::made::{self, Layer};

const PLACES: [&str; 33] = [
    "etc/os-release",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages-wal",
    "var/lib/rpmmanifest/container-manifest-2",
    "opt/x-1.dist-info/METADATA",
    "srv/node_modules/x/package.json",
    "opt/x.egg-info",
    "srv/requirements.txt",
    "srv/Pipfile.lock",
    "srv/poetry.lock",
    "srv/pdm.lock",
    "srv/uv.lock",
    "srv/pylock.toml",
    "srv/package-lock.json",
    "srv/yarn.lock",
    "srv/pnpm-lock.yaml",
    "srv/go.mod",
    "srv/Cargo.lock",
    "usr/lib/specifications/x-1.gemspec",
    "srv/Gemfile.lock",
    "srv/vendor/composer/installed.json",
    "opt/composer.lock",
    "app/x.deps.json",
    "srv/packages.lock.json",
    "srv/packages.config",
    "var/lib/dpkg/status.d/more",
    "opt/y-1.dist-info/METADATA",
    "srv/one/yarn.lock",
    "srv/one/pnpm-lock.yaml",
];

/// Bytes of all kinds, mixed with pieces that the parsers look for.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..16),
        proptest::sample::select(vec![
            "Package: ",
            "Version: ",
            "Status: ",
            "Source: ",
            "Name: ",
            "P:",
            "V:",
            "o:",
            "\n",
            "\n\n",
            " ",
            "a",
            "1.0",
            "(",
            ")",
            "{",
            "}",
            "\"name\"",
            "\"version\"",
            ":",
            ",",
            "[",
            "]",
            "\"x\"",
            "@x/y",
            "ID=",
            "VERSION_ID=",
            "\"",
            "'",
            "\\",
            "debian",
            "alpine",
            "3.1",
            "%",
            "/",
            "?",
            "#",
            "\u{0}",
            "\t",
            "SQLite format 3\u{0}",
            "RpmP",
            "==",
            "\n  ",
            "\n    ",
            ": ",
            "- ",
            "@",
            "*",
            "&a ",
            "=",
            "[[package]]\nname = \"a\"\nversion = \"1\"\n",
            "source = \"registry+x\"\n",
            "{\"packages\": {\"node_modules/",
            "{\"dependencies\": {\"a\": {\"b\": {\"version\": \"1\"",
            "{\"default\": {\"a\": {\"version\": \"==1\"}",
            "{\"libraries\": {\"a/1\": {\"type\": \"package\"}",
            "lockfileVersion: 9\n",
            "packages:\n  ",
            "a@1.0.0:",
            "a@^1:\n  version \"1.0.0\"\n",
            "GEM\n  specs:\n",
            "    a (1.0-x)\n",
            "# stub: a 1 x y\n",
            "require a v1\n",
            "replace a => b v2\n",
            "<package id=\"a\" version='1'/>",
            "<!--",
            ">",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_databases_never_panic(
        contents in proptest::collection::vec((0..PLACES.len(), content()), 0..6),
        more in proptest::collection::vec((0..PLACES.len(), content()), 0..4),
    ) {
        let layer = |files: &[(usize, Vec<u8>)]| -> Layer {
            files.iter().map(|(place, content)| (PLACES[*place].to_owned(), content.clone())).collect()
        };
        let layers = [layer(&contents), layer(&more)];
        let first = made::inventory(&layers);
        prop_assert!(first.packages.is_sorted() && first.problems.is_sorted());
        prop_assert_eq!(first, made::inventory(&layers));
    }
}

#[test]
fn deep_json_is_a_problem_or_ignored() {
    let deep = "[".repeat(1_000_000);
    let nested = format!(
        "{{\"deps\": {}{}, \"name\": \"a\", \"version\": \"1\"}}",
        deep,
        "]".repeat(1_000_000)
    );
    for (content, packages) in [
        (deep.clone(), 0),
        (format!("{{\"name\": {deep}"), 0),
        (nested, 1),
    ] {
        let files = vec![(
            "node_modules/a/package.json".to_owned(),
            content.into_bytes(),
        )];
        let inventory = made::inventory(&[files]);
        assert_eq!(inventory.packages.len(), packages);
        assert_eq!(inventory.problems.is_empty(), packages == 1);
    }
}

#[test]
fn deep_lock_files_are_problems() {
    let lists = "[".repeat(200_000);
    let tables = "{\"a\":".repeat(200_000);
    let dependencies = "{\"dependencies\":{\"a\":".repeat(100_000);
    for (place, content) in [
        (
            "package-lock.json",
            format!("{{\"packages\":{{\"a\":{lists}"),
        ),
        ("package-lock.json", dependencies),
        ("Pipfile.lock", format!("{{\"default\":{tables}")),
        ("vendor/composer/installed.json", lists.clone()),
        ("x.deps.json", format!("{{\"targets\":{tables}")),
        (
            "pnpm-lock.yaml",
            format!("lockfileVersion: 9\npackages: {lists}"),
        ),
        (
            "pnpm-lock.yaml",
            format!("lockfileVersion: 9\npackages: {tables}"),
        ),
        ("Cargo.lock", format!("[[package]]\nname = {lists}")),
        ("uv.lock", format!("[[package]]\ndependencies = {lists}")),
        (
            "poetry.lock",
            format!("[[package]]\n{}", "a.".repeat(200_000)),
        ),
    ] {
        let inventory = made::inventory(&[vec![(place.to_owned(), content.into_bytes())]]);
        assert_eq!(inventory.packages, [], "{place}");
        assert_eq!(
            inventory.problems.len(),
            1,
            "{place}: {:?}",
            inventory.problems
        );
    }
}

#[test]
fn packages_of_one_lock_file_are_bounded() {
    let mut entries = String::new();
    for number in 0..200_100 {
        write!(
            entries,
            "\"node_modules/a{number}\":{{\"version\":\"1.0.0\"}},"
        )
        .unwrap();
    }
    let lock = format!("{{\"packages\":{{{entries}\"\":{{}}}}}}");
    let files = vec![("package-lock.json".to_owned(), lock.into_bytes())];
    let inventory = made::inventory(&[files]);
    assert_eq!(inventory.packages.len(), 200_000);
    let codes: Vec<&str> = inventory
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    assert_eq!(codes, ["limit_reached"]);
}

#[test]
fn packages_and_problems_of_one_image_are_bounded() {
    let mut status = String::new();
    for number in 0..200_100 {
        write!(status, "Package: p{number}\nVersion: 1\n\n").unwrap();
    }
    let files = vec![("var/lib/dpkg/status".to_owned(), status.into_bytes())];
    let inventory = made::inventory(&[files]);
    assert_eq!(inventory.packages.len(), 200_000);
    let codes: Vec<&str> = inventory
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    assert_eq!(codes, ["limit_reached", "distro_unknown"]);

    let broken = "Package: p\n\n".repeat(500);
    let files = vec![("var/lib/dpkg/status".to_owned(), broken.into_bytes())];
    let inventory = made::inventory(&[files]);
    let messages: Vec<&str> = inventory
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "400 more records were not understood",
            "no version of package p"
        ]
    );
}

#[test]
fn problems_and_words_of_a_hostile_image_are_bounded_over_all_files() {
    let mut files: Layer = (0..200)
        .map(|number| {
            let stanzas: String = (0..100)
                .map(|at| format!("Package: p{number}-{at}\n\n"))
                .collect();
            (
                format!("var/lib/dpkg/status.d/{number}"),
                stanzas.into_bytes(),
            )
        })
        .collect();
    let long = format!("ID=debian\nVERSION_ID={}\n", "1".repeat(60_000));
    files.push(("etc/os-release".to_owned(), long.into_bytes()));
    let slash = "Name: requests\nVersion: 1/2\n";
    files.push(("x.dist-info/METADATA".to_owned(), slash.into()));
    let inventory = made::inventory(&[files]);
    assert!(
        inventory.problems.len() < 10_010,
        "{}",
        inventory.problems.len()
    );
    let untold = inventory
        .problems
        .iter()
        .filter(|problem| problem.message.ends_with("more problems are not listed"));
    assert_eq!(untold.count(), 1);
    assert!(
        inventory
            .packages
            .iter()
            .all(|p| p.package.ecosystem.len() < 300)
    );
    // Whatever is listed can be written down and read again.
    assert!(inventory.packages.iter().all(|p| {
        p.package
            .purl
            .as_str()
            .parse::<seareeve_model::Purl>()
            .is_ok()
    }));
}
