//! `seareeve k8s`: manifests or a cluster, judged object by object.

mod audit;
mod objects;
pub(crate) mod source;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use camino::Utf8Path;
use seareeve_api::{ManifestReport, ManifestResult};
use seareeve_model::Severity;
use seareeve_posture::{
    Benchmark, Check, Control, Library, Outcome as Verdict, judge_each, try_params,
};
use serde_json::{Map, Value};

use self::objects::Objects;
pub(crate) use self::source::connection;
use self::source::{Source, Wanted};
use crate::args::{K8sArgs, K8sCommand, PostureArgs, PostureFormat};
use crate::commands::{Outcome, docker};
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;
use crate::{content, input};

/// Bytes of a file of parameters at most.
const MOST_PARAMS: usize = 1 << 20;

/// The benchmark that nodes are compared with.
const OF_NODES: &str = "cis-kubernetes";

/// A check, and the parameters that it is used with.
type Use<'l> = (&'l Check, Map<String, Value>);

pub(crate) fn run(
    args: &K8sArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    if let Some(K8sCommand::AuditSetup(setup)) = &args.command {
        return audit::run(setup, messages);
    }
    let library = content::library(args.checks.as_deref())?;
    let standard = match &args.standard {
        Some(name) => Some(standard(&library, name)?),
        None => None,
    };
    let mut benchmark = args.benchmark.clone();
    if benchmark.is_empty() && standard.is_none() && (args.node || !args.node_facts.is_empty()) {
        // Nothing but benchmarks asks what nodes tell.
        benchmark.push(OF_NODES.to_owned());
    }
    let uses = match &standard {
        Some(standard) => of_standard(&library, standard),
        None if benchmark.is_empty() => of_library(&library, args)?,
        // A benchmark has its own.
        None => Vec::new(),
    };
    let wanted = Wanted {
        facts: args.facts.as_deref(),
        file: &args.file,
        kubeconfig: args.kubeconfig.as_deref(),
        context: args.context.as_deref(),
        nodes: source::nodes(args, surroundings)?,
    };
    let source = Source::read(wanted, surroundings, messages)?;
    let snapshot = &source.snapshot;
    if let Some(file) = &args.save_facts {
        output::result(Some(file), &output::json::text(snapshot)?)?;
    }
    if !benchmark.is_empty() {
        let args = PostureArgs {
            benchmark,
            level: None,
            status: Vec::new(),
            only: args.only.clone(),
            checks: None,
            exceptions: None,
            format: args.format,
            output: args.output.clone(),
            fail_on: args.fail_on,
        };
        return docker::print(&library, snapshot, &args, surroundings, messages);
    }
    let mut report = ManifestReport {
        schema_version: 1,
        standard: standard
            .as_ref()
            .map(|(standard, version)| format!("{}@{version}", standard.id)),
        objects: Vec::new(),
        problems: source.problems.iter().map(Into::into).collect(),
    };
    let mut objects = source.objects.with(snapshot);
    judge_each(&uses, snapshot, surroundings.now(), |check, verdict| {
        for object in &verdict.objects {
            objects.enter(check, object, snapshot);
        }
    });
    report.objects = objects.finish(standard.is_some());
    let printing = Printing {
        format: args.format,
        output: args.output.as_deref(),
        fail_on: args.fail_on,
    };
    print(&library, &report, &printing, messages)
}

/// How a report is printed, and what of it fails.
pub(crate) struct Printing<'a> {
    pub(crate) format: PostureFormat,
    pub(crate) output: Option<&'a Utf8Path>,
    pub(crate) fail_on: Option<Severity>,
}

/// Prints what checks say of each object.
pub(crate) fn print(
    library: &Library,
    report: &ManifestReport,
    printing: &Printing<'_>,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let text = output::manifest_report(report, library, printing.format)?;
    output::result(printing.output, &text)?;
    if !report.problems.is_empty() {
        messages.note(format!(
            "{} things could not be read; the result is partial",
            report.problems.len()
        ));
    }
    let results = || report.objects.iter().flat_map(|object| &object.results);
    let is_failing = |result: &ManifestResult, limit: Severity| {
        let severity: Option<Severity> = result.severity.parse().ok();
        result.status == Verdict::Fail.as_str() && severity >= Some(limit)
    };
    let is_untold = |result: &ManifestResult| {
        [Verdict::NotCollected, Verdict::Error]
            .map(Verdict::as_str)
            .contains(&result.status.as_str())
    };
    let gate = printing
        .fail_on
        .is_some_and(|limit| results().any(|result| is_failing(result, limit)));
    Ok(if gate {
        Outcome::GateFailed
    } else if !report.problems.is_empty() || results().any(is_untold) {
        Outcome::Incomplete
    } else {
        Outcome::Done
    })
}

