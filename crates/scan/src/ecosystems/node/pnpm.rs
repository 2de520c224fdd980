//! `pnpm-lock.yaml`, versions 5 to 9. The packages are the keys of `packages`: `/@babel/core/7.0.0_react@17.0.2`
//! in version 5, `/@babel/core@7.0.0(react@17.0.2)` in 6, without the slash from 9 on.
//!
//! What is `dev` is left out up to version 6; version 9 does not say it. Packages that are not from the default
//! registry have a host, a URL or a path in their key, and no version that an advisory knows.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::Flag;
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
    members::yaml(
        content,
        &["packages", "*"],
        found,
        |found, key, entry: Entry| match name_and_version(format, key) {
            Some((name, version)) if !entry.dev.0 => {
                language::package(found, PackageKind::Npm, Some(name), Some(version), &[])
            }
            _ => Ok(()),
        },
    )?;
    Ok(())
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
        key.split('(').next()?.rsplit_once('@')?
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
    fn reads_the_number_of_the_format() {
        assert_eq!(format(b"lockfileVersion: 5.4\n"), Some(5));
        assert_eq!(format(b"x: 1\nlockfileVersion: '9.0'\r\n"), Some(9));
        assert_eq!(format(b"packages: {}\n"), None);
    }
}
