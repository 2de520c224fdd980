//! Judges a cluster's events: what was known before, what the detections say, and what is kept of it without secrets.
//!
//! The detections are `seareeve-detect`'s, and what events mean is `seareeve-audit`'s matter: here both are brought
//! together, events from before the plan was on are left out, alerts are told which list of threat intelligence they
//! rest on, and what leaves is taken clean of secrets.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use seareeve_audit::{Addresses, Arrived, Fault, Record, SOURCE, State};
use seareeve_detect::{Detector, Engine};
use seareeve_intel::Joined;
use seareeve_model::Alert;
use seareeve_store::AuditClusterId;
use seareeve_store::audit_blocks::Block;
use tracing::{error, warn};

use super::content::Content;
use super::decode::Broken;
use super::entity_name;
use super::kept::{MOST_EVENT, Packer};
use super::order::Held;
use super::raise::Found;

/// See the module.
pub(super) struct Judge {
    state: State,
    addresses: Addresses,
    engine: Arc<Engine>,
    joined: Arc<Joined>,
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
    pub(super) broken: Broken,
    pub(super) last_event: Option<Timestamp>,
    /// The uid of the cluster's namespace `kube-system`.
    pub(super) uid: Option<String>,
}

impl Judge {
    /// One that remembers what detections did at a cluster's position, knows what was known of objects there, and notes
    /// in `arrived` what it sees. With `keeps`, events are kept.
    pub(super) fn open(
        content: &Content,
        cluster: AuditClusterId,
        checkpoint: Option<&[u8]>,
        objects: Option<&[u8]>,
        arrived: Arc<Mutex<Arrived>>,
        keeps: bool,
    ) -> Self {
        let engine = content.engine(cluster);
        let mut detector = Detector::new(Arc::clone(engine));
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
            state,
            addresses: Addresses::default(),
            engine: Arc::clone(engine),
            joined: Arc::clone(&content.known().joined),
            detector,
            arrived,
            has_learned: false,
            has_met: false,
            keeps,
        }
    }

    /// Judges by this from the next event on. What unchanged detections remember stays.
    pub(super) fn judge_by(&mut self, content: &Content, cluster: AuditClusterId) {
        self.joined = Arc::clone(&content.known().joined);
        let engine = content.engine(cluster);
        if !Arc::ptr_eq(&self.engine, engine) {
            self.engine = Arc::clone(engine);
            self.detector.replace(Arc::clone(engine));
            self.has_learned = true;
        }
    }

    /// Learns from an event that was judged before: what objects were like, and who speaks from where.
    pub(super) fn recall(&mut self, event: &str) {
        if let Ok(record) = Record::read(event.as_bytes()) {
            self.note(&record);
            let _ = self.state.observe(record);
        }
    }

    fn note(&mut self, record: &Record<'_>) {
        self.addresses.see(record);
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
                Err(fault) => judged.broken.add(&fault),
            }
        }
        match packer.finish() {
            Ok(block) => judged.block = block,
            Err(error) => judged.broken.problem = Some(format!("{error:#}")),
        }
        judged
    }

    fn event(
        &mut self,
        held: &Held,
        at: Timestamp,
        judged: &mut Judged,
        packer: &mut Packer,
    ) -> Result<(), Fault> {
        let record = Record::read(&held.text)?;
        let is_cut = record.is_cut();
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
        let is_unread = event.has_unread_body();
        if is_unread {
            judged.broken.add(&Fault::Bodies);
        }
        if alerts.is_empty() && !self.keeps {
            return Ok(());
        }
        // Of what is too long to be kept and raised nothing, the metadata is enough.
        let is_metadata_enough = alerts.is_empty() && held.text.len() > MOST_EVENT;
        let redacted = if is_metadata_enough {
            seareeve_audit::redact_bodies(&held.text)
        } else {
            event.into_redacted()
        };
        let redacted = redacted.ok_or(Fault::Secrets)?;
        if redacted.is_without_bodies && !is_metadata_enough && !is_unread {
            let fault = if is_cut { Fault::Cut } else { Fault::Bodies };
            judged.broken.add(&fault);
        }
        let text: Arc<str> = redacted.json.into();
        for mut alert in alerts {
            self.joined.explain(&mut alert);
            seareeve_audit::redact_alert(&mut alert);
            judged.found.push(Found {
                key: held.key,
                shared_by_many: self.shared_by_many(&alert),
                alert,
                event: Arc::clone(&text),
            });
        }
        if self.keeps && text.len() <= MOST_EVENT {
            packer.add(at, &text);
        } else if self.keeps
            && let Some(short) = seareeve_audit::redact_bodies(&held.text)
            && short.json.len() <= MOST_EVENT
        {
            packer.add(at, &short.json);
        }
        Ok(())
    }

    /// The addresses of an alert that many speak from.
    fn shared_by_many(&self, alert: &Alert) -> BTreeSet<String> {
        let addresses = alert.entities.iter().filter(|entity| entity.kind == "ip");
        let is_shared = |name: &String| {
            let address = name.parse();
            address.is_ok_and(|address| self.addresses.is_shared(address))
        };
        addresses.map(entity_name).filter(is_shared).collect()
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
