//! Tries rules on kept events: what they raise now, and what they would raise after a change. Whoever reads the events
//! hands them in; nothing else is asked but how long the rules take.
//!
//! Two detectors see every event, one with the rules as they are and one with the rules as they would be; in both only
//! the rules are on that differ. Memory is bounded: what is counted by is cut off, samples are few.

mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use seareeve_api::{BacktestRedacted, BacktestResult, BacktestSample, BacktestTime};
use seareeve_audit::{AuditEvent, AuditSource, MARK, Record, SOURCE, State, WITHOUT_BODIES};
use seareeve_detect::{Detector, Engine, Event as _, Field, Source as _, Tuning, Values};
use seareeve_model::Alert;
use seareeve_store::suppressions::Suppression;
use serde_json::Value as Json;

use self::tally::{Group, Keys, TOLD_USERS, add, groups, notes};
use super::content::{Given, load};
use super::suppress;

/// Events that are shown of each kind.
const SAMPLES: usize = 20;
/// Bytes of events that are shown.
const SHOWN: usize = 1 << 20;
/// Users that are counted apart.
const MOST_USERS: usize = 20_000;
/// Rules that are told.
const TOLD_RULES: usize = 500;
/// Events that are looked into for what was taken out of them.
const LOOKED_INTO: u64 = 20_000;
/// A longer span is told by days.
const BY_HOURS: i64 = 72 * HOUR;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The rules that are tried, for clusters about which the same is changed.
pub(crate) struct Pair {
    now: Arc<Engine>,
    then: Arc<Engine>,
    /// The rules of `then` and the fields that they read.
    fields: Vec<(String, String, Field)>,
    /// Whether a rule remembers something between events.
    has_memory: bool,
}

impl Pair {
    /// Rules as they are and as they would be. `also` are tried whether they differ or not, and are on.
    pub(crate) fn new(
        now: (&Given, &Tuning),
        then: (&Given, &Tuning),
        also: &BTreeSet<String>,
    ) -> Self {
        let engine = |(given, tuning): (&Given, &Tuning)| {
            let (loaded, _) = load(given, &given.files, tuning);
            loaded.engine
        };
        let (before, after) = (engine(now), engine(then));
        let said = |engine: &Engine| -> BTreeMap<String, (String, bool)> {
            let rules = engine.rules().filter(|rule| rule.source == SOURCE);
            rules
                .map(|rule| {
                    let content = rule.content.to_string();
                    (rule.id.clone(), (content, rule.is_enabled))
                })
                .collect()
        };
        let (said_now, said_then) = (said(&before), said(&after));
        let ids: BTreeSet<&String> = said_now.keys().chain(said_then.keys()).collect();
        let differ: BTreeSet<&String> = ids
            .iter()
            .copied()
            .filter(|id| also.contains(*id) || said_now.get(*id) != said_then.get(*id))
            .collect();
        let only = |tuning: &Tuning, said: &BTreeMap<String, (String, bool)>, on: bool| {
            let mut tuning = tuning.clone();
            for (id, (_, is_on)) in said {
                let is_wanted = differ.contains(id) && (*is_on || (on && also.contains(id)));
                tuning.switches.insert(id.clone(), is_wanted);
            }
            tuning
        };
        let (tuning_now, tuning_then) = (
            only(now.1, &said_now, false),
            only(then.1, &said_then, true),
        );
        let (now, then) = (engine((now.0, &tuning_now)), engine((then.0, &tuning_then)));
        let tried = then.rules().filter(|rule| differ.contains(&rule.id));
        let mut fields = Vec::new();
        let mut has_memory = false;
        for rule in tried {
            has_memory |= rule.kind != seareeve_detect::RuleKind::Single;
            for name in &rule.fields {
                let (bare, argument) = match name.split_once('[') {
                    Some((bare, rest)) => (bare, rest.strip_suffix(']')),
                    None => (name.as_str(), None),
                };
                if let Ok(field) = AuditSource.field(bare, argument) {
                    fields.push((rule.id.clone(), name.clone(), field));
                }
            }
        }
        Self {
            now: Arc::new(now),
            then: Arc::new(then),
            fields,
            has_memory,
        }
    }

    /// Whether there is anything to try.
    pub(crate) fn is_empty(&self) -> bool {
        let is_off = |engine: &Engine| !engine.rules().any(|rule| rule.is_enabled);
        is_off(&self.now) && is_off(&self.then)
    }
}

