//! One engine, asked for everything. What it does not give is said with the kind that lacks it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use seareeve_engine::{AskError, Client, Limits};
use seareeve_model::CollectionStatus;
use serde::Deserialize;
use serde_json::Value;

use super::container::{self, Container, Surroundings};
use super::daemon::Daemon;
pub(crate) use super::daemon::of_machine as files_of_machine;
use super::discover::Found;
use super::gathered::Gathered;
use super::history::Step;
use super::image::Image;
use super::network::Network;
use super::volume::Volume;
use super::{ask, swarm};
use crate::host::files::Wanted;
use crate::host::mounts::Mount;
use crate::host::processes::{Processes, Product};
use crate::host::root::Root;
use crate::host::sudoers::Sudoer;
use crate::host::users::Accounts;

/// Containers, images, networks or volumes of one engine that are told.
const ITEMS: usize = 20_000;

/// What was seen of the machine that an engine runs on.
#[derive(Clone, Copy)]
pub(crate) struct HostView<'a> {
    pub(crate) root: &'a Root,
    pub(crate) mounts: &'a [Mount],
    pub(crate) accounts: &'a Accounts,
    pub(crate) sudoers: &'a [Sudoer],
    pub(crate) processes: &'a Processes,
}

/// How engines are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) user_agent: &'a str,
    pub(crate) deadline: Instant,
    pub(crate) reply: Duration,
    pub(crate) bytes: u64,
    pub(crate) parallel: usize,
    pub(crate) now: Timestamp,
}

const KINDS: &[&str] = &[
    "docker.container",
    "docker.image",
    "docker.network",
    "docker.volume",
    "docker.swarm",
];

/// Asks an engine, and says whose it is and which files of the host matter to it. Nothing when it is none.
pub(crate) fn collect(
    found: &Found,
    host: Option<&HostView<'_>>,
    settings: &Settings<'_>,
    gathered: &mut Gathered,
) -> Option<(Product, Vec<Wanted>)> {
    let limits = Limits {
        connect: settings.reply.min(Duration::from_secs(5)),
        silence: settings.reply,
        reply: settings.reply,
        deadline: settings.deadline,
        bytes: settings.bytes,
    };
    let client = Client::new(
        &found.connect,
        settings.user_agent,
        settings.parallel,
        limits,
    );
    gathered.source("docker.daemon", found.id());
    let mut daemon = match Daemon::read(found, &client, host) {
        Ok(daemon) => daemon,
        Err(error) => {
            let status = match error {
                // A socket that an engine left behind.
                AskError::Unreachable { .. } if !error.is_denied() && !found.is_named => {
                    CollectionStatus::Absent
                }
                _ => super::gathered::status(&error),
            };
            for kind in KINDS.iter().chain(&["docker.daemon"]) {
                gathered.fail(kind, status, error.to_string());
            }
            return None;
        }
    };
    let networks = networks(&client, &daemon, gathered);
    daemon.learn(&networks);
    let volumes = volumes(&client, &daemon, gathered);
    let containers = containers(
        &client, &daemon, host, settings, &networks, &volumes, gathered,
    );
    images(&client, &daemon, host, settings, &containers, gathered);
    swarm::collect(
        &daemon,
        &client,
        host.map(|host| host.root),
        settings.now,
        gathered,
    );
    for network in &networks {
        gathered.add("docker.network", network.fact(&daemon.id, &containers));
    }
    for volume in &volumes {
        gathered.add("docker.volume", volume.fact(&daemon.id, &containers));
    }
    for container in containers {
        gathered.add("docker.container", container.into_fact());
    }
    match daemon.listeners() {
        Ok(listeners) => {
            for listener in listeners {
                gathered.add("host.listener", listener);
            }
        }
        Err(why) => gathered.fail("host.listener", CollectionStatus::Denied, why),
    }
    let files = host.map(|host| daemon.files(host)).unwrap_or_default();
    let product = match daemon.is_podman {
        true => Product::Podman,
        false => Product::Docker,
    };
    gathered.add("docker.daemon", daemon.fact(found));
    Some((product, files))
}

fn networks(client: &Client, daemon: &Daemon<'_>, gathered: &mut Gathered) -> Vec<Network> {
    let kind = "docker.network";
    gathered.source(kind, format!("{} /networks", daemon.id));
    let documents = match client.json::<Vec<Value>>("/networks") {
        Ok(documents) => documents,
        Err(error) => {
            gathered.refused(kind, &error);
            return Vec::new();
        }
    };
    let (all, wanted) = (documents.len(), documents.into_iter().take(ITEMS));
    let networks: Vec<Network> = wanted
        .filter_map(|document| Network::read(document, daemon.is_podman))
        .collect();
    missing(kind, &daemon.id, all, networks.len(), None, gathered);
    networks
}