/// A standard as of a version of Kubernetes, and that version.
fn standard(library: &Library, name: &str) -> anyhow::Result<(Benchmark, String)> {
    let (id, version) = name.split_once('@').unwrap_or((name, "latest"));
    let newest = library.benchmark(id, None).with_context(|| {
        let mut known: Vec<&str> = library
            .benchmarks()
            .filter(|benchmark| benchmark.id.starts_with("pss-"))
            .map(|benchmark| benchmark.id.as_str())
            .collect();
        known.dedup();
        format!("there is no standard {id}; there are {}", known.join(", "))
    })?;
    let about_objects = |id: &str| {
        let check = library.check(id);
        check.is_some_and(|check| Objects::KINDS.contains(&check.on().as_str()))
    };
    // What people have to say is no verdict on an object, either.
    let is_told = |control: &Control| {
        let mut checks = control.checks.iter();
        control.ask.is_none() && checks.all(|used| about_objects(&used.check))
    };
    ensure!(
        newest.controls.iter().all(is_told),
        "{id} is about more than checks can tell of single objects, so none has a verdict by it: use --benchmark {id}"
    );
    let version = match version {
        "latest" => newest.version.clone(),
        version => minor(version).with_context(|| {
            format!("`{version}` is no version of Kubernetes, such as 1.30 or latest")
        })?,
    };
    let standard = newest.at(&version);
    ensure!(
        !standard.controls.is_empty(),
        "{id} asks for nothing of Kubernetes {version}"
    );
    Ok((standard, version))
}

/// The minor version that people and clusters mean by `1.30`, `v1.30.2` and `v1.30.2-gke.4`. Standards know no other
/// parts of a version.
fn minor(version: &str) -> Option<String> {
    let rest = version.strip_prefix('v').unwrap_or(version);
    let rest = rest.strip_prefix("1.")?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end)?;
    let is_number = number
        .parse::<u16>()
        .is_ok_and(|it| it.to_string() == number);
    (is_number && (rest.is_empty() || rest.starts_with(['.', '-', '+'])))
        .then(|| format!("1.{number}"))
}

/// What a standard asks for.
fn of_standard<'l>(library: &'l Library, (standard, _): &(Benchmark, String)) -> Vec<Use<'l>> {
    let uses = standard.controls.iter().flat_map(|control| &control.checks);
    uses.filter_map(|used| Some((library.check(&used.check)?, used.params())))
        .collect()
}

/// All checks on objects that manifests have, but those that say nothing without parameters that nobody gave, and those
/// that say again, in the words of a standard, what another says, unless somebody names them.
fn of_library<'l>(library: &'l Library, args: &K8sArgs) -> anyhow::Result<Vec<Use<'l>>> {
    let mut params = match &args.params {
        Some(file) => read_params(library, file)?,
        None => BTreeMap::new(),
    };
    let is_named = |check: &Check| args.only.iter().any(|id| id == check.id());
    let used: Vec<&Check> = library
        .checks()
        .filter(|check| Objects::KINDS.contains(&check.on().as_str()))
        .filter(|check| args.severity.is_empty() || args.severity.contains(&check.severity()))
        .filter(|check| params.contains_key(check.id()) || !check.wants_params())
        .filter(|check| match args.only.is_empty() {
            true => params.contains_key(check.id()) || !check.standards_only(),
            false => is_named(check),
        })
        .collect();
    content::ensure_used(library, &args.only, &used)?;
    let with_params = |check: &'l Check| (check, params.remove(check.id()).unwrap_or_default());
    Ok(used.into_iter().map(with_params).collect())
}

fn read_params(
    library: &Library,
    file: &Utf8Path,
) -> anyhow::Result<BTreeMap<String, Map<String, Value>>> {
    let bytes = input::file("file of parameters", file, MOST_PARAMS)?;
    let value = seareeve_kubernetes::value(&bytes)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("failed to use {file}"))?;
    let params: BTreeMap<String, Map<String, Value>> = serde_json::from_value(value)
        .with_context(|| format!("{file} is not of the form `check: {{name: value}}`"))?;
    for (id, params) in &params {
        let check = library
            .check(id)
            .with_context(|| format!("{file}: there is no check {id}"))?;
        for name in params.keys() {
            ensure!(
                check.params().contains_key(name),
                "{file}: {id} has no parameter {name}"
            );
        }
        if let Some(why) = try_params(check, params) {
            bail!("{file}: {id} cannot be used with its parameters: {why}");
        }
    }
    Ok(params)
}
