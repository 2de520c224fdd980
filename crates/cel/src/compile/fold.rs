//! Constants: what can be known before there are values is made once.

use crate::functions::{Builtin, Call};
use crate::limits::Budget;
use crate::node::{Element, Entry, Kind, Node};
use crate::pattern::Patterns;
use crate::value::{Entries, Key, List, Map, Value};

/// Lists of at least so many texts are looked up by halving.
const LONG: usize = 5;

fn constant(node: &Node) -> Option<&Value<'static>> {
    match &node.kind {
        Kind::Constant(value) => Some(value),
        _ => None,
    }
}

pub(super) fn list(elements: Vec<Element>) -> Kind {
    let values = elements.iter().map(|element| match element.is_optional {
        true => None,
        false => constant(&element.value).cloned(),
    });
    match values.collect::<Option<Vec<_>>>() {
        Some(values) => Kind::Constant(Value::List(List::made(values))),
        None => Kind::List(elements.into()),
    }
}

/// A map with a key twice or of a wrong type fails when it is evaluated, not before.
pub(super) fn map(entries: Vec<Entry>) -> Kind {
    let pairs = entries.iter().map(|entry| match entry.is_optional {
        true => None,
        false => Some((
            Key::literal(constant(&entry.key)?)?,
            constant(&entry.value)?.clone(),
        )),
    });
    if let Some(pairs) = pairs.collect::<Option<Vec<_>>>() {
        let folded = Entries::new(pairs);
        if folded.entries.len() == entries.len() {
            return Kind::Constant(Value::Map(Map::Shared(folded.into())));
        }
    }
    Kind::Map(entries.into())
}

/// The texts of a constant list that is long and has nothing else, sorted.
pub(super) fn texts(list: &Node) -> Option<Box<[Box<str>]>> {
    let list = constant(list)?.as_list()?;
    if list.len() < LONG {
        return None;
    }
    let texts = list.iter().map(|value| value.as_str().map(Box::from));
    let mut texts = texts.collect::<Option<Vec<Box<str>>>>()?;
    texts.sort_unstable();
    Some(texts.into())
}

/// The value of a function of constants, if it has one and is small.
pub(super) fn call(builtin: &'static Builtin, arguments: &[Node]) -> Option<Value<'static>> {
    const STEPS: u64 = 1_000;
    const BYTES: u64 = 4_096;
    let values: Option<Vec<_>> = arguments
        .iter()
        .map(|node| constant(node).cloned())
        .collect();
    let mut call = Call {
        name: builtin.name,
        arguments: &values?,
        budget: &mut Budget::new(STEPS, BYTES),
        patterns: &mut Patterns::default(),
    };
    (builtin.body)(&mut call).ok()
}
