//! From Go's build information to packages (Go's source: `runtime/debug`, `ParseBuildInfo`).

use std::fmt::Write as _;

use seareeve_model::{Package, PackageKind};

use super::super::found::{Found, Limited};
use super::go::BuildInfo;
use crate::ecosystems::faults::excerpt;

/// The name of OSV for Go's own packages.
const STANDARD_LIBRARY: &str = "stdlib";

/// How many modules without a version are named.
const MOST_NAMED: usize = 5;

/// Adds the standard library and the modules.
pub(super) fn read(info: &BuildInfo, found: &mut Found<'_>) -> Result<(), Limited> {
    match info.version.as_deref().map(|text| (text, semantic(text))) {
        Some((_, Some(version))) => add(STANDARD_LIBRARY, &version, found)?,
        Some((text, None)) => {
            let text = excerpt(text, 60);
            found.problem(format!(
                "standard library version unknown: the toolchain calls itself {text:?}"
            ));
        }
        None => found.problem(
            "standard library version unknown: the binary was built by Go, but not in a way that says by \
             which"
                .to_owned(),
        ),
    }
    let Some(text) = &info.modules else {
        found.problem(
            "Go modules unknown: the binary was built without them, or not in a way that names them"
                .to_owned(),
        );
        return Ok(());
    };
    modules(text, found)
}

/// One module, and what was built in its place.
struct Module<'a> {
    path: &'a [u8],
    version: &'a [u8],
    is_main: bool,
}

fn modules(text: &[u8], found: &mut Found<'_>) -> Result<(), Limited> {
    let mut unversioned = Unversioned::default();
    let mut last: Option<Module<'_>> = None;
    for line in text.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b'\t');
        let kind = fields.next().unwrap_or_default();
        let path = fields.next().unwrap_or_default();
        let version = fields.next().unwrap_or_default();
        match kind {
            b"mod" | b"dep" => {
                finish(last.take(), &mut unversioned, found)?;
                last = Some(Module {
                    path,
                    version,
                    is_main: kind == b"mod",
                });
            }
            // It replaces the module of the line before.
            b"=>" => {
                if let Some(module) = &mut last {
                    // A folder that replaces a module has no name of its own that anyone knows.
                    if is_known(version) {
                        module.path = path;
                    }
                    module.version = version;
                }
            }
            _ => {}
        }
    }
    finish(last, &mut unversioned, found)?;
    unversioned.tell(found);
    Ok(())
}

fn finish(
    module: Option<Module<'_>>,
    unversioned: &mut Unversioned,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    // Some versions of Go name a module without a path.
    let Some(module) = module.filter(|module| !module.path.is_empty()) else {
        return Ok(());
    };
    let Some(path) = found.text("module path", Some(module.path)) else {
        return Ok(());
    };
    if !is_known(module.version) {
        // The main module is seldom built from a release. That is no gap: whoever built it knows what it is.
        if !module.is_main {
            unversioned.add(&path);
        }
        return Ok(());
    }
    match found.text(&format!("version of {path}"), Some(module.version)) {
        Some(version) => add(&path, &version, found),
        None => Ok(()),
    }
}

fn is_known(version: &[u8]) -> bool {
    !matches!(version, b"" | b"(devel)")
}

/// Dependencies of which only the name is known, because they were built from a folder.
#[derive(Default)]
struct Unversioned {
    names: String,
    count: usize,
}

impl Unversioned {
    fn add(&mut self, path: &str) {
        if self.count < MOST_NAMED {
            let comma = if self.names.is_empty() { "" } else { ", " };
            // A String takes everything.
            let _ = write!(self.names, "{comma}{path}");
        }
        self.count = self.count.saturating_add(1);
    }

    fn tell(&self, found: &mut Found<'_>) {
        if self.count > 0 {
            let Self { names, count } = self;
            let dots = if *count > MOST_NAMED { ", …" } else { "" };
            found.problem(format!(
                "Go modules ({count}) were built from folders and have no version: {names}{dots}"
            ));
        }
    }
}

fn add(path: &str, version: &str, found: &mut Found<'_>) -> Result<(), Limited> {
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(purl) = found.purl("golang", namespace, name, version, &[]) else {
        return Ok(());
    };
    found.package(Package {
        kind: PackageKind::Golang,
        name: path.to_owned(),
        version: version.to_owned(),
        source: None,
        ecosystem: "Go".to_owned(),
        purl,
    })
}

/// A release of Go in the form of OSV, which is Semantic Versioning: `go1.21` is 1.21.0, `go1.21rc2` is
/// 1.21.0-rc.2. `None` for a toolchain between releases.
///
/// What vendors add behind a space or hyphen (`go1.22.3 X:boringcrypto`, `go1.20.5-google`) does not count: it
/// says nothing of what they fixed, and behind a hyphen would sort before the release.
fn semantic(text: &str) -> Option<String> {
    let release = text.strip_prefix("go")?;
    let release = release.split([' ', '-', '+']).next()?;
    let suffix = release.find(|c: char| c != '.' && !c.is_ascii_digit());
    let (numbers, suffix) = release.split_at_checked(suffix.unwrap_or(release.len()))?;
    let mut parts = numbers.split('.');
    let mut number = |default: Option<&'static str>| {
        let part = parts.next().or(default)?;
        part.parse::<u32>().ok()
    };
    let (major, minor, patch) = (number(None)?, number(Some("0"))?, number(Some("0"))?);
    if parts.next().is_some() {
        return None;
    }
    let before = ["rc", "beta"].into_iter().find_map(|kind| {
        let count: u32 = suffix.strip_prefix(kind)?.parse().ok()?;
        Some(format!("-{kind}.{count}"))
    });
    match before {
        None if !suffix.is_empty() => None,
        before => Some(format!(
            "{major}.{minor}.{patch}{}",
            before.unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_written_as_osv_does() {
        for (text, expected) in [
            ("go1.21", Some("1.21.0")),
            ("go1.21rc2", Some("1.21.0-rc.2")),
            ("go1.9beta1", Some("1.9.0-beta.1")),
            ("go1.22.3", Some("1.22.3")),
            ("go1.22.3 X:boringcrypto", Some("1.22.3")),
            ("go1.26.0-X:jsonv2", Some("1.26.0")),
            ("go1.20.5-google", Some("1.20.5")),
            ("go1.26.5 (Red Hat 1.26.5-1.el10)", Some("1.26.5")),
            ("devel +b7a85e0003 Tue Aug 2 2022", None),
            ("devel go1.23-0123456789", None),
            ("go1.22.3.4", None),
            ("go1.x", None),
            ("go", None),
            ("1.22", None),
        ] {
            assert_eq!(semantic(text).as_deref(), expected, "{text}");
        }
    }
}
