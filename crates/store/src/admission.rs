//! What may enter clusters: policies, the webhooks that answer by them, and what these decided.

mod scans;

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{Store, StoreError, Tx};

pub use scans::{Found, ScannedImage, scanned};

/// Samples that are kept, of all clusters.
const MOST_SAMPLES: i64 = 5_000;
/// How long counts are kept that nothing is added to: a quarter of a year.
const KEPT_MS: i64 = 90 * 24 * 3600 * 1000;
/// A webhook that said nothing for so long is away: it reports every 20 seconds.
const AWAY: SignedDuration = SignedDuration::from_mins(2);

/// A policy of a cluster, or of all that have none of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Empty for all.
    pub cluster: String,
    /// As JSON.
    pub content: String,
    /// Of the content.
    pub digest: String,
    /// Who changed it last.
    pub author: String,
    /// When.
    pub changed: Timestamp,
}

const POLICIES: &str =
    "SELECT cluster, content, digest, author, changed FROM admission_policy ORDER BY cluster";

/// All policies, that of all clusters first.
///
/// # Errors
/// When the database fails.
pub async fn policies(store: &Store) -> Result<Vec<Policy>, StoreError> {
    let rows = sqlx::query(POLICIES).fetch_all(&store.pool).await?;
    rows.iter().map(policy_from_row).collect()
}

fn policy_from_row(row: &AnyRow) -> Result<Policy, StoreError> {
    let columns = Columns::new(row, "admission_policy", &["cluster"]);
    Ok(Policy {
        cluster: columns.text("cluster")?,
        content: columns.text("content")?,
        digest: columns.text("digest")?,
        author: columns.text("author")?,
        changed: columns.time("changed")?,
    })
}

const PUT_POLICY: &str = "INSERT INTO admission_policy (cluster, content, digest, author, changed) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (cluster) DO UPDATE SET content = excluded.content, \
       digest = excluded.digest, author = excluded.author, changed = excluded.changed \
     WHERE $6 = '' OR admission_policy.digest = $6";

/// Puts a policy in place of the one that has the digest `replaces`, or of any if that is empty. Returns whether it
/// was that one.
///
/// # Errors
/// When the database fails.
pub async fn put_policy(tx: &mut Tx, policy: &Policy, replaces: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(PUT_POLICY)
        .bind(clean(&policy.cluster))
        .bind(clean(&policy.content))
        .bind(&policy.digest)
        .bind(clean(&policy.author))
        .bind(policy.changed.as_millisecond())
        .bind(replaces)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const DELETE_POLICY: &str = "DELETE FROM admission_policy WHERE cluster = $1";

/// Takes a policy away. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete_policy(tx: &mut Tx, cluster: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE_POLICY)
        .bind(cluster)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A webhook that answers for a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRow {
    /// The cluster's name.
    pub cluster: String,
    /// The webhook's, such as its pod's.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// Digest of the policy that it has; empty for one of its own.
    pub policy: String,
    /// Reviews that it answered.
    pub reviews: u64,
    /// How its certificate is, as JSON, if it said so.
    pub certificate: Option<String>,
    /// When it told something first.
    pub first_seen: Timestamp,
    /// When it told something last.
    pub last_seen: Timestamp,
    /// When any webhook of its cluster did.
    pub cluster_seen: Timestamp,
}

impl GateRow {
    /// Whether nothing was heard for minutes of any webhook of its cluster.
    #[must_use]
    pub fn is_away(&self, now: Timestamp) -> bool {
        now.duration_since(self.cluster_seen) > AWAY
    }

    /// Whether others of its cluster told something long after it did: a pod that was replaced.
    fn is_replaced(&self) -> bool {
        self.cluster_seen.duration_since(self.last_seen) > AWAY
    }
}

/// What a webhook tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Names the report, so that it counts once.
    pub id: String,
    /// See [`GateRow::cluster`].
    pub cluster: String,
    /// See [`GateRow::name`].
    pub gate: String,
    /// See [`GateRow::version`].
    pub version: String,
    /// See [`GateRow::policy`].
    pub policy: String,
    /// Reviews since the last report.
    pub reviews: u64,
    /// See [`GateRow::certificate`].
    pub certificate: Option<String>,
    /// Decisions since the last report.
    pub counts: Vec<NewCount>,
    /// Some of them.
    pub samples: Vec<NewSample>,
}

