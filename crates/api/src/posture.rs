//! The host report: what `seareeve docker --format json` prints, and what a benchmark says of any asset.

use jiff::Timestamp;
use seareeve_model::{CollectionStatus, Snapshot};
use seareeve_posture as posture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What benchmarks say of one asset. The same facts, checks and statements of people give the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostureReport {
    /// Version of this schema: 1.
    pub schema_version: u32,
    /// The asset.
    pub asset: ReportAsset,
    /// When its facts were collected.
    #[schema(value_type = String, format = DateTime)]
    pub collected_at: Timestamp,
    /// What it was compared with.
    pub benchmarks: Vec<ReportBenchmark>,
    /// In the benchmarks' order.
    pub controls: Vec<ReportControl>,
    /// What could not be collected, and why. Where a control needs it, it is `not_collected`.
    pub gaps: Vec<ReportGap>,
}

/// The asset of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportAsset {
    /// `docker-host`, `kubernetes-cluster`, `kubernetes-node`.
    pub kind: String,
    /// The same next time.
    pub id: String,
    /// For people.
    pub name: String,
}

/// A benchmark of a report, with how many of its controls have each status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportBenchmark {
    /// Such as `cis-docker`.
    pub id: String,
    /// The edition.
    pub version: String,
    /// For people.
    pub title: String,
    /// Why it does not concern the asset at all; then no control is applicable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Counts of controls.
    pub counts: ControlCounts,
}

/// How many controls have each status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ControlCounts {
    /// All is well.
    pub pass: u32,
    /// Something is wrong.
    pub fail: u32,
    /// They do not concern the asset.
    pub not_applicable: u32,
    /// The facts are not there.
    pub not_collected: u32,
    /// They could not be evaluated.
    pub error: u32,
    /// A person has to decide.
    pub needs_review: u32,
    /// They fail, and may.
    pub excepted: u32,
}

/// One control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportControl {
    /// Such as `cis-docker`.
    pub benchmark: String,
    /// The edition.
    pub version: String,
    /// The control's number in it.
    pub id: String,
    /// 1 or 2.
    pub level: u8,
    /// How the benchmark's makers mark it: `automated` or `manual`.
    pub assessment: String,
    /// The section that it stands in.
    pub section: String,
    /// In our own words.
    pub title: String,
    /// The check that decides it; `null` for one that only a person can answer.
    pub check: Option<String>,
    /// How bad it is when it fails: `critical`, `high`, `medium`, `low`; `null` without a check.
    pub severity: Option<String>,
    /// `pass`, `fail`, `not_applicable`, `not_collected`, `error`, `needs_review` or `excepted`.
    pub status: String,
    /// Why, where no object says it.
    pub reason: Option<String>,
    /// What was judged, by name.
    pub objects: Vec<ReportObject>,
    /// How many other objects fail or could not be judged: of a large asset not all are listed, and none that pass.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unlisted: u64,
    /// Why it matters, and how it is mended.
    pub remedy: Option<ReportRemedy>,
}

/// What a check says of one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportObject {
    /// The kind of fact: `docker.container`.
    pub kind: String,
    /// The same next time.
    pub id: String,
    /// For people.
    pub name: String,
    /// The check; a control may have several.
    pub check: String,
    /// As for controls.
    pub status: String,
    /// What was found. When all is well, what there is, if the check says that of whole objects; else empty.
    pub actual: String,
    /// What is wanted.
    pub expected: String,
    /// Why it is not applicable, not collected or excepted, or could not be evaluated.
    pub reason: Option<String>,
    /// Each thing found fault with, in a sentence.
    pub messages: Vec<String>,
    /// Shell lines that mend it, to copy.
    pub command: Option<String>,
    /// The values that were read.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub evidence: Vec<serde_json::Value>,
}

/// Why a control matters, and how what fails is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportRemedy {
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub text: String,
    /// Keys and values for `daemon.json`.
    #[schema(value_type = Object)]
    pub daemon: serde_json::Map<String, serde_json::Value>,
    /// What may break.
    pub impact: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Techniques of MITRE ATT&CK that it makes harder.
    pub techniques: Vec<String>,
}

/// Facts that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportGap {
    /// The kind of fact.
    pub kind: String,
    /// `denied`, `unsupported` or `error`.
    pub status: String,
    /// Where they would come from.
    pub source: String,
    /// Why not.
    pub detail: String,
}

