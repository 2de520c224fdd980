//! What a recommendation says of an asset, from what benchmarks say of it, and which assets are not concerned at all.

use seareeve_model::{CollectionStatus, FactKind, Snapshot};
use serde_json::Value;

use crate::assess::Assessment;
use crate::score::Health;
use crate::verdict::Outcome;

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

/// Whether an asset is healthy by a whole benchmark, and why if it is not. One failed control makes it unhealthy. What
/// could not be collected or evaluated makes it unknown; controls that only a person can answer do neither, nor does
/// a kind of fact that the collector does not gather at all.
#[must_use]
pub fn health(snapshot: &Snapshot, assessment: &Assessment<'_>) -> (Health, Option<String>) {
    let with = |outcomes: &[Outcome]| -> Vec<&str> {
        let controls = assessment.controls.iter();
        controls
            .filter(|control| outcomes.contains(&control.outcome))
            .map(|control| control.control.id.as_str())
            .collect()
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
    let gaps = snapshot.facts.values().any(|facts| is_gap(facts.status));
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

fn told(what: &str, controls: &[&str]) -> String {
    let named: Vec<&str> = controls.iter().copied().take(NAMED).collect();
    let dots = if controls.len() > NAMED { ", …" } else { "" };
    format!("{} {what}: {}{dots}", controls.len(), named.join(", "))
}
