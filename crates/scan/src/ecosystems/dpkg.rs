//! Debian and Ubuntu packages: dpkg's status database, and the `status.d` folder in which distroless images
//! keep one stanza per file. Format: Debian Policy 5.1 (control fields), dpkg(1) (package states).

use seareeve_model::{ImagePath, Package, PackageKind, SourcePackage};

use super::found::{Found, Limited};
use super::os_release::OsRelease;
use super::{Ecosystem, Intake, Scope};
use crate::ecosystems::faults::excerpt;

pub(super) const ECOSYSTEM: Ecosystem = Ecosystem {
    scope: Scope::OperatingSystem {
        release: osv_release,
        // dpkg has a list for each package, which `ownership` reads.
        owned: |_, _| Vec::new(),
    },
    intake: Intake::Whole(wanted),
    read,
};

const STATUS: &[u8] = b"var/lib/dpkg/status";
const STATUS_FOLDER: &[u8] = b"var/lib/dpkg/status.d/";

pub(super) fn wanted(path: &ImagePath) -> bool {
    let path = path.as_bytes();
    // Each stanza of a distroless image has a sibling with checksums of the package's files.
    path == STATUS
        || path
            .strip_prefix(STATUS_FOLDER)
            .is_some_and(|name| !name.contains(&b'/') && !name.ends_with(b".md5sums"))
}

/// `Debian:12`, `Ubuntu:22.04:LTS`, `Ubuntu:23.10`. Derivatives rebuild and add packages under Debian's names
/// and version numbers, so Debian's advisories say nothing certain about them.
pub(super) fn osv_release(os: &OsRelease) -> Option<String> {
    let numbers = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match os.id.as_str() {
        "debian" => numbers(&os.version_id).then(|| format!("Debian:{}", os.version_id)),
        "ubuntu" => {
            let (year, month) = os.version_id.split_once('.')?;
            if !numbers(year) || !numbers(month) {
                return None;
            }
            // Every second year's April release is one for the long term. VERSION says so only from the
            // day of the release on.
            let even = year.bytes().last().is_some_and(|digit| digit % 2 == 0);
            let suffix = if os.version.contains("LTS") || (even && month == "04") {
                ":LTS"
            } else {
                ""
            };
            Some(format!("Ubuntu:{}{suffix}", os.version_id))
        }
        _ => None,
    }
}

/// One stanza: the fields that we use, first occurrence each.
#[derive(Default)]
struct Stanza<'a> {
    package: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    is_empty: bool,
}

fn read(content: &[u8], os: Option<&OsRelease>, found: &mut Found<'_>) -> Result<(), Limited> {
    let mut stanza = empty();
    for line in content.split(|b| *b == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            finish(&stanza, os, found)?;
            stanza = empty();
            continue;
        }
        stanza.is_empty = false;
        // Continuation lines belong to fields that we do not use (Description, Conffiles, Depends).
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            continue;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let field = match name {
            name if name.eq_ignore_ascii_case(b"Package") => &mut stanza.package,
            name if name.eq_ignore_ascii_case(b"Status") => &mut stanza.status,
            name if name.eq_ignore_ascii_case(b"Version") => &mut stanza.version,
            name if name.eq_ignore_ascii_case(b"Source") => &mut stanza.source,
            name if name.eq_ignore_ascii_case(b"Architecture") => &mut stanza.architecture,
            _ => continue,
        };
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        field.get_or_insert(value);
    }
    finish(&stanza, os, found)
}

fn empty<'a>() -> Stanza<'a> {
    Stanza {
        is_empty: true,
        ..Stanza::default()
    }
}

/// Turns one stanza into a package, if it says that one is installed.
fn finish(
    stanza: &Stanza<'_>,
    os: Option<&OsRelease>,
    found: &mut Found<'_>,
) -> Result<(), Limited> {
    if stanza.is_empty {
        return Ok(());
    }
    let Some(name) = found.text("package name", stanza.package) else {
        return Ok(());
    };
    match state(stanza.status) {
        State::Installed => {}
        State::Gone => return Ok(()),
        State::Partly(state) => {
            found.problem(format!(
                "package {name} is {state}, not installed, and was left out"
            ));
            return Ok(());
        }
    }
    let Some(version) = found.text(&format!("version of package {name}"), stanza.version) else {
        return Ok(());
    };
    let architecture = stanza.architecture.map(String::from_utf8_lossy);
    let source = source(stanza.source, &name, &version);
    let purl = found.purl(
        "deb",
        os.map_or("", |os| &os.id),
        &name,
        &version,
        &[
            ("arch", architecture.as_deref().unwrap_or_default()),
            (
                "distro",
                &os.map(OsRelease::purl_distro).unwrap_or_default(),
            ),
        ],
    );
    let Some(purl) = purl else { return Ok(()) };
    found.package(Package {
        kind: PackageKind::Deb,
        name,
        version,
        source: Some(source),
        ecosystem: os.and_then(osv_release).unwrap_or_default(),
        purl,
    })
}

/// What the third word of `Status: install ok installed` means for us.
enum State {
    Installed,
    /// Removed, perhaps with its configuration left behind.
    Gone,
    /// Interrupted between unpacking and configuring.
    Partly(String),
}

