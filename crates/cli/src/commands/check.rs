//! `seareeve check`: for those who write checks, and those who ask why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use camino::Utf8Path;
use seareeve_api::{ReportControl, posture_report};
use seareeve_model::{Collection, FactKind};
use seareeve_posture::{Library, Statements, assess, judge, run_examples};
use serde_json::{Map, Value};

use crate::args::{CheckCommand, CheckListArgs, DiffArgs, ExplainArgs, Format};
use crate::commands::Outcome;
use crate::commands::docker::saved;
use crate::content;
use crate::output::{self, Messages, safe};
use crate::surroundings::Surroundings;

pub(crate) fn run(
    command: &CheckCommand,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    match command {
        CheckCommand::List(args) => list(args),
        CheckCommand::Test { folder } => test(folder.as_deref(), messages),
        CheckCommand::Explain(args) => explain(args, surroundings),
        CheckCommand::Diff(args) => diff(args, surroundings),
    }
}

fn list(args: &CheckListArgs) -> anyhow::Result<Outcome> {
    let library = content::library(args.checks.as_deref())?;
    let text = match args.format {
        Format::Json => {
            let checks: Vec<Value> = library
                .checks()
                .map(|check| {
                    serde_json::json!({
                        "id": check.id(),
                        "title": check.title(),
                        "severity": check.severity().as_str(),
                        "on": check.on(),
                        "params": check.params(),
                    })
                })
                .collect();
            output::json::text(&checks)?
        }
        Format::Table => {
            let mut text = String::new();
            for check in library.checks() {
                let severity = check.severity().as_str();
                writeln!(
                    text,
                    "{severity:<8}  {:<50}  {}",
                    check.id(),
                    safe(check.title())
                )?;
            }
            text
        }
    };
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

fn test(folder: Option<&Utf8Path>, messages: &Messages) -> anyhow::Result<Outcome> {
    let mut library = Library::builtin();
    let own: Vec<String> = library
        .checks()
        .map(|check| check.id().to_owned())
        .collect();
    let mut text = String::new();
    let mut faults = 0;
    if let Some(folder) = folder {
        for error in content::add(&mut library, folder)? {
            writeln!(text, "{error:#}")?;
            faults += 1;
        }
    }
    let mut examples = 0;
    let tested = library
        .checks()
        .filter(|check| folder.is_none() || !own.iter().any(|own| own == check.id()));
    let mut checks = 0;
    for check in tested {
        checks += 1;
        for result in run_examples(check) {
            examples += 1;
            if let Some(fault) = result.fault {
                writeln!(
                    text,
                    "{}: {}: {}",
                    result.check,
                    safe(&result.name),
                    safe(&fault)
                )?;
                faults += 1;
            }
        }
    }
    output::result(None, &text)?;
    messages.note(format!(
        "{checks} checks, {examples} examples, {faults} faults"
    ));
    Ok(match faults {
        0 => Outcome::Done,
        _ => Outcome::GateFailed,
    })
}

fn explain(args: &ExplainArgs, surroundings: &Surroundings) -> anyhow::Result<Outcome> {
    let library = content::library(args.checks.as_deref())?;
    let check = library
        .check(&args.id)
        .with_context(|| format!("there is no check {}: see `seareeve check list`", args.id))?;
    let mut text = String::new();
    writeln!(
        text,
        "{}\n{} ({})\n",
        check.id(),
        check.title(),
        check.severity().as_str()
    )?;
    writeln!(text, "{}\n", check.why().trim())?;
    writeln!(text, "judges    {}", check.on())?;
    let reads: Vec<&str> = check.reads().skip(1).map(|kind| kind.as_str()).collect();
    if !reads.is_empty() {
        writeln!(text, "reads     {}", reads.join(", "))?;
    }
    for (name, value) in check.params() {
        writeln!(text, "parameter {name} = {value}")?;
    }
    for (name, expression) in check.expressions() {
        writeln!(text, "{name:<9} {}", expression.trim())?;
    }
    writeln!(text, "wants     {}", check.expected())?;
    writeln!(text, "fix       {}", check.fix().text.trim())?;
    let controls: Vec<String> = library
        .benchmarks()
        .flat_map(|benchmark| {
            let controls = benchmark.controls.iter();
            controls
                .filter(|control| control.checks.iter().any(|used| used.check == check.id()))
                .map(|control| format!("{}@{} {}", benchmark.id, benchmark.version, control.id))
        })
        .collect();
    writeln!(text, "controls  {}", controls.join(", "))?;
    if let Some(file) = &args.facts {
        let snapshot = saved(file)?;
        let verdict = judge(check, &Map::new(), &snapshot, surroundings.now());
        writeln!(
            text,
            "\n{}: {}{}",
            safe(&snapshot.asset_name),
            verdict.outcome.as_str(),
            verdict
                .reason
                .map(|reason| format!(" ({})", safe(&reason)))
                .unwrap_or_default()
        )?;
        for object in verdict.objects {
            let reason = object
                .reason
                .map(|reason| format!(": {}", safe(&reason)))
                .unwrap_or_default();
            writeln!(
                text,
                "  {}  {}{reason}",
                object.outcome.as_str(),
                safe(&object.name)
            )?;
            for item in object.items {
                writeln!(text, "    {}", safe(&item.message))?;
                if !item.evidence.is_null() {
                    writeln!(text, "    read {}", safe(&item.evidence.to_string()))?;
                }
            }
        }
    }
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

fn diff(args: &DiffArgs, surroundings: &Surroundings) -> anyhow::Result<Outcome> {
    let library = content::library(args.checks.as_deref())?;
    let (before, after) = (saved(&args.before)?, saved(&args.after)?);
    let mut text = String::new();
    let kinds: BTreeSet<&FactKind> = before.facts.keys().chain(after.facts.keys()).collect();
    for kind in kinds {
        let [before, after] = [&before, &after].map(|snapshot| snapshot.facts.get(kind));
        collected(&mut text, kind, before, after)?;
    }
    for (kind, facts) in &after.facts {
        let old = before.facts.get(kind);
        let old: BTreeMap<&str, &Value> = old
            .iter()
            .flat_map(|facts| &facts.items)
            .map(|fact| (fact.id.as_str(), &fact.data))
            .collect();
        for fact in &facts.items {
            match old.get(fact.id.as_str()) {
                None => writeln!(text, "+ {kind} {}", safe(&fact.name))?,
                Some(old) if **old == fact.data => {}
                Some(old) => {
                    writeln!(text, "~ {kind} {}", safe(&fact.name))?;
                    values(&mut text, "", old, &fact.data)?;
                }
            }
        }
    }
    for (kind, facts) in &before.facts {
        let new = after.facts.get(kind);
        for fact in &facts.items {
            let is_there = new
                .into_iter()
                .flat_map(|facts| &facts.items)
                .any(|other| other.id == fact.id);
            if !is_there {
                writeln!(text, "- {kind} {}", safe(&fact.name))?;
            }
        }
    }
    for benchmark in newest(&library, &after.asset_kind) {
        let now = surroundings.now();
        let statements = Statements::default();
        let [old, new] = [&before, &after].map(|snapshot| {
            let assessment = assess(&library, benchmark, snapshot, &statements, now);
            posture_report(&library, snapshot, &[assessment]).controls
        });
        for (old, new) in old.iter().zip(&new) {
            judged(&mut text, &benchmark.id, old, new)?;
        }
    }
    output::result(None, &text)?;
    Ok(Outcome::Done)
}

/// What a control says otherwise than before, of the asset and of its objects. One that is new or gone counts where it
/// fails: that it came or went is told with its facts.
fn judged(
    text: &mut String,
    benchmark: &str,
    old: &ReportControl,
    new: &ReportControl,
) -> std::fmt::Result {
    let by_object = |control: &ReportControl| -> BTreeMap<[String; 3], (String, String)> {
        let objects = control.objects.iter();
        let entry = objects.map(|object| {
            let key = [&object.kind, &object.id, &object.check].map(Clone::clone);
            (key, (object.name.clone(), object.status.clone()))
        });
        entry.collect()
    };
    let (before, after) = (by_object(old), by_object(new));
    let keys: BTreeSet<&[String; 3]> = before.keys().chain(after.keys()).collect();
    let turned: Vec<String> = keys
        .into_iter()
        .filter_map(|key| {
            let (before, after) = (before.get(key), after.get(key));
            let (name, _) = after.or(before)?;
            let status = |seen: Option<&(String, String)>, absent: &str| {
                seen.map_or_else(|| absent.to_owned(), |(_, status)| status.clone())
            };
            let (was, is) = (status(before, "new"), status(after, "gone"));
            let counts = match (before, after) {
                (Some(_), Some(_)) => was != is,
                _ => was == "fail" || is == "fail",
            };
            counts.then(|| format!("    {}: {was} → {is}", safe(name)))
        })
        .collect();
    if old.status == new.status && turned.is_empty() {
        return Ok(());
    }
    let status = match old.status == new.status {
        true => new.status.clone(),
        false => format!("{} → {}", old.status, new.status),
    };
    writeln!(text, "{benchmark} {} {}: {status}", new.id, new.title)?;
    turned.iter().try_for_each(|line| writeln!(text, "{line}"))
}

/// The newest edition of each benchmark for a kind of asset.
fn newest<'l>(
    library: &'l Library,
    asset: &str,
) -> impl Iterator<Item = &'l seareeve_posture::Benchmark> {
    let mut newest: BTreeMap<&str, &seareeve_posture::Benchmark> = BTreeMap::new();
    for benchmark in library.benchmarks().filter(|known| known.asset == asset) {
        newest.insert(&benchmark.id, benchmark);
    }
    newest.into_values()
}

