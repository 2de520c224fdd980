//! Image references of workloads, as those who run containers read them.

use std::borrow::Cow;

/// The parts of a reference. Lenient: what the API server accepted is taken apart, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image<'a> {
    /// With the port: `docker.io`, `reg.example:5000`.
    pub(crate) registry: Cow<'a, str>,
    /// Below the registry: `library/nginx`.
    pub(crate) path: Cow<'a, str>,
    pub(crate) tag: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    pub(crate) fn parse(reference: &'a str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        // A colon behind the last slash begins the tag; one before it the registry's port.
        let name = rest.rfind('/').map_or(0, |slash| slash.saturating_add(1));
        let colon = rest.get(name..).and_then(|last| last.find(':'));
        let (rest, tag) = match colon.and_then(|at| rest.split_at_checked(name.saturating_add(at)))
        {
            Some((rest, tag)) => (rest, tag.strip_prefix(':')),
            None => (rest, None),
        };
        let (registry, path) = match rest.split_once('/') {
            Some((first, path)) if is_host(first) => (first, Cow::Borrowed(path)),
            Some(_) => ("docker.io", Cow::Borrowed(rest)),
            None => ("docker.io", Cow::Owned(format!("library/{rest}"))),
        };
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => Cow::Borrowed("docker.io"),
            other if other.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(other.to_ascii_lowercase())
            }
            other => Cow::Borrowed(other),
        };
        Self {
            registry,
            path,
            tag,
            digest,
        }
    }

    /// Registry and path.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(self.path.as_ref(), |(_, name)| name)
    }
}

/// Whether the first part of a reference is a registry rather than a folder on Docker's.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (reference, registry, path, tag, digest) in [
            ("nginx", "docker.io", "library/nginx", None, None),
            ("a/b:1", "docker.io", "a/b", Some("1"), None),
            ("reg:5000/a/b", "reg:5000", "a/b", None, None),
            (
                "reg:5000/a/b:1@sha256:0",
                "reg:5000",
                "a/b",
                Some("1"),
                Some("sha256:0"),
            ),
            ("localhost/x", "localhost", "x", None, None),
            ("GHCR.io/a/b", "ghcr.io", "a/b", None, None),
            ("index.docker.io/a/b", "docker.io", "a/b", None, None),
            ("", "docker.io", "library/", None, None),
        ] {
            let image = Image::parse(reference);
            assert_eq!(
                (
                    image.registry.as_ref(),
                    image.path.as_ref(),
                    image.tag,
                    image.digest
                ),
                (registry, path, tag, digest),
                "{reference}"
            );
        }
        assert_eq!(Image::parse("q.io/a/b/xmrig:1").name(), "xmrig");
    }
}
