//! Which hosts with a sensor are nodes of which cluster.

use jiff::Timestamp;

use crate::columns::Columns;
use crate::rows::clean;
use crate::{AssetId, Store, StoreError, Tx};

/// A host that is a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The host.
    pub host: AssetId,
    /// As its cluster calls it.
    pub node: String,
    /// When its sensor was heard of last.
    pub last_seen: Timestamp,
}

const JOIN: &str = "INSERT INTO cluster_node (host, cluster, node) VALUES ($1, $2, $3) \
     ON CONFLICT (host) DO UPDATE SET cluster = excluded.cluster, node = excluded.node";

/// Notes that a host is a node of a cluster.
///
/// # Errors
/// When the database fails.
pub async fn join_node(
    tx: &mut Tx,
    host: AssetId,
    cluster: AssetId,
    node: &str,
) -> Result<(), StoreError> {
    sqlx::query(JOIN)
        .bind(host.0)
        .bind(cluster.0)
        .bind(clean(node))
        .execute(tx.connection())
        .await?;
    Ok(())
}

const LEAVE: &str = "DELETE FROM cluster_node WHERE host = $1";

/// Notes that a host is a node no more.
///
/// # Errors
/// When the database fails.
pub async fn leave_node(tx: &mut Tx, host: AssetId) -> Result<(), StoreError> {
    sqlx::query(LEAVE)
        .bind(host.0)
        .execute(tx.connection())
        .await?;
    Ok(())
}

const OF: &str = "SELECT cluster, node FROM cluster_node WHERE host = $1";

/// The cluster of which a host is a node, and its name there.
///
/// # Errors
/// When the database fails.
pub async fn node_of(tx: &mut Tx, host: AssetId) -> Result<Option<(AssetId, String)>, StoreError> {
    let row = sqlx::query(OF)
        .bind(host.0)
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::new(&row, "cluster_node", &["cluster"]);
    Ok(Some((
        AssetId(columns.int("cluster")?),
        columns.text("node")?,
    )))
}

const NODES: &str = "SELECT n.host AS host, n.node AS node, a.last_seen AS last_seen FROM cluster_node n \
     JOIN asset a ON a.id = n.host WHERE n.cluster = $1 ORDER BY n.node, n.host";

/// The hosts that are nodes of a cluster.
///
/// # Errors
/// When the database fails.
pub async fn nodes(store: &Store, cluster: AssetId) -> Result<Vec<Node>, StoreError> {
    let found = sqlx::query(NODES)
        .bind(cluster.0)
        .fetch_all(&store.pool)
        .await?;
    found
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "cluster_node", &["host"]);
            Ok(Node {
                host: AssetId(columns.int("host")?),
                node: columns.text("node")?,
                last_seen: columns.time("last_seen")?,
            })
        })
        .collect()
}
