//! What all handlers and jobs share.

use std::sync::{Arc, PoisonError, RwLock};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use seareeve_image::LayerCache;
use seareeve_store::Store;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::advisories::Advisories;
use crate::audit::Audit;
use crate::auth::limit::Limiter;
use crate::clusters::Clusters;
use crate::config::Config;
use crate::events::Hub;
use crate::intel::Intel;
use crate::java_index::JavaIndexFile;
use crate::posture::Content;
use crate::registries::Registries;
use crate::running::Running;
use crate::vex::Shelf;

/// The one shared state of the process.
pub(crate) struct App {
    /// As given at the start.
    pub(crate) config: Config,
    /// All rows.
    pub(crate) store: Store,
    /// The advisory database in use.
    pub(crate) advisories: Advisories,
    /// Names Java archives that do not name themselves.
    pub(crate) java_index: JavaIndexFile,
    /// Audit events on their way to alerts.
    pub(crate) audit: Audit,
    /// Lists of threat intelligence.
    pub(crate) intel: Intel,
    /// What assets are judged by: read by [`App::content`], exchanged by [`App::judge_by`].
    pub(crate) content_in_use: RwLock<Arc<Content>>,
    /// Checks that people bring are read and tried one upload at a time.
    pub(crate) trying_checks: Mutex<()>,
    /// What is said of clusters.
    pub(crate) clusters: Clusters,
    /// Facts that are being read: they take much memory, so few at a time.
    pub(crate) reading_facts: Semaphore,
    /// Tells waiting UIs.
    pub(crate) events: Hub,
    /// Held while an event is made of a row.
    pub(crate) announcing: Mutex<()>,
    /// The VEX documents in force.
    pub(crate) vex: Shelf,
    /// What layers hold that were read before; `None` when it is switched off.
    pub(crate) layers: Option<Arc<LayerCache>>,
    /// Private registries.
    pub(crate) registries: Registries,
    /// Scans of this process.
    pub(crate) running: Running,
    /// Attempts to sign in.
    pub(crate) limiter: Limiter,
    /// Wakes the job workers when something was enqueued here, so that nobody has to poll fast.
    pub(crate) wake: Notify,
    /// Cancelled when the process is to end.
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// What assets are judged by. A request or job asks once, and stays with what it got.
    pub(crate) fn content(&self) -> Arc<Content> {
        let content = self.content_in_use.read();
        Arc::clone(&content.unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges what assets are judged by.
    pub(crate) fn judge_by(&self, content: Content) {
        let in_use = self.content_in_use.write();
        *in_use.unwrap_or_else(PoisonError::into_inner) = Arc::new(content);
    }

    /// Whether work on the advisory database waits or runs already.
    pub(crate) async fn jobs_waiting(&self) -> Result<bool, seareeve_store::StoreError> {
        seareeve_store::jobs::any_pending(&self.store, crate::jobs::DATABASE_JOBS).await
    }

    /// Whether an update of the advisories waits or runs.
    pub(crate) async fn update_waiting(&self) -> Result<bool, seareeve_store::StoreError> {
        seareeve_store::jobs::any_pending(&self.store, &[crate::jobs::UPDATE_ADVISORIES]).await
    }

    /// Where uploaded archives wait for their scan.
    pub(crate) fn upload_folder(&self) -> Utf8PathBuf {
        self.config.server.data_dir.join("uploads")
    }
}
