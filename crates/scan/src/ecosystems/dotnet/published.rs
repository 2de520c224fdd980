//! `NAME.deps.json`, which stands beside a published program and says what it is made of (.NET runtime,
//! "runtime-configuration-file" and "host-components-dependency-resolution").

use std::collections::BTreeMap;

use seareeve_model::PackageKind;
use serde::Deserialize;

use crate::ecosystems::faults::excerpt;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, Text};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, members};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(|path| path.as_bytes().ends_with(b".deps.json")),
    read,
};

/// Libraries of one file whose targets are remembered. Real files have a few hundred.
const MOST_TARGETS: usize = 100_000;

/// What a library brings to one target.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    runtime: Flag,
    native: Flag,
    runtime_targets: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Library<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    // A library without code in any target was used to compile, or lost against a newer assembly of the
    // framework: it is named, but nothing of it is there.
    let mut has_code: BTreeMap<String, bool> = BTreeMap::new();
    members::json(
        content,
        &["targets", "*", "*"],
        found,
        |_, library, target: Target| {
            let code = target.runtime.0 || target.native.0 || target.runtime_targets.0;
            if let Some(any) = has_code.get_mut(library) {
                *any |= code;
            } else if has_code.len() < MOST_TARGETS {
                has_code.insert(library.to_owned(), code);
            }
            Ok(())
        },
    )?;
    if found.has_problems() {
        return Ok(());
    }
    let is_there = members::json(
        content,
        &["libraries", "*"],
        found,
        |found, key, library: Library<'_>| {
            // A program that brings its own .NET names it `runtimepack.NAME`; advisories call it by the name.
            let key = match library.kind.get() {
                _ if has_code.get(key) == Some(&false) => return Ok(()),
                Some("package") => key,
                Some("runtimepack") => key.strip_prefix("runtimepack.").unwrap_or(key),
                _ => return Ok(()),
            };
            let Some((name, version)) = key.split_once('/') else {
                let key = excerpt(key, 200);
                found.problem(format!("library {key:?} has no version"));
                return Ok(());
            };
            language::package(found, PackageKind::Nuget, Some(name), Some(version), &[])
        },
    )?;
    if !is_there && !found.has_problems() {
        found.problem("no libraries".to_owned());
    }
    Ok(())
}
