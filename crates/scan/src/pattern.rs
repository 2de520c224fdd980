//! What a user or a VEX document may write to mean some packages: a package URL with parts left out, a path with
//! wildcards.

use std::str::FromStr;

use packageurl::PackageUrl;
use seareeve_model::{ImagePath, Package};

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
    /// do in their documents.
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
        let (name, version) = if is_source {
            (package.advisory_name(), Some(package.advisory_version()))
        } else {
            (own.name(), own.version())
        };
        let has = |key: &str, value: &str| {
            let known = own.qualifiers().get(key).map(AsRef::as_ref);
            known == Some(value) || (is_source && key == "arch")
        };
        let mut qualifiers = wanted.qualifiers().iter();
        wanted.name() == name
            && wanted
                .version()
                .is_none_or(|wanted| Some(wanted) == version)
            && wanted
                .subpath()
                .is_none_or(|wanted| own.subpath() == Some(wanted))
            && qualifiers.all(|(key, value)| has(key, value))
    }
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
    use super::*;

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
