//! `uv.lock`. Only what comes from an index (`registry`) is a package that advisories speak of. The projects
//! themselves say which groups of packages are for their developers; what only these need is left out.

use seareeve_model::{ImagePath, PackageKind};
use serde::Deserialize;

use super::is_for_developers;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::loose::{Flag, List, Record, Table, Text};
use crate::ecosystems::needs::Needs;
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language, tables};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    language::is_named(path, b"uv.lock")
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    source: Record<Origin>,
    #[serde(borrow)]
    dependencies: Names<'a>,
    #[serde(borrow)]
    optional_dependencies: Table<'a, Names<'a>>,
    #[serde(borrow)]
    dev_dependencies: Table<'a, Names<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin {
    registry: Flag,
    /// A project whose folder is not installed itself, and one whose is.
    r#virtual: Flag,
    editable: Flag,
}

/// `[{ name = "idna" }, …]`
type Names<'a> = List<Record<Named<'a>>>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let mut needs = Needs::default();
    let mut packages = Vec::new();
    tables::toml(content, "package", found, |_, entry: Entry<'_>| {
        note_needs(&mut needs, &entry);
        let origin = entry.source.0.unwrap_or_default();
        if origin.registry.0 {
            packages.push((entry.name, entry.version));
        }
        Ok(())
    })?;
    // Of an entry that was not understood it is not known what it needs.
    let needed = if found.has_problems() {
        None
    } else {
        needs.all()
    };
    for (name, version) in &packages {
        let is_needed = |name| needed.as_ref().is_none_or(|needed| needed.contains(name));
        if name.get().is_none_or(is_needed) {
            language::package(found, PackageKind::Pypi, name.get(), version.get(), &[])?;
        }
    }
    Ok(())
}

fn note_needs<'a>(needs: &mut Needs<'a>, entry: &Entry<'a>) {
    let Some(name) = entry.name.clone().into_inner() else {
        return;
    };
    let is_project = entry
        .source
        .0
        .as_ref()
        .is_some_and(|origin| origin.r#virtual.0 || origin.editable.0);
    if is_project {
        needs.project();
    }
    // Extras may be installed with any package: uv does not say which were asked for.
    let optional = entry.optional_dependencies.0.iter();
    let groups = entry.dev_dependencies.0.iter();
    let groups = groups.filter(|(group, _)| is_project && !is_for_developers(group));
    let lists = optional.chain(groups).map(|(_, list)| list);
    for List(list) in lists.chain([&entry.dependencies]) {
        let named = list.iter().filter_map(|Record(named)| named.as_ref());
        for needed in named.filter_map(|named| named.name.clone().into_inner()) {
            if is_project {
                needs.of_project(needed);
            } else {
                needs.of_package(&name, needed);
            }
        }
    }
}
