//! An engine: what it says of itself, and what the host tells of it.

mod controllers;
mod fields;
mod files;
mod hosts;
mod reported;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_engine::{AskError, Client, Endpoint};
use seareeve_model::Fact;
use serde_json::{Map, Value, json};

use super::config_file::ConfigFile;
use super::discover::Found;
use super::engine::HostView;
use super::environment;
use super::network::Network;
use super::options::{Resolved, Sources, resolve};
use super::version::numbers;
use super::{command_line, process};
use crate::host::processes::{Process, variable};
use crate::host::{mounts, sockets};
use crate::shape::trim;
use seareeve_redact as redact;

pub(crate) use files::of_machine;
pub(crate) use hosts::Host;

/// An engine that answered.
pub(crate) struct Daemon<'a> {
    pub(crate) id: String,
    pub(crate) is_podman: bool,
    pub(crate) security: Security,
    pub(crate) options: Resolved,
    pub(crate) hosts: Vec<Host>,
    info: Map<String, Value>,
    version: Map<String, Value>,
    components: Vec<Value>,
    process: Result<(&'a Process, &'static str), String>,
    config: Option<ConfigFile>,
    home: Option<String>,
    host: Option<&'a HostView<'a>>,
    problems: Vec<String>,
}

/// `SecurityOptions` taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Security {
    pub(crate) apparmor: bool,
    pub(crate) selinux: bool,
    pub(crate) userns: bool,
    pub(crate) rootless: bool,
    pub(crate) no_new_privileges: bool,
    /// `default`, `unconfined`, a path, or empty when there is none.
    pub(crate) seccomp: String,
}

impl Security {
    fn read(options: &[&str]) -> Self {
        let mut security = Self::default();
        for option in options {
            let mut parts = option.split(',');
            let profile = option.split_once("profile=").map(|(_, profile)| profile);
            match parts.next().unwrap_or_default() {
                "name=apparmor" => security.apparmor = true,
                "name=selinux" => security.selinux = true,
                "name=userns" => security.userns = true,
                "name=rootless" => security.rootless = true,
                "name=no-new-privileges" => security.no_new_privileges = true,
                "name=seccomp" => {
                    security.seccomp = match profile {
                        // Docker from 23.0 on says `builtin`; Podman names the file that it ships.
                        None | Some("" | "default" | "builtin") => "default".to_owned(),
                        Some(path) if path.ends_with("/containers/seccomp.json") => {
                            "default".to_owned()
                        }
                        Some(other) => other.to_owned(),
                    };
                }
                _ => {}
            }
        }
        security
    }
}

impl<'a> Daemon<'a> {
    /// Asks an engine what it is, and looks at its process and file.
    pub(crate) fn read(
        found: &Found,
        client: &Client,
        host: Option<&'a HostView<'a>>,
    ) -> Result<Self, AskError> {
        let version: Value = client.json("/version")?;
        let info: Value = client.json("/info")?;
        let components = components(&version);
        let is_podman = components
            .iter()
            .any(|one| one.get("name") == Some(&json!("podman")));
        // Podman says it here, and not among the security options.
        let is_rootless = info.get("Rootless") == Some(&json!(true));
        let (version, mut problems) = trim(version, fields::VERSION);
        let (mut info, more) = trim(info, fields::INFO);
        problems.extend(more);
        let options: Vec<&str> = environment::texts(info.get("SecurityOptions")).collect();
        let mut security = Security::read(&options);
        security.rootless |= is_rootless;
        let process = process(found, host, is_podman);
        if let Some(Value::Array(labels)) = info.get_mut("Labels") {
            for label in labels {
                *label = redact::text(label.as_str().unwrap_or_default()).into();
            }
        }
        let uid = process.as_ref().ok().and_then(|(process, _)| process.uid);
        let home = host.and_then(|host| home(host, &process, uid));
        let mut daemon = Self {
            id: found.id(),
            is_podman,
            security,
            options: Resolved::default(),
            hosts: Vec::new(),
            info,
            version,
            components,
            process,
            config: None,
            home,
            host,
            problems,
        };
        if !is_podman {
            daemon.resolve(uid);
        }
        Ok(daemon)
    }

