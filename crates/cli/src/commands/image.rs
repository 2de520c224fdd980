//! `seareeve image`.

mod access;
mod place;

use std::ops::ControlFlow;

use seareeve_image::{Options, Source};
use seareeve_model::Inventory;
use seareeve_scan::{Examiner, ecosystems};
use seareeve_server::config::Config;

use crate::args::ImageArgs;
use crate::commands::Outcome;
use crate::judge::Judge;
use crate::output::Messages;
use crate::surroundings::Surroundings;

pub(crate) fn run(
    args: &ImageArgs,
    config: &Config,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    // What can be refused is refused before an image is read.
    let judge = Judge::new(&args.report, config, surroundings, messages)?;
    let options = access::options(args, surroundings, messages)?;
    let found = place::find(args, &options, surroundings, messages)?;
    let inventory = inventory(&found.source, &options, messages)?;
    judge.judge(inventory)?.print(&found.name, &args.report)
}

fn inventory(source: &Source, options: &Options, messages: &Messages) -> anyhow::Result<Inventory> {
    let bar = messages.bar();
    let progress = |progress: seareeve_image::Progress| {
        let what = match progress.layers {
            0 => "opening".to_owned(),
            layers => format!("layer {}/{layers}", progress.layer + 1),
        };
        bar.show(what, progress.bytes_read, progress.bytes_total);
        ControlFlow::Continue(())
    };
    let contents = seareeve_image::read(source, options, &Examiner, &progress);
    bar.clear();
    let contents = contents?;
    Ok(ecosystems::inventory(
        contents.image,
        &contents.tree,
        contents.problems,
    ))
}
