//! The files of a node that hold credentials of its cluster or say what runs on it: `kubernetes.node-file`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_kubernetes::Flags;
use seareeve_model::{CollectionStatus, Fact};
use serde_json::{Value, json};

use super::manifests::Manifests;
use super::{Component, Machine, unseen};
use crate::certificate;
use crate::docker::Gathered;
use crate::host::files::{Files, Wanted};
use crate::host::units;

const KIND: &str = "kubernetes.node-file";

/// Most files of one node that are told.
const MAX_FILES: usize = 10_000;
/// Most files of one folder of certificates, or of one folder of addresses.
const MAX_IN_FOLDER: usize = 2_000;
/// How deep folders of certificates are looked into.
const MAX_DEPTH: usize = 4;
/// Bytes of a certificate or of a key.
const MAX_PEM: u64 = 1 << 20;
/// Bytes of a container runtime's configuration.
const MAX_CONFIG: u64 = 1 << 20;

/// Options that name a certificate or a key.
const PEM_OPTIONS: &[&str] = &[
    "authentication.x509.clientCAFile",
    "ca-file",
    "cert-file",
    "client-ca-file",
    "cluster-signing-cert-file",
    "cluster-signing-key-file",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "key-file",
    "kubelet-certificate-authority",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "peer-cert-file",
    "peer-key-file",
    "peer-trusted-ca-file",
    "proxy-client-cert-file",
    "proxy-client-key-file",
    "requestheader-client-ca-file",
    "root-ca-file",
    "service-account-key-file",
    "service-account-private-key-file",
    "service-account-signing-key-file",
    "tls-cert-file",
    "tls-private-key-file",
    "tlsCertFile",
    "tlsPrivateKeyFile",
    "trusted-ca-file",
];

/// Folders that hold other things than certificates of a cluster.
const GENERAL: &[&str] = &[
    "/",
    "/etc",
    "/etc/kubernetes",
    "/etc/pki",
    "/etc/pki/tls",
    "/etc/pki/tls/certs",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/run",
];

/// Folder of certificates, unless options name others.
const PKI: &str = "/etc/kubernetes/pki";

/// What there is of one role, while it is gathered.
struct Found<'a> {
    machine: &'a Machine<'a>,
    node: &'a str,
    items: BTreeMap<String, Fact>,
    is_cut: bool,
}

/// Adds the facts of all of them.
pub(super) fn tell(
    machine: &Machine<'_>,
    node: &str,
    manifests: &Manifests,
    components: &[Component],
    gathered: &mut Gathered,
) {
    let mut found = Found {
        machine,
        node,
        items: BTreeMap::new(),
        is_cut: false,
    };
    of_manifests(manifests, &mut found);
    networks(components, &mut found);
    let component = |name: &str| components.iter().find(|one| one.name == name);
    match component("etcd") {
        Some(etcd) => found.told(
            "etcd.data-dir",
            etcd,
            etcd.option("data-dir").unwrap_or("default.etcd"),
        ),
        None => found.add("etcd.data-dir", "/var/lib/etcd".into()),
    }
    for (role, path) in [
        ("kubeconfig.admin", "/etc/kubernetes/admin.conf"),
        ("kubeconfig.super-admin", "/etc/kubernetes/super-admin.conf"),
        ("cloud.azure", "/etc/kubernetes/azure.json"),
    ] {
        found.add(role, path.into());
    }
    for (name, role, options, usual) in [
        (
            "kube-scheduler",
            "kubeconfig.scheduler",
            &[
                "kubeconfig",
                "authentication-kubeconfig",
                "authorization-kubeconfig",
            ][..],
            "/etc/kubernetes/scheduler.conf",
        ),
        (
            "kube-controller-manager",
            "kubeconfig.controller-manager",
            &[
                "kubeconfig",
                "authentication-kubeconfig",
                "authorization-kubeconfig",
            ],
            "/etc/kubernetes/controller-manager.conf",
        ),
        (
            "kube-proxy",
            "kubeconfig.kube-proxy",
            &["clientConnection.kubeconfig"],
            "/var/lib/kube-proxy/kubeconfig",
        ),
        (
            "kubelet",
            "kubeconfig.kubelet",
            &["kubeconfig"],
            "/etc/kubernetes/kubelet.conf",
        ),
    ] {
        let seen = component(name);
        let named: BTreeSet<&str> = seen
            .into_iter()
            .flat_map(|seen| options.iter().filter_map(|option| seen.option(option)))
            .collect();
        match seen {
            Some(seen) if !named.is_empty() => {
                for path in named {
                    found.told(role, seen, path);
                }
            }
            _ => found.add(role, usual.into()),
        }
    }
    kubelet(component("kubelet"), &mut found);
    certificates(components, &mut found);
    if found.is_cut {
        let why = format!("there are more than {MAX_FILES} files, or folders with too many");
        gathered.fail(KIND, CollectionStatus::Error, why);
    }
    for fact in found.items.into_values() {
        gathered.add(KIND, fact);
    }
}

