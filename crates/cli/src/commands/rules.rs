//! `seareeve rules`: for those who write rules, and those who ask why.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use seareeve_detect::{Detector, Event, Options, Rule, RuleKind, run_examples};
use serde_json::json;

use crate::args::{
    BenchArgs, EventSource, ExplainRuleArgs, Format, RulesCommand, TestRulesArgs, ValidateArgs,
};
use crate::commands::Outcome;
use crate::commands::detect::open;
use crate::detect::{Seen, feed, load, name, options, usable};
use crate::output::{self, Messages, safe};

/// How long a measurement takes, about.
const LONG_ENOUGH: Duration = Duration::from_secs(2);
/// Rounds that are measured by themselves; the fastest counts.
const ROUNDS: u32 = 5;

pub(crate) fn run(command: &RulesCommand, messages: &Messages) -> anyhow::Result<Outcome> {
    match command {
        RulesCommand::Validate(args) => validate(args, messages),
        RulesCommand::Explain(args) => explain(args),
        RulesCommand::Test(args) => test(args, messages),
        RulesCommand::Bench(args) => bench(args, messages),
    }
}

fn validate(args: &ValidateArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let loaded = load(&args.paths, options(&args.how))?;
    let text = match args.format {
        Format::Json => {
            let found: Vec<_> = loaded
                .diagnostics
                .iter()
                .map(|found| {
                    json!({
                        "file": found.file,
                        "line": found.line,
                        "column": found.column,
                        "code": found.code.as_str(),
                        "error": found.code.is_error(),
                        "item": found.item,
                        "message": found.message,
                    })
                })
                .collect();
            output::json::text(&found)?
        }
        Format::Table => {
            let mut text = String::new();
            for found in &loaded.diagnostics {
                writeln!(text, "{}", safe(&found.to_string()))?;
            }
            text
        }
    };
    output::result(None, &text)?;
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|found| found.code.is_error())
        .count();
    let enabled = loaded.engine.rules().filter(|rule| rule.is_enabled).count();
    messages.note(format!(
        "{} rules, of which {enabled} are on; {errors} errors, {} warnings",
        loaded.engine.rules().count(),
        loaded.diagnostics.len() - errors
    ));
    Ok(match errors {
        0 => Outcome::Done,
        _ => Outcome::GateFailed,
    })
}

fn explain(args: &ExplainRuleArgs) -> anyhow::Result<Outcome> {
    let loaded = load(&args.paths, Options::default())?;
    let is_it = |rule: &&Rule| {
        rule.id == args.rule || rule.name == args.rule || rule.aliases.contains(&args.rule)
    };
    let rule = loaded
        .engine
        .rules()
        .find(is_it)
        .with_context(|| format!("there is no rule {} that can be used", args.rule))?;
    let text = match args.format {
        Format::Json => output::json::text(&as_json(rule))?,
        Format::Table => as_text(rule)?,
    };
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

fn kind(rule: &Rule) -> &'static str {
    match rule.kind {
        RuleKind::Single => "single",
        RuleKind::Correlation => "correlation",
        RuleKind::Baseline => "baseline",
    }
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id,
        "rule": rule.name,
        "source": rule.source,
        "enabled": rule.is_enabled,
        "priority": rule.priority.as_str(),
        "severity": rule.severity.as_str(),
        "aliases": rule.aliases,
        "tactics": rule.tactics,
        "techniques": rule.techniques,
        "tags": rule.tags,
        "kind": kind(rule),
        "description": rule.description,
        "remediation": rule.remediation,
        "false_positives": rule.false_positives,
        "references": rule.references,
        "condition": rule.condition,
        "fields": rule.fields,
        "output": rule.output,
        "coverage": rule.coverage,
        "content": rule.content,
        "file": rule.file,
        "line": rule.line,
    })
}

