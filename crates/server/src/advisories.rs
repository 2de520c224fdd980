//! The advisory database in use: which file it is, and how it is exchanged while scans run.
//!
//! `advisories.db` is what an update made last. `advisories.matched.db` is a second name (a hard link) of the file
//! with which the stored packages were matched last; the two differ from an update until matching has caught up,
//! and their difference says which packages have to be looked at again.

use std::sync::Arc;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use seareeve_scan::advisories::Database;
use tokio::sync::{RwLock, RwLockReadGuard};
use tracing::{info, warn};

/// See the module.
pub(crate) struct Advisories {
    file: Utf8PathBuf,
    matched: Utf8PathBuf,
    /// Held for reading while a scan matches and saves, for writing while the database is exchanged: so a result
    /// of the old database is in the store before matching against the new one begins, and is seen by it.
    current: RwLock<Arc<Database>>,
}

impl Advisories {
    /// Opens `file`, or the built-in starter set when there is none.
    pub(crate) fn open(file: Utf8PathBuf) -> anyhow::Result<Self> {
        let matched = file.with_extension("matched.db");
        let current = RwLock::new(load(&file)?);
        Ok(Self {
            file,
            matched,
            current,
        })
    }

    /// The database in use, kept in use while the guard lives.
    pub(crate) async fn hold(&self) -> RwLockReadGuard<'_, Arc<Database>> {
        self.current.read().await
    }

    /// The database in use at this moment.
    pub(crate) async fn get(&self) -> Arc<Database> {
        Arc::clone(&*self.current.read().await)
    }

    /// Takes the file into use if it is another one than the one in use. True when it is.
    pub(crate) async fn reload(&self) -> anyhow::Result<bool> {
        let file = self.file.clone();
        let fresh = tokio::task::spawn_blocking(move || load(&file)).await??;
        let (info, old) = (fresh.info(), self.get().await.info());
        // An equal one of a later day counts, too: it says that nothing has changed until then.
        if (&info.digest, info.built) == (&old.digest, old.built) {
            return Ok(false);
        }
        let fresh_digest = info.digest;
        *self.current.write().await = fresh;
        info!(database.digest = %fresh_digest, "advisory database exchanged");
        Ok(true)
    }

    /// The database with the digest `matched` that the store was matched with last, if it is still there.
    pub(crate) fn previous(&self, matched: Option<&str>) -> Option<Arc<Database>> {
        let matched = matched?;
        let starter = seareeve_scan::starter::database();
        if starter.info().digest.as_str() == matched {
            return Some(Arc::clone(starter));
        }
        match Database::open(&self.matched) {
            Ok(database) if database.info().digest.as_str() == matched => Some(Arc::new(database)),
            Ok(_) => None,
            Err(error) => {
                warn!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "previous advisory database not readable: all packages will be matched again"
                );
                None
            }
        }
    }

    /// Keeps the file in use under its second name, for the next comparison.
    pub(crate) fn keep_as_matched(&self) -> anyhow::Result<()> {
        if !self.file.exists() {
            return Ok(());
        }
        let fresh = self.matched.with_extension("new");
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("failed to remove {fresh}"));
            }
            _ => {}
        }
        std::fs::hard_link(&self.file, &fresh)
            .with_context(|| format!("failed to link {fresh}"))?;
        std::fs::rename(&fresh, &self.matched).with_context(|| format!("failed to rename {fresh}"))
    }
}

fn load(file: &Utf8PathBuf) -> anyhow::Result<Arc<Database>> {
    if !file.exists() {
        return Ok(Arc::clone(seareeve_scan::starter::database()));
    }
    let database = Database::open(file)
        .with_context(|| format!("failed to open the advisory database {file}"))?;
    Ok(Arc::new(database))
}