    fn resolve(&mut self, uid: Option<u32>) {
        let argv = self.process.as_ref().map_err(Clone::clone);
        let argv = argv.map(|(process, _)| process.argv.as_slice());
        let named = argv.as_ref().ok().and_then(|argv| {
            let path = command_line::parse(argv).0.remove("config-file")?;
            path.as_str().map(Utf8PathBuf::from)
        });
        let usual = self.config_dir().map(|folder| folder.join("daemon.json"));
        let config = match (self.host, named.or(usual)) {
            (Some(host), Some(path)) => ConfigFile::read(host.root, &path),
            _ => ConfigFile::unseen(),
        };
        let started = self.process.as_ref().ok();
        let config = config.beside(started.and_then(|(process, _)| process.started_unix));
        let version = self.number("docker");
        let pid = self.process.as_ref().ok().map(|(process, _)| process.pid);
        let set = |name| variable(self.host?.root, pid?, name).filter(|value| !value.is_empty());
        let cgroup_version = self.info.get("CgroupVersion").and_then(Value::as_str);
        let exists = |path: &str| self.host.is_some_and(|host| host.root.exists(path));
        self.options = resolve(&Sources {
            argv,
            file: &config,
            tls_verify_set: set("DOCKER_TLS_VERIFY").is_some(),
            cert_path: set("DOCKER_CERT_PATH"),
            home: self.home.clone(),
            uid,
            rootless: self.security.rootless,
            version: &version,
            cgroup_version: cgroup_version
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            reported: reported::options(&self.info, &self.security),
            exists: &exists,
        });
        self.problems.append(&mut self.options.problems);
        self.config = Some(config);
    }

    /// What the network of all containers that name none says of `icc`, which nothing else reports.
    pub(crate) fn learn(&mut self, networks: &[Network]) {
        let default = networks.iter().find(|network| network.is_default_bridge);
        if let (Some(icc), false) = (default.and_then(Network::icc), self.is_podman) {
            self.options.report("icc", json!(icc));
        }
        self.hosts = hosts::listened_on(self);
    }

    /// Where the engine keeps its configuration and the certificates of registries.
    fn config_dir(&self) -> Option<Utf8PathBuf> {
        if self.security.rootless {
            Some(Utf8Path::new(self.home.as_deref()?).join(".config/docker"))
        } else {
            Some("/etc/docker".into())
        }
    }

    pub(crate) fn number(&self, component: &str) -> Vec<u32> {
        let component = self
            .components
            .iter()
            .find(|one| one.get("name") == Some(&json!(component)));
        let version = component
            .and_then(|one| one.get("version"))
            .and_then(Value::as_str);
        numbers(version.unwrap_or_default())
    }

    pub(crate) fn swarm(&self, key: &str) -> Option<&Value> {
        self.info.get("Swarm")?.get(key)
    }

    /// The root folder, as the engine says it, without what user namespaces append.
    pub(crate) fn data_root(&self) -> Option<Utf8PathBuf> {
        reported::data_root(&self.info, &self.security)
    }

    /// Its TCP listeners, if its process can be seen.
    pub(crate) fn listeners(&self) -> Result<Vec<Fact>, String> {
        let (Ok((process, _)), Some(host)) = (&self.process, self.host) else {
            return Ok(Vec::new());
        };
        let denied = |error: std::io::Error| {
            format!(
                "failed to see the sockets of process {}: {error}",
                process.pid
            )
        };
        let open = sockets::open(host.root, process.pid).map_err(denied)?;
        let listening = sockets::listening(host.root, process.pid).map_err(denied)?;
        let own = listening
            .iter()
            .filter(|socket| open.contains(&socket.inode));
        let facts = own.map(|socket| {
            let mut data = socket.data();
            if let Value::Object(data) = &mut data {
                data.insert("pid".to_owned(), json!(process.pid));
                data.insert("engine".to_owned(), json!(self.id));
                data.insert("purpose".to_owned(), json!(self.purpose(socket.port)));
            }
            let address = std::net::SocketAddr::new(socket.address, socket.port);
            Fact {
                id: format!("{} {address}", self.id),
                name: address.to_string(),
                data,
            }
        });
        Ok(facts.collect())
    }

