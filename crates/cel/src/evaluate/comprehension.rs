//! Macros over lists and maps (langdef.md, "Macros"; those of two variables as in cel-go's extension).

use super::literals::entries_of;
use super::{Evaluated, Evaluation, VALUE_BYTES, shallow};
use crate::error::{Fault, Reason};
use crate::functions::mismatch;
use crate::limits::Budget;
use crate::node::{Collect, Comprehension, Node};
use crate::value::{Key, List, Value, compare, order_exactly};

/// What has been collected so far.
struct Collected<'a> {
    failed: Option<Fault>,
    hits: usize,
    values: Vec<Value<'a>>,
    /// The keys of a map, or what a list is sorted by.
    keys: Vec<Value<'a>>,
}

impl<'a> Evaluation<'_, 'a> {
    pub(super) fn comprehension(&mut self, node: &'a Comprehension, at: u32) -> Evaluated<'a> {
        let range = self.evaluate(&node.range)?;
        let mut collected = Collected {
            failed: None,
            hits: 0,
            values: Vec::new(),
            keys: Vec::new(),
        };
        let mut decided = None;
        match &range {
            Value::List(list) => {
                for index in 0..list.len() {
                    let value = list.get(index).unwrap_or(Value::Null);
                    let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                    decided = self.element(node, index, value, true, &mut collected)?;
                    if decided.is_some() {
                        break;
                    }
                }
            }
            Value::Map(map) if node.collect != Collect::Sorted => {
                for (key, value) in map.iter() {
                    decided = self.element(node, key.value(), value, false, &mut collected)?;
                    if decided.is_some() {
                        break;
                    }
                }
            }
            other => {
                let name = "macro over";
                return Err(mismatch(name, std::slice::from_ref(other)).at(at));
            }
        }
        if let Some(value) = decided {
            return Ok(value);
        }
        self.collected(node.collect, collected, at)
    }

    /// Takes one element; returns the result once it is decided.
    fn element(
        &mut self,
        node: &'a Comprehension,
        key: Value<'a>,
        value: Value<'a>,
        is_list: bool,
        collected: &mut Collected<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        // With one variable it is the element of a list, but the key of a map.
        let single = if is_list { &value } else { &key };
        match node.second {
            None => self.set_local(node.first, single.clone()),
            Some(second) => {
                self.set_local(node.first, key.clone());
                self.set_local(second, value.clone());
            }
        }
        if let Some(filter) = &node.filter
            && !self.holds(filter)?
        {
            return Ok(None);
        }
        match node.collect {
            Collect::All | Collect::Exists => {
                let decider = node.collect == Collect::Exists;
                match self.holds(&node.body) {
                    Ok(held) if held == decider => return Ok(Some(Value::Bool(decider))),
                    Ok(_) => {}
                    Err(fault) if fault.is_final() => return Err(fault),
                    Err(fault) => {
                        collected.failed.get_or_insert(fault);
                    }
                }
            }
            Collect::ExistsOne => collected.hits += usize::from(self.holds(&node.body)?),
            Collect::Filter => {
                if self.holds(&node.body)? {
                    self.bytes(VALUE_BYTES, node.body.at)?;
                    collected.values.push(single.clone());
                }
            }
            Collect::List => {
                self.bytes(VALUE_BYTES, node.body.at)?;
                let body = self.evaluate(&node.body)?;
                collected.values.push(body);
            }
            Collect::Map => {
                self.bytes(2 * VALUE_BYTES, node.body.at)?;
                let body = self.evaluate(&node.body)?;
                collected.keys.push(key);
                collected.values.push(body);
            }
            Collect::Entries => {
                let body = self.evaluate(&node.body)?;
                let Value::Map(map) = &body else {
                    return Err(mismatch("transformMapEntry", &[body]).at(node.body.at));
                };
                self.bytes(map.len().saturating_mul(2 * VALUE_BYTES), node.body.at)?;
                for (key, value) in map.iter() {
                    collected.keys.push(key.value());
                    collected.values.push(value);
                }
            }
            Collect::Sorted => {
                self.bytes(2 * VALUE_BYTES, node.body.at)?;
                let body = self.evaluate(&node.body)?;
                collected.keys.push(body);
                collected.values.push(value);
            }
        }
        Ok(None)
    }

    fn holds(&mut self, predicate: &'a Node) -> Result<bool, Fault> {
        match self.evaluate(predicate)? {
            Value::Bool(held) => Ok(held),
            other => Err(mismatch("predicate of a macro", &[other]).at(predicate.at)),
        }
    }

    fn collected(&mut self, collect: Collect, collected: Collected<'a>, at: u32) -> Evaluated<'a> {
        let Collected {
            failed,
            hits,
            values,
            keys,
        } = collected;
        match collect {
            Collect::All | Collect::Exists => match failed {
                Some(fault) => Err(fault),
                None => Ok(Value::Bool(collect == Collect::All)),
            },
            Collect::ExistsOne => Ok(Value::Bool(hits == 1)),
            Collect::Filter | Collect::List => shallow(Value::List(List::made(values)), at),
            Collect::Map | Collect::Entries => {
                let keys = keys.iter().filter_map(Key::literal);
                let map = entries_of(keys.zip(values).collect(), self.budget)
                    .map_err(|reason| reason.at(at))?;
                shallow(map, at)
            }
            Collect::Sorted => {
                let pairs = keys.into_iter().zip(values).collect();
                self.sorted(pairs).map_err(|reason| reason.at(at))
            }
        }
    }

    fn sorted(&mut self, pairs: Vec<(Value<'a>, Value<'a>)>) -> Result<Value<'a>, Reason> {
        let budget = &mut *self.budget;
        let sorted = sort(pairs, budget, |pair| &pair.0)?;
        let values = sorted.into_iter().map(|(_, value)| value);
        Ok(Value::List(List::made(values.collect())))
    }
}

/// Sorts by values that have an order with each other, and takes from the budget what that costs.
pub(crate) fn sort<'a, T>(
    mut items: Vec<T>,
    budget: &mut Budget,
    key: impl Fn(&T) -> &Value<'a>,
) -> Result<Vec<T>, Reason> {
    let Some(first) = items.first().map(&key) else {
        return Ok(items);
    };
    let mut bytes = 0;
    for item in &items {
        budget.take_steps(1)?;
        let value = key(item);
        // All with the first: sorting panics where there is no order, as with NaN.
        if !matches!(compare(first, value, budget)?, Some(Some(_))) {
            return Err(mismatch("sort", &[first.clone(), value.clone()]));
        }
        bytes += value.as_str().map_or(0, str::len);
    }
    let rounds = items.len().ilog2() as usize + 1;
    budget.take_steps(items.len().saturating_mul(rounds))?;
    budget.take_text(bytes.saturating_mul(rounds))?;
    let mut paid = Budget::new(u64::MAX, u64::MAX);
    items.sort_by(|left, right| order_exactly(key(left), key(right), &mut paid));
    Ok(items)
}