impl Found<'_> {
    fn add(&mut self, role: &'static str, path: Utf8PathBuf) {
        let fact = self.fact(role, path);
        self.keep(fact);
    }

    /// A path that a component was told.
    fn told(&mut self, role: &'static str, component: &Component, path: &str) {
        match component.places.on_machine(path) {
            Some(place) => self.add(role, place),
            None => {
                let fact = self.only_inside(role, component, path);
                self.keep(fact);
            }
        }
    }

    /// A path that the machine's own view does not show: as the component sees it, if we may look.
    fn only_inside(&self, role: &'static str, component: &Component, path: &str) -> Fact {
        let seen = component.inside.as_ref().and_then(|root| {
            let path = Utf8Path::new(path);
            if !path.is_absolute() || root.metadata(path).is_err() {
                return None;
            }
            let files = Files {
                root,
                ..self.machine.files
            };
            let mut fact = self.of(&files, role, path.to_owned());
            let data = fact.data.as_object_mut()?;
            data.insert("only_in".to_owned(), component.name.into());
            Some(fact)
        });
        seen.unwrap_or_else(|| unseen(self.node, role, path))
    }

    fn keep(&mut self, fact: Fact) {
        if self.items.len() < MAX_FILES {
            self.items.insert(fact.id.clone(), fact);
        } else {
            self.is_cut = true;
        }
    }

    fn fact(&self, role: &'static str, path: Utf8PathBuf) -> Fact {
        self.of(&self.machine.files, role, path)
    }

    fn of(&self, files: &Files<'_>, role: &'static str, path: Utf8PathBuf) -> Fact {
        let id = format!("{} {role} {path}", self.node);
        let mut fact = files.fact(&Wanted {
            role,
            path,
            engine: None,
            drop_in: false,
        });
        if let Some(data) = fact.data.as_object_mut() {
            data.remove("audit");
            data.remove("drop_in");
            data.insert("node".to_owned(), self.node.into());
        }
        Fact { id, ..fact }
    }

    /// The fact of a file with certificates, and what kind of one it is.
    fn pem(&self, path: Utf8PathBuf, role: Option<&'static str>) -> Fact {
        let text = self.machine.root.text(path.as_str(), MAX_PEM);
        let role = role.unwrap_or_else(|| match &text {
            Ok(text) if text.contains("PRIVATE KEY-----") => "pki.key",
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => "pki.certificate",
            Ok(_) => "pki.other",
            Err(_) => match path.extension() {
                Some("key") => "pki.key",
                Some("crt" | "pem" | "cer") => "pki.certificate",
                _ => "pki.other",
            },
        });
        let mut fact = self.fact(role, path);
        if role == "pki.certificate" || role == "kubelet.client-ca" {
            describe(&text.unwrap_or_default(), self.machine.now, &mut fact);
        }
        fact
    }
}

/// Adds what is told of certificates.
fn describe(text: &str, now: Timestamp, fact: &mut Fact) {
    const DAY: i64 = 86_400;
    let all = certificate::all(text);
    let Some(data) = fact.data.as_object_mut().filter(|_| !all.is_empty()) else {
        return;
    };
    let keys: Vec<&String> = all.iter().map(|one| &one.public_key).collect();
    data.insert("public_keys".to_owned(), json!(keys));
    let told = all.iter().map(|one| {
        let left = one.not_after.as_second().saturating_sub(now.as_second());
        json!({
            "not_before": one.not_before.to_string(),
            "not_after": one.not_after.to_string(),
            "expires_days": left.div_euclid(DAY),
        })
    });
    data.insert("certificates".to_owned(), told.collect::<Value>());
}

