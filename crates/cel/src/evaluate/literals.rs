//! Lists and maps that are written in an expression, and what else makes maps of entries.

use super::{Evaluated, Evaluation, VALUE_BYTES, shallow};
use crate::error::Reason;
use crate::functions;
use crate::limits::Budget;
use crate::node::{Element, Entry};
use crate::value::{Entries, Key, List, Map, Value};

impl<'a> Evaluation<'_, 'a> {
    pub(super) fn list(&mut self, elements: &'a [Element], at: u32) -> Evaluated<'a> {
        self.bytes(elements.len().saturating_mul(VALUE_BYTES), at)?;
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.evaluate(&element.value)?;
            match (element.is_optional, value) {
                (false, value) => values.push(value),
                (true, Value::Optional(value)) => values.extend(value.as_deref().cloned()),
                (true, other) => {
                    return Err(functions::mismatch("[?_]", &[other]).at(element.value.at));
                }
            }
        }
        shallow(Value::List(List::made(values)), at)
    }

    pub(super) fn map(&mut self, entries: &'a [Entry], at: u32) -> Evaluated<'a> {
        self.bytes(entries.len().saturating_mul(2 * VALUE_BYTES), at)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = self.evaluate(&entry.key)?;
            let value = self.evaluate(&entry.value)?;
            let Some(key) = Key::literal(&key) else {
                return Err(functions::mismatch("{_:_}", &[key]).at(entry.key.at));
            };
            match (entry.is_optional, value) {
                (false, value) => pairs.push((key, value)),
                (true, Value::Optional(value)) => {
                    pairs.extend(value.as_deref().cloned().map(|value| (key, value)));
                }
                (true, other) => {
                    return Err(functions::mismatch("{?_:_}", &[other]).at(entry.value.at));
                }
            }
        }
        entries_of(pairs, self.budget)
            .map_err(|reason| reason.at(at))
            .and_then(|map| shallow(map, at))
    }
}

/// A map of entries, of which no two may have the same key; takes what sorting them costs.
pub(super) fn entries_of<'a>(
    pairs: Vec<(Key<'a>, Value<'a>)>,
    budget: &mut Budget,
) -> Result<Value<'a>, Reason> {
    let count = pairs.len();
    let rounds = count.checked_ilog2().unwrap_or(0) as usize + 1;
    let bytes: usize = pairs.iter().map(|(key, _)| key.text_bytes()).sum();
    budget.take_steps(count)?;
    budget.take_text(bytes.saturating_mul(rounds))?;
    let keys: Vec<Key<'a>> = pairs.iter().map(|(key, _)| key.clone()).collect();
    let made = Entries::new(pairs);
    if made.entries.len() == count {
        return Ok(Value::Map(Map::Shared(made.into())));
    }
    let mut sorted: Vec<&Key<'a>> = keys.iter().collect();
    sorted.sort_by(|left, right| left.order(right));
    let twice = sorted.windows(2).find_map(|pair| match pair {
        [left, right] if left.order(right).is_eq() => Some(left.to_string()),
        _ => None,
    });
    Err(Reason::DuplicateKey(twice.unwrap_or_default().into()))
}