/// What is counted, over all clusters.
pub(crate) struct Trial {
    result: BacktestResult,
    rules: BTreeMap<String, Group>,
    clusters: BTreeMap<String, Group>,
    users: BTreeMap<String, Group>,
    hours: BTreeMap<i64, (u64, u64)>,
    redacted: BTreeMap<(String, String), u64>,
    shown: usize,
    nanoseconds: u128,
    suppressions: Vec<Suppression>,
    has_memory: bool,
    now: Timestamp,
}

/// What is known while one cluster's events pass by.
pub(crate) struct Course {
    cluster: String,
    pair: Arc<Pair>,
    state: State,
    now: Detector,
    then: Detector,
    alerts_now: Keys,
    alerts_then: Keys,
    from: Option<Timestamp>,
}

impl Course {
    pub(crate) fn new(cluster: &str, pair: Arc<Pair>, from: Option<Timestamp>) -> Self {
        Self {
            cluster: cluster.to_owned(),
            state: State::default(),
            now: Detector::new(Arc::clone(&pair.now)),
            then: Detector::new(Arc::clone(&pair.then)),
            pair,
            alerts_now: Keys::default(),
            alerts_then: Keys::default(),
            from,
        }
    }
}

impl Trial {
    pub(crate) fn new(suppressions: Vec<Suppression>, now: Timestamp) -> Self {
        Self {
            result: BacktestResult::default(),
            rules: BTreeMap::new(),
            clusters: BTreeMap::new(),
            users: BTreeMap::new(),
            hours: BTreeMap::new(),
            redacted: BTreeMap::new(),
            shown: 0,
            nanoseconds: 0,
            suppressions,
            has_memory: false,
            now,
        }
    }

    /// Goes through one kept event.
    pub(crate) fn see(&mut self, course: &mut Course, line: &str) {
        let Ok(record) = Record::read(line.as_bytes()) else {
            self.result.span.unreadable += 1;
            return;
        };
        let Some(event) = course.state.observe(record) else {
            return;
        };
        let nanoseconds = i128::from(event.time());
        let at = Timestamp::from_nanosecond(nanoseconds).unwrap_or_default();
        // What came before teaches what objects were like, and counts for nothing else.
        if course.from.is_some_and(|from| at < from) {
            return;
        }
        let span = &mut self.result.span;
        span.events += 1;
        span.first = Some(span.first.map_or(at, |first| first.min(at)));
        span.last = Some(span.last.map_or(at, |last| last.max(at)));
        let has_no_bodies = line.contains(WITHOUT_BODIES);
        let is_redacted = line.contains(MARK);
        span.without_bodies += u64::from(has_no_bodies);
        span.redacted += u64::from(is_redacted);
        if is_redacted && span.redacted <= LOOKED_INTO {
            self.look_into(course, &event);
        }
        let now = course.now.see(SOURCE, &event);
        let began = Instant::now();
        let then = course.then.see(SOURCE, &event);
        self.nanoseconds += began.elapsed().as_nanos();
        if now.is_empty() && then.is_empty() {
            return;
        }
        let user = event.actor().into_owned();
        self.count(course, at, &user, &now, &then, line);
    }

    fn count(
        &mut self,
        course: &mut Course,
        at: Timestamp,
        user: &str,
        now: &[Alert],
        then: &[Alert],
        line: &str,
    ) {
        let ids = |alerts: &[Alert]| -> BTreeSet<String> {
            alerts.iter().map(|alert| alert.id.clone()).collect()
        };
        let (before, after) = (ids(now), ids(then));
        let counts = &mut self.result.counts;
        counts.now += count(before.len());
        counts.then += count(after.len());
        let is_suppressed = |alert: &&Alert| {
            suppress::rule_for(&self.suppressions, &course.cluster, alert, self.now).is_some()
        };
        counts.suppressed += count(then.iter().filter(is_suppressed).count());
        now.iter().for_each(|alert| course.alerts_now.add(alert));
        then.iter().for_each(|alert| course.alerts_then.add(alert));
        let hour = at.as_millisecond().div_euclid(HOUR);
        let of_hour = self.hours.entry(hour).or_default();
        of_hour.0 += count(before.len());
        of_hour.1 += count(after.len());
        for id in before.union(&after) {
            let group = Group {
                now: u64::from(before.contains(id)),
                then: u64::from(after.contains(id)),
                added: u64::from(!before.contains(id)),
                gone: u64::from(!after.contains(id)),
            };
            let counts = &mut self.result.counts;
            counts.added += group.added;
            counts.gone += group.gone;
            add(&mut self.rules, id, group, TOLD_RULES);
            add(&mut self.clusters, &course.cluster, group, MOST_USERS);
            add(&mut self.users, user, group, MOST_USERS);
            let is = |alert: &&Alert| alert.id == *id;
            let alert = then.iter().find(is).or_else(|| now.iter().find(is));
            if let Some(alert) = alert {
                self.show(course, group, alert, at, user, line);
            }
        }
    }

