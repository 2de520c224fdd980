//! `pnpm-lock.yaml`, versions 5 to 9. The packages are the keys of `packages`: `/@babel/core/7.0.0_react@17.0.2`
//! in version 5, `/@babel/core@7.0.0(react@17.0.2)` in 6, without the slash from 9 on.
//!
//! What only developers need is left out: up to version 6 it is marked as `dev`, in version 9 it is what no project
//! (`importers`) needs through others (`snapshots`). Packages that are not from the default
//! registry have a host, a URL or a path in their key, and no version that an advisory knows.

use std::collections::BTreeSet;

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, Record, Table, Text};
use crate::ecosystems::needs::Needs;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, members};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"pnpm-lock.yaml")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    dev: Flag,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let Some(format) = format(content) else {
        found.problem("no lockfileVersion".to_owned());
        return Ok(());
    };
    let mut needs = Needs::default();
    if format >= 9 {
        note_needs(content, &mut needs, found)?;
        if found.has_problems() {
            // Of what was not understood it is not known what it needs.
            needs = Needs::default();
        }
    }
    let needed = needs.all();
    // Snapshots have the peers in their names, packages have not.
    let needed: Option<BTreeSet<&str>> =
        needed.map(|names| names.into_iter().map(without_peers).collect());
    members::yaml(
        content,
        &["packages", "*"],
        found,
        |found, key, entry: Entry| {
            let is_needed = needed.as_ref().is_none_or(|needed| needed.contains(key));
            match name_and_version(format, key) {
                Some((name, version)) if is_needed && !entry.dev.0 => {
                    language::package(found, PackageKind::Npm, Some(name), Some(version), &[])
                }
                _ => Ok(()),
            }
        },
    )?;
    Ok(())
}

/// What a project of version 9 needs for production.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Importer<'a> {
    #[serde(borrow)]
    dependencies: Table<'a, Record<Resolved<'a>>>,
    #[serde(borrow)]
    optional_dependencies: Table<'a, Record<Resolved<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resolved<'a> {
    #[serde(borrow)]
    version: Text<'a>,
}

/// What a package of version 9 needs.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Snapshot<'a> {
    #[serde(borrow)]
    dependencies: Table<'a, Text<'a>>,
    #[serde(borrow)]
    optional_dependencies: Table<'a, Text<'a>>,
}

fn note_needs<'a>(
    content: &'a [u8],
    needs: &mut Needs<'a>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    members::yaml(
        content,
        &["importers", "*"],
        found,
        |_, _, importer: Importer<'_>| {
            needs.project();
            let Importer {
                dependencies,
                optional_dependencies,
            } = importer;
            for (name, resolved) in dependencies.0.into_iter().chain(optional_dependencies.0) {
                let resolved = resolved.0.unwrap_or_default();
                needs
                    .of_project(snapshot(&name, resolved.version.get().unwrap_or_default()).into());
            }
            Ok(())
        },
    )?;
    if found.has_problems() {
        return Ok(());
    }
    members::yaml(
        content,
        &["snapshots", "*"],
        found,
        |_, key, snapshot_of: Snapshot<'_>| {
            let Snapshot {
                dependencies,
                optional_dependencies,
            } = snapshot_of;
            let key = key.to_owned().into();
            for (name, version) in dependencies.0.into_iter().chain(optional_dependencies.0) {
                needs.of_package(
                    &key,
                    snapshot(&name, version.get().unwrap_or_default()).into(),
                );
            }
            Ok(())
        },
    )?;
    Ok(())
}

/// The key in `snapshots` of what is called `name` and resolved to a version (`1.0.0(react@18.0.0)`), a place
/// (`file:x`), or under an alias to another package (`other@1.0.0`).
fn snapshot(name: &str, resolved: &str) -> String {
    let is_alias = !resolved.starts_with(|c: char| c.is_ascii_digit())
        && !resolved.contains(':')
        && without_peers(resolved).contains('@');
    if is_alias {
        resolved.to_owned()
    } else {
        format!("{name}@{resolved}")
    }
}

fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or_default()
}

/// The number before the point of `lockfileVersion: 5.4` or `lockfileVersion: '9.0'`.
fn format(content: &[u8]) -> Option<u32> {
    let line = content
        .split(|b| *b == b'\n')
        .find_map(|line| line.strip_prefix(b"lockfileVersion:"))?;
    let line = std::str::from_utf8(line).ok()?;
    line.trim()
        .trim_matches(['\'', '"'])
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Takes a key of `packages` apart; `None` where it is from no registry.
fn name_and_version(format: u32, key: &str) -> Option<(&str, &str)> {
    let key = if format < 9 {
        key.strip_prefix('/')?
    } else {
        key
    };
    let (name, version) = if format < 6 {
        // In what follows the version, every slash became a plus.
        let (name, version) = key.rsplit_once('/')?;
        (name, version.split('_').next()?)
    } else {
        without_peers(key).rsplit_once('@')?
    };
    // Behind the name there may be a URL: `x@https://…`, `x@file:…`.
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    (is_version && !name.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_keys_of_all_formats_apart() {
        for (format, key, expected) in [
            (
                5,
                "/@babel/core/7.0.0_react@17.0.2",
                Some(("@babel/core", "7.0.0")),
            ),
            (5, "/lodash/4.17.21", Some(("lodash", "4.17.21"))),
            (5, "/a_b/1.0.0_@x+y@2.0.0", Some(("a_b", "1.0.0"))),
            (5, "github.com/owner/name/0123456", None),
            (5, "file:../x", None),
            (
                6,
                "/@babel/core@7.0.0(react@17.0.2)",
                Some(("@babel/core", "7.0.0")),
            ),
            (6, "/lodash@4.17.21", Some(("lodash", "4.17.21"))),
            (6, "@host.example/owner/name/0123456", None),
            (9, "@babel/core@7.0.0", Some(("@babel/core", "7.0.0"))),
            (9, "x@https://host.example/x.tgz", None),
            (9, "x@file:../x", None),
            (9, "x", None),
            (9, "@1", None),
        ] {
            assert_eq!(name_and_version(format, key), expected, "{key}");
        }
    }

    #[test]
    fn names_snapshots_as_the_file_does() {
        for (name, resolved, expected) in [
            ("a", "1.0.0(b@2.0.0)", "a@1.0.0(b@2.0.0)"),
            ("@s/a", "1.0.0", "@s/a@1.0.0"),
            ("alias", "@s/a@1.0.0", "@s/a@1.0.0"),
            ("alias", "a@1.0.0(b@2.0.0)", "a@1.0.0(b@2.0.0)"),
            ("a", "file:../a", "a@file:../a"),
            (
                "a",
                "https://host.example/@x/a.tgz",
                "a@https://host.example/@x/a.tgz",
            ),
        ] {
            assert_eq!(snapshot(name, resolved), expected);
        }
    }

    #[test]
    fn reads_the_number_of_the_format() {
        assert_eq!(format(b"lockfileVersion: 5.4\n"), Some(5));
        assert_eq!(format(b"x: 1\nlockfileVersion: '9.0'\r\n"), Some(9));
        assert_eq!(format(b"packages: {}\n"), None);
    }
}
