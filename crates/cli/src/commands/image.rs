//! `seareeve image`.

mod access;
mod place;

use std::ops::ControlFlow;

use seareeve_image::{Options, Source};
use seareeve_scan::ecosystems::JavaIndex;
use seareeve_scan::{Examined, Examiner};
use seareeve_server::config::Config;

use crate::args::ImageArgs;
use crate::commands::{Outcome, java_index};
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
    let java = java_index::open(args.java_index.as_deref(), config)?;
    let scanners: Vec<seareeve_scan::Scanner> = args
        .scanners
        .iter()
        .map(|scanner| (*scanner).into())
        .collect();
    let examiner = Examiner::new(&scanners);
    let options = access::options(args, &examiner, surroundings, messages)?;
    let found = place::find(args, &options, surroundings, messages)?;
    let examined = examine(&found.source, &options, &examiner, java.as_ref(), messages)?;
    judge.judge(examined)?.print(&found.name, &args.report)
}

fn examine(
    source: &Source,
    options: &Options,
    examiner: &Examiner,
    java: Option<&JavaIndex>,
    messages: &Messages,
) -> anyhow::Result<Examined> {
    let bar = messages.bar();
    let progress = |progress: seareeve_image::Progress| {
        let what = match progress.layers {
            0 => "opening".to_owned(),
            layers => format!("layer {}/{layers}", progress.layer + 1),
        };
        bar.show(what, progress.bytes_read, progress.bytes_total);
        ControlFlow::Continue(())
    };
    let contents = seareeve_image::read(source, options, examiner, &progress);
    bar.clear();
    Ok(examiner.examine(contents?, java))
}
