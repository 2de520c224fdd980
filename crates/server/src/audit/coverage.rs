//! Whether what arrives of a cluster, or the policy that is said to be in force there, is what the detections need.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use seareeve_api::{AuditCoverage, DetectionCoverage};
use seareeve_audit::{Arrived, Policy, Sight, sight};
use seareeve_detect::Rule;
use seareeve_store::audit_clusters::AuditCluster;
use seareeve_store::{AuditClusterId, Store, audit_policies};

/// The policies that people say are in force. One that can no longer be read says nothing.
pub(crate) async fn policies(
    store: &Store,
) -> Result<BTreeMap<i64, Policy>, seareeve_store::StoreError> {
    let policies = audit_policies::list(store).await?;
    let read = policies.into_iter().filter_map(|stored| {
        let policy = Policy::parse(&stored.content).ok()?;
        Some((stored.cluster.0, policy))
    });
    Ok(read.collect())
}

impl super::Audit {
    /// What detections see in a cluster, as far as its policy and the events that came so far tell.
    pub(crate) fn sights<'r>(
        &self,
        cluster: AuditClusterId,
        policy: Option<&Policy>,
        rules: impl Iterator<Item = &'r Rule>,
    ) -> Vec<(&'r Rule, Sight)> {
        let desk = self.desk(cluster);
        let nothing = Arrived::default();
        let seen = desk
            .as_ref()
            .map(|desk| desk.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        let arrived = seen.as_deref().unwrap_or(&nothing);
        rules
            .map(|rule| (rule, sight(rule, arrived, policy)))
            .collect()
    }

    /// The same of all that are on, as it is told.
    pub(crate) fn coverage(
        &self,
        cluster: &AuditCluster,
        policy: Option<&Policy>,
    ) -> AuditCoverage {
        let content = self.content();
        let rules = content.engine(cluster.id).rules();
        let rules = rules.filter(|rule| rule.source == seareeve_audit::SOURCE && rule.is_enabled);
        let detections = self.sights(cluster.id, policy, rules);
        let told = |(rule, sight): (&Rule, Sight)| DetectionCoverage {
            rule: rule.id.clone(),
            title: rule.name.clone(),
            status: sight.seen.as_str().to_owned(),
            reasons: sight.lacks,
            unknown: sight.unknown,
        };
        AuditCoverage {
            events: cluster.events,
            has_policy: policy.is_some(),
            detections: detections.into_iter().map(told).collect(),
        }
    }
}
