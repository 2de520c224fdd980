//! Judging one asset: facts and what people said → all that is stored of it. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use seareeve_model::{Severity, Snapshot};
use seareeve_posture::{self as posture, Assessment, ControlVerdict, Outcome, Recommendation, Use};
use seareeve_store::assets::{ControlRow, Health, HealthState, Judged, ObjectRow};
use seareeve_store::image_uses::ImageTally;
use seareeve_store::{AssetId, SeverityCounts};

use super::{Content, Said, images};

/// Characters of a text of an object's verdict that are kept: the report, which is made of the facts, has all of it.
const MOST_CHARACTERS: usize = 1_000;

/// Judges an asset by all that concerns its kind. `images` is what was found in the images that it uses or holds.
pub(crate) fn judge(
    content: &Content,
    snapshot: &Snapshot,
    said: &Said,
    asset: AssetId,
    images: Option<&ImageTally>,
    now: Timestamp,
) -> Judged {
    let not_concerned = posture::not_concerned(snapshot);
    let statements = said.statements(asset);
    let assessments: Vec<Assessment<'_>> = match &not_concerned {
        Some(_) => Vec::new(),
        None => {
            let library = &content.library;
            let about_it = |benchmark: &&_| concerns(library, benchmark, snapshot);
            let benchmarks = library.benchmarks().filter(about_it);
            posture::assess_all(library, benchmarks, snapshot, &statements, now)
        }
    };
    let newest = newest(content, &assessments);
    let concern = Concern { said, asset, now };
    let health = recommended(content, snapshot, &concern, images, &not_concerned, &newest);
    let objects = object_rows(&assessments);
    put_together(content, &assessments, objects, health)
}

/// Whose health it is.
pub(crate) struct Concern<'a> {
    /// What people said.
    pub(crate) said: &'a Said,
    /// The asset.
    pub(crate) asset: AssetId,
    /// The time by which exemptions end.
    pub(crate) now: Timestamp,
}

/// All that is stored of an asset.
pub(crate) fn put_together(
    content: &Content,
    assessments: &[Assessment<'_>],
    objects: Vec<ObjectRow>,
    health: Vec<Health>,
) -> Judged {
    let newest = newest(content, assessments);
    let (state, reason) = joined(&health);
    Judged {
        controls: assessments
            .iter()
            .flat_map(|assessment| {
                let controls = assessment.controls.iter();
                controls.map(|control| control_row(content, assessment, control))
            })
            .collect(),
        objects,
        failed: failed(content, &newest),
        // Also those that no longer concern the asset: that is a change, too.
        newest: content
            .library
            .benchmarks()
            .filter_map(|benchmark| content.library.benchmark(&benchmark.id, None))
            .map(|benchmark| (benchmark.id.clone(), benchmark.version.clone()))
            .collect(),
        health,
        state,
        reason,
    }
}

/// The newest editions.
fn newest<'a, 'l>(content: &Content, assessments: &'a [Assessment<'l>]) -> Vec<&'a Assessment<'l>> {
    let is_newest = |assessment: &&Assessment<'_>| {
        let newest = content.library.benchmark(&assessment.benchmark.id, None);
        newest.map(|newest| &newest.version) == Some(&assessment.benchmark.version)
    };
    assessments.iter().filter(is_newest).collect()
}

/// Whether a benchmark is about this asset: of a cluster that is seen from its cloud only, those that ask for nothing
/// that the cloud knows say nothing.
pub(crate) fn concerns(
    library: &posture::Library,
    benchmark: &posture::Benchmark,
    snapshot: &Snapshot,
) -> bool {
    let controls = benchmark.controls.iter();
    let mut uses = controls.flat_map(|control| control.checks.iter().chain(&control.evidence));
    benchmark.asset == snapshot.asset_kind
        && uses.any(|used| {
            let check = library.check(&used.check);
            check.is_some_and(|check| snapshot.facts.contains_key(check.on()))
        })
}

fn control_row(
    content: &Content,
    assessment: &Assessment<'_>,
    verdict: &ControlVerdict<'_>,
) -> ControlRow {
    ControlRow {
        benchmark: assessment.benchmark.id.clone(),
        version: assessment.benchmark.version.clone(),
        control: verdict.control.id.clone(),
        outcome: verdict.outcome.as_str().to_owned(),
        severity: verdict.severity(&content.library),
        reason: verdict.reason.as_deref().map(cut),
    }
}

