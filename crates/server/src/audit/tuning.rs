//! What people change about detections and lists: checked, saved with a line of the history, and taken into use.

use std::sync::Arc;

use jiff::Timestamp;
use seareeve_api::{NewTuning, TuningChange, TuningValue};
use seareeve_model::AlertSeverity;
use seareeve_store::detections::{self, Entry, HistoryKind, Tuning as Stored, TuningKind};
use seareeve_store::{AuditClusterId, TuningId, audit_clusters};
use tracing::info;

use super::content::{self, Content, Given};
use super::refresh;
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// Changes that are in force at a time.
const MOST: usize = 5_000;
/// Fields of an exception, and rows of one.
const MOST_FIELDS: usize = 16;
const MOST_ROWS: usize = 200;
/// Values of one cell, and items that one change adds to a list or takes out.
const MOST_ITEMS: usize = 1_000;
/// Characters of one value.
const MOST_CHARACTERS: usize = 1_000;
const MOST_REASON: usize = 2_000;
/// Who ends what ends by itself.
const ITSELF: &str = "seareeve";

/// A change that can be made.
pub(crate) struct Checked {
    pub(crate) new: detections::NewTuning,
    pub(crate) change: TuningChange,
    pub(crate) cluster_name: Option<String>,
}

/// Checks a change: whether it makes sense, and whether everything can still be used with it.
pub(crate) async fn check(app: &Arc<App>, given: NewTuning, now: Timestamp) -> ApiResult<Checked> {
    let reason = given.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > MOST_REASON {
        return Err(ApiError::bad_request(format!(
            "a change has a reason of 1 to {MOST_REASON} characters: whoever comes later wants to know"
        )));
    }
    if given.expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::bad_request("the end has passed already"));
    }
    let content = app.audit.content();
    check_change(&content, &given)?;
    let cluster = match &given.cluster {
        None => None,
        Some(name) => {
            let found = audit_clusters::get(&app.store, name).await?;
            Some(found.ok_or_else(|| ApiError::not_found("cluster"))?.id)
        }
    };
    let checked = Checked {
        new: detections::NewTuning {
            kind: kind(&given.change),
            target: given.target,
            cluster,
            value: serde_json::to_string(&given.change).map_err(ApiError::internal)?,
            reason,
            expires: given.expires,
        },
        change: given.change,
        cluster_name: given.cluster,
    };
    let is_risky = match checked.new.kind {
        TuningKind::Exception | TuningKind::List => true,
        TuningKind::Switch | TuningKind::Severity => false,
    };
    if is_risky {
        try_out(&content, &checked, now).await?;
    }
    Ok(checked)
}

/// Whether everything can be used with the change.
async fn try_out(content: &Content, checked: &Checked, now: Timestamp) -> ApiResult<()> {
    let id = TuningId(i64::MAX);
    let with = with(&content.given, checked, id, now);
    let known = content.unusable.keys().copied().collect::<Vec<i64>>();
    let making = tokio::task::spawn_blocking(move || Content::make(with, 0, now));
    let made = making.await.map_err(ApiError::internal)?;
    let made = made.map_err(ApiError::internal)?;
    let mut new = made.unusable.iter().filter(|(id, _)| !known.contains(id));
    match new.next() {
        Some((_, why)) => Err(ApiError::bad_request(why.clone())),
        None => Ok(()),
    }
}

/// What is given, and the change.
pub(crate) fn with(given: &Given, checked: &Checked, id: TuningId, now: Timestamp) -> Given {
    let mut with = given.clone();
    if replaces(checked.new.kind) {
        with.tunings.retain(|one| {
            one.said.kind != checked.new.kind
                || one.said.target != checked.new.target
                || one.said.cluster != checked.new.cluster
        });
    }
    with.tunings.push(Stored {
        id,
        said: checked.new.clone(),
        cluster_name: checked.cluster_name.clone(),
        author: String::new(),
        created: now,
    });
    with
}

fn replaces(kind: TuningKind) -> bool {
    match kind {
        TuningKind::Switch | TuningKind::Severity => true,
        TuningKind::Exception | TuningKind::List => false,
    }
}

