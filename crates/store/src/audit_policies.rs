//! The audit policies that people say are in force in clusters.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AuditClusterId, Store, StoreError, Tx};

/// A cluster's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPolicy {
    /// The cluster.
    pub cluster: AuditClusterId,
    /// Its YAML.
    pub content: String,
    /// Who gave it.
    pub author: String,
    /// When.
    pub changed: Timestamp,
}

const PUT: &str = "INSERT INTO audit_policy (cluster, content, author, changed) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (cluster) DO UPDATE SET content = excluded.content, author = excluded.author, changed = excluded.changed";

/// Keeps a cluster's policy, in place of the one before.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, policy: &AuditPolicy) -> Result<(), StoreError> {
    sqlx::query(PUT)
        .bind(policy.cluster.0)
        .bind(clean(&policy.content))
        .bind(clean(&policy.author))
        .bind(policy.changed.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const LIST: &str = "SELECT cluster, content, author, changed FROM audit_policy ORDER BY cluster";

/// The policies of all clusters that have one.
///
/// # Errors
/// When the database fails.
pub async fn list(store: &Store) -> Result<Vec<AuditPolicy>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<AuditPolicy, StoreError> {
    let columns = Columns::new(row, "audit_policy", &["cluster"]);
    Ok(AuditPolicy {
        cluster: AuditClusterId(columns.int("cluster")?),
        content: columns.text("content")?,
        author: columns.text("author")?,
        changed: columns.time("changed")?,
    })
}

const DELETE: &str = "DELETE FROM audit_policy WHERE cluster = $1";

/// Forgets a cluster's policy. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, cluster: AuditClusterId) -> Result<bool, StoreError> {
    let done = sqlx::query(DELETE)
        .bind(cluster.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
