//! Files as such: how long, how large, which must be there and which must not.

use std::fs;

use super::{Tree, Violations};
use crate::generated::is_generated;

/// Lines that a source file must not pass.
const LINES: usize = 800;

/// Bytes that a file in the repository must not pass.
const BYTES: u64 = 1 << 20;

/// Larger files, and why they are worth it.
const LARGE: &[(&str, &str)] = &[];

/// Files that a visitor looks for.
const ROOT: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
];

/// The two commands that the README must name.
const COMMANDS: &[&str] = &["cargo xtask up", "cargo xtask test"];

/// Source files can be read in one sitting.
pub(super) fn length(tree: &Tree, found: &mut Violations) {
    for path in tree
        .ending(&["rs", "ts", "tsx", "css"])
        .filter(|path| !is_generated(path))
    {
        let lines = tree.text(path).unwrap_or_default().lines().count();
        if lines > LINES {
            found.add(
                path,
                lines,
                format!("{lines} lines; split it by noun (limit {LINES})"),
            );
        }
    }
}

/// A clone stays small.
pub(super) fn size(tree: &Tree, found: &mut Violations) {
    for path in &tree.files {
        let bytes = fs::metadata(tree.root.join(path)).map_or(0, |file| file.len());
        if bytes > BYTES && !LARGE.iter().any(|(allowed, _)| allowed == path) {
            found.add(path, 1, format!("{bytes} bytes (limit {BYTES})"));
        }
    }
    for (path, _) in LARGE.iter().filter(|(path, _)| !tree.has(path)) {
        found.add(
            path,
            1,
            "listed as large and not there: remove it from the list",
        );
    }
}

/// Every Rust file says first what it is for.
pub(super) fn module_docs(tree: &Tree, found: &mut Violations) {
    for path in tree.ending(&["rs"]) {
        if !tree.text(path).is_some_and(|text| text.starts_with("//!")) {
            found.add(path, 1, "must start with `//!`: what it is for");
        }
    }
}

/// The root's documents are there, and the README says how to start.
pub(super) fn root_files(tree: &Tree, found: &mut Violations) {
    for path in ROOT.iter().filter(|path| !tree.has(path)) {
        found.add(path, 1, "is missing");
    }
    let readme = tree.text("README.md").unwrap_or_default();
    for command in COMMANDS
        .iter()
        .filter(|command| !readme.contains(**command))
    {
        found.add("README.md", 1, format!("must name `{command}`"));
    }
}

/// A machine has one toolchain and may not be able to fetch another.
pub(super) fn no_toolchain_file(tree: &Tree, found: &mut Violations) {
    for path in &tree.files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == "rust-toolchain" || name == "rust-toolchain.toml" {
            found.add(
                path,
                1,
                "no toolchain file: a machine without that toolchain cannot fetch it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::violations_of;
    use super::*;

    #[test]
    fn long_sources_are_found_and_generated_ones_left_alone() {
        let (long, short) = ("//! x\n".repeat(LINES + 1), "//! x\n".repeat(LINES));
        let files = [
            ("crates/a/src/lib.rs", long.as_str()),
            ("crates/a/src/short.rs", short.as_str()),
            ("ui/src/api/schema.d.ts", long.as_str()),
            ("docs/long.md", long.as_str()),
        ];
        assert_eq!(
            violations_of(length, &files),
            ["crates/a/src/lib.rs:801: 801 lines; split it by noun (limit 800)"]
        );
    }

    #[test]
    fn large_files_are_found() {
        let (large, limit) = (" ".repeat((1 << 20) + 1), " ".repeat(1 << 20));
        let files = [("a.bin", large.as_str()), ("b.bin", limit.as_str())];
        assert_eq!(
            violations_of(size, &files),
            ["a.bin:1: 1048577 bytes (limit 1048576)"]
        );
    }

    #[test]
    fn modules_without_docs_are_found() {
        let files = [
            ("a.rs", "//! Says what.\n"),
            ("b.rs", "// A comment.\n"),
            ("c.rs", "\n//! Late.\n"),
            ("d.rs", ""),
        ];
        assert_eq!(
            violations_of(module_docs, &files),
            ["b", "c", "d"]
                .map(|name| format!("{name}.rs:1: must start with `//!`: what it is for"))
        );
    }

    #[test]
    fn missing_documents_and_commands_are_found() {
        let files = [
            ("ARCHITECTURE.md", ""),
            ("CONTRIBUTING.md", ""),
            ("LICENSE", ""),
            ("README.md", "Run `cargo xtask up`."),
        ];
        assert_eq!(
            violations_of(root_files, &files),
            [
                "CHANGELOG.md:1: is missing",
                "README.md:1: must name `cargo xtask test`"
            ]
        );
    }

    #[test]
    fn toolchain_files_are_found_anywhere() {
        let files = [
            ("rust-toolchain", ""),
            ("fuzz/rust-toolchain.toml", ""),
            ("docs/rust-toolchain.md", ""),
        ];
        assert_eq!(violations_of(no_toolchain_file, &files).len(), 2);
    }
}
