//! A large asset that is judged fact by fact comes to what it would come to as a whole.

use std::collections::{BTreeMap, BTreeSet};

use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use seareeve_posture::{
    Benchmark, Exception, Exceptions, Library, Outcome, Scope, Standing, Statements, Use, assess,
};
use serde_json::{Map, json};

use crate::lab::lab;
use crate::support::{missing, now, yaml};

/// All that a benchmark wants judged.
fn uses(benchmark: &Benchmark) -> Vec<Use> {
    let controls = benchmark.controls.iter();
    let uses = controls.flat_map(|control| control.checks.iter().chain(&control.evidence));
    uses.cloned().collect()
}

/// The snapshot's facts, one after the other; needed ones last, so that what needs them has to be judged again.
fn standing(library: &Library, benchmark: &Benchmark, snapshot: &Snapshot) -> Standing {
    let mut standing = Standing::new(library, uses(benchmark), [benchmark]);
    for (kind, collection) in &snapshot.facts {
        standing.set_collection(kind, collection);
        let (first, rest) = collection.items.split_at(collection.items.len() / 2);
        standing.put_all(library, kind, first.to_vec(), now());
        for fact in rest {
            standing.put(library, kind, fact.clone(), now());
        }
    }
    settle(library, &mut standing, snapshot);
    standing
}

fn settle(library: &Library, standing: &mut Standing, snapshot: &Snapshot) {
    for kind in standing.unsettled() {
        let items = snapshot.facts.get(&kind).map(|facts| facts.items.clone());
        standing.settle(library, &kind, items.unwrap_or_default(), now());
    }
    assert_eq!(standing.unsettled(), BTreeSet::new());
}

fn outcomes(
    library: &Library,
    benchmark: &Benchmark,
    standing: &Standing,
    statements: &Statements,
) -> BTreeMap<String, (Outcome, Option<String>)> {
    let scope = Scope {
        asset: "lab",
        benchmark: None,
        statements,
        excluded_namespaces: &BTreeSet::new(),
        now: now(),
    };
    let assessment = standing.assess(library, benchmark, &scope);
    let controls = assessment.controls.into_iter();
    controls
        .map(|one| (one.control.id.clone(), (one.outcome, one.reason)))
        .collect()
}

#[test]
fn the_lab_cluster_comes_to_the_same_fact_by_fact() {
    let Some(lab) = lab() else { return };
    let library = Library::builtin();
    let statements = Statements {
        exceptions: Exceptions {
            exceptions: vec![Exception {
                check: "pod-security.privileged".to_owned(),
                benchmark: None,
                asset: Some("l*".to_owned()),
                object: None,
                reason: "a test".to_owned(),
                until: None,
            }],
        },
        attestations: Vec::new(),
    };
    for benchmark in library
        .benchmarks()
        .filter(|one| one.asset == "kubernetes-cluster")
    {
        let whole = assess(&library, benchmark, &lab, &statements, now());
        let whole: BTreeMap<_, _> = whole
            .controls
            .into_iter()
            .map(|one| (one.control.id.clone(), (one.outcome, one.reason)))
            .collect();
        let standing = standing(&library, benchmark, &lab);
        let seen = outcomes(&library, benchmark, &standing, &statements);
        assert_eq!(seen, whole, "{}-{}", benchmark.id, benchmark.version);
    }
}

fn kind(text: &str) -> FactKind {
    FactKind::new(text).unwrap()
}

fn thing(id: &str, namespace: &str, bad: bool) -> Fact {
    Fact {
        id: id.to_owned(),
        name: id.to_owned(),
        data: json!({"bad": bad, "kind": "Thing", "namespace": namespace}),
    }
}

/// A library with one check on things, of which some may be bad where the `limit` allows it.
fn little() -> (Library, Use) {
    let mut library = Library::default();
    let check = yaml(
        "needs: {limits: 'limit[]?'}\nfail_if: it.bad && !limits.exists(l, l.allowed)\nactual: '{{name}} is bad'",
    )
    .replace("it: {}", "it: {bad: false}");
    let errors = library.add([("thing.wrong.yaml".to_owned(), check)], []);
    assert!(errors.is_empty(), "{errors:?}");
    (library, Use::new("thing.wrong", &Map::new()))
}

fn scope<'s>(statements: &'s Statements, excluded: &'s BTreeSet<String>) -> Scope<'s> {
    Scope {
        asset: "a",
        benchmark: None,
        statements,
        excluded_namespaces: excluded,
        now: now(),
    }
}

