//! Package URLs (purl-spec 1.0): one text that names a package in any ecosystem.

use std::fmt;
use std::str::FromStr;

/// A checked, canonical package URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purl(String);

/// What a [`Purl`] says, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurlParts(packageurl::PackageUrl<'static>);

/// Why a package URL could not be made. The fault of whoever wrote the parts.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {text:?} as a package URL")]
pub struct PurlError {
    text: String,
    /// `None` where each part is valid, but the text of them would be read as others.
    #[source]
    source: Option<packageurl::Error>,
}

impl Purl {
    /// Builds the canonical text from its parts; an empty `namespace` and empty qualifier values are left out.
    ///
    /// # Errors
    /// When a part cannot stand in a package URL (an empty name, a control character).
    pub fn new(
        kind: &str,
        namespace: &str,
        name: &str,
        version: &str,
        qualifiers: &[(&str, &str)],
    ) -> Result<Self, PurlError> {
        let build = || {
            let mut purl = packageurl::PackageUrl::new(kind, name)?;
            if !namespace.is_empty() {
                purl.with_namespace(namespace)?;
            }
            purl.with_version(version)?;
            for (key, value) in qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
                purl.add_qualifier(*key, *value)?;
            }
            canonical(&purl)
        };
        let text = || format!("{kind}/{namespace}/{name}@{version}");
        build().map_err(|source| PurlError::new(&text(), source))
    }

    /// The same package URL with the qualifier `key` set to `value`.
    ///
    /// # Errors
    /// When the key cannot stand in a package URL.
    pub fn with_qualifier(&self, key: &str, value: &str) -> Result<Self, PurlError> {
        let PurlParts(mut purl) = self.parts();
        let mut set = || {
            purl.add_qualifier(key.to_owned(), value.to_owned())?;
            canonical(&purl)
        };
        set().map_err(|source| PurlError::new(key, source))
    }

    /// The decoded parts. Each call decodes anew.
    #[must_use]
    pub fn parts(&self) -> PurlParts {
        PurlParts(
            self.0
                .parse()
                .expect("the text was read when this was made"),
        )
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The canonical text. The crate writes some parts such that it reads others from the text, or none: whoever
/// stores the text must be able to read the same from it.
fn canonical(purl: &packageurl::PackageUrl<'_>) -> Result<Purl, Option<packageurl::Error>> {
    let text = with_slashes_in_version(purl);
    if packageurl::PackageUrl::from_str(&text)? == *purl {
        Ok(Purl(text))
    } else {
        Err(None)
    }
}

/// The text with each slash of the version as `%2F` (purl-spec, "Rules for each purl component"), which the crate
/// leaves as it is, and reads as the end of a namespace.
fn with_slashes_in_version(purl: &packageurl::PackageUrl<'_>) -> String {
    let text = purl.to_string();
    if !purl.version().is_some_and(|version| version.contains('/')) {
        return text;
    }
    // What stands before the version has no bare `@`, and what stands behind it begins with `?` or `#`.
    let Some((before, rest)) = text.split_once('@') else {
        return text;
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (version, after) = rest.split_at(end);
    format!("{before}@{}{after}", version.replace('/', "%2F"))
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let purl = packageurl::PackageUrl::from_str(text)?;
            if purl.to_string() == text {
                return Ok(Self(text.to_owned()));
            }
            canonical(&purl)
        };
        read().map_err(|source| PurlError::new(text, source))
    }
}

impl PurlError {
    fn new(text: &str, source: Option<packageurl::Error>) -> Self {
        Self {
            text: text.chars().take(200).collect(),
            source,
        }
    }
}

impl PurlParts {
    /// The type, such as `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.ty()
    }

    /// Distribution, scope, group or path of the package, by type; empty without one.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.namespace().unwrap_or_default()
    }

    /// The name without the namespace. Lower case for the types that the specification says so of, whatever
    /// the package itself writes.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The version; empty without one.
    #[must_use]
    pub fn version(&self) -> &str {
        self.0.version().unwrap_or_default()
    }

    /// The value of a qualifier, whose `key` is in lower case.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.0.qualifiers().get(key).map(AsRef::as_ref)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_other_scanners_write() {
        let deb = Purl::new(
            "deb",
            "debian",
            "libstdc++6",
            "1:12.2.0-14+b1",
            &[("arch", "amd64"), ("distro", "debian-12")],
        );
        assert_eq!(
            deb.unwrap().as_str(),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12"
        );
        let npm = Purl::new("npm", "@babel", "core", "7.0.0", &[]).unwrap();
        assert_eq!(npm.as_str(), "pkg:npm/%40babel/core@7.0.0");
        assert_eq!(npm.as_str().parse::<Purl>().unwrap(), npm);
        assert!(Purl::new("npm", "", "", "1", &[]).is_err());
        for version in ["1/2", "1/", "1?x=y", "1#f", "1@2", "%2f", " ", "1 2"] {
            if let Ok(purl) = Purl::new("pypi", "", "requests", version, &[]) {
                assert_eq!(purl.as_str().parse::<Purl>().unwrap(), purl, "{version}");
            }
        }
        let branch = Purl::new("composer", "acme", "x", "dev-a/b", &[("arch", "c/d")]).unwrap();
        assert_eq!(branch.as_str(), "pkg:composer/acme/x@dev-a%2Fb?arch=c%2Fd");
        assert_eq!(branch.parts().version(), "dev-a/b");
        assert_eq!(branch.as_str().parse::<Purl>().unwrap(), branch);
        assert!("not a purl".parse::<Purl>().is_err());
    }
    #[test]
    fn says_its_parts() {
        let purl: Purl =
            "pkg:deb/Debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?distro=debian-12&arch=amd64"
                .parse()
                .unwrap();
        let parts = purl.parts();
        assert_eq!(
            [
                parts.kind(),
                parts.namespace(),
                parts.name(),
                parts.version()
            ],
            ["deb", "debian", "libstdc++6", "1:12.2.0-14+b1"]
        );
        assert_eq!(parts.qualifier("distro"), Some("debian-12"));
        assert_eq!(parts.qualifier("epoch"), None);
        let bare = "pkg:npm/ws".parse::<Purl>().unwrap().parts();
        assert_eq!((bare.namespace(), bare.version()), ("", ""));
    }

    #[test]
    fn takes_another_qualifier() {
        let purl: Purl = "pkg:deb/debian/libssl3@3.0.8-1?arch=amd64".parse().unwrap();
        let with = purl.with_qualifier("upstream", "openssl@3.0.8-1").unwrap();
        assert_eq!(
            with.as_str(),
            "pkg:deb/debian/libssl3@3.0.8-1?arch=amd64&upstream=openssl%403.0.8-1"
        );
        assert!(purl.with_qualifier("no key", "x").is_err());
    }

    #[test]
    fn what_is_read_differently_from_its_own_text_is_refused() {
        assert!("pkg:npm/%2E/x@1".parse::<Purl>().is_err());
        assert!(Purl::new("npm", ".", "x", "1", &[]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_stays_what_it_is(text in "(pkg:)?[a-z/]{0,4}[a-z@/%0-9A-F?#=&.:+~-]{0,40}") {
            if let Ok(purl) = text.parse::<Purl>() {
                proptest::prop_assert_eq!(purl.as_str().parse::<Purl>().unwrap(), purl.clone());
                let _ = purl.parts();
            }
        }
    }
}
