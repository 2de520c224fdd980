//! `seareeve simulate`.

use camino::Utf8PathBuf;
use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// The simulations, or `all`; without any, or with `list`, they are listed.
    pub(crate) ids: Vec<String>,

    /// The cluster: a context of the kubeconfig; its current one without.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// The kubeconfig, instead of KUBECONFIG or the one in the home folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<Utf8PathBuf>,

    /// The server that the cluster's audit events go to: say of each simulation whether its alert arrived there, and after
    /// which time. The API token is taken from SEAREEVE_TOKEN. Ends with 2 when an alert is missing.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Seconds to wait for an alert.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        requires = "server"
    )]
    pub(crate) wait: u64,
}
