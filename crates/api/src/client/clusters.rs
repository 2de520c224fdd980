//! Calls about clusters, and those of who watches them.

use seareeve_model::{FactDelta, FactIndex};

use super::hosts::encoded;
use super::{Client, ClientError};
use crate::{
    ChooseCloud, ClusterDetail, ClusterPage, ClusterRecommendation, ClusterWorkloadDetail,
    ClusterWorkloadFacets, ClusterWorkloadPage, FactsChanged, FactsIndexed, HostHistory,
    NewRecommendationSettings, PostureReport, RecommendationPreview, RecommendationSettings,
    RecommendationSettingsHistory,
};

type Answer<T> = Result<T, ClientError>;

/// Which workloads. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadFilter {
    /// In this namespace.
    pub namespace: Option<String>,
    /// Of this kind: `Deployment`.
    pub kind: Option<String>,
    /// On which this check fails.
    pub check: Option<String>,
    /// With this in their name.
    pub query: Option<String>,
}

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// Says what facts there are of a cluster, by a sensor's own token.
    pub fn put_fact_index(&self, index: &FactIndex) -> Answer<FactsIndexed> {
        self.put("/api/v1/facts/index", index)
    }

    /// Sends facts of a cluster that are new or different, by a sensor's own token.
    pub fn patch_facts(&self, delta: &FactDelta) -> Answer<FactsChanged> {
        self.patch("/api/v1/facts", delta)
    }

    /// A page of clusters.
    pub fn clusters(&self, cursor: Option<&str>) -> Answer<ClusterPage> {
        match cursor {
            Some(cursor) => self.get(&format!("/api/v1/clusters?limit=200&cursor={cursor}")),
            None => self.get("/api/v1/clusters?limit=200"),
        }
    }

    /// A cluster.
    pub fn cluster(&self, id: i64) -> Answer<ClusterDetail> {
        self.get(&format!("/api/v1/clusters/{id}"))
    }

    /// What a benchmark says of a cluster; the newest edition of each, if nothing.
    pub fn cluster_report(&self, id: i64, benchmark: Option<&str>) -> Answer<PostureReport> {
        let query = benchmark.map(|name| format!("?benchmark={}", encoded(name)));
        let query = query.unwrap_or_default();
        self.get(&format!("/api/v1/clusters/{id}/report{query}"))
    }

    /// How the controls of a cluster changed.
    pub fn cluster_history(&self, id: i64) -> Answer<HostHistory> {
        self.get(&format!("/api/v1/clusters/{id}/history?limit=200"))
    }

    /// A page of a cluster's workloads.
    pub fn workloads(
        &self,
        cluster: i64,
        filter: &WorkloadFilter,
        cursor: Option<&str>,
    ) -> Answer<ClusterWorkloadPage> {
        let mut query = String::from("limit=200");
        for (name, value) in [
            ("namespace", filter.namespace.as_deref()),
            ("kind", filter.kind.as_deref()),
            ("check", filter.check.as_deref()),
            ("q", filter.query.as_deref()),
            ("cursor", cursor),
        ] {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        self.get(&format!("/api/v1/clusters/{cluster}/workloads?{query}"))
    }

    /// What a cluster's workloads can be filtered by.
    pub fn workload_facets(&self, cluster: i64) -> Answer<ClusterWorkloadFacets> {
        self.get(&format!("/api/v1/clusters/{cluster}/workloads/facets"))
    }

    /// A workload and what is said of it.
    pub fn workload(&self, cluster: i64, id: &str) -> Answer<ClusterWorkloadDetail> {
        let id = encoded(id);
        self.get(&format!("/api/v1/clusters/{cluster}/workloads/one?id={id}"))
    }

    /// What a recommendation says of a cluster, object by object.
    pub fn cluster_recommendation(
        &self,
        cluster: i64,
        recommendation: &str,
    ) -> Answer<ClusterRecommendation> {
        let id = encoded(recommendation);
        self.get(&format!("/api/v1/clusters/{cluster}/recommendations/{id}"))
    }

    /// Forgets a cluster.
    pub fn delete_cluster(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/clusters/{id}"))
    }

    /// What is set for a recommendation.
    pub fn recommendation_settings(&self, id: &str) -> Answer<RecommendationSettings> {
        let id = encoded(id);
        self.get(&format!("/api/v1/recommendations/{id}/settings"))
    }

    /// Sets it.
    pub fn set_recommendation(
        &self,
        id: &str,
        settings: &NewRecommendationSettings,
    ) -> Answer<RecommendationSettings> {
        let id = encoded(id);
        self.put(&format!("/api/v1/recommendations/{id}/settings"), settings)
    }

    /// Takes back what is set for a recommendation.
    pub fn reset_recommendation(&self, id: &str) -> Answer<()> {
        let id = encoded(id);
        self.delete(&format!("/api/v1/recommendations/{id}/settings"))
    }

    /// What was set for a recommendation, change by change.
    pub fn recommendation_settings_history(
        &self,
        id: &str,
    ) -> Answer<RecommendationSettingsHistory> {
        let id = encoded(id);
        self.get(&format!("/api/v1/recommendations/{id}/settings/history"))
    }

    /// What settings of a recommendation would change. It changes nothing.
    pub fn preview_recommendation(
        &self,
        id: &str,
        settings: &NewRecommendationSettings,
    ) -> Answer<RecommendationPreview> {
        let id = encoded(id);
        let path = format!("/api/v1/recommendations/{id}/settings/preview");
        self.post(&path, settings)
    }

    /// Says which asset of a cloud a cluster is, or with `None` that it is none of them.
    pub fn choose_cloud(&self, cluster: i64, asset: Option<i64>) -> Answer<()> {
        let path = format!("/api/v1/clusters/{cluster}/cloud");
        self.put_only(&path, &ChooseCloud { asset })
    }

    /// Takes that back: what is found holds.
    pub fn unchoose_cloud(&self, cluster: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/clusters/{cluster}/cloud"))
    }
}
