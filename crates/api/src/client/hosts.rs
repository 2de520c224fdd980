//! Calls about hosts, recommendations and statements, and those of sensors.

use super::{Client, ClientError, read, read_text};
use crate::{
    Attestation, AttestationList, Compliance, Exception, ExceptionList, Exemption, ExemptionList,
    FactsTaken, HostDetail, HostHistory, HostPage, Join, JoinToken, JoinTokenList, Joined,
    NewAttestation, NewException, NewExemption, NewJoinToken, PostureReport, RecommendationDetail,
    RecommendationList, Score, ScoreHistory, SensorList,
};

type Answer<T> = Result<T, ClientError>;

/// Each fails as [`ClientError`] says.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail in the same way, which the block says once"
)]
impl Client {
    /// Joins as a sensor. The client needs no token for it.
    pub fn join(&self, join: &Join) -> Answer<Joined> {
        self.post("/api/v1/join", join)
    }

    /// Sends facts, as JSON, by a sensor's own token.
    pub fn put_facts(&self, facts: &[u8]) -> Answer<FactsTaken> {
        let url = format!("{}/api/v1/facts", self.base);
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .send(facts);
        read(url, answer)
    }

    /// A page of hosts.
    pub fn hosts(&self, cursor: Option<&str>) -> Answer<HostPage> {
        match cursor {
            Some(cursor) => self.get(&format!("/api/v1/hosts?limit=200&cursor={cursor}")),
            None => self.get("/api/v1/hosts?limit=200"),
        }
    }

    /// A host.
    pub fn host(&self, id: i64) -> Answer<HostDetail> {
        self.get(&format!("/api/v1/hosts/{id}"))
    }

    /// What a benchmark says of a host; the newest edition of each, if nothing.
    pub fn host_report(&self, id: i64, benchmark: Option<&str>) -> Answer<PostureReport> {
        let query = benchmark.map(|name| format!("?benchmark={}", encoded(name)));
        self.get(&format!(
            "/api/v1/hosts/{id}/report{}",
            query.unwrap_or_default()
        ))
    }

    /// The facts of a host.
    pub fn host_facts(&self, id: i64) -> Answer<serde_json::Value> {
        self.get(&format!("/api/v1/hosts/{id}/facts"))
    }

    /// How the controls of a host changed.
    pub fn host_history(&self, id: i64) -> Answer<HostHistory> {
        self.get(&format!("/api/v1/hosts/{id}/history?limit=200"))
    }

    /// Forgets a host.
    pub fn delete_host(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/hosts/{id}"))
    }

    /// The sensors that joined.
    pub fn sensors(&self) -> Answer<SensorList> {
        self.get("/api/v1/sensors")
    }

    /// Takes a sensor out.
    pub fn delete_sensor(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/sensors/{id}"))
    }

    /// Tokens by which sensors join.
    pub fn join_tokens(&self) -> Answer<JoinTokenList> {
        self.get("/api/v1/join-tokens")
    }

    /// Makes one.
    pub fn create_join_token(&self, token: &NewJoinToken) -> Answer<JoinToken> {
        self.post("/api/v1/join-tokens", token)
    }

    /// Ends one.
    pub fn delete_join_token(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/join-tokens/{id}"))
    }

    /// Checks that may fail.
    pub fn exceptions(&self) -> Answer<ExceptionList> {
        self.get("/api/v1/exceptions")
    }

    /// Makes an exception.
    pub fn create_exception(&self, exception: &NewException) -> Answer<Exception> {
        self.post("/api/v1/exceptions", exception)
    }

    /// Takes one back.
    pub fn delete_exception(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/exceptions/{id}"))
    }

    /// People's answers.
    pub fn attestations(&self) -> Answer<AttestationList> {
        self.get("/api/v1/attestations")
    }

    /// Gives one.
    pub fn create_attestation(&self, attestation: &NewAttestation) -> Answer<Attestation> {
        self.post("/api/v1/attestations", attestation)
    }

    /// Takes one back.
    pub fn delete_attestation(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/attestations/{id}"))
    }

    /// Assets that recommendations do not count.
    pub fn exemptions(&self) -> Answer<ExemptionList> {
        self.get("/api/v1/exemptions")
    }

    /// Makes an exemption.
    pub fn create_exemption(&self, exemption: &NewExemption) -> Answer<Exemption> {
        self.post("/api/v1/exemptions", exemption)
    }

    /// Takes one back.
    pub fn delete_exemption(&self, id: i64) -> Answer<()> {
        self.delete(&format!("/api/v1/exemptions/{id}"))
    }

    /// All recommendations.
    pub fn recommendations(&self) -> Answer<RecommendationList> {
        self.get("/api/v1/recommendations")
    }

    /// One, with its assets.
    pub fn recommendation(&self, id: &str) -> Answer<RecommendationDetail> {
        self.get(&format!("/api/v1/recommendations/{}", encoded(id)))
    }

    /// The secure score.
    pub fn score(&self) -> Answer<Score> {
        self.get("/api/v1/score")
    }

    /// The score as it would be with unhealthy assets mended.
    pub fn score_if(&self, recommendation: Option<&str>, asset: Option<i64>) -> Answer<Score> {
        let recommendation = recommendation.map(|id| format!("recommendation={}", encoded(id)));
        let asset = asset.map(|id| format!("asset={id}"));
        let query: Vec<String> = recommendation.into_iter().chain(asset).collect();
        self.get(&format!("/api/v1/score/what-if?{}", query.join("&")))
    }

    /// The score as it was in the last days.
    pub fn score_history(&self, days: u32) -> Answer<ScoreHistory> {
        self.get(&format!("/api/v1/score/history?days={days}"))
    }

    /// A benchmark over all assets.
    pub fn compliance(&self, benchmark: &str, version: Option<&str>) -> Answer<Compliance> {
        self.get(&compliance(benchmark, "", version))
    }

    /// The same as CSV.
    pub fn compliance_csv(&self, benchmark: &str, version: Option<&str>) -> Answer<String> {
        let url = format!("{}{}", self.base, compliance(benchmark, "/csv", version));
        let answer = self
            .agent
            .get(&url)
            .header("authorization", &self.authorization)
            .call();
        read_text(url, answer)
    }

    pub(super) fn delete(&self, path: &str) -> Answer<()> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .agent
            .delete(&url)
            .header("authorization", &self.authorization)
            .call();
        read_text(url, answer).map(|_empty| ())
    }
}

fn compliance(benchmark: &str, rest: &str, version: Option<&str>) -> String {
    let query = version.map(|version| format!("?version={}", encoded(version)));
    format!(
        "/api/v1/compliance/{}{rest}{}",
        encoded(benchmark),
        query.unwrap_or_default()
    )
}

/// As a part of an address (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
