//! `seareeve simulate`: harmless requests to a cluster's API that look like attacks, to see that alerts arrive.
//!
//! Everything is made in a namespace of its own, of images that do not exist, for nodes that there are none of, and is
//! deleted again. A server that gets the cluster's audit events can be asked whether it noticed.

mod arrival;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use seareeve_collect::kubernetes::{Actor, Connection};
use serde::Deserialize;
use serde_json::{Value, json};

use self::arrival::{Arrival, Watcher};
use crate::args::SimulateArgs;
use crate::commands::Outcome;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// Where everything is made.
const NAMESPACE: &str = "seareeve-alerttest";

/// How often, and with which pause, it is looked whether the namespace is ready.
const LOOKS: usize = 60;
const PAUSE: Duration = Duration::from_millis(250);
/// How often it is looked whether a namespace of an earlier time is gone. Controllers take their time.
const LOOKS_FOR_END: usize = 480;

/// `content/simulations`.
const FILES: [&str; 8] = [
    include_str!("../../../../content/simulations/admission-webhook-created.yaml"),
    include_str!("../../../../content/simulations/cluster-admin-binding.yaml"),
    include_str!("../../../../content/simulations/high-privilege-role.yaml"),
    include_str!("../../../../content/simulations/host-namespace.yaml"),
    include_str!("../../../../content/simulations/miner-image.yaml"),
    include_str!("../../../../content/simulations/privileged-container.yaml"),
    include_str!("../../../../content/simulations/sensitive-mount.yaml"),
    include_str!("../../../../content/simulations/test-alert.yaml"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Simulation {
    id: String,
    title: String,
    /// The detections that it is meant for.
    raises: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    method: String,
    path: String,
    /// What is deleted afterwards.
    #[serde(default)]
    undo: Option<String>,
    #[serde(default)]
    body: Option<Value>,
}

pub(crate) fn run(
    args: &SimulateArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let known = simulations()?;
    if args.ids.is_empty() || args.ids == ["list"] {
        let mut text = String::new();
        for simulation in &known {
            // Writing to a String cannot fail.
            let raises = simulation.raises.join(", ");
            let _ = writeln!(
                text,
                "{}  {}  (alert {raises})",
                simulation.id, simulation.title
            );
        }
        output::result(None, &text)?;
        return Ok(Outcome::Done);
    }
    let is_wanted = |simulation: &&Simulation| {
        args.ids
            .iter()
            .any(|id| *id == simulation.id || id == "all")
    };
    let wanted: Vec<&Simulation> = known.iter().filter(is_wanted).collect();
    if let Some(id) = args
        .ids
        .iter()
        .find(|id| *id != "all" && !known.iter().any(|one| one.id == **id))
    {
        bail!("there is no simulation {id}: `seareeve simulate` lists them");
    }
    let files = match &args.kubeconfig {
        Some(file) => vec![file.clone()],
        None => surroundings.kubeconfig.clone(),
    };
    let connection = Connection::from_kubeconfig(&files, args.cluster.as_deref())
        .context("there is no cluster to simulate attacks on: give a kubeconfig")?;
    let actor = Actor::new(&connection)?;
    messages.note(format!("simulating attacks on {}", actor.server()));
    let watcher = match &args.server {
        None => None,
        Some(server) => Some(Watcher::new(server, Duration::from_secs(args.wait))?),
    };
    let is_ours = make_namespace(&actor, messages)?;
    let done = simulate_all(&actor, &wanted, watcher.as_ref());
    // Somebody else's stays.
    if is_ours {
        actor.request("DELETE", &format!("/api/v1/namespaces/{NAMESPACE}"), None)?;
    }
    done
}

/// Does one simulation after the other, and says what came of each.
fn simulate_all(
    actor: &Actor,
    wanted: &[&Simulation],
    watcher: Option<&Watcher>,
) -> anyhow::Result<Outcome> {
    let (mut is_whole, mut have_arrived) = (true, true);
    for simulation in wanted {
        let before = watcher.map(|watcher| watcher.look(&simulation.raises));
        let before = before.transpose()?;
        let status = simulate(actor, simulation)?;
        let is_done = (200..300).contains(&status);
        is_whole &= is_done;
        let expected = simulation.raises.join(", ");
        let line = match (watcher, before) {
            (Some(watcher), Some(before)) if is_done => {
                match watcher.wait(&simulation.raises, before)? {
                    Arrival::After(time) => {
                        format!("pass  alert {expected} after {:.1} s", time.as_secs_f64())
                    }
                    Arrival::Missing(missing) => {
                        have_arrived = false;
                        let missing = missing.join(", ");
                        format!("FAIL  no alert {missing} within {} s", watcher.patience())
                    }
                }
            }
            (Some(_), _) => format!("FAIL  the cluster answered {status}"),
            (None, _) => format!("{status}  {expected}"),
        };
        output::result(None, &format!("{}  {line}\n", simulation.id))?;
    }
    Ok(match (have_arrived, is_whole) {
        (false, _) => Outcome::GateFailed,
        (true, false) => Outcome::Incomplete,
        (true, true) => Outcome::Done,
    })
}

/// Makes the namespace. One of an earlier time that still ends is waited for: nothing can be made in it, and it would
/// take along what is. Says whether it was made here.
fn make_namespace(actor: &Actor, messages: &Messages) -> anyhow::Result<bool> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}");
    let mut is_told = false;
    for _ in 0..LOOKS_FOR_END {
        let (status, found) = actor.ask("GET", &path, None)?;
        let ends = found.pointer("/metadata/deletionTimestamp").is_some();
        match status {
            200 if ends => {
                if !is_told {
                    messages.note(format!(
                        "the namespace {NAMESPACE} of an earlier time still ends: waiting for it to be gone"
                    ));
                    is_told = true;
                }
                std::thread::sleep(PAUSE);
            }
            200 => return ready(actor).map(|()| false),
            404 => {
                let new = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
                match actor.request("POST", "/api/v1/namespaces", Some(&new))? {
                    201 => return ready(actor).map(|()| true),
                    // Somebody was faster: look again.
                    409 => std::thread::sleep(PAUSE),
                    status => bail!("the namespace {NAMESPACE} cannot be made (status {status})"),
                }
            }
            status => bail!("the namespace {NAMESPACE} cannot be looked at (status {status})"),
        }
    }
    bail!(
        "the namespace {NAMESPACE} of an earlier time does not end: see what holds it with \
         `kubectl get namespace {NAMESPACE} --output yaml`"
    )
}

