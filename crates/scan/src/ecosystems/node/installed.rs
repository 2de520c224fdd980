//! Installed packages: the `package.json` of each folder directly in a `node_modules` (npm documentation,
//! "folders" and "package.json"). Deeper ones are tests, templates or builds of a package, not packages.
//!
//! Programs are also unpacked elsewhere, with what they need in a `node_modules` of their own: yarn in `/opt`, those
//! that corepack fetches, Ghost. There, a `package.json` is a package if it could have been published as what it is
//! called: it has a name, a version and a repository, and is not `private`. Applications that were never published
//! have such files, too; mostly they are private or say no repository, and nobody writes advisories about the rest
//! unless it is called as a package is. Others (Trivy, Syft) list every one with a name and a version.

use std::fmt;

use seareeve_model::{ImagePath, PackageKind};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, Text};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, faults, language, locks};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"package.json") && (is_module(path) || !locks::is_of_dependency(path))
}

/// Whether the file's folder is directly in a `node_modules`.
fn is_module(path: &ImagePath) -> bool {
    let mut parts = path.as_bytes().rsplit(|b| *b == b'/');
    if parts.next() != Some(b"package.json") {
        return false;
    }
    let is_scope = |part: &[u8]| part.first() == Some(&b'@');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(b"node_modules"), _) => !is_scope(name),
        (Some(_), Some(scope), Some(b"node_modules")) => is_scope(scope),
        _ => false,
    }
}

/// The fields that we use, of whatever type they are.
#[derive(Default)]
struct Manifest<'a> {
    name: Option<Text<'a>>,
    version: Option<Text<'a>>,
    is_private: Flag,
    has_repository: Flag,
}

/// By hand, because a key that stands twice is no error for Node: the last one counts.
impl<'de> Deserialize<'de> for Manifest<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Manifest<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut manifest = Manifest::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.get().unwrap_or_default() {
                        "name" => manifest.name = Some(map.next_value()?),
                        "version" => manifest.version = Some(map.next_value()?),
                        "private" => manifest.is_private = map.next_value()?,
                        "repository" => manifest.has_repository = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(manifest)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    // npm, too, reads files that begin with a byte order mark.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let manifest: Manifest<'_> = match serde_json::from_slice(content) {
        Ok(manifest) => manifest,
        // Node refuses to run what is beside such a file, so it is no program but a template of one.
        Err(_) if !is_module(found.path()) => return Ok(()),
        Err(error) => {
            found.problem(format!(
                "failed to read package.json: {}",
                faults::json(&error)
            ));
            return Ok(());
        }
    };
    // A folder that says no name is not a package: tools put such files there to mark a module system.
    if manifest.name.is_none() {
        return Ok(());
    }
    let name = manifest.name.as_ref().and_then(Text::get);
    let version = manifest.version.as_ref().and_then(Text::get);
    let is_published = !manifest.is_private.0
        && manifest.has_repository.0
        && name.is_some_and(|name| !name.is_empty())
        && version.is_some_and(|version| !version.is_empty());
    if !is_published && !is_module(found.path()) {
        return Ok(());
    }
    language::package(found, PackageKind::Npm, name, version, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_direct_children_of_node_modules_and_programs() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        for package in [
            "node_modules/ws/package.json",
            "usr/lib/node_modules/npm/package.json",
            "usr/lib/node_modules/npm/node_modules/@npmcli/arborist/package.json",
            "opt/yarn-v1.22.19/package.json",
            "root/.cache/node/corepack/v1/pnpm/9.1.0/package.json",
        ] {
            assert!(wants(package), "{package}");
        }
        for other in [
            "usr/lib/python3/site-packages/x/static/package.json",
            "srv/app/my-package.json",
            "node_modules/package.json",
            "node_modules/@npmcli/package.json",
            "node_modules/resolve/test/resolver/package.json",
            "node_modules/@npmcli/arborist/test/package.json",
            "node_modules/ws/package.json.bak",
        ] {
            assert!(!wants(other), "{other}");
        }
    }
}
