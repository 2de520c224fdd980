//! What is worth listening to on a machine, by what a look found there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_engine::Endpoint;
use seareeve_model::{CollectionStatus, Fact, Snapshot};
use serde_json::Value;

use super::files::Places;
use crate::host::root::Root;

/// Files that facts are made from, whether they are there yet or not.
const FILES: &[&str] = &[
    "/etc/audit/audit.rules",
    "/etc/bash.bashrc",
    "/etc/containerd/config.toml",
    "/etc/default/docker",
    "/etc/docker/daemon.json",
    "/etc/environment",
    "/etc/group",
    "/etc/passwd",
    "/etc/profile",
    "/etc/sudoers",
    "/etc/sysconfig/docker",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
];

/// Folders of which every file matters.
const FOLDERS: &[&str] = &[
    "/etc/audit/rules.d",
    "/etc/cni/net.d",
    "/etc/docker",
    "/etc/docker/certs.d",
    "/etc/kubernetes",
    "/etc/kubernetes/manifests",
    "/etc/profile.d",
    "/etc/sudoers.d",
];

/// Units that say how engines and the kubelet are started, and where units lie.
const UNITS: &[&str] = &[
    "containerd.service",
    "docker.service",
    "docker.socket",
    "kubelet.service",
    "podman.socket",
];
const UNIT_FOLDERS: &[&str] = &[
    "/etc/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
];

/// Roles of folders of which every file matters.
const WHOLE: &[&str] = &["docker.config-dir", "pki.folder"];

/// The facts of a kind.
fn items<'s>(snapshot: &'s Snapshot, kind: &'s str) -> impl Iterator<Item = &'s Fact> {
    let facts = snapshot.facts.iter();
    facts
        .filter(move |(known, _)| known.as_str() == kind)
        .flat_map(|(_, facts)| &facts.items)
}

fn text<'f>(fact: &'f Fact, pointer: &str) -> Option<&'f str> {
    fact.data.pointer(pointer).and_then(Value::as_str)
}

/// Where engines listen, and what facts call them.
pub(super) fn engines(snapshot: &Snapshot) -> impl Iterator<Item = (Endpoint, String)> {
    items(snapshot, "docker.daemon").filter_map(|fact| {
        let endpoint = text(fact, "/endpoint")?.parse().ok()?;
        Some((endpoint, fact.id.clone()))
    })
}

/// Whether there is no engine but those that were found: none that is there and did not answer. Of one that does not run
/// there is nothing to be heard.
pub(super) fn found_all_engines(snapshot: &Snapshot) -> bool {
    let is_silent = |host: &Fact| text(host, "/silent_engine").is_some();
    let facts = snapshot.facts.iter();
    let status = facts
        .filter(|(kind, _)| kind.as_str() == "docker.daemon")
        .map(|(_, facts)| facts.status)
        .next();
    matches!(
        status,
        Some(CollectionStatus::Ok | CollectionStatus::Absent)
    ) || items(snapshot, "host").any(is_silent)
}

/// The processes whose end changes something.
pub(super) fn processes(snapshot: &Snapshot) -> BTreeSet<u32> {
    let kinds = ["host.process"]
        .into_iter()
        .chain(seareeve_kubernetes::NODE_KINDS);
    kinds
        .flat_map(|kind| items(snapshot, kind).collect::<Vec<_>>())
        .filter_map(|fact| fact.data.get("pid")?.as_u64()?.try_into().ok())
        .collect()
}

/// The folders to watch, and what of them matters.
pub(super) fn places(snapshot: &Snapshot, root: &Root) -> Places {
    let mut wanted = Wanted {
        root,
        places: Places::new(),
    };
    for path in FILES {
        wanted.file(Utf8Path::new(path));
    }
    for path in FOLDERS {
        wanted.folder(Utf8Path::new(path));
    }
    for folder in UNIT_FOLDERS {
        for unit in UNITS {
            wanted.file(&Utf8Path::new(folder).join(unit));
            wanted.folder(&Utf8Path::new(folder).join(format!("{unit}.d")));
        }
    }
    for fact in items(snapshot, "host.file").chain(items(snapshot, "kubernetes.node-file")) {
        let Some(path) = text(fact, "/path").filter(|_| fact.data.get("only_in").is_none()) else {
            continue;
        };
        let role = text(fact, "/role").unwrap_or_default();
        let path = Utf8Path::new(path);
        wanted.file(path);
        match (role, path.parent()) {
            (role, _) if WHOLE.contains(&role) => wanted.folder(path),
            ("docker.registry-cert" | "cni.config", Some(parent)) => wanted.folder(parent),
            _ => {}
        }
    }
    for kind in seareeve_kubernetes::NODE_KINDS {
        for fact in items(snapshot, kind) {
            for pointer in ["/config/path", "/encryption/path", "/audit_policy/path"] {
                if let Some(path) = text(fact, pointer) {
                    wanted.file(Utf8Path::new(path));
                }
            }
            for pointer in [
                "/effective/staticPodPath/value",
                "/effective/config-dir/value",
            ] {
                if let Some(path) = text(fact, pointer) {
                    wanted.folder(Utf8Path::new(path));
                }
            }
        }
    }
    wanted.places
}

struct Wanted<'r> {
    root: &'r Root,
    places: Places,
}

impl Wanted<'_> {
    /// A file: what its folder says of its name, and of the name that a link leads to.
    fn file(&mut self, path: &Utf8Path) {
        if !path.is_absolute() {
            return;
        }
        self.name(path);
        if let Ok(real) = self.root.real(path)
            && real != path
        {
            self.name(&real);
        }
    }

    fn folder(&mut self, path: &Utf8Path) {
        self.file(path);
        if let Ok((real, metadata)) = self.root.metadata(path)
            && metadata.is_dir()
        {
            self.places.entry(self.root.place(&real)).or_default().all = true;
        }
    }

    /// The nearest folder above that is there, and the next name below it.
    fn name(&mut self, path: &Utf8Path) {
        let mut path: Utf8PathBuf = path.to_owned();
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            if let Ok((real, metadata)) = self.root.metadata(parent)
                && metadata.is_dir()
            {
                let place: PathBuf = self.root.place(&real);
                let interest = self.places.entry(place).or_default();
                interest.names.insert(name.into());
                return;
            }
            path = parent.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_not_there_yet_is_watched_by_what_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("etc/docker")).unwrap();
        fs::create_dir_all(at("data/d")).unwrap();
        fs::write(at("data/d/daemon.json"), "{}").unwrap();
        std::os::unix::fs::symlink("/data/d/daemon.json", at("etc/docker/daemon.json")).unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let nothing = Snapshot {
            schema: String::new(),
            asset_kind: String::new(),
            asset_id: String::new(),
            asset_name: String::new(),
            collected_at: jiff::Timestamp::UNIX_EPOCH,
            collector: String::new(),
            facts: Default::default(),
        };
        let places = places(&nothing, &root);
        assert!(places[&at("etc/docker")].all);
        assert!(
            places[&at("data/d")]
                .names
                .contains(std::ffi::OsStr::new("daemon.json"))
        );
        let etc = &places[&at("etc")];
        assert!(!etc.all);
        for name in ["kubernetes", "passwd", "audit", "docker", "systemd"] {
            assert!(etc.names.contains(std::ffi::OsStr::new(name)), "{name}");
        }
        let top = &places[&folder.path().to_owned()];
        assert!(top.names.contains(std::ffi::OsStr::new("run")));
        assert!(top.names.contains(std::ffi::OsStr::new("var")));
    }
}
