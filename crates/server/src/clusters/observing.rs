//! Clusters that this server watches itself, because its settings name them.
//!
//! Each has a thread of its own, which ends with the server. What one of them does, or does not, costs that one its
//! assessment and nothing else.

use std::sync::Arc;
use std::time::Duration;

use seareeve_collect::kubernetes::{
    Cluster, Connection, Limits, Observation, Refusal, Stop, Taker, Wanted, observe,
};
use seareeve_model::{FactDelta, FactIndex};
use seareeve_store::clusters::{self, NewCluster};
use seareeve_store::{AssetId, assets};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, error, info_span, warn};

use super::intake::{self, IntakeError, Sender};
use super::trouble;
use crate::config::ClusterConfig;
use crate::state::App;

/// The pause before a connection that cannot be made, or whose facts were refused, is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// What a cluster is known by that was never read.
const UNREAD: &str = "unread:";

/// Starts watching the clusters that the settings name.
pub(crate) fn spawn(app: &Arc<App>, tasks: &TaskTracker) {
    for cluster in &app.config.kubernetes.clusters {
        let span = info_span!("cluster", name = cluster.name);
        tasks.spawn(watch(Arc::clone(app), cluster.clone()).instrument(span));
    }
}

async fn watch(app: Arc<App>, settings: ClusterConfig) {
    while !app.shutdown.is_cancelled() {
        let stop = Stop::default();
        let (sender, ended) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(format!("cluster {}", settings.name))
            .spawn({
                let (app, settings, stop) = (Arc::clone(&app), settings.clone(), stop.clone());
                let handle = Handle::current();
                move || {
                    let result = run(&app, &settings, &stop, &handle);
                    // Nobody waits any more when the server ends.
                    let _ = sender.send(result);
                }
            });
        if let Err(error) = thread {
            error!(error = %error, "no thread can be had to watch the cluster");
        }
        let ended = tokio::select! {
            ended = ended => ended.ok(),
            () = app.shutdown.cancelled() => {
                stop.stop();
                return;
            }
        };
        if let Some(Err(why)) = ended {
            warn!(
                error = format!("{why:#}"),
                "the cluster is not watched; it is tried again"
            );
            let noted = unwatched(&app, &settings.name, &format!("{why:#}")).await;
            if let Err(error) = noted {
                error!(
                    error = format!("{error:#}"),
                    "failed to note that a cluster is not watched"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Watches until it is stopped.
fn run(
    app: &Arc<App>,
    settings: &ClusterConfig,
    stop: &Stop,
    handle: &Handle,
) -> anyhow::Result<()> {
    // Read anew whenever the cluster stops to know us: somebody may have replaced what the file says.
    let connect = || -> anyhow::Result<Cluster> {
        let context = Some(settings.context.as_str()).filter(|context| !context.is_empty());
        let files = [settings.kubeconfig.clone()];
        let connection = Connection::from_kubeconfig(&files, context)?;
        Ok(Cluster::new(&connection, Limits::default())?)
    };
    let mut taker = Here {
        app,
        name: &settings.name,
        handle,
    };
    observe(
        connect()?,
        &mut || connect().map_err(|error| format!("{error:#}")),
        &Observation::new(&settings.name),
        stop,
        &mut taker,
    )?;
    Ok(())
}

/// Takes facts in without any network in between.
struct Here<'h> {
    app: &'h Arc<App>,
    name: &'h str,
    handle: &'h Handle,
}

impl Taker for Here<'_> {
    fn index(&mut self, index: &FactIndex) -> Result<Wanted, Refusal> {
        let taken = self.handle.block_on(async {
            let taken = intake::index(self.app, Sender::Server, index).await?;
            forget_unread(self.app, self.name).await?;
            Ok(taken)
        });
        let taken = taken.map_err(refusal)?;
        Ok(Wanted {
            revision: taken.revision,
            facts: taken.wanted,
        })
    }

    fn delta(&mut self, delta: &FactDelta) -> Result<String, Refusal> {
        let taken = intake::delta(self.app, Sender::Server, delta.clone());
        self.handle.block_on(taken).map_err(refusal)
    }

    fn trouble(&mut self, why: &str) {
        let noted = self.handle.block_on(unwatched(self.app, self.name, why));
        if let Err(error) = noted {
            error!(
                error = format!("{error:#}"),
                "failed to note that a cluster is not watched"
            );
        }
    }
}

fn refusal(error: IntakeError) -> Refusal {
    match error {
        IntakeError::Stale => Refusal::Stale,
        IntakeError::Refused(_) | IntakeError::Foreign | IntakeError::TooMany => {
            Refusal::Never(error.to_string())
        }
        IntakeError::Store(error) => Refusal::Later(error.to_string()),
    }
}

/// Says of the cluster of that name that it is not watched: of the one that was read once, or of one that never was.
async fn unwatched(app: &Arc<App>, name: &str, why: &str) -> anyhow::Result<()> {
    let known = match by_name(app, name).await? {
        Some(asset) => asset,
        None => {
            let now = app.now();
            let mut tx = app.store.begin().await?;
            let unread = NewCluster {
                external_id: &format!("{UNREAD}{name}"),
                name,
                collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")),
                watcher: "server",
                collected_at: now,
            };
            let cluster = clusters::meet(&mut tx, &unread, now).await?;
            tx.commit().await?;
            cluster.asset
        }
    };
    trouble(app, known, Some(why)).await
}

/// The cluster of that name that this server watches.
async fn by_name(app: &App, name: &str) -> anyhow::Result<Option<AssetId>> {
    let ours = clusters::all(&app.store).await?;
    let assets = assets::all(&app.store, clusters::KIND).await?;
    let is_ours = |asset: &assets::Asset| {
        let mut ours = ours.iter().filter(|one| one.watcher == "server");
        asset.name == name && ours.any(|one| one.asset == asset.id)
    };
    Ok(assets
        .iter()
        .find(|asset| is_ours(asset))
        .map(|asset| asset.id))
}

/// Takes out what stood for a cluster while it could not be read.
async fn forget_unread(app: &App, name: &str) -> Result<(), IntakeError> {
    let mut tx = app.store.begin().await?;
    let unread = clusters::by_uid(&mut tx, &format!("{UNREAD}{name}")).await?;
    let Some(unread) = unread else {
        return Ok(());
    };
    assets::delete(&mut tx, unread.asset).await?;
    tx.commit().await?;
    Ok(())
}
