//! Typed configuration: what can be set, its defaults, and what makes no sense.
//!
//! The binary reads file, environment and flags, in that order, and hands the result down. A setting is here only
//! because two users truly differ in it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_collect::azure::{Cloud, CloudError};
use serde::{Deserialize, Serialize};

pub use crate::audit::config::AuditConfig;
use crate::registries::RegistryConfig;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The server.
    pub server: ServerConfig,
    /// Scanning.
    pub scan: ScanConfig,
    /// Kubernetes.
    pub kubernetes: KubernetesConfig,
    /// The advisory database.
    pub advisories: AdvisoriesConfig,
    /// Audit events of clusters, and alerts.
    pub audit: AuditConfig,
    /// Lists of threat intelligence.
    pub intel: IntelConfig,
    /// Connectors to clouds.
    pub connectors: ConnectorsConfig,
    /// The log.
    pub log: LogConfig,
    /// Variables of the environment that connectors may name. They are no setting.
    #[serde(skip)]
    pub variables: Variables,
}

/// Section `server`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// See [`SETTINGS`].
    pub listen: SocketAddr,
    /// See [`SETTINGS`].
    pub data_dir: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub database: DatabaseAddress,
    /// See [`SETTINGS`]. Who reads the settings reads it, and puts what it says into `database`.
    pub database_file: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub behind_proxy: bool,
    /// See [`SETTINGS`].
    pub certificate: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub key: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub upload_limit_mib: u64,
    /// See [`SETTINGS`].
    pub session_hours: u32,
}

/// Section `scan`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanConfig {
    /// See [`SETTINGS`].
    pub workers: u32,
    /// See [`SETTINGS`].
    pub timeout_minutes: u32,
    /// See [`SETTINGS`].
    pub layer_cache_mib: u64,
    /// See [`SETTINGS`].
    pub registries: Vec<RegistryConfig>,
    /// See [`SETTINGS`].
    pub images_in_use: ScanInUse,
}

/// Which images are scanned because something uses them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanInUse {
    /// None: only what people ask for is scanned.
    Never,
    /// Those in registries of the settings.
    #[default]
    Configured,
    /// All that can be fetched.
    Always,
}

/// Section `kubernetes`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KubernetesConfig {
    /// See [`SETTINGS`].
    pub clusters: Vec<ClusterConfig>,
}

/// One table of `kubernetes.clusters`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// The cluster's name, for people.
    pub name: String,
    /// The kubeconfig by which it is reached.
    pub kubeconfig: Utf8PathBuf,
    /// The context in it; its current one, if empty.
    pub context: String,
}

/// Section `advisories`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdvisoriesConfig {
    /// See [`SETTINGS`].
    pub address: String,
    /// See [`SETTINGS`].
    pub ecosystems: Vec<String>,
    /// See [`SETTINGS`].
    pub known_exploited_address: String,
    /// See [`SETTINGS`].
    pub epss_address: String,
    /// See [`SETTINGS`].
    pub ca_cert: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub update_hours: u32,
}

/// Section `intel`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntelConfig {
    /// See [`SETTINGS`].
    pub allow_local: bool,
}

/// Section `connectors`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectorsConfig {
    /// See [`SETTINGS`].
    pub credentials_dir: Utf8PathBuf,
    /// See [`SETTINGS`].
    pub azure_login_address: String,
    /// See [`SETTINGS`].
    pub azure_manager_address: String,
    /// See [`SETTINGS`].
    pub azure_metadata_address: String,
}

/// Section `log`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// See [`SETTINGS`].
    pub level: String,
    /// See [`SETTINGS`].
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line, for collectors.
    Json,
}

/// One setting, for the manual and the environment.
pub struct Setting {
    /// `section.name` in the file.
    pub key: &'static str,
    /// What it does, for the manual.
    pub about: &'static str,
}

