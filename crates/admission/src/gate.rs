//! A review and a policy → an answer.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use seareeve_kubernetes::{NotRead, Object, Resource, alone};
use seareeve_model::{Fact, FactKind, Snapshot};
use seareeve_posture::{Check, Library, ObjectVerdict, Outcome, judge_within};
use serde_json::Value;

use crate::answer::{Answer, Decision, Effect, Said};
use crate::facts;
use crate::images::Images;
use crate::policy::{Mode, Policy, Rule, RuleCheck, Unchecked, Updates};
use crate::review::{Operation, Review};

/// Steps of one rule on one object: what a large object needs is a hundredth of it. Each rule has its own, so that an
/// object that is made to exhaust one of them does not get past the others.
const STEPS: u64 = 1_000_000;
/// Messages of one recommendation that are kept: as many as its checks can yield.
const MOST_MESSAGES: usize = 500;
/// The one subresource that changes what a pod runs.
const EPHEMERAL: &str = "ephemeralcontainers";

/// What decides: a policy, and the library that it was made with.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'g> {
    library: &'g Library,
    policy: &'g Policy,
}

/// What a rule's checks say of an object.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What is wrong.
    pub(crate) faults: Vec<String>,
    /// Images that nobody scanned.
    pub(crate) unscanned: Vec<String>,
    /// What could not be judged, and why.
    pub(crate) unchecked: Vec<String>,
    /// What to do about what is wrong.
    pub(crate) remedy: String,
    /// Whether there is more than was kept.
    pub(crate) is_cut: bool,
}

impl<'g> Gate<'g> {
    /// A gate with a policy over the library that it was made with.
    #[must_use]
    pub fn new(library: &'g Library, policy: &'g Policy) -> Self {
        Self { library, policy }
    }

