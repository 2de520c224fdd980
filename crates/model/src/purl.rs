//! Package URLs (purl-spec 1.0): one text that names a package in any ecosystem.

use std::fmt;
use std::str::FromStr;

/// A checked, canonical package URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purl(String);

/// Why a package URL could not be made. The fault of whoever wrote the parts.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {text:?} as a package URL")]
pub struct PurlError {
    text: String,
    #[source]
    source: packageurl::Error,
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
            let text = purl.to_string();
            // The crate writes a slash in a version as it is, and then cannot read it: whoever stores this text
            // must be able to.
            packageurl::PackageUrl::from_str(&text)?;
            Ok(Self(text))
        };
        build().map_err(|source| PurlError {
            text: format!("{kind}/{namespace}/{name}@{version}"),
            source,
        })
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        packageurl::PackageUrl::from_str(text)
            .map(|purl| Self(purl.to_string()))
            .map_err(|source| PurlError {
                text: text.chars().take(200).collect(),
                source,
            })
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
        assert!(
            Purl::new("pypi", "", "requests", "1/2", &[]).is_err(),
            "what cannot be read again is not written"
        );
        assert!("not a purl".parse::<Purl>().is_err());
    }
}
