//! What kinds of events of a cluster arrive: counted, so that it can be said which detections see what they need.

use std::collections::BTreeMap;

use seareeve_api::AuditCoverage;
use seareeve_audit::Record;
use seareeve_store::audit_clusters::AuditCluster;
use serde::{Deserialize, Serialize};

/// Kinds that are told apart. There are some hundred resources and a dozen verbs.
const MOST: usize = 4_000;

/// How many events came of each kind.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// By `verb resource/part level`.
    kinds: BTreeMap<String, u64>,
    #[serde(skip)]
    is_changed: bool,
}

impl Tally {
    /// As it was written. One that cannot be read begins anew.
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn count(&mut self, record: &Record<'_>) {
        let kind = record.level().into_owned();
        if let Some(count) = self.kinds.get_mut(&kind) {
            *count += 1;
        } else if self.kinds.len() < MOST {
            self.kinds.insert(kind, 1);
        }
        self.is_changed = true;
    }

    /// As it is to be written; nothing if it was not changed since.
    pub(super) fn changed(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.is_changed) {
            return None;
        }
        serde_json::to_string(self).ok()
    }

    /// How many events were counted.
    pub(crate) fn events(&self) -> u64 {
        self.kinds.values().sum()
    }
}

impl super::Audit {
    /// Which detections see what they need in the events of a cluster that came so far.
    pub(crate) fn coverage(&self, cluster: &AuditCluster) -> AuditCoverage {
        let tally = Tally::read(&cluster.tally);
        AuditCoverage {
            events: tally.events(),
            detections: Vec::new(),
        }
    }
}
