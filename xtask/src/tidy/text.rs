//! Words that must not stand in the repository: stubs, registries' hosts, places on one machine.

use super::{Tree, Violations, numbered};

/// Hosts of package registries: what is built from here must follow each user's own settings. In pieces, because this
/// file is searched too.
const HOSTS: &[&str] = &[
    concat!("crates", ".io/api"),
    concat!("deb.", "debian.org"),
    concat!("files.python", "hosted.org"),
    concat!("index.crates", ".io"),
    concat!("py", "pi.org"),
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("static.crates", ".io"),
];

/// Folders of one machine, where they start a path.
const PLACES: &[&str] = &[concat!("/wo", "rk/"), concat!("/fa", "rm/")];

/// Marks of unfinished Rust.
const RUST: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[ig", "nore"),
];

/// Marks of tests that do not run, or that keep others from running.
const SCRIPT: &[&str] = &[
    concat!(".sk", "ip("),
    concat!(".fix", "me("),
    concat!(".on", "ly("),
    concat!(".to", "do("),
];

/// Lock files say versions and digests; from where is each user's own setting.
pub(super) fn lock_files(tree: &Tree, found: &mut Violations) {
    for path in tree
        .ending(&["json"])
        .filter(|path| path.ends_with("package-lock.json"))
    {
        let text = tree.text(path).unwrap_or_default();
        for (line, _) in numbered(&text).filter(|(_, line)| line.contains("\"resolved\":")) {
            found.add(
                path,
                line,
                "has a download address; set omit-lockfile-registry-resolved and write it anew",
            );
        }
    }
}

/// No hosts of registries and no paths of one machine.
pub(super) fn places(tree: &Tree, found: &mut Violations) {
    for path in &tree.files {
        let Some(text) = tree.text(path) else {
            continue;
        };
        for (number, line) in numbered(&text) {
            for host in HOSTS.iter().filter(|host| line.contains(**host)) {
                found.add(path, number, format!("names the registry's host {host}"));
            }
            for place in PLACES.iter().filter(|place| starts_a_path(line, place)) {
                found.add(
                    path,
                    number,
                    format!("names the folder {place} of one machine"),
                );
            }
        }
    }
}

/// Whether `place` stands in `line` as the start of a path, not in the middle of one.
fn starts_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~}*/".contains(c))
            || line
                .get(..at)
                .is_some_and(|before| before.ends_with("file://"))
    })
}

/// Nothing is left for later, and every test runs.
pub(super) fn stubs(tree: &Tree, found: &mut Violations) {
    let tests = tree.ending(&["ts", "tsx"]).filter(|path| {
        path.starts_with("ui/e2e/") || path.contains(".test.") || path.contains(".spec.")
    });
    let files = tree
        .ending(&["rs"])
        .map(|path| (path, RUST))
        .chain(tests.map(|path| (path, SCRIPT)));
    for (path, marks) in files {
        let text = tree.text(path).unwrap_or_default();
        for (number, line) in numbered(&text) {
            for mark in marks.iter().filter(|mark| line.contains(**mark)) {
                found.add(path, number, format!("`{mark}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    #[test]
    fn addresses_in_lock_files_are_found() {
        let files = [
            (
                "ui/package-lock.json",
                "{\n  \"resolved\": \"https://example.org/x.tgz\"\n}\n",
            ),
            ("package.json", "{\"resolved\": 1}"),
        ];
        let found = violations_of(lock_files, &files);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("ui/package-lock.json:2: "),
            "{found:?}"
        );
    }

    #[test]
    fn hosts_and_paths_of_one_machine_are_found() {
        let hosts = format!("see\nhttps://{}/left-pad\n", HOSTS[5]);
        let paths = format!(
            "cd {0}main\nfile://{0}x\nhttps://example.org{0}x\n./docs{0}x\n",
            PLACES[0]
        );
        let files = [
            ("docs/a.md", hosts.as_str()),
            ("docs/b.sh", paths.as_str()),
            (
                "docs/c.md",
                "The OSV ecosystem crates.io, pkg:pypi/x and registry.example.org are words.\n",
            ),
        ];
        let found = violations_of(places, &files);
        assert_eq!(
            found,
            [
                format!("docs/a.md:2: names the registry's host {}", HOSTS[5]),
                format!("docs/b.sh:1: names the folder {} of one machine", PLACES[0]),
                format!("docs/b.sh:2: names the folder {} of one machine", PLACES[0]),
            ]
        );
    }

    #[test]
    fn stubs_and_skipped_tests_are_found() {
        let rust = format!(
            "fn a() {{ {}); }}\nlet b = items.iter().skip(1);\n",
            RUST[0]
        );
        let script = format!("test{}\"a\", () => {{}});\n", SCRIPT[0]);
        let files = [
            ("crates/a/src/lib.rs", rust.as_str()),
            ("ui/src/list.test.ts", script.as_str()),
            ("ui/src/list.ts", script.as_str()),
        ];
        assert_eq!(
            violations_of(stubs, &files),
            [
                format!("crates/a/src/lib.rs:1: `{}`", RUST[0]),
                format!("ui/src/list.test.ts:1: `{}`", SCRIPT[0]),
            ]
        );
    }
}
