//! Facts × checks → verdicts. Pure: the same facts, checks and time give the same verdicts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use jiff::Timestamp;
use seareeve_cel::{Bindings, Budget, EvaluationError, Reason, Value};
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use serde_json::{Map, Value as Json};

use crate::check::{Check, Condition, Need};
use crate::verdict::{CheckVerdict, Item, ObjectFix, ObjectVerdict, Outcome};
use crate::views;

/// Steps for one object, and for all objects of one check: what the largest of our own needs is a thousandth of it.
const OBJECT_STEPS: u64 = 1_000_000;
pub(crate) const CHECK_STEPS: u64 = 200_000_000;
/// Facts from which on an asset is worth several threads.
const MANY_FACTS: usize = 1_000;
/// Checks whose verdicts are waited for at once, for each thread.
const CHECKS_AT_ONCE: usize = 4;
/// Bytes of values that are made for one object.
const OBJECT_BYTES: u64 = 8 << 20;

/// Judges an asset by one check. `params` are those that differ from the check's own.
#[must_use]
pub fn judge(
    check: &Check,
    params: &Map<String, Json>,
    snapshot: &Snapshot,
    now: Timestamp,
) -> CheckVerdict {
    judge_within(check, params, snapshot, now, &mut { CHECK_STEPS })
}

/// The same with so many steps at most, of which it takes what it needs: for answers that somebody waits for. What is
/// not judged before they end could not be evaluated, and says so.
#[must_use]
pub fn judge_within(
    check: &Check,
    params: &Map<String, Json>,
    snapshot: &Snapshot,
    now: Timestamp,
    steps: &mut u64,
) -> CheckVerdict {
    judge_facts(check, params, &snapshot.facts, now, steps)
}

/// The same, by facts that are not all of an asset's.
pub(crate) fn judge_facts(
    check: &Check,
    params: &Map<String, Json>,
    facts: &BTreeMap<FactKind, Collection>,
    now: Timestamp,
    steps: &mut u64,
) -> CheckVerdict {
    let run = Run {
        check,
        params: &merged(check, params),
        facts,
        now,
        tells_passing: true,
    };
    run.asset(steps)
}

/// What a check says of one fact, if it is about it; `facts` are those that it may need beside it, and `params` are
/// [`merged`].
pub(crate) fn judge_fact(
    check: &Check,
    params: &Json,
    fact: &Fact,
    facts: &BTreeMap<FactKind, Collection>,
    now: Timestamp,
) -> Option<ObjectVerdict> {
    let run = Run {
        check,
        params,
        facts,
        now,
        tells_passing: false,
    };
    run.object(fact, &mut Budget::new(OBJECT_STEPS, OBJECT_BYTES))
}

/// Judges an asset by many checks, and gives each verdict to `take`, in their order. A large asset is judged on all
/// processors, by a few checks at a time: what they say of all its objects is much.
pub fn judge_each<'c>(
    checks: &[(&'c Check, Map<String, Json>)],
    snapshot: &Snapshot,
    now: Timestamp,
    mut take: impl FnMut(&'c Check, CheckVerdict),
) {
    let facts: usize = snapshot.facts.values().map(|facts| facts.items.len()).sum();
    let threads = match facts < MANY_FACTS {
        true => 1,
        false => std::thread::available_parallelism().map_or(1, usize::from),
    };
    for checks in checks.chunks(threads.saturating_mul(CHECKS_AT_ONCE)) {
        let next = AtomicUsize::new(0);
        let verdicts: Vec<OnceLock<CheckVerdict>> =
            checks.iter().map(|_| OnceLock::new()).collect();
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some((check, params)), Some(place)) = (checks.get(at), verdicts.get(at))
                else {
                    break;
                };
                place.get_or_init(|| judge(check, params, snapshot, now));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Where there may be no more threads, this one does it all.
                let _ = Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        for ((check, _), verdict) in checks.iter().zip(verdicts) {
            if let Some(verdict) = verdict.into_inner() {
                take(check, verdict);
            }
        }
    }
}

struct Run<'r> {
    check: &'r Check,
    params: &'r Json,
    facts: &'r BTreeMap<FactKind, Collection>,
    now: Timestamp,
    /// Whether it is said what there is where all is well, too: too much to keep of each object of a large cluster.
    tells_passing: bool,
}

