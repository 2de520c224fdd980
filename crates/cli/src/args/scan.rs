//! What can be typed behind `image` and `sbom`: what to scan, how to judge it, and how to print the result.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args as ClapArgs, ValueEnum};
use seareeve_model::Severity;

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("what").required(true).args(["reference", "input", "rootfs"]))]
pub(crate) struct ImageArgs {
    /// Name of an image. Loopback registries may speak plain http.
    #[arg(value_name = "REF")]
    pub(crate) reference: Option<String>,

    /// Archive made by `docker save`, or an OCI layout (file or folder). The file may be packed by gzip or zstd.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<Utf8PathBuf>,

    /// Folder with a root file system: a mounted image, a chroot, or / for this machine.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<Utf8PathBuf>,

    /// Which image of an archive that holds several: its name or digest.
    #[arg(long, value_name = "NAME", requires = "input")]
    pub(crate) image: Option<String>,

    /// Which image of a multi-platform one: OS/ARCH or OS/ARCH/VARIANT.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,

    /// Where a name is looked for, always in this order.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "LIST",
        default_values = ["docker", "podman", "registry"],
        help_heading = "Places"
    )]
    pub(crate) source: Vec<Place>,

    /// Speak plain http to the image's registry. It is then shown no credentials.
    #[arg(long, requires = "reference", help_heading = "Places")]
    pub(crate) insecure: bool,

    /// Certificates of authorities (PEM) to trust besides the usual ones when speaking to registries.
    #[arg(long, value_name = "FILE", help_heading = "Places")]
    pub(crate) ca_cert: Option<Utf8PathBuf>,

    /// User of the registry. Otherwise what `docker login` or `podman login` remembered is used.
    #[arg(
        long,
        value_name = "NAME",
        requires_all = ["password_stdin", "reference"],
        help_heading = "Places"
    )]
    pub(crate) username: Option<String>,

    /// Read the user's password or token from standard input.
    #[arg(long, requires = "username", help_heading = "Places")]
    pub(crate) password_stdin: bool,

    /// What to look for.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "LIST",
        default_values = ["vuln", "secret"],
    )]
    pub(crate) scanners: Vec<Scanner>,

    /// Compute and compare every digest, as an engine does before it runs an image. Otherwise a layer that lies
    /// unpacked in a local archive is read in place, and a layer that was read before is not read again; both are
    /// faster. Packed layers, and all that comes from a registry, are compared whenever they are read.
    #[arg(long)]
    pub(crate) verify: bool,

    /// Index that names Java archives by their SHA-1, instead of the one in the data folder (see seareeve db
    /// java-index). Without one, archives that do not say what they are become problems of the result.
    #[arg(long, value_name = "FILE")]
    pub(crate) java_index: Option<Utf8PathBuf>,

    /// Neither use nor keep what earlier scans found in the same layers.
    #[arg(long)]
    pub(crate) no_cache: bool,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SbomArgs {
    /// CycloneDX or SPDX as JSON, also in an in-toto statement; - reads standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: Utf8PathBuf,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// How a scan is judged and printed.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// How to print the result.
    #[arg(short, long, value_enum, default_value_t = ReportFormat::Table, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,

    /// Write the result to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,

    /// Show only these severities, such as HIGH,CRITICAL.
    #[arg(short, long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) severity: Vec<Severity>,

    /// Leave out findings without a fixed version.
    #[arg(long)]
    pub(crate) ignore_unfixed: bool,

    /// Exit with 2 when a finding that is shown is at least this severe.
    #[arg(long, value_name = "SEVERITY", help_heading = "Gates")]
    pub(crate) fail_on: Option<Severity>,

    /// Exit with this code when any finding is shown (as Trivy does).
    #[arg(
        long,
        value_name = "CODE",
        conflicts_with = "fail_on",
        help_heading = "Gates"
    )]
    pub(crate) exit_code: Option<u8>,

    /// VEX document: OpenVEX, CSAF or CycloneDX. What it says is not affected, or fixed, does not count. May be
    /// given several times.
    #[arg(long, value_name = "FILE", help_heading = "Suppressions")]
    pub(crate) vex: Vec<Utf8PathBuf>,

    /// List of findings that are accepted: Trivy's form or our own. May be given several times. Without it,
    /// .trivyignore, .trivyignore.yaml and seareeve-ignore.yaml of the current folder are read.
    #[arg(long, value_name = "FILE", help_heading = "Suppressions")]
    pub(crate) ignore_file: Vec<Utf8PathBuf>,

    /// List in the table also what does not count, with the reason. The other formats always have it.
    #[arg(long, help_heading = "Suppressions")]
    pub(crate) show_suppressed: bool,

    /// Advisory database to use instead of the one in the data folder.
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub(crate) db: Option<Utf8PathBuf>,

    /// Send nothing over a network and fetch nothing: fail where that would be needed. Engines of this machine
    /// are asked all the same.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Let this server match and keep the result: the list of packages is sent, not the image.
    /// The API token is taken from SEAREEVE_TOKEN.
    #[arg(long, value_name = "URL", env = "SEAREEVE_SERVER")]
    pub(crate) server: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Table,
    /// For programs; `seareeve schema image-report` prints its schema.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// SBOM with its vulnerabilities: CycloneDX 1.6 as JSON.
    Cyclonedx,
    /// SBOM: SPDX 2.3 as JSON.
    SpdxJson,
    /// For build servers: a test that fails for each finding.
    Junit,
    /// For people: one page that needs nothing else.
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// Docker's engine: DOCKER_HOST, or its usual sockets.
    Docker,
    /// Podman's service: CONTAINER_HOST, or its usual sockets.
    Podman,
    /// The registry that the name leads to.
    Registry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scanner {
    /// Known vulnerabilities of packages.
    Vuln,
    /// Credentials in files, environment and build history.
    Secret,
}

impl From<Scanner> for seareeve_scan::Scanner {
    fn from(scanner: Scanner) -> Self {
        match scanner {
            Scanner::Vuln => Self::Vulnerabilities,
            Scanner::Secret => Self::Secrets,
        }
    }
}
