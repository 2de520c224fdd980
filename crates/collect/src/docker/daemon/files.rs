//! The files that matter to an engine.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::Daemon;
use crate::docker::engine::HostView;
use crate::host::files::Wanted;
use crate::host::root::Root;
use crate::host::units;

/// Folders that programs are looked for in, as systemd's services have them.
const PATH: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];
/// Certificates of registries that are told.
const CERTIFICATES: usize = 2_000;
/// Folders below `certs.d` that are looked into.
const DEPTH: usize = 4;
/// Bytes of containerd's configuration.
const CONFIG: u64 = 1 << 20;

/// What is there once, whatever engines there are.
pub(crate) fn of_machine(host: &HostView<'_>) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut add = |role, path: Utf8PathBuf, drop_in| {
        wanted.push(Wanted {
            role,
            path,
            engine: None,
            drop_in,
        });
    };
    for (role, name) in [
        ("unit.docker-service", "docker.service"),
        ("unit.docker-socket", "docker.socket"),
    ] {
        let unit = units::find(host.root, name);
        let usual = Utf8Path::new("/usr/lib/systemd/system").join(name);
        add(role, unit.fragment.unwrap_or(usual), false);
        for drop_in in unit.drop_ins {
            add(role, drop_in, true);
        }
    }
    add(
        "docker.environment-default",
        "/etc/default/docker".into(),
        false,
    );
    add(
        "docker.environment-sysconfig",
        "/etc/sysconfig/docker".into(),
        false,
    );
    for (role, name) in [
        ("bin.dockerd", "dockerd"),
        ("bin.containerd", "containerd"),
        ("bin.containerd-shim", "containerd-shim"),
        ("bin.containerd-shim-runc-v1", "containerd-shim-runc-v1"),
        ("bin.containerd-shim-runc-v2", "containerd-shim-runc-v2"),
    ] {
        let running = host
            .processes
            .engines
            .iter()
            .filter(|process| process.name == name);
        let mut paths: Vec<Utf8PathBuf> = running
            .filter_map(|process| process.exe.as_deref().map(Utf8PathBuf::from))
            .collect();
        paths.sort_unstable();
        paths.dedup();
        if paths.is_empty() {
            paths.push(program(host.root, name));
        }
        for path in paths {
            add(role, path, false);
        }
    }
    wanted
}

