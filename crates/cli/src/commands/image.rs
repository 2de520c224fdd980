//! `seareeve image`.

use std::ops::ControlFlow;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use seareeve_api::{Client, ImageReport, Sbom};
use seareeve_image::{Options, Source};
use seareeve_model::{Inventory, Severity};
use seareeve_scan::Examiner;
use seareeve_server::config::Config;

use crate::args::{Format, ImageArgs};
use crate::commands::{Outcome, db};
use crate::output::{self, Messages};

pub(crate) fn run(
    args: &ImageArgs,
    config: &Config,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    // What can be refused is refused before an image is read.
    let source = source(args)?;
    let client = args.server.as_deref().map(client).transpose()?;
    let database = match client {
        Some(_) => None,
        None => Some(db::open(args.db.as_deref(), config)?),
    };
    let inventory = inventory(&source, options(args)?, messages)?;
    let mut report = match (&client, &database) {
        (Some(client), _) => client.send_sbom(&Sbom::from(&inventory))?,
        (None, Some(database)) => {
            let matches = seareeve_scan::match_inventory(database, &inventory);
            seareeve_api::report(
                &inventory,
                &matches.findings,
                &matches.problems,
                database.info().into(),
            )
        }
        (None, None) => bail!("no advisory database is open"),
    };
    filter(&mut report, args);
    let text = match args.format {
        Format::Table => output::table::image_report(&report),
        Format::Json => json(&report)?,
    };
    output::result(args.output.as_deref(), &text)?;
    Ok(outcome(&report, args))
}

/// A client for the server at `address`, with the token from the environment.
pub(crate) fn client(address: &str) -> anyhow::Result<Client> {
    let Ok(token) = std::env::var("SEAREEVE_TOKEN") else {
        bail!(
            "SEAREEVE_TOKEN is not set: make an API token in the UI under Settings and put it there"
        );
    };
    Ok(Client::new(address, token.trim())?)
}

/// A result as users and programs read it: indented, one line feed at the end.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let mut text = String::new();
    for c in serde_json::to_string_pretty(value)?.chars() {
        // JSON lets these stand as they are; a terminal takes some of them for commands.
        match c {
            '\u{7f}'..='\u{9f}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('\n');
    Ok(text)
}

fn source(args: &ImageArgs) -> anyhow::Result<Source> {
    match (&args.input, &args.reference) {
        (Some(path), _) => Ok(Source::Archive(path.clone())),
        (None, Some(reference)) => match reference.parse() {
            Ok(reference) => Ok(Source::Registry(reference)),
            Err(error) if Utf8Path::new(reference).exists() => Err(error)
                .with_context(|| format!("{reference} is a file: use --input {reference}")),
            Err(error) => Err(error.into()),
        },
        (None, None) => bail!("name an image, or an archive with --input"),
    }
}

fn options(args: &ImageArgs) -> anyhow::Result<Options> {
    let platform = args.platform.as_deref().map(str::parse).transpose()?;
    Ok(Options {
        platform,
        ..Options::default()
    })
}

fn inventory(source: &Source, options: Options, messages: &Messages) -> anyhow::Result<Inventory> {
    let bar = messages.bar();
    let progress = |progress: seareeve_image::Progress| {
        let what = match progress.layers {
            0 => "opening".to_owned(),
            layers => format!("layer {}/{layers}", progress.layer + 1),
        };
        bar.show(what, progress.bytes_read, progress.bytes_total);
        ControlFlow::Continue(())
    };
    let examiner = Examiner::default();
    let contents = seareeve_image::read(source, &options, &examiner, &progress);
    bar.clear();
    Ok(examiner.examine(contents?, None).inventory)
}

fn filter(report: &mut ImageReport, args: &ImageArgs) {
    report.findings.retain(|finding| {
        let severity: Severity = finding.severity.parse().unwrap_or_default();
        let wanted = args.severity.is_empty() || args.severity.contains(&severity);
        wanted && !(args.ignore_unfixed && finding.status != "fixed")
    });
}

fn outcome(report: &ImageReport, args: &ImageArgs) -> Outcome {
    let at_least = |least: Severity| {
        report
            .findings
            .iter()
            .any(|finding| finding.severity.parse::<Severity>().unwrap_or_default() >= least)
    };
    if args.fail_on.is_some_and(at_least) {
        return Outcome::GateFailed;
    }
    match args.exit_code {
        Some(code) if !report.findings.is_empty() => Outcome::Asked(code),
        _ if !report.problems.is_empty() => Outcome::Incomplete,
        _ => Outcome::Done,
    }
}