/// What stops an object's evaluation short of a verdict by its expressions.
enum Stop {
    /// A key that a fact does not have: the collector leaves out what it does not know.
    Missing(String),
    NotCollected(String),
    Error(String),
}

impl Stop {
    fn told(self, verdict: ObjectVerdict, run: &Run<'_>, fact: &Fact) -> ObjectVerdict {
        let (outcome, reason) = match self {
            Self::Missing(key) => (Outcome::NotCollected, run.unsaid(&key, fact)),
            Self::NotCollected(reason) => (Outcome::NotCollected, reason),
            Self::Error(reason) => (Outcome::Error, reason),
        };
        ObjectVerdict {
            outcome,
            reason: Some(reason),
            items: Vec::new(),
            more_items: 0,
            ..verdict
        }
    }
}

impl Run<'_> {
    fn asset(&self, left: &mut u64) -> CheckVerdict {
        let (collection, gap) = match self.facts.get(self.check.on()) {
            None => {
                let reason = self.check.missing(self.check.on());
                return self.without_objects(Outcome::NotCollected, reason);
            }
            Some(collection) => (collection, gap(self.check.on(), collection)),
        };
        if collection.items.is_empty() {
            return match gap {
                Some(gap) => self.without_objects(Outcome::NotCollected, gap),
                None => {
                    let reason = collection.detail.clone();
                    let reason = reason.unwrap_or_else(|| "there is none".to_owned());
                    self.without_objects(self.check.absent(), reason)
                }
            };
        }
        let objects: Vec<ObjectVerdict> = collection
            .items
            .iter()
            .filter_map(|fact| {
                let mut budget = Budget::new(OBJECT_STEPS.min(*left), OBJECT_BYTES);
                let verdict = self.object(fact, &mut budget);
                *left = left.saturating_sub(budget.steps_used());
                verdict
            })
            .collect();
        if objects.is_empty() && gap.is_none() {
            return self.without_objects(self.check.absent(), "there is none".to_owned());
        }
        let outcomes = objects.iter().map(|object| object.outcome);
        // Some of them are there and some could not be had.
        let outcomes = outcomes.chain(gap.is_some().then_some(Outcome::NotCollected));
        CheckVerdict {
            check: self.check.id().to_owned(),
            outcome: Outcome::joined(outcomes).unwrap_or(Outcome::NotApplicable),
            reason: gap,
            objects,
        }
    }

    fn without_objects(&self, outcome: Outcome, reason: String) -> CheckVerdict {
        CheckVerdict {
            check: self.check.id().to_owned(),
            outcome,
            reason: Some(reason),
            objects: Vec::new(),
        }
    }

    /// The verdict on an object, if the check is about it.
    fn object(&self, fact: &Fact, budget: &mut Budget) -> Option<ObjectVerdict> {
        let mut verdict = ObjectVerdict {
            kind: self.check.on().clone(),
            id: fact.id.clone(),
            name: fact.name.clone(),
            outcome: Outcome::Pass,
            reason: None,
            expected: String::new(),
            actual: None,
            items: Vec::new(),
            more_items: 0,
            fix: ObjectFix::default(),
        };
        let bindings = match self.bound(fact) {
            Ok(bindings) => bindings,
            Err(stop) => return Some(stop.told(verdict, self, fact)),
        };
        if let Some(of) = self.check.of() {
            match truth(of.evaluate(&bindings, budget), "of") {
                Ok(true) => {}
                Ok(false) => return None,
                Err(stop) => return Some(stop.told(verdict, self, fact)),
            }
        }
        match self.evaluated(&bindings, &mut verdict, budget) {
            Ok(outcome) => verdict.outcome = outcome,
            Err(stop) => return Some(stop.told(verdict, self, fact)),
        }
        if verdict.outcome != Outcome::NotApplicable {
            verdict.expected = self.check.expected_in().render(&bindings, budget);
        }
        if verdict.outcome == Outcome::Pass && self.tells_passing {
            let actual = self.check.actual_of_object();
            verdict.actual = actual.and_then(|text| text.whole(&bindings, budget));
        }
        if verdict.outcome == Outcome::Fail {
            let check = self.check;
            let [command, mode, owner] =
                [check.command(), check.mode(), check.owner()].map(|text| {
                    let text = text?;
                    Some(text.render(&bindings, budget))
                });
            verdict.fix = ObjectFix {
                command,
                mode,
                owner,
            };
        }
        Some(verdict)
    }

    /// The names that the check's expressions use, with what they stand for.
    fn bound<'a>(&'a self, fact: &'a Fact) -> Result<Bindings<'a>, Stop> {
        let mut bindings = Bindings::new(self.check.environment());
        bindings.set("it", &fact.data);
        bindings.set("id", fact.id.as_str());
        bindings.set("name", fact.name.as_str());
        bindings.set("params", self.params);
        bindings.set("now", Value::Timestamp(self.now.into()));
        views::bind(self.check.on(), &fact.data, &mut bindings);
        for need in self.check.needs() {
            bindings.set(&need.name, self.needed(need, fact)?);
        }
        for (name, part) in self.check.parts() {
            bindings.set_lazily(name, part);
        }
        Ok(bindings)
    }

    fn evaluated<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        verdict: &mut ObjectVerdict,
        budget: &mut Budget,
    ) -> Result<Outcome, Stop> {
        if let Some(when) = self.check.when()
            && !truth(when.evaluate(bindings, budget), "when")?
        {
            verdict.reason = self.check.unless().map(str::to_owned);
            return Ok(Outcome::NotApplicable);
        }
        if let Some(untold) = self.check.untold() {
            let why = untold
                .evaluate(bindings, budget)
                .map_err(|error| failed("untold", &error))?;
            match why.as_str() {
                Some("") => {}
                Some(why) => return Err(Stop::NotCollected(why.to_owned())),
                None => return Err(Stop::Error("`untold` yields no text".to_owned())),
            }
        }
        for (condition, word, outcome) in [
            (self.check.fail(), "fail", Outcome::Fail),
            (self.check.review(), "review", Outcome::NeedsReview),
        ] {
            let Some(condition) = condition else {
                continue;
            };
            (verdict.items, verdict.more_items) = self.found(condition, word, bindings, budget)?;
            if !verdict.items.is_empty() {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Pass)
    }

    fn found<'a>(
        &'a self,
        condition: &'a Condition,
        word: &str,
        bindings: &Bindings<'a>,
        budget: &mut Budget,
    ) -> Result<(Vec<Item>, usize), Stop> {
        match condition {
            Condition::If(program) => {
                let is_found = truth(program.evaluate(bindings, budget), &format!("{word}_if"))?;
                if !is_found {
                    return Ok((Vec::new(), 0));
                }
                Ok((vec![self.item(None, bindings, budget)?], 0))
            }
            Condition::For(program) => {
                let field = format!("{word}_for");
                let value = program
                    .evaluate(bindings, budget)
                    .map_err(|error| failed(&field, &error))?;
                let Some(found) = value.as_list() else {
                    return Err(Stop::Error(format!("`{field}` yields no list")));
                };
                let shown = found.iter().take(ObjectVerdict::MOST_ITEMS);
                let items: Vec<Item> = shown
                    .map(|value| self.item(Some(value), bindings, budget))
                    .collect::<Result<_, _>>()?;
                let more = found.len().saturating_sub(items.len());
                Ok((items, more))
            }
        }
    }

    fn item<'a>(
        &'a self,
        found: Option<Value<'a>>,
        bindings: &Bindings<'a>,
        budget: &mut Budget,
    ) -> Result<Item, Stop> {
        let mut bindings = bindings.clone();
        let evidence = match found {
            None => Json::Null,
            Some(value) => {
                let evidence = value
                    .to_json(budget)
                    .map_err(|error| failed("evidence", &error))?;
                bindings.set("f", value);
                evidence
            }
        };
        let message = self.check.message().render(&bindings, budget);
        let actual = match self.check.actual() {
            Some(actual) => actual.render(&bindings, budget),
            None => message.clone(),
        };
        Ok(Item {
            message,
            actual,
            evidence,
        })
    }

    /// Why facts do not say something. Options that could not be told have their reason among the `unresolved`.
    fn unsaid(&self, key: &str, fact: &Fact) -> String {
        let needs = self.check.needs().iter();
        let others = needs.filter_map(|need| self.facts.get(&need.kind));
        let others = others.flat_map(|collection| &collection.items);
        let facts = std::iter::once(fact).chain(others.filter(|other| belong(fact, other)));
        let why = facts
            .filter_map(|fact| fact.data.get("unresolved")?.get(key)?.as_str())
            .next();
        match why {
            Some(why) => format!("`{key}` cannot be told: {why}"),
            None => format!("the facts do not say `{key}`"),
        }
    }

    /// What a name of `needs` stands for, for this object.
    fn needed<'a>(&'a self, need: &Need, fact: &Fact) -> Result<Value<'a>, Stop> {
        let collection = self.facts.get(&need.kind);
        let gap = match collection {
            None => Some(self.check.missing(&need.kind)),
            Some(collection) => gap(&need.kind, collection),
        };
        let items = collection.map_or(&[][..], |collection| &collection.items);
        let mut belonging = items.iter().filter(|other| belong(fact, other));
        if need.is_list {
            return match gap {
                Some(gap) if !need.is_optional => Err(Stop::NotCollected(gap)),
                _ => Ok(Value::list(belonging.map(|fact| Value::from(&fact.data)))),
            };
        }
        let one = belonging.next();
        if belonging.next().is_some() {
            // What is the whole machine's, where there are several engines: none of them is the one.
            if need.is_optional {
                return Ok(Value::Optional(None));
            }
            return Err(Stop::Error(format!(
                "there are several {}, and nothing says which belongs here",
                need.kind
            )));
        }
        match (one, need.is_optional) {
            (Some(fact), false) => Ok(Value::from(&fact.data)),
            (Some(fact), true) => Ok(Value::Optional(Some(Arc::new(Value::from(&fact.data))))),
            (None, true) => Ok(Value::Optional(None)),
            (None, false) => Err(Stop::NotCollected(match (gap, collection) {
                (Some(gap), _) => gap,
                (
                    None,
                    Some(Collection {
                        detail: Some(detail),
                        ..
                    }),
                ) => detail.clone(),
                (None, _) => format!("there is no {}", need.kind),
            })),
        }
    }
}

