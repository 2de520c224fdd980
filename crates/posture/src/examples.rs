//! Runs the examples that checks carry: their tests, ours and users' (`seareeve check test`).

use std::collections::BTreeMap;

use seareeve_kubernetes::{Kind, Object, State};
use seareeve_model::{Collection, Fact, FactKind, Snapshot};
use serde_json::{Map, Value};

use crate::check::{Check, Example};
use crate::judge::judge;
use crate::verdict::{ObjectVerdict, Outcome};

/// How one example went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    /// The check.
    pub check: String,
    /// The example.
    pub name: String,
    /// What is wrong with it; nothing when the check says what the example expects.
    pub fault: Option<String>,
}

/// Runs all examples of a check. Says also when none of them fails, or none does not: such examples show nothing.
#[must_use]
pub fn run_examples(check: &Check) -> Vec<ExampleResult> {
    let result = |name: &str, fault| ExampleResult {
        check: check.id().to_owned(),
        name: name.to_owned(),
        fault,
    };
    let mut results: Vec<ExampleResult> = check
        .examples()
        .iter()
        .map(|example| result(&example.name, fault(check, example)))
        .collect();
    let fires = if check.fail().is_some() {
        Outcome::Fail
    } else {
        Outcome::NeedsReview
    };
    let has = |wanted: &dyn Fn(Outcome) -> bool| {
        let mut examples = check.examples().iter();
        examples.any(|example| wanted(example.expect))
    };
    for (is_there, what) in [
        (has(&|outcome| outcome == fires), fires.as_str()),
        (
            has(&|outcome| outcome != fires && outcome != Outcome::Error),
            "anything else",
        ),
    ] {
        if !is_there {
            let fault = format!("no example expects {what}");
            results.push(result("(all)", Some(fault)));
        }
    }
    results
}

/// Why a check cannot be evaluated with these parameters, as its examples show it; nothing when it can on all of them.
#[must_use]
pub fn try_params(check: &Check, params: &Map<String, Value>) -> Option<String> {
    let examples = check.examples().iter();
    let tried = examples.filter(|example| example.expect != Outcome::Error);
    tried
        .map(|example| judge(check, params, &snapshot(check, example), example.now))
        .flat_map(|verdict| verdict.objects)
        .find(|object| object.outcome == Outcome::Error)
        .map(|object| object.reason.unwrap_or_default())
}

fn fault(check: &Check, example: &Example) -> Option<String> {
    let unknown = example
        .needs
        .keys()
        .find(|name| !check.needs().iter().any(|need| need.name == **name));
    if let Some(name) = unknown {
        return Some(format!("it gives `{name}`, which the check does not need"));
    }
    let unknown = example
        .params
        .keys()
        .find(|name| !check.params().contains_key(*name));
    if let Some(name) = unknown {
        return Some(format!("it sets `{name}`, which is no parameter"));
    }
    let verdict = judge(
        check,
        &example.params,
        &snapshot(check, example),
        example.now,
    );
    match verdict.objects.first() {
        Some(object) => compare(example, object),
        // The check is not about it.
        None if verdict.outcome == example.expect => None,
        None => Some(format!("it is {}", verdict.outcome.as_str())),
    }
}

fn compare(example: &Example, object: &ObjectVerdict) -> Option<String> {
    if object.outcome != example.expect {
        let detail = object
            .reason
            .clone()
            .or_else(|| object.items.first().map(|item| item.message.clone()));
        return Some(format!(
            "it is {}, not {}{}",
            object.outcome.as_str(),
            example.expect.as_str(),
            detail
                .map(|detail| format!(": {detail}"))
                .unwrap_or_default()
        ));
    }
    if let Some(wanted) = example.items
        && wanted != object.items.len()
    {
        return Some(format!("{} items, not {wanted}", object.items.len()));
    }
    let first = object.items.first();
    if let Some(first) = first
        && first.message.contains("(no ")
    {
        return Some(format!("the message does not work: {}", first.message));
    }
    match (&example.message, first) {
        (Some(wanted), Some(item)) if *wanted != item.message => {
            Some(format!("the message is: {}", item.message))
        }
        (Some(_), None) => Some("there is no message".to_owned()),
        _ => None,
    }
}

/// An asset that has what the example gives and nothing else.
fn snapshot(check: &Check, example: &Example) -> Snapshot {
    let mut facts: BTreeMap<FactKind, Collection> = BTreeMap::new();
    facts.insert(
        check.on().clone(),
        collection(ID, vec![fact_of(check, example)]),
    );
    // A single document belongs to the object, which may name it by its id.
    let engine = example.it.get("engine").and_then(Value::as_str);
    for need in check.needs() {
        let Some(given) = example.needs.get(&need.name) else {
            continue;
        };
        let given = match given {
            Value::Array(items) => collection(ID, items.clone()),
            item => collection(engine.unwrap_or(ID), vec![item.clone()]),
        };
        facts
            .entry(need.kind.clone())
            .or_insert_with(|| collection(ID, Vec::new()))
            .items
            .extend(given.items);
    }
    Snapshot {
        schema: Snapshot::SCHEMA.to_owned(),
        asset_kind: "example".to_owned(),
        asset_id: "example".to_owned(),
        asset_name: "example".to_owned(),
        collected_at: example.now,
        collector: "example".to_owned(),
        facts,
    }
}

const ID: &str = "example";

/// The fact's data: as the example gives it, or made of the Kubernetes object that it gives, as people know them.
fn fact_of(check: &Check, example: &Example) -> Value {
    let is_object = example.it.get("metadata").is_some();
    if is_object && check.on().as_str().starts_with("kubernetes.") {
        let mut object = example.it.clone();
        if let Some(fields) = object.as_object_mut() {
            let kind = example.it.get("kind").and_then(Value::as_str);
            let version = version_of(kind.unwrap_or_default());
            fields.entry("apiVersion").or_insert_with(|| version.into());
        }
        if let Ok(object) = Object::read(object, None) {
            let mut state = State::new(Kind::Manifests);
            state.add(object);
            if let Some(fact) = state.facts(check.on()).next() {
                return fact.data;
            }
        }
    }
    example.it.clone()
}

/// Examples need not say it.
fn version_of(kind: &str) -> &'static str {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => {
            "rbac.authorization.k8s.io/v1"
        }
        _ => "v1",
    }
}

fn collection(id: &str, items: Vec<Value>) -> Collection {
    let items = items.into_iter().map(|mut data| {
        without_nulls(&mut data);
        Fact {
            id: id.to_owned(),
            name: ID.to_owned(),
            data,
        }
    });
    Collection::of(ID, items.collect())
}

/// Facts have none: what is not there is left out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
