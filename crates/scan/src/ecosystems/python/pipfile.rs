//! `Pipfile.lock` (pipenv). What stands under `develop` is for developers and left out; entries without a version
//! come from repositories and folders, not from an index.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::Text;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, members};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"Pipfile.lock")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    version: Text<'a>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    members::json(
        content,
        &["default", "*"],
        found,
        |found, name, entry: Entry<'_>| {
            let Some(pin) = entry.version.get() else {
                return Ok(());
            };
            // pipenv writes `==1.2` always, but a Pipfile may be locked by hand.
            let Some(version) = pin.strip_prefix("===").or_else(|| pin.strip_prefix("==")) else {
                found.problem(format!("{name} is locked to no version"));
                return Ok(());
            };
            language::package(
                found,
                PackageKind::Pypi,
                Some(name),
                Some(version.trim()),
                &[],
            )
        },
    )?;
    Ok(())
}
