//! Lists of threat intelligence: fetched when it is time, kept in the store, and joined to what detections compare with.
//!
//! Whatever goes wrong with a list, what it said before stays, and it is said since when. Detections get a new engine
//! when what all lists come to has changed; nobody restarts for it.

pub(crate) mod fetch;
pub(crate) mod settings;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use seareeve_api::Event;
use seareeve_detect::ListInfo;
use seareeve_intel::{Entry, Joined, Joiner, Kind, Named, Source};
use seareeve_store::intel_lists::{self, IntelList};
use seareeve_store::{IntelListId, Store};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use self::settings::settings;
use crate::audit;
use crate::state::App;

/// How often it is looked whether a list is due, or another process changed one.
const LOOK: Duration = Duration::from_secs(60);
/// Pause until a list that could not be had is looked for again.
const RETRY: SignedDuration = SignedDuration::from_mins(15);
/// Bytes of a stored list, unpacked.
const MOST_STORED: usize = 256 << 20;

/// What asks for lists, and what all of them come to.
#[derive(Default)]
pub(crate) struct Intel {
    /// Rung when somebody made, changed or wants a list.
    pub(crate) changed: Notify,
    /// Lists that somebody wants now, and those that are being fetched.
    wanted: Mutex<BTreeSet<i64>>,
}

/// What lists come to, and of which state of them that is so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) joined: Arc<Joined>,
    /// Of each list that counts: its number and when it changed.
    state: Vec<(i64, Option<Timestamp>)>,
}

impl Intel {
    /// Lets a list be fetched as soon as possible.
    pub(crate) fn want(&self, id: IntelListId) {
        self.lock().insert(id.0);
        self.changed.notify_one();
    }

    /// Whether a list is being fetched, or will be at once.
    pub(crate) fn is_wanted(&self, id: IntelListId) -> bool {
        self.lock().contains(&id.0)
    }

