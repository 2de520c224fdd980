//! What can be typed behind `server intel`.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum IntelCommand {
    /// List the lists, their age and what is wrong with them, and which lists of detections they may extend.
    List,
    /// Print a list as JSON, with what of it is not used.
    Show {
        /// The list's number.
        id: i64,
    },
    /// Make a list that the server fetches, or, without an address, one that is uploaded.
    Add(NewIntelArgs),
    /// Put what a list says in place of what it said.
    Upload {
        /// The list's number.
        id: i64,
        /// The file; - is standard input.
        file: Utf8PathBuf,
    },
    /// Let a list be fetched now.
    Fetch {
        /// The list's number.
        id: i64,
    },
    /// Let a list count.
    On {
        /// The list's number.
        id: i64,
    },
    /// Let a list no longer count. What it says is kept.
    Off {
        /// The list's number.
        id: i64,
    },
    /// Forget a list.
    Delete {
        /// The list's number.
        id: i64,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NewIntelArgs {
    /// For people.
    pub(crate) name: String,

    /// Where it is fetched from.
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,

    /// auto, plain, csv, stix or misp.
    #[arg(long, default_value = "auto")]
    pub(crate) format: String,

    /// Of a table (csv): the column, by name or number.
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,

    /// Of a table: what stands between columns.
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) separator: Option<String>,

    /// The lists of detections that it extends. `server intel list` prints them.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        required_unless_present = "exclude"
    )]
    pub(crate) extends: Vec<String>,

    /// What it has is never taken for bad, whichever list says so.
    #[arg(long, conflicts_with = "extends")]
    pub(crate) exclude: bool,

    /// Hours between two looks; 0: only when asked.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) every: u32,

    /// A header that says who asks, such as Authorization.
    #[arg(long, value_name = "NAME", requires = "address")]
    pub(crate) header: Option<String>,

    /// A file in the server's folder of credentials with the header's value.
    #[arg(long, value_name = "FILE", requires = "header")]
    pub(crate) header_file: Option<String>,

    /// A variable of the server's environment with the header's value; its name begins with INTEL_.
    #[arg(
        long,
        value_name = "NAME",
        requires = "header",
        conflicts_with = "header_file"
    )]
    pub(crate) header_variable: Option<String>,
}
