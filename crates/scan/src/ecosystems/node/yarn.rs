//! `yarn.lock`. Version 1 has a format of its own (yarn's `@yarnpkg/lockfile`), later versions write YAML of the
//! same shape, so one reader of lines serves both: what a package was asked for at the start of a line, what
//! became of it below, indented.
//!
//! The file does not say which packages are for developers only; all are listed.

use seareeve_model::{ImagePath, PackageKind};

use super::is_of_registry;
use crate::ecosystems::faults::excerpt;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"yarn.lock")
}

/// An entry: the first of what was asked for (`lodash@^4.0.0`), and what became of it.
#[derive(Default)]
struct Entry<'a> {
    asked: Option<&'a str>,
    version: Option<&'a str>,
    /// `lodash@npm:4.17.21`, since version 2.
    resolution: Option<&'a str>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let content = String::from_utf8_lossy(content);
    let mut entry = Entry::default();
    for line in content.lines() {
        if line.trim_start().starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some(field) = line
            .strip_prefix("  ")
            .filter(|field| !field.starts_with(' '))
        {
            let (name, value) = field.split_once(' ').unwrap_or((field, ""));
            let value = Some(unquoted(value));
            match name.trim_end_matches(':') {
                "version" => entry.version = entry.version.or(value),
                "resolution" => entry.resolution = entry.resolution.or(value),
                _ => {}
            }
        } else if !line.starts_with(' ') {
            // A key of more than 1,024 letters is written as `? key` with `:` on a line of its own.
            let key = line.strip_prefix("? ");
            if line.trim_end() == ":" {
                continue;
            }
            finish(&entry, found)?;
            entry = Entry::default();
            match key.or_else(|| line.trim_end().strip_suffix(':')) {
                Some(asked) => {
                    entry.asked = Some(unquoted(asked.split(", ").next().unwrap_or_default()))
                }
                None => found.problem(format!("line {:?} is not understood", excerpt(line, 80))),
            }
        }
    }
    finish(&entry, found)
}

fn finish(entry: &Entry<'_>, found: &mut Found<'_>) -> Result<(), Limited> {
    let Some(asked) = entry.asked.filter(|asked| *asked != "__metadata") else {
        return Ok(());
    };
    // Since version 2 the name of an alias stands in the resolution, in version 1 in what was asked for.
    let Some((name, range)) = name_and_range(entry.resolution.unwrap_or(asked)) else {
        found.problem(format!("entry {:?} is not understood", excerpt(asked, 80)));
        return Ok(());
    };
    let (name, range) = match range.strip_prefix("npm:") {
        Some(range) if entry.resolution.is_some() => (name, range),
        Some(alias) => name_and_range(alias).unwrap_or((alias, "")),
        None => (name, range),
    };
    // A patched package (`patch:`) stands there unpatched, too. `::` begins parameters, such as another URL.
    let range = range.split("::").next().unwrap_or_default();
    if !is_of_registry(range) {
        return Ok(());
    }
    language::package(found, PackageKind::Npm, Some(name), entry.version, &[])
}

/// `@babel/core@^7.0.0`: the first `@` belongs to the scope.
fn name_and_range(text: &str) -> Option<(&str, &str)> {
    let scope = usize::from(text.starts_with('@'));
    let at = text.get(scope..)?.find('@')? + scope;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_what_was_asked_for() {
        assert_eq!(
            name_and_range("@babel/core@^7.0.0"),
            Some(("@babel/core", "^7.0.0"))
        );
        assert_eq!(name_and_range("a@npm:@b/c@1"), Some(("a", "npm:@b/c@1")));
        assert_eq!(name_and_range("a@"), Some(("a", "")));
        assert_eq!(name_and_range("@babel/core"), None);
        assert_eq!(name_and_range(""), None);
    }
}
