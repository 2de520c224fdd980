//! `seareeve db`.

use std::sync::Arc;

use anyhow::Context as _;
use camino::Utf8Path;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use seareeve_collect::feeds::{self, Addresses, Downloader};
use seareeve_model::{DatabaseInfo, Problem};
use seareeve_scan::advisories::{self, Database, Sources};
use seareeve_server::config::Config;
use serde::Serialize;

use crate::args::{DbBuildArgs, DbCommand, DbStatusArgs, Format};
use crate::commands::{Outcome, java_index};
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// How many problems of a build are printed one by one.
const SHOWN_PROBLEMS: usize = 20;
/// Age in days from which an advisory database is called old.
pub(crate) const OLD_DAYS: i64 = 7;

pub(crate) fn run(
    command: &DbCommand,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let now = surroundings.now();
    match command {
        DbCommand::Update(_) => update(config, now, messages),
        DbCommand::Build(args) => build(args, config, now, messages),
        DbCommand::JavaIndex(args) => java_index::build(args, config, messages),
        DbCommand::Status(args) => status(args, config, now),
    }
}

/// The database that a user named, the one in the data folder, or the built-in starter set.
pub(crate) fn open(file: Option<&Utf8Path>, config: &Config) -> anyhow::Result<Arc<Database>> {
    let default = config.advisory_file();
    match file {
        Some(file) => Ok(Arc::new(
            Database::open(file).with_context(|| format!("failed to open the advisory database {file}"))?,
        )),
        None if default.exists() => Ok(Arc::new(Database::open(&default).with_context(|| {
            format!("failed to open the advisory database {default}: `seareeve db update` makes a new one")
        })?)),
        None => Ok(Arc::clone(seareeve_scan::starter::database())),
    }
}

fn update(config: &Config, now: Timestamp, messages: &Messages) -> anyhow::Result<Outcome> {
    let names: Vec<&str> = config
        .advisories
        .ecosystems
        .iter()
        .map(String::as_str)
        .collect();
    let addresses = Addresses {
        osv: &config.advisories.address,
        ecosystems: &names,
        known_exploited: optional(&config.advisories.known_exploited_address),
        epss: optional(&config.advisories.epss_address),
    };
    let downloader = Downloader::new(config.ca_cert())?;
    let folder = config.feed_folder();
    make_data_folder(config)?;
    let bar = messages.bar();
    let fetched = feeds::fetch(&downloader, &addresses, &folder, &mut |progress| {
        let what = format!("{} {}/{}", progress.what, progress.number, progress.of);
        bar.show(what, progress.bytes, progress.total);
        true
    });
    bar.clear();
    let fetched = fetched?;
    messages.note(format!(
        "{} files are new, {} unchanged",
        fetched.updated.len(),
        fetched.unchanged.len()
    ));
    let files = feeds::files(&addresses, &folder);
    let sources = Sources {
        records: files.archives,
        known_exploited: files.known_exploited,
        epss: files.epss,
    };
    finish(
        &sources,
        &config.advisory_file(),
        fetched.problems,
        now,
        messages,
    )
}

/// An empty address means that a feed is not wanted.
fn optional(address: &str) -> Option<&str> {
    (!address.is_empty()).then_some(address)
}

fn build(
    args: &DbBuildArgs,
    config: &Config,
    now: Timestamp,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let output = match &args.output {
        Some(output) => output.clone(),
        None => {
            make_data_folder(config)?;
            config.advisory_file()
        }
    };
    let sources = Sources {
        records: args.from.clone(),
        known_exploited: args.kev.clone(),
        epss: args.epss.clone(),
    };
    finish(&sources, &output, Vec::new(), now, messages)
}

fn finish(
    sources: &Sources,
    output: &Utf8Path,
    mut problems: Vec<Problem>,
    now: Timestamp,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let bar = messages.bar();
    let report = advisories::build(sources, output, now, &|progress| {
        bar.show(
            "building".to_owned(),
            progress.done_bytes,
            Some(progress.total_bytes),
        );
    });
    bar.clear();
    let report = report?;
    problems.extend(report.problems);
    output::result(
        None,
        &format!(
            "{output}: {} advisories, {}\n",
            report.info.advisories, report.info.digest
        ),
    )?;
    for problem in problems.iter().take(SHOWN_PROBLEMS) {
        messages.note(format!("not used: {problem}"));
    }
    if let Some(more) = problems
        .len()
        .checked_sub(SHOWN_PROBLEMS)
        .filter(|more| *more > 0)
    {
        messages.note(format!("not used: {more} more"));
    }
    Ok(if problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}

fn status(args: &DbStatusArgs, config: &Config, now: Timestamp) -> anyhow::Result<Outcome> {
    let database = open(args.db.as_deref(), config)?;
    database
        .verify()
        .context("the advisory database is damaged: `seareeve db update` makes a new one")?;
    let info = database.info();
    let file = match (&args.db, config.advisory_file()) {
        (Some(file), _) => file.to_string(),
        (None, file) if file.exists() => file.to_string(),
        (None, _) => "built in".to_owned(),
    };
    let status = Status {
        database: info.into(),
        java_index: java_index::Facts::of(args.java_index.as_deref(), config)?,
    };
    let text = match args.format {
        Format::Table => {
            output::table::database(&status, &file, now.to_zoned(TimeZone::UTC).date())
        }
        Format::Json => output::json::text(&status)?,
    };
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

/// What `seareeve db status` says.
#[derive(Serialize)]
pub(crate) struct Status {
    /// The advisory database.
    #[serde(flatten)]
    pub(crate) database: seareeve_api::Database,
    /// The index of Java archives, where there is one.
    pub(crate) java_index: Option<java_index::Facts>,
}

/// Whole days from when a database was built until `now`.
pub(crate) fn age_days(info: &DatabaseInfo, now: Timestamp) -> i64 {
    now.duration_since(info.built).as_hours() / 24
}

pub(crate) fn make_data_folder(config: &Config) -> anyhow::Result<()> {
    seareeve_server::make_private_folder(&config.server.data_dir)
}
