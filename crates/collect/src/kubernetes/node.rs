//! A machine as a node of a cluster: what its components were told, the files that matter to the cluster, and which
//! cluster that is. `docs/reference/facts-kubernetes.md` says what each fact holds.
//!
//! Everything is read from files and `/proc`. The kubelet's credentials are not used, and what keys hold is not kept.

mod files;
mod manifests;
mod membership;
mod places;

use std::io;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_kubernetes::{COMPONENTS, NODE_KINDS, Observed, Seen, component};
use seareeve_model::{CollectionStatus, Fact, Snapshot};
use serde_json::{Value, json};

use self::manifests::Manifest;
use self::places::Places;
use super::process;
use crate::docker::Gathered;
use crate::docker_host::{self, NodeOptions};
use crate::host::files::Files;
use crate::host::mounts::Mount;
use crate::host::processes::Processes;
use crate::host::root::Root;

/// Where static pods are unless the kubelet was told another place.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// What only a machine with a kubelet has.
const SIGNS: [&str; 3] = [
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes",
    "/var/lib/kubelet/pods",
];

/// What was seen of the machine otherwise.
pub(crate) struct Machine<'a> {
    pub(crate) root: &'a Root,
    /// Where its `/` is for us.
    pub(crate) place: &'a camino::Utf8Path,
    pub(crate) mounts: &'a [Mount],
    pub(crate) files: Files<'a>,
    pub(crate) processes: &'a Processes,
    pub(crate) hostname: &'a str,
    pub(crate) now: Timestamp,
}

/// A component, with where its paths lie on the machine.
struct Component {
    /// The data of its fact, with all options resolved.
    data: Value,
    name: &'static str,
    places: Places,
    /// What the process sees as `/`.
    inside: Option<Root>,
}

impl Component {
    /// The text of an effective option, if it is one.
    fn option(&self, name: &str) -> Option<&str> {
        let value = self.data.get("effective")?.get(name)?.get("value")?;
        value.as_str().filter(|text| !text.is_empty())
    }
}

/// The machine alone, as a snapshot of its own. Nothing where it is no node.
#[must_use]
pub fn node(options: &docker_host::Options) -> Option<Snapshot> {
    docker_host::node(options)
}

