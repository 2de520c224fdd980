//! What a recommendation says of an asset, from what benchmarks say of it, and which assets are not concerned at all.

use std::cmp::Reverse;

use seareeve_model::{CollectionStatus, FactKind, Snapshot};
use serde_json::Value;

use crate::assess::{Assessment, ControlVerdict};
use crate::library::Library;
use crate::score::Health;
use crate::verdict::{CheckVerdict, Outcome};

/// How many controls a reason names before it counts.
const NAMED: usize = 5;

/// Why no benchmark is about this asset; nothing when one is. A host without an engine has nothing to configure, and
/// of one that a provider looks after nothing can be configured.
#[must_use]
pub fn not_concerned(snapshot: &Snapshot) -> Option<String> {
    if snapshot.asset_kind != "docker-host" {
        return None;
    }
    if let Some(managed) = managed(snapshot) {
        return Some(managed);
    }
    let kind = FactKind::new("docker.daemon").ok()?;
    let daemons = snapshot.facts.get(&kind)?;
    (daemons.items.is_empty() && daemons.status == CollectionStatus::Absent)
        .then(|| "there is no container engine on this machine".to_owned())
}

/// Why a machine is not its user's to harden; nothing when it is.
#[must_use]
pub fn managed(snapshot: &Snapshot) -> Option<String> {
    let host = snapshot.facts.get(&FactKind::new("host").ok()?)?;
    let managed = host.items.first()?.data.get("managed")?;
    if managed.get("is").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let text = |key: &str| managed.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(format!(
        "its provider looks after this machine ({}): {}",
        text("by"),
        text("reason")
    ))
}

/// Whether an asset is healthy by a whole benchmark, and why if it is not: the gravest controls first. One failed
/// control makes it unhealthy. What could not be collected or evaluated makes it unknown; controls that only a person
/// can answer do neither, nor does a kind of fact that the collector does not gather at all.
#[must_use]
pub fn health(
    library: &Library,
    snapshot: &Snapshot,
    assessment: &Assessment<'_>,
) -> (Health, Option<String>) {
    let statuses = snapshot.facts.values().map(|facts| facts.status);
    let (health, reason) = health_with(library, statuses, assessment);
    match health {
        Health::Unknown => (health, unasked(snapshot).or(reason)),
        Health::Healthy | Health::Unhealthy | Health::NotApplicable => (health, reason),
    }
}

/// Why no engine of a machine could be asked, where that is so: it says more than a list of nearly all controls.
fn unasked(snapshot: &Snapshot) -> Option<String> {
    let daemons = snapshot.facts.get(&FactKind::new("docker.daemon").ok()?)?;
    let is_gap = matches!(
        daemons.status,
        CollectionStatus::Denied | CollectionStatus::Error
    );
    (is_gap && daemons.items.is_empty()).then(|| daemons.detail.clone())?
}

/// The same, where `statuses` say of each kind of fact how collecting it went.
pub(crate) fn health_with(
    library: &Library,
    mut statuses: impl Iterator<Item = CollectionStatus>,
    assessment: &Assessment<'_>,
) -> (Health, Option<String>) {
    let with = |outcomes: &[Outcome]| -> Vec<&str> {
        let controls = assessment.controls.iter();
        let mut controls: Vec<&ControlVerdict<'_>> = controls
            .filter(|control| outcomes.contains(&control.outcome))
            .collect();
        // Those that are alike stay in the benchmark's order, which is that of their numbers.
        controls.sort_by_key(|control| (Reverse(control.severity(library)), control.control.level));
        let ids = controls.iter().map(|control| control.control.id.as_str());
        ids.collect()
    };
    let failed = with(&[Outcome::Fail]);
    if !failed.is_empty() {
        let noun = if failed.len() == 1 {
            "control fails"
        } else {
            "controls fail"
        };
        return (Health::Unhealthy, Some(told(noun, &failed)));
    }
    let is_gap = |status: CollectionStatus| {
        matches!(status, CollectionStatus::Denied | CollectionStatus::Error)
    };
    let gaps = statuses.any(is_gap);
    let mut open = with(&[Outcome::Error]);
    if gaps {
        open.extend(with(&[Outcome::NotCollected]));
    }
    if !open.is_empty() {
        let noun = if open.len() == 1 {
            "control"
        } else {
            "controls"
        };
        return (
            Health::Unknown,
            Some(told(&format!("{noun} could not be judged"), &open)),
        );
    }
    if with(&[Outcome::Pass, Outcome::Excepted]).is_empty() {
        return (
            Health::NotApplicable,
            Some("no control concerns it".to_owned()),
        );
    }
    (Health::Healthy, None)
}

/// Whether an asset is healthy by a recommendation's checks: `docs/reference/recommendations.md` has the table.
/// Verdicts come with how many objects fail.
#[must_use]
pub fn health_by_checks(verdicts: &[(CheckVerdict, usize)]) -> (Health, Option<String>) {
    let joined = Outcome::joined(verdicts.iter().map(|(verdict, _)| verdict.outcome));
    let reason = || {
        let with = |(verdict, _): &&(CheckVerdict, usize)| Some(verdict.outcome) == joined;
        let mut alike = verdicts.iter().filter(with);
        alike.find_map(|(verdict, _)| verdict.reason.clone())
    };
    match joined {
        None => (Health::Unknown, Some("no check of it is known".to_owned())),
        Some(Outcome::Fail) => {
            let failing: usize = verdicts.iter().map(|(_, failing)| failing).sum();
            let told = match failing {
                0 => reason(),
                1 => Some("1 object fails".to_owned()),
                more => Some(format!("{more} objects fail")),
            };
            (Health::Unhealthy, told)
        }
        Some(Outcome::Pass | Outcome::Excepted) => (Health::Healthy, None),
        Some(Outcome::NotApplicable) => (Health::NotApplicable, reason()),
        Some(Outcome::NotCollected) => (
            Health::Unknown,
            reason().or_else(|| Some("the facts are not there".to_owned())),
        ),
        Some(Outcome::Error) => (
            Health::Unknown,
            reason().or_else(|| Some("a check could not be evaluated".to_owned())),
        ),
        Some(Outcome::NeedsReview) => (
            Health::Unknown,
            reason().or_else(|| Some("a person has to decide".to_owned())),
        ),
    }
}

fn told(what: &str, controls: &[&str]) -> String {
    let named: Vec<&str> = controls.iter().copied().take(NAMED).collect();
    let dots = if controls.len() > NAMED { ", …" } else { "" };
    format!("{} {what}: {}{dots}", controls.len(), named.join(", "))
}
