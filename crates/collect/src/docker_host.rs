//! The facts of a machine with container engines: what `docs/reference/facts.md` describes.
//!
//! Nothing here fails as a whole: what cannot be seen is said with the kind that lacks it. Nothing is changed, and
//! nothing is run, neither on the machine nor in a container.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_engine::Endpoint;
use seareeve_model::{CollectionStatus, Fact, Snapshot};
use serde_json::Value;

use crate::docker::engine::{self, HostView, Settings};
use crate::docker::{Gathered, discover, silent};
use crate::host::files::{Files, Wanted};
use crate::host::identity::{self, Identity};
use crate::host::processes::{self, Product};
use crate::host::root::Root;
use crate::host::sudoers::{self, Sudoer};
use crate::host::users::Accounts;
use crate::host::{audit, mounts};

/// Bytes of a file of users, or of mounts.
const FILE: u64 = 16 << 20;
/// Files of sudo's that are read.
const SUDOERS: usize = 1_000;

/// Kinds that are about the host itself.
const HOST: [&str; 9] = [
    "host",
    "host.audit",
    "host.file",
    "host.group",
    "host.listener",
    "host.mount",
    "host.process",
    "host.sudoer",
    "host.user",
];

/// Kinds that are not there without an engine.
const ENGINES: [&str; 7] = [
    "docker.container",
    "docker.daemon",
    "docker.image",
    "docker.network",
    "docker.swarm",
    "docker.volume",
    "host.file",
];

/// What to collect from, and at what cost.
#[derive(Clone, Debug)]
pub struct Options {
    /// The host's `/`: `/` itself, or where it is mounted in a container. Without it nothing is told of the host.
    pub root: Option<Utf8PathBuf>,
    /// Engines to ask; with none, those of the machine are looked for.
    pub endpoints: Vec<Endpoint>,
    /// The home folder of the user whose current Docker context counts.
    pub home: Option<Utf8PathBuf>,
    /// Now, which ages are reckoned from.
    pub now: Timestamp,
    /// Time for all of it.
    pub deadline: Duration,
    /// Time for one reply of an engine.
    pub reply: Duration,
    /// Bytes of one reply of an engine.
    pub reply_bytes: u64,
    /// Requests to one engine at a time.
    pub parallel: usize,
    /// What is known of the machine as a node of a cluster.
    pub node: NodeOptions,
}

/// What is known of a machine's place in a cluster without looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeOptions {
    /// The node's name.
    pub name: Option<String>,
    /// The uid of the cluster's namespace `kube-system`, and where it is from: `option` or `api`.
    pub cluster_uid: Option<(String, &'static str)>,
}

impl Options {
    /// The machine that this runs on, at `now`.
    #[must_use]
    pub fn here(now: Timestamp) -> Self {
        Self {
            root: Some("/".into()),
            endpoints: Vec::new(),
            home: None,
            now,
            deadline: Duration::from_secs(60),
            reply: Duration::from_secs(10),
            reply_bytes: 32 << 20,
            parallel: 4,
            node: NodeOptions::default(),
        }
    }
}

