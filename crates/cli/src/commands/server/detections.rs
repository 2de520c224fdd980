//! What a server is asked about detections, and what people change about them. Lists for people are lines, all else is
//! JSON.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use seareeve_api::{
    Backtest, BacktestFile, BacktestResult, BacktestSample, Client, DetectionFault,
    DetectionSummary, NewBacktest, NewTuning, TuningChange, TuningValue,
};
use serde::Serialize;

use crate::args::{DetectionCommand, TuneArgs, TuneWhy};
use crate::commands::Outcome;
use crate::input;
use crate::output::{self, Messages};

/// Bytes of a rule file at most.
const MOST_FILE: usize = 1 << 20;
/// Pause between two looks at a running back-test.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Samples that are printed for people.
const PRINTED: usize = 10;

pub(super) fn run(
    client: &Client,
    command: &DetectionCommand,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    match command {
        DetectionCommand::List { status, json } => list(client, status.as_deref(), *json)?,
        DetectionCommand::Show { id } => json(&client.detection(id)?)?,
        DetectionCommand::On { id, why } => switch(client, id, true, why)?,
        DetectionCommand::Off { id, why } => switch(client, id, false, why)?,
        DetectionCommand::Tune(args) => tune(client, args)?,
        DetectionCommand::Tunings => json(&client.tunings()?)?,
        DetectionCommand::Untune { number } => client.untune(*number)?,
        DetectionCommand::Lists { name } => lists(client, name.as_deref())?,
        DetectionCommand::History { target } => history(client, target.as_deref())?,
        DetectionCommand::Files => json(&client.detection_files()?)?,
        DetectionCommand::Download { name } => output::result(None, &client.detection_file(name)?)?,
        DetectionCommand::Upload { file, dry_run } => return upload(client, file, *dry_run),
        DetectionCommand::Delete { name } => client.delete_detection_file(name)?,
        DetectionCommand::Backtest {
            what,
            since,
            clusters,
            except,
            json,
        } => {
            let asked = asked(what, since.as_deref(), clusters, except)?;
            return backtest(client, &asked, *json, messages);
        }
    }
    Ok(Outcome::Done)
}

fn json(value: &impl Serialize) -> anyhow::Result<()> {
    output::result(None, &output::json::text(value)?)
}

fn list(client: &Client, status: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let all = client.detections()?;
    let mut text = String::new();
    for one in all.detections.iter().filter(|one| fits(one, status)) {
        // Writing to a String cannot fail.
        if as_json {
            let _ = writeln!(text, "{}", serde_json::to_string(one)?);
            continue;
        }
        let mut marks = vec![if one.is_on { "on" } else { "off" }];
        if one.is_tuned {
            marks.push("tuned");
        }
        if !one.differs_in.is_empty() {
            marks.push("differs");
        }
        let _ = writeln!(
            text,
            "{:44}  {:13}  {:9}  {:7}  {:>5} in 7 days  {}",
            output::safe(&one.id),
            one.severity,
            marks.join(","),
            one.coverage,
            one.noise.alerts_7_days,
            output::safe(&one.title),
        );
    }
    for problem in &all.problems {
        if !as_json {
            let _ = writeln!(text, "problem: {}", line(problem));
        }
    }
    output::result(None, &text)
}

fn fits(one: &DetectionSummary, status: Option<&str>) -> bool {
    match status {
        None => true,
        Some("on") => one.is_on,
        Some("off") => !one.is_on,
        Some("tuned") => one.is_tuned,
        Some("blind") => !one.blind_in.is_empty(),
        Some("unknown") => one.coverage == "unknown",
        Some("noisy") => one.noise.alerts_7_days > 0,
        Some("own") => one.origin != "built_in",
        Some(_) => false,
    }
}

fn switch(client: &Client, id: &str, is_on: bool, why: &TuneWhy) -> anyhow::Result<()> {
    let change = TuningChange::Switch { is_on };
    json(&client.tune(&tuning(id, change, why))?)
}

fn tuning(target: &str, change: TuningChange, why: &TuneWhy) -> NewTuning {
    NewTuning {
        target: target.to_owned(),
        change,
        cluster: why.cluster.clone(),
        reason: why.reason.clone(),
        expires: why.until,
    }
}

fn tune(client: &Client, args: &TuneArgs) -> anyhow::Result<()> {
    let is_list = !args.add.is_empty() || !args.remove.is_empty();
    let change = match (&args.severity, args.except.is_empty(), is_list) {
        (Some(severity), _, _) => TuningChange::Severity {
            severity: severity.clone(),
        },
        (None, false, _) => exception(&args.except)?,
        (None, true, true) => TuningChange::List {
            add: args.add.clone(),
            remove: args.remove.clone(),
        },
        (None, true, false) => {
            bail!("say what to change: --severity, --except, or --add and --remove for a list")
        }
    };
    json(&client.tune(&tuning(&args.target, change, &args.why))?)
}