fn of_manifests(manifests: &Manifests, found: &mut Found<'_>) {
    for (role, component, file) in [
        (
            "manifest.kube-apiserver",
            "kube-apiserver",
            "kube-apiserver.yaml",
        ),
        (
            "manifest.kube-controller-manager",
            "kube-controller-manager",
            "kube-controller-manager.yaml",
        ),
        (
            "manifest.kube-scheduler",
            "kube-scheduler",
            "kube-scheduler.yaml",
        ),
        ("manifest.etcd", "etcd", "etcd.yaml"),
    ] {
        let own = manifests.found.iter();
        let own: Vec<_> = own.filter(|one| one.component == component).collect();
        for manifest in &own {
            found.add(role, manifest.path.clone());
        }
        let usual = manifests.folder.join(file);
        let unread = manifests
            .unread
            .iter()
            .find(|(path, _)| *path == usual || *path == manifests.folder);
        match unread {
            _ if !own.is_empty() => {}
            // Whose mode is known, its own name says what it is.
            Some((path, _)) if *path == usual => found.add(role, usual),
            Some(_) => found.keep(unseen(found.node, role, usual.as_str())),
            None => found.add(role, usual),
        }
    }
}

/// The configuration of networks, and the addresses that were given out.
fn networks(components: &[Component], found: &mut Found<'_>) {
    let kubelet = components.iter().find(|one| one.name == "kubelet");
    let told = kubelet.and_then(|kubelet| Some((kubelet, kubelet.option("cni-conf-dir")?)));
    let folders = match told {
        Some((kubelet, path)) => kubelet.places.on_machine(path).into_iter().collect(),
        None => configured(found.machine),
    };
    for folder in folders {
        folder_files("cni.config", &folder, 0, found);
    }
    folder_files(
        "cni.networks",
        Utf8Path::new("/var/lib/cni/networks"),
        1,
        found,
    );
}

/// Where container runtimes were told to look for networks: containerd's plug-in for Kubernetes, in both forms of its
/// configuration, and CRI-O.
fn configured(machine: &Machine<'_>) -> BTreeSet<Utf8PathBuf> {
    let mut folders = BTreeSet::new();
    let drop_ins = machine
        .root
        .names("/etc/crio/crio.conf.d")
        .unwrap_or_default();
    let mut files = vec!["/etc/crio/crio.conf".to_owned()];
    let engines = machine.processes.engines.iter();
    let told = engines
        .filter(|process| process.name == "containerd")
        .filter_map(|process| {
            let words = process.argv.get(1..).unwrap_or_default();
            let flags = Flags::parse(words);
            let path = flags.last("config").or_else(|| flags.last("c"))?;
            path.starts_with('/').then(|| path.to_owned())
        });
    files.extend(told);
    if files.len() == 1 {
        files.push("/etc/containerd/config.toml".to_owned());
    }
    files.extend(
        drop_ins
            .into_iter()
            .map(|name| format!("/etc/crio/crio.conf.d/{name}")),
    );
    for file in files {
        let Ok(text) = machine.root.text(&file, MAX_CONFIG) else {
            continue;
        };
        let Ok(config) = text.parse::<toml::Table>() else {
            continue;
        };
        for path in [
            &["plugins", "io.containerd.grpc.v1.cri", "cni", "conf_dir"][..],
            &["plugins", "io.containerd.cri.v1.runtime", "cni", "conf_dir"],
            &["crio", "network", "network_dir"],
        ] {
            let mut at = path.iter();
            let first = at.next().and_then(|key| config.get(*key));
            let value = at.fold(first, |value, key| value?.get(*key));
            if let Some(folder) = value.and_then(|value| value.as_str())
                && folder.starts_with('/')
            {
                folders.insert(folder.into());
            }
        }
    }
    if folders.is_empty() {
        folders.insert("/etc/cni/net.d".into());
    }
    folders
}

/// Every file in a folder; the folder itself where it has none.
fn folder_files(role: &'static str, folder: &Utf8Path, below: usize, found: &mut Found<'_>) {
    let mut open = vec![(folder.to_owned(), below)];
    let mut count = 0_usize;
    while let Some((folder, below)) = open.pop() {
        let names = match found.machine.root.names(folder.as_str()) {
            Ok(names) => names,
            Err(error) => {
                if error.kind() == io::ErrorKind::PermissionDenied {
                    found.keep(unseen(found.node, role, folder.as_str()));
                }
                continue;
            }
        };
        for name in names {
            let path = folder.join(name);
            let is_folder = found.machine.root.metadata(&path);
            let is_folder = is_folder.is_ok_and(|(_, metadata)| metadata.is_dir());
            count = count.saturating_add(1);
            if count > MAX_IN_FOLDER {
                found.is_cut = true;
                return;
            }
            match (is_folder, below.checked_sub(1)) {
                (true, Some(below)) => open.push((path, below)),
                (true, None) => {}
                (false, _) => found.add(role, path),
            }
        }
    }
    if count == 0 && !found.items.keys().any(|id| id.contains(role)) {
        let fact = found.fact(role, folder.to_owned());
        // An empty folder holds no configuration.
        if fact.data.get("exists") == Some(&Value::Bool(false)) {
            found.keep(fact);
        }
    }
}

