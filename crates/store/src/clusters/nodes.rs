//! Hosts that say of which cluster they are a node. Whether they are is for who judges the cluster.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::columns::Columns;
use crate::rows::{clean, json};
use crate::{AssetId, Store, StoreError, Tx};

/// What a host says of itself as a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// As its cluster calls it.
    pub node: String,
    /// The cluster's uid, where the host knows it.
    pub cluster_uid: Option<String>,
    /// SHA-256 of the certificates by which it knows the cluster.
    pub authorities: BTreeSet<String>,
    /// Of all that it says of Kubernetes: equal ones say the same.
    pub digest: String,
}

/// A host that says that it is a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The host.
    pub host: AssetId,
    /// Its name.
    pub host_name: String,
    /// The program that collected its facts.
    pub collector: String,
    /// When its sensor was heard of last.
    pub last_seen: Timestamp,
    /// What it says.
    pub membership: Membership,
}

const PUT: &str = "INSERT INTO cluster_node (host, node, cluster_uid, authorities, digest) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (host) DO UPDATE SET node = excluded.node, cluster_uid = excluded.cluster_uid, \
       authorities = excluded.authorities, digest = excluded.digest \
     WHERE cluster_node.digest <> excluded.digest";
const DELETE: &str = "DELETE FROM cluster_node WHERE host = $1";

/// Notes what a host says of itself as a node; with `None` that it is none. Returns whether that is new.
///
/// # Errors
/// When the database fails.
pub async fn put_node(
    tx: &mut Tx,
    host: AssetId,
    membership: Option<&Membership>,
) -> Result<bool, StoreError> {
    let query = match membership {
        None => sqlx::query(DELETE).bind(host.0),
        Some(said) => sqlx::query(PUT)
            .bind(host.0)
            .bind(clean(&said.node))
            .bind(said.cluster_uid.as_deref().map(clean))
            .bind(clean(&json(&said.authorities)))
            .bind(clean(&said.digest)),
    };
    let done = query.execute(tx.connection()).await?;
    Ok(done.rows_affected() > 0)
}

const NODES: &str = "SELECT n.host AS host, n.node AS node, n.cluster_uid AS cluster_uid, n.authorities AS authorities, \
       n.digest AS digest, a.name AS name, a.collector AS collector, a.last_seen AS last_seen \
     FROM cluster_node n JOIN asset a ON a.id = n.host ORDER BY n.node, n.host";

/// All hosts that say that they are nodes, by the nodes' names.
///
/// # Errors
/// When the database fails.
pub async fn nodes(store: &Store) -> Result<Vec<Node>, StoreError> {
    let found = sqlx::query(NODES).fetch_all(&store.pool).await?;
    found
        .iter()
        .map(|row| {
            let columns = Columns::new(row, "cluster_node", &["host"]);
            Ok(Node {
                host: AssetId(columns.int("host")?),
                host_name: columns.text("name")?,
                collector: columns.text("collector")?,
                last_seen: columns.time("last_seen")?,
                membership: Membership {
                    node: columns.text("node")?,
                    cluster_uid: columns.opt_text("cluster_uid")?,
                    authorities: columns.json("authorities")?,
                    digest: columns.text("digest")?,
                },
            })
        })
        .collect()
}
