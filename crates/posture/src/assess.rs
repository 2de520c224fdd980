//! Verdicts × benchmark → controls: what an edition of a benchmark says of an asset.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::{Span, Timestamp};
use seareeve_model::{Collection, FactKind, Severity, Snapshot};

use crate::benchmark::{Benchmark, Control, Use};
use crate::check::Check;
use crate::exceptions::Exceptions;
use crate::judge::{CHECK_STEPS, judge, judge_facts};
use crate::library::Library;
use crate::verdict::{CheckVerdict, Outcome};

/// What a benchmark says of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment<'l> {
    /// Which.
    pub benchmark: &'l Benchmark,
    /// Why it does not concern the asset at all; then no control is applicable.
    pub left_out: Option<String>,
    /// One for each of its controls, in its order.
    pub controls: Vec<ControlVerdict<'l>>,
}

/// What is to be said of one control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlVerdict<'l> {
    /// Which.
    pub control: &'l Control,
    /// All checks' together.
    pub outcome: Outcome,
    /// Why, where no check says it: an attestation and who made it, a question that is open.
    pub reason: Option<String>,
    /// Of its checks, in its order.
    pub checks: Vec<CheckVerdict>,
    /// What its evidence shows. It decides nothing.
    pub evidence: Vec<CheckVerdict>,
}

impl ControlVerdict<'_> {
    /// Of several checks, the one that decides; of those that decide alike, the gravest.
    #[must_use]
    pub fn deciding(&self, library: &Library) -> Option<&CheckVerdict> {
        self.checks.iter().min_by_key(|verdict| {
            let check = library.check(&verdict.check);
            (verdict.outcome, Reverse(check.map(Check::severity)))
        })
    }

    /// That of the check that decides; unknown where only people say it.
    #[must_use]
    pub fn severity(&self, library: &Library) -> Severity {
        let deciding = self.deciding(library);
        let check = deciding.and_then(|verdict| library.check(&verdict.check));
        check.map_or(Severity::Unknown, Check::severity)
    }
}

/// A person's answer to what no check can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The benchmark's id.
    pub benchmark: String,
    /// Its edition.
    pub version: String,
    /// The control.
    pub control: String,
    /// [`Outcome::Pass`], [`Outcome::Fail`] or [`Outcome::NotApplicable`].
    pub outcome: Outcome,
    /// Who says so.
    pub by: String,
    /// Why, or where the evidence lies.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds, if sooner than its control says.
    pub until: Option<Timestamp>,
}

/// What people have said of an asset beside its facts.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    /// What may fail.
    pub exceptions: Exceptions,
    /// What they looked at.
    pub attestations: Vec<Attestation>,
}

/// Judges an asset by a benchmark. Each check is evaluated once, however many controls want it.
#[must_use]
pub fn assess<'l>(
    library: &'l Library,
    benchmark: &'l Benchmark,
    snapshot: &Snapshot,
    statements: &Statements,
    now: Timestamp,
) -> Assessment<'l> {
    let mut known = BTreeMap::new();
    assess_anew(library, benchmark, snapshot, statements, now, &mut known)
}

/// The same by several: editions of a benchmark are mostly the same checks, and each is evaluated once for all of them.
#[must_use]
pub fn assess_all<'l>(
    library: &'l Library,
    benchmarks: impl IntoIterator<Item = &'l Benchmark>,
    snapshot: &Snapshot,
    statements: &Statements,
    now: Timestamp,
) -> Vec<Assessment<'l>> {
    let mut known = BTreeMap::new();
    let benchmarks = benchmarks.into_iter();
    benchmarks
        .map(|benchmark| assess_anew(library, benchmark, snapshot, statements, now, &mut known))
        .collect()
}

/// `known` are the verdicts that there are already, without exceptions: those may be for one benchmark only.
fn assess_anew<'l>(
    library: &'l Library,
    benchmark: &'l Benchmark,
    snapshot: &Snapshot,
    statements: &Statements,
    now: Timestamp,
    known: &mut BTreeMap<&'l Use, CheckVerdict>,
) -> Assessment<'l> {
    let reason = left_out(library, benchmark, &snapshot.facts, now);
    assess_by(benchmark, reason, statements, now, &mut |wanted| {
        // Libraries hold no benchmark with checks that they have not.
        let check = library.check(&wanted.check)?;
        let plain = known
            .entry(wanted)
            .or_insert_with(|| judge(check, &wanted.params(), snapshot, now));
        let mut verdict = plain.clone();
        statements
            .exceptions
            .apply(&mut verdict, benchmark, snapshot, now);
        Some(verdict)
    })
}

