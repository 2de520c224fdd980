//! What observers of clusters send: which facts there are, by their hashes, and what has changed. It is judged object by
//! object as the server does it, and comes to what judging all at once comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use seareeve_kubernetes::KINDS;
use seareeve_model::{Collection, Fact, FactDelta, FactIndex, FactKind};
use seareeve_posture::{Library, Scope, Standing, Statements, Tally, Use};

use crate::made::parts;
use crate::server::MARK;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "fact_changes",
    run,
    longest: 12 << 10,
    seeds: || made::seeds("fact_changes"),
    words: &[
        "\n====\n",
        "\"schema\":\"seareeve.fact-index/1\"",
        "\"schema\":\"seareeve.fact-delta/1\"",
        "\"asset_kind\":\"kubernetes-cluster\"",
        "\"base\":\"1-1\"",
        "\"more\":true",
        "\"collections\":{\"kubernetes.workload\":{\"status\":\"ok\",\"source\":\"a\"}}",
        "\"hashes\":{\"kubernetes.workload\":{\"a\":\"00000000000000000000000000000000\"}}",
        "\"put\":{\"kubernetes.workload\":[",
        "\"kubernetes.node\"",
        "\"kubernetes.namespace\"",
        "\"kubernetes.subject\"",
        "\"kubernetes.kubelet\"",
        "\"kubernetes.network-policy\"",
        "\"kubernetes.cluster\"",
        "\"gone\":{\"kubernetes.workload\":[\"a\"]}",
        "{\"id\":\"a\",\"name\":\"b\",\"data\":{\"namespace\":\"c\",\"pod\":{\"containers\":[{\"name\":\"d\"}]}}}",
        "\"status\":\"denied\"",
        "1e999",
    ],
};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::builtin);

type Facts = BTreeMap<FactKind, BTreeMap<String, Fact>>;

/// An index, then changes that go on from each other.
fn run(input: &[u8]) {
    let parts = parts(input, MARK, 6);
    if let Ok(index) = serde_json::from_slice::<FactIndex>(parts.first().copied().unwrap_or(&[])) {
        let text = serde_json::to_vec(&index).expect("an index can be written");
        let again: FactIndex = serde_json::from_slice(&text).expect("what we write can be read");
        assert_eq!(again, index);
    }
    let uses: Vec<Use> = LIBRARY
        .benchmarks()
        .flat_map(|benchmark| &benchmark.controls)
        .flat_map(|control| control.checks.clone())
        .collect();
    let mut standing = Standing::new(&LIBRARY, uses.clone(), []);
    let mut facts = Facts::new();
    let mut collections: BTreeMap<FactKind, Collection> = BTreeMap::new();
    let now = Timestamp::UNIX_EPOCH;
    for part in parts.iter().skip(1) {
        let Ok(delta) = serde_json::from_slice::<FactDelta>(part) else {
            continue;
        };
        let text = serde_json::to_vec(&delta).expect("changes can be written");
        let again: FactDelta = serde_json::from_slice(&text).expect("what we write can be read");
        assert_eq!(again, delta);
        let is_known = |kind: &FactKind| KINDS.contains(&kind.as_str());
        for (kind, collection) in delta.collections {
            if is_known(&kind) && collection.items.is_empty() {
                standing.set_collection(&kind, &collection);
                collections.insert(kind, collection);
            }
        }
        for (kind, put) in delta.put.into_iter().filter(|(kind, _)| is_known(kind)) {
            for fact in put {
                assert_eq!(fact.hash().len(), 32);
                let known = facts.entry(kind.clone()).or_default();
                known.insert(fact.id.clone(), fact.clone());
                standing.put(&LIBRARY, &kind, fact, now);
            }
        }
        for (kind, ids) in delta.gone.into_iter().filter(|(kind, _)| is_known(kind)) {
            for id in ids {
                facts.entry(kind.clone()).or_default().remove(&id);
                standing.remove(&kind, &id);
            }
        }
        settle(&mut standing, &facts, now);
    }
    let mut at_once = Standing::new(&LIBRARY, uses.clone(), []);
    for (kind, collection) in &collections {
        at_once.set_collection(kind, collection);
    }
    for (kind, facts) in &facts {
        at_once.put_all(&LIBRARY, kind, facts.values().cloned().collect(), now);
    }
    settle(&mut at_once, &facts, now);
    let statements = Statements::default();
    let scope = Scope {
        asset: "a",
        benchmark: None,
        statements: &statements,
        excluded_namespaces: &BTreeSet::new(),
        now,
    };
    for used in &uses {
        let tally = |standing: &Standing| standing.tally(&LIBRARY, used, &scope);
        // A kind of which all facts are gone is known by what was kept of it.
        let (one, other) = (tally(&standing), tally(&at_once));
        let counts = |tally: &Option<Tally>| tally.as_ref().map(|tally| tally.counts.clone());
        assert_eq!(counts(&one), counts(&other), "{}", used.check);
    }
}

fn settle(standing: &mut Standing, facts: &Facts, now: Timestamp) {
    for kind in standing.unsettled() {
        let of_kind = facts.get(&kind).into_iter().flat_map(BTreeMap::values);
        standing.settle(&LIBRARY, &kind, of_kind.cloned(), now);
    }
}
