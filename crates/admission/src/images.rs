//! What scans found in images, as far as it is in memory: nobody waits for a scanner at admission.

use std::collections::BTreeMap;

use seareeve_model::{Fact, ImageReference};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Findings of one severity that are shown to the check at most. More are as many, as far as limits go.
const MOST_FINDINGS: u64 = 1_000;

/// Who knows what scans found.
pub trait Images {
    /// What was found in an image, by its full name; nothing, if it was not scanned or nobody knows yet.
    fn scanned(&self, full_name: &str) -> Option<Scanned>;
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoImages;

impl Images for NoImages {
    fn scanned(&self, _full_name: &str) -> Option<Scanned> {
        None
    }
}

impl Images for BTreeMap<String, Scanned> {
    fn scanned(&self, full_name: &str) -> Option<Scanned> {
        self.get(full_name).cloned()
    }
}

/// Findings of one image that count: what the policy excludes by id is left out already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// By severity.
    pub findings: Severities,
}

/// Numbers of findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Severities {
    /// Critical ones.
    pub critical: Counts,
    /// High ones.
    pub high: Counts,
    /// Medium ones.
    pub medium: Counts,
    /// Low ones.
    pub low: Counts,
}

/// Numbers of findings of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Those that a newer version of the package mends.
    pub fixable: u64,
    /// The others.
    pub unfixable: u64,
}

/// The name that an image is looked up by: registry, repository, and digest or tag. Nothing, if it is no reference.
#[must_use]
pub fn full_name(image: &str) -> Option<String> {
    let reference: ImageReference = image.parse().ok()?;
    let (registry, repository) = (reference.registry(), reference.repository());
    Some(match reference.digest() {
        Some(digest) => format!("{registry}/{repository}@{digest}"),
        None => format!(
            "{registry}/{repository}:{}",
            reference.tag().unwrap_or_default()
        ),
    })
}

/// The fact that checks read scans from.
pub(crate) fn fact(full_name: &str, scanned: &Scanned) -> Fact {
    let severities = [
        ("critical", scanned.findings.critical),
        ("high", scanned.findings.high),
        ("medium", scanned.findings.medium),
        ("low", scanned.findings.low),
    ];
    let mut findings = Vec::new();
    for (severity, counts) in severities {
        for (count, is_fixable) in [(counts.fixable, true), (counts.unfixable, false)] {
            for _ in 0..count.min(MOST_FINDINGS) {
                findings.push(json!({"id": "", "severity": severity, "fixable": is_fixable}));
            }
        }
    }
    Fact {
        id: full_name.to_owned(),
        name: full_name.to_owned(),
        data: json!({"image": full_name, "names": [full_name], "findings": findings}),
    }
}
