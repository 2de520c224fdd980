//! Sources that are read here: files, and topics of brokers that speak Kafka's protocol.

mod file;
mod kafka;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use seareeve_api::AuditSourceSettings;
use seareeve_audit::Form;
use seareeve_bus::AppendError;
use seareeve_store::AuditSourceId;
use seareeve_store::audit_clusters::{self, Progress};
use seareeve_store::audit_sources::{self, AuditSource};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

pub(crate) use self::kafka::MECHANISMS;
use super::receive::{FULL, tag};
use super::{Desk, log};
use crate::state::App;

/// Pause after a failure, and while the lane is full.
const PAUSE: Duration = Duration::from_secs(5);

/// Pause after a password was refused.
const LONG_PAUSE: Duration = Duration::from_secs(60);

/// A source that is being read. Dropping it ends it.
struct Reading {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Reads all sources, those that come too, until the process ends.
pub(super) async fn run(app: Arc<App>, tasks: TaskTracker) {
    let mut readings: BTreeMap<i64, Reading> = BTreeMap::new();
    loop {
        let changed = app.audit.changed.notified();
        match audit_sources::list(&app.store).await {
            Ok(sources) => {
                readings.retain(|id, reading| {
                    sources.iter().any(|source| source.id.0 == *id) && !reading.task.is_finished()
                });
                for source in sources {
                    let Some(desk) = app.audit.desk(source.cluster) else {
                        continue;
                    };
                    readings
                        .entry(source.id.0)
                        .or_insert_with(|| start(&app, &tasks, desk, source));
                }
            }
            Err(error) => log("failed to list audit sources", "", &error.into()),
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(PAUSE) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

fn start(app: &Arc<App>, tasks: &TaskTracker, desk: Arc<Desk>, source: AuditSource) -> Reading {
    let stop = app.shutdown.child_token();
    let (feed, stopped) = (
        Feed {
            app: Arc::clone(app),
            desk,
            source: source.id,
        },
        stop.clone(),
    );
    let task = tasks.spawn(async move {
        tokio::select! {
            () = read(feed, source) => {}
            () = stopped.cancelled() => {}
        }
    });
    Reading { stop, task }
}

/// Reads a source, again and again when it fails.
async fn read(feed: Feed, mut source: AuditSource) {
    loop {
        let result = match serde_json::from_str(&source.settings) {
            // It is sent to us.
            Ok(AuditSourceSettings::Webhook) => return std::future::pending().await,
            Ok(AuditSourceSettings::File { path, from_start }) => {
                file::follow(&feed, &path, from_start, source.position.as_deref()).await
            }
            Ok(AuditSourceSettings::Kafka {
                brokers,
                topic,
                tls,
                username,
                mechanism,
                password_file,
                ca_file,
                from_start,
            }) => {
                let folder = feed.app.config.credentials_folder();
                let topic = kafka::Topic {
                    brokers,
                    name: topic,
                    tls,
                    username,
                    mechanism,
                    password_file: password_file.map(|file| folder.join(file)),
                    ca_file,
                    from_start,
                };
                kafka::follow(&feed, topic, source.position.as_deref()).await
            }
            Err(error) => Err(error.into()),
        };
        let mut pause = PAUSE;
        if let Err(error) = result {
            // Whoever knocks again and again with a wrong password is locked out.
            if error.is::<kafka::Refused>() {
                pause = LONG_PAUSE;
            }
            feed.fail(&error).await;
        }
        tokio::time::sleep(pause).await;
        // It may have come further than when this task began.
        match audit_sources::list(&feed.app.store).await {
            Ok(sources) => match sources.into_iter().find(|one| one.id == source.id) {
                Some(now) => source = now,
                None => return,
            },
            Err(error) => warn!(error = %error, "failed to look how far a source is read"),
        }
    }
}

/// Where what was read goes.
struct Feed {
    app: Arc<App>,
    desk: Arc<Desk>,
    source: AuditSourceId,
}

impl Feed {
    /// Appends documents, one on a line, and notes how far the source is read when they are durable. While the lane is
    /// full it waits: the source keeps what was not read.
    async fn append(&self, lines: Vec<u8>, position: &str) -> anyhow::Result<()> {
        if !lines.is_empty() {
            let arrived = self.app.now().as_millisecond();
            let mut waiting = lines;
            loop {
                let copy = waiting.clone();
                match self.desk.lane.append(tag(Form::Lines), arrived, copy).await {
                    Ok(()) => break,
                    Err(AppendError::Full) => {
                        self.fail(&anyhow::anyhow!(FULL)).await;
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            waiting.clear();
        }
        let mut tx = self.app.store.begin().await?;
        let now = self.app.now();
        audit_sources::heard(&mut tx, self.source, Some(position), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes that something is missing of what the source has, for good: with its cluster, where it stays to be seen.
    async fn tell(&self, what: &str) {
        warn!(cluster = %self.desk.name, source = self.source.0, problem = what, "something of an audit source was not read");
        let noted = async {
            let progress = Progress {
                problem: Some(what.to_owned()),
                ..Progress::default()
            };
            let mut tx = self.app.store.begin().await?;
            audit_clusters::advance(&mut tx, self.desk.id, &progress, self.app.now()).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            warn!(error = %error, "failed to note what is missing of an audit source");
        }
    }

    async fn fail(&self, error: &anyhow::Error) {
        warn!(cluster = %self.desk.name, source = self.source.0, error = format!("{error:#}"), "an audit source cannot be read; it is tried again soon");
        let noted = async {
            let mut tx = self.app.store.begin().await?;
            let (text, now) = (format!("{error:#}"), self.app.now());
            audit_sources::failed(&mut tx, self.source, &text, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            warn!(error = %error, "failed to note what is wrong with an audit source");
        }
    }
}
