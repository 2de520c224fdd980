//! What checks say of an asset that is too large to be judged whole at each change: one outcome for each check and
//! object, kept, so that a changed fact is judged alone.
//!
//! The facts themselves are not kept, but for those that checks read beside the object that they judge. Outcomes take
//! a byte each; what was found is made again from its fact when somebody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::Builder;

use jiff::Timestamp;
use seareeve_model::{Collection, Fact, FactKind};
use serde_json::Value;

use crate::assess::{Assessment, Statements, assess_by, left_out};
use crate::benchmark::{Benchmark, Use};
use crate::check::Check;
use crate::exceptions::Exception;
use crate::health::health_with;
use crate::judge::{gap, judge_fact, merged};
use crate::library::Library;
use crate::score::Health;
use crate::verdict::{CheckVerdict, ObjectVerdict, Outcome};

/// See the module.
#[derive(Debug, Default)]
pub struct Standing {
    columns: Vec<Column>,
    by_use: BTreeMap<Use, usize>,
    rows: BTreeMap<FactKind, Rows>,
    /// How collecting went, by kind; with the facts of the kinds that are read beside others.
    facts: BTreeMap<FactKind, Collection>,
    kept: BTreeSet<FactKind>,
    /// Columns whose needs have changed.
    stale: BTreeSet<usize>,
}

/// What one check says of all objects of its kind.
#[derive(Debug)]
struct Column {
    used: Use,
    on: FactKind,
    params: Value,
    needs: BTreeSet<FactKind>,
    /// By the rows' slots; nothing where it is not about the object.
    outcomes: Vec<Option<Outcome>>,
    /// How many of them there are of each.
    counts: Counts,
}

/// How many objects have each outcome.
#[derive(Clone, Copy, Debug, Default)]
struct Counts([usize; Outcome::ALL.len()]);

impl Counts {
    fn place(&mut self, outcome: Outcome) -> Option<&mut usize> {
        // The outcomes stand in this order.
        self.0.get_mut(outcome as usize)
    }

    fn add(&mut self, outcome: Outcome) {
        if let Some(count) = self.place(outcome) {
            *count = count.saturating_add(1);
        }
    }

    fn take(&mut self, outcome: Outcome) {
        if let Some(count) = self.place(outcome) {
            *count = count.saturating_sub(1);
        }
    }

    /// Those that any object has.
    fn seen(&self) -> BTreeMap<Outcome, usize> {
        let all = Outcome::ALL.into_iter().zip(self.0);
        all.filter(|(_, count)| *count > 0).collect()
    }
}

/// The objects of a kind.
#[derive(Debug, Default)]
struct Rows {
    slots: BTreeMap<String, usize>,
    objects: Vec<Option<StandingObject>>,
    free: Vec<usize>,
}

/// An object that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingObject {
    /// The fact's id.
    pub id: String,
    /// For people.
    pub name: String,
    /// What sort of object it is, where its kind of fact has several: `Deployment`.
    pub sort: Box<str>,
    /// Where it lies; empty where there are no namespaces, and of a namespace itself its name.
    pub namespace: Box<str>,
}

/// What counts when outcomes are joined.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// The asset's name, by which exceptions know it.
    pub asset: &'s str,
    /// The benchmark that asks; nothing when none does.
    pub benchmark: Option<&'s str>,
    /// What people have said.
    pub statements: &'s Statements,
    /// Objects in these namespaces are left out.
    pub excluded_namespaces: &'s BTreeSet<String>,
    /// The time by which exceptions end.
    pub now: Timestamp,
}

/// A check's outcomes joined, and how many objects have each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Without its objects.
    pub verdict: CheckVerdict,
    /// By outcome.
    pub counts: BTreeMap<Outcome, usize>,
}

