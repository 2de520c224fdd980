//! Audit events of clusters, from their arrival to alerts.
//!
//! Whoever brings events (`receive`, `sources`) appends them to the lane of their cluster as they are, and is answered
//! when they are durable. One worker for each cluster (`worker`) reads its lane, puts the events in order (`order`),
//! has them judged (`judge`), and saves what they raise together with how far it has come. So every event that was
//! acknowledged is judged, and what it raises is raised once, whenever the process is killed.

pub(crate) mod backtest;
pub(crate) mod catalogue;
pub(crate) mod config;
pub(crate) mod content;
pub(crate) mod coverage;
mod decode;
pub(crate) mod files;
pub(crate) mod incidents;
mod judge;
mod keep;
pub(crate) mod kept;
pub(crate) mod kubeconfig;
mod order;
mod raise;
pub(crate) mod receive;
pub(crate) mod related;
pub(crate) mod samples;
mod seen;
mod sources;
pub(crate) mod suppress;
pub(crate) mod tls;
pub(crate) mod tuning;
mod worker;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use seareeve_audit::Arrived;
use seareeve_bus::jetstream::Nats;
use seareeve_bus::{Lane, Limits, Spool};
use seareeve_store::audit_clusters::{self, AuditCluster};
use seareeve_store::{AuditClusterId, AuditSourceId, Store, StoreError, audit_sources};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::error;

use self::content::{Content, Given};
pub(crate) use self::sources::MECHANISMS;
use self::tls::Tls;
use crate::config::Config;
use crate::intel;
use crate::state::App;

/// What has to be known before a cluster is switched on.
pub(crate) const WARNING: &str = "Audit events say who did what in a cluster. They may hold sensitive data: names of \
    people and machines, addresses, commands, and the contents of objects. Seareeve takes credentials out of what it \
    stores, and stores only what it needs to explain alerts. Until they are judged, events lie as they came in a \
    folder that only the server's user can read, or on the NATS server that is set.";

/// KiB of bodies that are in memory at a time: whoever is one too many is asked to come back later.
const ROOM_KIB: usize = 48 << 10;

/// What receivers, sources and workers share.
pub(crate) struct Audit {
    bus: Bus,
    /// By what events are judged: read by [`Audit::content`], exchanged by [`refresh`] and [`renew`].
    content: RwLock<Arc<Content>>,
    /// It is made anew by one at a time.
    making: Mutex<()>,
    /// Lanes are opened by one at a time: nobody may read one that others do not write to.
    reloading: Mutex<()>,
    /// What is judged by is changed by one at a time.
    pub(crate) changing: Mutex<()>,
    /// The certificate of `audit.listen`, if it listens.
    pub(crate) tls: Option<Tls>,
    /// Clusters with their lanes, and sources by the hash of their token. Read for each request.
    known: RwLock<Known>,
    room: Arc<Semaphore>,
    heard: receive::Heard,
    /// Clusters or sources came, went or changed.
    changed: Notify,
}

#[derive(Default)]
struct Known {
    desks: BTreeMap<i64, Arc<Desk>>,
    tokens: HashMap<[u8; 32], (AuditSourceId, Arc<Desk>)>,
}

enum Bus {
    Disk { folder: Utf8PathBuf, limits: Limits },
    Nats(Nats),
}

/// A cluster with its lane.
pub(crate) struct Desk {
    pub(crate) id: AuditClusterId,
    pub(crate) name: String,
    pub(crate) lane: Lane,
    /// Rung when its plan is switched.
    pub(crate) switched: Notify,
    /// What kinds of requests came, and how much of them.
    arrived: Arc<std::sync::Mutex<Arrived>>,
}

