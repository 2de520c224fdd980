//! Variables that objects of some kinds have beside `it`: what nearly every check on them begins with.
//!
//! They borrow from the fact, so an object has them for nothing.

use seareeve_cel::{Bindings, Value};
use seareeve_model::FactKind;
use serde_json::Value as Json;

const WORKLOAD: &str = "kubernetes.workload";

/// Fields of a workload that are variables of their own.
const FIELDS: [&str; 4] = ["spec", "kind", "object", "effective"];
/// Maps, which are empty where a fact does not have them.
const MAPS: [&str; 2] = ["annotations", "labels"];
const CONTAINERS: &str = "containers";

/// The containers of a pod, in the order in which the API server's own policies visit them.
const CONTAINER_LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The names of a kind's variables.
pub(crate) fn names(kind: &FactKind) -> impl Iterator<Item = &'static str> {
    let is_workload = kind.as_str() == WORKLOAD;
    let names = FIELDS.into_iter().chain(MAPS).chain([CONTAINERS]);
    names.filter(move |_| is_workload)
}

/// Gives a kind's variables their values. A field that the fact does not have stays without one.
pub(crate) fn bind<'a>(kind: &FactKind, data: &'a Json, bindings: &mut Bindings<'a>) {
    if kind.as_str() != WORKLOAD {
        return;
    }
    for name in FIELDS {
        if let Some(value) = data.get(name) {
            bindings.set(name, value);
        }
    }
    for name in MAPS {
        let value = data.get(name).map(Value::from);
        let none = || Value::map(std::iter::empty::<(&str, Value<'a>)>());
        bindings.set(name, value.unwrap_or_else(none));
    }
    let containers = CONTAINER_LISTS
        .into_iter()
        .filter_map(|list| data.get("spec")?.get(list)?.as_array())
        .flatten();
    bindings.set(CONTAINERS, Value::list(containers.map(Value::from)));
}