fn volumes(client: &Client, daemon: &Daemon<'_>, gathered: &mut Gathered) -> Vec<Volume> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Volumes {
        volumes: Option<Vec<Value>>,
    }
    let kind = "docker.volume";
    gathered.source(kind, format!("{} /volumes", daemon.id));
    let documents = match client.json::<Volumes>("/volumes") {
        Ok(Volumes { volumes }) => volumes.unwrap_or_default(),
        Err(error) => {
            gathered.refused(kind, &error);
            return Vec::new();
        }
    };
    let (all, wanted) = (documents.len(), documents.into_iter().take(ITEMS));
    let volumes: Vec<Volume> = wanted.filter_map(Volume::read).collect();
    missing(kind, &daemon.id, all, volumes.len(), None, gathered);
    volumes
}

/// What lists of containers and images are read for.
#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "Id")]
    id: String,
}

fn containers(
    client: &Client,
    daemon: &Daemon<'_>,
    host: Option<&HostView<'_>>,
    settings: &Settings<'_>,
    networks: &[Network],
    volumes: &[Volume],
    gathered: &mut Gathered,
) -> Vec<Container> {
    let kind = "docker.container";
    gathered.source(kind, format!("{} /containers", daemon.id));
    let listed = match client.json::<Vec<Listed>>("/containers/json?all=1") {
        Ok(listed) => listed,
        Err(error) => {
            gathered.refused(kind, &error);
            return Vec::new();
        }
    };
    let ids = safe_ids(&listed);
    let known = ids.iter().copied().collect();
    let processes = host.map(|host| container::attribute(host.processes, &known));
    let around = Surroundings {
        engine: &daemon.id,
        is_podman: daemon.is_podman,
        client,
        host,
        now: settings.now,
        options: &daemon.options,
        security: &daemon.security,
        volumes,
        networks,
        processes: &processes.unwrap_or_default(),
    };
    let answers = ask::each(&ids, settings.parallel, |id| {
        let document: Value = client.json(&format!("/containers/{id}/json"))?;
        Ok(Container::read(id, document, &around))
    });
    sift(kind, &daemon.id, listed.len(), answers, gathered)
}

fn images(
    client: &Client,
    daemon: &Daemon<'_>,
    host: Option<&HostView<'_>>,
    settings: &Settings<'_>,
    containers: &[Container],
    gathered: &mut Gathered,
) {
    let kind = "docker.image";
    gathered.source(kind, format!("{} /images", daemon.id));
    let listed = match client.json::<Vec<Listed>>("/images/json") {
        Ok(listed) => listed,
        Err(error) => {
            gathered.refused(kind, &error);
            return;
        }
    };
    let root = host.map(|host| host.root);
    let ids = safe_ids(&listed);
    let answers = ask::each(&ids, settings.parallel, |id| {
        let document: Value = client.json(&format!("/images/{id}/json"))?;
        let steps = client.json::<Vec<Step>>(&format!("/images/{id}/history"));
        let (steps, error) = match steps {
            Ok(steps) => (Some(steps), None),
            Err(error) => (None, Some(error)),
        };
        let image = Image::read(
            id,
            document,
            steps.as_deref(),
            &daemon.id,
            root,
            settings.now,
        );
        Ok((image, error))
    });
    let mut images = Vec::with_capacity(answers.len());
    for answer in answers {
        images.push(answer.map(|(image, error)| {
            if let Some(error) = error {
                gathered.refused(kind, &error);
            }
            image
        }));
    }
    for image in sift(kind, &daemon.id, listed.len(), images, gathered) {
        gathered.add(kind, image.into_fact(containers));
    }
}

/// Ids that can stand in a path. Others are none that an engine gives.
fn safe_ids(listed: &[Listed]) -> Vec<&str> {
    let is_safe = |id: &&str| {
        !id.is_empty()
            && id.len() <= 200
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':')
    };
    let mut ids: Vec<&str> = listed
        .iter()
        .map(|one| one.id.as_str())
        .filter(is_safe)
        .take(ITEMS)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Keeps the good answers, and says how many were none. What is gone since it was listed is no loss.
fn sift<T>(
    kind: &'static str,
    engine: &str,
    listed: usize,
    answers: Vec<Result<Option<T>, AskError>>,
    gathered: &mut Gathered,
) -> Vec<T> {
    let mut good = Vec::new();
    let mut gone = 0_usize;
    let mut first = None;
    for answer in answers {
        match answer {
            Ok(Some(one)) => good.push(one),
            Ok(None) => {}
            Err(error) if error.status() == Some(404) => gone = gone.saturating_add(1),
            Err(error) => first = first.or(Some(error)),
        }
    }
    let got = good.len().saturating_add(gone);
    missing(kind, engine, listed, got, first.as_ref(), gathered);
    good
}

fn missing(
    kind: &'static str,
    engine: &str,
    listed: usize,
    got: usize,
    first: Option<&AskError>,
    gathered: &mut Gathered,
) {
    if got < listed {
        let why = match first {
            Some(error) => error.to_string(),
            None => "they are not what the engine's interface says that they are".to_owned(),
        };
        let lost = listed.saturating_sub(got);
        let status = first.map_or(CollectionStatus::Error, super::gathered::status);
        let detail = format!("{lost} of {listed} of {engine} could not be read: {why}");
        gathered.fail(kind, status, detail);
    }
}