/// Comparisons that have to hold together.
fn exception(comparisons: &[String]) -> anyhow::Result<TuningChange> {
    let (mut fields, mut comps, mut row) = (Vec::new(), Vec::new(), Vec::new());
    for text in comparisons {
        let (field, comp, value) = comparison(text).with_context(|| {
            format!(
                "{text:?} is no comparison such as \"ka.user.name = ci-bot\" or \"kube.namespace in (build, test)\""
            )
        })?;
        fields.push(field);
        comps.push(comp);
        row.push(value);
    }
    Ok(TuningChange::Exception {
        fields,
        comps,
        values: vec![row],
    })
}

fn comparison(text: &str) -> Option<(String, String, TuningValue)> {
    let text = text.trim();
    let (field, comp, value) = match text.split_once(char::is_whitespace) {
        Some((field, rest)) => {
            let (comp, value) = rest.trim().split_once(char::is_whitespace)?;
            (field, comp, value.trim())
        }
        None => {
            let (field, value) = text.split_once('=')?;
            (field, "=", value)
        }
    };
    if field.is_empty() || value.is_empty() {
        return None;
    }
    let inner = value
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let value = match inner {
        Some(items) => {
            let items = items.split(',').map(|item| item.trim().to_owned());
            TuningValue::Many(items.filter(|item| !item.is_empty()).collect())
        }
        None => TuningValue::One(value.to_owned()),
    };
    Some((field.to_owned(), comp.to_owned(), value))
}

fn lists(client: &Client, name: Option<&str>) -> anyhow::Result<()> {
    let all = client.detection_lists()?;
    let Some(name) = name else {
        return json(&all);
    };
    let found = all.lists.iter().find(|list| list.name == name);
    json(found.with_context(|| format!("there is no list {name}"))?)
}

fn history(client: &Client, target: Option<&str>) -> anyhow::Result<()> {
    let mut text = String::new();
    for change in client.detection_history(target)?.changes {
        let place = match &change.cluster {
            Some(cluster) => format!(" in {cluster}"),
            None => String::new(),
        };
        let reason = match change.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({})", output::safe(reason)),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {}  {}  {}{place}: {}{reason}",
            change.at,
            output::safe(&change.author),
            change.what,
            output::safe(&change.target),
            output::safe(&change.text),
        );
    }
    output::result(None, &text)
}

/// What is wrong, as a line.
fn line(fault: &DetectionFault) -> String {
    let kind = if fault.is_error { "error" } else { "warning" };
    let place = match (fault.line, fault.column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    };
    let item = match fault.item.as_str() {
        "" => String::new(),
        item => format!("{}: ", output::safe(item)),
    };
    format!(
        "{}{place}: {kind}: {item}{} [{}]",
        output::safe(&fault.file),
        output::safe(&fault.message),
        fault.code
    )
}

fn read(file: &Utf8Path) -> anyhow::Result<BacktestFile> {
    let bytes = input::file("rule file", file, MOST_FILE)?;
    let content = String::from_utf8(bytes).with_context(|| format!("{file} is not UTF-8"))?;
    let name = file.file_name().context("a file has a name")?.to_owned();
    Ok(BacktestFile { name, content })
}

fn upload(client: &Client, file: &Utf8Path, dry_run: bool) -> anyhow::Result<Outcome> {
    let BacktestFile { name, content } = read(file)?;
    let tested = client.put_detection_file(&name, &content, dry_run)?;
    let mut text = String::new();
    for fault in &tested.faults {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line(fault));
    }
    let verb = if tested.saved { "kept" } else { "tried" };
    let _ = writeln!(
        text,
        "{} detections and {} examples {verb}",
        tested.detections.len(),
        tested.examples
    );
    output::result(None, &text)?;
    let has_errors = tested.faults.iter().any(|fault| fault.is_error);
    Ok(if has_errors {
        Outcome::GateFailed
    } else {
        Outcome::Done
    })
}

fn asked(
    what: &str,
    since: Option<&str>,
    clusters: &[String],
    except: &[String],
) -> anyhow::Result<NewBacktest> {
    let mut asked = NewBacktest {
        clusters: clusters.to_vec(),
        since: since.map(moment).transpose()?,
        ..NewBacktest::default()
    };
    let path = Utf8Path::new(what);
    if !except.is_empty() {
        asked.tuning = Some(NewTuning {
            target: what.to_owned(),
            change: exception(except)?,
            cluster: None,
            reason: "a back-test".to_owned(),
            expires: None,
        });
    } else if path.is_file() {
        asked.file = Some(read(path)?);
    } else if what.contains('/') || what.ends_with(".yaml") || what.ends_with(".yml") {
        bail!("there is no file {what}");
    } else {
        asked.detection = Some(what.to_owned());
    }
    Ok(asked)
}