/// Collects everything. Blocks, for at most about [`Options::deadline`].
#[must_use]
pub fn collect(options: &Options) -> Snapshot {
    let deadline = Instant::now() + options.deadline;
    let mut gathered = Gathered::default();
    let root = options.root.as_deref().map(Root::new);
    let kernel = kernel(root.as_ref(), &mut gathered);
    let machine = root
        .as_ref()
        .map(|root| Machine::read(root, kernel.as_ref(), &mut gathered));
    let view = machine.as_ref().map(Machine::view);
    let no_processes = processes::Processes::default();
    let processes = machine
        .as_ref()
        .map_or(&no_processes, |machine| &machine.processes);
    let home = options.home.as_deref();
    let (found, unseen) = discover::find(&options.endpoints, home, root.as_ref(), processes);
    for why in unseen {
        gathered.fail("docker.daemon", CollectionStatus::Denied, why);
    }
    let settings = Settings {
        user_agent: concat!("seareeve/", env!("CARGO_PKG_VERSION")),
        deadline,
        reply: options.reply,
        bytes: options.reply_bytes,
        parallel: options.parallel,
        now: options.now,
    };
    let mut files: BTreeSet<Wanted> = BTreeSet::new();
    let mut answered: BTreeSet<Product> = BTreeSet::new();
    for found in &found {
        let host = view.as_ref().filter(|_| is_here(&found.endpoint));
        if let Some((product, wanted)) = engine::collect(found, host, &settings, &mut gathered) {
            answered.insert(product);
            files.extend(wanted);
        }
    }
    // Where engines are named, no others are asked.
    let silent = match (&root, options.endpoints.as_slice()) {
        (Some(root), []) => silent::why(root, processes, &answered),
        _ => None,
    };
    let silent = unanswered(silent, answered.is_empty(), &mut gathered);
    match (&machine, &view) {
        (Some(machine), Some(view)) => {
            machine.tell(view, !answered.is_empty(), silent, files, &mut gathered);
            #[cfg(target_os = "linux")]
            machine.tell_node(options, &mut gathered);
        }
        _ => {
            for kind in HOST {
                gathered.fail(
                    kind,
                    CollectionStatus::Denied,
                    "the files of the host are out of sight",
                );
            }
        }
    }
    let identity = machine.map(|machine| machine.identity);
    let hostname = identity.as_ref().map(|identity| identity.hostname.clone());
    let engine = options.endpoints.first().map(ToString::to_string);
    let name = hostname
        .filter(|name| !name.is_empty())
        .or(engine)
        .unwrap_or_default();
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "docker-host".to_owned(),
        asset_id: identity
            .and_then(|identity| identity.machine_id)
            .unwrap_or_else(|| name.clone()),
        asset_name: name,
        collected_at: options.now,
        collector: settings.user_agent.replace('/', " "),
        facts: gathered.finish(),
    }
}

/// What the machine is as a node of a cluster, alone. Nothing where it is none.
#[cfg(target_os = "linux")]
pub(crate) fn node(options: &Options) -> Option<Snapshot> {
    let root = options.root.as_deref().map(Root::new)?;
    let mut gathered = Gathered::default();
    let machine = Machine::read(&root, None, &mut gathered);
    // What is wrong with other facts of the host does not matter here.
    let mut gathered = Gathered::default();
    machine.tell_node(options, &mut gathered);
    let facts = gathered.finish();
    if facts.is_empty() {
        return None;
    }
    let Identity {
        hostname,
        machine_id,
        ..
    } = machine.identity;
    Some(Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "kubernetes-node".to_owned(),
        asset_id: machine_id.unwrap_or_else(|| hostname.clone()),
        asset_name: hostname,
        collected_at: options.now,
        collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")).to_owned(),
        facts,
    })
}

/// Says of the kinds that come from engines what they lack: what a `silent` one would tell, or all where `is_none`
/// answered. Gives back why one is silent, unless another refused to tell, which says enough.
fn unanswered(silent: Option<String>, is_none: bool, gathered: &mut Gathered) -> Option<String> {
    let refused = gathered
        .failures("docker.daemon")
        .iter()
        .find(|(status, _)| *status != CollectionStatus::Absent)
        .cloned();
    let silent = silent.filter(|_| refused.is_none());
    let (status, why) = match (refused, &silent) {
        (None, Some(why)) => (CollectionStatus::Error, why.clone()),
        _ if !is_none => return None,
        (Some(refused), _) => refused,
        (None, None) => {
            let why = "there is no engine on this machine";
            (CollectionStatus::Absent, why.to_owned())
        }
    };
    for kind in ENGINES {
        // Of what matters to others nothing is missing.
        if kind == "host.file" && !is_none {
            continue;
        }
        let mut known = gathered.failures(kind).iter();
        if known.all(|(known, _)| *known == CollectionStatus::Absent && status != *known) {
            gathered.fail(kind, status, why.clone());
        }
    }
    silent
}

