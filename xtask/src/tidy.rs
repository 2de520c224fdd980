//! `cargo xtask tidy`: the house rules that a tool can hold. One rule is one function over the tree; all rules run,
//! all violations are listed.

mod content;
mod fences;
mod files;
mod folders;
mod text;
mod unsafe_code;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::Shell;

/// A rule: its name in messages, and what finds its violations.
type Rule = (&'static str, fn(&Tree, &mut Violations));

const RULES: &[Rule] = &[
    ("fences", fences::fences),
    ("workspace-versions", fences::workspace_versions),
    ("file-length", files::length),
    ("file-size", files::size),
    ("module-docs", files::module_docs),
    ("root-files", files::root_files),
    ("toolchain", files::no_toolchain_file),
    ("folder-lists", folders::lists),
    ("content-ids", content::ids),
    ("content-examples", content::examples),
    ("lock-files", text::lock_files),
    ("places", text::places),
    ("stubs", text::stubs),
    ("unsafe", unsafe_code::unsafe_code),
];

/// Runs all rules over the files that git tracks or would track.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let listed = shell.capture(shell.command("git").args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let listed = String::from_utf8(listed).context("a file's name is no UTF-8")?;
    let tree = Tree::new(
        &shell.workspace.root,
        listed
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned),
    );
    let violations = violations(&tree, RULES);
    if violations.is_empty() {
        return Ok(());
    }
    for violation in &violations {
        shell.say(&violation.to_string())?;
    }
    bail!("{} violations of the house rules", violations.len());
}

fn violations(tree: &Tree, rules: &[Rule]) -> Vec<Violation> {
    let mut found: Vec<Violation> = rules
        .iter()
        .flat_map(|(name, rule)| {
            let mut violations = Violations {
                rule: name,
                found: Vec::new(),
            };
            rule(tree, &mut violations);
            violations.found
        })
        .collect();
    found.sort();
    found
}

/// The files under the rules.
struct Tree {
    root: PathBuf,
    /// Relative to the root, sorted.
    files: Vec<String>,
}

impl Tree {
    fn new(root: &Path, files: impl IntoIterator<Item = String>) -> Self {
        let mut files: Vec<String> = files
            .into_iter()
            // Deleted and not committed yet: git still lists it.
            .filter(|path| root.join(path).is_file())
            .collect();
        files.sort();
        files.dedup();
        Self {
            root: root.to_path_buf(),
            files,
        }
    }

    fn has(&self, path: &str) -> bool {
        self.files
            .binary_search_by(|file| file.as_str().cmp(path))
            .is_ok()
    }

    /// Files with one of these endings.
    fn ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(String::as_str).filter(|path| {
            path.rsplit_once('.')
                .is_some_and(|(_, ending)| endings.contains(&ending))
        })
    }

    /// Files whose paths start so.
    fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(move |path| path.starts_with(folder))
    }

    /// The content, when it is text.
    fn text(&self, path: &str) -> Option<String> {
        String::from_utf8(fs::read(self.root.join(path)).ok()?).ok()
    }
}

/// Where a rule writes what it finds.
struct Violations {
    rule: &'static str,
    found: Vec<Violation>,
}

impl Violations {
    fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.found.push(Violation {
            path: path.to_owned(),
            line,
            rule: self.rule,
            message: message.into(),
        });
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.message
        )
    }
}

/// Lines with their numbers, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index.saturating_add(1), line))
}

/// Runs one rule over a made-up tree; violations as `path:line: message`.
#[cfg(test)]
fn violations_of(rule: fn(&Tree, &mut Violations), files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    let tree = Tree::new(
        folder.path(),
        files.iter().map(|(path, _)| (*path).to_owned()),
    );
    violations(&tree, &[("rule", rule)])
        .iter()
        .map(|violation| violation.to_string().replace(" rule: ", " "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_of_all_rules_are_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(folder.path().join(name), "text").unwrap();
        }
        let tree = Tree::new(folder.path(), ["b", "a", "deleted"].map(str::to_owned));
        let rules: &[Rule] = &[
            ("second", |tree, found| {
                tree.files.iter().for_each(|path| found.add(path, 2, "no"))
            }),
            ("first", |_, found| found.add("a", 1, "never")),
        ];
        let lines: Vec<String> = violations(&tree, rules)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            ["a:1: first: never", "a:2: second: no", "b:2: second: no"]
        );
    }
}
