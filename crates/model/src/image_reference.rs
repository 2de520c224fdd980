//! Image references as Docker reads them: `alpine` means `docker.io/library/alpine:latest`.

use std::fmt;
use std::str::FromStr;

use crate::Digest;

/// A checked reference to an image in a registry, with Docker's defaults filled in
/// (the grammar of the distribution project's `reference` package).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not an [`ImageReference`]. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error(
    "{text:?} is not an image reference such as alpine:3.19 or registry.example/team/app@sha256:…: {why}"
)]
pub struct ImageReferenceError {
    text: String,
    why: &'static str,
}

impl ImageReference {
    /// Host, with port where one was given: `docker.io`, `127.0.0.1:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Path of the repository inside the registry: `library/alpine`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `latest` when neither tag nor digest was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which wins over the tag where both are given.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl FromStr for ImageReference {
    type Err = ImageReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |why| ImageReferenceError {
            text: text.chars().take(200).collect(),
            why,
        };
        if text.len() > 1024 {
            return Err(fail("longer than 1,024 characters"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_invalid: crate::DigestError| {
                    fail("the part after @ is not a digest")
                })?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (registry, rest) = match rest.split_once('/') {
            Some((host, path)) if is_host(host) => (host, path),
            _ => ("docker.io", rest),
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !registry
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
        {
            return Err(fail(
                "the registry has a character that host names do not have",
            ));
        }
        if repository.is_empty() || !repository.split('/').all(is_path_part) {
            return Err(fail(
                "a repository is lower-case letters, digits, and single . _ - between them",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(fail("a tag is up to 128 letters, digits, and . _ -"));
        }
        let registry = if registry == "index.docker.io" {
            "docker.io"
        } else {
            registry
        };
        let repository = if registry == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        })
    }
}

/// Docker's rule: the first part is a host when it has a dot or colon, is `localhost`, or has capitals.
fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost" || part.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_path_part(part: &str) -> bool {
    let bytes = part.as_bytes();
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|b| alphanumeric(b) || b"._-".contains(b))
        && !part.contains("..")
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_docker_fills_in() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let cases = [
            ("alpine", "docker.io/library/alpine:latest".to_owned()),
            (
                "index.docker.io/alpine",
                "docker.io/library/alpine:latest".to_owned(),
            ),
            ("team/app:1.2", "docker.io/team/app:1.2".to_owned()),
            ("localhost/app", "localhost/app:latest".to_owned()),
            (
                "127.0.0.1:5000/a/b_c.d:v1",
                "127.0.0.1:5000/a/b_c.d:v1".to_owned(),
            ),
            (
                &format!("ghcr.io/a/b@{digest}"),
                format!("ghcr.io/a/b@{digest}"),
            ),
            (
                &format!("ghcr.io/a/b:x@{digest}"),
                format!("ghcr.io/a/b:x@{digest}"),
            ),
        ];
        for (text, full) in cases {
            assert_eq!(text.parse::<ImageReference>().unwrap().to_string(), full);
        }
    }

    #[test]
    fn refuses_what_docker_refuses() {
        for bad in [
            "",
            "a b",
            "Upper/../x",
            "reg.io/UPPER",
            "reg.io/../etc",
            "a:b:c",
            "a@sha256:12",
            "reg.io/",
            "a:-x",
            "-a",
        ] {
            assert!(bad.parse::<ImageReference>().is_err(), "{bad}");
        }
    }
}
