//! Folders that hold one thing per file: their lists are complete.

use super::{Tree, Violations};

/// Each folder, and the file that must name every file of it by a `mod` line.
const FOLDERS: &[(&str, &str)] = &[
    ("crates/collect/src/feeds", "crates/collect/src/feeds.rs"),
    (
        "crates/scan/src/ecosystems",
        "crates/scan/src/ecosystems.rs",
    ),
    ("crates/scan/src/versions", "crates/scan/src/versions.rs"),
    ("crates/server/src/jobs", "crates/server/src/jobs.rs"),
    ("crates/server/src/routes", "crates/server/src/routes.rs"),
    ("crates/store/src", "crates/store/src/lib.rs"),
];

/// A file that no `mod` line names is compiled by nobody.
pub(super) fn lists(tree: &Tree, found: &mut Violations) {
    for (folder, parent) in FOLDERS {
        let prefix = format!("{folder}/");
        let files: Vec<&str> = tree
            .under(&prefix)
            .filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix(".rs"))
            .filter(|name| !name.contains('/') && !["lib", "main", "mod"].contains(name))
            .collect();
        // `foo/mod.rs` is the other place for a folder's list.
        let inside = format!("{prefix}mod.rs");
        let parent = if tree.has(parent) {
            *parent
        } else {
            inside.as_str()
        };
        let Some(list) = tree.text(parent) else {
            found.add(
                folder,
                1,
                "neither its folder.rs nor its mod.rs is there to list its files",
            );
            continue;
        };
        for name in files {
            if !list.lines().any(|line| declares(line, name)) {
                found.add(
                    &format!("{prefix}{name}.rs"),
                    1,
                    format!("no `mod {name};` in {parent}"),
                );
            }
        }
    }
}

fn declares(line: &str, name: &str) -> bool {
    let mut words = line
        .split_whitespace()
        .skip_while(|word| word.starts_with("pub"));
    words.next() == Some("mod")
        && words.next().and_then(|word| word.strip_suffix(';')) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    /// Violations of the ecosystems' folder only; the others are absent from the made-up tree.
    fn check(files: &[(&str, &str)]) -> Vec<String> {
        violations_of(lists, files)
            .into_iter()
            .filter(|line| line.contains("ecosystems"))
            .collect()
    }

    #[test]
    fn unlisted_files_are_found() {
        let list =
            "//! Ecosystems.\nmod apk;\npub(crate) mod dpkg;\n// mod hidden;\nmod apk_tests;\n";
        let files = [
            ("crates/scan/src/ecosystems.rs", list),
            ("crates/scan/src/ecosystems/apk.rs", ""),
            ("crates/scan/src/ecosystems/dpkg.rs", ""),
            ("crates/scan/src/ecosystems/hidden.rs", ""),
            ("crates/scan/src/ecosystems/dpkg/deeper.rs", ""),
        ];
        assert_eq!(
            check(&files),
            [
                "crates/scan/src/ecosystems/hidden.rs:1: no `mod hidden;` in crates/scan/src/ecosystems.rs"
            ]
        );
    }

    #[test]
    fn a_folder_without_its_list_is_found() {
        let files = [("crates/scan/src/ecosystems/apk.rs", "")];
        assert_eq!(
            check(&files),
            [
                "crates/scan/src/ecosystems:1: neither its folder.rs nor its mod.rs is there to list its files"
            ]
        );
        let files = [
            ("crates/scan/src/ecosystems/mod.rs", "mod apk;\n"),
            ("crates/scan/src/ecosystems/apk.rs", ""),
        ];
        assert!(check(&files).is_empty());
    }
}