/// Whether two facts may be of the same engine. Facts name it by the id of its `docker.daemon`; what names none is the
/// whole machine's.
fn belong(one: &Fact, other: &Fact) -> bool {
    let engine = |fact: &'_ Fact| {
        fact.data
            .get("engine")
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    match (engine(one), engine(other)) {
        (Some(mine), Some(theirs)) => mine == theirs || mine == other.id || theirs == one.id,
        _ => true,
    }
}

/// Why not all facts of a kind are there.
pub(crate) fn gap(kind: &FactKind, collection: &Collection) -> Option<String> {
    let why = match collection.status {
        // What does not exist was looked for.
        CollectionStatus::Ok | CollectionStatus::Absent => return None,
        CollectionStatus::Denied => "may not be read",
        CollectionStatus::Unsupported => "cannot be had here",
        CollectionStatus::Error => "could not be read",
    };
    Some(match &collection.detail {
        Some(detail) => format!("{kind} {why}: {detail}"),
        None => format!("{kind} {why}"),
    })
}

fn truth(value: Result<Value<'_>, EvaluationError>, field: &str) -> Result<bool, Stop> {
    match value {
        Ok(Value::Bool(truth)) => Ok(truth),
        Ok(_) => Err(Stop::Error(format!("`{field}` yields no truth value"))),
        Err(error) => Err(failed(field, &error)),
    }
}

fn failed(field: &str, error: &EvaluationError) -> Stop {
    match &error.reason {
        Reason::NoSuchKey(key) => Stop::Missing(key.to_string()),
        _ => Stop::Error(format!("`{field}`: {error}")),
    }
}

/// The check's parameters with those that somebody set.
pub(crate) fn merged(check: &Check, params: &Map<String, Json>) -> Json {
    let mut merged = check.params().clone();
    for (name, value) in params {
        merged.insert(name.clone(), value.clone());
    }
    Json::Object(merged)
}