    /// Keeps an event to be shown, while there is room.
    fn show(
        &mut self,
        course: &Course,
        group: Group,
        alert: &Alert,
        at: Timestamp,
        user: &str,
        line: &str,
    ) {
        let result = &mut self.result;
        let samples = match (group.added, group.gone) {
            (0, 0) => &mut result.same,
            (0, _) => &mut result.gone,
            _ => &mut result.added,
        };
        if samples.len() >= SAMPLES {
            return;
        }
        let has_room = self.shown.saturating_add(line.len()) <= SHOWN;
        let event = has_room
            .then(|| serde_json::from_str::<Json>(line).ok())
            .flatten();
        if event.is_some() {
            self.shown = self.shown.saturating_add(line.len());
        }
        samples.push(BacktestSample {
            rule: alert.id.clone(),
            cluster: course.cluster.clone(),
            at,
            user: user.to_owned(),
            output: alert.output.clone(),
            severity: alert.severity.as_str().to_owned(),
            evidence: serde_json::to_value(&alert.evidence).unwrap_or_default(),
            event,
        });
    }

    /// Notes which fields that are read have something taken out.
    fn look_into(&mut self, course: &Course, event: &AuditEvent<'_>) {
        for (rule, name, field) in &course.pair.fields {
            let mut values = Values::default();
            event.extract(field, &mut values);
            let is_hit = values.as_slice().iter().any(|value| {
                let text = value.as_bytes().unwrap_or_default();
                text.windows(MARK.len()).any(|part| part == MARK.as_bytes())
            });
            if is_hit {
                let key = (rule.clone(), name.clone());
                *self.redacted.entry(key).or_default() += 1;
            }
        }
    }

    /// Takes what one cluster's events gave.
    pub(crate) fn end(&mut self, course: Course) {
        self.has_memory |= course.pair.has_memory;
        let counts = &mut self.result.counts;
        counts.alerts_now += course.alerts_now.alerts;
        counts.alerts_then += course.alerts_then.alerts;
        if course.alerts_now.is_full || course.alerts_then.is_full {
            self.result.notes.push(format!(
                "In {} there are more alerts than are told apart: their number is at least what is said.",
                course.cluster
            ));
        }
        self.clusters.entry(course.cluster).or_default();
    }

    /// What came of it.
    pub(crate) fn result(mut self, asked_since: Option<Timestamp>) -> BacktestResult {
        let mut result = self.result;
        result.span.asked_since = asked_since;
        result.rules = groups(self.rules, TOLD_RULES);
        result.clusters = groups(self.clusters, MOST_USERS);
        let users = self.users.len();
        result.users = groups(self.users, TOLD_USERS);
        let span = match (result.span.first, result.span.last) {
            (Some(first), Some(last)) => last.as_millisecond() - first.as_millisecond(),
            _ => 0,
        };
        let (step, word) = if span <= BY_HOURS {
            (HOUR, "hour")
        } else {
            (DAY, "day")
        };
        word.clone_into(&mut result.step);
        let mut times: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (hour, (now, then)) in std::mem::take(&mut self.hours) {
            let begin = (hour * HOUR).div_euclid(step) * step;
            let of = times.entry(begin).or_default();
            of.0 += now;
            of.1 += then;
        }
        let times = times.into_iter().filter_map(|(at, (now, then))| {
            let at = Timestamp::from_millisecond(at).ok()?;
            Some(BacktestTime { at, now, then })
        });
        result.times = times.collect();
        let redacted = self.redacted.into_iter();
        result.redacted = redacted
            .map(|((rule, field), events)| BacktestRedacted {
                rule,
                field,
                events,
            })
            .collect();
        let events = u128::from(result.span.events.max(1));
        result.cost_ns = u64::try_from(self.nanoseconds / events).unwrap_or(u64::MAX);
        notes(&mut result, users, self.has_memory);
        result
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
