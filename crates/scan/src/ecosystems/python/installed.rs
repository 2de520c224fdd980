//! Installed distributions: `*.dist-info/METADATA`, which every installer writes today (PyPA, "Recording installed
//! projects" and "Core metadata"), and what older ones write: `*.egg-info` as a file (distutils) or folder
//! (setuptools), and the `EGG-INFO` folder of an egg. The headers are those of a mail; the description after
//! them is not read.

use seareeve_model::{ImagePath, PackageKind};

use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    let path = path.as_bytes();
    let folder = |name: &[u8], folder: &[u8]| {
        path.strip_suffix(name)
            .is_some_and(|above| above.ends_with(folder))
    };
    folder(b"/METADATA", b".dist-info")
        || folder(b"/PKG-INFO", b".egg-info")
        || folder(b"/PKG-INFO", b".egg/EGG-INFO")
        || path.ends_with(b".egg-info")
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let (mut name, mut version) = (None, None);
    for line in content.split(|b| *b == b'\n') {
        if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
            continue;
        }
        // An empty line, or one that is no header, ends the headers, as for Python's own mail parser.
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            break;
        };
        let (header, value) = line.split_at(colon);
        let field = match header {
            header if header.eq_ignore_ascii_case(b"Name") => &mut name,
            header if header.eq_ignore_ascii_case(b"Version") => &mut version,
            _ => continue,
        };
        field.get_or_insert(value.strip_prefix(b":").unwrap_or(value).trim_ascii());
        if name.is_some() && version.is_some() {
            break;
        }
    }
    let text =
        |value: Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
    let (name, version) = (text(name), text(version));
    language::package(
        found,
        PackageKind::Pypi,
        name.as_deref(),
        version.as_deref(),
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_metadata_of_every_generation() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        for metadata in [
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA",
            "usr/lib/python3/dist-packages/distro_info-1.5.egg-info",
            "usr/lib/python3/dist-packages/gpg-1.18.egg-info/PKG-INFO",
            "opt/eggs/six-1.16.0-py3.11.egg/EGG-INFO/PKG-INFO",
        ] {
            assert!(wants(metadata), "{metadata}");
        }
        for other in [
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/RECORD",
            "usr/lib/python3/dist-packages/gpg-1.18.egg-info/SOURCES.txt",
            "src/app/PKG-INFO",
            "METADATA",
            "x/METADATA",
            "x/METADATA/y",
        ] {
            assert!(!wants(other), "{other}");
        }
    }
}
