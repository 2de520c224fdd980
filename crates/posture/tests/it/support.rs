//! Assets and checks for the tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seareeve_model::{Collection, CollectionStatus, Fact, FactKind, Snapshot};
use seareeve_posture::{Check, CheckVerdict, judge};
use serde_json::{Map, Value, json};

/// 2026-01-01.
pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A check with the fields that every check has, and `rest`.
pub(crate) fn check(rest: &str) -> Check {
    Check::parse(&yaml(rest)).unwrap()
}

pub(crate) fn yaml(rest: &str) -> String {
    format!(
        "id: thing.wrong\ntitle: t\nseverity: high\non: thing\n{rest}\nmessage: m {{{{name}}}}\nexpected: e\nwhy: w\nfix: {{text: x}}\nexamples: [{{name: n, it: {{}}, expect: pass}}]\n"
    )
}

pub(crate) fn things(data: &[Value]) -> Collection {
    let items = data.iter().zip(1..).map(|(data, number)| Fact {
        id: format!("id{number}"),
        name: format!("thing {number}"),
        data: data.clone(),
    });
    Collection::of("here", items.collect())
}

pub(crate) fn missing(status: CollectionStatus) -> Collection {
    Collection::none(status, "there", "the door is locked")
}

pub(crate) fn asset(facts: &[(&str, Collection)]) -> Snapshot {
    let facts = facts
        .iter()
        .map(|(kind, facts)| (FactKind::new(*kind).unwrap(), facts.clone()));
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "docker-host".to_owned(),
        asset_id: "a".to_owned(),
        asset_name: "build-1".to_owned(),
        collected_at: now(),
        collector: "test".to_owned(),
        facts: facts.collect::<BTreeMap<_, _>>(),
    }
}

/// Verdict, reason, and each object's.
pub(crate) fn judged(check: &Check, snapshot: &Snapshot) -> CheckVerdict {
    judge(check, &Map::new(), snapshot, now())
}

/// Verdicts in a word or two.
pub(crate) fn words(verdict: &CheckVerdict) -> Vec<String> {
    let line = |outcome: &str, reason: &Option<String>| match reason {
        Some(reason) => format!("{outcome}: {reason}"),
        None => outcome.to_owned(),
    };
    let mut words = vec![line(verdict.outcome.as_str(), &verdict.reason)];
    for object in &verdict.objects {
        words.push(line(object.outcome.as_str(), &object.reason));
    }
    words
}

pub(crate) fn number(value: i64) -> Value {
    json!({ "n": value })
}
