//! What can be typed behind `server` about what assets need: recommendations, the score, benchmarks, own checks.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};

/// What a server is asked about what assets need.
#[derive(Debug, Subcommand)]
pub(crate) enum EstateCommand {
    /// List assets of all kinds, those that need most first.
    Assets,
    /// Print an asset and what each recommendation says of it, as JSON.
    Asset {
        /// The asset's number, as `assets` lists it.
        id: i64,
    },
    /// List the images that an asset runs or holds, those with the gravest findings first.
    AssetImages {
        /// The asset's number: a host, a cluster or a registry.
        id: i64,
        /// Only those that nobody scanned.
        #[arg(long)]
        unscanned: bool,
        /// Everything as JSON.
        #[arg(long, conflicts_with = "unscanned")]
        json: bool,
    },
    /// List where an image runs: clusters with namespace and workload, hosts with container, and registries.
    ImageUses {
        /// The image's digest, as `images` lists it.
        digest: String,
        /// Only what runs now.
        #[arg(long)]
        running: bool,
        /// Everything as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Move an asset to an environment. Its points move with it.
    MoveAsset {
        /// The asset's number.
        id: i64,
        /// The environment.
        environment: String,
    },
    /// List all environments with their scores.
    Environments,
    /// List all recommendations, as JSON.
    Recommendations {
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Print a recommendation and what it says of each asset, as JSON.
    Recommendation {
        /// Its id.
        id: String,
        /// What it says of each asset, as CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Print the secure score as JSON.
    Score(ScoreArgs),
    /// Print a benchmark over all assets.
    Compliance(ComplianceArgs),
    /// List all benchmarks with their editions, as JSON.
    Benchmarks,
    /// Look after checks and benchmarks of your own, by which the server judges beside what is built in.
    #[command(subcommand)]
    Checks(OwnChecksCommand),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ScoreArgs {
    /// Of this environment, instead of all together.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// As it was in the last days, and what changed it.
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["if_mended", "if_host"])]
    pub(crate) history: Option<u32>,
    /// As it would be if assets needed this recommendation no more.
    #[arg(long, value_name = "RECOMMENDATION")]
    pub(crate) if_mended: Option<String>,
    /// As it would be if these assets needed nothing more.
    #[arg(long, value_name = "ASSET", value_delimiter = ',')]
    pub(crate) if_host: Vec<i64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ComplianceArgs {
    /// Such as cis-docker.
    pub(crate) benchmark: String,
    /// The edition; without it, the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) edition: Option<String>,
    /// Only assets of this environment.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Only this asset.
    #[arg(long, value_name = "ID")]
    pub(crate) asset: Option<i64>,
    /// As CSV, one line for each control and asset, instead of JSON.
    #[arg(long)]
    pub(crate) csv: bool,
    /// As a PDF, into this file.
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    pub(crate) pdf: Option<Utf8PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OwnChecksCommand {
    /// List them.
    List,
    /// Bring checks and benchmarks. They are tried as `check test` tries them, and kept all together or not at all.
    Add {
        /// Files of YAML, or folders of them.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<Utf8PathBuf>,
        /// Take the place of what has the same name.
        #[arg(long)]
        replace: bool,
        /// Only say what is wrong, and keep nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print one as it was brought.
    Show {
        /// A check's id, or a benchmark's id and edition.
        name: String,
    },
    /// Use one again.
    Enable {
        /// A check's id, or a benchmark's id and edition.
        name: String,
    },
    /// Keep one, but do not use it.
    Disable {
        /// A check's id, or a benchmark's id and edition.
        name: String,
    },
    /// Forget one.
    Delete {
        /// A check's id, or a benchmark's id and edition.
        name: String,
    },
}
