//! What can be typed behind `docker` and `check`: what to judge, by what, and how to print the result.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use seareeve_model::Severity;

use super::AuditSetupArgs;

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DockerArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DockerCommand>,

    #[command(flatten)]
    pub(crate) collect: CollectArgs,

    /// Scan the images of this machine's engines as well, for the controls on vulnerabilities, credentials and
    /// programs with setuid in images. What was scanned before is not read again.
    #[arg(long, conflicts_with = "facts", help_heading = "Images")]
    pub(crate) scan_images: bool,

    /// Advisory database to use instead of the one in the data folder.
    #[arg(
        long,
        value_name = "FILE",
        requires = "scan_images",
        help_heading = "Images"
    )]
    pub(crate) db: Option<Utf8PathBuf>,

    #[command(flatten)]
    pub(crate) judge: PostureArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DockerCommand {
    /// Mend what a control finds fault with, on this machine.
    ///
    /// Shows what would change and changes nothing, until --apply says so. What was there before is kept in the data
    /// folder, and --rollback brings it back, the last fix first. The engine is not restarted: the output says when it
    /// has to be.
    Fix(FixArgs),
}

/// Where facts come from.
#[derive(Debug, ClapArgs)]
pub(crate) struct CollectArgs {
    /// Sockets of engines to ask, instead of all that are found on this machine.
    #[arg(long, value_name = "SOCKET", value_parser = socket, help_heading = "Facts")]
    pub(crate) socket: Vec<Utf8PathBuf>,

    /// Where the machine's file system is, when it is mounted into a container.
    #[arg(long, value_name = "DIR", default_value = "/", help_heading = "Facts")]
    pub(crate) root: Utf8PathBuf,

    /// Judge facts that were saved, instead of this machine's.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["socket", "root"],
        help_heading = "Facts"
    )]
    pub(crate) facts: Option<Utf8PathBuf>,

    /// Write the facts to a file: to judge them again, to compare them, or to show them to somebody.
    #[arg(long, value_name = "FILE", help_heading = "Facts")]
    pub(crate) save_facts: Option<Utf8PathBuf>,
}

/// An engine is known by where it listens, which is the same from wherever it is asked.
pub(crate) fn socket(path: &str) -> std::io::Result<Utf8PathBuf> {
    camino::absolute_utf8(path)
}

/// How facts are judged and the result is printed.
#[derive(Debug, ClapArgs)]
pub(crate) struct PostureArgs {
    /// Benchmarks to compare with, such as cis-docker@1.6.0; without a version, the newest.
    #[arg(
        short,
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_values = ["cis-docker"]
    )]
    pub(crate) benchmark: Vec<String>,

    /// Controls up to this level only: 1 or 2.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) level: Option<u8>,

    /// Show only controls with these statuses.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    pub(crate) status: Vec<Status>,

    /// Only these controls, by number or check, such as 2.15,docker.container.privileged.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) only: Vec<String>,

    /// Folder with checks and benchmarks of your own, beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<Utf8PathBuf>,

    /// File with exceptions: what may fail, with a reason and mostly an end.
    #[arg(long, value_name = "FILE")]
    pub(crate) exceptions: Option<Utf8PathBuf>,

    /// How to print the result.
    #[arg(short, long, value_enum, default_value_t = PostureFormat::Table, value_name = "FORMAT")]
    pub(crate) format: PostureFormat,

    /// Write the result to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,

    /// Exit with 2 when a control that is shown fails at this severity or above.
    #[arg(long, value_name = "SEVERITY", help_heading = "Gates")]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum K8sCommand {
    /// Write the audit policy that the detections need and the webhook's file, and print the API server's flags.
    ///
    /// Examples:
    ///   seareeve k8s audit-setup --cluster prod --server https://seareeve.example -f /tmp/audit
    ///   seareeve k8s audit-setup --check /etc/kubernetes/audit-policy.yaml
    #[command(verbatim_doc_comment)]
    AuditSetup(AuditSetupArgs),
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct K8sArgs {
    #[command(subcommand)]
    pub(crate) command: Option<K8sCommand>,

    /// Files and folders with manifests; - reads standard input. May be given several times.
    #[arg(short, long, num_args = 1.., value_name = "PATH")]
    pub(crate) file: Vec<Utf8PathBuf>,

    /// The cluster to read instead of manifests: a context of the kubeconfig; its current one without.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "file",
        help_heading = "Cluster"
    )]
    pub(crate) context: Option<String>,

    /// The kubeconfig, instead of KUBECONFIG or the one in the home folder.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "file",
        help_heading = "Cluster"
    )]
    pub(crate) kubeconfig: Option<Utf8PathBuf>,

    /// Look at this machine as a node: the components that run on it, and the files that they name. Joined to the
    /// cluster, if one can be read. Judges by cis-kubernetes unless another benchmark is given.
    #[arg(long, conflicts_with = "file", help_heading = "Nodes")]
    pub(crate) node: bool,

    /// The node's name in the cluster, where it is not the one that its kubelet says.
    #[arg(long, value_name = "NAME", requires = "node", help_heading = "Nodes")]
    pub(crate) node_name: Option<String>,

    /// Where the machine's file system is, when it is mounted into a container.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        requires = "node",
        help_heading = "Nodes"
    )]
    pub(crate) root: Utf8PathBuf,

    /// Join what other nodes saw: files that --node --save-facts made on each, or that the server gives of a host.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with = "file",
        help_heading = "Nodes"
    )]
    pub(crate) node_facts: Vec<Utf8PathBuf>,

    /// Judge facts that were saved.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["file", "context", "kubeconfig"],
        help_heading = "Facts"
    )]
    pub(crate) facts: Option<Utf8PathBuf>,

    /// Write the facts to a file: to judge them again, to compare them, or to show them to somebody.
    #[arg(long, value_name = "FILE", help_heading = "Facts")]
    pub(crate) save_facts: Option<Utf8PathBuf>,

    /// Judge by a standard alone, as of a version of Kubernetes: pss-baseline or pss-restricted, such as
    /// pss-restricted@1.30 or pss-restricted@latest. Each object gets a verdict.
    #[arg(long, value_name = "NAME@VERSION")]
    pub(crate) standard: Option<String>,

    /// Compare the whole with benchmarks instead of judging object by object, such as cis-kubernetes.
    #[arg(
        short,
        long,
        value_delimiter = ',',
        value_name = "LIST",
        conflicts_with = "standard"
    )]
    pub(crate) benchmark: Vec<String>,

    /// Only these checks; with a benchmark, also controls by number.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        conflicts_with = "standard"
    )]
    pub(crate) only: Vec<String>,

    /// Show only checks of these severities, such as HIGH,CRITICAL.
    #[arg(
        short,
        long,
        value_delimiter = ',',
        value_name = "LIST",
        conflicts_with_all = ["standard", "benchmark", "node", "node_facts"]
    )]
    pub(crate) severity: Vec<Severity>,

    /// File with parameters of checks: `check: {name: value}`. A check that needs some is used only with them.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["standard", "benchmark", "node", "node_facts"]
    )]
    pub(crate) params: Option<Utf8PathBuf>,

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

