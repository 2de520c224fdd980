//! Lock files in TOML: `poetry.lock`, `pdm.lock`, and the common `pylock.toml` (PEP 751). uv's needs more work.
//!
//! Only what comes from an index is a package that advisories speak of; repositories, folders and files are not.
//! What only developers install is left out where the file says so of a package; `pylock.toml` does not.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use super::is_for_developers;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, List, Record, Text};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Read, Scope, language, tables};

pub(in crate::ecosystems) const POETRY: Ecosystem =
    format(|path| language::is_named(path, b"poetry.lock"), read_poetry);
pub(in crate::ecosystems) const PDM: Ecosystem =
    format(|path| language::is_named(path, b"pdm.lock"), read_pdm);
pub(in crate::ecosystems) const PYLOCK: Ecosystem = format(is_pylock, read_pylock);

const fn format(wanted: fn(&ImagePath) -> bool, read: Read) -> Ecosystem {
    Ecosystem {
        scope: Scope::Language,
        intake: Intake::Locked(wanted, super::INSTALLS),
        read,
    }
}

/// `pylock.toml` and `pylock.NAME.toml` (PEP 751, "File Name").
fn is_pylock(path: &ImagePath) -> bool {
    path.as_bytes().ends_with(b".toml")
        && path
            .file_name()
            .strip_prefix(b"pylock.")
            .is_some_and(|rest| {
                rest == b"toml" || !rest.strip_suffix(b".toml").unwrap_or(rest).contains(&b'.')
            })
}

/// What we use of an entry in any of the formats.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    category: Text<'a>,
    #[serde(borrow)]
    groups: Option<List<Text<'a>>>,
    #[serde(borrow)]
    source: Record<Origin<'a>>,
    git: Flag,
    path: Flag,
    url: Flag,
    vcs: Flag,
    directory: Flag,
    archive: Flag,
}

/// The table `source` of poetry.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
}

impl Entry<'_> {
    /// Whether all its groups are for developers. False where the file has no groups.
    fn is_for_developers(&self) -> bool {
        self.groups
            .as_ref()
            .is_some_and(|List(groups)| groups.iter().filter_map(Text::get).all(is_for_developers))
    }
}

/// poetry up to 1.4 says a category, from 2.0 on groups; in between it says neither. A source is given where it is
/// not the default index; `legacy` is another index.
fn read_poetry(
    content: &[u8],
    _: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    read("package", content, found, |entry| {
        let kind = entry.source.0.as_ref().and_then(|origin| origin.kind.get());
        entry.category.get() != Some("dev")
            && !entry.is_for_developers()
            && kind.is_none_or(|kind| kind == "legacy")
    })
}

fn read_pdm(content: &[u8], _: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    read("package", content, found, |entry| {
        let Entry {
            git: Flag(git),
            path: Flag(path),
            url: Flag(url),
            ..
        } = *entry;
        !entry.is_for_developers() && !git && !path && !url
    })
}

fn read_pylock(
    content: &[u8],
    _: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    read("packages", content, found, |entry| {
        let Entry {
            vcs: Flag(vcs),
            directory: Flag(directory),
            archive: Flag(archive),
            ..
        } = *entry;
        !vcs && !directory && !archive
    })
}

fn read(
    list: &str,
    content: &[u8],
    found: &mut Found<'_>,
    is_wanted: fn(&Entry<'_>) -> bool,
) -> Result<(), Limited> {
    tables::toml(content, list, found, |found, entry: Entry<'_>| {
        if !is_wanted(&entry) {
            return Ok(());
        }
        language::package(
            found,
            PackageKind::Pypi,
            entry.name.get(),
            entry.version.get(),
            &[],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_the_common_lock_file() {
        let is = |path: &str| is_pylock(&ImagePath::parse(path.as_bytes()).unwrap());
        assert!(is("srv/pylock.toml") && is("pylock.cpu.toml"));
        assert!(!is("srv/pylock.a.b.toml") && !is("srv/my-pylock.toml") && !is("pylock.txt"));
    }
}
