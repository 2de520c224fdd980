//! Calls about alerts, incidents, suppression rules, and the clusters whose audit events raise alerts.

use super::hosts::encoded;
use super::{Client, ClientError, read};
use crate::{
    AlertChange, AlertDetail, AlertFacets, AlertPage, AlertsChanged, AuditCluster,
    AuditClusterList, AuditCoverage, AuditJoin, AuditPlan, AuditSourceCreated, AuditSourceSettings,
    IncidentChange, IncidentDetail, IncidentPage, NewAuditCluster, NewSuppressionRule,
    RelatedRequests, SampleAlerts, SuppressionRule, SuppressionRules, SuppressionTrial,
};

type Answer<T> = Result<T, ClientError>;

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// A page of alerts; each condition is a name of the API's parameters and its value.
    pub fn alerts(&self, conditions: &[(&str, &str)], cursor: Option<&str>) -> Answer<AlertPage> {
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        let conditions = conditions.iter().copied().chain(cursor);
        let query: String = conditions
            .map(|(name, value)| format!("&{name}={}", encoded(value)))
            .collect();
        self.get(&format!("/api/v1/alerts?limit=200{query}"))
    }

    /// How many alerts there are of each kind.
    pub fn alert_facets(&self) -> Answer<AlertFacets> {
        self.get("/api/v1/alerts/facets")
    }

    /// One alert.
    pub fn alert(&self, id: &str) -> Answer<AlertDetail> {
        self.get(&format!("/api/v1/alerts/{}", encoded(id)))
    }

    /// What the one who raised it did before and after.
    pub fn related_requests(&self, id: &str, minutes: u32) -> Answer<RelatedRequests> {
        let id = encoded(id);
        self.get(&format!("/api/v1/alerts/{id}/related?minutes={minutes}"))
    }

    /// Changes alerts.
    pub fn change_alerts(&self, change: &AlertChange) -> Answer<AlertsChanged> {
        self.patch("/api/v1/alerts", change)
    }

    /// Makes sample alerts.
    pub fn create_sample_alerts(&self) -> Answer<SampleAlerts> {
        self.post("/api/v1/alerts/samples", &())
    }

    /// A page of incidents.
    pub fn incidents(&self, open: bool, cursor: Option<&str>) -> Answer<IncidentPage> {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}"));
        let cursor = cursor.unwrap_or_default();
        self.get(&format!("/api/v1/incidents?limit=200&open={open}{cursor}"))
    }

    /// One incident with its alerts.
    pub fn incident(&self, id: &str) -> Answer<IncidentDetail> {
        self.get(&format!("/api/v1/incidents/{}", encoded(id)))
    }

    /// Changes an incident and its alerts.
    pub fn change_incident(&self, id: &str, change: &IncidentChange) -> Answer<IncidentDetail> {
        self.patch(&format!("/api/v1/incidents/{}", encoded(id)), change)
    }

    /// All suppression rules.
    pub fn suppressions(&self) -> Answer<SuppressionRules> {
        self.get("/api/v1/suppressions")
    }

    /// Makes one.
    pub fn create_suppression(&self, rule: &NewSuppressionRule) -> Answer<SuppressionRule> {
        self.post("/api/v1/suppressions", rule)
    }

    /// Says what one would have done.
    pub fn try_suppression(&self, rule: &NewSuppressionRule) -> Answer<SuppressionTrial> {
        self.post("/api/v1/suppressions/trial", rule)
    }

    /// Ends one.
    pub fn delete_suppression(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/suppressions/{id}"))
    }

    /// All clusters whose audit events are, or could be, judged.
    pub fn audit_clusters(&self) -> Answer<AuditClusterList> {
        self.get("/api/v1/audit/clusters")
    }

    /// One of them.
    pub fn audit_cluster(&self, name: &str) -> Answer<AuditCluster> {
        self.get(&cluster(name, ""))
    }

    /// Makes one known.
    pub fn create_audit_cluster(&self, cluster: &NewAuditCluster) -> Answer<AuditCluster> {
        self.post("/api/v1/audit/clusters", cluster)
    }

    /// Forgets one.
    pub fn delete_audit_cluster(&self, name: &str) -> Answer<()> {
        self.delete(&cluster(name, ""))
    }

    /// Switches one on or off.
    pub fn set_audit_plan(&self, name: &str, plan: &AuditPlan) -> Answer<AuditCluster> {
        let url = format!("{}{}", self.base, cluster(name, "/plan"));
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .send_json(plan);
        read(url, answer)
    }

    /// Says which cluster whose configuration is judged it is.
    pub fn join_audit_cluster(&self, name: &str, join: &AuditJoin) -> Answer<AuditCluster> {
        let url = format!("{}{}", self.base, cluster(name, "/cluster"));
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .send_json(join);
        read(url, answer)
    }

    /// Which detections see what they need.
    pub fn audit_coverage(&self, name: &str) -> Answer<AuditCoverage> {
        self.get(&cluster(name, "/coverage"))
    }

    /// Makes a source.
    pub fn create_audit_source(
        &self,
        name: &str,
        source: &AuditSourceSettings,
    ) -> Answer<AuditSourceCreated> {
        self.post(&cluster(name, "/sources"), source)
    }

    /// Ends one.
    pub fn delete_audit_source(&self, name: &str, id: i64) -> Answer<()> {
        self.delete(&cluster(name, &format!("/sources/{id}")))
    }

    pub(super) fn patch<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Answer<T> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .agent
            .patch(&url)
            .header("authorization", &self.authorization)
            .send_json(body);
        read(url, answer)
    }
}

fn cluster(name: &str, rest: &str) -> String {
    format!("/api/v1/audit/clusters/{}{rest}", encoded(name))
}
