//! Calls about detections: the catalogue, what is changed about it, rule files, and back-tests.

use super::hosts::encoded;
use super::{Client, ClientError, read, read_text};
use crate::{
    AuditPolicyText, Backtest, BacktestList, DetectionDetail, DetectionFileList,
    DetectionFileTested, DetectionHistory, DetectionList, DetectionNamedLists, NewBacktest,
    NewTuning, Tuning, TuningList,
};

type Answer<T> = Result<T, ClientError>;

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// All detections.
    pub fn detections(&self) -> Answer<DetectionList> {
        self.get("/api/v1/detections")
    }

    /// One with all that is known of it.
    pub fn detection(&self, id: &str) -> Answer<DetectionDetail> {
        self.get(&format!("/api/v1/detections/{}", encoded(id)))
    }

    /// All named lists.
    pub fn detection_lists(&self) -> Answer<DetectionNamedLists> {
        self.get("/api/v1/detection-lists")
    }

    /// All changes in force.
    pub fn tunings(&self) -> Answer<TuningList> {
        self.get("/api/v1/detection-tunings")
    }

    /// Makes a change.
    pub fn tune(&self, tuning: &NewTuning) -> Answer<Tuning> {
        self.post("/api/v1/detection-tunings", tuning)
    }

    /// Takes a change back.
    pub fn untune(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/detection-tunings/{id}"))
    }

    /// What was ever changed; about one detection, list or file, if it is named.
    pub fn detection_history(&self, target: Option<&str>) -> Answer<DetectionHistory> {
        let target = target.map(|target| format!("?target={}", encoded(target)));
        let target = target.unwrap_or_default();
        self.get(&format!("/api/v1/detection-history{target}"))
    }

    /// The rule files that people brought.
    pub fn detection_files(&self) -> Answer<DetectionFileList> {
        self.get("/api/v1/detection-files")
    }

    /// One as it was brought.
    pub fn detection_file(&self, name: &str) -> Answer<String> {
        let url = format!("{}/api/v1/detection-files/{}", self.base, encoded(name));
        let answer = self
            .agent
            .get(&url)
            .header("authorization", &self.authorization)
            .call();
        read_text(url, answer)
    }

    /// Brings a rule file, in place of the one of its name. With `dry_run`, only says what is wrong with it.
    pub fn put_detection_file(
        &self,
        name: &str,
        content: &str,
        dry_run: bool,
    ) -> Answer<DetectionFileTested> {
        let (base, name) = (&self.base, encoded(name));
        let url = format!("{base}/api/v1/detection-files/{name}?dry_run={dry_run}");
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/yaml")
            .send(content);
        read(url, answer)
    }

    /// Forgets a rule file.
    pub fn delete_detection_file(&self, name: &str) -> Answer<()> {
        self.delete(&format!("/api/v1/detection-files/{}", encoded(name)))
    }

    /// Tries something on kept events.
    pub fn backtest(&self, asked: &NewBacktest) -> Answer<Backtest> {
        self.post("/api/v1/backtests", asked)
    }

    /// The last back-tests, without their results.
    pub fn backtests(&self) -> Answer<BacktestList> {
        self.get("/api/v1/backtests")
    }

    /// One, with its result once it is done.
    pub fn backtest_state(&self, id: i64) -> Answer<Backtest> {
        self.get(&format!("/api/v1/backtests/{id}"))
    }

    /// Stops one.
    pub fn cancel_backtest(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/backtests/{id}"))
    }

    /// The audit policy that is said to be in force in a cluster.
    pub fn audit_policy(&self, cluster: &str) -> Answer<AuditPolicyText> {
        self.get(&policy(cluster))
    }

    /// Says which audit policy is in force in a cluster.
    pub fn put_audit_policy(&self, cluster: &str, content: &str) -> Answer<AuditPolicyText> {
        let url = format!("{}{}", self.base, policy(cluster));
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/yaml")
            .send(content);
        read(url, answer)
    }

    /// Forgets it.
    pub fn delete_audit_policy(&self, cluster: &str) -> Answer<()> {
        self.delete(&policy(cluster))
    }
}

fn policy(cluster: &str) -> String {
    format!("/api/v1/audit/clusters/{}/policy", encoded(cluster))
}
