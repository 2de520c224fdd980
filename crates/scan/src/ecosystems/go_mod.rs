//! Go modules that a `go.mod` asks for (Go Modules Reference, "go.mod files"). Since Go 1.17 it lists everything
//! that the module's packages need; before that only what they import themselves.
//!
//! The version of Go in it is the lowest that will do, not the one that was used: the standard library is read
//! from binaries only.

use std::collections::BTreeMap;

use seareeve_model::{ImagePath, PackageKind};

use super::found::{Found, Limited};
use super::locks::Installs;
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope, language};
use crate::ecosystems::faults::excerpt;

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, Installs::Compiled(PackageKind::Golang)),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"go.mod")
}

/// Lines of one file. The largest real ones have some 2,000.
const MOST_LINES: usize = 50_000;
/// Bytes of one line without its comment. Paths and versions of real ones stay below 300.
const LONGEST_LINE: usize = 4 << 10;

/// A path with its version.
type Versioned = (String, String);

/// What a file says, as written.
#[derive(Default)]
struct Module {
    name: Option<String>,
    required: Vec<Versioned>,
    /// By path and version; without a version where every one is replaced. `None` stands for a folder.
    replaced: BTreeMap<(String, Option<String>), Option<Versioned>>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let content = String::from_utf8_lossy(content);
    let mut module = Module::default();
    let mut block: Option<String> = None;
    for (number, line) in content.lines().enumerate() {
        if number == MOST_LINES {
            found.problem(format!(
                "more than {MOST_LINES} lines: the rest was left out"
            ));
            break;
        }
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.len() > LONGEST_LINE {
            let (number, length) = (number.saturating_add(1), line.len());
            found.problem(format!(
                "line {number} has {length} bytes, more than {LONGEST_LINE}: it was left out"
            ));
            continue;
        }
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (block.as_deref(), words.as_slice()) {
            (_, []) => {}
            (Some(_), [")"]) => block = None,
            (Some(directive), arguments) => directive_of(&mut module, directive, arguments, found),
            (None, [directive, "("]) => block = Some((*directive).to_owned()),
            (None, [directive, arguments @ ..]) => {
                directive_of(&mut module, directive, arguments, found);
            }
        }
    }
    match module.name.as_deref() {
        None => found.problem("no module directive".to_owned()),
        // Go's own sources: what they use is compiled into the tools and the standard library.
        Some("std" | "cmd") => return Ok(()),
        Some(_) => {}
    }
    for (path, version) in module.required {
        let exact = (path.clone(), Some(version.clone()));
        let every = (path.clone(), None);
        // The more exact replacement wins.
        let replacement = module
            .replaced
            .get(&exact)
            .or_else(|| module.replaced.get(&every));
        let (path, version) = match replacement {
            None => (&path, &version),
            Some(Some((path, version))) => (path, version),
            Some(None) => continue,
        };
        language::package(found, PackageKind::Golang, Some(path), Some(version), &[])?;
    }
    Ok(())
}

/// Takes one line's directive. Those that we do not use are `go`, `toolchain`, `exclude`, `retract`, `tool`,
/// `godebug`, `ignore`, and what is yet to come.
fn directive_of(module: &mut Module, directive: &str, arguments: &[&str], found: &mut Found<'_>) {
    match (directive, arguments) {
        ("module", [name]) => module.name = Some((*name).to_owned()),
        ("require", [path, version]) => {
            module
                .required
                .push(((*path).to_owned(), (*version).to_owned()));
        }
        ("replace", [old, "=>", new @ ..] | [old, _, "=>", new @ ..]) => {
            let version = arguments.get(1).filter(|word| **word != "=>");
            let old = (
                (*old).to_owned(),
                version.map(|version| (*version).to_owned()),
            );
            let new = match new {
                [path, version] => Some(((*path).to_owned(), (*version).to_owned())),
                _ => None,
            };
            module.replaced.insert(old, new);
        }
        ("module" | "require" | "replace", _) => {
            let line = arguments.join(" ");
            let line = excerpt(&line, 200);
            found.problem(format!("{directive} {line:?} is not understood"));
        }
        _ => {}
    }
}

/// The words of a line that has no comment. Paths may stand in quotes, but never hold spaces.
fn words(line: &str) -> Vec<String> {
    let unquoted = |word: &str| word.trim_matches(['"', '`']).to_owned();
    // `require(` needs no space.
    line.replace('(', " ( ")
        .split_whitespace()
        .map(unquoted)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_costs_itself_only() {
        let path = ImagePath::parse(b"srv/app/go.mod").unwrap();
        let comment = "c".repeat(2 * LONGEST_LINE);
        let long = "x ".repeat(LONGEST_LINE);
        let content = format!(
            "module example.com/app\nrequire example.com/a v1.0.0 // {comment}\nrequire {long}\nrequire example.com/b v1.0.0\n"
        );
        let mut found = Found::new(&path, 0, None);
        let read = read(content.as_bytes(), None, &mut found);
        let (packages, problems) = found.finish(read);
        let names: Vec<&str> = packages
            .iter()
            .map(|placed| placed.package.name.as_str())
            .collect();
        assert_eq!(names, ["example.com/a", "example.com/b"]);
        let messages: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            messages,
            ["line 3 has 8199 bytes, more than 4096: it was left out"]
        );
    }
}
