//! What the binary tells of its surroundings, and what follows from it. Nothing here looks for itself.

use camino::Utf8PathBuf;

use crate::Endpoint;

/// The variables of the environment that credentials and local engines are found by. The binary fills in
/// those that are set and not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `HOME`.
    pub home: Option<Utf8PathBuf>,
    /// `PATH`, for credential programs.
    pub path: Option<String>,
    /// `XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<Utf8PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<Utf8PathBuf>,
    /// `DOCKER_CONFIG`: a folder.
    pub docker_config: Option<Utf8PathBuf>,
    /// `DOCKER_HOST`: where Docker's engine listens.
    pub docker_host: Option<String>,
    /// `CONTAINER_HOST`: where Podman's service listens.
    pub container_host: Option<String>,
    /// `REGISTRY_AUTH_FILE`: Podman's file of credentials.
    pub registry_auth_file: Option<Utf8PathBuf>,
}

impl Environment {
    /// Files that may hold credentials, the first one first: what a variable names, what Podman wrote for
    /// this session, what is kept (containers-auth.json(5)).
    #[must_use]
    pub fn credential_files(&self) -> Vec<Utf8PathBuf> {
        let below = |folder: &Option<Utf8PathBuf>, rest: &str| Some(folder.as_ref()?.join(rest));
        let config = self
            .xdg_config_home
            .clone()
            .or_else(|| below(&self.home, ".config"));
        let docker = self
            .docker_config
            .clone()
            .or_else(|| below(&self.home, ".docker"));
        [
            self.registry_auth_file.clone(),
            below(&self.xdg_runtime_dir, "containers/auth.json"),
            below(&config, "containers/auth.json"),
            below(&docker, "config.json"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Where engines of this machine may listen, the first one first. With `DOCKER_HOST` or
    /// `CONTAINER_HOST` it is only what they name, as for Docker and Podman themselves.
    ///
    /// # Errors
    /// When a variable names something that we do not speak to.
    pub fn engines(&self) -> Result<Vec<Endpoint>, crate::EndpointError> {
        let named: Vec<&String> = [&self.docker_host, &self.container_host]
            .into_iter()
            .flatten()
            .collect();
        if !named.is_empty() {
            return named.into_iter().map(|text| text.parse()).collect();
        }
        let below = |folder: &Option<Utf8PathBuf>, rest: &str| Some(folder.as_ref()?.join(rest));
        Ok([
            Some(Utf8PathBuf::from("/var/run/docker.sock")),
            below(&self.xdg_runtime_dir, "docker.sock"),
            // Docker Desktop, on macOS and on Linux.
            below(&self.home, ".docker/run/docker.sock"),
            below(&self.home, ".docker/desktop/docker.sock"),
            below(&self.xdg_runtime_dir, "podman/podman.sock"),
            Some(Utf8PathBuf::from("/run/podman/podman.sock")),
        ]
        .into_iter()
        .flatten()
        .map(Endpoint::Unix)
        .collect())
    }

    /// The folders of [`Environment::path`].
    pub(crate) fn programs(&self) -> Vec<Utf8PathBuf> {
        let folders = self.path.as_deref().unwrap_or_default().split(':');
        folders.map(Utf8PathBuf::from).collect()
    }
}