/// Whether an engine runs on this machine: behind a socket it does, and on a loopback address.
fn is_here(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp(authority) => {
            let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_matches(['[', ']']);
            let address = host.parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

/// The kernel is this machine's wherever the root is; it is asked only for the machine that it runs.
fn kernel(root: Option<&Root>, gathered: &mut Gathered) -> Option<audit::Kernel> {
    gathered.source("host.audit", "netlink, /etc/audit");
    root?;
    match audit::ask() {
        Ok(kernel) => Some(kernel),
        Err(error) => {
            let status = match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ConnectionRefused => {
                    CollectionStatus::Denied
                }
                _ => CollectionStatus::Unsupported,
            };
            let detail = format!("the kernel did not say which audit rules it has: {error}");
            gathered.fail("host.audit", status, detail);
            None
        }
    }
}

/// What was read of the machine.
struct Machine<'a> {
    root: &'a Root,
    identity: Identity,
    mounts: Vec<mounts::Mount>,
    accounts: Accounts,
    sudoers: Vec<Sudoer>,
    rules: audit::Rules,
    processes: processes::Processes,
}

impl<'a> Machine<'a> {
    fn read(root: &'a Root, kernel: Option<&audit::Kernel>, gathered: &mut Gathered) -> Self {
        let mut problems = Vec::new();
        let rules = audit::Rules::collect(
            root,
            kernel.map(|kernel| kernel.rules.as_slice()),
            &mut problems,
        );
        for problem in problems {
            gathered.fail("host.audit", CollectionStatus::Denied, problem);
        }
        Self {
            root,
            identity: identity::collect(root, kernel),
            mounts: read_mounts(root, gathered),
            accounts: read_accounts(root, gathered),
            sudoers: read_sudoers(root, gathered),
            rules,
            processes: read_processes(root, gathered),
        }
    }

    /// Adds the facts of the machine as a node, if it is one.
    #[cfg(target_os = "linux")]
    fn tell_node(&self, options: &Options, gathered: &mut Gathered) {
        let machine = crate::kubernetes::node::Machine {
            root: self.root,
            place: options.root.as_deref().unwrap_or(Utf8Path::new("/")),
            mounts: &self.mounts,
            files: Files {
                root: self.root,
                accounts: &self.accounts,
                rules: &self.rules,
            },
            processes: &self.processes,
            hostname: &self.identity.hostname,
            now: options.now,
        };
        crate::kubernetes::node::tell(&machine, &options.node, gathered);
    }

    fn view(&self) -> HostView<'_> {
        HostView {
            root: self.root,
            mounts: &self.mounts,
            accounts: &self.accounts,
            sudoers: &self.sudoers,
            processes: &self.processes,
        }
    }

    /// Adds the facts of the host.
    fn tell(
        &self,
        view: &HostView<'_>,
        has_engine: bool,
        silent: Option<String>,
        mut files: BTreeSet<Wanted>,
        gathered: &mut Gathered,
    ) {
        gathered.source("host", "/etc, /proc, /sys");
        let name = &self.identity.hostname;
        let id = self.identity.machine_id.as_ref().unwrap_or(name);
        let mut data = self.identity.data.clone();
        if let (Some(why), Some(data)) = (silent, data.as_object_mut()) {
            data.insert("silent_engine".to_owned(), why.into());
        }
        gathered.add("host", fact(id, name, data));
        for mount in self.mounts.iter().filter(|mount| mount.is_hosts()) {
            let id = format!("{} {}", mount.point, mount.device);
            gathered.add("host.mount", fact(&id, mount.point.as_str(), mount.data()));
        }
        for (id, data) in self.accounts.user_data() {
            gathered.add("host.user", fact(&id, &id, data));
        }
        for (id, data) in self.accounts.group_data() {
            gathered.add("host.group", fact(&id, &id, data));
        }
        for sudoer in &self.sudoers {
            let (id, data) = sudoer.data();
            gathered.add("host.sudoer", fact(&id, &sudoer.name, data));
        }
        for (id, data) in self.rules.data() {
            gathered.add("host.audit", fact(&id, &id, data));
        }
        for process in &self.processes.engines {
            let data = process.data(&self.accounts);
            gathered.add(
                "host.process",
                fact(&process.pid.to_string(), &process.name, data),
            );
        }
        gathered.source("host.listener", "/proc");
        gathered.source("host.file", "the host's files");
        if has_engine {
            files.extend(engine::files_of_machine(view));
        }
        let looker = Files {
            root: self.root,
            accounts: &self.accounts,
            rules: &self.rules,
        };
        for wanted in &files {
            gathered.add("host.file", looker.fact(wanted));
        }
    }
}