#[derive(Debug, ClapArgs)]
pub(crate) struct FixArgs {
    /// The control's number or its check.
    pub(crate) id: String,

    /// Change it. Otherwise only what would change is shown.
    #[arg(long, conflicts_with = "rollback")]
    pub(crate) apply: bool,

    /// Bring back what the last fix of this control changed.
    #[arg(long)]
    pub(crate) rollback: bool,

    /// The benchmark whose number it is.
    #[arg(short, long, value_name = "NAME", default_value = "cis-docker")]
    pub(crate) benchmark: String,

    #[command(flatten)]
    pub(crate) collect: CollectArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// List the checks.
    List(CheckListArgs),
    /// Run the examples of checks: the built-in ones, or those of a folder.
    Test {
        /// Folder with checks and benchmarks.
        folder: Option<Utf8PathBuf>,
    },
    /// Show a check: what it says, the expressions, and with facts, what it reads and finds.
    Explain(ExplainArgs),
    /// Compare two files of facts, and what is judged otherwise because of them.
    Diff(DiffArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckListArgs {
    /// Folder with checks and benchmarks of your own, beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<Utf8PathBuf>,

    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = super::Format::Table, value_name = "FORMAT")]
    pub(crate) format: super::Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// The check.
    pub(crate) id: String,

    /// Facts to judge by it.
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<Utf8PathBuf>,

    /// Folder with checks and benchmarks of your own, beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// The older facts.
    pub(crate) before: Utf8PathBuf,

    /// The newer ones.
    pub(crate) after: Utf8PathBuf,

    /// Folder with checks and benchmarks of your own, beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(crate) checks: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PostureFormat {
    /// For people.
    Table,
    /// For programs; its schema is printed by `seareeve schema posture-report`.
    Json,
    /// For code scanning.
    Sarif,
    /// For build servers.
    Junit,
    /// One page that needs nothing else.
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Something is wrong.
    Fail,
    /// It could not be evaluated.
    Error,
    /// The facts are not there.
    NotCollected,
    /// A person has to decide.
    NeedsReview,
    /// It fails, and may.
    Excepted,
    /// All is well.
    Pass,
    /// It does not concern this machine.
    NotApplicable,
}

impl Status {
    /// The name in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Error => "error",
            Self::NotCollected => "not_collected",
            Self::NeedsReview => "needs_review",
            Self::Excepted => "excepted",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }
}