fn kubelet(kubelet: Option<&Component>, found: &mut Found<'_>) {
    let unit = units::find(found.machine.root, "kubelet.service");
    let files: Vec<Utf8PathBuf> = unit.fragment.into_iter().chain(unit.drop_ins).collect();
    if files.is_empty() {
        found.add(
            "unit.kubelet-service",
            "/etc/systemd/system/kubelet.service".into(),
        );
    }
    for file in files {
        found.add("unit.kubelet-service", file);
    }
    let config = "kubelet.config";
    match kubelet {
        Some(kubelet) => {
            match kubelet.data.pointer("/config/path").and_then(Value::as_str) {
                Some(path) => found.told(config, kubelet, path),
                None => found.add(config, "/var/lib/kubelet/config.yaml".into()),
            }
            if let Some(folder) = kubelet.option("config-dir")
                && let Some(folder) = kubelet.places.on_machine(folder)
            {
                folder_files(config, &folder, 0, found);
            }
            match kubelet.option("authentication.x509.clientCAFile") {
                Some(path) => {
                    let role = "kubelet.client-ca";
                    let fact = match kubelet.places.on_machine(path) {
                        Some(place) => found.pem(place, Some(role)),
                        None => found.only_inside(role, kubelet, path),
                    };
                    found.keep(fact);
                }
                None => found.add("kubelet.client-ca", format!("{PKI}/ca.crt").into()),
            }
        }
        None => {
            found.add(config, "/var/lib/kubelet/config.yaml".into());
            found.add("kubelet.client-ca", format!("{PKI}/ca.crt").into());
        }
    }
}

/// The certificates and keys that options name, and what else is in their folders.
fn certificates(components: &[Component], found: &mut Found<'_>) {
    let mut folders: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    let mut files: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for component in components {
        let effective = component.data.get("effective").and_then(Value::as_object);
        let named = effective.into_iter().flatten();
        let named = named.filter(|(option, _)| PEM_OPTIONS.contains(&option.as_str()));
        for value in named.filter_map(|(_, option)| option.get("value")) {
            let paths = match value {
                Value::Array(paths) => paths.iter().filter_map(Value::as_str).collect(),
                value => Vec::from_iter(value.as_str().filter(|path| !path.is_empty())),
            };
            for path in paths {
                match component.places.on_machine(path) {
                    Some(place) => {
                        let parent = place.parent().unwrap_or(Utf8Path::new("/"));
                        if !GENERAL.contains(&parent.as_str()) {
                            folders.insert(parent.to_owned());
                        }
                        files.insert(place);
                    }
                    None => {
                        let role = match path.rsplit('.').next() {
                            Some("key") => "pki.key",
                            _ => "pki.certificate",
                        };
                        let fact = found.only_inside(role, component, path);
                        found.keep(fact);
                    }
                }
            }
        }
    }
    if folders.is_empty() {
        folders.insert(PKI.into());
    }
    let mut open: Vec<(Utf8PathBuf, usize)> =
        folders.into_iter().map(|folder| (folder, 0)).collect();
    let mut known: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    while let Some((folder, depth)) = open.pop() {
        if !known.insert(folder.clone()) {
            continue;
        }
        found.add("pki.folder", folder.clone());
        let Ok(names) = found.machine.root.names(folder.as_str()) else {
            continue;
        };
        found.is_cut |= names.len() > MAX_IN_FOLDER;
        for name in names.into_iter().take(MAX_IN_FOLDER) {
            let path = folder.join(name);
            let metadata = found.machine.root.metadata(&path);
            match metadata.map(|(_, metadata)| metadata.is_dir()) {
                Ok(true) if depth < MAX_DEPTH => {
                    open.push((path, depth.saturating_add(1)));
                }
                Ok(true) => found.is_cut = true,
                Ok(false) | Err(_) => {
                    files.insert(path);
                }
            }
        }
    }
    for file in files {
        let fact = found.pem(file, None);
        found.keep(fact);
    }
}