    pub(crate) fn policy(&self) -> &'g Policy {
        self.policy
    }

    pub(crate) fn check(&self, id: &str) -> Option<&'g Check> {
        self.library.check(id)
    }

    /// The answer to a review.
    #[must_use]
    pub fn decide(&self, review: &Review, images: &dyn Images, now: Timestamp) -> Answer {
        match review.operation {
            Operation::Create | Operation::Update => {}
            Operation::Delete | Operation::Connect => return Answer::allowed(),
        }
        if !matches!(review.sub_resource.as_str(), "" | EPHEMERAL) {
            return Answer::allowed();
        }
        let Some(object) = &review.object else {
            return Answer::allowed();
        };
        // What is being deleted is only waiting for its finalizers.
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            return Answer::allowed();
        }
        let Some(kind) = fact_kind(object) else {
            return Answer::allowed();
        };
        let rules: Vec<(&Rule, Mode)> = self
            .policy
            .rules()
            .iter()
            .filter(|rule| rule.checks.iter().any(|check| check.on == kind))
            .map(|rule| (rule, self.policy.mode(rule, &review.namespace)))
            .filter(|(_, mode)| *mode != Mode::Off)
            .collect();
        if rules.is_empty() {
            return Answer::allowed();
        }
        let mut look = Look {
            gate: self,
            kind: &kind,
            images,
            now,
            shared: None,
        };
        let fact = match read(object, review) {
            Ok(Some(fact)) => fact,
            Ok(None) => return Answer::allowed(),
            Err(why) => return self.unread(&rules, &why),
        };
        let before = match (review.operation, self.policy.file().updates) {
            (Operation::Update, Updates::Introduced) => review.old_object.as_ref(),
            _ => None,
        };
        let mut said = Vec::new();
        for (rule, mode) in rules {
            let verdict = look.verdict(rule, &fact);
            let old = match before {
                Some(old) if !verdict.faults.is_empty() || !verdict.unscanned.is_empty() => {
                    read(old, review).ok().flatten()
                }
                _ => None,
            };
            let old = old.map(|old| look.apart(rule, &old));
            said.extend(self.said(rule, mode, verdict, old));
        }
        Answer::of(said)
    }

    /// What a rule says of a fact by itself, container by container where that matters.
    pub(crate) fn verdict(
        &self,
        rule: &Rule,
        kind: &FactKind,
        fact: &Fact,
        images: &dyn Images,
        now: Timestamp,
    ) -> Verdict {
        let look = Look {
            gate: self,
            kind,
            images,
            now,
            shared: None,
        };
        look.apart(rule, fact)
    }

    /// The answer about an object that is none.
    fn unread(&self, rules: &[(&Rule, Mode)], why: &str) -> Answer {
        let said = rules.iter().flat_map(|(rule, mode)| {
            let verdict = Verdict {
                unchecked: vec![why.to_owned()],
                ..Verdict::default()
            };
            self.said(rule, *mode, verdict, None)
        });
        Answer::of(said.collect())
    }

    /// What there is to say by a rule. `old` is what it says of the object as it was.
    pub(crate) fn said<'p>(
        &self,
        rule: &'p Rule,
        mode: Mode,
        verdict: Verdict,
        old: Option<Verdict>,
    ) -> Vec<Said<'p>> {
        let old: Option<BTreeSet<String>> =
            old.map(|old| old.faults.into_iter().chain(old.unscanned).collect());
        // Of what is too much to compare, nobody can say that it was there before.
        let is_cut = verdict.is_cut;
        let is_new =
            |message: &String| is_cut || old.as_ref().is_none_or(|old| !old.contains(message));
        // Where a whole rule is off, its unscanned images are, too.
        let unscanned = if mode == Mode::Off {
            Mode::Off
        } else {
            rule.unscanned
        };
        let unchecked = match self.policy.file().unchecked {
            Unchecked::Deny if mode == Mode::Deny => Effect::Denied,
            Unchecked::Admit | Unchecked::Deny => Effect::Unchecked,
        };
        let mut decisions: Vec<(Effect, Vec<String>)> = Vec::new();
        for (effect, messages) in [
            (Effect::of(mode), verdict.faults),
            (Effect::of(unscanned), verdict.unscanned),
            (Some(unchecked), verdict.unchecked),
        ] {
            let Some(effect) = effect.filter(|_| !messages.is_empty()) else {
                continue;
            };
            // What was there before is not refused.
            let effect = match effect {
                Effect::Denied if !messages.iter().any(is_new) => Effect::Warned,
                effect => effect,
            };
            match decisions.iter_mut().find(|(other, _)| *other == effect) {
                Some((_, all)) => all.extend(messages),
                None => decisions.push((effect, messages)),
            }
        }
        decisions.sort_by_key(|(effect, _)| *effect);
        let remedy = verdict.remedy;
        decisions
            .into_iter()
            .map(|(effect, messages)| Said {
                title: &rule.title,
                remedy: remedy.clone(),
                decision: Decision {
                    recommendation: rule.id.clone(),
                    effect,
                    messages,
                },
            })
            .collect()
    }
}

/// One look at one object.
struct Look<'l> {
    gate: &'l Gate<'l>,
    kind: &'l FactKind,
    images: &'l dyn Images,
    now: Timestamp,
    /// The whole object: what most rules judge.
    shared: Option<Snapshot>,
}

