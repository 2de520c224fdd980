//! What a user or a VEX document may write to mean some packages: a package URL with parts left out, a path with
//! wildcards.

use std::str::FromStr;

use packageurl::PackageUrl;
use seareeve_model::{ImagePath, Package, PackageKind};

use crate::ecosystems::rpm;

/// A package URL that may leave out version, qualifiers and place: what is left out may be anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PurlPattern(Box<PackageUrl<'static>>);

impl PurlPattern {
    /// `None` for what is no package URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let purl = PackageUrl::from_str(text.trim()).ok()?;
        Some(Self(Box::new(purl)))
    }

    pub(crate) fn get(&self) -> &PackageUrl<'static> {
        &self.0
    }

    pub(crate) fn kind(&self) -> &str {
        self.0.ty()
    }

    /// `None` when there can be no such version.
    pub(crate) fn set_version(&mut self, version: &str) -> Option<()> {
        self.0.with_version(version.to_owned()).ok()?;
        Some(())
    }

    /// Whether it means `package`. With `arch=source` or `arch=src` it names the source package, as distributions
    /// do in their documents. Those of Red Hat's family name the source package whatever their records name, and
    /// write its epoch in several ways, which the names of source packages do not say: it is not compared.
    pub(crate) fn fits(&self, package: &Package) -> bool {
        let wanted = &self.0;
        let Ok(own) = PackageUrl::from_str(package.purl.as_str()) else {
            return false;
        };
        if (wanted.ty(), wanted.namespace()) != (own.ty(), own.namespace()) {
            return false;
        }
        let arch = wanted.qualifiers().get("arch").map(AsRef::as_ref);
        let is_source = matches!(arch, Some("source" | "src"));
        let is_rpm_source = is_source && package.kind == PackageKind::Rpm;
        let (name, version) = if is_rpm_source {
            let upstream = own.qualifiers().get("upstream");
            let file = upstream.and_then(|file| rpm::source_file(file));
            let recorded = (package.advisory_name(), package.advisory_version());
            let (name, version) = file.unwrap_or(recorded);
            (name, Some(without_epoch(version)))
        } else if is_source {
            (package.advisory_name(), Some(package.advisory_version()))
        } else {
            (own.name(), own.version())
        };
        let wanted_version = wanted.version().map(|version| {
            if is_rpm_source {
                without_epoch(version)
            } else {
                version
            }
        });
        let has = |key: &str, value: &str| {
            let known = own.qualifiers().get(key).map(AsRef::as_ref);
            known == Some(value)
                || (is_source && key == "arch")
                || (is_rpm_source && key == "epoch")
        };
        let mut qualifiers = wanted.qualifiers().iter();
        wanted.name() == name
            && wanted_version.is_none_or(|wanted| Some(wanted) == version)
            && wanted
                .subpath()
                .is_none_or(|wanted| own.subpath() == Some(wanted))
            && qualifiers.all(|(key, value)| has(key, value))
    }
}

/// `3.0.7-1.el9` of `1:3.0.7-1.el9`.
fn without_epoch(version: &str) -> &str {
    version
        .split_once(':')
        .map_or(version, |(_, version)| version)
}

/// A path in an image with wildcards: `*` and `?` within one name, `**` for any number of folders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PathPattern(Vec<Vec<u8>>);

impl PathPattern {
    /// `None` when it holds what we do not read as others do (`[a-z]`, `{a,b}`).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains(['[', ']', '{', '}', '\\']) {
            return None;
        }
        let text = text.strip_prefix('/').unwrap_or(text);
        let parts = text.split('/').map(|part| part.as_bytes().to_vec());
        Some(Self(parts.collect()))
    }

    pub(crate) fn fits(&self, path: &ImagePath) -> bool {
        let names: Vec<&[u8]> = path.as_bytes().split(|byte| *byte == b'/').collect();
        let parts: Vec<&[u8]> = self.0.iter().map(Vec::as_slice).collect();
        let same = |part: &&[u8], name: &&[u8]| {
            let fits = |pattern: &u8, byte: &u8| pattern == byte || *pattern == b'?';
            wildcard(part, name, |pattern| *pattern == b'*', fits)
        };
        wildcard(&parts, &names, |part| *part == b"**", same)
    }
}

