//! `seareeve simulate`.

use camino::Utf8PathBuf;
use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// The simulations, or all; without any, they are listed.
    pub(crate) ids: Vec<String>,

    /// The cluster: a context of the kubeconfig; its current one without.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// The kubeconfig, instead of KUBECONFIG or the one in the home folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<Utf8PathBuf>,
}
