//! What a back-test counts, bounded, and the sentences that belong to its numbers.

use std::collections::BTreeMap;

use seareeve_api::{BacktestGroup, BacktestResult};
use seareeve_model::Alert;

/// Users that are told.
pub(super) const TOLD_USERS: usize = 50;
/// Alerts that are told apart when it is counted how many events make.
const MOST_KEYS: usize = 100_000;
/// Milliseconds for which the same again adds to an alert.
const DAY: i64 = 24 * 3_600_000;

/// Events by what they raise.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    pub(super) now: u64,
    pub(super) then: u64,
    pub(super) added: u64,
    pub(super) gone: u64,
}

/// Which alerts are open, to count how many events make.
#[derive(Default)]
pub(super) struct Keys {
    open: BTreeMap<(String, String), i64>,
    pub(super) alerts: u64,
    pub(super) is_full: bool,
}

impl Keys {
    /// Counts an event's alert, unless it adds to one that is open.
    pub(super) fn add(&mut self, alert: &Alert) {
        let at = alert.time.as_millisecond();
        let key = (alert.id.clone(), alert.key.clone());
        if let Some(last) = self.open.get_mut(&key) {
            let is_news = at - *last > DAY;
            *last = at.max(*last);
            self.alerts += u64::from(is_news);
        } else if self.open.len() < MOST_KEYS {
            self.open.insert(key, at);
            self.alerts += 1;
        } else {
            self.is_full = true;
        }
    }
}

/// What has to be known to believe it.
pub(super) fn notes(result: &mut BacktestResult, users: usize, has_memory: bool) {
    let span = &result.span;
    let mut notes = Vec::new();
    let asked = span.asked_since.zip(span.first);
    match (span.events, asked) {
        (0, _) => notes.push(
            "No event is kept of that time, so nothing can be said. How long events are kept is set by \
             `audit.keep_events_hours`."
                .to_owned(),
        ),
        (_, Some((asked, first))) if first.as_second() - asked.as_second() > 3600 => {
            notes.push(format!(
                "Events were asked for since {}, and are there since {}: older ones are not kept (`audit.keep_events_hours`, \
                 `audit.keep_events_mib`).",
                asked.strftime("%Y-%m-%d %H:%M UTC"),
                first.strftime("%Y-%m-%d %H:%M UTC"),
            ));
        }
        _ => {}
    }
    if has_memory {
        notes.push(
            "A rule counts or learns over several events. It began with an empty memory: a count may be missed at the \
             beginning, and a baseline that is still learning raises nothing."
                .to_owned(),
        );
    }
    notes.push(
        "What is known of objects (who made a pod, whether it is privileged) began empty too, and was learned from the \
         kept events."
            .to_owned(),
    );
    if span.without_bodies > 0 {
        notes.push(format!(
            "{} events were kept without their bodies, being too long: rules that read bodies see nothing in them.",
            span.without_bodies
        ));
    }
    if span.redacted > 0 {
        notes.push(format!(
            "Credentials were taken out of {} events before they were kept: comparisons with what stood there may come \
             out otherwise than when the events came.",
            span.redacted
        ));
    }
    if users > TOLD_USERS {
        notes.push(format!(
            "{users} users raise something, of whom {TOLD_USERS} are shown."
        ));
    }
    result.notes.append(&mut notes);
}

/// Adds to what is counted under a name; to that of `others` when there are too many.
pub(super) fn add(groups: &mut BTreeMap<String, Group>, name: &str, group: Group, most: usize) {
    let name = if groups.contains_key(name) || groups.len() < most {
        name
    } else {
        "others"
    };
    let of = groups.entry(name.to_owned()).or_default();
    of.now += group.now;
    of.then += group.then;
    of.added += group.added;
    of.gone += group.gone;
}

/// Those with the most first.
pub(super) fn groups(groups: BTreeMap<String, Group>, most: usize) -> Vec<BacktestGroup> {
    let mut all: Vec<BacktestGroup> = groups
        .into_iter()
        .map(|(name, group)| BacktestGroup {
            name,
            now: group.now,
            then: group.then,
            added: group.added,
            gone: group.gone,
        })
        .collect();
    all.sort_by_key(|group| std::cmp::Reverse(group.now.max(group.then)));
    all.truncate(most);
    all
}