/// Judges an asset by what `verdict` says of each check, exceptions included. It is asked by each control that wants it.
pub(crate) fn assess_by<'l>(
    benchmark: &'l Benchmark,
    left_out: Option<String>,
    statements: &Statements,
    now: Timestamp,
    verdict: &mut dyn FnMut(&'l Use) -> Option<CheckVerdict>,
) -> Assessment<'l> {
    if let Some(reason) = left_out {
        let none = |control| ControlVerdict {
            control,
            outcome: Outcome::NotApplicable,
            reason: Some(reason.clone()),
            checks: Vec::new(),
            evidence: Vec::new(),
        };
        return Assessment {
            benchmark,
            controls: benchmark.controls.iter().map(none).collect(),
            left_out: Some(reason),
        };
    }
    let mut verdicts =
        |uses: &'l [Use]| -> Vec<CheckVerdict> { uses.iter().filter_map(&mut *verdict).collect() };
    let controls = benchmark
        .controls
        .iter()
        .map(|control| {
            let checks = verdicts(&control.checks);
            let evidence = verdicts(&control.evidence);
            let (outcome, reason) = match without_subject(&checks, &evidence) {
                Some(reason) => (Outcome::NotApplicable, reason),
                None => control_outcome(benchmark, control, &checks, statements, now),
            };
            ControlVerdict {
                control,
                outcome,
                reason,
                checks,
                evidence,
            }
        })
        .collect();
    Assessment {
        benchmark,
        left_out: None,
        controls,
    }
}

/// Why a benchmark does not concern an asset, where it does not.
pub(crate) fn left_out(
    library: &Library,
    benchmark: &Benchmark,
    facts: &BTreeMap<FactKind, Collection>,
    now: Timestamp,
) -> Option<String> {
    benchmark.left_out_by.iter().find_map(|used| {
        let verdict = judge_facts(
            library.check(&used.check)?,
            &used.params(),
            facts,
            now,
            &mut { CHECK_STEPS },
        );
        if verdict.outcome != Outcome::Fail {
            return None;
        }
        let items = verdict.objects.iter().flat_map(|object| &object.items);
        let said = items.map(|item| item.message.clone()).next();
        said.or(verdict.reason)
    })
}

/// Nobody is asked about what is not there: all that would be shown to them is not applicable.
fn without_subject(checks: &[CheckVerdict], evidence: &[CheckVerdict]) -> Option<Option<String>> {
    let is_subject_gone = checks.is_empty()
        && !evidence.is_empty()
        && evidence
            .iter()
            .all(|shown| shown.outcome == Outcome::NotApplicable);
    is_subject_gone.then(|| evidence.iter().find_map(|shown| shown.reason.clone()))
}

/// The checks' verdict, where there are checks and none of them leaves it to a person; else the person's.
fn control_outcome(
    benchmark: &Benchmark,
    control: &Control,
    checks: &[CheckVerdict],
    statements: &Statements,
    now: Timestamp,
) -> (Outcome, Option<String>) {
    let computed = Outcome::joined(checks.iter().map(|check| check.outcome));
    let is_open = computed.is_none_or(|outcome| {
        outcome == Outcome::NeedsReview || (control.ask.is_some() && outcome == Outcome::Pass)
    });
    if !is_open {
        let reason = checks.iter().find_map(|check| check.reason.clone());
        return (computed.unwrap_or(Outcome::NeedsReview), reason);
    }
    let attestation = statements
        .attestations
        .iter()
        .filter(|attestation| {
            attestation.benchmark == benchmark.id
                && attestation.version == benchmark.version
                && attestation.control == control.id
        })
        .max_by_key(|attestation| attestation.at);
    let Some(attestation) = attestation else {
        return (Outcome::NeedsReview, control.ask.clone());
    };
    let Attestation { by, at, until, .. } = attestation;
    let day = |time: &Timestamp| time.strftime("%Y-%m-%d").to_string();
    if let Some(until) = until
        && *until <= now
    {
        let reason = format!("what {by} said on {} held until {}", day(at), day(until));
        return (Outcome::NeedsReview, Some(reason));
    }
    if let Some(days) = control.max_age_days
        && at
            .checked_add(Span::new().hours(i64::from(days) * 24))
            .is_ok_and(|end| end < now)
    {
        let reason = format!("what {by} said on {} is older than {days} days", day(at));
        return (Outcome::NeedsReview, Some(reason));
    }
    let reason = format!("{by}, {}: {}", day(at), attestation.reason);
    (attestation.outcome, Some(reason))
}

impl Assessment<'_> {
    /// How many controls have each outcome.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for control in &self.controls {
            *counts.entry(control.outcome).or_default() += 1;
        }
        counts
    }
}
