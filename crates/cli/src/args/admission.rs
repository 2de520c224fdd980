//! What can be typed behind `admission`, and behind `server admission`.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AdmissionArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AdmissionCommand>,

    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdmissionCommand {
    /// Say what a policy would make of the objects that are there, and change nothing.
    ///
    /// Of a cluster (the current context of the kubeconfig, or the pod that this runs in), of manifests, or of facts
    /// that were saved with `seareeve k8s --save-facts`.
    Preview(PreviewArgs),
    /// Write a policy as Kubernetes' own ValidatingAdmissionPolicies: the cluster enforces them without a webhook.
    ///
    /// For Kubernetes from 1.30 on. What cannot be written so is named with its reason, in the file and on standard
    /// error, and makes the exit code 3.
    Export(ExportArgs),
    /// Print the object that makes the API server ask the webhook.
    Register(RegisterArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// File with the policy; it is read again when it changes. Without it, the server is asked for one.
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(crate) policy: Option<Utf8PathBuf>,

    /// The server that has the policy, knows scans, and is told what was decided. The token is taken from
    /// SEAREEVE_TOKEN or from a file, or got by joining.
    #[arg(
        long,
        value_name = "URL",
        env = "SEAREEVE_SERVER",
        help_heading = "Server"
    )]
    pub(crate) server: Option<String>,

    /// File with the authority (PEM) of the server's certificate, if it is none that browsers know.
    #[arg(
        long,
        value_name = "FILE",
        env = "SEAREEVE_SERVER_AUTHORITY",
        help_heading = "Server"
    )]
    pub(crate) server_authority: Option<Utf8PathBuf>,

    /// File with the token: an operator's API token, or a sensor's.
    #[arg(
        long,
        value_name = "FILE",
        requires = "server",
        help_heading = "Server"
    )]
    pub(crate) token_file: Option<Utf8PathBuf>,

    /// File with a join token, instead: it is spent the first time, for a token of the webhook's own that stays in the
    /// data folder.
    #[arg(
        long,
        value_name = "FILE",
        requires = "server",
        conflicts_with = "token_file",
        help_heading = "Server"
    )]
    pub(crate) join_file: Option<Utf8PathBuf>,

    /// What the cluster is called on the server.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        help_heading = "Server"
    )]
    pub(crate) cluster: String,

    /// What this webhook is called on the server; in a pod, the pod's name.
    #[arg(
        long,
        value_name = "NAME",
        env = "HOSTNAME",
        default_value = "admission",
        help_heading = "Server"
    )]
    pub(crate) name: String,

    /// Address and port; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8443",
        help_heading = "TLS"
    )]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Names and addresses that the API server calls the webhook by, for a certificate of an authority that is made at
    /// the first start and kept in the data folder. May be given several times.
    #[arg(
        long,
        value_name = "NAME",
        default_values = ["seareeve-admission.seareeve.svc", "localhost", "127.0.0.1"]
    )]
    pub(crate) dns: Vec<String>,

    /// Certificate (PEM) to use instead. It is read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<Utf8PathBuf>,

    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<Utf8PathBuf>,

    /// The authority (PEM) that signed it.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_ca: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PreviewArgs {
    /// File with the policy; the built-in one, which refuses nothing, without.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<Utf8PathBuf>,

    /// Files and folders with manifests; - reads standard input. May be given several times.
    #[arg(short, long, num_args = 1.., value_name = "PATH")]
    pub(crate) file: Vec<Utf8PathBuf>,

    /// The cluster to read instead of manifests: a context of the kubeconfig; its current one without.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) context: Option<String>,

    /// The kubeconfig, instead of KUBECONFIG or the one in the home folder.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) kubeconfig: Option<Utf8PathBuf>,

    /// Facts that were saved.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "context", "kubeconfig"])]
    pub(crate) facts: Option<Utf8PathBuf>,

    /// How to print it.
    #[arg(short = 'F', long, value_enum, default_value_t = super::Format::Table, value_name = "FORMAT")]
    pub(crate) format: super::Format,

    /// Write the result to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,

    /// Exit with 2 when an object would be refused.
    #[arg(long, help_heading = "Gates")]
    pub(crate) fail_on_denied: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// File with the policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<Utf8PathBuf>,

    /// As what.
    #[arg(long, value_enum, default_value_t = ExportFormat::Vap, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,

    /// Write the result to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// ValidatingAdmissionPolicies and their bindings, as YAML.
    Vap,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RegisterArgs {
    /// The webhook's service: NAMESPACE/NAME or NAMESPACE/NAME:PORT.
    #[arg(
        long,
        value_name = "SERVICE",
        default_value = "seareeve/seareeve-admission",
        conflicts_with = "url"
    )]
    pub(crate) service: String,

    /// The webhook's address instead: https://HOST:PORT/validate.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Seconds that the API server waits for an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub(crate) timeout: u8,

    /// Let nothing in while the webhook does not answer. Without this, everything is let in.
    #[arg(long)]
    pub(crate) fail_closed: bool,

    /// Namespaces that the API server never asks about.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "kube-system,seareeve"
    )]
    pub(crate) exclude_namespaces: Vec<String>,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// What a server is asked and told about admission.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerAdmissionCommand {
    /// Print the policy in force for a cluster, as JSON.
    Policy {
        /// The cluster; the policy of all clusters, without.
        #[arg(long, value_name = "NAME")]
        cluster: Option<String>,
    },
    /// Put a policy in place of the one that there is. Webhooks have it within a minute.
    SetPolicy {
        /// File with the policy; - reads standard input.
        file: Utf8PathBuf,
        /// Only for this cluster.
        #[arg(long, value_name = "NAME")]
        cluster: Option<String>,
    },
    /// Set what becomes of violations of one recommendation.
    SetMode {
        /// The recommendation.
        recommendation: String,
        /// off, audit, warn or deny.
        #[arg(value_parser = ["off", "audit", "warn", "deny"])]
        mode: String,
        /// Only in this namespace; `*` stands for anything.
        #[arg(long, value_name = "NAME")]
        namespace: Option<String>,
        /// Only for this cluster.
        #[arg(long, value_name = "NAME")]
        cluster: Option<String>,
    },
    /// List the recommendations that admission can enforce, with their modes.
    Rules {
        /// The cluster; the policy of all clusters, without.
        #[arg(long, value_name = "NAME")]
        cluster: Option<String>,
    },
    /// List what the webhooks decided.
    Decisions {
        /// Only of this cluster.
        #[arg(long, value_name = "NAME")]
        cluster: Option<String>,
        /// How to print it.
        #[arg(short, long, value_enum, default_value_t = super::Format::Table, value_name = "FORMAT")]
        format: super::Format,
    },
    /// Say what the policy would make of the objects of a cluster, as JSON.
    Preview {
        /// The cluster's number.
        id: i64,
        /// File with another policy to try.
        #[arg(long, value_name = "FILE")]
        policy: Option<Utf8PathBuf>,
    },
}