/// Decisions of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCount {
    /// The recommendation's id.
    pub recommendation: String,
    /// The namespace.
    pub namespace: String,
    /// `denied`, `warned`, `audited` or `unchecked`.
    pub effect: String,
    /// How many.
    pub decisions: u64,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSample {
    /// See [`NewCount::recommendation`].
    pub recommendation: String,
    /// See [`NewCount::namespace`].
    pub namespace: String,
    /// See [`NewCount::effect`].
    pub effect: String,
    /// When.
    pub at: Timestamp,
    /// `create` or `update`.
    pub operation: String,
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// What is wrong.
    pub message: String,
}

const LAST_REPORT: &str = "SELECT cluster, name, last_report FROM admission_gate \
     WHERE cluster = $1 AND name = $2";
const SEEN: &str = "INSERT INTO admission_gate (cluster, name, version, policy, reviews, last_report, first_seen, last_seen, certificate) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT (cluster, name) DO UPDATE SET version = excluded.version, \
       policy = excluded.policy, reviews = admission_gate.reviews + excluded.reviews, \
       last_report = excluded.last_report, last_seen = excluded.last_seen, certificate = excluded.certificate";
const COUNT: &str = "INSERT INTO admission_count (cluster, recommendation, namespace, effect, decisions, first_seen, last_seen) \
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (cluster, recommendation, namespace, effect) DO UPDATE SET \
       decisions = admission_count.decisions + excluded.decisions, last_seen = excluded.last_seen";
const SAMPLE: &str = "INSERT INTO admission_sample (cluster, recommendation, namespace, effect, at, operation, kind, name, author, message) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const PRUNE_SAMPLES: &str =
    "DELETE FROM admission_sample WHERE id <= (SELECT MAX(id) FROM admission_sample) - $1";
const PRUNE_COUNTS: &str = "DELETE FROM admission_count WHERE last_seen < $1";
const PRUNE_GATES: &str = "DELETE FROM admission_gate WHERE last_seen < $1";

/// Adds what a webhook tells. The same report again changes nothing. Returns whether it was new.
///
/// # Errors
/// When the database fails.
pub async fn add_report(tx: &mut Tx, report: &Report, now: Timestamp) -> Result<bool, StoreError> {
    let (cluster, gate) = (clean(&report.cluster), clean(&report.gate));
    let last = sqlx::query(LAST_REPORT)
        .bind(&cluster)
        .bind(&gate)
        .fetch_optional(tx.connection())
        .await?;
    if let Some(row) = &last {
        let columns = Columns::new(row, "admission_gate", &["cluster", "name"]);
        if columns.text("last_report")? == report.id {
            return Ok(false);
        }
    }
    let at = now.as_millisecond();
    sqlx::query(SEEN)
        .bind(&cluster)
        .bind(&gate)
        .bind(clean(&report.version))
        .bind(clean(&report.policy))
        .bind(number(report.reviews))
        .bind(clean(&report.id))
        .bind(at)
        .bind(report.certificate.as_deref().map(clean))
        .execute(tx.connection())
        .await?;
    for count in &report.counts {
        sqlx::query(COUNT)
            .bind(&cluster)
            .bind(clean(&count.recommendation))
            .bind(clean(&count.namespace))
            .bind(clean(&count.effect))
            .bind(number(count.decisions))
            .bind(at)
            .execute(tx.connection())
            .await?;
    }
    for sample in &report.samples {
        sqlx::query(SAMPLE)
            .bind(&cluster)
            .bind(clean(&sample.recommendation))
            .bind(clean(&sample.namespace))
            .bind(clean(&sample.effect))
            .bind(sample.at.as_millisecond())
            .bind(clean(&sample.operation))
            .bind(clean(&sample.kind))
            .bind(clean(&sample.name))
            .bind(clean(&sample.user))
            .bind(clean(&sample.message))
            .execute(tx.connection())
            .await?;
    }
    for (statement, bound) in [
        (PRUNE_SAMPLES, MOST_SAMPLES),
        (PRUNE_COUNTS, at.saturating_sub(KEPT_MS)),
        (PRUNE_GATES, at.saturating_sub(KEPT_MS)),
    ] {
        sqlx::query(statement)
            .bind(bound)
            .execute(tx.connection())
            .await?;
    }
    Ok(true)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Decisions of one kind, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountRow {
    /// The cluster.
    pub cluster: String,
    /// What was counted, and how many there are.
    pub counted: NewCount,
    /// When there was the first.
    pub first_seen: Timestamp,
    /// When there was the last.
    pub last_seen: Timestamp,
}

/// A decision of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRow {
    /// The cluster.
    pub cluster: String,
    /// The decision.
    pub said: NewSample,
}

