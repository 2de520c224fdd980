//! Where facts come from: Azure itself, documents that somebody saved, or facts that were.

use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_collect::azure::{self, Azure, Cloud, Estate, Label, Limits};
use seareeve_model::{Problem, ProblemCode, Snapshot};

use crate::args::AzureArgs;
use crate::input;
use crate::output::Messages;
use crate::surroundings::Surroundings;

/// Bytes of a file of facts at most.
const MOST_FACTS: usize = 256 << 20;

/// What was read.
pub(super) struct Source {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) problems: Vec<Problem>,
}

impl Source {
    pub(super) fn read(
        args: &AzureArgs,
        surroundings: &Surroundings,
        messages: &Messages,
    ) -> anyhow::Result<Self> {
        if let Some(file) = &args.facts {
            return Ok(Self {
                snapshots: facts(file)?,
                problems: Vec::new(),
            });
        }
        let label = Label {
            collected_at: surroundings.now(),
            collector: concat!("seareeve ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        if !args.file.is_empty() {
            for path in &args.file {
                // What a user names is there; what a folder holds may not be readable.
                std::fs::metadata(path).with_context(|| format!("failed to read {path}"))?;
            }
            let saved = azure::saved(&args.file);
            return Ok(Self {
                snapshots: saved.estate.snapshots(&label),
                problems: saved.problems,
            });
        }
        let estate = ask(args, surroundings, messages)?;
        let gap = |gap: &azure::Gap| {
            let place = match gap.action.as_str() {
                "" => estate.source.as_str(),
                action => action,
            };
            Problem::new(ProblemCode::FileUnreadable, place, gap.detail.clone())
        };
        Ok(Self {
            snapshots: estate.snapshots(&label),
            problems: estate.gaps().into_iter().map(gap).collect(),
        })
    }
}

fn ask(
    args: &AzureArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Estate> {
    let cloud = cloud(args, surroundings)?;
    let credentials = match &surroundings.azure.credentials {
        Ok(credentials) => credentials.clone(),
        Err(why) => anyhow::bail!("the credentials for Azure are not whole: {why}"),
    };
    messages.note(format!(
        "reading {} as {}",
        cloud.manager,
        credentials.about()
    ));
    let pause = Box::new(|time: Duration| {
        std::thread::sleep(time);
        true
    });
    let authorities = args.ca_cert.as_deref();
    let mut azure = Azure::new(&cloud, credentials, Limits::default(), authorities, pause)?;
    azure
        .read(&args.subscription)
        .context("failed to read Azure")
}

/// The cloud that the user means: by flags, or by the variable that names where to log in.
fn cloud(args: &AzureArgs, surroundings: &Surroundings) -> anyhow::Result<Cloud> {
    if let (Some(login), Some(manager)) = (&args.login_address, &args.manager_address) {
        let metadata = surroundings.azure.metadata.as_deref();
        return Ok(Cloud::custom(login, manager, metadata)?);
    }
    if let Some(cloud) = args.cloud {
        return Cloud::named(cloud.as_str()).context("this cloud is not known");
    }
    let Some(authority) = &surroundings.azure.authority else {
        return Cloud::named("public").context("this cloud is not known");
    };
    let authority = authority.trim_end_matches('/');
    let mut known = Cloud::NAMES.into_iter().filter_map(Cloud::named);
    known
        .find(|cloud| cloud.login.eq_ignore_ascii_case(authority))
        .with_context(|| {
            format!(
                "environment variable AZURE_AUTHORITY_HOST: {authority} belongs to no cloud that is known: \
                 use --login-address and --manager-address"
            )
        })
}

/// Snapshots that were saved, one or several.
fn facts(file: &Utf8Path) -> anyhow::Result<Vec<Snapshot>> {
    let bytes = input::file_or_stdin("file of facts", file, MOST_FACTS)?;
    let all = serde_json::Deserializer::from_slice(&bytes).into_iter();
    let snapshots: Vec<Snapshot> = all
        .collect::<Result<_, _>>()
        .with_context(|| format!("{file} holds no facts"))?;
    anyhow::ensure!(!snapshots.is_empty(), "{file} holds no facts");
    if let Some(other) = snapshots.iter().find(|one| one.schema != Snapshot::SCHEMA) {
        anyhow::bail!(
            "{file} holds facts of the form {}, of which only {} is known",
            other.schema,
            Snapshot::SCHEMA
        );
    }
    Ok(snapshots)
}
