//! Judges a cluster's events: what was known before, what the detections say, and what is kept of it without secrets.
//!
//! The detections are `seareeve-detect`'s, and what events mean is `seareeve-audit`'s matter: here both are brought
//! together, events from before the plan was on are left out, alerts are told which list of threat intelligence they
//! rest on, and what leaves is taken clean of secrets.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use seareeve_audit::{Arrived, AuditSource, Record, SOURCE, State};
use seareeve_detect::{Detector, Engine, Loader, Options, Rule};
use seareeve_store::audit_blocks::Block;
use tracing::{error, warn};

use super::kept::{MOST_EVENT, Packer};
use super::order::Held;
use super::raise::Found;
use crate::intel::Known;

/// By what events are judged.
pub(crate) struct Content {
    engine: Arc<Engine>,
    known: Known,
}

impl Content {
    /// What is built into the program, with what lists of threat intelligence add. A detection that cannot be used would
    /// look as if it had seen nothing.
    pub(crate) fn new(known: Known) -> anyhow::Result<Arc<Self>> {
        let mut loader = Loader::new(vec![Arc::new(AuditSource)], Options::default());
        loader.content(&seareeve_detect::Content::builtin());
        for (list, items) in known.joined.added() {
            if !loader.extend(list, items) {
                anyhow::bail!("there is no list {list}, or no room in it");
            }
        }
        let loaded = loader.finish();
        if let Some(wrong) = loaded.diagnostics.iter().find(|one| one.code.is_error()) {
            anyhow::bail!("a built-in detection cannot be used: {wrong}");
        }
        Ok(Arc::new(Self {
            engine: Arc::new(loaded.engine),
            known,
        }))
    }

    /// The lists of threat intelligence in it.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.engine.rule(id)
    }

    /// All detections over audit events, those that are off too.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.engine.rules().filter(|rule| rule.source == SOURCE)
    }
}

/// See the module.
pub(super) struct Judge {
    content: Arc<Content>,
    state: State,
    detector: Detector,
    arrived: Arc<Mutex<Arrived>>,
    /// What it remembers was changed since it was saved.
    has_learned: bool,
    /// What it knows of objects was, too.
    has_met: bool,
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
    /// The uid of the cluster's namespace `kube-system`.
    pub(super) uid: Option<String>,
}

impl Judge {
    /// One that remembers what detections did at a cluster's position, knows what was known of objects there, and notes
    /// in `arrived` what it sees. With `keeps`, events are kept.
    pub(super) fn open(
        content: &Arc<Content>,
        checkpoint: Option<&[u8]>,
        objects: Option<&[u8]>,
        arrived: Arc<Mutex<Arrived>>,
        keeps: bool,
    ) -> Self {
        let mut detector = Detector::new(Arc::clone(&content.engine));
        if let Some(checkpoint) = checkpoint
            && let Err(error) = detector.restore(checkpoint)
        {
            warn!(error = %error, "what detections remember cannot be read: they learn anew");
        }
        let mut state = State::default();
        if let Some(objects) = objects
            && let Err(error) = state.restore(objects)
        {
            warn!(error = %error, "what is known of objects cannot be read: it is learned anew");
        }
        Self {
            content: Arc::clone(content),
            state,
            detector,
            arrived,
            has_learned: false,
            has_met: false,
            keeps,
        }
    }

    /// Judges by this from now on. What unchanged detections remember is kept.
    pub(super) fn judge_by(&mut self, content: &Arc<Content>) {
        if !Arc::ptr_eq(&self.content, content) {
            self.detector.replace(Arc::clone(&content.engine));
            self.content = Arc::clone(content);
        }
    }

    /// Learns from an event that was judged before: what objects were like.
    pub(super) fn recall(&mut self, event: &str) {
        if let Ok(record) = Record::read(event.as_bytes()) {
            self.note(&record);
            let _ = self.state.observe(record);
        }
    }

    fn note(&self, record: &Record<'_>) {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.see(record);
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
            judged.last_event = judged.last_event.max(Some(at));
            match self.event(held, at, &mut judged, &mut packer) {
                Ok(()) => judged.events += 1,
                Err(why) => {
                    judged.broken += 1;
                    judged.problem = Some(why);
                }
            }
        }
        match packer.finish() {
            Ok(block) => judged.block = block,
            Err(error) => judged.problem = Some(format!("{error:#}")),
        }
        judged
    }

    fn event(
        &mut self,
        held: &Held,
        at: Timestamp,
        judged: &mut Judged,
        packer: &mut Packer,
    ) -> Result<(), String> {
        let record = Record::read(&held.text).map_err(|error| error.to_string())?;
        self.note(&record);
        judged.uid = judged
            .uid
            .take()
            .or_else(|| seareeve_audit::cluster_uid(&record, &held.text));
        let Some(event) = self.state.observe(record) else {
            return Ok(());
        };
        let alerts = self.detector.see(SOURCE, &event);
        self.has_learned = true;
        self.has_met = true;
        if alerts.is_empty() && !self.keeps {
            return Ok(());
        }
        let redacted = seareeve_audit::redact(&held.text)
            .ok_or_else(|| "an event could not be taken clean of secrets".to_owned())?;
        for mut alert in alerts {
            self.content.known.joined.explain(&mut alert);
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
        Ok(())
    }

    /// What it knows of objects now; nothing if that has not changed.
    pub(super) fn objects(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.has_met) {
            return None;
        }
        match self.state.save() {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                error!(error = %error, "what is known of objects cannot be saved");
                None
            }
        }
    }

    /// What it remembers now, to go on from; nothing if that has not changed.
    pub(super) fn checkpoint(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.has_learned) {
            return None;
        }
        match self.detector.save() {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                error!(error = %error, "what detections remember cannot be saved");
                None
            }
        }
    }
}
