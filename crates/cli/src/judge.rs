//! From the packages of an image to what is printed: match, take out what does not count, choose what is shown,
//! and see whether a gate holds. The same for an image that was read here and for an SBOM.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use seareeve_api::{Client, Database as DatabaseFacts, ImageReport, ReportSecret, Sbom};
use seareeve_model::{DatabaseInfo, DatabaseKind, Finding, FindingStatus, Inventory, Severity};
use seareeve_scan::advisories::Database;
use seareeve_scan::ignore::{self, IgnoreFile};
use seareeve_scan::vex::{self, VexDocument};
use seareeve_scan::{Examined, Matches, releases, secrets};
use seareeve_server::config::Config;

use crate::args::ReportArgs;
use crate::commands::{Outcome, db, server};
use crate::input;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// Ignore files of the current folder that are read without being named: Trivy's users expect theirs to be.
const USUAL_IGNORE_FILES: [&str; 3] = [".trivyignore", ".trivyignore.yaml", "seareeve-ignore.yaml"];
/// Bytes of a VEX document; the largest have some tens of megabytes.
const MOST_VEX_BYTES: usize = 128 << 20;
/// Bytes of an ignore file.
const MOST_IGNORE_BYTES: usize = 4 << 20;

/// Everything that is needed to judge an inventory, opened and understood.
pub(crate) struct Judge<'a> {
    args: &'a ReportArgs,
    by: By,
    vex: Vec<VexDocument>,
    ignore_files: Vec<IgnoreFile>,
    now: Timestamp,
    source_date: Option<Timestamp>,
}

/// Who matches.
enum By {
    /// We, with this database.
    Database(Arc<Database>),
    /// A server.
    Server(Client),
}

/// A judged inventory.
pub(crate) struct Judged {
    /// What was judged.
    pub(crate) inventory: Inventory,
    /// What is shown, for each package of the inventory.
    pub(crate) findings: Vec<Vec<Finding>>,
    /// The same and more, as it is printed.
    pub(crate) report: ImageReport,
    /// The time that documents are to show, where the user set one.
    pub(crate) source_date: Option<Timestamp>,
}

impl<'a> Judge<'a> {
    /// Opens the database, or makes ready to ask the server, and reads what suppresses.
    ///
    /// # Errors
    /// When any of it cannot be used: a list that is not applied would be missed by nobody.
    pub(crate) fn new(
        args: &'a ReportArgs,
        config: &Config,
        surroundings: &Surroundings,
        messages: &Messages,
    ) -> anyhow::Result<Self> {
        let by = match &args.server {
            Some(server) if args.offline => {
                bail!("--offline keeps from sending the list of packages to {server}")
            }
            Some(address) => By::Server(server::client(address)?),
            None => By::Database(db::open(args.db.as_deref(), config)?),
        };
        let now = surroundings.now();
        if let By::Database(database) = &by {
            warn_of_age(&database.info(), now, messages);
        }
        Ok(Self {
            args,
            by,
            vex: vex_documents(&args.vex)?,
            ignore_files: ignore_files(&args.ignore_file, messages)?,
            now,
            source_date: surroundings.source_date,
        })
    }

    /// Judges what an image holds. Secrets stay here: a server is not told of them.
    ///
    /// # Errors
    /// Those of the server.
    pub(crate) fn judge(&self, examined: Examined) -> anyhow::Result<Judged> {
        let Examined {
            inventory, secrets, ..
        } = examined;
        let (mut matches, database) = self.matches(&inventory)?;
        vex::apply(&self.vex, &inventory, &mut matches);
        let suppressed_secrets = ignore::apply(
            &self.ignore_files,
            &inventory,
            secrets.as_deref().unwrap_or_default(),
            &mut matches,
            self.now,
        );
        for findings in &mut matches.findings {
            findings.retain(|finding| is_shown(finding, self.args));
        }
        let mut report =
            seareeve_api::report(&inventory, &matches.findings, &matches.problems, database);
        if let Some(distro) = &inventory.distro {
            let today = self.now.to_zoned(TimeZone::UTC).date();
            report.set_support(releases::support(distro).as_ref(), today);
            report.add_notices(releases::notice(distro, today).as_slice());
        }
        report.add_notices(&matches.notices);
        if let Some(secrets) = secrets {
            let layers = &inventory.image.layers;
            let secrets = secrets.iter().zip(&suppressed_secrets);
            let secrets = secrets.filter(|(secret, _)| is_wanted(secret.severity, self.args));
            report.set_secrets(
                secrets
                    .map(|(secret, suppression)| {
                        let remediation = remediation(&secret.rule);
                        ReportSecret::new(secret, layers, remediation, suppression.as_ref())
                    })
                    .collect(),
            );
        }
        Ok(Judged {
            inventory,
            findings: matches.findings,
            report,
            source_date: self.source_date,
        })
    }

