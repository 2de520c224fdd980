//! Names in foreign documents: which package a package URL names, and which release of a distribution is
//! meant, in the words that `os-release(5)` has for it.

use std::borrow::Cow;

use seareeve_model::{Distro, PackageKind, PurlParts};

use crate::advisories::indexed_name;

/// The name of a package as it spells itself. A package URL of some types is in lower case, so the first of the
/// document's own names counts that is the same but for its case: `id` is without version, `group` may be part
/// of the `name` or not.
pub(super) fn package(kind: PackageKind, purl: &PurlParts, [id, group, name]: [&str; 3]) -> String {
    let separator = match kind {
        PackageKind::Maven => ":",
        PackageKind::Npm | PackageKind::Golang | PackageKind::Composer => "/",
        // The namespace is the distribution, or there is none.
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Rpm
        | PackageKind::Pypi
        | PackageKind::Cargo
        | PackageKind::Gem
        | PackageKind::Nuget => "",
    };
    let join = |group: &str, name: &str| {
        if group.is_empty() || separator.is_empty() {
            name.to_owned()
        } else {
            format!("{group}{separator}{name}")
        }
    };
    let of_purl = join(purl.namespace(), purl.name());
    let same = |name: &str| {
        let plain = |name: &str| match kind {
            PackageKind::Pypi => indexed_name("PyPI", name).into_owned(),
            _ => name.to_lowercase(),
        };
        plain(name) == plain(&of_purl)
    };
    if same(id) {
        id.to_owned()
    } else if same(name) {
        name.to_owned()
    } else {
        let joined = join(group, name);
        if same(&joined) { joined } else { of_purl }
    }
}

/// The version of a package as its package manager writes it. Package URLs of rpm, and those that Trivy makes
/// for deb, have the epoch as a qualifier.
pub(super) fn version<'a>(purl: &'a PurlParts, of_document: &'a str) -> Cow<'a, str> {
    if purl.version().is_empty() {
        return of_document.into();
    }
    match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" && !purl.version().contains(':') => {
            format!("{epoch}:{}", purl.version()).into()
        }
        Some(_) | None => purl.version().into(),
    }
}

/// The distribution that documents name and version so; `pretty` is its name for people.
pub(super) fn distro(name: &str, version: &str, pretty: &str) -> Distro {
    let name = name.trim().to_lowercase();
    let id = os_release_id(&name).unwrap_or(&name);
    // `2 (Karoo)` of Amazon Linux.
    let version = version.split_whitespace().next().unwrap_or_default();
    let version = match id {
        // Trivy and cdxgen say the point release, of `/etc/debian_version`; `os-release` does not.
        "debian" => version.split('.').next().unwrap_or_default(),
        _ => version.strip_prefix('v').unwrap_or(version),
    };
    Distro {
        id: id.to_owned(),
        version: version.to_owned(),
        name: pretty.to_owned(),
    }
}

/// The distribution in the qualifier `distro` of a package URL: `debian-12`, `opensuse-leap-15.5`, `bookworm`;
/// Trivy writes `3.19.1` for Alpine. `namespace` is that of the package URL.
pub(super) fn distro_of_qualifier(text: &str, namespace: &str) -> Distro {
    let starts_with_digit = |text: &str| text.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if starts_with_digit(text) {
        return distro(namespace, text, "");
    }
    let last = text.rsplit('-').next().unwrap_or_default();
    if let Some((_, name, version)) = CODENAMES.iter().find(|(codename, ..)| *codename == last) {
        return distro(name, version, "");
    }
    match text.rsplit_once('-') {
        Some((name, version)) if starts_with_digit(version) => distro(name, version, ""),
        Some(_) | None => distro(text, "", ""),
    }
}

/// Names of families that Trivy writes where `os-release` has another `ID`.
fn os_release_id(name: &str) -> Option<&'static str> {
    Some(match name {
        "redhat" => "rhel",
        "alma" => "almalinux",
        "oracle" => "ol",
        "amazon" => "amzn",
        "suse linux enterprise server" => "sles",
        "suse linux enterprise micro" => "sl-micro",
        "opensuse.leap" | "opensuse leap" => "opensuse-leap",
        "opensuse.tumbleweed" | "opensuse tumbleweed" => "opensuse-tumbleweed",
        "cbl-mariner" => "mariner",
        _ => return None,
    })
}

