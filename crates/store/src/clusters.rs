//! Kubernetes clusters: assets whose facts are kept one by one, so that a changed object is a changed row.

mod facts;
mod nodes;
mod sides;

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Collection, FactKind};
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json, size};
use crate::{AssetId, Store, StoreError, Tx};

pub use facts::{
    ChangedFact, Key, NewFact, changed, drop_facts, facts, forget_gone, hashes, page, page_in,
    put_facts, some, weight,
};
pub use nodes::{Membership, Node, nodes, put_node};
pub use sides::{
    CloudCluster, CloudIdentity, Likeness, Side, clouds, put_cloud, set_side, side_in, side_of,
    sides, unset_side,
};

/// The kind of the assets.
pub const KIND: &str = "kubernetes-cluster";

/// What is known of a cluster beside its asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The asset.
    pub asset: AssetId,
    /// Who watches it: `sensor` or `server`.
    pub watcher: String,
    /// Counts up with each change of its facts.
    pub revision: i64,
    /// Whether all facts that were announced are there.
    pub is_whole: bool,
    /// Of when its facts are.
    pub collected_at: Timestamp,
    /// How collecting went, by kind, without the facts.
    pub collections: BTreeMap<FactKind, Collection>,
    /// Why it cannot be watched, where it cannot.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<Timestamp>,
    /// What its summary says.
    pub summary: Summary,
}

/// What lists show of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of its API server.
    pub version: Option<String>,
    /// `aks`, `eks`, `kind`, …
    pub provider: Option<String>,
    /// How many nodes it has, where that is known; so the following.
    pub nodes: Option<u64>,
    /// Namespaces.
    pub namespaces: Option<u64>,
    /// Workloads.
    pub workloads: Option<u64>,
}

/// A cluster that somebody tells of.
#[derive(Clone, Copy, Debug)]
pub struct NewCluster<'a> {
    /// The uid of its namespace `kube-system`.
    pub external_id: &'a str,
    /// For people.
    pub name: &'a str,
    /// The program that collects its facts.
    pub collector: &'a str,
    /// See [`Cluster::watcher`].
    pub watcher: &'a str,
    /// Of when its facts are.
    pub collected_at: Timestamp,
}

macro_rules! select_cluster {
    () => {
        "SELECT asset, watcher, revision, is_whole, collected_at, collections, trouble, trouble_since, version, \
           provider, nodes, namespaces, workloads FROM cluster "
    };
}

const ASSET: &str = "INSERT INTO asset (kind, external_id, name, collector, first_seen, last_seen, engines, state, \
       critical, high, medium, low, unknown) \
     VALUES ('kubernetes-cluster', $1, $2, $3, $4, $4, '[]', 'unknown', 0, 0, 0, 0, 0) \
     ON CONFLICT (kind, external_id) DO UPDATE SET name = excluded.name, collector = excluded.collector, \
       last_seen = excluded.last_seen RETURNING id";
const MEET: &str = "INSERT INTO cluster (asset, watcher, revision, is_whole, collected_at, collections) \
     VALUES ($1, $2, 0, 0, $3, '{}') ON CONFLICT (asset) DO UPDATE SET watcher = excluded.watcher, \
       collected_at = excluded.collected_at";
const GET: &str = concat!(select_cluster!(), "WHERE asset = $1");

/// Takes a cluster in, or notes that it was heard of again.
///
/// # Errors
/// When the database fails.
pub async fn meet(
    tx: &mut Tx,
    cluster: &NewCluster<'_>,
    now: Timestamp,
) -> Result<Cluster, StoreError> {
    let row = sqlx::query(ASSET)
        .bind(clean(cluster.external_id))
        .bind(clean(cluster.name))
        .bind(clean(cluster.collector))
        .bind(now.as_millisecond())
        .fetch_one(tx.connection())
        .await?;
    let asset = Columns::new(&row, "asset", &["id"]).int("id")?;
    sqlx::query(MEET)
        .bind(asset)
        .bind(clean(cluster.watcher))
        .bind(cluster.collected_at.as_millisecond())
        .execute(tx.connection())
        .await?;
    let row = sqlx::query(GET)
        .bind(asset)
        .fetch_one(tx.connection())
        .await?;
    from_row(&row)
}

/// What is known of a cluster.
///
/// # Errors
/// When the database fails.
pub async fn get(store: &Store, asset: AssetId) -> Result<Option<Cluster>, StoreError> {
    let row = sqlx::query(GET)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

const BY_UID: &str = concat!(
    select_cluster!(),
    "WHERE asset = (SELECT id FROM asset WHERE kind = 'kubernetes-cluster' AND external_id = $1)"
);

/// The cluster of this uid, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn by_uid(tx: &mut Tx, uid: &str) -> Result<Option<Cluster>, StoreError> {
    let row = sqlx::query(BY_UID)
        .bind(clean(uid))
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(from_row).transpose()
}