/// Whether `text` fits `pattern`, in which some items stand for any number of items. Of those only the last one
/// met is ever tried again, so the time is at most the product of both lengths.
fn wildcard<T>(
    pattern: &[T],
    text: &[T],
    is_any: impl Fn(&T) -> bool,
    fits: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut at, mut position) = (0_usize, 0_usize);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(item) = text.get(position) {
        match pattern.get(at) {
            Some(wanted) if is_any(wanted) => {
                at = at.saturating_add(1);
                retry = Some((at, position));
            }
            Some(wanted) if fits(wanted, item) => {
                at = at.saturating_add(1);
                position = position.saturating_add(1);
            }
            Some(_) | None => {
                let Some((back, from)) = retry else {
                    return false;
                };
                let next = from.saturating_add(1);
                (at, position) = (back, next);
                retry = Some((back, next));
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use seareeve_model::Purl;

    use super::*;

    #[test]
    fn documents_name_the_sources_of_rpms() {
        let purl = "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm";
        let package = Package {
            kind: PackageKind::Rpm,
            name: "openssl-libs".to_owned(),
            version: "1:3.0.7-27.el9".to_owned(),
            source: None,
            ecosystem: "Red Hat:enterprise_linux:9".to_owned(),
            purl: purl.parse::<Purl>().unwrap(),
        };
        for (pattern, expected) in [
            ("pkg:rpm/redhat/openssl?arch=src", true),
            ("pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src", true),
            ("pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src&epoch=1", true),
            ("pkg:rpm/redhat/openssl@1:3.0.7-27.el9?arch=src", true),
            ("pkg:rpm/redhat/openssl@3.0.7-28.el9?arch=src", false),
            ("pkg:rpm/redhat/openssl-libs?arch=src", false),
            ("pkg:rpm/redhat/openssl", false),
            ("pkg:rpm/redhat/openssl-libs?arch=x86_64&epoch=1", true),
            ("pkg:rpm/redhat/openssl-libs?arch=x86_64&epoch=2", false),
        ] {
            let pattern = PurlPattern::parse(pattern).unwrap();
            assert_eq!(pattern.fits(&package), expected, "{pattern:?}");
        }
    }

    #[test]
    fn paths_fit_as_shells_say() {
        let cases = [
            ("usr/lib/a.jar", "usr/lib/a.jar", true),
            ("/usr/lib/a.jar", "usr/lib/a.jar", true),
            ("usr/*/a.jar", "usr/lib/a.jar", true),
            ("usr/*", "usr/lib/a.jar", false),
            ("usr/**", "usr/lib/a.jar", true),
            ("**/a.jar", "a.jar", true),
            ("**/a.jar", "usr/lib/a.jar", true),
            ("**/lib/**/a.?ar", "usr/lib/x/y/a.jar", true),
            ("**/lib/**/a.?ar", "usr/x/y/a.jar", false),
            (
                "usr/lib/*.dist-info/METADATA",
                "usr/lib/b-1.dist-info/METADATA",
                true,
            ),
            ("*", "usr/lib", false),
            ("usr/lib", "usr/lib/a", false),
            ("**", "usr/lib/a", true),
        ];
        for (pattern, path, expected) in cases {
            let path = ImagePath::parse(path.as_bytes()).unwrap();
            assert_eq!(
                PathPattern::parse(pattern).unwrap().fits(&path),
                expected,
                "{pattern}"
            );
        }
        assert_eq!(PathPattern::parse("a[bc]"), None);
        assert_eq!(PathPattern::parse(""), None);
    }

    #[test]
    fn many_wildcards_take_no_time() {
        let pattern = PathPattern::parse(&"**/*a*a*a*a*a*a*b/".repeat(50)).unwrap();
        let path = ImagePath::parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/".repeat(60).as_bytes());
        assert!(!pattern.fits(&path.unwrap()));
    }
}