fn kind(change: &TuningChange) -> TuningKind {
    match change {
        TuningChange::Switch { .. } => TuningKind::Switch,
        TuningChange::Severity { .. } => TuningKind::Severity,
        TuningChange::Exception { .. } => TuningKind::Exception,
        TuningChange::List { .. } => TuningKind::List,
    }
}

fn check_change(content: &Content, given: &NewTuning) -> ApiResult<()> {
    let is_fine = |text: &String| (1..=MOST_CHARACTERS).contains(&text.chars().count());
    match &given.change {
        TuningChange::List { add, remove } => {
            if !content.lists.iter().any(|list| list.name == given.target) {
                return Err(ApiError::not_found("list"));
            }
            let mut items = add.iter().chain(remove);
            let count = add.len() + remove.len();
            if !(1..=MOST_ITEMS).contains(&count) || !items.all(is_fine) {
                return Err(ApiError::bad_request(format!(
                    "a change of a list adds or takes out 1 to {MOST_ITEMS} items of 1 to {MOST_CHARACTERS} characters"
                )));
            }
            return Ok(());
        }
        TuningChange::Switch { .. } => {}
        TuningChange::Severity { severity } => {
            if AlertSeverity::parse(severity).is_none() {
                return Err(ApiError::bad_request(
                    "a severity is high, medium, low or informational",
                ));
            }
        }
        TuningChange::Exception {
            fields,
            comps,
            values,
        } => {
            let has_fields = (1..=MOST_FIELDS).contains(&fields.len());
            if !has_fields || !(comps.is_empty() || comps.len() == fields.len()) {
                return Err(ApiError::bad_request(format!(
                    "an exception compares 1 to {MOST_FIELDS} fields, with one operator for each or none"
                )));
            }
            let fits = |row: &Vec<TuningValue>| {
                row.len() == fields.len()
                    && row.iter().all(|value| match value {
                        TuningValue::One(text) => is_fine(text),
                        TuningValue::Many(texts) => {
                            (1..=MOST_ITEMS).contains(&texts.len()) && texts.iter().all(is_fine)
                        }
                    })
            };
            if !(1..=MOST_ROWS).contains(&values.len()) || !values.iter().all(fits) {
                return Err(ApiError::bad_request(format!(
                    "an exception has 1 to {MOST_ROWS} rows with one value for each field"
                )));
            }
            if !fields.iter().chain(comps).all(is_fine) {
                return Err(ApiError::bad_request("a field or an operator is empty"));
            }
        }
    }
    match content.rule(&given.target) {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found("detection")),
    }
}

/// Saves a change and takes it into use.
pub(crate) async fn make(
    app: &Arc<App>,
    checked: Checked,
    author: &str,
    now: Timestamp,
) -> ApiResult<Stored> {
    if detections::tunings(&app.store).await?.len() >= MOST {
        return Err(ApiError::conflict(format!(
            "{MOST} changes are in force at most"
        )));
    }
    let mut tx = app.store.begin().await?;
    let id = if replaces(checked.new.kind) {
        detections::replace(&mut tx, &checked.new, author, now).await?
    } else {
        detections::add(&mut tx, &checked.new, author, now).await?
    };
    let made = Stored {
        id,
        said: checked.new,
        cluster_name: checked.cluster_name,
        author: author.to_owned(),
        created: now,
    };
    detections::note(&mut tx, &entry(&made, HistoryKind::Tuned, author, now)).await?;
    tx.commit().await?;
    refresh(app).await.map_err(ApiError::from_any)?;
    info!(by = author, target = %made.said.target, change = %words(&checked.change), "a detection was tuned");
    Ok(made)
}

/// Takes a change back.
pub(crate) async fn take_back(app: &Arc<App>, id: TuningId, author: &str) -> ApiResult<()> {
    let tunings = detections::tunings(&app.store).await?;
    let found = tunings.into_iter().find(|one| one.id == id);
    let found = found.ok_or_else(|| ApiError::not_found("change"))?;
    let mut tx = app.store.begin().await?;
    if !detections::remove(&mut tx, id).await? {
        return Err(ApiError::not_found("change"));
    }
    let entry = entry(&found, HistoryKind::TakenBack, author, app.now());
    detections::note(&mut tx, &entry).await?;
    tx.commit().await?;
    refresh(app).await.map_err(ApiError::from_any)?;
    info!(by = author, target = %found.said.target, "a change of a detection was taken back");
    Ok(())
}

