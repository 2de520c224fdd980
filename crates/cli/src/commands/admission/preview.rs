//! `seareeve admission preview`: what a policy would make of what is there.

use std::fmt::Write as _;

use seareeve_admission::{Gate, NoImages, Preview, preview};
use seareeve_posture::{Catalogue, Library};

use super::policy;
use crate::args::{Format, PreviewArgs};
use crate::commands::Outcome;
use crate::commands::k8s::source::{Source, Wanted};
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

pub(super) fn run(
    args: &PreviewArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let (library, catalogue) = (Library::builtin(), Catalogue::builtin());
    let policy = policy(args.policy.as_deref(), &library, &catalogue)?;
    let wanted = Wanted {
        facts: args.facts.as_deref(),
        file: &args.file,
        kubeconfig: args.kubeconfig.as_deref(),
        context: args.context.as_deref(),
        nodes: Vec::new(),
    };
    let source = Source::read(wanted, surroundings, messages)?;
    let gate = Gate::new(&library, &policy);
    let found = preview(&gate, &source.snapshot, &NoImages, surroundings.now());
    let text = match args.format {
        Format::Table => table(&found),
        Format::Json => output::json::text(&found)?,
    };
    output::result(args.output.as_deref(), &text)?;
    if policy.reads_scans() {
        messages
            .note("scans of images are known to a server only: all images count as not scanned");
    }
    for problem in &source.problems {
        messages.note(format!("{}: {}", problem.place, problem.message));
    }
    let is_denied = found.tallied.iter().any(|rule| rule.denied > 0);
    let is_partial = !source.problems.is_empty()
        || !found.gaps.is_empty()
        || found.tallied.iter().any(|rule| rule.unchecked > 0);
    Ok(if args.fail_on_denied && is_denied {
        Outcome::GateFailed
    } else if is_partial {
        Outcome::Incomplete
    } else {
        Outcome::Done
    })
}

fn table(found: &Preview) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{:<32} {:>7} {:>7} {:>8} {:>10}",
        "RECOMMENDATION", "REFUSED", "WARNED", "RECORDED", "NOT JUDGED"
    );
    for rule in &found.tallied {
        let _ = writeln!(
            text,
            "{:<32} {:>7} {:>7} {:>8} {:>10}",
            rule.recommendation, rule.denied, rule.warned, rule.audited, rule.unchecked
        );
    }
    let mut last = "";
    for hit in &found.hits {
        if hit.recommendation != last {
            let _ = writeln!(text, "\n{}", hit.recommendation);
            last = &hit.recommendation;
        }
        let name = match hit.namespace.as_str() {
            "" => hit.name.clone(),
            namespace => format!("{namespace}/{}", hit.name),
        };
        let said = hit.messages.join("; ");
        let _ = writeln!(
            text,
            "  {:<9} {} {}: {}",
            word(hit.effect),
            output::safe(&hit.kind),
            output::safe(&name),
            output::safe(&said)
        );
    }
    for gap in &found.gaps {
        let _ = writeln!(text, "\nNot seen: {}", output::safe(gap));
    }
    let _ = writeln!(
        text,
        "\n{} objects were looked at. Nothing was changed.",
        found.objects
    );
    text
}

fn word(effect: &str) -> &'static str {
    match effect {
        "denied" => "refused",
        "warned" => "warned",
        "audited" => "recorded",
        _ => "unjudged",
    }
}