impl Audit {
    pub(crate) async fn open(config: &Config, store: &Store) -> anyhow::Result<Self> {
        let spool_bytes = config.audit.spool_mib.saturating_mul(1 << 20);
        let nats = &config.audit.nats.0;
        let bus = if nats.is_empty() {
            let folder = config.audit_folder();
            crate::make_private_folder(&folder)?;
            Bus::Disk {
                folder,
                limits: Limits {
                    most_bytes: spool_bytes,
                    most_payload: receive::MOST_BODY,
                    ..Limits::default()
                },
            }
        } else {
            let connected = Nats::connect(nats, spool_bytes).await;
            Bus::Nats(connected.context("setting audit.nats")?)
        };
        let now = jiff::Timestamp::now();
        let known = intel::Known::load(store, now).await?;
        let content = Content::read(store, config.audit.unknown_fields(), known, now).await?;
        let audit = Self {
            bus,
            content: RwLock::new(Arc::new(content)),
            making: Mutex::new(()),
            reloading: Mutex::new(()),
            changing: Mutex::new(()),
            tls: Tls::open(config)?,
            known: RwLock::default(),
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            heard: receive::Heard::default(),
            changed: Notify::new(),
        };
        audit.reload(store).await?;
        Ok(audit)
    }

    /// Takes notice of clusters and sources that came or went.
    pub(crate) async fn reload(&self, store: &Store) -> anyhow::Result<()> {
        let _one = self.reloading.lock().await;
        let clusters = audit_clusters::list(store).await?;
        let mut desks = BTreeMap::new();
        for cluster in clusters {
            let known = self.desk(cluster.id);
            let desk = match known {
                Some(desk) => desk,
                None => Arc::new(Desk {
                    id: cluster.id,
                    lane: self.lane(&cluster).await?,
                    name: cluster.name,
                    switched: Notify::new(),
                    arrived: Arc::default(),
                }),
            };
            desks.insert(desk.id.0, desk);
        }
        let mut tokens = HashMap::new();
        for (hash, source, cluster) in audit_sources::tokens(store).await? {
            if let Some(desk) = desks.get(&cluster.0) {
                tokens.insert(hash, (source, Arc::clone(desk)));
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Known { desks, tokens };
        drop(known);
        self.changed.notify_waiters();
        Ok(())
    }

    async fn lane(&self, cluster: &AuditCluster) -> anyhow::Result<Lane> {
        let name = lane_name(cluster);
        Ok(match &self.bus {
            Bus::Disk { folder, limits } => {
                let (folder, limits) = (folder.join(name), *limits);
                let opening = tokio::task::spawn_blocking(move || {
                    Spool::open(&folder, limits)
                        .with_context(|| format!("failed to open the spool {folder}"))
                });
                Lane::Spool(Arc::new(opening.await??))
            }
            Bus::Nats(nats) => Lane::Stream(Arc::new(nats.lane(&name).await?)),
        })
    }

    /// Deletes what waits of a cluster that is gone.
    pub(crate) async fn forget(&self, store: &Store, cluster: &AuditCluster) -> anyhow::Result<()> {
        self.reload(store).await?;
        let name = lane_name(cluster);
        match &self.bus {
            Bus::Disk { folder, .. } => {
                let folder = folder.join(name);
                let deleting = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder));
                match deleting.await? {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(error).context("failed to delete a spool")
                    }
                    _ => Ok(()),
                }
            }
            Bus::Nats(nats) => {
                let forgotten = nats.forget(&name).await;
                forgotten.context("failed to delete what waits on the NATS server")
            }
        }
    }

    pub(crate) fn desk(&self, id: AuditClusterId) -> Option<Arc<Desk>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.desks.get(&id.0).cloned()
    }

    fn desks(&self) -> Vec<Arc<Desk>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.desks.values().cloned().collect()
    }

    fn by_token(&self, hash: &[u8; 32]) -> Option<(AuditSourceId, Arc<Desk>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .tokens
            .get(hash)
            .map(|(source, desk)| (*source, Arc::clone(desk)))
    }

    /// By what events are judged. A request, a job or a batch asks once, and stays with what it got.
    pub(crate) fn content(&self) -> Arc<Content> {
        let content = self.content.read();
        Arc::clone(&content.unwrap_or_else(PoisonError::into_inner))
    }

    /// The names by which others know a detection.
    pub(crate) fn aliases(&self, id: &str) -> Vec<String> {
        let content = self.content();
        let rule = content.rule(id);
        rule.map(|rule| rule.aliases.clone()).unwrap_or_default()
    }

    /// When a detection may be wrong.
    pub(crate) fn false_positives(&self, id: &str) -> Vec<String> {
        let content = self.content();
        let rule = content.rule(id);
        rule.map(|rule| rule.false_positives.clone())
            .unwrap_or_default()
    }
}