/// Ends what has ended, and takes notice of what others changed.
pub(super) async fn keep_up(app: &App) -> anyhow::Result<()> {
    let now = app.now();
    let has_ended = |one: &&Stored| one.said.expires.is_some_and(|expires| expires <= now);
    let content = app.audit.content();
    if content.given.tunings.iter().any(|one| has_ended(&one)) {
        let tunings = detections::tunings(&app.store).await?;
        let mut tx = app.store.begin().await?;
        let ended = detections::end_expired(&mut tx, now).await?;
        for one in tunings.iter().filter(|one| ended.contains(&one.id)) {
            detections::note(&mut tx, &entry(one, HistoryKind::Ended, ITSELF, now)).await?;
        }
        tx.commit().await?;
    }
    refresh(app).await?;
    Ok(())
}

fn entry(tuning: &Stored, what: HistoryKind, author: &str, now: Timestamp) -> Entry {
    Entry {
        at: now,
        author: author.to_owned(),
        what,
        target: tuning.said.target.clone(),
        cluster: tuning.cluster_name.clone(),
        value: tuning.said.value.clone(),
        reason: tuning.said.reason.clone(),
    }
}

/// What a change is, in a few words.
pub(crate) fn words(change: &TuningChange) -> String {
    match change {
        TuningChange::Switch { is_on: true } => "switched on".to_owned(),
        TuningChange::Switch { is_on: false } => "switched off".to_owned(),
        TuningChange::Severity { severity } => format!("severity {severity}"),
        TuningChange::Exception {
            fields,
            comps,
            values,
        } => {
            let rows = values.iter().map(|row| {
                let cells = fields.iter().zip(row).enumerate();
                let cells = cells.map(|(at, (field, value))| {
                    let comp = comps.get(at).map_or("=", String::as_str);
                    match value {
                        TuningValue::One(text) => format!("{field} {comp} {text}"),
                        TuningValue::Many(texts) => {
                            format!("{field} {comp} ({})", texts.join(", "))
                        }
                    }
                });
                cells.collect::<Vec<_>>().join(" and ")
            });
            format!("except {}", rows.collect::<Vec<_>>().join(", or "))
        }
        TuningChange::List { add, remove } => {
            let part = |verb: &str, items: &[String]| {
                (!items.is_empty()).then(|| format!("{verb} {}", items.join(", ")))
            };
            let parts = [part("added", add), part("took out", remove)];
            parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
    }
}

/// A stored change as it is told.
pub(crate) fn wire(content: &Content, one: &Stored) -> Option<seareeve_api::Tuning> {
    Some(seareeve_api::Tuning {
        id: one.id.0,
        target: one.said.target.clone(),
        change: serde_json::from_str(&one.said.value).ok()?,
        cluster: one.cluster_name.clone(),
        reason: one.said.reason.clone(),
        author: one.author.clone(),
        created: one.created,
        expires: one.said.expires,
        problem: content.unusable.get(&one.id.0).cloned(),
    })
}

/// A line of the history as it is told.
pub(crate) fn told(entry: Entry) -> seareeve_api::DetectionChange {
    let text = match serde_json::from_str::<TuningChange>(&entry.value) {
        Ok(change) => words(&change),
        Err(_of_a_file) => entry.value,
    };
    seareeve_api::DetectionChange {
        at: entry.at,
        author: entry.author,
        what: entry.what.as_str().to_owned(),
        target: entry.target,
        cluster: entry.cluster,
        text,
        reason: entry.reason,
    }
}

/// The changes for a cluster: those for all, then its own, which win.
pub(crate) fn for_cluster(
    given: &Given,
    cluster: AuditClusterId,
    now: Timestamp,
) -> seareeve_detect::Tuning {
    let is_in_force = |one: &&Stored| {
        one.said.expires.is_none_or(|expires| expires > now)
            && one.said.cluster.is_none_or(|own| own == cluster)
    };
    let mut tunings: Vec<&Stored> = given.tunings.iter().filter(is_in_force).collect();
    tunings.sort_by_key(|one| (one.said.cluster.is_some(), one.id));
    content::tuning(&tunings).0
}
