//! Whether what arrives of a cluster is what the detections need.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use seareeve_api::{AuditCoverage, DetectionCoverage};
use seareeve_store::audit_clusters::AuditCluster;

impl super::Audit {
    /// Which detections see what they need, as far as the events of a cluster tell that came so far.
    pub(crate) fn coverage(&self, cluster: &AuditCluster) -> AuditCoverage {
        let content = self.content();
        let mut blind = BTreeMap::new();
        if let Some(desk) = self.desk(cluster.id) {
            let arrived = desk.arrived.lock().unwrap_or_else(PoisonError::into_inner);
            for found in arrived.coverage(content.rules()) {
                blind.insert(found.id.clone(), found);
            }
        }
        let detections = content.rules().filter(|rule| rule.is_enabled);
        let detections = detections.map(|rule| {
            let (status, reasons) = match blind.get(&rule.id) {
                Some(blind) if blind.is_whole => ("blind", blind.reasons.clone()),
                Some(blind) => ("partial", blind.reasons.clone()),
                None => ("fine", Vec::new()),
            };
            DetectionCoverage {
                rule: rule.id.clone(),
                title: rule.name.clone(),
                status: status.to_owned(),
                reasons,
            }
        });
        AuditCoverage {
            events: cluster.events,
            detections: detections.collect(),
        }
    }
}
