//! What a server is asked about hosts, and what people tell it of them. Lists for people are lines, all else is JSON.

use std::fmt::Write as _;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_api::{Client, NewAttestation, NewEvidence, NewException, NewExemption, NewJoinToken};
use serde::Serialize;

use crate::args::{
    AttestationCommand, ExceptionCommand, ExemptionCommand, HostsCommand, JoinTokenCommand,
};
use crate::{input, output};

/// Bytes of evidence at most, as the server takes it.
const MOST_EVIDENCE: usize = 64 * 1024;

pub(super) fn run(client: &Client, command: &HostsCommand) -> anyhow::Result<()> {
    match command {
        HostsCommand::Hosts => list(client),
        HostsCommand::Host { id } => json(&client.host(*id)?),
        HostsCommand::ReportHost { id, benchmark } => {
            json(&client.host_report(*id, benchmark.as_deref())?)
        }
        HostsCommand::HostFacts { id } => json(&client.host_facts(*id)?),
        HostsCommand::HostHistory { id } => json(&client.host_history(*id)?),
        HostsCommand::DeleteHost { id } => Ok(client.delete_host(*id)?),
        HostsCommand::Sensors => json(&client.sensors()?),
        HostsCommand::DeleteSensor { id } => Ok(client.delete_sensor(*id)?),
        HostsCommand::JoinToken(command) => join_token(client, command),
        HostsCommand::Exception(command) => exception(client, command),
        HostsCommand::Attestation(command) => attestation(client, command),
        HostsCommand::Exemption(command) => exemption(client, command),
    }
}

pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn list(client: &Client) -> anyhow::Result<()> {
    let mut next = None;
    loop {
        let page = client.hosts(next.as_deref())?;
        let mut text = String::new();
        for host in page.hosts {
            let engines = host.engines.iter();
            let engines: Vec<String> = engines
                .map(|engine| format!("{} {}", engine.product, engine.version))
                .collect();
            let failed = host.failed;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  {}  C{} H{} M{} L{}  {}  {}",
                host.id,
                host.state,
                failed.critical,
                failed.high,
                failed.medium,
                failed.low,
                output::safe(&host.name),
                output::safe(&engines.join(", "))
            );
        }
        output::result(None, &text)?;
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

fn join_token(client: &Client, command: &JoinTokenCommand) -> anyhow::Result<()> {
    match command {
        JoinTokenCommand::List => json(&client.join_tokens()?),
        JoinTokenCommand::Create {
            name,
            hours,
            uses,
            environment,
        } => {
            let token = client.create_join_token(&NewJoinToken {
                name: name.clone(),
                hours: *hours,
                most_uses: *uses,
                environment: environment.clone(),
            })?;
            let secret = token
                .secret
                .context("the server made a token without a secret")?;
            output::result(None, &format!("{}\n", output::safe(&secret)))
        }
        JoinTokenCommand::Delete { id } => Ok(client.delete_join_token(*id)?),
    }
}

fn exception(client: &Client, command: &ExceptionCommand) -> anyhow::Result<()> {
    match command {
        ExceptionCommand::List => json(&client.exceptions()?),
        ExceptionCommand::Create {
            check,
            reason,
            host,
            object,
            benchmark,
            until,
        } => json(&client.create_exception(&NewException {
            check: check.clone(),
            benchmark: benchmark.clone(),
            asset: host.clone(),
            object: object.clone(),
            reason: reason.clone(),
            expires: *until,
        })?),
        ExceptionCommand::Delete { id } => Ok(client.delete_exception(*id)?),
    }
}

fn attestation(client: &Client, command: &AttestationCommand) -> anyhow::Result<()> {
    match command {
        AttestationCommand::List => json(&client.attestations()?),
        AttestationCommand::Create {
            host,
            control,
            status,
            reason,
            benchmark,
            until,
            evidence,
        } => {
            let evidence = evidence.as_deref().map(evidence_of).transpose()?;
            let (id, version) = benchmark
                .split_once('@')
                .context("a benchmark is given with its edition, such as cis-docker@1.8.0")?;
            json(&client.create_attestation(&NewAttestation {
                host: *host,
                benchmark: id.to_owned(),
                version: version.to_owned(),
                control: control.clone(),
                status: status.clone(),
                reason: reason.clone(),
                until: *until,
                evidence,
            })?)
        }
        AttestationCommand::Evidence { id } => {
            output::result(None, &client.attestation_evidence(*id)?)
        }
        AttestationCommand::Delete { id } => Ok(client.delete_attestation(*id)?),
    }
}

fn evidence_of(file: &Utf8Path) -> anyhow::Result<NewEvidence> {
    let bytes = input::file("evidence", file, MOST_EVIDENCE)?;
    Ok(NewEvidence {
        name: file.file_name().unwrap_or("evidence").to_owned(),
        text: String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?,
    })
}

fn exemption(client: &Client, command: &ExemptionCommand) -> anyhow::Result<()> {
    match command {
        ExemptionCommand::List => json(&client.exemptions()?),
        ExemptionCommand::Create {
            recommendation,
            host,
            environment,
            kind,
            reason,
            until,
        } => json(&client.create_exemption(&NewExemption {
            recommendation: recommendation.clone(),
            asset: *host,
            environment: environment.clone(),
            kind: kind.clone(),
            reason: reason.clone(),
            expires: *until,
        })?),
        ExemptionCommand::Delete { id } => Ok(client.delete_exemption(*id)?),
    }
}
