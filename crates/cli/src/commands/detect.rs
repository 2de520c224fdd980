//! `seareeve detect`: events from files through rules, alerts as JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use seareeve_detect::Detector;

use crate::args::DetectArgs;
use crate::commands::Outcome;
use crate::detect::{Seen, feed, intel, load_with, name, options, usable};
use crate::output::{self, Messages, safe};

/// Broken lines that are named; the rest are counted.
const MOST_NAMED: u64 = 20;

pub(crate) fn run(args: &DetectArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let mut feed = feed(args.source);
    let joined = intel::lists(&args.intel, messages)?;
    let loaded = load_with(&args.rules, options(&args.how), &joined)
        .and_then(|loaded| usable(loaded, messages))
        .map_err(|error| hinted(error, &args.rules))?;
    let source = name(args.source);
    let mut detector = Detector::new(Arc::new(loaded.engine));
    let (mut events, mut alerts, mut broken) = (0_u64, 0_u64, 0_u64);
    let mut lines = output::Lines::new()?;
    for path in &args.files {
        let mut file = open(path)?;
        feed.read(file.as_mut(), &mut |seen| {
            let (event, clean) = match seen {
                Seen::Event { event, clean } => (event, clean),
                Seen::Broken { line, why } => {
                    broken += 1;
                    if broken <= MOST_NAMED {
                        messages.note(format!("{path}:{line}: skipped: {}", safe(&why)));
                    }
                    return Ok(());
                }
            };
            events += 1;
            for mut alert in detector.see(source, event) {
                joined.explain(&mut alert);
                clean(&mut alert);
                alerts += 1;
                lines.json(&alert)?;
            }
            Ok(())
        })
        .with_context(|| format!("failed to read the events {path}"))?;
    }
    lines.finish()?;
    messages.note(format!(
        "{events} events, {alerts} alerts, {broken} skipped"
    ));
    let dropped = detector.usage().dropped;
    if dropped > 0 {
        messages.note(format!(
            "{dropped} times the memory of correlations and baselines was full: alerts may be missing or be there twice"
        ));
    }
    Ok(match broken {
        0 => Outcome::Done,
        _ => Outcome::Incomplete,
    })
}

/// Several files may follow `--rules`, so one of events that does is taken for one of rules.
fn hinted(error: anyhow::Error, rules: &[Utf8PathBuf]) -> anyhow::Error {
    let is_of_events =
        |path: &&Utf8PathBuf| path.is_file() && !matches!(path.extension(), Some("yaml" | "yml"));
    match rules.iter().skip(1).find(is_of_events) {
        Some(path) => error.context(format!(
            "{path} stands behind --rules: files of events stand before it, or behind `--`"
        )),
        None => error,
    }
}

/// A file, or standard input.
pub(crate) fn open(path: &Utf8Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("failed to open the events {path}"))?;
    Ok(Box::new(BufReader::with_capacity(256 << 10, file)))
}
