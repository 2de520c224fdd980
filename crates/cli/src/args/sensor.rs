//! What can be typed behind `sensor`.

use camino::Utf8PathBuf;
use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct SensorArgs {
    /// The server to send to.
    #[arg(long, value_name = "URL", env = "SEAREEVE_SERVER")]
    pub(crate) server: String,

    /// File with the authority (PEM) of the server's certificate, if it is none that browsers know.
    #[arg(long, value_name = "FILE", env = "SEAREEVE_SERVER_AUTHORITY")]
    pub(crate) server_authority: Option<Utf8PathBuf>,

    /// Token to join by, the first time (better in a file or in SEAREEVE_JOIN_TOKEN: other users of the machine can
    /// see flags).
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SEAREEVE_JOIN_TOKEN",
        hide_env_values = true,
        help_heading = "Joining"
    )]
    pub(crate) join: Option<String>,

    /// File with the token to join by.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "join",
        help_heading = "Joining"
    )]
    pub(crate) join_file: Option<Utf8PathBuf>,

    /// Where the machine's file system is, when it is mounted into a container.
    #[arg(long, value_name = "DIR", default_value = "/", help_heading = "Facts")]
    pub(crate) root: Utf8PathBuf,

    /// Sockets of engines to ask, instead of all that are found on this machine.
    #[arg(long, value_name = "SOCKET", value_parser = super::posture::socket, help_heading = "Facts")]
    pub(crate) socket: Vec<Utf8PathBuf>,

    /// The machine's name as a node of a cluster, where it is not the one that its kubelet says.
    #[arg(
        long,
        value_name = "NAME",
        env = "SEAREEVE_NODE_NAME",
        help_heading = "Facts"
    )]
    pub(crate) node_name: Option<String>,

    /// The uid of the namespace kube-system of the cluster that the machine is a node of. A sensor that runs as a pod
    /// asks for it.
    #[arg(
        long,
        value_name = "UID",
        env = "SEAREEVE_CLUSTER_UID",
        help_heading = "Facts"
    )]
    pub(crate) cluster_uid: Option<String>,

    /// Watch a Kubernetes cluster through its API, instead of this machine: in a pod the cluster that it runs in, by its
    /// service account.
    #[arg(
        long,
        conflicts_with_all = ["socket", "node_name", "cluster_uid"],
        help_heading = "Kubernetes"
    )]
    pub(crate) kubernetes: bool,

    /// The kubeconfig, instead of KUBECONFIG or the one in the home folder.
    #[arg(
        long,
        value_name = "FILE",
        requires = "kubernetes",
        help_heading = "Kubernetes"
    )]
    pub(crate) kubeconfig: Option<Utf8PathBuf>,

    /// A context of the kubeconfig; its current one without.
    #[arg(
        long,
        value_name = "NAME",
        requires = "kubernetes",
        help_heading = "Kubernetes"
    )]
    pub(crate) context: Option<String>,

    /// What the cluster is called; the context's name without.
    #[arg(
        long,
        value_name = "NAME",
        env = "SEAREEVE_CLUSTER_NAME",
        requires = "kubernetes",
        help_heading = "Kubernetes"
    )]
    pub(crate) cluster_name: Option<String>,

    /// Send once, and end.
    #[arg(long)]
    pub(crate) once: bool,

    /// Seconds between two full looks when nothing changes, 60 to 604800. All facts are sent then.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(60..=604_800))]
    pub(crate) every: u64,

    /// Seconds between two looks for changes where not all of them can be heard: an engine does not tell its events,
    /// or files cannot be watched. 5 to 3600.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) poll: u64,

    /// Memory that the sensor may take, in MiB, 64 to 8192. When it needs more it ends, and systemd starts it anew.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..=8192))]
    pub(crate) memory: u64,
}