fn as_text(rule: &Rule) -> anyhow::Result<String> {
    let mut text = String::new();
    let state = if rule.is_enabled { "on" } else { "off" };
    let severity = rule.severity;
    writeln!(
        text,
        "{}\n{} ({severity}, {}, {state})\n",
        rule.id,
        safe(&rule.name),
        rule.priority
    )?;
    writeln!(text, "{}\n", safe_lines(&rule.description))?;
    writeln!(text, "source      {}", safe(&rule.source))?;
    writeln!(text, "kind        {}", kind(rule))?;
    let lists = [
        ("aliases", &rule.aliases),
        ("tactics", &rule.tactics),
        ("techniques", &rule.techniques),
        ("tags", &rule.tags),
        ("reads", &rule.fields),
    ];
    for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(text, "{name:<11} {}", safe(&list.join(", ")))?;
    }
    writeln!(text, "condition   {}", safe_lines(&rule.condition))?;
    writeln!(text, "output      {}", safe(&rule.output))?;
    for step in &rule.remediation {
        writeln!(text, "fix         {}", safe(step))?;
    }
    for who in &rule.false_positives {
        writeln!(text, "but         {}", safe(who))?;
    }
    for example in &rule.examples {
        let word = if example.fires { "fires" } else { "quiet" };
        writeln!(text, "{word}       {}", safe(&example.name))?;
    }
    writeln!(text, "stands in   {}:{}", safe(&rule.file), rule.line)?;
    writeln!(text, "content     {}", rule.content)?;
    Ok(text)
}

/// Texts of several lines keep them.
fn safe_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(safe).collect();
    lines.join("\n")
}

fn test(args: &TestRulesArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let loaded = load(&args.paths, Options::default())?;
    let mut text = String::new();
    let mut faults = 0;
    for found in loaded
        .diagnostics
        .iter()
        .filter(|found| found.code.is_error())
    {
        writeln!(text, "{}", safe(&found.to_string()))?;
        faults += 1;
    }
    let engine = Arc::new(loaded.engine);
    let (mut examples, mut detections) = (0, 0);
    for source in [EventSource::Audit, EventSource::Host] {
        let of_source = engine.rules().filter(|rule| rule.source == name(source));
        let count = of_source.filter(|rule| !rule.examples.is_empty()).count();
        if count == 0 {
            continue;
        }
        detections += count;
        let results = match source {
            EventSource::Audit => seareeve_audit::run_examples(&engine),
            EventSource::Host => {
                let feed = feed(source);
                run_examples(&engine, name(source), |event| feed.example(event))
            }
        };
        for result in results {
            examples += 1;
            if let Some(fault) = result.fault {
                writeln!(
                    text,
                    "{}: {}: {}",
                    result.id,
                    safe(&result.name),
                    safe(&fault)
                )?;
                faults += 1;
            }
        }
    }
    output::result(None, &text)?;
    messages.note(format!(
        "{detections} detections, {examples} examples, {faults} faults"
    ));
    Ok(match faults {
        0 => Outcome::Done,
        _ => Outcome::GateFailed,
    })
}

fn bench(args: &BenchArgs, messages: &Messages) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let loaded = usable(load(&args.paths, options(&args.how))?, messages)?;
    let loading = begun.elapsed();
    let source = name(args.source);
    let engine = Arc::new(loaded.engine);
    let mut fastest: Option<(Duration, u64, u64)> = None;
    let mut total = Duration::ZERO;
    for _ in 0..ROUNDS {
        // A fresh one each time, so that baselines learn the same.
        let mut detector = Detector::new(Arc::clone(&engine));
        let mut feed = feed(args.source);
        let (mut events, mut alerts) = (0_u64, 0_u64);
        let mut spent = Duration::ZERO;
        let mut see = |event: &dyn Event| {
            let begun = Instant::now();
            alerts += u64::try_from(detector.see(source, event).len()).unwrap_or_default();
            spent += begun.elapsed();
            events += 1;
        };
        feed.read(open(&args.events)?.as_mut(), &mut |seen| {
            if let Seen::Event { event, .. } = seen {
                see(event);
            }
            Ok(())
        })?;
        total += spent;
        if fastest.is_none_or(|(known, ..)| spent < known) {
            fastest = Some((spent, events, alerts));
        }
        if total > LONG_ENOUGH {
            break;
        }
    }
    let (spent, events, alerts) = fastest.unwrap_or_default();
    let each = spent.as_nanos() / u128::from(events.max(1));
    let text = format!(
        "loading     {} ms\nevents      {events}\nalerts      {alerts}\nevaluation  {each} ns per event\n",
        loading.as_millis()
    );
    output::result(None, &text)?;
    Ok(Outcome::Done)
}