    fn done(&self, id: IntelListId) {
        self.lock().remove(&id.0);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<i64>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lists of detections that others may extend.
pub(crate) fn named() -> Vec<Named> {
    let lists = seareeve_detect::Content::builtin().extendable().into_iter();
    let named = lists.map(
        |ListInfo {
             name,
             title,
             takes,
             items,
         }| Named {
            name,
            title,
            takes: takes.iter().filter_map(|kind| Kind::parse(kind)).collect(),
            own: items,
        },
    );
    named.collect()
}

impl Known {
    /// What the lists of the store come to.
    pub(crate) async fn load(store: &Store, now: Timestamp) -> anyhow::Result<Self> {
        let lists = intel_lists::list(store).await?;
        let mut read = Vec::new();
        for list in lists.iter().filter(|list| counts(list)) {
            if let Some(packed) = intel_lists::content(store, list.id).await? {
                read.push((list.clone(), packed));
            }
        }
        let state = state(&lists);
        let joining = tokio::task::spawn_blocking(move || join(&read, now));
        Ok(Self {
            joined: Arc::new(joining.await?),
            state,
        })
    }

    /// Whether it is no longer so.
    fn is_stale(&self, lists: &[IntelList], now: Timestamp) -> bool {
        let is_over = self.joined.next_change().is_some_and(|next| next <= now);
        is_over || self.state != state(lists)
    }
}

fn counts(list: &IntelList) -> bool {
    list.is_on && list.changed.is_some()
}

fn state(lists: &[IntelList]) -> Vec<(i64, Option<Timestamp>)> {
    let counting = lists.iter().filter(|list| counts(list));
    counting.map(|list| (list.id.0, list.changed)).collect()
}

/// One that cannot be read is left out and told: the others are no worse for it.
fn join(lists: &[(IntelList, Vec<u8>)], now: Timestamp) -> Joined {
    let mut read = Vec::with_capacity(lists.len());
    for (list, packed) in lists {
        match unpack(packed) {
            Ok(entries) => read.push((list, entries)),
            Err(why) => {
                error!(list = %list.name, error = format!("{why:#}"), "a stored list cannot be read");
            }
        }
    }
    let is_exclusion = |list: &IntelList| list.extends.is_empty();
    let excluded = read
        .iter()
        .filter(|(list, _)| is_exclusion(list))
        .flat_map(|(_, entries)| entries);
    let mut joiner = Joiner::new(now, named(), excluded);
    for (list, entries) in read.iter().filter(|(list, _)| !is_exclusion(list)) {
        let from = settings(list).ok().and_then(|settings| settings.address);
        let source = Source {
            name: list.name.clone(),
            from: from.unwrap_or_else(|| format!("an upload of {}", list.author)),
            at: list.succeeded,
        };
        joiner.add(source, entries, &list.extends);
    }
    joiner.finish()
}

/// Entries as they are stored.
pub(crate) fn pack(entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
    let text = serde_json::to_vec(entries).context("failed to write entries")?;
    zstd::bulk::compress(&text, 3).context("failed to pack entries")
}

fn unpack(packed: &[u8]) -> anyhow::Result<Vec<Entry>> {
    let text = zstd::bulk::decompress(packed, MOST_STORED).context("failed to unpack entries")?;
    serde_json::from_slice(&text).context("failed to read entries")
}

/// Fetches lists when it is time, and lets detections know, until the process ends.
pub(crate) async fn run(app: Arc<App>) {
    loop {
        let changed = app.intel.changed.notified();
        if let Err(error) = once(&app).await {
            warn!(
                error = format!("{error:#}"),
                "lists of threat intelligence are not kept up; it is tried again soon"
            );
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(LOOK) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

async fn once(app: &Arc<App>) -> anyhow::Result<()> {
    let due: Vec<IntelList> = {
        let now = app.now();
        let lists = intel_lists::list(&app.store).await?;
        let is_due = |list: &IntelList| is_due(list, now) || app.intel.is_wanted(list.id);
        lists.into_iter().filter(is_due).collect()
    };
    for list in due {
        app.intel.lock().insert(list.id.0);
        let fetched = tokio::select! {
            fetched = fetch::fetch(app, &list) => fetched,
            () = app.shutdown.cancelled() => return Ok(()),
        };
        if let Err(error) = fetched {
            let why = format!("{error:#}");
            warn!(list = %list.name, error = %why, "a list of threat intelligence could not be had; what it said before stays");
            let mut tx = app.store.begin().await?;
            intel_lists::failed(&mut tx, list.id, &why, app.now()).await?;
            tx.commit().await?;
        }
        let renewed = renew(app).await;
        // Only now: whoever sees that it is read may rely on it.
        app.intel.done(list.id);
        renewed?;
        app.events.publish(Event::Alerts);
    }
    renew(app).await
}

/// Gives detections what lists come to by now, if that is something else.
pub(crate) async fn renew(app: &App) -> anyhow::Result<()> {
    let lists = intel_lists::list(&app.store).await?;
    let now = app.now();
    if !app.audit.content().known().is_stale(&lists, now) {
        return Ok(());
    }
    let known = Known::load(&app.store, now).await?;
    audit::renew(app, known).await?;
    info!("lists of threat intelligence changed: detections go on with them");
    Ok(())
}

fn is_due(list: &IntelList, now: Timestamp) -> bool {
    let has_address = settings(list).is_ok_and(|settings| settings.address.is_some());
    if !list.is_on || !has_address {
        return false;
    }
    match (list.tried, list.every_hours) {
        (None, _) => true,
        (Some(_), 0) => false,
        (Some(tried), hours) => {
            let hours = SignedDuration::from_hours(i64::from(hours));
            let pause = if list.problem.is_some() {
                hours.min(RETRY)
            } else {
                hours
            };
            now.duration_since(tried) >= pause
        }
    }
}
