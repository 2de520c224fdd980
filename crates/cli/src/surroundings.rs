//! What the program learns of its surroundings besides its settings: variables of other programs, and the time.
//! Read once, here; everything else gets it as a parameter.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_collect::azure::Credentials;
use seareeve_image::Environment;

/// The surroundings at the start of the program.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// What registries' credentials and local engines are found by.
    pub(crate) environment: Environment,
    /// Folder in which layers are remembered, where there is a place for it.
    pub(crate) layer_cache: Option<Utf8PathBuf>,
    /// Folder for large temporary files, where the user chose one.
    pub(crate) temporary: Option<Utf8PathBuf>,
    /// Files that say how clusters are reached, the first first.
    pub(crate) kubeconfig: Vec<Utf8PathBuf>,
    /// The API of the cluster that this runs in.
    pub(crate) in_cluster: Option<InCluster>,
    /// Who asks Azure, and which one.
    pub(crate) azure: AzureSurroundings,
    /// The time that results are to show (`SOURCE_DATE_EPOCH`), so that a build gives the same bytes every day
    /// (reproducible-builds.org, "SOURCE_DATE_EPOCH").
    pub(crate) source_date: Option<Timestamp>,
}

/// Where Kubernetes tells its pods that its API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InCluster {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What the variables of Azure's own tools say.
#[derive(Debug)]
pub(crate) struct AzureSurroundings {
    /// Who asks, or why that cannot be told: only whoever asks Azure wants to know.
    pub(crate) credentials: Result<Credentials, String>,
    /// Where to log in (`AZURE_AUTHORITY_HOST`).
    pub(crate) authority: Option<String>,
    /// Where a machine asks for its identity, if not where all do (`AZURE_POD_IDENTITY_AUTHORITY_HOST`).
    pub(crate) metadata: Option<String>,
}

impl Surroundings {
    /// Takes what is needed from the environment's variables; those that are empty count as not set.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is not a time: a result with another time would not be what was asked for.
    pub(crate) fn from_variables(
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> anyhow::Result<Self> {
        let variables: BTreeMap<OsString, OsString> = variables.collect();
        let text = |name: &str| {
            let value = variables.get(std::ffi::OsStr::new(name))?.to_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let folder = |name: &str| text(name).map(Utf8PathBuf::from);
        let home = folder("HOME");
        // A relative folder is to be ignored (XDG Base Directory Specification, "Environment variables").
        let caches = folder("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(home.as_ref()?.join(".cache")));
        let kubeconfig = match text("KUBECONFIG") {
            Some(list) => list
                .split(':')
                .filter(|file| !file.is_empty())
                .map(Utf8PathBuf::from)
                .collect(),
            None => home.iter().map(|home| home.join(".kube/config")).collect(),
        };
        let in_cluster = text("KUBERNETES_SERVICE_HOST").and_then(|host| {
            let port = text("KUBERNETES_SERVICE_PORT")?.parse().ok()?;
            Some(InCluster { host, port })
        });
        let azure = AzureSurroundings {
            credentials: Credentials::from_variables(&text).map_err(|error| error.to_string()),
            authority: text("AZURE_AUTHORITY_HOST"),
            metadata: text("AZURE_POD_IDENTITY_AUTHORITY_HOST"),
        };
        Ok(Self {
            azure,
            kubeconfig,
            in_cluster,
            environment: Environment {
                path: text("PATH"),
                xdg_runtime_dir: folder("XDG_RUNTIME_DIR"),
                xdg_config_home: folder("XDG_CONFIG_HOME"),
                docker_config: folder("DOCKER_CONFIG"),
                docker_host: text("DOCKER_HOST"),
                container_host: text("CONTAINER_HOST"),
                registry_auth_file: folder("REGISTRY_AUTH_FILE"),
                home,
            },
            layer_cache: caches.map(|folder| folder.join("seareeve/layers")),
            temporary: folder("TMPDIR"),
            source_date: text("SOURCE_DATE_EPOCH").map(time).transpose()?,
        })
    }

    /// The time by which ends of life and expiries are judged.
    pub(crate) fn now(&self) -> Timestamp {
        self.source_date.unwrap_or_else(Timestamp::now)
    }
}

fn time(text: String) -> anyhow::Result<Timestamp> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .with_context(|| {
            format!("environment variable SOURCE_DATE_EPOCH: {text:?} is not a time in seconds")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> anyhow::Result<Surroundings> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Surroundings::from_variables(pairs)
    }

    #[test]
    fn variables_say_where_things_are() {
        let found = of(&[("HOME", "/home/me"), ("DOCKER_HOST", "")]).unwrap();
        assert_eq!(
            found.layer_cache.unwrap(),
            "/home/me/.cache/seareeve/layers"
        );
        assert_eq!(
            (found.environment.docker_host, found.temporary),
            (None, None)
        );
        let found = of(&[("XDG_CACHE_HOME", "/cache"), ("TMPDIR", "/big")]).unwrap();
        assert_eq!(found.layer_cache.unwrap(), "/cache/seareeve/layers");
        assert_eq!(found.temporary.unwrap(), "/big");
        let found = of(&[("XDG_CACHE_HOME", "cache")]).unwrap();
        assert_eq!(found.layer_cache, None);
    }

    #[test]
    fn clusters_are_found_as_other_tools_find_them() {
        let found = of(&[("HOME", "/home/me")]).unwrap();
        assert_eq!(found.kubeconfig, ["/home/me/.kube/config"]);
        assert_eq!(found.in_cluster, None);
        let found = of(&[
            ("HOME", "/home/me"),
            ("KUBECONFIG", "/a:/b:"),
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
            ("KUBERNETES_SERVICE_PORT", "443"),
        ])
        .unwrap();
        assert_eq!(found.kubeconfig, ["/a", "/b"]);
        let host = "10.0.0.1".to_owned();
        assert_eq!(found.in_cluster, Some(InCluster { host, port: 443 }));
    }

    #[test]
    fn a_source_date_is_the_time() {
        let found = of(&[("SOURCE_DATE_EPOCH", "1700000000")]).unwrap();
        assert_eq!(found.now().to_string(), "2023-11-14T22:13:20Z");
        for wrong in ["yesterday", "1e9", "99999999999999999999"] {
            let error = of(&[("SOURCE_DATE_EPOCH", wrong)]).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
