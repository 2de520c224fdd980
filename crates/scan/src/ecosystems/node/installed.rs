//! Installed packages: the `package.json` of each folder directly in a `node_modules` (npm documentation,
//! "folders" and "package.json"). Deeper ones are tests, templates or builds of a package, not packages.

use std::fmt;

use seareeve_model::{ImagePath, PackageKind};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::Text;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, faults, language};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
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

/// The two fields that we use, of whatever type they are.
#[derive(Default)]
struct Manifest<'a> {
    name: Option<Text<'a>>,
    version: Option<Text<'a>>,
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
    language::package(found, PackageKind::Npm, name, version, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_direct_children_of_node_modules() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        for package in [
            "node_modules/ws/package.json",
            "usr/lib/node_modules/npm/package.json",
            "usr/lib/node_modules/npm/node_modules/@npmcli/arborist/package.json",
        ] {
            assert!(wants(package), "{package}");
        }
        for other in [
            "srv/app/package.json",
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