/// A time, or one so long ago.
fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let hours = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => days
            .parse::<i64>()
            .ok()
            .and_then(|days| days.checked_mul(24)),
        (None, Some(hours)) => hours.parse().ok(),
        (None, None) => None,
    };
    let hours = hours.filter(|hours| (0..=24 * 3650).contains(hours));
    let hours = hours
        .with_context(|| format!("{text:?} is no time: use 7d, 12h, or 2030-01-31T00:00:00Z"))?;
    Ok(Timestamp::now() - SignedDuration::from_hours(hours))
}

fn backtest(
    client: &Client,
    asked: &NewBacktest,
    as_json: bool,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let mut state = client.backtest(asked)?;
    let bar = messages.bar();
    while state.ended.is_none() {
        bar.show(
            format!("{} events", state.seen),
            state.seen,
            Some(state.total),
        );
        std::thread::sleep(LOOK_EVERY);
        state = client.backtest_state(state.id)?;
    }
    bar.clear();
    let Some(result) = &state.result else {
        let why = state.problem.as_deref().unwrap_or("somebody stopped it");
        bail!("the back-test came to nothing: {why}");
    };
    if as_json {
        json(&state)?;
    } else {
        output::result(None, &told(&state, result))?;
    }
    Ok(Outcome::Done)
}

/// What came of a back-test, for people.
fn told(state: &Backtest, result: &BacktestResult) -> String {
    let mut text = String::new();
    let (span, counts) = (&result.span, &result.counts);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", output::safe(&state.title));
    if let (Some(first), Some(last)) = (span.first, span.last) {
        let _ = writeln!(text, "{} events from {first} to {last}", span.events);
    }
    let _ = writeln!(
        text,
        "now:  {} events raise {} alerts\nthen: {} events would raise {} alerts, {} of the events suppressed\n\
         {} events in addition, {} no more",
        counts.now,
        counts.alerts_now,
        counts.then,
        counts.alerts_then,
        counts.suppressed,
        counts.added,
        counts.gone
    );
    for (title, groups) in [
        ("rules", &result.rules),
        ("clusters", &result.clusters),
        ("users", &result.users),
    ] {
        if groups.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for group in groups.iter().take(PRINTED) {
            let _ = writeln!(
                text,
                "  {:>7} now  {:>7} then  {}",
                group.now,
                group.then,
                output::safe(&group.name)
            );
        }
        if groups.len() > PRINTED {
            let _ = writeln!(text, "  and {} more", groups.len() - PRINTED);
        }
    }
    samples(&mut text, "in addition", &result.added);
    samples(&mut text, "no more", &result.gone);
    samples(&mut text, "as now", &result.same);
    if !result.redacted.is_empty() {
        let _ = writeln!(text, "\nfields of which something was taken out");
        for one in result.redacted.iter().take(PRINTED) {
            let _ = writeln!(
                text,
                "  {} of {} in {} events",
                one.field, one.rule, one.events
            );
        }
    }
    let _ = writeln!(text);
    for note in &result.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn samples(text: &mut String, title: &str, samples: &[BacktestSample]) {
    if samples.is_empty() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{title}");
    for sample in samples.iter().take(PRINTED) {
        let _ = writeln!(
            text,
            "  {}  {}  {}  {}",
            sample.at,
            output::safe(&sample.cluster),
            output::safe(&sample.rule),
            output::safe(&sample.output)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_field_operator_and_value() {
        let one = |text: &str| TuningValue::One(text.to_owned());
        let many = |texts: &[&str]| {
            TuningValue::Many(texts.iter().map(|text| (*text).to_owned()).collect())
        };
        for (text, field, comp, value) in [
            ("a.b=c", "a.b", "=", one("c")),
            ("a.b = c d", "a.b", "=", one("c d")),
            (" a startswith x=y ", "a", "startswith", one("x=y")),
            ("a in (b, c,)", "a", "in", many(&["b", "c"])),
        ] {
            let found = comparison(text).unwrap();
            assert_eq!(found, (field.to_owned(), comp.to_owned(), value), "{text}");
        }
        for text in ["", "a", "a =", "=b", "a in"] {
            assert!(comparison(text).is_none(), "{text}");
        }
    }

    #[test]
    fn times_are_moments_or_so_long_ago() {
        assert_eq!(
            moment("2030-01-31T00:00:00Z").unwrap().to_string(),
            "2030-01-31T00:00:00Z"
        );
        let ago = Timestamp::now().duration_since(moment("2d").unwrap());
        // Two clocks are asked, one after the other.
        assert!((ago.as_secs_f64() / 3_600.0 - 48.0).abs() < 1.0, "{ago:?}");
        for wrong in ["d", "-1d", "x", "99999999999999999999h", "1w"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