/// All settings. The environment variable of `server.data_dir` is `SEAREEVE_SERVER_DATA_DIR`.
pub const SETTINGS: [Setting; 39] = [
    Setting {
        key: "server.listen",
        about: "Address and port of the API and the UI. Port 0 takes a free one. Addresses beyond loopback need `server.certificate` or `server.behind_proxy`.",
    },
    Setting {
        key: "server.data_dir",
        about: "Folder of the store, the advisory database and uploads. Made with mode 0700.",
    },
    Setting {
        key: "server.database",
        about: "`sqlite` for a file in the data folder, `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/NAME`.",
    },
    Setting {
        key: "server.database_file",
        about: "File that holds what `server.database` is to be, such as a mounted secret: so that no password stands in the environment. Goes before it.",
    },
    Setting {
        key: "server.behind_proxy",
        about: "A proxy in front ends TLS and its header `X-Forwarded-For` is trusted. Allows addresses beyond loopback and marks cookies `Secure`.",
    },
    Setting {
        key: "server.certificate",
        about: "File with the certificate chain (PEM) for `server.listen`: API and UI are then served with TLS alone, and addresses beyond loopback are allowed. It is read again when it changes. Empty: no TLS.",
    },
    Setting {
        key: "server.key",
        about: "File with the key (PEM) of `server.certificate`.",
    },
    Setting {
        key: "server.upload_limit_mib",
        about: "Largest uploaded archive, in MiB.",
    },
    Setting {
        key: "server.session_hours",
        about: "Hours until a session ends.",
    },
    Setting {
        key: "scan.workers",
        about: "Images scanned at the same time. Each may take up to 100 MiB of memory.",
    },
    Setting {
        key: "scan.timeout_minutes",
        about: "Minutes after which a scan is given up.",
    },
    Setting {
        key: "scan.layer_cache_mib",
        about: "Disk space, in MiB, for what layers hold, so that a layer that many images share is read once; 0: none is kept.",
    },
    Setting {
        key: "scan.registries",
        about: "Private registries, each a table `[[scan.registries]]` of the settings file: `host` as references name it, `username` with `password` or (better) `password_file`, `plain_http = true` for a registry without TLS, `ca_cert` for a file with the certificate (PEM) of an authority of your own. Not from the environment.",
    },
    Setting {
        key: "scan.images_in_use",
        about: "Which images this server scans by itself because a host or cluster uses them: `never`, `configured` (those in registries of `scan.registries`) or `always` (those in any registry that gives them away, such as Docker Hub).",
    },
    Setting {
        key: "kubernetes.clusters",
        about: "Clusters that this server watches itself, without anything in them, each a table `[[kubernetes.clusters]]` of the settings file: `name` for people, `kubeconfig` for the file by which it is reached, `context` for one in it. It is only read; a role with what is read is in `deploy/kubernetes`. Not from the environment.",
    },
    Setting {
        key: "advisories.address",
        about: "Where OSV's archives are fetched from: `ADDRESS/ECOSYSTEM/all.zip`.",
    },
    Setting {
        key: "advisories.ecosystems",
        about: "Which of OSV's ecosystems are fetched; in the environment separated by commas.",
    },
    Setting {
        key: "advisories.known_exploited_address",
        about: "Where CISA's catalogue of known exploited vulnerabilities is fetched from; empty: not at all.",
    },
    Setting {
        key: "advisories.epss_address",
        about: "Where FIRST's EPSS scores of the day are fetched from; empty: not at all.",
    },
    Setting {
        key: "advisories.ca_cert",
        about: "File with certificates (PEM) of authorities that are trusted besides the usual ones, for a mirror or a proxy of your own; empty: none. The proxy itself is taken from `HTTPS_PROXY` and `NO_PROXY`.",
    },
    Setting {
        key: "advisories.update_hours",
        about: "Hours between updates that the server makes by itself; 0: only when asked, so that nothing is fetched unless switched on.",
    },
    Setting {
        key: "audit.listen",
        about: "Address and port where API servers send their audit events, with TLS, such as `0.0.0.0:7443`; empty: only on `server.listen`.",
    },
    Setting {
        key: "audit.names",
        about: "Names and addresses by which API servers reach this machine: they go into the certificate that the server makes for itself; in the environment separated by commas. The first one stands in the files for API servers.",
    },
    Setting {
        key: "audit.certificate",
        about: "File with the certificate chain (PEM) for `audit.listen`; empty: an authority of the server's own, made at the first start, signs one.",
    },
    Setting {
        key: "audit.key",
        about: "File with the key (PEM) of `audit.certificate`.",
    },
    Setting {
        key: "audit.client_ca",
        about: "File with certificates (PEM) of authorities: whoever sends audit events to `audit.listen` must show a certificate of one of them, besides the token; empty: the token is enough.",
    },
    Setting {
        key: "audit.nats",
        about: "NATS server with JetStream that keeps audit events until they are judged, such as `nats://USER:PASSWORD@HOST:4222`; empty: the data folder's disk.",
    },
    Setting {
        key: "audit.spool_mib",
        about: "Disk space, in MiB, for audit events of one cluster that wait to be judged; with NATS of all clusters. When it is full API servers are asked to come back later.",
    },
    Setting {
        key: "audit.keep_events_hours",
        about: "Hours for which audit events are kept, without their secrets, to show what else happened around an alert; 0: none are kept.",
    },
    Setting {
        key: "audit.keep_events_mib",
        about: "Space in the store, in MiB, for the kept events of one cluster.",
    },
    Setting {
        key: "audit.keep_alerts_days",
        about: "Days for which alerts and incidents are kept after they were seen last.",
    },
    Setting {
        key: "audit.unknown_fields",
        about: "What becomes of rules that people bring and that name a field which is not there: `error` (their file is refused) or `disable` (the rule is left out, with a warning).",
    },
    Setting {
        key: "intel.allow_local",
        about: "Lists of threat intelligence may be fetched from this machine, from link-local addresses and from where clouds answer machines about themselves. Whoever may make lists could then have the server ask what only it can reach.",
    },
    Setting {
        key: "connectors.credentials_dir",
        about: "Folder of the files with secrets that connectors and lists of threat intelligence may name; empty: `credentials` in the data folder.",
    },
    Setting {
        key: "connectors.azure_login_address",
        about: "Where tokens are given out, for an Azure that is none of Microsoft's: connectors call it the cloud `custom`.",
    },
    Setting {
        key: "connectors.azure_manager_address",
        about: "Where that Azure's Resource Manager is.",
    },
    Setting {
        key: "connectors.azure_metadata_address",
        about: "Where a machine there asks for its identity; empty: where all do.",
    },
    Setting {
        key: "log.level",
        about: "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,seareeve_image=debug`.",
    },
    Setting {
        key: "log.format",
        about: "`text` or `json`.",
    },
];

