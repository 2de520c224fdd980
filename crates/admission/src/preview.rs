//! What a policy would make of all objects that are there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{CollectionStatus, Fact, FactKind, Snapshot};
use seareeve_posture::judge;
use serde::Serialize;
use serde_json::Value;

use crate::answer::Effect;
use crate::facts;
use crate::gate::{Gate, Verdict};
use crate::images::Images;
use crate::policy::{Mode, Rule};

/// What would become of the objects of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Objects that any rule is about.
    pub objects: u64,
    /// By recommendation and effect.
    pub tallied: Vec<Tallied>,
    /// What would be said of each, by recommendation, then by object.
    pub hits: Vec<Hit>,
    /// Kinds of facts that are not all there, and why: what they hide is not judged.
    pub gaps: Vec<String>,
}

/// How many objects a recommendation would do something to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tallied {
    /// The recommendation's id.
    pub recommendation: String,
    /// The recommendation's title.
    pub title: String,
    /// Objects that would be refused.
    pub denied: u64,
    /// Objects that would be warned of.
    pub warned: u64,
    /// Objects that would be recorded.
    pub audited: u64,
    /// Objects that could not be judged.
    pub unchecked: u64,
}

/// One object by one recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The recommendation's id.
    pub recommendation: String,
    /// `denied`, `warned`, `audited` or `unchecked`.
    pub effect: &'static str,
    /// The object's kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub messages: Vec<String>,
}

impl Preview {
    /// Adds what would become of other objects by the same policy.
    pub fn join(&mut self, other: Self) {
        self.objects = self.objects.saturating_add(other.objects);
        for more in other.tallied {
            let mut known = self.tallied.iter_mut();
            match known.find(|known| known.recommendation == more.recommendation) {
                Some(known) => {
                    known.denied = known.denied.saturating_add(more.denied);
                    known.warned = known.warned.saturating_add(more.warned);
                    known.audited = known.audited.saturating_add(more.audited);
                    known.unchecked = known.unchecked.saturating_add(more.unchecked);
                }
                None => self.tallied.push(more),
            }
        }
        self.hits.extend(other.hits);
        for gap in other.gaps {
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
        }
    }
}

/// What a gate would make of the objects of a snapshot: of a cluster, or of manifests.
#[must_use]
pub fn preview(
    gate: &Gate<'_>,
    snapshot: &Snapshot,
    images: &dyn Images,
    now: Timestamp,
) -> Preview {
    let mut preview = Preview::default();
    let mut seen: BTreeMap<FactKind, u64> = BTreeMap::new();
    for rule in gate.policy().rules() {
        for check in &rule.checks {
            if let Some(collection) = snapshot.facts.get(&check.on) {
                let number = u64::try_from(collection.items.len()).unwrap_or(u64::MAX);
                seen.insert(check.on.clone(), number);
            }
        }
        let verdicts = match rule.checks.iter().any(|check| check.reads_scans) {
            true => one_by_one(gate, rule, snapshot, images, now),
            false => together(gate, rule, snapshot, now),
        };
        enter(gate, rule, verdicts, &mut preview);
    }
    preview.objects = seen.values().fold(0, |sum, one| sum.saturating_add(*one));
    for kind in seen.keys() {
        if let Some(collection) = snapshot.facts.get(kind)
            && !matches!(
                collection.status,
                CollectionStatus::Ok | CollectionStatus::Absent
            )
        {
            let why = collection.detail.clone().unwrap_or_default();
            preview.gaps.push(format!("{kind}: {why}"));
        }
    }
    preview
}

/// Of rules about scans: each container of each object is looked up.
fn one_by_one<'f>(
    gate: &Gate<'_>,
    rule: &Rule,
    snapshot: &'f Snapshot,
    images: &dyn Images,
    now: Timestamp,
) -> Vec<(Verdict, &'f Fact)> {
    let mut verdicts = Vec::new();
    for (kind, collection) in &snapshot.facts {
        if !rule.checks.iter().any(|check| check.on == *kind) {
            continue;
        }
        let judged = collection.items.iter();
        let judged = judged.filter(|fact| is_on(gate, rule, fact));
        verdicts.extend(judged.map(|fact| (gate.verdict(rule, kind, fact, images, now), fact)));
    }
    verdicts
}

/// Of all other rules: each check judges all objects at once.
fn together<'f>(
    gate: &Gate<'_>,
    rule: &Rule,
    snapshot: &'f Snapshot,
    now: Timestamp,
) -> Vec<(Verdict, &'f Fact)> {
    let mut verdicts: BTreeMap<(&FactKind, &str), (Verdict, &Fact)> = BTreeMap::new();
    for used in &rule.checks {
        let (Some(check), Some((kind, collection))) =
            (gate.check(&used.id), snapshot.facts.get_key_value(&used.on))
        else {
            continue;
        };
        let items: Vec<&Fact> = collection
            .items
            .iter()
            .filter(|fact| is_on(gate, rule, fact))
            .collect();
        let judged = items.iter().map(|fact| {
            let cut = facts::without(fact, |container| facts::is_excluded(rule, container));
            cut.unwrap_or_else(|| (*fact).clone())
        });
        let part = facts::snapshot(kind, judged.collect());
        let by_id: BTreeMap<&str, &Fact> =
            items.iter().map(|fact| (fact.id.as_str(), *fact)).collect();
        for object in judge(check, &used.params, &part, now).objects {
            if let Some(fact) = by_id.get(object.id.as_str()) {
                let key = (kind, fact.id.as_str());
                let (verdict, _) = verdicts.entry(key).or_insert((Verdict::default(), fact));
                verdict.take(used, object);
            }
        }
    }
    verdicts.into_values().collect()
}

fn is_on(gate: &Gate<'_>, rule: &Rule, fact: &Fact) -> bool {
    gate.policy().mode(rule, namespace(fact)) != Mode::Off
}

fn enter(gate: &Gate<'_>, rule: &Rule, verdicts: Vec<(Verdict, &Fact)>, preview: &mut Preview) {
    let mut tallied = Tallied {
        recommendation: rule.id.clone(),
        title: rule.title.clone(),
        denied: 0,
        warned: 0,
        audited: 0,
        unchecked: 0,
    };
    for (verdict, fact) in verdicts {
        let mode = gate.policy().mode(rule, namespace(fact));
        for said in gate.said(rule, mode, verdict, None) {
            let decision = said.decision;
            let number = match decision.effect {
                Effect::Denied => &mut tallied.denied,
                Effect::Warned => &mut tallied.warned,
                Effect::Audited => &mut tallied.audited,
                Effect::Unchecked => &mut tallied.unchecked,
            };
            *number = number.saturating_add(1);
            let text = |name: &str| {
                let text = fact.data.get(name).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            preview.hits.push(Hit {
                recommendation: decision.recommendation,
                effect: decision.effect.as_str(),
                kind: text("kind"),
                namespace: text("namespace"),
                name: text("name"),
                messages: decision.messages,
            });
        }
    }
    preview.tallied.push(tallied);
}

fn namespace(fact: &Fact) -> &str {
    let namespace = fact.data.get("namespace").and_then(Value::as_str);
    namespace.unwrap_or_default()
}
