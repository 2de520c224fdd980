//! `seareeve sensor`: looks at this machine whenever something changes, and sends its facts to a server.
//!
//! Changes are heard (`collect::watch`); where not all can be, it looks every minute as well. Once a day it looks in
//! any case.
//!
//! Nothing is kept here but the sensor's own token. Facts are what is true now, so a server that cannot be reached loses
//! nothing: the next ones that it takes tell it all.

mod about;
mod cluster;
mod kubernetes;
mod limits;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_api::{Client, ClientError, FactsTaken};
use seareeve_collect::watch::{Watch, Woken};
use seareeve_collect::{docker_host, steady};
use seareeve_engine::Endpoint;
use seareeve_model::{FactKind, Snapshot};
use seareeve_server::config::Config;
use tracing::{debug, info, warn};

use crate::args::SensorArgs;
use crate::commands::joining::{Joining, is_final, pause};
use crate::commands::{Outcome, k8s};
use crate::ending::Ending;
use crate::output::Messages;
use crate::surroundings::Surroundings;

/// The file of the sensor's own token, in its data folder.
const TOKEN_FILE: &str = "sensor-token";
/// The same of a sensor that watches a cluster: one folder may serve both.
const CLUSTER_TOKEN_FILE: &str = "cluster-token";
/// After a look, the sensor rests so many times the processor's time that it took: it takes a fifth of one processor at
/// most.
const REST: u32 = 4;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How long an engine that is started anew may be away before that is told: it stops its containers first.
const RESTART: Duration = Duration::from_secs(30);
/// How often it is looked for meanwhile, where nothing is heard of it.
const RESTART_LOOK: Duration = Duration::from_secs(5);

pub(crate) fn run(
    args: &SensorArgs,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let _ending = Ending::at_once().context("failed to hear signals")?;
    let folder = config.server.data_dir.clone();
    let home = surroundings.environment.home.clone();
    if args.kubernetes {
        let (file, context) = (args.kubeconfig.as_deref(), args.context.as_deref());
        let connect = || k8s::connection(file, context, surroundings);
        let connection = connect()?;
        let named = args.cluster_name.clone();
        let sensor = Sensor {
            args,
            folder,
            home,
            cluster_uid: None,
            cluster: Some(named.unwrap_or_else(|| connection.name.clone())),
        };
        // A large cluster takes more memory than a machine; its pod says how much it may have.
        return kubernetes::run(&sensor, &connection, &connect, messages);
    }
    limits::set(args.memory);
    let sensor = Sensor {
        args,
        folder,
        home,
        cluster_uid: cluster::uid(args, surroundings),
        cluster: None,
    };
    let mut client = sensor.client(messages)?;
    if args.once {
        let mut snapshot = sensor.look();
        about::add(&mut snapshot, None, args);
        sensor.send(&mut client, &snapshot, messages)?;
        messages.note(format!("facts sent to {}", args.server));
        return Ok(Outcome::Done);
    }
    let mut watch = Watch::new(args.root.clone()).context("failed to watch this machine")?;
    for socket in &args.socket {
        watch.listen_to(Endpoint::Unix(socket.clone()));
    }
    let mut facts = sensor.look_and_rest(&mut watch);
    let mut looked = Instant::now();
    let mut sent: Option<[u8; 32]> = None;
    let mut is_due = true;
    let mut failures = 0_u32;
    let mut mode = "";
    loop {
        let execs = watch.execs(Timestamp::now());
        facts.facts.insert(kind("docker.exec"), execs);
        let hearing = watch.hearing();
        about::add(&mut facts, Some(&hearing), args);
        if mode != about::mode(&hearing) {
            mode = about::mode(&hearing);
            info!(mode, files = hearing.files, "the sensor listens");
        }
        let digest = steady::digest(&facts);
        if is_due || sent != Some(digest) {
            match sensor.send(&mut client, &facts, messages) {
                Ok(taken) => {
                    info!(host = taken.host, changed = taken.changed, "facts sent");
                    failures = 0;
                    is_due = false;
                    sent = Some(digest);
                }
                Err(error) => {
                    let is_over = error.downcast_ref().is_none_or(is_final);
                    if is_over {
                        return Err(error);
                    }
                    failures = failures.saturating_add(1);
                    let error = format!("{error:#}");
                    warn!(error, attempt = failures, "facts not sent; they will be");
                }
            }
        }
        let every = Duration::from_secs(args.every);
        let until_full = every.saturating_sub(looked.elapsed());
        let most = match (failures, hearing.is_whole()) {
            (0, true) => until_full,
            (0, false) => until_full.min(Duration::from_secs(args.poll)),
            // What changes meanwhile waits for its turn, too: the server is not asked more often for it.
            (failures, _) => {
                std::thread::sleep(pause(failures));
                Duration::ZERO
            }
        };
        let woken = watch.wait(most);
        is_due |= looked.elapsed() >= every;
        if woken.look || woken == Woken::default() {
            let had_engine = !is_silent(&facts);
            facts = sensor.look_and_rest(&mut watch);
            let until = Instant::now() + RESTART;
            while had_engine && is_silent(&facts) {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                watch.wait(left.min(RESTART_LOOK));
                facts = sensor.look_and_rest(&mut watch);
            }
            looked = match is_due {
                true => Instant::now(),
                false => looked,
            };
        }
    }
}