/// Adds the facts of the machine as a node, if it is one.
pub(crate) fn tell(machine: &Machine<'_>, options: &NodeOptions, gathered: &mut Gathered) {
    let places = Places::default();
    let first = manifests::read(machine.root, MANIFESTS);
    let (mut seen, problems) = processes(machine, &first.found);
    if seen.is_empty() && !SIGNS.iter().any(|sign| machine.root.exists(sign)) {
        return;
    }
    let kubelet = seen
        .iter()
        .find(|seen| seen.component == "kubelet")
        .and_then(|seen| told(seen, machine, &places));
    let folder = kubelet
        .as_ref()
        .and_then(|kubelet| {
            Some(
                kubelet
                    .places
                    .on_machine(kubelet.option("staticPodPath")?)?,
            )
        })
        .unwrap_or_else(|| Utf8PathBuf::from(MANIFESTS));
    let manifests = match folder.as_str() {
        MANIFESTS => first,
        other => {
            let manifests = manifests::read(machine.root, other);
            // What the manifests start tells which of several processes counts.
            (seen, _) = processes(machine, &manifests.found);
            manifests
        }
    };
    for name in COMPONENTS {
        let is_seen = seen.iter().any(|seen| seen.component == name);
        let manifest = manifests.found.iter().find(|one| one.component == name);
        if let (false, Some(manifest)) = (is_seen, manifest) {
            seen.push(of_manifest(manifest, machine));
        }
    }
    let about = membership::Membership::find(machine, options, kubelet.as_ref(), &seen);
    for observed in &mut seen {
        observed.node.clone_from(&about.node);
    }
    gathered.source("kubernetes.membership", "the kubelet's kubeconfig");
    gathered.add("kubernetes.membership", about.fact());
    let mut components: Vec<Component> = Vec::new();
    for kind in NODE_KINDS {
        gathered.source(kind, "/proc, and the files that are named there");
    }
    let denied = problems
        .iter()
        .find(|problem| problem.place.ends_with("/proc"));
    for name in COMPONENTS {
        let kind = kind(name);
        let Some(observed) = seen.iter().find(|seen| seen.component == name) else {
            match denied {
                Some(problem) => {
                    gathered.fail(kind, CollectionStatus::Denied, problem.to_string());
                }
                None => {
                    let why = format!("no {name} runs on this node");
                    gathered.fail(kind, CollectionStatus::Absent, why);
                }
            }
            continue;
        };
        if let Some((_, fact)) = component(observed) {
            let manifest = manifests.found.iter().find(|one| one.component == name);
            components.push(Component {
                data: fact.data.clone(),
                name,
                places: match (observed.pid, manifest) {
                    (Some(pid), _) => Places::of_process(machine.root, pid, machine.mounts),
                    (None, Some(manifest)) => manifest.places.clone(),
                    (None, None) => Places::default(),
                },
                inside: observed.pid.map(|pid| inside(machine, pid)),
            });
            gathered.add(kind, fact);
        }
    }
    // A second process of a component's name is told: what it was told counts for nothing.
    let others = problems
        .iter()
        .filter(|problem| !problem.place.ends_with("/proc"));
    let others: Vec<String> = others.map(ToString::to_string).collect();
    if let Some(first) = others.first() {
        tracing::warn!(
            count = others.len(),
            first,
            "processes with a component's name were passed over"
        );
    }
    files::tell(machine, &about.node, &manifests, &components, gathered);
}

fn kind(component: &str) -> &'static str {
    let kinds = NODE_KINDS.into_iter();
    let of = |kind: &&str| kind.strip_prefix("kubernetes.") == Some(component);
    kinds
        .filter(of)
        .next()
        .expect("every component has a kind of its name")
}

fn processes(
    machine: &Machine<'_>,
    manifests: &[Manifest],
) -> (Vec<Observed>, Vec<seareeve_model::Problem>) {
    let expected: Vec<(&str, &[String])> = manifests
        .iter()
        .map(|manifest| (manifest.component, manifest.arguments.as_slice()))
        .collect();
    process::components(machine.place, "", &expected)
}

/// A component with its options resolved.
fn told(seen: &Observed, machine: &Machine<'_>, none: &Places) -> Option<Component> {
    let (_, fact) = component(seen)?;
    let name = COMPONENTS
        .into_iter()
        .find(|name| *name == seen.component)?;
    let places = match seen.pid {
        Some(pid) => Places::of_process(machine.root, pid, machine.mounts),
        None => none.clone(),
    };
    Some(Component {
        data: fact.data,
        name,
        places,
        inside: seen.pid.map(|pid| inside(machine, pid)),
    })
}

fn inside(machine: &Machine<'_>, pid: u64) -> Root {
    Root::new(&machine.place.join(format!("proc/{pid}/root")))
}

/// A component of which there is a manifest and no process.
fn of_manifest(manifest: &Manifest, machine: &Machine<'_>) -> Observed {
    let mut observed = Observed {
        component: manifest.component.to_owned(),
        source: Seen::Manifest,
        arguments: manifest.arguments.clone(),
        ..Observed::default()
    };
    process::read_files(&mut observed, &|path| {
        let place = manifest.places.on_machine(path);
        let place = place.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        machine.root.read(&place, process::MAX_FILE)
    });
    observed
}

/// The item of a file that cannot be looked at.
fn unseen(node: &str, role: &str, path: &str) -> Fact {
    Fact {
        id: format!("{node} {role} {path}"),
        name: path.to_owned(),
        data: json!({"node": node, "role": role, "path": path, "exists": false, "denied": true}),
    }
}