    fn matches(&self, inventory: &Inventory) -> anyhow::Result<(Matches, DatabaseFacts)> {
        match &self.by {
            By::Database(database) => {
                let matches = seareeve_scan::match_inventory(database, inventory);
                Ok((matches, database.info().into()))
            }
            By::Server(client) => {
                let report = client.send_sbom(&Sbom::from(inventory))?;
                let (findings, problems) = report
                    .judgements(inventory)
                    .context("failed to understand the server's answer")?;
                let matches = Matches {
                    findings,
                    problems,
                    notices: Vec::new(),
                };
                Ok((matches, report.database))
            }
        }
    }
}

impl Judged {
    /// Prints the result as the user wants it; `name` is what the user calls the image. The last thing that is done.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn print(self, name: &str, args: &ReportArgs) -> anyhow::Result<Outcome> {
        output::report(&self, name, args)?;
        let outcome = outcome(&self.report, args);
        // The process ends: giving back a hundred thousand texts one by one would take longer than matching them.
        std::mem::forget(self);
        Ok(outcome)
    }
}

/// What was published since is not found. The starter set says that it knows little anyway.
fn warn_of_age(info: &DatabaseInfo, now: Timestamp, messages: &Messages) {
    let days = db::age_days(info, now);
    if info.kind == DatabaseKind::Full && days > db::OLD_DAYS {
        messages.note(format!(
            "the advisory database is {days} days old: seareeve db update makes a new one"
        ));
    }
}

fn vex_documents(files: &[Utf8PathBuf]) -> anyhow::Result<Vec<VexDocument>> {
    let read = |file: &Utf8PathBuf| {
        let content = input::file("VEX document", file, MOST_VEX_BYTES)?;
        Ok(vex::parse(file.as_str(), &content)?)
    };
    files.iter().map(read).collect()
}

fn ignore_files(named: &[Utf8PathBuf], messages: &Messages) -> anyhow::Result<Vec<IgnoreFile>> {
    let mut files: Vec<&Utf8Path> = named.iter().map(Utf8PathBuf::as_path).collect();
    if named.is_empty() {
        let usual = USUAL_IGNORE_FILES.map(Utf8Path::new);
        files.extend(usual.into_iter().filter(|file| file.is_file()));
        for file in &files {
            messages.note(format!(
                "findings that {file} lists do not count (--ignore-file names other lists)"
            ));
        }
    }
    let read = |file: &&Utf8Path| {
        let content = input::file("ignore file", file, MOST_IGNORE_BYTES)?;
        Ok(ignore::parse(file.as_str(), &content)?)
    };
    files.iter().map(read).collect()
}

/// Whether the user asked for findings like this one, whether it counts or not.
fn is_shown(finding: &Finding, args: &ReportArgs) -> bool {
    let is_left_out = args.ignore_unfixed && finding.status != FindingStatus::Fixed;
    is_wanted(finding.severity, args) && !is_left_out
}

fn is_wanted(severity: Severity, args: &ReportArgs) -> bool {
    args.severity.is_empty() || args.severity.contains(&severity)
}

/// What to do with a secret that this rule found.
fn remediation(rule: &str) -> &'static str {
    let rules = secrets::detector().rules();
    let found = rules.binary_search_by(|known| known.id.as_str().cmp(rule));
    let found = found.ok().and_then(|index| rules.get(index));
    found.map_or("", |rule| &rule.remediation)
}

/// Gates look at what is shown and counts.
fn outcome(report: &ImageReport, args: &ReportArgs) -> Outcome {
    let findings = report.findings.iter().map(|finding| &finding.severity);
    let secrets = report.secrets.iter().flatten();
    let secrets = secrets.map(|secret| &secret.severity);
    let worst = findings
        .chain(secrets)
        .map(|severity| severity.parse::<Severity>().unwrap_or_default())
        .max();
    if args.fail_on.is_some_and(|least| worst >= Some(least)) {
        return Outcome::GateFailed;
    }
    match args.exit_code {
        // 0 is Trivy's default, and asks for nothing.
        Some(code) if code != 0 && worst.is_some() => Outcome::Asked(code),
        _ if !report.problems.is_empty() => Outcome::Incomplete,
        _ => Outcome::Done,
    }
}
