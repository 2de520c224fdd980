//! What can be typed behind `server` about clusters.

use camino::Utf8PathBuf;
use clap::Subcommand;

/// What a server is asked about clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum ClustersCommand {
    /// List the clusters that are watched, those with the gravest failures first.
    Clusters,
    /// Print a cluster with its nodes, benchmarks and recommendations as JSON.
    Cluster {
        /// The cluster's number, as `clusters` lists it.
        id: i64,
    },
    /// Print what a benchmark says of a cluster as JSON.
    ReportCluster {
        /// The cluster's number.
        id: i64,
        /// Such as cis-kubernetes@1.12.0; without it, the newest of each.
        #[arg(short, long, value_name = "NAME")]
        benchmark: Option<String>,
    },
    /// Print how the controls of a cluster changed, as JSON.
    ClusterHistory {
        /// The cluster's number.
        id: i64,
    },
    /// Print what a recommendation says of a cluster, object by object, as JSON.
    ClusterRecommendation {
        /// The cluster's number.
        id: i64,
        /// The recommendation.
        recommendation: String,
    },
    /// List the workloads of a cluster, those with the gravest failures first.
    Workloads {
        /// The cluster's number.
        id: i64,
        /// Only those in this namespace.
        #[arg(short, long)]
        namespace: Option<String>,
        /// Only those of this kind, such as Deployment.
        #[arg(short, long)]
        kind: Option<String>,
        /// Only those on which this check fails.
        #[arg(short, long)]
        check: Option<String>,
        /// Only those with this in their name.
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
    },
    /// Print a workload and what each check says of it, as JSON.
    Workload {
        /// The cluster's number.
        id: i64,
        /// The workload, as `workloads` lists it: Deployment/shop/web.
        workload: String,
    },
    /// Say which asset of a cloud a cluster is, so that both are judged as one; without a choice, what is found holds.
    ClusterCloud {
        /// The cluster's number.
        id: i64,
        /// The asset's number, as `cloud-assets` lists it.
        #[arg(long, value_name = "ID", required_unless_present_any = ["none", "found"])]
        asset: Option<i64>,
        /// It is none of them, whatever looks like it.
        #[arg(long, conflicts_with = "asset")]
        none: bool,
        /// Take back what was said: what is found holds.
        #[arg(long, conflicts_with_all = ["asset", "none"])]
        found: bool,
    },
    /// Forget a cluster. Its sensors have to join anew.
    DeleteCluster {
        /// The cluster's number.
        id: i64,
    },
    /// Print what is set for a recommendation, or set it: parameters, excluded namespaces, whether it is judged.
    RecommendationSettings {
        /// The recommendation.
        recommendation: String,
        /// File with what to set, as JSON: params, excluded_namespaces, enabled. `-` for standard input.
        #[arg(long, value_name = "FILE")]
        set: Option<Utf8PathBuf>,
        /// Only print what that would change, object by object.
        #[arg(long, requires = "set")]
        preview: bool,
        /// Take back what was set.
        #[arg(long, conflicts_with = "set")]
        reset: bool,
        /// Print what was set before, change by change.
        #[arg(long, conflicts_with_all = ["set", "reset"])]
        history: bool,
    },
}
