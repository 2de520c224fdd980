//! Variables that Kubernetes' objects have beside `it`: what nearly every check on them begins with.
//!
//! They borrow from the fact, so an object has them for nothing.

use seareeve_cel::{Bindings, Value};
use seareeve_kubernetes::{View, views};
use seareeve_model::FactKind;
use serde_json::Value as Json;

const ALL: &str = "kubernetes.";
const WORKLOAD: &str = "kubernetes.workload";
/// Of every object.
const OF_ALL: [&str; 3] = ["spec", "kind", "object"];
/// Of workloads besides.
const OF_WORKLOADS: [&str; 2] = ["effective", "containers"];
/// Of workloads besides: maps, which are empty where a fact does not have them.
const MAPS: [&str; 2] = ["annotations", "labels"];

/// The names of a kind's variables. The word `namespace` is not one: the language keeps it for itself.
pub(crate) fn names(kind: &FactKind) -> Vec<&'static str> {
    match kind.as_str() {
        WORKLOAD => [&OF_ALL[..], &OF_WORKLOADS, &MAPS].concat(),
        other if other.starts_with(ALL) => OF_ALL.to_vec(),
        _ => Vec::new(),
    }
}

/// Gives a kind's variables their values. A field that the fact does not have stays without one.
pub(crate) fn bind<'a>(kind: &FactKind, data: &'a Json, bindings: &mut Bindings<'a>) {
    if !kind.as_str().starts_with(ALL) {
        return;
    }
    if kind.as_str() == WORKLOAD {
        for name in MAPS {
            bindings.set(name, Value::map(std::iter::empty::<(&str, Value<'a>)>()));
        }
    }
    for (name, view) in views(kind.as_str(), data) {
        bindings.set(
            name,
            match view {
                View::Part(part) => Value::from(part),
                View::List(parts) => Value::list(parts.into_iter().map(Value::from)),
            },
        );
    }
}