/// The report of an asset, from its facts and what benchmarks say of them.
#[must_use]
pub fn posture_report(
    library: &posture::Library,
    snapshot: &Snapshot,
    assessments: &[posture::Assessment<'_>],
) -> PostureReport {
    let controls = assessments.iter().flat_map(|assessment| {
        let controls = assessment.controls.iter();
        controls.map(|verdict| control(library, assessment.benchmark, verdict))
    });
    let gaps = snapshot
        .facts
        .iter()
        .filter(|(_, collection)| {
            !matches!(
                collection.status,
                CollectionStatus::Ok | CollectionStatus::Absent
            )
        })
        .map(|(kind, collection)| ReportGap {
            kind: kind.to_string(),
            status: collection.status.as_str().to_owned(),
            source: collection.source.clone(),
            detail: collection.detail.clone().unwrap_or_default(),
        });
    PostureReport {
        schema_version: 1,
        asset: ReportAsset {
            kind: snapshot.asset_kind.clone(),
            id: snapshot.asset_id.clone(),
            name: snapshot.asset_name.clone(),
        },
        collected_at: snapshot.collected_at,
        benchmarks: assessments.iter().map(ReportBenchmark::from).collect(),
        controls: controls.collect(),
        gaps: gaps.collect(),
    }
}

impl From<&posture::Assessment<'_>> for ReportBenchmark {
    fn from(assessment: &posture::Assessment<'_>) -> Self {
        let mut counts = ControlCounts::default();
        for control in &assessment.controls {
            counts.note(control.outcome);
        }
        Self {
            id: assessment.benchmark.id.clone(),
            version: assessment.benchmark.version.clone(),
            title: assessment.benchmark.title.clone(),
            left_out: assessment.left_out.clone(),
            counts,
        }
    }
}

impl ControlCounts {
    /// Counts one more.
    pub fn note(&mut self, outcome: posture::Outcome) {
        let count = match outcome {
            posture::Outcome::Pass => &mut self.pass,
            posture::Outcome::Fail => &mut self.fail,
            posture::Outcome::NotApplicable => &mut self.not_applicable,
            posture::Outcome::NotCollected => &mut self.not_collected,
            posture::Outcome::Error => &mut self.error,
            posture::Outcome::NeedsReview => &mut self.needs_review,
            posture::Outcome::Excepted => &mut self.excepted,
        };
        *count = count.saturating_add(1);
    }
}

fn control(
    library: &posture::Library,
    benchmark: &posture::Benchmark,
    verdict: &posture::ControlVerdict<'_>,
) -> ReportControl {
    let control = verdict.control;
    let deciding = match verdict.deciding(library) {
        Some(verdict) => Some(&verdict.check),
        None => control.checks.first().map(|used| &used.check),
    };
    let check = deciding.and_then(|id| library.check(id));
    // A person who has to answer is shown what there is to see.
    let shown = match verdict.checks.is_empty() {
        true => &verdict.evidence,
        false => &verdict.checks,
    };
    ReportControl {
        benchmark: benchmark.id.clone(),
        version: benchmark.version.clone(),
        id: control.id.clone(),
        level: control.level,
        assessment: match control.assessment {
            posture::Mark::Automated => "automated",
            posture::Mark::Manual => "manual",
        }
        .to_owned(),
        section: benchmark
            .section(control)
            .map(|section| section.title.clone())
            .unwrap_or_default(),
        title: control.title.clone(),
        check: deciding.cloned(),
        severity: check.map(|check| check.severity().as_str().to_owned()),
        status: verdict.outcome.as_str().to_owned(),
        reason: verdict.reason.clone(),
        objects: objects(shown),
        unlisted: 0,
        remedy: check.map(remedy),
    }
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// By name, which people look for, whatever ids the source gave them.
fn objects(shown: &[posture::CheckVerdict]) -> Vec<ReportObject> {
    let mut objects: Vec<ReportObject> = shown
        .iter()
        .flat_map(|check| check.objects.iter().map(move |found| object(check, found)))
        .collect();
    objects.sort_by(|a, b| (&a.kind, &a.name, &a.id).cmp(&(&b.kind, &b.name, &b.id)));
    objects
}

fn object(check: &posture::CheckVerdict, found: &posture::ObjectVerdict) -> ReportObject {
    report_object(&check.check, found)
}

/// What a check says of one object.
#[must_use]
pub fn report_object(check: &str, found: &posture::ObjectVerdict) -> ReportObject {
    let mut messages: Vec<String> = found
        .items
        .iter()
        .map(|item| item.message.clone())
        .collect();
    if found.more_items > 0 {
        messages.push(format!("and {} more", found.more_items));
    }
    ReportObject {
        kind: found.kind.to_string(),
        id: found.id.clone(),
        name: found.name.clone(),
        check: check.to_owned(),
        status: found.outcome.as_str().to_owned(),
        actual: found.told(),
        expected: found.expected.clone(),
        reason: found.reason.clone(),
        messages,
        command: found.fix.command.clone(),
        evidence: found
            .items
            .iter()
            .map(|item| item.evidence.clone())
            .filter(|evidence| !evidence.is_null())
            .collect(),
    }
}

fn remedy(check: &posture::Check) -> ReportRemedy {
    let fix = check.fix();
    ReportRemedy {
        why: check.why().to_owned(),
        text: fix.text.clone(),
        daemon: fix.daemon.clone(),
        impact: fix.impact.clone(),
        references: check.refs().to_vec(),
        techniques: check.techniques().to_vec(),
    }
}
