//! The VEX documents in force: parsed once, exchanged when one comes or goes.

use std::sync::Arc;

use anyhow::Context as _;
use seareeve_model::{Inventory, NoticeCode};
use seareeve_scan::Matches;
use seareeve_scan::vex::{self, VexDocument};
use seareeve_store::{Store, vex_documents};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Documents of this server.
pub(crate) type Documents = Vec<VexDocument>;

/// See the module.
pub(crate) struct Shelf {
    /// Held for reading while a scan judges and saves, as the advisories are: so what was judged with the old
    /// documents is in the store before judging anew begins.
    current: RwLock<Arc<Documents>>,
}

impl Shelf {
    /// Reads what is stored.
    pub(crate) async fn open(store: &Store) -> anyhow::Result<Self> {
        let current = RwLock::new(load(store).await?);
        Ok(Self { current })
    }

    /// The documents in force, kept so while the guard lives.
    pub(crate) async fn hold(&self) -> RwLockReadGuard<'_, Arc<Documents>> {
        self.current.read().await
    }

    /// The documents in force at this moment.
    pub(crate) async fn get(&self) -> Arc<Documents> {
        Arc::clone(&*self.current.read().await)
    }

    /// Takes what is stored into force.
    pub(crate) async fn reload(&self, store: &Store) -> anyhow::Result<()> {
        let mut current = self.current.write().await;
        *current = load(store).await?;
        Ok(())
    }
}

async fn load(store: &Store) -> anyhow::Result<Arc<Documents>> {
    let contents = vex_documents::contents(store).await?;
    let parse = move || {
        let parsed = contents.iter().map(|(name, content)| {
            vex::parse(name, content.as_bytes())
                .with_context(|| format!("failed to read the stored VEX document {name}"))
        });
        parsed.collect::<anyhow::Result<Documents>>()
    };
    Ok(Arc::new(tokio::task::spawn_blocking(parse).await??))
}

/// Applies documents that were given for all images: that one says nothing of this image is nothing to tell.
pub(crate) fn apply(documents: &Documents, inventory: &Inventory, matches: &mut Matches) {
    vex::apply(documents, inventory, matches);
    matches
        .notices
        .retain(|notice| notice.code != NoticeCode::VexUnused);
}