/// The leaves in which two values differ.
fn values(text: &mut String, place: &str, old: &Value, new: &Value) -> std::fmt::Result {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let null = Value::Null;
            let (old, new) = (
                old.get(name).unwrap_or(&null),
                new.get(name).unwrap_or(&null),
            );
            if old != new {
                values(text, &format!("{place}.{name}"), old, new)?;
            }
        }
        return Ok(());
    }
    let place = safe(place.trim_start_matches('.'));
    // Of a long list, what came and went says more than its beginning.
    if let (Value::Array(old), Value::Array(new)) = (old, new) {
        let gone: Vec<&Value> = old.iter().filter(|item| !new.contains(item)).collect();
        let come: Vec<&Value> = new.iter().filter(|item| !old.contains(item)).collect();
        if !(gone.is_empty() && come.is_empty()) {
            for (sign, items) in [('-', gone), ('+', come)] {
                for item in items {
                    writeln!(text, "    {place}: {sign} {}", shown(item))?;
                }
            }
            return Ok(());
        }
    }
    writeln!(text, "    {place}: {} → {}", shown(old), shown(new))
}

/// What could be collected before and cannot be now, or the other way round: facts that are missing then have not gone.
fn collected(
    text: &mut String,
    kind: &FactKind,
    before: Option<&Collection>,
    after: Option<&Collection>,
) -> std::fmt::Result {
    let status = |facts: Option<&Collection>| match facts {
        None => "not collected",
        Some(facts) => facts.status.as_str(),
    };
    if status(before) == status(after) {
        return Ok(());
    }
    let why = after.and_then(|facts| facts.detail.as_deref());
    let why = why.map(|why| format!(" ({})", safe(why)));
    let (old, new) = (status(before), status(after));
    writeln!(text, "! {kind}: {old} → {new}{}", why.unwrap_or_default())
}

fn shown(value: &Value) -> String {
    let text = safe(&value.to_string());
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