    fn purpose(&self, port: u16) -> &'static str {
        let metrics = self.options.text("metrics-addr").unwrap_or_default();
        let in_swarm = self
            .swarm("LocalNodeState")
            .is_some_and(|state| state != "inactive");
        if self.hosts.iter().any(|host| host.port == Some(port)) {
            "api"
        } else if metrics.rsplit(':').next() == Some(&port.to_string()) {
            "metrics"
        } else if in_swarm && port == 2377 {
            "swarm-control"
        } else if in_swarm && port == 7946 {
            "swarm-gossip"
        } else {
            "other"
        }
    }

    pub(crate) fn fact(&self, found: &Found) -> Fact {
        let mut data = BTreeMap::from([
            (
                "engine",
                json!(if self.is_podman { "podman" } else { "docker" }),
            ),
            ("endpoint", json!(self.id)),
            ("local", json!(self.host.is_some())),
            ("rootless", json!(self.security.rootless)),
            (
                "userns_remap",
                json!(self.security.userns && !self.security.rootless),
            ),
            ("info", json!(self.info)),
            ("version", json!(self.version)),
            ("components", json!(self.components)),
            (
                "security",
                json!({
                    "apparmor": self.security.apparmor, "selinux": self.security.selinux,
                    "no_new_privileges": self.security.no_new_privileges, "seccomp": self.security.seccomp,
                }),
            ),
            ("effective", json!(self.options.effective)),
            ("unresolved", json!(self.options.unresolved)),
            ("conflicts", json!(self.options.conflicts)),
            ("hosts", self.hosts.iter().map(Host::data).collect()),
        ]);
        match &self.process {
            Ok((process, identified_by)) => {
                if let Some(host) = self.host {
                    let mut told = process.data(host.accounts);
                    if let Value::Object(told) = &mut told {
                        told.insert("identified_by".to_owned(), json!(identified_by));
                    }
                    data.insert("process", told);
                }
            }
            Err(why) => {
                data.insert("process_unknown", json!(why));
            }
        }
        if let Some(config) = &self.config {
            data.insert("config", config.data());
        }
        if let (Some(root), Some(host)) = (self.data_root(), self.host) {
            data.insert("data_root", data_root(&root, host));
            data.insert("controllers", controllers::told(self, host));
        }
        if !self.problems.is_empty() {
            data.insert("problems", json!(self.problems));
        }
        Fact {
            id: self.id.clone(),
            name: found.endpoint.to_string(),
            data: json!(data),
        }
    }
}

fn process<'a>(
    found: &Found,
    host: Option<&'a HostView<'a>>,
    is_podman: bool,
) -> Result<(&'a Process, &'static str), String> {
    let Some(host) = host else {
        return Err(
            "the engine runs on another machine, or this machine's files are out of sight"
                .to_owned(),
        );
    };
    let name = if is_podman { "podman" } else { "dockerd" };
    match &found.endpoint {
        Endpoint::Unix(path) => process::behind(host.root, host.processes, path, name),
        Endpoint::Tcp(authority) => {
            let port = authority
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok());
            let port = port.ok_or_else(|| "its address has no port".to_owned())?;
            process::on_port(host.root, host.processes, port)
        }
    }
}