/// Which decisions; what is left out restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// The cluster.
    pub cluster: Option<String>,
    /// The recommendation's id.
    pub recommendation: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
}

const GATES: &str = "SELECT cluster, name, version, policy, reviews, certificate, first_seen, last_seen, \
       MAX(last_seen) OVER (PARTITION BY cluster) AS cluster_seen FROM admission_gate \
     ORDER BY cluster, name";

/// All webhooks but those that others have replaced. Their rows stay for a while: they know which report was the last.
///
/// # Errors
/// When the database fails.
pub async fn gates(store: &Store) -> Result<Vec<GateRow>, StoreError> {
    let rows = sqlx::query(GATES).fetch_all(&store.pool).await?;
    let from_row = |row: &AnyRow| {
        let columns = Columns::new(row, "admission_gate", &["cluster", "name"]);
        Ok(GateRow {
            cluster: columns.text("cluster")?,
            name: columns.text("name")?,
            version: columns.text("version")?,
            policy: columns.text("policy")?,
            reviews: columns.count("reviews")?,
            certificate: columns.opt_text("certificate")?,
            first_seen: columns.time("first_seen")?,
            last_seen: columns.time("last_seen")?,
            cluster_seen: columns.time("cluster_seen")?,
        })
    };
    let mut gates: Vec<GateRow> = rows
        .iter()
        .map(from_row)
        .collect::<Result<_, StoreError>>()?;
    gates.retain(|gate| !gate.is_replaced());
    Ok(gates)
}

const COUNTS: &str = "SELECT cluster, recommendation, namespace, effect, decisions, first_seen, last_seen \
     FROM admission_count WHERE ($1 = '' OR cluster = $1) AND ($2 = '' OR recommendation = $2) \
       AND ($3 = '' OR namespace = $3) \
     ORDER BY recommendation, cluster, namespace, effect LIMIT $4";

/// Counts of decisions, by recommendation, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn counts(
    store: &Store,
    filter: &DecisionFilter,
    limit: i64,
) -> Result<Vec<CountRow>, StoreError> {
    let rows = sqlx::query(COUNTS)
        .bind(filter.cluster.as_deref().unwrap_or_default())
        .bind(filter.recommendation.as_deref().unwrap_or_default())
        .bind(filter.namespace.as_deref().unwrap_or_default())
        .bind(limit)
        .fetch_all(&store.pool)
        .await?;
    let from_row = |row: &AnyRow| {
        let columns = Columns::new(row, "admission_count", &["cluster", "recommendation"]);
        Ok(CountRow {
            cluster: columns.text("cluster")?,
            counted: NewCount {
                recommendation: columns.text("recommendation")?,
                namespace: columns.text("namespace")?,
                effect: columns.text("effect")?,
                decisions: columns.count("decisions")?,
            },
            first_seen: columns.time("first_seen")?,
            last_seen: columns.time("last_seen")?,
        })
    };
    rows.iter().map(from_row).collect()
}

const SAMPLES: &str = "SELECT id, cluster, recommendation, namespace, effect, at, operation, kind, name, author, message \
     FROM admission_sample WHERE ($1 = '' OR cluster = $1) AND ($2 = '' OR recommendation = $2) \
       AND ($3 = '' OR namespace = $3) ORDER BY id DESC LIMIT $4";

/// Samples of decisions, the last ones first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn samples(
    store: &Store,
    filter: &DecisionFilter,
    limit: i64,
) -> Result<Vec<SampleRow>, StoreError> {
    let rows = sqlx::query(SAMPLES)
        .bind(filter.cluster.as_deref().unwrap_or_default())
        .bind(filter.recommendation.as_deref().unwrap_or_default())
        .bind(filter.namespace.as_deref().unwrap_or_default())
        .bind(limit)
        .fetch_all(&store.pool)
        .await?;
    let from_row = |row: &AnyRow| {
        let columns = Columns::new(row, "admission_sample", &["id"]);
        Ok(SampleRow {
            cluster: columns.text("cluster")?,
            said: NewSample {
                recommendation: columns.text("recommendation")?,
                namespace: columns.text("namespace")?,
                effect: columns.text("effect")?,
                at: columns.time("at")?,
                operation: columns.text("operation")?,
                kind: columns.text("kind")?,
                name: columns.text("name")?,
                user: columns.text("author")?,
                message: columns.text("message")?,
            },
        })
    };
    rows.iter().map(from_row).collect()
}
