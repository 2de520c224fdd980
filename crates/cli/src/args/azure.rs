//! What can be typed behind `azure`, and behind `server` about connectors.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use seareeve_model::Severity;

use super::PostureFormat;

#[derive(Debug, ClapArgs)]
pub(crate) struct AzureArgs {
    /// Files and folders with documents that somebody saved, instead of asking Azure. May be given several times.
    #[arg(short, long, num_args = 1.., value_name = "PATH")]
    pub(crate) file: Vec<Utf8PathBuf>,

    /// Only these subscriptions, by id or name; all that the credentials may see without.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        conflicts_with_all = ["file", "facts"],
        help_heading = "Azure"
    )]
    pub(crate) subscription: Vec<String>,

    /// Which cloud.
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        conflicts_with_all = ["file", "facts"],
        help_heading = "Azure"
    )]
    pub(crate) cloud: Option<AzureCloud>,

    /// Where tokens are given out, for an Azure that is none of Microsoft's.
    #[arg(
        long,
        value_name = "URL",
        requires = "manager_address",
        conflicts_with_all = ["cloud", "file", "facts"],
        help_heading = "Azure"
    )]
    pub(crate) login_address: Option<String>,

    /// Where its Resource Manager is.
    #[arg(
        long,
        value_name = "URL",
        requires = "login_address",
        help_heading = "Azure"
    )]
    pub(crate) manager_address: Option<String>,

    /// Certificates (PEM) of authorities to trust besides the usual ones. The proxy is taken from HTTPS_PROXY.
    #[arg(long, value_name = "FILE", help_heading = "Azure")]
    pub(crate) ca_cert: Option<Utf8PathBuf>,

    /// Judge facts that were saved.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "file",
        help_heading = "Facts"
    )]
    pub(crate) facts: Option<Utf8PathBuf>,

    /// Write the facts to a file, one asset a line: to judge them again, or to show them to somebody.
    #[arg(long, value_name = "FILE", help_heading = "Facts")]
    pub(crate) save_facts: Option<Utf8PathBuf>,

    /// Facts of a cluster that `seareeve k8s --save-facts` saw from within: it is judged by both sides.
    #[arg(long, value_name = "FILE", help_heading = "Facts")]
    pub(crate) cluster_facts: Option<Utf8PathBuf>,

    /// Only this cluster, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// Compare one cluster with benchmarks instead of judging asset by asset, such as cis-aks.
    #[arg(short, long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) benchmark: Vec<String>,

    /// Only these checks; with a benchmark, also controls by number.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) only: Vec<String>,

    /// Show only checks of these severities, such as HIGH,CRITICAL.
    #[arg(
        short,
        long,
        value_delimiter = ',',
        value_name = "LIST",
        conflicts_with = "benchmark"
    )]
    pub(crate) severity: Vec<Severity>,

    /// Folder with checks and benchmarks of your own, beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<Utf8PathBuf>,

    /// How to print the result.
    #[arg(short = 'F', long, value_enum, default_value_t = PostureFormat::Table, value_name = "FORMAT")]
    pub(crate) format: PostureFormat,

    /// Write the result to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,

    /// Exit with 2 when a check that is shown fails at this severity or above.
    #[arg(long, value_name = "SEVERITY", help_heading = "Gates")]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AzureCloud {
    /// Microsoft's cloud for everybody.
    Public,
    /// Microsoft's cloud for the government of the United States.
    Government,
    /// The cloud in China.
    China,
}

impl AzureCloud {
    /// The name that the collector knows it by.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Government => "government",
            Self::China => "china",
        }
    }
}

/// What a server is asked about clouds.
#[derive(Debug, Subcommand)]
pub(crate) enum CloudsCommand {
    /// Look after connectors: whom the server asks for assets of clouds.
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// List the assets that connectors brought, those with the gravest failures first.
    CloudAssets,
    /// Print an asset with what recommendations say of it, as JSON.
    CloudAsset {
        /// Its number, as `cloud-assets` lists it.
        id: i64,
    },
    /// Print what benchmarks say of an asset, as JSON.
    ReportCloudAsset {
        /// Its number.
        id: i64,
    },
    /// Print the facts of an asset: `azure --facts` judges them elsewhere.
    CloudAssetFacts {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// List them, as JSON. Secrets are named, never shown.
    List,
    /// Make one. It reads at once.
    Create(Box<NewConnectorArgs>),
    /// Change one: only what is given. It reads at once where it would see something else.
    Edit(Box<EditConnectorArgs>),
    /// Try whether one can log in, and print which subscriptions it sees. Fails when it cannot.
    Test {
        /// Its number.
        id: i64,
    },
    /// Let one read now.
    Read {
        /// Its number.
        id: i64,
    },
    /// Forget one, and the assets that only it brought.
    Delete {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NewConnectorArgs {
    /// What it is called.
    pub(crate) name: String,

    /// How the server logs in. No secret is given here: it is named.
    #[arg(
        long,
        value_enum,
        default_value = "managed-identity",
        value_name = "KIND"
    )]
    pub(crate) credentials: CredentialsKind,

    #[command(flatten)]
    pub(crate) principal: PrincipalArgs,

    /// Only these subscriptions, by id or name.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) subscription: Vec<String>,

    /// public, government, china, or custom for the addresses of the server's settings.
    #[arg(long, default_value = "public", value_name = "NAME")]
    pub(crate) cloud: String,

    /// Hours between two runs; 0: only when asked.
    #[arg(long, default_value_t = 6, value_name = "HOURS")]
    pub(crate) every_hours: u32,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct EditConnectorArgs {
    /// Its number.
    pub(crate) id: i64,

    /// What it is called.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// How the server logs in, with all that belongs to it. No secret is given here: it is named.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) credentials: Option<CredentialsKind>,

    #[command(flatten)]
    pub(crate) principal: PrincipalArgs,

    /// Only these subscriptions, by id or name.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) subscription: Option<Vec<String>>,

    /// All subscriptions that it may see.
    #[arg(long, conflicts_with = "subscription")]
    pub(crate) all_subscriptions: bool,

    /// public, government, china, or custom for the addresses of the server's settings.
    #[arg(long, value_name = "NAME")]
    pub(crate) cloud: Option<String>,

    /// Hours between two runs; 0: only when asked.
    #[arg(long, value_name = "HOURS")]
    pub(crate) every_hours: Option<u32>,

    /// Let it read no more until it is resumed.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) pause: bool,

    /// Let it go on.
    #[arg(long)]
    pub(crate) resume: bool,
}

/// Who a connector is.
#[derive(Debug, ClapArgs)]
pub(crate) struct PrincipalArgs {
    /// The directory.
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,

    /// The application or identity.
    #[arg(long, value_name = "ID")]
    pub(crate) client: Option<String>,

    /// The file with the secret or the certificate, within the server's folder of credentials.
    #[arg(long, value_name = "NAME", conflicts_with = "secret_variable")]
    pub(crate) secret_file: Option<String>,

    /// The variable of the server's environment that holds the secret.
    #[arg(long, value_name = "NAME")]
    pub(crate) secret_variable: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CredentialsKind {
    /// The identity of the machine, or the application, that the server runs on.
    ManagedIdentity,
    /// The identity that a cluster gives to the server's pod.
    WorkloadIdentity,
    /// A service principal with a secret.
    Secret,
    /// A service principal with a certificate.
    Certificate,
}
