//! What can be typed. The doc comments are the help texts.

mod admission;
mod alerts;
mod azure;
mod clusters;
mod detections;
mod estate;
mod hosts;
mod intel;
mod posture;
mod rules;
mod scan;
mod sensor;
mod simulate;

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use admission::{
    AdmissionArgs, AdmissionCommand, ExportArgs, ExportFormat, PreviewArgs, RegisterArgs,
    ServeArgs, ServerAdmissionCommand, TlsArgs,
};
pub(crate) use alerts::{
    AlertCommand, AlertListArgs, AlertsCommand, AuditCommand, AuditSetupArgs, IncidentCommand,
    SuppressionArgs, SuppressionCommand,
};
pub(crate) use azure::{
    AzureArgs, CloudsCommand, ConnectorCommand, CredentialsKind, EditConnectorArgs,
    NewConnectorArgs, PrincipalArgs,
};
pub(crate) use clusters::ClustersCommand;
pub(crate) use detections::{DetectionCommand, TuneArgs, TuneWhy};
pub(crate) use estate::{ComplianceArgs, EstateCommand, OwnChecksCommand, ScoreArgs};
pub(crate) use hosts::{
    AttestationCommand, ExceptionCommand, ExemptionCommand, HostsCommand, JoinTokenCommand,
};
pub(crate) use intel::{IntelCommand, NewIntelArgs};
pub(crate) use posture::{
    CheckCommand, CheckListArgs, CollectArgs, DiffArgs, DockerArgs, DockerCommand, ExplainArgs,
    FixArgs, K8sArgs, K8sCommand, PostureArgs, PostureFormat,
};
pub(crate) use rules::{
    BenchArgs, DetectArgs, EventSource, ExplainRuleArgs, HowArgs, Match, RulesCommand,
    TestRulesArgs, Unknown, ValidateArgs,
};
pub(crate) use scan::{ImageArgs, Place, ReportArgs, ReportFormat, SbomArgs};
pub(crate) use sensor::SensorArgs;
pub(crate) use simulate::SimulateArgs;

