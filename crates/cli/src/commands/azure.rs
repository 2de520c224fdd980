//! `seareeve azure`: what Azure knows of clusters, registries and subscriptions, asset by asset or by a benchmark.

mod source;

use anyhow::{Context as _, bail};
use seareeve_api::{ManifestObject, ManifestReport, ManifestResult};
use seareeve_collect::azure::{ENVIRONMENT, REGISTRY, joined};
use seareeve_model::{CollectionStatus, Problem, ProblemCode, Snapshot};
use seareeve_posture::{Check, Library, ObjectVerdict, judge};
use serde_json::Map;

use self::source::Source;
use crate::args::{AzureArgs, PostureArgs};
use crate::commands::Outcome;
use crate::commands::docker::{print, saved};
use crate::commands::k8s::{self, Printing};
use crate::content;
use crate::output::{self, Messages};
use crate::surroundings::Surroundings;

/// The kind of asset that benchmarks are about.
const CLUSTER: &str = "kubernetes-cluster";

/// Kinds of facts that an asset is.
const KINDS: [&str; 3] = ["azure.cluster", "azure.registry", "azure.subscription"];

pub(crate) fn run(
    args: &AzureArgs,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let library = content::library(args.checks.as_deref())?;
    // What is wrong with the question is said before Azure is asked.
    let checks = match args.benchmark.is_empty() {
        true => checks(&library, args)?,
        false => Vec::new(),
    };
    let mut source = Source::read(args, surroundings, messages)?;
    if let Some(wanted) = &args.cluster {
        let is_wanted = |one: &Snapshot| {
            one.asset_name.eq_ignore_ascii_case(wanted) || one.asset_id.eq_ignore_ascii_case(wanted)
        };
        let is_cluster = |one: &Snapshot| one.asset_kind == CLUSTER;
        source
            .snapshots
            .retain(|one| is_cluster(one) && is_wanted(one));
        anyhow::ensure!(!source.snapshots.is_empty(), "there is no cluster {wanted}");
    }
    if let Some(file) = &args.cluster_facts {
        join(&mut source.snapshots, &saved(file)?)?;
    }
    if let Some(file) = &args.save_facts {
        let mut text = String::new();
        for snapshot in &source.snapshots {
            text.push_str(&serde_json::to_string(snapshot)?);
            text.push('\n');
        }
        output::result(Some(file), &text)?;
    }
    if args.benchmark.is_empty() {
        by_asset(&library, &checks, args, &source, surroundings, messages)
    } else {
        by_benchmark(&library, args, &source, surroundings, messages)
    }
}

/// Puts what is seen from within to the cluster that it is.
fn join(snapshots: &mut [Snapshot], cluster: &Snapshot) -> anyhow::Result<()> {
    let mut last = None;
    for snapshot in snapshots.iter_mut().filter(|one| one.asset_kind == CLUSTER) {
        match joined(snapshot, cluster) {
            Ok(both) => {
                let name = snapshot.asset_name.clone();
                *snapshot = Snapshot {
                    asset_name: name,
                    ..both
                };
                return Ok(());
            }
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error.into()),
        None => bail!("there is no cluster that these facts could be of"),
    }
}

fn by_benchmark(
    library: &Library,
    args: &AzureArgs,
    source: &Source,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let mut clusters = source
        .snapshots
        .iter()
        .filter(|one| one.asset_kind == CLUSTER);
    let cluster = clusters.next().context("there is no cluster")?;
    if let Some(other) = clusters.next() {
        let mut names = vec![cluster.asset_name.as_str(), other.asset_name.as_str()];
        names.extend(clusters.map(|one| one.asset_name.as_str()));
        bail!(
            "benchmarks are about one cluster: choose it with --cluster from {}",
            names.join(", ")
        );
    }
    tell(source, messages);
    let judged = PostureArgs {
        benchmark: args.benchmark.clone(),
        level: None,
        status: Vec::new(),
        only: args.only.clone(),
        checks: None,
        exceptions: None,
        format: args.format,
        output: args.output.clone(),
        fail_on: args.fail_on,
    };
    let outcome = print(library, cluster, &judged, surroundings, messages)?;
    Ok(match outcome {
        Outcome::Done if !source.problems.is_empty() => Outcome::Incomplete,
        other => other,
    })
}