const ALL: &str = concat!(select_cluster!(), "ORDER BY asset");

/// All clusters.
///
/// # Errors
/// When the database fails.
pub async fn all(store: &Store) -> Result<Vec<Cluster>, StoreError> {
    let rows = sqlx::query(ALL).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

const SEEN: &str = "UPDATE asset SET last_seen = $2 WHERE id = $1";
const PROGRESS: &str = "UPDATE cluster SET revision = $2, is_whole = $3, collected_at = $4, collections = $5 WHERE asset = $1";

/// Notes where a cluster's facts stand.
///
/// # Errors
/// When the database fails.
pub async fn progress(tx: &mut Tx, cluster: &Cluster, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(PROGRESS)
        .bind(cluster.asset.0)
        .bind(cluster.revision)
        .bind(i64::from(cluster.is_whole))
        .bind(cluster.collected_at.as_millisecond())
        .bind(clean(&json(&cluster.collections)))
        .execute(tx.connection())
        .await?;
    seen(tx, cluster.asset, now).await
}

/// Notes that a cluster was heard of.
///
/// # Errors
/// When the database fails.
pub async fn seen(tx: &mut Tx, asset: AssetId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(SEEN)
        .bind(asset.0)
        .bind(now.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

const TROUBLE: &str = "UPDATE cluster SET trouble = $2, \
       trouble_since = CASE WHEN $4 = 0 THEN NULL ELSE COALESCE(trouble_since, $3) END \
     WHERE asset = $1 AND COALESCE(trouble, '') <> COALESCE($2, '')";

/// Notes why a cluster cannot be watched, or with `None` that it can. Returns whether that is new.
///
/// # Errors
/// When the database fails.
pub async fn set_trouble(
    tx: &mut Tx,
    asset: AssetId,
    trouble: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(TROUBLE)
        .bind(asset.0)
        .bind(trouble.map(clean))
        .bind(now.as_millisecond())
        .bind(i64::from(trouble.is_some()))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const SUMMARY: &str = "UPDATE cluster SET version = $2, provider = $3, nodes = $4, namespaces = $5, workloads = $6 \
     WHERE asset = $1 AND (COALESCE(version, '') <> COALESCE($2, '') OR COALESCE(provider, '') <> COALESCE($3, '') \
       OR COALESCE(nodes, -1) <> COALESCE($4, -1) OR COALESCE(namespaces, -1) <> COALESCE($5, -1) \
       OR COALESCE(workloads, -1) <> COALESCE($6, -1))";

/// Notes what lists show. The same again writes nothing.
///
/// # Errors
/// When the database fails.
pub async fn set_summary(
    tx: &mut Tx,
    asset: AssetId,
    summary: &Summary,
) -> Result<bool, StoreError> {
    let done = sqlx::query(SUMMARY)
        .bind(asset.0)
        .bind(summary.version.as_deref().map(clean))
        .bind(summary.provider.as_deref().map(clean))
        .bind(summary.nodes.map(size))
        .bind(summary.namespaces.map(size))
        .bind(summary.workloads.map(size))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const SILENT: &str = "SELECT c.asset AS asset FROM cluster c JOIN asset a ON a.id = c.asset \
     WHERE c.trouble IS NULL AND a.last_seen < $1 ORDER BY c.asset";

/// Clusters without a known trouble that were not heard of since `before`.
///
/// # Errors
/// When the database fails.
pub async fn silent(store: &Store, before: Timestamp) -> Result<Vec<AssetId>, StoreError> {
    let rows = sqlx::query(SILENT)
        .bind(before.as_millisecond())
        .fetch_all(&store.pool)
        .await?;
    let id = |row: &AnyRow| Columns::new(row, "cluster", &["asset"]).int("asset");
    rows.iter().map(|row| id(row).map(AssetId)).collect()
}

fn from_row(row: &AnyRow) -> Result<Cluster, StoreError> {
    let columns = Columns::new(row, "cluster", &["asset"]);
    Ok(Cluster {
        asset: AssetId(columns.int("asset")?),
        watcher: columns.text("watcher")?,
        revision: columns.int("revision")?,
        is_whole: columns.int("is_whole")? != 0,
        collected_at: columns.time("collected_at")?,
        collections: columns.json("collections")?,
        trouble: columns.opt_text("trouble")?,
        trouble_since: columns.opt_time("trouble_since")?,
        summary: Summary {
            version: columns.opt_text("version")?,
            provider: columns.opt_text("provider")?,
            nodes: columns.opt_count("nodes")?,
            namespaces: columns.opt_count("namespaces")?,
            workloads: columns.opt_count("workloads")?,
        },
    })
}