/// Security centre for containers: scan images, and run a server that watches over them.
///
/// Exit codes: 0 done, and no gate failed; 1 our own failure; 2 a gate failed (--fail-on); 3 incomplete: part of
/// the input could not be read or judged, as the output says.
///
/// Settings come from a file (--config, SEAREEVE_CONFIG, or seareeve/config.toml in the configuration folder), then
/// from environment variables such as SEAREEVE_SERVER_LISTEN, then from flags; `seareeve config show` prints what
/// is in force and where each value came from.
#[derive(Debug, Parser)]
#[command(name = "seareeve", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Settings file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SEAREEVE_CONFIG",
        help_heading = "Global options"
    )]
    pub(crate) config: Option<Utf8PathBuf>,

    /// Folder of the advisory database, the store and uploads.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global options"
    )]
    pub(crate) data_dir: Option<Utf8PathBuf>,

    /// Store: sqlite, sqlite:PATH or postgres://… (better in the file or in SEAREEVE_SERVER_DATABASE: other users
    /// of the machine can see flags).
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Global options"
    )]
    pub(crate) database: Option<String>,

    /// Say nothing but results and errors.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,

    /// Log what is done, for reports of defects.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) debug: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan a container image for known vulnerabilities and secrets.
    ///
    /// The image is read once, and nothing in it is run. A name is looked for in the Docker and
    /// Podman engines of this machine, then in its registry.
    ///
    /// Examples:
    ///   seareeve image alpine:3.19
    ///   seareeve image 127.0.0.1:5000/team/app:1.2 --format json -o report.json
    ///   docker save team/app:1.2 -o app.tar && seareeve image --input app.tar --fail-on high
    ///   seareeve image --rootfs / --format html -o this-machine.html
    #[command(verbatim_doc_comment)]
    Image(Box<ImageArgs>),
    /// Match the packages that an SBOM lists, as if its image had been scanned.
    ///
    /// Examples:
    ///   seareeve sbom app.cdx.json
    ///   seareeve image app:1.2 -f cyclonedx | seareeve sbom - --fail-on high
    #[command(verbatim_doc_comment)]
    Sbom(SbomArgs),
    /// Compare this machine's container engines with the CIS Docker Benchmark.
    ///
    /// Finds Docker and Podman, also rootless, by itself, and needs no server. Nothing is changed,
    /// and nothing is run inside of containers. As root it sees all; what it cannot see is told
    /// and never counts as fine.
    ///
    /// Examples:
    ///   seareeve docker
    ///   seareeve docker --level 1 --fail-on high --format sarif -o docker.sarif
    ///   seareeve docker --save-facts before.json
    ///   seareeve docker fix 2.15
    #[command(verbatim_doc_comment)]
    Docker(DockerArgs),
    /// Judge the objects of a Kubernetes cluster, or manifests: files, folders, and what Helm and Kustomize print.
    ///
    /// Each object is judged by itself, workloads by what their pods would be. A cluster is only read, and never its
    /// Secrets; the current context of the kubeconfig says which one, or the pod that this runs in.
    ///
    /// Examples:
    ///   seareeve k8s
    ///   seareeve k8s -f deploy/
    ///   helm template app | seareeve k8s -f - --fail-on high
    ///   seareeve k8s -f pod.yaml --standard pss-restricted@1.30 --format json
    #[command(verbatim_doc_comment)]
    K8s(Box<K8sArgs>),
    /// Answer a cluster's questions about what may enter it: the admission webhook.
    ///
    /// Runs inside the cluster, or wherever its API server reaches it. It answers from memory by a policy, of a file or
    /// of a server, and refuses nothing before somebody says so. While it is away, the cluster lets everything in.
    ///
    /// Examples:
    ///   seareeve admission --policy policy.yaml
    ///   seareeve admission --server https://seareeve.example --cluster production
    ///   seareeve admission register --service seareeve/seareeve-admission | kubectl apply -f -
    ///   seareeve admission preview --policy policy.yaml
    ///   seareeve admission export --policy policy.yaml | kubectl apply -f -
    #[command(verbatim_doc_comment)]
    Admission(Box<AdmissionArgs>),
    /// Judge what Azure knows of clusters, registries and subscriptions.
    ///
    /// Azure is only read, and no key, password or kubeconfig is asked for: the role Reader is enough. The credentials
    /// are those that Azure's own tools take from the environment (AZURE_TENANT_ID, AZURE_CLIENT_ID and
    /// AZURE_CLIENT_SECRET, a certificate, a federated token), or the identity of this machine. Documents that somebody
    /// saved need none.
    ///
    /// Examples:
    ///   seareeve azure
    ///   seareeve azure --cluster quay --benchmark cis-aks
    ///   az aks show -n quay -g shop -o json > quay.json && seareeve azure -f quay.json
    #[command(verbatim_doc_comment)]
    Azure(Box<AzureArgs>),
    /// Look into checks: list, test and explain them, and compare facts.
    #[command(subcommand)]
    Check(CheckCommand),
    /// Send events through rules and print the alerts, one JSON object a line.
    ///
    /// Rules are Falco's files as they are, detections of ours, or both. Lines that are no events are named, skipped
    /// and counted; then the exit code is 3.
    ///
    /// Examples:
    ///   seareeve detect --source host events.jsonl --rules falco_rules.yaml
    ///   zcat audit.log.gz | seareeve detect --source audit --rules my-rules/ -- -
    #[command(verbatim_doc_comment)]
    Detect(DetectArgs),
    /// Look into detection rules: validate, explain, test and measure them.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Look after the advisory database.
    #[command(subcommand)]
    Db(DbCommand),
    /// Start the server, its UI and its workers in one process on this machine.
    ///
    /// Prints the address and, if it listens to this machine alone, a one-time sign-in link. Ctrl-C ends running work in
    /// order and stops; a second Ctrl-C stops at once.
    Up(UpArgs),
    /// Ask a running server.
    Server(ServerArgs),
    /// Send the facts of this machine's container engines to a server, whenever they change and once a day.
    ///
    /// The server judges them: a new check needs no new sensor. The first time, the machine joins by a token that the
    /// UI shows under Hosts.
    ///
    /// Examples:
    ///   seareeve sensor --server https://seareeve.example --join-file token
    ///   seareeve server join-token create | seareeve sensor --server http://127.0.0.1:7300 --join-file /dev/stdin
    ///   seareeve sensor --kubernetes --context prod --server https://seareeve.example --join-file token
    #[command(verbatim_doc_comment)]
    Sensor(SensorArgs),
    /// Simulate attacks on a cluster, to see that alerts arrive.
    ///
    /// Harmless requests to its API that look like attacks: in a namespace of their own, of images that do not exist, for
    /// nodes that there are none of. What is made is deleted again. Prints each simulation, the answer's status and the
    /// detections that it is meant for; without names it lists what there is.
    ///
    /// Examples:
    ///   seareeve simulate
    ///   seareeve simulate test-alert privileged-container --cluster lab
    ///   seareeve simulate all
    ///   seareeve simulate all --server https://seareeve.example
    #[command(verbatim_doc_comment)]
    Simulate(SimulateArgs),
    /// Look after users of the server on this machine.
    #[command(subcommand)]
    User(UserCommand),
    /// Check this machine and its settings, and name the remedy for each problem.
    Doctor,
    /// Show settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell.
    ///
    /// For bash: seareeve completions bash > /etc/bash_completion.d/seareeve
    Completions(CompletionsArgs),
    /// Write the manual pages.
    ///
    /// For all users: seareeve man /usr/local/share/man/man1
    Man(ManArgs),
    /// Print the OpenAPI document of the server's API.
    #[command(hide = true)]
    Openapi,
    /// Print the JSON schema of an output.
    Schema(SchemaArgs),
    /// Print the command line reference as Markdown.
    #[command(hide = true)]
    Reference,
    /// Print the starter set that is built of a folder of advisories.
    #[command(hide = true)]
    Starter(StarterArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Fetch OSV's archives, CISA's catalogue of exploited vulnerabilities and FIRST's EPSS scores, and build the
    /// advisory database from them.
    ///
    /// What has not changed is not fetched again, and an interrupted download goes on where it stopped. The new
    /// database replaces the old one in one step: running scans and a running server go on undisturbed, and the server
    /// takes it into use by itself.
    Update(DbUpdateArgs),
    /// Build the advisory database from OSV archives, folders or single JSON files.
    Build(DbBuildArgs),
    /// Build the index of Java archives, which names those that do not say what they are by their SHA-1.
    ///
    /// From Trivy's Java database, which Trivy keeps as java-db/trivy-java.db in its cache folder, or from a list of your
    /// own. The new index replaces the old one in one step, and a running server takes it into use by itself. Images
    /// that were scanned before know nothing of it until they are scanned again.
    JavaIndex(DbJavaIndexArgs),
    /// Say what the advisory database and the index of Java archives hold, how old they are, and whether the database
    /// is whole.
    Status(DbStatusArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DbUpdateArgs {
    /// Where the archives are: ADDRESS/ECOSYSTEM/all.zip.
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,

    /// Which ecosystems, such as Debian,PyPI.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) ecosystems: Option<Vec<String>>,

    /// Where CISA's catalogue of known exploited vulnerabilities is; empty to do without.
    #[arg(long, value_name = "URL")]
    pub(crate) kev_address: Option<String>,

    /// Where FIRST's EPSS scores of the day are; empty to do without.
    #[arg(long, value_name = "URL")]
    pub(crate) epss_address: Option<String>,

    /// Certificates (PEM) of authorities to trust besides the usual ones. The proxy is taken from HTTPS_PROXY.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DbBuildArgs {
    /// OSV archives (ECOSYSTEM/all.zip), a folder of them, or JSON files. May be given several times.
    #[arg(long, required = true, value_name = "PATH")]
    pub(crate) from: Vec<Utf8PathBuf>,

    /// CISA's catalogue of known exploited vulnerabilities, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) kev: Option<Utf8PathBuf>,

    /// FIRST's EPSS scores of one day, as CSV, packed by gzip or not.
    #[arg(long, value_name = "FILE")]
    pub(crate) epss: Option<Utf8PathBuf>,

    /// The file to write, instead of the one in the data folder.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DbJavaIndexArgs {
    /// Trivy's Java database, or a list with SHA-1,group,artifact,version on each line (separated by commas or tabs).
    /// The file may be packed by gzip or zstd.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Utf8PathBuf,

    /// The file to write, instead of the one in the data folder.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DbStatusArgs {
    /// The database to look at, instead of the one in the data folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<Utf8PathBuf>,

    /// The index of Java archives to look at, instead of the one in the data folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) java_index: Option<Utf8PathBuf>,

    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UpArgs {
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ServerArgs {
    /// The server. The API token is taken from SEAREEVE_TOKEN, and the authority of its certificate from the file in
    /// SEAREEVE_SERVER_AUTHORITY, if it is none that browsers know.
    #[arg(
        long,
        value_name = "URL",
        env = "SEAREEVE_SERVER",
        default_value = "http://127.0.0.1:7300"
    )]
    pub(crate) server: String,

    #[command(subcommand)]
    pub(crate) command: ServerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Say how the server is.
    Status,
    /// List its images.
    Images,
    /// Print the report of an image as JSON.
    Report {
        /// The image's digest.
        digest: String,
    },
    /// Let the server scan an image in a registry, and wait for it.
    Scan {
        /// The image.
        reference: String,
    },
    #[command(flatten)]
    Hosts(HostsCommand),
    #[command(flatten)]
    Estate(EstateCommand),
    #[command(flatten)]
    Alerts(AlertsCommand),
    /// Look after detections: what there is, what is changed about it, rule files of your own, and trying them.
    #[command(subcommand)]
    Detections(DetectionCommand),
    #[command(flatten)]
    Clusters(ClustersCommand),
    /// Look after what may enter clusters.
    #[command(subcommand)]
    Admission(ServerAdmissionCommand),
    #[command(flatten)]
    Clouds(CloudsCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Print a one-time sign-in link, for a user who forgot the password.
    Link {
        /// The user.
        #[arg(default_value = "admin")]
        name: String,
        /// Take the user's password away, so that a new one is asked for.
        #[arg(long)]
        reset_password: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the settings in force, and where each came from.
    Show,
    /// Print the settings reference as Markdown.
    Reference,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StarterArgs {
    /// The folder of the advisories.
    pub(crate) folder: Utf8PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// The folder to write to.
    pub(crate) folder: Utf8PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SchemaArgs {
    /// Which output.
    #[arg(value_enum)]
    pub(crate) name: SchemaName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemaName {
    /// `seareeve image --format json`.
    #[value(name = "image-report")]
    Image,
    /// `seareeve k8s --format json`.
    #[value(name = "manifest-report")]
    Manifests,
    /// `seareeve docker --format json`.
    #[value(name = "posture-report")]
    Posture,
}

impl Args {
    /// The settings that flags set, by key; they win over file and environment.
    pub(crate) fn overrides(&self) -> Vec<(&'static str, String)> {
        let mut overrides = Vec::new();
        let mut set =
            |key, value: Option<String>| overrides.extend(value.map(|value| (key, value)));
        set(
            "server.data_dir",
            self.data_dir.as_ref().map(ToString::to_string),
        );
        set("server.database", self.database.clone());
        match &self.command {
            Command::Up(up) => {
                set("server.listen", up.listen.clone());
            }
            Command::Db(DbCommand::Update(update)) => {
                set("advisories.address", update.address.clone());
                set(
                    "advisories.ecosystems",
                    update.ecosystems.as_ref().map(|list| list.join(",")),
                );
                set(
                    "advisories.known_exploited_address",
                    update.kev_address.clone(),
                );
                set("advisories.epss_address", update.epss_address.clone());
                set(
                    "advisories.ca_cert",
                    update.ca_cert.as_ref().map(ToString::to_string),
                );
            }
            _ => {}
        }
        overrides
    }
}
