//! From a name and a version to a package, for every language: what OSV calls the ecosystem, and where purl-spec
//! wants the parts of the name.

use std::borrow::Cow;

use seareeve_model::{ImagePath, Package, PackageKind};

use super::found::{Found, Limited};

/// Adds the package, or a problem if its name or version is missing or odd. `qualifiers` are those of the purl.
pub(super) fn package(
    found: &mut Found<'_>,
    kind: PackageKind,
    name: Option<&str>,
    version: Option<&str>,
    qualifiers: &[(&str, &str)],
) -> Result<(), Limited> {
    let Some(name) = found.text("name", name.map(str::as_bytes)) else {
        return Ok(());
    };
    let version = version.map(str::as_bytes);
    let Some(version) = found.text(&format!("version of {name}"), version) else {
        return Ok(());
    };
    let (namespace, short) = purl_name(kind, &name);
    let Some(purl) = found.purl(kind.as_str(), namespace, &short, &version, qualifiers) else {
        return Ok(());
    };
    found.package(Package {
        kind,
        name,
        version,
        source: None,
        ecosystem: osv_name(kind).to_owned(),
        purl,
    })
}

/// What OSV calls the ecosystem (OSV schema, "Defined ecosystems"). Empty for operating systems, where the
/// release decides.
pub(super) fn osv_name(kind: PackageKind) -> &'static str {
    match kind {
        PackageKind::Deb | PackageKind::Apk | PackageKind::Rpm => "",
        PackageKind::Pypi => "PyPI",
        PackageKind::Npm => "npm",
        PackageKind::Maven => "Maven",
        PackageKind::Golang => "Go",
        PackageKind::Cargo => "crates.io",
        PackageKind::Gem => "RubyGems",
        PackageKind::Composer => "Packagist",
        PackageKind::Nuget => "NuGet",
    }
}

/// Namespace and name as purl-spec's type definitions divide them.
fn purl_name(kind: PackageKind, name: &str) -> (&str, Cow<'_, str>) {
    let (namespace, short) = match kind {
        PackageKind::Npm if name.starts_with('@') => name.split_once('/'),
        PackageKind::Composer => name.split_once('/'),
        PackageKind::Golang => name.rsplit_once('/'),
        PackageKind::Maven => name.split_once(':'),
        PackageKind::Pypi => return ("", Cow::Owned(normalised(name))),
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Rpm
        | PackageKind::Npm
        | PackageKind::Cargo
        | PackageKind::Gem
        | PackageKind::Nuget => None,
    }
    .unwrap_or(("", name));
    (namespace, Cow::Borrowed(short))
}

/// The name under which an index of Python packages knows it (PEP 503): lower case, each run of `-`, `_` and `.`
/// one `-`.
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

/// Whether the last part of the path is `name`. Compares the end first: it is asked of every path of an image.
pub(super) fn is_named(path: &ImagePath, name: &[u8]) -> bool {
    path.as_bytes()
        .strip_suffix(name)
        .is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_names_of_python() {
        for (name, normal) in [
            ("Jinja2", "jinja2"),
            ("ruamel.yaml", "ruamel-yaml"),
            ("zope._-interface", "zope-interface"),
        ] {
            assert_eq!(normalised(name), normal);
        }
    }

    #[test]
    fn divides_names_as_purl_spec_does() {
        for (kind, name, namespace, short) in [
            (PackageKind::Npm, "@babel/core", "@babel", "core"),
            (PackageKind::Npm, "lodash", "", "lodash"),
            (
                PackageKind::Golang,
                "example.com/a/b/v2",
                "example.com/a/b",
                "v2",
            ),
            (
                PackageKind::Composer,
                "symfony/console",
                "symfony",
                "console",
            ),
            (PackageKind::Maven, "org.x:y", "org.x", "y"),
            (PackageKind::Nuget, "Newtonsoft.Json", "", "Newtonsoft.Json"),
        ] {
            assert_eq!(
                purl_name(kind, name),
                (namespace, Cow::Borrowed(short)),
                "{name}"
            );
        }
    }

    #[test]
    fn compares_whole_names() {
        let is = |path: &[u8]| is_named(&ImagePath::parse(path).unwrap(), b"yarn.lock");
        assert!(is(b"yarn.lock") && is(b"srv/yarn.lock"));
        assert!(!is(b"srv/my-yarn.lock") && !is(b"yarn.lock/x"));
    }
}
