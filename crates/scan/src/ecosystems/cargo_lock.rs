//! `Cargo.lock`, all versions (The Cargo Book, "Cargo.toml vs Cargo.lock"; the versions differ in what we do not
//! use). It does not say which crates are only for tests or other platforms; all are listed.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use super::found::{Found, Limited};
use super::locks::Installs;
use super::loose::Text;
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope, language, tables};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, Installs::Compiled(PackageKind::Cargo)),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"Cargo.lock")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    tables::toml(content, "package", found, |found, entry: Entry<'_>| {
        // Members of the workspace have no source; repositories begin with `git+`.
        let is_of_registry = entry
            .source
            .get()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"));
        if !is_of_registry {
            return Ok(());
        }
        language::package(
            found,
            PackageKind::Cargo,
            entry.name.get(),
            entry.version.get(),
            &[],
        )
    })
}