/// Stanzas of `status.d` have no status: the image was put together without dpkg, and they are all installed.
fn state(status: Option<&[u8]>) -> State {
    let Some(status) = status else {
        return State::Installed;
    };
    let state = status.split(u8::is_ascii_whitespace).next_back();
    match state.unwrap_or_default() {
        // All of these mean that the files are there, configured or not, and files can be exploited.
        b"installed" | b"triggers-pending" | b"triggers-awaited" | b"half-configured"
        | b"unpacked" => State::Installed,
        b"not-installed" | b"config-files" => State::Gone,
        other => State::Partly(excerpt(&String::from_utf8_lossy(other), 40).into_owned()),
    }
}

/// `Source: glibc (2.36-9)`. The name defaults to the binary's, the version too (Policy 5.6.1).
fn source(field: Option<&[u8]>, name: &str, version: &str) -> SourcePackage {
    let field = String::from_utf8_lossy(field.unwrap_or_default());
    let (source, rest) = field.split_once('(').unwrap_or((&field, ""));
    let or = |text: &str, default: &str| match text.trim() {
        "" => default.to_owned(),
        text => text.to_owned(),
    };
    SourcePackage {
        name: or(source, name),
        version: or(rest.split(')').next().unwrap_or_default(), version),
    }
}

/// Domains from which those who look after Debian's and Ubuntu's packages write.
const DISTRIBUTION_DOMAINS: [&[u8]; 4] = [
    b"debian.org",
    b"debian.net",
    b"ubuntu.com",
    b"canonical.com",
];

/// The names of the packages in a database that the distribution's own people look after. Others come from
/// somebody else's archive (Docker's, NodeSource's), whose packages no advisory of the distribution speaks of;
/// dpkg does not remember from where a package came. A maintainer who writes from an address of his own counts as
/// somebody else, which reports a package twice rather than not at all.
pub(super) fn of_distribution(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut package, mut is_own) = (None, false);
    let lines = content.split(|b| *b == b'\n').chain([&b""[..]]);
    lines.filter_map(move |line| {
        match line.first() {
            None => {
                let own = std::mem::take(&mut is_own);
                return package.take().filter(|_| own);
            }
            Some(b'P') if line.starts_with(b"Package:") => {
                package = line.get(8..).map(<[u8]>::trim_ascii)
            }
            Some(b'M') if line.starts_with(b"Maintainer:") => {
                is_own = line
                    .get(11..)
                    .is_some_and(|who| is_from_distribution(who.trim_ascii()));
            }
            Some(_) => {}
        }
        None
    })
}

/// `Debian Python Team <team+python@tracker.debian.org>`
fn is_from_distribution(maintainer: &[u8]) -> bool {
    let address = maintainer.strip_suffix(b">").unwrap_or(maintainer);
    let domain = address
        .rsplit(|byte| *byte == b'@')
        .next()
        .unwrap_or_default();
    DISTRIBUTION_DOMAINS.iter().any(|known| {
        domain
            .strip_suffix(*known)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_others_are_told_from_those_of_the_distribution() {
        let status = b"Package: python3-six\nMaintainer: Debian Python Team <team+python@tracker.debian.org>\n\n\
            Package: docker-ce-cli\nMaintainer: Docker <support@docker.com>\nVersion: 1\n\n\
            Maintainer: Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>\nPackage: base-files\n\n\
            Package: no-maintainer\n\nPackage: fake\nMaintainer: X <x@notdebian.org>\n\n\
            Package: last\nMaintainer: Y <y@debian.org>";
        let own: Vec<&[u8]> = of_distribution(status).collect();
        assert_eq!(own, [&b"python3-six"[..], b"base-files", b"last"]);
    }

    #[test]
    fn wants_the_database_and_single_stanzas() {
        let wants = |path: &str| wanted(&ImagePath::parse(path.as_bytes()).unwrap());
        assert!(wants("var/lib/dpkg/status") && wants("var/lib/dpkg/status.d/libc6"));
        for other in [
            "var/lib/dpkg/status-old",
            "var/lib/dpkg/status.d/libc6.md5sums",
            "var/lib/dpkg/status.d/x/y",
            "srv/var/lib/dpkg/status",
        ] {
            assert!(!wants(other), "{other}");
        }
    }

    #[test]
    fn names_releases_as_osv_does() {
        let release = |id: &str, version_id: &str, version: &str| {
            osv_release(&OsRelease {
                id: id.to_owned(),
                version_id: version_id.to_owned(),
                version: version.to_owned(),
                ..OsRelease::default()
            })
        };
        let cases = [
            ("debian", "12", "12 (bookworm)", Some("Debian:12")),
            ("debian", "", "trixie/sid", None),
            ("debian", "12/../x", "", None),
            (
                "ubuntu",
                "22.04",
                "22.04.3 LTS (Jammy Jellyfish)",
                Some("Ubuntu:22.04:LTS"),
            ),
            (
                "ubuntu",
                "24.04",
                "24.04 (Noble Numbat)",
                Some("Ubuntu:24.04:LTS"),
            ),
            (
                "ubuntu",
                "23.04",
                "23.04 (Lunar Lobster)",
                Some("Ubuntu:23.04"),
            ),
            (
                "ubuntu",
                "24.10",
                "24.10 (Oracular Oriole)",
                Some("Ubuntu:24.10"),
            ),
            ("ubuntu", "rolling", "", None),
            ("raspbian", "12", "12 (bookworm)", None),
        ];
        for (id, version_id, version, expected) in cases {
            assert_eq!(
                release(id, version_id, version).as_deref(),
                expected,
                "{id} {version_id}"
            );
        }
    }
}
