//! What can be typed behind `rules` and `detect`: which rules, about which events.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::Format;

#[derive(Debug, ClapArgs)]
pub(crate) struct DetectArgs {
    /// What the events are: Kubernetes audit events, or events of a host as JSON objects of Falco's fields and their
    /// values, one a line.
    #[arg(long, value_enum)]
    pub(crate) source: EventSource,

    /// Rules of Falco's, detections or lists: files, or folders of them. Only these are asked, in this order; without,
    /// the built-in detections are.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) rules: Vec<Utf8PathBuf>,

    #[command(flatten)]
    pub(crate) how: HowArgs,

    /// Lists of threat intelligence: plain (one on a line), bundles of STIX 2.1, MISP's exports. Before the file may stand
    /// which list of the detections it extends (tor_and_proxy_networks=exits.txt), or `exclusions` for what is never bad;
    /// without, addresses are taken for known bad addresses, domains and URLs for known bad destinations. May be given
    /// several times.
    #[arg(long, value_name = "[LIST=]FILE")]
    pub(crate) intel: Vec<String>,

    /// Files of events, in this order; - is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) files: Vec<Utf8PathBuf>,
}

/// How rules are loaded.
#[derive(Debug, ClapArgs)]
pub(crate) struct HowArgs {
    /// What becomes of rules with fields that Seareeve does not have.
    #[arg(long, value_enum, default_value = "error", value_name = "WHAT")]
    pub(crate) unknown_fields: Unknown,

    /// Whether rules are asked after one has matched an event, or only the first one that matches raises an alert.
    #[arg(long, value_enum, default_value = "all", value_name = "WHICH")]
    pub(crate) matching: Match,

    /// Switch on what is off: an id, a name or a tag. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) on: Vec<String>,

    /// Switch off: an id, a name or a tag. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) off: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Load rules and say what is wrong or odd about them, by file and line.
    ///
    /// Ends with 2 when a rule cannot be used.
    Validate(ValidateArgs),
    /// Say all there is to know about a rule.
    Explain(ExplainRuleArgs),
    /// Run the examples of detections.
    ///
    /// Ends with 2 when one does not do what it says.
    Test(TestRulesArgs),
    /// Measure how long rules take.
    Bench(BenchArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ValidateArgs {
    /// Rules of Falco's, detections or lists: files, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<Utf8PathBuf>,

    #[command(flatten)]
    pub(crate) how: HowArgs,

    /// How to print.
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainRuleArgs {
    /// An id, a name or an alias.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// Where to look for it, instead of the built-in detections: files, or folders of them.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,

    /// How to print.
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TestRulesArgs {
    /// Detections: files, or folders of them. Without, the built-in ones.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BenchArgs {
    /// Rules of Falco's, detections or lists: files, or folders of them. Without, the built-in detections.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<Utf8PathBuf>,

    /// What the events are.
    #[arg(long, value_enum)]
    pub(crate) source: EventSource,

    /// A file of events.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Utf8PathBuf,

    #[command(flatten)]
    pub(crate) how: HowArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventSource {
    /// The Kubernetes audit log.
    Audit,
    /// Events of a host.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unknown {
    /// They are errors.
    Error,
    /// They are left out, with a warning.
    Disable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Match {
    /// All rules are asked.
    All,
    /// As Falco does unless told otherwise.
    First,
}
