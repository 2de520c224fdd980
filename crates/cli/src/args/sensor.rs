//! What can be typed behind `sensor`.

use camino::Utf8PathBuf;
use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct SensorArgs {
    /// The server to send to.
    #[arg(long, value_name = "URL", env = "SEAREEVE_SERVER")]
    pub(crate) server: String,

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
    #[arg(long, value_name = "SOCKET", help_heading = "Facts")]
    pub(crate) socket: Vec<Utf8PathBuf>,

    /// Send once, and end.
    #[arg(long)]
    pub(crate) once: bool,

    /// Seconds between two looks for changes, 5 to 3600. All facts are sent once a day in any case.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) every: u64,
}
