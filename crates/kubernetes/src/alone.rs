//! One object by itself, as a request to the API shows it: nothing else is known of its cluster.

use seareeve_model::Fact;

use crate::object::Object;
use crate::state::{FactKey, Key, Kind, State};

/// The fact of an object, as a manifest with nothing but it would have it; nothing, if objects of its kind have none
/// of their own.
#[must_use]
pub fn alone(object: Object) -> Option<Fact> {
    let key = Key::new(object.resource, &object.namespace, &object.name);
    let mut state = State::new(Kind::Manifests);
    state.add(object);
    state.fact(&FactKey::Object(key))
}