impl Standing {
    /// Nothing judged yet, by these checks. Those that the library does not have are left out. `benchmarks` say which
    /// facts are wanted to tell whether they are about the asset at all.
    #[must_use]
    pub fn new<'b>(
        library: &Library,
        uses: impl IntoIterator<Item = Use>,
        benchmarks: impl IntoIterator<Item = &'b Benchmark>,
    ) -> Self {
        let mut standing = Self::default();
        for used in uses {
            let Some(check) = library.check(&used.check) else {
                continue;
            };
            if standing.by_use.contains_key(&used) {
                continue;
            }
            let needs: BTreeSet<FactKind> =
                check.needs().iter().map(|need| need.kind.clone()).collect();
            standing.kept.extend(needs.iter().cloned());
            standing.by_use.insert(used.clone(), standing.columns.len());
            standing.columns.push(Column {
                on: check.on().clone(),
                params: merged(check, &used.params()),
                needs,
                outcomes: Vec::new(),
                counts: Counts::default(),
                used,
            });
        }
        for used in benchmarks.into_iter().flat_map(|one| &one.left_out_by) {
            let reads = library.check(&used.check).into_iter();
            standing.kept.extend(reads.flat_map(Check::reads).cloned());
        }
        standing
    }

    /// Keeps the facts of a kind, too, so that they can be looked at.
    pub fn keep(&mut self, kind: FactKind) {
        self.kept.insert(kind);
    }

    /// How collecting a kind went. Its facts are not looked at.
    pub fn set_collection(&mut self, kind: &FactKind, collection: &Collection) {
        let before = self.facts.get_mut(kind);
        let items = before.map(|before| std::mem::take(&mut before.items));
        let fresh = Collection {
            status: collection.status,
            detail: collection.detail.clone(),
            source: collection.source.clone(),
            items: items.unwrap_or_default(),
        };
        self.facts.insert(kind.clone(), fresh);
        self.mark_stale(kind);
    }

    /// Judges a fact that is new or different by all checks on its kind.
    pub fn put(&mut self, library: &Library, kind: &FactKind, fact: Fact, now: Timestamp) {
        let object = StandingObject::of(kind, &fact);
        let slot = self.rows.entry(kind.clone()).or_default().take(object);
        let facts = &self.facts;
        for column in self.columns.iter_mut().filter(|column| column.on == *kind) {
            let outcome = column.judge(library, &fact, facts, now);
            column.set(slot, outcome);
        }
        if self.kept.contains(kind) {
            self.remember(kind, fact);
        }
    }

    /// Judges many facts of a kind, as [`Standing::put`] does one, on all processors.
    pub fn put_all(
        &mut self,
        library: &Library,
        kind: &FactKind,
        facts: Vec<Fact>,
        now: Timestamp,
    ) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = facts.len().div_ceil(threads).max(256);
        let columns: Vec<usize> = self.columns_on(kind);
        let of_fact = |fact: &Fact| -> Vec<Option<Outcome>> {
            let all = columns.iter().filter_map(|at| self.columns.get(*at));
            all.map(|column| column.judge(library, fact, &self.facts, now))
                .collect()
        };
        let of_part =
            |part: &[Fact]| -> Vec<Vec<Option<Outcome>>> { part.iter().map(of_fact).collect() };
        let judged: Vec<Vec<Vec<Option<Outcome>>>> = std::thread::scope(|scope| {
            let parts: Vec<_> = facts
                .chunks(at_once)
                .map(|part| {
                    let begun = Builder::new().spawn_scoped(scope, move || of_part(part));
                    begun.map_err(|_| part)
                })
                .collect();
            let joined = parts.into_iter().map(|begun| match begun {
                Ok(handle) => handle.join(),
                // Where there may be no more threads, this one does it.
                Err(part) => Ok(of_part(part)),
            });
            joined
                .map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let rows = self.rows.entry(kind.clone()).or_default();
        for (fact, outcomes) in facts.iter().zip(judged.into_iter().flatten()) {
            let slot = rows.take(StandingObject::of(kind, fact));
            for (at, outcome) in columns.iter().zip(outcomes) {
                if let Some(column) = self.columns.get_mut(*at) {
                    column.set(slot, outcome);
                }
            }
        }
        if self.kept.contains(kind) {
            for fact in facts {
                self.remember(kind, fact);
            }
        }
    }

    /// Forgets a fact that is gone.
    pub fn remove(&mut self, kind: &FactKind, id: &str) {
        let slot = self.rows.get_mut(kind).and_then(|rows| rows.give(id));
        if let Some(slot) = slot {
            for column in self.columns.iter_mut().filter(|column| column.on == *kind) {
                column.set(slot, None);
            }
        }
        if self.kept.contains(kind)
            && let Some(collection) = self.facts.get_mut(kind)
        {
            collection.items.retain(|fact| fact.id != id);
            self.mark_stale(kind);
        }
    }

    /// The kinds whose facts have to be judged again by [`Standing::settle`], because what checks read beside them has
    /// changed.
    #[must_use]
    pub fn unsettled(&self) -> BTreeSet<FactKind> {
        let stale = self.stale.iter().filter_map(|at| self.columns.get(*at));
        stale.map(|column| column.on.clone()).collect()
    }

    /// Judges all facts of a kind again, by those checks that read something else beside them that has changed.
    pub fn settle(
        &mut self,
        library: &Library,
        kind: &FactKind,
        facts: impl IntoIterator<Item = Fact>,
        now: Timestamp,
    ) {
        let columns: BTreeSet<usize> = self.columns_on(kind).into_iter().collect();
        let columns: Vec<usize> = columns.intersection(&self.stale).copied().collect();
        for fact in facts {
            let slot = self
                .rows
                .get(kind)
                .and_then(|rows| rows.slots.get(&fact.id));
            let Some(slot) = slot.copied() else {
                continue;
            };
            for at in &columns {
                if let Some(column) = self.columns.get_mut(*at) {
                    let outcome = column.judge(library, &fact, &self.facts, now);
                    column.set(slot, outcome);
                }
            }
        }
        for at in columns {
            self.stale.remove(&at);
        }
    }

    /// Whether the facts of a kind are kept: because checks read them beside others, or because they were to be.
    #[must_use]
    pub fn keeps(&self, kind: &FactKind) -> bool {
        self.kept.contains(kind)
    }

    /// The facts of a kind that is kept.
    pub fn kept(&self, kind: &FactKind) -> &[Fact] {
        let collection = self.facts.get(kind);
        collection.map_or(&[], |collection| &collection.items)
    }

    /// How collecting went, by kind.
    pub fn collections(&self) -> impl Iterator<Item = (&FactKind, &Collection)> {
        self.facts.iter()
    }

    /// How many objects of a kind there are.
    #[must_use]
    pub fn count(&self, kind: &FactKind) -> usize {
        self.rows.get(kind).map_or(0, |rows| rows.slots.len())
    }

    /// The objects of a kind by id, each with what fails on it or could not be told.
    pub fn objects<'s>(
        &'s self,
        kind: &FactKind,
    ) -> impl Iterator<Item = (&'s StandingObject, Vec<(&'s Use, Outcome)>)> + use<'s> {
        let columns: Vec<&Column> = self
            .columns
            .iter()
            .filter(|column| column.on == *kind)
            .collect();
        let rows = self.rows.get(kind);
        let slots = rows.into_iter().flat_map(|rows| rows.slots.values());
        slots.filter_map(move |slot| {
            let object = rows?.object(*slot)?;
            let said = columns.iter().filter_map(|column| {
                let outcome = column.outcome(*slot)?;
                (!matches!(outcome, Outcome::Pass | Outcome::NotApplicable))
                    .then_some((&column.used, outcome))
            });
            Some((object, said.collect()))
        })
    }

    /// The checks on a kind of fact that this judges by.
    pub fn uses<'s>(&'s self, kind: &FactKind) -> impl Iterator<Item = &'s Use> + use<'s> {
        let kind = kind.clone();
        let columns = self.columns.iter();
        columns
            .filter(move |column| column.on == kind)
            .map(|column| &column.used)
    }

    /// The objects on which a check has one of these outcomes, exceptions aside.
    pub fn with<'s>(
        &'s self,
        used: &Use,
        wanted: &'s [Outcome],
    ) -> impl Iterator<Item = &'s StandingObject> {
        let column = self.by_use.get(used).and_then(|at| self.columns.get(*at));
        column.into_iter().flat_map(move |column| {
            let rows = self.rows.get(&column.on);
            let slots = rows.into_iter().flat_map(|rows| rows.slots.values());
            slots.filter_map(move |slot| {
                let outcome = column.outcome(*slot)?;
                wanted.contains(&outcome).then(|| rows?.object(*slot))?
            })
        })
    }

    /// What a check says of a fact, with all that was found. Nothing where it is not about it.
    #[must_use]
    pub fn look(
        &self,
        library: &Library,
        used: &Use,
        fact: &Fact,
        now: Timestamp,
    ) -> Option<ObjectVerdict> {
        let check = library.check(&used.check)?;
        let params = merged(check, &used.params());
        judge_fact(check, &params, fact, &self.facts, now)
    }

    /// What a check says of all objects together. Nothing for one that this does not judge by.
    #[must_use]
    pub fn tally(&self, library: &Library, used: &Use, scope: &Scope<'_>) -> Option<Tally> {
        let column = self.columns.get(*self.by_use.get(used)?)?;
        let check = library.check(&used.check)?;
        let without = |outcome, reason| Tally {
            verdict: CheckVerdict {
                check: used.check.clone(),
                outcome,
                reason,
                objects: Vec::new(),
            },
            counts: BTreeMap::new(),
        };
        let Some(collection) = self.facts.get(&column.on) else {
            let reason = format!("{} was not collected", column.on);
            return Some(without(Outcome::NotCollected, Some(reason)));
        };
        let gap = gap(&column.on, collection);
        let counts = self.counts(column, scope);
        if counts.is_empty() {
            let reason = match (&gap, self.count(&column.on)) {
                (Some(gap), _) => return Some(without(Outcome::NotCollected, Some(gap.clone()))),
                (None, 0) => collection.detail.clone(),
                (None, _) => None,
            };
            let reason = reason.unwrap_or_else(|| "there is none".to_owned());
            return Some(without(check.absent(), Some(reason)));
        }
        let outcomes = counts.keys().copied();
        let outcomes = outcomes.chain(gap.is_some().then_some(Outcome::NotCollected));
        Some(Tally {
            verdict: CheckVerdict {
                check: used.check.clone(),
                outcome: Outcome::joined(outcomes).unwrap_or(Outcome::NotApplicable),
                reason: gap,
                objects: Vec::new(),
            },
            counts,
        })
    }

    /// What a benchmark says of the asset. Its verdicts are without their objects.
    #[must_use]
    pub fn assess<'l>(
        &self,
        library: &'l Library,
        benchmark: &'l Benchmark,
        scope: &Scope<'_>,
    ) -> Assessment<'l> {
        let reason = left_out(library, benchmark, &self.facts, scope.now);
        let scope = Scope {
            benchmark: Some(&benchmark.id),
            ..*scope
        };
        assess_by(
            benchmark,
            reason,
            scope.statements,
            scope.now,
            &mut |used| Some(self.tally(library, used, &scope)?.verdict),
        )
    }

    /// What a recommendation that gathers a benchmark says of the asset.
    #[must_use]
    pub fn health(
        &self,
        library: &Library,
        assessment: &Assessment<'_>,
    ) -> (Health, Option<String>) {
        let statuses = self.facts.values().map(|facts| facts.status);
        health_with(library, statuses, assessment)
    }

    fn counts(&self, column: &Column, scope: &Scope<'_>) -> BTreeMap<Outcome, usize> {
        let statements = scope.statements;
        let exceptions =
            statements
                .exceptions
                .of(&column.used.check, scope.benchmark, scope.asset, scope.now);
        if exceptions.is_empty() && scope.excluded_namespaces.is_empty() {
            return column.counts.seen();
        }
        let mut counts = Counts::default();
        let rows = self.rows.get(&column.on);
        for (slot, outcome) in column.outcomes.iter().enumerate() {
            let Some(outcome) = *outcome else { continue };
            let Some(object) = rows.and_then(|rows| rows.object(slot)) else {
                continue;
            };
            if scope.excluded_namespaces.contains(&*object.namespace) {
                continue;
            }
            let is_excepted = matches!(outcome, Outcome::Fail | Outcome::NeedsReview)
                && is_excepted(&exceptions, &object.name);
            counts.add(if is_excepted {
                Outcome::Excepted
            } else {
                outcome
            });
        }
        counts.seen()
    }

    fn columns_on(&self, kind: &FactKind) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| column.on == *kind)
            .map(|(at, _)| at)
            .collect()
    }

    fn remember(&mut self, kind: &FactKind, fact: Fact) {
        let collection = self
            .facts
            .entry(kind.clone())
            .or_insert_with(|| Collection::of("", Vec::new()));
        // By id, so that the same facts give the same bytes in whatever order they came.
        match collection
            .items
            .binary_search_by(|known| known.id.cmp(&fact.id))
        {
            Ok(at) => {
                if let Some(known) = collection.items.get_mut(at) {
                    *known = fact;
                }
            }
            Err(at) => collection.items.insert(at, fact),
        }
        self.mark_stale(kind);
    }

    fn mark_stale(&mut self, kind: &FactKind) {
        let columns = self.columns.iter().enumerate();
        let stale = columns.filter(|(_, column)| column.needs.contains(kind));
        self.stale.extend(stale.map(|(at, _)| at));
    }
}

