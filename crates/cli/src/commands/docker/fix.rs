//! `seareeve docker fix`: mends what a control finds fault with, where that can be done by changing `daemon.json`, or a
//! file's mode or owner. Shows first, keeps what it changes, and brings it back.
//!
//! Only ever run by a person on the machine itself: a server has no way to ask for it.

mod change;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use seareeve_model::{Fact, FactKind, Snapshot};
use seareeve_posture::{
    Check, CheckVerdict, Fix, Library, ObjectVerdict, Outcome as Verdict, judge, managed,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::change::Change;
use crate::args::FixArgs;
use crate::commands::Outcome;
use crate::content;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// Objects that are named before they are counted.
const NAMED: usize = 8;

/// What a fix changed, so that it can be taken back: a file in the data folder.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    control: String,
    at: Timestamp,
    changes: Vec<Change>,
}

pub(super) fn run(
    args: &FixArgs,
    data_dir: &Utf8Path,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let journal = journal_of(data_dir, &args.id)?;
    if args.rollback {
        return roll_back(&journal, messages);
    }
    let library = content::library(None)?;
    let uses = wanted(&library, args)?;
    let snapshot = super::facts(&args.collect, surroundings)?;
    if let Some(reason) = managed(&snapshot) {
        bail!(
            "{reason}. What is changed here its provider takes back, or it breaks the node: change the cluster"
        );
    }
    let mut changes = Vec::new();
    let mut by_hand = Vec::new();
    let mut is_untold = false;
    for (check, params) in uses {
        let verdict = judge(check, &params, &snapshot, surroundings.now());
        if verdict.outcome == Verdict::NotCollected {
            let (open, is_told) = unread(check, &verdict, &snapshot, args, messages)?;
            is_untold |= !is_told;
            changes.extend(open);
            continue;
        }
        if verdict.outcome != Verdict::Fail {
            messages.note(said(&verdict));
            continue;
        }
        let failing: Vec<(&ObjectVerdict, &Fact)> = verdict
            .objects
            .iter()
            .filter(|object| object.outcome == Verdict::Fail)
            .filter_map(|object| Some((object, find(&snapshot, &object.kind, &object.id)?)))
            .collect();
        let planned = plan(check.fix(), &failing, &snapshot, args)?;
        if planned.is_empty() {
            by_hand.push(told_by_hand(check, &failing));
        }
        changes.extend(planned);
        if let Some(impact) = &check.fix().impact {
            messages.note(format!("{}: {impact}", check.id()));
        }
    }
    let mut text = String::new();
    for change in &changes {
        text.push_str(&change.shown()?);
    }
    text.extend(by_hand);
    if text.is_empty() && !is_untold {
        text.push_str("nothing to mend\n");
    }
    output::result(None, &text)?;
    if changes.is_empty() {
        return Ok(match is_untold {
            true => Outcome::Incomplete,
            false => Outcome::Done,
        });
    }
    if !args.apply {
        messages.note("nothing was changed; --apply changes it");
        return Ok(Outcome::Done);
    }
    // Written first: what it lists may have been changed, what it does not list has not.
    save(&journal, &args.id, &changes, surroundings.now())?;
    for change in &changes {
        change.apply()?;
    }
    messages.note(format!(
        "changed; `seareeve docker fix {} --rollback` brings it back",
        args.id
    ));
    if changes.iter().any(Change::needs_restart) {
        messages.note("the engine learns of it when it is restarted: systemctl restart docker");
    }
    Ok(Outcome::Done)
}

/// What a person has to do: each command once, below the names of those that it is for.
fn told_by_hand(check: &Check, failing: &[(&ObjectVerdict, &Fact)]) -> String {
    let mut text = format!(
        "{}: to be mended by hand: {}\n",
        check.id(),
        check.fix().text
    );
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for (object, _) in failing {
        let command = object.fix.command.as_deref().unwrap_or_default();
        match commands.iter_mut().find(|(known, _)| *known == command) {
            Some((_, names)) => names.push(&object.name),
            None => commands.push((command, vec![&object.name])),
        }
    }
    for (command, names) in commands {
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<&str> = names.into_iter().take(NAMED).collect();
        text.push_str(&format!("  # {}{more}\n", output::safe(&named.join(", "))));
        for line in command.lines() {
            text.push_str(&format!("  {}\n", output::safe(line)));
        }
    }
    text
}

/// What is said of a check that finds no fault.
fn said(verdict: &CheckVerdict) -> String {
    let objects = verdict.objects.iter();
    let reason = verdict.reason.as_ref();
    let reason = reason.or_else(|| objects.filter_map(|object| object.reason.as_ref()).next());
    let reason = reason.map(|reason| format!(": {reason}"));
    format!(
        "{}: {}{}",
        verdict.check,
        verdict.outcome.as_str().replace('_', " "),
        reason.unwrap_or_default()
    )
}

