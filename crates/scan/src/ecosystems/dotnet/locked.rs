//! `packages.lock.json` (NuGet documentation, "Locking dependencies"), versions 1 and 2, and the older
//! `packages.config`, a list of exact versions in XML.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::locks::Installs;
use crate::ecosystems::loose::Text;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, members};

pub(in crate::ecosystems) const LOCK_FILE: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(
        |path| language::is_named(path, b"packages.lock.json"),
        Installs::Anywhere(PackageKind::Nuget),
    ),
    read: read_lock_file,
};

pub(in crate::ecosystems) const PACKAGES_CONFIG: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(is_packages_config, Installs::Anywhere(PackageKind::Nuget)),
    read: read_packages_config,
};

/// NuGet does not mind the case: many write `Packages.config`.
fn is_packages_config(path: &ImagePath) -> bool {
    path.file_name().eq_ignore_ascii_case(b"packages.config")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
}

/// Packages stand under each framework that the project is built for.
fn read_lock_file(
    content: &[u8],
    _os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    let place = ["dependencies", "*", "*"];
    members::json(content, &place, found, |found, name, entry: Entry<'_>| {
        // Another project of the same solution has no version.
        if entry
            .kind
            .get()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("project"))
        {
            return Ok(());
        }
        language::package(
            found,
            PackageKind::Nuget,
            Some(name),
            entry.resolved.get(),
            &[],
        )
    })?;
    Ok(())
}

/// Of XML this needs comments, elements and attributes: `<package id="x" version="1.0" />`. What is marked as a
/// `developmentDependency` is left out.
fn read_packages_config(
    content: &[u8],
    _os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    let content = String::from_utf8_lossy(content);
    let mut rest: &str = &content;
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some((element, after)) = after.split_once('>') else {
            found.problem("the file ends within an element".to_owned());
            return Ok(());
        };
        rest = after;
        let Some(attributes) = element.strip_prefix("package") else {
            continue;
        };
        if !attributes.starts_with(char::is_whitespace) {
            continue;
        }
        let is_for_developers = attribute(attributes, "developmentDependency")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !is_for_developers {
            let (name, version) = (
                attribute(attributes, "id"),
                attribute(attributes, "version"),
            );
            language::package(found, PackageKind::Nuget, name, version, &[])?;
        }
    }
    Ok(())
}

/// The value of the attribute, in either kind of quotes.
fn attribute<'a>(mut attributes: &'a str, wanted: &str) -> Option<&'a str> {
    loop {
        let (name, rest) = attributes.split_once('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = rest.get(1..)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(value.trim());
        }
        attributes = rest;
    }
}
