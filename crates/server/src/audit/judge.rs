//! Judges a cluster's events: what was known before, what the detections say, and what is kept of it without secrets.
//!
//! The detections are `seareeve-detect`'s, and what events mean is `seareeve-audit`'s matter: here both are brought
//! together, events from before the plan was on are left out, and what leaves is taken clean of secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use seareeve_audit::{AuditEvent, Record, State};
use seareeve_model::Alert;
use seareeve_store::audit_blocks::Block;
use seareeve_store::audit_clusters::AuditCluster;

use super::coverage::Tally;
use super::kept::{MOST_EVENT, Packer};
use super::order::Held;
use super::raise::Found;

/// By what events are judged.
pub(crate) struct Content {
    detections: BTreeMap<String, Known>,
}

/// What is known of a detection beside its alerts.
struct Known {
    aliases: Vec<String>,
    false_positives: Vec<String>,
}

impl Content {
    /// What is built into the program.
    pub(super) fn builtin() -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            detections: BTreeMap::new(),
        }))
    }

    pub(super) fn aliases(&self, id: &str) -> Vec<String> {
        let known = self.detections.get(id);
        known.map(|known| known.aliases.clone()).unwrap_or_default()
    }

    pub(super) fn false_positives(&self, id: &str) -> Vec<String> {
        let known = self.detections.get(id);
        known
            .map(|known| known.false_positives.clone())
            .unwrap_or_default()
    }
}

/// What detections say of events.
trait Rules: Send {
    fn evaluate(&mut self, event: &AuditEvent<'_>) -> Vec<Alert>;
}

/// The alert by which people see that all is connected.
struct TestAlert;

impl Rules for TestAlert {
    fn evaluate(&mut self, event: &AuditEvent<'_>) -> Vec<Alert> {
        let text = event.record().text();
        let is_test = memchr::memmem::find(text, b"\"namespace\":\"seareeve-alerttest\"").is_some();
        let at = i64::try_from(event.record().time() / 1000)
            .ok()
            .and_then(|at| Timestamp::from_microsecond(at).ok());
        is_test
            .then(|| super::samples::alert("test-alert", "Test alert", at.unwrap_or_default()))
            .into_iter()
            .collect()
    }
}

/// See the module.
pub(super) struct Judge {
    state: State,
    rules: Box<dyn Rules>,
    tally: Tally,
    keeps: bool,
}

/// What became of events.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) found: Vec<Found>,
    pub(super) block: Option<Block>,
    pub(super) events: u64,
    pub(super) early: u64,
    pub(super) broken: u64,
    pub(super) problem: Option<String>,
    pub(super) last_event: Option<Timestamp>,
}

impl Judge {
    /// One that knows what was known at a cluster's position.
    pub(super) fn open(
        _content: Arc<Content>,
        cluster: &AuditCluster,
        _checkpoint: Option<&[u8]>,
        keeps: bool,
    ) -> Self {
        Self {
            state: State::default(),
            rules: Box::new(TestAlert),
            tally: Tally::read(&cluster.tally),
            keeps,
        }
    }

    /// Judges events in their order. Those from before `on_since` raise nothing and are not kept; without it, none do.
    pub(super) fn judge(&mut self, events: &[Held], on_since: Option<Timestamp>) -> Judged {
        let mut judged = Judged::default();
        let mut packer = Packer::default();
        for held in events {
            let at = Timestamp::from_microsecond(held.at).unwrap_or_default();
            if on_since.is_none_or(|since| at < since) {
                judged.early += 1;
                continue;
            }
            let record = match Record::read(&held.text) {
                Ok(record) => record,
                Err(error) => {
                    judged.broken += 1;
                    judged.problem = Some(error.to_string());
                    continue;
                }
            };
            judged.events += 1;
            judged.last_event = judged.last_event.max(Some(at));
            self.tally.count(&record);
            let Some(event) = self.state.observe(record) else {
                continue;
            };
            let alerts = self.rules.evaluate(&event);
            if alerts.is_empty() && !self.keeps {
                continue;
            }
            let Some(redacted) = seareeve_audit::redact(&held.text) else {
                judged.broken += 1;
                continue;
            };
            for mut alert in alerts {
                seareeve_audit::redact_alert(&mut alert, &redacted.removed);
                judged.found.push(Found {
                    key: held.key,
                    alert,
                    event: redacted.json.clone(),
                });
            }
            if self.keeps && redacted.json.len() <= MOST_EVENT {
                packer.add(at, &redacted.json);
            }
        }
        match packer.finish() {
            Ok(block) => judged.block = block,
            Err(error) => judged.problem = Some(format!("{error:#}")),
        }
        judged
    }

    /// What it knows now, to go on from; nothing if that has not changed.
    pub(super) fn checkpoint(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// What kinds of events came; nothing if that has not changed.
    pub(super) fn tally(&mut self) -> Option<String> {
        self.tally.changed()
    }
}