/// Debian's and Ubuntu's names of releases, which the package URL specification's own examples use.
const CODENAMES: &[(&str, &str, &str)] = &[
    ("jessie", "debian", "8"),
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("trusty", "ubuntu", "14.04"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
    ("oracular", "ubuntu", "24.10"),
    ("plucky", "ubuntu", "25.04"),
    ("questing", "ubuntu", "25.10"),
];

#[cfg(test)]
mod tests {
    use seareeve_model::Purl;

    use super::*;

    fn parts(purl: &str) -> PurlParts {
        purl.parse::<Purl>().unwrap().parts()
    }

    #[test]
    fn packages_are_named_as_they_spell_themselves() {
        use PackageKind::{Deb, Golang, Maven, Npm, Pypi};
        let cases = [
            (Deb, "pkg:deb/debian/libc6@1", "", "libc6", "libc6"),
            (
                Npm,
                "pkg:npm/%40babel/core@1",
                "@babel",
                "core",
                "@babel/core",
            ),
            (
                Npm,
                "pkg:npm/%40babel/core@1",
                "",
                "@babel/core",
                "@babel/core",
            ),
            (Npm, "pkg:npm/jsonstream@1", "", "JSONStream", "JSONStream"),
            (
                Pypi,
                "pkg:pypi/ruamel-yaml@1",
                "",
                "ruamel.yaml",
                "ruamel.yaml",
            ),
            (Maven, "pkg:maven/org.a/b@1", "org.a", "b", "org.a:b"),
            (Maven, "pkg:maven/org.a/b@1", "", "b", "org.a:b"),
            (
                Golang,
                "pkg:golang/github.com/Masterminds/semver@v1",
                "",
                "github.com/Masterminds/semver",
                "github.com/Masterminds/semver",
            ),
            (Golang, "pkg:golang/stdlib@1.21.0", "", "", "stdlib"),
            // A name that has nothing to do with the package URL says nothing.
            (Deb, "pkg:deb/debian/libc6@1", "", "The C library", "libc6"),
        ];
        for (kind, purl, group, name, expected) in cases {
            let read = package(kind, &parts(purl), ["", group, name]);
            assert_eq!(read, expected, "{purl}");
        }
        let names = ["JSONStream", "", "jsonstream"];
        assert_eq!(
            package(Npm, &parts("pkg:npm/jsonstream@1"), names),
            "JSONStream"
        );
    }

    #[test]
    fn epochs_come_back_into_the_version() {
        for (purl, of_document, expected) in [
            ("pkg:deb/debian/passwd@4.13-1?epoch=1", "", "1:4.13-1"),
            ("pkg:deb/debian/passwd@1:4.13-1?epoch=1", "", "1:4.13-1"),
            ("pkg:rpm/rhel/bash@4.4-1?epoch=0", "0:4.4-1", "4.4-1"),
            ("pkg:npm/ws", "1.1.0", "1.1.0"),
            ("pkg:npm/ws", "", ""),
        ] {
            assert_eq!(version(&parts(purl), of_document), expected, "{purl}");
        }
    }

    #[test]
    fn releases_are_named_as_os_release_does() {
        let cases = [
            ("debian-12", "debian", "debian", "12"),
            ("debian-12.15", "debian", "debian", "12"),
            ("bookworm", "debian", "debian", "12"),
            ("debian-trixie", "debian", "debian", "13"),
            ("ubuntu-22.04", "ubuntu", "ubuntu", "22.04"),
            ("jammy", "ubuntu", "ubuntu", "22.04"),
            ("3.19.1", "alpine", "alpine", "3.19.1"),
            ("alpine-v3.19", "alpine", "alpine-v3.19", ""),
            ("opensuse-leap-15.5", "opensuse", "opensuse-leap", "15.5"),
            ("opensuse.leap-15.5", "opensuse", "opensuse-leap", "15.5"),
            ("redhat-8.6", "redhat", "rhel", "8.6"),
            ("amazon-2 (Karoo)", "amazon", "amzn", "2"),
            ("wolfi", "wolfi", "wolfi", ""),
            ("", "", "", ""),
        ];
        for (text, namespace, id, version) in cases {
            let read = distro_of_qualifier(text, namespace);
            assert_eq!((&*read.id, &*read.version), (id, version), "{text}");
        }
        assert_eq!(distro("alpine", "v3.19", "").version, "3.19");
        assert_eq!(distro("Debian", "12.15", "").version, "12");
    }
}
