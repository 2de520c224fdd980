//! What stored scans say of assets: which images their facts name, what was found in these, and what that makes of the
//! recommendations that rest on it.
//!
//! Scans are judged where they are stored: an asset that uses images is judged again when what is known of one of them
//! changes (`jobs::assess_images`), and is told what was found as facts (`image.scan`).

pub(crate) mod names;
mod scans;
mod uses;

use std::sync::Arc;

use jiff::Timestamp;
use seareeve_model::{Collection, CollectionStatus, FactKind, Snapshot};
use seareeve_posture::Health;
use seareeve_store::image_uses::{self, Counted, Extent, ImageTally};
use seareeve_store::{AssetId, Tx, clusters};

pub(crate) use uses::{is_workload, of_workload};

use crate::state::App;

/// Images of one asset of which facts are made.
const MOST_IMAGES: usize = 5_000;
/// Findings of one image that are told one by one.
const MOST_FINDINGS: usize = 5_000;
/// Workloads whose images are noted in one transaction.
const PAGE: usize = 500;

/// What was found in the images of an asset when it was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The number of changes that this was found after.
    pub(crate) changes: i64,
    /// What was found.
    pub(crate) tally: ImageTally,
}

fn kind(text: &str) -> FactKind {
    FactKind::new(text).expect("the kinds are constants of that form")
}

/// The kind of facts that scans are told as.
pub(crate) fn scan_kind() -> FactKind {
    kind("image.scan")
}

/// Notes which images the facts of an asset name, and adds what scans found in them to its facts. Nothing for one that
/// neither uses nor holds images.
pub(crate) async fn take_in(
    app: &Arc<App>,
    asset: AssetId,
    snapshot: &mut Snapshot,
    now: Timestamp,
) -> anyhow::Result<Option<Found>> {
    match snapshot.asset_kind.as_str() {
        "docker-host" => {}
        "registry" => return of_registry(app, asset, snapshot).await,
        _ => return Ok(None),
    }
    if !snapshot.facts.contains_key(&kind("docker.image")) {
        return Ok(None);
    }
    let uses = uses::of_host(snapshot);
    let mut tx = app.store.begin().await?;
    image_uses::save(&mut tx, asset, Extent::Whole, &uses, now).await?;
    let found = settle(&mut tx, asset, Counted::All).await?;
    tx.commit().await?;
    add_scans(app, asset, snapshot, now).await?;
    Ok(found)
}

/// Adds what scans found in the images of a host, as they were noted when it was judged.
pub(crate) async fn add_scans(
    app: &Arc<App>,
    asset: AssetId,
    snapshot: &mut Snapshot,
    now: Timestamp,
) -> anyhow::Result<()> {
    if snapshot.facts.contains_key(&kind("docker.image")) {
        let scans = scans::read(app, asset, now).await?;
        let told = snapshot.facts.remove(&scan_kind());
        snapshot.facts.insert(scan_kind(), joined(scans, told));
    }
    Ok(())
}

/// What the server knows, and of other images what the machine itself told.
fn joined(mut ours: Collection, told: Option<Collection>) -> Collection {
    let told = told.map(|told| told.items).unwrap_or_default();
    for fact in told {
        if !ours.items.iter().any(|known| known.id == fact.id) {
            ours.items.push(fact);
        }
    }
    ours.items.sort_by(|one, other| one.id.cmp(&other.id));
    ours
}

async fn of_registry(
    app: &Arc<App>,
    asset: AssetId,
    snapshot: &Snapshot,
) -> anyhow::Result<Option<Found>> {
    let Some(host) = uses::registry_host(snapshot) else {
        return Ok(None);
    };
    let mut tx = app.store.begin().await?;
    image_uses::hold(&mut tx, asset, Some(&host)).await?;
    let found = settle(&mut tx, asset, Counted::All).await?;
    tx.commit().await?;
    Ok(found)
}

/// What was found in the images of a cluster. Its facts were noted as they came, but for those from before this was
/// done.
pub(crate) async fn of_cluster(
    app: &Arc<App>,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Option<Found>> {
    let mut tx = app.store.begin().await?;
    let is_known = image_uses::is_judged(&mut tx, asset).await?;
    image_uses::hold(&mut tx, asset, None).await?;
    tx.commit().await?;
    if !is_known {
        note_all(app, asset, now).await?;
    }
    let mut tx = app.store.begin().await?;
    let found = settle(&mut tx, asset, Counted::Running).await?;
    tx.commit().await?;
    Ok(found)
}

async fn note_all(app: &Arc<App>, asset: AssetId, now: Timestamp) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let mut tx = app.store.begin().await?;
        let facts = clusters::page_in(&mut tx, asset, &uses::workload(), &after, PAGE).await?;
        let Some(last) = facts.last() else {
            return Ok(());
        };
        after.clone_from(&last.id);
        let objects: Vec<clusters::Key> = facts
            .iter()
            .map(|fact| clusters::Key {
                kind: uses::workload().to_string(),
                object: fact.id.clone(),
            })
            .collect();
        let used: Vec<_> = facts
            .iter()
            .flat_map(|fact| of_workload(&fact.id, &fact.name, &fact.data))
            .collect();
        image_uses::save(&mut tx, asset, Extent::Objects(&objects), &used, now).await?;
        tx.commit().await?;
        if facts.len() < PAGE {
            return Ok(());
        }
    }
}

