//! What can be typed behind `server` about hosts and what people say of them.

use camino::Utf8PathBuf;
use clap::Subcommand;
use jiff::Timestamp;

/// What a server is asked about hosts.
#[derive(Debug, Subcommand)]
pub(crate) enum HostsCommand {
    /// List the hosts that sent facts, those with the gravest failures first.
    Hosts,
    /// Print a host with its engines and containers as JSON.
    Host {
        /// The host's number, as `hosts` lists it.
        id: i64,
    },
    /// Print what a benchmark says of a host, as `docker --format json` does there.
    ReportHost {
        /// The host's number.
        id: i64,
        /// Such as cis-docker@1.6.0; without it, the newest.
        #[arg(short, long, value_name = "NAME")]
        benchmark: Option<String>,
    },
    /// Print the facts of a host: `docker --facts` judges them elsewhere.
    HostFacts {
        /// The host's number.
        id: i64,
    },
    /// Print how the controls of a host changed, as JSON.
    HostHistory {
        /// The host's number.
        id: i64,
    },
    /// Forget a host. Its sensor has to join anew.
    DeleteHost {
        /// The host's number.
        id: i64,
    },
    /// List the sensors that joined, as JSON.
    Sensors,
    /// Take a sensor out: its token ends, what it sent stays.
    DeleteSensor {
        /// The sensor's number.
        id: i64,
    },
    /// Look after the tokens by which sensors join.
    #[command(subcommand)]
    JoinToken(JoinTokenCommand),
    /// Look after exceptions: checks that may fail.
    #[command(subcommand)]
    Exception(ExceptionCommand),
    /// Look after attestations: people's answers to what no check can tell.
    #[command(subcommand)]
    Attestation(AttestationCommand),
    /// Look after exemptions: hosts that a recommendation does not count.
    #[command(subcommand)]
    Exemption(ExemptionCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum JoinTokenCommand {
    /// List them, without their secrets.
    List,
    /// Make one, and print its secret: it is shown this once.
    Create {
        /// What it is for.
        #[arg(long, default_value = "command line", value_name = "TEXT")]
        name: String,
        /// Hours until it ends.
        #[arg(long, default_value_t = 24, value_name = "HOURS")]
        hours: u32,
        /// How many sensors may join by it; any number, if not given.
        #[arg(long, value_name = "NUMBER")]
        uses: Option<u32>,
        /// The environment that their machines belong to; `default`, if not given.
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
    },
    /// End one. Sensors that joined by it stay.
    Delete {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionCommand {
    /// List them.
    List,
    /// Make one.
    Create {
        /// The check that may fail.
        check: String,
        /// Why it may.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Only on hosts with such a name, in which * stands for anything.
        #[arg(long, value_name = "PATTERN")]
        host: Option<String>,
        /// Only on objects (containers, files, …) with such a name.
        #[arg(long, value_name = "PATTERN")]
        object: Option<String>,
        /// Only where this benchmark wants it.
        #[arg(long, value_name = "NAME")]
        benchmark: Option<String>,
        /// Until when, such as 2030-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// Take one back.
    Delete {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AttestationCommand {
    /// List them.
    List,
    /// Answer a control.
    Create {
        /// The host's number.
        host: i64,
        /// The control's number, such as 1.2.1.
        control: String,
        /// pass, fail or not_applicable.
        #[arg(long, value_name = "STATUS")]
        status: String,
        /// Why, or where the evidence lies.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The benchmark and its edition.
        #[arg(long, default_value = "cis-docker@1.8.0", value_name = "NAME@VERSION")]
        benchmark: String,
        /// Until when it holds, if sooner than its control says.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        /// A file of text to keep with it.
        #[arg(long, value_name = "FILE")]
        evidence: Option<Utf8PathBuf>,
    },
    /// Print the text that was kept with one.
    Evidence {
        /// Its number.
        id: i64,
    },
    /// Take one back.
    Delete {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExemptionCommand {
    /// List them.
    List,
    /// Make one.
    Create {
        /// The recommendation.
        recommendation: String,
        /// The number of a host or other asset; more than one, if not given.
        #[arg(long, value_name = "ID")]
        host: Option<i64>,
        /// All assets of this environment; all of all, if neither is given.
        #[arg(long, value_name = "NAME", conflicts_with = "host")]
        environment: Option<String>,
        /// mitigated (something else makes up for it) or waiver (the risk is accepted).
        #[arg(long, default_value = "waiver", value_name = "KIND")]
        kind: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Until when, such as 2030-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// Take one back.
    Delete {
        /// Its number.
        id: i64,
    },
}