/// Where the store is. Does not print its password.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct DatabaseAddress(pub String);

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://…@{host}"),
            _ => f.write_str(&self.0),
        }
    }
}

/// Variables of the environment that connectors and lists may name. They hold secrets and do not print.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of `variables` that connectors and lists may name: Azure's own tools call theirs so.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_meant = |name: &str| {
            name.starts_with("AZURE_")
                || name.starts_with("INTEL_")
                || matches!(name, "IDENTITY_ENDPOINT" | "IDENTITY_HEADER")
        };
        let mut found = BTreeMap::new();
        for (name, value) in variables {
            if is_meant(&name) && !value.is_empty() {
                found.insert(name, value);
            }
        }
        Self(found)
    }

    /// The value of one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A setting whose value makes no sense. The user's fault.
#[derive(Debug, thiserror::Error)]
#[error("setting {key}: {why}")]
pub struct ConfigError {
    key: &'static str,
    why: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7300)),
            data_dir: Utf8PathBuf::new(),
            database: DatabaseAddress("sqlite".to_owned()),
            database_file: Utf8PathBuf::new(),
            behind_proxy: false,
            certificate: Utf8PathBuf::new(),
            key: Utf8PathBuf::new(),
            upload_limit_mib: 8192,
            session_hours: 12,
        }
    }
}

impl ServerConfig {
    /// Whether API and UI are served with TLS by ourselves.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.certificate.as_str().is_empty()
    }

    /// Whether browsers reach us by TLS, here or at a proxy.
    pub(crate) fn is_reached_by_tls(&self) -> bool {
        self.behind_proxy || self.has_tls()
    }
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            timeout_minutes: 30,
            layer_cache_mib: 2048,
            registries: Vec::new(),
            images_in_use: ScanInUse::default(),
        }
    }
}

