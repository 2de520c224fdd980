//! What is done by the clock for images that assets use: those that nobody scanned are, where that is allowed; what was
//! found gets older; registries of the settings are assets.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use seareeve_model::{Collection, Fact, FactKind, ImageReference, Snapshot};
use seareeve_store::assets::{self, NewFacts};
use seareeve_store::scans::{self, ScanSource};
use seareeve_store::{Tx, image_uses};
use serde_json::json;

use super::{ScanJob, enqueue_assess, enqueue_assess_images};
use crate::config::ScanInUse;
use crate::posture::{self, images::names};
use crate::state::App;

/// Scans that wait or run when no more are asked for by the clock: people's own come soon, too.
const MOST_PENDING: u64 = 20;
/// How long after it was asked for an image is asked for again, if no scan of it is there.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// How often what scans found is looked at again because time passes.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// Unscanned images that are looked at at a time.
const PAGE: usize = 500;

pub(super) async fn sweep(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    registries(app, now).await?;
    ask(app, now).await?;
    let mut tx = app.store.begin().await?;
    image_uses::touch_old(&mut tx, now - DAILY).await?;
    // What touched them enqueues it itself; this is for what was lost.
    enqueue_assess_images(&mut tx, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}

/// Asks for scans of images that something uses and that nobody scanned.
async fn ask(app: &Arc<App>, now: Timestamp) -> anyhow::Result<()> {
    let allowed = app.config.scan.images_in_use;
    if allowed == ScanInUse::Never {
        return Ok(());
    }
    let mut room = MOST_PENDING.saturating_sub(scans::pending(&app.store).await?);
    let mut after = 0;
    while room > 0 {
        let page = image_uses::unscanned(&app.store, now - AGAIN, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let mut wanted: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for image in &page {
            let pinned = image.digest.as_deref();
            let pinned = pinned.and_then(|digest| names::pinned(&image.name, digest));
            let name = pinned.unwrap_or_else(|| image.name.clone());
            let Ok(reference) = name.parse::<ImageReference>() else {
                continue;
            };
            let is_allowed = match allowed {
                ScanInUse::Never => false,
                ScanInUse::Configured => app.registries.has(&reference),
                ScanInUse::Always => true,
            };
            if is_allowed {
                let asked = wanted.entry(reference.to_string()).or_default();
                asked.push(image.id);
            }
        }
        for (reference, ids) in wanted {
            if room == 0 {
                break;
            }
            room = room.saturating_sub(1);
            let mut tx = app.store.begin().await?;
            let source = ScanSource::Reference(reference);
            let scan = scans::create(&mut tx, &source, None, now).await?;
            ScanJob::enqueue(&mut tx, scan, None, now).await?;
            image_uses::set_asked(&mut tx, ids, now).await?;
            tx.commit().await?;
            super::announce(app, scan).await;
        }
    }
    Ok(())
}

/// A registry of the settings is an asset, unless a connector brought it already.
async fn registries(app: &Arc<App>, now: Timestamp) -> anyhow::Result<()> {
    for registry in &app.config.scan.registries {
        let host = registry.host.to_lowercase();
        if image_uses::has_registry(&app.store, &host).await? {
            continue;
        }
        let mut tx = app.store.begin().await?;
        put_registry(&mut tx, &host, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn put_registry(tx: &mut Tx, host: &str, now: Timestamp) -> anyhow::Result<()> {
    let collector = concat!("seareeve ", env!("CARGO_PKG_VERSION"));
    let kind = FactKind::new("registry")?;
    let fact = Fact {
        id: host.to_owned(),
        name: host.to_owned(),
        data: json!({"host": host}),
    };
    let snapshot = Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "registry".to_owned(),
        asset_id: host.to_owned(),
        asset_name: host.to_owned(),
        collected_at: now,
        collector: collector.to_owned(),
        facts: BTreeMap::from([(kind, Collection::of("the settings", vec![fact]))]),
    };
    let facts = NewFacts {
        kind: "registry",
        external_id: host,
        name: host,
        collector,
        engines: &[],
        containers: None,
        running: None,
        images: None,
        digest: &posture::digest(&snapshot)?,
        collected_at: now,
        content: &posture::pack(&snapshot)?,
    };
    let put = assets::put_facts(tx, &facts, now).await?;
    image_uses::hold(tx, put.asset, Some(host)).await?;
    enqueue_assess(tx, Some(put.asset), now).await?;
    Ok(())
}