/// Pods are refused before the namespace has its default account.
fn ready(actor: &Actor) -> anyhow::Result<()> {
    let account = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default");
    for _ in 0..LOOKS {
        if actor.request("GET", &account, None)? == 200 {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    bail!("the namespace {NAMESPACE} has no service account yet: try again soon")
}

/// Does the steps of a simulation and takes them back. Returns the last status that is no success, or a success.
fn simulate(actor: &Actor, simulation: &Simulation) -> anyhow::Result<u16> {
    let mut worst = 200;
    let mut undo = Vec::new();
    for step in &simulation.steps {
        let done = actor.request(&step.method, &step.path, step.body.as_ref());
        let done = done.with_context(|| format!("simulation {}", simulation.id));
        let status = match done {
            Ok(status) => status,
            Err(error) => {
                take_back(actor, &undo)?;
                return Err(error);
            }
        };
        if (200..300).contains(&status) {
            undo.extend(step.undo.as_deref());
        } else {
            worst = status;
        }
    }
    take_back(actor, &undo)?;
    Ok(worst)
}

fn take_back(actor: &Actor, paths: &[&str]) -> anyhow::Result<()> {
    for path in paths.iter().rev() {
        let status = actor.request("DELETE", path, None)?;
        if !(200..300).contains(&status) && status != 404 {
            bail!("{path} could not be deleted (status {status}): delete it by hand");
        }
    }
    Ok(())
}

fn simulations() -> anyhow::Result<Vec<Simulation>> {
    let read = |text: &&str| {
        let value = seareeve_kubernetes::value(text.as_bytes()).map_err(anyhow::Error::msg)?;
        serde_json::from_value(value).context("a built-in simulation cannot be read")
    };
    FILES.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_simulation_is_of_a_detection_and_takes_back_what_it_makes() {
        let content = seareeve_detect::Content::builtin();
        let simulations = simulations().unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/simulations");
        assert_eq!(
            std::fs::read_dir(folder).unwrap().count(),
            simulations.len()
        );
        for simulation in simulations {
            for id in &simulation.raises {
                let name = format!("detections/audit/{id}.yaml");
                assert!(
                    content.detections.iter().any(|(file, _)| *file == name),
                    "{id}"
                );
            }
            for step in simulation.steps {
                assert!(
                    step.method == "GET" || step.undo.is_some(),
                    "{}",
                    simulation.id
                );
            }
        }
    }
}
