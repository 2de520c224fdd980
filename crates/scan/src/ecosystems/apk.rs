//! Alpine packages: apk's installed database, a stanza of one-letter fields per package (Alpine wiki, "Apk
//! spec"). apk-tools 3 keeps the same text under `usr`.

use seareeve_model::{ImagePath, Package, PackageKind, SourcePackage};

use super::found::{Found, Limited};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::OperatingSystem {
        release: osv_release,
        owned,
    },
    intake: Intake::Whole(wanted),
    read,
};

fn wanted(path: &ImagePath) -> bool {
    matches!(
        path.as_bytes(),
        b"lib/apk/db/installed" | b"usr/lib/apk/db/installed"
    )
}

/// `Alpine:v3.19` for `3.19.1`; `Alpine:edge` for the development branch, whose version looks like
/// `3.21_alpha20240923`. Other distributions with apk have advisories of their own, and no releases.
fn osv_release(os: &OsRelease) -> Option<String> {
    match os.id.as_str() {
        "alpine" => {}
        "wolfi" => return Some("Wolfi".to_owned()),
        "chainguard" => return Some("Chainguard".to_owned()),
        "minimos" => return Some("MinimOS".to_owned()),
        _ => return None,
    }
    // Edge calls itself by what it will be: `3.21_alpha20240807`, since 2024 `3.21.0_alpha20240807`.
    if os.version_id.contains("_alpha") {
        return Some("Alpine:edge".to_owned());
    }
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = os.version_id.splitn(3, '.');
    let major = parts.next().filter(number)?;
    let minor = parts.next()?;
    number(&minor).then(|| format!("Alpine:v{major}.{minor}"))
}

/// One stanza: the fields that we use, first occurrence each.
#[derive(Default)]
struct Stanza<'a> {
    package: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    has_lines: bool,
}

fn read(content: &[u8], os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let mut stanza = Stanza::default();
    for line in content.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            finish(&stanza, os, found)?;
            stanza = Stanza::default();
            continue;
        }
        stanza.has_lines = true;
        let field = match line.get(..2) {
            Some(b"P:") => &mut stanza.package,
            Some(b"V:") => &mut stanza.version,
            Some(b"o:") => &mut stanza.origin,
            Some(b"A:") => &mut stanza.architecture,
            _ => continue,
        };
        field.get_or_insert(line.get(2..).unwrap_or_default());
    }
    finish(&stanza, os, found)
}

/// Turns one stanza into a package.
fn finish(
    stanza: &Stanza<'_>,
    os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    if !stanza.has_lines {
        return Ok(());
    }
    let Some(name) = found.text("package name", stanza.package) else {
        return Ok(());
    };
    let Some(version) = found.text(&format!("version of package {name}"), stanza.version) else {
        return Ok(());
    };
    let architecture = String::from_utf8_lossy(stanza.architecture.unwrap_or_default());
    let origin = String::from_utf8_lossy(stanza.origin.unwrap_or_default());
    let purl = found.purl(
        "apk",
        os.map_or("", |os| &os.id),
        &name,
        &version,
        &[
            ("arch", &architecture),
            (
                "distro",
                &os.map(OsRelease::purl_distro).unwrap_or_default(),
            ),
        ],
    );
    let Some(purl) = purl else { return Ok(()) };
    let source = if origin.is_empty() {
        name.clone()
    } else {
        origin.into_owned()
    };
    found.package(Package {
        kind: PackageKind::Apk,
        source: Some(SourcePackage {
            name: source,
            version: version.clone(),
        }),
        name,
        version,
        ecosystem: os.and_then(osv_release).unwrap_or_default(),
        purl,
    })
}

/// The files that the packages of a database own and that `keep` asks for: paths without a slash at the
/// beginning, in no order.
fn owned(content: &[u8], keep: &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut owned = Vec::new();
    let mut folder: &[u8] = b"";
    let mut path = Vec::new();
    for line in content.split(|b| *b == b'\n') {
        if let Some(name) = line.strip_prefix(b"F:") {
            // Longer ones do not exist, and each file would repeat them.
            folder = if name.len() > LONGEST_PATH { b"" } else { name };
        } else if let Some(name) = line.strip_prefix(b"R:") {
            path.clear();
            path.extend_from_slice(folder);
            if !folder.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            if keep(&path) {
                owned.push(path.clone());
            }
        }
    }
    owned
}

/// Longest path that is taken, in bytes: the most that Linux allows.
const LONGEST_PATH: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_own_the_files_of_their_folders() {
        let database = b"P:six\nF:\nR:init\nF:usr/lib/six-1.16.dist-info\nM:0:0:755\nR:METADATA\nZ:Q1x=\nR:RECORD\n\nP:empty\nF:usr\n";
        let mut all = owned(database, &|_| true);
        all.sort();
        let expected: [&[u8]; 3] = [
            b"init",
            b"usr/lib/six-1.16.dist-info/METADATA",
            b"usr/lib/six-1.16.dist-info/RECORD",
        ];
        assert_eq!(all, expected);
        let some = owned(database, &|path| path.ends_with(b"/METADATA"));
        assert_eq!(some, [expected[1]]);
    }

    #[test]
    fn names_releases_as_osv_does() {
        let cases = [
            ("alpine", "3.19.1", Some("Alpine:v3.19")),
            ("alpine", "3.20.0_rc1", Some("Alpine:v3.20")),
            ("alpine", "3.21_alpha20240923", Some("Alpine:edge")),
            ("alpine", "3.21.0_alpha20240807", Some("Alpine:edge")),
            ("alpine", "", None),
            ("alpine", "3", None),
            ("alpine", "3.x", None),
            ("wolfi", "20230201", Some("Wolfi")),
            ("chainguard", "", Some("Chainguard")),
            ("minimos", "20241031", Some("MinimOS")),
            ("postmarketos", "v24.06", None),
        ];
        for (id, version_id, expected) in cases {
            let os = OsRelease {
                id: id.to_owned(),
                version_id: version_id.to_owned(),
                ..OsRelease::default()
            };
            assert_eq!(osv_release(&os).as_deref(), expected, "{id} {version_id}");
        }
    }
}