async fn settle(
    tx: &mut Tx,
    asset: AssetId,
    counted: Counted,
) -> Result<Option<Found>, seareeve_store::StoreError> {
    let Some(changes) = image_uses::changes(tx, asset).await? else {
        return Ok(None);
    };
    image_uses::resolve(tx, asset).await?;
    let tally = image_uses::count(tx, asset, counted).await?;
    Ok(Some(Found { changes, tally }))
}

/// What scans found in the images of a cluster, as facts.
pub(crate) async fn scans_of(
    app: &App,
    asset: AssetId,
    now: Timestamp,
) -> anyhow::Result<Collection> {
    scans::read(app, asset, now).await
}

/// What a recommendation about findings says of an asset, and why. `gap` says why not all of its images are known.
pub(crate) fn health(
    findings: &str,
    tally: &ImageTally,
    gap: Option<String>,
) -> (Health, Option<String>) {
    let images = |number: u64| match number {
        1 => "1 image".to_owned(),
        number => format!("{number} images"),
    };
    let of_all = |number: u64| format!("{number} of {}", images(tally.images));
    if tally.affected > 0 {
        let counts = [
            (tally.findings.critical, "critical"),
            (tally.findings.high, "high"),
            (tally.findings.medium, "medium"),
            (tally.findings.low, "low"),
            (tally.findings.unknown, "of unknown severity"),
        ];
        let counts = counts.into_iter().filter(|(number, _)| *number > 0);
        let counts: Vec<String> = counts
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        let mut told = vec![format!(
            "{} with findings: {}",
            of_all(tally.affected),
            counts.join(", ")
        )];
        if tally.unscanned > 0 {
            told.push(format!("{} not scanned", tally.unscanned));
        }
        return (Health::Unhealthy, Some(told.join("; ")));
    }
    if let Some(gap) = gap {
        return (Health::Unknown, Some(gap));
    }
    if tally.images == 0 {
        return match findings {
            // What nobody scanned is not known to be there.
            "registry-images" => {
                let why = "no image of it has been scanned";
                (Health::Unknown, Some(why.to_owned()))
            }
            _ => {
                let why = "no image runs in it";
                (Health::NotApplicable, Some(why.to_owned()))
            }
        };
    }
    if tally.unscanned > 0 {
        let why = format!("{} not scanned", of_all(tally.unscanned));
        return (Health::Unknown, Some(why));
    }
    if tally.incomplete > 0 {
        let why = format!(
            "{} could not be read or judged whole",
            of_all(tally.incomplete)
        );
        return (Health::Unknown, Some(why));
    }
    (Health::Healthy, None)
}

/// Why not all workloads of a cluster, and so its images, are known.
pub(crate) fn gap(cluster: &clusters::Cluster) -> Option<String> {
    let workloads = cluster.collections.get(&uses::workload())?;
    match workloads.status {
        CollectionStatus::Ok | CollectionStatus::Absent => None,
        CollectionStatus::Denied | CollectionStatus::Unsupported | CollectionStatus::Error => {
            let why = workloads.detail.as_deref().unwrap_or("nobody knows why");
            Some(format!("not all workloads are known: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use seareeve_store::SeverityCounts;

    use super::*;

    #[test]
    fn what_was_not_scanned_or_not_read_is_never_healthy() {
        let tally = |images, unscanned, incomplete, high| ImageTally {
            images,
            unscanned,
            incomplete,
            affected: u64::from(high > 0),
            findings: SeverityCounts {
                high,
                ..SeverityCounts::default()
            },
            fixable: 0,
        };
        let said = |tally: ImageTally, gap: Option<&str>| {
            let (health, why) = health("running-images", &tally, gap.map(str::to_owned));
            (health, why.unwrap_or_default())
        };
        assert_eq!(
            said(tally(3, 0, 0, 0), None),
            (Health::Healthy, String::new())
        );
        for (tally, gap, wanted, why) in [
            (
                tally(3, 1, 0, 2),
                None,
                Health::Unhealthy,
                "1 of 3 images with findings: 2 high; 1 not scanned",
            ),
            (
                tally(3, 1, 0, 0),
                None,
                Health::Unknown,
                "1 of 3 images not scanned",
            ),
            (
                tally(1, 0, 1, 0),
                None,
                Health::Unknown,
                "1 of 1 image could not be read or judged whole",
            ),
            (
                tally(0, 0, 0, 0),
                None,
                Health::NotApplicable,
                "no image runs in it",
            ),
            (
                tally(3, 0, 0, 0),
                Some("pods may not be listed"),
                Health::Unknown,
                "pods may not be listed",
            ),
            (
                tally(3, 0, 0, 1),
                Some("pods may not be listed"),
                Health::Unhealthy,
                "1 of 3 images with findings: 1 high",
            ),
        ] {
            assert_eq!(said(tally, gap), (wanted, why.to_owned()));
        }
        let (registry, _) = health("registry-images", &tally(0, 0, 0, 0), None);
        assert_eq!(registry, Health::Unknown);
    }
}
