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
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
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
            let before = facts;
            let now = sensor.look_and_rest(&mut watch);
            facts = outlast_restart(&before, now, Instant::now, |time| {
                watch.wait(time);
                sensor.look_and_rest(&mut watch)
            });
            looked = match is_due {
                true => Instant::now(),
                false => looked,
            };
        }
    }
}

/// Looks again while an engine is missing that was there before, for as long as one takes to be started anew: gives what
/// there is then. `look` waits for that long before, or until something changes.
fn outlast_restart(
    before: &Snapshot,
    mut facts: Snapshot,
    clock: impl Fn() -> Instant,
    mut look: impl FnMut(Duration) -> Snapshot,
) -> Snapshot {
    let until = clock() + RESTART;
    while misses_engine(before, &facts) {
        let left = until.saturating_duration_since(clock());
        if left.is_zero() {
            break;
        }
        facts = look(left.min(RESTART_LOOK));
    }
    facts
}

/// Whether an engine is there that gives no answer, and that is new: it is being stopped, or is not yet up again.
fn misses_engine(before: &Snapshot, now: &Snapshot) -> bool {
    match (partial_engines(before), partial_engines(now)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(now)) => {
            let is_there = |engine: &Fact| now.items.iter().any(|other| other.id == engine.id);
            !before.items.iter().all(is_there)
        }
    }
}

/// The engines, where that is not all of them.
fn partial_engines(facts: &Snapshot) -> Option<&Collection> {
    let engines = facts.facts.get(&kind("docker.daemon"));
    engines.filter(|engines| engines.status == CollectionStatus::Error)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A machine of which these engines answered, and others did not or there are none.
    fn machine(status: CollectionStatus, engines: &[&str]) -> Snapshot {
        let engine = |id: &&str| Fact {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            data: serde_json::json!({}),
        };
        let engines = Collection {
            status,
            ..Collection::of("", engines.iter().map(engine).collect())
        };
        Snapshot {
            schema: Snapshot::SCHEMA.to_owned(),
            asset_kind: String::new(),
            asset_id: String::new(),
            asset_name: String::new(),
            collected_at: Timestamp::UNIX_EPOCH,
            collector: String::new(),
            facts: [(kind("docker.daemon"), engines)].into(),
        }
    }

    #[test]
    fn an_engine_that_is_started_anew_is_waited_for() {
        use CollectionStatus::{Absent, Denied, Error, Ok};
        let (d, p): (&[&str], &[&str]) = (&["d"], &["p"]);
        let (both, none): (&[&str], &[&str]) = (&["d", "p"], &[]);
        // What was there before, what each look finds from then on, and how many there were beyond the first.
        for (before, looks, expected) in [
            ((Ok, d), vec![(Ok, d)], 0),
            ((Ok, d), vec![(Error, none), (Ok, d)], 1),
            // It was cut off in its answer, is silent, and back.
            ((Ok, d), vec![(Error, none), (Error, none), (Ok, d)], 2),
            // One of two.
            ((Ok, both), vec![(Error, p), (Error, p), (Ok, both)], 2),
            ((Error, p), vec![(Error, none), (Error, p)], 1),
            // It was just installed.
            ((Absent, none), vec![(Error, none), (Ok, d)], 1),
            // It does not come back: every five seconds, for half a minute.
            ((Ok, d), vec![(Error, none); 10], 6),
            // That was known, or is nothing that one waits for.
            ((Error, none), vec![(Error, none); 10], 0),
            ((Error, p), vec![(Error, p); 10], 0),
            ((Error, none), vec![(Error, d); 10], 0),
            ((Ok, d), vec![(Absent, none); 10], 0),
            ((Ok, d), vec![(Denied, none); 10], 0),
        ] {
            let began = Instant::now();
            let (time, done) = (Cell::new(began), Cell::new(0));
            let found = |number: usize| machine(looks[number].0, looks[number].1);
            let look = |wait: Duration| {
                time.set(time.get() + wait);
                done.set(done.get() + 1);
                found(done.get())
            };
            let told = outlast_restart(&machine(before.0, before.1), found(0), || time.get(), look);
            assert_eq!(done.get(), expected, "{before:?} {looks:?}");
            assert_eq!(told, found(expected), "{before:?} {looks:?}");
            assert!(time.get() <= began + RESTART);
        }
    }
}
