//! Calls about what may enter clusters.

use super::{Client, ClientError};
use crate::{
    AdmissionActivity, AdmissionPolicy, AdmissionPolicyList, AdmissionPreview,
    AdmissionPreviewRequest, AdmissionReport, AdmissionReportTaken, AdmissionRuleList,
    ImageCountsList, ImageCountsRequest, NewAdmissionPolicy,
};

impl Client {
    /// The policies there are.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn admission_policies(&self) -> Result<AdmissionPolicyList, ClientError> {
        self.get("/api/v1/admission/policies")
    }

    /// The policy in force for a cluster.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn admission_policy(&self, cluster: &str) -> Result<AdmissionPolicy, ClientError> {
        self.get(&format!(
            "/api/v1/admission/policy?cluster={}",
            super::hosts::encoded(cluster)
        ))
    }

    /// Puts a policy in place of another.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn put_admission_policy(
        &self,
        policy: &NewAdmissionPolicy,
    ) -> Result<AdmissionPolicy, ClientError> {
        self.put("/api/v1/admission/policy", policy)
    }

    /// The recommendations that admission can enforce.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn admission_rules(&self) -> Result<AdmissionRuleList, ClientError> {
        self.get("/api/v1/admission/rules")
    }

    /// What the webhooks decided; of one cluster, if it is named.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn admission_activity(
        &self,
        cluster: Option<&str>,
    ) -> Result<AdmissionActivity, ClientError> {
        match cluster {
            Some(cluster) => self.get(&format!(
                "/api/v1/admission/decisions?cluster={}",
                super::hosts::encoded(cluster)
            )),
            None => self.get("/api/v1/admission/decisions"),
        }
    }

    /// Tells what a webhook decided.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn report_admission(
        &self,
        report: &AdmissionReport,
    ) -> Result<AdmissionReportTaken, ClientError> {
        self.post("/api/v1/admission/decisions", report)
    }

    /// What a policy would make of a cluster's objects.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn preview_admission(
        &self,
        request: &AdmissionPreviewRequest,
    ) -> Result<AdmissionPreview, ClientError> {
        self.post("/api/v1/admission/preview", request)
    }

    /// What scans found in images.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn image_counts(
        &self,
        request: &ImageCountsRequest,
    ) -> Result<ImageCountsList, ClientError> {
        self.post("/api/v1/images/counts", request)
    }
}
