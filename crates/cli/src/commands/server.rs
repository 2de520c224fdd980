//! `seareeve server`: asks a running server through the typed client.

mod admission;
mod alerts;
mod clouds;
mod clusters;
mod detections;
mod estate;
mod hosts;
mod intel;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::bail;
use seareeve_api::{Client, ScanRequest, ScanState};

use crate::args::{ServerArgs, ServerCommand};
use crate::commands::{Outcome, joining};
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

pub(crate) use self::alerts::webhook;

/// Pause between two looks at a running scan.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) fn run(
    args: &ServerArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let client = client(&args.server)?;
    match &args.command {
        ServerCommand::Status => output::result(None, &output::json::text(&client.status()?)?)?,
        ServerCommand::Report { digest } => {
            output::result(None, &output::json::text(&client.report(digest)?)?)?
        }
        ServerCommand::Images => {
            let mut next = None;
            loop {
                let page = client.images(next.as_deref())?;
                let mut text = String::new();
                for image in page.images {
                    let (name, counts) = (
                        image.references.first().unwrap_or(&image.digest),
                        image.findings,
                    );
                    // Writing to a String cannot fail.
                    let _ = writeln!(
                        text,
                        "{}  C{} H{} M{} L{} U{}  {}",
                        image.digest,
                        counts.critical,
                        counts.high,
                        counts.medium,
                        counts.low,
                        counts.unknown,
                        output::safe(name)
                    );
                }
                output::result(None, &text)?;
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        ServerCommand::Admission(command) => {
            admission::run(&client, command, surroundings.now())?;
        }
        ServerCommand::Hosts(command) => hosts::run(&client, command)?,
        ServerCommand::Estate(command) => return estate::run(&client, command, messages),
        ServerCommand::Alerts(command) => alerts::run(&client, command)?,
        ServerCommand::Detections(command) => {
            return detections::run(&client, command, messages);
        }
        ServerCommand::Clusters(command) => clusters::run(&client, command)?,
        ServerCommand::Clouds(command) => clouds::run(&client, command)?,
        ServerCommand::Scan { reference } => return scan(&client, reference, messages),
    }
    Ok(Outcome::Done)
}

/// A client for the server at `address`, with the token from the environment, and the authority of its certificate.
pub(crate) fn client(address: &str) -> anyhow::Result<Client> {
    let Ok(token) = std::env::var("SEAREEVE_TOKEN") else {
        bail!(
            "SEAREEVE_TOKEN is not set: make an API token in the UI under Settings and put it there"
        );
    };
    let authority = std::env::var("SEAREEVE_SERVER_AUTHORITY").ok();
    let authority = authority.filter(|file| !file.is_empty());
    let authority = authority.map(|file| joining::read_authority(file.as_str().into()));
    let authority = authority.transpose()?;
    Ok(Client::trusting(
        address,
        token.trim(),
        authority.as_deref(),
    )?)
}

fn scan(client: &Client, reference: &str, messages: &Messages) -> anyhow::Result<Outcome> {
    let mut scan = client.scan(&ScanRequest {
        reference: reference.to_owned(),
    })?;
    let bar = messages.bar();
    while matches!(scan.state, ScanState::Queued | ScanState::Running) {
        let progress = scan.progress.clone().unwrap_or_default();
        let what = format!("layer {}/{}", progress.layer, progress.layers);
        bar.show(what, progress.bytes_read, progress.bytes_total);
        std::thread::sleep(LOOK_EVERY);
        scan = client.scan_state(scan.id)?;
    }
    bar.clear();
    let Some(digest) = scan.image else {
        bail!(
            "{}",
            scan.error
                .unwrap_or_else(|| "the scan was cancelled".to_owned())
        );
    };
    let report = client.report(&digest)?;
    output::result(None, &output::table::image_report(&report, &digest, false))?;
    Ok(if report.problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}