/// The changes of engines that cannot be judged because their `daemon.json` was changed since they were started, mostly
/// by the fix before this one: what the file does not say yet is put beside it. Also whether all is told then.
fn unread(
    check: &Check,
    verdict: &CheckVerdict,
    snapshot: &Snapshot,
    args: &FixArgs,
    messages: &Messages,
) -> anyhow::Result<(Vec<Change>, bool)> {
    let open = verdict.objects.iter();
    let open = open.filter(|object| object.outcome == Verdict::NotCollected);
    let facts: Vec<Option<&Fact>> = open
        .map(|object| find(snapshot, &object.kind, &object.id))
        .map(|fact| fact.filter(|fact| is_unread(fact)))
        .collect();
    let keys = &check.fix().daemon;
    if keys.is_empty() || facts.is_empty() || facts.contains(&None) {
        messages.note(said(verdict));
        return Ok((Vec::new(), false));
    }
    let mut changes = Vec::new();
    for fact in facts.into_iter().flatten() {
        let known = fact.data.pointer("/config/keys");
        let has = |key: &String| known.is_some_and(|known| known.get(key).is_some());
        if keys.keys().all(has) {
            messages.note(format!(
                "{}: daemon.json says it already; the engine learns of it when it is restarted",
                check.id()
            ));
        } else {
            changes.push(Change::daemon(&fact.data, keys, &args.collect.root)?);
        }
    }
    if let (Some(impact), false) = (&check.fix().impact, changes.is_empty()) {
        messages.note(format!("{}: {impact}", check.id()));
    }
    Ok((changes, true))
}

fn is_unread(daemon: &Fact) -> bool {
    let config = |key: &str| daemon.data.get("config").and_then(|config| config.get(key));
    config("changed_since_start") == Some(&Value::Bool(true))
        && config("status").and_then(Value::as_str) == Some("ok")
}

/// The checks that `args.id` names, with their parameters.
fn wanted<'l>(
    library: &'l Library,
    args: &FixArgs,
) -> anyhow::Result<Vec<(&'l Check, Map<String, Value>)>> {
    if let Some(check) = library.check(&args.id) {
        return Ok(vec![(check, Map::new())]);
    }
    let benchmarks = content::benchmarks(library, std::slice::from_ref(&args.benchmark))?;
    let benchmark = benchmarks.first().context("no benchmark")?;
    let control = benchmark.control(&args.id).with_context(|| {
        format!(
            "{} {} has no control {}, and there is no check of that name",
            benchmark.id, benchmark.version, args.id
        )
    })?;
    let uses: Vec<_> = control
        .checks
        .iter()
        .filter_map(|used| Some((library.check(&used.check)?, used.params())))
        .collect();
    if uses.is_empty() {
        bail!("control {} is for a person to answer", args.id);
    }
    Ok(uses)
}

fn find<'s>(snapshot: &'s Snapshot, kind: &FactKind, id: &str) -> Option<&'s Fact> {
    let mut items = snapshot.facts.get(kind)?.items.iter();
    items.find(|fact| fact.id == id)
}

/// The changes that mend `failing` objects.
fn plan(
    fix: &Fix,
    failing: &[(&ObjectVerdict, &Fact)],
    snapshot: &Snapshot,
    args: &FixArgs,
) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    if !fix.daemon.is_empty() {
        let daemons = failing.iter().map(|(_, fact)| fact);
        for daemon in daemons.filter(|fact| fact.data.get("config").is_some()) {
            changes.push(Change::daemon(
                &daemon.data,
                &fix.daemon,
                &args.collect.root,
            )?);
        }
    }
    if fix.mode.is_some() || fix.owner.is_some() {
        for (object, file) in failing {
            if let Some(path) = file.data.get("real_path").and_then(Value::as_str) {
                let path = below(&args.collect.root, path);
                changes.push(Change::file(
                    path,
                    object.fix.mode.as_deref(),
                    object.fix.owner.as_deref(),
                    snapshot,
                )?);
            }
        }
    }
    Ok(changes)
}

/// A path of the machine, where its file system is mounted at `root`.
fn below(root: &Utf8Path, path: &str) -> Utf8PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn journal_of(data_dir: &Utf8Path, id: &str) -> anyhow::Result<Utf8PathBuf> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !id.chars().all(is_plain) || id.starts_with('.') {
        bail!("{id} is neither the number of a control nor a check");
    }
    Ok(data_dir.join("fixes").join(format!("{id}.json")))
}

fn save(journal: &Utf8Path, id: &str, changes: &[Change], now: Timestamp) -> anyhow::Result<()> {
    let failed = || format!("failed to keep what there was in {journal}");
    let folder = journal.parent().context("the journal has a folder")?;
    std::fs::create_dir_all(folder).with_context(failed)?;
    let content = Journal {
        control: id.to_owned(),
        at: now,
        changes: changes.to_vec(),
    };
    // The content of files stands in it, which not everybody may read.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    serde_json::to_writer_pretty(&mut file, &content).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(journal).with_context(failed)?;
    Ok(())
}

fn roll_back(journal: &Utf8Path, messages: &Messages) -> anyhow::Result<Outcome> {
    let text = match std::fs::read_to_string(journal) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("there is no fix of it that could be taken back: {journal} is not there")
        }
        text => text.with_context(|| format!("failed to read what was changed from {journal}"))?,
    };
    let content: Journal =
        serde_json::from_str(&text).with_context(|| format!("failed to use {journal}"))?;
    // The last one first: several may concern one file.
    for change in content.changes.iter().rev() {
        change.take_back()?;
    }
    std::fs::remove_file(journal).with_context(|| format!("failed to remove {journal}"))?;
    messages.note(format!("what was changed at {} is as before", content.at));
    if content.changes.iter().any(Change::needs_restart) {
        messages.note("the engine learns of it when it is restarted: systemctl restart docker");
    }
    Ok(Outcome::Done)
}