fn home(
    host: &HostView<'_>,
    process: &Result<(&Process, &'static str), String>,
    uid: Option<u32>,
) -> Option<String> {
    let pid = process.as_ref().ok().map(|(process, _)| process.pid);
    let set = pid.and_then(|pid| variable(host.root, pid, "HOME"));
    set.filter(|home| home.starts_with('/')).or_else(|| {
        let users = host.accounts.users.iter();
        let user = users.into_iter().find(|user| Some(user.uid) == uid)?;
        Some(user.home.clone())
    })
}

fn data_root(path: &Utf8Path, host: &HostView<'_>) -> Value {
    let real = host.root.real(path).unwrap_or_else(|_| path.to_owned());
    let mut data = json!({"path": path});
    if let Value::Object(data) = &mut data {
        if let Some(separate) = mounts::is_separate(host.mounts, &real) {
            data.insert("separate".to_owned(), json!(separate));
        }
        if let Some(mount) = mounts::holding(host.mounts, &real) {
            data.insert(
                "mount".to_owned(),
                json!({
                    "point": mount.point, "root": mount.root, "device": mount.device, "fstype": mount.fstype,
                    "source": mount.source,
                }),
            );
        }
    }
    data
}

/// What the engine is made of, under one name each whatever the engine calls it.
fn components(version: &Value) -> Vec<Value> {
    let list = version.get("Components").and_then(Value::as_array);
    let text = |of: &Value, key: &str| {
        of.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut told: Vec<(String, String)> = list
        .into_iter()
        .flatten()
        .take(50)
        .map(|one| {
            let name = match text(one, "Name").as_str() {
                "Engine" => "docker".to_owned(),
                "Podman Engine" => "podman".to_owned(),
                // `OCI Runtime (crun)`
                other => match other.strip_prefix("OCI Runtime (") {
                    Some(runtime) => runtime.trim_end_matches(')').to_owned(),
                    None => other.to_ascii_lowercase(),
                },
            };
            // `crun version 1.8.1` of several lines, `conmon version 2.1.6, commit: x`
            let version = text(one, "Version");
            let version = version
                .split_once(" version ")
                .map_or(version.as_str(), |(_, rest)| rest);
            let version = version.split([' ', ',', '\n']).next().unwrap_or_default();
            (name, version.to_owned())
        })
        .collect();
    let own = text(version, "Version");
    if told.is_empty() && !own.is_empty() {
        told.push(("docker".to_owned(), own));
    }
    told.into_iter()
        .map(|(name, version)| json!({"name": name, "number": numbers(&version), "version": version}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_options_are_taken_apart() {
        let docker = Security::read(&[
            "name=apparmor",
            "name=seccomp,profile=builtin",
            "name=cgroupns",
            "name=userns",
        ]);
        assert_eq!(
            docker,
            Security {
                apparmor: true,
                userns: true,
                seccomp: "default".to_owned(),
                ..Security::default()
            }
        );
        for (profile, expected) in [
            ("name=seccomp,profile=default", "default"),
            ("name=seccomp,profile=unconfined", "unconfined"),
            (
                "name=seccomp,profile=/etc/docker/seccomp.json",
                "/etc/docker/seccomp.json",
            ),
            (
                "name=seccomp,profile=/usr/share/containers/seccomp.json",
                "default",
            ),
            ("name=seccomp", "default"),
            ("name=rootless", ""),
        ] {
            assert_eq!(Security::read(&[profile]).seccomp, expected, "{profile}");
        }
    }

    #[test]
    fn components_have_one_name_each() {
        let told = components(&json!({"Components": [
            {"Name": "Podman Engine", "Version": "4.3.1"},
            {"Name": "OCI Runtime (crun)", "Version": "crun version 1.8.1\ncommit: x"},
            {"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"},
        ]}));
        assert_eq!(
            json!(told),
            json!([
                {"name": "podman", "version": "4.3.1", "number": [4, 3, 1]},
                {"name": "crun", "version": "1.8.1", "number": [1, 8, 1]},
                {"name": "conmon", "version": "2.1.6", "number": [2, 1, 6]},
            ])
        );
        assert_eq!(
            components(&json!({"Version": "18.9.1"}))[0]["name"],
            json!("docker")
        );
    }
}