fn read_mounts(root: &Root, gathered: &mut Gathered) -> Vec<mounts::Mount> {
    gathered.source("host.mount", "/proc/1/mountinfo");
    // Those of the first process are the host's; ours are, unless we are in a mount namespace.
    let text = root
        .text("/proc/1/mountinfo", FILE)
        .or_else(|_denied| root.text("/proc/self/mountinfo", FILE));
    match text {
        Ok(text) => mounts::parse(&text),
        Err(error) => {
            failed("host.mount", "/proc/1/mountinfo", &error, gathered);
            Vec::new()
        }
    }
}

fn read_accounts(root: &Root, gathered: &mut Gathered) -> Accounts {
    let mut read = |kind, path| {
        gathered.source(kind, path);
        let text = root.text(path, FILE);
        text.unwrap_or_else(|error| {
            failed(kind, path, &error, gathered);
            String::new()
        })
    };
    let passwd = read("host.user", "/etc/passwd");
    let group = read("host.group", "/etc/group");
    Accounts::parse(&passwd, &group)
}

fn read_sudoers(root: &Root, gathered: &mut Gathered) -> Vec<Sudoer> {
    let kind = "host.sudoer";
    let first = "/etc/sudoers";
    gathered.source(kind, first);
    let mut open = vec![first.to_owned()];
    let mut files: Vec<(String, String)> = Vec::new();
    while let Some(path) = open.pop() {
        let is_known = files.iter().any(|(known, _)| *known == path);
        if is_known || files.len() >= SUDOERS {
            continue;
        }
        let text = match root.text(&path, FILE) {
            Ok(text) => text,
            // A machine without sudo.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                failed(kind, &path, &error, gathered);
                continue;
            }
        };
        for (is_folder, included) in sudoers::includes(&text) {
            if !is_folder {
                open.push(included);
                continue;
            }
            let names = match root.names(&included) {
                Ok(names) => names,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => {
                    failed(kind, &included, &error, gathered);
                    Vec::new()
                }
            };
            // sudo passes over names with a point and backups.
            let read = names
                .iter()
                .filter(|name| !name.contains('.') && !name.ends_with('~'));
            open.extend(read.map(|name| format!("{included}/{name}")));
        }
        files.push((path, text));
    }
    sudoers::parse(&files)
}

fn read_processes(root: &Root, gathered: &mut Gathered) -> processes::Processes {
    gathered.source("host.process", "/proc");
    processes::collect(root).unwrap_or_else(|error| {
        failed("host.process", "/proc", &error, gathered);
        processes::Processes::default()
    })
}

fn failed(kind: &'static str, path: &str, error: &io::Error, gathered: &mut Gathered) {
    let status = match error.kind() {
        io::ErrorKind::PermissionDenied => CollectionStatus::Denied,
        _ => CollectionStatus::Error,
    };
    gathered.fail(kind, status, format!("failed to read {path}: {error}"));
}

fn fact(id: &str, name: &str, data: Value) -> Fact {
    Fact {
        id: id.to_owned(),
        name: name.to_owned(),
        data,
    }
}