impl Default for AdvisoriesConfig {
    fn default() -> Self {
        Self {
            address: seareeve_collect::feeds::osv::PUBLIC_ADDRESS.to_owned(),
            ecosystems: seareeve_collect::feeds::osv::ECOSYSTEMS
                .map(str::to_owned)
                .to_vec(),
            known_exploited_address: seareeve_collect::feeds::kev::PUBLIC_ADDRESS.to_owned(),
            epss_address: seareeve_collect::feeds::epss::PUBLIC_ADDRESS.to_owned(),
            ca_cert: Utf8PathBuf::new(),
            update_hours: 0,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |key, why: &str| {
            Err(ConfigError {
                key,
                why: why.to_owned(),
            })
        };
        if self.server.certificate.as_str().is_empty() != self.server.key.as_str().is_empty() {
            return fail(
                "server.certificate",
                "a certificate and its key (server.key) belong together",
            );
        }
        let is_safe = self.server.behind_proxy || self.server.has_tls();
        if !self.server.listen.ip().is_loopback() && !is_safe {
            return fail(
                "server.listen",
                "addresses beyond loopback are served only with TLS: set server.certificate and server.key, or \
                 server.behind_proxy = true behind a proxy that ends TLS, or listen on 127.0.0.1",
            );
        }
        if self.server.data_dir.as_str().is_empty() {
            return fail(
                "server.data_dir",
                "no folder is set, and neither XDG_DATA_HOME nor HOME says where data goes",
            );
        }
        let database = &self.server.database.0;
        if database != "sqlite"
            && !["sqlite:", "postgres://", "postgresql://"]
                .iter()
                .any(|p| database.starts_with(p))
        {
            return fail(
                "server.database",
                "use sqlite, sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
            );
        }
        if self.server.upload_limit_mib == 0 {
            return fail("server.upload_limit_mib", "0 would refuse every archive");
        }
        if !(1..=24 * 90).contains(&self.server.session_hours) {
            return fail("server.session_hours", "use 1 to 2160");
        }
        if !(1..=64).contains(&self.scan.workers) {
            return fail("scan.workers", "use 1 to 64");
        }
        if !(1..=24 * 60).contains(&self.scan.timeout_minutes) {
            return fail("scan.timeout_minutes", "use 1 to 1440");
        }
        if let Some(why) = self.scan.registries.iter().find_map(RegistryConfig::fault) {
            return fail("scan.registries", &why);
        }
        if let Some((key, why)) = self.audit.fault() {
            return fail(key, why);
        }
        let is_web = |address: &str| {
            let mut schemes = ["http://", "https://"].iter();
            schemes.any(|scheme| address.starts_with(scheme))
        };
        let advisories = &self.advisories;
        if !is_web(&advisories.address) {
            return fail("advisories.address", "use an http or https address");
        }
        let optional = |address: &str| address.is_empty() || is_web(address);
        if !optional(&advisories.known_exploited_address) {
            return fail(
                "advisories.known_exploited_address",
                "use an http or https address, or none",
            );
        }
        if !optional(&advisories.epss_address) {
            return fail(
                "advisories.epss_address",
                "use an http or https address, or none",
            );
        }
        if self.advisories.ecosystems.is_empty() {
            return fail("advisories.ecosystems", "name at least one, such as Debian");
        }
        let plain = |name: &String| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || " .-".contains(c))
                && !name.contains("..")
        };
        if !self.advisories.ecosystems.iter().all(plain) {
            return fail(
                "advisories.ecosystems",
                "names are letters, digits, blanks, dots and hyphens, such as Debian or PyPI",
            );
        }
        let mut names = std::collections::BTreeSet::new();
        for cluster in &self.kubernetes.clusters {
            let length = cluster.name.chars().count();
            if !(1..=255).contains(&length) || cluster.name.chars().any(char::is_control) {
                return fail(
                    "kubernetes.clusters",
                    "each has a name of 1 to 255 characters",
                );
            }
            if cluster.kubeconfig.as_str().is_empty() {
                return fail(
                    "kubernetes.clusters",
                    "each has a kubeconfig, by which it is reached",
                );
            }
            if !names.insert(&cluster.name) {
                return fail("kubernetes.clusters", "two have the same name");
            }
        }
        let connectors = &self.connectors;
        let addresses = [
            &connectors.azure_login_address,
            &connectors.azure_manager_address,
        ];
        if addresses.iter().any(|address| !address.is_empty())
            && let Err(error) = self.custom_azure()
        {
            return fail("connectors.azure_manager_address", &error.to_string());
        }
        Ok(())
    }

    /// The Azure of one's own.
    ///
    /// # Errors
    /// When its addresses cannot be ones, or are not set.
    pub fn custom_azure(&self) -> Result<Cloud, CloudError> {
        let connectors = &self.connectors;
        let metadata = connectors.azure_metadata_address.as_str();
        Cloud::custom(
            &connectors.azure_login_address,
            &connectors.azure_manager_address,
            Some(metadata).filter(|address| !address.is_empty()),
        )
    }

    /// The folder of the files that connectors may name.
    #[must_use]
    pub fn credentials_folder(&self) -> Utf8PathBuf {
        let folder = &self.connectors.credentials_dir;
        if folder.as_str().is_empty() {
            self.server.data_dir.join("credentials")
        } else {
            folder.clone()
        }
    }

    /// The address that the store understands.
    #[must_use]
    pub fn store_address(&self) -> String {
        match self.server.database.0.as_str() {
            "sqlite" => format!("sqlite:{}", self.server.data_dir.join("seareeve.db")),
            address => address.to_owned(),
        }
    }

    /// The advisory database's file.
    #[must_use]
    pub fn advisory_file(&self) -> Utf8PathBuf {
        self.server.data_dir.join("advisories.db")
    }

    /// The file of the index of Java archives.
    #[must_use]
    pub fn java_index_file(&self) -> Utf8PathBuf {
        self.server.data_dir.join("java-index.db")
    }

    /// Where it is kept what layers hold.
    #[must_use]
    pub fn layer_folder(&self) -> Utf8PathBuf {
        self.server.data_dir.join("layers")
    }

    /// Where audit events wait.
    #[must_use]
    pub fn audit_folder(&self) -> Utf8PathBuf {
        self.server.data_dir.join("audit")
    }

    /// Where fetched feeds are kept.
    #[must_use]
    pub fn feed_folder(&self) -> Utf8PathBuf {
        self.server.data_dir.join("feeds")
    }

    /// The authorities that are trusted besides the usual ones, if a file is named.
    #[must_use]
    pub fn ca_cert(&self) -> Option<&Utf8Path> {
        let path = self.advisories.ca_cert.as_path();
        (!path.as_str().is_empty()).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let mut config = Config::default();
        config.server.data_dir = Utf8PathBuf::from("data");
        config
    }

    #[test]
    fn the_manual_lists_every_setting() {
        let value = serde_json::to_value(Config::default()).unwrap();
        let mut keys = Vec::new();
        for (section, settings) in value.as_object().unwrap() {
            keys.extend(
                settings
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|name| format!("{section}.{name}")),
            );
        }
        let mut listed: Vec<String> = SETTINGS
            .iter()
            .map(|setting| setting.key.to_owned())
            .collect();
        keys.sort();
        listed.sort();
        assert_eq!(listed, keys);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert!(config().validate().is_ok());
        type Case = (&'static str, fn(&mut Config));
        let cases: [Case; 9] = [
            ("server.listen", |c| {
                c.server.listen = SocketAddr::from(([0, 0, 0, 0], 7300))
            }),
            ("server.data_dir", |c| {
                c.server.data_dir = Utf8PathBuf::new()
            }),
            ("server.database", |c| {
                c.server.database = DatabaseAddress("mysql://x".to_owned())
            }),
            ("scan.workers", |c| c.scan.workers = 0),
            ("scan.registries", |c| {
                c.scan.registries = vec![RegistryConfig::default()]
            }),
            ("audit.listen", |c| c.audit.listen = "everywhere".to_owned()),
            ("advisories.address", |c| {
                c.advisories.address = "ftp://x".to_owned()
            }),
            ("advisories.ecosystems", |c| {
                c.advisories.ecosystems = vec!["../etc".to_owned()]
            }),
            ("connectors.azure_manager_address", |c| {
                c.connectors.azure_manager_address = "http://10.0.0.1".to_owned()
            }),
        ];
        for (key, spoil) in cases {
            let mut config = config();
            spoil(&mut config);
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }

    #[test]
    fn connectors_see_only_variables_that_are_meant_for_them() {
        let pairs = [
            ("AZURE_CLIENT_SECRET", "hunter2"),
            ("HOME", "/root"),
            ("AZURE_X", ""),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = Variables::of(pairs);
        assert_eq!(variables.get("AZURE_CLIENT_SECRET"), Some("hunter2"));
        assert_eq!(
            (variables.get("HOME"), variables.get("AZURE_X")),
            (None, None)
        );
        assert_eq!(format!("{variables:?}"), r#"{"AZURE_CLIENT_SECRET"}"#);
    }

    #[test]
    fn passwords_are_not_printed() {
        let address = DatabaseAddress("postgres://me:secret@db.example/seareeve".to_owned());
        assert_eq!(format!("{address:?}"), "postgres://…@db.example/seareeve");
    }
}
