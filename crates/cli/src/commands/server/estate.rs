//! What a server is asked about what assets need. Lists for people are lines, all else is JSON.

use std::fmt::Write as _;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use seareeve_api::{Client, ClientError, ComplianceScope, OwnTested, ScoreIf};

use super::hosts::json;
use crate::args::{ComplianceArgs, EstateCommand, OwnChecksCommand, ScoreArgs};
use crate::commands::Outcome;
use crate::content;
use crate::output::{self, Messages, safe};

pub(super) fn run(
    client: &Client,
    command: &EstateCommand,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    match command {
        EstateCommand::Assets => assets(client)?,
        EstateCommand::Asset { id } => json(&client.asset(*id)?)?,
        EstateCommand::AssetImages {
            id,
            unscanned,
            json: as_json,
        } => asset_images(client, *id, unscanned.then_some("unscanned"), *as_json)?,
        EstateCommand::ImageUses {
            digest,
            running,
            json: as_json,
        } => image_uses(client, digest, *running, *as_json)?,
        EstateCommand::MoveAsset { id, environment } => client.move_asset(*id, environment)?,
        EstateCommand::Environments => environments(client)?,
        EstateCommand::Recommendations { csv: true } => {
            output::result(None, &client.recommendations_csv(None)?)?;
        }
        EstateCommand::Recommendations { .. } => json(&client.recommendations()?)?,
        EstateCommand::Recommendation { id, csv: true } => {
            output::result(None, &client.recommendations_csv(Some(id))?)?;
        }
        EstateCommand::Recommendation { id, .. } => recommendation(client, id)?,
        EstateCommand::Score(args) => score(client, args)?,
        EstateCommand::Compliance(args) => compliance(client, args)?,
        EstateCommand::Benchmarks => json(&client.benchmarks()?)?,
        EstateCommand::Checks(command) => return checks(client, command, messages),
    }
    Ok(Outcome::Done)
}