#[test]
fn a_change_is_judged_alone_and_namespaces_can_be_left_out() {
    let (library, used) = little();
    let things = kind("thing");
    let mut standing = Standing::new(&library, [used.clone()], []);
    let (statements, nowhere) = (Statements::default(), BTreeSet::new());
    let tally = |standing: &Standing, excluded: &BTreeSet<String>| {
        let tally = standing.tally(&library, &used, &scope(&statements, excluded));
        let tally = tally.unwrap();
        let failing = tally.counts.get(&Outcome::Fail).copied();
        (
            tally.verdict.outcome,
            tally.verdict.reason,
            failing.unwrap_or(0),
        )
    };
    assert_eq!(tally(&standing, &nowhere).0, Outcome::NotCollected);
    standing.set_collection(&things, &Collection::of("here", Vec::new()));
    let none = Some("there is none".to_owned());
    assert_eq!(
        tally(&standing, &nowhere),
        (Outcome::NotApplicable, none.clone(), 0)
    );

    standing.put(&library, &things, thing("a", "shop", true), now());
    standing.put(&library, &things, thing("b", "kube-system", true), now());
    standing.put(&library, &things, thing("c", "shop", false), now());
    assert_eq!(tally(&standing, &nowhere), (Outcome::Fail, None, 2));
    let system = BTreeSet::from(["kube-system".to_owned()]);
    assert_eq!(tally(&standing, &system), (Outcome::Fail, None, 1));
    let failing: Vec<&str> = standing
        .with(&used, &[Outcome::Fail])
        .map(|object| object.id.as_str())
        .collect();
    assert_eq!(failing, ["a", "b"]);
    let said: Vec<(&str, usize)> = standing
        .objects(&things)
        .map(|(object, said)| (object.id.as_str(), said.len()))
        .collect();
    assert_eq!(said, [("a", 1), ("b", 1), ("c", 0)]);
    let look = standing.look(&library, &used, &thing("a", "shop", true), now());
    assert_eq!(look.unwrap().items[0].actual, "a is bad");

    standing.put(&library, &things, thing("a", "shop", false), now());
    assert_eq!(tally(&standing, &system), (Outcome::Pass, None, 0));
    standing.remove(&things, "c");
    standing.remove(&things, "a");
    standing.remove(&things, "nobody");
    assert_eq!(tally(&standing, &system), (Outcome::NotApplicable, none, 0));
    // The place of one that is gone is taken by the next.
    standing.put(&library, &things, thing("d", "shop", true), now());
    assert_eq!(tally(&standing, &nowhere), (Outcome::Fail, None, 2));
    assert_eq!(standing.count(&things), 2);

    // What may no longer be read is never fine.
    standing.remove(&things, "b");
    standing.remove(&things, "d");
    standing.set_collection(&things, &missing(CollectionStatus::Denied));
    let (outcome, reason, _) = tally(&standing, &nowhere);
    assert_eq!(outcome, Outcome::NotCollected);
    assert_eq!(reason.unwrap(), "thing may not be read: the door is locked");
    standing.put(&library, &things, thing("c", "shop", false), now());
    assert_eq!(tally(&standing, &nowhere).0, Outcome::NotCollected);
}

#[test]
fn what_is_needed_makes_what_needs_it_judged_again() {
    let (library, used) = little();
    let (things, limits) = (kind("thing"), kind("limit"));
    let mut standing = Standing::new(&library, [used.clone()], []);
    let all = vec![thing("a", "", true), thing("b", "", false)];
    standing.set_collection(&things, &Collection::of("here", Vec::new()));
    standing.put_all(&library, &things, all.clone(), now());
    let statements = Statements::default();
    let outcome = |standing: &Standing| {
        let tally = standing.tally(&library, &used, &scope(&statements, &BTreeSet::new()));
        tally.unwrap().verdict.outcome
    };
    standing.settle(&library, &things, all.clone(), now());
    assert_eq!(outcome(&standing), Outcome::Fail);
    let limit = |allowed| Fact {
        id: "l".to_owned(),
        name: "l".to_owned(),
        data: json!({ "allowed": allowed }),
    };
    for (allowed, wanted) in [
        (true, Outcome::Pass),
        (false, Outcome::Fail),
        (true, Outcome::Pass),
    ] {
        standing.put(&library, &limits, limit(allowed), now());
        assert_eq!(standing.unsettled(), BTreeSet::from([things.clone()]));
        standing.settle(&library, &things, all.clone(), now());
        assert_eq!(outcome(&standing), wanted);
    }
    standing.remove(&limits, "l");
    standing.settle(&library, &things, all, now());
    assert_eq!(outcome(&standing), Outcome::Fail);
    assert_eq!(standing.kept(&limits), []);
}
