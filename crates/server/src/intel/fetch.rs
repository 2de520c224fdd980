//! A list is fetched, or handed in; what can be used of it replaces what was there in one transaction.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use seareeve_api::IntelSettings;
use seareeve_collect::lists::{Brought, Credential, ListClient, ListRequest, Validator};
use seareeve_intel::{Format, Kind, MOST_BYTES, Reading};
use seareeve_store::intel_lists::{self, Found, IntelList, Unused};
use tracing::info;

use super::settings::{credential, format, settings};
use super::{named, pack};
use crate::state::App;

/// What came of asking.
enum Came {
    Unchanged,
    New(Reading, Validator),
}

/// Fetches a list and keeps what it says.
pub(super) async fn fetch(app: &Arc<App>, list: &IntelList) -> anyhow::Result<()> {
    let settings = settings(list)?;
    let Some(address) = settings.address.clone() else {
        return Ok(());
    };
    let (app_of_task, list_of_task) = (Arc::clone(app), list.clone());
    let asking =
        tokio::task::spawn_blocking(move || ask(&app_of_task, &list_of_task, &settings, &address));
    match asking.await?? {
        Came::Unchanged => {
            let mut tx = app.store.begin().await?;
            intel_lists::unchanged(&mut tx, list.id, app.now()).await?;
            tx.commit().await?;
        }
        Came::New(reading, validator) => keep(app, list, reading, &validator).await?,
    }
    Ok(())
}

/// What was handed in is no list: the fault of who did.
#[derive(Debug, thiserror::Error)]
#[error("what was handed in is no list")]
pub(crate) struct Refused(pub(crate) anyhow::Error);

/// Takes a list that is handed in.
///
/// # Errors
/// [`Refused`], or when it cannot be kept.
pub(crate) async fn take(app: &App, list: &IntelList, bytes: Vec<u8>) -> anyhow::Result<()> {
    let settings = settings(list)?;
    let wanted = wanted(list);
    let reading = tokio::task::spawn_blocking(move || read(&bytes, &settings, &wanted));
    let reading = reading.await?.map_err(Refused)?;
    keep(app, list, reading, &Validator::default()).await
}

/// What kinds of entries a list is read for.
fn wanted(list: &IntelList) -> Vec<Kind> {
    if list.extends.is_empty() {
        // What is never bad may be anything.
        return Kind::ALL.to_vec();
    }
    let named = named();
    let extended = named.iter().filter(|one| list.extends.contains(&one.name));
    let mut kinds: Vec<Kind> = extended.flat_map(|one| one.takes.iter().copied()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn read(bytes: &[u8], settings: &IntelSettings, wanted: &[Kind]) -> anyhow::Result<Reading> {
    let format = format(settings).map_err(anyhow::Error::msg)?;
    let reading = seareeve_intel::read(bytes, &format, wanted)?;
    if reading.entries.is_empty() {
        let mut reasons = reading.unused.iter();
        match reasons.next() {
            None => bail!("there is nothing in it"),
            Some((why, unused)) => bail!(
                "nothing in it can be used: {} times {why}, such as {:?}",
                unused.count,
                unused.example
            ),
        }
    }
    Ok(reading)
}

fn ask(
    app: &App,
    list: &IntelList,
    settings: &IntelSettings,
    address: &str,
) -> anyhow::Result<Came> {
    let config = &app.config;
    let client = ListClient::new(config.ca_cert(), config.intel.allow_local)?;
    let secret = match &settings.header {
        None => None,
        Some(header) => Some((header.name.as_str(), credential(&header.value, config)?)),
    };
    let header = secret.as_ref().map(|(name, secret)| (*name, secret));
    // Without entries there is nothing that could stay.
    let known: Validator = if list.changed.is_some() {
        serde_json::from_str(&list.validator).unwrap_or_default()
    } else {
        Validator::default()
    };
    let request = ListRequest {
        url: address,
        header,
        known: &known,
        most_bytes: MOST_BYTES,
    };
    let (bytes, validator) = match client.fetch(&request)? {
        Brought::Unchanged => return Ok(Came::Unchanged),
        Brought::New { bytes, validator } => (bytes, validator),
    };
    let wanted = wanted(list);
    let is_misp = matches!(format(settings), Ok(Format::Auto | Format::Misp));
    let reading = match seareeve_intel::feed_events(&bytes).filter(|_| is_misp) {
        Some(events) => feed(&client, address, header, events, settings, &wanted)?,
        None => read(&bytes, settings, &wanted)?,
    };
    Ok(Came::New(reading, validator))
}

/// The events of a feed, which lie beside its manifest. All of them, or what was there before stays.
fn feed(
    client: &ListClient,
    manifest: &str,
    header: Option<(&str, &Credential)>,
    (events, all): (Vec<String>, usize),
    settings: &IntelSettings,
    wanted: &[Kind],
) -> anyhow::Result<Reading> {
    let (folder, _) = manifest
        .rsplit_once('/')
        .context("a feed's address ends with manifest.json")?;
    let format = format(settings).map_err(anyhow::Error::msg)?;
    let mut read = Vec::with_capacity(events.len());
    let (asked, mut room) = (events.len(), MOST_BYTES);
    for id in events {
        let url = format!("{folder}/{id}.json");
        let request = ListRequest {
            url: &url,
            header,
            known: &Validator::default(),
            most_bytes: room,
        };
        let Brought::New { bytes, .. } = client.fetch(&request)? else {
            bail!("{url} was asked without a condition and answered to one");
        };
        room = room.saturating_sub(bytes.len());
        let reading = seareeve_intel::read(&bytes, &format, wanted);
        read.push(reading.with_context(|| format!("failed to read {url}"))?);
    }
    let mut joined = Reading::all(read);
    if all > asked {
        joined.leave("older events of the feed", all.saturating_sub(asked));
    }
    Ok(joined)
}

async fn keep(
    app: &App,
    list: &IntelList,
    reading: Reading,
    validator: &Validator,
) -> anyhow::Result<()> {
    let unused: Vec<Unused> = reading
        .unused
        .iter()
        .map(|(reason, unused)| Unused {
            reason: reason.clone(),
            count: unused.count,
            example: unused.example.clone(),
        })
        .collect();
    let entries = u64::try_from(reading.entries.len()).unwrap_or(u64::MAX);
    let content = tokio::task::spawn_blocking(move || pack(&reading.entries)).await??;
    let validator = serde_json::to_string(validator)?;
    let found = Found {
        validator: &validator,
        entries,
        unused: &unused,
        content: &content,
    };
    let mut tx = app.store.begin().await?;
    intel_lists::put(&mut tx, list.id, &found, app.now()).await?;
    tx.commit().await?;
    info!(list = %list.name, entries, "a list of threat intelligence is new");
    Ok(())
}