/// Whether there is an engine that does not answer, and no other.
fn is_silent(facts: &Snapshot) -> bool {
    let hosts = facts.facts.get(&kind("host"));
    let mut hosts = hosts.into_iter().flat_map(|hosts| &hosts.items);
    hosts.any(|host| host.data.get("silent_engine").is_some())
}

/// A kind of facts that the sensor itself adds.
fn kind(name: &str) -> FactKind {
    FactKind::new(name).expect("the names are constants of that form")
}

struct Sensor<'a> {
    args: &'a SensorArgs,
    folder: Utf8PathBuf,
    home: Option<Utf8PathBuf>,
    cluster_uid: Option<(String, &'static str)>,
    /// The cluster that is watched, instead of this machine.
    cluster: Option<String>,
}

impl Sensor<'_> {
    /// Looks, listens to what was found, and rests for as long as it deserves.
    fn look_and_rest(&self, watch: &mut Watch) -> Snapshot {
        let (began, spent) = (Instant::now(), limits::spent());
        let snapshot = self.look();
        watch.aim(&snapshot);
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        debug!(duration_ms, "the machine was looked at");
        let took = limits::spent().saturating_sub(spent);
        let rest = took.saturating_mul(REST).min(LONGEST_REST);
        watch.rest_until(Instant::now() + rest);
        snapshot
    }

    /// Sends facts. A sensor that the server does not know any more joins again, if it has what it takes.
    fn send(
        &self,
        client: &mut Client,
        snapshot: &Snapshot,
        messages: &Messages,
    ) -> anyhow::Result<FactsTaken> {
        let body = serde_json::to_vec(snapshot)?;
        let taken = match client.put_facts(&body) {
            Err(ClientError::Refused { status: 401, .. })
                if self.joining().join_token()?.is_some() =>
            {
                warn!("the server does not know this sensor any more: joining again");
                *client = self.joining().join(|| self.name(), messages)?;
                client.put_facts(&body)
            }
            taken => taken,
        };
        taken.context("failed to send facts")
    }

    fn look(&self) -> Snapshot {
        let sockets = self.args.socket.iter().cloned();
        docker_host::collect(&docker_host::Options {
            root: Some(self.args.root.clone()),
            endpoints: sockets.map(Endpoint::Unix).collect(),
            home: self.home.clone(),
            node: docker_host::NodeOptions {
                name: self.args.node_name.clone(),
                cluster_uid: self.cluster_uid.clone(),
            },
            ..docker_host::Options::here(Timestamp::now())
        })
    }

    /// What it is called whose facts are sent.
    fn name(&self) -> String {
        let cluster = self.cluster.clone();
        cluster.unwrap_or_else(|| self.look().asset_name)
    }

    fn joining(&self) -> Joining {
        let who = self.cluster.clone();
        Joining {
            who: who.unwrap_or_else(|| "this machine".to_owned()),
            server: self.args.server.clone(),
            authority: self.args.server_authority.clone(),
            token: self.args.join.clone(),
            token_file: self.args.join_file.clone(),
            folder: self.folder.clone(),
            file: match self.cluster {
                Some(_) => CLUSTER_TOKEN_FILE,
                None => TOKEN_FILE,
            },
            is_patient: !self.args.once,
        }
    }

    /// A client with the token of this sensor, which it gets by joining if it has none.
    fn client(&self, messages: &Messages) -> anyhow::Result<Client> {
        self.joining().client(|| self.name(), messages)
    }
}