/// Each check on each object once, however many editions want it.
fn object_rows(assessments: &[Assessment<'_>]) -> Vec<ObjectRow> {
    let mut known: BTreeSet<&Use> = BTreeSet::new();
    let mut rows = Vec::new();
    for verdict in assessments.iter().flat_map(|one| &one.controls) {
        let checks = verdict.control.checks.iter().zip(&verdict.checks);
        let evidence = verdict.control.evidence.iter().zip(&verdict.evidence);
        for (wanted, verdict) in checks.chain(evidence) {
            if !known.insert(wanted) {
                continue;
            }
            let params = serde_json::Value::Object(wanted.params()).to_string();
            rows.extend(verdict.objects.iter().map(|object| ObjectRow {
                check_id: verdict.check.clone(),
                params: params.clone(),
                kind: object.kind.to_string(),
                object: object.id.clone(),
                name: cut(&object.name),
                outcome: object.outcome.as_str().to_owned(),
                actual: cut(&object.told()),
                expected: cut(&object.expected),
                reason: object.reason.as_deref().map(cut),
            }));
        }
    }
    rows
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

fn failed(content: &Content, newest: &[&Assessment<'_>]) -> SeverityCounts {
    let mut counts = SeverityCounts::default();
    for verdict in newest.iter().flat_map(|one| &one.controls) {
        if verdict.outcome == Outcome::Fail {
            let count = match verdict.severity(&content.library) {
                Severity::Critical => &mut counts.critical,
                Severity::High => &mut counts.high,
                Severity::Medium => &mut counts.medium,
                Severity::Low => &mut counts.low,
                Severity::Unknown => &mut counts.unknown,
            };
            *count += 1;
        }
    }
    counts
}

/// What the recommendations about this kind of asset say of it, as far as they can be judged here.
fn recommended(
    content: &Content,
    snapshot: &Snapshot,
    concern: &Concern<'_>,
    images: Option<&ImageTally>,
    not_concerned: &Option<String>,
    newest: &[&Assessment<'_>],
) -> Vec<Health> {
    let settings = &concern.said.settings;
    let about_it = |one: &&Recommendation| {
        let is_on = settings.get(&one.id).and_then(|setting| setting.enabled);
        one.asset == snapshot.asset_kind && is_on.unwrap_or(one.enabled)
    };
    let judged = content.catalogue.recommendations().filter(about_it);
    judged
        .filter_map(|recommendation| {
            let (health, reason) = match (not_concerned, recommendation.benchmark.as_deref()) {
                (_, None) if recommendation.findings.is_some() => {
                    let findings = recommendation.findings.as_deref().unwrap_or_default();
                    images::health(findings, images?, None)
                }
                (_, None) => {
                    let statements = concern.said.statements(concern.asset);
                    let library = &content.library;
                    let none = serde_json::Map::new();
                    let set = settings.get(&recommendation.id);
                    let set = set.map_or(&none, |setting| &setting.params);
                    let now = concern.now;
                    posture::recommend(library, recommendation, set, snapshot, &statements, now)?
                }
                (Some(why), Some(_)) => (posture::Health::NotApplicable, Some(why.clone())),
                (None, Some(benchmark)) => {
                    let assessment = newest.iter().find(|one| one.benchmark.id == benchmark)?;
                    posture::health(&content.library, snapshot, assessment)
                }
            };
            let plain = Health {
                recommendation: recommendation.id.clone(),
                state: state(health),
                reason,
                exemption: None,
            };
            Some(exempted(plain, concern))
        })
        .collect()
}

/// An exempt asset is not applicable, whatever else would be said of it; but for what does not concern it anyway.
pub(crate) fn exempted(plain: Health, concern: &Concern<'_>) -> Health {
    let Concern { said, asset, now } = concern;
    let exemption = said.exemptions.iter().find(|exemption| {
        exemption.said.recommendation == plain.recommendation
            && said.is_about(exemption, *asset)
            && exemption.said.expires.is_none_or(|until| *now < until)
    });
    match exemption {
        Some(exemption) if plain.state != HealthState::NotApplicable => Health {
            state: HealthState::NotApplicable,
            reason: Some(format!(
                "{}: {} ({})",
                exemption.said.kind.as_str(),
                exemption.said.reason,
                exemption.author
            )),
            exemption: Some(exemption.id),
            ..plain
        },
        _ => plain,
    }
}

pub(crate) fn state(health: posture::Health) -> HealthState {
    match health {
        posture::Health::Healthy => HealthState::Healthy,
        posture::Health::Unhealthy => HealthState::Unhealthy,
        posture::Health::NotApplicable => HealthState::NotApplicable,
        posture::Health::Unknown => HealthState::Unknown,
    }
}

/// All recommendations as one word: the worst that any says.
fn joined(health: &[Health]) -> (HealthState, Option<String>) {
    let order = |state: HealthState| match state {
        HealthState::Unhealthy => 0,
        HealthState::Unknown => 1,
        HealthState::Healthy => 2,
        HealthState::NotApplicable => 3,
    };
    let worst = health.iter().min_by_key(|one| order(one.state));
    let Some(worst) = worst else {
        return (HealthState::Unknown, None);
    };
    let alike = health.iter().filter(|one| one.state == worst.state).count();
    let reason = match worst.state {
        // What one of many says would look as if it were all.
        HealthState::Unhealthy if alike > 1 => Some(format!("{alike} recommendations are not met")),
        _ => worst.reason.clone(),
    };
    (worst.state, reason)
}
