//! PHP packages: what composer installed (`vendor/composer/installed.json`, a list in composer 1, a table with a
//! list in composer 2), and what it locked (`composer.lock`; its `packages-dev` are left out).
//!
//! Versions are the tags of repositories and keep their `v`. A branch (`dev-main`) is a version, too.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use super::found::{Found, Limited};
use super::locks::Installs;
use super::loose::Text;
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope, language, members};

pub(super) const INSTALLED: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(is_installed),
    read: read_installed,
};

pub(super) const LOCKED: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(is_locked, Installs::Beside("vendor/composer")),
    read: read_locked,
};

/// The folder above, `vendor`, can be given another name.
fn is_installed(path: &ImagePath) -> bool {
    path.as_bytes().ends_with(b"/composer/installed.json")
}

fn is_locked(path: &ImagePath) -> bool {
    language::is_named(path, b"composer.lock")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
}

fn read_installed(
    content: &[u8],
    _os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    let is_list = content.trim_ascii_start().starts_with(b"[");
    let place: &[&str] = if is_list { &["*"] } else { &["packages", "*"] };
    read(content, place, found)
}

fn read_locked(
    content: &[u8],
    _os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    read(content, &["packages", "*"], found)
}

fn read(content: &[u8], place: &[&str], found: &mut Found<'_>) -> Result<(), Limited> {
    let is_there = members::json(content, place, found, |found, _, entry: Entry<'_>| {
        language::package(
            found,
            PackageKind::Composer,
            entry.name.get(),
            entry.version.get(),
            &[],
        )
    })?;
    if !is_there && !found.has_problems() {
        found.problem("no list of packages".to_owned());
    }
    Ok(())
}
