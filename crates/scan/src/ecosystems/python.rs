//! Python distributions: `*.dist-info/METADATA`, which every installer writes (PyPA, "Recording installed
//! projects" and "Core metadata"). The headers are those of a mail; the description after them is not read.

use seareeve_model::{ImagePath, Package, PackageKind};

use super::found::{Found, Limited};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    path.as_bytes()
        .strip_suffix(b"/METADATA")
        .is_some_and(|folder| folder.ends_with(b".dist-info"))
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
    let Some(name) = found.text("Name", name) else {
        return Ok(());
    };
    let Some(version) = found.text(&format!("Version of {name}"), version) else {
        return Ok(());
    };
    let purl = found.purl("pypi", "", &normalised(&name), &version, &[]);
    let Some(purl) = purl else { return Ok(()) };
    found.package(Package {
        kind: PackageKind::Pypi,
        name,
        version,
        source: None,
        ecosystem: "PyPI".to_owned(),
        purl,
    })
}

/// The name under which an index knows it (PEP 503): lower case, each run of `-`, `_` and `.` one `-`.
fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.push(other.to_ascii_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_names() {
        for (name, normal) in [
            ("Jinja2", "jinja2"),
            ("ruamel.yaml", "ruamel-yaml"),
            ("zope._-interface", "zope-interface"),
        ] {
            assert_eq!(normalised(name), normal);
        }
    }

    #[test]
    fn wants_metadata_of_dist_info_only() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        assert!(wants(
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA"
        ));
        assert!(!wants(
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/RECORD"
        ));
        assert!(!wants("METADATA") && !wants("x/METADATA") && !wants("x/METADATA/y"));
    }
}