impl Look<'_> {
    /// What a rule says of the object.
    fn verdict(&mut self, rule: &Rule, fact: &Fact) -> Verdict {
        let is_whole = !rule.checks.iter().any(|check| check.reads_scans)
            && !facts::containers(&fact.data)
                .into_iter()
                .any(|container| facts::is_excluded(rule, container));
        if !is_whole {
            return self.apart(rule, fact);
        }
        let snapshot = self
            .shared
            .take()
            .unwrap_or_else(|| facts::snapshot(self.kind, vec![fact.clone()]));
        let verdict = self.judged(rule, &[&snapshot]);
        self.shared = Some(snapshot);
        verdict
    }

    /// The same without the containers that the rule leaves out, and for rules about scans, of each container alone:
    /// one that has too many findings does not hide another that was not scanned.
    fn apart(&self, rule: &Rule, fact: &Fact) -> Verdict {
        let fact = match facts::without(fact, |container| facts::is_excluded(rule, container)) {
            Some(fact) => Cow::Owned(fact),
            None => Cow::Borrowed(fact),
        };
        let reads_scans = rule.checks.iter().any(|check| check.reads_scans);
        if !reads_scans || !facts::has_containers(self.kind) {
            let snapshot = facts::snapshot(self.kind, vec![fact.into_owned()]);
            return self.judged(rule, &[&snapshot]);
        }
        let names: Vec<Option<&Value>> = facts::containers(&fact.data)
            .into_iter()
            .map(|container| container.get("name"))
            .collect();
        let snapshots: Vec<Snapshot> = names
            .into_iter()
            .map(|name| {
                let one = facts::without(&fact, |container| container.get("name") != name);
                let one = one.unwrap_or_else(|| fact.clone().into_owned());
                let mut snapshot = facts::snapshot(self.kind, vec![one]);
                facts::add_scans(&mut snapshot, self.images);
                snapshot
            })
            .collect();
        let snapshots: Vec<&Snapshot> = snapshots.iter().collect();
        self.judged(rule, &snapshots)
    }

    fn judged(&self, rule: &Rule, snapshots: &[&Snapshot]) -> Verdict {
        let mut verdict = Verdict::default();
        let mut steps = STEPS;
        let checks = rule.checks.iter().filter(|check| check.on == *self.kind);
        for check in checks {
            for snapshot in snapshots {
                let judged = match self.gate.check(&check.id) {
                    Some(found) => {
                        judge_within(found, &check.params, snapshot, self.now, &mut steps)
                    }
                    None => continue,
                };
                for object in judged.objects {
                    verdict.take(check, object);
                }
            }
        }
        verdict
    }
}

impl Verdict {
    /// Adds what a check says of the object.
    pub(crate) fn take(&mut self, check: &RuleCheck, object: ObjectVerdict) {
        let list = match object.outcome {
            Outcome::Fail => &mut self.faults,
            Outcome::NeedsReview => &mut self.unscanned,
            Outcome::Error | Outcome::NotCollected => {
                let why = object
                    .reason
                    .unwrap_or_else(|| "nobody knows why".to_owned());
                keep(&mut self.unchecked, why);
                return;
            }
            Outcome::Pass | Outcome::NotApplicable | Outcome::Excepted => return,
        };
        self.remedy.clone_from(&check.remedy);
        self.is_cut |= object.more_items > 0;
        for item in object.items {
            self.is_cut |= !keep(list, item.message);
        }
    }
}

/// Whether there was room.
fn keep(list: &mut Vec<String>, message: String) -> bool {
    let has_room = list.len() < MOST_MESSAGES;
    if has_room && !list.contains(&message) {
        list.push(message);
    }
    has_room
}

/// The kind of fact that an object becomes, if any is made of it.
fn fact_kind(object: &Value) -> Option<FactKind> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let resource = Resource::of(text("apiVersion")?, text("kind")?)?;
    FactKind::new(resource.fact()).ok()
}

/// The fact of an object; nothing, if there is none for its kind.
fn read(object: &Value, review: &Review) -> Result<Option<Fact>, String> {
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut()
        && let Some(metadata) = object
            .entry("metadata")
            .or_insert_with(|| Value::Object(serde_json::Map::new()))
            .as_object_mut()
    {
        // The review knows, and the object of a pod template's pod does not always say.
        metadata.insert("namespace".to_owned(), review.namespace.as_str().into());
        if !review.name.is_empty() {
            metadata.insert("name".to_owned(), review.name.as_str().into());
        }
    }
    match Object::read(object, None) {
        Ok(object) => Ok(alone(object)),
        Err(NotRead::UnknownKind { .. }) => Ok(None),
        Err(error @ NotRead::NoObject(_)) => Err(error.to_string()),
    }
}
