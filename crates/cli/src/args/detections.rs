//! What can be typed behind `server detections`.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum DetectionCommand {
    /// List detections: whether they are on, what they see, how much they raise.
    List {
        /// Only those that are on, off, tuned, blind (wholly or in part), unknown, noisy (they raised something in 7
        /// days) or own (somebody brought them).
        #[arg(long, value_name = "WORD", value_parser = ["on", "off", "tuned", "blind", "unknown", "noisy", "own"])]
        status: Option<String>,
        /// As JSON, one detection on a line.
        #[arg(long)]
        json: bool,
    },
    /// Print a detection with all that is known of it, as JSON.
    Show {
        /// Its id, or one by which others know it.
        id: String,
    },
    /// Switch a detection on.
    On {
        /// Its id.
        id: String,
        #[command(flatten)]
        why: TuneWhy,
    },
    /// Switch a detection off.
    Off {
        /// Its id.
        id: String,
        #[command(flatten)]
        why: TuneWhy,
    },
    /// Change a detection or a named list.
    Tune(TuneArgs),
    /// Print what is changed, as JSON.
    Tunings,
    /// Take a change back.
    Untune {
        /// The change's number, as `tunings` prints it.
        number: i64,
    },
    /// Print the named lists, or one of them, as JSON.
    Lists {
        /// The list.
        name: Option<String>,
    },
    /// Print what was ever changed, by whom and why.
    History {
        /// Only about this detection, list or file.
        target: Option<String>,
    },
    /// Print the rule files that people brought, as JSON.
    Files,
    /// Print a rule file as it was brought.
    Download {
        /// Its name.
        name: String,
    },
    /// Bring a rule file: a detection of ours, or rules of Falco's. What has its name is replaced.
    Upload {
        /// The file.
        file: Utf8PathBuf,
        /// Only say what is wrong with it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Forget a rule file.
    Delete {
        /// Its name.
        name: String,
    },
    /// Try a rule file, a detection, or a change of one on the events that the server has kept: what it would raise, and
    /// what that differs from now.
    Backtest {
        /// A rule file, or a detection's id.
        what: String,
        /// Only on events since then: 7d, 12h, or a time such as 2030-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only on events of these clusters.
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        clusters: Vec<String>,
        /// Try this exception from the detection. Several have to hold together.
        #[arg(long, value_name = "COMPARISON")]
        except: Vec<String>,
        /// Everything that came of it, as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Why a change is made, and for how long.
#[derive(Debug, ClapArgs)]
pub(crate) struct TuneWhy {
    /// Why: it stands in the history.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Only for this cluster.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// When it ends by itself, such as 2030-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
}

/// `server detections tune`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    /// A detection's id, or with --add and --remove a list's name.
    pub(crate) target: String,
    /// Let its alerts weigh as much: high, medium, low or informational.
    #[arg(long, conflicts_with_all = ["except", "add", "remove"])]
    pub(crate) severity: Option<String>,
    /// Except what fits, such as "ka.user.name = ci-bot" or "kube.namespace in (build, test)". Several have to hold
    /// together.
    #[arg(long, value_name = "COMPARISON", conflicts_with_all = ["add", "remove"])]
    pub(crate) except: Vec<String>,
    /// Add an item to the list.
    #[arg(long, value_name = "ITEM")]
    pub(crate) add: Vec<String>,
    /// Take an item out of the list.
    #[arg(long, value_name = "ITEM")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    pub(crate) why: TuneWhy,
}
