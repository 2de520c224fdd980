//! `package-lock.json` and `npm-shrinkwrap.json` (npm documentation, "package-lock.json"). Versions 2 and 3 list
//! every folder of `node_modules` under `packages`; version 1 nests `dependencies` as the folders are nested.
//!
//! What is `dev` is left out: a production install does not bring it. So are links, workspaces, files and
//! repositories, of which no registry knows the version. The hidden `node_modules/.package-lock.json` is another
//! name, and lies where no lock file counts.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use super::is_of_registry;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, Text};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, members};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

/// How deep version 1 is followed. npm shares what it can; real trees are some six deep.
const DEEPEST: usize = 24;

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"package-lock.json")
        || language::is_named(path, b"npm-shrinkwrap.json")
}

/// What we use of an entry of any version.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
    dev: Flag,
    optional: Flag,
    link: Flag,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let has_packages = members::json(content, &["packages", "*"], found, package)?;
    // Version 2 has both, for older npm. After an error the rest would only repeat it.
    if has_packages || found.has_problems() {
        return Ok(());
    }
    let mut place = Vec::new();
    for _ in 0..DEEPEST {
        place.extend(["dependencies", "*"]);
        if !members::json(content, &place, found, dependency)? {
            return Ok(());
        }
    }
    found.problem(format!(
        "packages nested in more than {DEEPEST} others were left out"
    ));
    Ok(())
}

/// An entry of versions 2 and 3: `node_modules/a/node_modules/@b/c`, or the folder of a workspace.
fn package(found: &mut Found<'_>, path: &str, entry: Entry<'_>) -> Result<(), Limited> {
    let Some((_, folder)) = path.rsplit_once("node_modules/") else {
        return Ok(());
    };
    // A registry's packages are resolved to http or https; npm can be told not to write where.
    let resolved = entry.resolved.get();
    let is_remote =
        resolved.is_none_or(|url| url.starts_with("http:") || url.starts_with("https:"));
    // npm leaves entries without a version behind for optional packages of other machines.
    let is_elsewhere = entry.optional.0 && entry.version.get().is_none();
    if entry.dev.0 || entry.link.0 || is_elsewhere || !is_remote {
        return Ok(());
    }
    // The folder of an alias has another name than the package.
    let name = entry.name.get().unwrap_or(folder);
    language::package(
        found,
        PackageKind::Npm,
        Some(name),
        entry.version.get(),
        &[],
    )
}

/// An entry of version 1. Where the version is none, it says where the package is from.
fn dependency(found: &mut Found<'_>, name: &str, entry: Entry<'_>) -> Result<(), Limited> {
    if entry.dev.0 {
        return Ok(());
    }
    let version = entry.version.get();
    let alias = version.and_then(|version| version.strip_prefix("npm:")?.rsplit_once('@'));
    match (alias, version) {
        (Some((name, version)), _) => {
            language::package(found, PackageKind::Npm, Some(name), Some(version), &[])
        }
        (None, Some(version)) if !is_of_registry(version) => Ok(()),
        (None, version) => language::package(found, PackageKind::Npm, Some(name), version, &[]),
    }
}
