//! Requirements files (pip documentation, "Requirements File Format"; PEP 508). Only a pin to one version says
//! what is meant to be there: lines without one are options, repositories, folders or a choice left to pip.
//!
//! Files whose name says that they are for developers (`requirements-dev.txt`, `test_requirements.txt`) are left
//! out, and so are lines that look like nothing pip knows: other texts have such names, too.

use seareeve_model::{ImagePath, PackageKind};

use super::is_for_developers;
use crate::ecosystems::found::{Found, Limited};
use crate::ecosystems::os_release::OsRelease;
use crate::ecosystems::{Ecosystem, Intake, Scope, language};

pub(in crate::ecosystems) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::Language,
    intake: Intake::Locked(wanted, super::INSTALLS),
    read,
};

/// `requirements.txt`, `requirements-prod.txt`, `base-requirements.txt`, `requirements/base.txt`.
fn wanted(path: &ImagePath) -> bool {
    let Some(stem) = path.as_bytes().strip_suffix(b".txt") else {
        return false;
    };
    let mut parts = stem.rsplit(|b| *b == b'/');
    let name = parts.next().unwrap_or_default();
    let is_named_so = name.starts_with(b"requirements") || name.ends_with(b"requirements");
    let is_in_folder = parts.next() == Some(b"requirements");
    (is_named_so || is_in_folder)
        && std::str::from_utf8(name).is_ok_and(|name| !is_for_developers(name))
}

fn read(content: &[u8], _os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let text = text(content);
    let mut joined = String::new();
    for line in text.lines() {
        // A backslash at the end joins lines before comments are looked for, as in pip.
        if let Some(part) = line.strip_suffix('\\') {
            joined.push_str(part);
            continue;
        }
        joined.push_str(line);
        pinned(&joined, found)?;
        joined.clear();
    }
    pinned(&joined, found)
}

/// The text; `pip freeze > requirements.txt` makes UTF-16 with a byte order mark on Windows, which pip reads.
fn text(content: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match content {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        all => String::from_utf8_lossy(all).into_owned(),
    }
}

/// Reads `name[extra,…] == version, … ; marker --hash=… # comment`.
fn pinned(line: &str, found: &mut Found<'_>) -> Result<(), Limited> {
    let line = line.trim();
    // A comment begins at the start or after a space: a URL may hold a `#`.
    if line.starts_with('#') {
        return Ok(());
    }
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split(" --").next().unwrap_or_default();
    let line = line.split(';').next().unwrap_or_default().trim();
    // Options (`-r`, `--index-url`) and direct references (`name @ url`, a URL, a path) pin nothing of an index.
    let is_reference = |line: &str| line.contains(['@', '/', '\\']);
    let Some(at) = line
        .find("==")
        .filter(|_| !line.starts_with('-') && !is_reference(line))
    else {
        return Ok(());
    };
    // `name (==1.0)` is an older form.
    let (before, pin) = line.split_at(at);
    let name = before
        .split(['[', '<', '>', '!', '~', '=', '(', ','])
        .next();
    let name = name.unwrap_or_default().trim();
    let version = pin.trim_start_matches('=').split([',', ')']).next();
    let version = version.unwrap_or_default().trim();
    let is_name = |name: &str| {
        let end =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        end(name.chars().next())
            && end(name.chars().next_back())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    // `==1.*` leaves a choice, and other texts with such a file name are no requirements.
    let is_version = !version.is_empty()
        && version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".!+-_".contains(c));
    if !is_name(name) || !is_version {
        return Ok(());
    }
    language::package(found, PackageKind::Pypi, Some(name), Some(version), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_requirements_for_production() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        for path in [
            "requirements.txt",
            "srv/app/requirements.txt",
            "srv/app/requirements-prod.txt",
            "srv/app/requirements_3.11.txt",
            "srv/app/base-requirements.txt",
            "srv/app/requirements/base.txt",
        ] {
            assert!(wants(path), "{path}");
        }
        for path in [
            "srv/app/requirements-dev.txt",
            "srv/app/test_requirements.txt",
            "srv/app/requirements/docs.txt",
            "srv/app/requirements.in",
            "srv/app/notes.txt",
            "requirements/more/base.txt",
        ] {
            assert!(!wants(path), "{path}");
        }
    }
}
