//! Names of registries as credential files write them.

use std::str::FromStr;

use seareeve_model::ImageReference;

/// A registry as references name it: `ghcr.io`, `127.0.0.1:5000`. Docker Hub may be given by any of its
/// names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryName(Key);

/// The text is not the name of a registry. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a registry such as ghcr.io or 127.0.0.1:5000")]
pub struct RegistryNameError(String);

impl RegistryName {
    /// The registry of an image.
    #[must_use]
    pub fn of(image: &ImageReference) -> Self {
        Self(Key::of_registry(image.registry()))
    }

    pub(super) fn key(&self) -> &Key {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = RegistryNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Key::parse(text)
            .filter(|key| key.path.is_empty())
            .map(Self)
            .ok_or_else(|| RegistryNameError(text.chars().take(200).collect()))
    }
}

/// What an entry is for: a registry, or only a part of it (containers-auth.json(5): "quay.io/user/image").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    host: String,
    path: Vec<String>,
}

impl Key {
    pub(super) fn of_registry(name: &str) -> Self {
        let host = name.to_ascii_lowercase();
        Self {
            host: match host.as_str() {
                // All of them are the name of one place; the first is what references say.
                "docker.io" | "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
                _ => host,
            },
            path: Vec::new(),
        }
    }

    /// Reads a key of `auths` or `credHelpers`. Those that are addresses are for the whole registry,
    /// whatever path they have (Docker writes `https://index.docker.io/v1/`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let address = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let name = address.unwrap_or(text).trim_end_matches('/');
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        let is_host = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b));
        if !is_host {
            return None;
        }
        let mut key = Self::of_registry(host);
        let old_form = matches!(path, "v1" | "v2");
        if address.is_none() && !old_form && !path.is_empty() {
            key.path = path.split('/').map(str::to_owned).collect();
        }
        Some(key)
    }

    /// How well this entry fits an image: the more of its name, the better. `None` when it does not.
    pub(super) fn fits(&self, image: &ImageReference) -> Option<usize> {
        if self.host != Self::of_registry(image.registry()).host {
            return None;
        }
        let repository: Vec<&str> = image.repository().split('/').collect();
        let covers = self.path.len() <= repository.len()
            && self
                .path
                .iter()
                .zip(&repository)
                .all(|(mine, its)| mine == its);
        covers.then_some(self.path.len())
    }

    /// What a credential program is asked for.
    pub(super) fn server(&self) -> String {
        match self.host.as_str() {
            // Docker's own name for its hub in every credential store.
            "docker.io" => "https://index.docker.io/v1/".to_owned(),
            host => host.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_fit_what_docker_and_podman_let_them_fit() {
        let fits = |key: &str, image: &str| {
            let image = image.parse().unwrap();
            Key::parse(key).unwrap().fits(&image)
        };
        for (key, image, how_well) in [
            ("https://index.docker.io/v1/", "alpine", Some(0)),
            ("index.docker.io", "alpine", Some(0)),
            ("registry-1.docker.io", "team/app", Some(0)),
            ("docker.io", "alpine", Some(0)),
            ("docker.io/library", "alpine", Some(1)),
            ("docker.io/team/app", "team/app:2", Some(2)),
            ("docker.io/team/app", "team/application", None),
            ("docker.io/team/app/more", "team/app", None),
            ("ghcr.io", "ghcr.io/a/b", Some(0)),
            ("https://ghcr.io", "ghcr.io/a/b", Some(0)),
            ("http://ghcr.io/v2/", "ghcr.io/a/b", Some(0)),
            ("ghcr.io/v1/", "ghcr.io/a/b", Some(0)),
            ("GHCR.io", "ghcr.io/a/b", Some(0)),
            ("quay.io/a", "quay.io/a/b", Some(1)),
            ("quay.io/ab", "quay.io/a/b", None),
            ("127.0.0.1:5000", "127.0.0.1:5000/a", Some(0)),
            ("127.0.0.1:5000", "127.0.0.1:5001/a", None),
            ("127.0.0.1", "127.0.0.1:5001/a", None),
            ("ghcr.io", "evil.example/ghcr.io/a", None),
            ("ghcr.io", "ghcr.io.evil.example/a", None),
        ] {
            assert_eq!(fits(key, image), how_well, "{key} {image}");
        }
        for bad in ["", "/", "https://", "a b", "user:pass@host"] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_registry_name_is_no_repository() {
        assert_eq!(
            "https://index.docker.io/v1/"
                .parse::<RegistryName>()
                .unwrap(),
            RegistryName::of(&"alpine".parse().unwrap())
        );
        assert_eq!(
            "quay.io/team"
                .parse::<RegistryName>()
                .unwrap_err()
                .to_string(),
            "\"quay.io/team\" is not a registry such as ghcr.io or 127.0.0.1:5000"
        );
    }
}