fn is_excepted(exceptions: &[&Exception], name: &str) -> bool {
    exceptions.iter().any(|exception| exception.is_about(name))
}

impl Column {
    fn judge(
        &self,
        library: &Library,
        fact: &Fact,
        facts: &BTreeMap<FactKind, Collection>,
        now: Timestamp,
    ) -> Option<Outcome> {
        let check = library.check(&self.used.check)?;
        let verdict = judge_fact(check, &self.params, fact, facts, now)?;
        Some(verdict.outcome)
    }

    fn outcome(&self, slot: usize) -> Option<Outcome> {
        self.outcomes.get(slot).copied().flatten()
    }

    fn set(&mut self, slot: usize, outcome: Option<Outcome>) {
        if slot >= self.outcomes.len() {
            self.outcomes.resize(slot.saturating_add(1), None);
        }
        if let Some(place) = self.outcomes.get_mut(slot) {
            if let Some(before) = std::mem::replace(place, outcome) {
                self.counts.take(before);
            }
            if let Some(now) = outcome {
                self.counts.add(now);
            }
        }
    }
}

impl Rows {
    fn object(&self, slot: usize) -> Option<&StandingObject> {
        self.objects.get(slot)?.as_ref()
    }

    /// The slot of an object, a new one if it has none.
    fn take(&mut self, object: StandingObject) -> usize {
        let known = self.slots.get(&object.id).copied();
        let slot = known.unwrap_or_else(|| {
            let slot = self.free.pop().unwrap_or(self.objects.len());
            self.slots.insert(object.id.clone(), slot);
            slot
        });
        if slot >= self.objects.len() {
            self.objects.resize(slot.saturating_add(1), None);
        }
        if let Some(place) = self.objects.get_mut(slot) {
            *place = Some(object);
        }
        slot
    }

    fn give(&mut self, id: &str) -> Option<usize> {
        let slot = self.slots.remove(id)?;
        if let Some(place) = self.objects.get_mut(slot) {
            *place = None;
        }
        self.free.push(slot);
        Some(slot)
    }
}

impl StandingObject {
    fn of(kind: &FactKind, fact: &Fact) -> Self {
        let text = |name: &str| {
            let text = fact.data.get(name).and_then(Value::as_str);
            text.unwrap_or_default()
        };
        let namespace = match kind.as_str() {
            "kubernetes.namespace" => text("name"),
            _ => text("namespace"),
        };
        Self {
            id: fact.id.clone(),
            name: fact.name.clone(),
            sort: text("kind").into(),
            namespace: namespace.into(),
        }
    }
}
