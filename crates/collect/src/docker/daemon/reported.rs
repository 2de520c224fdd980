//! Options that the engine says itself, in `GET /info`: what it really does, whatever was configured.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::Security;
use crate::docker::environment::texts;

/// By their keys in `daemon.json`.
pub(super) fn options(
    info: &Map<String, Value>,
    security: &Security,
) -> BTreeMap<&'static str, Value> {
    let mut reported = BTreeMap::new();
    for (key, field) in [
        ("storage-driver", "Driver"),
        ("log-driver", "LoggingDriver"),
        ("default-runtime", "DefaultRuntime"),
        ("debug", "Debug"),
        ("live-restore", "LiveRestoreEnabled"),
        ("experimental", "ExperimentalBuild"),
        ("labels", "Labels"),
    ] {
        if let Some(value) = info.get(field) {
            reported.insert(key, value.clone());
        }
    }
    if let Some(path) = data_root(info, security) {
        reported.insert("data-root", json!(path));
    }
    if let Some(plugins) = info
        .get("Plugins")
        .and_then(|plugins| plugins.get("Authorization"))
    {
        reported.insert("authorization-plugins", plugins.clone());
    }
    if let Some(config) = info.get("RegistryConfig") {
        if let Some(insecure) = insecure(config) {
            reported.insert("insecure-registries", json!(insecure));
        }
        if let Some(mirrors) = config.get("Mirrors") {
            reported.insert("registry-mirrors", mirrors.clone());
        }
    }
    let address = info
        .get("Containerd")
        .and_then(|containerd| containerd.get("Address"));
    if let Some(address) = address.filter(|address| **address != "") {
        reported.insert("containerd", address.clone());
    }
    if info.contains_key("SecurityOptions") {
        reported.insert("rootless", json!(security.rootless));
        reported.insert("selinux-enabled", json!(security.selinux));
        // Old versions do not say it, so only its presence tells.
        if security.no_new_privileges {
            reported.insert("no-new-privileges", json!(true));
        }
        if !security.seccomp.is_empty() {
            let profile = if security.seccomp == "default" {
                ""
            } else {
                &security.seccomp
            };
            reported.insert("seccomp-profile", json!(profile));
        }
        if !security.userns {
            reported.insert("userns-remap", json!(""));
        }
    }
    reported
}

/// Without loopback addresses, which every engine trusts.
fn insecure(config: &Value) -> Option<BTreeSet<String>> {
    let networks = texts(Some(config.get("InsecureRegistryCIDRs")?)).map(str::to_owned);
    let indexes = config.get("IndexConfigs")?.as_object()?.iter();
    let named = indexes
        .filter(|(_, index)| index.get("Secure") == Some(&json!(false)))
        .map(|(name, _)| name.clone());
    Some(
        networks
            .chain(named)
            .filter(|name| !is_loopback(name))
            .collect(),
    )
}

/// `127.0.0.0/8`, `::1/128`, `127.0.0.1:5000`, `[::1]:5000`, `localhost:5000`. A name that only begins like one of them
/// is another machine's, and a network that is wider holds others.
fn is_loopback(name: &str) -> bool {
    if let Some((network, bits)) = name.split_once('/') {
        let bits = bits.parse::<u8>();
        return match network.parse::<IpAddr>() {
            Ok(IpAddr::V4(network)) => network.is_loopback() && bits.is_ok_and(|bits| bits >= 8),
            Ok(IpAddr::V6(network)) => network.is_loopback() && bits == Ok(128),
            Err(_no_network) => false,
        };
    }
    // More than one colon without brackets is an address of IPv6, and not one with a port.
    let host = match name.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None if name.matches(':').count() == 1 => name.split(':').next(),
        None => Some(name),
    };
    let host = host.unwrap_or_default();
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// With user namespaces, an engine keeps everything in a folder named for them: `/var/lib/docker/165536.165536`.
pub(super) fn data_root(info: &Map<String, Value>, security: &Security) -> Option<Utf8PathBuf> {
    let path = Utf8Path::new(info.get("DockerRootDir")?.as_str()?);
    let is_ids = |name: &str| {
        let ids = name.split_once('.');
        ids.is_some_and(|(uid, gid)| uid.parse::<u32>().is_ok() && gid.parse::<u32>().is_ok())
    };
    let folder = path
        .parent()
        .filter(|_| security.userns && path.file_name().is_some_and(is_ids));
    let path = folder.unwrap_or(path);
    path.is_absolute().then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_does_is_read_from_its_info() {
        let info = json!({
            "Driver": "overlay2", "LoggingDriver": "journald", "LiveRestoreEnabled": true,
            "DockerRootDir": "/data/165536.165536", "SecurityOptions": ["name=userns"],
            "Plugins": {"Authorization": ["opa"]},
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "127.0.0.0/1"], "Mirrors": [],
                "IndexConfigs": {
                    "docker.io": {"Secure": true}, "registry:5000": {"Secure": false},
                    "localhost:5000": {"Secure": false}, "127.0.0.1:5000": {"Secure": false},
                    "[::1]:5000": {"Secure": false}, "localhost": {"Secure": false},
                    // Names that only begin like one.
                    "localhost.lan:5000": {"Secure": false}, "127.lan": {"Secure": false},
                },
            },
        });
        let Value::Object(info) = info else { panic!() };
        let security = Security {
            userns: true,
            ..Security::default()
        };
        assert_eq!(
            json!(options(&info, &security)),
            json!({
                "storage-driver": "overlay2", "log-driver": "journald", "live-restore": true, "data-root": "/data",
                "authorization-plugins": ["opa"], "insecure-registries": ["10.0.0.0/8", "127.0.0.0/1", "127.lan", "localhost.lan:5000", "registry:5000"],
                "registry-mirrors": [], "rootless": false, "selinux-enabled": false,
            })
        );
    }
}
