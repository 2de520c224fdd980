//! `seareeve docker`.

mod fix;
mod scan;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use seareeve_api::{PostureReport, posture_report};
use seareeve_collect::docker_host;
use seareeve_engine::Endpoint;
use seareeve_model::Snapshot;
use seareeve_posture::{Control, Exceptions, Library, Outcome as Verdict, Statements, assess_all};
use seareeve_server::config::Config;

use crate::args::{CollectArgs, DockerArgs, DockerCommand, PostureArgs};
use crate::commands::Outcome;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;
use crate::{content, input};

/// Bytes of a file of facts at most: 500 containers have some 10 MB.
const MOST_FACTS: usize = 256 << 20;
/// Of a file of exceptions.
const MOST_EXCEPTIONS: usize = 16 << 20;

pub(crate) fn run(
    args: &DockerArgs,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    if let Some(DockerCommand::Fix(args)) = &args.command {
        return fix::run(args, &config.server.data_dir, surroundings, messages);
    }
    let library = content::library(args.judge.checks.as_deref())?;
    // A database that cannot be opened is told before a machine is looked at.
    let scanning = match args.scan_images {
        true => Some(scan::Scanning::new(args, config, surroundings, messages)?),
        false => None,
    };
    let mut snapshot = look(&args.collect, surroundings)?;
    if let Some(scanning) = scanning {
        scanning.add(&mut snapshot, messages);
    }
    save(&args.collect, &snapshot)?;
    print(&library, &snapshot, &args.judge, surroundings, messages)
}

/// Judges facts by benchmarks and prints the result.
pub(crate) fn print(
    library: &Library,
    snapshot: &Snapshot,
    args: &PostureArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let mut report = judge(library, snapshot, args, surroundings)?;
    content::tell_gaps(&report, messages);
    let has = |wanted: Verdict| {
        let mut controls = report.controls.iter();
        controls.any(|control| control.status == wanted.as_str())
    };
    // What one look can never tell is shown and is no failure of this one; what it should have told is.
    let is_incomplete =
        has(Verdict::Error) || (has(Verdict::NotCollected) && !report.gaps.is_empty());
    if !args.status.is_empty() {
        let wanted: Vec<&str> = args.status.iter().map(|status| status.as_str()).collect();
        report
            .controls
            .retain(|control| wanted.contains(&control.status.as_str()));
    }
    let text = output::posture_report(&report, args.format)?;
    output::result(args.output.as_deref(), &text)?;
    let gate = args.fail_on.is_some_and(|limit| {
        report.controls.iter().any(|control| {
            control.status == Verdict::Fail.as_str()
                && control
                    .severity
                    .as_ref()
                    .and_then(|severity| severity.parse().ok())
                    .is_some_and(|severity: seareeve_model::Severity| severity >= limit)
        })
    });
    Ok(match (gate, is_incomplete) {
        (true, _) => Outcome::GateFailed,
        (false, true) => Outcome::Incomplete,
        (false, false) => Outcome::Done,
    })
}

/// The facts of this machine, or those that were saved; kept where the user wants it.
fn facts(args: &CollectArgs, surroundings: &Surroundings) -> anyhow::Result<Snapshot> {
    let snapshot = look(args, surroundings)?;
    save(args, &snapshot)?;
    Ok(snapshot)
}

fn save(args: &CollectArgs, snapshot: &Snapshot) -> anyhow::Result<()> {
    match &args.save_facts {
        Some(file) => output::result(Some(file), &output::json::text(snapshot)?),
        None => Ok(()),
    }
}

fn look(args: &CollectArgs, surroundings: &Surroundings) -> anyhow::Result<Snapshot> {
    Ok(match &args.facts {
        Some(file) => saved(file)?,
        None => {
            let sockets = args.socket.iter().cloned();
            let mut endpoints: Vec<Endpoint> = sockets.map(Endpoint::Unix).collect();
            let named = &surroundings.environment.docker_host;
            if let (true, Some(named)) = (endpoints.is_empty(), named) {
                endpoints.push(named.parse().context("environment variable DOCKER_HOST")?);
            }
            docker_host::collect(&docker_host::Options {
                root: Some(args.root.clone()),
                endpoints,
                home: surroundings.environment.home.clone(),
                ..docker_host::Options::here(surroundings.now())
            })
        }
    })
}

/// Reads saved facts.
pub(crate) fn saved(file: &Utf8Path) -> anyhow::Result<Snapshot> {
    let bytes = input::file_or_stdin("file of facts", file, MOST_FACTS)?;
    let snapshot: Snapshot =
        serde_json::from_slice(&bytes).with_context(|| format!("{file} holds no facts"))?;
    anyhow::ensure!(
        snapshot.schema == Snapshot::SCHEMA,
        "{file} holds facts of the form {}, of which only {} is known",
        snapshot.schema,
        Snapshot::SCHEMA
    );
    Ok(snapshot)
}

/// Whether a control has this number, or uses a check of this name.
fn is_called(control: &Control, wanted: &str) -> bool {
    control.id == wanted || control.checks.iter().any(|used| used.check == wanted)
}

fn judge(
    library: &Library,
    snapshot: &Snapshot,
    args: &PostureArgs,
    surroundings: &Surroundings,
) -> anyhow::Result<PostureReport> {
    let benchmarks = content::benchmarks(library, &args.benchmark)?;
    let is_of_level = |control: &&Control| args.level.is_none_or(|level| control.level <= level);
    let judges = |wanted: &str| {
        let controls = benchmarks.iter().flat_map(|benchmark| &benchmark.controls);
        controls
            .filter(is_of_level)
            .any(|control| is_called(control, wanted))
    };
    if let Some(unknown) = args.only.iter().find(|wanted| !judges(wanted)) {
        // Nothing would be judged, which a gate would take for good.
        let names: Vec<String> = benchmarks
            .iter()
            .map(|benchmark| format!("{} {}", benchmark.id, benchmark.version))
            .collect();
        let names = names.join(", ");
        match args.level {
            Some(level) => bail!("{names} has no control or check {unknown} up to level {level}"),
            None => bail!("{names} has no control or check {unknown}"),
        }
    }
    let exceptions = match &args.exceptions {
        Some(file) => {
            let bytes = input::file("file of exceptions", file, MOST_EXCEPTIONS)?;
            let text = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
            Exceptions::parse(&text).with_context(|| format!("failed to use {file}"))?
        }
        None => Exceptions::default(),
    };
    let statements = Statements {
        exceptions,
        ..Statements::default()
    };
    let now = surroundings.now();
    let mut assessments = assess_all(library, benchmarks, snapshot, &statements, now);
    for assessment in &mut assessments {
        assessment.controls.retain(|verdict| {
            let control = verdict.control;
            let mut wanted = args.only.iter();
            is_of_level(&control)
                && (args.only.is_empty() || wanted.any(|wanted| is_called(control, wanted)))
        });
    }
    Ok(posture_report(library, snapshot, &assessments))
}