/// The checks on assets, but those that say nothing without parameters.
fn checks<'l>(library: &'l Library, args: &AzureArgs) -> anyhow::Result<Vec<&'l Check>> {
    let is_wanted = |check: &&Check| {
        KINDS.contains(&check.on().as_str())
            && !check.wants_params()
            && (args.severity.is_empty() || args.severity.contains(&check.severity()))
            && (args.only.is_empty() || args.only.iter().any(|id| id == check.id()))
    };
    let checks: Vec<&Check> = library.checks().filter(is_wanted).collect();
    content::ensure_used(library, &args.only, &checks)?;
    Ok(checks)
}

fn by_asset(
    library: &Library,
    checks: &[&Check],
    args: &AzureArgs,
    source: &Source,
    surroundings: &Surroundings,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let mut problems = source.problems.clone();
    let mut objects = Vec::new();
    for snapshot in &source.snapshots {
        problems.extend(gaps(snapshot, &problems));
        objects.push(object(checks, snapshot, surroundings));
    }
    let report = ManifestReport {
        schema_version: 1,
        standard: None,
        objects,
        problems: problems.iter().map(Into::into).collect(),
    };
    let printing = Printing {
        format: args.format,
        output: args.output.as_deref(),
        fail_on: args.fail_on,
    };
    k8s::print(library, &report, &printing, messages)
}

/// One asset with what the checks about it say.
fn object(checks: &[&Check], snapshot: &Snapshot, surroundings: &Surroundings) -> ManifestObject {
    let [cluster, registry, subscription] = KINDS;
    let (kind, about) = match snapshot.asset_kind.as_str() {
        REGISTRY => ("Registry", registry),
        ENVIRONMENT => ("Subscription", subscription),
        _ => ("Cluster", cluster),
    };
    let mut results = Vec::new();
    for check in checks.iter().filter(|check| check.on().as_str() == about) {
        let verdict = judge(check, &Map::new(), snapshot, surroundings.now());
        // What stands beside the asset, such as registries of a cluster, is an asset of its own.
        for said in &verdict.objects {
            results.extend(told(check, said));
        }
    }
    results.sort_by(|one, other| one.check.cmp(&other.check));
    ManifestObject {
        file: String::new(),
        index: 0,
        line: 0,
        kind: kind.to_owned(),
        namespace: group(&snapshot.asset_id).to_owned(),
        name: snapshot.asset_name.clone(),
        results,
        verdict: None,
    }
}

fn told(check: &Check, said: &ObjectVerdict) -> Vec<ManifestResult> {
    let result = |message: &str| ManifestResult {
        check: check.id().to_owned(),
        severity: check.severity().as_str().to_owned(),
        status: said.outcome.as_str().to_owned(),
        message: message.to_owned(),
        path: String::new(),
    };
    if said.items.is_empty() {
        return vec![result(said.reason.as_deref().unwrap_or_default())];
    }
    said.items
        .iter()
        .map(|item| result(&item.message))
        .collect()
}

/// The resource group of an id; nothing for a subscription, and for a cluster that is known from within.
fn group(id: &str) -> &str {
    let mut segments = id.split('/').skip_while(|word| *word != "resourcegroups");
    segments.next();
    segments.next().unwrap_or_default()
}

/// What could not be read of an asset, if it was not told before.
fn gaps(snapshot: &Snapshot, told: &[Problem]) -> Vec<Problem> {
    let is_gap = |status: CollectionStatus| {
        !matches!(status, CollectionStatus::Ok | CollectionStatus::Absent)
    };
    snapshot
        .facts
        .iter()
        .filter(|(_, facts)| is_gap(facts.status))
        .map(|(kind, facts)| {
            let why = facts.detail.clone().unwrap_or_default();
            Problem::new(ProblemCode::FileUnreadable, kind.to_string(), why)
        })
        .filter(|problem| {
            !told
                .iter()
                .any(|known| known.message.contains(&problem.message))
        })
        .collect()
}

fn tell(source: &Source, messages: &Messages) {
    for problem in &source.problems {
        messages.note(problem);
    }
}
