//! What can be typed behind `server` about alerts, and behind `k8s` about audit events.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;

use super::IntelCommand;

/// What a server is asked about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, print one, or say what is to become of them.
    #[command(subcommand)]
    Alerts(AlertCommand),
    /// List incidents, print one, or say what is to become of it and its alerts.
    #[command(subcommand)]
    Incidents(IncidentCommand),
    /// Look after suppression rules: alerts that are dismissed as they are raised.
    #[command(subcommand)]
    Suppressions(SuppressionCommand),
    /// Look after the clusters whose audit events are judged, and where these come from.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look after lists of threat intelligence, by which detections know bad addresses and destinations.
    #[command(subcommand)]
    Intel(IntelCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// List alerts, the last one first.
    List(AlertListArgs),
    /// Print an alert with all that is known of it, as JSON.
    Show {
        /// The alert's id, as `list` prints it.
        id: String,
    },
    /// Print what the one who raised an alert did before and after it, as JSON.
    Related {
        /// The alert's id.
        id: String,
        /// Minutes before and after.
        #[arg(long, default_value_t = 15)]
        minutes: u32,
    },
    /// Change alerts: their state, who deals with them, a note.
    Change {
        /// The alerts' ids.
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Make sample alerts, which are marked as such.
    Samples,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AlertListArgs {
    /// Only in these states: new, active, in_progress, resolved, dismissed, or open for the first three.
    #[arg(long, value_name = "LIST", default_value = "open")]
    pub(crate) state: String,

    /// Only of these severities: high, medium, low, informational.
    #[arg(long, value_name = "LIST")]
    pub(crate) severity: Option<String>,

    /// Only of this cluster.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// Only of this detection.
    #[arg(long, value_name = "ID")]
    pub(crate) rule: Option<String>,

    /// Only those that name this user, address, pod or the like.
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,

    /// As JSON, one alert on a line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is to become of alerts.
#[derive(Debug, ClapArgs)]
pub(crate) struct ChangeArgs {
    /// new, active, in_progress, resolved or dismissed.
    #[arg(long)]
    pub(crate) state: Option<String>,

    /// Who deals with it; empty for nobody.
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,

    /// What you have to say.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List incidents, the last one first.
    List {
        /// Those that are dealt with, too.
        #[arg(long)]
        all: bool,
    },
    /// Print an incident with its alerts, as JSON.
    Show {
        /// The incident's id, as `list` prints it.
        id: String,
    },
    /// Change an incident and, with it, its alerts.
    Change {
        /// The incident's id.
        id: String,
        #[command(flatten)]
        change: ChangeArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// Print all suppression rules as JSON.
    List,
    /// Make one, or see what it would have done.
    Create(SuppressionArgs),
    /// End one. What it has dismissed stays dismissed.
    Delete {
        /// The rule's number.
        id: i64,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SuppressionArgs {
    /// 2 to 50 letters, digits, - and _.
    pub(crate) name: String,

    /// Only alerts of this detection.
    #[arg(long, value_name = "ID")]
    pub(crate) rule: Option<String>,

    /// Only alerts that name such a thing, as KIND=NAME; * stands for anything. Several of one kind: one of them has to
    /// fit. Kinds are those of alerts' entities, cluster, and property.NAME.
    #[arg(long = "where", value_name = "KIND=NAME")]
    pub(crate) criteria: Vec<String>,

    /// false_positive, noise, accepted or other.
    #[arg(long, default_value = "noise")]
    pub(crate) reason: String,

    /// Why, in sentences.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,

    /// When it ends, such as 2030-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,

    /// Make nothing; print which of the stored alerts it fits, as JSON.
    #[arg(long)]
    pub(crate) trial: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List the clusters, and how their audit events come.
    List,
    /// Print a cluster as JSON.
    Show {
        /// The cluster's name.
        cluster: String,
    },
    /// Make a cluster known. Its events raise nothing before it is switched on.
    Add {
        /// Its name: lower-case letters, digits and hyphens.
        cluster: String,
        /// The number of the cluster that it is, where its configuration is judged (`server clusters list`). Found out by
        /// uid and name without.
        #[arg(long = "as", value_name = "ID")]
        same: Option<i64>,
    },
    /// Say which cluster it is, where its configuration is judged, so that alerts lead to it and it shows them.
    Join {
        /// The cluster's name.
        cluster: String,
        /// The number of the cluster that it is. Without, it is found out by uid and name.
        #[arg(long = "as", value_name = "ID", conflicts_with = "none")]
        same: Option<i64>,
        /// It is none of those that are known.
        #[arg(long)]
        none: bool,
    },
    /// Let a cluster's audit events raise alerts, from now on.
    On {
        /// The cluster's name.
        cluster: String,
        /// That you know what audit events may hold, and consent to their being read. Without it, this says what there
        /// is to know.
        #[arg(long)]
        consent: bool,
    },
    /// Let a cluster's audit events raise nothing any more.
    Off {
        /// The cluster's name.
        cluster: String,
    },
    /// Forget a cluster, its sources and its kept events. Its alerts stay.
    Delete {
        /// The cluster's name.
        cluster: String,
    },
    /// Print which detections see what they need in what came of a cluster, as JSON.
    Coverage {
        /// The cluster's name.
        cluster: String,
    },
    /// Say which audit policy is in force in a cluster, so that coverage is known before anything arrives. Nothing is
    /// changed in the cluster.
    Policy {
        /// The cluster's name.
        cluster: String,
        /// The policy's file; without one, the policy that is known is printed.
        file: Option<Utf8PathBuf>,
        /// Forget it.
        #[arg(long, conflicts_with = "file")]
        delete: bool,
    },
    /// Let an API server send its events: prints the file for --audit-webhook-config-file, which holds a token.
    Webhook {
        /// The cluster's name.
        cluster: String,
    },
    /// Let the server follow a file on its machine: an audit log, or exports of EKS or GKE.
    File {
        /// The cluster's name.
        cluster: String,
        /// The file's whole path.
        path: String,
        /// Read what is in it already, too.
        #[arg(long)]
        from_start: bool,
    },
    /// Let the server read a topic of a broker that speaks Kafka's protocol, such as Azure Event Hubs.
    Kafka(KafkaArgs),
    /// End a source.
    DeleteSource {
        /// The cluster's name.
        cluster: String,
        /// The source's number.
        id: i64,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct KafkaArgs {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// Brokers, such as NAME.servicebus.windows.net:9093.
    #[arg(long, required = true, value_delimiter = ',', value_name = "LIST")]
    pub(crate) brokers: Vec<String>,
    /// The topic; for Event Hubs the hub's name.
    #[arg(long)]
    pub(crate) topic: String,
    /// The user of SASL; for Event Hubs $ConnectionString.
    #[arg(long, requires = "password_file")]
    pub(crate) username: Option<String>,
    /// How the password is shown: plain (without a word, and for Event Hubs), scram-sha-256 or scram-sha-512.
    #[arg(long, value_name = "NAME", requires = "username")]
    pub(crate) mechanism: Option<String>,
    /// A file on the server's machine with certificates (PEM) of authorities that are trusted for these brokers, too.
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    pub(crate) ca_file: Option<String>,
    /// A file in the server's folder of credentials (connectors.credentials_dir) with the password; for Event Hubs with
    /// the connection string.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<String>,
    /// Without TLS.
    #[arg(long)]
    pub(crate) plain: bool,
    /// Read what is in it already, too.
    #[arg(long)]
    pub(crate) from_start: bool,
}

/// `k8s audit-setup`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AuditSetupArgs {
    /// Say which detections are blind under this audit policy, instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "cluster"])]
    pub(crate) check: Option<Utf8PathBuf>,

    /// The cluster's name on the server, which is made known to it if it is not.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// The server. The API token is taken from SEAREEVE_TOKEN.
    #[arg(
        long,
        value_name = "URL",
        env = "SEAREEVE_SERVER",
        default_value = "http://127.0.0.1:7300"
    )]
    pub(crate) server: String,

    /// The folder to write the files to.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) folder: Utf8PathBuf,
}
