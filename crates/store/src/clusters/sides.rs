//! The two sides of a cluster: as it is seen from within, and as its cloud knows it. Whether both are one is for who judges
//! the cluster, or for people.

use jiff::Timestamp;
use seareeve_model::Digest;
use sqlx::any::AnyRow;

use crate::columns::Columns;
use crate::rows::{clean, json};
use crate::{AssetId, Store, StoreError, Tx};

/// What a cloud says of a cluster, by which it is known again from within.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudIdentity {
    /// Where the cloud keeps its nodes, in lower case.
    pub node_group: Option<String>,
    /// Names of its API server.
    pub endpoints: Vec<String>,
    /// The version of Kubernetes.
    pub version: Option<String>,
}

/// A cluster as its cloud knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudCluster {
    /// The asset that it is by itself.
    pub asset: AssetId,
    /// Its name there.
    pub name: String,
    /// The cloud's own id.
    pub external_id: String,
    /// Of what the cloud says of it.
    pub digest: Digest,
    /// By what it is known again.
    pub identity: CloudIdentity,
}

/// Why two sides are one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// A node lies where the cloud keeps the cluster's nodes.
    Nodes,
    /// The API server is asked by a name that the cloud gave it.
    Address,
    /// A node's label names the group, and no other cluster has one of this name.
    Label,
    /// Somebody said so.
    Chosen,
}

/// What is known of a cluster's side in a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// As it is seen from within.
    pub cluster: AssetId,
    /// As its cloud knows it; nothing where somebody said that there is none.
    pub cloud: Option<AssetId>,
    /// Why.
    pub how: Likeness,
    /// Who said so; nothing where it was found.
    pub author: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Likeness {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Address => "address",
            Self::Label => "label",
            Self::Chosen => "chosen",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Nodes, Self::Address, Self::Label, Self::Chosen]
            .into_iter()
            .find(|one| one.as_str() == word)
    }
}

const PUT: &str = "INSERT INTO cloud_cluster (asset, node_group, endpoints, version) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (asset) DO UPDATE SET node_group = excluded.node_group, endpoints = excluded.endpoints, \
       version = excluded.version \
     WHERE COALESCE(cloud_cluster.node_group, '') <> COALESCE(excluded.node_group, '') \
       OR cloud_cluster.endpoints <> excluded.endpoints \
       OR COALESCE(cloud_cluster.version, '') <> COALESCE(excluded.version, '')";

/// Notes by what a cluster of a cloud is known again. Returns whether that is new.
///
/// # Errors
/// When the database fails.
pub async fn put_cloud(
    tx: &mut Tx,
    asset: AssetId,
    identity: &CloudIdentity,
) -> Result<bool, StoreError> {
    let done = sqlx::query(PUT)
        .bind(asset.0)
        .bind(identity.node_group.as_deref().map(clean))
        .bind(clean(&json(&identity.endpoints)))
        .bind(identity.version.as_deref().map(clean))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

const CLOUDS: &str = "SELECT c.asset AS asset, a.name AS name, a.external_id AS external_id, s.digest AS digest, \
       c.node_group AS node_group, c.endpoints AS endpoints, c.version AS version \
     FROM cloud_cluster c JOIN asset a ON a.id = c.asset JOIN asset_snapshot s ON s.asset = c.asset ORDER BY c.asset";

/// All clusters that clouds know.
///
/// # Errors
/// When the database fails.
pub async fn clouds(store: &Store) -> Result<Vec<CloudCluster>, StoreError> {
    let rows = sqlx::query(CLOUDS).fetch_all(&store.pool).await?;
    let cluster = |row: &AnyRow| {
        let columns = Columns::new(row, "cloud_cluster", &["asset"]);
        Ok(CloudCluster {
            asset: AssetId(columns.int("asset")?),
            name: columns.text("name")?,
            external_id: columns.text("external_id")?,
            digest: columns.parsed("digest")?,
            identity: CloudIdentity {
                node_group: columns.opt_text("node_group")?,
                endpoints: columns.json("endpoints")?,
                version: columns.opt_text("version")?,
            },
        })
    };
    rows.iter().map(cluster).collect()
}

macro_rules! select_sides {
    () => {
        "SELECT cluster, cloud, how, author, since FROM cluster_side "
    };
}
const SIDES: &str = concat!(select_sides!(), "ORDER BY cluster");
const SIDE_OF: &str = concat!(select_sides!(), "WHERE cluster = $1 OR cloud = $1");

/// All clusters that are seen from both sides, and those of which somebody said that they are not.
///
/// # Errors
/// When the database fails.
pub async fn sides(store: &Store) -> Result<Vec<Side>, StoreError> {
    let rows = sqlx::query(SIDES).fetch_all(&store.pool).await?;
    rows.iter().map(from_row).collect()
}

/// What is known of an asset as one side of a cluster, whichever it is.
///
/// # Errors
/// When the database fails.
pub async fn side_of(store: &Store, asset: AssetId) -> Result<Option<Side>, StoreError> {
    let row = sqlx::query(SIDE_OF)
        .bind(asset.0)
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The same, as the transaction sees it.
///
/// # Errors
/// When the database fails.
pub async fn side_in(tx: &mut Tx, asset: AssetId) -> Result<Option<Side>, StoreError> {
    let row = sqlx::query(SIDE_OF)
        .bind(asset.0)
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(from_row).transpose()
}

const PART: &str = "DELETE FROM cluster_side WHERE cluster = $1";
const TAKE: &str = "DELETE FROM cluster_side WHERE cloud = $1 AND cluster <> $2 AND author IS NULL";
const JOIN: &str = "INSERT INTO cluster_side (cluster, cloud, how, author, since) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT DO NOTHING";

/// Notes what the other side of a cluster is, in place of what was known. What another cluster was found to have is
/// taken from it; what somebody gave it is not. The same again writes nothing. Returns whether it is so now.
///
/// # Errors
/// When the database fails.
pub async fn set_side(tx: &mut Tx, side: &Side) -> Result<bool, StoreError> {
    let known = side_in(tx, side.cluster).await?;
    let is_same = |known: &Side| {
        (known.cluster, known.cloud, known.how, &known.author)
            == (side.cluster, side.cloud, side.how, &side.author)
    };
    if known.as_ref().is_some_and(is_same) {
        return Ok(true);
    }
    unset_side(tx, side.cluster).await?;
    if let Some(cloud) = side.cloud {
        sqlx::query(TAKE)
            .bind(cloud.0)
            .bind(side.cluster.0)
            .execute(tx.connection())
            .await?;
    }
    let done = sqlx::query(JOIN)
        .bind(side.cluster.0)
        .bind(side.cloud.map(|cloud| cloud.0))
        .bind(side.how.as_str())
        .bind(side.author.as_deref().map(clean))
        .bind(side.since.as_millisecond())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets what is known of a cluster's other side. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn unset_side(tx: &mut Tx, cluster: AssetId) -> Result<bool, StoreError> {
    let done = sqlx::query(PART)
        .bind(cluster.0)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

fn from_row(row: &AnyRow) -> Result<Side, StoreError> {
    let columns = Columns::new(row, "cluster_side", &["cluster"]);
    Ok(Side {
        cluster: AssetId(columns.int("cluster")?),
        cloud: columns.opt_int("cloud")?.map(AssetId),
        how: columns.word("how", Likeness::parse)?,
        author: columns.opt_text("author")?,
        since: columns.time("since")?,
    })
}