fn assets(client: &Client) -> anyhow::Result<()> {
    let mut next = None;
    loop {
        let page = client.assets(next.as_deref())?;
        let mut text = String::new();
        for asset in page.assets {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  {}  needs {} of {}  {}  {}  {}",
                asset.id,
                asset.state,
                asset.unhealthy,
                asset.unhealthy + asset.healthy,
                safe(&asset.kind),
                safe(&asset.environment),
                safe(&asset.name)
            );
        }
        output::result(None, &text)?;
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

/// All pages as one: `next` is where a page says what comes after it, and `join` adds a page to those before.
fn gather<P>(
    page: impl Fn(Option<&str>) -> Result<P, ClientError>,
    next: fn(&mut P) -> &mut Option<String>,
    join: fn(&mut P, P),
) -> anyhow::Result<P> {
    let mut all = page(None)?;
    while let Some(from) = next(&mut all).take() {
        let mut more = page(Some(&from))?;
        *next(&mut all) = next(&mut more).take();
        join(&mut all, more);
    }
    Ok(all)
}

fn asset_images(
    client: &Client,
    asset: i64,
    only: Option<&str>,
    as_json: bool,
) -> anyhow::Result<()> {
    let all = gather(
        |next| client.asset_images(asset, only, next),
        |page| &mut page.next,
        |all, page| all.images.extend(page.images),
    )?;
    if as_json {
        return json(&all);
    }
    let mut text = String::new();
    for image in &all.images {
        let counts = image.findings;
        let found = match &image.image {
            None => "not scanned".to_owned(),
            Some(_) => format!(
                "C{} H{} M{} L{} U{}",
                counts.critical, counts.high, counts.medium, counts.low, counts.unknown
            ),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{found}  {} of {} run  {}  {}",
            image.running,
            image.uses,
            image.image.as_deref().unwrap_or("-"),
            safe(&image.name)
        );
    }
    output::result(None, &text)
}

fn image_uses(client: &Client, digest: &str, running: bool, as_json: bool) -> anyhow::Result<()> {
    let all = gather(
        |next| client.image_uses(digest, running, next),
        |page| &mut page.next,
        |all, page| all.uses.extend(page.uses),
    )?;
    if as_json {
        return json(&all);
    }
    let mut text = String::new();
    for used in &all.uses {
        let state = if used.running { "runs" } else { "idle" };
        let place = match used.namespace.as_str() {
            "" => String::new(),
            namespace => format!("{}/", safe(namespace)),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{state}  {}  {}  {} {place}{}  as {}",
            safe(&used.asset_kind),
            safe(&used.asset_name),
            safe(&used.sort),
            safe(&used.name),
            safe(&used.image_name)
        );
    }
    for held in &all.held_in {
        let _ = writeln!(
            text,
            "held  registry  {}  {}",
            safe(&held.asset_name),
            safe(&held.reference)
        );
    }
    output::result(None, &text)
}

fn environments(client: &Client) -> anyhow::Result<()> {
    let mut text = String::new();
    for one in client.environments()?.environments {
        let share = match one.share {
            Some(share) => format!("{:.0}%", share * 100.0),
            None => "no score".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {share}  {:.2} of {:.0} points  {} assets",
            safe(&one.name),
            one.points,
            one.max,
            one.assets
        );
    }
    output::result(None, &text)
}

/// With all of its assets, however many pages they are.
fn recommendation(client: &Client, id: &str) -> anyhow::Result<()> {
    let mut detail = client.recommendation(id)?;
    detail.assets.clear();
    let mut next = None;
    loop {
        let page = client.recommendation_assets(id, next.as_deref())?;
        detail.assets.extend(page.assets);
        next = page.next;
        if next.is_none() {
            return json(&detail);
        }
    }
}

fn score(client: &Client, args: &ScoreArgs) -> anyhow::Result<()> {
    let environment = args.environment.as_deref();
    if let Some(days) = args.history {
        return json(&client.score_history(days, environment)?);
    }
    if args.if_mended.is_some() || !args.if_host.is_empty() {
        return json(&client.score_if(&ScoreIf {
            recommendation: args.if_mended.clone(),
            assets: args.if_host.clone(),
            environment: args.environment.clone(),
            exempt: false,
        })?);
    }
    match environment {
        None => json(&client.score()?),
        Some(name) => json(&client.score_of(name)?),
    }
}

fn compliance(client: &Client, args: &ComplianceArgs) -> anyhow::Result<()> {
    let scope = ComplianceScope {
        version: args.edition.clone(),
        environment: args.environment.clone(),
        asset: args.asset,
    };
    if let Some(file) = &args.pdf {
        let bytes = client.compliance_pdf(&args.benchmark, &scope)?;
        return std::fs::write(file, bytes).with_context(|| format!("failed to write {file}"));
    }
    if args.csv {
        return output::result(None, &client.compliance_csv(&args.benchmark, &scope)?);
    }
    json(&client.compliance(&args.benchmark, &scope)?)
}

fn checks(
    client: &Client,
    command: &OwnChecksCommand,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    match command {
        OwnChecksCommand::List => {
            let mut text = String::new();
            for own in client.own_checks()?.checks {
                let state = match (own.enabled, &own.problem) {
                    (false, _) => "off",
                    (true, Some(_)) => "unusable",
                    (true, None) => "on",
                };
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{state:<8}  {:<9}  {:<40}  {}",
                    safe(&own.kind),
                    safe(&own.name),
                    safe(own.problem.as_ref().unwrap_or(&own.title))
                );
            }
            output::result(None, &text)?;
        }
        OwnChecksCommand::Add {
            paths,
            replace,
            dry_run,
        } => {
            let tested = client.bring_checks(&documents(paths)?, *replace, *dry_run)?;
            return told(&tested, messages);
        }
        OwnChecksCommand::Show { name } => output::result(None, &client.own_check(name)?)?,
        OwnChecksCommand::Enable { name } => {
            client.switch_own_check(name, true)?;
        }
        OwnChecksCommand::Disable { name } => {
            client.switch_own_check(name, false)?;
        }
        OwnChecksCommand::Delete { name } => client.delete_own_check(name)?,
    }
    Ok(Outcome::Done)
}

/// All files as one stream of YAML.
fn documents(paths: &[Utf8PathBuf]) -> anyhow::Result<String> {
    let mut texts = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            content::find(path, &mut files)?;
            for file in &files {
                texts.push(content::found(path, file)?);
            }
        } else {
            texts.push(content::text(path)?);
        }
    }
    let mut stream = String::new();
    for text in texts {
        stream.push_str("---\n");
        stream.push_str(&text);
        stream.push('\n');
    }
    Ok(stream)
}

fn told(tested: &OwnTested, messages: &Messages) -> anyhow::Result<Outcome> {
    let mut text = String::new();
    for fault in &tested.faults {
        let example = fault
            .example
            .as_ref()
            .map(|name| format!("{}: ", safe(name)));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}: {}{}",
            safe(&fault.name),
            example.unwrap_or_default(),
            safe(&fault.fault)
        );
    }
    output::result(None, &text)?;
    messages.note(format!(
        "{} checks and benchmarks, {} examples, {} faults{}",
        tested.checks.len(),
        tested.examples,
        tested.faults.len(),
        if tested.saved { "; kept" } else { "" }
    ));
    Ok(match tested.faults.is_empty() {
        true => Outcome::Done,
        false => Outcome::GateFailed,
    })
}