/// The row's number, too: a cluster that is made anew must not get what is left of another of its name.
fn lane_name(cluster: &AuditCluster) -> String {
    format!("{}-{}", cluster.name, cluster.id)
}

/// Takes what people brought and changed into use, if something changed since. Returns whether it did.
pub(crate) async fn refresh(app: &App) -> anyhow::Result<bool> {
    let _one = app.audit.making.lock().await;
    let version = seareeve_store::detections::latest(&app.store).await?;
    let content = app.audit.content();
    if version == content.version() {
        return Ok(false);
    }
    make(app, content.known().clone()).await?;
    Ok(true)
}

/// Takes what lists of threat intelligence come to into use.
pub(crate) async fn renew(app: &App, known: intel::Known) -> anyhow::Result<()> {
    let _one = app.audit.making.lock().await;
    make(app, known).await
}

/// What the store holds by now, with the lists of threat intelligence that are in use.
pub(crate) async fn given(app: &App) -> Result<Given, StoreError> {
    let known = app.audit.content().known().clone();
    content::given(&app.store, app.config.audit.unknown_fields(), known).await
}

async fn make(app: &App, known: intel::Known) -> anyhow::Result<()> {
    let unknown_fields = app.config.audit.unknown_fields();
    let made = Content::read(&app.store, unknown_fields, known, app.now()).await?;
    let in_use = app.audit.content.write();
    *in_use.unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
    app.events.publish(seareeve_api::Event::Alerts);
    Ok(())
}

/// Starts workers and sources, now and as clusters come, and what keeps the store small.
pub(crate) fn spawn(app: &Arc<App>, tasks: &TaskTracker) {
    tasks.spawn(sources::run(Arc::clone(app), tasks.clone()));
    tasks.spawn(keep::run(Arc::clone(app)));
    let (app, tasks_of_workers) = (Arc::clone(app), tasks.clone());
    tasks.spawn(async move {
        let mut working = BTreeMap::new();
        loop {
            let changed = app.audit.changed.notified();
            let desks = app.audit.desks();
            working.retain(|id, worker: &mut worker::Handle| {
                desks.iter().any(|desk| desk.id.0 == *id) && !worker.is_finished()
            });
            for desk in desks {
                working
                    .entry(desk.id.0)
                    .or_insert_with(|| worker::spawn(&app, &tasks_of_workers, desk));
            }
            tokio::select! {
                () = changed => {}
                // A worker that panicked is started again.
                () = tokio::time::sleep(std::time::Duration::from_secs(5)) => {}
                () = app.shutdown.cancelled() => return,
            }
        }
    });
}

/// An entity's name in one line, with its namespace before it.
pub(crate) fn entity_name(entity: &seareeve_model::Entity) -> String {
    let first = ["namespace", "name"];
    let named = first.iter().filter_map(|key| entity.fields.get(*key));
    let others = entity
        .fields
        .iter()
        .filter(|(key, _)| !first.contains(&key.as_str()))
        .map(|(_, value)| value);
    let parts: Vec<&str> = named
        .chain(others)
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("/")
}

/// Logs an error with its causes, where nobody else can be told.
fn log(what: &'static str, cluster: &str, error: &anyhow::Error) {
    error!(cluster, error = format!("{error:#}"), "{what}");
}