impl Daemon<'_> {
    /// What belongs to this engine.
    pub(crate) fn files(&self, host: &HostView<'_>) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut add = |role, path: Utf8PathBuf| {
            wanted.push(Wanted {
                role,
                path,
                engine: Some(self.id.clone()),
                drop_in: false,
            });
        };
        for path in self.hosts.iter().filter_map(|host| host.path.clone()) {
            add("docker.socket", path);
        }
        if let Some(root) = self.data_root() {
            add("docker.data-root", root);
        }
        add("bin.runc", self.runtime(host.root));
        if self.is_podman {
            return wanted;
        }
        if let Some(folder) = self.config_dir() {
            for path in certificates(host.root, &folder.join("certs.d")) {
                add("docker.registry-cert", path);
            }
            add("docker.config-dir", folder);
        }
        if let Some(config) = self
            .config
            .as_ref()
            .filter(|config| !config.path.as_str().is_empty())
        {
            add("docker.daemon-json", config.path.clone());
        }
        for (role, key) in [
            ("docker.tls-ca", "tlscacert"),
            ("docker.tls-cert", "tlscert"),
            ("docker.tls-key", "tlskey"),
        ] {
            if let Some(path) = self.options.text(key) {
                add(role, path.into());
            }
        }
        let (socket, config) = self.containerd(host);
        if let Some(folder) = socket.parent() {
            add("containerd.run-dir", folder.to_owned());
        }
        add("containerd.socket", socket);
        add("containerd.config", config);
        wanted
    }

    /// The runtime that containers get unasked, if that is runc; else runc.
    fn runtime(&self, root: &Root) -> Utf8PathBuf {
        let runtimes = self.info.get("Runtimes");
        let path = runtimes
            .and_then(|runtimes| runtimes.get("runc"))
            .and_then(|runc| runc.get("path"))
            .and_then(Value::as_str)
            .filter(|path| !path.is_empty())
            .unwrap_or("runc");
        // Podman lists runtimes where they might be.
        let name = path.rsplit('/').next().unwrap_or("runc");
        if path.starts_with('/') && root.exists(path) {
            path.into()
        } else {
            program(root, name)
        }
    }

    /// The socket and the configuration of the containerd that this engine uses. It takes the one that is there
    /// already, and else starts one of its own (dockerd's `initContainerd`).
    fn containerd(&self, host: &HostView<'_>) -> (Utf8PathBuf, Utf8PathBuf) {
        let configs = || {
            let running = host.processes.engines.iter();
            running
                .filter(|process| process.name == "containerd")
                .map(|process| config_of(&process.argv))
        };
        let exec_root = self.options.text("exec-root").unwrap_or("/var/run/docker");
        let own = Utf8Path::new(exec_root).join("containerd");
        let own_config = own.join("containerd.toml");
        let real = |path: &Utf8Path| host.root.real(path).unwrap_or_else(|_| path.to_owned());
        let has_own = configs()
            .flatten()
            .any(|config| real(&config) == real(&own_config));
        if let Some(socket) = self.options.text("containerd") {
            let config = configs().flatten().next();
            return (
                socket.into(),
                config.unwrap_or_else(|| "/etc/containerd/config.toml".into()),
            );
        }
        if has_own {
            return (own.join("containerd.sock"), own_config);
        }
        let others = configs()
            .flatten()
            .filter(|config| !config.as_str().ends_with("/containerd/containerd.toml"));
        let config = others.into_iter().next();
        let config = config.unwrap_or_else(|| "/etc/containerd/config.toml".into());
        let text = host.root.text(config.as_str(), CONFIG).unwrap_or_default();
        let socket = address(&text).unwrap_or_else(|| "/run/containerd/containerd.sock".to_owned());
        (socket.into(), config)
    }
}

/// `--config x`, `--config=x`, `-c x`
fn config_of(argv: &[String]) -> Option<Utf8PathBuf> {
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        if word == "--config" || word == "-c" {
            return words.next().map(Utf8PathBuf::from);
        }
        if let Some(path) = word.strip_prefix("--config=") {
            return Some(path.into());
        }
    }
    None
}

/// `address` of `[grpc]` in containerd's configuration.
fn address(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let address = table.get("grpc")?.get("address")?.as_str()?;
    address.starts_with('/').then(|| address.to_owned())
}

/// Where a program is, or where it would be.
fn program(root: &Root, name: &str) -> Utf8PathBuf {
    let all = PATH.iter().map(|folder| Utf8Path::new(folder).join(name));
    let mut there = all.filter(|path| root.exists(path.as_str()));
    there
        .next()
        .unwrap_or_else(|| Utf8Path::new("/usr/bin").join(name))
}

/// All files below a folder.
fn certificates(root: &Root, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0_usize)];
    while let Some((folder, depth)) = open.pop() {
        for name in root.names(folder.as_str()).unwrap_or_default() {
            let path = folder.join(name);
            match root.metadata(&path) {
                Ok((_, metadata)) if metadata.is_dir() && depth < DEPTH => {
                    open.push((path, depth.saturating_add(1)));
                }
                // What lies deeper is told as the folder that it lies in.
                _ if found.len() < CERTIFICATES => found.push(path),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containerds_socket_is_in_its_configuration() {
        let text =
            "version = 2\n[grpc]\n  address = \"/run/c/c.sock\"\n[ttrpc]\n  address = \"/no\"\n";
        assert_eq!(address(text).as_deref(), Some("/run/c/c.sock"));
        assert_eq!(address("version = 2"), None);
        assert_eq!(address("[grpc"), None);
    }

    #[test]
    fn containerds_configuration_is_on_its_command_line() {
        for (line, expected) in [
            ("containerd --config /a --log-level info", Some("/a")),
            ("containerd -c /a", Some("/a")),
            ("containerd --config=/a", Some("/a")),
            ("containerd", None),
        ] {
            let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(
                config_of(&argv).as_deref().map(Utf8Path::as_str),
                expected,
                "{line}"
            );
        }
    }
}
