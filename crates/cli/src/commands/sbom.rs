//! `seareeve sbom`.

use anyhow::Context as _;
use seareeve_api::Sbom;
use seareeve_model::Inventory;
use seareeve_scan::{Examined, sbom};
use seareeve_server::config::Config;

use crate::args::SbomArgs;
use crate::commands::Outcome;
use crate::input;
use crate::judge::Judge;
use crate::output::Messages;
use crate::surroundings::Surroundings;

pub(crate) fn run(
    args: &SbomArgs,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let judge = Judge::new(&args.report, config, surroundings, messages)?;
    let bytes = input::file_or_stdin("SBOM", &args.file, sbom::LARGEST)?;
    let inventory = read(&bytes).with_context(|| format!("failed to use {}", args.file))?;
    // Matching needs the room more than the text does.
    drop(bytes);
    // Nobody looked for anything else.
    let examined = Examined {
        inventory,
        secrets: None,
        raising: None,
    };
    judge
        .judge(examined)?
        .print(args.file.as_str(), &args.report)
}

fn read(bytes: &[u8]) -> anyhow::Result<Inventory> {
    match sbom::read(bytes) {
        // What our command line sends to a server is an inventory as well.
        Err(sbom::ReadError::NotAnSbom) => match serde_json::from_slice::<Sbom>(bytes) {
            Ok(ours) => Ok(ours.try_into()?),
            Err(_not_ours) => Err(sbom::ReadError::NotAnSbom.into()),
        },
        read => Ok(read?),
    }
}
